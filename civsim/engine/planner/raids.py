"""Raids as believed: the bands in view, and where those that are yet to come will fall.

Bands choose by loot and chance (:mod:`civsim.engine.rules.raiders`). Rows NOW of ``work.prize``, ``work.gate`` and the
raids are as believed now; rows ROLLED follow the walls of a rollout (:mod:`civsim.engine.planner.waterbed`).
"""

from __future__ import annotations

import numpy as np

from civsim.base.constants import NOBODY, Category, Variable
from civsim.base.kernels import kernel
from civsim.engine.formulas import defence_of, is_sacked, loot_of, preferred, prize_of, projected
from civsim.engine.knowledge.beliefs import believe_cells, believed_ruggedness, source_cell
from civsim.engine.knowledge.land import known_wall, known_works
from civsim.engine.knowledge.others import band_aim, band_from, band_seen, band_since, band_slots, known_strength
from civsim.engine.knowledge.own import own_wall, own_works
from civsim.engine.land.geometry import edge_cell, edge_length, steps_between
from civsim.engine.land.ways import Way
from civsim.engine.planner.gates import choose_from_rim, choose_over, list_open
from civsim.engine.planner.realm import rival_force_at
from civsim.engine.planner.ways import CLEARLY, in_time, look_along, own_projection, way_to
from civsim.engine.registers import NOW
from civsim.engine.ways import lure_over
from civsim.engine.work import Base, Belief, Clock, Count, Fund, Levels, Realm

ELSEWHERE = -2
"""The column of a target that is own land of another province; -1 for that of a rival."""


def _own_prize(cfg, work, realm, k, army):
    """Return what a band may expect of column ``k`` of a realm, under an army (output)."""
    c = work.base_counts[Count.CELL, k]
    force = projected(army, realm[Realm.PROJECTION, k])
    defence = defence_of(force, realm[Realm.WALL, k], realm[Realm.RUGGEDNESS, k])
    return prize_of(cfg, loot_of(work.fertility[c] + work.swing[c], realm[Realm.WORKS, k]), defence)


own_prize = kernel(_own_prize)


def _rival_prize(state, cfg, work, b, i, rival, c):
    """Return what a band may expect of cell ``c`` of a known rival, its wall and army as last seen (output).

    Where rivals are not attended to their armies are held at the force that attacks were witnessed to have, at none
    where nobody can have an army.
    """
    source = source_cell(cfg, work.scalars, c)
    if work.attended[Variable.RIVALS]:
        force = rival_force_at(state, cfg, work, b, i, rival, c)
    else:
        force = work.scalars[Belief.FORCE] if cfg.open[Category.ARMY] else 0.0
    defence = defence_of(force, known_wall(state, b, i, source), believed_ruggedness(state, cfg, work, b, i, c))
    return prize_of(cfg, loot_of(work.fertility[c] + work.swing[c], known_works(state, b, i, source)), defence)


rival_prize = kernel(_rival_prize)


def _apart_prize(state, cfg, work, b, i, c):
    """Return what a band may expect of own cell ``c`` of another province, as it stands (output)."""
    force = projected(work.funds[Fund.ARMY], own_projection(state, cfg, work, b, i, c))
    rugged = believed_ruggedness(state, cfg, work, b, i, c)
    defence = defence_of(force, own_wall(state, b, i, c), rugged)
    return prize_of(cfg, loot_of(work.fertility[c] + work.swing[c], own_works(state, b, i, c)), defence)


apart_prize = kernel(_apart_prize)


