"""Rollout: the believed realm unrolled turn by turn under a plan, then under a base policy.

Deterministic and in expectation (the rollout policy improvement of Bertsekas, "Rollout, Policy Iteration, and
Distributed Reinforcement Learning", 2020): this turn's shares, levels and prices are held; lags, depreciation and
rising costs are those of the rules.
"""

from __future__ import annotations

import math

import numpy as np

from civsim.base.constants import NOBODY, OrderKind
from civsim.base.kernels import inlined, kernel
from civsim.engine.formulas import claim_cost, course_cost, work_cost
from civsim.engine.planner.beginning import start_realm
from civsim.engine.planner.fights import claims_of, order_attacks
from civsim.engine.planner.heuristic import heuristic_kind
from civsim.engine.planner.incursions import rivals_act
from civsim.engine.planner.ladder import rolled_holdings
from civsim.engine.planner.minds import TAKEN, begin_walk, is_lost, rivals_play
from civsim.engine.planner.plan import Phase, Plan, base_of
from civsim.engine.planner.price import set_prices
from civsim.engine.planner.ranking import choose_columns, next_column, next_land, note_change
from civsim.engine.planner.realm import refresh, set_timer, watch
from civsim.engine.planner.transition import final_value, pass_turn, settle
from civsim.engine.planner.treasury import best_wall, claim_return, first_of, purse_of, work_return
from civsim.engine.planner.warned import next_wall
from civsim.engine.planner.waterbed import heed_rolled, heeds, set_out, start_raids
from civsim.engine.registers import ROLLED
from civsim.engine.work import Base, Clock, Count, Left, Levels, PlanField, Purse, Ranked, Realm, Roll

_PHASES = len(Phase)


def _pay_claim(state, cfg, work, b, i, cell, turn):
    """Pay a claim if the fund allows. Return 1 where it was paid."""
    roll = work.roll
    cost = work.opened[cell] * claim_cost(work.claim_cost[cell], cfg.claim_growth, rolled_holdings(work))
    purse = purse_of(cfg, Purse.SETTLEMENT)
    if cost > work.purse[purse]:
        return False
    work.purse[purse] -= cost
    work.claimed[cell] = work.clock[Clock.MARK]
    roll[Roll.GIVEN] += 1
    if rivals_play(work):
        work.roll_rival[cell] = TAKEN
    roll[Roll.TARGET] = -1
    if cfg.claim_lag == 0:
        settle(state, cfg, work, b, i, cell)
    else:
        work.roll_cell[roll[Roll.PENDING]] = cell
        work.roll_due[roll[Roll.PENDING]] = turn + cfg.claim_lag
        roll[Roll.PENDING] += 1
    return True


pay_claim = kernel(_pay_claim)


def _follow_path(state, cfg, work, b, i, turn):
    """Try to claim the plan's next cell. Return True where it was paid; a plan that rivals forestall is dropped."""
    roll = work.roll
    step = roll[Roll.STEP]
    if turn < roll[Roll.READY]:
        return False
    cell = np.int64(work.path[step])
    if is_lost(work, cell, turn + cfg.claim_lag):
        roll[Roll.STEP] = work.plan[PlanField.LENGTH]
        return False
    if not pay_claim(state, cfg, work, b, i, cell, turn):
        return False
    roll[Roll.STEP] = step + 1
    roll[Roll.READY] = turn + cfg.claim_lag
    return True


follow_path = kernel(_follow_path)


def _next_claim(state, cfg, key, work, b, i, turn):
    """Return the cell that the base claims next, kept as the target; or -1."""
    roll, arrival = work.roll, float(turn + cfg.claim_lag)
    if roll[Roll.TARGET] < 0 or is_lost(work, roll[Roll.TARGET], arrival):
        roll[Roll.TARGET] = next_land(state, key, work, b, arrival)
    return roll[Roll.TARGET]


next_claim = inlined(_next_claim)


def _order_claims(state, cfg, key, work, b, i, turn, allowed):
    """Claim by the plan while it lasts, then by the base policy, ``allowed`` cells at most; wait if too dear."""
    roll, claims = work.roll, claims_of(work.plan)
    attacks = work.plan[PlanField.KIND] == Plan.ATTACK
    while allowed > 0:
        if roll[Roll.STEP] < claims:
            if not follow_path(state, cfg, work, b, i, turn):
                return
            allowed -= 1
            continue
        if attacks and roll[Roll.STEP] == claims and not roll[Roll.SIEGE]:
            return
        target = next_claim(state, cfg, key, work, b, i, turn)
        if target < 0 or not pay_claim(state, cfg, work, b, i, target, turn):
            return
        allowed -= 1


