"""Decisions: one order of a kind, by the rule of thumb at h = 0 and by the best of the candidate plans beyond.

Each decision is a function of (knowledge, region, levels, funds): the civilization's row of the state and the lists
in ``work``. It returns ids only.
"""

from __future__ import annotations

from civsim.base.constants import NOBODY, TIE, Category, Channel, OrderKind
from civsim.base.kernels import kernel
from civsim.engine.formulas import claim_cost, preferred, work_cost
from civsim.engine.planner.belief import believe, expect_rivals, list_land
from civsim.engine.planner.heuristic import heuristic_claim, heuristic_kind, heuristic_wall, heuristic_work, kind_rate
from civsim.engine.planner.realm import build_base, expect_raids
from civsim.engine.planner.rollout import Phase, Plan, rollout
from civsim.engine.planner.search import offer, search, trace
from civsim.engine.work import Belief, Count, Realm, Tally

_FOLLOW = -1
# Plain ints: kernels return tuples of one integer type.
_NONE, _CLAIM, _ATTACK = int(OrderKind.NONE), int(OrderKind.CLAIM), int(OrderKind.ATTACK)
_WORK_ORDER, _WALL_ORDER = int(OrderKind.WORK), int(OrderKind.WALL)
_LAND, _WORK, _WALL = int(Phase.LAND), int(Phase.WORK), int(Phase.WALL)
_RULE, _WAIT, _BEGIN, _RAISE = int(Plan.RULE), int(Plan.WAIT), int(Plan.WORK), int(Plan.WALL)


def _planning_turns(given, level):
    """Return a seat's own reach or rollout, or its horizon where it follows that."""
    return level if given == _FOLLOW else given


planning_turns = kernel(_planning_turns)


def _prepare(state, orders, cfg, work, b, i):
    """List land, believe what is held and bordered, and build the base realm the decisions start from."""
    tally = work.tally
    held, front, pending, rivals = list_land(state, cfg, work, b, i)
    tally[Tally.BASE_HELD], tally[Tally.BASE_FRONT] = held, front
    tally[Tally.BASE_PENDING], tally[Tally.RIVAL_FRONT] = pending, rivals
    threat = work.scalars[Belief.ATTACK] > 0.0 or work.scalars[Belief.RAID] > 0.0
    tally[Tally.WALLS_MATTER] = 1 if threat else 0
    for k in range(front):
        believe(state, cfg, work, b, i, work.front[k])
    for k in range(pending):
        believe(state, cfg, work, b, i, work.pending_cell[k])
    horizon = state.level[b, i, Channel.HORIZON]
    thinks = max(planning_turns(cfg.reach[i], horizon), planning_turns(cfg.rollout[i], horizon)) > 0
    tally[Tally.THINKS] = 1 if thinks else 0
    build_base(state, orders, cfg, work, b, i, thinks)
    if thinks:
        expect_rivals(state, cfg, work, b, i)
        expect_raids(state, cfg, work, b, i)
    else:
        work.rival_at[:] = float(cfg.turns) + float(cfg.turns)
        tally[Tally.RAIDS] = 0


prepare = kernel(_prepare)


def _note_plan(state, b, i, kind, cell, value):
    """Remember the plan just made, for the observation."""
    state.plan_kind[b, i] = kind
    state.plan_cell[b, i] = cell
    state.plan_value[b, i] = value
    state.plan_turn[b, i] = state.turn[b]
    state.plans[b, i] += 1


note_plan = kernel(_note_plan)


def _try_plan(state, cfg, key, work, b, i, phase, plan, length, horizon, cell, kind, best):
    """Roll one plan out and return the better of it and ``best``, each (value, tie entity, kind, cell).

    An order beats waiting where the two are tied: there is nothing to wait for.
    """
    value = rollout(state, cfg, key, work, b, i, phase, plan, length, horizon)
    if best[1] != NOBODY and (cell < 0) != (best[3] < 0):
        tied = abs(value - best[0]) <= TIE * max(abs(value), abs(best[0]))
        better = cell >= 0 if tied else value > best[0]
    else:
        better = preferred(value, max(cell, 0), best[0], best[1], key, state.world_id[b])
    if better:
        return value, max(cell, 0), kind, cell
    return best


try_plan = kernel(_try_plan)


def _claim_is_payable(state, cfg, work, b, i, cell):
    """Return True where a claim is left this turn and the fund can pay what ``cell`` is believed to cost now."""
    if work.tally[Tally.CLAIMS_DONE] >= cfg.claims_per_turn:
        return False
    holdings = work.tally[Tally.BASE_HELD] + work.tally[Tally.BASE_PENDING]
    return claim_cost(work.claim_cost[cell], cfg.claim_growth, holdings) <= state.stock[b, i, Category.SETTLEMENT]


