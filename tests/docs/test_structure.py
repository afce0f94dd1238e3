"""docs/structure.md names the folders that exist, and the files of the engine's own folder."""

from __future__ import annotations

import re

from tree import ROOT, modules

TEXT = (ROOT / "docs" / "structure.md").read_text(encoding="utf-8")
BESIDE = {"benchmarks", "docs", "tests", "scenarios/library", "scenarios/studies"}
"""Rooms that hold no module of the package."""


def first_column(heading: str) -> list[str]:
    """What is named in the table that follows a line."""
    table = TEXT.split(heading)[1].split("\n\n")[1]
    return re.findall(r"^\| `([^`]+)` \|", table, re.MULTILINE)


def test_the_rooms_listed_are_the_folders_that_exist() -> None:
    rooms = {module.path.parent.relative_to(ROOT).as_posix() for module in modules()} | BESIDE
    listed = first_column("## Rooms")
    assert len(listed) == len(set(listed))
    assert set(listed) == rooms
    assert all((ROOT / room).is_dir() for room in rooms)


def test_the_files_listed_are_those_of_the_engine() -> None:
    files = {path.name for path in (ROOT / "civsim" / "engine").glob("*.py")} - {"__init__.py"}
    assert sorted(first_column("The files of `civsim/engine` itself:")) == sorted(files)


def test_every_room_and_every_word_is_said_once_and_explained() -> None:
    rows = re.findall(r"^\| (?!-)(.+?) \| (.+) \|$", TEXT, re.MULTILINE)
    names = [name for name, _ in rows]
    heads = {"room", "file", "ours"}
    assert len(set(names)) == len(names)
    assert heads <= set(names)
    assert all(meaning.strip() for _, meaning in rows)


def test_contributing_leads_there() -> None:
    assert "docs/structure.md" in (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
