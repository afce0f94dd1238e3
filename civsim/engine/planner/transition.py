"""A rollout's turn: what arrives, is sacked, produced and paid in; and the worth of what stands after the last."""

from __future__ import annotations

import math

import numpy as np

from civsim.base.constants import Category
from civsim.base.kernels import inlined, kernel
from civsim.engine.formulas import (
    defence_of,
    is_sacked,
    left_by_raiders,
    mustered,
    paid_in,
    projected,
)
from civsim.engine.knowledge.beliefs import believe
from civsim.engine.knowledge.land import known_rival, seems_free
from civsim.engine.planner.belief import is_marked, set_mark
from civsim.engine.planner.ladder import UNKNOWN, index_alone
from civsim.engine.planner.minds import rivals_pass, rivals_play
from civsim.engine.planner.plan import BaseRule, base_of
from civsim.engine.planner.price import surplus_left
from civsim.engine.planner.ranking import note_change, note_changes, note_new
from civsim.engine.planner.realm import add_column, guard, refresh, score_wall, set_timer, steady_output, watch
from civsim.engine.planner.ways import CLEARLY
from civsim.engine.registers import ROLLED
from civsim.engine.work import Base, Belief, Clock, Count, Fund, Left, PlanField, Purse, Ranked, Realm, Roll

GARRISON_STEP = 0.25
"""The chances of loss are worked out again when the army has changed by this share of what it was and it faces."""


def _reconsider_work(work, k):
    """Forget the next work of the rule, so that it is looked for anew, unless column ``k`` scores clearly less."""
    score, at = work.realm[Realm.WORK_SCORE], work.roll[Roll.WORK_TARGET]
    if at >= 0 and score[k] >= CLEARLY * score[at]:
        work.roll[Roll.WORK_TARGET] = -1


reconsider_work = inlined(_reconsider_work)


def _reconsider_claim(work, cell):
    """Forget the next claim of the base unless ``cell``, new on the frontier, is clearly worse; its index is made."""
    kept, index = work.roll[Roll.TARGET], work.ratio
    if kept < 0:
        return
    if work.plan[PlanField.BASE] == BaseRule.INDEX and max(work.potential[kept], work.potential[cell]) > 0.0:
        index = work.potential
    if index[cell] >= CLEARLY * index[kept]:
        work.roll[Roll.TARGET] = -1


reconsider_claim = kernel(_reconsider_claim)


def _open_way(state, cfg, work, b, i, cell, chance):
    """Free cells beside ``cell``, which is held with a ``chance``, join the frontier; rivals' can be attacked.

    A claim stands by the chance it was paid at: a better way that opens later does not make it surer.
    """
    roll = work.roll
    for side in range(cfg.neighbours.shape[1]):
        other = cfg.neighbours[cell, side]
        if other < 0:
            continue
        if is_marked(work, other):
            if work.claimed[other] != work.clock[Clock.MARK]:
                work.opened[other] = max(work.opened[other], chance)
        elif seems_free(state, b, i, other):
            believe(state, cfg, work, b, i, other)
            set_mark(work, other)
            work.opened[other] = chance
            if work.plan[PlanField.BASE] == BaseRule.INDEX and work.potential[other] == UNKNOWN:
                work.potential[other] = index_alone(cfg, work, other)
            work.roll_front[roll[Roll.FRONT]] = other
            roll[Roll.FRONT] += 1
            note_new(work, np.int64(other))
            reconsider_claim(work, other)
        elif work.sizes[Base.WAR] and known_rival(state, b, i, other) >= 0:
            set_mark(work, other)
            work.opened[other] = chance
            work.roll_foes[roll[Roll.FOES]] = other
            roll[Roll.FOES] += 1


open_way = kernel(_open_way)


