"""What seats of thought know of bands: that one has come to its end on own land is known at every seat at once."""

from __future__ import annotations

import numpy as np
import pytest

from civsim.base.constants import NEVER, Witness
from civsim.engine.world import World
from civsim.scenarios.loader import load_scenario, override
from civsim.validation.k16_offices import shares_of

WORLDS, TURNS, COUNT = 3, 60, 3
LEVELS = {"horizon": 3, "sight": 4, "attention": 6}


def world_of(**seats: float) -> World:
    settings = {f"seat_default.levels.{channel}": level for channel, level in LEVELS.items()}
    settings |= {f"thinking.seats.{name}": value for name, value in seats.items()}
    return World(override(load_scenario("raiders"), settings), WORLDS)


@pytest.mark.parametrize("messenger", [1.0, 6.0])
def test_no_seat_knows_of_a_band_that_has_raided_the_realm(messenger: float) -> None:
    world, raided = world_of(count=COUNT, cells=1, messenger=messenger), 0
    state, shares = world.state, shares_of(world)
    # The bands that came to their end on land of each civilization: (slot, turn they had appeared).
    ended: dict[tuple[int, int], set[tuple[int, int]]] = {}
    for _ in range(TURNS):
        cells, came, raids = state.band_cell.copy(), state.band_came.copy(), state.witness[:, :, Witness.RAIDS].copy()
        world.step(shares)
        for b, r in np.argwhere((cells >= 0) & (state.band_came != came)):
            victims = np.flatnonzero(state.witness[b, :, Witness.RAIDS] > raids[b])
            if victims.size == 1:
                ended.setdefault((b, victims[0]), set()).add((r, came[b, r]))
                raided += 1
        for (b, i), bands in ended.items():
            rows = [i, *(world.n_civilizations + i * (COUNT - 1) + k for k in range(state.office_count[b, i] - 1))]
            for r, since in bands:
                known = (state.band_turn[b, rows, r] != NEVER) & (state.band_since[b, rows, r] == since)
                assert not known.any()
    assert raided > 5


def test_with_instant_messengers_the_capital_knows_of_bands_what_one_seat_knows() -> None:
    one, many = world_of(count=1), world_of(count=COUNT, cells=1, pool=1.0)
    for _ in range(TURNS):
        one.step(shares_of(one))
        many.step(shares_of(many))
        capitals = many.state.band_turn[:, : one.n_civilizations]
        assert (one.state.band_turn == capitals).all()
        assert (one.state.band_aim == many.state.band_aim[:, : one.n_civilizations]).all()
