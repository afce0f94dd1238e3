"""Ways: the least turns over cells that take turns to enter are those that networkx finds on the same land."""

from __future__ import annotations

from types import SimpleNamespace

import networkx as nx
import numpy as np
import pytest

from civsim.base.randomness import as_key
from civsim.engine.land.geometry import neighbour_table
from civsim.engine.land.ways import Way, _delay, _find_ways_to, _pop, _push
from civsim.engine.ways import _next_cell


def land_of(width: int, height: int, torus: bool) -> SimpleNamespace:
    """What the search reads of a configuration."""
    return SimpleNamespace(neighbours=neighbour_table(width, height, torus), wall_block=2.0, land_block=3.0)


def searched(cfg: SimpleNamespace, enter: np.ndarray, start: int) -> np.ndarray:
    """Turns from ``start`` to every cell."""
    ways = np.zeros((len(Way), enter.size), np.int32)
    ways[Way.ENTER] = enter
    _find_ways_to(cfg, ways, Way.ENTER, start, -1, -1)
    return ways[Way.WAY]


@pytest.mark.parametrize("torus", [False, True])
@pytest.mark.parametrize("size", [(2, 2), (2, 5), (7, 4), (9, 9)])
@pytest.mark.parametrize("blocked", [0.0, 0.3, 0.9])
def test_ways_are_dijkstras(size: tuple[int, int], torus: bool, blocked: float) -> None:
    rng = np.random.default_rng(sum(size))
    cfg = land_of(*size, torus)
    n = size[0] * size[1]
    for _ in range(10):
        enter = 1 + np.where(rng.random(n) < blocked, rng.integers(1, 40, n), 0)
        graph = nx.DiGraph()
        graph.add_nodes_from(range(n))
        edges = ((c, int(o), int(enter[o])) for c in range(n) for o in cfg.neighbours[c] if o >= 0)
        graph.add_weighted_edges_from(edges)
        start = int(rng.integers(n))
        told = nx.single_source_dijkstra_path_length(graph, start)
        assert searched(cfg, enter, start).tolist() == [told[c] for c in range(n)]


@pytest.mark.parametrize("torus", [False, True])
@pytest.mark.parametrize("blocked", [0.0, 0.3, 0.9])
def test_a_search_that_stops_has_met_what_it_was_for_and_the_next_step_to_it(torus: bool, blocked: float) -> None:
    """What is met is as of a search to the end; one with a single cell to meet tells that cell's next step too."""
    rng = np.random.default_rng(7)
    cfg, key, stopped = land_of(8, 6, torus), as_key(1), 0
    for _ in range(40):
        enter = 1 + np.where(rng.random(48) < blocked, rng.integers(1, 6, 48), 0)
        start, first, second = (int(c) for c in rng.choice(48, 3, replace=False))
        whole = searched(cfg, enter, start)
        for also in (second, -1):
            ways = np.zeros((len(Way), 48), np.int32)
            ways[Way.ENTER] = enter
            _find_ways_to(cfg, ways, Way.ENTER, start, first, also)
            met = ways[Way.WAY] >= 0
            stopped += not met.all()
            assert met[first]
            assert also < 0 or met[also]
            assert (ways[Way.WAY][met] == whole[met]).all()
        full = ways.copy()
        full[Way.WAY] = whole
        assert _next_cell(cfg, key, 3, ways, first) == _next_cell(cfg, key, 3, full, first)
    assert stopped > 30


def test_the_heap_gives_the_nearest_first() -> None:
    rng = np.random.default_rng(0)
    way, heap = rng.integers(0, 20, 50), np.zeros(50, np.int32)
    for n, cell in enumerate(rng.permutation(50)):
        _push(heap, n, way, cell)
    taken = [int(_pop(heap, 50 - n, way)) for n in range(50)]
    assert sorted(taken) == list(range(50))
    assert (np.diff(way[taken]) >= 0).all()


def test_further_turns_are_whole_and_bounded() -> None:
    cfg = land_of(2, 2, False)
    assert [_delay(cfg, wall, 0.0) for wall in (0.0, 0.4, 0.5, 1.2, 3.0)] == [0, 0, 1, 2, 6]
    assert _delay(cfg, 0.25, 0.5) == 2
    # Single precision takes no turn away: 0.7 is 0.69999999 there.
    cfg.wall_block = 10.0
    assert _delay(cfg, float(np.float32(0.7)), 0.0) == 7
    assert _delay(cfg, 1e9, 1.0) == 2000
