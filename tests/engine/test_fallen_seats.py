"""Seats of thought that fall in one turn: each takes its own staff, wherever a lost capital has fled to."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest

from civsim.base.constants import COGNITIVE, Category, OrderKind
from civsim.engine.world import World
from civsim.validation.hand_made import flat_land, given_orders, hold, no_orders, scenario, split

WEIGHTS = (1.0, 2.0, 3.0)
SHARES = tuple(weight / sum(WEIGHTS) for weight in WEIGHTS)
SEATS = len(WEIGHTS)


def crowded(lost: float) -> World:
    """Return a realm of three cells in a row, each a seat of thought, below it one that takes what it attacks."""
    game = scenario(
        {"map.width": SEATS, "map.height": 2, "map.hazard": 0.0, "game.civilizations": 2, "game.turns": 4},
        thinking__seats={"count": SEATS, "cells": 1, "lost": lost, "weights": WEIGHTS},
        army={"per_turn": SEATS, "lag": 0, "minimum": 0.0, "loss_winner": 0.0},
        economy__depreciation=dict.fromkeys(("army", "strategists", "scouts", "analysts"), 0.0),
    )
    world = World(game, 1, land=flat_land(game, (0, SEATS)))
    hold(world, 0, *range(1, SEATS))
    hold(world, 1, *range(SEATS + 1, 2 * SEATS))
    world.step(split(world, consumption=1), no_orders(world))
    for category in COGNITIVE:
        world.state.stock[:, 0, category] = 1.0
    world.state.stock[:, 1, Category.ARMY] = 1.0
    return world


def fallen(lost: float, *offices: int) -> World:
    """Return the world after these seats of thought have fallen in one turn, in this order."""
    world = crowded(lost)
    cells = world.state.office_cell[0, 0].copy()
    orders = given_orders(world, *((1, OrderKind.ATTACK, int(cells[office])) for office in offices))
    world.step(split(world, consumption=1), orders)
    assert (world.state.owner[0, cells[list(offices)]] == 1).all()
    return world


@pytest.mark.parametrize("offices", list(permutations(range(SEATS), 2)))
def test_a_capital_that_has_fled_to_a_seat_does_not_shield_it(offices: tuple[int, ...]) -> None:
    left = fallen(1.0, *offices).state.stock[0, 0, list(COGNITIVE)]
    assert left == pytest.approx(1.0 - sum(SHARES[office] for office in offices), abs=1e-6)


def test_what_a_fled_capital_holds_falls_with_the_seat_it_fled_to() -> None:
    # It flees from cell 0 to the seat in cell 1, which is the third.
    world = crowded(0.5)
    assert world.state.office_cell[0, 0].tolist() == [0, 2, 1]
    left = fallen(0.5, 0, 2).state.stock[0, 0, list(COGNITIVE)]
    assert left == pytest.approx(SHARES[0] * 0.25 + SHARES[1] + SHARES[2] * 0.5)


def test_shares_of_what_is_left_sum_to_1() -> None:
    world = crowded(0.4)
    cells, before = world.state.office_cell[0, 0].copy(), world.state.office_weight[0, 0].copy()
    world.step(split(world, consumption=1), given_orders(world, (1, OrderKind.ATTACK, int(cells[1]))))
    after = world.state.office_weight[0, 0]
    assert before == pytest.approx(SHARES)
    assert after.sum() == pytest.approx(1.0)
    assert after == pytest.approx(np.array([SHARES[0], 0.6 * SHARES[1], SHARES[2]]) / (1.0 - 0.4 * SHARES[1]))
