"""Games recorded and replayed on the command line, and what is refused there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from commands import refused, said
from PIL import Image
from recorded import GAMES, recorded

from civsim.faces.thinkers import Thinker
from civsim.scenarios.recordings.file import load_recording, save_recording
from civsim.viewer.camera import Frame, view_of_thinker
from civsim.viewer.document import read_document

SMALL = ["--set", "map.width=8", "--set", "map.height=8", "--set", "game.turns=6"]


@pytest.fixture
def game(folder: Path) -> Path:
    """Return the path of a small recording in an empty working folder."""
    save_recording(recorded(GAMES["raiders"]())[0], folder / "game.rec")
    return folder / "game.rec"


def table(text: str) -> list[str]:
    """Return the rows of the table of seats in what a command said."""
    return [line for line in text.splitlines() if line.startswith("│")]


def test_a_game_that_was_recorded_is_replayed(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    played = said(capsys, "run", "war", *SMALL, "--seed", "4", "--first", "7", "--record", "game.rec", "--out", "t.csv")
    assert "war: 1 world, turn 6 of 6" in played
    assert "recorded game.rec, " in played
    assert (folder / "t.csv").exists()
    recording = load_recording(folder / "game.rec")
    assert (recording.seed, recording.world_id, recording.turns) == (4, 7, 6)
    for by in ("auto", "shares", "orders"):
        told = said(capsys, "replay", "game.rec", "--by", by)
        assert table(told) == table(played)
        assert "game.rec: world 7 of study seed 4, 6 turns, recorded by civsim" in told
        expected = "replayed by orders: its orders are" if by == "orders" else "replayed by shares: every bit of the"
        assert expected in told


def test_the_part_of_a_game_that_was_recorded_is_replayed(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    played = said(capsys, "run", "war", *SMALL, "--worlds", "1", "--turns", "2", "--record", "game.rec")
    assert table(said(capsys, "replay", "game.rec")) == table(played)


def test_a_saved_beginning_can_be_recorded(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from civsim.engine.world import World

    World(GAMES["baseline"](), 1, 0).save(folder / "start.npz")
    said(capsys, "run", "start.npz", "--record", "game.rec")
    assert load_recording(folder / "game.rec").turns == 15


def test_what_cannot_be_recorded_is_refused_before_it_is_played(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    line = refused(capsys, "run", "war", *SMALL, "--worlds", "2", "--record", "game.rec")
    assert "--record 'game.rec' keeps one world, not 2; drop --worlds" in line
    assert "does not end in .rec" in refused(capsys, "run", "war", *SMALL, "--record", "game.npz")
    assert "is not a folder; create it first" in refused(capsys, "run", "war", *SMALL, "--record", "none/game.rec")
    said(capsys, "run", "war", *SMALL, "--worlds", "2", "--turns", "2", "--save", "two.npz")
    said(capsys, "run", "war", *SMALL, "--worlds", "1", "--turns", "2", "--save", "one.npz")
    assert "the saved game holds 2" in refused(capsys, "run", "two.npz", "--record", "game.rec")
    assert "world 0 is in turn 2; record a game from" in refused(capsys, "run", "one.npz", "--record", "game.rec")
    assert not list(folder.glob("*.rec"))


def test_what_is_no_recording_is_one_line(game: Path, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "cut.rec").write_bytes(game.read_bytes()[:900])
    (folder / "text.rec").write_text("a game")
    for name, expected in (("cut.rec", "cannot be read"), ("text.rec", "cannot be read"), ("none.rec", "not exist")):
        assert expected in refused(capsys, "replay", name)
    assert "'plans' is not one of 'auto', 'shares', 'orders'" in refused(capsys, "replay", str(game), "--by", "plans")


@pytest.mark.parametrize("suffix", ["webp", "gif", "mp4"])
def test_a_replay_is_written_by_its_suffix(
    suffix: str, game: Path, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    options = ["--seat", "1", "--from", "2", "--to", "5", "--fps", "4", "--scale", "8"]
    assert f"wrote game.{suffix}, " in said(capsys, "replay", str(game), "--out", f"game.{suffix}", *options)
    if suffix != "mp4":
        with Image.open(folder / f"game.{suffix}") as image:
            assert image.size == (64, 64)
    assert (folder / f"game.{suffix}").stat().st_size > 300


def test_a_page_holds_the_stretch_that_was_asked_for(
    game: Path, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    said(capsys, "replay", str(game), "--out", "whole.html")
    said(capsys, "replay", str(game), "--out", "part.html", "--from", "4", "--to", "9", "--seat", "2", "--by", "orders")
    whole, part = (document_of(folder / name) for name in ("whole.html", "part.html"))
    assert [frame.turn for frame in whole[1]] == list(range(16))
    assert [frame.turn for frame in part[1]] == list(range(4, 10))
    for late, frame in zip(part[1], whole[1][4:10], strict=True):
        assert late.views[0] == frame.views[0], "the truth is the same"
        assert late.views[3].planes == frame.views[3].planes, "and so is what is believed"
    assert part[0]["description"].endswith("Replayed by orders: its orders are carried out and nobody plans.")
    assert "viewer.look(3)" in (folder / "part.html").read_text()


def test_what_a_seat_of_thought_believes_is_shown_on_a_page_and_in_a_picture(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    recording, _ = recorded(GAMES["several seats of thought"]())
    save_recording(recording, folder / "several.rec")
    told = ["replay", "several.rec", "--seat", "0", "--out"]
    said(capsys, *told, "game.html", "--province", "2")
    view = view_of_thinker(recording.scenario, Thinker(0, 2))
    assert f"viewer.look({view})" in (folder / "game.html").read_text()
    pictures = []
    for province in ("0", "2"):
        said(capsys, *told, "last.webp", "--province", province, "--from", "15")
        with Image.open(folder / "last.webp") as image:
            pictures.append(image.convert("RGB").tobytes())
    said(capsys, *told, "last.webp", "--from", "15")
    with Image.open(folder / "last.webp") as image:
        assert image.convert("RGB").tobytes() == pictures[0] != pictures[1]


def document_of(path: Path) -> tuple[dict[str, object], list[Frame]]:
    """Return the header and the frames in a page."""
    found = re.search(r'<script type="application/json" id="replay">(.*?)</script>', path.read_text(), re.DOTALL)
    assert found is not None
    return read_document(found.group(1))


def test_a_game_replayed_by_its_orders_says_so(game: Path, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    told = said(capsys, "replay", str(game), "--out", "game.webp", "--to", "3", "--by", "orders")
    assert "replayed by orders: its orders are carried out and nobody plans" in told


def test_what_cannot_be_shown_is_refused_before_it_is_played(
    game: Path, folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def never(*_: object) -> None:
        raise AssertionError("the game was played")

    monkeypatch.setattr("civsim.scenarios.recordings.replay.Replay.__init__", never)
    for options, expected in (
        (["--out", "game.png"], "'game.png' is neither page nor picture; end it in .html, .webp, .gif, .mp4"),
        (["--out", "game.html", "--fps", "5"], "--fps 5 has no effect on .html"),
        (["--out", "game.html", "--scale", "5"], "--scale 5 has no effect on .html"),
        (["--out", "none/game.gif"], "is not a folder; create it first"),
        (["--out", "game.webp", "--seat", "4"], "--seat 4 is none of 0 … 3"),
        (["--out", "game.webp", "--to", "16"], "--to 16 is beyond the 15 turns that were recorded"),
        (["--out", "game.webp", "--from", "9", "--to", "8"], "--from 9 is after turn 8"),
        (["--out", "game.webp", "--scale", "1"], "scale=1 is outside 4 … 64"),
        (["--out", "game.webp", "--fps", "0"], "should be greater than or equal to 1"),
        (["--fps", "5"], "--fps 5 has no effect without --out"),
        (["--seat", "1"], "--seat 1 has no effect without --out"),
        (["--seat", "1", "--province", "0"], "--seat 1 has no effect without --out"),
        (["--out", "game.webp", "--province", "1"], "--province 1 has no effect without --seat"),
        (["--out", "game.webp", "--seat", "1", "--province", "1"], "province=1 is outside 0 … 0; give a province that"),
    ):
        assert expected in refused(capsys, "replay", str(game), *options)
    assert [path.name for path in folder.iterdir()] == ["game.rec"]
