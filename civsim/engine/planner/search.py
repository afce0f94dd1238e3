"""Search: the cheapest path of claims to every cell that a plan can take within its reach (Dijkstra 1959).

What it is for is a cell's *potential*: the best index of any path that leads on from it. A realm that always claims the
frontier cell of greatest potential walks the best path, and whatever is next best while its party is on the way.
"""

from __future__ import annotations

import math

import numpy as np

from civsim.base.constants import NOBODY, TIE
from civsim.base.kernels import inlined, kernel
from civsim.engine.compiled import UNLIMITED
from civsim.engine.formulas import claim_growth, preferred, rank
from civsim.engine.knowledge.beliefs import believe
from civsim.engine.planner.belief import begin_marks, is_marked, set_mark
from civsim.engine.planner.ladder import holdings_now, worth_of
from civsim.engine.planner.ways import CLEARLY
from civsim.engine.work import Base, Count, Fund, Levels


def _heap_push(keys, cells, n, key, cell):
    """Push (key, cell) onto the binary min-heap of ``n`` entries; return the new size."""
    at = n
    while at > 0:
        up = (at - 1) // 2
        if keys[up] <= key:
            break
        keys[at], cells[at] = keys[up], cells[up]
        at = up
    keys[at], cells[at] = key, cell
    return n + 1


heap_push = kernel(_heap_push)


def _heap_pop(keys, cells, n):
    """Remove the least entry of a heap of ``n`` ≥ 1; return (cell, key, new size)."""
    top_cell, top_key = cells[0], keys[0]
    n -= 1
    key, cell = keys[n], cells[n]
    at = 0
    while True:
        child = 2 * at + 1
        if child >= n:
            break
        if child + 1 < n and keys[child + 1] < keys[child]:
            child += 1
        if keys[child] >= key:
            break
        keys[at], cells[at] = keys[child], cells[child]
        at = child
    keys[at], cells[at] = key, cell
    return top_cell, top_key, n


heap_pop = kernel(_heap_pop)


def _paid_after(cost, fund, income):
    """Return after how many turns a fund growing by ``income`` has paid ``cost``; inf if never."""
    if cost <= fund:
        return 0.0
    if income <= 0.0:
        return math.inf
    turns = (cost - fund) / income
    return math.ceil(turns) if turns < UNLIMITED else math.inf


paid_after = kernel(_paid_after)


def _earned_by(work, cell, income):
    """Return what ``cell`` adds to the income of the settlement fund, now ``income``, once it is settled."""
    if work.funds[Fund.OUTPUT] <= 0.0:
        return 0.0
    return work.value[cell] * income / work.funds[Fund.OUTPUT] * work.funds[Fund.COMMANDED]


earned_by = kernel(_earned_by)


def _pay_on(cfg, work, parent, price, income):
    """Return (turns until a claim of this ``price`` after ``parent`` is paid, fund left, income then).

    What a path's own cells earn from when they are settled pays for what comes after them.
    """
    if parent < 0:
        when = paid_after(price, work.funds[Fund.SETTLEMENT], income)
        return when, work.funds[Fund.SETTLEMENT] + income * when - price, income
    since, fund, before = work.when[parent], work.spared[parent], work.earns[parent]
    more = earned_by(work, parent, income)
    idle = max(cfg.claim_lag, 1) - 1
    turns = max(paid_after(price + more * idle, fund, before + more), float(cfg.claim_lag))
    return since + turns, fund + before * turns + more * max(turns - idle, 0.0) - price, before + more


pay_on = kernel(_pay_on)


def _most_payable(cfg, work, parent, income):
    """Return the most that a claim after ``parent`` may cost (-1: the first) to be paid within reach; none above is.

    What :func:`pay_on` finds paid at reach turns, solved for the price: one number a path, where that takes a division
    a cell. It is given away generously, by what rounding could do and more.
    """
    reach = work.levels[Levels.REACH]
    if reach >= UNLIMITED:
        return math.inf
    if parent < 0:
        return (work.funds[Fund.SETTLEMENT] + max(income, 0.0) * reach) * (1.0 + TIE)
    turns, idle = reach - work.when[parent], max(cfg.claim_lag, 1) - 1
    if turns < cfg.claim_lag:
        return -1.0
    before, more = work.earns[parent], earned_by(work, parent, income)
    return (work.spared[parent] + max(before + more, 0.0) * turns - more * idle) * (1.0 + TIE)


