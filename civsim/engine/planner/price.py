"""The price of what a rollout leaves in its funds.

A rollout of a few turns is worth comparing with another only if both count what they have not spent. A unit left in a
fund is worth the base rule's own best return per cost, at the end of the base's own rollout: one price for all
candidates, the multiplier of the budget (Lagrange). It is computed, never a constant.
"""

from __future__ import annotations

import numpy as np

from civsim.base.constants import Rung
from civsim.base.kernels import kernel
from civsim.engine.formulas import claim_growth
from civsim.engine.planner.heuristic import greatest, heuristic_kind, kind_rate
from civsim.engine.planner.ladder import growth_now, per_cost, rolled_holdings, years_from
from civsim.engine.planner.minds import is_lost
from civsim.engine.planner.plan import BaseRule, base_of
from civsim.engine.planner.ranking import is_open
from civsim.engine.work import Base, Clock, Left, Levels, PlanField, Realm, Roll

NEXT_TURN = 1.0
"""What is left when a turn's orders are given can be spent in the next at the earliest."""


def _land_price(cfg, work, base, turn, turns_left):
    """Return what a unit in the settlement fund is worth after rollout turn ``turn`` with ``turns_left`` to come."""
    index = work.potential if base == BaseRule.INDEX else work.ratio
    best = 0.0
    for k in range(work.roll[Roll.FRONT]):
        cell = np.int64(work.roll_front[k])
        if is_open(work, cell, turn + NEXT_TURN + cfg.claim_lag):
            best = max(best, index[cell])
    return per_cost(cfg, work, base, best, rolled_holdings(work), turns_left, NEXT_TURN)


land_price = kernel(_land_price)


def _spread_surplus(cfg, work, turn, turns_left, price, kept):
    """Fill ``work.surplus`` of the cells that the search found, at this ``price`` of land; list those that have one.

    The tree of cheapest paths is a tree of projects: a cell is worth its own worth less its cost at the price, and what
    leads on from it where that is above 0. Worth and cost are those of a claim after rollout turn ``turn``.
    """
    later, n = years_from(cfg, turns_left, NEXT_TURN), np.int64(0)
    if work.levels[Levels.RUNG] == Rung.NPV:
        whole = years_from(cfg, work.levels[Levels.TURNS_LEFT], 0.0)
        later = later / whole if whole > 0.0 else 0.0
    later *= kept
    dearer = price * claim_growth(cfg.claim_growth, rolled_holdings(work)) / growth_now(cfg, work)
    finished = work.sizes[Base.FINISHED]
    for k in range(finished):
        work.onward[work.queue[k]] = 0.0
    for k in range(finished - 1, -1, -1):
        cell = work.queue[k]
        parent = work.parent[cell]
        worth, cost = work.worth[cell], work.cost[cell]
        if parent >= 0:
            worth, cost = worth - work.worth[parent], cost - work.cost[parent]
        surplus = worth * later - dearer * cost + work.onward[cell]
        if surplus <= 0.0 or is_lost(work, cell, turn + NEXT_TURN + cfg.claim_lag):
            work.surplus[cell] = 0.0
            continue
        work.surplus[cell] = surplus
        work.promising[n] = cell
        n += 1
        if parent >= 0:
            work.onward[parent] += surplus
    work.sizes[Base.PROMISING] = n


spread_surplus = kernel(_spread_surplus)


def _surplus_left(work):
    """Return the surplus of all paths that a rollout has left open: of the cells next to be claimed on each."""
    if work.plan[PlanField.BASE] != BaseRule.INDEX:
        return 0.0
    total, now = 0.0, work.clock[Clock.MARK]
    for k in range(work.sizes[Base.PROMISING]):
        cell = work.promising[k]
        parent = work.parent[cell]
        if work.claimed[cell] != now and (parent < 0 or work.claimed[parent] == now):
            total += work.surplus[cell]
    return total


surplus_left = kernel(_surplus_left)


def _work_price(cfg, work, turns_left):
    """Return what a unit in the works fund is worth with ``turns_left`` to come; nothing where no work may be begun."""
    kind = heuristic_kind(cfg, turns_left - 1) if turns_left > 0 else -1
    if kind < 0 or cfg.works_per_turn == 0:
        return 0.0
    return greatest(work.realm[Realm.WORK_SCORE], work.roll[Roll.HELD]) * kind_rate(cfg, kind, turns_left - 1)


work_price = kernel(_work_price)


def _share_kept(work):
    """Return the share of output that raids leave to the rolled realm, the mean over its cells."""
    held, total = work.roll[Roll.HELD], 0.0
    for k in range(held):
        total += work.realm[Realm.KEEP, k]
    return total / held


share_kept = kernel(_share_kept)


def _set_prices(cfg, work, turn, turns_left):
    """Set the prices of the base whose own rollout has just ended in turn ``turn``, with ``turns_left`` to come."""
    base = work.plan[PlanField.BASE]
    price, kept = work.price[base_of(work.plan)], share_kept(work)
    price[Left.LAND] = land_price(cfg, work, base, turn, turns_left) * kept
    price[Left.WORKS], price[Left.KEPT] = work_price(cfg, work, turns_left) * kept, kept
    if cfg.pooled:
        # A unit in the treasury goes to the better of the two.
        price[Left.LAND] = price[Left.WORKS] = max(price[Left.LAND], price[Left.WORKS])
    if base == BaseRule.INDEX:
        spread_surplus(cfg, work, turn, turns_left, price[Left.LAND], kept)


set_prices = kernel(_set_prices)