def _settle(state, cfg, work, b, i, cell):
    """A party takes ``cell``: a new column, and its free neighbours join the frontier."""
    roll, k = work.roll, work.roll[Roll.HELD]
    add_column(state, cfg, work, b, i, work.realm, work.counts, k, cell)
    work.realm[Realm.STAY, k] = work.opened[cell]
    guard(cfg, work.realm, work.counts, k, work.purse[Purse.ARMY])
    roll[Roll.HELD] = k + 1
    note_changes(work, np.int64(k))
    reconsider_work(work, k)
    open_way(state, cfg, work, b, i, cell, work.opened[cell])


settle = kernel(_settle)


def _arrive(state, cfg, work, b, i, turn):
    """Parties due in rollout turn ``turn`` settle."""
    n, k = work.roll[Roll.PENDING], 0
    while k < n:
        if work.roll_due[k] <= turn:
            cell = work.roll_cell[k]
            n -= 1
            work.roll_cell[k], work.roll_due[k] = work.roll_cell[n], work.roll_due[n]
            work.roll[Roll.PENDING] = n
            settle(state, cfg, work, b, i, cell)
        else:
            k += 1


arrive = inlined(_arrive)


def _suffer_raids(cfg, work, turn):
    """Bands believed to arrive in rollout turn ``turn`` sack their cell unless it holds."""
    realm, counts = work.realm, work.counts
    for r in range(work.sizes[Base.RAIDS]):
        k = np.int64(work.raid_column[ROLLED, r])
        if k < 0 or work.raid_due[ROLLED, r] != turn:
            continue
        force = projected(work.purse[Purse.ARMY], realm[Realm.PROJECTION, k])
        defence = defence_of(force, realm[Realm.WALL, k], realm[Realm.RUGGEDNESS, k])
        if is_sacked(defence, work.raid_force[r]):
            work.roll[Roll.TIMERS] = set_timer(counts, work.timer, work.roll[Roll.TIMERS], k)
            counts[Count.IDLE, k] = max(counts[Count.IDLE, k], cfg.raid_turns + 1)
            realm[Realm.WORKS, k] = left_by_raiders(cfg, realm[Realm.WORKS, k])
            realm[Realm.WALL, k] = left_by_raiders(cfg, realm[Realm.WALL, k])
            guard(cfg, realm, counts, k, work.purse[Purse.ARMY])
            note_changes(work, k)
            # What is left of the works decides which is worked next.
            reconsider_work(work, k)


suffer_raids = inlined(_suffer_raids)


def _tick(cfg, work):
    """A turn passes for every column that is idle or has a work under way."""
    realm, counts, roll, at = work.realm, work.counts, work.roll, 0
    while at < roll[Roll.TIMERS]:
        k, changed, matured = np.int64(work.timer[at]), False, False
        if counts[Count.LEFT, k] > 0:
            counts[Count.LEFT, k] -= 1
            if counts[Count.LEFT, k] == 0:
                realm[Realm.WORKS, k] += realm[Realm.GAIN, k]
                changed = matured = True
        if counts[Count.IDLE, k] > 0:
            counts[Count.IDLE, k] -= 1
            changed = changed or counts[Count.IDLE, k] == 0
        if changed:
            refresh(cfg, realm, counts, k)
            if matured:
                note_changes(work, k)
            reconsider_work(work, k)
        if counts[Count.LEFT, k] == 0 and counts[Count.IDLE, k] == 0:
            roll[Roll.TIMERS] -= 1
            work.timer[at] = work.timer[roll[Roll.TIMERS]]
        else:
            at += 1


tick = inlined(_tick)


def _weigh(stay, hold, out, n):
    """Let survival pass a turn (stay ← stay · hold) and return Σ stay · out over ``n`` columns."""
    total = 0.0
    for k in range(n):
        stay[k] *= hold[k]
        total += stay[k] * out[k]
    return total


# The sum may be taken in any order: that is what lets it run in vector registers.
weigh = inlined(_weigh, fastmath={"reassoc", "contract"})


