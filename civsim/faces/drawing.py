"""A picture of one world as an RGB array: the map as it is, or as one civilization believes it to be.

Drawing reads the state and draws nothing at random, so that a rendered game and an unrendered one are the same game.
"""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from civsim.base.constants import NOBODY, OrderKind
from civsim.base.scenario import Scenario
from civsim.engine.offices.rows import CAPITAL
from civsim.engine.state import F32, I32, U8, State
from civsim.faces.thinkers import (
    Thinker,
    at_hand,
    offices,
    provinces,
    row_of_thinker,
    stands,
    thinkers,
)

CELL_PIXELS = 16
"""Side of a cell in pixels."""

LEAST_PIXELS = 4
"""Smallest side of a cell: below 8 pixels there is room for territory, capitals, sites, walls and raiders alone."""

# Okabe and Ito's colours (2008), told apart by colour-blind readers; the eighth replaces black, which marks capitals.
PALETTE: U8 = np.array(
    [
        [0, 114, 178],
        [213, 94, 0],
        [0, 158, 115],
        [204, 121, 167],
        [230, 159, 0],
        [86, 180, 233],
        [240, 228, 66],
        [120, 120, 128],
    ],
    np.uint8,
)
FOG: U8 = np.array([47, 52, 64], np.uint8)
BARREN: U8 = np.array([232, 222, 199], np.uint8)
FERTILE: U8 = np.array([128, 156, 84], np.uint8)
RIDGE: U8 = np.array([132, 121, 112], np.uint8)
SITE: U8 = np.array([255, 204, 51], np.uint8)
WALL: U8 = np.array([250, 250, 250], np.uint8)
BAND: U8 = np.array([178, 0, 24], np.uint8)
INK: U8 = np.array([22, 22, 26], np.uint8)
"""Capitals, works, plans and outlines."""

OWNER_WEIGHT = 0.72
"""How much of an owned cell's colour is its owner's."""
STALE_WEIGHT = 0.5
"""How much of its colour a remembered cell keeps; the rest is fog."""
BORDER_WEIGHT = 0.55
"""How bright the line along a realm's border is, next to its owner's colour."""

WORKS_STEPS = (0.0, 0.3, 0.8, 1.8)
"""A cell shows a pip for each of these that its works exceed (added share of fertility)."""
WALL_STEPS = (0.0, 1.5, 4.0)
"""A wall is drawn thicker for each of these that it exceeds (units of wall)."""

Cells = NDArray[np.intp]
Mask = NDArray[np.bool_]


def draw_world(
    state: State,
    scenario: Scenario,
    row: int = 0,
    seat: int | None = None,
    cell_pixels: int = CELL_PIXELS,
    *,
    office: int = CAPITAL,
) -> U8:
    """Return a picture of world ``row`` of a batch, uint8 [height · cell_pixels, width · cell_pixels, 3].

    Land is sand to green by fertility and grey where rugged; a rich site is a golden diamond, hollow while its
    fertility is low. An owned cell takes its owner's colour, with a darker line along the realm's border, a white frame
    for a wall, pips along its foot for works, and hatching while it is idle. A capital is a black square with its
    owner's colour in it, another seat of thought a smaller one with white in it, a settlement party a ring on the cell
    it makes for, the first order of the plan just made four corners round its cell, raiders a red cross. Provinces are
    parted by dotted lines.

    Args:
        state: the batch.
        scenario: its scenario (sizes and shape only).
        row: which world.
        seat: the civilization whose beliefs are drawn: cells never seen are fog, cells out of sight are dim and as last
            seen, rivals' capitals are where they were last seen, and rivals' parties, plans and idle land and the bands
            out of sight are left out. None draws the world as it is, every realm's plan included.
        cell_pixels: side of a cell in pixels, at least 4.
        office: which of the civilization's seats of thought it is, the capital's being 0. Of provinces not its own it
            has the word of messengers, so that they are dim; one that does not stand believes what the capital does.
    """
    thinker = None if seat is None else Thinker(seat, office if stands(state, row, Thinker(seat, office)) else CAPITAL)
    view = _view(state, scenario, row, thinker)
    colour = held_colours(land_colours(state.fertility[row], state.ruggedness[row]), view.owner)
    colour[view.dim] = faded(colour[view.dim], STALE_WEIGHT)
    colour[~view.known] = FOG
    side = cell_pixels
    tiles = np.repeat(colour.astype(np.uint8), side * side, axis=0).reshape(-1, side, side, 3)
    _draw_borders(tiles, view, scenario)
    _mark_land(tiles, view)
    _mark_realms(tiles, view, state, scenario, row, thinker)
    _paint(tiles, view.bands, _shapes(side).cross_rim, WALL)
    _paint(tiles, view.bands, _shapes(side).cross, BAND)
    height, width = scenario.map.height, scenario.map.width
    whole = tiles.reshape(height, width, side, side, 3).swapaxes(1, 2)
    return np.ascontiguousarray(whole.reshape(height * side, width * side, 3))


