"""Production: output = Σ over undisrupted own cells of F · (1 + D) + ω · O."""

from __future__ import annotations

from civsim.base.constants import MAX_CIVILIZATIONS
from civsim.base.kernels import kernel
from civsim.engine.work import SPARE_TOTALS


def _fertility_now(state, cfg, b, c):
    """Return a cell's fertility this turn: a volatile site in its low state gives ``volatile_low`` of it."""
    value = float(state.fertility[b, c])
    if state.site_state[b, c] == 0:
        value *= cfg.volatile_low
    return value


fertility_now = kernel(_fertility_now)


def _fill_yields(state, cfg, b, yields):
    """Fill ``yields`` (float64 [C]) with what every cell gives to its holder unless it is disrupted."""
    ore = state.ore[b]
    for c in range(cfg.n_cells):
        yields[c] = fertility_now(state, cfg, b, c) * (1.0 + state.works[b, c]) + cfg.ore_weight * ore[c]


fill_yields = kernel(_fill_yields)


def _fill_takers(owner, disrupted, takers):
    """Fill ``takers`` (uint8 [C]) with who takes a cell's yield: its holder, or in turn one of the spare places."""
    for c in range(owner.shape[0]):
        gives = (owner[c] >= 0) & (disrupted[c] == 0)
        takers[c] = owner[c] if gives else MAX_CIVILIZATIONS + c % SPARE_TOTALS


fill_takers = kernel(_fill_takers)


def _production(state, orders, cfg, key, work):
    """Rule 3 of a turn: fill ``state.output`` (float64 sums in the order of cells), grants of output included.

    What goes to nobody is summed too, in places that nobody reads: cheaper than a branch that guesses wrong.
    """
    total, yields, takers = work.totals, work.uniforms, work.beside
    for b in range(work.lo, work.hi):
        if state.turn[b] >= cfg.turns:
            continue
        for i in range(cfg.n_civs):
            total[i] = cfg.grant_output[i] if state.alive[b, i] else 0.0
        fill_yields(state, cfg, b, yields)
        fill_takers(state.owner[b], state.disrupted[b], takers)
        for c in range(cfg.n_cells):
            total[takers[c]] += yields[c]
        for i in range(cfg.n_civs):
            state.output[b, i] = total[i]


production = kernel(_production)
