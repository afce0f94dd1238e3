"""What bands from each cell of the rim are believed to make for, over straight ways or where walls or land block."""

from __future__ import annotations

import math

import numpy as np

from civsim.base.constants import NOBODY
from civsim.base.kernels import kernel
from civsim.engine.formulas import preferred
from civsim.engine.land.geometry import edge_cell, edge_length, steps_between, steps_to_edge
from civsim.engine.land.ways import Way, find_ways
from civsim.engine.planner.ways import CLEARLY
from civsim.engine.registers import NOW
from civsim.engine.ways import lure_over, share_over
from civsim.engine.work import Base, Clock

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


def _keep_ways(work, c):
    """Keep the ways just found from cell ``c`` to every other, if a row is left for them."""
    if work.clock[Clock.KEPT_WAYS] != work.clock[Clock.PASSAGE]:
        work.clock[Clock.KEPT_WAYS], work.sizes[Base.KEPT_WAYS] = work.clock[Clock.PASSAGE], 0
    n = work.sizes[Base.KEPT_WAYS]
    work.way_row[c] = NOBODY
    if n < work.way_kept.shape[0]:
        work.way_kept[n] = work.ways[Way.WAY]
        work.way_row[c], work.sizes[Base.KEPT_WAYS] = n, n + 1


keep_ways = kernel(_keep_ways)


def _look_from_rim(cfg, work, c):
    """Find a band's ways from every cell of the rim to cell ``c`` as believed now, unless that is done.

    Searched from ``c``: from a place p the way to it is that from it to p, less what entering p takes, and what
    entering ``c`` does.
    """
    ways, enter = work.ways[Way.WAY], work.ways[Way.BELIEVED]
    if work.rim_seen[0, c] == work.clock[Clock.SURVEY] and work.rim_seen[1, c] == work.clock[Clock.PASSAGE]:
        return
    work.rim_seen[0, c], work.rim_seen[1, c] = work.clock[Clock.SURVEY], work.clock[Clock.PASSAGE]
    find_ways(cfg, work.ways, np.int64(Way.BELIEVED), c)
    keep_ways(work, c)
    for place in range(edge_length(cfg)):
        at = edge_cell(cfg, place)
        way = np.int64(0) if at == c else np.int64(ways[at] - enter[at] + enter[c])
        work.from_rim[c, place], work.rim_share[c, place] = way, share_over(cfg, way)


look_from_rim = kernel(_look_from_rim)


def _goes_by(cfg, work, c, x, onward):
    """Return True where a shortest way from some cell of the rim to ``c`` enters ``x``, ``onward`` turns from it."""
    to_x, to_c, many = work.from_rim[x], work.from_rim[c], np.int64(0)
    for place in range(edge_length(cfg)):
        many += to_x[place] + onward <= to_c[place]
    if many == 0:
        return False
    for place in range(edge_length(cfg)):
        # What begins at x does not enter it.
        if to_x[place] + onward <= to_c[place] and edge_cell(cfg, place) != x:
            return True
    return False


goes_by = kernel(_goes_by)


def _is_by_itself(cfg, work, c):
    """Return True where no shortest way of now from the rim to cell ``c`` enters a cell that a rollout's walls delay.

    Then they are the shortest of the rollout too, but for what ``c`` itself takes more: the others were longer, and
    none has become shorter.
    """
    enter, row = work.ways[Way.BELIEVED], np.int64(work.way_row[c])
    if row < 0:
        return False
    for each in range(work.sizes[Base.DELAYED]):
        x = np.int64(work.delayed[each])
        if x == c:
            continue
        look_from_rim(cfg, work, x)
        if goes_by(cfg, work, c, x, np.int32(work.way_kept[row, x] - enter[x] + enter[c])):
            return False
    return True


is_by_itself = kernel(_is_by_itself)


def _may_choose(cfg, work, row, k):
    """Return True where target ``k`` could pull a band from some cell of the rim as much as what pulls most so far.

    No way is shorter than it was before walls rose, where it was looked for since the base was built, or than its steps
    and what entering the target takes: what pulls less over these is passed over.
    """
    c, prize, pulls, least = np.int64(work.target[k]), work.prize[row, k], work.spare[row], math.inf
    rim, seen, may = edge_length(cfg), work.rim_seen[0, c] == work.clock[Clock.SURVEY], False
    if seen:
        shares = work.rim_share[c]
        for place in range(rim):
            may |= prize * shares[place] >= CLEARLY * pulls[place]
        return may
    for place in range(rim):
        least = min(least, pulls[place])
    further, nearest = np.int64(work.ways[Way.BELIEVED + row, c] - 1), np.int64(steps_to_edge(cfg, c))
    if lure_over(cfg, prize, nearest + further if nearest > 0 else 0) < CLEARLY * least:
        return False
    for place in range(rim):
        steps = steps_between(cfg, edge_cell(cfg, place), c)
        way = np.int64(steps + further if steps > 0 else 0)
        if lure_over(cfg, prize, way) >= CLEARLY * pulls[place]:
            return True
    return False


may_choose = kernel(_may_choose)


def _prefer(cfg, key, work, world, row, k, place, way, share):
    """Send bands from the rim's ``place`` to target ``k``, ``way`` turns on, where that pulls more than what does most.

    ``share`` is what is left over that way of what draws a band.
    """
    pull, c, gate, pulls = work.prize[row, k] * share, np.int64(work.target[k]), work.gate[row], work.spare[row]
    if pull < CLEARLY * pulls[place]:
        return
    best = np.int64(work.target[gate[place]]) if gate[place] >= 0 else np.int64(NOBODY)
    if preferred(pull, c, pulls[place], best, key, world):
        gate[place], pulls[place] = k, pull
        work.ways[Way.GATE_NOW + row, place] = way


prefer = kernel(_prefer)


def _choose_over(cfg, key, work, world, row):
    """Write to ``work.gate`` what bands from each cell of the rim make for, walled as in ``row``, and how far that is.

    Looked for from the targets, the greatest prize first, as a handful of them decides. ``work.spare`` keeps what pulls
    most. In a rollout most ways are those of now, and those that its walls hold up are no shorter.
    """
    ways, rim = work.ways, edge_length(cfg)
    enter, now, walled = ways[Way.BELIEVED + row], ways[Way.BELIEVED], row != NOW and work.sizes[Base.DELAYED] > 0
    work.gate[row, :rim], work.spare[row, :rim] = NOBODY, 0.0
    for each in range(by_prize(work, row)):
        k = np.int64(work.open[each])
        if not may_choose(cfg, work, row, k):
            continue
        c = np.int64(work.target[k])
        look_from_rim(cfg, work, c)
        if walled and not may_choose(cfg, work, row, k):
            continue
        if not walled or is_by_itself(cfg, work, c):
            further = enter[c] - now[c]
            for place in range(rim):
                way, share = np.int64(work.from_rim[c, place]), work.rim_share[c, place]
                if further > 0 and way > 0:
                    way += further
                    share = share_over(cfg, way)
                prefer(cfg, key, work, world, row, k, place, way, share)
            continue
        find_ways(cfg, ways, np.int64(Way.BELIEVED + row), c)
        for place in range(rim):
            at = edge_cell(cfg, place)
            way = np.int64(0) if at == c else np.int64(ways[Way.WAY, at] - enter[at] + enter[c])
            prefer(cfg, key, work, world, row, k, place, way, share_over(cfg, way))


choose_over = kernel(_choose_over)
