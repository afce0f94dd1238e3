"""Raiders: bands gather at the edge, choose by loot and chance, move a cell a turn, and sack unless the cell holds.

A band chooses when it sets out, by the walls and armies that then stand, and keeps to its choice while anybody holds
the cell: walls raised on its way do not turn it. That makes the defender the first mover, as in Powell (2007).
"""

from __future__ import annotations

import math

import numpy as np

from civsim.base.constants import NEVER, NOBODY, TIE, Draw, Witness
from civsim.base.kernels import kernel
from civsim.base.randomness import uniform
from civsim.engine.formulas import (
    defence_of,
    is_sacked,
    left_by_raiders,
    loot_of,
    preferred,
    prize_of,
    taste,
)
from civsim.engine.land.geometry import edge_cell, edge_length, steps_between
from civsim.engine.land.ways import Way, find_ways, find_ways_to
from civsim.engine.noted import Noted, RaidField
from civsim.engine.offices.news import forget_band
from civsim.engine.rules.nature import Loss
from civsim.engine.ways import enter_truly, find_army, force_at, forget_ways, lure_over, next_cell

_BELOW_TIES = 1.0 - 3.0 * TIE
"""What is less than this share of the greatest is no tie with it."""


def _spawn(state, cfg, key, b):
    """With probability ``raid_rate`` a band of exponential strength takes the first free slot at a keyed rim cell."""
    world, turn = state.world_id[b], state.turn[b]
    if uniform(key, world, turn, 0, Draw.RAID_SPAWN) >= cfg.raid_rate:
        return
    for r in range(state.band_cell.shape[1]):
        if state.band_cell[b, r] < 0:
            place = int(uniform(key, world, turn, 0, Draw.RAID_PLACE) * edge_length(cfg))
            state.band_cell[b, r] = edge_cell(cfg, place)
            state.band_target[b, r] = NOBODY
            state.band_came[b, r] = turn
            draw = uniform(key, world, turn, 0, Draw.RAID_STRENGTH)
            state.band_strength[b, r] = -math.log(draw) * cfg.raid_strength
            return


spawn = kernel(_spawn)


def _held_by(state, cfg, work, b, cell):
    """Return the defence that a band meets on a held ``cell`` as things stand (units of force)."""
    force = force_at(state, cfg, work, b, state.owner[b, cell], cell)
    return defence_of(force, state.wall[b, cell], state.ruggedness[b, cell])


held_by = kernel(_held_by)


def _look_from(state, cfg, work, b, at):
    """Find the ways of a band from cell ``at`` where something blocks, once those of every army are found."""
    for i in range(cfg.n_civs):
        if state.alive[b, i]:
            find_army(state, cfg, work, b, i)
    enter_truly(state, cfg, work.ways, b, NOBODY)
    find_ways(cfg, work.ways, np.int64(Way.ENTER), at)


look_from = kernel(_look_from)


def _aim(state, cfg, key, work, b, r):
    """Set the target of band ``r`` to the held cell with the greatest lure; ties by the keyed rank.

    With noise, to the one whose lure and the band's own taste for it are greatest. Without, a cell that would not draw
    the band if nobody defended it is not weighed further.
    """
    best, most = NOBODY, 0.0
    at, came, world = state.band_cell[b, r], max(state.band_came[b, r], 0), state.world_id[b]
    owner, fertility, works = state.owner[b], state.fertility[b], state.works[b]
    state.band_next[b, r], state.band_left[b, r] = NOBODY, 0
    if cfg.blocks:
        look_from(state, cfg, work, b, at)
    for c in range(cfg.n_cells):
        if owner[c] < 0:
            continue
        way = work.ways[Way.WAY, c] if cfg.blocks else steps_between(cfg, at, c)
        loot = loot_of(fertility[c], works[c])
        if cfg.raid_noise <= 0.0 and best >= 0 and lure_over(cfg, loot, way) < most * _BELOW_TIES:
            continue
        pull = lure_over(cfg, prize_of(cfg, loot, held_by(state, cfg, work, b, c)), way)
        if cfg.raid_noise > 0.0:
            liked = taste(cfg, pull, key, world, came, c)
            if best < 0 or liked > most:
                best, most = c, liked
        elif preferred(pull, c, most, best, key, world):
            best, most = c, pull
    state.band_target[b, r] = best


aim = kernel(_aim)


def _offset(start, end, length, torus):
    """Return the signed steps from start to end along one axis, the shorter way round on a torus."""
    step = end - start
    if torus and 2 * abs(step) > length:
        step += -length if step > 0 else length
    return step


offset = kernel(_offset)


