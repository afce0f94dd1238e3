"""Kernels of the observation, second part: what a civilization knows of the map, of raiders and of its rivals.

Each writes into one row of features, which is 0 to begin with. Places in the row are in
:mod:`civsim.engine.observation.features`; the first part and the whole are in
:mod:`civsim.engine.observation.observer`.
"""

from __future__ import annotations

import math

import numpy as np

from civsim.base.constants import ALWAYS_ATTENDED, N_VARIABLES, NOBODY, Category, Channel, Noise, Seen, Variable
from civsim.base.kernels import kernel
from civsim.engine.formulas import borders, claim_base, claim_growth
from civsim.engine.land.geometry import distance
from civsim.engine.observation.features import CEILING, LARGEST_ATTENTION, RIVAL_SLOTS, RIVAL_WIDTH, RIVALS_AT, at

_KNOWN_SHARE, _STALENESS, _KNOWN_FERTILITY = at("known_share"), at("staleness"), at("known_fertility")
_FREE_SHARE, _FREE_SITES, _FRONTIER = at("free_share"), at("free_sites"), at("frontier")
_BEST, _RATE, _COST, _FUNDS = at("frontier_best"), at("frontier_rate"), at("frontier_cost"), at("frontier_funds")
_BANDS_SEEN, _BANDS, _BANDS_FORCE, _BANDS_NEAR = range(at("raiders_seen"), at("raiders_distance") + 1)
(
    _R_EXISTS,
    _R_KNOWN,
    _R_FORCE_KNOWN,
    _R_FORCE,
    _R_FORCE_AGE,
    _R_CELLS,
    _R_DISTANCE,
    _R_LEVELS_KNOWN,
    _R_HORIZON,
    _R_SIGHT,
    _R_ATTENTION,
) = range(RIVAL_WIDTH)


def _log(x):
    """Return log(1 + x) of a quantity, 0 below 0, at most the ceiling."""
    return min(math.log1p(max(x, 0.0)), CEILING)


log_of = kernel(_log)


def _attends(salience, attention, variable):
    """Return whether ``variable`` is among the first ``attention`` − 2 of a civilization's salience order."""
    for rank in range(N_VARIABLES):
        if salience[rank] == variable:
            return rank < attention - ALWAYS_ATTENDED
    return False


attends = kernel(_attends)


def _observe_frontier(state, cfg, b, i, parties, out):
    """Write what a civilization believes of the free cells beside its own."""
    ore = attends(state.salience[b, i], state.level[b, i, Channel.ATTENTION], Variable.ORE)
    owner, seen, holder, low_state = state.owner[b], state.seen[b, i], state.known_owner[b, i], state.known_site[b, i]
    front = 0
    best = 0.0
    best_rate = 0.0
    cost = 0.0
    for cell in range(cfg.n_cells):
        # Land a rival was seen to hold cannot be claimed, attended to or not: the planner knows it too.
        if seen[cell] < 0 or owner[cell] == i or holder[cell] not in (NOBODY, i):
            continue
        if not borders(owner, cfg.neighbours, cell, i):
            continue
        front += 1
        value = np.float64(state.fertility[b, cell])
        if low_state[cell] == 0:
            value *= cfg.volatile_low
        ore_output = cfg.ore_weight * state.ore[b, cell] if ore else 0.0
        claim_cost = claim_base(cfg.claim_cost, cfg.claim_rugged, state.ruggedness[b, cell])
        if cfg.noisy:
            value *= state.noise[b, i, Noise.FERTILITY, cell]
            ore_output *= state.noise[b, i, Noise.ORE, cell]
            claim_cost *= state.noise[b, i, Noise.COST, cell]
        best = max(best, value + ore_output)
        if front == 1 or (value + ore_output) / claim_cost > best_rate:
            best_rate = (value + ore_output) / claim_cost
            cost = claim_cost
    if front > 0:
        growth = claim_growth(cfg.claim_growth, state.cells[b, i] + parties)
        out[_FRONTIER] = log_of(front)
        out[_BEST] = log_of(best)
        out[_RATE] = log_of(best_rate / growth)
        out[_COST] = log_of(cost * growth)
        out[_FUNDS] = log_of(state.stock[b, i, Category.SETTLEMENT] / (cost * growth))


observe_frontier = kernel(_observe_frontier)


