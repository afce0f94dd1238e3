"""What is known of a cell: what lasts (fertility, ore, ruggedness, hazard) once it was seen, the rest as last seen."""

from __future__ import annotations

import numpy as np

from civsim.base.bits import EMPTY, WORD, above_word, first_bit, without_first
from civsim.base.constants import NEVER, NOBODY
from civsim.base.kernels import kernel
from civsim.engine.formulas import long_run_fertility
from civsim.engine.work import Base


def _knows(state, b, i, cell):
    """Return True where ``cell`` has ever been seen."""
    return state.seen[b, i, cell] != NEVER


knows = kernel(_knows)


def _known_long_run(state, cfg, b, i, cell, otherwise):
    """Return the fertility of a cell in the long run (output)."""
    return long_run_fertility(state, cfg, b, cell) if knows(state, b, i, cell) else otherwise


known_long_run = kernel(_known_long_run)


def _known_ruggedness(state, b, i, cell, otherwise):
    """Return the ruggedness of a cell, in [0, 1]."""
    return float(state.ruggedness[b, cell]) if knows(state, b, i, cell) else otherwise


known_ruggedness = kernel(_known_ruggedness)


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


def _read_holders(state, cfg, work, b, i):
    """Write to ``work.holder`` who is known to hold each cell, and list rivals' cells, ascending, in ``work.rivals``.

    A map of one civilization's own: what asks :func:`seems_free` or :func:`known_rival` of a cell again and again reads
    there a byte. It stands until an order moves a border, or shows that one has moved.
    """
    owner, last, holder, n = state.owner[b], state.known_owner[b, i], work.holder, 0
    oneself, nobody = np.int8(i), np.int8(NOBODY)
    for c in range(cfg.n_cells):
        known = last[c]
        rival = nobody if known == oneself else known
        holder[c] = oneself if owner[c] == oneself else rival
    for start in range(0, cfg.n_cells, WORD):
        word = above_word(holder, start, nobody)
        while word != EMPTY:
            c = start + first_bit(word)
            word = without_first(word)
            if holder[c] != oneself:
                work.rivals[n] = c
                n += 1
    work.sizes[Base.KNOWN] = n


read_holders = kernel(_read_holders)
