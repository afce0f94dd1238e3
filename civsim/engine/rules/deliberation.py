"""Deliberation: each civilization, in the turn's order of play, decides and gives its orders one by one.

Claims and attacks come first, then works, then walls. Each order is resolved before the next is decided, so a plan is
remade after each. Orders that are given are carried out as they are and the planner is skipped, for the civilizations
that they are given for.
"""

from __future__ import annotations

import numpy as np

from civsim.base.constants import NOBODY, Attacks, Category, Channel, OrderKind, OrderStatus
from civsim.base.kernels import kernel
from civsim.engine.formulas import course_cost, first_work_cost, work_cost
from civsim.engine.knowledge.land import read_holders
from civsim.engine.knowledge.own import list_realm, own_works, planning_turns, read_funds, read_levels
from civsim.engine.noted import Noted
from civsim.engine.offices.funds import SETTLEMENT_PURSE, WALLS_PURSE, WORKS_PURSE, charge
from civsim.engine.offices.provinces import draw_offices, has_several, send_for
from civsim.engine.offices.rows import CAPITAL, at_work, change_places, put_to_work
from civsim.engine.planner.belief import begin_beliefs
from civsim.engine.planner.decide import BY_RULE, decide, follow_base
from civsim.engine.planner.plan import Phase
from civsim.engine.planner.prepare import prepare
from civsim.engine.planner.propose import claim_is_payable, forget_values
from civsim.engine.planner.realm import forget_survey, update_base
from civsim.engine.planner.waterbed import heed_wall
from civsim.engine.rules.myopic import act_by_rule, may_act, write
from civsim.engine.rules.resolution import resolve
from civsim.engine.work import Base, Count, Fund, Realm

_PHASES = len(Phase)
PLACES = 2
"""Places of a seat of thought in a turn's order: for all, and for its province."""


def _begin(state, orders, cfg, key, work, b, i):
    """Form beliefs afresh and prepare to plan for the whole realm."""
    begin_beliefs(state, cfg, key, work, b, i)
    prepare(state, orders, cfg, key, work, b, i, list_realm(state, cfg, work, b, i))


begin = kernel(_begin)


def _resolve_for(state, orders, cfg, key, work, b, i, slot):
    """Resolve the order in ``slot`` for who is at work, whose purse pays and whose province what it takes joins."""
    if not has_several(state, cfg, b, i):
        return resolve(state, orders, cfg, key, work, b, i, slot)
    office, stock = at_work(work), state.stock[b, i]
    before = stock[Category.SETTLEMENT], stock[Category.WORKS], stock[Category.WALLS]
    done = resolve(state, orders, cfg, key, work, b, i, slot)
    if done:
        charge(state, b, i, office, SETTLEMENT_PURSE, float(before[0]) - float(stock[Category.SETTLEMENT]))
        charge(state, b, i, office, WORKS_PURSE, float(before[1]) - float(stock[Category.WORKS]))
        charge(state, b, i, office, WALLS_PURSE, float(before[2]) - float(stock[Category.WALLS]))
        if office >= 0 and orders.kind[b, i, slot] == OrderKind.CLAIM:
            send_for(state, b, i, orders.cell[b, i, slot], office)
    return done


resolve_for = kernel(_resolve_for)


def _give(state, orders, cfg, key, work, b, i, slot):
    """Resolve the order in ``slot`` and take note of what it changed. Return True where it was carried out."""
    kind, cell = orders.kind[b, i, slot], orders.cell[b, i, slot]
    forget_values(work)
    done = resolve_for(state, orders, cfg, key, work, b, i, slot)
    if done:
        work.done[kind] += 1
        read_funds(state, cfg, work, b, i)
    else:
        # A party turned back has seen who holds the cell, and what it threatens.
        read_holders(state, cfg, work, b, i)
        forget_survey(work)
    if done and (kind == OrderKind.ATTACK or (kind == OrderKind.CLAIM and cfg.claim_lag == 0)):
        begin(state, orders, cfg, key, work, b, i)
    elif done:
        update_base(state, cfg, work, b, i, kind, cell)
        if kind == OrderKind.WALL:
            heed_wall(state, cfg, key, work, b, i, cell)
    return done


give = kernel(_give)


def _can_act_on_land(cfg, work):
    """Return True where some claim seems affordable, or some attack possible; planning is idle otherwise."""
    for k in range(work.sizes[Base.FRONT]):
        if claim_is_payable(cfg, work, work.front[k]):
            return True
    fights = work.done[OrderKind.ATTACK] < cfg.attacks_per_turn and work.sizes[Base.WAR] == 1
    return fights and work.sizes[Base.RIVALS] > 0 and work.funds[Fund.ARMY] >= cfg.minimum_force