most_payable = kernel(_most_payable)


def _relax(state, cfg, key, work, b, i, heap, cell, parent, root, income, price):
    """Offer ``cell``, at its ``price``, the path through ``parent`` (-1: the realm itself, from turn ``root`` on).

    Of two paths that cost the same the more valuable is kept, then the one whose last step ranks higher. Return the
    heap's size.
    """
    before_cost, before_hops, before_worth = 0.0, 0, 0.0
    if parent >= 0:
        root = work.root[parent]
        before_cost, before_hops, before_worth = work.cost[parent], work.hops[parent], work.worth[parent]
    met, tied = is_marked(work, cell), False
    cost = before_cost + price
    when, spared, earns = pay_on(cfg, work, parent, price, income)
    if parent < 0 and root > when:
        spared, when = spared + income * (root - when), root
    worth = before_worth + worth_of(cfg, work, work.value[cell], when)
    if met and cost >= work.cost[cell] * (1.0 - TIE):
        # A parent costs strictly less than its cell, so every path of equal cost is offered before the cell is popped.
        tied = cost <= work.cost[cell] * (1.0 + TIE)
        if not tied or not preferred(
            worth, parent + 1, work.worth[cell], np.int64(work.parent[cell] + 1), key, state.world_id[b]
        ):
            return heap
    if when == math.inf or (work.levels[Levels.REACH] < UNLIMITED and when > work.levels[Levels.REACH]):
        return heap
    if work.rival_at[cell] < math.inf:
        work.sizes[Base.CONTESTED] = 1
        if work.rival_at[cell] < when + cfg.claim_lag:
            return heap
    set_mark(work, cell)
    work.when[cell], work.spared[cell], work.earns[cell] = when, spared, earns
    if not tied:
        work.cost[cell] = cost
    work.hops[cell], work.worth[cell] = before_hops + 1, worth
    work.parent[cell], work.root[cell] = parent, root
    if tied:
        return heap
    return heap_push(work.heap_key, work.heap_cell, heap, cost, cell)


relax = kernel(_relax)


def _relax_if_better(state, cfg, key, work, b, i, heap, cell, parent, root, income, growth, most):
    """Offer ``cell`` the path through ``parent`` unless it is a way round, or too dear; return the heap's size.

    Most offers are one or the other, which needs no date to see. ``growth`` is that of claims there, ``most`` what
    :func:`most_payable` says.
    """
    believe(state, cfg, work, b, i, cell)
    price = work.claim_cost[cell] * growth
    if price > most:
        return heap
    if is_marked(work, cell):
        # What is held, or has a party under way, costs less than nothing: nothing undercuts it.
        before = work.cost[parent] if parent >= 0 else 0.0
        if work.cost[cell] < 0.0 or before + price > work.cost[cell] * (1.0 + TIE):
            return heap
    return relax(state, cfg, key, work, b, i, heap, cell, parent, root, income, price)


relax_if_better = inlined(_relax_if_better)


def _offer(key, world, work, n, limit, entity, score):
    """Make room for a candidate among the ``limit`` best-scored of now ``n`` (ties by keyed rank of the entity).

    Return its place, or -1 where it is none of them; the caller writes there what the candidate is.
    """
    at = n
    while at > 0:
        other = work.choice_score[at - 1]
        gap = score - other
        near = abs(gap) <= TIE * max(abs(score), abs(other))
        if near and rank(key, world, entity) <= rank(key, world, work.choice_entity[at - 1]):
            break
        if not near and gap < 0.0:
            break
        if at < limit:
            work.choice_score[at], work.choice_entity[at] = other, work.choice_entity[at - 1]
            work.choice_plan[at], work.choice_column[at] = work.choice_plan[at - 1], work.choice_column[at - 1]
            work.choice_menu[at] = work.choice_menu[at - 1]
        at -= 1
    if at >= limit:
        return -1
    work.choice_score[at], work.choice_entity[at] = score, entity
    return at