def _list_targets(state, cfg, work, b, i):
    """List what a band may make for: the base's columns in turn, then rivals' known cells, then own ones elsewhere.

    Return how many there are.
    """
    n, prize = work.sizes[Base.HELD], work.prize[NOW]
    for k in range(n):
        work.target[k], work.target_column[k] = work.base_counts[Count.CELL, k], k
        prize[k] = own_prize(cfg, work, work.base, k, work.funds[Fund.ARMY])
    believe_cells(state, cfg, work, b, i, work.rivals, work.sizes[Base.KNOWN] + work.sizes[Base.APART])
    for k in range(work.sizes[Base.KNOWN]):
        c = work.rivals[k]
        work.target[n], work.target_column[n] = c, NOBODY
        prize[n] = rival_prize(state, cfg, work, b, i, np.int64(work.holder[c]), c)
        n += 1
    for k in range(work.sizes[Base.KNOWN], work.sizes[Base.KNOWN] + work.sizes[Base.APART]):
        work.target[n], work.target_column[n] = work.rivals[k], ELSEWHERE
        prize[n] = apart_prize(state, cfg, work, b, i, work.rivals[k])
        n += 1
    return n


list_targets = kernel(_list_targets)


def _note_ways(cfg, work, came_by, row):
    """Write to ``work.score`` the turns of a band's way to every target from the cell that it ``came_by``."""
    look_along(cfg, work, row, came_by, np.int64(NOBODY))
    for k in range(work.sizes[Base.TARGETS]):
        work.score[k] = way_to(cfg, work, came_by, np.int64(work.target[k]))


note_ways = kernel(_note_ways)


def _believed_target(cfg, key, work, world, at, row, gone, came_by):
    """Return (target, turns) of the cell a band at ``at`` is believed to make for; target -1 where there is none.

    A target is a place in ``work.target``, priced in ``row`` of ``work.prize``. Ties are broken as the band itself
    breaks them. Where bands have tastes of their own it is the cell most likely.

    A band that is ``gone`` turns on its way chose where that began, at a place p that need not be known. What it makes
    for was gone + |at, t| turns from there; another cell c was no farther than gone + |at, c|, so that it pulled at
    least as much as over that many turns, and t still more. So t is what pulls most with ``gone`` turns added to each
    way. Of a band that ``came_by`` a cell it is none that the band has not come nearer to since.
    """
    best, best_lure, best_steps, best_cell = np.int64(NOBODY), 0.0, np.int64(0), np.int64(NOBODY)
    prize, tracked = work.prize[row], came_by != NOBODY and came_by != at
    if tracked:
        note_ways(cfg, work, came_by, row)
    look_along(cfg, work, row, at, np.int64(NOBODY))
    for k in range(work.sizes[Base.TARGETS]):
        c = np.int64(work.target[k])
        steps = way_to(cfg, work, at, c)
        if tracked and steps + (1 if cfg.blocks else steps_between(cfg, came_by, at)) > work.score[k]:
            continue
        pull = lure_over(cfg, prize[k], gone + steps)
        # Nearly every cell pulls clearly less than the best so far, which needs no draw to see.
        if pull < CLEARLY * best_lure:
            continue
        if preferred(pull, c, best_lure, best_cell, key, world):
            best, best_lure, best_steps, best_cell = np.int64(k), pull, steps, c
    return best, best_steps


believed_target = kernel(_believed_target)


def _has_set_out(state, cfg, b, i, band):
    """Return True where a band that was seen has set out by now, and so has chosen."""
    return band_since(state, b, i, band) + cfg.raid_gather < state.turn[b]


has_set_out = kernel(_has_set_out)


def _first_step(state, cfg, b, i, band, age):
    """Return the turns from now until a band seen ``age`` turns ago takes its first step since; below 1 if it has."""
    return max(band_since(state, b, i, band) + cfg.raid_gather - state.turn[b] + 1, 1 - age)


first_step = kernel(_first_step)


def _turns_gone(state, cfg, b, i, band, age):
    """Return how many turns a band seen ``age`` turns ago was on its way then; 0 if it had not set out."""
    return np.int64(max(state.turn[b] - age - band_since(state, b, i, band) - cfg.raid_gather, 0))


turns_gone = kernel(_turns_gone)


def _target_at(work, cell):
    """Return the place of ``cell`` in ``work.target``, or -1 where it is none."""
    for k in range(work.sizes[Base.TARGETS]):
        if work.target[k] == cell:
            return np.int64(k)
    return np.int64(NOBODY)


