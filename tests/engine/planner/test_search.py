"""Paths: which way to a cell a plan takes."""

from __future__ import annotations

import numpy as np
import pytest

from civsim.base.constants import OrderKind
from civsim.base.scenario import Scenario
from civsim.engine.land.landscape import Land
from civsim.engine.world import World


def _land(fertility: np.ndarray, capital: int) -> Land:
    cells = fertility.size
    zero = np.zeros(cells, np.float32)
    flat = fertility.astype(np.float32).ravel()
    return Land(flat, zero, zero.copy(), zero.copy(), np.zeros(cells, np.uint8), np.array([capital], np.int32))


def _game(width: int, height: int, horizon: int, lag: int) -> Scenario:
    return Scenario.model_validate(
        {
            "map": {"width": width, "height": height, "hazard": 0.0},
            "game": {"civilizations": 1, "turns": 60},
            "claims": {"cost": 2.0, "growth": 0.0, "lag": lag, "per_turn": 1},
            "seat_default": {"levels": {"horizon": horizon, "sight": 16, "attention": 6}},
        }
    )


def _claims(world: World, turns: int) -> list[int]:
    shares = np.zeros((1, 1, 8))
    shares[..., 1] = 1.0
    made = []
    for _ in range(turns):
        world.step(shares)
        kinds, cells = world.orders.kind[0, 0], world.orders.cell[0, 0]
        made += [int(c) for k, c in zip(kinds, cells, strict=True) if k == OrderKind.CLAIM]
    return made


@pytest.mark.parametrize("lag", [1, 3, 5])
def test_a_plan_goes_on_from_its_own_party_under_way(lag: int) -> None:
    """Two poor cells lead east to a rich one; fair cells lie to the west. Having paid the first step, go on to the rich
    cell when the party arrives, and spend nothing on the fair cells meanwhile unless both can be had."""
    fertility = np.zeros((2, 7))
    fertility[0] = [0.4, 0.4, 0.4, 0.5, 0.01, 0.01, 50.0]
    world = World(_game(7, 2, horizon=16, lag=lag), land=_land(fertility, 3))
    made = _claims(world, 40)
    assert [c for c in made if c in (4, 5, 6)] == [4, 5, 6]
    assert made.index(6) <= 3, "the way to the rich cell was left for more than one other claim"


def test_of_two_ways_that_cost_the_same_the_richer_is_taken() -> None:
    """A rich corner is two claims away both ways round; one way passes better land, whichever side it lies on."""
    for rich_way in (1, 2):
        fertility = np.full((2, 2), 0.1)
        fertility[0, 0], fertility[1, 1] = 1.0, 30.0
        fertility.ravel()[rich_way] = 0.3
        world = World(_game(2, 2, horizon=16, lag=1), land=_land(fertility, 0))
        assert _claims(world, 30)[0] == rich_way
