"""The believed realm: one column a cell held, from which rollouts start."""

from __future__ import annotations

import math

from civsim.base.constants import NEVER, Category, OrderKind, OrderStatus, Variable
from civsim.base.kernels import kernel
from civsim.engine.formulas import lure, power_int, win_chance
from civsim.engine.land.geometry import steps_between
from civsim.engine.planner.belief import believe, known_rival, source_cell
from civsim.engine.planner.heuristic import wall_score, work_score
from civsim.engine.work import Belief, Count, Purse, Realm, Tally


def _believed_threat(state, cfg, work, b, i, c):
    """Return (attacks a turn, force of one) expected on own cell ``c``.

    With rivals attended only cells beside known rival land are exposed, to the strongest force seen there, projected
    from its capital where that was seen, else from as far as our own; otherwise every cell, to what was witnessed.
    """
    chance, force = work.scalars[Belief.ATTACK], work.scalars[Belief.FORCE]
    if chance <= 0.0 or not work.attended[Variable.RIVALS]:
        return chance, force
    exposed, strongest = False, 0.0
    for side in range(cfg.neighbours.shape[1]):
        other = cfg.neighbours[c, side]
        rival = known_rival(state, b, i, other) if other >= 0 else -1
        if rival < 0:
            continue
        exposed = True
        strongest = max(strongest, rival_force_at(state, cfg, work, b, i, rival, c))
    return (chance, strongest) if exposed else (0.0, 0.0)


def _rival_force_at(state, cfg, work, b, i, rival, c):
    """Return the force ``rival`` is believed to project to ``c``; the witnessed mean if its army was never seen."""
    if state.force_turn[b, i, rival] == NEVER:
        return work.scalars[Belief.FORCE]
    seat = state.known_capital[b, i, rival]
    if seat < 0:
        seat = state.capital[b, i]
    steps = steps_between(cfg, seat, c)
    return float(state.force_seen[b, i, rival]) * cfg.projection[steps]


rival_force_at = kernel(_rival_force_at)
believed_threat = kernel(_believed_threat)


def _refresh(cfg, realm, counts, k):
    """Work out what column ``k`` gives, and what a work or a wall on it would score."""
    works = 1.0 + realm[Realm.WORKS, k]
    steady = realm[Realm.FERTILITY, k] * works + realm[Realm.ORE_OUTPUT, k]
    realm[Realm.WALL_SCORE, k] = 0.0
    if not counts[Count.RAISED, k]:
        realm[Realm.WALL_SCORE, k] = wall_score(steady, realm[Realm.WALL, k], cfg.wall_rate)
    realm[Realm.WORK_SCORE, k] = 0.0
    if counts[Count.LEFT, k] == 0:
        fertile = realm[Realm.FERTILITY, k] + realm[Realm.SWING, k]
        realm[Realm.WORK_SCORE, k] = work_score(fertile, cfg.work_growth, realm[Realm.WORKS, k])
    realm[Realm.OUT, k] = 0.0
    realm[Realm.SWING_OUT, k] = 0.0
    if counts[Count.IDLE, k] == 0:
        realm[Realm.OUT, k] = realm[Realm.KEEP, k] * steady
        realm[Realm.SWING_OUT, k] = realm[Realm.KEEP, k] * realm[Realm.SWING, k] * works


refresh = kernel(_refresh)


def _guard(cfg, scalars, realm, counts, k, army):
    """Set HOLD and KEEP of column ``k`` under an army: the chance to hold it a turn, the output that raids leave.

    A raid sacks unless its exponential strength is at most the defence: P(strength > d) = e^(−d / mean).
    """
    defence = (army * realm[Realm.PROJECTION, k] + realm[Realm.WALL, k]) * realm[Realm.RUGGED, k]
    exposure = realm[Realm.EXPOSURE, k]
    realm[Realm.HOLD, k] = 1.0
    if exposure > 0.0:
        realm[Realm.HOLD, k] = max(1.0 - exposure * win_chance(realm[Realm.THREAT, k], defence, cfg.decisiveness), 0.0)
    realm[Realm.KEEP, k] = 1.0
    if scalars[Belief.RAID] > 0.0:
        sacked = scalars[Belief.RAID] * math.exp(-defence / cfg.raid_strength)
        realm[Realm.KEEP, k] = power_int(1.0 - sacked, cfg.raid_turns)
    refresh(cfg, realm, counts, k)


guard = kernel(_guard)


