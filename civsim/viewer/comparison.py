"""Two games of one world side by side: the same land, weather and luck, with and without something.

    compare(Arm("as it is", world, step), Arm("without strategists", other, other_step))

Draws are keyed by seed, world, turn and purpose alone, so that whatever differs between the two games follows from what
was set or decided otherwise.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from civsim.base.constants import NOBODY, Objective
from civsim.base.errors import CivsimError
from civsim.base.scenario import Scenario
from civsim.engine.recorder import StepRecord
from civsim.engine.state import F64, U8
from civsim.engine.world import World
from civsim.scenarios.loader import plain
from civsim.viewer.camera import Camera
from civsim.viewer.differences import PLANS, First, Watch
from civsim.viewer.document import LEVEL, Document, xored
from civsim.viewer.header import make_header
from civsim.viewer.notes import short
from civsim.viewer.packing import base64_text, page_json
from civsim.viewer.page import DATA, page

FORMAT, VERSION = "civsim-comparison", 1

MEASURES: Mapping[str, str] = {
    "welfare": "welfare so far",
    "output": "output so far",
    "consumption": "consumption so far",
    "cells": "cells held",
}
"""What the running difference is told of: name and title."""

LOST = 128
"""Added to the seat that lost a cell to nobody; see :attr:`Comparison.gains`."""

_UNTOLD = ("name", "description", "seat_default", "seats")
"""Names, and what is told seat by seat."""
_MOST_SETTINGS = 12


class Arm(NamedTuple):
    """One of two games."""

    label: str  # what the page calls it
    world: World  # a batch of one world, in turn 0
    step: Callable[[], StepRecord]  # plays its next turn


class Comparison(NamedTuple):
    """Two games over P turns, N civilizations on C cells."""

    labels: tuple[str, str]
    games: tuple[Document, Document]
    settings: tuple[str, ...]  # that differ, in words
    firsts: tuple[First, ...]  # by turn: the first is where anything differs first; empty where nothing does
    measures: Mapping[str, F64]  # by MEASURES, [2, N, P + 1], after each turn
    # 0 where both have one owner; 1 + seat that holds it in the second game alone; LOST + 1 + seat that holds it in the
    # first game where nobody does in the second
    gains: U8  # [P + 1, C]

    @property
    def turns(self) -> int:
        """Turns that were compared, P."""
        return len(self.gains) - 1

    def text(self) -> str:
        """Return the comparison as JSON that may stand inside a page."""
        difference = {
            "one": {name: _shortened(values[0]) for name, values in self.measures.items()},
            "difference": {name: _shortened(values[1] - values[0]) for name, values in self.measures.items()},
        }
        packed, last = zlib.compressobj(LEVEL), b""
        maps = b""
        for plane in self.gains:
            maps += packed.compress(xored(plane.tobytes(), last))
            last = plane.tobytes()
        parts = {
            "format": FORMAT,
            "version": VERSION,
            "labels": self.labels,
            "settings": self.settings,
            "firsts": [first._asdict() for first in self.firsts],
            "measures": [{"name": name, "title": title} for name, title in MEASURES.items()],
            "difference": base64_text(zlib.compress(json.dumps(difference, separators=(",", ":")).encode(), LEVEL)),
            "gains": base64_text(maps + packed.flush()),
            "lost": LOST,
            "games": [game.parts() for game in self.games],
        }
        return page_json(parts)


def comparison_page(comparison: Comparison) -> str:
    """Return a comparison as one self-contained page, HTML."""
    start = (
        f'const held = document.getElementById("{DATA}").textContent;\n'
        'civsim.openComparison(document.getElementById("viewer"), JSON.parse(held))'
        ".then((comparison) => (civsim.comparison = comparison));"
    )
    title = " beside ".join(comparison.labels)
    return page(title, start, {DATA: comparison.text()}, scripts=("compare.js",), styles=("compare.css",))


def compare(
    one: Arm,
    other: Arm,
    turns: int | None = None,
    *,
    plans: bool = True,
    progress: Callable[[int], None] | None = None,
) -> Comparison:
    """Play two games side by side, to the end of the shorter or for ``turns`` turns.

    Args:
        one: the game that the other is compared with.
        other: whose gains and losses are told.
        turns: the most turns to play.
        plans: whether plans are compared too: where orders are given and nobody plans, there are none.
        progress: called with 1 after every turn.

    Raises:
        CivsimError: the games are not of one world, or not of one shape (:func:`check_same_world`).
        Exception: whatever a policy or the engine raises.
    """
    arms = one, other
    check_same_world(one.world, other.world)
    cameras = [Camera(arm.world) for arm in arms]
    games = tuple(Document(make_header(camera, arm.label)) for camera, arm in zip(cameras, arms, strict=True))
    watch, tally = Watch(one.world, other.world, () if plans else (PLANS,)), _Tally(one.world, other.world)
    length = min(arm.world.scenario.game.turns for arm in arms)
    for turn in range(1 + (length if turns is None else min(turns, length))):
        if turn:
            records = [arm.step() for arm in arms]
            watch.played()
            tally.played(records)
            if progress is not None:
                progress(1)
        for camera, game in zip(cameras, games, strict=True):
            game.add(camera.frame())
    return Comparison(
        (one.label, other.label),
        (games[0], games[1]),
        changed_settings(one.world.scenario, other.world.scenario),
        tuple(watch.firsts),
        tally.measures(),
        np.array(tally.gains, np.uint8),
    )


def check_same_world(one: World, other: World) -> None:
    """Make sure that two batches of one world each hold one world, at its beginning, on maps of one shape.

    Raises:
        CivsimError: they do not.
    """
    check_same_shape(one.scenario, other.scenario)
    places = [(world.seed, int(world.state.world_id[0])) for world in (one, other)]
    if places[0] != places[1]:
        told = [f"world {world_id} of seed {seed}" for seed, world_id in places]
        raise CivsimError(f"{told[0]} and {told[1]} have other land and luck; compare games of one world and seed")
    for world in (one, other):
        if world.n_worlds != 1 or world.state.turn[0]:
            raise CivsimError(
                f"{world.n_worlds} worlds in turn {int(world.state.turn.max())}; compare single worlds from turn 0 on"
            )


def check_same_shape(one: Scenario, other: Scenario) -> None:
    """Make sure that two scenarios have maps of one shape and as many civilizations.

    Raises:
        CivsimError: they do not.
    """
    for path in ("map.width", "map.height", "map.torus", "game.civilizations"):
        table, name = path.split(".")
        values = [getattr(getattr(scenario, table), name) for scenario in (one, other)]
        if values[0] != values[1]:
            raise CivsimError(
                f"{path} is {values[0]} in one game and {values[1]} in the other; compare games of one shape"
            )


def changed_settings(one: Scenario, other: Scenario) -> tuple[str, ...]:
    """Return the settings in which two scenarios differ, as ``path: value → value``; a dozen, then how many more.

    What changes alike for every seat is told once.
    """
    told = _changes(*(dict(_leaves(plain(scenario))) for scenario in (one, other)))
    seats = [
        _changes(*(dict(_leaves(scenario.seat(seat).model_dump())) for scenario in (one, other)))
        for seat in range(max(one.game.civilizations, other.game.civilizations))
    ]
    if seats and all(changes == seats[0] for changes in seats):
        told += [f"every seat, {change}" for change in seats[0]]
    else:
        told += [f"seat {seat}, {change}" for seat, changes in enumerate(seats) for change in changes]
    more = [f"and {len(told) - _MOST_SETTINGS} more"] if len(told) > _MOST_SETTINGS else []
    return (*told[:_MOST_SETTINGS], *more)


def _changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    paths = [path for path in {**before, **after} if before.get(path) != after.get(path)]
    return [f"{path}: {_shown(before.get(path))} → {_shown(after.get(path))}" for path in paths]


def _shown(value: Any) -> str:
    return "not set" if value is None else str(value)


def _leaves(tables: Mapping[str, Any], before: str = "") -> list[tuple[str, Any]]:
    """Return every setting of plain tables by its dotted path; those of _UNTOLD are left out."""
    found: list[tuple[str, Any]] = []
    for key, value in tables.items():
        path = f"{before}{key}"
        if path in _UNTOLD:
            continue
        if isinstance(value, dict) and value:
            found += _leaves(value, f"{path}.")
        elif isinstance(value, list) and value and all(isinstance(item, dict) for item in value):
            for index, item in enumerate(value):
                found += _leaves(item, f"{path}.{index}.")
        else:
            found.append((path, value))
    return found


class _Tally:
    """Counts what the two games bring, turn by turn."""

    def __init__(self, one: World, other: World) -> None:
        self._worlds = one, other
        self._consumed = [np.zeros(world.n_civilizations) for world in self._worlds]
        self._columns: list[NDArray[np.float64]] = []  # [2, measures, N] a turn
        self.gains: list[U8] = []
        self._note()

    def played(self, records: list[StepRecord]) -> None:
        for consumed, record in zip(self._consumed, records, strict=True):
            consumed += record.consumption[0]
        self._note()

    def _note(self) -> None:
        rows = []
        for world, consumed in zip(self._worlds, self._consumed, strict=True):
            utility = world.state.utility[0]
            rows.append(
                [utility[:, Objective.WELFARE], utility[:, Objective.OUTPUT], consumed.copy(), world.state.cells[0]]
            )
        self._columns.append(np.array(rows, np.float64))
        self.gains.append(gained(*(world.state.owner[0] for world in self._worlds)))

    def measures(self) -> dict[str, F64]:
        whole = np.array(self._columns)  # [P + 1, 2, measures, N]
        return {name: np.moveaxis(whole[:, :, k], 0, -1).copy() for k, name in enumerate(MEASURES)}


def gained(before: NDArray[np.integer], after: NDArray[np.integer]) -> U8:
    """Return who gained each cell, uint8 [C], from its owner in either game, [C]; see :attr:`Comparison.gains`."""
    holder = np.where(after == NOBODY, before, after).astype(np.int16)
    taken = np.where(after == NOBODY, LOST, 0) + 1 + holder
    return np.where(before == after, 0, taken).astype(np.uint8)


def _shortened(values: F64) -> list[list[float | int]]:
    return [[short(value) for value in seat] for seat in values]
