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
from civsim.base.kernels import inlined
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


mark_cells = inlined(_mark_cells)


def _observe_land(state, cfg, book, sheet, out, b, i, attended):
    """Write what a civilization knows of its own cells."""
    sets, pad, raw = sheet.sets, padding(cfg.n_cells), sheet.raw
    ore_known, hazard_known = attends(attended, Variable.ORE), attends(attended, Variable.HAZARD)
    believes = ore_known or hazard_known
    left, disrupted, site = state.work_left[b], state.disrupted[b], state.site[b]
    works, wall, ore, hazard, noise = state.works[b], state.wall[b], state.ore[b], state.hazard[b], state.noise[b, i]
    all_works = 0.0
    all_walls = 0.0
    all_ore = 0.0
    all_hazard = 0.0
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
        while own != _NONE:
            cell = start + first_bit(own)
            own = without_first(own)
            all_works += works[cell]
            all_walls += wall[cell]
            if believes:
                all_ore += np.float64(ore[cell]) * (noise[Noise.ORE, cell] if cfg.noisy else 1.0)
                all_hazard += np.float64(hazard[cell]) * (noise[Noise.HAZARD, cell] if cfg.noisy else 1.0)
    cells = max(state.cells[b, i], 1)
    raw[_WORKS] = all_works
    raw[_WALLS] = all_walls
    out[_PENDING] = log_count(book.logs, pending)
    out[_DISRUPTED] = idle / cells
    out[_OWN_SITES] = sites / cells
    if ore_known:
        raw[_OWN_ORE] = all_ore
    if hazard_known:
        out[_OWN_HAZARD] = min(math.sqrt(all_hazard / cells), 1.0)


observe_land = inlined(_observe_land)


def _observe_map(state, cfg, book, sheet, out, b, i):
    """Write how much of the map is known and believed free."""
    sets, pad, raw = sheet.sets, padding(cfg.n_cells), sheet.raw
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


observe_map = inlined(_observe_map)


def _observe_holdings(state, cfg, book, sheet, out, b, i):
    """Count each rival's known cells and place the nearest; the rest of its features is not for this kernel."""
    sets, pad = sheet.sets, padding(cfg.n_cells)
    holder, capital = state.known_owner[b, i], state.capital[b, i]
    down, across = book.row_steps[cfg.row[capital]], book.column_steps[cfg.column[capital]]
    for d in range(cfg.n_civs - 1):
        rival = i + d + 1 if i + d + 1 < cfg.n_civs else i + d + 1 - cfg.n_civs
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


observe_holdings = inlined(_observe_holdings)


def _front_word(book, own, free, pad, word):
    """Return the cells among ``free``, a word of them, that lie beside the own land."""
    beside = _NONE
    if free != _NONE:
        for way in range(book.way_words.shape[0]):
            there = shifted_word(own, pad + word + book.way_words[way], book.way_bits[way])
            beside |= book.way_cells[way, word] & there
    return free & beside


front_word = inlined(_front_word)


def _observe_frontier(state, cfg, book, sheet, out, b, i, attended, parties):
    """Write what a civilization believes of the free cells beside its own.

    Land a rival was seen to hold cannot be claimed, attended to or not: the planner knows it too.
    """
    sets, pad, raw = sheet.sets, padding(cfg.n_cells), sheet.raw
    ore_known, low_state, noise = attends(attended, Variable.ORE), state.known_site[b, i], state.noise[b, i]
    fertility, ore, ruggedness = state.fertility[b], state.ore[b], state.ruggedness[b]
    own, ore_weight = sets[OWN], cfg.ore_weight if ore_known else 0.0
    front = 0
    best = 0.0
    best_rate = -math.inf
    cost = 0.0
    for word in range(sets.shape[1] - 2 * pad):
        cells = front_word(book, own, sets[FREE, pad + word], pad, word)
        while cells != _NONE:
            cell = WORD * word + first_bit(cells)
            cells = without_first(cells)
            front += 1
            value = fertility[cell] * (cfg.volatile_low if low_state[cell] == 0 else 1.0)
            ore_output = ore_weight * ore[cell]
            claim_cost = claim_base(cfg.claim_cost, cfg.claim_rugged, ruggedness[cell])
            if cfg.noisy:
                value *= noise[Noise.FERTILITY, cell]
                ore_output *= noise[Noise.ORE, cell]
                claim_cost *= noise[Noise.COST, cell]
            value += ore_output
            rate = value / claim_cost
            best = max(best, value)
            # Chosen, not branched on: which cell is best is what a processor cannot foresee.
            cost = claim_cost if rate > best_rate else cost
            best_rate = max(rate, best_rate)
    if front > 0:
        growth = claim_growth(cfg.claim_growth, state.cells[b, i] + parties)
        out[_FRONTIER] = log_count(book.logs, front)
        raw[_BEST] = best
        raw[_RATE] = best_rate / growth
        raw[_COST] = cost * growth
        raw[_FUNDS] = state.stock[b, i, Category.SETTLEMENT] / (cost * growth)


observe_frontier = inlined(_observe_frontier)
