"""K10: what attention is worth between two cells: the formulas, what is believed of the cells, what is settled."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import expon, norm

from civsim.engine.knowledge.beliefs import believe
from civsim.engine.knowledge.own import read_levels
from civsim.engine.planner.belief import begin_beliefs
from civsim.validation import two_cells
from civsim.validation.hand_made import split
from civsim.validation.two_cells import (
    FARTHEST,
    FERTILITY,
    FREE,
    HAZARD_ATTENDED,
    INCOME,
    LAWS,
    ORE_ATTENDED,
    UNATTENDED,
    Cells,
    begin,
    choose,
    draws,
    enumerated,
    game_of,
    hazard_worth,
    ore_worth,
    outcomes,
    struck,
)

WORLDS = 2000
PAIRS = np.array(list(product((-1.0, 1.0), repeat=2)))
"""Every outcome of two cells that are drawn from the two-point law; each is as likely."""

EVERY = pytest.mark.parametrize("law", list(LAWS))
SCIPYS = {"exponential": expon(loc=-1.0), "normal": norm()}


@EVERY
def test_laws_have_mean_0_and_variance_1(law: str) -> None:
    points = outcomes(law, 200_000)
    assert points.mean() == pytest.approx(0.0, abs=1e-4)
    assert points.var() == pytest.approx(1.0, abs=1e-3)
    assert points.min() >= LAWS[law].lowest
    assert LAWS[law].quantile(np.array([1e-12]))[0] == pytest.approx(LAWS[law].lowest)


@pytest.mark.parametrize("law", list(SCIPYS))
@pytest.mark.parametrize(("spread", "gap"), [(1.0, 0.0), (0.4, 0.3), (2.0, 5.0)])
def test_the_worth_of_ore_is_the_integral_over_both_densities(law: str, spread: float, gap: float) -> None:
    """E max = low + ∫ (1 − F₁ F₂) from the least value; the greater of the means is the gap."""
    of = SCIPYS[law]
    low, high = -8.0 * spread, gap + 40.0 * spread
    kinks = [-spread, gap - spread, 0.0, gap]
    over = quad(lambda x: 1.0 - of.cdf(x / spread) * of.cdf((x - gap) / spread), low, high, points=kinks, limit=200)[0]
    assert ore_worth(law, spread, gap) == pytest.approx(low + over - gap, abs=1e-7)


@pytest.mark.parametrize("law", list(SCIPYS))
@pytest.mark.parametrize("x", [0.01, 0.15, 0.9])
def test_the_worth_of_shelter_is_the_integral_over_both_densities(law: str, x: float) -> None:
    """The density of the lesser of two draws is 2 f (1 − F), and e^(−x Z) falls in Z."""
    of = SCIPYS[law]
    bounds = (-1.0 if law == "exponential" else -12.0, 40.0)
    best = quad(lambda z: np.exp(-x * z) * 2.0 * of.pdf(z) * of.sf(z), *bounds, limit=200)[0]
    mean = quad(lambda z: np.exp(-x * z) * of.pdf(z), *bounds, limit=200)[0]
    assert LAWS[law].shelter(x) == pytest.approx(best - mean, abs=1e-9)


@EVERY
@pytest.mark.parametrize("gap", [0.0, 0.5])
def test_the_formulas_are_what_enumeration_finds(law: str, gap: float) -> None:
    points = outcomes(law, 1500)
    assert ore_worth(law, 0.7, gap) == pytest.approx(enumerated(0.7 * points, 0.7 * points + gap), abs=5e-4)
    shares = FERTILITY * np.exp(-3 * (0.3 + 0.05 * points))
    assert hazard_worth(law, 0.3, 0.05, 3) == pytest.approx(enumerated(shares, shares), rel=1e-3)


@EVERY
def test_worth_is_0_without_variance_and_rises_with_it(law: str) -> None:
    assert ore_worth(law, 0.0, 0.0) == ore_worth(law, 0.0, 0.4) == 0.0
    assert hazard_worth(law, 0.3, 0.0, 3) == hazard_worth(law, 0.3, 0.05, 0) == 0.0
    assert np.all(np.diff([ore_worth(law, s, 0.4) for s in (0.3, 0.5, 1.0, 2.0)]) > 0.0)
    assert np.all(np.diff([hazard_worth(law, 0.3, s, 3) for s in (0.0, 0.01, 0.02, 0.05)]) > 0.0)
    assert ore_worth(law, 0.6, 0.0) == pytest.approx(2.0 * ore_worth(law, 0.3, 0.0))


def test_normal_draws_are_cut_where_next_to_none_lie() -> None:
    assert norm.sf(FARTHEST) == pytest.approx(1e-9, rel=0.02)
    assert np.abs(LAWS["normal"].quantile(np.array([0.0, 0.5, 1.0]))).tolist() == [FARTHEST, 0.0, FARTHEST]


def test_rates_are_chances_below_1() -> None:
    chances = struck(np.array([-1e-18, 0.3, 50.0]))
    assert chances == pytest.approx([0.0, 1.0 - np.exp(-0.3), 1.0])
    assert chances.astype(np.float32).max() < 1.0


@pytest.mark.parametrize("attention", [UNATTENDED, ORE_ATTENDED, HAZARD_ATTENDED])
def test_cells_are_believed_to_give_what_their_formula_says(attention: int) -> None:
    """A look and no claim: then what is believed of both cells, in the mean where it is not attended to."""
    cells = Cells(ore=np.array([[1.0, 3.0]]), hazard=np.array([[0.1, 0.3]]), gap=0.5)
    world = begin(game_of(0.5, 3, attention, 0, 5), cells, 1)
    world.step(split(world, scouts=1))
    state, _, config = world.pointers
    read_levels(state, config, world._plan_work[0], 0, 0)
    begin_beliefs(state, config, world._key, world._plan_work[0], 0, 0)
    for cell in FREE:
        believe(state, config, world._plan_work[0], 0, 0, cell)
    # Unattended ore is the mean of the four cells seen, unattended hazard that of the prior: no cell was ever struck.
    ore = np.array([1.0, 3.0]) if attention >= ORE_ATTENDED else np.full(2, 1.0)
    prior = world.scenario.thinking.prior
    frequency = prior.disaster * prior.weight / (prior.weight + 1.0)
    hazard = np.array([0.1, 0.3]) if attention >= HAZARD_ATTENDED else np.full(2, frequency)
    expected = (FERTILITY + np.array([0.0, 0.5]) + 0.5 * ore) * (1.0 - hazard) ** 3
    assert world._work[0].value[list(FREE)] == pytest.approx(expected, rel=1e-6)
    assert np.ptp(world._work[0].claim_cost[list(FREE)]) == 0.0


@pytest.mark.parametrize("gap", [0.0, 0.4, 5.0])
def test_every_outcome_of_two_points_played_once_is_the_closed_form(gap: float) -> None:
    cells = Cells(ore=6.0 + PAIRS, gap=gap)
    attended = choose(cells, ORE_ATTENDED, worlds=len(PAIRS), weight=0.5)
    assert attended.output == pytest.approx(FERTILITY + 0.5 * 6.0 + np.max(0.5 * PAIRS + [0.0, gap], axis=1))
    best_mean = FERTILITY + 0.5 * 6.0 + gap
    assert attended.output.mean() - best_mean == pytest.approx(ore_worth("two-point", 0.5, gap), abs=1e-6)
    if gap > 0.0:
        without = choose(cells, UNATTENDED, worlds=len(PAIRS), weight=0.5)
        assert without.output.mean() == pytest.approx(best_mean)


def test_attention_to_what_does_not_vary_changes_nothing() -> None:
    ore = Cells(ore=6.0 + draws("normal", WORLDS, 1))
    hazard = Cells(hazard=struck(0.3 + 0.05 * draws("normal", WORLDS, 1)))
    at = [choose(ore, k, worlds=WORLDS).taken for k in (ORE_ATTENDED, HAZARD_ATTENDED)]
    assert np.array_equal(*at)
    low, ore_too, both = (choose(hazard, k, worlds=WORLDS, duration=3).taken for k in (2, 3, 4))
    assert np.array_equal(low, ore_too)
    assert np.array_equal(both, np.argmin(hazard.hazard, axis=1))
    assert 0.4 < np.mean(low != both) < 0.6


@pytest.mark.parametrize("duration", [1, 3])
def test_a_cell_lies_idle_as_long_as_its_formula_says(duration: int) -> None:
    """From the first turn that is counted on: nothing is left of the game's beginning, when nothing had been struck."""
    cells = Cells(hazard=0.2)
    for turns in (1, 8):
        found = choose(cells, UNATTENDED, worlds=WORLDS, duration=duration, turns=turns).output
        error = found.std() / np.sqrt(WORLDS)
        assert found.mean() == pytest.approx(FERTILITY * 0.8**duration, abs=4.5 * error)
        assert error < 0.025


def test_a_case_that_cannot_pay_its_claim_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(two_cells, "CLAIM_COST", INCOME)
    with pytest.raises(RuntimeError, match="a world settled no cell, or both"):
        choose(Cells(), UNATTENDED, worlds=2)
