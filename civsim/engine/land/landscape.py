"""The land of a world: drawn from (seed, world id, map settings, number of seats), or read from a file.

Ground, relief and hazard come from Gaussian random fields (:mod:`civsim.engine.land.fields`); sites and ore from
independent draws of every cell, or of every set of rotated cells on a symmetric map.
"""

from __future__ import annotations

import functools
import math
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from civsim.base.archive import write_archive
from civsim.base.constants import Draw
from civsim.base.errors import ScenarioError
from civsim.base.kernels import kernel
from civsim.base.pointer import Pointer
from civsim.base.randomness import as_key, fill_uniform, fill_words, uniform
from civsim.base.scenario import MapSettings, Scenario
from civsim.base.selection import select
from civsim.engine.land.fields import fill_field, make_blur
from civsim.engine.land.geometry import distance, manhattan
from civsim.engine.land.grids import QUANTITIES as QUANTITIES
from civsim.engine.land.grids import read_grids
from civsim.engine.state import F32, I32, U8

LOG_LIMIT = 10.0
"""Largest absolute log factor of a place, so that any setting gives finite land."""

MAX_HAZARD = 0.5
"""Largest hazard that spread may give a cell; a median above it is kept as it is."""

RIDGE_LEVEL = 0.5
"""Land is ridge land where ruggedness is at least this share of ``map.ridge_height``."""

CAPITAL_SWEEPS = 3
"""Times each capital is moved to the place farthest from the others."""

SYMMETRIC_SLACK = 0.75
"""On a symmetric map any cell with at least this share of the best separation may become a capital."""

_WORD = 32
"""Bits of a draw's word: a separation is put before them, so that one number orders places."""


class Land(NamedTuple):
    """The land of one world; C cells row by row, N seats."""

    fertility: F32  # [C] output per turn without works, >= 0
    ore: F32  # [C] units of ore, >= 0
    ruggedness: F32  # [C] in [0, 1]
    hazard: F32  # [C] probability of a disaster a turn, in [0, 1)
    site: U8  # [C] 1 where the cell is a rich site
    capitals: I32  # [N] cell of each seat's capital, all different


class LandConfig(NamedTuple):
    """Map settings as scalars for the kernel; meanings and units as in :class:`civsim.base.scenario.MapSettings`."""

    width: int
    height: int
    torus: bool
    symmetric: bool
    civilizations: int
    ground: float
    ground_spread: float
    site_density: float
    site_value: float
    site_tail: float
    site_cap: float
    ore_density: float
    ore_value: float
    ridge_height: float
    ridge_width: float
    pass_density: float
    hazard: float
    hazard_spread: float
    capital_fertility: float


class Places(NamedTuple):
    """Where capitals may stand, whatever is drawn."""

    row: I32  # [C] row of a cell
    column: I32  # [C] column of a cell
    room: I32  # [C] most separation a cell can have: twice the way to the border, or the size of a torus (steps)


def draw_land(scenario: Scenario, seed: int, world_id: int) -> Land:
    """Return the land of world ``world_id``: a pure function of seed, world id, map settings and number of seats.

    A scenario with ``map.file`` gets the land in that file in every world.

    Raises:
        ScenarioError: the file cannot be used.
        ValueError: the seed is out of range.
    """
    if scenario.map.file is not None:
        return load_land(scenario.map.file, scenario)
    cells = scenario.n_cells
    land = Land(
        fertility=np.zeros(cells, np.float32),
        ore=np.zeros(cells, np.float32),
        ruggedness=np.zeros(cells, np.float32),
        hazard=np.zeros(cells, np.float32),
        site=np.zeros(cells, np.uint8),
        capitals=np.zeros(scenario.game.civilizations, np.int32),
    )
    fill_land(*prepared(scenario.map, scenario.game.civilizations), as_key(seed), world_id, land)
    return land


