"""The check of the built site finds what it is for; the site itself is built by ``make docs``."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from site_check import complaints
from tree import ROOT, modules

REFERENCE = ROOT / "docs" / "reference"


def site(tmp_path: Path, body: str) -> list[str]:
    (tmp_path / "other.html").write_text('<h1 id="there">x</h1>')
    (tmp_path / "index.html").write_text(f"<html><body>{body}</body></html>")
    return complaints(tmp_path)


@pytest.mark.parametrize(
    ("body", "fault"),
    [
        ('<script src="https://cdn.example/x.js"></script>', "index.html loads https://cdn.example/x.js"),
        ('<link rel="stylesheet" href="//fonts.example/x.css">', "index.html loads //fonts.example/x.css"),
        ('<a href="gone.html">x</a>', "index.html names gone.html, which is not there"),
        ('<img src="gone.png">', "index.html names gone.png, which is not there"),
        ('<a href="other.html#nowhere">x</a>', "index.html names other.html#nowhere, but there is no such place in it"),
    ],
)
def test_a_fault_is_named(tmp_path: Path, body: str, fault: str) -> None:
    assert site(tmp_path, body) == [fault]


def test_what_is_right_passes(tmp_path: Path) -> None:
    right = '<a href="other.html#there">x</a><a href="https://e.org">y</a><link rel="canonical" href="https://e.org">'
    assert site(tmp_path, right) == []


def test_an_empty_site_is_a_fault(tmp_path: Path) -> None:
    assert len(complaints(tmp_path)) == 1


def test_the_reference_names_modules_that_exist_once_each() -> None:
    text = "".join(path.read_text(encoding="utf-8") for path in sorted(REFERENCE.glob("*.md")))
    named = re.findall(r"automodule:: (\S+)", text)
    assert len(named) == len(set(named))
    assert set(named) <= {module.name for module in modules()}


@pytest.mark.parametrize("room", ["civsim.analysis.statistics", "civsim.viewer"])
def test_the_reference_names_every_module_of_a_room(room: str) -> None:
    text = "".join(path.read_text(encoding="utf-8") for path in sorted(REFERENCE.glob("*.md")))
    named = set(re.findall(r"automodule:: (\S+)", text))
    there = {module.name for module in modules() if module.name.startswith(room + ".")}
    assert there <= named
