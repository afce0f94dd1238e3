"""Ways over land and walls that block: the turns it takes to get from one cell to every other, entering cell by cell.

A cell takes whoever enters it one turn, and further turns where it is rugged or walled (:func:`delay`). What it takes
depends on the cell entered alone, not on where one comes from, so that the first neighbour that is reached settles
when a cell is: Dijkstra's algorithm (1959) with a line for the cells entered in a turn and a heap for the others.
"""

from __future__ import annotations

from enum import IntEnum

from civsim.base.constants import NOBODY
from civsim.base.kernels import kernel
from civsim.base.scenario import MAX_TURNS, Scenario

_ROUNDING = 1e-5
"""Turns that single precision may take from a wall."""

_UNMET = -1


class Way(IntEnum):
    """Rows of ``Work.ways``, int32 [rows, C]; there are no columns where nothing blocks."""

    ENTER = 0  # turns that whoever is searched for takes to enter a cell
    WAY = 1  # turns from the start of the last search
    LINE = 2  # cells of that search that wait for their turn
    HEAP = 3  # the same, of those that take more than a turn to enter
    MADE = 4  # by civilization, 1 where its row below is up to date
    BELIEVED = 5  # turns that a band is believed to take to enter a cell, as believed now
    ROLLED = 6  # the same, as a rollout has walled
    GATE_NOW = 7  # turns to what a band makes for from each cell of the rim, as believed now
    GATE_ROLLED = 8  # the same, as rolled
    REACH = 9  # turns from the own capital, as believed
    CROSSED = 10  # ways believed to cross a cell
    AHEAD = 11  # the longest of what lies ahead on them (turns)
    FORCE = 12  # turns from the capital of the first civilization; the others' follow


def blocks(scenario: Scenario) -> bool:
    """Return whether walls or land of a scenario hold up who enters."""
    return max(scenario.walls.block, scenario.map.block) > 0.0


def _delay(cfg, wall, ruggedness):
    """Return the further whole turns that a wall and rugged land take whoever enters: ⌊block · W + block · R⌋."""
    return int(min(cfg.wall_block * wall + cfg.land_block * ruggedness + _ROUNDING, float(MAX_TURNS)))


delay = kernel(_delay)


def _push(heap, n, way, cell):
    """Put ``cell`` on a heap of ``n`` cells, the least ``way`` on top."""
    at = n
    while at > 0:
        above = (at - 1) // 2
        if way[heap[above]] <= way[cell]:
            break
        heap[at] = heap[above]
        at = above
    heap[at] = cell


push = kernel(_push)


def _pop(heap, n, way):
    """Take the cell of the least ``way`` from a heap of ``n`` ≥ 1 cells and return it."""
    top, last, at = heap[0], heap[n - 1], 0
    while 2 * at + 1 < n - 1:
        below = 2 * at + 1
        if below + 1 < n - 1 and way[heap[below + 1]] < way[heap[below]]:
            below += 1
        if way[last] <= way[heap[below]]:
            break
        heap[at] = heap[below]
        at = below
    heap[at] = last
    return top


pop = kernel(_pop)


def _find_ways_to(cfg, ways, row, start, first, second):
    """Do what :func:`find_ways` does, but stop once cells ``first`` and ``second`` are met; -1 for none.

    What is not met by then has -1. A cell is met from its nearest neighbour, when all that are as near are met too.
    """
    enter, way, line, heap = ways[row], ways[Way.WAY], ways[Way.LINE], ways[Way.HEAP]
    way[:] = _UNMET
    way[start], line[0] = 0, start
    head, tail, delayed = 0, 1, 0
    while (head < tail or delayed > 0) and (
        first == NOBODY or way[first] == _UNMET or (second != NOBODY and way[second] == _UNMET)
    ):
        if delayed > 0 and (head == tail or way[heap[0]] < way[line[head]]):
            cell = pop(heap, delayed, way)
            delayed -= 1
        else:
            cell = line[head]
            head += 1
        for side in range(cfg.neighbours.shape[1]):
            other = cfg.neighbours[cell, side]
            if other < 0 or way[other] != _UNMET:
                continue
            way[other] = way[cell] + enter[other]
            if enter[other] == 1:
                line[tail] = other
                tail += 1
            else:
                push(heap, delayed, way, other)
                delayed += 1


find_ways_to = kernel(_find_ways_to)


def _find_ways(cfg, ways, row, start):
    """Write the turns from ``start`` to every cell to row WAY of ``ways``; entering takes those of row ``row``, ≥ 1."""
    find_ways_to(cfg, ways, row, start, NOBODY, NOBODY)


find_ways = kernel(_find_ways)
