"""A picture of one world as an RGB array: the map as it is, or as one civilization believes it to be.

Drawing reads the state and draws nothing at random, so that a rendered game and an unrendered one are the same game.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from civsim.base.constants import NOBODY
from civsim.base.scenario import Scenario
from civsim.engine.state import U8, State

CELL_PIXELS = 16
"""Side of a cell in pixels."""

# Okabe and Ito's colours (2008), told apart by colour-blind readers; the eighth replaces black, which is fog here.
PALETTE: U8 = np.array(
    [
        [0, 114, 178],
        [213, 94, 0],
        [0, 158, 115],
        [204, 121, 167],
        [230, 159, 0],
        [86, 180, 233],
        [240, 228, 66],
        [150, 150, 150],
    ],
    np.uint8,
)
FOG: U8 = np.array([24, 24, 28], np.uint8)
BARREN: U8 = np.array([92, 80, 64], np.uint8)
FERTILE: U8 = np.array([186, 200, 130], np.uint8)
RIDGE: U8 = np.array([70, 66, 66], np.uint8)
SITE: U8 = np.array([255, 250, 200], np.uint8)
WALL: U8 = np.array([245, 245, 245], np.uint8)
BAND: U8 = np.array([150, 0, 0], np.uint8)

OWNER_WEIGHT = 0.65
"""How much of an owned cell's colour is its owner's."""
STALE_WEIGHT = 0.55
"""How much of its brightness a remembered cell keeps."""


def draw_world(
    state: State, scenario: Scenario, row: int = 0, seat: int | None = None, cell_pixels: int = CELL_PIXELS
) -> U8:
    """Return a picture of world ``row`` of a batch, uint8 [height · cell_pixels, width · cell_pixels, 3].

    Land is brown to green by fertility and dark where rugged, an owned cell takes its owner's colour, a rich site is a
    pale dot, a wall a white edge, a capital a black square, raiders a red cross.

    Args:
        state: the batch.
        scenario: its scenario (sizes only).
        row: which world.
        seat: the civilization whose beliefs are drawn: cells never seen are fog, cells out of sight are dim and as last
            seen, and rivals' capitals and bands out of sight are left out. None draws the world as it is.
        cell_pixels: side of a cell in pixels, at least 4.
    """
    owner = state.owner[row] if seat is None else believed_owner(state, row, seat)
    colour = held_colours(land_colours(state.fertility[row], state.ruggedness[row]), owner)
    if seat is not None:
        seen = state.seen[row, seat]
        fresh = (seen == last_look(state, row)) | (owner == seat)
        colour[~fresh] *= STALE_WEIGHT
        colour[seen < 0] = FOG
    side = cell_pixels
    height, width = scenario.map.height, scenario.map.width
    image = np.repeat(np.repeat(colour.reshape(height, width, 3), side, axis=0), side, axis=1).astype(np.uint8)
    tiles = image.reshape(height, side, width, side, 3).swapaxes(1, 2).reshape(height * width, side, side, 3)
    _mark(tiles, state, row, seat)
    return np.ascontiguousarray(
        tiles.reshape(height, width, side, side, 3).swapaxes(1, 2).reshape(height * side, width * side, 3)
    )


def last_look(state: State, row: int) -> int:
    """Return the turn in which civilizations last looked: the one just played, or 0 before any, when they look too."""
    return max(int(state.turn[row]) - 1, 0)


def land_colours(fertility: ArrayLike, ruggedness: ArrayLike) -> NDArray[np.float64]:
    """Return the colours of free land, float64 [..., 3] in 0 … 255.

    Args:
        fertility: output a turn, at least 0.
        ruggedness: of the same shape, in [0, 1].
    """
    fertile = np.asarray(fertility, np.float64)[..., None]
    rugged = np.asarray(ruggedness, np.float64)[..., None]
    land = BARREN + fertile / (1.0 + fertile) * (FERTILE.astype(np.float64) - BARREN)
    return land + rugged * (RIDGE - land)


def held_colours(land: NDArray[np.float64], owner: NDArray[np.integer]) -> NDArray[np.float64]:
    """Return ``land``, float64 [..., 3], coloured by who holds it: ``owner`` [...], a seat or -1."""
    held = np.asarray(owner != NOBODY)[..., None]
    return np.where(held, land + OWNER_WEIGHT * (PALETTE[np.maximum(owner, 0)] - land), land)


def believed_owner(state: State, row: int, seat: int) -> NDArray[np.int8]:
    """Return who ``seat`` believes to hold each cell, int8 [C], -1 for nobody; of its own land it is never wrong."""
    believed = state.known_owner[row, seat].copy()
    believed[believed == seat] = NOBODY
    believed[state.owner[row] == seat] = seat
    return believed


def _mark(tiles: U8, state: State, row: int, seat: int | None) -> None:
    """Draw sites, walls, capitals and bands into the cells' tiles [C, side, side, 3], in place."""
    side = tiles.shape[1]
    dot, middle = slice(side // 4, side - side // 4), slice(side // 2 - 1, side // 2 + 1)
    known = np.ones(tiles.shape[0], np.bool_) if seat is None else state.seen[row, seat] >= 0
    tiles[(state.site[row] > 0) & known, middle, middle] = SITE
    walls = state.wall[row] if seat is None else state.known_wall[row, seat]
    if seat is not None:
        walls = np.where(state.owner[row] == seat, state.wall[row], walls)
    walled = (walls > 0.0) & known
    for edge in (0, side - 1):
        tiles[walled, edge, :] = WALL
        tiles[walled, :, edge] = WALL
    for civilization in np.flatnonzero(state.alive[row]):
        cell = state.capital[row, civilization]
        if cell != NOBODY and (seat is None or civilization == seat):
            tiles[cell, dot, dot] = 0
            tiles[cell, middle, middle] = PALETTE[civilization]
    for cell in _bands(state, row, seat):
        steps = np.arange(side)
        tiles[cell, steps, steps] = BAND
        tiles[cell, steps, side - 1 - steps] = BAND


def _bands(state: State, row: int, seat: int | None) -> NDArray[np.int32]:
    """Return the cells where raiders stand; for a seat, those in sight in the last turn."""
    standing = state.band_cell[row]
    if seat is None:
        return standing[standing != NOBODY]
    spotted = (state.band_turn[row, seat] == last_look(state, row)) & (state.band_seen[row, seat] == standing)
    return standing[spotted & (standing != NOBODY)]
