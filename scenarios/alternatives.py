"""What a civilization could order on land in a turn, ranked as one who knew the land and the rivals would rank it.

A claim is scored by the greatest index of a path of claims that begins with it: what the cells of the path give from
their arrival to the end of the game, discounted, over what they cost. A path's cells are claimed one after another,
each when the one before has arrived and the fund, at the income of the turn, has paid for it; of all paths to a cell
the cheapest counts (of equals the most valuable), and those that cannot begin now are nobody's. Cells to which a
rival's party is on its way, and will be first, are no part of a path. An attack is scored alike: what the cell gives
in expectation over what the battle costs in expectation.

Nothing here is what a civilization knows: the scores are read off the true world. They decide what is tried, never
what is done.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from civsim.base.constants import NOBODY, TIE, Category, OrderKind
from civsim.base.kernels import kernel
from civsim.base.pointer import Pointer
from civsim.base.randomness import as_key
from civsim.engine.formulas import (
    borders,
    cell_output,
    claim_base,
    claim_cost,
    defence_of,
    expected_loss,
    force_price,
    long_run_fertility,
    preferred,
    projected_force,
    rank,
    win_chance,
    works_captured,
)
from civsim.engine.knowledge.beliefs import uptime
from civsim.engine.planner.search import heap_pop, heap_push, paid_after
from civsim.engine.rules.resolution import parties_under_way
from civsim.engine.work import HEAP_FACTOR
from civsim.engine.world import World


class Alternative(NamedTuple):
    """An order on land that could be carried out now."""

    kind: int  # OrderKind: a claim or an attack
    cell: int
    score: float  # discounted output over cost


def _output_of(state, cfg, b, c, works):
    """Return what cell ``c`` gives a turn in expectation, held with ``works`` (output)."""
    share = uptime(cfg, np.float64(state.hazard[b, c])) if cfg.hazard_on else 1.0
    ore = cfg.ore_weight * np.float64(state.ore[b, c])
    return cell_output(long_run_fertility(state, cfg, b, c) * share, works, ore * share)


output_of = kernel(_output_of)


def _stream(cfg, left, after):
    """Return the discounted sum of 1 a turn, from ``after`` turns on to the last of the ``left`` that remain."""
    first = max(after, 1)
    return cfg.annuity[left] - cfg.annuity[first - 1] if first <= left else 0.0


stream = kernel(_stream)


def _list_free(state, b, i, free, due):
    """Mark the cells that may be claimed, and fill the turns until the first party of a rival is there (inf: none)."""
    for c in range(free.shape[0]):
        free[c], due[c] = state.owner[b, c] == NOBODY, math.inf
    for j in range(state.party_cell.shape[1]):
        for slot in range(state.party_cell.shape[2]):
            cell = state.party_cell[b, j, slot]
            if cell >= 0 and j == i:
                free[cell] = False
            elif cell >= 0:
                due[cell] = min(due[cell], due_in(state, b, j, slot))


def _due_in(state, b, i, slot):
    """Return in how many turns a party arrives, counted from the turn just played."""
    return float(state.party_due[b, i, slot] - state.turn[b] + 1)


due_in = kernel(_due_in)
list_free = kernel(_list_free)


def _step_to(state, cfg, key, b, i, desk, heap, cell, parent, ready, first, income):
    """Offer free ``cell`` a path, through ``parent`` or (-1) from the realm as it is in ``ready`` turns.

    ``first`` is the claim of this turn that the path begins with, or -1 for none. Return the heap's size.
    """
    left = cfg.turns - state.turn[b]
    cost, when, hops, worth = 0.0, ready - cfg.claim_lag, 0, 0.0
    if parent >= 0:
        cost, when, hops, worth = desk.cost[parent], desk.when[parent], desk.hops[parent], desk.worth[parent]
    holdings = state.cells[b, i] + parties_under_way(state, b, i) + hops
    flat = claim_base(cfg.claim_cost, cfg.claim_rugged, np.float64(state.ruggedness[b, cell]))
    cost += claim_cost(flat, cfg.claim_growth, holdings)
    when = max(when + cfg.claim_lag, paid_after(cost, np.float64(state.stock[b, i, Category.SETTLEMENT]), income))
    arrival = when + cfg.claim_lag
    tied = abs(cost - desk.cost[cell]) <= TIE * cost
    if arrival > left or desk.due[cell] < arrival or (cost > desk.cost[cell] and not tied):
        return heap
    worth += output_of(state, cfg, b, cell, np.float64(state.works[b, cell])) * stream(cfg, left, int(arrival))
    # A path costs more than any part of it, so all that cost the same are offered before the cell's turn comes.
    if tied and not preferred(worth, parent + 1, desk.worth[cell], desk.parent[cell] + 1, key, state.world_id[b]):
        return heap
    desk.when[cell], desk.hops[cell], desk.worth[cell] = when, hops + 1, worth
    desk.parent[cell], desk.first[cell] = parent, first
    if tied:
        return heap
    desk.cost[cell] = cost
    return heap_push(desk.heap_key, desk.heap_cell, heap, cost, cell)


step_to = kernel(_step_to)


class Desk(NamedTuple):
    """Working space of a search over C cells."""

    free: NDArray[np.uint8]  # [C] 1 where nobody holds it and no party of one's own is under way to it
    due: NDArray[np.float64]  # [C] turns until the first party of a rival is there
    cost: NDArray[np.float64]  # [C] of the cheapest path to the cell (output); inf where none is found
    when: NDArray[np.float64]  # [C] turns until its last claim is paid
    worth: NDArray[np.float64]  # [C] what it gives (output, discounted to now)
    hops: NDArray[np.int64]  # [C] claims on it
    parent: NDArray[np.int64]  # [C] the cell before, or -1
    first: NDArray[np.int64]  # [C] the claim of this turn that it begins with, or -1
    heap_key: NDArray[np.float64]  # [5 C]
    heap_cell: NDArray[np.int32]  # [5 C]


def make_desk(n_cells: int) -> Pointer:
    """Return working space (:class:`Desk`) for maps of ``n_cells`` cells."""
    floats, whole = (np.zeros((n, n_cells), kind) for n, kind in ((4, np.float64), (3, np.int64)))
    slots = n_cells * HEAP_FACTOR
    heap = np.zeros(slots, np.float64), np.zeros(slots, np.int32)
    return Pointer(Desk._make((np.zeros(n_cells, np.uint8), *floats, *whole, *heap)))


def _around(state, cfg, key, b, i, desk, heap, cell, parent, ready, first, income):
    """Offer the free neighbours of ``cell`` a path (see :func:`step_to`). Return the heap's size."""
    for side in range(cfg.neighbours.shape[1]):
        other = np.int64(cfg.neighbours[cell, side])
        if other >= 0 and desk.free[other]:
            heap = step_to(state, cfg, key, b, i, desk, heap, other, parent, ready, first, income)
    return heap


