"""Rollout: the believed realm unrolled turn by turn under a plan, then under the rule of thumb.

Deterministic and in expectation (the rollout policy improvement of Bertsekas, "Rollout, Policy Iteration, and
Distributed Reinforcement Learning", 2020): this turn's shares, levels and prices are held; lags, depreciation and
rising costs are those of the rules.
"""

from __future__ import annotations

from civsim.base.constants import OrderKind
from civsim.base.kernels import kernel
from civsim.engine.formulas import (
    claim_cost,
    course_cost,
    defence_of,
    expected_loss,
    projected,
    projection_to,
    win_chance,
    work_cost,
    works_captured,
)
from civsim.engine.knowledge.land import known_rival
from civsim.engine.knowledge.own import own_seat
from civsim.engine.planner.heuristic import heuristic_claim, heuristic_kind, heuristic_wall, heuristic_work
from civsim.engine.planner.plan import BaseRule, Phase, Plan
from civsim.engine.planner.price import set_prices
from civsim.engine.planner.realm import add_column, guard, refresh, rival_force_at, set_timer, start_realm
from civsim.engine.planner.transition import final_value, pass_turn, settle
from civsim.engine.work import Base, Clock, Count, Fund, Levels, PlanField, Purse, Realm, Roll


def _pay_claim(state, cfg, work, b, i, cell, turn):
    """Pay a claim if the fund allows. Return 1 where it was paid."""
    roll = work.roll
    holdings = roll[Roll.HELD] + roll[Roll.PENDING]
    cost = claim_cost(work.claim_cost[cell], cfg.claim_growth, holdings)
    if cost > work.purse[Purse.SETTLEMENT]:
        return False
    work.purse[Purse.SETTLEMENT] -= cost
    work.claimed[cell] = work.clock[Clock.MARK]
    roll[Roll.TARGET] = -1
    for k in range(roll[Roll.FRONT]):
        if work.roll_front[k] == cell:
            roll[Roll.FRONT] -= 1
            work.roll_front[k] = work.roll_front[roll[Roll.FRONT]]
            break
    if cfg.claim_lag == 0:
        settle(state, cfg, work, b, i, cell)
    else:
        work.roll_cell[roll[Roll.PENDING]] = cell
        work.roll_due[roll[Roll.PENDING]] = turn + cfg.claim_lag
        roll[Roll.PENDING] += 1
    return True


pay_claim = kernel(_pay_claim)


def _fight(state, cfg, work, b, i, cell, turn):
    """Attack ``cell`` in expectation: it is held with the chance of winning, less force lost at its price."""
    purse, roll, k = work.purse, work.roll, work.roll[Roll.HELD]
    attack = projected(purse[Purse.ARMY], projection_to(cfg, own_seat(state, b, i), cell))
    if attack < cfg.minimum_force:
        return False
    rival = known_rival(state, b, i, cell)
    add_column(state, cfg, work, b, i, work.realm, work.counts, k, cell)
    guards = rival_force_at(state, cfg, work, b, i, rival, cell)
    defence = defence_of(guards, work.realm[Realm.WALL, k], work.realm[Realm.RUGGEDNESS, k])
    chance = win_chance(attack, defence, cfg.decisiveness)
    lost = expected_loss(attack, chance, cfg.loss_winner, cfg.loss_loser)
    purse[Purse.ARMY] -= lost
    purse[Purse.LOST] += cfg.weight[turn] * lost * work.funds[Fund.FORCE_PRICE]
    work.realm[Realm.STAY, k] = chance
    work.realm[Realm.WORKS, k] = works_captured(cfg, work.realm[Realm.WORKS, k])
    work.realm[Realm.WALL, k] = 0.0
    roll[Roll.TIMERS] = set_timer(work.counts, work.timer, roll[Roll.TIMERS], k)
    work.counts[Count.IDLE, k] = cfg.capture_turns + 1
    guard(cfg, work.scalars, work.realm, work.counts, k, purse[Purse.ARMY])
    roll[Roll.HELD] = k + 1
    roll[Roll.TARGET], roll[Roll.WORK_TARGET] = -1, -1
    return True


fight = kernel(_fight)


def _follow_path(state, cfg, work, b, i, turn):
    """Try to claim the plan's next cell. Return True where it was paid; a plan that rivals forestall is dropped."""
    roll = work.roll
    step = roll[Roll.STEP]
    if turn < roll[Roll.READY]:
        return False
    cell = work.path[step]
    if work.rival_at[cell] <= turn + cfg.claim_lag:
        roll[Roll.STEP] = work.plan[PlanField.LENGTH]
        return False
    if not pay_claim(state, cfg, work, b, i, cell, turn):
        return False
    roll[Roll.STEP] = step + 1
    roll[Roll.READY] = turn + cfg.claim_lag
    return True


follow_path = kernel(_follow_path)


def _claims_of(plan):
    """Return how many cells a plan claims before it ends, or attacks."""
    if plan[PlanField.KIND] == Plan.CLAIM:
        return plan[PlanField.LENGTH]
    return plan[PlanField.LENGTH] - 1 if plan[PlanField.KIND] == Plan.ATTACK else 0


claims_of = kernel(_claims_of)