class _View(NamedTuple):
    """What one beholder takes the map to be; C cells, N civilizations."""

    known: Mask  # [C] ever seen
    dim: Mask  # [C] known, and not in sight now
    owner: NDArray[np.int8]  # [C] civilization, or -1
    site: Mask  # [C] a rich site
    high: Mask  # [C] a site whose fertility is high
    works: F32  # [C] added share of fertility
    wall: F32  # [C] units of wall
    idle: Mask  # [C] owned and without output for some turns
    capitals: dict[int, int]  # cell of each civilization that has one
    bands: I32  # cells where raiders stand
    province: NDArray[np.int8]  # [C] seat of thought of its holder that a cell belongs to, -1 where that is not known
    offices: list[int]  # cells of seats of thought other than capitals


def _view(state: State, scenario: Scenario, row: int, thinker: Thinker | None) -> _View:
    """Return the world as it is, or as somebody believes it to be: of its own land a civilization is never wrong."""
    owner, every = state.owner[row], np.ones(state.owner.shape[1], np.bool_)
    capitals = {int(i): int(state.capital[row, i]) for i in np.flatnonzero(state.alive[row])}
    if thinker is None:
        site = state.site[row] > 0
        return _View(
            every, ~every, owner, site, site & (state.site_state[row] > 0), state.works[row], state.wall[row],
            (state.disrupted[row] > 0) & (owner != NOBODY), capitals, _bands(state, row, None),
            provinces(state, row, None), offices(state, row, None),
        )  # fmt: skip
    seat, m = thinker.seat, row_of_thinker(scenario, thinker)
    own, seen = owner == seat, state.seen[row, m]
    known = (seen >= 0) | own
    believed = believed_owner(state, row, seat, m)
    site = (state.site[row] > 0) & known
    near = at_hand(state, row, thinker)
    high = np.where(near, state.site_state[row], state.known_site[row, m]) > 0
    # A rival's seat is where it was last seen, for as long as that cell is believed to be the rival's.
    remembered = {i: int(cell) for i, cell in enumerate(state.known_capital[row, m]) if cell != NOBODY and i != seat}
    remembered = {i: cell for i, cell in remembered.items() if believed[cell] == i}
    return _View(
        known,
        known & ~near & (seen != last_look(state, row)),
        believed,
        site,
        site & high,
        np.where(own, state.works[row], state.known_works[row, m]),
        np.where(own, state.wall[row], state.known_wall[row, m]),
        own & (state.disrupted[row] > 0),
        remembered | ({seat: capitals[seat]} if seat in capitals else {}),
        _bands(state, row, m),
        provinces(state, row, seat),
        offices(state, row, seat),
    )


def last_look(state: State, row: int) -> int:
    """Return the turn in which civilizations last looked: the one just played, or 0 before any, when they look too."""
    return max(int(state.turn[row]) - 1, 0)


def _bands(state: State, row: int, m: int | None) -> I32:
    """Return the cells where raiders stand; for a row of knowledge, those in sight in the last turn."""
    standing = state.band_cell[row]
    if m is None:
        return standing[standing != NOBODY]
    spotted = (state.band_turn[row, m] == last_look(state, row)) & (state.band_seen[row, m] == standing)
    return standing[spotted & (standing != NOBODY)]


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


