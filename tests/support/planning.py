"""Worlds stopped in the middle of a turn, where civilizations deliberate, and plans carried out from there."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from civsim.base.constants import Channel
from civsim.engine.planner.belief import begin_beliefs
from civsim.engine.planner.decide import prepare
from civsim.engine.planner.rollout import Phase, Plan, rollout
from civsim.engine.planner.search import search, trace
from civsim.engine.rules.deliberation import deliberation
from civsim.engine.rules.order import RULES
from civsim.engine.work import Tally
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


def think(world: World, b: int = 0, i: int = 0) -> None:
    """Let a civilization of a paused world form its beliefs and its believed realm, as one that plans does."""
    world.state.level[b, i, Channel.HORIZON] = 1
    done = [Tally.CLAIMS_DONE, Tally.ATTACKS_DONE, Tally.WORKS_DONE, Tally.WALLS_DONE]
    world._work[0].tally[done] = 0
    state, orders, config = world.pointers
    begin_beliefs(state, config, world._key, world._plan_work[0], b, i)
    prepare(state, orders, config, world._plan_work[0], b, i)


def candidates(world: World, reach: int, income: float, b: int = 0, i: int = 0) -> list[tuple[int, list[int]]]:
    """(Plan, path of cells) of every candidate for claims and attacks within reach, best average rate first.

    Those that go on from a party under way are left out: their first order cannot be given yet.
    """
    state, _, config = world.pointers
    work, handle = world._work[0], world._plan_work[0]
    found = search(state, config, world._key, handle, b, i, reach, income)
    paths = []
    for index in range(found):
        kind, cell = int(work.choice_kind[index]), int(work.choice_cell[index])
        if work.root[cell] > 0:
            continue
        length = trace(handle, cell)
        paths.append((kind, work.path[:length].tolist()))
    return paths


def believed_value(
    world: World, plan: Plan, path: list[int], horizon: int, phase: Phase = Phase.LAND, b: int = 0, i: int = 0
) -> float:
    """The value a civilization of a paused world believes a plan to have."""
    state, _, config = world.pointers
    world._work[0].path[: len(path)] = path
    handle = world._plan_work[0]
    return float(rollout(state, config, world._key, handle, b, i, int(phase), int(plan), len(path), horizon))
