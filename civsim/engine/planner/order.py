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
from civsim.engine.planner.heuristic import as_integers
from civsim.engine.work import PLACES_A_WORD, Base

UNPLACED = -1
"""The place of a cell that the rule of thumb never claims: it is worth nothing."""

_SHIFT, _LOWER = PLACES_A_WORD.bit_length() - 1, PLACES_A_WORD - 1
_MANTISSA, _BIAS = 52, 1023
"""Bits of a float64 below its exponent, and what that is too great by."""

_BLOCK = 16
"""Cells that are put in order by comparing each with all others of them; longer stretches are merged."""

_SURELY, _MAYBE = 1.0 - 0.99 * TIE, 1.0 - 1.01 * TIE
"""Shares of a ratio above which another is tied with it however it is rounded, and below which it is not."""


def _rank_in_block(keys, first, end, k):
    """Return how many of ``keys[first:end]`` come before that of place ``k``: the greater, and equals ahead of it.

    It takes no branch a key.
    """
    before, own = np.int64(0), keys[k]
    for other in range(first, k):
        before += keys[other] >= own
    for other in range(k + 1, end):
        before += keys[other] > own
    return before


rank_in_block = kernel(_rank_in_block)


def _merge(keys, items, to_keys, to_items, first, middle, end):
    """Merge two sorted stretches, which begin at ``first`` and ``middle``, into the same places of the other arrays."""
    left, right, at = first, middle, first
    while left < middle and right < end:
        # Which is next is not foreseeable: a number that is added costs less than a branch.
        later = np.int64(keys[np.uint32(right)] > keys[np.uint32(left)])
        place = np.uint32(left + later * (right - left))
        to_keys[np.uint32(at)], to_items[np.uint32(at)] = keys[place], items[place]
        left, right, at = left + 1 - later, right + later, at + 1
    for rest in range(left, middle):
        to_keys[at], to_items[at] = keys[rest], items[rest]
        at += 1
    for rest in range(right, end):
        to_keys[at], to_items[at] = keys[rest], items[rest]
        at += 1


merge = kernel(_merge)


def _sort_falling(scores, items, n, spare, room):
    """Sort ``items[:n]`` by falling ``scores`` of theirs, none below 0, equals as they stood (merge sort).

    ``spare`` is as long as the items, ``room`` at least twice as long; both are overwritten.
    """
    half = room.shape[0] // 2
    keys, to_keys, to_items, width = as_integers(room)[:half], as_integers(room)[half:], spare, np.int64(_BLOCK)
    for k in range(n):
        to_keys[k], to_items[k] = np.float64(scores[items[k]]).view(np.int64), items[k]
    for first in range(0, n, width):
        end = min(first + width, n)
        for k in range(first, end):
            place = first + rank_in_block(to_keys, first, end, k)
            keys[place], items[place] = to_keys[k], to_items[k]
    while width < n:
        for first in range(0, n, 2 * width):
            middle, end = min(first + width, n), min(first + 2 * width, n)
            merge(keys, items, to_keys, to_items, first, middle, end)
        for k in range(n):
            keys[k], items[k] = to_keys[k], to_items[k]
        width *= 2


sort_falling = kernel(_sort_falling)


def _draw_lots(cfg, key, work, world):
    """Sort all cells by their keyed ranks: the same in every turn, so once for all who deliberate one after another."""
    if work.sizes[Base.LOTS] == world + 1:
        return
    work.sizes[Base.LOTS] = world + 1
    for c in range(cfg.n_cells):
        work.lot[c], work.lots[c] = rank(key, world, np.int64(c)), c
    sort_falling(work.lot, work.lots, cfg.n_cells, work.unclaimed, work.heap_key)


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
    seen, known = work.unclaimed, 0
    for k in range(cfg.n_cells):
        cell = work.lots[k]
        if work.holder[cell] != NOBODY:
            continue
        if knows(state, b, i, cell):
            seen[known] = cell
            known += 1
        else:
            thumb[n] = cell
            n += 1
    for k in range(known):
        thumb[n] = seen[k]
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
    sort_falling(ratio, thumb, scored, work.unclaimed, work.heap_key)
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
