"""The page of results is written from the results alone, and refuses what it cannot stand behind."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from studies import HYPOTHESES, small_study

from civsim.analysis import results_page
from civsim.analysis.results import Resampling
from civsim.base.constants import RULES_VERSION
from civsim.base.errors import ResultsError
from civsim.scenarios import load_study
from civsim.scenarios.batch import run_batch
from civsim.scenarios.study import Study

QUICK = Resampling(draws=100)
PAGE = "\n".join(
    f"<!-- generated: {name} -->\n<!-- end -->"
    for name in ("rules", "played", "verdicts", "by-scenario", "small-verdicts")
)


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with one played study, which is the library's only one, and a page to fill."""
    study, path = small_study(tmp_path, series="none", extra=HYPOTHESES)
    run_batch(study, tmp_path / "studies" / "small")
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "results.md").write_text(PAGE)
    monkeypatch.setattr(results_page, "list_studies", lambda: ("small",))
    monkeypatch.setattr(results_page, "load_study", lambda _name: load_study(path))
    monkeypatch.setattr(results_page, "HEADLINES", (("small", "verdicts"),))
    return tmp_path


def test_the_blocks_hold_games_verdicts_and_headlines(place: Path) -> None:
    paths = results_page.write_page(place / "studies", place / "docs", QUICK)
    text = (place / "docs" / "results.md").read_text(encoding="utf-8")
    verdicts = pd.read_csv(place / "docs" / "figures" / "results-verdicts.csv")
    assert "| `small` | 6 | 6 | 36 | 0 | 11 |" in text
    assert f"Played under rules version {RULES_VERSION};" in text
    assert "2 hypotheses:" in text
    assert f"{verdicts['value'][0]:+.3g}" in text
    assert "figures/results-small-verdicts.svg" in text
    assert {path.suffix for path in paths} >= {".md", ".svg", ".csv", ".txt"}


def test_the_same_results_give_the_same_page(place: Path) -> None:
    results_page.write_page(place / "studies", place / "docs", QUICK)
    first = (place / "docs" / "results.md").read_bytes()
    results_page.write_page(place / "studies", place / "docs", QUICK)
    assert (place / "docs" / "results.md").read_bytes() == first


def test_a_registered_study_that_was_not_played_is_missed(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(results_page, "list_studies", lambda: ("small", "other"))
    with pytest.raises(ResultsError, match="other' is not there; run `civsim study other"):
        results_page.write_page(place / "studies", place / "docs", QUICK)


def test_a_hypothesis_changed_after_its_games_is_not_published(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def changed(_name: str) -> Study:
        study = load_study(place / "small.toml")
        other = study.hypotheses["pays"].model_copy(update={"expected": "negative"})
        return study.model_copy(update={"hypotheses": {**study.hypotheses, "pays": other}})

    monkeypatch.setattr(results_page, "load_study", changed)
    with pytest.raises(ResultsError, match="pays changed after the games were begun"):
        results_page.write_page(place / "studies", place / "docs", QUICK)


def test_a_headline_that_cannot_be_made_says_why(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(results_page, "HEADLINES", (("small", "bracket"),))
    with pytest.raises(ResultsError, match="small: bracket: no factor has arms none"):
        results_page.write_page(place / "studies", place / "docs", QUICK)


def test_the_library_has_every_headline_and_the_page_every_block() -> None:
    from civsim.scenarios import list_studies

    text = (Path(__file__).resolve().parents[2] / "docs" / "results.md").read_text(encoding="utf-8")
    for study, kind in results_page.HEADLINES:
        assert study in list_studies()
        assert f"<!-- generated: {study}-{kind} -->" in text


def test_the_study_that_the_page_shows_is_one() -> None:
    import re

    from civsim.analysis.hypotheses.registry import read_test
    from civsim.scenarios.batch import make_plan
    from civsim.scenarios.study import loads_study

    text = (Path(__file__).resolve().parents[2] / "docs" / "results.md").read_text(encoding="utf-8")
    (block,) = re.findall(r"```toml\n(.*?)```", text, re.DOTALL)
    study = loads_study(block)
    assert len(make_plan(study).points) == 4
    for name, hypothesis in study.hypotheses.items():
        read_test(name, hypothesis.model_dump())
