"""Decisions: one order of a kind, by the rule of thumb at h = 0 and by the best of the candidate plans beyond.

Each decision is a function of (knowledge, region, levels, funds) and returns ids only. The region is the list of own
cells that ``prepare`` is given; levels and funds are what ``knowledge.own`` has read into ``work``; all else is
what the civilization knows, through ``civsim.engine.knowledge``, and believes. Call ``begin_beliefs`` and
``prepare``, then :func:`decide`.
"""

from __future__ import annotations

import math

import numpy as np

from civsim.base.constants import NOBODY, TIE, OrderKind
from civsim.base.kernels import kernel
from civsim.engine.formulas import preferred
from civsim.engine.planner.notes import begin_entry, is_kept, note_side
from civsim.engine.planner.plan import RULES, BaseRule, Best, Phase, Plan, base_of, set_base
from civsim.engine.planner.propose import (
    attack_now,
    forget_values,
    look_around,
    n_bases,
    n_policies,
    order_of_rule,
    propose,
    rolled_turns,
    walls_are_planned,
)
from civsim.engine.planner.raids import courses_against
from civsim.engine.planner.rollout import rollout, waits_in_vain
from civsim.engine.planner.search import trace
from civsim.engine.work import UNSEARCHED, Base, Count, Left, Levels, PlanField, Rule

BY_RULE, _WAITING = -UNSEARCHED, -1
"""Candidates of every phase, before those that were searched for."""

_DIGITS = 2.0**32


def _rounded(value):
    """Return a value with the last bits of its arithmetic rounded away: 32 binary digits are kept."""
    mantissa, exponent = math.frexp(value)
    return math.ldexp(round(mantissa * _DIGITS) / _DIGITS, exponent)


rounded = kernel(_rounded)


def _note_plan(state, b, i, kind, cell, value):
    """Remember the plan just made, for the observation."""
    state.plan_kind[b, i] = kind
    state.plan_cell[b, i] = cell
    state.plan_value[b, i] = value
    state.plan_turn[b, i] = state.turn[b]
    state.plans[b, i] += 1


note_plan = kernel(_note_plan)


def _set_path(work, index):
    """Make the candidate the path of claims, or of claims to an attack, that scores ``index``-th best."""
    plan, target = work.plan, work.choice_entity[index]
    plan[PlanField.KIND] = work.choice_plan[index]
    if plan[PlanField.KIND] == Plan.CLAIM:
        # The best path through the cell, whole; the base carries on behind it.
        if work.goal[target] == target:
            work.path[0], plan[PlanField.LENGTH] = target, 1
        else:
            plan[PlanField.LENGTH] = trace(work, work.goal[target])
    else:
        plan[PlanField.LENGTH] = trace(work, target)
    plan[PlanField.READY] = np.int64(work.root[target])
    if plan[PlanField.KIND] == Plan.CLAIM and work.rule[Rule.ORDER] == OrderKind.ATTACK:
        # The base attacks beside the claims, and does so first.
        plan[PlanField.ORDER], plan[PlanField.CELL] = OrderKind.ATTACK, work.rule[Rule.CELL]
    # A path that goes on from a party under way waits until that arrives.
    elif work.root[target] <= 0.0:
        fights = plan[PlanField.KIND] == Plan.ATTACK and plan[PlanField.LENGTH] == 1
        plan[PlanField.ORDER] = OrderKind.ATTACK if fights else OrderKind.CLAIM
        plan[PlanField.CELL] = work.path[0]


set_path = kernel(_set_path)


def _set_site(cfg, work, phase, index):
    """Make the candidate the ``index``-th best work, or wall: raised every turn within reach, or until it holds."""
    plan, k = work.plan, work.choice_column[index]
    plan[PlanField.COLUMN], plan[PlanField.CELL] = k, work.base_counts[Count.CELL, k]
    if phase == Phase.WORK:
        plan[PlanField.KIND], plan[PlanField.ORDER] = Plan.WORK, OrderKind.WORK
        plan[PlanField.MENU] = work.choice_menu[index]
    else:
        plan[PlanField.KIND], plan[PlanField.ORDER] = Plan.WALL, OrderKind.WALL
        plan[PlanField.COURSES] = courses_against(cfg, work, k, max(work.levels[Levels.REACH], 1))


set_site = kernel(_set_site)


