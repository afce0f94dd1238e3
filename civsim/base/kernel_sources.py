"""What a compiled kernel was made from: a digest of its own source file and of every civsim file it can reach.

Numba looks at a kernel's own file only and runs stale code after a change in a function that it calls from another
file. A kernel reaches another file by an import at the top of its own, so those imports are followed to their end. The
digest names modules, not places on the disk: a wheel and the tree it was built from share compiled kernels.
"""

from __future__ import annotations

import hashlib
import re
import sys
import time
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from civsim.base import IMPORTED

ALWAYS = ("civsim.base.kernels", "civsim.base.pointer")
"""What makes every kernel's code without being called by its name: the options, and how a record's field is read."""

_FROM = re.compile(r"^from[ \t]+(civsim[\w.]*)[ \t]+import[ \t]+(\([^)]*\)|[^\n]*)", re.MULTILINE)
_IMPORT = re.compile(r"^import[ \t]+(civsim[\w.]*)", re.MULTILINE)
_NAME = re.compile(r"\w+")


class Source(NamedTuple):
    """A source file: the digest of its text, whether it is what was imported, and the names it imports of civsim."""

    digest: str
    current: bool
    imports: tuple[str, ...]


@cache
def _source(path: str) -> Source | None:
    """Read a source file once a process; None where there is no such file (a notebook's cell, an archive)."""
    try:
        text = Path(path).read_bytes()
        written = Path(path).stat().st_mtime
    except OSError:
        return None
    return Source(hashlib.sha256(text).hexdigest(), _is_current(written), imported(text.decode("utf-8", "replace")))


def _is_current(written: float) -> bool:
    """Return whether a file was written before civsim was imported; a time in the future says nothing of either."""
    return not IMPORTED < written <= time.time()


def imported(text: str) -> tuple[str, ...]:
    """Return the dotted names of civsim that the top level of a source text imports; some are not modules."""
    found = _IMPORT.findall(text)
    for module, names in _FROM.findall(text):
        found.append(module)
        found += [f"{module}.{name}" for name in _NAME.findall(names)]
    return tuple(found)


def _path(module: str) -> str | None:
    """Return the file of an imported module, or None for a name that is not a module."""
    return getattr(sys.modules.get(module), "__file__", None)


@cache
def _reached(path: str) -> tuple[tuple[str, Source], ...] | None:
    """Return (name, source) of every file of civsim that a file reaches, its own first; None if one is unreadable."""
    own = _source(path)
    if own is None:
        return None
    found: dict[str, Source] = {}
    waiting = [*ALWAYS, *own.imports]
    while waiting:
        name = waiting.pop()
        place = _path(name)
        if name in found or place is None:
            continue
        source = _source(place)
        if source is None:
            return None
        found[name] = source
        waiting += source.imports
    return (Path(path).name, own), *sorted(found.items())


def fingerprint(function: Callable[..., Any]) -> str | None:
    """Return the hex digest of all that a kernel's code comes from.

    None where that cannot be told: a file cannot be read, or was written after this process imported civsim.
    """
    reached = _reached(function.__code__.co_filename)
    if reached is None or not all(source.current for _, source in reached):
        return None
    return hashlib.sha256(repr([(name, source.digest) for name, source in reached]).encode()).hexdigest()
