"""Provinces: seats far from one another, cells with the nearest, drawn anew in the two stated events alone."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from random_games import scenarios, thoughts
from realms import CAPITAL, by_rule, check_choice, counted, draw, offices, own_cells, realm
from worlds import hold, random_orders, random_shares

from civsim.base.constants import MAX_OFFICES, NOBODY, Draw
from civsim.base.randomness import uniform
from civsim.base.scenario import Scenario
from civsim.engine.offices.provinces import (
    adopt,
    are_due,
    assign_parties,
    draw_offices,
    has_several,
    join,
    leave,
    nearest_office,
    province_beside,
    send_for,
)
from civsim.engine.rules.given import take_orders
from civsim.engine.world import World

ROW = range(12, 18)
"""The third row of 6 by 6 cells, the capital in its third column."""


def test_a_row_of_cells_known_answer() -> None:
    """The far end first; then the middle of what is left of it, the west end and the fourth cell, are both 2 away."""
    world = realm(ROW, 2, rich={17: 1.01})
    draw(world)
    assert offices(world) == [14, 17]
    assert world.state.province[0, 12:18].tolist() == [0, 0, 0, 0, 1, 1]
    assert world.state.road[0, 12:18].tolist() == [2, 1, 0, 1, 1, 0]
    assert world.state.office_cells[0, 0].tolist() == [4, 2]
    assert (world.state.drawn_cells[0, 0], world.state.drawn_turn[0, 0]) == (6, 0)


def test_a_cell_as_far_from_two_seats_belongs_to_the_earlier() -> None:
    world = realm(range(14, 17), 2)
    draw(world)
    assert offices(world) == [14, 16]
    assert world.state.province[0, 14:17].tolist() == [0, 0, 1]


def test_output_weighs_against_distance() -> None:
    """Three steps of a cell of 1 against two of one of 2."""
    world = realm(ROW, 2, rich={12: 2.0})
    draw(world)
    assert offices(world) == [14, 12]
    world.state.works[0, 17] = 1.0
    draw(world)
    assert offices(world) == [14, 17]


def test_land_that_no_own_land_joins_is_as_far_as_any_and_belongs_to_the_nearest_by_air() -> None:
    """Of an island of two cells one has a seat, the other is beside it; a second island is nearer to it by air."""
    world = realm([15, 34, 35, 30], 2, rich={35: 1.01})
    draw(world)
    assert offices(world) == [14, 35]
    assert world.state.province[0, [14, 15, 34, 35, 30]].tolist() == [0, 0, 1, 1, 0]
    assert world.state.road[0, 30] == world.n_cells
    assert world.state.office_cells[0, 0].tolist() == [3, 2]


@pytest.mark.parametrize(("cells", "count"), [(1, 1), (2, 2), (3, 3), (4, 4), (9, 4)])
def test_a_realm_smaller_than_its_seats_has_fewer(cells: int, count: int) -> None:
    world = realm(range(14, 14 + cells), 4)
    draw(world)
    assert world.state.office_count[0, 0] == count
    assert len(set(offices(world))) == count
    assert (world.state.office_cell[0, 0, count:] == NOBODY).all()
    assert has_several(world.pointers.state, world.pointers.config, 0, 0) == (count > 1)


@pytest.mark.parametrize(("cells", "needed", "count"), [(7, 4, 1), (8, 4, 2), (16, 4, 4), (20, 4, 4), (2, 3, 1)])
def test_a_realm_has_a_seat_for_so_many_cells_as_each_needs(cells: int, needed: int, count: int) -> None:
    world = realm(range(14, 14 + cells), 4, seats={"cells": needed})
    draw(world)
    assert world.state.office_count[0, 0] == count


def test_land_that_gives_nothing_has_seats_too() -> None:
    world = realm(ROW, 8, fertility=0.0)
    draw(world)
    assert sorted(offices(world)) == list(ROW)
    check_choice(world)


def test_ties_are_broken_by_the_rank_that_a_world_draws() -> None:
    """Both ends of an even row of five are two steps from its middle: worlds differ, arms of one do not."""
    ends = []
    for _ in range(2):
        world = realm(range(12, 17), 2, worlds=40)
        for b in range(40):
            draw(world, b)
        ends.append([offices(world, b)[1] for b in range(40)])
    assert ends[0] == ends[1]
    assert {*ends[0]} == {12, 16}
    rank = [[uniform(world._key, b, 0, cell, Draw.TIE) for cell in (12, 16)] for b in range(40)]
    assert ends[0] == [12 if west > east else 16 for west, east in rank]


@pytest.mark.parametrize("torus", [False, True])
@pytest.mark.parametrize("count", range(2, MAX_OFFICES + 1))
def test_provinces_are_those_of_plain_python(count: int, torus: bool) -> None:
    """Twenty realms of scattered land: the greedy weighted k-centre and the nearest seat, cell by cell."""
    rng = np.random.default_rng(count)
    for _ in range(20):
        cells = rng.choice(36, rng.integers(1, 30), replace=False).tolist()
        rich = dict(enumerate(rng.uniform(0.1, 5.0, 36)))
        world = realm(cells, count, map__torus=torus, rich=rich, ore=dict(enumerate(rng.uniform(0.0, 2.0, 36))))
        world.state.works[0] = rng.uniform(0.0, 1.0, 36)
        draw(world)
        check_choice(world)
        assert np.array_equal(counted(world), world.state.office_cells)


def test_a_cell_that_joins_belongs_where_its_nearest_own_neighbour_does() -> None:
    world = realm(ROW, 2, rich={17: 1.01})
    draw(world)
    state, _, config = world.pointers
    # 22 lies beside 16, a step from the second seat; 19 beside 13, a step from the first; 33 beside nothing own.
    for cell, office, road in ((22, 1, 2), (19, 0, 2), (33, 0, 36), (23, 1, 1)):
        world.state.owner[0, cell] = 0
        join(state, config, 0, 0, cell)
        assert (world.state.province[0, cell], world.state.road[0, cell]) == (office, road)
    world.state.cells[0, 0] = 10
    assert np.array_equal(counted(world), world.state.office_cells)


def test_a_cell_that_leaves_is_of_no_province_and_a_seat_that_falls_has_provinces_drawn() -> None:
    world = realm(ROW, 2, rich={17: 1.01})
    draw(world)
    state, _, config = world.pointers
    leave(state, 0, 0, 16)
    world.state.owner[0, 16] = NOBODY
    assert (world.state.province[0, 16], world.state.office_cells[0, 0].tolist()) == (NOBODY, [4, 1])
    assert not are_due(state, config, 0, 0)
    leave(state, 0, 0, 17)
    world.state.owner[0, 17] = NOBODY
    assert (offices(world), world.state.office_cells[0, 0].tolist()) == ([14, NOBODY], [4, 0])
    assert are_due(state, config, 0, 0)


def test_the_nearest_seat_is_one_that_stands() -> None:
    world = realm(ROW, 2, rich={17: 1.01})
    draw(world)
    state, _, config = world.pointers
    assert nearest_office(state, config, 0, 0, 23) == 1
    world.state.office_cell[0, 0, 1] = NOBODY
    assert nearest_office(state, config, 0, 0, 23) == 0


def test_a_party_and_what_it_takes_are_of_the_seat_that_sent_it() -> None:
    world = realm(ROW, 2, rich={17: 1.01}, claims__lag=3)
    draw(world)
    state, _, config = world.pointers
    world.state.party_cell[0, 0, :2] = 20, 23
    send_for(state, 0, 0, 20, 1)
    assert world.state.party_by[0, 0, :2].tolist() == [1, 0]
    world.state.owner[0, 20] = 0
    join(state, config, 0, 0, 20)
    adopt(state, 0, 0, 20, 1)
    assert np.array_equal(counted(world), world.state.office_cells)
    assert world.state.province[0, 20] == 1
    assign_parties(state, config, 0, 0)
    # Beside 20 lie 14, of the capital, and nothing nearer to a seat; beside 23 lies the second seat.
    assert world.state.party_by[0, 0, :2].tolist() == [0, 1]
    assert province_beside(state, config, 0, 0, 33) == 0


@pytest.mark.parametrize("count", [2, 3, 5, 8])
def test_seats_decide_in_an_order_that_is_drawn_each_turn(count: int) -> None:
    """Every order comes up, each seat is first as often as any other; Fisher–Yates by hand."""
    world = realm(range(36), count, 60)
    state, _, config = world.pointers
    first = np.zeros(count, int)
    for b in range(60):
        draw(world, b)
        for turn in range(10):
            world.state.turn[b] = turn
            draw_offices(state, config, world._key, world._plan_work[0], b, 0)
            order = world._work[0].office_order[:count].tolist()
            expected = list(range(count))
            for office in range(count - 1, 0, -1):
                other = int(uniform(world._key, b, turn, office, Draw.OFFICE_ORDER) * (office + 1))
                expected[office], expected[other] = expected[other], expected[office]
            assert order == expected
            first[order[0]] += 1
    assert first.sum() == 600
    assert (abs(first - 600 / count) < 5.0 * np.sqrt(600 / count)).all()


def check_turn(world: World, shares: np.ndarray, orders: bool, rng: np.random.Generator) -> int:
    """Play a turn rule by rule; return how often provinces were drawn.

    They are drawn where a seat has fallen or the realm has doubled, there as plain Python has it, and nowhere else;
    elsewhere a cell that stays stays in its province.
    """
    s, redrawn = world.state, 0
    before = {name: getattr(s, name).copy() for name in ("province", "owner", "drawn_cells", "losses")}

    def after(rule: str) -> None:
        nonlocal redrawn
        assert np.array_equal(counted(world), s.office_cells), rule
        assert np.array_equal(s.province == NOBODY, s.owner == NOBODY), rule
        if rule != "provinces":
            return
        for b in range(world.n_worlds):
            for i in np.flatnonzero(s.alive[b]):
                fallen, doubled = before["drawn_cells"][b, i] == 0, s.cells[b, i] >= 2 * before["drawn_cells"][b, i]
                assert (s.drawn_turn[b, i] == s.turn[b] and s.drawn_cells[b, i] == s.cells[b, i]) or not (
                    fallen or doubled
                )
                if fallen or doubled:
                    redrawn += 1
                    check_choice(world, b, i)
                    continue
                stays = (before["owner"][b] == i) & (s.owner[b] == i)
                assert np.array_equal(s.province[b, stays], before["province"][b, stays])
        before["province"], before["owner"] = s.province.copy(), s.owner.copy()

    if orders:
        take_orders(random_orders(world, rng), None, world.orders, world._ordered, world.scenario)
    by_rule(world, shares, after, orders)
    quiet = (s.losses[..., 1] == before["losses"][..., 1]).all(axis=1)
    for b in np.flatnonzero(quiet):
        stays = before["owner"][b] == s.owner[b]
        assert np.array_equal(s.province[b, stays], before["province"][b, stays])
    return redrawn


@given(scenarios(), thoughts(2), st.booleans(), st.integers(0, 2**32))
@settings(max_examples=60)
def test_provinces_are_drawn_in_two_events_alone(game: Scenario, thought: dict, orders: bool, seed: int) -> None:
    table = game.model_dump(exclude_unset=True)
    table["seat_default"]["thought"] = thought
    world = World(Scenario.model_validate(table), 2, seed=seed)
    rng = np.random.default_rng(seed)
    redrawn = 0
    while not world.done.all():
        shares = random_shares(world, rng)
        redrawn += check_turn(world, shares, orders, rng)
    assert redrawn >= world.n_worlds * world.n_civilizations


def test_hold_by_hand_has_provinces_drawn() -> None:
    world = realm([15], 2)
    draw(world)
    hold(world, 0, 20)
    assert are_due(world.pointers.state, world.pointers.config, 0, 0)
    assert own_cells(world) == {CAPITAL, 15, 20}
    assert np.array_equal(counted(world), world.state.office_cells)
