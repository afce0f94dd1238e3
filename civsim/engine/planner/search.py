"""Search: the cheapest path of claims to every cell that a plan can take within its reach (Dijkstra 1959)."""

from __future__ import annotations

import math

from civsim.base.constants import NEVER, TIE, Category, Variable
from civsim.base.kernels import kernel
from civsim.engine.compiled import UNLIMITED
from civsim.engine.formulas import (
    claim_cost,
    defence_of,
    expected_loss,
    force_price,
    preferred,
    projected_force,
    rank,
    win_chance,
)
from civsim.engine.planner.belief import believe, known_rival, source_cell
from civsim.engine.planner.realm import rival_force_at
from civsim.engine.planner.rollout import Plan
from civsim.engine.work import Belief, Tally


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
    return math.ceil((cost - fund) / income)


paid_after = kernel(_paid_after)


def _relax(state, cfg, key, work, b, i, heap, cell, parent, root, fund, income, reach):
    """Offer ``cell`` the path through ``parent`` (-1: the realm itself, from turn ``root`` on); return the heap's size.

    Of two paths that cost the same the more valuable is kept, then the one whose last step ranks higher.
    """
    tally = work.tally
    held = tally[Tally.BASE_HELD] + tally[Tally.BASE_PENDING]
    before_cost, before_when, before_hops, before_worth = 0.0, root - cfg.claim_lag, 0, 0.0
    if parent >= 0:
        root = work.root[parent]
        before_cost, before_when = work.cost[parent], work.when[parent]
        before_hops, before_worth = work.hops[parent], work.worth[parent]
    believe(state, cfg, work, b, i, cell)
    cost = before_cost + claim_cost(work.claim_cost[cell], cfg.claim_growth, held + before_hops)
    met, worth, tied = work.mark[cell] == tally[Tally.STAMP], before_worth + work.value[cell], False
    if met and work.cost[cell] < 0.0:
        return heap
    if met and cost >= work.cost[cell] * (1.0 - TIE):
        # A parent costs strictly less than its cell, so every path of equal cost is offered before the cell is popped.
        tied = cost <= work.cost[cell] * (1.0 + TIE)
        if not tied or not preferred(
            worth, parent + 1, work.worth[cell], work.parent[cell] + 1, key, state.world_id[b]
        ):
            return heap
    when = max(before_when + cfg.claim_lag, paid_after(cost, fund, income))
    if reach < UNLIMITED and when > reach:
        return heap
    if work.rival_at[cell] <= when + cfg.claim_lag:
        return heap
    work.mark[cell] = tally[Tally.STAMP]
    work.when[cell] = when
    if not tied:
        work.cost[cell] = cost
    work.hops[cell], work.worth[cell] = before_hops + 1, worth
    work.parent[cell], work.root[cell] = parent, root
    if tied:
        return heap
    return heap_push(work.heap_key, work.heap_cell, heap, cost, cell)


relax = kernel(_relax)


def _offer(key, world, work, n, limit, cell, kind, score):
    """Keep ``cell`` among the ``limit`` best-scored candidates (ties by keyed rank); return how many there are."""
    at = n
    while at > 0:
        other = work.choice_score[at - 1]
        gap = score - other
        near = abs(gap) <= TIE * max(abs(score), abs(other))
        if near and rank(key, world, cell) <= rank(key, world, work.choice_cell[at - 1]):
            break
        if not near and gap < 0.0:
            break
        if at < limit:
            work.choice_score[at] = other
            work.choice_cell[at], work.choice_kind[at] = work.choice_cell[at - 1], work.choice_kind[at - 1]
        at -= 1
    if at >= limit:
        return n
    work.choice_score[at], work.choice_cell[at], work.choice_kind[at] = score, cell, kind
    return min(n + 1, limit)


offer = kernel(_offer)


