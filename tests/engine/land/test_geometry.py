"""The grid's neighbours and distances, against breadth-first search."""

from __future__ import annotations

import numpy as np
import pytest
from worlds import still_world

from civsim.engine.land.geometry import (
    _distance,
    coordinates,
    distance,
    edge_cell,
    edge_length,
    neighbour_table,
    steps_to_edge,
)

SHAPES = [(2, 2), (3, 2), (4, 5), (7, 3)]


def steps_from(start: int, table: np.ndarray) -> np.ndarray:
    """Breadth-first steps from ``start`` to every cell."""
    steps = np.full(len(table), -1)
    steps[start], queue = 0, [start]
    for cell in queue:
        for other in table[cell]:
            if other >= 0 and steps[other] < 0:
                steps[other] = steps[cell] + 1
                queue.append(int(other))
    return steps


@pytest.mark.parametrize("torus", [False, True])
@pytest.mark.parametrize(("width", "height"), SHAPES)
def test_distance_is_the_number_of_steps(width: int, height: int, torus: bool) -> None:
    table = neighbour_table(width, height, torus)
    for a in range(width * height):
        expected = steps_from(a, table)
        for b in range(width * height):
            assert _distance(a, b, width, height, torus) == expected[b]
            assert distance(a, b, width, height, torus) == expected[b]


@pytest.mark.parametrize("torus", [False, True])
@pytest.mark.parametrize(("width", "height"), SHAPES)
def test_the_nearest_cell_of_the_rim(width: int, height: int, torus: bool) -> None:
    cfg = still_world(map__width=width, map__height=height, map__torus=torus, capitals=(0,)).pointers.config
    rim = [int(edge_cell(cfg, place)) for place in range(edge_length(cfg))]
    assert len(set(rim)) == len(rim)
    for cell in range(width * height):
        assert steps_to_edge(cfg, cell) == min(distance(cell, place, width, height, torus) for place in rim)


def test_neighbours_on_a_known_map() -> None:
    # 0 1 2
    # 3 4 5
    table = neighbour_table(3, 2, torus=False)
    assert table.dtype == np.int32
    assert table.tolist() == [
        [-1, 3, -1, 1],
        [-1, 4, 0, 2],
        [-1, 5, 1, -1],
        [0, -1, -1, 4],
        [1, -1, 3, 5],
        [2, -1, 4, -1],
    ]
    assert neighbour_table(3, 2, torus=True)[0].tolist() == [3, 3, 2, 1]


@pytest.mark.parametrize("torus", [False, True])
def test_neighbourhood_is_mutual(torus: bool) -> None:
    table = neighbour_table(4, 5, torus)
    pairs = {(a, int(b)) for a, row in enumerate(table) for b in row if b >= 0}
    assert pairs == {(b, a) for a, b in pairs}
    assert len(pairs) == (2 * 2 * 20 if torus else 2 * (3 * 5 + 4 * 4))


def test_coordinates_undo_the_numbering() -> None:
    rows, columns = coordinates(np.arange(12), 4)
    assert (rows * 4 + columns == np.arange(12)).all()
    assert coordinates(7, 4) == (1, 3)
