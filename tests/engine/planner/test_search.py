"""Paths: which way to a cell a plan takes."""

from __future__ import annotations

import numpy as np
import pytest

from civsim.base.constants import UNLIMITED, OrderKind
from civsim.base.scenario import Scenario
from civsim.engine.land.landscape import Land
from civsim.engine.planner.search import most_payable, pay_on
from civsim.engine.work import Fund, Levels
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


@pytest.mark.parametrize("lag", [0, 1, 4])
def test_no_claim_that_can_be_paid_within_reach_is_passed_over_as_too_dear(lag: int) -> None:
    """The greatest price that is payable is that of the date, to a rounding: below it is in time, above it is late."""
    world = World(_game(4, 4, horizon=8, lag=lag), land=_land(np.ones((4, 4)), 0))
    config, work, handle, rng = world.pointers.config, world._work[0], world._plan_work[0], np.random.default_rng(lag)
    in_time = 0
    for parent in [-1, 3] * 60:
        reach = int(rng.integers(1, 12))
        work.levels[Levels.REACH] = reach
        work.funds[Fund.SETTLEMENT], work.funds[Fund.OUTPUT] = rng.exponential(2.0, 2)
        work.when[3], work.value[3] = rng.integers(0, 9), rng.exponential(1.0)
        work.spared[3], work.earns[3] = rng.exponential(1.0, 2)
        income = float(rng.exponential(0.5)) * (rng.random() < 0.9)
        most = most_payable(config, handle, np.int64(parent), income)
        if most < 0.0:
            assert pay_on(config, handle, np.int64(parent), 0.0, income)[0] > reach
            continue
        assert pay_on(config, handle, np.int64(parent), most * 1.0001 + 1e-9, income)[0] > reach
        if most > 1e-6:
            assert pay_on(config, handle, np.int64(parent), most * 0.9999, income)[0] <= reach
            in_time += 1
    assert in_time > 40
    work.levels[Levels.REACH] = UNLIMITED
    assert most_payable(config, handle, np.int64(-1), 1.0) == np.inf


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
