"""Beliefs: what a civilization takes each cell to be worth and to cost, from its knowledge alone."""

from __future__ import annotations

from civsim.base.constants import (
    ALWAYS_ATTENDED,
    N_VARIABLES,
    NOBODY,
    Draw,
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
    frequency,
    power_int,
)
from civsim.engine.knowledge.land import read_holders
from civsim.engine.knowledge.own import is_anothers, list_apart, own_party, party_slots
from civsim.engine.work import Base, Belief, Clock, Levels


def _attend(state, work, b, i):
    """Note which drawn variables civilization ``i`` attends to: the first k − 2 of its salience order."""
    limit = work.levels[Levels.ATTENTION] - ALWAYS_ATTENDED
    for rank in range(N_VARIABLES):
        work.attended[state.salience[b, i, rank]] = 1 if rank < limit else 0


attend = kernel(_attend)


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
    s[Belief.SHUFFLE_SCALE] = 0.0
    if cfg.sham[i] == Sham.SHUFFLED:
        world = state.world_id[b]
        start = int(uniform(key, world, 0, i, Draw.SHUFFLE) * cfg.n_cells)
        s[Belief.SHUFFLE_SCALE] = coprime(start, cfg.n_cells)
        s[Belief.SHUFFLE_SHIFT] = int(uniform(key, world, 1, i, Draw.SHUFFLE) * cfg.n_cells)


begin_beliefs = kernel(_begin_beliefs)


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


def _list_parties(state, cfg, work, b, i):
    """List and mark the parties under way that are believed to settle something; count those of other seats.

    What another seat of thought has sent this turn is not known yet: they decide at the same time.
    """
    pending, others = 0, 0
    for slot in range(party_slots(state)):
        cell, due = own_party(state, b, i, slot)
        # A party whose target is held by now, by a rival seen there or by ourselves, will settle nothing.
        if cell >= 0 and work.holder[cell] == NOBODY:
            if is_anothers(state, work, b, i, slot):
                if due < cfg.claim_lag:
                    set_mark(work, cell)
                    others += 1
                continue
            set_mark(work, cell)
            work.pending_cell[pending], work.pending_due[pending] = cell, due
            pending += 1
    work.sizes[Base.PENDING], work.sizes[Base.ELSEWHERE] = pending, others


list_parties = kernel(_list_parties)


def _list_front(cfg, work, i, region):
    """List the cells beside ``region`` that bear no mark, those believed free and rivals'; return how many of each.

    Who holds what is read off ``work.holder``.
    """
    front, rivals = 0, 0
    for k in range(region.shape[0]):
        for side in range(cfg.neighbours.shape[1]):
            other = cfg.neighbours[region[k], side]
            if other < 0 or work.holder[other] == i or is_marked(work, other):
                continue
            set_mark(work, other)
            if work.holder[other] != NOBODY:
                work.foes[rivals] = other
                rivals += 1
            else:
                work.front[front] = other
                front += 1
    return front, rivals


list_front = kernel(_list_front)


def _list_land(state, cfg, work, b, i, region):
    """List parties under way, the cells beside ``region`` believed free or a rival's, and who is known to hold what."""
    read_holders(state, cfg, work, b, i)
    begin_marks(work)
    list_parties(state, cfg, work, b, i)
    work.sizes[Base.APART] = list_apart(state, cfg, work, b, i)
    work.sizes[Base.ELSEWHERE] += work.sizes[Base.APART]
    front, rivals = list_front(cfg, work, i, region)
    work.sizes[Base.HELD], work.sizes[Base.FRONT] = region.shape[0], front
    work.sizes[Base.RIVALS] = rivals


list_land = kernel(_list_land)
