"""Marks spread to neighbours as the neighbour table says, and are listed and counted as numpy does."""

from __future__ import annotations

import numpy as np
import pytest
from random_states import SIZES, random_game

from civsim.base.kernels import kernel
from civsim.base.pointer import Pointer
from civsim.engine.compiled import compile_config
from civsim.engine.land import marks


def _fill(cfg, buffer, marked):
    """Mark cells. What :func:`marks.marks` returns is for kernels: Python is not handed their arrays."""
    view = marks.marks(cfg, buffer)
    for c in range(marked.shape[0]):
        view[c] = marked[c]


fill = kernel(_fill)


@pytest.mark.parametrize("torus", [False, True])
@pytest.mark.parametrize(("width", "height"), SIZES)
def test_beside_is_what_the_neighbour_table_says(width: int, height: int, torus: bool) -> None:
    config = compile_config(random_game(width, height, torus))
    cells, rng = width * height, np.random.default_rng(width)
    buffer = np.zeros(marks.margin_size(width, cells), np.uint8)
    for density in (0.0, 0.02, 0.3, 1.0):
        marked = rng.random(cells) < density
        padded = np.append(marked, False)
        expected = padded[config.neighbours].any(axis=1)
        for plain in (False, True):
            out = np.full(cells, 9, np.uint8)
            record = config if plain else Pointer(config)
            (fill.py_func if plain else fill)(record, buffer, marked)
            (marks.beside.py_func if plain else marks.beside)(record, buffer, out)
            assert np.array_equal(out, expected)


@pytest.mark.parametrize("cells", [1, 4, 63, 127, 128, 129, 400])
def test_marks_are_listed_in_order_and_counted(cells: int) -> None:
    rng = np.random.default_rng(cells)
    for density in (0.0, 0.1, 1.0):
        marked = (rng.random(cells) < density).astype(np.uint8)
        for each in (marks.list_marked, marks.list_marked.py_func):
            found = np.full(cells, -1, np.int32)
            n = each(marked, found)
            assert found[:n].tolist() == np.flatnonzero(marked).tolist()
        for each in (marks.count_marked, marks.count_marked.py_func):
            assert each(marked * np.uint8(2), np.uint8(2)) == marked.sum()
            assert each(marked, np.uint8(2)) == 0
