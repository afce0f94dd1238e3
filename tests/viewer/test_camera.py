"""Frames: what is told is what the state and the journal say, nothing that is hidden, and filming changes nothing."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import pytest
from hidden import scramble
from watched import CROWDED, PROVINCIAL, SIMPLE, THOUGHTFUL, filmed
from worlds import random_shares, scenario, whole, with_levels

from civsim.base.constants import NEVER, NOBODY, TIE, Category, OrderStatus
from civsim.base.errors import ScenarioError
from civsim.engine.planner.plan import Phase
from civsim.engine.state import SPEC
from civsim.engine.world import World
from civsim.faces.thinkers import Thinker, row_of_thinker, stands, thinkers
from civsim.viewer.camera import TRUTH, Camera, Frame, view_of, view_of_thinker
from civsim.viewer.notes import FIGURES, SPENT, single
from civsim.viewer.planes import FIRST_TURN, IN_VIEW, unpack

AT = {figure.name: place for place, figure in enumerate(FIGURES)}


def test_a_world_that_is_filmed_is_the_world_that_is_not() -> None:
    plain, rng = World(THOUGHTFUL, 2, 3), np.random.default_rng(1)
    for world, _, _ in filmed(THOUGHTFUL, worlds=2, row=1):
        assert whole(world) == whole(plain)
        if not plain.done.all():
            plain.step(random_shares(plain, rng))


def test_asked_twice_a_frame_is_the_same_and_a_view_by_itself_is_that_of_all() -> None:
    for _, camera, frame in filmed(THOUGHTFUL):
        assert camera.frame() == frame
        for view in camera.views:
            assert camera.frame([view]) == Frame(frame.turn, {view: frame.views[view]})


def test_a_row_is_filmed_as_it_would_be_alone() -> None:
    batch, alone = World(THOUGHTFUL, world_ids=[4, 9], seed=3), World(THOUGHTFUL, world_ids=[9], seed=3)
    cameras = Camera(batch, 1), Camera(alone)
    rng = np.random.default_rng(0)
    while not batch.done.all():
        shares = random_shares(batch, rng)
        batch.step(shares)
        alone.step(shares[1:])
        assert cameras[0].frame() == cameras[1].frame()


@pytest.mark.parametrize("noise", [0.0, 0.3])
def test_a_belief_shows_nothing_that_is_hidden(noise: float) -> None:
    game = with_levels(scenario(CROWDED, thinking__noise=noise, thinking__belief="optimistic"), 4, 1, 5)
    hidden = 0
    for turn, (world, camera, frame) in enumerate(filmed(game, worlds=2, row=1)):
        if turn % 4:
            continue
        for seat in np.flatnonzero(world.state.alive[1]).tolist():
            kept, view = copy.deepcopy(world.state), view_of(seat)
            hidden += int((world.state.seen[1, seat] == NEVER).sum())
            orders, shares = copy.deepcopy(world.orders), world._shares.copy()
            for key in range(3):
                scramble(world, 1, seat, np.random.default_rng(key))
                assert camera.frame([view]).views[view] == frame.views[view]
                assert camera.frame([TRUTH]).views[TRUTH] != frame.views[TRUTH]
            for now, then in zip((*world.state, *world.orders), (*kept, *orders), strict=True):
                np.copyto(now, then)
            world._shares[:] = shares
    assert hidden > 200


def test_figures_are_the_state() -> None:
    for world, _, frame in filmed(THOUGHTFUL):
        state = world.state
        for seat in range(3):
            own = frame.views[view_of(seat)].note["own"]
            expected = {
                "output": state.output[0, seat],
                "consumption": state.consumption[0, seat],
                "tribute": state.tribute[0, seat],
                "cells": state.cells[0, seat],
                "army": state.stock[0, seat, Category.ARMY],
                "muster": state.muster[0, seat].sum(),
                "stock_works": state.stock[0, seat, Category.WORKS],
                "level_horizon": state.level[0, seat, 0],
                "level_attention": state.level[0, seat, 2],
            }
            for name, value in expected.items():
                assert own[AT[name]] == pytest.approx(float(value), rel=5e-4, abs=1e-9)
            spent = [own[place] for name, place in AT.items() if name.startswith(SPENT)]
            assert sum(spent) == pytest.approx(float(state.output[0, seat]), rel=2e-3)


def test_what_is_told_of_others_is_what_was_last_seen() -> None:
    met = 0
    for world, _, frame in filmed(THOUGHTFUL):
        state, now = world.state, max(int(world.state.turn[0]) - 1, 0)
        for seat in range(3):
            note = frame.views[view_of(seat)].note
            assert note["rivals"][seat] is None
            for other in {0, 1, 2} - {seat}:
                cells, army, ago, capital, levels = note["rivals"][other]
                turn = state.force_turn[0, seat, other]
                assert (army is None) == (turn == NEVER)
                if turn != NEVER:
                    assert army == pytest.approx(float(state.force_seen[0, seat, other]), rel=5e-4)
                    assert ago == now - turn
                assert capital in (NOBODY, state.known_capital[0, seat, other])
                assert levels is None
                known = state.known_owner[0, seat] == other
                assert cells == np.count_nonzero(known & (state.owner[0] != seat))
                met += cells > 0
    assert met > 20


def test_levels_of_others_are_told_where_they_are_public() -> None:
    game = with_levels(scenario(CROWDED), 3, 4, 5, levels_known=True)
    _, _, frame = list(filmed(game))[1]
    assert frame.views[view_of(0)].note["rivals"][1][4] == [3, 4, 5]


def test_bands_parties_capitals_and_orders_are_the_states() -> None:
    ghosts = sighted = 0
    for world, _, frame in filmed(THOUGHTFUL, seed=5):
        state, orders, truth = world.state, world.orders, frame.views[TRUTH].note
        standing = state.band_cell[0] != NOBODY
        assert [band[0] for band in truth["bands"]] == state.band_cell[0, standing].tolist()
        assert truth["alive"] == state.alive[0].tolist()
        assert truth["capitals"] == np.where(state.alive[0], state.capital[0], NOBODY).tolist()
        for seat in range(3):
            note = frame.views[view_of(seat)].note
            parties = [
                [int(c), int(d - state.turn[0]) + 1]
                for c, d in zip(state.party_cell[0, seat], state.party_due[0, seat], strict=True)
                if c >= 0
            ]
            assert note["parties"] == parties
            assert [party[1:] for party in truth["parties"] if party[0] == seat] == parties
            given = orders.kind[0, seat] >= 0
            assert [order[0] for order in note["orders"]] == orders.kind[0, seat, given].tolist()
            assert [order[3] for order in note["orders"]] == (
                orders.status[0, seat, given] == OrderStatus.DONE
            ).tolist()
            for _, strength, ago in note["bands"]:
                assert (strength is None) == (ago > 0)
                ghosts, sighted = ghosts + (ago > 0), sighted + (ago == 0)
    assert min(ghosts, sighted) > 3


def test_the_plan_and_why_are_the_planners() -> None:
    """The value is the state's, a path begins with its order, and what came second is no better."""
    made = stood = 0
    for world, _, frame in filmed(THOUGHTFUL, seed=7):
        state = world.state
        for seat in range(3):
            note = frame.views[view_of(seat)].note
            assert (state.plan_turn[0, seat] == frame.turn - 1 >= 0) == bool(note["decisions"])
            if note["decisions"]:
                *_, (_, order, cell, _, value, _), _, _ = note["decisions"][-1]
                assert (order, cell) == (state.plan_kind[0, seat], state.plan_cell[0, seat])
                assert np.float32(value) == state.plan_value[0, seat]
            for phase, turns, compared, (_, order, cell, _, value, path), second, rule in note["decisions"]:
                assert order < 0 or path[0] == cell
                assert second is None or second[4] >= -2 * TIE * abs(value)
                assert rule is None or rule >= -2 * TIE * abs(value)
                assert compared > 0
                assert 0 < turns <= 5
                assert phase in set(Phase)
                made += 1
            if note["plan"] is not None:
                assert not any(decision[0] == Phase.LAND for decision in note["decisions"])
                assert note["plan"][0] < frame.turn
                stood += 1
    assert made > 60
    assert stood > 5


