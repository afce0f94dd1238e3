"""Decisions: one order of a kind, by the rule of thumb at h = 0 and by the best of the candidate plans beyond.

Each decision is a function of (knowledge, region, levels, funds) and returns ids only. The region is the list of own
cells that :func:`prepare` is given; levels and funds are what ``knowledge.own`` has read into ``work``; all else is
what the civilization knows, through ``civsim.engine.knowledge``, and believes. Call ``begin_beliefs`` and
:func:`prepare`, then decide.
"""

from __future__ import annotations

import numpy as np

from civsim.base.constants import NOBODY, TIE, Category, OrderKind
from civsim.base.kernels import kernel
from civsim.engine.formulas import claim_cost, preferred, work_cost
from civsim.engine.knowledge.beliefs import believe
from civsim.engine.planner.belief import expect_rivals, list_land
from civsim.engine.planner.heuristic import heuristic_claim, heuristic_kind, heuristic_wall, heuristic_work, kind_rate
from civsim.engine.planner.plan import Best, Phase, Plan
from civsim.engine.planner.realm import build_base, expect_raids
from civsim.engine.planner.rollout import rollout
from civsim.engine.planner.search import offer, search, trace
from civsim.engine.work import Base, Belief, Count, Fund, Levels, PlanField, Realm

# Plain ints: kernels return tuples of one integer type.
_NONE, _CLAIM, _ATTACK = int(OrderKind.NONE), int(OrderKind.CLAIM), int(OrderKind.ATTACK)


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


def _set_plan(work, phase, order, cell, menu):
    """Make the candidate the rule of thumb's own plan, beginning with this order; others change what differs."""
    plan = work.plan
    plan[PlanField.KIND], plan[PlanField.PHASE] = Plan.RULE, phase
    plan[PlanField.LENGTH], plan[PlanField.READY] = 0, 0
    plan[PlanField.COLUMN], plan[PlanField.COURSES] = 0, 0
    plan[PlanField.ORDER], plan[PlanField.CELL], plan[PlanField.MENU] = order, cell, menu


set_plan = kernel(_set_plan)


def _try_plan(state, cfg, key, work, b, i, best):
    """Roll the candidate plan out and return the better of it and ``best``.

    An order beats waiting where the two are tied: there is nothing to wait for.
    """
    value = rollout(state, cfg, key, work, b, i, rolled_turns(work))
    order, cell, menu = work.plan[PlanField.ORDER], work.plan[PlanField.CELL], work.plan[PlanField.MENU]
    if best.entity != NOBODY and (cell < 0) != (best.cell < 0):
        tied = abs(value - best.value) <= TIE * max(abs(value), abs(best.value))
        better = cell >= 0 if tied else value > best.value
    else:
        better = preferred(value, max(cell, 0), best.value, best.entity, key, state.world_id[b])
    if better:
        return Best(value, max(cell, 0), order, cell, menu)
    return best


try_plan = kernel(_try_plan)


def _try_rule(state, cfg, key, work, b, i, phase, order, cell, menu, may_wait):
    """Return the better of the rule of thumb's own order and, where it is worth a thought, waiting with this kind."""
    best = Best(0.0, np.int64(NOBODY), np.int64(_NONE), np.int64(NOBODY), np.int64(0))
    set_plan(work, phase, order, cell, menu)
    best = try_plan(state, cfg, key, work, b, i, best)
    if may_wait:
        set_plan(work, phase, np.int64(_NONE), np.int64(NOBODY), np.int64(0))
        work.plan[PlanField.KIND] = Plan.WAIT
        best = try_plan(state, cfg, key, work, b, i, best)
    return best


try_rule = kernel(_try_rule)


def _claim_is_payable(cfg, work, cell):
    """Return True where a claim is left this turn and the fund can pay what ``cell`` is believed to cost now."""
    if work.done[OrderKind.CLAIM] >= cfg.claims_per_turn:
        return False
    holdings = work.sizes[Base.HELD] + work.sizes[Base.PENDING]
    return claim_cost(work.claim_cost[cell], cfg.claim_growth, holdings) <= work.funds[Fund.SETTLEMENT]


claim_is_payable = kernel(_claim_is_payable)


def _set_path(work, index):
    """Make the candidate the path of claims, or to an attack, that the search found ``index``-th best."""
    target = work.choice_entity[index]
    length = trace(work, target)
    attacks = work.choice_plan[index] == Plan.ATTACK
    order, cell = _CLAIM, np.int64(work.path[0])
    if attacks and length == 1:
        order = _ATTACK
    if work.root[target] > 0.0:
        # The path goes on from a party under way: until that arrives, following it is to wait.
        order, cell = _NONE, np.int64(NOBODY)
    set_plan(work, np.int64(Phase.LAND), np.int64(order), cell, np.int64(0))
    work.plan[PlanField.KIND], work.plan[PlanField.LENGTH] = work.choice_plan[index], length
    work.plan[PlanField.READY] = int(work.root[target])


set_path = kernel(_set_path)


def _compare_paths(state, cfg, key, work, b, i, found, rule):
    """Roll out the rule's own claim, waiting and every candidate path; return the best's (kind, cell) first order."""
    # Where the rule's own claim cannot be paid now, following the rule is waiting.
    waits = rule >= 0 and claim_is_payable(cfg, work, rule)
    order = np.int64(_NONE if rule < 0 else _CLAIM)
    best = try_rule(state, cfg, key, work, b, i, np.int64(Phase.LAND), order, rule, np.int64(0), waits)
    for index in range(found):
        claims = work.choice_plan[index] == Plan.CLAIM
        if claims and work.choice_entity[index] == rule and work.hops[rule] == 1:
            continue
        set_path(work, index)
        best = try_plan(state, cfg, key, work, b, i, best)
    note_plan(state, b, i, best.order, best.cell, best.value)
    return best.order, best.cell