def faded(colours: NDArray[np.float64], weight: float) -> NDArray[np.float64]:
    """Return colours, float64 [..., 3], of which ``weight`` is left, in 0 … 1; the rest is fog."""
    return FOG + weight * (colours - FOG)


def believed_owner(state: State, row: int, seat: int, m: int | None = None) -> NDArray[np.int8]:
    """Return who ``seat`` believes to hold each cell, int8 [C], -1 for nobody; of its own land it is never wrong.

    Args:
        state: the batch.
        row: which world.
        seat: the civilization.
        m: the row of what its seat of thought knows that is asked; the capital's where left out.
    """
    believed = state.known_owner[row, seat if m is None else m].copy()
    believed[believed == seat] = NOBODY
    believed[state.owner[row] == seat] = seat
    return believed


class _Shapes(NamedTuple):
    """Which pixels of a cell a mark covers, bool [side, side] each."""

    diamond: Mask
    diamond_rim: Mask
    block: Mask  # a capital
    block_rim: Mask
    core: Mask  # its owner's colour in it
    cross: Mask
    cross_rim: Mask
    ring: Mask  # a party
    corners: Mask  # a plan
    hatch: Mask
    pips: tuple[Mask, ...]  # by how many there are, from 1
    frames: tuple[Mask, ...]  # by the wall's class, from 1


