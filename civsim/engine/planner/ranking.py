"""Rankings: what the base policy would choose next, in order, so that a rollout need not look for it over all there is.

The rollouts of a deliberation start from one realm, and most of it none of them changes. So columns and cells are
ranked once for all of them, as far as any asks, and a rollout walks down the ranking by a pointer. Beside that it keeps
a short list of what it has changed itself, and a bound of how well that scores: only where the bound comes near what is
next in the ranking is the list looked through, and only where two are nearly tied everything. What is chosen is what
a look over everything would choose: the greatest score, and of those tied with it the greatest keyed rank.
"""

from __future__ import annotations

import numpy as np

from civsim.base.constants import NOBODY, TIE
from civsim.base.kernels import inlined, kernel
from civsim.engine.planner.heuristic import alone_from, as_integers, best_column, greatest
from civsim.engine.planner.ladder import base_claim
from civsim.engine.planner.minds import is_lost
from civsim.engine.planner.plan import BaseRule
from civsim.engine.planner.ways import CLEARLY
from civsim.engine.work import Base, Clock, Count, PlanField, Purse, Ranked, Ranks, Realm, Roll

_UNMADE, _TIED = -1, -2
_RANKINGS = len(Ranked)


def _forget_ranks(work):
    """Say that the realm has changed: rankings are made anew when they are asked for."""
    for which in range(_RANKINGS):
        work.ranks[which, Ranks.LENGTH] = _UNMADE


forget_ranks = kernel(_forget_ranks)


def _begin_ranks(work, which):
    """Begin a ranking: nothing is ranked yet, and what each scores is in ``work.unranked``."""
    ranks, left = work.ranks[which], work.unranked[which]
    ranks[Ranks.LENGTH], ranks[Ranks.CLOSE], ranks[Ranks.OF] = 0, 0, work.sizes[Base.HELD]
    if which < Ranked.LAND:
        scores = work.base[Realm.WORK_SCORE + which]
        for k in range(work.sizes[Base.HELD]):
            left[k] = scores[k]
        return
    ranks[Ranks.OF] = work.sizes[Base.FRONT]
    index = work.ratio if which == Ranked.LAND else work.potential
    for k in range(work.sizes[Base.FRONT]):
        left[k] = max(index[work.front[k]], 0.0)


begin_ranks = kernel(_begin_ranks)


def _rank_next(work, which, key, world):
    """Rank one more column, or cell. Return False where none is left that scores.

    Near ties are not transitive: where some score is close to one that is close to the greatest, what is taken away
    decides between them. That is noted, and such a ranking is not gone by.
    """
    if work.ranks[which, Ranks.LENGTH] == _UNMADE:
        begin_ranks(work, which)
    ranks, left = work.ranks[which], work.unranked[which]
    n, cells = ranks[Ranks.OF], work.base_counts[Count.CELL] if which < Ranked.LAND else work.front
    top = greatest(left, n)
    if top <= 0.0:
        return False
    place = alone_from(as_integers(left), n, np.float64(top * CLEARLY).view(np.int64))
    if place < 0:
        place = best_column(left, cells, n, key, world)
        for k in range(n):
            if CLEARLY * top <= left[k] < top * (1.0 - TIE):
                ranks[Ranks.CLOSE] = 1
    left[place] = 0.0
    work.ranked[which, ranks[Ranks.LENGTH]] = place if which < Ranked.LAND else cells[place]
    ranks[Ranks.LENGTH] += 1
    return True


rank_next = kernel(_rank_next)


def _begin_walks(work):
    """Put a rollout's pointers at the head of each ranking; it has changed nothing yet."""
    for which in range(_RANKINGS):
        work.roll[Roll.AT + which] = 0
        work.purse[Purse.BOUND + which] = 0.0
    work.roll[Roll.CHANGED], work.roll[Roll.CHANGED_WALLS] = 0, 0


begin_walks = kernel(_begin_walks)


def _is_changed(work, which, k):
    """Return True where a rollout has changed what column ``k`` scores for works, or for walls."""
    return work.changed[which, k] >= 2 * work.clock[Clock.MARK]


is_changed = inlined(_is_changed)


