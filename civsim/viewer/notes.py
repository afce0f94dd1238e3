"""What a frame tells beside its map: a table of names and numbers, for everybody or for one civilization.

A civilization's note holds what it knows and nothing else: itself exactly, rivals and raiders as last seen, its own
decisions and what they were weighed against. Notes are plain lists and numbers, to be written as JSON; what stands
where is said by the names beside each and, for :data:`FIGURES`, by the header.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np

from civsim.base.constants import CHANNEL_NAMES, NEVER, NOBODY, Category, OrderStatus, Witness
from civsim.engine.journal import Decision
from civsim.engine.offices.news import road_between
from civsim.engine.offices.rows import CAPITAL
from civsim.engine.work import Belief
from civsim.engine.world import World
from civsim.faces.drawing import last_look
from civsim.faces.thinkers import Thinker, has_provinces, row_of_thinker, stands, thinkers
from civsim.viewer.events import Before, Happened
from civsim.viewer.sights import Sight

Note = dict[str, Any]


class Figure(NamedTuple):
    """A number of a civilization's turn."""

    name: str
    label: str
    unit: str


_STOCKS = {
    Category.SETTLEMENT: ("settlement fund", "output"),
    Category.WORKS: ("works fund", "output"),
    Category.WALLS: ("wall fund", "output"),
    Category.STRATEGISTS: ("strategists", "staff"),
    Category.SCOUTS: ("scouts", "staff"),
    Category.ANALYSTS: ("analysts", "staff"),
}
SPENT = "spent_"
"""What the names of the figures of spending begin with; a category's name follows."""

FIGURES = (
    Figure("output", "output", "a turn"),
    Figure("consumption", "consumption", "a turn"),
    Figure("tribute", "tribute", "a turn"),
    Figure("cells", "territory", "cells"),
    Figure("army", "army", "force"),
    Figure("muster", "force under way", "force"),
    *(Figure(f"stock_{category.name.lower()}", *words) for category, words in _STOCKS.items()),
    *(
        Figure(f"level_{name}", name, unit)
        for name, unit in zip(CHANNEL_NAMES, ("turns", "cells", "variables"), strict=True)
    ),
    *(Figure(f"{SPENT}{category.name.lower()}", category.name.lower(), "output") for category in Category),
)
"""The numbers of a civilization's turn, in the order in which a note lists them."""

_DIGITS = 4


def short(value: float) -> float | int:
    """Return a number rounded to four digits that count; a whole one as an int, which takes less to write."""
    rounded = float(f"{float(value):.{_DIGITS}g}")
    return int(rounded) if rounded.is_integer() else rounded


def figures(world: World, row: int, thinker: Thinker) -> list[float | int]:
    """Return :data:`FIGURES` of a civilization, which it knows of itself, with the levels of one seat of thought."""
    state, at = world.state, (row, thinker.seat)
    output, stock = float(state.output[at]), state.stock[at]
    spent = world.shares[at] * output
    values = [
        output,
        state.consumption[at],
        state.tribute[at],
        state.cells[at],
        stock[Category.ARMY],
        state.muster[at].sum(),
        *(stock[category] for category in _STOCKS),
        *state.level[row, row_of_thinker(world.scenario, thinker)],
        *spent,
    ]
    return [short(value) for value in values]


def truth_note(world: World, row: int, events: Iterable[Happened]) -> Note:
    """Return what everybody could be told.

    ``alive``: 1 a civilization in the game. ``capitals``: cell of each, -1 for none. ``parties``: (seat, cell, turns
    until it arrives). ``bands``: (cell, strength). ``events``: (kind, cell, seat, other). ``offices``, where there can
    be any: (seat, province, cell) of every seat of thought but the capitals.
    """
    state = world.state
    alive = state.alive[row].tolist()
    slots = np.argwhere(state.party_cell[row] != NOBODY).tolist()
    return {
        **({"offices": _offices(world, row)} if world.config.most_offices > 1 else {}),
        "alive": alive,
        "capitals": [int(cell) if living else NOBODY for cell, living in zip(state.capital[row], alive, strict=True)],
        "parties": [[seat, *_party(world, row, seat, slot)] for seat, slot in slots],
        "bands": [
            [int(cell), short(force)]
            for cell, force in zip(state.band_cell[row], state.band_strength[row], strict=True)
            if cell != NOBODY
        ],
        "events": [list(map(int, event)) for event in events],
    }


def seat_note(
    world: World,
    row: int,
    thinker: Thinker,
    sight: Sight,
    scalars: np.ndarray,
    events: Iterable[Happened],
    before: Before,
) -> Note:
    """Return what a seat of thought of a civilization knows beside its map.

    ``alive``: 1 while it is in the game. ``own``: :data:`FIGURES`. ``attended``: variables it attends to.
    ``capital``: its own. ``rivals``: by seat, see :func:`_rival`. ``parties``: (cell, turns until it arrives).
    ``bands``: (cell, strength or None, turns ago). ``orders``: (kind, cell, choice, done). ``expects``: frequencies and
    the worth of land never seen. ``attacked``: attacks on its land this turn. ``events``: (kind, cell, seat, other).
    ``thought``, where it may have several seats of thought: see :func:`_housed`.
    """
    state, orders, seat, m = world.state, world.orders, thinker.seat, row_of_thinker(world.scenario, thinker)
    slots = np.flatnonzero(state.party_cell[row, seat] != NOBODY).tolist()
    given = zip(*(getattr(orders, name)[row, seat].tolist() for name in orders._fields), strict=True)
    witnessed = state.witness[row, seat, Witness.ATTACKS]
    return {
        **({"thought": _housed(world, row, thinker)} if world.config.offices[seat] > 1 else {}),
        "alive": int(state.alive[row, seat]),
        "own": figures(world, row, thinker),
        "capital": int(state.capital[row, seat]) if state.alive[row, seat] else NOBODY,
        "rivals": [_rival(world, row, (seat, m), other, sight) for other in range(world.n_civilizations)],
        "parties": [_party(world, row, seat, slot) for slot in slots],
        "bands": _bands(world, row, m),
        "orders": [
            [kind, cell, choice, int(status == OrderStatus.DONE)] for kind, cell, choice, status in given if kind >= 0
        ],
        "expects": _expectations(sight, scalars),
        "attacked": int(witnessed - before.attacks[seat]),
        "events": [list(map(int, event)) for event in events],
    }


