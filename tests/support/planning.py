"""Worlds stopped in the middle of a turn, where civilizations deliberate, and plans carried out from there."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from civsim.base.constants import Channel
from civsim.engine.knowledge.own import read_funds, read_levels
from civsim.engine.planner.plan import Phase, Plan
from civsim.engine.planner.rollout import rollout
from civsim.engine.planner.search import search, trace
from civsim.engine.rules.deliberation import begin, deliberation
from civsim.engine.rules.order import RULES
from civsim.engine.work import Levels, PlanField
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
    work = (world._replay_work if replay else world._plan_work)[0]
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


def candidates(world: World, reach: int, income: float, b: int = 0, i: int = 0) -> list[tuple[int, list[int]]]:
    """(Plan, path of cells) of every candidate for claims and attacks within reach, best average rate first.

    Those that go on from a party under way are left out: their first order cannot be given yet.
    """
    state, _, config = world.pointers
    work, handle = world._work[0], world._plan_work[0]
    work.levels[Levels.REACH] = reach
    found = search(state, config, world._key, handle, b, i, income)
    paths = []
    for index in range(found):
        kind, cell = int(work.choice_plan[index]), int(work.choice_entity[index])
        if work.root[cell] > 0:
            continue
        length = trace(handle, work.choice_entity[index])
        paths.append((kind, work.path[:length].tolist()))
    return paths


def believed_value(
    world: World, plan: Plan, path: list[int], horizon: int, phase: Phase = Phase.LAND, b: int = 0, i: int = 0
) -> float:
    """The value a civilization of a paused world believes a plan to have; a work's path: column, menu entry."""
    state, _, config = world.pointers
    work = world._work[0]
    work.plan[:] = 0
    work.plan[PlanField.KIND], work.plan[PlanField.PHASE] = plan, phase
    if plan == Plan.WORK:
        work.plan[PlanField.COLUMN], work.plan[PlanField.MENU] = path
    else:
        work.path[: len(path)] = path
        work.plan[PlanField.LENGTH] = len(path)
    return float(rollout(state, config, world._key, world._plan_work[0], b, i, horizon))
