"""What a rollout takes from rankings is what a look over all columns, or the whole frontier, would find."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from planning import believed_value, candidates, pause, think
from worlds import BUSY, random_shares, scenario, still_world, with_levels

from civsim.engine.planner.heuristic import best_column
from civsim.engine.planner.ladder import base_claim
from civsim.engine.planner.plan import BaseRule, Plan
from civsim.engine.planner.ranking import (
    begin_walks,
    choose_columns,
    forget_ranks,
    next_column,
    next_land,
    note_changes,
    note_new,
)
from civsim.engine.planner.realm import forget_survey
from civsim.engine.work import Base, Clock, Count, PlanField, Ranked, Realm, Roll
from civsim.engine.world import World

COLUMNS = 24
SPREADS = (1, 3, 1000)
"""How many scores there are to draw from: all alike, many ties, hardly any."""
NEAR = 6e-7
"""What parts scores that are nearly tied: less than a tie, two of them more than one."""


def scores_of(rng: np.random.Generator, n: int, spread: int) -> Any:
    """Scores float64 [n], some of them 0, some of them nearly but not quite alike."""
    return rng.integers(0, spread + 1, n) / 7.0 * (1.0 + NEAR * rng.integers(0, 4, n) * (rng.random(n) < 0.3))


def begin(world: World, n: int, front: int) -> Any:
    """Begin a rollout of ``n`` columns and ``front`` cells of a frontier; return its working space."""
    work = world._work[0]
    work.sizes[Base.HELD], work.sizes[Base.FRONT] = n, front
    work.roll[Roll.HELD], work.roll[Roll.FRONT] = n, front
    work.clock[Clock.MARK] += 1
    work.realm[:] = work.base
    work.counts[:] = work.base_counts
    work.roll_front[:] = work.front
    begin_walks(world._plan_work[0])
    return work


@pytest.mark.parametrize("spread", SPREADS)
@pytest.mark.parametrize("which", [Ranked.WORKS, Ranked.WALLS])
def test_columns_are_those_of_a_look_over_all(which: Ranked, spread: int) -> None:
    world, rng = still_world(), np.random.default_rng([which, spread])
    work, handle, row = world._work[0], world._plan_work[0], Realm.WORK_SCORE + which
    for _ in range(20):
        forget_ranks(handle)
        work.base_counts[Count.CELL, :36] = rng.permutation(36)
        work.base[row, :COLUMNS] = scores_of(rng, COLUMNS, spread)
        for _ in range(3):
            begin(world, COLUMNS, 0)
            for _ in range(20):
                n = int(work.roll[Roll.HELD])
                scores, cells = work.realm[row], work.counts[Count.CELL]
                best = best_column(scores, cells, np.int64(n), world._key, 0)
                assert next_column(world._key, handle, 0, np.int64(which)) == best
                if best >= 0 and rng.random() < 0.7:
                    scores[best] *= rng.choice([0.0, 0.5, 0.9])
                    note_changes(handle, best)
                    if rng.random() < 0.5:  # another scores anew, be it more than before
                        other = np.int64(rng.integers(n))
                        scores[other] = scores_of(rng, 1, spread)[0]
                        note_changes(handle, other)
                elif n < 36:
                    scores[n] = scores_of(rng, 1, spread)[0]
                    work.roll[Roll.HELD] += 1
                    note_changes(handle, np.int64(n))


@pytest.mark.parametrize("spread", SPREADS)
def test_columns_chosen_at_once_are_those_chosen_one_by_one(spread: int) -> None:
    world, rng, which, told = still_world(), np.random.default_rng(spread), np.int64(Ranked.WALLS), 0
    work, handle = world._work[0], world._plan_work[0]
    for _ in range(100):
        forget_ranks(handle)
        work.base_counts[Count.CELL, :36] = rng.permutation(36)
        work.base[Realm.WALL_SCORE, :COLUMNS] = scores_of(rng, COLUMNS, spread)
        begin(world, COLUMNS, 0)
        scores, cells = work.realm[Realm.WALL_SCORE], work.counts[Count.CELL]
        for k in rng.permutation(COLUMNS)[:8]:
            scores[k] = scores_of(rng, 1, spread)[0]
            note_changes(handle, np.int64(k))
        most, left, expected = int(rng.integers(1, 30)), scores.copy(), []
        while len(expected) < most:
            best = best_column(left, cells, np.int64(COLUMNS), world._key, 0)
            if best < 0:
                break
            expected.append(best)
            left[best] = 0.0
        n = choose_columns(world._key, handle, 0, which, np.int64(most))
        if n >= 0:
            told += 1
            assert sorted(work.chosen[:n].tolist()) == sorted(expected)
    assert told > 0


@pytest.mark.parametrize("spread", SPREADS)
@pytest.mark.parametrize("base", list(BaseRule))
def test_land_is_that_of_a_look_over_the_frontier(base: BaseRule, spread: int) -> None:
    world, rng = still_world(), np.random.default_rng([base, spread])
    work, handle = world._work[0], world._plan_work[0]
    state = world.pointers[0]
    for _ in range(20):
        forget_ranks(handle)
        work.front[:36] = rng.permutation(36)
        work.ratio[:], work.potential[:] = scores_of(rng, 36, spread), scores_of(rng, 36, spread) - 1.0 / 7.0
        work.roll_rival[:] = np.where(rng.random(36) < 0.3, 2.5, math.inf)
        for _ in range(3):
            begin(world, 0, 20)
            work.plan[PlanField.BASE] = base
            claimed: list[int] = []
            for turn in range(16):
                cells = [c for c in work.roll_front[: work.roll[Roll.FRONT]].tolist() if c not in claimed]
                cells = np.array(cells, np.int32)
                n, rivals = np.int64(len(cells)), work.roll_rival
                at = base_claim(state, world._key, handle, 0, cells, n, np.int64(base), float(turn), rivals)
                best = int(cells[at]) if at >= 0 else -1
                assert next_land(state, world._key, handle, 0, float(turn)) == best
                if best >= 0 and rng.random() < 0.7:
                    claimed.append(best)
                    work.claimed[best] = work.clock[Clock.MARK]
                else:
                    work.roll[Roll.FRONT] += 1
                    note_new(handle, np.int64(work.front[work.roll[Roll.FRONT] - 1]))


@pytest.mark.parametrize(("mind", "lag"), [(0, 1), (1, 0), (1, 2), (2, 0), (2, 2), (3, 1)])
def test_what_rollouts_share_changes_no_value(mind: int, lag: int) -> None:
    """Each plan is worth the same with what rollouts before it have ranked, surveyed and copied, and without."""
    game = scenario({**BUSY, "claims.lag": lag, "thinking.levels_of_mind": mind, "thinking.mind_turns": 9})
    world = World(with_levels(game, 6, 6, 6), 2, seed=mind)
    rng, compared = np.random.default_rng(mind), 0
    for _ in range(4):
        world.step(random_shares(world, rng))
    pause(world, random_shares(world, rng))
    handle = world._plan_work[0]
    for b, i in np.argwhere(world.state.alive).tolist():
        think(world, b, i, 6)
        plans = [(Plan.RULE, []), *candidates(world, b, i)]
        shared = [believed_value(world, plan, path, 6, b=b, i=i) for plan, path in plans]
        for (plan, path), value in zip(plans, shared, strict=True):
            forget_survey(handle)
            forget_ranks(handle)
            assert believed_value(world, plan, path, 6, b=b, i=i) == value
            compared += 1
    assert compared > 12