target_at = kernel(_target_at)


def _choice_of(state, cfg, key, work, b, i, band):
    """Return (target, turns) of the cell that a band seen is believed to have chosen, or to choose; -1 for none.

    One whose steps lead nowhere has lost what it made for, and has chosen again on its way.
    """
    cell, age = band_seen(state, b, i, band)
    at, gone, row, world = np.int64(cell), turns_gone(state, cfg, b, i, band, age), np.int64(NOW), state.world_id[b]
    place, steps = believed_target(cfg, key, work, world, at, row, gone, band_from(state, b, i, band))
    if place < 0 and gone > 0:
        place, steps = believed_target(cfg, key, work, world, at, row, np.int64(0), np.int64(NOBODY))
    return place, steps


choice_of = kernel(_choice_of)


def _expect_bands(state, cfg, key, work, b, i):
    """List the bands seen that are believed to make for an own cell, or may yet: which, when, how strong.

    A band in view is known; one out of view is carried on along its path at the mean strength until it should arrive.
    One that has set out makes for the cell that it was believed to choose then, whatever is walled since.
    """
    n = 0
    for band in range(band_slots(state)):
        cell, age = band_seen(state, b, i, band)
        if cell < 0:
            continue
        gone = has_set_out(state, cfg, b, i, band)
        place = target_at(work, band_aim(state, b, i, band)) if gone else np.int64(NOBODY)
        if place >= 0:
            look_along(cfg, work, np.int64(NOW), cell, np.int64(work.target[place]))
            steps = way_to(cfg, work, cell, np.int64(work.target[place]))
        else:
            place, steps = choice_of(state, cfg, key, work, b, i, band)
            state.band_aim[b, i, band] = work.target[place] if place >= 0 else NOBODY
        column = work.target_column[place] if place >= 0 else NOBODY
        due = first_step(state, cfg, b, i, band, age) - 1 + max(steps, 1)
        if (column < 0 and gone) or due <= 0:
            continue
        work.raid_band[n], work.raid_column[NOW, n], work.raid_due[NOW, n] = band, column, due
        work.raid_step[n] = NOBODY if gone else first_step(state, cfg, b, i, band, age)
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
        if work.raid_column[NOW, r] != k:
            continue
        force = projected(work.funds[Fund.ARMY], work.base[Realm.PROJECTION, k])
        while courses < most:
            wall = work.base[Realm.WALL, k] + courses * cfg.wall_rate
            if not is_sacked(defence_of(force, wall, work.base[Realm.RUGGEDNESS, k]), work.raid_force[r]):
                break
            courses += 1
    return courses if courses > 0 else most


courses_against = kernel(_courses_against)


def _weigh_from(cfg, work, place, row, weights):
    """Fill ``weights`` [targets] with how targets draw a band from the rim's ``place``; return their sum.

    The greatest weighs 1. What each weighed when all were last weighed by the walls of now stands where neither its
    prize nor what draws most has changed since: walls change few, and a power takes longer than all the rest.
    """
    at, targets, prize, most, total = edge_cell(cfg, place), work.sizes[Base.TARGETS], work.prize[row], 0.0, 0.0
    look_along(cfg, work, row, at, np.int64(NOBODY))
    for k in range(targets):
        weights[k] = lure_over(cfg, prize[k], way_to(cfg, work, at, np.int64(work.target[k])))
        most = max(most, weights[k])
    keeps = work.weighed.shape[0] > 0
    stands = keeps and work.weighed_at[place] == work.clock[Clock.SURVEY] and work.weighed_most[place] == most
    for k in range(targets):
        if stands and prize[k] == work.weighed_prize[k]:
            weights[k] = work.weighed[place, k]
        else:
            weights[k] = (weights[k] / most) ** (1.0 / cfg.raid_noise) if most > 0.0 else 1.0
        total += weights[k]
    if keeps and row == NOW:
        work.weighed_at[place], work.weighed_most[place] = work.clock[Clock.SURVEY], most
        for k in range(targets):
            work.weighed[place, k] = weights[k]
    return total


