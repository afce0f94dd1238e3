"""Names that a package exports and loads when they are first used, so that importing it costs next to nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any


def lazily(
    package: str, homes: Mapping[str, str], names: dict[str, Any]
) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
    """Return the ``__getattr__`` and ``__dir__`` of a package.

    Args:
        package: its import name.
        homes: where each exported name lives, an import name.
        names: its ``globals()``, which keeps what has been loaded.

    The first raises AttributeError for a name that is not exported, and lists those that are.
    """

    def load(name: str) -> Any:
        if name not in homes:
            raise AttributeError(
                f"module {package!r} has no attribute {name!r}; it exports {', '.join(names['__all__'])}"
            )
        names[name] = getattr(import_module(homes[name]), name)
        return names[name]

    def listed() -> list[str]:
        return sorted({*names, *names["__all__"]})

    return load, listed