def _march(cfg, at, target):
    """Return the cell one step from ``at`` toward ``target``, along the longer remaining axis first."""
    row, column = at // cfg.width, at % cfg.width
    down = offset(row, target // cfg.width, cfg.height, cfg.torus)
    right = offset(column, target % cfg.width, cfg.width, cfg.torus)
    if abs(down) >= abs(right):
        if down != 0:
            row = (row + (1 if down > 0 else -1)) % cfg.height
    else:
        column = (column + (1 if right > 0 else -1)) % cfg.width
    return row * cfg.width + column


march = kernel(_march)


def _walk(state, cfg, key, work, b, r):
    """Band ``r`` spends a turn on the cheapest way to its target, standing before a cell that takes further turns.

    Each step is chosen on the cell where it begins, by the walls that then stand, and takes the turns it takes then.
    """
    if state.band_next[b, r] < 0:
        enter_truly(state, cfg, work.ways, b, NOBODY)
        at, target = np.int64(state.band_cell[b, r]), np.int64(state.band_target[b, r])
        find_ways_to(cfg, work.ways, np.int64(Way.ENTER), target, at, np.int64(NOBODY))
        step = next_cell(cfg, key, state.world_id[b], work.ways, at)
        state.band_next[b, r], state.band_left[b, r] = step, work.ways[Way.ENTER, step]
    state.band_left[b, r] -= 1
    if state.band_left[b, r] == 0:
        state.band_cell[b, r], state.band_next[b, r] = state.band_next[b, r], NOBODY


walk = kernel(_walk)


def _note_raid(work, b, cell, i, sacked):
    """Keep a raid for whoever watches; nobody does where there is no row for it."""
    at = work.noted[Noted.RAIDS]
    if at < work.raids.shape[0]:
        raid = work.raids[at]
        raid[RaidField.WORLD], raid[RaidField.CELL] = b, cell
        raid[RaidField.SEAT], raid[RaidField.SACKED] = i, sacked
        work.noted[Noted.RAIDS] = at + 1


note_raid = kernel(_note_raid)


def _raid(state, cfg, work, b, r):
    """Band ``r`` stands on its target: sack it unless (wall + projected force) · (1 + R) ≥ strength; then go."""
    cell = state.band_cell[b, r]
    i = state.owner[b, cell]
    state.witness[b, i, Witness.RAIDS] += 1.0
    sacked = is_sacked(held_by(state, cfg, work, b, cell), state.band_strength[b, r])
    note_raid(work, b, cell, i, sacked)
    if sacked:
        state.disrupted[b, cell] = max(state.disrupted[b, cell], cfg.raid_turns)
        state.works[b, cell] = left_by_raiders(cfg, state.works[b, cell])
        state.wall[b, cell] = left_by_raiders(cfg, state.wall[b, cell])
        state.losses[b, i, Loss.RAID] += 1
        forget_ways(cfg, work)
    forget_band(state, cfg, b, i, r)
    state.band_cell[b, r] = NOBODY
    state.band_target[b, r] = NOBODY
    state.band_next[b, r], state.band_left[b, r] = NOBODY, 0
    state.band_strength[b, r] = 0.0
    state.band_came[b, r] = NEVER


raid = kernel(_raid)


def _move_bands(state, cfg, key, work, b):
    """Every band that has gathered takes a step; one without a held target looks for another first."""
    forget_ways(cfg, work)
    for r in range(state.band_cell.shape[1]):
        if state.band_cell[b, r] < 0 or state.turn[b] - state.band_came[b, r] <= cfg.raid_gather:
            continue
        target = state.band_target[b, r]
        if target < 0 or state.owner[b, target] < 0:
            aim(state, cfg, key, work, b, r)
            target = state.band_target[b, r]
        if target < 0:
            continue
        if state.band_cell[b, r] != target and cfg.blocks:
            walk(state, cfg, key, work, b, r)
        elif state.band_cell[b, r] != target:
            state.band_cell[b, r] = march(cfg, state.band_cell[b, r], target)
        if state.band_cell[b, r] == target:
            raid(state, cfg, work, b, r)


move_bands = kernel(_move_bands)


def _raiders(state, orders, cfg, key, work):
    """Rule 2 of a turn: bands on the map move, then a new one may appear."""
    if cfg.raid_rate <= 0.0:
        return
    work.noted[Noted.RAIDS] = 0
    for b in range(work.lo, work.hi):
        if state.turn[b] >= cfg.turns:
            continue
        move_bands(state, cfg, key, work, b)
        spawn(state, cfg, key, b)


raiders = kernel(_raiders)
