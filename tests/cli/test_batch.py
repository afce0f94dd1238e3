"""``civsim batch`` and ``civsim merge`` at the command line: exit codes, shares, growth, and who owns a folder."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from commands import refused, said
from faults import poison
from studies import HYPOTHESES, everything, small_study

from civsim.base.errors import ResultsError
from civsim.base.owner import owned
from civsim.cli import main
from civsim.scenarios.results import read_manifest


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return an empty working folder."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_failed_games_are_exit_code_3_unless_they_are_allowed(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    small_study(folder, replicates=4, turns=2, extra=HYPOTHESES)
    poison(monkeypatch, 3, loud=True)
    assert main(["batch", "small.toml", "--out", "out"]) == 3
    out, err = capsys.readouterr()
    assert "24 games played" in out
    assert "6 failed, 0 missing" in out
    assert err == ""
    assert main(["batch", "small.toml", "--out", "out", "--resume"]) == 3
    assert "24 kept, 6 failed" in capsys.readouterr().out
    assert "6 failed" in said(capsys, "batch", "small.toml", "--out", "out", "--resume", "--allow-failed")
    assert main(["study", "small.toml", "--out", "studies"]) == 3
    assert "verdicts.csv" in capsys.readouterr().out
    assert "verdicts.csv" in said(capsys, "study", "small.toml", "--out", "studies", "--allow-failed")
    assert main(["merge", "out", "--out", "all"]) == 3
    assert "24 games in 1 parts, 6 failed" in capsys.readouterr().out
    assert "6 failed" in said(capsys, "merge", "out", "--out", "again", "--allow-failed")


def test_shares_are_played_and_merged(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    small_study(folder, replicates=130, turns=1, series="none")
    said(capsys, "batch", "small.toml", "--out", "whole")
    assert "390 games played" in said(capsys, "batch", "small.toml", "--out", "a", "--part", "1/2")
    assert "has 3 of 6 parts; it is for part 1/2" in refused(capsys, "analyze", "a")
    assert read_manifest(folder / "a")["command"] == "civsim batch small.toml --part 1/2 --out a"
    first = said(capsys, "merge", "a", "--out", "half")
    assert first.endswith("tables in half; 3 parts are missing, play them with `civsim batch` --resume\n")
    said(capsys, "batch", "small.toml", "--out", "b", "--part", "2/2")
    assert said(capsys, "merge", "b", "a", "--out", "all") == "780 games in 6 parts, 0 failed; tables in all\n"
    assert everything(folder / "all") == everything(folder / "whole")


@pytest.mark.parametrize("part", ["3", "0/2", "3/2", "a/b", "1/2/3", "-1/2", "1/", "1" * 50 + "/2", "²/3"])
def test_a_share_that_is_none_is_one_line(folder: Path, capsys: pytest.CaptureFixture[str], part: str) -> None:
    small_study(folder)
    line = refused(capsys, "batch", "small.toml", "--out", "out", f"--part={part}")
    assert "is no share; give I/N, such as 3/20" in line or "is none; give 1/2 to 2/2" in line
    assert not (folder / "out").exists()


def test_a_study_grows_at_the_command_line_and_its_verdicts_say_so(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    small_study(folder, replicates=4, turns=2, extra=HYPOTHESES)
    assert "had been played" not in said(capsys, "study", "small.toml", "--out", "studies")
    line = refused(capsys, "study", "small.toml", "--out", "studies", "--worlds", "6")
    assert "holds another study" in line
    assert "--grow" in line
    out = said(capsys, "study", "small.toml", "--out", "studies", "--worlds", "6", "--grow")
    assert "12 games played" in out
    assert "24 kept" in out
    assert out.count("games were added after 24 (and judged) had been played") == 2
    assert "12 games played" in said(capsys, "batch", "small.toml", "--out", "studies/small", "--worlds", "8", "--grow")


def test_a_folder_in_use_is_one_line(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    small_study(folder, replicates=2, turns=2)
    (folder / "out").mkdir()
    with owned(folder / "out", ResultsError):
        for words in ((), ("--resume",), ("--grow",)):
            line = refused(capsys, "batch", "small.toml", "--out", "out", *words)
            assert f"'out' is in use by process {os.getpid()} on " in line
    said(capsys, "batch", "small.toml", "--out", "out")
