"""The grid: cells are numbered row by row (cell = row · width + column) and meet along edges only."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from civsim.base.constants import N_NEIGHBOURS, NOBODY
from civsim.base.kernels import kernel
from civsim.engine.state import I32

NORTH, SOUTH, WEST, EAST = range(N_NEIGHBOURS)
"""Columns of a neighbour table."""


def coordinates(cell: NDArray[np.integer] | int, width: int) -> tuple[NDArray[np.integer] | int, ...]:
    """Return (row, column) of a cell or of an array of cells on a map ``width`` cells wide."""
    return cell // width, cell % width


def neighbour_table(width: int, height: int, torus: bool) -> I32:
    """Return the neighbours of every cell, I32 [C, 4]: north, south, west, east; -1 over a border.

    On a torus every entry is a cell; on one two cells wide, west and east are the same cell.
    """
    rows, columns = np.divmod(np.arange(width * height, dtype=np.int32), np.int32(width))
    table = np.empty((width * height, N_NEIGHBOURS), np.int32)
    table[:, NORTH] = (rows - 1) % height * width + columns
    table[:, SOUTH] = (rows + 1) % height * width + columns
    table[:, WEST] = rows * width + (columns - 1) % width
    table[:, EAST] = rows * width + (columns + 1) % width
    if not torus:
        table[rows == 0, NORTH] = NOBODY
        table[rows == height - 1, SOUTH] = NOBODY
        table[columns == 0, WEST] = NOBODY
        table[columns == width - 1, EAST] = NOBODY
    return table


def _manhattan(rows, columns, width, height, torus):
    """Return the steps of a way of ``rows`` down and ``columns`` across (signed), the short way round on a torus."""
    rows, columns = abs(rows), abs(columns)
    if torus:
        rows = min(rows, height - rows)
        columns = min(columns, width - columns)
    return rows + columns


manhattan = kernel(_manhattan)


def _distance(a, b, width, height, torus):
    """Return the Manhattan distance between cells ``a`` and ``b`` (steps), the short way round on a torus."""
    return manhattan(a // width - b // width, a % width - b % width, width, height, torus)


distance = kernel(_distance)


def _steps(cfg, a, b):
    """Return :func:`distance` between two cells of a configured map, from its tables of rows and columns."""
    rows, columns = cfg.row[a] - cfg.row[b], cfg.column[a] - cfg.column[b]
    return manhattan(rows, columns, cfg.width, cfg.height, cfg.torus)


steps_between = kernel(_steps)


def _edge_cell(cfg, index):
    """Return the cell at position ``index`` of the map's rim, walked row by row (on a torus: row 0 and column 0)."""
    width, height = cfg.width, cfg.height
    if index < width:
        return index
    index -= width
    if cfg.torus:
        return (index + 1) * width
    if index < width:
        return (height - 1) * width + index
    index -= width
    row = 1 + index // 2
    return row * width + (width - 1) * (index % 2)


edge_cell = kernel(_edge_cell)


def _edge_length(cfg):
    """Return how many cells the rim has."""
    if cfg.torus:
        return cfg.width + cfg.height - 1
    return 2 * cfg.width + 2 * max(cfg.height - 2, 0)


edge_length = kernel(_edge_length)


def rim_cells(land: Any) -> NDArray[np.int64]:
    """Return the cells of the rim of a map (its ``width``, ``height`` and ``torus``), int64 [G], by their position."""
    return np.array([_edge_cell(land, place) for place in range(_edge_length(land))], np.int64)


def _steps_to_edge(cfg, cell):
    """Return the steps from ``cell`` to the nearest cell of the rim (see :func:`edge_cell`)."""
    row, column = cfg.row[cell], cfg.column[cell]
    if cfg.torus:
        return min(row, cfg.height - row, column, cfg.width - column)
    return min(row, cfg.height - 1 - row, column, cfg.width - 1 - column)


steps_to_edge = kernel(_steps_to_edge)
