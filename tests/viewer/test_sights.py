"""Sights: the truth is the state, a belief is what the planner plans with, and looking changes nothing."""

from __future__ import annotations

import numpy as np
import pytest
from watched import CROWDED, PROVINCIAL, THOUGHTFUL, filmed
from worlds import scenario, whole, with_levels

from civsim.base.constants import NEVER, NOBODY
from civsim.engine.knowledge.beliefs import believe
from civsim.engine.knowledge.own import read_levels
from civsim.engine.offices.rows import change_places
from civsim.engine.planner.belief import begin_beliefs
from civsim.engine.world import World
from civsim.faces.thinkers import stands, thinkers
from civsim.viewer.sights import Eyes


def worlds(game=THOUGHTFUL, every: int = 5) -> list[World]:
    """The world of a game as it stands every few turns: looked at before the next is played."""
    for turn, (world, _, _) in enumerate(filmed(game, worlds=2, row=1)):
        if turn % every == 0:
            yield world


def test_the_truth_is_the_state() -> None:
    for world in worlds():
        state, sight = world.state, Eyes(world, 1).truth()
        for name in ("owner", "works", "wall"):
            assert np.array_equal(getattr(sight, name), getattr(state, name)[1])
        assert np.allclose(sight.ruggedness, state.ruggedness[1])
        assert np.array_equal(sight.site, state.site[1] == 1)
        assert np.array_equal(sight.low, state.site_state[1] == 0)
        assert np.array_equal(sight.idle, state.disrupted[1] > 0)
        assert np.array_equal(sight.begun, state.work_left[1] > 0)
        assert sight.in_view.all()


def test_the_truth_gives_what_was_harvested() -> None:
    """Played with works, walls and parties standing still, the next turn's output is the sum of what own cells give."""
    game = with_levels(scenario(CROWDED, map__hazard=0.0, map__volatility=0.0, raiders__rate=0.0), 0, 1, 2)
    world = World(game, 1, seed=3)
    value = Eyes(world, 0).truth().value.copy()
    own = [value[world.state.owner[0] == seat].sum() for seat in range(3)]
    world.step(np.eye(8)[np.zeros((1, 3), int)])
    assert world.state.output[0] == pytest.approx(own, rel=1e-5)


@pytest.mark.parametrize("sham", ["none", "shuffled"])
def test_a_belief_is_what_the_planner_believes(sham: str) -> None:
    for world in worlds(with_levels(scenario(CROWDED), 5, 2, 6, sham=sham)):
        for seat in range(3):
            sight = Eyes(world, 1).belief(seat)
            state, _, config = world.pointers
            work = world._plan_work[0]
            read_levels(state, config, work, 1, seat)
            begin_beliefs(state, config, world._key, work, 1, seat)
            for cell in range(world.n_cells):
                believe(state, config, work, 1, seat, cell)
            assert np.array_equal(sight.value, world._work[0].value)


def test_a_belief_of_land_is_as_last_seen_and_of_own_land_exact() -> None:
    kinds = set()
    for world in worlds(every=3):
        state = world.state
        for seat in range(3):
            sight = Eyes(world, 1).belief(seat)
            own, seen = state.owner[1] == seat, state.seen[1, seat]
            fresh = own | ((seen == state.turn[1] - 1) & (seen != NEVER)) if state.turn[1] else sight.in_view
            assert np.array_equal(sight.in_view, fresh)
            for cell in range(world.n_cells):
                if own[cell]:
                    expected = seat, state.works[1, cell], state.wall[1, cell]
                elif seen[cell] == NEVER:
                    expected = NOBODY, 0.0, 0.0
                else:
                    holder = state.known_owner[1, seat, cell]
                    holder = NOBODY if holder == seat else holder
                    expected = holder, state.known_works[1, seat, cell], state.known_wall[1, seat, cell]
                assert (sight.owner[cell], sight.works[cell], sight.wall[cell]) == expected
                kinds.add((bool(own[cell]), seen[cell] == NEVER, bool(sight.in_view[cell])))
            assert not sight.site[seen == NEVER].any()
            assert not sight.idle[~own].any()
            assert not sight.begun[~own].any()
            assert np.isinf(sight.rival_in[own]).all()
    assert {(True, False, True), (False, True, False), (False, False, True), (False, False, False)} <= kinds


def test_rivals_are_expected_by_those_who_attend_to_them() -> None:
    expecting = [False, False]
    for attention in (2, 6):
        for world in worlds(with_levels(scenario(CROWDED), 5, 2, attention)):
            sight = Eyes(world, 1).belief(0)
            expecting[attention == 6] |= bool(np.isfinite(sight.rival_in[sight.owner == NOBODY]).any())
    assert expecting == [False, True]


def test_looking_changes_no_bit_of_the_world() -> None:
    game = with_levels(scenario(CROWDED, thinking__belief="optimistic"), 0, 1, 6)
    world = World(game, 1, seed=3)
    world.step(np.full((1, 3, 8), 0.125))
    before = whole(world)
    eyes = Eyes(world, 0)
    eyes.truth()
    for seat in range(3):
        eyes.belief(seat)
    assert whole(world) == before
    assert eyes._memo.tobytes() != before["prior_fertility"], "the memo was never asked for: the test shows nothing"


def test_a_seat_of_thought_believes_what_it_plans_with() -> None:
    apart = 0
    for world in worlds(PROVINCIAL, every=4):
        for thinker in thinkers(PROVINCIAL):
            if not stands(world.state, 1, thinker):
                continue
            seat, office = thinker
            sight, before = Eyes(world, 1).belief(seat, office), whole(world)
            state, _, config = world.pointers
            work = world._plan_work[0]
            change_places(state, config, 1, seat, office)
            read_levels(state, config, work, 1, seat)
            begin_beliefs(state, config, world._key, work, 1, seat)
            for cell in range(world.n_cells):
                believe(state, config, work, 1, seat, cell)
            change_places(state, config, 1, seat, office)
            assert whole(world) == before
            assert np.array_equal(sight.value, world._work[0].value)
            apart += office > 0 and not np.array_equal(sight.value, Eyes(world, 1).belief(seat).value)
    assert apart > 3, "every seat believed what its capital did"
