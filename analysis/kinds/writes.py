"""What the factors of a study set: a kind reads its design there, and not from whatever came out apart.

Games differ in what they spend, see and hold under any factor: raids change what is left to spend on thinking, land
changes it. An analysis of thinking is one only where the design itself moved thinking.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from civsim.analysis.kinds.seatwise import most_seats
from civsim.analysis.results import Results
from civsim.analysis.study import factor_writes

_SEATS = ("focal", "seat_default", "seats")
"""First steps of the dotted paths that lead to a civilization's own settings."""

_THINKING = ("levels", "price", "sham", "thought", "reach", "rollout", "rule", "levels_of_mind")
"""Settings of a civilization that say how much it thinks, what that costs, or what it is worth."""

_MUSCLE = ("policy.params.consumption", "policy.params.physical")
"""What of a civilization's policy says nothing of its thinking."""

_SPENDING = ("policy", "price", "force_price")
"""Settings of a civilization that say what its output is spent on; prices do where its policy looks at them."""


def own_path(path: str) -> str | None:
    """Return a dotted path from a civilization's settings on (``levels.horizon``); None where it leads elsewhere."""
    first, _, rest = path.partition(".")
    if first not in _SEATS:
        return None
    return rest.partition(".")[2] if first == "seats" else rest


def sets_thinking(factor: Mapping[str, Any], *, apart: bool = False) -> bool:
    """Return whether a factor of a manifest sets how much civilizations think, or what thinking costs or is worth.

    ``apart`` asks for the settings of single civilizations, which can make them unlike; else those of all count too.
    """
    for path in factor_writes(factor):
        own = own_path(path)
        if own is None:
            if not apart and path.split(".")[0] == "thinking":
                return True
        elif _lies_in(own, _THINKING) or (_lies_in(own, ("policy",)) and not _lies_in(own, _MUSCLE)):
            return True
    return False


def sets_spending(factor: Mapping[str, Any]) -> bool:
    """Return whether a factor of a manifest sets what civilizations spend their output on, or its prices."""
    for path in factor_writes(factor):
        own = own_path(path)
        if _lies_in(path, ("thinking.price",)) if own is None else _lies_in(own, _SPENDING):
            return True
    return False


def no_spending(results: Results) -> str | None:
    """Return why a study says nothing of what spending brings: no factor sets it; None where one does.

    Raises:
        ResultsError: no game ended well.
    """
    most_seats(results)
    if any(map(sets_spending, results.study["factors"].values())):
        return None
    return "no factor sets what output is spent on; vary cognition and consumption in the seats' policies"


def _lies_in(path: str, tables: tuple[str, ...]) -> bool:
    return any(f"{path}.".startswith(f"{table}.") for table in tables)