def _set_plan(cfg, work, phase, index, base):
    """Make ``work.plan`` the ``index``-th candidate; -2 is the base's own plan, -1 waiting with this kind.

    What carries on after it is ``base``. Return False where that is no plan of its own.
    """
    plan, rule = work.plan, work.rule
    plan[:] = 0
    plan[PlanField.PHASE], plan[PlanField.ORDER], plan[PlanField.CELL] = phase, OrderKind.NONE, NOBODY
    set_base(plan, base)
    if index == BY_RULE:
        plan[PlanField.KIND], plan[PlanField.ORDER] = Plan.RULE, rule[Rule.ORDER]
        plan[PlanField.CELL], plan[PlanField.MENU] = rule[Rule.CELL], rule[Rule.MENU]
        return True
    if index == _WAITING:
        plan[PlanField.KIND] = Plan.WAIT
        return rule[Rule.MAY_WAIT] == 1
    if phase == Phase.LAND:
        set_path(work, index)
        return work.path[0] != rule[Rule.CELL] or plan[PlanField.LENGTH] > 1
    set_site(cfg, work, phase, index)
    own = plan[PlanField.CELL] == rule[Rule.CELL] and plan[PlanField.MENU] == rule[Rule.MENU]
    return phase == Phase.WALL or not own


set_plan = kernel(_set_plan)


def _value_of(state, cfg, key, work, b, i):
    """Return the believed value of the candidate plan: rolled out, but for a base's own where that still stands."""
    if work.plan[PlanField.KIND] != Plan.RULE and not waits_in_vain(cfg, work):
        return rollout(state, cfg, key, work, b, i, rolled_turns(work))
    told = work.price[base_of(work.plan)]
    if math.isnan(told[Left.ALONE]):
        told[Left.ALONE] = rollout(state, cfg, key, work, b, i, rolled_turns(work))
    return told[Left.ALONE]


value_of = kernel(_value_of)


def _try_plan(state, cfg, key, work, b, i, index, best):
    """Roll the candidate plan, the ``index``-th, out and return the better of it and ``best``.

    An order beats waiting where the two are tied: there is nothing to wait for.
    """
    value = rounded(value_of(state, cfg, key, work, b, i))
    tried = work.tried[index + UNSEARCHED]
    work.tried[index + UNSEARCHED] = value if math.isnan(tried) else max(tried, value)
    order, cell, menu = work.plan[PlanField.ORDER], work.plan[PlanField.CELL], work.plan[PlanField.MENU]
    if best.entity != NOBODY and (cell < 0) != (best.cell < 0):
        tied = abs(value - best.value) <= TIE * max(abs(value), abs(best.value))
        better = cell >= 0 if tied else value > best.value
    else:
        better = preferred(value, max(cell, 0), best.value, best.entity, key, state.world_id[b])
    if better:
        return Best(value, max(cell, 0), order, cell, menu, index, base_of(work.plan))
    return best


try_plan = kernel(_try_plan)


def _planned(work, index, value):
    """Return the candidate, the ``index``-th, as the best plan, of this value."""
    plan = work.plan
    first = plan[PlanField.ORDER], plan[PlanField.CELL], plan[PlanField.MENU]
    return Best(value, np.int64(0), first[0], first[1], first[2], index, base_of(plan))


planned = kernel(_planned)


def _enter(cfg, work, b, i, phase, found, best):
    """Note a decision in the journal: its best plan, and the best of those that begin with another order."""
    second, most, compared = NOBODY, -math.inf, 0
    for index in range(BY_RULE, found):
        value = work.tried[index + UNSEARCHED]
        if math.isnan(value):
            continue
        compared += 1
        set_plan(cfg, work, phase, index, best.base)
        first = work.plan[PlanField.ORDER], work.plan[PlanField.CELL], work.plan[PlanField.MENU]
        if first != (best.order, best.cell, best.menu) and value > most:
            second, most = index, value
    at = begin_entry(work, b, i, phase, rolled_turns(work), compared)
    set_plan(cfg, work, phase, best.which, best.base)
    note_side(work, at, 0, best.value)
    if most > -math.inf:
        set_plan(cfg, work, phase, second, best.base)
        note_side(work, at, 1, most)


enter = kernel(_enter)


def _hold_or_attack(state, cfg, key, work, b, i, phase, best):
    """Return the better of ``best``, to follow a base that attacks now, and that base without attacks; it is noted."""
    plan, sizes, base, none = work.plan, work.sizes, best.base, np.int64(NOBODY)
    set_plan(cfg, work, phase, np.int64(BY_RULE), base)
    # A plan that waits with nothing is the base's own, and leaves the prices to the one that attacks.
    plan[PlanField.KIND], plan[PlanField.PHASE], sizes[Base.HOLDS] = Plan.WAIT, NOBODY, 1
    value = rounded(rollout(state, cfg, key, work, b, i, rolled_turns(work)))
    if value <= best.value + TIE * abs(best.value):
        sizes[Base.HOLDS] = 0
        return best
    forget_values(work)
    work.tried[:] = math.nan
    order_of_rule(state, cfg, key, work, b, i, phase, base)
    set_plan(cfg, work, phase, np.int64(BY_RULE), base)
    nothing = Best(0.0, none, none, none, np.int64(0), none, np.int64(0))
    return try_plan(state, cfg, key, work, b, i, np.int64(BY_RULE), nothing)


