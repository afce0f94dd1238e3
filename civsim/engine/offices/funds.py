"""What seats of thought command: staff by weight, funds by what their provinces give, and the pool of the capital.

The funds of a realm are its stocks, whoever commands them: what an order costs, and whether the realm can pay it, does
not know of seats. A purse says how much of a fund a province's seat may order from; what no purse holds is the pool,
which the capital commands for all.
"""

from __future__ import annotations

from civsim.base.constants import N_PURSES, Category
from civsim.base.kernels import kernel
from civsim.engine.formulas import paid_in
from civsim.engine.offices.provinces import has_several

SETTLEMENT_PURSE, WORKS_PURSE, WALLS_PURSE = range(N_PURSES)
"""Places of the purses of a province; with a treasury the first is all there is."""


def _purse_category(k):
    """Return the Category of the fund that the ``k``-th purse of a province is part of."""
    if k == SETTLEMENT_PURSE:
        return Category.SETTLEMENT
    return Category.WORKS if k == WORKS_PURSE else Category.WALLS


purse_category = kernel(_purse_category)


def _part_of(state, b, i, office):
    """Return the share of a province in what all provinces gave this turn; equal shares where they gave nothing."""
    given = state.province_output[b, i]
    total, count = 0.0, state.office_count[b, i]
    for other in range(count):
        total += given[other]
    return given[office] / total if total > 0.0 else 1.0 / count


part_of = kernel(_part_of)


def _weigh_offices(state, cfg, b, i):
    """Set the share of the staff that each seat holds: given, equal, or that of its province in output."""
    count, weight = state.office_count[b, i], state.office_weight[b, i]
    total = 0.0
    for office in range(count):
        total += cfg.office_weight[i, office]
    for office in range(weight.shape[0]):
        weight[office] = 0.0
        if office < count:
            weight[office] = part_of(state, b, i, office) if cfg.by_output[i] else cfg.office_weight[i, office] / total


weigh_offices = kernel(_weigh_offices)


def _share_out(state, cfg, b, i):
    """Divide the funds over provinces by what they gave this turn, the share of the pool left out."""
    purse = state.purse[b, i]
    purse[:] = 0.0
    if state.office_count[b, i] == 1:
        return
    for office in range(state.office_count[b, i]):
        part = (1.0 - cfg.pool[i]) * part_of(state, b, i, office)
        for k in range(N_PURSES):
            purse[office, k] = part * state.stock[b, i, purse_category(k)]


share_out = kernel(_share_out)


def _cut_purses(state, b, i, k):
    """Cut the purses of a fund in step where it holds less than they do."""
    purse, count, total = state.purse[b, i], state.office_count[b, i], 0.0
    for office in range(count):
        total += purse[office, k]
    fund = float(state.stock[b, i, purse_category(k)])
    if total > fund:
        for office in range(count):
            purse[office, k] *= fund / total


cut_purses = kernel(_cut_purses)


def _credit_purses(state, cfg, work, b, i):
    """Let a turn pass for the purses: they wear as their funds do and gain their part of what was paid in.

    Where orders were given that no seat of thought gave, a fund may hold less than its purses: they are cut in step.
    """
    if not has_several(state, cfg, b, i):
        return
    purse, count = state.purse[b, i], state.office_count[b, i]
    for k in range(N_PURSES):
        category = purse_category(k)
        paid = work.shares[b, i, category] * float(state.output[b, i])
        for office in range(count):
            part = (1.0 - cfg.pool[i]) * part_of(state, b, i, office)
            purse[office, k] = paid_in(purse[office, k], cfg.depreciation[category], part * paid)
        cut_purses(state, b, i, k)


credit_purses = kernel(_credit_purses)


def _pool_left(state, b, i, k):
    """Return what of a fund no province's purse holds (output)."""
    left = float(state.stock[b, i, purse_category(k)])
    for office in range(state.office_count[b, i]):
        left -= state.purse[b, i, office, k]
    return max(left, 0.0)


pool_left = kernel(_pool_left)


def _commanded(state, cfg, b, i, office, k):
    """Return what a seat of thought, or at -1 the capital for the whole realm, may order from a fund (output)."""
    fund = float(state.stock[b, i, purse_category(k)])
    if not has_several(state, cfg, b, i):
        return fund
    return pool_left(state, b, i, k) if office < 0 else min(state.purse[b, i, office, k], fund)


commanded = kernel(_commanded)


def _charge(state, b, i, office, k, paid):
    """Take what an order has cost out of its seat's purse; at -1 the pool pays, as it does what no purse can.

    An order may cost more than was believed. What is over purse and pool is taken from all purses in step.
    """
    if office >= 0:
        state.purse[b, i, office, k] = max(state.purse[b, i, office, k] - paid, 0.0)
    cut_purses(state, b, i, k)


charge = kernel(_charge)
