"""What is under way arrives on the day, and the order of play is drawn afresh and fairly."""

from __future__ import annotations

import numpy as np
import pytest
from worlds import given_orders, hold, no_orders, split, still_world

from civsim.base.constants import Category, OrderKind

CLAIM = OrderKind.CLAIM


@pytest.mark.parametrize("lag", [0, 1, 2, 4])
def test_a_party_arrives_after_its_lag(lag: int) -> None:
    world = still_world(claims={"lag": lag, "cost": 1.0})
    world.state.stock[0, 0, Category.SETTLEMENT] = 1.0
    outputs = []
    for turn in range(6):
        orders = given_orders(world, (0, CLAIM, 15)) if turn == 0 else no_orders(world)
        outputs.append(float(world.step(split(world, consumption=1), orders).output[0, 0]))
    # Sent after production of turn 0; the cell yields from turn max(lag, 1) on.
    assert outputs == pytest.approx([1.0] * max(lag, 1) + [2.0] * (6 - max(lag, 1)))


def test_on_collision_the_first_to_arrive_holds_and_the_other_is_lost() -> None:
    world = still_world(capitals=(14, 16), claims={"lag": 3, "cost": 1.0})
    world.state.stock[0, :, Category.SETTLEMENT] = 1.0
    world.step(split(world, consumption=1), given_orders(world, (1, CLAIM, 15)))
    world.step(split(world, consumption=1), given_orders(world, (0, CLAIM, 15)))
    for _ in range(4):
        world.step(split(world, consumption=1), no_orders(world))
    assert world.state.owner[0, 15] == 1
    assert world.state.cells[0].tolist() == [1, 2]
    assert (world.state.party_cell == -1).all()
    assert world.state.stock[0, :, Category.SETTLEMENT].tolist() == [0.0, 0.0]


def test_parties_of_one_day_meet_in_the_order_of_play() -> None:
    world = still_world(worlds=400, capitals=(14, 16), claims={"lag": 1, "cost": 1.0})
    world.state.stock[:, :, Category.SETTLEMENT] = 1.0
    world.step(split(world, consumption=1), given_orders(world, (0, CLAIM, 15), (1, CLAIM, 15)))
    world.step(split(world, consumption=1), no_orders(world))
    winner = world.state.owner[:, 15]
    assert np.array_equal(winner, world.state.play_order[:, 0])
    assert (winner == 0).mean() == pytest.approx(0.5, abs=0.1)


def test_order_of_play_is_drawn_afresh_and_every_order_is_as_likely() -> None:
    world = still_world(worlds=1200, capitals=(0, 17, 35))
    seen = []
    for _ in range(2):
        world.step(split(world, consumption=1), no_orders(world))
        seen.append(world.state.play_order.copy())
        assert (np.sort(seen[-1], axis=1) == np.arange(3)).all()
    names, counts = np.unique(seen[0] @ np.array([9, 3, 1]), return_counts=True)
    assert names.size == 6
    assert np.abs(counts / 1200 - 1 / 6).max() < 0.045
    assert (seen[0] == seen[1]).all(axis=1).mean() == pytest.approx(1 / 6, abs=0.045)


def test_a_captured_cell_loses_the_work_under_way() -> None:
    world = still_world(capitals=(14, 16), works__menu=[{"cost": 1.0, "maturity": 3}], army__projection=float("inf"))
    hold(world, 1, 15)
    world.state.stock[0, 1, Category.WORKS] = 1.0
    world.step(split(world, consumption=1), given_orders(world, (1, OrderKind.WORK, 15)))
    assert world.state.work_left[0, 15] == 3
    world.state.stock[0, 0, Category.ARMY] = 1e6
    world.step(split(world, consumption=1), given_orders(world, (0, OrderKind.ATTACK, 15)))
    assert world.state.owner[0, 15] == 0
    assert (world.state.work_left[0, 15], world.state.work_kind[0, 15]) == (0, -1)
    for _ in range(4):
        world.step(split(world, consumption=1), no_orders(world))
    assert world.state.works[0, 15] == 0
