"""Decisions: one order of a kind, by the rule of thumb at h = 0 and by the best of the candidate plans beyond.

Each decision is a function of (knowledge, region, levels, funds) and returns ids only. The region is the list of own
cells that :func:`prepare` is given; levels and funds are what ``knowledge.own`` has read into ``work``; all else is
what the civilization knows, through ``civsim.engine.knowledge``, and believes. Call ``begin_beliefs`` and
:func:`prepare`, then :func:`decide`.
"""

from __future__ import annotations

import math

import numpy as np

from civsim.base.constants import NOBODY, TIE, Category, OrderKind
from civsim.base.kernels import kernel
from civsim.engine.formulas import claim_cost, preferred, work_cost
from civsim.engine.knowledge.beliefs import believe
from civsim.engine.planner.belief import expect_rivals, list_land
from civsim.engine.planner.heuristic import heuristic_claim, heuristic_kind, heuristic_wall, heuristic_work, kind_rate
from civsim.engine.planner.notes import begin_entry, is_kept, note_side
from civsim.engine.planner.plan import Best, Phase, Plan
from civsim.engine.planner.realm import build_base, expect_raids
from civsim.engine.planner.rollout import rollout
from civsim.engine.planner.search import offer, search, trace
from civsim.engine.work import UNSEARCHED, Base, Belief, Count, Fund, Levels, PlanField, Realm, Rule

_BY_RULE, _WAITING = -UNSEARCHED, -1
"""Candidates of every phase, before those that were searched for."""


def _prepare(state, orders, cfg, work, b, i, region):
    """List land, believe what is held and bordered, and build the base realm the decisions start from.

    ``region`` is the list of own cells to plan for, int32 [cells], ascending.
    """
    sizes = work.sizes
    list_land(state, cfg, work, b, i, region)
    threat = work.scalars[Belief.ATTACK] > 0.0 or work.scalars[Belief.RAID] > 0.0
    sizes[Base.WALLS_MATTER] = 1 if threat else 0
    for k in range(sizes[Base.FRONT]):
        believe(state, cfg, work, b, i, work.front[k])
    for k in range(sizes[Base.PENDING]):
        believe(state, cfg, work, b, i, work.pending_cell[k])
    build_base(state, orders, cfg, work, b, i, region)
    expect_rivals(state, cfg, work, b, i)
    expect_raids(state, cfg, work, b, i)


prepare = kernel(_prepare)


def _note_plan(state, b, i, kind, cell, value):
    """Remember the plan just made, for the observation."""
    state.plan_kind[b, i] = kind
    state.plan_cell[b, i] = cell
    state.plan_value[b, i] = value
    state.plan_turn[b, i] = state.turn[b]
    state.plans[b, i] += 1


note_plan = kernel(_note_plan)


def _rolled_turns(work):
    """Return how many turns a rollout simulates now."""
    return min(work.levels[Levels.ROLLOUT], work.levels[Levels.TURNS_LEFT])


rolled_turns = kernel(_rolled_turns)


def _income(work, shares, category):
    """Return what a fund gains a turn at the present output and shares (output)."""
    return shares[category] * work.funds[Fund.OUTPUT]


income_of = kernel(_income)


def _claim_is_payable(cfg, work, cell):
    """Return True where a claim is left this turn and the fund can pay what ``cell`` is believed to cost now."""
    if work.done[OrderKind.CLAIM] >= cfg.claims_per_turn:
        return False
    holdings = work.sizes[Base.HELD] + work.sizes[Base.PENDING]
    return claim_cost(work.claim_cost[cell], cfg.claim_growth, holdings) <= work.funds[Fund.SETTLEMENT]


claim_is_payable = kernel(_claim_is_payable)


def _propose_land(state, cfg, key, work, b, i):
    """Write the rule's own claim to ``work.rule`` and fill the candidates with paths; return how many."""
    front, n, arrival = work.front, work.sizes[Base.FRONT], float(cfg.claim_lag)
    index = heuristic_claim(front, n, work.ratio, work.rival_at, arrival, key, state.world_id[b])
    if index >= 0:
        work.rule[Rule.ORDER], work.rule[Rule.CELL] = OrderKind.CLAIM, front[index]
        # Where the rule's own claim cannot be paid now, following the rule is waiting.
        work.rule[Rule.MAY_WAIT] = 1 if claim_is_payable(cfg, work, front[index]) else 0
    if work.levels[Levels.REACH] == 0 or work.levels[Levels.TURNS_LEFT] == 0:
        return 0
    return search(state, cfg, key, work, b, i, income_of(work, work.shares[b, i], Category.SETTLEMENT))


propose_land = kernel(_propose_land)


