"""Nature: disasters strike, volatile sites flip. Land and weather are the same in every arm of a study."""

from __future__ import annotations

from enum import IntEnum

from civsim.base.constants import Draw, Witness
from civsim.base.kernels import kernel
from civsim.base.randomness import fill_words, unit


class Loss(IntEnum):
    """What a cell was lost or disrupted by; the order of the last axis of ``State.losses``."""

    DISASTER = 0
    BATTLE = 1
    RAID = 2


BLOCK = 64
"""Cells that are compared with their draws in one go; only a block with a hit is gone through cell by cell."""


def _hits(words, chance):
    """Return how many draws lie below their chance (float32); both cover the same cells."""
    count = 0
    for c in range(words.shape[0]):
        count += unit(words[c]) < chance[c]
    return count


hits = kernel(_hits)


def _strike(state, cfg, key, b, words):
    """Each cell is struck with its hazard and gives nothing for ``disaster_turns`` turns, this one included."""
    fill_words(key, state.world_id[b], state.turn[b], Draw.DISASTER, words)
    hazard = state.hazard[b]
    for start in range(0, cfg.n_cells, BLOCK):
        end = min(start + BLOCK, cfg.n_cells)
        if hits(words[start:end], hazard[start:end]) == 0:
            continue
        for c in range(start, end):
            if unit(words[c]) < hazard[c]:
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
            strike(state, cfg, key, b, work.words)
        if cfg.volatility > 0.0:
            flip(state, cfg, key, b, work.words)


nature = kernel(_nature)
