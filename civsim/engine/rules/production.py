"""Production: output = Σ over undisrupted own cells of F · (1 + D) + ω · O."""

from __future__ import annotations

from civsim.base.kernels import kernel


def _fertility_now(state, cfg, b, c):
    """Return a cell's fertility this turn: a volatile site in its low state gives ``volatile_low`` of it."""
    value = float(state.fertility[b, c])
    if state.site_state[b, c] == 0:
        value *= cfg.volatile_low
    return value


fertility_now = kernel(_fertility_now)


def _production(state, orders, cfg, key, work):
    """Rule 3 of a turn: fill ``state.output`` (float64 sums), grants of output included."""
    for b in range(work.lo, work.hi):
        if state.turn[b] >= cfg.turns:
            continue
        total = work.scalars
        for i in range(cfg.n_civs):
            total[i] = cfg.grant_output[i] if state.alive[b, i] else 0.0
        for c in range(cfg.n_cells):
            i = state.owner[b, c]
            if i >= 0 and state.disrupted[b, c] == 0:
                total[i] += (
                    fertility_now(state, cfg, b, c) * (1.0 + state.works[b, c]) + cfg.ore_weight * state.ore[b, c]
                )
        for i in range(cfg.n_civs):
            state.output[b, i] = total[i]


production = kernel(_production)