order_claims = inlined(_order_claims)


def _begin_work(cfg, work, k, kind):
    """Pay for a work on column ``k`` if the fund allows. Return True where it was begun."""
    cost = work_cost(cfg.work_cost[kind], cfg.work_growth, work.realm[Realm.WORKS, k])
    purse = purse_of(cfg, Purse.WORKS)
    if cost > work.purse[purse]:
        return False
    work.purse[purse] -= cost
    work.roll[Roll.TIMERS] = set_timer(work.counts, work.timer, work.roll[Roll.TIMERS], k)
    work.counts[Count.LEFT, k] = cfg.work_turns[kind]
    work.realm[Realm.GAIN, k] = cfg.work_gain[kind]
    refresh(cfg, work.realm, work.counts, k)
    note_change(work, np.int64(Ranked.WORKS), np.int64(k))
    work.roll[Roll.WORK_TARGET] = -1
    work.roll[Roll.GIVEN_WORKS] += 1
    return True


begin_work = inlined(_begin_work)


def _next_work(key, work, world):
    """Return the column of the work that the rule begins next, kept as the target; or -1."""
    roll = work.roll
    if roll[Roll.WORK_TARGET] < 0:
        roll[Roll.WORK_TARGET] = next_column(key, work, world, np.int64(Ranked.WORKS))
    return roll[Roll.WORK_TARGET]


next_work = inlined(_next_work)


def _order_works(cfg, key, work, world, turns_left, allowed):
    """Begin the plan's work, then works by the rule."""
    roll, purse, kind = work.roll, work.purse, heuristic_kind(cfg, turns_left)
    planned = work.plan[PlanField.KIND] == Plan.WORK
    while allowed > 0:
        if planned and roll[Roll.STEP] == 0:
            if not begin_work(cfg, work, work.plan[PlanField.COLUMN], work.plan[PlanField.MENU]):
                return
            roll[Roll.STEP] = 1
            allowed -= 1
            continue
        if kind < 0 or purse[Purse.WORKS] < cfg.work_cost[kind]:
            return
        target = next_work(key, work, world)
        if target < 0 or not begin_work(cfg, work, target, kind):
            return
        allowed -= 1


order_works = inlined(_order_works)


def _raise_wall(cfg, work, k):
    """Raise the wall of column ``k`` by a full course if the fund allows. Return True where it rose."""
    cost = course_cost(cfg)
    purse = purse_of(cfg, Purse.WALLS)
    if cost > work.purse[purse]:
        return False
    work.purse[purse] -= cost
    work.realm[Realm.WALL, k] += cfg.wall_rate
    work.counts[Count.RAISED, k] = 1
    work.raised[work.roll[Roll.RAISED]] = k
    work.roll[Roll.RAISED] += 1
    work.roll[Roll.GIVEN_WALLS] += 1
    work.realm[Realm.WALL_SCORE, k] = 0.0
    note_change(work, np.int64(Ranked.WALLS), np.int64(k))
    watch(cfg, work.realm, work.counts, k, work.purse[Purse.ARMY])
    return True


raise_wall = inlined(_raise_wall)


def _payable_courses(cfg, fund, allowed):
    """Return how many courses a fund pays for, ``allowed`` at most."""
    courses, cost = np.int64(0), course_cost(cfg)
    while courses < allowed and cost <= fund:
        fund -= cost
        courses += 1
    return courses


payable_courses = kernel(_payable_courses)


def _order_best_walls(cfg, key, work, world, allowed):
    """Raise the walls that the rule of thumb raises, ``allowed`` at most."""
    most = payable_courses(cfg, work.purse[Purse.WALLS], allowed)
    if most == 0:
        return
    chosen = choose_columns(key, work, world, np.int64(Ranked.WALLS), most)
    for at in range(chosen):
        raise_wall(cfg, work, np.int64(work.chosen[at]))
    while chosen < 0 and most > 0:
        k = next_column(key, work, world, np.int64(Ranked.WALLS))
        if k < 0:
            return
        raise_wall(cfg, work, k)
        most -= 1


