"""Kinds of analysis, one file each: from a results folder to tidy tables, a figure of them, and what they say.

A file that defines ``KIND`` is a kind: nothing else lists them. :func:`kinds` finds them when it is first called.
A kind of one's own is named as ``file.py:KIND`` or ``module:KIND``; an installed package offers kinds as entry points
of the group ``civsim.kinds``, which are then told like any other.
"""

from __future__ import annotations

import pkgutil
import re
from collections.abc import Mapping, Sequence
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING

from civsim.base.errors import CivsimError, ResultsError
from civsim.base.own import Reference, load_own, parse_reference, plugins

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
    "factors",
)
"""Order in which a report tells them: what thinking is worth, where it comes from, where it changes, how sure. A kind
that is not named here comes after these, by name."""


def in_order(found: Sequence[Kind]) -> tuple[Kind, ...]:
    """Return kinds in the order of :data:`ORDER`, then by name."""
    return tuple(
        sorted(found, key=lambda kind: (ORDER.index(kind.name) if kind.name in ORDER else len(ORDER), kind.name))
    )


GROUP = "civsim.kinds"
"""Group of entry points by which an installed package offers kinds of analysis."""

_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,63}")


@cache
def kinds() -> tuple[Kind, ...]:
    """Return every kind of analysis that civsim and installed packages have, in the order in which a report tells them.

    Raises:
        ResultsError: an installed package offers what is no kind, or one whose name is taken.
    """
    modules = [import_module(f"{__name__}.{module.name}") for module in pkgutil.iter_modules(__path__)]
    found = [module.KIND for module in modules if hasattr(module, "KIND")]
    for name, where in _offered().items():
        reference = parse_reference(where)
        if reference is None:
            raise ResultsError(f"kind {name!r} is offered as {where!r}, which is no module:name; uninstall its package")
        kind = _own_kind(reference)
        if kind.name in {one.name for one in found}:
            raise ResultsError(f"kind {kind.name!r} is known, and {where} is offered as it; uninstall its package")
        found.append(kind)
    return in_order(found)


def find_kind(name: str) -> Kind:
    """Return the kind of analysis with this name, or the one that ``file.py:name`` or ``module:name`` refers to.

    Raises:
        ResultsError: there is none; the message names the most alike.
    """
    from civsim.scenarios.complaints import did_you_mean, show_value

    reference = parse_reference(name)
    if reference is not None:
        return _own_kind(reference)
    known = {kind.name: kind for kind in kinds()}
    if name not in known:
        raise ResultsError(f"no analysis is called {show_value(name)}; {did_you_mean(name, known)}")
    return known[name]


def _offered() -> Mapping[str, str]:
    try:
        return plugins(GROUP)
    except CivsimError as error:
        raise ResultsError(str(error)) from None


def _own_kind(reference: Reference) -> Kind:
    """Return a kind of somebody's, after making sure that it is one."""
    from civsim.analysis.kinds.kind import Kind

    try:
        found = load_own(reference, "kind")
    except CivsimError as error:
        raise ResultsError(str(error)) from None
    if not isinstance(found, Kind):
        raise ResultsError(f"kind {str(reference)!r} is {type(found).__name__}; name a civsim.analysis.kinds.kind.Kind")
    if not _NAME.fullmatch(found.name):
        raise ResultsError(f"kind {str(reference)!r} is called {found.name!r}; call it by small letters, digits and -")
    return found
