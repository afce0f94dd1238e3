"""Rivals that plan: what is planned in a rival's place is what that rival plans, where nothing about it is hidden."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from planning import believed_value, pause, think
from worlds import BUSY, STILL, bits, differing, random_shares, scenario, split, with_levels

from civsim.base.constants import Category
from civsim.engine.land.landscape import Land
from civsim.engine.planner.decide import decide, set_plan
from civsim.engine.planner.plan import Phase, Plan
from civsim.engine.state import PHYSICAL_FIELDS
from civsim.engine.work import PLACES_A_WORD, Base, Levels, Mind, MindPlan, PlanField, Work
from civsim.engine.world import World
from civsim.validation.hand_made import flat_land

SIZE, HORIZON, FUND = 7, 12, 6.0
CAPITALS = (8, 12, 38)


def open_land(rng: np.random.Generator, game: object) -> Land:
    """Land of which every cell differs, the capitals alike."""
    rich = dict(enumerate(rng.uniform(0.2, 3.0, SIZE * SIZE).tolist())) | dict.fromkeys(CAPITALS, 2.0)
    return flat_land(game, CAPITALS, 0.5, rich=rich)


def known_world(mind: int, others: int, seed: int, turns: int, **changes: object) -> World:
    """A world that all see whole, stopped to deliberate after some turns; all have the same in their funds."""
    eyes = {"levels": {"horizon": HORIZON, "sight": 2 * SIZE, "attention": 6}}
    rules = {"army": {"war": False}, "raiders": {"rate": 0.0}, "works__per_turn": 0, "walls__per_turn": 0, **changes}
    game = scenario(
        {**STILL, "map.width": SIZE, "map.height": SIZE, "game.civilizations": 3, "game.turns": 60},
        claims={"cost": 4.0, "growth": 0.05, "lag": 2},
        seats=[{**eyes, "levels_of_mind": mind}, *({**eyes, "levels_of_mind": others} for _ in range(2))],
        **rules,
    )
    world = World(game, land=open_land(np.random.default_rng(seed), game), seed=seed)
    shares = split(world, settlement=0.5, consumption=0.5)
    for _ in range(turns):
        world.step(shares)
    pause(world, shares)
    world.state.stock[:, :, Category.SETTLEMENT] = FUND
    return world


def planned_by(world: World, j: int) -> tuple[int, int, list[int]]:
    """What seat ``j`` plans for land itself: (turns until it begins, base, cells)."""
    think(world, 0, j, HORIZON)
    state, _, config = world.pointers
    handle, work = world._plan_work[0], world._work[0]
    work.sizes[Base.CHOSEN] = 0
    best = decide(state, config, world._key, handle, 0, j, Phase.LAND)
    set_plan(config, handle, Phase.LAND, best.which, best.base)
    plan = work.plan
    if plan[PlanField.KIND] == Plan.CLAIM:
        return int(plan[PlanField.READY]), int(best.base), work.path[: plan[PlanField.LENGTH]].tolist()
    return int(plan[PlanField.KIND] == Plan.WAIT), int(best.base), []


def planned_for(world: World, j: int) -> tuple[int, int, list[int]]:
    """What seat 0 plans in its place, the same."""
    work = world._work[0]
    length, ready, base = (int(work.mind_plan[j, at]) for at in MindPlan)
    return ready, base, work.mind_path[j, :length].tolist()


def test_a_plan_made_in_anothers_place_is_the_others_plan() -> None:
    met, paths = 0, 0
    for seed in range(12):
        for turns in (0, 3, 8):
            world = known_world(3, 2, seed, turns)
            think(world, 0, 0, HORIZON)
            believed = [planned_for(world, j) for j in (1, 2)]
            own = [planned_by(world, j) for j in (1, 2)]
            met += 2
            paths += sum(len(plan[2]) > 1 for plan in believed)
            assert believed == own, (seed, turns)
    assert paths > met // 10


def frontier_of(work: Work, j: int) -> list[int]:
    """The frontier of a rival, ascending: what is worth claiming, marked in the order of the land or listed."""
    if work.sizes[Base.ORDERED]:
        places = np.arange(work.mind_ahead.shape[2] * PLACES_A_WORD)
        marked = work.mind_ahead[0, j][places // PLACES_A_WORD] >> places % PLACES_A_WORD & 1
        return sorted(work.thumb[np.flatnonzero(marked)].tolist())
    listed = work.mind_front[0, j, : work.mind[0, j, Mind.FRONT]]
    return sorted(listed[work.ratio[listed] > 0.0].tolist())


RESTLESS = {"army": {"war": True}, "raiders": {"rate": 0.5, "bands": 4}, "works__per_turn": 4, "walls__per_turn": 4}


@pytest.mark.parametrize("rules", [{}, RESTLESS, {**RESTLESS, "economy__pooled": True}])
def test_who_was_in_anothers_place_is_himself_again(rules: dict[str, Any]) -> None:
    for seed, turns in [(0, 0), (1, 4), (2, 9)]:
        found = []
        for mind in (2, 3):
            world = known_world(mind, 1, seed, turns, **rules)
            work = world._work[0]
            work.sizes[Base.CHOSEN], work.sizes[Base.HOLDS], work.done[:] = 2, 1, 1
            think(world, 0, 0, HORIZON)
            assert work.sizes[Base.WAR] == bool(rules)
            sizes = work.sizes.copy()
            held, front, pending = (sizes[at] for at in (Base.HELD, Base.FRONT, Base.PENDING))
            lists = (
                work.front[:front].tolist(),
                work.pending_cell[:pending].tolist(),
                work.pending_due[:pending].tolist(),
            )
            columns = work.base[:, :held].tolist(), work.base_counts[:, :held].tolist()
            # Which cell a rival aims at is said by the rule of thumb at level 2, and by its plan at level 3.
            minds = work.mind[0][:, Mind.CELLS].tolist(), [frontier_of(work, j) for j in (1, 2)]
            known = work.known_at.tolist(), minds, work.mind_parties[0]
            funds, done = work.funds.tolist(), work.done.tolist()
            assert work.levels[Levels.MIND] == mind
            sizes[Base.CONTESTED] = sizes[Base.FINISHED] = sizes[Base.PROMISING] = 0
            # Only at level 2 do rivals play on by one order of the land, and do what was foreseen.
            sizes[Base.ORDERED] = sizes[Base.LOTS] = sizes[Base.FORESEEN] = 0
            found.append((sizes.tolist(), lists, columns, known, funds, done, work.scalars.tolist()))
        assert found[0] == found[1]


def test_what_was_ordered_before_says_nothing_of_a_rivals_plan() -> None:
    plans = []
    for left in (0, 1):
        world = known_world(3, 2, 3, 4)
        world._work[0].rule[:] = left
        think(world, 0, 0, HORIZON)
        plans.append((world._work[0].mind_plan.tolist(), world._work[0].tried.tolist()))
    assert plans[0][0] == plans[1][0]
    assert np.array_equal(plans[0][1], plans[1][1], equal_nan=True)


def test_a_rival_carries_out_its_plan_in_a_rollout() -> None:
    carried = 0
    for seed in range(12):
        world = known_world(3, 2, seed, 0)
        think(world, 0, 0, HORIZON)
        believed_value(world, Plan.WAIT, [], 40)
        for j in (1, 2):
            _, _, path = planned_for(world, j)
            when = [world._work[0].roll_rival[cell] for cell in path]
            if len(path) > 1 and np.isfinite(when).all():
                assert when == sorted(when)
                carried += 1
    assert carried > 3


def test_planning_rivals_are_heard() -> None:
    ends = []
    for mind in (2, 3):
        game = scenario({**BUSY, "claims.lag": 2, "claims.cost": 0.7, "game.turns": 30})
        world = World(with_levels(game, HORIZON, 2 * SIZE, 6, levels_of_mind=mind), 6, seed=2)
        rng = np.random.default_rng(0)
        while not world.done.all():
            world.step(random_shares(world, rng))
        ends.append(bits(world, (*PHYSICAL_FIELDS, "plan_value", "plans")))
    assert differing(*ends)


@pytest.mark.parametrize("reach", [0, HORIZON])
def test_a_seat_that_simulates_nothing_has_rivals_that_simulate_nothing(reach: int) -> None:
    world = known_world(3, 2, 1, 3, thinking={"rollout": 0, "reach": reach})
    think(world, 0, 0, HORIZON)
    assert (world._work[0].mind_plan[1:, MindPlan.LENGTH] == 0).all()
    assert (world._work[0].mind_plan[1:, MindPlan.BASE] == (reach > 0)).all()