def load_land(path: str | Path, scenario: Scenario) -> Land:
    """Return the land in a file: npz, as written by :func:`save_land`, CSV or an ESRI ASCII grid.

    What the file may hold is said at :mod:`civsim.engine.land.grids`. Quantities that it does not hold are 0. Capitals
    that it does not hold are put on fertile cells, as far apart as those of drawn land: the same for every seed.

    Raises:
        ScenarioError: the file is unreadable, or its land does not fit the scenario.
    """
    found = read_grids(path, scenario.map.width, scenario.map.height)
    for name in (*QUANTITIES, "site"):
        found.setdefault(name, np.zeros(scenario.n_cells, np.float32))
    if "capitals" not in found:
        found["capitals"] = _put_capitals(found["fertility"].ravel(), scenario)
    return check_land(Land(**found), scenario)


def _put_capitals(fertility: F32, scenario: Scenario) -> I32:
    """Return where capitals stand on land that was given without any, int32 [N]: on cells above 0, far apart."""
    seats, fertile = scenario.game.civilizations, fertility > 0.0
    if np.count_nonzero(fertile) < seats:
        count = np.count_nonzero(fertile)
        raise ScenarioError(f"map.file has {count} fertile cells for {seats} capitals; lower game.civilizations")
    config, capitals = prepared(scenario.map, seats)[0], np.zeros(seats, np.int32)
    places = _make_places(scenario.map.width, scenario.map.height, scenario.map.torus)
    # A barren cell has less than no room, so that it is never the best place.
    room = np.where(fertile, places.room, -1).astype(np.int32)
    place_capitals(config, Pointer(places._replace(room=room)), as_key(0), 0, capitals)
    return capitals


def save_land(land: Land, path: str | Path) -> None:
    """Write ``land`` to an npz file that ``map.file`` can name; the file appears whole or not at all."""
    write_archive(path, land._asdict())


def check_land(land: Land, scenario: Scenario) -> Land:
    """Return ``land`` with flat C-contiguous arrays of the right dtypes, made sure to fit the scenario.

    Raises:
        ScenarioError: a shape, a range or a capital does not fit.
    """
    shape = (scenario.map.height, scenario.map.width)
    flat: dict[str, NDArray[Any]] = {}
    for name in (*QUANTITIES, "site"):
        values = np.asarray(getattr(land, name))
        if values.shape not in (shape, (scenario.n_cells,)):
            raise ScenarioError(f"land.{name} has shape {values.shape}; give {shape}: map.height and map.width")
        flat[name] = np.ascontiguousarray(values.reshape(-1), np.uint8 if name == "site" else np.float32)
    for name, limit in (("fertility", math.inf), ("ore", math.inf), ("ruggedness", 1.0), ("hazard", 1.0)):
        values = flat[name]
        good = np.isfinite(values) & (values >= 0) & (values < limit if name == "hazard" else values <= limit)
        if not good.all():
            cell = int(np.argmin(good))
            raise ScenarioError(f"land.{name}={values[cell]} in cell {cell} is out of range; see docs/model.md")
    if not np.isin(np.asarray(land.site), (0, 1)).all():
        raise ScenarioError("land.site holds values other than 0 and 1; mark sites with 1 and the rest with 0")
    capitals = np.ascontiguousarray(land.capitals, np.int32)
    n = scenario.game.civilizations
    inside = capitals.shape == (n,) and ((capitals >= 0) & (capitals < scenario.n_cells)).all()
    if not inside or len(set(capitals.tolist())) != n:
        given = np.asarray(land.capitals).tolist()
        raise ScenarioError(f"land.capitals={given} must be {n} different cells in 0 … {scenario.n_cells - 1}")
    return Land(capitals=capitals, **flat)


@functools.lru_cache(maxsize=64)
def prepared(settings: MapSettings, civilizations: int) -> tuple[Pointer, Pointer, Pointer]:
    """Return what :func:`fill_land` takes of a map: its :class:`LandConfig`, ``Blur`` and :class:`Places`."""
    shared = set(LandConfig._fields) & set(MapSettings.model_fields)
    config = LandConfig(civilizations=civilizations, **{name: getattr(settings, name) for name in shared})
    seats = civilizations if settings.symmetric else 1
    blur = make_blur(settings.width, settings.height, settings.torus, settings.correlation, seats)
    return Pointer(config), Pointer(blur), Pointer(_make_places(settings.width, settings.height, settings.torus))