claim_is_payable = kernel(_claim_is_payable)


def _compare_paths(state, cfg, key, work, b, i, found, rule, horizon):
    """Roll out the rule's own claim, waiting and every candidate path; return the best's (kind, cell) first order."""
    best = (0.0, NOBODY, _NONE, NOBODY)
    land = _LAND
    kind = _NONE if rule < 0 else _CLAIM
    best = try_plan(state, cfg, key, work, b, i, land, _RULE, 0, horizon, rule, kind, best)
    none = _NONE
    # Where the rule's own claim cannot be paid now, following the rule is waiting.
    if rule >= 0 and claim_is_payable(state, cfg, work, b, i, rule):
        best = try_plan(state, cfg, key, work, b, i, land, _WAIT, 0, horizon, NOBODY, none, best)
    for index in range(found):
        plan = work.choice_kind[index]
        if plan == Plan.CLAIM and work.choice_cell[index] == rule and work.hops[rule] == 1:
            continue
        length = trace(work, work.choice_cell[index])
        first = int(work.path[0])
        kind = _ATTACK if plan == Plan.ATTACK and length == 1 else _CLAIM
        work.tally[Tally.FIRST_READY] = int(work.root[work.choice_cell[index]])
        if work.tally[Tally.FIRST_READY] > 0:
            # The path goes on from a party under way: until that arrives, following it is to wait.
            kind, first = _NONE, NOBODY
        best = try_plan(state, cfg, key, work, b, i, land, plan, length, horizon, first, kind, best)
    work.tally[Tally.FIRST_READY] = 0
    note_plan(state, b, i, best[2], best[3], best[0])
    return best[2], best[3]


compare_paths = kernel(_compare_paths)


def _best_rate(state, cfg, key, work, b, i, found, rule):
    """Return the first order of the best average rate without any rollout (the far-sighted constant)."""
    if found > 0:
        length = trace(work, work.choice_cell[0])
        attack = work.choice_kind[0] == Plan.ATTACK and length == 1
        kind, cell, score = (_ATTACK if attack else _CLAIM), int(work.path[0]), work.choice_score[0]
        if work.root[work.choice_cell[0]] > 0.0:
            kind, cell = _NONE, NOBODY
    elif rule >= 0:
        kind, cell, score = _CLAIM, rule, 0.0
    else:
        kind, cell, score = _NONE, NOBODY, 0.0
    note_plan(state, b, i, kind, cell, score)
    return kind, cell


best_rate = kernel(_best_rate)


def _decide_land(state, cfg, key, work, b, i):
    """Decide the next claim or attack; (NONE, -1) is to wait."""
    tally = work.tally
    horizon = state.level[b, i, Channel.HORIZON]
    reach = planning_turns(cfg.reach[i], horizon)
    turns_left = cfg.turns - 1 - state.turn[b]
    rolled = min(planning_turns(cfg.rollout[i], horizon), turns_left)
    front, n = work.front, tally[Tally.BASE_FRONT]
    index = heuristic_claim(front, n, work.ratio, work.rival_at, float(cfg.claim_lag), key, state.world_id[b])
    rule = int(front[index]) if index >= 0 else NOBODY
    if (reach == 0 and planning_turns(cfg.rollout[i], horizon) == 0) or turns_left == 0:
        return (_CLAIM if rule >= 0 else _NONE), rule
    found = 0
    if reach > 0:
        income = work.shares[b, i, Category.SETTLEMENT] * float(state.output[b, i])
        found = search(state, cfg, key, work, b, i, reach, income)
    if rolled == 0:
        return best_rate(state, cfg, key, work, b, i, found, rule)
    return compare_paths(state, cfg, key, work, b, i, found, rule, rolled)


decide_land = kernel(_decide_land)


def _column_of(work, cell):
    """Return the base column of own cell ``cell``."""
    for k in range(work.tally[Tally.BASE_HELD]):
        if work.own[k] == cell:
            return k
    return NOBODY


column_of = kernel(_column_of)