def _add_column(state, cfg, work, b, i, realm, counts, k, c):
    """Fill column ``k`` with cell ``c`` as believed, newly held, nothing under way; :func:`guard` does the rest."""
    believe(state, cfg, work, b, i, c)
    source = source_cell(cfg, work.scalars, c)
    known = state.seen[b, i, source] != NEVER
    ruggedness = float(state.ruggedness[b, source]) if known else work.scalars[Belief.RUGGEDNESS]
    steps = steps_between(cfg, state.capital[b, i], c)
    realm[Realm.FERTILITY, k] = work.fertility[c]
    realm[Realm.ORE_OUTPUT, k] = work.ore_output[c]
    realm[Realm.SWING, k] = work.swing[c]
    realm[Realm.STAY, k] = 1.0
    realm[Realm.WORKS, k] = float(state.known_works[b, i, source]) if known else 0.0
    realm[Realm.WALL, k] = float(state.known_wall[b, i, source]) if known else 0.0
    realm[Realm.PROJECTION, k] = cfg.projection[steps]
    realm[Realm.RUGGED, k] = 1.0 + ruggedness
    realm[Realm.GAIN, k] = 0.0
    counts[Count.CELL, k] = c
    counts[Count.IDLE, k] = 0
    counts[Count.LEFT, k] = 0
    counts[Count.RAISED, k] = 0
    exposure, threat = believed_threat(state, cfg, work, b, i, c)
    realm[Realm.EXPOSURE, k] = exposure
    realm[Realm.THREAT, k] = threat


add_column = kernel(_add_column)


def _base_column(state, cfg, work, b, i, k, army, thinks):
    """Fill base column ``k`` from own cell ``own[k]`` as it is, with what is under way on it."""
    base, counts, c = work.base, work.base_counts, work.own[k]
    if thinks:
        add_column(state, cfg, work, b, i, base, counts, k, c)
    else:
        believe(state, cfg, work, b, i, c)
        base[Realm.FERTILITY, k], base[Realm.ORE_OUTPUT, k] = work.fertility[c], work.ore_output[c]
        base[Realm.SWING, k], base[Realm.KEEP, k] = work.swing[c], 1.0
        counts[Count.CELL, k], counts[Count.RAISED, k] = c, 0
    base[Realm.WORKS, k] = state.works[b, c]
    base[Realm.WALL, k] = state.wall[b, c]
    counts[Count.IDLE, k] = state.disrupted[b, c]
    counts[Count.LEFT, k] = state.work_left[b, c]
    if state.work_left[b, c] > 0:
        base[Realm.GAIN, k] = cfg.work_gain[state.work_kind[b, c]]
    if state.work_left[b, c] > 0 or state.disrupted[b, c] > 0:
        work.base_timer[work.tally[Tally.BASE_TIMERS]] = k
        work.tally[Tally.BASE_TIMERS] += 1
    if thinks:
        guard(cfg, work.scalars, base, counts, k, army)
    else:
        refresh(cfg, base, counts, k)


base_column = kernel(_base_column)


def _build_base(state, orders, cfg, work, b, i, thinks):
    """Fill the base realm from own cells; without ``thinks`` only what the rule of thumb reads."""
    army = float(state.stock[b, i, Category.ARMY])
    work.tally[Tally.BASE_TIMERS] = 0
    for k in range(work.tally[Tally.BASE_HELD]):
        base_column(state, cfg, work, b, i, k, army, thinks)
    for slot in range(orders.kind.shape[2]):
        if orders.kind[b, i, slot] == OrderKind.WALL and orders.status[b, i, slot] == OrderStatus.DONE:
            for k in range(work.tally[Tally.BASE_HELD]):
                if work.base_counts[Count.CELL, k] == orders.cell[b, i, slot]:
                    work.base_counts[Count.RAISED, k] = 1
                    refresh(cfg, work.base, work.base_counts, k)


build_base = kernel(_build_base)


def _update_base(state, cfg, work, b, i, kind, cell):
    """Bring the base realm up to date after an order that moved no border: a claim paid, a work or wall begun."""
    tally = work.tally
    if kind == OrderKind.CLAIM:
        for k in range(tally[Tally.BASE_FRONT]):
            if work.front[k] == cell:
                tally[Tally.BASE_FRONT] -= 1
                work.front[k] = work.front[tally[Tally.BASE_FRONT]]
                break
        work.pending_cell[tally[Tally.BASE_PENDING]] = cell
        work.pending_due[tally[Tally.BASE_PENDING]] = cfg.claim_lag
        tally[Tally.BASE_PENDING] += 1
        return
    for k in range(tally[Tally.BASE_HELD]):
        if work.own[k] != cell:
            continue
        if kind == OrderKind.WORK:
            if work.base_counts[Count.IDLE, k] == 0:
                work.base_timer[tally[Tally.BASE_TIMERS]] = k
                tally[Tally.BASE_TIMERS] += 1
            work.base_counts[Count.LEFT, k] = state.work_left[b, cell]
            work.base[Realm.GAIN, k] = cfg.work_gain[state.work_kind[b, cell]]
            refresh(cfg, work.base, work.base_counts, k)
        elif kind == OrderKind.WALL:
            work.base[Realm.WALL, k] = state.wall[b, cell]
            work.base_counts[Count.RAISED, k] = 1
            if tally[Tally.THINKS]:
                guard(cfg, work.scalars, work.base, work.base_counts, k, float(state.stock[b, i, Category.ARMY]))
            else:
                refresh(cfg, work.base, work.base_counts, k)
        return


