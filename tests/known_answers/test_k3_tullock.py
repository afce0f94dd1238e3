"""K3: the tribute is a Tullock contest; best-response iteration on the simulator lands on its equilibrium.

Consumption and army alone are open, force lasts a turn and musters at once, so spending x_i buys p_i = x_i^m / Σ x^m of
the prize. Symmetric equilibrium: x* = m V (n − 1) / n² (pure for m ≤ n / (n − 1)); with unit costs c_i, interior:
c_i x_i = m V p_i (1 − p_i), hence dissipation / V = m (1 − Σ p²).
"""

from __future__ import annotations

import numpy as np
import pytest
from worlds import flat_land, no_orders, scenario

from civsim.base.constants import Category
from civsim.engine.world import World

INCOME = 20.0
GRID = 41
CLOSED = [c.name.lower() for c in Category if c not in (Category.CONSUMPTION, Category.ARMY)]


def contest(prize: float, decisiveness: float, prices: list[float]) -> World:
    """GRID copies of a contest between as many civilizations as prices."""
    n = len(prices)
    game = scenario(
        {"map.width": 4, "map.height": 4, "map.hazard": 0.0, "game.civilizations": n, "game.turns": 2000},
        game__objective="consumption",
        game__closed=CLOSED,
        economy__depreciation={"army": 1.0},
        army={"lag": 0, "projection": float("inf"), "war": False},
        claims__per_turn=0,
        tribute={"prize": prize, "decisiveness": decisiveness},
        seats=[{"force_price": price} for price in prices],
    )
    return World(game, GRID, seed=0, land=flat_land(game, range(n), INCOME))


def payoffs(world: World, spending: np.ndarray) -> np.ndarray:
    """Consumption [GRID, N] when spending [GRID, N] (output) goes to the army."""
    # Force lasts a turn, so every turn is a contest of its own.
    shares = np.zeros((GRID, spending.shape[1], 8))
    shares[..., Category.ARMY] = spending / INCOME
    shares[..., Category.CONSUMPTION] = 1 - spending / INCOME
    if world.done.all():
        world.reset()
    return world.step(shares, no_orders(world)).consumption.astype(float)


def best_response(world: World, spending: np.ndarray, i: int) -> float:
    """The spending of civilization i that maximises its consumption, by two grids around the best so far."""
    low, high = 0.0, INCOME * 0.999
    for _ in range(5):
        tried = np.tile(spending, (GRID, 1))
        tried[:, i] = np.linspace(low, high, GRID)
        at = int(np.argmax(payoffs(world, tried)[:, i]))
        step = (high - low) / (GRID - 1)
        low, high = max(tried[at, i] - 2 * step, 0.0), min(tried[at, i] + 2 * step, INCOME * 0.999)
    return float(tried[at, i])


def equilibrium(world: World, n: int) -> np.ndarray:
    """Best-response iteration, one civilization after another, from unlike starts."""
    spending = np.linspace(0.5, 2.0, n)
    for _ in range(40):
        before = spending.copy()
        for i in range(n):
            spending[i] += 0.5 * (best_response(world, spending, i) - spending[i])
        if np.abs(spending - before).max() < 1e-4:
            break
    return spending


@pytest.mark.parametrize(
    ("n", "decisiveness", "prize"),
    [(2, 1.0, 10.0), (2, 0.5, 10.0), (2, 1.7, 8.0), (3, 1.0, 10.0), (3, 1.4, 6.0), (4, 0.7, 12.0), (8, 1.0, 12.0)],
)
def test_symmetric_contest(n: int, decisiveness: float, prize: float) -> None:
    spending = equilibrium(contest(prize, decisiveness, [1.0] * n), n)
    assert spending == pytest.approx(np.full(n, decisiveness * prize * (n - 1) / n**2), rel=0.02)


@pytest.mark.parametrize(
    ("prices", "decisiveness"),
    [([1.0, 2.0], 1.0), ([1.0, 3.0], 0.6), ([0.5, 1.0, 1.2], 1.0), ([1.0, 1.3, 1.6, 1.1], 0.8)],
)
def test_contest_with_unlike_costs(prices: list[float], decisiveness: float) -> None:
    prize, n = 10.0, len(prices)
    world = contest(prize, decisiveness, prices)
    spending = equilibrium(world, n)
    force = spending / np.array(prices)
    chance = force**decisiveness / (force**decisiveness).sum()
    assert (chance > 0.02).all(), "not interior"
    assert spending == pytest.approx(decisiveness * prize * chance * (1 - chance), rel=0.02)
    assert spending.sum() / prize == pytest.approx(decisiveness * (1 - (chance**2).sum()), rel=0.02)
    tribute = payoffs(world, np.tile(spending, (GRID, 1)))[0] - (INCOME - spending)
    assert tribute == pytest.approx(prize * chance, rel=1e-3)


def test_at_equilibrium_nobody_gains_by_deviating() -> None:
    n, prize = 3, 10.0
    world = contest(prize, 1.0, [1.0] * n)
    at = np.full(n, prize * 2 / 9)
    tried = np.tile(at, (GRID, 1))
    tried[:, 1] = np.linspace(0.0, INCOME * 0.99, GRID)
    stay = payoffs(world, np.tile(at, (GRID, 1)))[0, 1]
    assert (payoffs(world, tried)[:, 1] <= stay + 1e-5).all()