def test_a_plan_that_stands_is_the_last_one_made_and_goes_when_the_game_begins_anew() -> None:
    last: dict[int, Any] = {}
    for played in filmed(THOUGHTFUL, seed=7):
        world, camera, frame = played
        for seat in range(3):
            note = frame.views[view_of(seat)].note
            land = [decision for decision in note["decisions"] if decision[0] == Phase.LAND]
            if land:
                last[seat] = [frame.turn, land[-1]]
            else:
                assert note["plan"] == last.get(seat)
    world.reset()
    assert all(camera.frame().views[view_of(seat)].note["plan"] is None for seat in range(3))


def test_who_does_not_look_ahead_has_no_plan() -> None:
    for _, _, frame in filmed(SIMPLE):
        for seat in range(3):
            note = frame.views[view_of(seat)].note
            assert (note["plan"], note["decisions"]) == (None, [])


def test_a_row_that_is_not_there_is_refused() -> None:
    with pytest.raises(ScenarioError, match="row=2 is outside 0 … 1"):
        Camera(World(SIMPLE, 2), 2)


def test_single_precision_is_written_by_its_shortest_name() -> None:
    assert single(0.1 + 0.2) == 0.3
    assert np.float32(single(5093.0107421875)) == np.float32(5093.0107421875)


def test_everyone_who_may_think_has_a_view() -> None:
    camera = Camera(World(PROVINCIAL, 1))
    assert camera.views == range(10)
    assert [view_of_thinker(PROVINCIAL, one) for one in thinkers(PROVINCIAL)] == list(range(1, 10))
    assert view_of_thinker(PROVINCIAL, Thinker(2)) == view_of(2)
    with pytest.raises(ScenarioError, match="province=3 is outside 0 … 2; give a province that seat 1 may have"):
        view_of_thinker(PROVINCIAL, Thinker(1, 3))
    with pytest.raises(ScenarioError, match="province=1 is outside 0 … 0"):
        view_of_thinker(THOUGHTFUL, Thinker(1, 1))


