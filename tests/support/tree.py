"""The source tree as the house tests read it: parsed modules under their import names."""

from __future__ import annotations

import ast
from collections.abc import Iterable
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
    "civsim.viewer",
    "civsim.analysis",
    "civsim.validation",
    "civsim.calls",
    "civsim.cli",
)
"""From the ground up; a module imports from its own floor and from those below."""

ENGINE = {
    "state": (),
    "rest": ("state",),
    "land": ("state",),
    "compiled": ("land",),
    "noted": (),
    "registers": (),
    "work": ("land", "noted", "registers"),
    "workspace": ("work",),
    "formulas": ("compiled", "work"),
    "ways": ("formulas",),
    "siege": ("compiled",),
    "offices": ("formulas",),
    "knowledge": ("ways", "offices"),
    "planner": ("knowledge", "siege"),
    "rules": ("planner", "rest"),
    "observation": ("knowledge",),
    "storage": ("land",),
    "threads": (),
    "recorder": ("state",),
    "journal": ("planner",),
    "world": ("rules", "observation", "storage", "threads", "recorder", "journal", "workspace"),
    "believed": ("world",),
}
"""The engine's own floors: a room or a file of its folder, and what it stands on. It imports from anything below."""


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


def below(room: str) -> frozenset[str]:
    """Everything in the engine that ``room`` stands on, itself included."""
    return frozenset({room}).union(*(below(under) for under in ENGINE[room]))


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


def file_of(name: str) -> Path | None:
    """The file that a dotted name of ours is found in by its path alone, or None: what a static tool sees of it."""
    path = ROOT.joinpath(*name.split("."))
    return next((file for file in (path / "__init__.py", path.with_suffix(".py")) if file.is_file()), None)


def target_of(name: str) -> str:
    """The module that an imported dotted name of ours lives in: the name itself, or the longest part of it that is one.

    A name whose first part only is a module, ``civsim``, is one that its front door hands out.
    """
    known = {module.name for module in modules()}
    while name and name not in known:
        name = name.rpartition(".")[0]
    return name


def arrows(within: Iterable[Module] | None = None) -> dict[str, set[str]]:
    """Which of our modules each module imports when it runs, also in functions; those for types alone do not count."""
    found = {}
    for module in modules() if within is None else within:
        for_types = _lines_for_types(module.tree)
        names = {name for line, name in imports_of(module) if line not in for_types}
        found[module.name] = {target_of(name) for name in names} - {module.name, ""}
    return found


def circles(graph: dict[str, set[str]]) -> list[list[str]]:
    """The circles of a graph: its strongly connected components of more than one node, by Tarjan's algorithm (1972)."""
    order: dict[str, int] = {}
    lowest: dict[str, int] = {}
    stack: list[str] = []
    found: list[list[str]] = []

    def visit(node: str) -> None:
        order[node] = lowest[node] = len(order)
        stack.append(node)
        for other in sorted(graph.get(node, ())):
            if other not in order:
                visit(other)
            if other in stack:
                lowest[node] = min(lowest[node], lowest[other])
        if lowest[node] == order[node]:
            at = stack.index(node)
            if len(stack) - at > 1:
                found.append(sorted(stack[at:]))
            del stack[at:]

    for node in sorted(graph):
        if node not in order:
            visit(node)
    return found


def _lines_for_types(tree: ast.Module) -> set[int]:
    """The lines under ``if TYPE_CHECKING``, which no interpreter runs."""
    guarded = [
        node for node in ast.walk(tree) if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
    ]
    return {line for node in guarded for one in node.body for line in range(one.lineno, (one.end_lineno or 0) + 1)}
