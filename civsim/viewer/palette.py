"""Every colour of the page, as tables that its script looks up; the map's are those of :mod:`civsim.faces.drawing`.

A cell's colour follows from three small integers: what it gives and how rugged it is (its *ground*), who holds it,
and how stale what is known of it is (its *veil*). Seats have the colours of Okabe and Ito (2008), told apart by
colour-blind readers; where a line or a word is drawn in one, it is darkened or lightened until it can be read.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from civsim.base.constants import NOBODY, Category
from civsim.engine.state import U8
from civsim.faces.drawing import (
    BAND,
    FOG,
    PALETTE,
    SITE,
    STALE_WEIGHT,
    WALL,
    WALL_STEPS,
    WORKS_STEPS,
    faded,
    held_colours,
    land_colours,
)
from civsim.viewer.events import Event
from civsim.viewer.packing import base64_text
from civsim.viewer.planes import restored

LIGHT, DARK = (250, 249, 246), (20, 22, 27)
"""The page, in its two themes."""

VALUE_STEPS = (0.0, 0.15, 0.25, 0.4, 0.6, 0.9, 1.3, 2.0, 3.0, 4.5, 7.0, 11.0, 18.0, 30.0, 60.0, 120.0)
"""Least output a turn of each class of ground."""
RUGGED_STEPS = (0, 15, 40, 70)
"""Least ruggedness of each class of ground (percent)."""
VEIL_AGES = (1, 6, 21)
"""Least age of each veil of remembered land (turns); before the first land is in view, after the last comes the veil of
land never seen."""

_CONTRAST = 4.0
_STEP = 0.04
_HINT = 0.22
"""How much the colour of land never seen shows of what is expected of it."""
_CATEGORIES = {
    Category.CONSUMPTION: "#b8b2a7",
    Category.SETTLEMENT: "#8c510a",
    Category.WORKS: "#bf812d",
    Category.ARMY: "#dfa94f",
    Category.WALLS: "#ecd3a0",
    Category.STRATEGISTS: "#01665e",
    Category.SCOUTS: "#35978f",
    Category.ANALYSTS: "#80cdc1",
}
"""A neutral one for what is consumed, browns for what is built, greens for thought; each family light to dark."""


_EVENTS = {
    Event.SETTLED: "#ffffff",
    Event.TAKEN: "#ffffff",
    Event.HELD: "#b9bec9",
    Event.SACKED: "#ff8a4c",
    Event.WITHSTOOD: "#9fd3c7",
    Event.DISASTER: "#ffd84d",
    Event.FALLEN: "#d0458b",
}
_TICKS = {Event.TAKEN: "#6f7fae", Event.HELD: "#9aa3b8"}
"""Where the mark's colour could not be read on a light page."""


def hexed(colour: NDArray[Any] | tuple[int, ...]) -> str:
    """Return a colour (three numbers in 0 … 255) as ``#rrggbb``."""
    return "#" + "".join(f"{round(float(part)):02x}" for part in colour)


def luminance(colour: NDArray[Any] | tuple[int, ...]) -> float:
    """Return the relative luminance of a colour, in [0, 1], as WCAG 2 defines it."""
    part = np.asarray(colour, np.float64) / 255.0
    linear = np.where(part <= 0.04045, part / 12.92, ((part + 0.055) / 1.055) ** 2.4)
    return float(linear @ (0.2126, 0.7152, 0.0722))


def contrast(one: NDArray[Any] | tuple[int, ...], other: NDArray[Any] | tuple[int, ...]) -> float:
    """Return the contrast of two colours, 1 … 21, as WCAG 2 defines it."""
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def readable(colour: NDArray[Any] | tuple[int, ...], page: tuple[int, ...]) -> str:
    """Return ``colour``, moved as far toward black or white as it takes to stand out 4 to 1 on ``page``."""
    toward = np.zeros(3) if luminance(page) > 0.5 else np.full(3, 255.0)
    shade = np.asarray(colour, np.float64)
    while contrast(shade, page) < _CONTRAST:
        shade = shade + _STEP * (toward - shade)
    return hexed(shade)


def ground_levels() -> dict[str, list[int]]:
    """Return the class of each byte of the planes ``value`` (of 256) and ``rugged`` (of 101 percents)."""
    values = restored(np.arange(256, dtype=np.uint8))
    return {
        "value": (np.searchsorted(VALUE_STEPS, values, "right") - 1).tolist(),
        "rugged": (np.searchsorted(RUGGED_STEPS, np.arange(101), "right") - 1).tolist(),
    }


def cell_colours(seats: int) -> U8:
    """Return the colours of cells, uint8 [veils, 1 + seats, values, ruggednesses, 3].

    Veils: in view, a class for each of :data:`VEIL_AGES`, never seen. Owners: nobody, then each seat.
    """
    values = np.array(
        [low if high == low else np.sqrt(max(low, 0.08) * high) for low, high in pairwise((*VALUE_STEPS, 240.0))]
    )
    rugged = np.array([(low + high) / 200.0 for low, high in pairwise((*RUGGED_STEPS, 100))])
    rugged[0] = 0.0
    land = land_colours(values[:, None].repeat(len(rugged), 1), rugged[None].repeat(len(values), 0))
    owners = np.arange(NOBODY, seats)
    fresh = held_colours(np.broadcast_to(land, (1 + seats, *land.shape)), owners[:, None, None])
    stale = [faded(fresh, STALE_WEIGHT ** ((veil + 1) / len(VEIL_AGES))) for veil in range(len(VEIL_AGES))]
    never = faded(fresh, _HINT)
    return np.floor(np.stack([fresh, *stale, never]) + 0.5).astype(np.uint8)


def mark_steps() -> dict[str, list[int]]:
    """Return the class of each byte of the planes ``wall`` and ``works``: 0 for none, then 1 and more."""
    values = restored(np.arange(256, dtype=np.uint8))
    steps = {"wall": WALL_STEPS, "works": WORKS_STEPS}
    return {name: np.searchsorted(least, values, "left").tolist() for name, least in steps.items()}


def event_colours(event: Event) -> dict[str, str]:
    """Return the colours of a kind of event: of its mark on the map, and of its tick over the scrubber."""
    return {"colour": _EVENTS[event], "tick": _TICKS.get(event, _EVENTS[event])}


def seat_colours(seat: int) -> dict[str, str]:
    """Return the colours of a seat: on the map, and of its lines and words on a light and on a dark page."""
    colour = PALETTE[seat]
    return {"map": hexed(colour), "light": readable(colour, LIGHT), "dark": readable(colour, DARK)}


def category_colours() -> dict[str, str]:
    """Return the colour of each category of spending, by its name."""
    return {category.name.lower(): _CATEGORIES[category] for category in Category}


def mark_colours() -> dict[str, str]:
    """Return the colours of marks on the map."""
    plain = {"site": SITE, "wall": WALL, "band": BAND, "fog": FOG}
    return {**{name: hexed(colour) for name, colour in plain.items()}, "works": "#ffe9a8", "bandSeen": "#7d0012"}


def colour_table(seats: int) -> str:
    """Return :func:`cell_colours` as base64, three bytes a colour."""
    return base64_text(cell_colours(seats).tobytes())
