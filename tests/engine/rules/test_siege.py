"""Sieges in time: how many turns a wall holds, against whom, and what they cost."""

from __future__ import annotations

import math

import numpy as np
import pytest
from worlds import given_orders, hold, no_orders, split, still_world

from civsim.base.constants import Category, OrderKind, OrderStatus, Witness
from civsim.engine.siege import _battles_a_turn, _siege_turns, _wall_left
from civsim.engine.world import World

ATTACK, WALL = OrderKind.ATTACK, OrderKind.WALL
ARMY = {"projection": math.inf, "decisiveness": 16.0, "minimum": 0.1, "lag": 0}


def besieged(siege: float, wall: float, force: float, guard: float = 0.0, **changes: object) -> World:
    """Civilization 0 at 14 beside cell 15 of civilization 1, which has its capital at 16."""
    world = still_world(
        capitals=(14, 16),
        army={**ARMY, "siege": siege},
        economy__depreciation={"army": 0.0},
        seat_default={"levels": {"horizon": 0, "sight": 20, "attention": 6}},
        **{"game__turns": 60, **changes},
    )
    hold(world, 1, 15)
    world.state.stock[0, :, Category.ARMY] = force, guard
    world.state.wall[0, 15] = wall
    return world


def turns_until_taken(world: World, raising: bool = False) -> int | None:
    """Attack cell 15 in every turn, its holder raising the wall; return the turns it took, None for never."""
    for turn in range(1, world.scenario.game.turns + 1):
        orders = [(0, ATTACK, 15), *([(1, WALL, 15)] if raising else [])]
        world.step(split(world, consumption=1), given_orders(world, *orders))
        if world.state.owner[0, 15] == 0:
            return turn
    return None


@pytest.mark.parametrize("wall", [0.0, 0.3, 1.0, 2.5, 7.0, 10.1])
@pytest.mark.parametrize(("siege", "force"), [(0.5, 2.0), (0.3, 4.0), (1.0, 0.7), (0.1, 6.0)])
def test_a_wall_holds_for_its_height_over_what_is_breached_a_turn(wall: float, siege: float, force: float) -> None:
    world = besieged(siege, wall, force)
    turns = max(math.ceil(wall / (siege * force) - 1e-5), 1)
    assert turns_until_taken(world) == turns
    assert world.state.gains[0, 0, ATTACK] == turns
    assert world.state.witness[0, 1, Witness.ATTACKS] == turns
    assert world.state.witness[0, 1, Witness.ATTACK_FORCE] == pytest.approx(turns * force)
    assert _siege_turns(world.config, wall, force) == turns


@pytest.mark.parametrize(("rise", "taken"), [(0.5, True), (0.9, True), (1.0, False), (1.5, False)])
def test_a_siege_succeeds_only_where_it_breaches_more_than_is_raised(rise: float, taken: bool) -> None:
    world = besieged(0.5, 3.0, 2.0, walls={"rate": rise, "cost": 1.0}, game__turns=400)
    world.state.stock[0, 1, Category.WALLS] = 1e4
    # A siege of 1 a turn gains 1 − rise: from 3 it is over once no more than 1 is left at the turn's start.
    found = turns_until_taken(world, raising=True)
    assert (found is not None) == taken
    if taken:
        assert found == pytest.approx(1 + math.ceil((3.0 - 1.0) / (1.0 - rise) - 1e-3), abs=1)


def test_a_siege_costs_no_force_and_the_battle_meets_no_wall() -> None:
    world = besieged(1.0, 5.0, 4.0, guard=3.0)
    world.step(split(world, consumption=1), given_orders(world, (0, ATTACK, 15)))
    assert world.orders.status[0, 0, 0] == OrderStatus.DONE
    assert world.state.wall[0, 15] == pytest.approx(1.0)
    assert world.state.known_wall[0, 0, 15] == pytest.approx(1.0)
    assert world.state.stock[0, :, Category.ARMY].tolist() == [4.0, 3.0]
    assert world.state.owner[0, 15] == 1
    world.step(split(world, consumption=1), given_orders(world, (0, ATTACK, 15)))
    # 4 against 3 without a wall, m = 16; against 3 + 1 it would be even.
    assert world.state.owner[0, 15] == 0
    assert world.state.stock[0, :, Category.ARMY] == pytest.approx([4.0 * 0.85, 3.0 * 0.6])


def test_who_stops_gains_nothing_further_and_another_finds_the_breach() -> None:
    world = besieged(1.0, 5.0, 3.0)
    world.step(split(world, consumption=1), given_orders(world, (0, ATTACK, 15)))
    for _ in range(3):
        world.step(split(world, consumption=1), no_orders(world))
        assert world.state.wall[0, 15] == pytest.approx(2.0)
    assert turns_until_taken(world) == 1


def test_two_attackers_breach_one_wall() -> None:
    world = still_world(
        capitals=(14, 16, 9), army={**ARMY, "siege": 1.0}, economy__depreciation={"army": 0.0}, game__turns=9
    )
    hold(world, 1, 15)
    world.state.stock[0, :, Category.ARMY] = 2.0, 0.0, 2.5
    world.state.wall[0, 15] = 4.0
    world.step(split(world, consumption=1), given_orders(world, (0, ATTACK, 15), (2, ATTACK, 15)))
    assert world.state.owner[0, 15] in (0, 2)


def test_walls_are_breached_by_sieges_and_by_nothing_else() -> None:
    """What is gone of all walls is what attacks breached: siege · force a turn of each, or what was left."""
    world = besieged(0.4, 6.0, 3.0)
    for _ in range(4):
        before = float(world.state.wall.sum())
        world.step(split(world, consumption=1), given_orders(world, (0, ATTACK, 15)))
        assert before - float(world.state.wall.sum()) == pytest.approx(0.4 * 3.0)


def test_without_sieges_a_wall_defends() -> None:
    world = besieged(0.0, 5.0, 4.0)
    assert turns_until_taken(world) is None
    assert world.state.wall[0, 15] == 5.0
    assert _siege_turns(world.config, 5.0, 4.0) == 1


def test_what_is_expected_of_sieges() -> None:
    world = besieged(0.5, 0.0, 0.0)
    cfg = world.config
    assert _siege_turns(cfg, 3.0, 0.0) == 61, "who has no force never comes through"
    assert [_battles_a_turn(cfg, 0.2, wall, 2.0) for wall in (0.0, 1.0, 4.0)] == pytest.approx([0.2, 0.2, 0.05])
    walls = np.array([_wall_left(cfg, 3.0, force) for force in (0.0, 2.0, 6.0, 9.0)])
    assert walls == pytest.approx([3.0, 2.0, 0.0, 0.0])