def _attack_rate(state, cfg, work, b, i, cell, parent, rival):
    """Return the average believed rate of a path that ends in an attack on ``cell``; 0 where it cannot be made.

    Value won in expectation over costs, force lost in expectation at its replacement cost included.
    """
    attack = projected_force(state, cfg, b, i, cell)
    if attack < cfg.minimum_force:
        return 0.0
    believe(state, cfg, work, b, i, cell)
    source = source_cell(cfg, work.scalars, cell)
    known = state.seen[b, i, source] != NEVER
    wall = float(state.known_wall[b, i, source]) if known else 0.0
    ruggedness = float(state.ruggedness[b, source]) if known else work.scalars[Belief.RUGGEDNESS]
    defence = defence_of(rival_force_at(state, cfg, work, b, i, rival, cell), wall, ruggedness)
    chance = win_chance(attack, defence, cfg.decisiveness)
    lost = expected_loss(attack, chance, cfg.loss_winner, cfg.loss_loser) * force_price(state, cfg, b, i)
    # What is won, kept to the end of the game, must be able to repay the force it costs.
    if chance * work.value[cell] * cfg.annuity[cfg.turns - 1 - state.turn[b]] <= lost:
        return 0.0
    worth, cost = chance * work.value[cell], lost
    if parent >= 0:
        worth += work.worth[parent]
        cost += work.cost[parent]
    return worth / max(cost, TIE)


attack_rate = kernel(_attack_rate)


def _offer_attacks(state, cfg, key, work, b, i, found, cell, parent, attacks):
    """Offer attacks on rival neighbours of ``cell`` (``parent``: the path's last claim, or -1); return the count."""
    if not attacks or (parent < 0 and work.tally[Tally.ATTACKS_DONE] >= cfg.attacks_per_turn):
        return found
    for side in range(cfg.neighbours.shape[1]):
        other = cfg.neighbours[cell, side]
        if other < 0:
            continue
        rival = known_rival(state, b, i, other)
        if rival < 0 or work.mark[other] == work.tally[Tally.STAMP]:
            continue
        score = attack_rate(state, cfg, work, b, i, other, parent, rival)
        if score > 0.0:
            # Cells are finished in order of cost: the first path to border a rival cell is the cheapest.
            work.mark[other] = work.tally[Tally.STAMP]
            work.parent[other] = parent
            work.root[other] = 0.0 if parent < 0 else work.root[parent]
            work.hops[other] = 1 if parent < 0 else work.hops[parent] + 1
            found = offer(key, state.world_id[b], work, found, cfg.claim_candidates, other, Plan.ATTACK, score)
    return found


offer_attacks = kernel(_offer_attacks)


def _search(state, cfg, key, work, b, i, reach, income):
    """Fill the candidates with the best cells by average believed rate along their cheapest path; return how many.

    A path is several claims, no cell twice; an attack only ends one. It must be paid within ``reach`` turns at the
    present income of the settlement fund, and be there before rivals are expected.
    """
    tally = work.tally
    work.clock[1] += 1
    tally[Tally.STAMP] = work.clock[1]
    fund = float(state.stock[b, i, Category.SETTLEMENT])
    attacks = cfg.attacks_per_turn > 0 and work.attended[Variable.RIVALS] == 1
    heap, found = 0, 0
    for k in range(tally[Tally.BASE_HELD]):
        work.mark[work.own[k]] = tally[Tally.STAMP]
    for k in range(tally[Tally.BASE_PENDING]):
        work.mark[work.pending_cell[k]] = tally[Tally.STAMP]
        work.cost[work.pending_cell[k]] = -1.0
    for k in range(tally[Tally.BASE_HELD]):
        work.cost[work.own[k]] = -1.0
        found = offer_attacks(state, cfg, key, work, b, i, found, work.own[k], -1, attacks)
    for k in range(tally[Tally.BASE_FRONT]):
        heap = relax(state, cfg, key, work, b, i, heap, work.front[k], -1, 0.0, fund, income, reach)
    for k in range(tally[Tally.BASE_PENDING]):
        for side in range(cfg.neighbours.shape[1]):
            other = cfg.neighbours[work.pending_cell[k], side]
            if other >= 0 and known_rival(state, b, i, other) < 0:
                due = float(work.pending_due[k])
                heap = relax(state, cfg, key, work, b, i, heap, other, -1, due, fund, income, reach)
    while heap > 0:
        cell, cost, heap = heap_pop(work.heap_key, work.heap_cell, heap)
        if cost > work.cost[cell]:
            continue
        if work.worth[cell] > 0.0:
            score = work.worth[cell] / cost
            found = offer(key, state.world_id[b], work, found, cfg.claim_candidates, cell, Plan.CLAIM, score)
        found = offer_attacks(state, cfg, key, work, b, i, found, cell, cell, attacks)
        for side in range(cfg.neighbours.shape[1]):
            other = cfg.neighbours[cell, side]
            if other >= 0 and known_rival(state, b, i, other) < 0:
                heap = relax(state, cfg, key, work, b, i, heap, other, cell, 0.0, fund, income, reach)
    return found


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
