"""The examples of own parts do what they say, from the command line and from the library."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from commands import said
from tree import ROOT

import civsim
from civsim.analysis.kinds import find_kind
from civsim.analysis.results import Resampling, open_results
from civsim.scenarios import read_runs

EXAMPLES = ROOT / "docs" / "examples"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a copy of the examples, the working folder."""
    for path in EXAMPLES.glob("own_*"):
        shutil.copy(path, tmp_path)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_study_of_own_parts_is_played_plotted_and_asked(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    said(capsys, "batch", "own_parts.toml", "--out", "own")
    runs = read_runs("own")
    assert len(runs) == 24
    assert runs["turns"].between(1, 40).all()
    ended = runs["turns"] < 40
    assert (runs.loc[ended, "crowding"] >= 0.9).all()
    assert 0 < ended.sum() < len(runs)
    assert np.isfinite(runs["per_cell"]).all()
    files = said(capsys, "plot", "own_kind.py:KIND", "own").splitlines()
    assert all(Path(file).is_file() for file in files)
    assert "output-a-cell.png" in files[0]
    told = said(capsys, "query", "own", "select factor_consumption, avg(per_cell) as per_cell from runs group by all")
    assert "2 rows" in told
    assert civsim.run_study("own_parts.toml", "own", resume=True).games == 0


def test_the_kind_keeps_the_contract(folder: Path) -> None:
    civsim.run_study("own_parts.toml", "own", worlds=3)
    kind, results = find_kind("own_kind.py:KIND"), open_results("own")
    assert kind.refuses(results) is None
    tables = kind.tables(results, Resampling(draws=100))
    table = tables[""]
    assert set(table["level"]) == {0.2, 0.5}
    first = table[(table["level"] == 0.2) & (table["turn"] == 1)].iloc[0]
    series = results.series.merge(results.runs[["run_id", "factor.consumption"]])
    mine = series[series["is_focal"] & (series["turn"] == 1) & (series["factor.consumption"] == 0.2)]
    assert first["value"] == pytest.approx(mine["per_cell"].mean())
    assert all(sentence.endswith(".") for sentence in kind.read(tables))


def test_the_policy_plays_wherever_a_policy_is_named(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    small = ["--set", "map.width=8", "--set", "map.height=8", "--set", "game.turns=8"]
    told = said(capsys, "run", "baseline", *small, "--worlds", "2", "--set",
                "seat_default.policy.name=own_policy.py:Thrifty", "--set", "seat_default.policy.params.consumption=0.3",
                "--metric", "crowding=own_metric.py:crowding")  # fmt: skip
    assert "own_policy.py:Thrifty" in told
    assert "crowding" in told
    thrifty = {"name": "own_policy.py:Thrifty", "params": {"consumption": 0.3}}
    settings = {"map.width": 8, "map.height": 8, "game.turns": 8, "seat_default.policy": thrifty}
    games = civsim.play("baseline", worlds=2, settings=settings)
    assert (games.table["spent_consumption"] > 0).all()