order_best_walls = inlined(_order_best_walls)


def _order_walls(cfg, key, work, world, b, i, turn, turns_left, allowed):
    """Raise the plan's wall by its courses, one a turn, then others as the base does."""
    roll, plan = work.roll, work.plan
    courses = plan[PlanField.COURSES] if plan[PlanField.KIND] == Plan.WALL else 0
    heeds_bands = work.sizes[Base.RAIDS] > 0
    while allowed > 0 and work.purse[Purse.WALLS] >= course_cost(cfg):
        if roll[Roll.STEP] < courses and not work.counts[Count.RAISED, plan[PlanField.COLUMN]]:
            k = np.int64(plan[PlanField.COLUMN])
            roll[Roll.STEP] += 1
        elif heeds_bands:
            # Where none is left to be walled against, none is in the rest of the turn.
            row, when = np.int64(ROLLED), np.int64(turn)
            k, heeds_bands = next_wall(cfg, key, work, world, b, i, row, when, turns_left, True)
        else:
            order_best_walls(cfg, key, work, world, allowed)
            return
        if k < 0 or not raise_wall(cfg, work, k):
            return
        allowed -= 1


order_walls = inlined(_order_walls)


def _pay_plan(state, cfg, work, b, i, turn, left):
    """Pay from the treasury what the plan orders next; ``left`` are the orders left by Phase, as a tuple.

    Return (claims, works, walls left to the rule, whether it may give any). What the plan cannot pay yet it saves for;
    while it waits for a party to arrive the rule gives works and walls, but no claim.
    """
    roll, plan, (claims, works, walls) = work.roll, work.plan, left
    kind, length = plan[PlanField.KIND], claims_of(plan)
    if kind == Plan.CLAIM or kind == Plan.ATTACK:
        while claims > 0 and roll[Roll.STEP] < length and follow_path(state, cfg, work, b, i, turn):
            claims -= 1
        if roll[Roll.STEP] < plan[PlanField.LENGTH] and not roll[Roll.SIEGE]:
            saves = claims > 0 and roll[Roll.STEP] < length and turn >= roll[Roll.READY]
            return 0, works, walls, not saves
    elif kind == Plan.WORK and roll[Roll.STEP] == 0 and works > 0:
        if not begin_work(cfg, work, plan[PlanField.COLUMN], plan[PlanField.MENU]):
            return claims, works, walls, False
        roll[Roll.STEP] = 1
        works -= 1
    elif kind == Plan.WALL and roll[Roll.STEP] < plan[PlanField.COURSES] and walls > 0:
        k = plan[PlanField.COLUMN]
        if not work.counts[Count.RAISED, k]:
            if not raise_wall(cfg, work, k):
                return claims, works, walls, False
            roll[Roll.STEP] += 1
            walls -= 1
    return claims, works, walls, True


pay_plan = kernel(_pay_plan)


def _order_by_return(state, cfg, key, work, b, i, turn, turns_left, left):
    """Order from the treasury: the plan's own, then whichever kind returns most per cost; wait if that is too dear."""
    roll, world, kind = work.roll, state.world_id[b], heuristic_kind(cfg, turns_left)
    claims, works, walls, goes_on = pay_plan(state, cfg, work, b, i, turn, left)
    while goes_on:
        land, worked, walled, wall = 0.0, 0.0, 0.0, np.int64(NOBODY)
        if claims > 0:
            target, holdings = next_claim(state, cfg, key, work, b, i, turn), rolled_holdings(work)
            if target >= 0:
                base = work.plan[PlanField.BASE]
                land = claim_return(cfg, work, base, target, holdings, turns_left)
        if works > 0 and kind >= 0 and next_work(key, work, world) >= 0:
            worked = work_return(cfg, work.realm, roll[Roll.WORK_TARGET], kind, turns_left)
        if walls > 0:
            row, when, other, dates = np.int64(ROLLED), np.int64(turn), max(land, worked), work.plan[PlanField.DATES]
            wall, walled = best_wall(cfg, key, work, world, b, i, row, when, turns_left, other, dates)
        first = first_of(land, worked, walled)
        if first == Phase.LAND:
            goes_on = pay_claim(state, cfg, work, b, i, roll[Roll.TARGET], turn)
            claims -= 1
        elif first == Phase.WORK:
            goes_on = begin_work(cfg, work, roll[Roll.WORK_TARGET], kind)
            works -= 1
        else:
            goes_on = first == Phase.WALL and raise_wall(cfg, work, wall)
            walls -= 1


