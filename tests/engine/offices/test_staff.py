"""What a seat of thought that falls takes with it: nothing by default, else its share of the staff, in any order."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest
from realms import draw, offices, realm
from worlds import given_orders, hold, no_orders, split, still_world

from civsim.base.constants import COGNITIVE, Category, OrderKind
from civsim.engine.offices.funds import weigh_offices
from civsim.engine.offices.staff import housed_at, lose_staff
from civsim.engine.world import World

STAFF = [int(category) for category in COGNITIVE]
WEIGHTS = [4.0, 3.0, 2.0, 1.0]
SURE = {"decisiveness": 16.0, "projection": float("inf")}


def housed(lost: float, weights: object = WEIGHTS) -> World:
    """Four seats with four, three, two and one tenths of a staff of 1, 2 and 3."""
    world = realm(range(12, 18), 4, seats={"lost": lost, "weights": weights})
    draw(world)
    weigh_offices(world.pointers.state, world.pointers.config, 0, 0)
    world.state.stock[0, 0, STAFF] = 1.0, 2.0, 3.0
    return world


def fall(world: World, office: int) -> None:
    """Let a seat of thought lose its staff."""
    state, _, config = world.pointers
    lose_staff(state, config, 0, 0, offices(world)[office])


@pytest.mark.parametrize("lost", [0.25, 0.5, 1.0])
def test_of_seats_that_fall_each_takes_its_share_in_any_order(lost: float) -> None:
    """Left of the staff is 1 - lost · (the sum of the shares of those that fell)."""
    for falls in [(0,), (3,), *permutations(range(4), 2), *permutations(range(4), 3)]:
        world = housed(lost)
        for office in falls:
            fall(world, office)
        left = 1.0 - lost * sum(WEIGHTS[office] / 10.0 for office in falls)
        assert world.state.stock[0, 0, STAFF] == pytest.approx(np.array([1.0, 2.0, 3.0]) * left, rel=1e-6)
        assert world.state.office_weight[0, 0].sum() == pytest.approx(1.0)


@pytest.mark.parametrize("lost", [0.25, 0.5])
def test_where_all_fall_what_is_left_is_left(lost: float) -> None:
    world = housed(lost, "equal")
    for office in range(4):
        fall(world, office)
    assert world.state.stock[0, 0, STAFF] == pytest.approx(np.array([1.0, 2.0, 3.0]) * (1.0 - lost), rel=1e-6)


def test_where_all_fall_and_lose_everything_nothing_is_left() -> None:
    world = housed(1.0, "equal")
    for office in range(4):
        fall(world, office)
    assert world.state.stock[0, 0, STAFF] == pytest.approx([0.0, 0.0, 0.0], abs=1e-6)
    assert np.isfinite(world.state.office_weight).all()


def test_nothing_is_lost_by_default_and_of_cells_without_a_seat() -> None:
    world = housed(0.0)
    before = world.state.stock.copy(), world.state.office_weight.copy()
    for office in range(4):
        fall(world, office)
    world = housed(1.0)
    bare = next(cell for cell in range(12, 18) if cell not in offices(world))
    state, _, config = world.pointers
    assert housed_at(state, config, 0, 0, bare) == 0.0
    lose_staff(state, config, 0, 0, bare)
    assert np.array_equal(world.state.stock, before[0])
    assert np.array_equal(world.state.office_weight, before[1])
    assert [housed_at(state, config, 0, 0, cell) for cell in offices(world)] == pytest.approx([0.4, 0.3, 0.2, 0.1])


def conquered(count: int, lost: float, cell: int) -> tuple[World, np.ndarray, np.ndarray]:
    """A world in which one cell of a row of four, of equal staffs, is captured; staff before and after."""
    world = realm([], count, 1, (13, 14), army=SURE, seats={"lost": lost}, economy__depreciation={"scouts": 0.0})
    hold(world, 1, 15, 16, 17)
    world.step(split(world, scouts=1), no_orders(world))
    world.state.stock[0, 0, Category.ARMY] = 1e6
    before = world.state.stock[0, 1, STAFF].copy()
    world.step(split(world, consumption=1), given_orders(world, (0, OrderKind.ATTACK, cell)))
    assert world.state.owner[0, cell] == 0
    return world, before, world.state.stock[0, 1, STAFF]


@pytest.mark.parametrize(("count", "share"), [(1, 1.0), (2, 0.5), (4, 0.25)])
@pytest.mark.parametrize("lost", [0.0, 0.6, 1.0])
def test_a_captured_capital_loses_its_share(count: int, share: float, lost: float) -> None:
    world, before, after = conquered(count, lost, 14)
    assert before[1] > 0.0
    assert after == pytest.approx(before * (1.0 - lost * share), rel=1e-6)
    assert world.state.capital[0, 1] == 15
    if count > 1:
        assert world.state.office_cell[0, 1, 0] == 15, "its seat of thought moves with the capital"
        assert world.state.drawn_cells[0, 1] == 0
        world.step(split(world, consumption=1), no_orders(world))
        assert world.state.drawn_cells[0, 1] == 3
        assert world.state.office_weight[0, 1, : world.state.office_count[0, 1]].sum() == pytest.approx(1.0)


def test_another_cell_takes_no_staff() -> None:
    world = still_world(capitals=(13, 15), army=SURE, thinking={"seats": {"count": 2, "cells": 1, "lost": 1.0}})
    hold(world, 1, 14, 16, 17)
    world.step(split(world, scouts=1), no_orders(world))
    assert world.state.office_cell[0, 1].tolist() == [15, 17]
    world.state.stock[0, 0, Category.ARMY] = 1e6
    before = world.state.stock[0, 1, STAFF].copy()
    world.step(split(world, consumption=1), given_orders(world, (0, OrderKind.ATTACK, 14)))
    assert world.state.owner[0, 14] == 0
    loss = np.array([world.config.depreciation[category] for category in STAFF])
    assert world.state.stock[0, 1, STAFF] == pytest.approx(before * (1.0 - loss), rel=1e-6)
