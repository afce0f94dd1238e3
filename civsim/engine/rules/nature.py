"""Nature: disasters strike, volatile sites flip. Land and weather are the same in every arm of a study."""

from __future__ import annotations

from enum import IntEnum

from civsim.base.constants import Draw, Witness
from civsim.base.kernels import kernel
from civsim.base.randomness import fill_words, unit
from civsim.engine.land.marks import list_marked


class Loss(IntEnum):
    """What a cell was lost or disrupted by; the order of the last axis of ``State.losses``."""

    DISASTER = 0
    BATTLE = 1
    RAID = 2


def _mark_struck(words, hazard, struck):
    """Mark the cells whose draw lies below their hazard."""
    for c in range(words.shape[0]):
        struck[c] = unit(words[c]) < hazard[c]


mark_struck = kernel(_mark_struck)


def _strike(state, cfg, key, work, b):
    """Each cell is struck with its hazard and gives nothing for ``disaster_turns`` turns, this one included."""
    fill_words(key, state.world_id[b], state.turn[b], Draw.DISASTER, work.words)
    mark_struck(work.words, state.hazard[b], work.beside)
    for k in range(list_marked(work.beside, work.queue)):
        c = work.queue[k]
        state.disrupted[b, c] = max(state.disrupted[b, c], cfg.disaster_turns)
        i = state.owner[b, c]
        if i >= 0:
            state.losses[b, i, Loss.DISASTER] += 1
            state.witness[b, i, Witness.DISASTERS] += 1.0


strike = kernel(_strike)


def _flip(state, cfg, key, b, words):
    """Each site changes state with probability ``volatility``."""
    site, site_state = state.site[b], state.site_state[b]
    fill_words(key, state.world_id[b], state.turn[b], Draw.FLIP, words)
    for c in range(cfg.n_cells):
        site_state[c] ^= site[c] & (unit(words[c]) < cfg.volatility)


flip = kernel(_flip)


def _nature(state, orders, cfg, key, work):
    """Rule 1 of a turn: disasters and flips."""
    for b in range(work.lo, work.hi):
        if state.turn[b] >= cfg.turns:
            continue
        if cfg.hazard_on and cfg.disaster_turns > 0:
            strike(state, cfg, key, work, b)
        if cfg.volatility > 0.0:
            flip(state, cfg, key, b, work.words)


nature = kernel(_nature)