def _make_places(width: int, height: int, torus: bool) -> Places:
    """Return the table of places of a map.

    On a bounded map the room is twice the way to the border, if that is less: else capitals would crowd into corners.
    """
    row, column = np.divmod(np.arange(width * height, dtype=np.int32), np.int32(width))
    room = np.full(width * height, width + height, np.int32)
    if not torus:
        border = np.minimum(np.minimum(row, height - 1 - row), np.minimum(column, width - 1 - column))
        room = np.minimum(room, 2 * border + 1).astype(np.int32)
    return Places(row, column, room)


def _factor(spread, z):
    """Return exp(spread · z), its exponent held within ±LOG_LIMIT."""
    return math.exp(min(LOG_LIMIT, max(-LOG_LIMIT, spread * z)))


factor = kernel(_factor)


def _lower_passes(config, blur, key, world, rough):
    """Set ``rough`` to 0 where a third field is lowest: passes take their share of ridge land, at least a cell."""
    gap = np.empty(rough.shape[0])
    fill_field(blur, key, world, Draw.PASS, gap)
    ridge = np.empty(rough.shape[0])
    n = 0
    for cell in range(rough.shape[0]):
        if rough[cell] >= RIDGE_LEVEL * config.ridge_height:
            ridge[n] = gap[cell]
            n += 1
    if n == 0:
        return
    threshold = select(ridge, n, max(0, round(config.pass_density * n) - 1))
    for cell in range(rough.shape[0]):
        if gap[cell] <= threshold:
            rough[cell] = 0.0


lower_passes = kernel(_lower_passes)


def _fill_steps(config, places, capital, steps):
    """Fill ``steps`` (int32 [C]) with the distance of every cell to ``capital``."""
    row, column = places.row, places.column
    capital_row, capital_column = row[capital], column[capital]
    for cell in range(steps.shape[0]):
        down, across = row[cell] - capital_row, column[cell] - capital_column
        steps[cell] = manhattan(down, across, config.width, config.height, config.torus)


fill_steps = kernel(_fill_steps)


def _copy_row(values, into):
    """Copy ``values`` to ``into``, of the same length."""
    # Numba's assignment to a slice brings with it a second of compilation: the words of an error.
    for place in range(into.shape[0]):
        into[place] = values[place]


copy_row = kernel(_copy_row)


def _keep_smaller(values, limits):
    """Lower every value to its limit."""
    for cell in range(values.shape[0]):
        values[cell] = min(values[cell], limits[cell])


keep_smaller = kernel(_keep_smaller)


def _best_place(separation, words):
    """Return the cell of the greatest separation; ties go to the largest draw, then to the first cell."""
    top = np.int64(-1)
    for cell in range(words.shape[0]):
        top = max(top, (np.int64(separation[cell]) << _WORD) | np.int64(words[cell]))
    for cell in range(words.shape[0]):
        if (np.int64(separation[cell]) << _WORD) | np.int64(words[cell]) == top:
            return cell
    return 0


best_place = kernel(_best_place)


def _place_capitals(config, places, key, world, capitals):
    """Write N distinct cells as far apart as moving them one at a time makes them; ties go to the largest draw."""
    cells = config.width * config.height
    words = np.empty(cells, np.uint32)
    fill_words(key, world, 0, Draw.CAPITAL, words)
    separation = np.zeros(cells, np.int32)
    steps = np.full((capitals.shape[0], cells), config.width + config.height, np.int32)
    # The first stands anywhere; the sweeps move it, but from another start for every world.
    capitals[0] = best_place(separation, words)
    fill_steps(config, places, capitals[0], steps[0])
    for sweep in range(CAPITAL_SWEEPS + 1):
        for seat in range(1 if sweep == 0 else 0, capitals.shape[0]):
            copy_row(places.room, separation)
            for other in range(capitals.shape[0]):
                if other != seat:
                    keep_smaller(separation, steps[other])
            capitals[seat] = best_place(separation, words)
            fill_steps(config, places, capitals[seat], steps[seat])


place_capitals = kernel(_place_capitals)


