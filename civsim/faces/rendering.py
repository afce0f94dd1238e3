"""What the faces do with pictures: none, one when asked, all since last asked, or a window that shows each at once.

The modes are Gymnasium's: None, "rgb_array", "rgb_array_list" and "human". A picture is drawn from the state and from
nothing else (:mod:`civsim.faces.drawing`), so that no mode changes a game.
"""

from __future__ import annotations

import math
import os
import warnings
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from typing import Any

import numpy as np

from civsim.base.errors import CivsimError, ScenarioError
from civsim.base.scenario import Scenario
from civsim.engine.state import U8
from civsim.faces.drawing import CELL_PIXELS

MODES = ("human", "rgb_array", "rgb_array_list")
"""Render modes beside None."""

RENDER_FPS = 10
"""Turns a second in a window or a video."""

WINDOW_PIXELS = 640
"""About the longer side of a window."""

_SMALLEST, _LARGEST = 4, 40
_DRIVER = "SDL_VIDEODRIVER"
_UNSEEN = ("offscreen", "dummy")
"""Drivers of SDL that show nothing: it falls back to one where there is no display."""

Draw = Callable[[int], Sequence[U8]]
"""Draws a picture of every world of a face, of the size of cell given in pixels; all of one shape [h, w, 3]."""


def check_render_mode(render_mode: str | None) -> str | None:
    """Return ``render_mode`` if there is such a mode and it can be had.

    Raises:
        ScenarioError: it is none of :data:`MODES` and not None.
        gymnasium.error.DependencyNotInstalled: it is "human", and pygame, an extra, is not installed.
    """
    if render_mode not in (None, *MODES):
        raise ScenarioError(f"render_mode={render_mode!r} is unknown; use one of {', '.join(MODES)}, or None")
    if render_mode == "human" and find_spec("pygame") is None:
        from gymnasium.error import DependencyNotInstalled

        raise DependencyNotInstalled("pygame is not installed; run pip install 'civsim[window]', or use 'rgb_array'")
    return render_mode


class Rendering:
    """The pictures of one environment under its render mode.

    Args:
        mode: what :func:`check_render_mode` has returned.
        scenario: the game (its size).
        draw: makes the pictures, one a world.
        worlds: how many there are.
    """

    def __init__(self, mode: str | None, scenario: Scenario, draw: Draw, worlds: int = 1) -> None:
        self.mode, self._draw = mode, draw
        self._kept: list[list[U8]] = [[] for _ in range(worlds)]
        self._window = Window() if mode == "human" else None
        columns = math.ceil(math.sqrt(worlds))
        longest = max(scenario.map.width, scenario.map.height)
        self._cell = max(_SMALLEST, min(_LARGEST, WINDOW_PIXELS // (columns * longest)))

    def begin(self, worlds: Sequence[int] | None = None) -> None:
        """Forget the pictures of worlds that begin anew (all by default), and show or keep the first of their games."""
        begun = range(len(self._kept)) if worlds is None else worlds
        self._take(begun, begun)

    def moved(self, begun: Sequence[int] = ()) -> None:
        """Show or keep what there is to see now that a turn was played, after which the worlds ``begun`` began anew."""
        self._take(range(len(self._kept)), begun)

    def _take(self, worlds: Sequence[int], begun: Sequence[int]) -> None:
        if self.mode == "rgb_array_list":
            for world in begun:
                self._kept[world] = []
            pictures = self._draw(CELL_PIXELS)
            for world in worlds:
                self._kept[world].append(pictures[world])
        elif self._window is not None:
            self._window.show(tiled(self._draw(self._cell)))

    def render(self) -> list[Any] | None:
        """Return for each world what its mode gives: a picture, or the pictures since it was last asked; else None."""
        if self.mode == "rgb_array":
            return list(self._draw(CELL_PIXELS))
        if self.mode == "rgb_array_list":
            kept, self._kept = self._kept, [[] for _ in self._kept]
            return list(kept)
        if self._window is not None:
            self._window.show(tiled(self._draw(self._cell)))
        return None

    def close(self) -> None:
        """Close the window, if there is one."""
        if self._window is not None:
            self._window.close()


def tiled(pictures: Sequence[U8]) -> U8:
    """Return pictures of one shape [h, w, 3] side by side in rows of ⌈√n⌉, uint8; what is left over is black."""
    if len(pictures) == 1:
        return pictures[0]
    columns = math.ceil(math.sqrt(len(pictures)))
    rows = math.ceil(len(pictures) / columns)
    height, width = pictures[0].shape[:2]
    whole = np.zeros((rows * height, columns * width, 3), np.uint8)
    for place, picture in enumerate(pictures):
        top, left = place // columns * height, place % columns * width
        whole[top : top + height, left : left + width] = picture
    return whole


class Window:
    """A window on the screen, opened by its first picture. Of a copy nothing is open yet: a screen is not copied."""

    def __init__(self) -> None:
        self._surface: Any = None
        self._clock: Any = None

    def show(self, picture: U8) -> None:
        """Show a picture, uint8 [h, w, 3], for as long as :data:`RENDER_FPS` says.

        Raises:
            CivsimError: there is no display.
        """
        pygame = _pygame()
        if self._surface is None:
            self._open(pygame, picture)
        # pygame counts columns first.
        pygame.surfarray.blit_array(self._surface, picture.swapaxes(0, 1))
        pygame.event.pump()
        self._clock.tick(RENDER_FPS)
        pygame.display.flip()

    def _open(self, pygame: Any, picture: U8) -> None:
        try:
            pygame.display.init()
            unseen = pygame.display.get_driver() in _UNSEEN and _DRIVER not in os.environ
            fault = "there is none" if unseen else ""
            if not unseen:
                pygame.display.set_caption("civsim")
                self._surface = pygame.display.set_mode((picture.shape[1], picture.shape[0]))
        except pygame.error as error:
            fault = str(error)
        if self._surface is None:
            pygame.display.quit()
            raise CivsimError(
                f"render_mode='human' needs a display ({fault}); use 'rgb_array', or set {_DRIVER}=dummy to see nothing"
            )
        self._clock = pygame.time.Clock()

    def close(self) -> None:
        """Close the window; the next picture opens it again."""
        if self._surface is not None:
            self._surface = self._clock = None
            _pygame().display.quit()

    def __reduce__(self) -> tuple[Any, ...]:
        return Window, ()


def _pygame() -> Any:
    """Return pygame, imported without the line it prints and the warnings its own imports raise."""
    os.environ.setdefault("PYGAME_HIDE_SUPPORT_PROMPT", "1")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import pygame
    return pygame
