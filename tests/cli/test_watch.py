"""``civsim watch``: the page that it writes, and every way of asking for it wrongly."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from commands import refused, said

from civsim.agents import seat_policies
from civsim.engine.world import World
from civsim.scenarios import load_scenario, override
from civsim.viewer.document import read_document
from civsim.viewer.games import film
from civsim.viewer.page import replay_page

SMALL = ("--set", "map.width=8", "--set", "map.height=8", "--set", "game.turns=6")
CHANGES = {"map.width": 8, "map.height": 8, "game.turns": 6}


def document_of(path: Path) -> str:
    (found,) = re.findall(
        r'<script type="application/json" id="replay">(.*?)</script>', path.read_text(encoding="utf-8")
    )
    return found


def test_it_writes_the_game_as_a_page(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = said(capsys, "watch", "raiders", *SMALL, "--seed", "7", "--world", "3", "--out", "game.html")
    assert re.fullmatch(r"wrote game\.html: 6 turns, \d+ kB; open it in a browser\n", out)
    game = override(load_scenario("raiders"), CHANGES)
    document = film(World(game, world_ids=[3], seed=7), seat_policies(game))
    assert (folder / "game.html").read_text(encoding="utf-8") == replay_page(document)
    assert [path.name for path in folder.iterdir()] == ["game.html"]


def test_policies_and_turns_are_as_asked(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    chosen = ("--policy", "2=turtle", "--policy", "0=zoo:baseline", "--turns", "3")
    assert "3 turns" in said(capsys, "watch", "baseline", *SMALL, *chosen, "--out", "game.html")
    header, frames = read_document(document_of(folder / "game.html"))
    assert [seat["policy"] for seat in header["seats"]] == ["zoo:baseline", "fixed", "turtle", "fixed"]
    assert [frame.turn for frame in frames] == [0, 1, 2, 3]
    game = override(
        load_scenario("baseline"),
        {**CHANGES, "seats.0.policy": {"name": "zoo:baseline"}, "seats.2.policy": {"name": "turtle"}},
    )
    world = World(game, 1)
    assert frames == read_document(film(world, seat_policies(game), turns=3).text())[1]
    assert "6 turns" in said(capsys, "watch", "baseline", *SMALL, "--turns", "99", "--out", "game.html")


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("baseline", "--out", "game.txt"), "--out 'game.txt' does not end in .html; give it that suffix"),
        (("baseline", "--out", "no/game.html"), "'no' is not a folder; create it first"),
        (("baseline", "--out", "here.html"), "is a folder; give the name of a file"),
        (("baseline",), "Missing option '--out'"),
        (("basline", "--out", "game.html"), "did you mean 'baseline'?"),
        (("baseline", "--out", "game.html", "--set", "game.turns=0"), "game.turns=0 is outside its limits"),
        (
            ("baseline", "--out", "game.html", "--policy", "fixed"),
            "--policy 'fixed' is not SEAT=NAME; write for instance",
        ),
        (("baseline", "--out", "game.html", "--policy", "=fixed"), "is not SEAT=NAME"),
        (("baseline", "--out", "game.html", "--policy", "1="), "is not SEAT=NAME"),
        (("baseline", "--out", "game.html", "--policy", f"{'9' * 5000}=fixed"), "is not SEAT=NAME"),
        (("baseline", "--out", "game.html", "--policy", "4=fixed"), "seat 4 is outside 0 … 3; give a seat"),
        (
            ("baseline", "--out", "game.html", "--policy", "1=turtel"),
            "'turtel' is neither a policy nor a folder; did you mean 'turtle'?",
        ),
        (("baseline", "--out", "game.html", "--policy", "1=zoo:nothing"), "nothing"),
        (
            ("baseline", "--out", "game.html", "--policy", "1=fixed", "--policy", "1=turtle"),
            "--policy gives seat 1 twice; give it once",
        ),
        (("baseline", "--out", "game.html", "--turns", "0"), "Invalid value for '--turns'"),
        (("baseline", "--out", "game.html", "--seed", "-1"), "Invalid value for '--seed'"),
    ],
)
def test_what_cannot_be_is_refused_in_one_line_before_anything_is_played(
    folder: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    arguments: tuple[str, ...],
    complaint: str,
) -> None:
    (folder / "here.html").mkdir()
    monkeypatch.setattr(World, "step", lambda *_: pytest.fail("a turn was played"))
    assert complaint in refused(capsys, "watch", *arguments)
    assert [path.name for path in folder.iterdir()] == ["here.html"]
