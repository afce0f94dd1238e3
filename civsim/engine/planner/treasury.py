"""A treasury: one purse for claims, works and walls, so that they compete for it by what they return per cost.

The rule of thumb with a treasury: of the claim, the work and the wall that it would order next, the one of the greatest
discounted return per cost comes first, and if that is not yet affordable everything waits. Returns are believed, from
what the order brings about to the end of the game, if it is paid now.
"""

from __future__ import annotations

import math

import numpy as np

from civsim.base.constants import NOBODY, TIE
from civsim.base.kernels import kernel
from civsim.engine.formulas import course_cost, power_int, preferred
from civsim.engine.planner.heuristic import kind_rate, wall_worth
from civsim.engine.planner.ladder import per_cost
from civsim.engine.planner.plan import BaseRule, Phase
from civsim.engine.planner.realm import outlook, steady_output
from civsim.engine.planner.warned import army_and_fund, warned_wall
from civsim.engine.registers import NOW
from civsim.engine.work import Base, Count, Purse, Realm, Roll

AT_ONCE = 0.0


def _purse_of(cfg, purse):
    """Return the purse of a rollout that pays for this kind: its own, or the treasury (``formulas.fund_of``)."""
    return np.int64(Purse.SETTLEMENT) if cfg.pooled else np.int64(purse)


purse_of = kernel(_purse_of)


def _claim_return(cfg, work, base, cell, holdings, turns_left):
    """Return what a claim of ``cell``, paid now by a realm of ``holdings``, brings per cost under a base policy."""
    index = work.potential if base == BaseRule.INDEX else work.ratio
    return per_cost(cfg, work, base, index[cell], holdings, turns_left, AT_ONCE)


claim_return = kernel(_claim_return)


def _work_return(cfg, realm, k, kind, turns_left):
    """Return what a work of a kind on column ``k``, begun now, brings per cost."""
    return realm[Realm.WORK_SCORE, k] * kind_rate(cfg, kind, turns_left)


work_return = kernel(_work_return)


def _years_held(discount, hold, turns):
    """Return Σ (discount · hold)^s over ``turns`` turns: the years that a cell counts, held with ``hold`` a turn."""
    kept = discount * hold
    return kept * (1.0 - power_int(kept, turns)) / (1.0 - kept) if kept < 1.0 else float(turns)


years_held = kernel(_years_held)


def _wall_return(cfg, realm, k, army, turns_left):
    """Return what a course of wall on column ``k``, under an ``army``, brings per cost: the loss it averts.

    A cell is worth its output, times what raids leave of it, over the turns that it is held.
    """
    wall, discount = realm[Realm.WALL, k], cfg.weight[1]
    hold, keep = outlook(cfg, realm, k, army, wall)
    held, kept = outlook(cfg, realm, k, army, wall + cfg.wall_rate)
    averted = kept * years_held(discount, held, turns_left) - keep * years_held(discount, hold, turns_left)
    return steady_output(realm, k) * averted / course_cost(cfg)


wall_return = kernel(_wall_return)


def _guarding_wall(cfg, realm, counts, n, army, turns_left, key, world):
    """Return (column, return per cost) of the wall that guards most threatened output per unit; column -1 for none."""
    best, most, cell = np.int64(NOBODY), 0.0, np.int64(NOBODY)
    for k in range(n):
        score = wall_worth(realm, k)
        if score <= 0.0 or score < most * (1.0 - TIE):
            continue
        entity = np.int64(counts[Count.CELL, k])
        if preferred(score, entity, most, cell, key, world):
            best, most, cell = np.int64(k), score, entity
    return best, wall_return(cfg, realm, best, army, turns_left) if best >= 0 else 0.0


guarding_wall = kernel(_guarding_wall)


def _best_wall(cfg, key, work, world, b, i, row, when, turns_left, other, dates):
    """Return (column, return per cost) of the wall to raise next, of the realm that ``row`` says; column -1 for none.

    The one that guards most threatened output per unit; or, of those against bands in view that return more than it
    does and than the ``other`` kinds of order do, the one for the soonest. Where ``dates`` come first they need not,
    and return more than anything.
    """
    army, _ = army_and_fund(cfg, work, row)
    realm, counts, held = work.realm, work.counts, work.roll[Roll.HELD]
    if row == NOW:
        realm, counts, held = work.base, work.base_counts, work.sizes[Base.HELD]
    best, most = guarding_wall(cfg, realm, counts, held, army, turns_left, key, world)
    least = 0.0 if dates else max(most, other)
    warned, pressing = warned_wall(cfg, key, work, world, b, i, row, when, turns_left, least)
    if warned < 0:
        return best, most
    return warned, math.inf if dates else pressing


best_wall = kernel(_best_wall)


def _first_of(land, works, walls):
    """Return the Phase of the greatest of three returns, the earlier of equals; -1 where none is above 0."""
    best = max(land, works, walls)
    if best <= 0.0:
        return np.int64(NOBODY)
    if land == best:
        return np.int64(Phase.LAND)
    return np.int64(Phase.WORK) if works == best else np.int64(Phase.WALL)


first_of = kernel(_first_of)