def _note_change(work, which, k):
    """Note that a rollout has changed what column ``k`` scores for works, or for walls, after it has.

    What scores nothing is not listed: its stamp is even.
    """
    roll, purse, now = work.roll, work.purse, 2 * work.clock[Clock.MARK]
    score = work.realm[Realm.WORK_SCORE + which, k]
    if score <= 0.0:
        work.changed[which, k] = max(work.changed[which, k], now)
        return
    if work.changed[which, k] != now + 1:
        work.changed[which, k] = now + 1
        work.roll_changed[which, roll[Roll.CHANGED + which]] = k
        roll[Roll.CHANGED + which] += 1
    purse[Purse.BOUND + which] = max(purse[Purse.BOUND + which], score)


note_change = inlined(_note_change)


def _note_changes(work, k):
    """Note that a rollout has changed what column ``k`` scores, or added it, after it has."""
    note_change(work, np.int64(Ranked.WORKS), k)
    note_change(work, np.int64(Ranked.WALLS), k)


note_changes = inlined(_note_changes)


def _next_unchanged(work, which, key, world):
    """Return the first column of a ranking, of those that a rollout has not changed; -1 where none scores."""
    at = work.roll[Roll.AT + which]
    while True:
        if at >= work.ranks[which, Ranks.LENGTH] and not rank_next(work, which, key, world):
            k = np.int64(NOBODY)
            break
        k = np.int64(work.ranked[which, at])
        if not is_changed(work, which, k):
            break
        at += 1
    work.roll[Roll.AT + which] = at
    return k


next_unchanged = inlined(_next_unchanged)


def _next_column(key, work, world, which):
    """Return the column of a rolled realm with the greatest score, for works or for walls; -1 where none scores."""
    scores, k = work.realm[Realm.WORK_SCORE + which], next_unchanged(work, which, key, world)
    score = scores[k] if k >= 0 else 0.0
    close = work.ranks[which, Ranks.CLOSE] == 1
    if work.purse[Purse.BOUND + which] < CLEARLY * score and not close:
        return k
    top, second, best, at, n = 0.0, 0.0, np.int64(NOBODY), np.int64(0), work.roll[Roll.CHANGED + which]
    while at < n:
        other = np.int64(work.roll_changed[which, at])
        here = scores[other]
        if here <= 0.0:
            # It is listed again once it scores.
            n -= 1
            work.roll_changed[which, at] = work.roll_changed[which, n]
            work.changed[which, other] = 2 * work.clock[Clock.MARK]
            continue
        if here > top:
            top, second, best = here, top, other
        else:
            second = max(second, here)
        at += 1
    work.roll[Roll.CHANGED + which] = n
    work.purse[Purse.BOUND + which] = top
    if not close:
        if top < CLEARLY * score or top <= 0.0:
            return k
        if max(second, score) < CLEARLY * top:
            return best
    return best_column(scores, work.counts[Count.CELL], work.roll[Roll.HELD], key, world)


next_column = kernel(_next_column)


def _note_new(work, cell):
    """Note that ``cell`` is new on the rolled frontier, after its index is made."""
    purse = work.purse
    purse[Purse.BOUND_LAND] = max(purse[Purse.BOUND_LAND], work.ratio[cell])
    purse[Purse.BOUND_PATHS] = max(purse[Purse.BOUND_PATHS], work.potential[cell])


note_new = inlined(_note_new)


def _put_in(work, n, most, item, score):
    """Put an item in its place among the ``n`` chosen so far, the greatest score first, ``most`` at most.

    Return (how many there are then, score of what was left out; 0 where nothing was).
    """
    chosen, scores, left_out = work.chosen, work.chosen_score, 0.0
    if n == most:
        if score <= scores[n - 1]:
            return n, score
        n -= 1
        left_out = scores[n]
    at = n
    while at > 0 and scores[at - 1] < score:
        chosen[at], scores[at] = chosen[at - 1], scores[at - 1]
        at -= 1
    chosen[at], scores[at] = item, score
    return n + 1, left_out


put_in = inlined(_put_in)