def _offer_works(state, cfg, key, work, b, i, reach, turns_left):
    """Fill the candidates with the best works that the fund can pay within ``reach`` turns; return how many."""
    fund = float(state.stock[b, i, Category.WORKS])
    income = work.shares[b, i, Category.WORKS] * float(state.output[b, i])
    kinds, found = cfg.work_cost.shape[0], 0
    for k in range(work.tally[Tally.BASE_HELD]):
        if work.base_counts[Count.LEFT, k] > 0:
            continue
        for kind in range(kinds):
            score = work.base[Realm.WORK_SCORE, k] * kind_rate(cfg, kind, turns_left)
            cost = work_cost(cfg.work_cost[kind], cfg.work_growth, state.works[b, work.own[k]])
            if score > 0.0 and cost <= fund + income * reach:
                entity = work.own[k] * kinds + kind
                found = offer(key, state.world_id[b], work, found, cfg.work_candidates, entity, Plan.WORK, score)
    return found


offer_works = kernel(_offer_works)


def _decide_work(state, cfg, key, work, b, i):
    """Decide the next work: (cell, menu entry), or (-1, 0) to wait."""
    horizon = state.level[b, i, Channel.HORIZON]
    turns_left = cfg.turns - 1 - state.turn[b]
    rolled = min(planning_turns(cfg.rollout[i], horizon), turns_left)
    n, world = work.tally[Tally.BASE_HELD], state.world_id[b]
    kind = heuristic_kind(cfg, turns_left)
    column = heuristic_work(work.base, work.base_counts, n, key, world)
    if column < 0 or kind < 0:
        return NOBODY, 0
    rule = int(work.own[column])
    if rolled == 0:
        return rule, kind
    kinds = cfg.work_cost.shape[0]
    found = offer_works(state, cfg, key, work, b, i, planning_turns(cfg.reach[i], horizon), turns_left)
    phase = _WORK
    best = (0.0, NOBODY, 0, NOBODY)
    best = try_plan(state, cfg, key, work, b, i, phase, _RULE, 0, rolled, rule, kind, best)
    best = try_plan(state, cfg, key, work, b, i, phase, _WAIT, 0, rolled, NOBODY, 0, best)
    for index in range(found):
        k, menu = column_of(work, int(work.choice_cell[index]) // kinds), int(work.choice_cell[index]) % kinds
        if k == column and menu == kind:
            continue
        work.path[0], work.path[1] = k, menu
        best = try_plan(state, cfg, key, work, b, i, phase, _BEGIN, 1, rolled, int(work.own[k]), menu, best)
    note_plan(state, b, i, _NONE if best[3] < 0 else _WORK_ORDER, best[3], best[0])
    return best[3], best[2]


decide_work = kernel(_decide_work)


def _decide_wall(state, cfg, key, work, b, i):
    """Decide which cell's wall to raise, or -1 to wait. A candidate raises one wall turn after turn within reach."""
    horizon = state.level[b, i, Channel.HORIZON]
    turns_left = cfg.turns - 1 - state.turn[b]
    rolled = min(planning_turns(cfg.rollout[i], horizon), turns_left)
    n, world = work.tally[Tally.BASE_HELD], state.world_id[b]
    column = heuristic_wall(work.base, work.base_counts, n, key, world)
    if column < 0:
        return NOBODY
    rule = int(work.own[column])
    if rolled == 0:
        return rule
    found = 0
    for k in range(n):
        if not work.base_counts[Count.RAISED, k]:
            score = work.base[Realm.WALL_SCORE, k]
            found = offer(key, world, work, found, cfg.wall_candidates, work.own[k], _RAISE, score)
    for r in range(work.tally[Tally.RAIDS]):
        found = add_threatened(work, found, cfg.wall_candidates, work.raid_cell[r])
    phase, courses = _WALL, max(planning_turns(cfg.reach[i], horizon), 1)
    best = (0.0, NOBODY, 0, NOBODY)
    best = try_plan(state, cfg, key, work, b, i, phase, _RULE, 0, rolled, rule, 0, best)
    best = try_plan(state, cfg, key, work, b, i, phase, _WAIT, 0, rolled, NOBODY, 0, best)
    for index in range(found):
        cell = int(work.choice_cell[index])
        work.path[0] = column_of(work, cell)
        best = try_plan(state, cfg, key, work, b, i, phase, _RAISE, courses, rolled, cell, 0, best)
    note_plan(state, b, i, _NONE if best[3] < 0 else _WALL_ORDER, best[3], best[0])
    return best[3]


def _add_threatened(work, found, limit, column):
    """Put a cell that a seen band makes for among the candidates, in place of the last if they are full."""
    if work.base_counts[Count.RAISED, column]:
        return found
    cell = work.own[column]
    for index in range(found):
        if work.choice_cell[index] == cell:
            return found
    at = min(found, limit - 1)
    work.choice_cell[at] = cell
    return at + 1


add_threatened = kernel(_add_threatened)
decide_wall = kernel(_decide_wall)
