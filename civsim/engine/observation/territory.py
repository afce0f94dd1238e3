"""Kernels of the observation, second part: what a civilization knows of the cells of the map, its own and others.

The map is read as sets of cells, 64 to a word (:mod:`civsim.base.bits`), so that only the cells that are summed or
scored are looked at one by one, in the order of their numbers. Each kernel writes into one row of features, which is 0
to begin with, and quantities whose logarithms are taken together into ``raw``.
"""

from __future__ import annotations

import math

import numpy as np

from civsim.base.bits import (
    WORD,
    above_word,
    clipped_sum,
    count_bits,
    equal_word,
    first_bit,
    least_sum,
    shifted_word,
    without_first,
)
from civsim.base.constants import NOBODY, Category, Noise, Seen, Variable
from civsim.base.kernels import inlined, kernel
from civsim.engine.formulas import claim_base, claim_growth
from civsim.engine.observation.book import FREE, HELD, KNOWN, OWN, padding
from civsim.engine.observation.features import RIVAL_WIDTH, RIVALS_AT, at
from civsim.engine.observation.scale import attends, log_count, slot_of

_WORKS, _WALLS, _OWN_ORE = slot_of("works"), slot_of("walls"), slot_of("own_ore")
_PENDING, _DISRUPTED = at("works_pending"), at("disrupted")
_OWN_SITES, _OWN_HAZARD = at("own_sites"), at("own_hazard")
_STALENESS, _KNOWN_FERTILITY = slot_of("staleness"), slot_of("known_fertility")
_KNOWN_SHARE, _FREE_SHARE, _FREE_SITES, _FRONTIER = (
    at("known_share"),
    at("free_share"),
    at("free_sites"),
    at("frontier"),
)
_BEST, _RATE = slot_of("frontier_best"), slot_of("frontier_rate")
_COST, _FUNDS = slot_of("frontier_cost"), slot_of("frontier_funds")
_R_CELLS, _R_DISTANCE = at("rival1_cells") - RIVALS_AT, at("rival1_distance") - RIVALS_AT

_NONE = np.uint64(0)


def _mark_cells(state, cfg, sheet, b, i):
    """Write the sets of cells as civilization ``i`` knows them, from column ``pad`` on."""
    sets, pad = sheet.sets, padding(cfg.n_cells)
    owner, seen, holder = state.owner[b], state.seen[b, i], state.known_owner[b, i]
    for word in range(sets.shape[1] - 2 * pad):
        start, place = WORD * word, pad + word
        own, known = equal_word(owner, start, i), above_word(seen, start, -1)
        free = known & ~own & (equal_word(holder, start, NOBODY) | equal_word(holder, start, i))
        sets[OWN, place], sets[KNOWN, place], sets[FREE, place] = own, known, free
        sets[HELD, place] = known & ~own & ~free


mark_cells = kernel(_mark_cells)


def _sum_over(total, row, cells, start):
    """Return ``total`` plus the entries >= 0 of ``row``, added one by one, at a word of cells."""
    cells &= above_word(row, start, 0.0)
    while cells != _NONE:
        total += row[start + first_bit(cells)]
        cells = without_first(cells)
    return total


sum_over = inlined(_sum_over)


def _sum_believed(total, row, noise, kind, noisy, cells, start):
    """Return :func:`sum_over` of what a civilization believes: entries times its error of this kind, if it errs."""
    if not noisy:
        return sum_over(total, row, cells, start)
    cells &= above_word(row, start, 0.0)
    while cells != _NONE:
        cell = start + first_bit(cells)
        total += np.float64(row[cell]) * noise[kind, cell]
        cells = without_first(cells)
    return total


sum_believed = inlined(_sum_believed)


def _observe_land(state, cfg, book, sheet, b, i, attended):
    """Write what a civilization knows of its own cells."""
    sets, pad, raw, out = sheet.sets, padding(cfg.n_cells), sheet.raw, sheet.row
    ore_known, hazard_known = attends(attended, Variable.ORE), attends(attended, Variable.HAZARD)
    left, disrupted, site = state.work_left[b], state.disrupted[b], state.site[b]
    works = 0.0
    walls = 0.0
    ore = 0.0
    hazard = 0.0
    pending = 0
    idle = 0
    sites = 0
    for word in range(sets.shape[1] - 2 * pad):
        start, own = WORD * word, sets[OWN, pad + word]
        if own == _NONE:
            continue
        pending += count_bits(own & above_word(left, start, 0))
        idle += count_bits(own & above_word(disrupted, start, 0))
        sites += count_bits(own & above_word(site, start, 0))
        works = sum_over(works, state.works[b], own, start)
        walls = sum_over(walls, state.wall[b], own, start)
        if ore_known:
            ore = sum_believed(ore, state.ore[b], state.noise[b, i], Noise.ORE, cfg.noisy, own, start)
        if hazard_known:
            hazard = sum_believed(hazard, state.hazard[b], state.noise[b, i], Noise.HAZARD, cfg.noisy, own, start)
    cells = max(state.cells[b, i], 1)
    raw[_WORKS] = works
    raw[_WALLS] = walls
    out[_PENDING] = log_count(book.logs, pending)
    out[_DISRUPTED] = idle / cells
    out[_OWN_SITES] = sites / cells
    if ore_known:
        raw[_OWN_ORE] = ore
    if hazard_known:
        out[_OWN_HAZARD] = min(math.sqrt(hazard / cells), 1.0)


