"""Nature: disasters strike, volatile sites flip. Land and weather are the same in every arm of a study."""

from __future__ import annotations

from enum import IntEnum

from civsim.base.constants import Draw, Witness
from civsim.base.kernels import kernel
from civsim.base.randomness import fill_uniform


class Loss(IntEnum):
    """What a cell was lost or disrupted by; the order of the last axis of ``State.losses``."""

    DISASTER = 0
    BATTLE = 1
    RAID = 2


def _strike(state, cfg, key, b, draws):
    """Each cell is struck with its hazard and gives nothing for ``disaster_turns`` turns, this one included."""
    fill_uniform(key, state.world_id[b], state.turn[b], Draw.DISASTER, draws)
    for c in range(cfg.n_cells):
        if draws[c] < state.hazard[b, c]:
            state.disrupted[b, c] = max(state.disrupted[b, c], cfg.disaster_turns)
            i = state.owner[b, c]
            if i >= 0:
                state.losses[b, i, Loss.DISASTER] += 1
                state.witness[b, i, Witness.DISASTERS] += 1.0


strike = kernel(_strike)


def _flip(state, cfg, key, b, draws):
    """Each site changes state with probability ``volatility``."""
    fill_uniform(key, state.world_id[b], state.turn[b], Draw.FLIP, draws)
    for c in range(cfg.n_cells):
        if state.site[b, c] and draws[c] < cfg.volatility:
            state.site_state[b, c] = 1 - state.site_state[b, c]


flip = kernel(_flip)


def _nature(state, orders, cfg, key, work):
    """Rule 1 of a turn: disasters and flips."""
    for b in range(work.lo, work.hi):
        if state.turn[b] >= cfg.turns:
            continue
        if cfg.hazard_on and cfg.disaster_turns > 0:
            strike(state, cfg, key, b, work.uniforms)
        if cfg.volatility > 0.0:
            flip(state, cfg, key, b, work.uniforms)


nature = kernel(_nature)
