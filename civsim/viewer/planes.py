"""The map of a frame as bytes: one plane a quantity, one small integer a cell, in an order that the header names.

Quantities are on a logarithmic scale, so that a byte holds them to some three percent: see :func:`quantised`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from civsim.base.constants import NOBODY
from civsim.engine.state import U8
from civsim.viewer.sights import Sight

PLANES: Mapping[str, type[np.generic]] = {
    "seen": np.uint16,  # 0 never, 1 in view, else 2 + the turn in which it was last seen
    "value": np.uint8,  # quantised output a turn
    "rugged": np.uint8,  # percent
    "owner": np.uint8,  # 1 + seat, 0 for nobody
    "works": np.uint8,  # quantised
    "wall": np.uint8,  # quantised
    "flags": np.uint8,  # bits of FLAGS
    "province": np.uint8,  # 1 + the seat of thought of its holder that a cell belongs to, 0 where that is not known
    "rival": np.uint8,  # turns until a rival is expected, rounded up, at most LATEST; 255 for never
}
"""The planes of a map in their order, and what they hold. Wide ones come first, so that each begins at its own step."""

FLAGS = {"site": 1, "low": 2, "begun": 4, "idle": 8}
"""Bits of the plane ``flags``."""

SCALE = 40.0
"""Steps of a quantised quantity per unit of log(1 + x): a byte reaches 586."""

UNSEEN, IN_VIEW, FIRST_TURN = 0, 1, 2
LATEST, NO_RIVAL = 254, 255
_PERCENT = 100.0


def quantised(values: ArrayLike) -> U8:
    """Return quantities ≥ 0 as bytes: ⌊SCALE · log(1 + x) + ½⌋, at most 255; a little of something is at least 1."""
    wanted = np.asarray(values, np.float64)
    steps = np.floor(SCALE * np.log1p(wanted) + 0.5)
    return np.clip(np.where((steps == 0.0) & (wanted > 0.0), 1.0, steps), 0.0, 255.0).astype(np.uint8)


def restored(steps: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Return the quantities that bytes of :func:`quantised` stand for."""
    return np.expm1(steps / SCALE)


def plane_bytes(cells: int) -> int:
    """Return the length of a map of so many cells (bytes)."""
    return cells * sum(np.dtype(kind).itemsize for kind in PLANES.values())


def pack(sight: Sight) -> bytes:
    """Return the planes of a map, one after the other, each little-endian and row by row."""
    seen = np.where(sight.seen < 0, UNSEEN, sight.seen + FIRST_TURN)
    flags = sum((getattr(sight, name).astype(np.uint8) * bit for name, bit in FLAGS.items()), np.uint8(0))
    columns: dict[str, Any] = {
        "seen": np.where(sight.in_view, IN_VIEW, seen),
        "value": quantised(sight.value),
        "rugged": np.floor(sight.ruggedness * _PERCENT + 0.5),
        "owner": np.where(sight.owner == NOBODY, 0, sight.owner + 1),
        "works": quantised(sight.works),
        "wall": quantised(sight.wall),
        "flags": flags,
        "province": sight.province + 1,
        "rival": _rival_bytes(sight),
    }
    return b"".join(columns[name].astype(np.dtype(kind).newbyteorder("<")).tobytes() for name, kind in PLANES.items())


def unpack(planes: bytes, cells: int) -> dict[str, NDArray[Any]]:
    """Return the planes of :func:`pack` by name, each [C]."""
    found, at = {}, 0
    for name, kind in PLANES.items():
        width = np.dtype(kind).itemsize
        found[name] = np.frombuffer(planes, np.dtype(kind).newbyteorder("<"), cells, at)
        at += width * cells
    return found


def _rival_bytes(sight: Sight) -> NDArray[np.float64]:
    """Return the turns until a rival is expected; a cell that one is thought to hold is not expected to fall to one."""
    free = np.isfinite(sight.rival_in) & (sight.owner == NOBODY)
    return np.where(free, np.minimum(np.ceil(np.where(free, sight.rival_in, 0.0)), LATEST), NO_RIVAL)
