"""Which code plays the games: one digest over the sources that their numbers depend on."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from functools import cache
from importlib.util import find_spec
from pathlib import Path

PLAYING = ("civsim.base", "civsim.engine", "civsim.faces.actions", "civsim.agents", "civsim.scenarios")
"""Packages and modules that play a game: rules, planner, policies (and how actions become shares), and studies."""


ENGINE = ("civsim.base", "civsim.engine")
"""Packages that say what follows from given shares: the rules and the planner."""


@cache
def source_digest() -> str:
    """Return the SHA-256 (64 hexadecimal digits) of every Python file of :data:`PLAYING`, by name and content.

    It is read once a process, so it tells what the process started from.
    """
    return _digest(PLAYING)


@cache
def engine_digest() -> str:
    """Return the same of :data:`ENGINE`."""
    return _digest(ENGINE)


def _digest(packages: Iterable[str]) -> str:
    digest = hashlib.sha256()
    for name in packages:
        for label, path in _files(name):
            digest.update(f"{label}:{hashlib.sha256(path.read_bytes()).hexdigest()}\n".encode())
    return digest.hexdigest()


def _files(name: str) -> Iterator[tuple[str, Path]]:
    """Yield (label, path) of the source files of a package or module; labels are alike on every machine."""
    spec = find_spec(name)
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError(f"{name} has no source file; install civsim again")
    if not spec.submodule_search_locations:
        yield name, Path(spec.origin)
        return
    root = Path(spec.origin).parent
    for path in sorted(root.rglob("*.py")):
        yield f"{name}/{path.relative_to(root).as_posix()}", path
