"""Consumption against works, solved by dynamic programming: the oracle that saving policies are measured against.

One civilization holds one cell and may neither settle nor arm, and its planner has no horizon. A turn then reads:

1. a work begun ``maturity`` turns ago matures: D grows by ``gain``;
2. output is y = F (1 + D), of which the share s is consumed;
3. the works fund keeps 1 − loss of itself and gains (1 − s) y;
4. where no work is under way, the fund holds the price ``cost`` · (1 + growth · D), and at least ``maturity`` turns are
   to come, a work is begun at once and its price leaves the fund (the rule of thumb never waits: the fund has no other
   use).

Orders are thus a known function of the state, and the choice of s a Markov decision process in (turn, works, turns
until the work under way matures, fund). Utility is Σ γ^t log(1 + s y / c0). Shares lie in [least, 1 − least], least =
1 / (1 + e^6): what softmax(3a) of actions in [−1, 1] can reach with two open categories.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq

from civsim.base.constants import Category
from civsim.base.kernels import kernel
from civsim.base.scenario import Scenario
from civsim.faces.actions import ACTION_BOUND, SHARPNESS

F64 = NDArray[np.float64]
CLOSED = [c.name.lower() for c in Category if c not in (Category.CONSUMPTION, Category.WORKS)]
LEAST_SHARE = float(1.0 / (1.0 + np.exp(2.0 * SHARPNESS * ACTION_BOUND)))
HAIR = 1e-6
"""A saving that is meant to reach a price overshoots by this part of it: funds are kept in float32."""


class Saving(NamedTuple):
    """The problem, as plain numbers."""

    fertility: float  # F, output per turn at D = 0
    gain: float  # works a work adds
    cost: float  # price of a work at D = 0 (output)
    growth: float  # extra price per unit of D (multiples of cost)
    maturity: int  # turns until a work adds to output
    loss: float  # share of the fund lost a turn
    turns: int  # T
    discount: float  # γ
    scale: float  # c0 (output)


class Place(NamedTuple):
    """Where a game stands at the beginning of a turn."""

    turn: int  # turns played
    works: float  # D
    left: int  # turns until the work under way matures; 0 for none
    fund: float  # works fund (output)


class Turn(NamedTuple):
    """What a turn brought."""

    output: float
    consumption: float
    began: bool  # a work was begun


def saving_game(
    *,
    turns: int = 24,
    discount: float = 0.97,
    scale: float = 1.0,
    fertility: float = 2.0,
    gain: float = 0.1,
    cost: float = 0.8,
    maturity: int = 1,
    growth: float = 2.0,
    loss: float = 0.0,
) -> Scenario:
    """Return the scenario: one still cell, consumption and works open, welfare the objective."""
    return Scenario.model_validate(
        {
            "map": {
                "width": 2,
                "height": 2,
                "hazard": 0.0,
                "site_density": 0.0,
                "ore_density": 0.0,
                "capital_fertility": fertility,
            },
            "game": {
                "civilizations": 1,
                "turns": turns,
                "objective": "welfare",
                "discount": discount,
                "consumption_scale": scale,
                "closed": CLOSED,
            },
            "economy": {"depreciation": {"works": loss}},
            "claims": {"per_turn": 0},
            "works": {"menu": [{"gain": gain, "cost": cost, "maturity": maturity}], "growth": growth},
        }
    )


def problem_of(game: Scenario) -> Saving:
    """Return the problem that a scenario made by :func:`saving_game` poses."""
    (work,) = game.works.menu
    return Saving(
        fertility=float(np.float32(game.map.capital_fertility)),
        gain=work.gain,
        cost=work.cost,
        growth=game.works.growth,
        maturity=work.maturity,
        loss=game.economy.depreciation.works,
        turns=game.game.turns,
        discount=game.game.discount,
        scale=game.game.consumption_scale,
    )


def advance(problem: Saving, place: Place, share: float) -> tuple[Place, Turn]:
    """Play one turn with ``share`` of output consumed: the rules, written anew. Stocks are rounded as the state is."""
    turn, works, left, fund = place
    if left > 0:
        left -= 1
        if left == 0:
            works = float(np.float32(works + problem.gain))
    output = float(np.float32(problem.fertility * (1.0 + works)))
    fund = float(np.float32(fund * (1.0 - problem.loss) + (1.0 - share) * output))
    price = problem.cost * (1.0 + problem.growth * works)
    began = left == 0 and fund >= price and problem.turns - 1 - turn >= problem.maturity
    if began:
        fund, left = float(np.float32(fund - price)), problem.maturity
    return Place(turn + 1, works, left, fund), Turn(output, float(np.float32(share * output)), began)


def welfare(problem: Saving, consumption: F64) -> float:
    """Return Σ γ^t log(1 + c_t / c0) of a path [T] of consumption (output)."""
    weight = problem.discount ** np.arange(len(consumption))
    return float(weight @ np.log1p(consumption / problem.scale))


class Solution(NamedTuple):
    """The value function of a problem on a grid, and the consumption shares that were compared."""

    problem: Saving
    value: F64  # [T + 1, works begun and matured, turns left, funds] welfare from a turn on, undiscounted to that turn
    step: float  # distance of two funds (output)
    shares: F64  # [controls] consumption shares tried at every state, beside the one that just reaches the price
    utility: F64  # [works, controls] utility of a turn in which each share is consumed, by works matured

    @property
    def total(self) -> float:
        """The welfare of the whole game."""
        return float(self.value[0, 0, 0, 0])


def _interpolated(row, step, fund):
    """The value at ``fund``, linear between grid points; that of the last point beyond it."""
    at = min(fund / step, row.shape[0] - 1.0)
    k = min(int(at), row.shape[0] - 2)
    part = at - k
    return row[k] * (1.0 - part) + row[k + 1] * part


interpolated = kernel(_interpolated)


def _worth(problem, after, step, matured, left, may_begin, fund, saved, now):
    """The value of ``now``, the utility of the turn, and of the next turn's ``after`` [works, left, funds]."""
    price = problem.cost * (1.0 + problem.growth * problem.gain * matured)
    fund = fund * (1.0 - problem.loss) + saved
    if may_begin and fund >= price:
        fund, left = fund - price, problem.maturity
    return now + problem.discount * interpolated(after[matured, left], step, fund)


