"""Sieges: where walls are breached in time, an attack on a walled cell takes turns before the battle is fought."""

from __future__ import annotations

import math

from civsim.base.kernels import kernel

CRUMBS = 1e-5
"""Units of wall, and share of a turn, that single precision may leave: no wall, and no turn."""


def _wall_left(cfg, wall, force):
    """Return what a turn's attack by ``force`` leaves of a wall (units): siege · force of it is breached."""
    left = wall - cfg.siege * force
    return left if left > CRUMBS else 0.0


wall_left = kernel(_wall_left)


def _siege_turns(cfg, wall, force):
    """Return the turns of attack until the battle, that of the battle included: ⌈wall / (siege · force)⌉, at least 1.

    Of a force that stays as it is and a wall that is not raised; as many as there can be where force breaches nothing.
    """
    if cfg.siege <= 0.0 or wall <= 0.0:
        return 1
    if cfg.siege * force * cfg.turns <= wall:
        return cfg.turns + 1
    return max(math.ceil(wall / (cfg.siege * force) - CRUMBS), 1)


siege_turns = kernel(_siege_turns)


def _wall_in_battle(cfg, wall):
    """Return the wall that stands in a battle (units): none where walls are breached before it."""
    return 0.0 if cfg.siege > 0.0 else wall


wall_in_battle = kernel(_wall_in_battle)


def _battles_a_turn(cfg, attacks, wall, force):
    """Return the battles a turn to expect of ``attacks`` a turn by ``force``: a siege attacks in each of its turns."""
    if cfg.siege <= 0.0 or cfg.siege * force >= wall:
        return attacks
    return attacks * cfg.siege * force / wall


battles_a_turn = kernel(_battles_a_turn)
