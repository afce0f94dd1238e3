"""``civsim plot``, ``analyze`` and ``report`` on the command line."""

from __future__ import annotations

from pathlib import Path

import pytest
from commands import refused, said
from studies import small_study
from tiny_kinds import FAILING, REFUSING, TINY

from civsim.analysis import kinds as registry
from civsim.analysis.report import analyze as analyze_module
from civsim.analysis.report import page as page_module


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for module in (registry, analyze_module, page_module):
        monkeypatch.setattr(module, "kinds", lambda: (TINY, REFUSING, FAILING))
    small_study(tmp_path, replicates=3, turns=3)
    return tmp_path


def test_the_three_commands(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    said(capsys, "batch", "small.toml", "--out", "out")
    listed = said(capsys, "plot", "--list").splitlines()
    assert listed[0] == "tiny      How high is welfare?"
    assert len(listed) == 3
    drawn = said(capsys, "plot", "tiny", "out", "--out", "figures").splitlines()
    assert drawn[0] == "figures/tiny.png"
    assert all(Path(line).is_file() for line in drawn)
    text = said(capsys, "analyze", "out")
    assert text.startswith("tiny: How well it went\n  Mean welfare is ")
    assert "  out/analysis/tiny.png\n" in text
    assert text.endswith(
        "refusing: not made: needs a moon; add one\n"
        "failing: failed: worlds=1 is too few to resample; at least 2 are needed\n"
    )
    assert (folder / "out" / "analysis" / "analysis.json").is_file()
    one = said(capsys, "analyze", "out", "--out", "some", "--kind", "refusing")
    assert one == "refusing: not made: needs a moon; add one\n"
    assert said(capsys, "report", "out") == "out/report.html\n"
    assert (folder / "out" / "report.html").is_file()
    assert said(capsys, "report", "out", "--out", "page.html") == "page.html\n"


def test_what_cannot_be_made_is_one_line(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    said(capsys, "batch", "small.toml", "--out", "out")
    assert "did you mean 'tiny'?" in refused(capsys, "plot", "tinny", "out")
    assert "refusing: needs a moon" in refused(capsys, "plot", "refusing", "out", "--out", "new")
    assert "--list" in refused(capsys, "plot", "tiny")
    assert "did you mean 'tiny'?" in refused(capsys, "analyze", "out", "--kind", "tinny")
    assert "no manifest" in refused(capsys, "analyze", ".")
    assert "not a folder" in refused(capsys, "report", "none")
    assert ".html" in refused(capsys, "report", "out", "--out", "page.txt")
    assert not (folder / "new").exists()
