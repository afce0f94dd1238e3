"""Between production and allocation: provinces drawn where they are due, and counted; staff and funds divided."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from random_games import scenarios, thoughts
from realms import by_rule, offices, own_cells, realm
from worlds import BUSY, bits, differing, given_orders, hold, no_orders, random_shares, scenario, split

from civsim.base.constants import NEVER, Category, OrderKind
from civsim.base.scenario import Scenario
from civsim.engine.offices.rows import row_of
from civsim.engine.rules.provinces import provinces
from civsim.engine.state import SPEC
from civsim.engine.world import World

SURE = {"decisiveness": 16.0, "projection": float("inf")}
ROW = range(12, 18)


def quiet(world: World, turns: int = 1) -> None:
    """Play turns without orders."""
    for _ in range(turns):
        world.step(split(world, settlement=1, scouts=1), no_orders(world))


def test_with_one_seat_nothing_is_done() -> None:
    world = World(scenario(BUSY), 2)
    before = bits(world, SPEC)
    provinces(*world.pointers, world._key, world._plan_work[0])
    assert not differing(before, bits(world, SPEC))


def test_a_game_that_is_over_is_left() -> None:
    world = realm(ROW, 2, game__turns=1)
    quiet(world)
    world.state.drawn_cells[:] = 0
    before = bits(world, SPEC)
    provinces(*world.pointers, world._key, world._plan_work[0])
    assert not differing(before, bits(world, SPEC))


def test_a_realm_that_doubles_has_its_provinces_drawn_known_answer() -> None:
    """From one cell on: two seats with two cells, three with four; five to seven change nothing, eight do."""
    world = realm([], 3)
    seats = []
    for cell in (None, 15, 16, 17, 13, 12, 11, 10):
        if cell is not None:
            world.state.party_cell[0, 0, 0], world.state.party_due[0, 0, 0] = cell, world.state.turn[0]
        quiet(world)
        seats.append(
            (int(world.state.cells[0, 0]), int(world.state.office_count[0, 0]), int(world.state.drawn_cells[0, 0]))
        )
    assert seats == [(1, 1, 1), (2, 2, 2), (3, 2, 2), (4, 3, 4), (5, 3, 4), (6, 3, 4), (7, 3, 4), (8, 3, 8)]


def test_staff_and_funds_are_divided_where_provinces_are_drawn_and_only_there() -> None:
    world = realm(ROW, 2, rich={17: 1.01}, seats={"weights": "output", "pool": 0.25})
    world.state.stock[0, 0, Category.SETTLEMENT] = 8.0
    provinces(*world.pointers, world._key, world._plan_work[0])
    s = world.state
    gave = s.province_output[0, 0].copy()
    assert gave == pytest.approx([4.0, 2.01])
    assert s.office_weight[0, 0] == pytest.approx(gave / gave.sum())
    assert s.purse[0, 0, :, 0] == pytest.approx(0.75 * 8.0 * gave / gave.sum())
    s.works[0, 17] = 3.0
    kept = s.office_weight.copy(), s.purse.copy()
    provinces(*world.pointers, world._key, world._plan_work[0])
    assert s.province_output[0, 0] == pytest.approx([4.0, 1.0 + 4 * 1.01])
    assert np.array_equal(s.office_weight, kept[0])
    assert np.array_equal(s.purse, kept[1])


def test_a_struck_cell_gives_its_province_nothing() -> None:
    world = realm(ROW, 2, rich={17: 1.01})
    quiet(world)
    world.state.disrupted[0, 16] = 5
    quiet(world)
    assert world.state.province_output[0, 0] == pytest.approx([4.0, 1.01])


@given(scenarios(), thoughts(2), st.integers(0, 2**32))
@settings(max_examples=40)
def test_what_provinces_give_is_what_the_realm_gives(game: Scenario, thought: dict, seed: int) -> None:
    table = game.model_dump(exclude_unset=True)
    table["seat_default"]["thought"] = thought
    world = World(Scenario.model_validate(table), 2, seed=seed)
    rng, s = np.random.default_rng(seed), world.state

    def after(rule: str) -> None:
        if rule == "provinces":
            given_by_all = s.output - np.where(s.alive, world.config.grant_output, 0.0)
            assert np.allclose(
                s.province_output.sum(axis=2)[s.alive == 1], given_by_all[s.alive == 1], rtol=1e-5, atol=1e-5
            )
            empty = np.arange(s.office_cell.shape[2]) >= s.office_count[..., None]
            assert not s.province_output[empty].any()
            several = (s.alive == 1) & (s.office_count > 1)
            assert np.allclose(s.office_weight.sum(axis=2)[several], 1.0)
            assert not s.office_weight[empty].any()

    while not world.done.all():
        by_rule(world, random_shares(world, rng), after)


def conquer(world: World, *cells: int) -> None:
    """Civilization 0 takes cells by overwhelming force."""
    world.state.stock[0, 0, Category.ARMY] = 1e6
    orders = given_orders(world, *((0, OrderKind.ATTACK, cell) for cell in cells))
    world.step(split(world, consumption=1), orders)
    assert (world.state.owner[0, list(cells)] == 0).all()


def beside_a_conqueror(**seats: object) -> World:
    """Six cells from the west end of the fourth row on, with two seats, below a realm of the whole third row."""
    world = realm(range(12, 18), 1, 1, (14, 18), army={**SURE, "per_turn": 4}, seats={"cells": 1})
    table = world.scenario.model_dump()
    table["seats"] = [{"thought": {"count": 1}}, {"thought": {"count": 2, "cells": 1, **seats}}]
    world = World(Scenario.model_validate(table), 1, land=world.land)
    hold(world, 0, *range(12, 18))
    hold(world, 1, *range(19, 24))
    quiet(world)
    assert offices(world, 0, 1) == [18, 23]
    return world


def test_another_cell_lost_draws_nothing_a_seat_lost_draws_provinces_next_turn() -> None:
    world, s = beside_a_conqueror(), None
    s = world.state
    drawn = s.drawn_turn[0, 1]
    conquer(world, 20)
    quiet(world)
    assert (s.drawn_turn[0, 1], s.drawn_cells[0, 1], offices(world, 0, 1)) == (drawn, 6, [18, 23])
    conquer(world, 23)
    assert (s.drawn_turn[0, 1], s.drawn_cells[0, 1], s.office_cell[0, 1].tolist()) == (drawn, 0, [18, -1])
    quiet(world)
    # 18, 19 and 21, 22 are left; no own land joins them.
    assert s.drawn_turn[0, 1] == s.turn[0] - 1
    assert (s.drawn_cells[0, 1], offices(world, 0, 1)[0]) == (4, 18)
    assert offices(world, 0, 1)[1] in (21, 22)
    assert s.office_cells[0, 1].tolist() == [2, 2]


def test_a_lost_capital_draws_provinces_around_the_new_one() -> None:
    world = beside_a_conqueror()
    conquer(world, 18)
    assert world.state.office_cell[0, 1].tolist() == [19, 23]
    quiet(world)
    assert offices(world, 0, 1) == [19, 23]
    assert world.state.capital[0, 1] == 19


def test_all_seats_lost_in_one_turn_and_a_realm_lost_whole() -> None:
    """Whatever falls in whatever order, the game goes on and what is counted agrees."""
    rng = np.random.default_rng(0)
    for _ in range(12):
        world = beside_a_conqueror(lost=0.5)
        left = own_cells(world, 0, 1)
        while left:
            cells = rng.permutation(sorted(left))[: rng.integers(1, 5)].tolist()
            conquer(world, *cells)
            left -= set(cells)
            s = world.state
            for office in range(2):
                assert s.office_cells[0, 1, office] == ((s.owner[0] == 1) & (s.province[0] == office)).sum()
            World.restore(world.snapshot())
            quiet(world)
            if left:
                assert set(offices(world, 0, 1)) <= left
        assert not world.state.alive[0, 1]
        quiet(world, 2)


def test_a_council_is_held_and_parties_are_of_the_province_they_go_to() -> None:
    world = realm(
        ROW, 2, rich={17: 1.01}, claims__lag=9, seats={"messenger": 0.5}, seat_default={"levels": {"sight": 1}}
    )
    s, m = world.state, row_of(world.pointers.config, 0, 1)
    quiet(world)
    s.party_cell[0, 0, :2], s.party_due[0, 0, :2], s.party_by[0, 0, :2] = (8, 23), 30, (1, 0)
    s.wall[0, [19, 23]] = 3.0
    quiet(world)
    assert (s.known_wall[0, 0, 23], s.known_wall[0, m, 19], s.seen[0, m, 19]) == (0.0, 0.0, NEVER)
    s.drawn_cells[0, 0] = 0
    quiet(world)
    assert (s.known_wall[0, 0, 23], s.known_wall[0, m, 19]) == (3.0, 3.0)
    assert s.seen[0, m, 19] == s.seen[0, 0, 23] == s.turn[0] - 2
    assert s.party_by[0, 0, :2].tolist() == [0, 1]
