"""Beliefs: what a civilization takes each cell to be worth and to cost, from its knowledge alone."""

from __future__ import annotations

import math

import numpy as np

from civsim.base.constants import (
    ALWAYS_ATTENDED,
    N_VARIABLES,
    NEVER,
    NOBODY,
    Channel,
    Draw,
    Noise,
    Seen,
    Sham,
    Variable,
    Witness,
)
from civsim.base.kernels import kernel
from civsim.base.randomness import uniform
from civsim.engine.formulas import (
    FORCE_WEIGHT,
    attack_frequency,
    claim_base,
    frequency,
    long_run_fertility,
    power_int,
    site_chance,
)
from civsim.engine.work import Belief

_STALE = -1.0


def _attend(state, cfg, work, b, i):
    """Note which drawn variables civilization ``i`` attends to: the first k − 2 of its salience order."""
    limit = state.level[b, i, Channel.ATTENTION] - ALWAYS_ATTENDED
    for rank in range(N_VARIABLES):
        work.attended[state.salience[b, i, rank]] = 1 if rank < limit else 0


attend = kernel(_attend)


def _select(values, n, k):
    """Return the k-th smallest (from 0) of ``values[:n]``, reordering it (Hoare's quickselect)."""
    lo, hi = 0, n - 1
    while lo < hi:
        pivot = values[(lo + hi) // 2]
        i, j = lo, hi
        while i <= j:
            while values[i] < pivot:
                i += 1
            while values[j] > pivot:
                j -= 1
            if i <= j:
                values[i], values[j] = values[j], values[i]
                i += 1
                j -= 1
        if k <= j:
            hi = j
        elif k >= i:
            lo = i
        else:
            break
    return values[k]


select = kernel(_select)


def _unseen_fertility(state, cfg, work, b, i):
    """Return the fertility believed of a cell never seen: the mean of those seen, or their optimistic quantile."""
    count = state.seen_sum[b, i, Seen.CELLS]
    if count == 0.0:
        return 0.0
    if not cfg.optimistic:
        return state.seen_sum[b, i, Seen.FERTILITY] / count
    cached = state.prior_fertility[b, i]
    if cached[1] != count:
        n = 0
        for c in range(cfg.n_cells):
            if state.seen[b, i, c] != NEVER:
                factor = state.noise[b, i, Noise.FERTILITY, c] if cfg.noisy else 1.0
                work.uniforms[n] = long_run_fertility(state, cfg, b, c) * factor
                n += 1
        cached[0] = select(work.uniforms, n, int(cfg.optimism * (n - 1)))
        cached[1] = count
    return cached[0]


unseen_fertility = kernel(_unseen_fertility)


def _coprime(start, n):
    """Return the least integer ≥ start that shares no factor with n."""
    a = max(start, 1)
    while True:
        x, y = a, n
        while y:
            x, y = y, x % y
        if x == 1:
            return a
        a += 1


coprime = kernel(_coprime)


def _begin_beliefs(state, cfg, key, work, b, i):
    """Start a fresh set of beliefs for civilization ``i``: the scalars now, each cell when first asked for."""
    work.clock[0] += 1
    attend(state, cfg, work, b, i)
    s, seen, witness = work.scalars, state.seen_sum[b, i], state.witness[b, i]
    count = max(seen[Seen.CELLS], 1.0)
    weight = cfg.prior_weight
    s[Belief.ORE] = seen[Seen.ORE] / count
    s[Belief.RUGGEDNESS] = seen[Seen.RUGGEDNESS] / count
    s[Belief.HAZARD] = seen[Seen.HAZARD] / count
    cell_turns = witness[Witness.CELL_TURNS]
    strikes = frequency(witness[Witness.DISASTERS], cell_turns, cfg.prior_disaster, weight)
    s[Belief.UPTIME] = power_int(1.0 - min(strikes, 1.0), cfg.disaster_turns) if cfg.hazard_on else 1.0
    attacks = attack_frequency(witness, work.attended[Variable.RIVALS], cfg.prior_attack, weight)
    s[Belief.ATTACK] = attacks if cfg.attacks_per_turn > 0 and cfg.n_civs > 1 else 0.0
    s[Belief.FORCE] = frequency(witness[Witness.ATTACK_FORCE], witness[Witness.ATTACKS], cfg.prior_force, FORCE_WEIGHT)
    raids = frequency(witness[Witness.RAIDS], cell_turns, cfg.prior_raid, weight)
    s[Belief.RAID] = raids if cfg.raid_rate > 0.0 else 0.0
    exposure = witness[Witness.RIVAL_EXPOSURE]
    s[Belief.ADVANCE] = frequency(witness[Witness.RIVAL_GAINS], exposure, cfg.prior_advance, weight)
    s[Belief.MEMORY] = 1.0 - 2.0 * cfg.volatility
    s[Belief.SHUFFLE_SCALE] = 0.0
    if cfg.sham[i] == Sham.SHUFFLED:
        world = state.world_id[b]
        start = int(uniform(key, world, 0, i, Draw.SHUFFLE) * cfg.n_cells)
        s[Belief.SHUFFLE_SCALE] = coprime(start, cfg.n_cells)
        s[Belief.SHUFFLE_SHIFT] = int(uniform(key, world, 1, i, Draw.SHUFFLE) * cfg.n_cells)


begin_beliefs = kernel(_begin_beliefs)


def _source_cell(cfg, scalars, c):
    """Return the cell whose knowledge stands for ``c``: itself, or its image under a sham's shuffle."""
    if scalars[Belief.SHUFFLE_SCALE] == 0.0:
        return c
    return int(scalars[Belief.SHUFFLE_SCALE] * c + scalars[Belief.SHUFFLE_SHIFT]) % cfg.n_cells


source_cell = kernel(_source_cell)


def _uptime(cfg, hazard):
    """Return the expected share of turns in which a cell is not disrupted by disasters: (1 − Z)^duration."""
    return power_int(1.0 - hazard, cfg.disaster_turns)


uptime = kernel(_uptime)


def _known_yield(cfg, fertility, high, age):
    """Return (mean, swing) of a volatile site's fertility: swing is what is known of it now beyond its mean."""
    chance = site_chance(high, age, 1.0 - 2.0 * cfg.volatility)
    span = fertility * (1.0 - cfg.volatile_low)
    return fertility * cfg.volatile_low + 0.5 * span, span * (chance - 0.5)


known_yield = kernel(_known_yield)


def _believe_cells(state, cfg, work, b, i, cells, n):
    """Make the beliefs about ``cells[:n]`` that this deliberation has not made yet; writes ``work`` at each cell.

    One loop over local rows: read through the record cell by cell the same lines take three times as long.
    """
    seen, fertility, site, high = state.seen[b, i], state.fertility[b], state.site[b], state.known_site[b, i]
    ruggedness, known_works, turn = state.ruggedness[b], state.known_works[b, i], state.turn[b]
    stamp, clock, scalars, attended = work.stamp, work.clock[0], work.scalars, work.attended
    sees_ore, sees_hazard = attended[Variable.ORE] == 1, cfg.hazard_on and attended[Variable.HAZARD] == 1
    volatile, noisy, noise, ores = cfg.volatility > 0.0, cfg.noisy, state.noise[b, i], state.ore[b]
    for k in range(n):
        c = cells[k]
        if stamp[c] == clock:
            continue
        stamp[c] = clock
        source = source_cell(cfg, scalars, c)
        known = seen[source] != NEVER
        swing, ore, rugged, works = 0.0, scalars[Belief.ORE], scalars[Belief.RUGGEDNESS], 0.0
        share = scalars[Belief.UPTIME]
        if known:
            mean = np.float64(fertility[source])  # numba keeps float(x) of a float32 a float32
            if noisy:
                mean *= noise[Noise.FERTILITY, source]
            if volatile and site[source]:
                mean, swing = known_yield(cfg, mean, high[source] == 1, turn - seen[source])
            rugged, works = np.float64(ruggedness[source]), np.float64(known_works[source])
            if sees_ore:
                ore = float(ores[source])  # here rules version 1 multiplies in float32
                if noisy:
                    ore *= noise[Noise.ORE, source]
        else:
            mean = unseen_fertility(state, cfg, work, b, i)
        if sees_hazard:
            hazard = np.float64(state.hazard[b, source]) if known else scalars[Belief.HAZARD]
            if noisy:
                hazard = min(hazard * noise[Noise.HAZARD, source], 1.0)
            share = uptime(cfg, hazard)
        cost = claim_base(cfg.claim_cost, cfg.claim_rugged, rugged)
        if noisy:
            cost *= noise[Noise.COST, source]
        value = (mean * share + swing * share) * (1.0 + works) + cfg.ore_weight * ore * share
        work.fertility[c], work.swing[c] = mean * share, swing * share
        work.ore_output[c], work.claim_cost[c] = cfg.ore_weight * ore * share, cost
        work.value[c], work.ratio[c] = value, value / cost


believe_cells = kernel(_believe_cells)


def _believe(state, cfg, work, b, i, c):
    """Make the belief about cell ``c`` if this deliberation has not made it yet; writes ``work`` at ``c``."""
    if work.stamp[c] != work.clock[0]:
        work.single[0] = c
        believe_cells(state, cfg, work, b, i, work.single, 1)


believe = kernel(_believe)


def _known_rival(state, b, i, c):
    """Return the rival last seen holding ``c``, or -1; own territory is always known."""
    if state.owner[b, c] == i:
        return NOBODY
    holder = state.known_owner[b, i, c]
    return NOBODY if holder == i else holder


known_rival = kernel(_known_rival)


def _expect_rivals(state, cfg, work, b, i):
    """Fill ``rival_at``: steps from known rival land over the pace of advance witnessed (turns); inf if unattended."""
    arrive, queue = work.rival_at, work.queue
    arrive[:] = math.inf
    if not work.attended[Variable.RIVALS] or cfg.n_civs == 1:
        return
    pace = work.scalars[Belief.ADVANCE]
    tail = 0
    for c in range(cfg.n_cells):
        if known_rival(state, b, i, c) >= 0:
            arrive[c] = 0.0
            queue[tail] = c
            tail += 1
    if pace <= 0.0:
        return
    head = 0
    while head < tail:
        c = queue[head]
        head += 1
        for k in range(cfg.neighbours.shape[1]):
            other = cfg.neighbours[c, k]
            if other >= 0 and arrive[other] == math.inf:
                arrive[other] = arrive[c] + 1.0 / pace
                queue[tail] = other
                tail += 1


expect_rivals = kernel(_expect_rivals)


def _list_front(state, cfg, work, b, i, held):
    """List the free cells beside own cells ``work.own[:held]`` that bear no mark; return (how many, rivals beside).

    Cells are met own cell by own cell, north, south, west, east, and marked with ``work.clock[1]`` as they are.
    """
    mark, front, rivals = work.mark, 0, 0
    for k in range(held):
        for side in range(cfg.neighbours.shape[1]):
            other = cfg.neighbours[work.own[k], side]
            if other < 0 or state.owner[b, other] == i or mark[other] == work.clock[1]:
                continue
            mark[other] = work.clock[1]
            if known_rival(state, b, i, other) >= 0:
                rivals += 1
            else:
                work.front[front] = other
                front += 1
    return front, rivals


list_front = kernel(_list_front)


def _list_land(state, cfg, work, b, i):
    """List own cells, frontier cells believed free, and parties under way; count bordering rival cells."""
    work.clock[1] += 1
    mark, held, pending = work.mark, 0, 0
    for slot in range(state.party_cell.shape[2]):
        cell = state.party_cell[b, i, slot]
        # A party whose target is held by now, by a rival seen there or by ourselves, will settle nothing.
        if cell >= 0 and state.owner[b, cell] != i and known_rival(state, b, i, cell) < 0:
            mark[cell] = work.clock[1]
            work.pending_cell[pending] = cell
            work.pending_due[pending] = state.party_due[b, i, slot] - state.turn[b]
            pending += 1
    for c in range(cfg.n_cells):
        if state.owner[b, c] == i:
            work.own[held] = c
            held += 1
    front, rivals = list_front(state, cfg, work, b, i, held)
    return held, front, pending, rivals


list_land = kernel(_list_land)
