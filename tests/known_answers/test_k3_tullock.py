"""K3: the tribute is a Tullock contest; best-response iteration on the simulator lands on its equilibrium.

Consumption and army alone are open, force lasts a turn and musters at once, so spending x_i buys p_i = x_i^m / Σ x^m of
the prize. Symmetric equilibrium: x* = m V (n − 1) / n² (pure for m ≤ n / (n − 1)); with unit costs c_i, interior:
c_i x_i = m V p_i (1 − p_i), hence dissipation / V = m (1 − Σ p²).
"""

from __future__ import annotations

import numpy as np
import pytest

from civsim.validation.k3_contest import (
    GRID,
    arena,
    dissipation,
    equilibrium_shares,
    iterate,
    payoffs,
    symmetric_spending,
)


@pytest.mark.parametrize(
    ("n", "decisiveness", "prize"),
    [(2, 1.0, 10.0), (2, 0.5, 10.0), (2, 1.7, 8.0), (3, 1.0, 10.0), (3, 1.4, 6.0), (4, 0.7, 12.0), (8, 1.0, 12.0)],
)
def test_symmetric_contest(n: int, decisiveness: float, prize: float) -> None:
    spending = iterate(arena(prize, decisiveness, [1.0] * n))
    assert spending == pytest.approx(np.full(n, symmetric_spending(n, decisiveness, prize)), rel=0.02)
    assert symmetric_spending(n, decisiveness, prize) == pytest.approx(decisiveness * prize * (n - 1) / n**2)


@pytest.mark.parametrize(
    ("prices", "decisiveness"),
    [([1.0, 2.0], 1.0), ([1.0, 3.0], 0.6), ([0.5, 1.0, 1.2], 1.0), ([1.0, 1.3, 1.6, 1.1], 0.8)],
)
def test_contest_with_unlike_costs(prices: list[float], decisiveness: float) -> None:
    prize = 10.0
    contest = arena(prize, decisiveness, prices)
    spending = iterate(contest)
    force = spending / np.array(prices)
    chance = force**decisiveness / (force**decisiveness).sum()
    assert (chance > 0.02).all(), "not interior"
    assert spending == pytest.approx(decisiveness * prize * chance * (1 - chance), rel=0.02)
    assert spending.sum() / prize == pytest.approx(decisiveness * (1 - (chance**2).sum()), rel=0.02)
    assert chance == pytest.approx(equilibrium_shares(prices, decisiveness), rel=0.02)
    assert spending.sum() / prize == pytest.approx(dissipation(chance, decisiveness), rel=0.02)
    tribute = payoffs(contest, np.tile(spending, (GRID, 1)))[0] - (contest.income - spending)
    assert tribute == pytest.approx(prize * chance, rel=1e-3)


def test_at_equilibrium_nobody_gains_by_deviating() -> None:
    n, prize = 3, 10.0
    contest = arena(prize, 1.0, [1.0] * n)
    at = np.full(n, prize * 2 / 9)
    tried = np.tile(at, (GRID, 1))
    tried[:, 1] = np.linspace(0.0, contest.income * 0.99, GRID)
    stay = payoffs(contest, np.tile(at, (GRID, 1)))[0, 1]
    assert (payoffs(contest, tried)[:, 1] <= stay + 1e-5).all()
