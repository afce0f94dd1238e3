"""Twin worlds and optimisation bits."""

from __future__ import annotations

import numpy as np
import pytest
from bounds import LIBRARY_ULPS, assert_within, ulps
from hypothesis import given
from hypothesis import strategies as st

from civsim.analysis.statistics.divergence import (
    MEASURES,
    Worlds,
    divergence,
    gaps,
    log_gap,
    map_divergence,
    no_skill_bits,
    optimisation_bits,
)
from civsim.base.errors import ResultsError


def arm(seed: int, worlds: int = 6) -> Worlds:
    rng = np.random.default_rng(seed)
    alive = (rng.random((worlds, 3, 4)) < 0.8).astype(float)
    alive[:, 0] = 1.0
    output = alive * np.exp(rng.normal(size=(worlds, 3, 4)))
    maps = rng.integers(-1, 3, (worlds, 2, 10)).astype(np.int8)
    return Worlds(output, alive, np.zeros(worlds, np.int64), maps, (2, 4))


def test_an_arm_against_itself_is_exactly_0() -> None:
    found = divergence(arm(0), arm(0), draws=50)
    assert set(found["measure"]) == set(MEASURES)
    assert (found[["value", "low", "high"]] == 0.0).all(axis=None)


def test_gaps_by_hand() -> None:
    alive = np.ones((2, 2, 1))
    one = Worlds(np.array([[[1.0], [3.0]], [[2.0], [2.0]]]), alive, np.array([0, 1]), None, ())
    fallen = alive.copy()
    fallen[0, 1] = 0.0
    other = Worlds(np.array([[[2.0], [0.0]], [[2.0], [6.0]]]), fallen, np.array([0, 1]), None, ())
    found = gaps(one, other)
    assert np.allclose(found["world_log_output_signed"][:, 0], [np.log(0.5), np.log(2.0)])
    assert np.allclose(found["world_log_output"][:, 0], np.log(2.0))
    assert np.allclose(found["focal_log_output"][:, 0], [np.log(2.0), np.log(3.0)])
    assert np.isnan(found["rival_log_output"][0, 0])  # it is dead in one arm
    assert found["rival_log_output"][1, 0] == 0.0
    assert found["fates"][:, 0].tolist() == [0.5, 0.0]
    assert found["survivors_signed"][:, 0].tolist() == [-1.0, 0.0]
    table = divergence(one, other, draws=50)
    assert "rival_log_output" not in set(table["measure"])  # one world has a value: no interval
    assert "cells" not in set(table["measure"])


def test_cells_are_counted_at_the_turns_with_maps() -> None:
    first = np.array([[[0, 1, -1, 2]], [[0, 0, 0, 0]]])
    second = np.array([[[0, 1, 0, 1]], [[0, 0, 0, 0]]])
    assert map_divergence(first, second).tolist() == [[0.5], [0.0]]
    found = divergence(arm(0), arm(1), draws=50)
    assert found.loc[found["measure"] == "cells", "turn"].tolist() == [2, 4]


def test_swapping_the_arms_turns_signed_gaps_round_and_leaves_the_others() -> None:
    there, back = gaps(arm(0), arm(1)), gaps(arm(1), arm(0))
    for name, values in there.items():
        assert np.allclose(back[name], -values if name.endswith("signed") else values, equal_nan=True), name


def test_the_unit_of_output_and_the_order_of_seats_and_worlds_do_not_matter() -> None:
    one, other = arm(0), arm(1)
    plain = gaps(one, other)
    order = np.array([2, 0, 1])
    moved = [
        Worlds(9.0 * table.output[::-1][:, order], table.alive[::-1][:, order], table.focal + 1, None, ())
        for table in (one, other)
    ]
    for name, values in gaps(*moved).items():
        assert np.allclose(values[::-1], plain[name], equal_nan=True), name


@given(st.integers(1, 200), st.integers(0, 99))
def test_bits_lie_between_0_and_what_the_games_can_show(games: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    found = optimisation_bits(rng.normal(size=5), rng.normal(size=(5, games)), draws=20)
    assert ((found.each >= 0.0) & (found.each <= found.most + 1e-12)).all()
    assert found.most == pytest.approx(np.log2(games + 1))
    assert 0.0 <= found.mean.low <= found.mean.high <= found.most


def test_bits_by_hand() -> None:
    reference = np.tile(np.arange(7.0), (3, 1))
    found = optimisation_bits([6.5, 6.0, -1.0], reference, draws=50)
    # Each is the difference of nothing but one logarithm: a library's, within a few ulps of what is exact here.
    assert_within(found.each, [3.0, 2.0, 0.0], ulps([3.0, 2.0, 0.0], LIBRARY_ULPS, np.float64))
    assert found.saturated == pytest.approx(1 / 3)
    assert found.mean.value == pytest.approx(5 / 3)
    transformed = optimisation_bits(np.exp([6.5, 6.0, -1.0]), np.exp(reference), draws=50)
    assert transformed.each.tolist() == found.each.tolist()


def test_no_skill_is_1_44_bits_in_the_limit() -> None:
    assert no_skill_bits(1) == pytest.approx(0.5)
    assert no_skill_bits(10**6) == pytest.approx(1 / np.log(2), abs=1e-4)


def test_bad_input_is_refused() -> None:
    with pytest.raises(ResultsError, match="alike in both"):
        map_divergence(np.zeros((2, 1, 4)), np.zeros((2, 1, 5)))
    with pytest.raises(ResultsError, match="same worlds in both"):
        log_gap(np.ones(3), np.ones(4))
    with pytest.raises(ResultsError, match="negative or not finite"):
        log_gap(-np.ones(3), np.ones(3))
    with pytest.raises(ResultsError, match="other worlds, seats or turns"):
        divergence(arm(0), arm(0)._replace(focal=np.ones(6, np.int64)))
    with pytest.raises(ResultsError, match="do not match"):
        optimisation_bits(np.ones(3), np.ones((4, 5)))
    with pytest.raises(ResultsError, match="not finite"):
        optimisation_bits([1.0, np.nan], np.ones((2, 5)))
    with pytest.raises(ResultsError, match="games=0"):
        no_skill_bits(0)
