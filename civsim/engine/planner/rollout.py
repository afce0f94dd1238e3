"""Rollout: the believed realm unrolled turn by turn under a plan, then under the rule of thumb.

Deterministic and in expectation (the rollout policy improvement of Bertsekas, "Rollout, Policy Iteration, and
Distributed Reinforcement Learning", 2020): this turn's shares, levels and prices are held; lags, depreciation and
rising costs are those of the rules.
"""

from __future__ import annotations

from enum import IntEnum

from civsim.base.kernels import kernel
from civsim.engine.formulas import (
    claim_cost,
    course_cost,
    defence_of,
    expected_loss,
    force_price,
    projected,
    projection_to,
    win_chance,
    work_cost,
    works_captured,
)
from civsim.engine.planner.belief import known_rival
from civsim.engine.planner.heuristic import heuristic_claim, heuristic_kind, heuristic_wall, heuristic_work
from civsim.engine.planner.realm import add_column, guard, refresh, rival_force_at, start_realm
from civsim.engine.planner.transition import pass_turn, set_timer, settle, tail_value
from civsim.engine.work import Count, Purse, Realm, Tally


class Plan(IntEnum):
    """What a candidate does before the rule of thumb carries on."""

    RULE = 0  # nothing of its own
    WAIT = 1  # gives no order of its kind this turn
    CLAIM = 2  # claims the cells of the path in turn
    ATTACK = 3  # the same, but the path ends in an attack
    WORK = 4  # begins one work
    WALL = 5  # raises one wall turn after turn


class Phase(IntEnum):
    """Which kind of order is being decided; waiting means waiting with this kind."""

    LAND = 0
    WORK = 1
    WALL = 2


def _pay_claim(state, cfg, work, b, i, cell, turn):
    """Pay a claim if the fund allows. Return 1 where it was paid."""
    tally = work.tally
    holdings = tally[Tally.HELD] + tally[Tally.PENDING]
    cost = claim_cost(work.claim_cost[cell], cfg.claim_growth, holdings)
    if cost > work.purse[Purse.SETTLEMENT]:
        return False
    work.purse[Purse.SETTLEMENT] -= cost
    tally[Tally.TARGET] = -1
    for k in range(tally[Tally.FRONT]):
        if work.roll_front[k] == cell:
            tally[Tally.FRONT] -= 1
            work.roll_front[k] = work.roll_front[tally[Tally.FRONT]]
            break
    if cfg.claim_lag == 0:
        settle(state, cfg, work, b, i, cell)
    else:
        work.roll_cell[tally[Tally.PENDING]] = cell
        work.roll_due[tally[Tally.PENDING]] = turn + cfg.claim_lag
        tally[Tally.PENDING] += 1
    return True


pay_claim = kernel(_pay_claim)


def _fight(state, cfg, work, b, i, cell, turn):
    """Attack ``cell`` in expectation: it is held with the chance of winning, less force lost at its price."""
    purse, tally, k = work.purse, work.tally, work.tally[Tally.HELD]
    attack = projected(purse[Purse.ARMY], projection_to(cfg, state.capital[b, i], cell))
    if attack < cfg.minimum_force:
        return False
    rival = known_rival(state, b, i, cell)
    add_column(state, cfg, work, b, i, work.realm, work.counts, k, cell)
    guards = rival_force_at(state, cfg, work, b, i, rival, cell)
    defence = defence_of(guards, work.realm[Realm.WALL, k], work.realm[Realm.RUGGEDNESS, k])
    chance = win_chance(attack, defence, cfg.decisiveness)
    lost = expected_loss(attack, chance, cfg.loss_winner, cfg.loss_loser)
    purse[Purse.ARMY] -= lost
    purse[Purse.VALUE] -= cfg.weight[turn] * lost * force_price(state, cfg, b, i)
    work.realm[Realm.STAY, k] = chance
    work.realm[Realm.WORKS, k] = works_captured(cfg, work.realm[Realm.WORKS, k])
    work.realm[Realm.WALL, k] = 0.0
    set_timer(work, k)
    work.counts[Count.IDLE, k] = cfg.capture_turns + 1
    guard(cfg, work.scalars, work.realm, work.counts, k, purse[Purse.ARMY])
    tally[Tally.HELD] = k + 1
    tally[Tally.TARGET], tally[Tally.WORK_TARGET] = -1, -1
    return True


fight = kernel(_fight)


def _follow_path(state, cfg, work, b, i, turn, length):
    """Try to claim the plan's next cell. Return True where it was paid; a plan that rivals forestall is dropped."""
    tally = work.tally
    step = tally[Tally.STEP]
    if turn < tally[Tally.READY]:
        return False
    cell = work.path[step]
    if work.rival_at[cell] <= turn + cfg.claim_lag:
        tally[Tally.STEP] = length
        return False
    if not pay_claim(state, cfg, work, b, i, cell, turn):
        return False
    tally[Tally.STEP] = step + 1
    tally[Tally.READY] = turn + cfg.claim_lag
    return True


follow_path = kernel(_follow_path)