around = kernel(_around)


def _score_claims(state, cfg, key, b, i, income, desk, score):
    """Fill ``score``, float64 [C], with the index of every claim that can be paid now, 0 for any other cell.

    The turn has been played, without an order of civilization ``i``; ``income`` is what its fund gains a turn (output).
    """
    nobody, heap = np.int64(NOBODY), 0
    list_free(state, b, i, desk.free, desk.due)
    score[:], desk.cost[:] = 0.0, math.inf
    fund = np.float64(state.stock[b, i, Category.SETTLEMENT])
    for c in range(cfg.n_cells):
        if desk.free[c] and borders(state.owner[b], cfg.neighbours, c, i):
            heap = step_to(state, cfg, key, b, i, desk, heap, np.int64(c), nobody, 0.0, np.int64(c), income)
            if desk.cost[c] > fund:
                desk.first[c] = NOBODY
    for slot in range(state.party_cell.shape[2]):
        cell = np.int64(state.party_cell[b, i, slot])
        if cell >= 0:
            heap = around(state, cfg, key, b, i, desk, heap, cell, nobody, due_in(state, b, i, slot), nobody, income)
    while heap > 0:
        cell, cost, heap = heap_pop(desk.heap_key, desk.heap_cell, heap)
        if cost > desk.cost[cell]:
            continue
        first = desk.first[cell]
        if first >= 0:
            score[first] = max(score[first], desk.worth[cell] / cost)
        heap = around(state, cfg, key, b, i, desk, heap, np.int64(cell), np.int64(cell), 0.0, first, income)


score_claims = kernel(_score_claims)


def _score_attacks(state, cfg, b, i, score):
    """Fill ``score``, float64 [C], with the index of every attack that can be made now, 0 for any other cell."""
    score[:] = 0.0
    left = cfg.turns - state.turn[b]
    for c in range(cfg.n_cells):
        j = np.int64(state.owner[b, c])
        if j in (NOBODY, i) or not borders(state.owner[b], cfg.neighbours, c, i):
            continue
        attack = projected_force(state, cfg, b, i, c)
        if attack < cfg.minimum_force:
            continue
        guard = projected_force(state, cfg, b, j, c)
        defence = defence_of(guard, np.float64(state.wall[b, c]), np.float64(state.ruggedness[b, c]))
        chance = win_chance(attack, defence, cfg.decisiveness)
        output = output_of(state, cfg, b, c, works_captured(cfg, np.float64(state.works[b, c])))
        lost = expected_loss(attack, chance, cfg.loss_winner, cfg.loss_loser) * force_price(state, cfg, b, i)
        score[c] = chance * output * stream(cfg, left, np.int64(cfg.capture_turns + 1)) / max(lost, TIE)


score_attacks = kernel(_score_attacks)


def alternatives(world: World, row: int, seat: int, desk: Pointer) -> list[Alternative]:
    """Return every claim and attack that a civilization could have ordered in the turn just played, the best first.

    Of equal scores the cell that ranks higher comes first: the rank by which the world breaks every tie.

    Args:
        world: worlds after a turn in which the civilization gave no order.
        row: one of them, in [0, B).
        seat: the civilization, in [0, N).
        desk: :func:`make_desk` of this map's cells; it is written over.
    """
    state, _, cfg = world.pointers
    key, world_id = as_key(world.seed), int(world.state.world_id[row])
    if not world.state.alive[row, seat]:
        return []
    scores = np.zeros((2, world.n_cells), np.float64)
    if world.config.claims_per_turn > 0:
        income = float(world.shares[row, seat, Category.SETTLEMENT]) * float(world.state.output[row, seat])
        score_claims(state, cfg, key, row, seat, income, desk, scores[OrderKind.CLAIM])
    if world.config.attacks_per_turn > 0:
        score_attacks(state, cfg, row, seat, scores[OrderKind.ATTACK])
    found = [Alternative(int(kind), int(cell), float(scores[kind, cell])) for kind, cell in np.argwhere(scores > 0.0)]
    return sorted(found, key=lambda one: (-one.score, one.kind, -rank(key, world_id, one.cell)))
