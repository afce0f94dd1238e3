"""Kinds of analysis of one's own: by file, by module, by a package; and what is no kind."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from civsim.analysis import kinds as registry
from civsim.analysis.kinds import find_kind, kinds
from civsim.base.errors import ResultsError

OWN = """
from tiny_kinds import TINY

KIND = TINY._replace(name="my-own")
LOUD = TINY._replace(name="My Own")
TAKEN = TINY._replace(name="tradeoff")
text = "no kind"
"""


@pytest.fixture
def place(tmp_path: Path) -> Iterator[str]:
    """Return a file of somebody's kinds; the registry is read anew before and after."""
    (tmp_path / "mine.py").write_text(OWN)
    kinds.cache_clear()
    yield str(tmp_path / "mine.py")
    kinds.cache_clear()


def test_a_kind_is_found_in_a_file(place: str) -> None:
    assert find_kind(f"{place}:KIND").name == "my-own"
    assert find_kind("tiny_kinds:TINY").name == "tiny"
    assert "my-own" not in {kind.name for kind in kinds()}


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("text", "is str; name a civsim.analysis.kinds.kind.Kind"),
        ("LOUD", "is called 'My Own'; call it by small letters"),
        ("NONE", "has no NONE"),
    ],
)
def test_what_is_no_kind_is_refused(place: str, name: str, message: str) -> None:
    with pytest.raises(ResultsError, match=message):
        find_kind(f"{place}:{name}")


def test_installed_packages_offer_kinds(place: str, monkeypatch: pytest.MonkeyPatch) -> None:
    offered = {"mine": f"{place}:KIND"}
    monkeypatch.setattr(registry, "plugins", lambda group: offered if group == "civsim.kinds" else {})
    assert kinds()[-1].name == "my-own"
    assert find_kind("my-own") is kinds()[-1]
    for where, message in ((f"{place}:TAKEN", "kind 'tradeoff' is known"), ("nonsense", "is no module:name")):
        offered["mine"] = where
        kinds.cache_clear()
        with pytest.raises(ResultsError, match=message):
            kinds()
