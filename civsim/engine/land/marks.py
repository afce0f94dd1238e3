"""Marks, a byte a cell: found, listed, counted and spread over whole maps in vector registers.

To spread, marks lie in a buffer with a row of margin at either end, so that the four neighbours of all cells are four
plain stretches of it; a table says where the cell to the west is in the same row. On a torus the margins hold the rows
across the seam, and the columns at the seam are joined one row after the other.
"""

from __future__ import annotations

import numpy as np

from civsim.base.kernels import kernel

_BLOCK = 128
"""Cells counted in one byte: at most 255."""


def margin_size(width: int, cells: int) -> int:
    """Return the length of a buffer of marks for a map ``width`` cells wide: its cells, and a row at either end."""
    return cells + 2 * width


def _list_marked(marked, cells):
    """Write the cells that carry a mark of 1 (the others carry 0) to ``cells`` in their order. Return how many.

    Without a branch: where marks are rare and anywhere, guessing wrong costs more than writing every cell.
    """
    n = np.int64(0)
    for c in range(marked.shape[0]):
        cells[n] = c
        n += np.int64(marked[c])
    return n


list_marked = kernel(_list_marked)


def _count_marked(marked, mark):
    """Return how many cells carry ``mark`` (a uint8); counted in bytes, block by block, since wider sums are slower."""
    total = 0
    for start in range(0, marked.shape[0], _BLOCK):
        block = marked[start : start + _BLOCK]
        count = np.uint8(0)
        for c in range(block.shape[0]):
            count = np.uint8(count + np.uint8(block[c] == mark))
        total += int(count)
    return total


count_marked = kernel(_count_marked)


def _marks(cfg, buffer):
    """Return the stretch of a buffer of marks that holds the cells, uint8 [C]."""
    return buffer[cfg.width : cfg.width + cfg.n_cells]


marks = kernel(_marks)


def _beside(cfg, buffer, out):
    """Write 1 to ``out`` (uint8 [C]) where a neighbour of the cell is marked, 0 elsewhere.

    ``buffer`` is uint8 of :func:`margin_size`: 1 for marked, 0 else; its margins are written on a torus, and must be
    0 on a bounded map.
    """
    n, width = cfg.n_cells, cfg.width
    if cfg.torus:
        for column in range(width):
            buffer[column] = buffer[n + column]
            buffer[n + width + column] = buffer[width + column]
    north, south = buffer[:n], buffer[2 * width :]
    west, east = buffer[width - 1 :], buffer[width + 1 :]
    joined_west, joined_east = cfg.joined, cfg.joined[1:]
    for c in range(n):
        out[c] = north[c] | south[c] | (west[c] & joined_west[c]) | (east[c] & joined_east[c])
    if cfg.torus:
        for row in range(cfg.height):
            first, last = row * width, (row + 1) * width - 1
            out[first] |= buffer[width + last]
            out[last] |= buffer[width + first]


beside = kernel(_beside)
