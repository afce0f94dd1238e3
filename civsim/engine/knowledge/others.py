"""What is known of rivals and of raiders: as last seen, never as it is now."""

from __future__ import annotations

import numpy as np

from civsim.base.constants import NEVER, NOBODY
from civsim.base.kernels import kernel
from civsim.engine.knowledge.own import own_seat


def _knows_army(state, b, i, rival):
    """Return True where the army of ``rival`` has ever been seen."""
    return state.force_turn[b, i, rival] != NEVER


knows_army = kernel(_knows_army)


def _known_army(state, b, i, rival):
    """Return the army of ``rival``, which is known, when last seen (units of force)."""
    return float(state.force_seen[b, i, rival])


known_army = kernel(_known_army)


def _known_seat(state, b, i, rival):
    """Return where the capital of ``rival`` was last seen; the own one where it never was."""
    seat = state.known_capital[b, i, rival]
    return own_seat(state, b, i) if seat == NOBODY else seat


known_seat = kernel(_known_seat)


def _party_seen(state, cfg, b, i, rival, slot):
    """Return (cell, turns until it is there) of a rival's party in ``slot``; cell -1 for none in view.

    A party is seen where the cell that it makes for is in view, from the turn after it was sent.
    """
    cell = state.party_cell[b, rival, slot]
    due = int(state.party_due[b, rival, slot] - state.turn[b])
    if cell < 0 or due >= cfg.claim_lag or state.seen[b, i, cell] != state.turn[b]:
        return NOBODY, 0
    return int(cell), due


party_seen = kernel(_party_seen)


def _band_slots(state):
    """Return how many bands of raiders there can be."""
    return state.band_cell.shape[1]


band_slots = kernel(_band_slots)


def _band_seen(state, b, i, band):
    """Return (cell, age) of the last sight of a band: where it stood and how many turns ago; (-1, 0) for none."""
    if state.band_turn[b, i, band] == NEVER:
        return NOBODY, 0
    return int(state.band_seen[b, i, band]), int(state.turn[b] - state.band_turn[b, i, band])


band_seen = kernel(_band_seen)


def _band_since(state, b, i, band):
    """Return the turn in which a band that was seen had appeared, which whoever sees it knows; -1 if it never did."""
    return int(state.band_since[b, i, band])


band_since = kernel(_band_since)


def _band_from(state, b, i, band):
    """Return the cell in which a band that was seen was seen first."""
    return np.int64(state.band_from[b, i, band])


band_from = kernel(_band_from)


def _band_aim(state, b, i, band):
    """Return the cell that a band that was seen is believed to have set out for; -1 for none."""
    return state.band_aim[b, i, band]


band_aim = kernel(_band_aim)


def _known_strength(state, b, i, band, otherwise):
    """Return the strength of a band in sight this turn (units of force)."""
    return float(state.band_strength[b, band]) if state.band_turn[b, i, band] == state.turn[b] else otherwise


known_strength = kernel(_known_strength)