observe_land = kernel(_observe_land)


def _observe_map(state, cfg, book, sheet, b, i):
    """Write how much of the map is known and believed free."""
    sets, pad, raw, out = sheet.sets, padding(cfg.n_cells), sheet.raw, sheet.row
    site, seen, now = state.site[b], state.seen[b, i], state.turn[b] - 1
    known = 0
    free = 0
    sites = 0
    turns = 0
    for word in range(sets.shape[1] - 2 * pad):
        unclaimed = sets[FREE, pad + word]
        known += count_bits(sets[KNOWN, pad + word])
        free += count_bits(unclaimed)
        sites += count_bits(unclaimed & above_word(site, WORD * word, 0))
        turns += clipped_sum(seen, WORD * word, max(now, 0))
    out[_KNOWN_SHARE] = known / cfg.n_cells
    out[_FREE_SHARE] = free / cfg.n_cells
    out[_FREE_SITES] = log_count(book.logs, sites)
    if known > 0:
        raw[_STALENESS] = max(known * now - turns, 0) / known
    if state.seen_sum[b, i, Seen.CELLS] > 0.0:
        raw[_KNOWN_FERTILITY] = state.seen_sum[b, i, Seen.FERTILITY] / state.seen_sum[b, i, Seen.CELLS]


observe_map = kernel(_observe_map)


def _observe_holdings(state, cfg, book, sheet, b, i):
    """Count each rival's known cells and place the nearest; the rest of its features is not for this kernel."""
    sets, pad, out = sheet.sets, padding(cfg.n_cells), sheet.row
    holder, capital = state.known_owner[b, i], state.capital[b, i]
    down, across = book.row_steps[cfg.row[capital]], book.column_steps[cfg.column[capital]]
    for d in range(cfg.n_civs - 1):
        rival = (i + d + 1) % cfg.n_civs
        cells = 0
        nearest = np.int64(cfg.width + cfg.height)
        for word in range(sets.shape[1] - 2 * pad):
            held = sets[HELD, pad + word]
            if held != _NONE:
                held &= equal_word(holder, WORD * word, rival)
            if held != _NONE:
                cells += count_bits(held)
                nearest = min(nearest, least_sum(held, WORD * word, down, across))
        if cells > 0:
            out[RIVALS_AT + RIVAL_WIDTH * d + _R_CELLS] = cells
            out[RIVALS_AT + RIVAL_WIDTH * d + _R_DISTANCE] = nearest / (cfg.width + cfg.height)


observe_holdings = kernel(_observe_holdings)


def _front_word(book, sets, pad, word):
    """Return the cells of a word that are known, believed free and beside the own land."""
    free, beside = sets[FREE, pad + word], _NONE
    if free != _NONE:
        for way in range(book.way_words.shape[0]):
            there = shifted_word(sets[OWN], pad + word + book.way_words[way], book.way_bits[way])
            beside |= book.way_cells[way, word] & there
    return free & beside


front_word = inlined(_front_word)


def _observe_frontier(state, cfg, book, sheet, b, i, attended, parties):
    """Write what a civilization believes of the free cells beside its own.

    Land a rival was seen to hold cannot be claimed, attended to or not: the planner knows it too.
    """
    sets, pad, raw, out = sheet.sets, padding(cfg.n_cells), sheet.raw, sheet.row
    ore_known, low_state, noise = attends(attended, Variable.ORE), state.known_site[b, i], state.noise[b, i]
    fertility, ore, ruggedness = state.fertility[b], state.ore[b], state.ruggedness[b]
    front = 0
    best = 0.0
    best_rate = 0.0
    cost = 0.0
    for word in range(sets.shape[1] - 2 * pad):
        cells = front_word(book, sets, pad, word)
        while cells != _NONE:
            cell = WORD * word + first_bit(cells)
            cells = without_first(cells)
            front += 1
            value = np.float64(fertility[cell])
            if low_state[cell] == 0:
                value *= cfg.volatile_low
            ore_output = cfg.ore_weight * ore[cell] if ore_known else 0.0
            claim_cost = claim_base(cfg.claim_cost, cfg.claim_rugged, ruggedness[cell])
            if cfg.noisy:
                value *= noise[Noise.FERTILITY, cell]
                ore_output *= noise[Noise.ORE, cell]
                claim_cost *= noise[Noise.COST, cell]
            best = max(best, value + ore_output)
            rate = (value + ore_output) / claim_cost
            if front == 1 or rate > best_rate:
                best_rate = rate
                cost = claim_cost
    if front > 0:
        growth = claim_growth(cfg.claim_growth, state.cells[b, i] + parties)
        out[_FRONTIER] = log_count(book.logs, front)
        raw[_BEST] = best
        raw[_RATE] = best_rate / growth
        raw[_COST] = cost * growth
        raw[_FUNDS] = state.stock[b, i, Category.SETTLEMENT] / (cost * growth)


observe_frontier = kernel(_observe_frontier)
