"""Two games compared on the command line: recordings, scenarios, arms of one scenario; and what cannot be."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from commands import refused, said
from recorded import GAMES, recorded

from civsim.base.constants import Category
from civsim.scenarios.recordings.file import save_recording

SMALL = ["--set", "map.width=8", "--set", "map.height=8", "--set", "game.turns=8"]


@pytest.fixture
def pair(folder: Path) -> None:
    """Two recordings, ``a.rec`` and ``b.rec``, in an empty working folder; seat 1 spends otherwise in turn 4 of b."""
    recording, _ = recorded(GAMES["baseline"]())
    shares = recording.shares.copy()
    shares[3, 1] = np.eye(8, dtype=np.float32)[Category.WALLS]
    save_recording(recording, folder / "a.rec")
    save_recording(recording._replace(shares=shares, engine="another"), folder / "b.rec")
    save_recording(recorded(GAMES["baseline"](), seed=1)[0], folder / "seed.rec")
    save_recording(recorded(GAMES["baseline"](), turns=6)[0], folder / "part.rec")


def test_a_recording_beside_itself(pair: None, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    told = said(capsys, "compare", "a.rec", "a.rec", "--out", "same.html")
    assert "Nothing differs in 15 turns: it is the same game twice." in told
    assert "wrote same.html, " in told
    assert "openComparison" in (folder / "same.html").read_text()


def test_recordings_part_where_their_shares_do(pair: None, capsys: pytest.CaptureFixture[str]) -> None:
    """The second is replayed by its orders, since its marks are those of the first: plans are not compared then."""
    told = said(capsys, "compare", "a.rec", "b.rec", "--turns", "9")
    assert "b.rec: replayed by orders: from turn 4 this release" in told
    assert "shares first differ in turn 4: seat 1 spends" in told
    assert "plans" not in told.partition("shares first")[2]
    assert "a after 9 turns, and how much more b has" in told


def test_the_shorter_recording_is_the_length(pair: None, capsys: pytest.CaptureFixture[str]) -> None:
    assert "Nothing differs in 6 turns" in said(capsys, "compare", "a.rec", "part.rec")


def test_one_scenario_set_in_two_ways(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    told = said(
        capsys, "compare", "war", *SMALL, "--set-a", "seats.1.levels.horizon=6", "--set-b", "seats.1.levels.horizon=0",
        "--seed", "2", "--world", "9", "--out", "arms.html",
    )  # fmt: skip
    assert told.splitlines()[0] == "  seat 1, levels.horizon: 6 → 0"
    assert "levels first differ at the beginning: seat 1, horizon: 6 → 0" in told
    page = (folder / "arms.html").read_text()
    assert '"labels":["war, seats.1.levels.horizon=6","war, seats.1.levels.horizon=0"]' in page
    assert '"seed":"2","world":9' in page


def test_two_scenarios(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    told = said(capsys, "compare", "war", "peace", *SMALL, "--turns", "5")
    assert "  army.war: True → False" in told
    assert "war after 5 turns, and how much more peace has" in told


def test_what_cannot_be_compared_is_one_line(pair: None, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "text.rec").write_text("hello")
    for arguments, expected in (
        (["a.rec"], "'a.rec' is compared with nothing"),
        (["war"], "'war' is compared with itself; change it by --set-a or --set-b"),
        (["war", "--set-a", "map.hazard=0.1", "--set-b", "map.hazard=0.1"], "is compared with itself"),
        (["war", "a.rec"], "are a recording and a scenario"),
        (["a.rec", "b.rec", "--seed", "3"], "--seed has no effect on recordings"),
        (["a.rec", "b.rec", "--set-b", "map.hazard=0.1"], "--set-b has no effect on recordings"),
        (["a.rec", "none.rec"], "recording='none.rec' does not exist"),
        (["a.rec", "text.rec"], "recording='text.rec' cannot be read"),
        (["a.rec", "seed.rec"], "world 3 of seed 0 and world 3 of seed 1 have other land and luck"),
        (["war", "large"], "map.width is 16 in one game and 32 in the other"),
        (["war", "peece"], "no scenario is called 'peece'"),
        (["war", "peace", "--set-b", "map.hazrd=1"], "did you mean 'map.hazard'"),
        (["war", "peace", "--out", "page.htm"], "does not end in .html"),
        (["war", "peace", "--out", "none/page.html"], "is not a folder; create it first"),
    ):
        assert expected in refused(capsys, "compare", *arguments)
    assert not list(folder.glob("*.htm*"))