def _dot(stay, out, n):
    """Return Σ stay · out over ``n`` columns."""
    total = 0.0
    for k in range(n):
        total += stay[k] * out[k]
    return total


dot = inlined(_dot, fastmath={"reassoc", "contract"})


def _produce(cfg, work, turn):
    """Return the expected output of rollout turn ``turn``."""
    realm, n = work.realm, work.roll[Roll.HELD]
    total = weigh(realm[Realm.STAY], realm[Realm.HOLD], realm[Realm.OUT], n)
    if cfg.volatility > 0.0:
        total += cfg.swing_weight[turn] * dot(realm[Realm.STAY], realm[Realm.SWING_OUT], n)
    return total


produce = inlined(_produce)


def _pay_in(state, cfg, work, b, i, given, turn):
    """Depreciate the funds and add the turn's spending, of what the region has ``given``; force musters.

    The funds gain what one commands of it; the army is that of the whole realm.
    """
    purse, shares, loss = work.purse, work.shares[b, i], cfg.depreciation
    settlement, works, walls = Category.SETTLEMENT, Category.WORKS, Category.WALLS
    output = work.funds[Fund.COMMANDED] * given + work.funds[Fund.GRANTED]
    purse[Purse.SETTLEMENT] = paid_in(purse[Purse.SETTLEMENT], loss[settlement], shares[settlement] * output)
    purse[Purse.WORKS] = paid_in(purse[Purse.WORKS], loss[works], shares[works] * output)
    purse[Purse.WALLS] = paid_in(purse[Purse.WALLS], loss[walls], shares[walls] * output)
    realm, date = given + work.funds[Fund.REST], state.turn[b] + turn
    raised = shares[Category.ARMY] * realm / work.funds[Fund.FORCE_PRICE]
    purse[Purse.ARMY] = mustered(purse[Purse.ARMY], loss[Category.ARMY], work.muster, date, cfg.army_lag, raised)
    scale = purse[Purse.GARRISON] + max(work.scalars[Belief.FORCE], cfg.raid_strength)
    if work.sizes[Base.WALLS_MATTER] and abs(purse[Purse.ARMY] - purse[Purse.GARRISON]) > GARRISON_STEP * scale:
        purse[Purse.GARRISON] = purse[Purse.ARMY]
        for k in range(work.roll[Roll.HELD]):
            watch(cfg, work.realm, work.counts, k, purse[Purse.ARMY])


pay_in = inlined(_pay_in)


def _tail_value(cfg, work, turn, turns_left):
    """Return what stands at rollout turn ``turn`` yields over the ``turns_left`` after it, discounted to that turn.

    Output × Σ γ^s with what is under way counted from when it is due: the one evaluator of every plan on a base.
    """
    realm, counts, n = work.realm, work.counts, work.roll[Roll.HELD]
    if turns_left <= 0:
        return 0.0
    all_years, all_swing = cfg.annuity[turns_left], cfg.swing_annuity[turns_left]
    kept = work.price[base_of(work.plan), Left.KEPT]
    for k in range(work.sizes[Base.HELD], n):
        if realm[Realm.KEEP, k] < kept:
            # Its walls stand no longer than the rollout lasts; in time it is walled as the rest.
            realm[Realm.KEEP, k] = kept
            refresh(cfg, realm, counts, k)
    total = all_years * dot(realm[Realm.STAY], realm[Realm.OUT], n)
    if cfg.volatility > 0.0:
        total += all_swing * cfg.swing_weight[turn] * dot(realm[Realm.STAY], realm[Realm.SWING_OUT], n)
    for at in range(work.roll[Roll.TIMERS]):
        k = work.timer[at]
        skipped = max(min(counts[Count.IDLE, k], turns_left + 1) - 1, 0)
        worth = 0.0
        if counts[Count.IDLE, k] > 0:
            worth += steady_output(realm, k) * (all_years - cfg.annuity[skipped])
            swing_years = all_swing - cfg.swing_annuity[skipped]
            worth += realm[Realm.SWING, k] * (1.0 + realm[Realm.WORKS, k]) * swing_years * cfg.swing_weight[turn]
        if 0 < counts[Count.LEFT, k] <= turns_left:
            late = max(counts[Count.LEFT, k] - 1, skipped)
            worth += realm[Realm.GAIN, k] * realm[Realm.FERTILITY, k] * (all_years - cfg.annuity[late])
        total += realm[Realm.STAY, k] * realm[Realm.KEEP, k] * worth
    for k in range(work.roll[Roll.PENDING]):
        late = work.roll_due[k] - turn - 1
        if late < turns_left:
            cell, late = work.roll_cell[k], max(late, 0)
            swing_years = (all_swing - cfg.swing_annuity[late]) * cfg.swing_weight[turn]
            steady = (work.value[cell] - work.swing[cell]) * (all_years - cfg.annuity[late])
            total += kept * work.opened[cell] * (steady + work.swing[cell] * swing_years)
    return total


