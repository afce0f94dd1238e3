"""Settling land, solved by exhaustion: the oracle that planners are measured against.

One civilization on deterministic, fully seen land puts a fixed share of its output into the settlement fund. Claims
cost ``claim_cost · (1 + growth · (holdings − 1))`` and arrive after ``lag`` turns. For a given sequence it never
pays to make one later than it can be made, since costs do not fall and the fund does not shrink; hence the best value
is the best over all sequences. Funds are kept in float32, as the rules keep them.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from civsim.base.kernels import kernel

FREE, OWN, PENDING = 0, 1, 2


class Problem(NamedTuple):
    """One small world; C cells."""

    fertility: NDArray[np.float64]  # [C] output per turn
    claim_cost: NDArray[np.float64]  # [C] cost of a claim before growth
    neighbours: NDArray[np.int32]  # [C, 4]
    capital: int
    share: float  # of output that goes to the settlement fund
    growth: float
    lag: int
    per_turn: int
    turns: int
    discount: float


def _advance(problem, state, due, book):
    """Let a turn begin: arrivals, output, funds. ``book`` is [turn, claims made, fund, value, holdings]."""
    book[0] += 1
    book[1] = 0
    output = 0.0
    for cell in range(state.shape[0]):
        if state[cell] == PENDING and due[cell] <= book[0]:
            state[cell] = OWN
        if state[cell] == OWN:
            output += problem.fertility[cell]
    output = np.float64(np.float32(output))
    book[3] += problem.discount ** book[0] * output
    book[2] = np.float64(np.float32(book[2] + problem.share * output))


advance = kernel(_advance)


def _borders(problem, state, cell, pending_too):
    """Whether a neighbour of ``cell`` is held (or has a party on its way)."""
    for k in range(4):
        other = problem.neighbours[cell, k]
        if other >= 0 and (state[other] == OWN or (pending_too and state[other] == PENDING)):
            return True
    return False


borders = kernel(_borders)


def _pay(problem, state, due, book, cell):
    """Send a party to ``cell`` if the fund allows; return whether it was sent."""
    cost = problem.claim_cost[cell] * (1.0 + problem.growth * max(book[4] - 1.0, 0.0))
    if cost > book[2]:
        return False
    book[2] = np.float64(np.float32(book[2] - cost))
    book[1] += 1
    book[4] += 1
    due[cell] = int(book[0]) + problem.lag
    state[cell] = OWN if problem.lag == 0 else PENDING
    return True


pay = kernel(_pay)


def _finish(problem, state, due, book):
    """The value if nothing more is claimed."""
    while book[0] < problem.turns - 1:
        advance(problem, state, due, book)
    return book[3]


finish = kernel(_finish)


def _explore(problem, states, dues, books, depth, left):
    """The best value from the position at ``depth``: every next claim is tried as soon as it can be made."""
    left[0] -= 1
    state, due, book = states[depth], dues[depth], books[depth]
    next_state, next_due, next_book = states[depth + 1], dues[depth + 1], books[depth + 1]
    next_state[:], next_due[:], next_book[:] = state, due, book
    best = finish(problem, next_state, next_due, next_book)
    last = problem.turns - 1 - max(problem.lag, 1)
    for cell in range(state.shape[0]):
        if left[0] <= 0 or state[cell] != FREE or not borders(problem, state, cell, True):
            continue
        next_state[:], next_due[:], next_book[:] = state, due, book
        sent = False
        while next_book[0] <= last:
            if next_book[1] < problem.per_turn and borders(problem, next_state, cell, False):
                sent = pay(problem, next_state, next_due, next_book, cell)
                if sent:
                    break
            advance(problem, next_state, next_due, next_book)
        if sent:
            value = explore(problem, states, dues, books, depth + 1, left)
            best = max(best, value)
    return best


explore = kernel(_explore)


def optimum(problem: Problem, budget: int = 300_000) -> float:
    """Return the largest discounted output Σ γ^t · output_t that any sequence of claims reaches.

    The answer is nan where more than ``budget`` positions would have to be looked at.
    """
    cells = problem.fertility.size
    states = np.zeros((cells + 2, cells), np.int8)
    states[0, problem.capital] = OWN
    books = np.zeros((cells + 2, 5))
    books[0] = [-1, 0, 0.0, 0.0, 1]
    dues = np.zeros((cells + 2, cells), np.int32)
    advance(problem, states[0], dues[0], books[0])
    left = np.array([budget])
    best = float(explore(problem, states, dues, books, 0, left))
    return best if left[0] > 0 else float("nan")


def _by_rule(problem, plan, from_turn, claims):
    """The value of the rule of thumb: best value per cost on the frontier, wait if too dear.

    From ``from_turn`` on the claims of ``plan`` come first, each made once it borders the realm. Writes ``claims``
    [turns, per_turn].
    """
    cells = problem.fertility.size
    state = np.zeros(cells, np.int8)
    due = np.zeros(cells, np.int32)
    state[problem.capital] = OWN
    book = np.array([-1.0, 0.0, 0.0, 0.0, 1.0])
    claims[:] = -1
    step, ready = 0, 0
    for turn in range(problem.turns):
        advance(problem, state, due, book)
        while book[1] < problem.per_turn:
            target, best = -1, 0.0
            if turn >= from_turn and step < plan.size:
                if turn >= ready:
                    target = plan[step]
            else:
                for cell in range(cells):
                    if state[cell] == FREE and borders(problem, state, cell, False):
                        rate = problem.fertility[cell] / problem.claim_cost[cell]
                        if rate > best:
                            target, best = cell, rate
            if target < 0:
                break
            at = int(book[1])
            if not pay(problem, state, due, book, target):
                break
            claims[turn, at] = target
            if turn >= from_turn and step < plan.size:
                step += 1
                ready = turn + problem.lag
    return book[3]


by_rule = kernel(_by_rule)


def greedy(problem: Problem) -> tuple[float, NDArray[np.int32]]:
    """Return the value of the rule of thumb and its claims [turns, per_turn], -1 where there is none."""
    claims = np.empty((problem.turns, max(problem.per_turn, 1)), np.int32)
    return float(by_rule(problem, np.empty(0, np.int32), problem.turns, claims)), claims