def _place_symmetric(config, blur, places, key, world, capitals):
    """Write the rotations of one cell, drawn among those whose rotations stand well apart."""
    cells = config.width * config.height
    ties = np.empty(cells)
    fill_uniform(key, world, 0, Draw.CAPITAL, ties)
    separation = np.empty(cells, np.int32)
    farthest = 0
    for cell in range(cells):
        separation[cell] = places.room[cell]
        for g in range(1, capitals.shape[0]):
            steps = distance(cell, blur.turns[g, cell], config.width, config.height, config.torus)
            separation[cell] = min(separation[cell], steps)
        farthest = max(farthest, separation[cell])
    enough = max(1.0, SYMMETRIC_SLACK * farthest)
    top = -1.0
    for cell in range(cells):
        if separation[cell] >= enough and ties[cell] > top:
            top = ties[cell]
            for seat in range(capitals.shape[0]):
                capitals[seat] = blur.turns[seat, cell]


place_symmetric = kernel(_place_symmetric)


def _shuffle_seats(key, world, cells, capitals):
    """Give the places to the seats in an order drawn afresh for every world, so that no seat is favoured."""
    for seat in range(capitals.shape[0] - 1, 0, -1):
        # Entities 0 … C - 1 of this purpose broke ties between cells.
        other = int(uniform(key, world, 0, 4 * cells + seat, Draw.CAPITAL) * (seat + 1))
        capitals[seat], capitals[other] = capitals[other], capitals[seat]


shuffle_seats = kernel(_shuffle_seats)


def _fill_cells(config, blur, key, world, land):
    """Fill ground, sites, ore, ruggedness and hazard of every cell."""
    cells = config.width * config.height
    ground, relief, danger = np.zeros(cells), np.zeros(cells), np.zeros(cells)
    rough = np.zeros(cells)
    if config.ground_spread > 0.0:
        fill_field(blur, key, world, Draw.GROUND, ground)
    if config.ridge_height > 0.0:
        fill_field(blur, key, world, Draw.RIDGE, relief)
        for cell in range(cells):
            rough[cell] = config.ridge_height * math.exp(-0.5 * (relief[cell] / config.ridge_width) ** 2)
        if config.pass_density > 0.0:
            lower_passes(config, blur, key, world, rough)
    if config.hazard > 0.0 and config.hazard_spread > 0.0:
        fill_field(blur, key, world, Draw.HAZARD, danger)
    site, value = np.empty(cells), np.empty(cells)
    vein, ore = np.empty(cells), np.empty(cells)
    fill_uniform(key, world, 0, Draw.SITE, site)
    fill_uniform(key, world, 0, Draw.SITE_VALUE, value)
    fill_uniform(key, world, 0, Draw.ORE, vein)
    fill_uniform(key, world, 0, Draw.ORE_VALUE, ore)
    ceiling = max(MAX_HAZARD, config.hazard)
    for cell in range(cells):
        first = blur.first[cell]
        fertility = config.ground * factor(config.ground_spread, ground[cell])
        if site[first] < config.site_density:
            land.site[cell] = 1
            fertility += config.site_value * min(value[first] ** (-1.0 / config.site_tail), config.site_cap)
        land.fertility[cell] = fertility
        if vein[first] < config.ore_density:
            land.ore[cell] = -config.ore_value * math.log(ore[first])
        land.ruggedness[cell] = rough[cell]
        land.hazard[cell] = min(config.hazard * factor(config.hazard_spread, danger[cell]), ceiling)


fill_cells = kernel(_fill_cells)


def _fill_land(config, blur, places, key, world, land):
    """Fill ``land`` (zeroed arrays of the right shapes) with the land of one world."""
    fill_cells(config, blur, key, world, land)
    if config.symmetric:
        place_symmetric(config, blur, places, key, world, land.capitals)
    else:
        place_capitals(config, places, key, world, land.capitals)
    shuffle_seats(key, world, config.width * config.height, land.capitals)
    for capital in land.capitals:
        land.fertility[capital] = config.capital_fertility
        land.ruggedness[capital] = 0.0
        land.hazard[capital] = 0.0
        land.site[capital] = 0


fill_land = kernel(_fill_land)
