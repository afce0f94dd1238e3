"""Orders: what each kind costs and does, and when it is void."""

from __future__ import annotations

import numpy as np
import pytest
from worlds import given_orders, hold, no_orders, split, still_world

from civsim.base.constants import Category, OrderKind, OrderStatus

CLAIM, ATTACK, WORK, WALL = OrderKind.CLAIM, OrderKind.ATTACK, OrderKind.WORK, OrderKind.WALL
DONE, VOID, EMPTY = OrderStatus.DONE, OrderStatus.VOID, OrderStatus.EMPTY


def give(world, *orders):
    """Play a turn of consumption with these orders; return the status of each civilization's first orders."""
    world.step(split(world, consumption=1), given_orders(world, *orders))
    return world.orders.status[0]


def fund(world, category: Category, *amounts: float) -> None:
    """Set a stock by hand, one amount per civilization."""
    world.state.stock[:, :, category] = amounts


def test_a_claim_costs_ruggedness_and_growth() -> None:
    world = still_world(ruggedness={15: 0.5}, claims={"cost": 2.0, "ruggedness_cost": 3.0, "growth": 0.25, "lag": 0})
    hold(world, 0, 13)
    fund(world, Category.SETTLEMENT, 100.0)
    status = give(world, (0, CLAIM, 15), (0, CLAIM, 12))
    assert status[0, :2].tolist() == [DONE, DONE]
    # 2 · (1 + 3 · ½) · (1 + ¼ · 1), then 2 · 1 · (1 + ¼ · 2)
    assert world.state.stock[0, 0, Category.SETTLEMENT] == pytest.approx(100 - 6.25 - 3.0)
    assert world.state.cells[0, 0] == 4
    assert world.state.gains[0, 0].tolist() == [2, 0, 0, 0]


def test_parties_under_way_count_for_growth() -> None:
    world = still_world(claims={"cost": 1.0, "growth": 1.0, "lag": 5})
    fund(world, Category.SETTLEMENT, 100.0)
    give(world, (0, CLAIM, 15), (0, CLAIM, 13))
    assert world.state.stock[0, 0, Category.SETTLEMENT] == pytest.approx(100 - 1 - 2)
    assert world.state.cells[0, 0] == 1


@pytest.mark.parametrize(
    ("order", "why"),
    [
        ((0, CLAIM, 21), "not beside the realm"),
        ((0, CLAIM, 14), "own"),
        ((0, CLAIM, 15), "a rival's"),
        ((0, ATTACK, 20), "free"),
        ((0, ATTACK, 14), "own"),
        ((0, WORK, 15), "a rival's"),
        ((0, WORK, 20), "free"),
        ((0, WALL, 15), "a rival's"),
        ((0, WALL, 20), "free"),
    ],
)
def test_a_stale_order_is_void_and_costs_nothing(order: tuple[int, OrderKind, int], why: str) -> None:
    world = still_world(capitals=(14, 15))
    world.state.stock[0, :, 1:5] = 50.0
    before = world.state.stock[0, :, [1, 2, 4]].copy()
    owner = world.state.owner.copy()
    assert give(world, order)[0, 0] == VOID
    assert np.array_equal(world.state.stock[0, :, [1, 2, 4]], before)
    assert np.array_equal(world.state.owner, owner)
    assert (world.state.work_left == 0).all()
    assert (world.state.wall == 0).all()
    assert (world.state.gains == 0).all()


def test_funds_below_true_cost_make_an_order_void_and_wait() -> None:
    world = still_world(claims__cost=4.0, works__menu=[{"cost": 4.0}])
    fund(world, Category.SETTLEMENT, 3.99)
    fund(world, Category.WORKS, 3.99)
    assert give(world, (0, CLAIM, 15), (0, WORK, 14))[0, :2].tolist() == [VOID, VOID]
    assert world.state.stock[0, 0, [1, 2]] == pytest.approx([3.99, 3.99])
    fund(world, Category.SETTLEMENT, 4.0)
    fund(world, Category.WORKS, 4.0)
    assert give(world, (0, CLAIM, 15), (0, WORK, 14))[0, :2].tolist() == [DONE, DONE]
    assert world.state.stock[0, 0, [1, 2]] == pytest.approx([0.0, 0.0])


def test_at_most_so_many_of_a_kind_a_turn() -> None:
    world = still_world(claims={"per_turn": 1, "lag": 0, "growth": 0.0})
    fund(world, Category.SETTLEMENT, 100.0)
    status = give(world, (0, CLAIM, 15), (0, CLAIM, 13), (0, CLAIM, 8))
    assert status[0, :3].tolist() == [DONE, VOID, VOID]
    assert world.state.cells[0, 0] == 2


def test_a_second_party_to_the_same_cell_is_void() -> None:
    world = still_world(claims__lag=3)
    fund(world, Category.SETTLEMENT, 100.0)
    assert give(world, (0, CLAIM, 15), (0, CLAIM, 15))[0, :2].tolist() == [DONE, VOID]


