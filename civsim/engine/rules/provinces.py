"""Provinces are drawn anew where a seat of thought has fallen or the realm has doubled; what each gives is counted."""

from __future__ import annotations

from civsim.base.kernels import kernel
from civsim.engine.offices.funds import share_out, weigh_offices
from civsim.engine.offices.provinces import are_due, assign_parties, draw_provinces
from civsim.engine.rules.lookouts import hold_council
from civsim.engine.rules.production import fill_yields


def _count_output(state, cfg, work, b):
    """Fill ``province_output`` with what the undisrupted cells of each province gave this turn."""
    fill_yields(state, cfg, b, work.uniforms)
    state.province_output[b] = 0.0
    for c in range(cfg.n_cells):
        i = state.owner[b, c]
        if i >= 0 and state.disrupted[b, c] == 0 and state.province[b, c] >= 0:
            state.province_output[b, i, state.province[b, c]] += work.uniforms[c]


count_output = kernel(_count_output)


def _redraw(state, cfg, key, work, b, i):
    """Draw the provinces of civilization ``i`` anew."""
    hold_council(state, cfg, work, b, i)
    draw_provinces(state, cfg, key, work, b, i)
    assign_parties(state, cfg, b, i)


redraw = kernel(_redraw)


def _divide_realms(state, cfg, key, work, b):
    """Draw provinces where they are due, count what each gives, and divide staff and funds that are divided anew."""
    for i in range(cfg.n_civs):
        work.redrawn[i] = 1 if state.alive[b, i] and are_due(state, cfg, b, i) else 0
        if work.redrawn[i]:
            redraw(state, cfg, key, work, b, i)
    count_output(state, cfg, work, b)
    for i in range(cfg.n_civs):
        if work.redrawn[i]:
            weigh_offices(state, cfg, b, i)
            share_out(state, cfg, b, i)


divide_realms = kernel(_divide_realms)


def _provinces(state, orders, cfg, key, work):
    """Rule between production and allocation: nothing where thought is housed at capitals alone."""
    if cfg.most_offices == 1:
        return
    for b in range(work.lo, work.hi):
        if state.turn[b] < cfg.turns:
            divide_realms(state, cfg, key, work, b)


provinces = kernel(_provinces)
