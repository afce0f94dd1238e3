"""Moving pictures of a game: lossless WebP, GIF and MP4, of the map as it is or as one civilization believes it to be.

A picture is what :func:`civsim.faces.drawing.draw_world` draws. WebP keeps it pixel for pixel in a fraction of what a
GIF takes; MP4 needs the extra ``video``. Pictures are drawn when they are written, so that no game is too long.
"""

from __future__ import annotations

from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from civsim.base.errors import CivsimError
from civsim.base.files import atomic_path
from civsim.base.scenario import Scenario
from civsim.engine.offices.rows import CAPITAL
from civsim.engine.state import U8
from civsim.faces.drawing import LEAST_PIXELS, draw_world
from civsim.scenarios.recordings.replay import Replay

if TYPE_CHECKING:
    from PIL import Image

SUFFIXES = (".webp", ".gif", ".mp4")
"""Kinds of moving picture, by the name's suffix."""

FPS = 10
"""Turns a second, where nothing else is asked."""

USUAL_PIXELS = 512
"""About the longer side of a picture, where nothing else is asked."""

MOST_PIXELS = 4096
"""Longest side of a picture."""

MOST_SCALE = 64
"""Largest side of a cell (pixels)."""

_LAST_SECONDS = 2
"""How much longer the last picture stays, before the game begins again."""

_WEBP = {"lossless": True, "quality": 50, "method": 2, "kmin": (1 << 20) - 1, "kmax": 1 << 20}
"""Each picture as what changed since the one before: key frames would make the file a quarter larger."""


def usual_scale(scenario: Scenario) -> int:
    """Return the side of a cell, in pixels, that makes a picture about :data:`USUAL_PIXELS` long."""
    longest = max(scenario.map.width, scenario.map.height)
    return min(max(USUAL_PIXELS // longest, LEAST_PIXELS), MOST_SCALE)


def check_scale(scenario: Scenario, scale: int) -> int:
    """Return the side of a cell, in pixels, if pictures of that size can be made.

    Raises:
        CivsimError: it is outside 4 … 64, or the picture would be more than 4096 pixels long.
    """
    if not LEAST_PIXELS <= scale <= MOST_SCALE:
        raise CivsimError(f"scale={scale} is outside {LEAST_PIXELS} … {MOST_SCALE}; give pixels a cell in it")
    longest = max(scenario.map.width, scenario.map.height)
    if longest * scale > MOST_PIXELS:
        raise CivsimError(
            f"scale={scale} makes {longest * scale} pixels of {longest} cells; give at most {MOST_PIXELS // longest}"
        )
    return scale


def check_kind(path: Path) -> None:
    """Make sure that a moving picture can be written under this name.

    Raises:
        CivsimError: its suffix is none of :data:`SUFFIXES`, or the extra that it takes is not installed.
    """
    if path.suffix not in SUFFIXES:
        raise CivsimError(f"{str(path)!r} is no picture; end it in {', '.join(SUFFIXES)}")
    if path.suffix == ".mp4" and find_spec("imageio_ffmpeg") is None:
        raise CivsimError(
            f"{str(path)!r} needs imageio-ffmpeg; run pip install 'civsim[video]', or end the name in {SUFFIXES[0]}"
        )


def filmed(
    replay: Replay, first: int, last: int, seat: int | None, scale: int, *, office: int = CAPITAL
) -> Iterator[U8]:
    """Replay a game and yield its pictures, uint8 [h, w, 3]: after ``first`` turns, and after each up to ``last``.

    Args:
        replay: at most at turn ``first``.
        first: turns played at the first picture, at least 0.
        last: turns played at the last one, at most those recorded.
        seat: whose beliefs are drawn; the world as it is for None.
        scale: side of a cell (pixels).
        office: which of its seats of thought's beliefs are drawn; the capital's by default.
    """
    replay.to_turn(first)
    while True:
        yield draw_world(replay.world.state, replay.world.scenario, 0, seat, scale, office=office)
        if replay.turn >= last:
            return
        replay.step()


def write_film(path: str | Path, pictures: Iterator[U8], count: int, fps: int = FPS) -> None:
    """Write a moving picture, whole or not at all, in the format that the suffix says; it plays for ever.

    Args:
        path: ends in one of :data:`SUFFIXES`.
        pictures: uint8 [h, w, 3], all of one shape.
        count: how many there are, at least 1.
        fps: pictures a second, 1 … 60.

    Raises:
        CivsimError: as :func:`check_kind`, or the file cannot be written there.
    """
    target = Path(path)
    check_kind(target)
    with atomic_path(target) as temporary:
        if target.suffix == ".mp4":
            _write_mp4(temporary, pictures, fps)
            return
        durations = [round(1000 / fps)] * (count - 1) + [round(1000 / fps) + 1000 * _LAST_SECONDS]
        movie = _movie(pictures, count)
        kind: dict[str, Any] = _WEBP if target.suffix == ".webp" else {}
        movie.save(temporary, target.suffix.removeprefix("."), save_all=True, duration=durations, loop=0, **kind)


def _movie(pictures: Iterator[U8], count: int) -> Image.Image:
    """Return an image of ``count`` frames for Pillow to save, each drawn when it is asked for."""
    from PIL import Image

    class Movie(Image.Image):
        """Frames that are asked for one after the other."""

        def __init__(self) -> None:
            super().__init__()
            first = Image.fromarray(next(pictures))
            # Pillow's own images are made by functions that know of no other class.
            self.__dict__.update(vars(first))
            self.n_frames, self._at = count, 0

        def seek(self, frame: int) -> None:
            """Go on to a frame; going back, as Pillow does when all is saved, shows nothing new."""
            if frame >= self.n_frames:
                raise EOFError
            while self._at < frame:
                self.paste(Image.fromarray(next(pictures)))
                self._at += 1

        def tell(self) -> int:
            return 0

    return Movie()


def _write_mp4(path: Path, pictures: Iterator[U8], fps: int) -> None:
    from imageio_ffmpeg import write_frames

    first = _even(next(pictures))
    height, width = first.shape[:2]
    writer = write_frames(
        str(path), (width, height), fps=fps, codec="libx264", quality=8, macro_block_size=2, ffmpeg_log_level="error"
    )
    writer.send(None)
    try:
        writer.send(first)
        for picture in pictures:
            writer.send(_even(picture))
    finally:
        writer.close()


def _even(picture: U8) -> U8:
    """Return a picture of even sides, which the codec takes, with a black line below or beside it where it had none."""
    height, width = picture.shape[:2]
    return np.pad(picture, ((0, height % 2), (0, width % 2), (0, 0)))
