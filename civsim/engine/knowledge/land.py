"""What is known of a cell: what lasts (fertility, ore, ruggedness, hazard) once it was seen, the rest as last seen."""

from __future__ import annotations

import numpy as np

from civsim.base.constants import NEVER, NOBODY
from civsim.base.kernels import kernel
from civsim.engine.formulas import long_run_fertility


def _knows(state, b, i, cell):
    """Return True where ``cell`` has ever been seen."""
    return state.seen[b, i, cell] != NEVER


knows = kernel(_knows)


def _sighting_age(state, b, i, cell):
    """Return how many turns ago ``cell``, which is known, was last seen."""
    return state.turn[b] - state.seen[b, i, cell]


sighting_age = kernel(_sighting_age)


def _known_fertility(state, b, i, cell, otherwise):
    """Return the fertility of a cell (output), a volatile site's in its high state."""
    return float(state.fertility[b, cell]) if knows(state, b, i, cell) else otherwise


known_fertility = kernel(_known_fertility)


def _known_long_run(state, cfg, b, i, cell, otherwise):
    """Return the fertility of a cell in the long run (output)."""
    return long_run_fertility(state, cfg, b, cell) if knows(state, b, i, cell) else otherwise


known_long_run = kernel(_known_long_run)


def _known_ore(state, b, i, cell):
    """Return the ore of a cell (units), in the float32 it is kept in; 0 where it was never seen."""
    return state.ore[b, cell] if knows(state, b, i, cell) else np.float32(0.0)


known_ore = kernel(_known_ore)


def _known_ruggedness(state, b, i, cell, otherwise):
    """Return the ruggedness of a cell, in [0, 1]."""
    return float(state.ruggedness[b, cell]) if knows(state, b, i, cell) else otherwise


known_ruggedness = kernel(_known_ruggedness)


def _known_hazard(state, b, i, cell, otherwise):
    """Return the probability of a disaster a turn on a cell."""
    return float(state.hazard[b, cell]) if knows(state, b, i, cell) else otherwise


known_hazard = kernel(_known_hazard)


def _known_volatile(state, cfg, b, i, cell):
    """Return True where a cell is known to be a site whose fertility comes and goes."""
    return knows(state, b, i, cell) and cfg.volatility > 0.0 and state.site[b, cell] == 1


known_volatile = kernel(_known_volatile)


def _known_high(state, b, i, cell):
    """Return True where a volatile site was in its high state when last seen."""
    return state.known_site[b, i, cell] == 1


known_high = kernel(_known_high)


def _known_works(state, b, i, cell):
    """Return the works of a cell when last seen; 0 where it never was."""
    return float(state.known_works[b, i, cell]) if knows(state, b, i, cell) else 0.0


known_works = kernel(_known_works)


def _known_wall(state, b, i, cell):
    """Return the wall of a cell when last seen (units); 0 where it never was."""
    return float(state.known_wall[b, i, cell]) if knows(state, b, i, cell) else 0.0


known_wall = kernel(_known_wall)


def _owns(state, b, i, cell):
    """Return True where the civilization holds ``cell`` itself, which it always knows."""
    return state.owner[b, cell] == i


owns = kernel(_owns)


def _known_rival(state, b, i, cell):
    """Return the rival last seen holding ``cell``, or -1."""
    holder = state.known_owner[b, i, cell]
    return NOBODY if holder == i or owns(state, b, i, cell) else holder


known_rival = kernel(_known_rival)


def _seems_free(state, b, i, cell):
    """Return True where ``cell`` is not own and no rival was last seen holding it."""
    return not owns(state, b, i, cell) and known_rival(state, b, i, cell) == NOBODY


seems_free = kernel(_seems_free)
