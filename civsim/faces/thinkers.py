"""Who thinks: the capital of each civilization, and its other seats of thought where it may have several.

Whatever shows what somebody knows shows what one thinker knows: a row of the fields of the state whose axis is M.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from civsim.base.constants import NOBODY
from civsim.base.scenario import Scenario
from civsim.engine.offices.rows import CAPITAL
from civsim.engine.state import State, most_offices


class Thinker(NamedTuple):
    """A seat of thought of a civilization."""

    seat: int  # the civilization's
    office: int = CAPITAL  # which of its seats of thought, the capital's being 0; also which of its provinces


def thinkers(scenario: Scenario) -> tuple[Thinker, ...]:
    """Return who may think in a game: the capitals in the order of seats, then the others of each civilization."""
    seats = range(scenario.game.civilizations)
    others = [Thinker(seat, office) for seat in seats for office in range(1, scenario.thought(seat).count)]
    return (*map(Thinker, seats), *others)


def row_of_thinker(scenario: Scenario, thinker: Thinker) -> int:
    """Return the row in which the state keeps what a thinker knows."""
    seat, office = thinker
    others = most_offices(scenario) - 1
    return seat if office == CAPITAL else scenario.game.civilizations + seat * others + office - 1


def stands(state: State, row: int, thinker: Thinker) -> bool:
    """Return True where there is such a thinker in world ``row``: seats of thought come as a realm grows, and fall."""
    seat, office = thinker
    if office == CAPITAL:
        return bool(state.alive[row, seat])
    return bool(
        state.alive[row, seat] and office < state.office_count[row, seat] and state.office_cell[row, seat, office] >= 0
    )


def has_provinces(state: State, row: int, seat: int) -> bool:
    """Return True where a civilization of world ``row`` has several seats of thought as its provinces stand."""
    return bool(state.alive[row, seat] and state.office_count[row, seat] > 1)


def provinces(state: State, row: int, seat: int | None) -> NDArray[np.int8]:
    """Return which seat of thought of its holder each cell belongs to, int8 [C]; -1 where its holder has one alone.

    A civilization knows of its own alone; None asks for all.
    """
    shown = [i for i in range(state.alive.shape[1]) if seat in (None, i) and has_provinces(state, row, i)]
    found = np.full(state.owner.shape[1], NOBODY, np.int8)
    if shown:
        ours = np.isin(state.owner[row], shown)
        found[ours] = state.province[row, ours]
    return found


def offices(state: State, row: int, seat: int | None) -> list[int]:
    """Return the cells of seats of thought other than capitals: of one civilization, or of all."""
    shown = [i for i in range(state.alive.shape[1]) if seat in (None, i) and has_provinces(state, row, i)]
    cells = [cell for i in shown for cell in state.office_cell[row, i, 1 : state.office_count[row, i]].tolist()]
    return [cell for cell in cells if cell != NOBODY]


def at_hand(state: State, row: int, thinker: Thinker) -> NDArray[np.bool_]:
    """Return the own cells of which a thinker needs no messenger to know, bool [C]: those of its province."""
    own: NDArray[np.bool_] = state.owner[row] == thinker.seat
    return own & (state.province[row] == thinker.office) if has_provinces(state, row, thinker.seat) else own
