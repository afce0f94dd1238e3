"""A whole world as one row of numbers: for a critic that may see more, while it learns, than any civilization does.

The row is what each seat observes, one after another (:mod:`civsim.engine.observation.features`), then the map as it
is, cell by cell: :data:`LAYERS`, and for each seat 1 where the cell is its own. What a seat may not know of the others,
their funds and levels among it, is in their own observations.
"""

from __future__ import annotations

import numpy as np
from gymnasium import spaces

from civsim.base.constants import NOBODY
from civsim.base.scenario import Scenario
from civsim.engine.observation.features import CEILING, bounds
from civsim.engine.observation.observer import observer_of
from civsim.engine.state import F32, State
from civsim.engine.world import World

LAYERS: dict[str, float] = {
    "fertility": CEILING,
    "ore": CEILING,
    "ruggedness": 1.0,
    "hazard": 1.0,
    "site": 1.0,
    "site_state": 1.0,
    "works": CEILING,
    "wall": CEILING,
    "disrupted": CEILING,
    "raiders": CEILING,
}
"""What there is to say of a cell, and its largest value; the least is 0.

Fields of :class:`civsim.engine.state.State` under their own names, and ``raiders``, the strength of the bands that
stand there (force). Where the largest is ``CEILING`` it is log(1 + x) of the quantity, at most that; the rest are as
they are.
"""


def overview_space(scenario: Scenario) -> spaces.Box:
    """Return the box every overview of a scenario lies in, float32 [N · F + C · (10 + N)]."""
    seats, cells = scenario.game.civilizations, scenario.n_cells
    low, high = bounds(scenario)
    of_cell = np.array([*LAYERS.values(), *(1.0 for _ in range(seats))], np.float32)
    least = np.concatenate([np.tile(low, seats), np.zeros(cells * len(of_cell), np.float32)])
    return spaces.Box(least, np.concatenate([np.tile(high, seats), np.tile(of_cell, cells)]), dtype=np.float32)


def overview(world: World, row: int = 0) -> F32:
    """Return world ``row`` of a batch as one row of numbers (see the module), float32 [N · F + C · (10 + N)], fresh."""
    seats = np.arange(world.n_civilizations)
    seen = observer_of(world).rows(world.state, np.full(len(seats), row), seats)
    return np.concatenate([seen.ravel(), _cells(world.state, row).ravel()])


def _cells(state: State, row: int) -> F32:
    """Return the map as it is, float32 [C, 10 + N]."""
    bands = np.zeros(state.owner.shape[1], np.float32)
    here = state.band_cell[row] != NOBODY
    np.add.at(bands, state.band_cell[row][here], state.band_strength[row][here])
    layers = np.empty((len(bands), len(LAYERS) + state.alive.shape[1]), np.float32)
    for place, (name, largest) in enumerate(LAYERS.items()):
        values = bands if name == "raiders" else getattr(state, name)[row]
        layers[:, place] = np.minimum(np.log1p(values, dtype=np.float64), CEILING) if largest == CEILING else values
    layers[:, len(LAYERS) :] = state.owner[row][:, None] == np.arange(state.alive.shape[1])
    return layers