tail_value = kernel(_tail_value)


def _objective_of(cfg, work, i, output):
    """Return what a turn of this ``output`` adds to the objective: log(1 + consumption / c0), or output.

    Shares are held, so consumption and share are as output; so is what is called welfare where nothing is consumed.
    """
    if work.funds[Fund.CONSUMED] == 0.0:
        return output
    return math.log1p(work.funds[Fund.CONSUMED] * (output + work.funds[Fund.REST]))


objective_of = kernel(_objective_of)


def _marginal(cfg, work, i, output):
    """Return what a unit of output more adds to the objective of a turn of this ``output``."""
    consumed = work.funds[Fund.CONSUMED]
    return 1.0 if consumed == 0.0 else consumed / (1.0 + consumed * (output + work.funds[Fund.REST]))


marginal = kernel(_marginal)


def _final_value(cfg, work, i, turn, turns_left):
    """Return the value of a rollout that ends in turn ``turn`` with ``turns_left`` to come, all in the objective.

    What stands, and what is left in the funds at ``work.price``, is spread evenly over the turns to come. Force lost
    counts at its worth when it is lost, at the marginal value of the output to come.
    """
    purse, price = work.purse, work.price[base_of(work.plan)]
    years = cfg.annuity[turns_left] if turns_left > 0 else 0.0
    total = tail_value(cfg, work, turn, turns_left)
    total += surplus_left(work) + price[Left.LAND] * purse[Purse.SETTLEMENT] + price[Left.WORKS] * purse[Purse.WORKS]
    mean = total / years if years > 0.0 else purse[Purse.LAST]
    to_come = years * objective_of(cfg, work, i, mean) if years > 0.0 else 0.0
    return purse[Purse.VALUE] + cfg.weight[turn] * to_come - purse[Purse.LOST] * marginal(cfg, work, i, mean)


final_value = kernel(_final_value)


def _pass_turn(state, cfg, work, b, i, turn):
    """Rollout turn ``turn``: arrivals, raids, output, funds."""
    for at in range(work.roll[Roll.RAISED]):
        k = np.int64(work.raised[at])
        work.counts[Count.RAISED, k] = 0
        score_wall(cfg, work.realm, work.counts, k)
        note_change(work, np.int64(Ranked.WALLS), k)
    work.roll[Roll.RAISED] = 0
    arrive(state, cfg, work, b, i, turn)
    if rivals_play(work):
        rivals_pass(state, cfg, work, b, i, turn)
    suffer_raids(cfg, work, turn)
    tick(cfg, work)
    output = produce(cfg, work, turn)
    work.purse[Purse.VALUE] += cfg.weight[turn] * objective_of(cfg, work, i, output)
    work.purse[Purse.LAST] = output
    pay_in(state, cfg, work, b, i, output, turn)


pass_turn = inlined(_pass_turn)