compare_paths = kernel(_compare_paths)


def _best_rate(state, work, b, i, found, rule):
    """Return the first order of the best average rate without any rollout (the far-sighted constant)."""
    order, cell, score = np.int64(_NONE), np.int64(NOBODY), 0.0
    if found > 0:
        set_path(work, np.int64(0))
        order, cell, score = work.plan[PlanField.ORDER], work.plan[PlanField.CELL], work.choice_score[0]
    elif rule >= 0:
        order, cell = np.int64(_CLAIM), rule
    note_plan(state, b, i, order, cell, score)
    return order, cell


best_rate = kernel(_best_rate)


def _decide_land(state, cfg, key, work, b, i):
    """Decide the next claim or attack; (NONE, -1) is to wait."""
    front, n, arrival = work.front, work.sizes[Base.FRONT], float(cfg.claim_lag)
    index = heuristic_claim(front, n, work.ratio, work.rival_at, arrival, key, state.world_id[b])
    rule = np.int64(front[index]) if index >= 0 else np.int64(NOBODY)
    if work.levels[Levels.TURNS_LEFT] == 0:
        return np.int64(_CLAIM if rule >= 0 else _NONE), rule
    found = np.int64(0)
    if work.levels[Levels.REACH] > 0:
        found = search(state, cfg, key, work, b, i, income_of(work, work.shares[b, i], Category.SETTLEMENT))
    if rolled_turns(work) == 0:
        return best_rate(state, work, b, i, found, rule)
    return compare_paths(state, cfg, key, work, b, i, found, rule)


decide_land = kernel(_decide_land)


def _offer_works(state, cfg, key, work, b, i):
    """Fill the candidates with the best works that the fund can pay within reach; return how many."""
    kinds, found, limit = cfg.work_cost.shape[0], np.int64(0), cfg.work_candidates
    earned = income_of(work, work.shares[b, i], Category.WORKS) * work.levels[Levels.REACH]
    for k in range(work.sizes[Base.HELD]):
        if work.base_counts[Count.LEFT, k] > 0:
            continue
        for menu in range(kinds):
            score = work.base[Realm.WORK_SCORE, k] * kind_rate(cfg, menu, work.levels[Levels.TURNS_LEFT])
            cost = work_cost(cfg.work_cost[menu], cfg.work_growth, work.base[Realm.WORKS, k])
            if score > 0.0 and cost <= work.funds[Fund.WORKS] + earned:
                entity = work.base_counts[Count.CELL, k] * kinds + menu
                at = offer(key, state.world_id[b], work, found, limit, entity, score)
                if at >= 0:
                    work.choice_column[at], work.choice_menu[at] = k, menu
                    found = min(found + 1, limit)
    return found


offer_works = kernel(_offer_works)


def _decide_work(state, cfg, key, work, b, i):
    """Decide the next work: (cell, menu entry), or (-1, 0) to wait."""
    kind = heuristic_kind(cfg, work.levels[Levels.TURNS_LEFT])
    column = heuristic_work(work.base, work.base_counts, work.sizes[Base.HELD], key, state.world_id[b])
    if column < 0 or kind < 0:
        return np.int64(NOBODY), np.int64(0)
    rule, menu = np.int64(work.base_counts[Count.CELL, column]), np.int64(kind)
    if rolled_turns(work) == 0:
        return rule, menu
    found = offer_works(state, cfg, key, work, b, i)
    phase, order = np.int64(Phase.WORK), np.int64(OrderKind.WORK)
    best = try_rule(state, cfg, key, work, b, i, phase, order, rule, menu, rule >= 0)
    for index in range(found):
        k = work.choice_column[index]
        if k == column and work.choice_menu[index] == kind:
            continue
        cell = np.int64(work.base_counts[Count.CELL, k])
        set_plan(work, phase, order, cell, np.int64(work.choice_menu[index]))
        work.plan[PlanField.KIND], work.plan[PlanField.COLUMN] = Plan.WORK, k
        best = try_plan(state, cfg, key, work, b, i, best)
    note_plan(state, b, i, best.order, best.cell, best.value)
    return best.cell, best.menu


decide_work = kernel(_decide_work)


def _offer_walls(state, cfg, key, work, b):
    """Fill the candidates with the best walls, and those of cells that seen bands make for; return how many."""
    found, limit = np.int64(0), cfg.wall_candidates
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
offer_walls = kernel(_offer_walls)


def _decide_wall(state, cfg, key, work, b, i):
    """Decide which cell's wall to raise, or -1 to wait. A candidate raises one wall turn after turn within reach."""
    column = heuristic_wall(work.base, work.base_counts, work.sizes[Base.HELD], key, state.world_id[b])
    if column < 0:
        return np.int64(NOBODY)
    rule = np.int64(work.base_counts[Count.CELL, column])
    if rolled_turns(work) == 0:
        return rule
    found = offer_walls(state, cfg, key, work, b)
    phase, order, menu = np.int64(Phase.WALL), np.int64(OrderKind.WALL), np.int64(0)
    best = try_rule(state, cfg, key, work, b, i, phase, order, rule, menu, rule >= 0)
    for index in range(found):
        k = work.choice_column[index]
        set_plan(work, phase, order, np.int64(work.base_counts[Count.CELL, k]), menu)
        work.plan[PlanField.KIND], work.plan[PlanField.COLUMN] = Plan.WALL, k
        work.plan[PlanField.COURSES] = max(work.levels[Levels.REACH], 1)
        best = try_plan(state, cfg, key, work, b, i, best)
    note_plan(state, b, i, best.order, best.cell, best.value)
    return best.cell


decide_wall = kernel(_decide_wall)