can_act_on_land = kernel(_can_act_on_land)


def _cheapest_work(cfg, work):
    """Return the least cost of a work on a cell of the region without one under way; -1 if there is none."""
    least = -1.0
    for k in range(work.sizes[Base.HELD]):
        works = work.base[Realm.WORKS, k]
        if work.base_counts[Count.LEFT, k] == 0 and (least < 0.0 or works < least):
            least = works
    if least < 0.0:
        return least
    return work_cost(first_work_cost(cfg), cfg.work_growth, least)


cheapest_work = kernel(_cheapest_work)


def _may_order(cfg, work, phase):
    """Return True where an order of this phase is left and could be paid; planning is idle otherwise."""
    if phase == Phase.LAND:
        return can_act_on_land(cfg, work)
    if phase == Phase.WORK:
        least = cheapest_work(cfg, work)
        return work.done[OrderKind.WORK] < cfg.works_per_turn and 0.0 <= least <= work.funds[Fund.WORKS]
    left = work.done[OrderKind.WALL] < cfg.walls_per_turn and work.sizes[Base.WALLS_MATTER] == 1
    return left and work.funds[Fund.WALLS] >= course_cost(cfg)


may_order = kernel(_may_order)


def _can_pay(state, cfg, work, b, i, best):
    """Return True where ``best`` begins with an order and the fund can pay it now."""
    if best.order == OrderKind.CLAIM:
        # Only as far as is believed: an order whose true cost is above it is void, and the fund waits.
        return claim_is_payable(cfg, work, best.cell)
    if best.order == OrderKind.WORK:
        price = work_cost(cfg.work_cost[best.menu], cfg.work_growth, own_works(state, b, i, best.cell))
        return price <= work.funds[Fund.WORKS]
    return best.order != OrderKind.NONE


can_pay = kernel(_can_pay)


def _carry_on(state, orders, cfg, key, work, b, i, phase, slot):
    """Give the turn's other orders of a phase as the base does whose plan was best. Return the next free slot."""
    while slot < orders.kind.shape[2] and may_order(cfg, work, phase):
        best = follow_base(state, cfg, key, work, b, i, phase)
        if not can_pay(state, cfg, work, b, i, best):
            break
        write(orders, b, i, slot, best.order, best.cell, best.menu)
        slot += 1
        if not give(state, orders, cfg, key, work, b, i, slot - 1):
            break
    return slot


carry_on = kernel(_carry_on)


def _order(state, orders, cfg, key, work, b, i, phase, slot):
    """Decide and give orders of a phase until none can be paid or waiting is best. Return the next free slot."""
    while slot < orders.kind.shape[2] and may_order(cfg, work, phase):
        best = decide(state, cfg, key, work, b, i, phase)
        if not can_pay(state, cfg, work, b, i, best):
            break
        write(orders, b, i, slot, best.order, best.cell, best.menu)
        if give(state, orders, cfg, key, work, b, i, slot):
            slot += 1
            if best.which == BY_RULE:
                return carry_on(state, orders, cfg, key, work, b, i, phase, slot)
            continue
        if phase != Phase.LAND:
            break
        slot += 1
        if state.owner[b, best.cell] == NOBODY:
            break
        begin(state, orders, cfg, key, work, b, i)
    return slot


order = kernel(_order)


def _command(state, orders, cfg, key, work, b, i, slot):
    """Let who is at work decide and give orders, from ``slot`` on. Return the next free slot."""
    read_funds(state, cfg, work, b, i)
    if not may_act(state, cfg, work, b, i):
        return slot
    read_levels(state, cfg, work, b, i)
    work.sizes[Base.CHOSEN], work.sizes[Base.HOLDS] = 0, 0
    begin(state, orders, cfg, key, work, b, i)
    given = np.int64(NOBODY)
    # What one phase leaves in a treasury another may want once it has had its turn: they go round until none orders.
    while given < work.done.sum():
        given = work.done.sum()
        for phase in range(_PHASES):
            slot = order(state, orders, cfg, key, work, b, i, phase, slot)
        if not cfg.pooled:
            break
    return slot


command = kernel(_command)