update_base = kernel(_update_base)


def _expect_raids(state, cfg, work, b, i):
    """List the bands seen that are believed to make for an own cell: which, when, how strong.

    A band in view is known; one out of view is carried on along its path at the mean strength until it should arrive.
    """
    n = 0
    if work.attended[Variable.RAIDERS] and cfg.raid_rate > 0.0:
        for r in range(state.band_cell.shape[1]):
            if state.band_turn[b, i, r] == NEVER:
                continue
            age = state.turn[b] - state.band_turn[b, i, r]
            cell, steps = believed_target(state, cfg, work, b, i, state.band_seen[b, i, r])
            due = max(steps, 1) - age
            if cell < 0 or due <= 0:
                continue
            work.raid_cell[n] = cell
            work.raid_due[n] = due
            work.raid_force[n] = state.band_strength[b, r] if age == 0 else cfg.raid_strength
            n += 1
    work.tally[Tally.RAIDS] = n


def _believed_target(state, cfg, work, b, i, at):
    """Return (base column, steps) of the cell a band at ``at`` is believed to make for; column -1 if a rival's."""
    best, best_lure, best_steps = -1, 0.0, 0
    for k in range(work.tally[Tally.BASE_HELD]):
        c = work.base_counts[Count.CELL, k]
        steps = steps_between(cfg, at, c)
        pull = lure(work.fertility[c] + work.swing[c], work.base[Realm.WORKS, k], steps)
        if pull > best_lure:
            best, best_lure, best_steps = k, pull, steps
    for c in range(cfg.n_cells):
        if known_rival(state, b, i, c) >= 0:
            believe(state, cfg, work, b, i, c)
            source = source_cell(cfg, work.scalars, c)
            steps = steps_between(cfg, at, c)
            if lure(work.fertility[c] + work.swing[c], float(state.known_works[b, i, source]), steps) > best_lure:
                return -1, 0
    return best, best_steps


believed_target = kernel(_believed_target)
expect_raids = kernel(_expect_raids)


def _start_realm(state, cfg, work, b, i):
    """Copy the base realm, frontier, parties, funds and musters into the rollout's own space."""
    tally, purse = work.tally, work.purse
    held, front, pending = tally[Tally.BASE_HELD], tally[Tally.BASE_FRONT], tally[Tally.BASE_PENDING]
    for row in range(work.base.shape[0]):
        for k in range(held):
            work.realm[row, k] = work.base[row, k]
    for row in range(work.base_counts.shape[0]):
        for k in range(held):
            work.counts[row, k] = work.base_counts[row, k]
    work.clock[1] += 1
    stamp = work.clock[1]
    for k in range(held):
        work.mark[work.own[k]] = stamp
    for k in range(tally[Tally.BASE_TIMERS]):
        work.timer[k] = work.base_timer[k]
    tally[Tally.TIMERS] = tally[Tally.BASE_TIMERS]
    for k in range(front):
        work.roll_front[k] = work.front[k]
        work.mark[work.front[k]] = stamp
    for k in range(pending):
        work.roll_cell[k] = work.pending_cell[k]
        work.roll_due[k] = work.pending_due[k]
        work.mark[work.pending_cell[k]] = stamp
    for slot in range(work.muster.shape[0]):
        work.muster[slot] = state.muster[b, i, slot]
    tally[Tally.HELD], tally[Tally.FRONT], tally[Tally.PENDING] = held, front, pending
    tally[Tally.STAMP] = stamp
    tally[Tally.RAISED] = 0
    for k in range(held):
        if work.counts[Count.RAISED, k]:
            work.raised[tally[Tally.RAISED]] = k
            tally[Tally.RAISED] += 1
    tally[Tally.STEP], tally[Tally.READY] = 0, tally[Tally.FIRST_READY]
    tally[Tally.TARGET], tally[Tally.WORK_TARGET] = -1, -1
    purse[Purse.SETTLEMENT] = state.stock[b, i, Category.SETTLEMENT]
    purse[Purse.WORKS] = state.stock[b, i, Category.WORKS]
    purse[Purse.ARMY] = state.stock[b, i, Category.ARMY]
    purse[Purse.WALLS] = state.stock[b, i, Category.WALLS]
    purse[Purse.GARRISON] = purse[Purse.ARMY]
    purse[Purse.VALUE] = 0.0


start_realm = kernel(_start_realm)
