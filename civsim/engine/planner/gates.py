"""What bands from each cell of the rim are believed to make for, over straight ways or where walls or land block."""

from __future__ import annotations

import numpy as np

from civsim.base.constants import NOBODY
from civsim.base.kernels import kernel
from civsim.engine.formulas import preferred
from civsim.engine.land.geometry import edge_cell, edge_length, steps_between, steps_to_edge
from civsim.engine.land.ways import Way, find_ways
from civsim.engine.planner.ways import CLEARLY
from civsim.engine.registers import NOW
from civsim.engine.ways import lure_over
from civsim.engine.work import Base

_STRAIGHT = 1.0


def _is_outdone(cfg, work, at, k):
    """Return True where target ``k`` pulls less than target ``at`` from all of the rim.

    From a place p the target t pulls prize(t) / (1 + |pt|)^way, and |pt| ≤ |pc| + |ct|. A cell c, no nearer to the rim
    than ρ ≤ |pc|, pulls less from everywhere where prize(c) · (1 + |ct| / (1 + ρ))^way is below prize(t), for
    (1 + |pc| + |ct|) / (1 + |pc|) = 1 + |ct| / (1 + |pc|) and way ≥ 0.
    """
    prize, c = work.prize[NOW], np.int64(work.target[k])
    nearer = 1.0 + steps_between(cfg, np.int64(work.target[at]), c) / (1.0 + steps_to_edge(cfg, c))
    if cfg.raid_way != _STRAIGHT:
        nearer = nearer**cfg.raid_way
    return prize[k] * nearer < CLEARLY * prize[at]


is_outdone = kernel(_is_outdone)


def _list_open(cfg, work):
    """List the targets that a rival's cell of the greatest prize does not outdo.

    A rollout raises no rival's wall, and one on an own cell lowers what pulls there: what is outdone so stays outdone.
    """
    top, n = NOBODY, 0
    for k in range(work.sizes[Base.HELD], work.sizes[Base.TARGETS]):
        if top < 0 or work.prize[NOW, k] > work.prize[NOW, top]:
            top = k
    for k in range(work.sizes[Base.TARGETS]):
        if top < 0 or not is_outdone(cfg, work, top, k):
            work.open[n] = k
            n += 1
    work.sizes[Base.OPEN] = n


list_open = kernel(_list_open)


def _choose_from_gate(cfg, key, work, world, row, place):
    """Write to ``work.gate`` what a band from the rim's ``place`` makes for, and to ``work.spare`` what is next to it.

    The spare is the pull of the next best target, or more; ``work.second`` is that target where no other comes near.
    """
    prize = work.prize[row]
    best, most, best_cell = np.int64(NOBODY), 0.0, np.int64(NOBODY)
    second, spare, third = np.int64(NOBODY), 0.0, 0.0
    for each in range(work.sizes[Base.OPEN]):
        k = np.int64(work.open[each])
        c = np.int64(work.target[k])
        pull = prize[k] * cfg.rim_nearness[c, place]
        other = k
        if pull >= CLEARLY * most and preferred(pull, c, most, best_cell, key, world):
            other, best, best_cell = best, k, c
            most, pull = pull, most
        if pull > spare:
            second, spare, third = other, pull, spare
        else:
            third = max(third, pull)
    work.gate[row, place], work.spare[row, place] = best, spare
    work.second[row, place] = second if third < CLEARLY * spare else NOBODY


choose_from_gate = kernel(_choose_from_gate)


def _pull_to_rim(cfg, work, row):
    """Write the greatest pull, the next and the third on a band from each cell of the rim, and which targets pull so.

    Two walks over the open targets, each with all of the rim in a loop of few rows, which is what fills vector
    registers: the pulls first, then which target has the greatest and the next. Where several have, it is the last.
    """
    prize, near, rim = work.prize[row], cfg.rim_nearness, edge_length(cfg)
    most, third, spare = work.pull[0], work.pull[1], work.spare[row]
    best, second = work.pulled[0], work.pulled[1]
    most[:rim], spare[:rim], third[:rim] = 0.0, 0.0, 0.0
    for each in range(work.sizes[Base.OPEN]):
        k = work.open[each]
        worth, nearness = prize[k], near[work.target[k]]
        for place in range(rim):
            pull = worth * nearness[place]
            less = min(pull, most[place])
            least = min(less, spare[place])
            most[place] = max(pull, most[place])
            spare[place] = max(less, spare[place])
            third[place] = max(least, third[place])
    for each in range(work.sizes[Base.OPEN]):
        k = np.int64(work.open[each])
        worth, nearness = prize[k], near[work.target[k]]
        for place in range(rim):
            pull = worth * nearness[place]
            before, next_before = best[place], second[place]
            best[place] = k if pull == most[place] else before
            second[place] = k if pull == spare[place] else next_before


pull_to_rim = kernel(_pull_to_rim)


def _choose_from_rim(cfg, key, work, world, row):
    """Do what :func:`choose_from_gate` does for every cell of the rim; where one target is clearly first, at once."""
    pull_to_rim(cfg, work, row)
    gate, spare, second = work.gate[row], work.spare[row], work.second[row]
    for place in range(edge_length(cfg)):
        if spare[place] < CLEARLY * work.pull[0, place]:
            gate[place] = work.pulled[0, place]
            second[place] = work.pulled[1, place] if work.pull[1, place] < CLEARLY * spare[place] else NOBODY
        else:
            choose_from_gate(cfg, key, work, world, row, place)


choose_from_rim = kernel(_choose_from_rim)


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
