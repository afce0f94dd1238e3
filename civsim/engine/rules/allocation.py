"""Allocation: output is split over the eight categories, stocks depreciate, tribute is shared, levels follow."""

from __future__ import annotations

from civsim.base.constants import (
    ALWAYS_ATTENDED,
    BOUGHT,
    MAX_ATTENTION,
    N_CATEGORIES,
    N_CHANNELS,
    Category,
    Channel,
    Sham,
)
from civsim.base.kernels import kernel
from civsim.engine.formulas import bought_level, channel_price, force_price, mustered, paid_in
from civsim.engine.offices.funds import credit_purses
from civsim.engine.offices.provinces import has_several
from civsim.engine.offices.rows import row_of


def _spend(state, cfg, work, b, i):
    """Split output by shares: stocks lose their depreciation, then gain the turn's spending; force musters."""
    output = float(state.output[b, i])
    stock, spent = state.stock[b, i], state.spent[b, i]
    state.consumption[b, i] = work.shares[b, i, Category.CONSUMPTION] * output
    spent[Category.CONSUMPTION] += work.shares[b, i, Category.CONSUMPTION] * output
    for k in range(1, N_CATEGORIES):
        amount = work.shares[b, i, k] * output
        spent[k] += amount
        if k != Category.ARMY:
            stock[k] = paid_in(stock[k], cfg.depreciation[k], amount)
            continue
        raised = amount / force_price(state, cfg, b, i)
        stock[k] = mustered(stock[k], cfg.depreciation[k], state.muster[b, i], state.turn[b], cfg.army_lag, raised)


spend = kernel(_spend)


def _share_tribute(state, cfg, work, b):
    """Share the prize by force^m / Σ force^m over the living, equally if all force is 0; it is consumed at once."""
    total, living, largest = 0.0, 0, 0.0
    power = work.totals
    for i in range(cfg.n_civs):
        if state.alive[b, i]:
            living += 1
            largest = max(largest, float(state.stock[b, i, Category.ARMY]))
    for i in range(cfg.n_civs):
        if state.alive[b, i] and largest > 0.0:
            # Relative to the largest, so that no power overflows.
            power[i] = (state.stock[b, i, Category.ARMY] / largest) ** cfg.prize_decisiveness
            total += power[i]
    for i in range(cfg.n_civs):
        part = 0.0
        if state.alive[b, i]:
            part = power[i] / total if total > 0.0 else 1.0 / living
        state.tribute[b, i] = cfg.prize * part
        state.consumption[b, i] += state.tribute[b, i]


share_tribute = kernel(_share_tribute)


def _level_from_stock(state, cfg, b, i, channel, part, cells):
    """Return the level that a ``part`` of the staff buys for so many cells: on top of the endowment, with its grant.

    It is at most the cap.
    """
    staff = part * state.stock[b, i, Category.STRATEGISTS + channel]
    price = channel_price(state, cfg, b, i, channel)
    bought = bought_level(staff, price, cells, cfg.span, cfg.curvature[channel])
    level = cfg.endowment[channel] + bought + cfg.grant_level[i, channel]
    return min(level, max(cfg.level_cap[channel], cfg.endowment[channel]))


level_from_stock = kernel(_level_from_stock)


def _set_row(state, cfg, b, i, row, part, cells):
    """Set the levels of a row of minds: bought on top of the endowment, or exogenous, plus a grant.

    They are bought by a ``part`` of the staff for ``cells`` cells. An inert sham gets the endowment whatever it pays.
    """
    for channel in range(N_CHANNELS):
        if cfg.sham[i] == Sham.INERT:
            level = cfg.endowment[channel]
        elif cfg.exogenous[i, channel] != BOUGHT:
            level = cfg.exogenous[i, channel] + cfg.grant_level[i, channel]
        else:
            level = level_from_stock(state, cfg, b, i, channel, part, cells)
        if channel == Channel.ATTENTION:
            level = min(max(level, ALWAYS_ATTENDED), MAX_ATTENTION)
        state.level[b, row, channel] = level


set_row = kernel(_set_row)


def _set_levels(state, cfg, b, i):
    """Set the levels in force: the capital's, or of each seat of thought by its staff and its province."""
    if not has_several(state, cfg, b, i):
        set_row(state, cfg, b, i, i, 1.0, state.cells[b, i])
        return
    for office in range(state.office_count[b, i]):
        part, cells = state.office_weight[b, i, office], state.office_cells[b, i, office]
        set_row(state, cfg, b, i, row_of(cfg, i, office), part, cells)


set_levels = kernel(_set_levels)


def _allocation(state, orders, cfg, key, work):
    """Rule 4 of a turn: spend, share tribute, set levels."""
    for b in range(work.lo, work.hi):
        if state.turn[b] >= cfg.turns:
            continue
        for i in range(cfg.n_civs):
            if state.alive[b, i]:
                spend(state, cfg, work, b, i)
                credit_purses(state, cfg, work, b, i)
                set_levels(state, cfg, b, i)
            else:
                state.consumption[b, i] = 0.0
                for office in range(cfg.most_offices):
                    state.level[b, row_of(cfg, i, office), :] = 0
        if cfg.prize > 0.0:
            share_tribute(state, cfg, work, b)


allocation = kernel(_allocation)
