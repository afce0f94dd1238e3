"""Raids as believed: the bands in view, and where those that are yet to come will fall."""

from __future__ import annotations

import numpy as np

from civsim.base.constants import NOBODY, TIE, Variable
from civsim.base.kernels import kernel
from civsim.engine.formulas import defence_of, is_sacked, loot_of, lure, preferred, projected
from civsim.engine.knowledge.beliefs import believe, source_cell
from civsim.engine.knowledge.land import known_rival, known_works
from civsim.engine.knowledge.others import band_seen, band_slots, known_strength
from civsim.engine.land.geometry import edge_cell, edge_length, steps_between, steps_to_edge
from civsim.engine.work import Base, Belief, Count, Fund, Realm

_CLEARLY = 1.0 - 2.0 * TIE
"""The share of the best lure below which a cell is no tie with it."""


def _list_targets(state, cfg, work, b, i):
    """List what a band may make for: the base's columns in turn, then the known cells of rivals; return how many."""
    n = work.sizes[Base.HELD]
    for k in range(n):
        c = work.base_counts[Count.CELL, k]
        work.target[k], work.target_column[k] = c, k
        work.loot[k] = loot_of(work.fertility[c] + work.swing[c], work.base[Realm.WORKS, k])
    for each in range(cfg.n_cells):
        c = np.int32(each)
        if known_rival(state, b, i, c) >= 0:
            believe(state, cfg, work, b, i, c)
            works = known_works(state, b, i, source_cell(cfg, work.scalars, c))
            work.target[n], work.target_column[n] = c, NOBODY
            work.loot[n] = loot_of(work.fertility[c] + work.swing[c], works)
            n += 1
    return n


list_targets = kernel(_list_targets)


def _believed_target(cfg, key, work, world, at, targets):
    """Return (base column, steps) of the cell a band at ``at`` is believed to make for; column -1 if a rival's.

    The cell is one of ``work.target[:targets]``. Ties are broken as the band itself breaks them.
    """
    best, best_lure, best_steps, best_cell = -1, 0.0, 0, np.int64(NOBODY)
    for k in range(targets):
        c = np.int64(work.target[k])
        steps = steps_between(cfg, at, c)
        # Nearly every cell pulls clearly less than the best so far, which needs neither a division nor a draw to see.
        if work.loot[k] < _CLEARLY * best_lure * (1.0 + steps):
            continue
        pull = lure(work.loot[k], steps)
        if preferred(pull, c, best_lure, best_cell, key, world):
            best, best_lure, best_steps, best_cell = work.target_column[k], pull, steps, c
    return best, best_steps


believed_target = kernel(_believed_target)


def _expect_bands(state, cfg, key, work, b, i, targets):
    """List the bands seen that are believed to make for an own cell: which, when, how strong.

    A band in view is known; one out of view is carried on along its path at the mean strength until it should arrive.
    """
    n = 0
    for band in range(band_slots(state)):
        cell, age = band_seen(state, b, i, band)
        if cell < 0:
            continue
        column, steps = believed_target(cfg, key, work, state.world_id[b], cell, targets)
        due = max(steps, 1) - age
        if column < 0 or due <= 0:
            continue
        work.raid_column[n], work.raid_due[n] = column, due
        work.raid_force[n] = known_strength(state, b, i, band, cfg.raid_strength)
        n += 1
    work.sizes[Base.RAIDS] = n


expect_bands = kernel(_expect_bands)


def _courses_against(cfg, work, k, most):
    """Return after how many courses of wall the cell of column ``k`` holds against every band believed to make for it.

    At least 1 and at most ``most``; that many too where no band does, or none that it would not hold against now.
    """
    courses = 0
    for r in range(work.sizes[Base.RAIDS]):
        if work.raid_column[r] != k:
            continue
        force = projected(work.funds[Fund.ARMY], work.base[Realm.PROJECTION, k])
        while courses < most:
            wall = work.base[Realm.WALL, k] + courses * cfg.wall_rate
            if not is_sacked(defence_of(force, wall, work.base[Realm.RUGGEDNESS, k]), work.raid_force[r]):
                break
            courses += 1
    return courses if courses > 0 else most


courses_against = kernel(_courses_against)


def _leave_contenders(cfg, work, targets):
    """Drop the targets that pull less than the one of most loot from all of the rim; return how many are left.

    From a place p the richest t pulls loot(t) / (1 + |pt|), and |pt| ≤ |pc| + |ct|: a cell c, no nearer to the rim than
    ρ, pulls less wherever loot(c) · (1 + |ct| / (1 + ρ)) is below loot(t).
    """
    top, left = 0, 0
    for k in range(targets):
        if work.loot[k] > work.loot[top]:
            top = k
    richest, most = np.int64(work.target[top]), _CLEARLY * work.loot[top]
    for k in range(targets):
        c = np.int64(work.target[k])
        way = 1.0 + steps_between(cfg, richest, c) / (1.0 + steps_to_edge(cfg, c))
        if work.loot[k] * way >= most:
            work.target[left], work.target_column[left] = work.target[k], work.target_column[k]
            work.loot[left] = work.loot[k]
            left += 1
    return left


leave_contenders = kernel(_leave_contenders)


def _spread_raids(cfg, key, work, world, targets):
    """Spread the raids witnessed over the cells that bands will make for: from each cell of the rim what pulls most.

    Where all are believed to go elsewhere every cell is as likely.
    """
    held, total, raids = work.sizes[Base.HELD], 0.0, work.scalars[Belief.RAID]
    row = work.base[Realm.RAIDED]
    row[:held] = 0.0
    targets = leave_contenders(cfg, work, targets)
    for place in range(edge_length(cfg)):
        column = believed_target(cfg, key, work, world, edge_cell(cfg, place), targets)[0]
        if column >= 0:
            row[column] += 1.0
            total += 1.0
    for k in range(held):
        row[k] = raids * held * row[k] / total if total > 0.0 else raids


spread_raids = kernel(_spread_raids)


def _expect_raids(state, cfg, key, work, b, i):
    """Believe in the raids to come: bands in view, and the rest where they would fall; nothing where unattended."""
    work.sizes[Base.RAIDS] = 0
    if not work.attended[Variable.RAIDERS] or cfg.raid_rate == 0.0:
        return
    targets = list_targets(state, cfg, work, b, i)
    expect_bands(state, cfg, key, work, b, i, targets)
    if work.scalars[Belief.RAID] > 0.0:
        spread_raids(cfg, key, work, state.world_id[b], targets)


expect_raids = kernel(_expect_raids)
