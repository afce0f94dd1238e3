"""K17: S seats of H/S turns on S islands play each as a seat of H/S turns plays it alone."""

from __future__ import annotations

import numpy as np
import pytest

from civsim.validation.k17_depth import archipelago, found, island, of_copy, places, played
from civsim.validation.small_lands import FAMILIES

ISLANDS = [island(family, seed) for family in FAMILIES for seed in range(2)]


@pytest.mark.parametrize("horizon", [0, 3, 12])
@pytest.mark.parametrize("count", [2, 3])
def test_every_island_is_played_as_if_it_were_alone(count: int, horizon: int) -> None:
    for one in ISLANDS:
        alone, seats = played(one.small, 1, 1, horizon), played(one.small, count, count, horizon)
        width = one.small.game.map.width
        assert sum(len(turn) for turn in alone.claims) > 0
        for copy in range(count):
            assert of_copy(seats, width, copy, count) == alone.claims
        assert seats.value == pytest.approx(count * alone.value, rel=1e-6)


def test_at_horizon_0_the_seats_are_the_rule_of_thumb_and_none_beats_the_optimum() -> None:
    for one in ISLANDS:
        assert played(one.small, 2, 2, 0).value / 2 == pytest.approx(one.greedy, rel=1e-6)
        assert not played(one.small, 2, 2, 24).value / 2 > one.optimum * (1 + 1e-6)


def test_the_islands_headroom_rises_with_the_turns_of_a_seat() -> None:
    lands = [one for one in ISLANDS if one.optimum > 1.02 * one.greedy]
    shares = [got.share(got.seats) for got in (found(lands, 2, horizon) for horizon in (0, 4, 24))]
    assert shares[0] == pytest.approx(0.0, abs=1e-6)
    assert shares[0] < shares[1] < shares[2]
    assert shares[2] > 0.9


def test_one_seat_with_all_funds_plays_other_claims() -> None:
    small = ISLANDS[0].small
    assert played(small, 2, 1, 8).claims != played(small, 2, 2, 4).claims


def test_copies_lie_side_by_side_in_the_sea() -> None:
    land, width = ISLANDS[0].small.land, ISLANDS[0].small.game.map.width
    made = archipelago(land, width, 3)
    cells = np.arange(land.fertility.size, dtype=np.int32)
    for copy in range(3):
        assert (made.fertility[places(cells, width, copy, 3)] == land.fertility).all()
        assert (made.ruggedness[places(cells, width, copy, 3)] == land.ruggedness).all()
    assert made.fertility.size == (3 * (width + 1) - 1) * land.fertility.size // width
    assert (made.ruggedness == 1.0).sum() == 2 * land.fertility.size // width