def test_filming_seats_of_thought_changes_no_bit_and_a_view_by_itself_is_that_of_all() -> None:
    plain, rng = World(PROVINCIAL, 1, 3), np.random.default_rng(1)
    for world, camera, frame in filmed(PROVINCIAL):
        for view in camera.views:
            assert camera.frame([view]) == Frame(frame.turn, {view: frame.views[view]})
        assert whole(world) == whole(plain)
        if not plain.done.all():
            plain.step(random_shares(plain, rng))


def test_a_seat_of_thought_is_shown_as_old_as_its_news_is() -> None:
    aged = 0
    for world, _, frame in filmed(PROVINCIAL):
        state, now = world.state, max(frame.turn - 1, 0)
        for view, one in enumerate(thinkers(PROVINCIAL), start=1):
            if not stands(state, 0, one):
                continue
            seen = state.seen[0, row_of_thinker(PROVINCIAL, one)].astype(int)
            planes = unpack(frame.views[view].planes, world.n_cells)
            shown = planes["seen"].astype(int)
            own = state.owner[0] == one.seat
            here = own & (state.province[0] == one.office) if state.office_count[0, one.seat] > 1 else own
            assert (shown[here] == IN_VIEW).all()
            others = ~here
            expected = np.where(seen == now, IN_VIEW, np.where(seen < 0, 0, seen + FIRST_TURN))
            assert np.array_equal(shown[others], expected[others])
            aged += int((shown[own] > IN_VIEW).sum())
    assert aged > 100, "no seat waited for news of its own realm"


def test_a_seat_of_thought_is_shown_nothing_that_the_others_alone_know() -> None:
    changed = 0
    for turn, (world, camera, frame) in enumerate(filmed(PROVINCIAL)):
        if turn % 4:
            continue
        for view, one in enumerate(thinkers(PROVINCIAL), start=1):
            kept, own = copy.deepcopy(world.state), row_of_thinker(PROVINCIAL, one)
            if not stands(world.state, 0, one):
                continue
            rng = np.random.default_rng(turn)
            for name, spec in SPEC.items():
                if spec.shape[:2] == ("B", "M"):
                    values = getattr(world.state, name)
                    rest = np.arange(values.shape[1]) != own
                    values[0, rest] = rng.integers(0, 2, values[0, rest].shape)
            assert camera.frame([view]).views[view] == frame.views[view]
            other = next(k for k in range(1, 10) if k != view)
            changed += camera.frame([other]).views[other] != frame.views[other]
            for now, then in zip(world.state, kept, strict=True):
                np.copyto(now, then)
    assert changed > 20


def test_where_a_seat_of_thought_does_not_stand_its_view_is_the_capitals() -> None:
    there = set()
    for world, _, frame in filmed(PROVINCIAL):
        for view, one in enumerate(thinkers(PROVINCIAL), start=1):
            note = frame.views[view].note
            assert ("there" in note) == (one.office > 0)
            if one.office == 0:
                continue
            assert note["there"] == stands(world.state, 0, one)
            there.add(note["there"])
            if not note["there"]:
                capital = frame.views[view_of(one.seat)]
                assert frame.views[view].planes == capital.planes
                assert {**note, "there": None} == {**capital.note, "there": None}
    assert there == {0, 1}


def test_each_seat_of_thought_tells_its_own_decisions_and_how_thought_is_housed() -> None:
    told = 0
    for world, camera, frame in filmed(PROVINCIAL):
        state = world.state
        for seat in range(3):
            views = [view_of_thinker(PROVINCIAL, Thinker(seat, office)) for office in range(3)]
            notes = [frame.views[view].note for view in views]
            decisions = sum(len(note["decisions"]) for note in notes if note.get("there", 1))
            deciders = [Thinker(one.seat, max(one.office, 0)) for one in camera._decisions if one.seat == seat]
            # One that falls in the turn in which it has decided tells nothing any more.
            assert decisions == sum(stands(state, 0, one) for one in deciders)
            count = int(state.office_count[0, seat])
            told += count > 1 and len([note for note in notes if note["decisions"]]) > 1
            thought = notes[0]["thought"]
            assert len(thought) == count
            assert sum(row[1] for row in thought) == state.cells[0, seat]
            assert sum(row[2] for row in thought) == pytest.approx(1.0, abs=1e-3)
            if count > 1:
                assert [row[0] for row in thought] == state.office_cell[0, seat, :count].tolist()
            assert thought[0][5] == 0
        offices = [[seat, office, cell] for seat in range(3) for office, cell in standing(state, seat)]
        assert frame.views[TRUTH].note["offices"] == offices
    assert told > 10


def standing(state: Any, seat: int) -> list[tuple[int, int]]:
    """(province, cell) of the seats of thought of a civilization that stand, but for its capital."""
    if not state.alive[0, seat]:
        return []
    cells = state.office_cell[0, seat, 1 : state.office_count[0, seat]].tolist()
    return [(office, cell) for office, cell in enumerate(cells, start=1) if cell >= 0]
