"""Perception: every realm looks around, from its territory or, where thought has several seats, from each province."""

from __future__ import annotations

from civsim.base.kernels import kernel
from civsim.engine.offices.news import keep_present
from civsim.engine.offices.provinces import has_several
from civsim.engine.rules.looking import perceive
from civsim.engine.rules.lookouts import perceive_by_office


def _perception(state, orders, cfg, key, work):
    """Rule 5 of a turn: the living look around, and messengers bring what other seats of thought have seen."""
    for b in range(work.lo, work.hi):
        if state.turn[b] >= cfg.turns:
            continue
        if cfg.most_offices > 1:
            keep_present(state, cfg, b)
        for i in range(cfg.n_civs):
            if not state.alive[b, i]:
                continue
            if has_several(state, cfg, b, i):
                perceive_by_office(state, cfg, work, b, i)
            else:
                perceive(state, cfg, work, b, i)


# See `deliberation`: looking and remembering are a dozen kernels, one within another.
perception = kernel(_perception, rounds=2)