def _take_turn(state, cfg, work, b, i, place):
    """Put who decides at ``place`` of a turn to work. Return False where nobody does.

    Each seat of thought has two places: at the first the capital decides for all, from its pool, at the second each
    seat decides for its province.
    """
    office = np.int64(work.office_order[place // PLACES])
    for_all = place % PLACES == 0
    # One that has fallen in this turn decides nothing more.
    if state.office_cell[b, i, office] < 0 or (for_all and (office != CAPITAL or cfg.pool[i] == 0.0)):
        return False
    change_places(state, cfg, b, i, office)
    put_to_work(work, np.int64(NOBODY) if for_all else office)
    return True


take_turn = kernel(_take_turn)


def _end_turn(state, cfg, work, b, i, place):
    """Let who has decided at ``place`` of a turn stand back."""
    put_to_work(work, np.int64(NOBODY))
    change_places(state, cfg, b, i, np.int64(work.office_order[place // PLACES]))


end_turn = kernel(_end_turn)


def _deliberate(state, orders, cfg, key, work, b, i):
    """Let civilization ``i`` of world ``b`` decide and give its orders of this turn, seat of thought by seat."""
    work.done[:] = 0
    slot, several, places = np.int64(0), has_several(state, cfg, b, i), np.int64(1)
    if several:
        draw_offices(state, cfg, key, work, b, i)
        places = np.int64(PLACES * state.office_count[b, i])
    # One call for one seat and for many: the planner is compiled into every place that calls it.
    for place in range(places):
        if several and not take_turn(state, cfg, work, b, i, place):
            continue
        slot = command(state, orders, cfg, key, work, b, i, slot)
        if several:
            end_turn(state, cfg, work, b, i, place)


deliberate = kernel(_deliberate)


def _replay(state, orders, cfg, key, work, b, i):
    """Carry out the orders given to civilization ``i``, slot by slot."""
    for slot in range(orders.kind.shape[2]):
        if orders.kind[b, i, slot] != OrderKind.NONE:
            resolve(state, orders, cfg, key, work, b, i, slot)


replay = kernel(_replay)


def _clear_orders(orders, work, b):
    """Empty the orders of world ``b``; given ones keep all but their status."""
    orders.status[b] = OrderStatus.EMPTY
    if not work.replay:
        orders.kind[b] = OrderKind.NONE
        orders.cell[b] = NOBODY
        orders.choice[b] = 0
        return
    for i in range(orders.kind.shape[1]):
        if not work.given[b, i]:
            orders.kind[b, i] = OrderKind.NONE
            orders.cell[b, i] = NOBODY
            orders.choice[b, i] = 0


clear_orders = kernel(_clear_orders)


def _looks_ahead(state, cfg, b, i):
    """Return True where civilization ``i`` looks beyond the rule of each kind: at other kinds, later turns, attacks."""
    if cfg.pooled or (cfg.attacks[i] == Attacks.RULE and cfg.attacks_per_turn > 0):
        return True
    horizon = state.level[b, i, Channel.HORIZON]
    return max(planning_turns(cfg.reach[i], horizon), planning_turns(cfg.rollout[i], horizon)) > 0


looks_ahead = kernel(_looks_ahead)


def _deliberation_by_rule(state, orders, cfg, key, work):
    """Rule 6 of a turn where no seat can ever look ahead: the same, without a planner to compile."""
    for b in range(work.lo, work.hi):
        clear_orders(orders, work, b)
        if state.turn[b] >= cfg.turns:
            continue
        for place in range(cfg.n_civs):
            # One type of seat for every kernel: each further one would have all of them compiled again.
            i = np.int64(state.play_order[b, place])
            if not state.alive[b, i]:
                continue
            if work.replay and work.given[b, i]:
                replay(state, orders, cfg, key, work, b, i)
            else:
                act_by_rule(state, orders, cfg, key, work, b, i)


deliberation_by_rule = kernel(_deliberation_by_rule)


def _deliberation(state, orders, cfg, key, work):
    """Rule 6 of a turn: plan, order and resolve, civilization by civilization in the order of play."""
    work.noted[Noted.DECISIONS] = 0
    for b in range(work.lo, work.hi):
        clear_orders(orders, work, b)
        if state.turn[b] >= cfg.turns:
            continue
        for place in range(cfg.n_civs):
            i = np.int64(state.play_order[b, place])
            if not state.alive[b, i]:
                continue
            if work.replay and work.given[b, i]:
                replay(state, orders, cfg, key, work, b, i)
            elif looks_ahead(state, cfg, b, i) or has_several(state, cfg, b, i):
                deliberate(state, orders, cfg, key, work, b, i)
            else:
                act_by_rule(state, orders, cfg, key, work, b, i)


# The planner is a hundred kernels, one within another: after one round alone a turn takes a twentieth longer.
deliberation = kernel(_deliberation, rounds=2)
