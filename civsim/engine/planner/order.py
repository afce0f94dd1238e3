"""The order of the rule of thumb: all free cells, best first; and frontiers as marks on places in it.

Rivals that play on in every rollout follow one rule by one set of beliefs. So what each claims next is, of the cells on
its frontier that are open, the first in an order that is the same for all of them, and is made once a deliberation.
What is chosen is what a look over the frontier chooses: the greatest output per cost, of those tied with it the
greatest keyed rank. Near ties that are not transitive (a near b, b near c, a not near c) have no such order: where
there are any, frontiers stay lists that are looked over.
"""

from __future__ import annotations

import math

import numpy as np

from civsim.base.constants import NOBODY, TIE
from civsim.base.kernels import inlined, kernel
from civsim.engine.formulas import rank
from civsim.engine.knowledge.beliefs import believe_cells
from civsim.engine.knowledge.land import knows
from civsim.engine.work import PLACES_A_WORD, Base

UNPLACED = -1
"""The place of a cell that the rule of thumb never claims: it is worth nothing."""

_SHIFT, _LOWER = PLACES_A_WORD.bit_length() - 1, PLACES_A_WORD - 1
_MANTISSA, _BIAS = 52, 1023
"""Bits of a float64 below its exponent, and what that is too great by."""

_SURELY, _MAYBE = 1.0 - 0.99 * TIE, 1.0 - 1.01 * TIE
"""Shares of a ratio above which another is tied with it however it is rounded, and below which it is not."""


def _sort_falling(keys, items, n, spare):
    """Sort ``items[:n]`` by falling ``keys`` of theirs, equals as they stood; ``spare`` is overwritten (merge sort)."""
    width = 1
    while width < n:
        for first in range(0, n - width, 2 * width):
            middle, end = first + width, min(first + 2 * width, n)
            if keys[items[middle - 1]] >= keys[items[middle]]:
                continue
            for k in range(first, middle):
                spare[k] = items[k]
            left, right, at = first, middle, first
            while left < middle and right < end:
                if keys[items[right]] > keys[spare[left]]:
                    items[at] = items[right]
                    right += 1
                else:
                    items[at] = spare[left]
                    left += 1
                at += 1
            while left < middle:
                items[at] = spare[left]
                left, at = left + 1, at + 1
        width *= 2


sort_falling = kernel(_sort_falling)


def _draw_lots(cfg, key, work, world):
    """Sort all cells by their keyed ranks: the same in every turn, so once for all who deliberate one after another."""
    if work.sizes[Base.LOTS] == world + 1:
        return
    work.sizes[Base.LOTS] = world + 1
    for c in range(cfg.n_cells):
        work.lot[c], work.lots[c] = rank(key, world, np.int64(c)), c
    sort_falling(work.lot, work.lots, cfg.n_cells, work.unclaimed)


draw_lots = kernel(_draw_lots)


def _settle_ties(work, first, end):
    """Order the cells of places ``first … end − 1``, each near the next, by rank. Return False where none is."""
    thumb, lot = work.thumb, work.lot
    if work.ratio[thumb[end - 1]] < _SURELY * work.ratio[thumb[first]]:
        return False
    for k in range(first + 1, end):
        cell, at = thumb[k], k
        while at > first and lot[thumb[at - 1]] < lot[cell]:
            thumb[at] = thumb[at - 1]
            at -= 1
        thumb[at] = cell
    for k in range(first + 1, end):
        if lot[thumb[k - 1]] == lot[thumb[k]]:
            return False
    return True


settle_ties = kernel(_settle_ties)


def _order_land(state, cfg, key, work, b, i):
    """Write to ``work.thumb`` the order of the free cells, to ``work.place`` their places. Return False for none."""
    draw_lots(cfg, key, work, state.world_id[b])
    thumb, ratio, n = work.thumb, work.ratio, 0
    # Cells never seen are mostly all alike, and in order as they are: side by side they need no sorting.
    for seen in range(2):
        for k in range(cfg.n_cells):
            cell = work.lots[k]
            if work.holder[cell] == NOBODY and knows(state, b, i, cell) == (seen == 1):
                thumb[n] = cell
                n += 1
    work.place[:] = UNPLACED
    believe_cells(state, cfg, work, b, i, thumb, n)
    scored = 0
    for k in range(n):
        if ratio[thumb[k]] <= 0.0:
            continue
        if not ratio[thumb[k]] < math.inf:
            return False
        thumb[scored] = thumb[k]
        scored += 1
    sort_falling(ratio, thumb, scored, work.unclaimed)
    first = 0
    for k in range(1, scored + 1):
        if k < scored and ratio[thumb[k]] >= _MAYBE * ratio[thumb[k - 1]]:
            continue
        if k - first > 1 and not settle_ties(work, first, k):
            return False
        first = k
    for k in range(scored):
        work.place[thumb[k]] = k
    return True


order_land = kernel(_order_land)


def _put_on(marks, first, place):
    """Mark a place on a frontier whose first is ``first``, or -1; return which is then its first."""
    marks[place >> _SHIFT] |= 1 << (place & _LOWER)
    return min(first, place) if first >= 0 else place


put_on = inlined(_put_on)


def _take_off(marks, first):
    """Take the first place off a frontier; return which is then its first, or -1."""
    at = first >> _SHIFT
    word = marks[at] & (marks[at] - 1)
    marks[at] = word
    while word == 0:
        at += 1
        if at == marks.shape[0]:
            return np.int64(UNPLACED)
        word = marks[at]
    # Which bit is the lowest stands in the exponent of that bit as a float64.
    lowest = (np.float64(word & -word).view(np.int64) >> _MANTISSA) - _BIAS
    return np.int64((at << _SHIFT) + lowest)


take_off = inlined(_take_off)