def _choose_columns(key, work, world, which, most):
    """Write to ``work.chosen`` the columns of a rolled realm that would be next one after another, ``most`` at most.

    Each is taken to score nothing once it is chosen, so that only the last of them must be clear of those left out.
    Return how many there are, all that score where they are fewer than ``most``; -1 where near ties decide.
    """
    scores, n, left_out = work.realm[Realm.WORK_SCORE + which], np.int64(0), 0.0
    for at in range(work.roll[Roll.CHANGED + which]):
        k = np.int64(work.roll_changed[which, at])
        if scores[k] > 0.0:
            n, out = put_in(work, n, most, k, scores[k])
            left_out = max(left_out, out)
    next_unchanged(work, which, key, world)
    at = work.roll[Roll.AT + which]
    while at < work.ranks[which, Ranks.LENGTH] or rank_next(work, which, key, world):
        k = np.int64(work.ranked[which, at])
        if not is_changed(work, which, k):
            if n == most and scores[k] <= work.chosen_score[n - 1]:
                left_out = max(left_out, scores[k])
                break
            n, out = put_in(work, n, most, k, scores[k])
            left_out = max(left_out, out)
        at += 1
    if work.ranks[which, Ranks.CLOSE] == 1 or (n == most and left_out >= CLEARLY * work.chosen_score[n - 1]):
        return np.int64(-1)
    return n


choose_columns = kernel(_choose_columns)


def _is_open(work, cell, arrival):
    """Return True where ``cell`` of the rolled frontier is not claimed, and no rival holds it before ``arrival``."""
    return work.claimed[cell] != work.clock[Clock.MARK] and not is_lost(work, cell, arrival)


is_open = inlined(_is_open)


def _next_open(work, which, arrival, key, world):
    """Return the first cell of a ranking that is open for a party that is there at ``arrival``; -1 for none."""
    at = work.roll[Roll.AT + which]
    while True:
        if at >= work.ranks[which, Ranks.LENGTH] and not rank_next(work, which, key, world):
            cell = np.int64(NOBODY)
            break
        cell = np.int64(work.ranked[which, at])
        if is_open(work, cell, arrival):
            break
        at += 1
    work.roll[Roll.AT + which] = at
    return cell


next_open = inlined(_next_open)


def _next_by_index(work, which, arrival, key, world):
    """Return the open cell of the rolled frontier of the greatest index; -1 for none, -2 where near ties decide."""
    cell, index = next_open(work, which, arrival, key, world), work.ratio
    if which == Ranked.PATHS:
        index = work.potential
    score = index[cell] if cell >= 0 else 0.0
    if work.ranks[which, Ranks.CLOSE] == 1:
        return np.int64(_TIED)
    if work.purse[Purse.BOUND + which] < CLEARLY * score:
        return cell
    top, second, best = 0.0, 0.0, np.int64(NOBODY)
    for k in range(work.sizes[Base.FRONT], work.roll[Roll.FRONT]):
        other = np.int64(work.roll_front[k])
        if index[other] <= second or not is_open(work, other, arrival):
            continue
        if index[other] > top:
            top, second, best = index[other], top, other
        else:
            second = index[other]
    work.purse[Purse.BOUND + which] = top
    if top < CLEARLY * score or top <= 0.0:
        return cell
    return best if max(second, score) < CLEARLY * top else np.int64(_TIED)


next_by_index = kernel(_next_by_index)


def _look_over(state, key, work, b, arrival):
    """Return the cell that the base claims next, looked for over the whole rolled frontier; -1 for none."""
    n, base = np.int64(0), work.plan[PlanField.BASE]
    for k in range(work.roll[Roll.FRONT]):
        cell = work.roll_front[k]
        if is_open(work, np.int64(cell), arrival):
            work.unclaimed[n] = cell
            n += 1
    at = base_claim(state, key, work, b, work.unclaimed, n, base, arrival, work.roll_rival)
    return np.int64(work.unclaimed[at]) if at >= 0 else np.int64(NOBODY)


look_over = kernel(_look_over)


def _next_land(state, key, work, b, arrival):
    """Return the cell of the rolled frontier that the base claims next, for a party there at ``arrival``; -1 for none.

    Where no cell has a potential the index rule is the rule of thumb, see ``ladder.base_claim``.
    """
    world, cell = state.world_id[b], np.int64(NOBODY)
    if work.plan[PlanField.BASE] == BaseRule.INDEX:
        cell = next_by_index(work, np.int64(Ranked.PATHS), arrival, key, world)
    if cell == NOBODY:
        cell = next_by_index(work, np.int64(Ranked.LAND), arrival, key, world)
    return look_over(state, key, work, b, arrival) if cell == _TIED else cell


next_land = kernel(_next_land)