def _order_claims(state, cfg, key, work, b, i, turn, allowed):
    """Claim (and at its end attack) by the plan while it lasts, then by the rule of thumb; wait if too dear.

    At most ``allowed`` claims; an attack needs no fund and counts for none of them.
    """
    roll, claims = work.roll, claims_of(work.plan)
    attacks = work.plan[PlanField.KIND] == Plan.ATTACK
    if attacks and roll[Roll.STEP] == claims and turn >= roll[Roll.READY]:
        roll[Roll.STEP] = work.plan[PlanField.LENGTH]
        fight(state, cfg, work, b, i, work.path[claims], turn)
    while allowed > 0:
        if roll[Roll.STEP] < claims:
            if not follow_path(state, cfg, work, b, i, turn):
                return
            allowed -= 1
            continue
        if attacks and roll[Roll.STEP] == claims:
            return
        arrival = float(turn + cfg.claim_lag)
        target = roll[Roll.TARGET]
        if target < 0 or work.rival_at[work.roll_front[target]] <= arrival:
            front, n, target = work.roll_front, roll[Roll.FRONT], -1
            if work.plan[PlanField.BASE] == BaseRule.INDEX:
                target = heuristic_claim(front, n, work.potential, work.rival_at, arrival, key, state.world_id[b])
            if target < 0:
                target = heuristic_claim(front, n, work.ratio, work.rival_at, arrival, key, state.world_id[b])
            if target < 0:
                return
            roll[Roll.TARGET] = target
        if not pay_claim(state, cfg, work, b, i, work.roll_front[target], turn):
            return
        allowed -= 1


order_claims = kernel(_order_claims)


def _begin_work(cfg, work, k, kind):
    """Pay for a work on column ``k`` if the fund allows. Return True where it was begun."""
    cost = work_cost(cfg.work_cost[kind], cfg.work_growth, work.realm[Realm.WORKS, k])
    if cost > work.purse[Purse.WORKS]:
        return False
    work.purse[Purse.WORKS] -= cost
    work.roll[Roll.TIMERS] = set_timer(work.counts, work.timer, work.roll[Roll.TIMERS], k)
    work.counts[Count.LEFT, k] = cfg.work_turns[kind]
    work.realm[Realm.GAIN, k] = cfg.work_gain[kind]
    refresh(cfg, work.realm, work.counts, k)
    work.roll[Roll.WORK_TARGET] = -1
    return True


begin_work = kernel(_begin_work)


def _order_works(cfg, key, work, world, turns_left, allowed):
    """Begin the plan's work, then works by the rule of thumb."""
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
        if roll[Roll.WORK_TARGET] < 0:
            roll[Roll.WORK_TARGET] = heuristic_work(work.realm, work.counts, roll[Roll.HELD], key, world)
        if roll[Roll.WORK_TARGET] < 0 or not begin_work(cfg, work, roll[Roll.WORK_TARGET], kind):
            return
        allowed -= 1


order_works = kernel(_order_works)


def _raise_wall(cfg, work, k):
    """Raise the wall of column ``k`` by a full course if the fund allows. Return True where it rose."""
    cost = course_cost(cfg)
    if cost > work.purse[Purse.WALLS]:
        return False
    work.purse[Purse.WALLS] -= cost
    work.realm[Realm.WALL, k] += cfg.wall_rate
    work.counts[Count.RAISED, k] = 1
    work.raised[work.roll[Roll.RAISED]] = k
    work.roll[Roll.RAISED] += 1
    guard(cfg, work.scalars, work.realm, work.counts, k, work.purse[Purse.ARMY])
    return True


raise_wall = kernel(_raise_wall)


def _order_walls(cfg, key, work, world, allowed):
    """Raise the plan's wall by its courses, one a turn, and others by the rule of thumb."""
    roll, plan = work.roll, work.plan
    courses = plan[PlanField.COURSES] if plan[PlanField.KIND] == Plan.WALL else 0
    while allowed > 0 and work.purse[Purse.WALLS] >= course_cost(cfg):
        k = -1
        if roll[Roll.STEP] < courses and not work.counts[Count.RAISED, plan[PlanField.COLUMN]]:
            k = plan[PlanField.COLUMN]
            roll[Roll.STEP] += 1
        else:
            k = heuristic_wall(work.realm, work.counts, roll[Roll.HELD], key, world)
        if k < 0 or not raise_wall(cfg, work, k):
            return
        allowed -= 1


order_walls = kernel(_order_walls)


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
        order_claims(state, cfg, key, work, b, i, turn, claims)
    if waits != Phase.WORK:
        order_works(cfg, key, work, state.world_id[b], turns_left, works)
    if work.sizes[Base.WALLS_MATTER] and waits != Phase.WALL:
        order_walls(cfg, key, work, state.world_id[b], walls)


give_orders = kernel(_give_orders)


def _rollout(state, cfg, key, work, b, i, horizon):
    """Return the believed value of the plan in ``work``: the objective over ``horizon`` rolled turns and the tail.

    A base's own rollout, without a plan, also sets the prices at which all that rest on it value what is left in funds.

    ``horizon`` is at least 1 and at most the turns after this one. Nothing beyond it is simulated. The plan comes
    through memory: as arguments its constants would have every kernel below compiled anew for each kind of plan.
    """
    start_realm(state, cfg, work, b, i)
    turns_left = work.levels[Levels.TURNS_LEFT]
    for turn in range(horizon + 1):
        if turn > 0:
            pass_turn(state, cfg, work, b, i, turn)
        # The last turn's orders count too, through what they have under way: funds left over are not lost on it.
        if turn < turns_left:
            give_orders(state, cfg, key, work, b, i, turn, turns_left - turn)
    if work.plan[PlanField.KIND] == Plan.RULE:
        set_prices(cfg, work, horizon, turns_left - horizon)
    return final_value(cfg, work, i, horizon, turns_left - horizon)


rollout = kernel(_rollout)
