"""The rule of thumb, used alone at h = 0, as a candidate by every planner, and to carry on after a plan."""

from __future__ import annotations

import numpy as np

from civsim.base.constants import TIE
from civsim.base.kernels import kernel
from civsim.engine.formulas import rank, work_growth
from civsim.engine.work import Count, Realm

_ONE = np.int64(2**32)
UNDRAWN = -1.0
"""The rank of a cell that no tie has asked for yet; ranks are above 0."""


def _heuristic_claim(front, n, ratio, rival_at, arrival, key, world):
    """Return the index in ``front[:n]`` of the largest believed value per cost, or -1.

    A cell that rivals are expected to hold before ``arrival`` (turns from now), or that is worth nothing, is left out.
    One that they come to in the same turn is not: who has it is drawn.
    """
    best, best_ratio, best_cell, best_rank = -1, 0.0, np.int64(-1), UNDRAWN
    for index in range(n):
        c = np.int64(front[index])
        here = ratio[c]
        if here <= 0.0 or here < best_ratio * (1.0 - TIE) or rival_at[c] < arrival:
            continue
        if best < 0 or abs(here - best_ratio) > TIE * max(here, best_ratio):
            if here > best_ratio:
                best, best_ratio, best_cell, best_rank = index, here, c, UNDRAWN
            continue
        # Cells never seen are all alike: what the best so far ranks is drawn but once.
        best_rank = rank(key, world, best_cell) if best_rank == UNDRAWN else best_rank
        own = rank(key, world, c)
        if own > best_rank:
            best, best_ratio, best_cell, best_rank = index, here, c, own
    return best


heuristic_claim = kernel(_heuristic_claim)


def _kind_rate(cfg, kind, turns_left):
    """Return a kind of work's discounted years of gain per cost at D = 0; 0 where it matures too late.

    A work begun now pays from ``maturity`` turns on, in each of the ``turns_left`` turns to come.
    """
    maturity = cfg.work_turns[kind]
    if maturity > turns_left:
        return 0.0
    years = cfg.annuity[turns_left] - cfg.annuity[maturity - 1]
    return cfg.work_gain[kind] * years / cfg.work_cost[kind]


kind_rate = kernel(_kind_rate)


def _heuristic_kind(cfg, turns_left):
    """Return the menu entry with the largest discounted return per cost (the first of equals), or -1.

    Return per cost is FERTILITY / (1 + growth · D) × :func:`kind_rate`: the best kind is the same for every cell.
    """
    best, best_rate = -1, 0.0
    for kind in range(cfg.work_cost.shape[0]):
        rate = kind_rate(cfg, kind, turns_left)
        if rate > best_rate:
            best, best_rate = kind, rate
    return best


heuristic_kind = kernel(_heuristic_kind)


def _as_integers(scores):
    """Return scores, none of them negative, as integers in the same order: compared so they fill vector registers."""
    return scores.view(np.int64)


as_integers = kernel(_as_integers)


def _greatest_of(bits, n):
    """Return the greatest of ``bits[:n]`` and 0."""
    top = np.int64(0)
    for k in range(n):
        top = max(top, bits[k])
    return top


greatest_of = kernel(_greatest_of)


def _greatest(scores, n):
    """Return the greatest of ``scores[:n]``, none of them negative, and 0."""
    return np.int64(greatest_of(as_integers(scores), n)).view(np.float64)


greatest = kernel(_greatest)


def _alone_from(bits, n, floor):
    """Return the place of what alone is no less than ``floor`` in ``bits[:n]``, or -1 where that is not one of them.

    Places and how many they are add up in one number, each in half of it: one sum takes few vector instructions.
    """
    total = np.int64(0)
    for k in range(n):
        total += _ONE + k if bits[k] >= floor else np.int64(0)
    return total - _ONE if _ONE <= total < 2 * _ONE else np.int64(-1)


alone_from = kernel(_alone_from)


def _best_column(scores, cells, n, key, world):
    """Return the column in ``0 … n − 1`` of the greatest positive score, ties by keyed rank of its cell; or -1.

    No score may be negative.
    """
    top, bits, best = greatest(scores, n), as_integers(scores), np.int64(-1)
    if top <= 0.0:
        return best
    floor = np.float64(top * (1.0 - TIE)).view(np.int64)
    # Nearly always one column is alone at the top, and to see that takes no branch a column.
    alone = alone_from(bits, n, floor)
    if alone >= 0:
        return alone
    for k in range(n):
        if bits[k] >= floor:
            cell = np.int64(cells[k])
            if best < 0 or rank(key, world, cell) > rank(key, world, np.int64(cells[best])):
                best = np.int64(k)
    return best


best_column = kernel(_best_column)


def _work_score(fertile, growth, works):
    """Return a work's return per cost at D = ``works``, up to what its kind decides: fertility / (1 + growth · D)."""
    return fertile / work_growth(growth, works)


work_score = kernel(_work_score)


def _wall_score(steady, wall, rate):
    """Return the output guarded per unit of wall, once a course is added: steady output / (wall + rate)."""
    return steady / (wall + rate)


wall_score = kernel(_wall_score)


def _wall_worth(realm, k):
    """Return the threatened output that a wall on column ``k`` guards per unit, once a course is added."""
    return realm[Realm.WALL_SCORE, k] * (realm[Realm.RAIDED, k] + realm[Realm.EXPOSURE, k])


wall_worth = kernel(_wall_worth)


def _heuristic_work(realm, counts, n, key, world):
    """Return the column whose work has the largest return per cost, or -1."""
    return best_column(realm[Realm.WORK_SCORE], counts[Count.CELL], n, key, world)


heuristic_work = kernel(_heuristic_work)


def _heuristic_wall(realm, counts, n, key, world):
    """Return the column whose wall guards most output per unit, or -1; one raised this turn scores 0.

    The witnessed frequency of attacks and raids is common to the realm, so it does not change the order.
    """
    return best_column(realm[Realm.WALL_SCORE], counts[Count.CELL], n, key, world)


heuristic_wall = kernel(_heuristic_wall)
