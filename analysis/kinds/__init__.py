"""Kinds of analysis, one file each: from a results folder to tidy tables, a figure of them, and what they say.

A file that defines ``KIND`` is a kind: nothing else lists them. :func:`kinds` finds them when it is first called.
"""

from __future__ import annotations

import pkgutil
from collections.abc import Sequence
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING

from civsim.base.errors import ResultsError

if TYPE_CHECKING:
    from civsim.analysis.kinds.kind import Kind

ORDER = (
    "verdicts",
    "tradeoff",
    "castle",
    "exchange",
    "walls",
    "dose-response",
    "magnitude",
    "bits",
    "equivalence",
    "bracket",
    "breakeven",
    "shapley",
    "production",
    "strength",
    "concentration",
    "red-queen",
    "phase",
    "stylised",
    "mixed",
    "instruments",
    "sensitivity",
    "discovery",
)
"""Order in which a report tells them: what thinking is worth, where it comes from, where it changes, how sure. A kind
that is not named here comes after these, by name."""


def in_order(found: Sequence[Kind]) -> tuple[Kind, ...]:
    """Return kinds in the order of :data:`ORDER`, then by name."""
    return tuple(
        sorted(found, key=lambda kind: (ORDER.index(kind.name) if kind.name in ORDER else len(ORDER), kind.name))
    )


@cache
def kinds() -> tuple[Kind, ...]:
    """Return every kind of analysis that ships with civsim, in the order in which a report tells them."""
    modules = [import_module(f"{__name__}.{module.name}") for module in pkgutil.iter_modules(__path__)]
    return in_order([module.KIND for module in modules if hasattr(module, "KIND")])


def find_kind(name: str) -> Kind:
    """Return the kind of analysis with this name.

    Raises:
        ResultsError: there is none; the message names the most alike.
    """
    from civsim.scenarios.complaints import did_you_mean, show_value

    known = {kind.name: kind for kind in kinds()}
    if name not in known:
        raise ResultsError(f"no analysis is called {show_value(name)}; {did_you_mean(name, known)}")
    return known[name]
