"""Attacks: on which rival cell, after which claims, and what that is worth per cost."""

from __future__ import annotations

import numpy as np

from civsim.base.constants import NOBODY, TIE, Category, OrderKind, Rung
from civsim.base.kernels import kernel
from civsim.engine.formulas import mustered, preferred
from civsim.engine.knowledge.own import copy_muster
from civsim.engine.planner.battles import size_up, stake
from civsim.engine.planner.belief import begin_marks, is_marked, set_mark
from civsim.engine.planner.plan import Plan
from civsim.engine.planner.search import offer
from civsim.engine.work import Base, Fund, Levels


def _expect_force(state, cfg, work, b, i):
    """Fill ``work.force_to_come``: the army after each of the turns to come, at the present output and shares."""
    copy_muster(state, b, i, work.muster)
    army, loss = work.funds[Fund.ARMY], cfg.depreciation[Category.ARMY]
    raised = work.shares[b, i, Category.ARMY] * work.funds[Fund.REALM] / work.funds[Fund.FORCE_PRICE]
    work.force_to_come[0] = army
    for turn in range(1, work.levels[Levels.TURNS_LEFT] + 1):
        army = mustered(army, loss, work.muster, state.turn[b] + turn, cfg.army_lag, raised)
        work.force_to_come[turn] = army


expect_force = kernel(_expect_force)


def _attack_rate(state, cfg, work, b, i, cell, parent):
    """Return the index of a path that ends in an attack on ``cell``; 0 where it cannot be made, or does not pay.

    It is made with the army that there will be when the path has come there. Worth won in expectation over costs, force
    lost in expectation at its worth included.
    """
    turns_left = work.levels[Levels.TURNS_LEFT]
    turn = 0 if parent < 0 else min(int(work.when[parent]) + cfg.claim_lag, turns_left)
    size_up(state, cfg, work, b, i, cell)
    worth, cost = stake(cfg, work, cell, work.force_to_come[turn], turns_left - turn)
    if worth <= 0.0:
        return 0.0
    if work.levels[Levels.RUNG] == Rung.NPV:
        worth *= cfg.weight[turn]
    if parent >= 0:
        worth += work.worth[parent]
        cost += work.cost[parent]
    return worth / max(cost, TIE)


attack_rate = kernel(_attack_rate)


def _meet_rivals(state, cfg, key, work, b, i, met, cell):
    """List in ``work.heap_cell`` the rival cells beside ``cell``, each with its cheapest path; return how many.

    ``cell`` is the last claim of the path to them. Of two paths that cost the same the more valuable is kept, then the
    one whose last claim ranks higher: the compass decides nothing.
    """
    cost, worth = work.cost[cell], work.worth[cell]
    for side in range(cfg.neighbours.shape[1]):
        other = cfg.neighbours[cell, side]
        if other < 0 or work.holder[other] < 0 or work.holder[other] == i:
            continue
        if is_marked(work, other):
            if cost > work.cost[other] * (1.0 + TIE):
                continue
            before = np.int64(work.parent[other] + 1)
            if cost >= work.cost[other] * (1.0 - TIE) and not preferred(
                worth, cell + 1, work.worth[other], before, key, state.world_id[b]
            ):
                continue
        else:
            set_mark(work, other)
            work.heap_cell[met] = other
            met += 1
        work.cost[other], work.worth[other], work.parent[other] = cost, worth, cell
        work.root[other], work.hops[other] = work.root[cell], work.hops[cell] + 1
    return met


meet_rivals = kernel(_meet_rivals)


def _meet_beside(work):
    """List in ``work.heap_cell`` the rival cells beside the realm, which take no claim to reach; return how many."""
    for k in range(work.sizes[Base.RIVALS]):
        cell = work.foes[k]
        set_mark(work, cell)
        work.heap_cell[k], work.parent[cell], work.hops[cell] = cell, NOBODY, 1
        work.cost[cell] = work.worth[cell] = work.root[cell] = 0.0
    return np.int64(work.sizes[Base.RIVALS])


meet_beside = kernel(_meet_beside)


def _offer_attacks(state, cfg, key, work, b, i, found, finished):
    """Offer attacks from the realm, and from the ``finished`` cells that :func:`search` lists; return the count."""
    if not work.sizes[Base.WAR]:
        return found
    begin_marks(work)
    expect_force(state, cfg, work, b, i)
    met = np.int64(0)
    if work.done[OrderKind.ATTACK] < cfg.attacks_per_turn:
        met = meet_beside(work)
    for k in range(finished):
        cell = np.int64(work.queue[k])
        met = meet_rivals(state, cfg, key, work, b, i, met, cell)
    for k in range(met):
        cell = work.heap_cell[k]
        score = attack_rate(state, cfg, work, b, i, cell, work.parent[cell])
        if score > 0.0:
            at = offer(key, state.world_id[b], work, found, cfg.claim_candidates, np.int64(cell), score)
            if at >= 0:
                work.choice_plan[at] = Plan.ATTACK
                found = min(found + 1, cfg.claim_candidates)
    return found


offer_attacks = kernel(_offer_attacks)