worth = kernel(_worth)


def _best(problem, after, step, shares, utility, turn, matured, left, fund):
    """The best (value, share) at the beginning of a turn; ``utility`` [works, controls] is that of ``shares``."""
    if left > 0:
        left -= 1
        matured += left == 0
    output = problem.fertility * (1.0 + problem.gain * matured)
    may_begin = left == 0 and problem.turns - 1 - turn >= problem.maturity
    best, chosen = -np.inf, shares[0]
    for k in range(shares.shape[0]):
        saved = (1.0 - shares[k]) * output
        value = worth(problem, after, step, matured, left, may_begin, fund, saved, utility[matured, k])
        if value > best:
            best, chosen = value, shares[k]
    if may_begin:
        price = problem.cost * (1.0 + problem.growth * problem.gain * matured)
        saved = price * (1.0 + HAIR) - fund * (1.0 - problem.loss)
        share = 1.0 - saved / output
        if shares[0] <= share <= shares[-1]:
            now = np.log1p(share * output / problem.scale)
            value = worth(problem, after, step, matured, left, may_begin, fund, saved, now)
            if value > best:
                best, chosen = value, share
    return best, chosen


best_choice = kernel(_best)


def _induce(problem, value, step, shares, utility):
    """Fill ``value`` from the last turn back to the first."""
    for turn in range(problem.turns - 1, -1, -1):
        # No more works can have matured: one is begun every ``maturity`` turns at most.
        for matured in range(min(turn // problem.maturity, value.shape[1] - 2) + 1):
            for left in range(problem.maturity + 1):
                for k in range(value.shape[3]):
                    found = best_choice(problem, value[turn + 1], step, shares, utility, turn, matured, left, k * step)
                    value[turn, matured, left, k] = found[0]


induce = kernel(_induce)


def _utility(problem: Saving, shares: F64, works: int) -> F64:
    """The utility [works, controls] of a turn in which ``shares`` are consumed after 0 … works − 1 works."""
    output = problem.fertility * (1.0 + problem.gain * np.arange(works))
    return np.log1p(output[:, None] * shares / problem.scale)


def solve(problem: Saving, funds: int = 400, controls: int = 150) -> Solution:
    """Solve by backward induction on ``funds`` levels of the fund with ``controls`` shares.

    The grid of funds reaches two prices of the dearest work that there is time to begin; more counts as that.
    """
    most = (problem.turns - 1) // problem.maturity
    largest = 2.0 * problem.cost * (1.0 + problem.growth * problem.gain * most)
    step = largest / (funds - 1)
    value = np.zeros((problem.turns + 1, most + 2, problem.maturity + 1, funds))
    shares = np.linspace(LEAST_SHARE, 1.0 - LEAST_SHARE, controls)
    utility = _utility(problem, shares, most + 2)
    induce(problem, value, step, shares, utility)
    return Solution(problem, value, step, shares, utility)


def best_share(solution: Solution, place: Place) -> float:
    """Return the consumption share that is best at ``place``."""
    problem, shares, utility = solution.problem, solution.shares, solution.utility
    matured = round(place.works / problem.gain)
    after = solution.value[place.turn + 1]
    found = best_choice(problem, after, solution.step, shares, utility, place.turn, matured, place.left, place.fund)
    return float(found[1])


def consumption_equivalent(problem: Saving, best: F64, reached: float) -> float:
    """Return the loss λ in consumption-equivalent terms (Lucas 1987).

    λ is the constant part of consumption that, taken from every turn of the optimal path ``best`` [T] (output), leaves
    the welfare that was reached: Σ γ^t log(1 + (1 − λ) c*_t / c0) = ``reached``. It is below 0 where more was reached.
    """
    return float(brentq(lambda part: welfare(problem, (1.0 - part) * best) - reached, -1.0, 1.0, xtol=1e-10))
