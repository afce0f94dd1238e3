"""``civsim ceiling``: its tables, its folder, and one line for whatever is wrong."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from commands import refused, said

from civsim.scenarios.ceiling import read_ceiling

GAME = """
[map]
width = 8
height = 8
[game]
civilizations = 2
turns = 16
[claims]
cost = 1.0
[seat_default.levels]
horizon = 0
sight = 1
attention = 2
"""
ASKED = ("ceiling", "game.toml", "--worlds", "3", "--first", "2", "--samples", "2", "--candidates", "2", "--seed", "4")


@pytest.fixture
def game(folder: Path) -> Path:
    """Return a working folder with a small game in it."""
    (folder / "game.toml").write_text(GAME)
    return folder


def test_every_world_the_mean_and_the_turns_are_told(game: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = said(capsys, *ASKED, "--seat", "1", "--turns", "8", "--out", "new")
    assert "game, seat 1: welfare of 16 turns" in out
    for word in ("planner", "ceiling", "difference", "log points × 100 a turn", "turns changed", "mean"):
        assert word in out
    assert re.search(r"On average over luck that chose nothing, the changes are worth .* a world \(.* a turn\)\.", out)
    _, worlds = read_ceiling(game / "new")
    assert [one.world_id for one in worlds] == [2, 3, 4]
    for one in worlds:
        changed = sum(each.given is not None for each in one.decisions)
        row = next(line for line in out.splitlines() if re.match(rf"│ {one.world_id} +│", line))
        assert f"{one.planner['welfare']:.4g} " in row
        assert f"{changed} of {len(one.decisions)} " in row
    assert re.search(r"│ 1–5 .*\n│ 6–8 ", out)
    games = sum(one.games for one in worlds)
    assert re.search(rf"\d+ CPU-seconds for 3 worlds, 0 kept; {games} games tried in all\.\nresults in new\n$", out)


def test_a_folder_is_gone_on_with(game: Path, capsys: pytest.CaptureFixture[str]) -> None:
    first = said(capsys, *ASKED, "--turns", "3", "--out", "new")
    before = {path.name: path.read_bytes() for path in (game / "new").iterdir()}
    assert "is not empty; add --resume" in refused(capsys, *ASKED, "--turns", "3", "--out", "new")
    assert "holds another ceiling" in refused(capsys, *ASKED, "--turns", "4", "--out", "new", "--resume")
    again = said(capsys, *ASKED, "--turns", "3", "--out", "new", "--resume", "--threads", "1")
    assert "0 CPU-seconds for 0 worlds, 3 kept" in again
    assert again.splitlines()[:6] == first.splitlines()[:6]
    assert {path.name: path.read_bytes() for path in (game / "new").iterdir()} == before


def test_the_command_noted_makes_the_same(game: Path, capsys: pytest.CaptureFixture[str]) -> None:
    said(capsys, *ASKED, "--set", "map.hazard=0.1", "--out", "a b")
    found, _ = read_ceiling(game / "a b")
    assert found["command"] == (
        "civsim ceiling game.toml --seat 0 --candidates 2 --samples 2 --turns 16 --most-samples 64 --risk 0.05 "
        "--checks 32 --worlds 3 --first 2 --seed 4 --set map.hazard=0.1 --out 'a b'"
    )


def test_no_turn_is_the_planner_s_game(game: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = said(capsys, *ASKED, "--turns", "0")
    assert "By turn" not in out
    assert "0 [0, 0]" in out
    assert "0 games tried" in out


def test_what_is_not_welfare_is_told_in_its_own_unit(game: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = said(capsys, *ASKED, "--set", "game.objective=output", "--turns", "4")
    assert "output of 16 turns" in out
    assert "By turn, a world (output)" in out
    assert "log points" not in out


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        ("--seat 2", "seat=2 is outside 0 … 1"),
        ("--turns 17", "turns=17 is outside 0 … 16; the game has 16 turns"),
        ("--candidates 65", "candidates=65 is outside 0 … 64"),
        ("--samples 65", "most_samples=64 is outside 65 … 256; the first look is after samples=65"),
        ("--samples 1", "--samples"),
        ("--most-samples 1", "--most-samples"),
        ("--most-samples 257", "most_samples=257 is outside 2 … 256"),
        ("--risk 0", "risk=0 is outside (0, 0.5]"),
        ("--risk nan", "risk=nan is outside (0, 0.5]"),
        ("--seat -1", "--seat"),
        ("--seed -1", "--seed"),
        ("--first 3221225471", "world ids reach 3221225473"),
        ("--threads 1000", "threads=1000"),
        ("--resume", "--out names none"),
        ("--out game.toml", "is a file"),
        ("--out game.toml/new", "game.toml"),
        ("--set map.widht=3", "did you mean 'map.width'"),
        ("--set seat_default.policy.name=fixd", "fixed"),
    ],
)
def test_what_is_wrong_is_one_line(flags: str, words: str, game: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert words in refused(capsys, *ASKED, *flags.split())
    assert [path.name for path in game.iterdir()] == ["game.toml"]


def test_one_world_has_no_interval(game: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "--worlds" in refused(capsys, "ceiling", "game.toml", "--worlds", "1")
    assert "did you mean 'peace'" in refused(capsys, "ceiling", "peac")
