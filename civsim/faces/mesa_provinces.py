"""The provinces of a civilization of a Mesa model: where its thought is housed, and what each seat of it commands."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from civsim.base.constants import NOBODY, Category, Channel
from civsim.engine.world import World
from civsim.faces.thinkers import Thinker, has_provinces, row_of_thinker

Coordinate = tuple[int, int]

_FUNDS = (Category.SETTLEMENT, Category.WORKS, Category.WALLS)


class Province(NamedTuple):
    """One province, as its civilization knows it. Cells are coordinates of the grid, (column, row)."""

    seat: Coordinate | None  # where its seat of thought stands; None where it has fallen and none is drawn yet
    cells: tuple[Coordinate, ...]
    output: float  # of the last turn, grant left out
    staff: float  # share of the staff that its seat of thought holds, in [0, 1]
    funds: float  # what that seat may order from (output); what no province's does the capital commands for all
    horizon: int  # turns it thought ahead in the last turn
    sight: int  # cells it saw beyond its province
    attention: int  # variables it took into account


def provinces_of(world: World, seat: int) -> tuple[Province, ...]:
    """Return the provinces of a living civilization of a batch's first world, the capital's first."""
    state = world.state
    if not has_provinces(state, 0, seat):
        return (_realm(world, seat),)
    return tuple(_province(world, Thinker(seat, office)) for office in range(state.office_count.item(0, seat)))


def _realm(world: World, seat: int) -> Province:
    """Return a realm whose thought is housed at its capital alone."""
    state = world.state
    return Province(
        _place(world, state.capital.item(0, seat)),
        _places(world, state.owner[0] == seat),
        max(state.output.item(0, seat) - world.config.grant_output.item(seat), 0.0),
        1.0,
        sum(state.stock.item(0, seat, category) for category in _FUNDS),
        *_levels(world, Thinker(seat)),
    )


def _province(world: World, thinker: Thinker) -> Province:
    """Return one of several provinces."""
    state, at = world.state, (0, *thinker)
    cell = state.office_cell.item(at)
    return Province(
        None if cell == NOBODY else _place(world, cell),
        _places(world, (state.owner[0] == thinker.seat) & (state.province[0] == thinker.office)),
        state.province_output.item(at),
        state.office_weight.item(at),
        float(state.purse[at].sum()),
        *_levels(world, thinker),
    )


def _levels(world: World, thinker: Thinker) -> tuple[int, int, int]:
    level = world.state.level[0, row_of_thinker(world.scenario, thinker)]
    return level.item(Channel.HORIZON), level.item(Channel.SIGHT), level.item(Channel.ATTENTION)


def _place(world: World, cell: int) -> Coordinate:
    row, column = divmod(cell, world.scenario.map.width)
    return column, row


def _places(world: World, cells: NDArray[np.bool_]) -> tuple[Coordinate, ...]:
    return tuple(_place(world, int(cell)) for cell in np.flatnonzero(cells))
