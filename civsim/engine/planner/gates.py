"""What bands from each cell of the rim are believed to make for, where walls or land block their ways."""

from __future__ import annotations

import numpy as np

from civsim.base.constants import NOBODY
from civsim.base.kernels import kernel
from civsim.engine.formulas import preferred
from civsim.engine.land.geometry import edge_cell, edge_length, steps_between
from civsim.engine.land.ways import Way, find_ways
from civsim.engine.planner.ways import CLEARLY
from civsim.engine.ways import lure_over
from civsim.engine.work import Base


def _by_prize(work, row):
    """List the targets in ``work.open``, the greatest prize first; return how many there are."""
    prize, order, n = work.prize[row], work.open, work.sizes[Base.TARGETS]
    for k in range(n):
        at = k
        while at > 0 and prize[order[at - 1]] < prize[k]:
            order[at] = order[at - 1]
            at -= 1
        order[at] = k
    return n


by_prize = kernel(_by_prize)


def _may_choose(cfg, work, row, k):
    """Return True where target ``k`` could pull a band from some cell of the rim as much as what pulls most so far.

    No way is shorter than its steps and what entering the target takes: what pulls less over these is passed over.
    """
    c, prize = np.int64(work.target[k]), work.prize[row, k]
    further = work.ways[Way.BELIEVED + row, c] - 1
    for place in range(edge_length(cfg)):
        if work.gate[row, place] == NOBODY:
            return True
        steps = steps_between(cfg, edge_cell(cfg, place), c)
        way = np.int64(steps + further if steps > 0 else 0)
        if lure_over(cfg, prize, way) >= CLEARLY * work.spare[row, place]:
            return True
    return False


may_choose = kernel(_may_choose)


def _choose_over(cfg, key, work, world, row):
    """Write to ``work.gate`` what bands from each cell of the rim make for, walled as in ``row``, and how far that is.

    Searched from the targets, the greatest prize first, as a handful of them decides: from a place p the way to t is
    that from t to p, less what entering p takes, and what entering t does. ``work.spare`` keeps what pulls most.
    """
    ways, gate, pulls = work.ways, work.gate[row], work.spare[row]
    enter, rim = ways[Way.BELIEVED + row], edge_length(cfg)
    gate[:rim], pulls[:rim] = NOBODY, 0.0
    for each in range(by_prize(work, row)):
        k = np.int64(work.open[each])
        if not may_choose(cfg, work, row, k):
            continue
        c = np.int64(work.target[k])
        find_ways(cfg, ways, np.int64(Way.BELIEVED + row), c)
        for place in range(rim):
            at = edge_cell(cfg, place)
            way = np.int64(0) if at == c else np.int64(ways[Way.WAY, at] - enter[at] + enter[c])
            pull = lure_over(cfg, work.prize[row, k], way)
            if pull < CLEARLY * pulls[place]:
                continue
            best = np.int64(work.target[gate[place]]) if gate[place] >= 0 else np.int64(NOBODY)
            if preferred(pull, c, pulls[place], best, key, world):
                gate[place], pulls[place] = k, pull
                ways[Way.GATE_NOW + row, place] = way


choose_over = kernel(_choose_over)