def decision_note(decision: Decision) -> list[Any]:
    """Return (phase, turns simulated, plans compared, the plan chosen, the second or None, the rule's gap or None).

    No turns simulated means that values are indices; no plans compared, that a rule was followed.
    The plan chosen is (plan, order, cell, menu entry, value, path), its value in single precision as the state keeps
    it; the second is (plan, order, cell, menu entry, gap). A gap is how much less than the plan chosen something is
    worth: at least 0, but where the two are tied.
    """
    chosen, second, rule = decision.chosen, decision.second, decision.by_rule
    return [
        int(decision.phase),
        decision.turns,
        decision.compared,
        [*map(int, chosen[:-2]), single(chosen.value), list(chosen.path)],
        None if second is None else [*map(int, second[:-2]), short(chosen.value - second.value)],
        None if rule is None else short(chosen.value - rule),
    ]


def single(value: float) -> float:
    """Return a number as the state keeps it, in single precision, by its shortest name."""
    return float(str(np.float32(value)))


def _party(world: World, row: int, seat: int, slot: int) -> list[int]:
    """Return (cell, turns until it arrives, at least 1) of a settlement party."""
    state = world.state
    return [int(state.party_cell[row, seat, slot]), int(state.party_due[row, seat, slot] - state.turn[row]) + 1]


def _offices(world: World, row: int) -> list[list[int]]:
    """Return (seat, province, cell) of every seat of thought that stands, but for capitals."""
    state = world.state
    standing = [one for one in thinkers(world.scenario) if one.office != CAPITAL and stands(state, row, one)]
    return [[seat, office, int(state.office_cell[row, seat, office])] for seat, office in standing]


def _housed(world: World, row: int, thinker: Thinker) -> list[list[Any]]:
    """Return how the thought of a thinker's realm is housed, a list for each of its provinces.

    (cell of its seat or -1, cells, share of the staff, output, what its purses hold, turns that its news takes to the
    thinker); what the capital commands for all is in none. One list where it is housed at the capital alone.
    """
    state, (seat, office) = world.state, thinker
    if not has_provinces(state, row, seat):
        cell = int(state.capital[row, seat]) if state.alive[row, seat] else NOBODY
        return [[cell, int(state.cells[row, seat]), 1, short(state.output[row, seat]), None, 0]]
    found: list[list[Any]] = []
    records = world.pointers.state, world.pointers.config
    for other in range(state.office_count[row, seat]):
        cells, cell = int(state.office_cells[row, seat, other]), int(state.office_cell[row, seat, other])
        share, output = state.office_weight[row, seat, other], state.province_output[row, seat, other]
        fallen = NOBODY in (cell, state.office_cell[row, seat, office])
        road = None if fallen else int(road_between(*records, row, seat, office, other))
        found.append([cell, cells, short(share), short(output), short(state.purse[row, seat, other].sum()), road])
    return found


def _rival(world: World, row: int, who: tuple[int, int], other: int, sight: Sight) -> list[Any] | None:
    """Return (cells it is thought to hold, army when last seen, turns ago, capital when last seen, levels if public).

    None for the civilization itself. ``who`` asks: its seat, and the row of what it knows.
    """
    seat, m = who
    if other == seat:
        return None
    state, met = world.state, int(world.state.force_turn[row, m, other])
    cells = int(np.count_nonzero(sight.owner == other))
    army, ago = (None, None) if met == NEVER else (short(state.force_seen[row, m, other]), last_look(state, row) - met)
    public = world.scenario.seat(other).levels_known
    levels = state.level[row, other].tolist() if public else None
    capital = int(state.known_capital[row, m, other])
    # A capital stays where it was last seen for as long as that cell is thought to be the rival's.
    stands = capital != NOBODY and sight.owner[capital] == other
    return [cells, army, ago, capital if stands else NOBODY, levels]


def _bands(world: World, row: int, m: int) -> list[list[Any]]:
    """Return (cell, strength, turns ago) of every band it has seen; strength is known of those in view alone."""
    state, now = world.state, last_look(world.state, row)
    found: list[list[Any]] = []
    for slot in np.flatnonzero(state.band_turn[row, m] != NEVER).tolist():
        cell, ago = int(state.band_seen[row, m, slot]), now - int(state.band_turn[row, m, slot])
        found.append([cell, short(state.band_strength[row, slot]) if ago == 0 else None, ago])
    return found


def _expectations(sight: Sight, scalars: np.ndarray) -> list[float | None]:
    """Return what is expected: (worth of unseen land, attacks, force of one, raids, advance of rivals).

    Output a turn of a cell never seen, None where all were; attacks a border cell and turn; units of force; raids a
    cell and turn; cells that a rival's border advances a turn.
    """
    unseen = np.flatnonzero(sight.seen == NEVER)
    worth = short(sight.value[unseen[0]]) if unseen.size else None
    return [worth, *(short(scalars[name]) for name in (Belief.ATTACK, Belief.FORCE, Belief.RAID, Belief.ADVANCE))]
