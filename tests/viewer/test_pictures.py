"""Moving pictures: lossless ones are what is drawn, pixel for pixel; all are whole, or not there."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from pathlib import Path

import imageio_ffmpeg
import numpy as np
import pytest
from PIL import Image
from recorded import GAMES, recorded

from civsim.base.errors import CivsimError
from civsim.faces.drawing import draw_world
from civsim.scenarios import load_scenario, override
from civsim.scenarios.recordings.recorder import Recording
from civsim.scenarios.recordings.replay import Replay
from civsim.viewer import pictures
from civsim.viewer.pictures import check_scale, filmed, usual_scale, write_film


@pytest.fixture(scope="module")
def game() -> Recording:
    return recorded(GAMES["raiders"]())[0]


def frames(path: Path, step: int) -> list[np.ndarray]:
    """Every picture of a file, shown ``step`` milliseconds each; one that stands longer is there as often."""
    found: list[np.ndarray] = []
    with Image.open(path) as image:
        for number in range(image.n_frames):
            image.seek(number)
            picture = np.array(image.convert("RGB"))
            found += [picture] * round(image.info["duration"] / step)
    return found


@pytest.mark.parametrize("seat", [None, 0, 2])
@pytest.mark.parametrize("scale", [5, 16])
def test_a_webp_holds_every_picture_pixel_for_pixel(
    game: Recording, seat: int | None, scale: int, tmp_path: Path
) -> None:
    write_film(tmp_path / "game.webp", filmed(Replay(game), 0, game.turns, seat, scale), game.turns + 1)
    found, replay = frames(tmp_path / "game.webp", 100), Replay(game)
    assert len(found) == game.turns + 1 + 20, "the last one stays two seconds longer"
    for turn in range(game.turns + 1):
        replay.to_turn(turn)
        assert np.array_equal(found[turn], draw_world(replay.world.state, game.scenario, 0, seat, scale)), turn
    assert all(np.array_equal(picture, found[-1]) for picture in found[game.turns :])


@pytest.mark.parametrize("suffix", ["webp", "gif"])
def test_a_picture_plays_for_ever_at_the_speed_asked_for(game: Recording, suffix: str, tmp_path: Path) -> None:
    write_film(tmp_path / f"game.{suffix}", filmed(Replay(game), 3, 8, None, 8), 6, fps=5)
    with Image.open(tmp_path / f"game.{suffix}") as image:
        assert image.info["loop"] == 0
    assert len(frames(tmp_path / f"game.{suffix}", 200)) == 6 + 10


def test_a_gif_is_the_picture_as_nearly_as_256_colours_can(game: Recording, tmp_path: Path) -> None:
    write_film(tmp_path / "game.gif", filmed(Replay(game), 0, 9, None, 8), 10)
    for picture, drawn in zip(
        frames(tmp_path / "game.gif", 100)[:10], filmed(Replay(game), 0, 9, None, 8), strict=True
    ):
        assert np.abs(picture.astype(int) - drawn).mean() < 3.0


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # the reader leaves its pipes open
def test_a_film_of_odd_sides(tmp_path: Path) -> None:
    odd = override(load_scenario("baseline"), {"map.width": 9, "map.height": 7, "game.turns": 5})
    recording, _ = recorded(odd)
    write_film(tmp_path / "game.mp4", filmed(Replay(recording), 0, 5, None, 7), 6, fps=20)
    reader = imageio_ffmpeg.read_frames(str(tmp_path / "game.mp4"))
    about = next(reader)
    assert about["size"] == (64, 50)
    assert about["fps"] == 20.0
    found = [np.frombuffer(frame, np.uint8).reshape(50, 64, 3).astype(int) for frame in reader]
    assert len(found) == 6
    for frame, drawn in zip(found, filmed(Replay(recording), 0, 5, None, 7), strict=True):
        assert np.abs(frame[:49, :63] - drawn).mean() < 12.0  # colours are halved in number, edges are not


def test_one_picture_is_a_picture(game: Recording, tmp_path: Path) -> None:
    write_film(tmp_path / "one.webp", filmed(Replay(game), 4, 4, None, 16), 1)
    with Image.open(tmp_path / "one.webp") as image:
        assert image.n_frames == 1
        replay = Replay(game)
        replay.to_turn(4)
        assert np.array_equal(np.array(image.convert("RGB")), draw_world(replay.world.state, game.scenario))


def test_pictures_are_drawn_one_at_a_time(game: Recording, tmp_path: Path) -> None:
    """However long the game, there is one picture beside the encoder's own."""
    alive: list[int] = []
    most: list[int] = []

    class Counted(np.ndarray):
        def __del__(self) -> None:
            if self.base is not None and self.shape == (64, 64, 3):
                alive.pop()

    def counted() -> Iterator[np.ndarray]:
        for picture in filmed(Replay(game), 0, game.turns, None, 8):
            alive.append(1)
            most.append(len(alive))
            yield picture.view(Counted)

    write_film(tmp_path / "game.webp", counted(), game.turns + 1)
    assert max(most) <= 3


@pytest.mark.parametrize("suffix", ["webp", "gif", "mp4"])
def test_a_film_that_fails_leaves_nothing(suffix: str, game: Recording, tmp_path: Path) -> None:
    def torn() -> Iterator[np.ndarray]:
        for number, picture in enumerate(filmed(Replay(game), 0, 9, None, 8)):
            if number == 5:
                raise CivsimError("torn")
            yield picture

    with pytest.raises(CivsimError, match="torn"):
        write_film(tmp_path / f"game.{suffix}", torn(), 10)
    assert list(tmp_path.iterdir()) == []


def test_names_and_sizes_that_cannot_be_are_one_line(
    game: Recording, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(CivsimError, match=r"'game.png' is no picture; end it in .webp, .gif, .mp4"):
        write_film("game.png", iter(()), 1)
    find = importlib.util.find_spec
    monkeypatch.setattr(pictures, "find_spec", lambda name: None if name == "imageio_ffmpeg" else find(name))
    with pytest.raises(CivsimError, match=r"run pip install 'civsim\[video\]', or end the name in .webp"):
        write_film(tmp_path / "game.mp4", iter(()), 1)
    wide = override(load_scenario("baseline"), {"map.width": 128, "map.height": 3})
    assert [usual_scale(one) for one in (game.scenario, load_scenario("baseline"), wide)] == [64, 32, 4]
    assert check_scale(wide, 32) == 32
    with pytest.raises(CivsimError, match=r"scale=33 makes 4224 pixels of 128 cells; give at most 32"):
        check_scale(wide, 33)
    with pytest.raises(CivsimError, match=r"scale=3 is outside 4 … 64"):
        check_scale(wide, 3)