def _order_claims(state, cfg, key, work, b, i, plan, length, turn, allowed):
    """Claim (and at its end attack) by the plan while it lasts, then by the rule of thumb; wait if too dear.

    At most ``allowed`` claims; an attack needs no fund and counts for none of them.
    """
    tally = work.tally
    claims = length if plan == Plan.CLAIM else length - 1 if plan == Plan.ATTACK else 0
    if plan == Plan.ATTACK and tally[Tally.STEP] == claims and turn >= tally[Tally.READY]:
        tally[Tally.STEP] = length
        fight(state, cfg, work, b, i, work.path[claims], turn)
    while allowed > 0:
        if tally[Tally.STEP] < claims:
            if not follow_path(state, cfg, work, b, i, turn, length):
                return
            allowed -= 1
            continue
        if plan == Plan.ATTACK and tally[Tally.STEP] == claims:
            return
        arrival = float(turn + cfg.claim_lag)
        target = tally[Tally.TARGET]
        if target < 0 or work.rival_at[work.roll_front[target]] <= arrival:
            front, n = work.roll_front, tally[Tally.FRONT]
            target = heuristic_claim(front, n, work.ratio, work.rival_at, arrival, key, state.world_id[b])
            if target < 0:
                return
            tally[Tally.TARGET] = target
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
    set_timer(work, k)
    work.counts[Count.LEFT, k] = cfg.work_turns[kind]
    work.realm[Realm.GAIN, k] = cfg.work_gain[kind]
    refresh(cfg, work.realm, work.counts, k)
    work.tally[Tally.WORK_TARGET] = -1
    return True


begin_work = kernel(_begin_work)


def _order_works(cfg, key, work, world, plan, turn, turns_left, allowed):
    """Begin the plan's work (``path`` holds its column and kind), then works by the rule of thumb."""
    tally, purse, kind = work.tally, work.purse, heuristic_kind(cfg, turns_left)
    while allowed > 0:
        if plan == Plan.WORK and tally[Tally.STEP] == 0:
            if not begin_work(cfg, work, work.path[0], work.path[1]):
                return
            tally[Tally.STEP] = 1
            allowed -= 1
            continue
        if kind < 0 or purse[Purse.WORKS] < cfg.work_cost[kind]:
            return
        if tally[Tally.WORK_TARGET] < 0:
            tally[Tally.WORK_TARGET] = heuristic_work(work.realm, work.counts, tally[Tally.HELD], key, world)
        if tally[Tally.WORK_TARGET] < 0 or not begin_work(cfg, work, tally[Tally.WORK_TARGET], kind):
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
    work.raised[work.tally[Tally.RAISED]] = k
    work.tally[Tally.RAISED] += 1
    guard(cfg, work.scalars, work.realm, work.counts, k, work.purse[Purse.ARMY])
    return True


raise_wall = kernel(_raise_wall)


def _order_walls(cfg, key, work, world, plan, length, allowed):
    """Raise the plan's wall (column ``path[0]``) for ``length`` courses, one a turn, and others by the rule."""
    tally = work.tally
    while allowed > 0 and work.purse[Purse.WALLS] >= course_cost(cfg):
        k = -1
        if plan == Plan.WALL and tally[Tally.STEP] < length and not work.counts[Count.RAISED, work.path[0]]:
            k = work.path[0]
            tally[Tally.STEP] += 1
        else:
            k = heuristic_wall(work.realm, work.counts, tally[Tally.HELD], key, world)
        if k < 0 or not raise_wall(cfg, work, k):
            return
        allowed -= 1


order_walls = kernel(_order_walls)


def _give_orders(state, cfg, key, work, b, i, phase, plan, length, turn, turns_left):
    """Give the orders of rollout turn ``turn``; in turn 0 those already given count, and waiting waits."""
    done = turn == 0
    waits = done and plan == Plan.WAIT
    claims = cfg.claims_per_turn - (work.tally[Tally.CLAIMS_DONE] if done else 0)
    works = cfg.works_per_turn - (work.tally[Tally.WORKS_DONE] if done else 0)
    walls = cfg.walls_per_turn - (work.tally[Tally.WALLS_DONE] if done else 0)
    if not (waits and phase == Phase.LAND):
        order_claims(state, cfg, key, work, b, i, plan, length, turn, claims)
    if not (waits and phase == Phase.WORK):
        order_works(cfg, key, work, state.world_id[b], plan, turn, turns_left, works)
    if work.tally[Tally.WALLS_MATTER] and not (waits and phase == Phase.WALL):
        order_walls(cfg, key, work, state.world_id[b], plan, length, walls)


give_orders = kernel(_give_orders)


def _rollout(state, cfg, key, work, b, i, phase, plan, length, horizon):
    """Return the believed value of a plan now: discounted output of ``horizon`` rolled turns and the tail.

    ``horizon`` is at least 1 and at most the turns after this one. Nothing beyond it is simulated.
    """
    start_realm(state, cfg, work, b, i)
    turns_left = cfg.turns - 1 - state.turn[b]
    for turn in range(horizon + 1):
        if turn > 0:
            pass_turn(state, cfg, work, b, i, turn)
        # The last turn's orders count too, through what they have under way: funds left over are not lost on it.
        if turn < turns_left:
            give_orders(state, cfg, key, work, b, i, phase, plan, length, turn, turns_left - turn)
    return work.purse[Purse.VALUE] + tail_value(cfg, work, horizon, turns_left - horizon)


rollout = kernel(_rollout)