def _propose_works(state, cfg, key, work, b, i):
    """Write the rule's own work to ``work.rule`` and fill the candidates; return how many, -1 where the rule has none.

    Candidates are the best works that the fund can pay within reach.
    """
    rule, kinds, limit = work.rule, cfg.work_cost.shape[0], cfg.work_candidates
    turns_left = work.levels[Levels.TURNS_LEFT]
    menu = heuristic_kind(cfg, turns_left)
    column = heuristic_work(work.base, work.base_counts, work.sizes[Base.HELD], key, state.world_id[b])
    if column < 0 or menu < 0:
        return -1
    rule[Rule.ORDER], rule[Rule.CELL] = OrderKind.WORK, work.base_counts[Count.CELL, column]
    rule[Rule.MENU], rule[Rule.MAY_WAIT] = menu, 1
    if rolled_turns(work) == 0:
        return 0
    earned, found = income_of(work, work.shares[b, i], Category.WORKS) * work.levels[Levels.REACH], np.int64(0)
    for k in range(work.sizes[Base.HELD]):
        if work.base_counts[Count.LEFT, k] > 0:
            continue
        for kind in range(kinds):
            score = work.base[Realm.WORK_SCORE, k] * kind_rate(cfg, kind, turns_left)
            cost = work_cost(cfg.work_cost[kind], cfg.work_growth, work.base[Realm.WORKS, k])
            if score > 0.0 and cost <= work.funds[Fund.WORKS] + earned:
                entity = work.base_counts[Count.CELL, k] * kinds + kind
                at = offer(key, state.world_id[b], work, found, limit, entity, score)
                if at >= 0:
                    work.choice_column[at], work.choice_menu[at] = k, kind
                    found = min(found + 1, limit)
    return found


propose_works = kernel(_propose_works)


def _propose_walls(state, cfg, key, work, b):
    """Write the rule's own wall to ``work.rule`` and fill the candidates; return how many, -1 where the rule has none.

    Candidates are the best walls, and those of cells that seen bands make for.
    """
    rule, found, limit = work.rule, np.int64(0), cfg.wall_candidates
    column = heuristic_wall(work.base, work.base_counts, work.sizes[Base.HELD], key, state.world_id[b])
    if column < 0:
        return -1
    rule[Rule.ORDER], rule[Rule.CELL] = OrderKind.WALL, work.base_counts[Count.CELL, column]
    rule[Rule.MAY_WAIT] = 1
    if rolled_turns(work) == 0:
        return 0
    for k in range(work.sizes[Base.HELD]):
        if work.base_counts[Count.RAISED, k]:
            continue
        cell = np.int64(work.base_counts[Count.CELL, k])
        at = offer(key, state.world_id[b], work, found, limit, cell, work.base[Realm.WALL_SCORE, k])
        if at >= 0:
            work.choice_column[at] = k
            found = min(found + 1, limit)
    for r in range(work.sizes[Base.RAIDS]):
        found = add_threatened(work, found, limit, work.raid_column[r])
    return found


def _add_threatened(work, found, limit, column):
    """Put a cell that a seen band makes for among the candidates, in place of the last if they are full."""
    if work.base_counts[Count.RAISED, column]:
        return found
    for index in range(found):
        if work.choice_column[index] == column:
            return found
    at = min(found, limit - 1)
    work.choice_column[at] = column
    return at + 1


add_threatened = kernel(_add_threatened)
propose_walls = kernel(_propose_walls)


def _propose(state, cfg, key, work, b, i, phase):
    """Write what the rule of thumb would order to ``work.rule`` and fill the candidates; return how many.

    -1 where neither the rule nor anything else is worth a thought.
    """
    work.rule[Rule.ORDER], work.rule[Rule.CELL] = OrderKind.NONE, NOBODY
    work.rule[Rule.MENU], work.rule[Rule.MAY_WAIT] = 0, 0
    if phase == Phase.LAND:
        return propose_land(state, cfg, key, work, b, i)
    if phase == Phase.WORK:
        return propose_works(state, cfg, key, work, b, i)
    return propose_walls(state, cfg, key, work, b)


propose = kernel(_propose)


def _set_path(work, index):
    """Make the candidate the path of claims, or to an attack, that the search found ``index``-th best."""
    plan, target = work.plan, work.choice_entity[index]
    length = trace(work, target)
    plan[PlanField.KIND], plan[PlanField.LENGTH] = work.choice_plan[index], length
    plan[PlanField.READY] = np.int64(work.root[target])
    # A path that goes on from a party under way waits until that arrives.
    if work.root[target] <= 0.0:
        attacks = work.choice_plan[index] == Plan.ATTACK and length == 1
        plan[PlanField.ORDER] = OrderKind.ATTACK if attacks else OrderKind.CLAIM
        plan[PlanField.CELL] = work.path[0]


set_path = kernel(_set_path)


def _set_site(work, phase, index):
    """Make the candidate the ``index``-th best work, or wall raised turn after turn within reach."""
    plan, k = work.plan, work.choice_column[index]
    plan[PlanField.COLUMN], plan[PlanField.CELL] = k, work.base_counts[Count.CELL, k]
    if phase == Phase.WORK:
        plan[PlanField.KIND], plan[PlanField.ORDER] = Plan.WORK, OrderKind.WORK
        plan[PlanField.MENU] = work.choice_menu[index]
    else:
        plan[PlanField.KIND], plan[PlanField.ORDER] = Plan.WALL, OrderKind.WALL
        plan[PlanField.COURSES] = max(work.levels[Levels.REACH], 1)


