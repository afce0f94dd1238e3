"""Claims of rivals in mind whose frontiers are lists: by their plans, or by the rule that one of them follows next.

Where rivals play on by the rule of thumb alone, and land has an order, frontiers are marks in it: see ``minds.py``.
"""

from __future__ import annotations

import numpy as np

from civsim.base.constants import NOBODY
from civsim.base.kernels import inlined, kernel
from civsim.engine.formulas import claim_cost
from civsim.engine.planner.heuristic import heuristic_claim
from civsim.engine.planner.known import AFTER, RIVALS_PLAN, add_party
from civsim.engine.planner.plan import BaseRule
from civsim.engine.registers import ROLLED
from civsim.engine.work import Levels, Mind, MindFund, MindPlan


def _has_plan(work, j):
    """Return True where rival ``j`` goes by a plan of its own that is not carried out yet."""
    mind = work.mind[ROLLED, j]
    return work.levels[Levels.MIND] >= RIVALS_PLAN and mind[Mind.STEP] < work.mind_plan[j, MindPlan.LENGTH]


has_plan = kernel(_has_plan)


def _next_of_plan(work, j, arrival):
    """Return the place on its frontier of the next cell of the plan of rival ``j``; -1 where it is forestalled."""
    mind, front = work.mind[ROLLED, j], work.mind_front[ROLLED, j]
    cell = work.mind_path[j, mind[Mind.STEP]]
    if work.roll_rival[cell] >= arrival + AFTER:
        for at in range(mind[Mind.FRONT]):
            if front[at] == cell:
                return at
    mind[Mind.STEP] = work.mind_plan[j, MindPlan.LENGTH]
    return -1


next_of_plan = kernel(_next_of_plan)


def _next_of_base(key, work, world, j, arrival):
    """Return the place on its frontier of the cell that rival ``j`` claims next where it follows a rule; -1 for none.

    That is the rule of thumb, or for a rival that plans the base that its plan rests on.
    """
    front, n, at = work.mind_front[ROLLED, j], work.mind[ROLLED, j, Mind.FRONT], -1
    if work.levels[Levels.MIND] >= RIVALS_PLAN and work.mind_plan[j, MindPlan.BASE] == BaseRule.INDEX:
        at = heuristic_claim(front, n, work.mind_index[j], work.roll_rival, arrival + AFTER, key, world)
    if at < 0:
        at = heuristic_claim(front, n, work.ratio, work.roll_rival, arrival + AFTER, key, world)
    return at


next_of_base = kernel(_next_of_base)


def _pay_in_mind(cfg, work, j, cell, turn):
    """Let rival ``j`` pay a claim of ``cell`` if its fund can. Return True where it was paid."""
    arrival, purse = turn + cfg.claim_lag, work.mind_purse[ROLLED, j]
    cost = claim_cost(work.claim_cost[cell], cfg.claim_growth, work.mind[ROLLED, j, Mind.CELLS])
    if cost > purse[MindFund.FUND]:
        return False
    purse[MindFund.FUND] -= cost
    work.roll_rival[cell] = arrival
    add_party(work, ROLLED, j, cell, arrival)
    return True


pay_in_mind = inlined(_pay_in_mind)


def _rival_claims(state, cfg, key, work, b, j, turn):
    """Pay the next claim of rival ``j`` in turn ``turn`` if its fund can. Return True where it was paid."""
    mind, front, arrival = work.mind[ROLLED, j], work.mind_front[ROLLED, j], float(turn + cfg.claim_lag)
    if turn < mind[Mind.READY]:
        return False
    at, planned = np.int64(mind[Mind.TARGET]), has_plan(work, j)
    if planned:
        at = np.int64(next_of_plan(work, j, arrival))
        planned = at >= 0
    if at < 0 or work.roll_rival[front[at]] < arrival + AFTER:
        at = np.int64(next_of_base(key, work, state.world_id[b], j, arrival))
        mind[Mind.TARGET] = at
        if at < 0:
            mind[Mind.FRONT] = 0  # what is left of it is taken for good
            return False
    if not pay_in_mind(cfg, work, j, front[at], turn):
        return False
    mind[Mind.FRONT] -= 1
    front[at] = front[mind[Mind.FRONT]]
    mind[Mind.TARGET] = NOBODY
    if planned:
        mind[Mind.STEP] += 1
        # Once the path is claimed there is nothing to wait for.
        mind[Mind.READY] = turn + cfg.claim_lag if has_plan(work, j) else 0
    return True


rival_claims = kernel(_rival_claims)


def _waits(cfg, work, j, turn):
    """Return True where rival ``j`` claims nothing in turn ``turn``: no cell is left, or its next is still too dear."""
    mind, front = work.mind[ROLLED, j], work.mind_front[ROLLED, j]
    if mind[Mind.FRONT] == 0:
        return True
    if mind[Mind.TARGET] < 0 or has_plan(work, j):
        return False
    cell = front[mind[Mind.TARGET]]
    if work.roll_rival[cell] < turn + cfg.claim_lag + AFTER:
        return False
    cost = claim_cost(work.claim_cost[cell], cfg.claim_growth, mind[Mind.CELLS])
    return cost > work.mind_purse[ROLLED, j, MindFund.FUND]


waits = kernel(_waits)
