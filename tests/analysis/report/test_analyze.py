"""Everything a folder supports, made in one go: one kind's refusal or failure does not stop the others."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest
from studies import small_study
from tiny_kinds import BROKEN, FAILING, REFUSING, TINY

from civsim.analysis import kinds as registry
from civsim.analysis.report import analyze as module
from civsim.analysis.report.analyze import analyze, plot
from civsim.analysis.results import Resampling
from civsim.base.errors import ResultsError
from civsim.scenarios import run_batch

FEW = Resampling(draws=50)
ENDS = {".png", ".svg", ".pdf", "-dark.png", "-dark.svg", ".csv", "-worlds.csv", ".command.txt"}
FILES = {f"tiny{end}" for end in ENDS}


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("analyze")
    study, _ = small_study(root, replicates=4, turns=4)
    run_batch(study, root / "out")
    return root / "out"


def test_what_can_be_made_is_made_and_the_rest_is_listed_with_its_reason(results: Path, tmp_path: Path) -> None:
    outcomes = analyze(results, tmp_path / "new", [REFUSING, FAILING, TINY], resampling=FEW)
    assert [(outcome.kind.name, outcome.status) for outcome in outcomes] == [
        ("refusing", "refused"), ("failing", "failed"), ("tiny", "done"),
    ]  # fmt: skip
    assert outcomes[0].reason == "needs a moon; add one"
    assert "too few" in outcomes[1].reason
    assert {path.name for path in (tmp_path / "new").iterdir()} == {*FILES, "analysis.json"}
    assert {path.name for path in outcomes[2].files} == FILES
    assert outcomes[2].files[0].name == "tiny.png"
    summary = json.loads((tmp_path / "new" / "analysis.json").read_text())
    assert summary["resampling"] == {"draws": 50, "seed": 20_240_501, "level": 0.95, "units": "worlds"}
    assert {name: entry["status"] for name, entry in summary["kinds"].items()} == {
        "refusing": "refused", "failing": "failed", "tiny": "done",
    }  # fmt: skip
    assert summary["kinds"]["tiny"]["findings"] == list(outcomes[2].findings)
    assert set(summary["kinds"]["tiny"]["files"]) == FILES
    written = pd.read_csv(tmp_path / "new" / "tiny.csv")
    assert written["value"][0] == pytest.approx(outcomes[2].tables[""]["value"][0], rel=1e-5)


def test_the_command_beside_a_figure_makes_that_figure(results: Path, tmp_path: Path) -> None:
    analyze(results, tmp_path / "new", [TINY], resampling=FEW)
    lines = (tmp_path / "new" / "tiny.command.txt").read_text().splitlines()
    assert lines[-1] == f"civsim plot tiny {results} --out {tmp_path / 'new'}"
    assert lines[0].startswith("civsim batch")
    assert len(lines) == 2


def test_a_fault_of_the_program_is_not_hidden(results: Path, tmp_path: Path) -> None:
    with pytest.raises(KeyError, match="fault"):
        analyze(results, tmp_path / "new", [BROKEN], resampling=FEW)


def test_tables_that_cannot_be_drawn_fail_their_kind_alone(results: Path, tmp_path: Path) -> None:
    def cannot(*_: object) -> object:
        raise ResultsError("no finite number to draw; play more worlds")

    undrawable = TINY._replace(name="undrawable", draw=cannot)  # type: ignore[arg-type]
    outcomes = analyze(results, tmp_path / "new", [undrawable, TINY], resampling=FEW)
    assert [outcome.status for outcome in outcomes] == ["failed", "done"]
    assert outcomes[0].reason == "no finite number to draw; play more worlds"


def test_the_default_folder_is_inside_the_results(results: Path) -> None:
    analyze(results, chosen=[TINY], resampling=FEW)
    assert (results / "analysis" / "tiny.png").is_file()


def test_a_file_in_the_folders_place_is_refused_before_anything_is_made(results: Path, tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("mine")
    with pytest.raises(ResultsError, match="taken"):
        analyze(results, tmp_path / "taken", [TINY], resampling=FEW)
    assert (tmp_path / "taken").read_text() == "mine"


def test_one_kind_is_plotted_by_name_or_refused_in_one_line(
    results: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(registry, "kinds", lambda: (TINY, REFUSING, FAILING))
    paths = plot("tiny", results, tmp_path / "figures")
    assert {path.name for path in paths} == FILES
    assert paths[0].name == "tiny.png"
    assert f"civsim plot tiny {results} --out" in paths[-1].read_text()
    with pytest.raises(ResultsError, match="refusing: needs a moon"):
        plot("refusing", results, tmp_path / "none")
    with pytest.raises(ResultsError, match="failing: worlds=1"):
        plot("failing", results, tmp_path / "none")
    assert not (tmp_path / "none").exists()
    with pytest.raises(ResultsError, match="no manifest"):
        plot("tiny", tmp_path)


def test_every_kind_is_made_where_none_is_chosen(
    results: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "kinds", lambda: (REFUSING, TINY))
    outcomes = analyze(results, tmp_path / "new", resampling=FEW)
    assert [outcome.kind.name for outcome in outcomes] == ["refusing", "tiny"]
