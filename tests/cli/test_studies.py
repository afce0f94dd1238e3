"""Registered studies on the command line: played, judged, resumed; a pilot says how many worlds they need."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from commands import refused, said
from studies import HYPOTHESES, small_study


def rows(path: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(path.read_text(encoding="utf-8").splitlines()))


@pytest.fixture
def study(tmp_path: Path) -> Path:
    return small_study(tmp_path, series="none", extra=HYPOTHESES)[1]


def test_a_study_is_played_and_judged(study: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = said(capsys, "study", str(study), "--out", str(tmp_path / "out"))
    folder = tmp_path / "out" / "small"
    assert "small: 36 games, 0 failed" in out
    found = {row["name"]: row for row in rows(folder / "verdicts.csv")}
    assert found["more"]["verdict"] == "underpowered"
    assert found["pays"]["verdict"] in ("supported", "refuted", "undecided")
    assert float(found["pays"]["low"]) <= float(found["pays"]["value"]) <= float(found["pays"]["high"])
    assert {row["scenario"] for row in rows(folder / "verdicts-by-scenario.csv")} == {"calm.toml", "wild.toml"}


def test_a_second_call_plays_nothing_and_says_the_same(
    study: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first = said(capsys, "study", str(study), "--out", str(tmp_path / "out"))
    second = said(capsys, "study", str(study), "--out", str(tmp_path / "out"))
    assert "games played" in first
    assert "games played" not in second
    assert second.splitlines() == first.splitlines()[1:]


def test_a_hypothesis_changed_after_the_games_is_named_and_judged_as_it_stood(
    study: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    said(capsys, "study", str(study), "--out", str(tmp_path / "out"))
    before = (tmp_path / "out" / "small" / "verdicts.csv").read_bytes()
    study.write_text(study.read_text().replace('expected = "positive"', 'expected = "negative"'))
    out = said(capsys, "study", str(study), "--out", str(tmp_path / "out"))
    assert "changed since the games were begun, and judged as they stood then: pays" in out
    assert (tmp_path / "out" / "small" / "verdicts.csv").read_bytes() == before


def test_a_test_nobody_knows_is_refused_before_a_game_is_played(
    study: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    study.write_text(study.read_text().replace('test = "slope"', 'test = "slopes"'))
    error = refused(capsys, "study", str(study), "--out", str(tmp_path / "out"))
    assert "hypotheses.more.test='slopes' is no test; did you mean 'slope'?" in error
    assert not (tmp_path / "out").exists()


def test_a_pilot_plays_worlds_of_its_own(study: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = said(capsys, "power", str(study), "--worlds", "5", "--out", str(tmp_path / "pilot"))
    assert "pilot of 5 worlds a point, from world 536870912" in out
    table = rows(tmp_path / "pilot" / "power.csv")
    assert [row["name"] for row in table] == ["more", "pays"]
    needs = [(int(row["worlds"]), int(row["upper"])) for row in table if row["worlds"]]
    assert all(upper >= worlds >= 2 for worlds, upper in needs)
    assert out.count("play a larger one") == len(table) - len(needs)


def test_power_of_a_study_without_hypotheses_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert "has no hypotheses to judge" in refused(capsys, "power", "returns")


def test_names_and_all_exclude_each_other(capsys: pytest.CaptureFixture[str]) -> None:
    assert "not both" in refused(capsys, "study")
    assert "not both" in refused(capsys, "study", "--all", "horizon")