offer = kernel(_offer)


def _relax_around(state, cfg, key, work, b, i, heap, cell, parent, root, income):
    """Offer the cells beside ``cell`` that seem free a path through ``parent``; return the heap's size."""
    holdings, most = holdings_now(work), most_payable(cfg, work, parent, income)
    growth = claim_growth(cfg.claim_growth, holdings + (work.hops[parent] if parent >= 0 else 0))
    for side in range(cfg.neighbours.shape[1]):
        other = cfg.neighbours[cell, side]
        if other >= 0 and work.holder[other] == NOBODY:
            heap = relax_if_better(state, cfg, key, work, b, i, heap, other, parent, root, income, growth, most)
    return heap


relax_around = kernel(_relax_around)


def _spread_potential(work, finished):
    """Fill ``work.potential`` and ``work.goal`` of the ``finished`` cells, listed in ``work.queue``.

    The potential is the greatest index of any path from the cell on: what was paid to come there is sunk.
    """
    for k in range(finished):
        end = work.queue[k]
        cell = end
        while cell >= 0:
            before = work.parent[cell]
            worth, cost = work.worth[end], work.cost[end]
            if before >= 0:
                worth, cost = worth - work.worth[before], cost - work.cost[before]
            # Most paths on are clearly worse than the best, which a product shows sooner than a quotient.
            if worth > CLEARLY * work.potential[cell] * cost and worth / cost > work.potential[cell]:
                work.potential[cell], work.goal[cell] = worth / cost, end
            cell = before


spread_potential = kernel(_spread_potential)


def _search(state, cfg, key, work, b, i, income):
    """Find the paths and fill ``work.potential``; return how many cells ``work.queue`` lists, in order of path cost.

    A path is several claims, no cell twice. It must be paid within reach by the settlement fund at its present
    ``income`` and by what the path earns, and be there no later than rivals are expected.
    """
    sizes = work.sizes
    begin_marks(work)
    heap, finished, nobody = np.int64(0), np.int64(0), np.int64(NOBODY)
    for k in range(sizes[Base.HELD]):
        set_mark(work, work.base_counts[Count.CELL, k])
        work.cost[work.base_counts[Count.CELL, k]] = -1.0
    for k in range(sizes[Base.PENDING]):
        set_mark(work, work.pending_cell[k])
        work.cost[work.pending_cell[k]] = -1.0
    most = most_payable(cfg, work, nobody, income)
    growth = claim_growth(cfg.claim_growth, sizes[Base.HELD] + sizes[Base.PENDING])
    for k in range(sizes[Base.FRONT]):
        cell = work.front[k]
        heap = relax_if_better(state, cfg, key, work, b, i, heap, cell, nobody, 0.0, income, growth, most)
    for k in range(sizes[Base.PENDING]):
        due = float(work.pending_due[k])
        heap = relax_around(state, cfg, key, work, b, i, heap, work.pending_cell[k], nobody, due, income)
    while heap > 0:
        cell, cost, heap = heap_pop(work.heap_key, work.heap_cell, heap)
        if cost > work.cost[cell]:
            continue
        work.queue[finished] = cell
        finished += 1
        heap = relax_around(state, cfg, key, work, b, i, heap, cell, np.int64(cell), 0.0, income)
    spread_potential(work, finished)
    return finished


search = kernel(_search)


def _trace(work, cell):
    """Write the path that ends in ``cell`` to ``work.path``, first step first; return its length."""
    length = work.hops[cell]
    at = cell
    for k in range(length - 1, -1, -1):
        work.path[k] = at
        at = work.parent[at]
    return length


trace = kernel(_trace)