set_site = kernel(_set_site)


def _set_plan(work, phase, index):
    """Make ``work.plan`` the ``index``-th candidate; -2 is the rule of thumb's own plan, -1 waiting with this kind.

    Return False where that is no plan of its own.
    """
    plan, rule = work.plan, work.rule
    plan[:] = 0
    plan[PlanField.PHASE], plan[PlanField.ORDER], plan[PlanField.CELL] = phase, OrderKind.NONE, NOBODY
    if index == _BY_RULE:
        plan[PlanField.KIND], plan[PlanField.ORDER] = Plan.RULE, rule[Rule.ORDER]
        plan[PlanField.CELL], plan[PlanField.MENU] = rule[Rule.CELL], rule[Rule.MENU]
        return True
    if index == _WAITING:
        plan[PlanField.KIND] = Plan.WAIT
        return rule[Rule.MAY_WAIT] == 1
    if phase == Phase.LAND:
        set_path(work, index)
        return plan[PlanField.KIND] != Plan.CLAIM or plan[PlanField.LENGTH] > 1 or work.path[0] != rule[Rule.CELL]
    set_site(work, phase, index)
    own = plan[PlanField.CELL] == rule[Rule.CELL] and plan[PlanField.MENU] == rule[Rule.MENU]
    return phase == Phase.WALL or not own


set_plan = kernel(_set_plan)


def _try_plan(state, cfg, key, work, b, i, index, best):
    """Roll the candidate plan, the ``index``-th, out and return the better of it and ``best``.

    An order beats waiting where the two are tied: there is nothing to wait for.
    """
    value = rollout(state, cfg, key, work, b, i, rolled_turns(work))
    work.tried[index + UNSEARCHED] = value
    order, cell, menu = work.plan[PlanField.ORDER], work.plan[PlanField.CELL], work.plan[PlanField.MENU]
    if best.entity != NOBODY and (cell < 0) != (best.cell < 0):
        tied = abs(value - best.value) <= TIE * max(abs(value), abs(best.value))
        better = cell >= 0 if tied else value > best.value
    else:
        better = preferred(value, max(cell, 0), best.value, best.entity, key, state.world_id[b])
    if better:
        return Best(value, max(cell, 0), order, cell, menu, index)
    return best


try_plan = kernel(_try_plan)


def _planned(work, index, value):
    """Return the candidate, the ``index``-th, as the best plan, of this value."""
    plan = work.plan
    return Best(value, np.int64(0), plan[PlanField.ORDER], plan[PlanField.CELL], plan[PlanField.MENU], index)


planned = kernel(_planned)


def _enter(work, b, i, phase, found, best):
    """Note a decision in the journal: its best plan, and the best of those that begin with another order."""
    second, most, compared = NOBODY, -math.inf, 0
    for index in range(_BY_RULE, found):
        value = work.tried[index + UNSEARCHED]
        if math.isnan(value):
            continue
        compared += 1
        set_plan(work, phase, index)
        first = work.plan[PlanField.ORDER], work.plan[PlanField.CELL], work.plan[PlanField.MENU]
        if first != (best.order, best.cell, best.menu) and value > most:
            second, most = index, value
    at = begin_entry(work, b, i, phase, rolled_turns(work), compared)
    set_plan(work, phase, best.which)
    note_side(work, at, 0, best.value)
    if most > -math.inf:
        set_plan(work, phase, second)
        note_side(work, at, 1, most)


enter = kernel(_enter)


def _decide(state, cfg, key, work, b, i, phase):
    """Decide the next order of a phase: (kind, cell, menu entry), (NONE, -1, 0) to wait.

    The best of what follows the rule of thumb's own order, waiting, and every candidate. Without a rollout it is the
    rule's order or, for land, the first step of the best average rate within reach (the far-sighted constant).
    """
    found = propose(state, cfg, key, work, b, i, phase)
    none = np.int64(NOBODY)
    best = Best(0.0, none, none, none, np.int64(0), none)
    if found < 0:
        return best
    work.tried[:] = math.nan
    if rolled_turns(work) > 0:
        for index in range(_BY_RULE, found):
            if set_plan(work, phase, index):
                best = try_plan(state, cfg, key, work, b, i, index, best)
    elif phase == Phase.LAND and found > 0:
        for index in range(found):
            work.tried[UNSEARCHED + index] = work.choice_score[index]
        set_plan(work, phase, np.int64(0))
        best = planned(work, np.int64(0), work.choice_score[0])
    else:
        set_plan(work, phase, np.int64(_BY_RULE))
        best = planned(work, np.int64(_BY_RULE), 0.0)
    if rolled_turns(work) > 0 or (phase == Phase.LAND and work.levels[Levels.TURNS_LEFT] > 0):
        note_plan(state, b, i, best.order, best.cell, best.value)
        if is_kept(work):
            enter(work, b, i, phase, found, best)
    return best


decide = kernel(_decide)