def _observe_map(state, cfg, b, i, out):
    """Write how much of the map is known and believed free; count and place rivals' known cells if attended to."""
    rivals = attends(state.salience[b, i], state.level[b, i, Channel.ATTENTION], Variable.RIVALS)
    owner, seen, known_owner, site = state.owner[b], state.seen[b, i], state.known_owner[b, i], state.site[b]
    now, capital = state.turn[b] - 1, state.capital[b, i]
    known = 0
    free = 0
    sites = 0
    age = 0
    for cell in range(cfg.n_cells):
        if seen[cell] < 0:
            continue
        known += 1
        age += max(now - seen[cell], 0)
        if owner[cell] == i:
            continue
        holder = known_owner[cell]
        if holder not in (NOBODY, i):
            if rivals:
                slot = RIVALS_AT + RIVAL_WIDTH * ((holder - i - 1) % cfg.n_civs)
                steps = distance(cell, capital, cfg.width, cfg.height, cfg.torus) / (cfg.width + cfg.height)
                if out[slot + _R_CELLS] == 0.0 or steps < out[slot + _R_DISTANCE]:
                    out[slot + _R_DISTANCE] = steps
                out[slot + _R_CELLS] += 1.0
            continue
        free += 1
        sites += site[cell] > 0
    out[_KNOWN_SHARE] = known / cfg.n_cells
    out[_FREE_SHARE] = free / cfg.n_cells
    out[_FREE_SITES] = log_of(sites)
    if known > 0:
        out[_STALENESS] = log_of(age / known)
    if state.seen_sum[b, i, Seen.CELLS] > 0.0:
        out[_KNOWN_FERTILITY] = log_of(state.seen_sum[b, i, Seen.FERTILITY] / state.seen_sum[b, i, Seen.CELLS])


observe_map = kernel(_observe_map)


def _observe_raiders(state, cfg, b, i, out):
    """Write the bands in sight in the last turn, where raiders were attended to."""
    if not attends(state.salience[b, i], state.level[b, i, Channel.ATTENTION], Variable.RAIDERS):
        return
    bands = 0
    force = 0.0
    nearest = 1.0
    for band in range(state.band_cell.shape[1]):
        place = state.band_seen[b, i, band]
        if place == NOBODY or place != state.band_cell[b, band] or state.band_turn[b, i, band] != state.turn[b] - 1:
            continue
        bands += 1
        force += state.band_strength[b, band]
        steps = distance(place, state.capital[b, i], cfg.width, cfg.height, cfg.torus)
        nearest = min(nearest, steps / (cfg.width + cfg.height))
    if bands > 0:
        out[_BANDS_SEEN] = 1.0
        out[_BANDS] = log_of(bands)
        out[_BANDS_FORCE] = log_of(force)
        out[_BANDS_NEAR] = nearest


observe_raiders = kernel(_observe_raiders)


def _observe_rivals(state, cfg, public, b, i, out):
    """Finish the rivals' features begun by the map: existence, armies when last seen, public levels."""
    attended = attends(state.salience[b, i], state.level[b, i, Channel.ATTENTION], Variable.RIVALS)
    for d in range(min(cfg.n_civs - 1, RIVAL_SLOTS)):
        rival = (i + d + 1) % cfg.n_civs
        slot = RIVALS_AT + RIVAL_WIDTH * d
        out[slot + _R_EXISTS] = 1.0
        if attended and state.force_turn[b, i, rival] >= 0:
            out[slot + _R_FORCE_KNOWN] = 1.0
            out[slot + _R_FORCE] = log_of(state.force_seen[b, i, rival])
            out[slot + _R_FORCE_AGE] = log_of(state.turn[b] - 1 - state.force_turn[b, i, rival])
        if out[slot + _R_FORCE_KNOWN] > 0.0 or out[slot + _R_CELLS] > 0.0:
            out[slot + _R_KNOWN] = 1.0
        out[slot + _R_CELLS] = log_of(out[slot + _R_CELLS])
        if public[rival]:
            out[slot + _R_LEVELS_KNOWN] = 1.0
            out[slot + _R_HORIZON] = log_of(state.level[b, rival, Channel.HORIZON])
            out[slot + _R_SIGHT] = log_of(state.level[b, rival, Channel.SIGHT])
            out[slot + _R_ATTENTION] = min(state.level[b, rival, Channel.ATTENTION] / LARGEST_ATTENTION, 1.0)


observe_rivals = kernel(_observe_rivals)
