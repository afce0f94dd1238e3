"""The order of a turn. To add a rule: write its file beside this one and add its line here."""

from __future__ import annotations

from civsim.engine.rules.allocation import allocation
from civsim.engine.rules.arrivals import arrivals
from civsim.engine.rules.deliberation import deliberation
from civsim.engine.rules.nature import nature
from civsim.engine.rules.perception import perception
from civsim.engine.rules.production import production
from civsim.engine.rules.raiders import raiders
from civsim.engine.rules.record import record

RULES = (
    arrivals,
    nature,
    raiders,
    production,
    allocation,
    perception,
    deliberation,
    record,
)
"""A turn reads from top to bottom; each is called with (state, orders, cfg, key, work)."""