@pytest.mark.parametrize("maturity", [1, 2, 5])
def test_a_work_costs_more_where_there_are_works_and_matures(maturity: int) -> None:
    menu = [{"cost": 9.0}, {"gain": 0.5, "cost": 2.0, "maturity": maturity}]
    world = still_world(works={"menu": menu, "growth": 2.0})
    world.state.works[0, 14] = 0.25
    fund(world, Category.WORKS, 10.0)
    give(world, (0, WORK, 14, 1))
    assert world.state.stock[0, 0, Category.WORKS] == pytest.approx(10 - 2 * 1.5)
    outputs = [
        float(world.step(split(world, consumption=1), no_orders(world)).output[0, 0]) for _ in range(maturity + 1)
    ]
    assert outputs == pytest.approx([1.25] * (maturity - 1) + [1.75] * 2)
    assert world.state.work_kind[0, 14] == -1


def test_one_work_at_a_time_in_a_cell() -> None:
    world = still_world(works__menu=[{"cost": 1.0, "maturity": 3}])
    fund(world, Category.WORKS, 10.0)
    assert give(world, (0, WORK, 14), (0, WORK, 14))[0, :2].tolist() == [DONE, VOID]
    assert give(world, (0, WORK, 14))[0, 0] == VOID


def test_a_wall_rises_by_the_rate_or_what_the_fund_pays_once_a_turn() -> None:
    world = still_world(walls={"cost": 2.0, "rate": 1.5, "per_turn": 2})
    fund(world, Category.WALLS, 4.0)
    assert give(world, (0, WALL, 14), (0, WALL, 14))[0, :2].tolist() == [DONE, VOID]
    assert world.state.wall[0, 14] == pytest.approx(1.5)
    give(world, (0, WALL, 14))
    assert world.state.wall[0, 14] == pytest.approx(2.0)
    assert world.state.stock[0, 0, Category.WALLS] == pytest.approx(0.0)
    assert give(world, (0, WALL, 14))[0, 0] == VOID


def battle(attack: float, defence: float, wall: float = 0.0, rough: float = 0.0, **army: object):
    """One fight for cell 15 between neighbours at (14) and (15, 16), the capitals being 14 and 16."""
    settings = {"decisiveness": 16.0, "projection": float("inf"), "minimum": 0.5, "disruption": 3, **army}
    world = still_world(capitals=(14, 16), army=settings, economy__depreciation={"army": 0}, ruggedness={15: rough})
    hold(world, 1, 15)
    fund(world, Category.ARMY, attack, defence)
    world.state.wall[0, 15] = wall
    world.state.works[0, 15] = 1.0
    status = give(world, (0, ATTACK, 15))
    return world, status[0, 0]


def test_a_won_cell_keeps_some_works_no_wall_and_lies_idle() -> None:
    world, status = battle(10.0, 1.0, wall=1.0, keep_works=0.25, loss_winner=0.1, loss_loser=0.5)
    state = world.state
    assert status == DONE
    assert state.owner[0, 15] == 0
    assert state.stock[0, :, Category.ARMY] == pytest.approx([9.0, 0.5])
    assert (state.works[0, 15], state.wall[0, 15]) == (0.25, 0.0)
    assert state.losses[0, 1].tolist() == [0, 1, 0]
    assert state.gains[0, 0].tolist() == [0, 1, 0, 0]
    outputs = [float(world.step(split(world, consumption=1), no_orders(world)).output[0, 0]) for _ in range(4)]
    assert outputs == pytest.approx([1.0, 1.0, 1.0, 2.25])


def test_a_lost_battle_changes_no_owner() -> None:
    world, status = battle(1.0, 10.0, loss_winner=0.1, loss_loser=0.5)
    assert status == DONE
    assert world.state.owner[0, 15] == 1
    assert world.state.stock[0, :, Category.ARMY] == pytest.approx([0.5, 9.0])
    assert world.state.works[0, 15] == 1.0


def test_walls_and_ruggedness_decide() -> None:
    # With m = 16 the stronger side wins all but surely: 4 against (1 + 2) · (1 + R).
    assert battle(4.0, 1.0, wall=1.0)[0].state.owner[0, 15] == 0
    assert battle(4.0, 1.0, wall=6.0)[0].state.owner[0, 15] == 1
    assert battle(4.0, 1.0, wall=1.5, rough=1.0)[0].state.owner[0, 15] == 1


def test_power_decays_with_distance_from_the_capital() -> None:
    # Cell 15 is a step from either capital: 10/e against 3/e; the army lost is a share of what was projected.
    world, _ = battle(10.0, 3.0, projection=1.0, loss_winner=0.5, loss_loser=0.5)
    left = np.array([10.0, 3.0]) * (1 - 0.5 / np.e)
    assert world.state.stock[0, :, Category.ARMY] == pytest.approx(left)


def test_too_small_a_force_does_not_march() -> None:
    assert battle(0.49, 0.0)[1] == VOID
    assert battle(0.51, 0.0)[1] == DONE


def test_no_war_no_attacks() -> None:
    _, status = battle(10.0, 0.0, war=False)
    assert status == VOID


def test_the_dead_give_no_orders() -> None:
    world = still_world(capitals=(14, 35))
    world.state.owner[0, 35] = -1
    world.state.cells[0, 1] = 0
    world.state.alive[0, 1] = 0
    world.state.stock[0, 1, 1:] = 100.0
    assert give(world, (1, CLAIM, 34))[1, 0] in (VOID, EMPTY)
    assert (world.state.owner[0] == 1).sum() == 0