weigh_from = kernel(_weigh_from)


def _share_gate(cfg, work, place, row, left, falls):
    """Add to ``falls`` [columns] the chances that a band from the rim's ``place`` chooses each: P ∝ lure^(1 / noise).

    Less those that are not there within the ``left`` turns to come. Return the chance that it chooses any of them.
    """
    at, own, weights = edge_cell(cfg, place), 0.0, work.drawn
    total = weigh_from(cfg, work, place, row, weights)
    for k in range(work.sizes[Base.TARGETS]):
        if work.target_column[k] >= 0:
            way = way_to(cfg, work, at, np.int64(work.target[k]))
            falls[work.target_column[k]] += weights[k] / total * in_time(cfg, work, way, left)
            own += weights[k] / total
        elif work.target_column[k] == ELSEWHERE:
            own += weights[k] / total
    return own


share_gate = kernel(_share_gate)


def _count_falls(cfg, work, row, left):
    """Fill ``work.score`` with the cells of the rim from which bands come to each column; return how many in all.

    Where something blocks, a column counts what arrives within the ``left`` turns to come; the sum counts all. What
    comes to own land of other provinces is of the sum.
    """
    held, total, came, falls = work.sizes[Base.HELD], 0.0, 0.0, work.score
    falls[:held] = 0.0
    for place in range(edge_length(cfg)):
        if cfg.raid_noise > 0.0:
            came += share_gate(cfg, work, np.int64(place), row, left, falls)
        elif work.gate[row, place] >= 0 and work.target_column[work.gate[row, place]] >= 0:
            way = np.int64(work.ways[Way.GATE_NOW + row, place]) if cfg.blocks else np.int64(0)
            falls[work.target_column[work.gate[row, place]]] += in_time(cfg, work, way, left)
            came += 1.0
        elif work.gate[row, place] >= 0 and work.target_column[work.gate[row, place]] == ELSEWHERE:
            came += 1.0
    if row == NOW and work.weighed.shape[0] > 0:
        for k in range(work.sizes[Base.TARGETS]):
            work.weighed_prize[k] = work.prize[NOW, k]
    for k in range(held):
        total += falls[k]
    return came if cfg.blocks or work.sizes[Base.APART] > 0 else total


count_falls = kernel(_count_falls)


def _spread_raids(cfg, key, work, world):
    """Spread the raids witnessed over the cells that bands will make for: from each cell of the rim what pulls most.

    Where all are believed to go elsewhere every cell is as likely.
    """
    held, raids = work.sizes[Base.HELD], work.scalars[Belief.RAID]
    cells = held + work.sizes[Base.APART]
    if cfg.raid_noise <= 0.0 and cfg.blocks:
        choose_over(cfg, key, work, world, np.int64(NOW))
    elif cfg.raid_noise <= 0.0:
        list_open(cfg, work)
        choose_from_rim(cfg, key, work, world, np.int64(NOW))
    total = count_falls(cfg, work, np.int64(NOW), work.levels[Levels.TURNS_LEFT])
    work.scalars[Belief.GATES] = total
    for k in range(held):
        work.base[Realm.RAIDED, k] = raids * cells * work.score[k] / total if total > 0.0 else raids


spread_raids = kernel(_spread_raids)


def _expect_raids(state, cfg, key, work, b, i):
    """Believe in the raids to come: bands in view, and the rest where they would fall; nothing where unattended."""
    work.sizes[Base.RAIDS], work.sizes[Base.TARGETS], work.scalars[Belief.GATES] = 0, 0, 0.0
    if not work.attended[Variable.RAIDERS] or cfg.raid_rate == 0.0:
        return
    work.sizes[Base.TARGETS] = list_targets(state, cfg, work, b, i)
    expect_bands(state, cfg, key, work, b, i)
    if work.scalars[Belief.RAID] > 0.0:
        spread_raids(cfg, key, work, state.world_id[b])


expect_raids = kernel(_expect_raids)
