"""Where two games of one world part: the first turn at which anything differs, what it is, and whose.

The games are compared by everything there is of them: the shares that were given, the orders, and every field of the
state. Fields are told in groups, from what is decided to what follows from it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from civsim.base.constants import CHANNEL_NAMES, NOBODY, Category, OrderKind
from civsim.engine.offices.rows import CAPITAL
from civsim.engine.state import ORDER_SPEC, SPEC
from civsim.engine.world import World
from civsim.faces.thinkers import Thinker, row_of_thinker, thinkers

SHARES, ORDERS, PLANS = "shares", "orders", "plans"

GROUPS: Mapping[str, tuple[str, ...]] = {
    "land": ("fertility", "ore", "ruggedness", "hazard", "site", "price_factor"),
    SHARES: (),
    "provinces": (
        "office_count", "office_cell", "office_cells", "office_weight", "province", "road", "province_output", "purse",
        "drawn_cells", "drawn_turn", "party_by",
    ),
    "levels": ("level",),
    ORDERS: (),
    "territory": ("owner", "alive", "capital", "cells", "party_cell", "party_due"),
    "works": ("works", "work_left", "work_kind"),
    "walls": ("wall",),
    "stocks": ("stock", "muster"),
    "output": ("output", "consumption", "tribute", "spent", "utility", "reward"),
    "deeds": ("gains", "losses"),
    "raiders": ("band_cell", "band_target", "band_strength", "band_came", "band_next", "band_left"),
    "nature": ("disrupted", "site_state", "play_order"),
    "knowledge": (
        "salience", "seen", "near", "near_fresh", "near_depth", "known_owner", "known_works", "known_wall",
        "known_site", "force_seen", "force_turn", "known_capital", "band_seen", "band_turn", "band_since",
        "band_from", "witness", "seen_sum", "prior_fertility", "noise", "past_view", "past_owner", "past_works",
        "past_wall", "past_site", "past_army", "past_capital", "past_band", "past_came",
    ),
    PLANS: ("plan_kind", "plan_cell", "plan_value", "plan_turn", "plans", "band_aim"),
}  # fmt: skip
"""What may differ, and the fields of the state it is seen by; shares and orders are no state."""

_SEATS = ("owner", "known_owner", "play_order", "past_owner")
"""Fields whose values are seats."""
_CELLS = (
    "capital",
    "party_cell",
    "band_cell",
    "band_target",
    "band_next",
    "known_capital",
    "band_seen",
    "band_from",
    "band_aim",
    "plan_cell",
    "office_cell",
    "past_capital",
    "past_band",
)
"""Fields whose values are cells."""
_DRAWN = ("drawn_cells", "drawn_turn")
"""Fields that nothing fills where provinces are never drawn."""
_MOST_TOLD = 3


class First(NamedTuple):
    """The first turn at which something of one group differed."""

    group: str  # of GROUPS
    turn: int  # turns played, 0 for the beginning
    seats: tuple[int, ...]  # whose it is; empty where it is nobody's
    words: str  # what it was in either game


class Watch:
    """Watches two games side by side and notes when each group of :data:`GROUPS` first differs.

    Args:
        one: a batch of one world; the games begin, or go on, from where the batches are now.
        other: another, of as many cells and civilizations.
        without: groups that are not compared.
    """

    def __init__(self, one: World, other: World, without: Collection[str] = ()) -> None:
        self._worlds = one, other
        self.firsts: list[First] = []
        """In the order in which they were found: by turn, then by group."""
        self._open = {group: fields for group, fields in GROUPS.items() if group not in without}
        self._look(played=False)

    @property
    def first(self) -> First | None:
        """The first difference of all; None while there is none."""
        return self.firsts[0] if self.firsts else None

    def played(self) -> None:
        """Look again, now that both have played a turn."""
        self._look(played=True)

    def _look(self, played: bool) -> None:
        turn = int(self._worlds[0].state.turn[0])
        for group in tuple(self._open):
            if group in (SHARES, ORDERS):
                found = _PLAYED[group](*self._worlds) if played else None
            else:
                found = _state_difference(self._open[group], *self._worlds)
            if found is not None:
                self.firsts.append(First(group, turn, *found))
                del self._open[group]


Found = tuple[tuple[int, ...], str]
"""Whose difference it is, and what it is in words."""


def _shares_difference(one: World, other: World) -> Found | None:
    """Return the shares, as given, in which seats differ that spend in both games."""
    counted = one.shares[0].any(axis=1) & other.shares[0].any(axis=1)
    pair = [world.given[0] for world in (one, other)]
    seats = np.flatnonzero((pair[0] != pair[1]).any(axis=1) & counted)
    if not seats.size:
        return None
    before, after = (shares[seats[0]] for shares in pair)
    order = np.argsort(-np.abs(after - before), kind="stable")[:_MOST_TOLD]
    told = [
        f"{Category(k).name.lower()} {100 * before[k]:.4g} % → {100 * after[k]:.4g} %"
        for k in order
        if before[k] != after[k]
    ]
    return _of(seats), f"seat {seats[0]} spends {', '.join(told)}"


def _orders_difference(one: World, other: World) -> Found | None:
    """Return the first order in which each seat differs."""
    pair = [{name: getattr(world.orders, name)[0] for name in ("kind", "cell", "choice")} for world in (one, other)]
    both = {name: _alike(pair[0][name], pair[1][name], int(ORDER_SPEC[name].fill)) for name in pair[0]}
    apart = np.any([a != b for a, b in both.values()], axis=0)
    seats = np.flatnonzero(apart.any(axis=1))
    if not seats.size:
        return None
    seat = int(seats[0])
    slot = int(np.argmax(apart[seat]))
    told = [
        _order_words(one, int(both["kind"][game][seat, slot]), int(both["cell"][game][seat, slot])) for game in (0, 1)
    ]
    return _of(seats), f"seat {seat}: {told[0]} → {told[1]}"


_PLAYED: Mapping[str, Callable[[World, World], Found | None]] = {
    SHARES: _shares_difference,
    ORDERS: _orders_difference,
}


def _order_words(world: World, kind: int, cell: int) -> str:
    return "none" if kind == OrderKind.NONE else f"{OrderKind(kind).name.lower()} {_place(world, cell)}"


def _place(world: World, cell: int) -> str:
    row, column = divmod(cell, world.scenario.map.width)
    return f"({column}, {row})"


def _state_difference(names: tuple[str, ...], one: World, other: World) -> Found | None:
    """Return the first field of a group that differs; seats are those of all its fields."""
    seats: set[int] = set()
    words = ""
    for name in names:
        pair = [getattr(world.state, name)[0] for world in (one, other)]
        axes = SPEC[name].shape[1:]
        if axes[:1] == ("M",) and len(pair[0]) != len(pair[1]):
            # What is known at seats of thought that the other game has not is compared with nothing.
            pair = [values[: one.n_civilizations] for values in pair]
        if not (pair[0].size and pair[1].size) or (name in _DRAWN and not _both_have_several(one, other)):
            continue
        before, after = _alike(pair[0], pair[1], SPEC[name].fill)
        apart = before != after
        if not apart.any():
            continue
        if axes and axes[0] in ("N", "M"):
            rows = np.flatnonzero(apart.reshape(len(apart), -1).any(axis=1))
            seats |= {_thinker(one, int(row)).seat for row in rows} if axes[0] == "M" else set(_of(rows))
        elif axes and axes[0] in ("C", "C'"):
            seats |= _holders(apart, one, other)
        place = tuple(int(k) for k in np.argwhere(apart)[0])
        words = words or _field_words(name, place, before[place], after[place], one)
    return (tuple(sorted(seats)), words) if words else None


def _both_have_several(one: World, other: World) -> bool:
    """Return whether both games have civilizations that may have several seats of thought."""
    return one.config.most_offices > 1 and other.config.most_offices > 1


def _field_words(name: str, place: tuple[int, ...], before: Any, after: Any, world: World) -> str:
    """Return one value of a field in both games, and where it stands."""
    axes = SPEC[name].shape[1:]
    told = [_value_words(name, value, world) for value in (before, after)]
    where = [_place_words(axis, index, k == 0, world) for k, (axis, index) in enumerate(zip(axes, place, strict=True))]
    what = name.replace("_", " ")
    if name == "level":
        what = CHANNEL_NAMES[place[-1]]
    elif name in ("stock", "spent"):
        what = f"{name} of {Category(place[-1]).name.lower()}"
    return f"{', '.join(part for part in (*where, what) if part)}: {told[0]} → {told[1]}"


def _place_words(axis: str, index: int, first: bool, world: World) -> str:
    """Return where along an axis something stands, in words; nothing where that would tell nobody anything."""
    if axis == "M":
        seat, office = _thinker(world, index)
        return f"seat {seat}" + (f", province {office}" if office != CAPITAL else "")
    if axis == "O":
        return f"province {index}"
    if axis in ("C", "C'"):
        return f"cell {_place(world, index)}"
    return f"seat {index}" if axis == "N" and first else ""


def _thinker(world: World, m: int) -> Thinker:
    """Return whose a row of knowledge is."""
    (found,) = (one for one in thinkers(world.scenario) if row_of_thinker(world.scenario, one) == m)
    return found


def _value_words(name: str, value: Any, world: World) -> str:
    if name in _SEATS:
        return "nobody" if value == NOBODY else f"seat {value}"
    if name in _CELLS:
        return "none" if value == NOBODY else _place(world, int(value))
    if name == "plan_kind":
        return OrderKind(int(value)).name.lower()
    return f"{float(value):.4g}"


def _holders(apart: NDArray[np.bool_], one: World, other: World) -> set[int]:
    """Return who holds, in either game, a cell that differs."""
    owners = np.concatenate([world.state.owner[0][apart] for world in (one, other)])
    return {int(seat) for seat in owners if seat != NOBODY}


def _of(seats: NDArray[np.integer]) -> tuple[int, ...]:
    return tuple(int(seat) for seat in seats)


def _alike(one: NDArray[Any], other: NDArray[Any], fill: int) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return two arrays as large as each other: where settings give one more slots, the other's are empty."""
    if one.shape == other.shape:
        return one, other
    shape = tuple(np.maximum(one.shape, other.shape))
    both = []
    for values in (one, other):
        whole = np.full(shape, fill, values.dtype)
        whole[tuple(slice(0, size) for size in values.shape)] = values
        both.append(whole)
    return both[0], both[1]
