"""K5: the value of sight, shown with the volatile-site rule.

A site flips with probability p a turn, so what was seen n turns ago is right about the next turn with probability
½ (1 + λ^(n+1)), λ = 1 − 2p. Acting on a fresh look instead of one n turns stale is worth ½ (λ − λ^(n+1)): for n = 1 it
peaks at p = ¼ with 0.125, an inverted U in volatility.
"""

from __future__ import annotations

import numpy as np
import pytest

from civsim.engine.formulas import _site_chance
from civsim.validation.k5_sight import chance_right, correct
from civsim.validation.k5_sight import worth as formula

WORLDS = 150


@pytest.mark.parametrize("volatility", [0.02, 0.1, 0.25, 0.4, 0.5])
@pytest.mark.parametrize("age", [0, 1, 3])
def test_a_look_is_right_as_often_as_it_should_be(volatility: float, age: int) -> None:
    memory = 1 - 2 * volatility
    assert chance_right(volatility, age) == pytest.approx(0.5 * (1 + memory ** (age + 1)))
    found = correct(volatility, age)
    error = found.std() / np.sqrt(WORLDS)
    assert found.mean() == pytest.approx(0.5 * (1 + memory ** (age + 1)), abs=4 * error)
    assert error < 0.005


@pytest.mark.parametrize("stale", [1, 2, 4])
@pytest.mark.parametrize("volatility", [0.05, 0.25, 0.45])
def test_a_fresh_look_is_worth_its_formula(volatility: float, stale: int) -> None:
    memory = 1 - 2 * volatility
    assert formula(volatility, stale) == pytest.approx(0.5 * (memory - memory ** (stale + 1)))
    worth = correct(volatility, 0).mean() - correct(volatility, stale).mean()
    assert worth == pytest.approx(0.5 * (memory - memory ** (stale + 1)), abs=0.012)


def test_the_value_of_sight_is_an_inverted_u_in_volatility() -> None:
    levels = [0.02, 0.1, 0.25, 0.4, 0.48]
    worth = [correct(p, 0).mean() - correct(p, 1).mean() for p in levels]
    assert int(np.argmax(worth)) == 2
    assert worth[2] == pytest.approx(0.125, abs=0.008)
    assert worth[0] < worth[1] < worth[2] > worth[3] > worth[4]


@pytest.mark.parametrize("volatility", [0.0, 0.1, 0.25, 0.5])
@pytest.mark.parametrize("age", [0, 1, 2, 7])
def test_civilizations_believe_what_is_so(volatility: float, age: int) -> None:
    memory = 1 - 2 * volatility
    chain = np.array([[1 - volatility, volatility], [volatility, 1 - volatility]])
    high = np.linalg.matrix_power(chain, age)
    assert _site_chance(True, age, memory) == pytest.approx(high[1, 1])
    assert _site_chance(False, age, memory) == pytest.approx(high[0, 1])