hold_or_attack = kernel(_hold_or_attack)


def _price_anew(state, cfg, key, work, b, i, phase, base):
    """Roll a base's own orders out once more where the surplus of open paths may be another base's: there is one."""
    if n_policies(cfg, work) > 1 and base % RULES == BaseRule.INDEX:
        order_of_rule(state, cfg, key, work, b, i, phase, base)
        set_plan(cfg, work, phase, np.int64(BY_RULE), base)
        rollout(state, cfg, key, work, b, i, rolled_turns(work))


price_anew = kernel(_price_anew)


def _plan_ahead(state, cfg, key, work, b, i, phase, found):
    """Return the best of what each base policy orders by itself, and of every candidate, rolled out.

    Policy switching over the bases (Chang, Givan and Chong 2004) once a deliberation, then rollout over the better.
    """
    none = np.int64(NOBODY)
    best = Best(0.0, none, none, none, np.int64(0), none, np.int64(0))
    work.tried[:] = math.nan
    chosen = work.sizes[Base.CHOSEN]
    for each in range(RULES * n_policies(cfg, work)):
        if (chosen > 0 and each != chosen - 1) or each % RULES >= n_bases(work):
            continue
        order_of_rule(state, cfg, key, work, b, i, phase, each)
        set_plan(cfg, work, phase, np.int64(BY_RULE), each)
        best = try_plan(state, cfg, key, work, b, i, np.int64(BY_RULE), best)
    if chosen == 0 and best.order == OrderKind.ATTACK:
        best = hold_or_attack(state, cfg, key, work, b, i, phase, best)
    # The better base carries on after every candidate: the better of two values of each promises more than is kept.
    base = best.base
    if chosen == 0:
        price_anew(state, cfg, key, work, b, i, phase, base)
    work.sizes[Base.CHOSEN] = base + 1
    order_of_rule(state, cfg, key, work, b, i, phase, base)
    for index in range(_WAITING, found):
        if set_plan(cfg, work, phase, index, base):
            best = try_plan(state, cfg, key, work, b, i, index, best)
    return best


plan_ahead = kernel(_plan_ahead)


def _claim_by_rung(state, cfg, key, work, b, i):
    """Return the claim, or the attack, that the seat's rung gives now without simulating anything."""
    foe, value = attack_now(state, cfg, key, work, b, i)
    base = n_bases(work) - 1
    order_of_rule(state, cfg, key, work, b, i, np.int64(Phase.LAND), base)
    set_plan(cfg, work, Phase.LAND, np.int64(BY_RULE), base)
    work.tried[:] = math.nan
    if foe < 0:
        value = work.potential[work.rule[Rule.CELL]] if work.rule[Rule.CELL] >= 0 else 0.0
    work.tried[0] = value
    return planned(work, np.int64(BY_RULE), value)


claim_by_rung = kernel(_claim_by_rung)


def _follow_base(state, cfg, key, work, b, i, phase):
    """Return the next order of a phase by the base that this deliberation has chosen, or by the seat's own rule."""
    chosen = work.sizes[Base.CHOSEN]
    base = chosen - 1 if rolled_turns(work) > 0 and chosen > 0 else n_bases(work) - 1
    if phase == Phase.LAND or cfg.pooled:
        look_around(state, cfg, key, work, b, i)
    order_of_rule(state, cfg, key, work, b, i, phase, base)
    set_plan(cfg, work, phase, np.int64(BY_RULE), base)
    return planned(work, np.int64(BY_RULE), 0.0)


follow_base = kernel(_follow_base)


def _decide(state, cfg, key, work, b, i, phase):
    """Decide the next order of a phase: (kind, cell, menu entry), (NONE, -1, 0) to wait.

    The best of what follows the bases' own orders, waiting, and every candidate. Without a rollout it is the rule's
    order: for land that of the seat's rung. So are walls where none is planned.
    """
    found = propose(state, cfg, key, work, b, i, phase)
    if found < 0:
        none = np.int64(NOBODY)
        return Best(0.0, none, none, none, np.int64(0), none, np.int64(0))
    simulates = rolled_turns(work) > 0 and (phase != Phase.WALL or walls_are_planned(work))
    if simulates:
        best = plan_ahead(state, cfg, key, work, b, i, phase, found)
    elif phase == Phase.LAND:
        best = claim_by_rung(state, cfg, key, work, b, i)
    else:
        best = follow_base(state, cfg, key, work, b, i, phase)
    if simulates or (phase == Phase.LAND and work.levels[Levels.TURNS_LEFT] > 0):
        note_plan(state, b, i, best.order, best.cell, best.value)
        if is_kept(work):
            enter(cfg, work, b, i, phase, found, best)
    return best


decide = kernel(_decide)
