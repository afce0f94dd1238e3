"""The source tree as the house tests read it: parsed modules under their import names."""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[2]
SISTERS = ("agents", "scenarios", "analysis")
FLOORS = (
    "civsim.base",
    "civsim.engine",
    "civsim.faces",
    "civsim.agents",
    "civsim.scenarios",
    "civsim.analysis",
    "civsim.validation",
    "civsim.cli",
)
"""From the ground up; a module imports from its own floor and from those below."""


class Module(NamedTuple):
    """A source file: its import name, its path and its syntax tree."""

    name: str
    path: Path
    tree: ast.Module


def _parse(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), str(path))


@cache
def modules() -> tuple[Module, ...]:
    """Every module that ships, in the order of their names."""
    found = []
    for folder, prefix in (("civsim", "civsim"), *((sister, f"civsim.{sister}") for sister in SISTERS)):
        for path in sorted((ROOT / folder).rglob("*.py")):
            parts = path.relative_to(ROOT / folder).with_suffix("").parts
            name = ".".join((prefix, *(part for part in parts if part != "__init__")))
            found.append(Module(name, path, _parse(path)))
    return tuple(sorted(found))


@cache
def test_files() -> tuple[Module, ...]:
    """Every Python file of the tests."""
    return tuple(Module(path.stem, path, _parse(path)) for path in sorted((ROOT / "tests").rglob("*.py")))


test_files.__test__ = False  # type: ignore[attr-defined]


def floor_of(name: str) -> int | None:
    """The number of the floor a module lives on, or None for the front door (``civsim`` itself)."""
    for number, floor in enumerate(FLOORS):
        if name == floor or name.startswith(floor + "."):
            return number
    return None


def imports_of(module: Module) -> list[tuple[int, str]]:
    """Every (line, absolute dotted name) a module imports, wherever in the file the statement stands."""
    is_package = module.path.name == "__init__.py"
    found = []
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Import):
            found += [(node.lineno, alias.name) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                parts = module.name.split(".")
                kept = parts[: len(parts) - node.level + (1 if is_package else 0)]
                base = ".".join([*kept, base] if base else kept)
            found += [(node.lineno, f"{base}.{alias.name}") for alias in node.names]
    return found
