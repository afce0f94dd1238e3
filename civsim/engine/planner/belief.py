"""Beliefs: what a civilization takes each cell to be worth and to cost, from its knowledge alone."""

from __future__ import annotations

import math

from civsim.base.constants import (
    ALWAYS_ATTENDED,
    N_VARIABLES,
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
    cell_output,
    claim_base,
    frequency,
    power_int,
    site_chance,
)
from civsim.engine.knowledge.land import (
    known_fertility,
    known_hazard,
    known_high,
    known_long_run,
    known_ore,
    known_rival,
    known_ruggedness,
    known_volatile,
    known_works,
    knows,
    owns,
    seems_free,
    sighting_age,
)
from civsim.engine.knowledge.own import own_party, party_slots
from civsim.engine.work import Base, Belief, Clock, Levels


def _attend(state, work, b, i):
    """Note which drawn variables civilization ``i`` attends to: the first k − 2 of its salience order."""
    limit = work.levels[Levels.ATTENTION] - ALWAYS_ATTENDED
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
            if knows(state, b, i, c):
                factor = state.noise[b, i, Noise.FERTILITY, c] if cfg.noisy else 1.0
                work.uniforms[n] = known_long_run(state, cfg, b, i, c, 0.0) * factor
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
    work.clock[Clock.DELIBERATION] += 1
    attend(state, work, b, i)
    s, seen, witness = work.scalars, state.seen_sum[b, i], state.witness[b, i]
    count = max(seen[Seen.CELLS], 1.0)
    weight = cfg.prior_weight
    s[Belief.FERTILITY] = unseen_fertility(state, cfg, work, b, i)
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


def _uptime(state, cfg, work, b, i, source):
    """Return the expected share of turns in which a cell is not disrupted by disasters: (1 − Z)^duration."""
    if not cfg.hazard_on:
        return 1.0
    if not work.attended[Variable.HAZARD]:
        return work.scalars[Belief.UPTIME]
    hazard = known_hazard(state, b, i, source, work.scalars[Belief.HAZARD])
    if cfg.noisy:
        hazard = min(hazard * state.noise[b, i, Noise.HAZARD, source], 1.0)
    return power_int(1.0 - hazard, cfg.disaster_turns)


uptime = kernel(_uptime)


def _believed_fertility(state, cfg, work, b, i, source):
    """Return (mean, swing) of a cell's fertility: swing is what is known now of a volatile site beyond its mean."""
    mean = known_fertility(state, b, i, source, work.scalars[Belief.FERTILITY])
    if cfg.noisy and knows(state, b, i, source):
        mean *= state.noise[b, i, Noise.FERTILITY, source]
    if not known_volatile(state, cfg, b, i, source):
        return mean, 0.0
    age = sighting_age(state, b, i, source)
    chance = site_chance(known_high(state, b, i, source), age, work.scalars[Belief.MEMORY])
    span = mean * (1.0 - cfg.volatile_low)
    return mean * cfg.volatile_low + 0.5 * span, span * (chance - 0.5)


believed_fertility = kernel(_believed_fertility)


def _believed_ruggedness(state, cfg, work, b, i, c):
    """Return the ruggedness believed of cell ``c``."""
    source = source_cell(cfg, work.scalars, c)
    return known_ruggedness(state, b, i, source, work.scalars[Belief.RUGGEDNESS])


believed_ruggedness = kernel(_believed_ruggedness)


def _believe(state, cfg, work, b, i, c):
    """Make the belief about cell ``c`` if this deliberation has not made it yet; writes ``work`` at ``c``."""
    if work.stamp[c] == work.clock[Clock.DELIBERATION]:
        return
    work.stamp[c] = work.clock[Clock.DELIBERATION]
    source = source_cell(cfg, work.scalars, c)
    mean, swing = believed_fertility(state, cfg, work, b, i, source)
    ore = work.scalars[Belief.ORE]
    if work.attended[Variable.ORE] and knows(state, b, i, source):
        ore = known_ore(state, b, i, source)
        if cfg.noisy:
            # Both factors and their product are float32.
            ore *= state.noise[b, i, Noise.ORE, source]
    ruggedness = believed_ruggedness(state, cfg, work, b, i, c)
    share = uptime(state, cfg, work, b, i, source)
    works = known_works(state, b, i, source)
    work.fertility[c] = mean * share
    work.swing[c] = swing * share
    work.ore_output[c] = cfg.ore_weight * ore * share
    work.claim_cost[c] = claim_base(cfg.claim_cost, cfg.claim_rugged, ruggedness)
    if cfg.noisy:
        work.claim_cost[c] *= state.noise[b, i, Noise.COST, source]
    work.value[c] = cell_output(work.fertility[c] + work.swing[c], works, work.ore_output[c])
    work.ratio[c] = work.value[c] / work.claim_cost[c]


believe = kernel(_believe)


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


def _begin_marks(work):
    """Make every mark stale, so that a new walk may mark the cells it meets."""
    work.clock[Clock.MARK] += 1


begin_marks = kernel(_begin_marks)


def _is_marked(work, cell):
    """Return True where the present walk has marked ``cell``."""
    return work.mark[cell] == work.clock[Clock.MARK]


is_marked = kernel(_is_marked)


def _set_mark(work, cell):
    """Mark ``cell`` as met by the present walk."""
    work.mark[cell] = work.clock[Clock.MARK]


set_mark = kernel(_set_mark)


def _list_parties(state, work, b, i):
    """List and mark the parties under way that are believed to settle something."""
    pending = 0
    for slot in range(party_slots(state)):
        cell, due = own_party(state, b, i, slot)
        # A party whose target is held by now, by a rival seen there or by ourselves, will settle nothing.
        if cell >= 0 and seems_free(state, b, i, cell):
            set_mark(work, cell)
            work.pending_cell[pending], work.pending_due[pending] = cell, due
            pending += 1
    work.sizes[Base.PENDING] = pending


list_parties = kernel(_list_parties)


def _list_land(state, cfg, work, b, i, region):
    """List the parties under way and the cells beside ``region`` believed free; count its bordering rival cells."""
    begin_marks(work)
    list_parties(state, work, b, i)
    front, rivals = 0, 0
    for k in range(region.shape[0]):
        for side in range(cfg.neighbours.shape[1]):
            other = cfg.neighbours[region[k], side]
            if other < 0 or owns(state, b, i, other) or is_marked(work, other):
                continue
            set_mark(work, other)
            if known_rival(state, b, i, other) >= 0:
                rivals += 1
            else:
                work.front[front] = other
                front += 1
    work.sizes[Base.HELD], work.sizes[Base.FRONT] = region.shape[0], front
    work.sizes[Base.RIVALS] = rivals


list_land = kernel(_list_land)