@cache
def _shapes(side: int) -> _Shapes:
    across = np.arange(side) - (side - 1) / 2
    x, y = np.meshgrid(across, across)
    apart, square, round_ = np.abs(x) + np.abs(y), np.maximum(np.abs(x), np.abs(y)), np.hypot(x, y)
    line = max(1, side // 12)
    edge = side / 2 - np.maximum(np.abs(x), np.abs(y))  # pixels to the cell's edge, from ½
    slant = np.minimum(np.abs(x - y), np.abs(x + y))
    roomy = side >= 2 * LEAST_PIXELS
    within = square < max(1.0, 0.36 * side)
    pip, gap = max(1, side // 8), max(1, side // 16)
    pips = []
    for count in range(1, len(WORKS_STEPS) + 1):
        mask = np.zeros((side, side), np.bool_)
        for place in range(count if roomy else 0):
            left = 2 * line + 1 + place * (pip + gap)
            mask[side - 2 * line - 1 - pip : side - 2 * line - 1, left : left + pip] = True
        pips.append(mask)
    thin = max(1, side // 20)
    frames = tuple((edge > line) & (edge < line + thin * (1 + thick)) for thick in range(len(WALL_STEPS)))
    return _Shapes(
        diamond=apart < max(1.5, 0.22 * side),
        diamond_rim=apart < max(1.5, 0.22 * side) + line + 0.5,
        block=square < max(1.0, 0.25 * side),
        block_rim=square < max(1.0, 0.25 * side) + line,
        core=square < max(0.6, 0.12 * side),
        cross=within & (slant < max(1.0, 0.09 * side)),
        cross_rim=(square < max(1.0, 0.36 * side) + line) & (slant < max(1.0, 0.09 * side) + 1.5 * line) & roomy,
        ring=(round_ < 0.34 * side) & (round_ > 0.34 * side - 1.5 * line - 0.5) & roomy,
        corners=(edge > line) & (edge < 2.5 * line) & (np.minimum(np.abs(x), np.abs(y)) > 0.24 * side) & roomy,
        hatch=((x + y) % max(3, side // 4) < line) & roomy,
        pips=tuple(pips),
        frames=frames,
    )


def _paint(tiles: U8, cells: NDArray[np.integer], shape: Mask, colour: NDArray[np.integer]) -> None:
    """Paint a shape into the tiles of some cells: one colour [3], or one a cell [n, 3]."""
    down, across = np.nonzero(shape)
    tiles[np.asarray(cells, np.intp)[:, None], down, across] = colour if colour.ndim == 1 else colour[:, None]


def _draw_borders(tiles: U8, view: _View, scenario: Scenario) -> None:
    """Draw a line inside each realm's cells where the realm ends, and a dotted one where a province does."""
    height, width = scenario.map.height, scenario.map.width
    owner, side = view.owner.reshape(height, width), tiles.shape[1]
    province = view.province.reshape(height, width)
    line = max(1, side // 12)
    dots = np.add.outer(np.arange(side), np.arange(side)) % max(2, 4 * line) < max(1, 2 * line)
    first, last = slice(0, line), slice(side - line, side)
    every = slice(None)
    for axis, step, strip in (
        (0, 1, (first, every)), (0, -1, (last, every)), (1, 1, (every, first)), (1, -1, (every, last)),
    ):  # fmt: skip
        beyond, across = np.roll(owner, step, axis), np.roll(province, step, axis)
        if not scenario.map.torus:
            edge = 0 if step == 1 else -1
            beyond[(edge, every) if axis == 0 else (every, edge)] = NOBODY
        held, shape = owner != NOBODY, np.zeros((side, side), np.bool_)
        shape[strip] = True
        for parted, look in ((owner != beyond, shape), ((owner == beyond) & (province != across), shape & dots)):
            ends = np.flatnonzero((held & parted).ravel())
            dark = _dimmed(BORDER_WEIGHT * PALETTE[view.owner[ends]].astype(np.float64), view.dim[ends])
            _paint(tiles, ends, look, dark)


def _dimmed(colours: NDArray[np.float64], dim: Mask) -> U8:
    """Return colours [n, 3] as they look in cells that are out of sight where ``dim``, bool [n]."""
    return np.where(dim[:, None], faded(colours, STALE_WEIGHT), colours).astype(np.uint8)


def _mark_land(tiles: U8, view: _View) -> None:
    """Draw idle land, sites, walls and works."""
    shapes = _shapes(tiles.shape[1])
    idle = np.flatnonzero(view.idle)
    _paint(tiles, idle, shapes.hatch, (BORDER_WEIGHT * PALETTE[view.owner[idle]]).astype(np.uint8))
    for high in (False, True):
        sites = np.flatnonzero(view.site & (view.high == high))
        _paint(tiles, sites, shapes.diamond_rim, INK)
        gold = np.repeat(SITE[None].astype(np.float64), len(sites), axis=0)
        inside = shapes.diamond if high else shapes.diamond & ~_shapes(tiles.shape[1]).core
        _paint(tiles, sites, inside, _dimmed(gold, view.dim[sites]))
    for classes, values, masks, colour in (
        (WALL_STEPS, view.wall, shapes.frames, WALL),
        (WORKS_STEPS, view.works, shapes.pips, INK),
    ):
        reached = (values[:, None] > np.array(classes)).sum(axis=1)
        for grade, mask in enumerate(masks, start=1):
            cells = np.flatnonzero((reached == grade) & view.known)
            plain = np.repeat(colour[None].astype(np.float64), len(cells), axis=0)
            _paint(tiles, cells, mask, _dimmed(plain, view.dim[cells]))


def _mark_realms(tiles: U8, view: _View, state: State, scenario: Scenario, row: int, thinker: Thinker | None) -> None:
    """Draw parties under way, plans just made, seats of thought and capitals."""
    shapes = _shapes(tiles.shape[1])
    for one in thinkers(scenario) if thinker is None else (thinker,):
        if thinker is None and not stands(state, row, one):
            continue
        targets, m = state.party_cell[row, one.seat], row_of_thinker(scenario, one)
        _paint(tiles, targets[targets != NOBODY], shapes.ring, PALETTE[one.seat])
        if state.plan_turn[row, m] == state.turn[row] - 1 and state.plan_kind[row, m] != OrderKind.NONE:
            _paint(tiles, state.plan_cell[row, [m]], shapes.corners, INK)
    _paint(tiles, np.array(view.offices, np.intp), shapes.block, INK)
    _paint(tiles, np.array(view.offices, np.intp), shapes.core, WALL)
    for civilization, cell in view.capitals.items():
        here = np.array([cell])
        _paint(tiles, here, shapes.block_rim, WALL)
        _paint(tiles, here, shapes.block, INK)
        _paint(tiles, here, shapes.core, PALETTE[civilization])
