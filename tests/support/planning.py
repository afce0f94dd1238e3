"""Worlds stopped in the middle of a turn, where civilizations deliberate, and plans carried out from there."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from civsim.base.constants import Channel
from civsim.engine.knowledge.own import read_funds, read_levels
from civsim.engine.planner.decide import set_path
from civsim.engine.planner.plan import BaseRule, Phase, Plan
from civsim.engine.planner.propose import propose
from civsim.engine.planner.rollout import rollout
from civsim.engine.planner.search import search, trace
from civsim.engine.rules.deliberation import begin, deliberation
from civsim.engine.rules.order import RULES
from civsim.engine.work import Base, Left, Levels, PlanField
from civsim.engine.world import World

_AT = RULES.index(deliberation)


def pause(world: World, shares: NDArray[np.float64]) -> None:
    """Play a turn up to, and not including, deliberation."""
    np.copyto(world._shares, shares)
    for rule in RULES[:_AT]:
        rule(*world.pointers, world._key, world._plan_work[0])


def resume(world: World, replay: bool = False) -> None:
    """Play the rest of the turn by the rule of thumb; with ``replay`` by the orders now in ``world.orders``."""
    world.state.level[:, :, Channel.HORIZON] = 0
    work = (world._replay_chunks[0] if replay else world._plan_work)[0]
    for rule in RULES[_AT:]:
        rule(*world.pointers, world._key, work)


def think(world: World, b: int = 0, i: int = 0, horizon: int = 1) -> None:
    """Let a civilization of a paused world form its beliefs and its believed realm, as one that plans does."""
    world.state.level[b, i, Channel.HORIZON] = horizon
    state, orders, config = world.pointers
    work = world._plan_work[0]
    world._work[0].done[:] = 0
    read_levels(state, config, work, b, i)
    read_funds(state, config, work, b, i)
    begin(state, orders, config, world._key, work, b, i)


def paths(world: World, reach: int, income: float, b: int = 0, i: int = 0) -> list[list[int]]:
    """Return every path of claims within reach that begins now, cheapest first: one to each cell that can be had.

    Those that go on from a party under way are left out: their first order cannot be given yet.
    """
    state, _, config = world.pointers
    work, handle = world._work[0], world._plan_work[0]
    work.levels[Levels.REACH] = reach
    work.potential[:] = 0.0
    work.sizes[Base.FINISHED] = search(state, config, world._key, handle, b, i, income)
    begun = [cell for cell in work.queue[: work.sizes[Base.FINISHED]].tolist() if work.root[cell] == 0]
    return [work.path[: trace(handle, cell)].tolist() for cell in begun]


def candidates(world: World, b: int = 0, i: int = 0) -> list[tuple[Plan, list[int]]]:
    """Return (plan, path of cells) of all that the planner weighs for land, its base rules apart.

    That is the best path through each of the best frontier cells, and attacks. Paths that go on from a party under way
    give no order yet; an attack may.
    """
    state, _, config = world.pointers
    work, handle = world._work[0], world._plan_work[0]
    found = propose(state, config, world._key, handle, b, i, Phase.LAND)
    plans = []
    for index in range(found):
        work.plan[:] = 0
        set_path(handle, index)
        plans.append((Plan(work.plan[PlanField.KIND]), work.path[: work.plan[PlanField.LENGTH]].tolist()))
    return plans


def write_off(world: World) -> None:
    """Let what a rollout leaves in its funds, and paths it leaves open, be worth nothing; no raid takes a share."""
    work = world._work[0]
    work.price[:] = 0.0
    work.price[:, Left.KEPT] = 1.0
    work.sizes[Base.PROMISING] = 0


def believed_value(
    world: World,
    plan: Plan,
    path: list[int],
    horizon: int,
    phase: Phase = Phase.LAND,
    b: int = 0,
    i: int = 0,
    base: BaseRule = BaseRule.THUMB,
) -> float:
    """The value a civilization of a paused world believes a plan to have; a work's path: column, menu entry.

    What is left in the funds is priced as the rollout of ``base`` (``Plan.RULE``) before it priced it.
    """
    state, _, config = world.pointers
    work = world._work[0]
    work.plan[:] = 0
    work.plan[PlanField.KIND], work.plan[PlanField.PHASE], work.plan[PlanField.BASE] = plan, phase, base
    if plan == Plan.WORK:
        work.plan[PlanField.COLUMN], work.plan[PlanField.MENU] = path
    else:
        work.path[: len(path)] = path
        work.plan[PlanField.LENGTH] = len(path)
    return float(rollout(state, config, world._key, world._plan_work[0], b, i, horizon))
