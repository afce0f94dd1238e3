"""What an observer works out once for a scenario: tables that its kernels look things up in."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from civsim.base.bits import WORD, n_words
from civsim.base.constants import N_CHANNELS, NOBODY
from civsim.base.kernels import kernel
from civsim.base.scenario import Scenario
from civsim.engine.compiled import Config
from civsim.engine.land.geometry import manhattan, neighbour_table
from civsim.engine.observation.features import RULES_AT, at, rule_features
from civsim.engine.observation.scale import LANES, log_of
from civsim.engine.state import F32, F64, I32, I64, U8

U16 = NDArray[np.uint16]
U64 = NDArray[np.uint64]

OWN, KNOWN, FREE, HELD = range(4)
"""Sets of cells: its own; those ever seen; of these, not its own, those it believes free and those it does not."""

N_SETS = 4

LEAST_LOGS = 256
"""Integers whose logarithm is looked up: as many as there are cells or turns, and at least these."""


class Book(NamedTuple):
    """Tables of one scenario."""

    rules: F32  # [N, rules] features that the rules make public, prices at their factor of 1 included
    public: U8  # [N] 1 where the seat's levels are public
    logs: F32  # [K] log(1 + k)
    row_steps: U16  # [H, C] steps down from a row to a cell's
    column_steps: U16  # [W, C] steps across from a column to a cell's
    way_words: I64  # [D] words from a cell to a neighbour: what is added to its number, less the bits
    way_bits: I64  # [D] and the bits beyond these words, 0 … 63
    way_cells: U64  # [D, words] the cells that have that neighbour


class Sheet(NamedTuple):
    """What an observer writes on while it observes one civilization."""

    raw: F64  # [LANES] quantities whose logarithms are features
    lows: F32  # [LANES] the logarithm less the margin
    highs: F32  # [LANES] the logarithm and the margin
    sets: U64  # [N_SETS, pad + words + pad] sets of cells, between words that are 0


def make_sheet(n_cells: int) -> Sheet:
    """Return an empty sheet for maps of ``n_cells`` cells."""
    return Sheet(
        raw=np.zeros(LANES),
        lows=np.zeros(LANES, np.float32),
        highs=np.zeros(LANES, np.float32),
        sets=np.zeros((N_SETS, 3 * padding(n_cells)), np.uint64),
    )


def _padding(cells):
    """Return the words of a set of ``cells`` cells on either side of it: more than any way to a neighbour spans."""
    return n_words(cells) + 1


padding = kernel(_padding)


def make_book(scenario: Scenario, cfg: Config) -> Book:
    """Return the tables of a scenario whose configuration is ``cfg``."""
    row_steps, column_steps, way, way_cells = _land_tables(cfg.width, cfg.height, cfg.torus)
    seats = range(cfg.n_civs)
    return Book(
        rules=_rules(scenario, cfg),
        public=np.array([scenario.seat(i).levels_known for i in seats], np.uint8),
        logs=np.array([log_of(float(k)) for k in range(max(LEAST_LOGS, cfg.n_cells + 1, cfg.turns + 1))], np.float32),
        row_steps=row_steps,
        column_steps=column_steps,
        way_words=way // WORD,
        way_bits=way % WORD,
        way_cells=way_cells,
    )


def _rules(scenario: Scenario, cfg: Config) -> F32:
    rules = rule_features(scenario, cfg)
    for seat in range(cfg.n_civs):
        for channel in range(N_CHANNELS):
            rules[seat, at("price_horizon") - RULES_AT + channel] = log_of(float(cfg.price[seat, channel]))
        rules[seat, at("force_price") - RULES_AT] = log_of(float(cfg.force_price[seat]))
    return rules


@lru_cache(maxsize=16)
def _land_tables(width: int, height: int, torus: bool) -> tuple[U16, U16, I64, U64]:
    """Return what depends on a map's size alone, as every world of a study shares it: steps down, across, and ways."""
    row, column = np.divmod(np.arange(width * height), width)
    tables = (
        _steps(np.arange(height)[:, None] - row, 0, (width, height, torus)),
        _steps(0, np.arange(width)[:, None] - column, (width, height, torus)),
        *ways(neighbour_table(width, height, torus)),
    )
    for table in tables:
        table.setflags(write=False)
    return tables


def _steps(rows: NDArray[np.integer] | int, columns: NDArray[np.integer] | int, size: tuple[int, int, bool]) -> U16:
    both = np.broadcast_arrays(rows, columns)
    return np.array(
        [[manhattan(int(r), int(c), *size) for r, c in zip(*line, strict=True)] for line in zip(*both, strict=True)],
        np.uint16,
    )


def ways(neighbours: I32) -> tuple[I64, U64]:
    """Return the ways from cells to their neighbours: differences of number [D], and which cells have each [D, words].

    Args:
        neighbours: [C, 4] cell, or -1 over the border.
    """
    cells = np.arange(len(neighbours))
    found: dict[int, set[int]] = {}
    for side in neighbours.T:
        for cell in cells[side != NOBODY]:
            found.setdefault(int(side[cell] - cell), set()).add(int(cell))
    words = np.zeros((len(found), n_words(len(cells))), np.uint64)
    for row, members in zip(words, found.values(), strict=True):
        for cell in members:
            row[cell // WORD] |= np.uint64(1 << cell % WORD)
    return np.array(list(found), np.int64), words
