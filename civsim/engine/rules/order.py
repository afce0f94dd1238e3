"""The order of a turn. To add a rule: write its file beside this one and add its line here."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from numba import typeof

from civsim.base.chain import chained
from civsim.base.kernels import announced
from civsim.engine.rules.allocation import allocation
from civsim.engine.rules.arrivals import arrivals
from civsim.engine.rules.deliberation import deliberation, deliberation_by_rule
from civsim.engine.rules.nature import nature
from civsim.engine.rules.perception import perception
from civsim.engine.rules.production import production
from civsim.engine.rules.provinces import provinces
from civsim.engine.rules.raiders import raiders
from civsim.engine.rules.record import record

RULES = (
    arrivals,
    nature,
    raiders,
    production,
    provinces,
    allocation,
    perception,
    deliberation,
    record,
)
"""A turn reads from top to bottom; each is called with (state, orders, cfg, key, work)."""


def rules_of(looks_ahead: bool) -> tuple[Any, ...]:
    """Return RULES; where no seat can ever look ahead, with the deliberation that needs no planner to be compiled."""
    return RULES if looks_ahead else tuple(deliberation_by_rule if rule is deliberation else rule for rule in RULES)


def compiled_turn(arguments: tuple[Any, ...], looks_ahead: bool) -> Callable[..., None]:
    """Return a turn, every rule of a game after the other, compiled for arguments of these types.

    It is one call, which holds no lock of the interpreter: threads run side by side on small batches. Where compilation
    is off it calls the plain rules.
    """
    kinds = tuple(typeof(argument) for argument in arguments)
    with announced():
        return chained(rules_of(looks_ahead), kinds)
