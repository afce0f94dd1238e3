"""The rim: the columns of a rolled realm that rivals in mind may attack, and whose land lies beside each.

It is listed once a rollout. From then on a column that is added joins it, and so does one that rivals' land comes to
lie beside; what is likelier lost than held leaves it. Columns stand in ascending order, whenever they have joined.
"""

from __future__ import annotations

import numpy as np

from civsim.base.kernels import inlined, kernel
from civsim.engine.registers import ROLLED
from civsim.engine.work import Count, Realm, Roll

UNLISTED = -1
"""How many columns of a rollout rivals may attack where they are to be listed anew."""

UNCOUNTED = -1
"""Instead of how much is open to a rival, and of the rivals it was counted for: something has changed since."""

EVEN = 0.5
"""Chance to hold a cell still below which a rival is taken to have it: it moves on from there and attacks elsewhere."""


def _is_exposed(work, k):
    """Return True where column ``k``, beside a rival's land, is open to attacks that are played."""
    return work.realm[Realm.PLAYED, k] > 0.0 and work.realm[Realm.STAY, k] >= EVEN


is_exposed = kernel(_is_exposed)


def _list_rim(work):
    """List in ``work.exposed`` the columns of the rim, and in ``work.exposed_to`` whose land; return how many."""
    roll = work.roll
    first, n = roll[Roll.LISTED], roll[Roll.EXPOSED]
    if n == UNLISTED:
        first, n, roll[Roll.COUNTED] = 0, 0, UNCOUNTED
    for k in range(first, roll[Roll.HELD]):
        cell = work.counts[Count.CELL, k]
        beside = work.mind_beside[ROLLED, cell]
        work.listed_as[cell] = k
        if beside != 0 and is_exposed(work, k):
            work.exposed[n], work.exposed_to[n] = k, beside
            n, roll[Roll.COUNTED] = n + 1, UNCOUNTED
    roll[Roll.EXPOSED], roll[Roll.LISTED] = n, roll[Roll.HELD]
    return n


list_rim = kernel(_list_rim)


def _join_rim(work, cell, k):
    """Note that one more rival's land lies beside ``cell``, which is column ``k`` and was looked at for the rim."""
    roll, at = work.roll, work.roll[Roll.EXPOSED]
    roll[Roll.COUNTED], beside, n = UNCOUNTED, work.mind_beside[ROLLED, cell], at
    while at > 0 and work.exposed[at - 1] > k:
        at -= 1
    if at > 0 and work.exposed[at - 1] == k:
        work.exposed_to[at - 1] = beside
    elif is_exposed(work, k):
        for place in range(n, at, -1):
            work.exposed[place], work.exposed_to[place] = work.exposed[place - 1], work.exposed_to[place - 1]
        work.exposed[at], work.exposed_to[at], roll[Roll.EXPOSED] = k, beside, n + 1


join_rim = kernel(_join_rim)


def _note_at_rim(work, cell):
    """Note that one more rival's land lies beside ``cell`` as rolled: it may be a column that is listed."""
    k = work.listed_as[cell]
    if k < work.roll[Roll.LISTED] and work.counts[Count.CELL, k] == cell and work.roll[Roll.EXPOSED] != UNLISTED:
        join_rim(work, cell, k)


note_at_rim = inlined(_note_at_rim)


def _leave_rim(work, k):
    """Strike column ``k`` off the rim."""
    n, to = work.roll[Roll.EXPOSED], 0
    for at in range(n):
        work.exposed[to], work.exposed_to[to] = work.exposed[at], work.exposed_to[at]
        to += 1 if work.exposed[at] != k else 0
    work.roll[Roll.EXPOSED], work.roll[Roll.COUNTED] = to, UNCOUNTED


leave_rim = kernel(_leave_rim)


def _count_in_parts(cfg, work, j, armed):
    """Return :func:`count_open` a part at a time: thirds are rounded, so it matters in which order they add up."""
    total = 0.0
    for at in range(work.roll[Roll.EXPOSED]):
        beside, rivals = work.exposed_to[at] & armed, 0
        if beside >> j & 1 == 0:
            continue
        for other in range(cfg.n_civs):
            rivals += beside >> other & 1
        total += 1.0 / rivals
    return total


count_in_parts = kernel(_count_in_parts)


def _count_open(cfg, work, j, armed):
    """Return how many columns of the rim are open to rival ``j``, one of those in ``armed``, as bits.

    One that lies beside several of them is open to each for its part. Wholes and halves are counted, which takes no
    branch a column.
    """
    exposed_to, others = work.exposed_to, armed & ~(1 << j)
    alone, pairs, more = np.int64(0), np.int64(0), np.int64(0)
    for at in range(work.roll[Roll.EXPOSED]):
        beside = np.int64(exposed_to[at])
        mine, rest = beside >> j & 1, beside & others
        several = rest & (rest - 1)
        alone += mine if rest == 0 else 0
        pairs += mine if rest != 0 and several == 0 else 0
        more += mine if several != 0 else 0
    return alone + 0.5 * pairs if more == 0 else count_in_parts(cfg, work, j, armed)


count_open = kernel(_count_open)


def _open_to(cfg, work, j, armed):
    """Return :func:`count_open` of the rim as it is now, counted again only where something has changed."""
    list_rim(work)
    if work.roll[Roll.COUNTED] != armed:
        work.roll[Roll.COUNTED] = armed
        for other in range(cfg.n_civs):
            work.open_to[other] = UNCOUNTED
    if work.open_to[j] == UNCOUNTED:
        work.open_to[j] = count_open(cfg, work, j, armed)
    return work.open_to[j]


open_to = kernel(_open_to)
