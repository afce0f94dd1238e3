"""The digest of the code that plays the games."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest

from civsim.scenarios import sources


@pytest.fixture
def copied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a small package that stands for the code that plays."""
    (tmp_path / "rules").mkdir()
    for name in ("__init__.py", "rules/war.py", "notes.md"):
        (tmp_path / name).write_text("one")
    spec = SimpleNamespace(origin=str(tmp_path / "__init__.py"), submodule_search_locations=[str(tmp_path)])
    monkeypatch.setattr(sources, "PLAYING", ("played",))
    monkeypatch.setattr(sources, "find_spec", lambda _name: spec)
    return tmp_path


def digest() -> str:
    return sources.source_digest.__wrapped__()


def test_it_covers_what_plays() -> None:
    labels = [label for name in sources.PLAYING for label, _ in sources._files(name)]
    assert len(set(labels)) == len(labels)
    for label in ("civsim.base/scenario.py", "civsim.engine/planner/__init__.py", "civsim.faces.actions",
                  "civsim.agents/simple.py", "civsim.scenarios/games.py"):  # fmt: skip
        assert label in labels
    assert digest() == sources.source_digest()


@pytest.mark.parametrize("change", ["content", "new", "gone", "moved"])
def test_it_sees_every_change_of_a_python_file(copied: Path, change: str) -> None:
    before, path = digest(), copied / "rules" / "war.py"
    if change == "content":
        path.write_text("two")
    elif change == "new":
        (copied / "more.py").write_text("")
    elif change == "gone":
        path.unlink()
    else:
        path.rename(copied / "war.py")
    assert digest() != before


def test_it_sees_no_other_file(copied: Path) -> None:
    before = digest()
    (copied / "notes.md").write_text("two")
    assert digest() == before


def test_the_engine_has_a_digest_of_its_own() -> None:
    labels = [label for name in sources.ENGINE for label, _ in sources._files(name)]
    assert "civsim.engine/planner/__init__.py" in labels
    assert not any(label.startswith(("civsim.agents", "civsim.scenarios")) for label in labels)
    assert sources.engine_digest() != sources.source_digest()