order_by_return = kernel(_order_by_return)


def _give_orders(state, cfg, key, work, b, i, turn, turns_left):
    """Give the orders of rollout turn ``turn``; in turn 0 those already given count, and waiting waits."""
    claims, works, walls = cfg.claims_per_turn, cfg.works_per_turn, cfg.walls_per_turn
    waits = -1
    if turn == 0:
        claims -= work.done[OrderKind.CLAIM]
        works -= work.done[OrderKind.WORK]
        walls -= work.done[OrderKind.WALL]
        if work.plan[PlanField.KIND] == Plan.WAIT:
            waits = work.plan[PlanField.PHASE]
    if waits != Phase.LAND:
        order_attacks(state, cfg, key, work, b, i, turn, turns_left)
    if cfg.pooled:
        claims = 0 if waits == Phase.LAND else claims
        works = 0 if waits == Phase.WORK else works
        walls = 0 if waits == Phase.WALL or not work.sizes[Base.WALLS_MATTER] else walls
        order_by_return(state, cfg, key, work, b, i, turn, turns_left, (claims, works, walls))
        return
    if waits != Phase.LAND:
        order_claims(state, cfg, key, work, b, i, turn, claims)
    if waits != Phase.WORK:
        order_works(cfg, key, work, state.world_id[b], turns_left, works)
    if work.sizes[Base.WALLS_MATTER] and waits != Phase.WALL:
        order_walls(cfg, key, work, state.world_id[b], b, i, turn, turns_left, walls)


give_orders = inlined(_give_orders)


def _note_given(work):
    """Note how many orders of each Phase a base gives now."""
    told = work.price[base_of(work.plan)]
    for phase in range(_PHASES):
        told[Left.AT_ONCE + phase] = work.roll[Roll.GIVEN + phase]


note_given = kernel(_note_given)


def _waits_in_vain(cfg, work):
    """Return True where the plan waits with a kind of order of which the base, rolled out as it is now, gives none.

    Then its rollout is the base's own. With a treasury what one kind leaves goes to another.
    """
    plan, told = work.plan, work.price[base_of(work.plan)]
    if plan[PlanField.KIND] != Plan.WAIT or plan[PlanField.PHASE] < 0 or cfg.pooled:
        return False
    return not math.isnan(told[Left.ALONE]) and told[Left.AT_ONCE + plan[PlanField.PHASE]] == 0.0


waits_in_vain = kernel(_waits_in_vain)


def _rollout(state, cfg, key, work, b, i, horizon):
    """Return the believed value of the plan in ``work``: the objective over ``horizon`` rolled turns and the tail.

    A base's own rollout, without a plan, also sets the prices at which all that rest on it value what is left in funds.

    ``horizon`` is at least 1 and at most the turns after this one. Nothing beyond it is simulated. The plan comes
    through memory: as arguments its constants would have every kernel below compiled anew for each kind of plan.
    """
    start_realm(state, cfg, work, b, i)
    start_raids(work)
    if rivals_play(work):
        begin_walk(cfg, work)
    turns_left = work.levels[Levels.TURNS_LEFT]
    for turn in range(horizon + 1):
        if turn > 0:
            if heeds(cfg, turn, horizon):
                heed_rolled(cfg, key, work, state.world_id[b], turn)
            set_out(state, cfg, key, work, b, i, turn)
            pass_turn(state, cfg, work, b, i, turn)
        # The last turn's orders count too, through what they have under way: funds left over are not lost on it.
        if turn < turns_left:
            give_orders(state, cfg, key, work, b, i, turn, turns_left - turn)
            if turn == 0 and work.plan[PlanField.KIND] == Plan.RULE:
                note_given(work)
            if rivals_play(work):
                rivals_act(state, cfg, key, work, b, i, turn)
    if work.plan[PlanField.KIND] == Plan.RULE:
        set_prices(cfg, work, horizon, turns_left - horizon)
    return final_value(cfg, work, i, horizon, turns_left - horizon)


rollout = kernel(_rollout)
