"""Worth of a wall: the formula against integration and simulation, the estimator against planted games."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.integrate import quad

from civsim.analysis.statistics.walls import (
    StepWorth,
    WallGames,
    estimate_step,
    sack_loss,
    worth_of_step,
    worth_of_wall,
)
from civsim.base.errors import ResultsError
from civsim.engine.formulas import is_sacked

RATE, LOSS = 0.4, 30.0
CASES = [(0.0, 1.0), (0.5, 2.0), (3.0, 3.0), (6.0, 2.0), (2.0, 12.0)]
"""Defence, and mean strength of a band."""


def integrated(defence: float, strength: float) -> float:
    """Expected loss a turn by quadrature over the strengths of bands that sack."""
    sacked, _ = quad(lambda force: np.exp(-force / strength) / strength, defence, np.inf)
    return RATE * LOSS * sacked


@pytest.mark.parametrize(("defence", "strength"), CASES)
def test_the_formula_is_the_integral_and_its_slope(defence: float, strength: float) -> None:
    assert sack_loss(defence, strength, RATE, LOSS) == pytest.approx(integrated(defence, strength), rel=1e-6)
    step = 1e-3
    slope = (integrated(defence, strength) - integrated(defence + step, strength)) / step
    assert worth_of_wall(defence, strength, RATE, LOSS) == pytest.approx(slope, rel=2e-3)
    mean, _ = quad(lambda d: float(worth_of_wall(d, strength, RATE, LOSS)), defence, defence + 2.5)
    assert worth_of_step(defence, defence + 2.5, strength, RATE, LOSS) == pytest.approx(mean / 2.5)


@pytest.mark.parametrize(("defence", "strength"), CASES)
def test_the_formula_is_what_the_engine_s_rule_does_to_bands(defence: float, strength: float) -> None:
    """The rule that decides a raid, over bands of exponential strength."""
    rng = np.random.default_rng(3)
    bands = rng.exponential(strength, 40_000)
    sacked = np.mean([is_sacked(defence, band) for band in bands])
    error = 0.5 / np.sqrt(len(bands))  # of a share, at most
    assert abs(sack_loss(defence, strength) - sacked) < 3.0 * error
    more = np.mean([is_sacked(defence + 1.0, band) for band in bands])
    assert abs(worth_of_step(defence, defence + 1.0, strength) - (sacked - more)) < 3.0 * error


def test_a_wall_is_worth_most_against_bands_of_its_own_height() -> None:
    strengths = np.linspace(0.2, 20.0, 2000)
    worth = worth_of_wall(4.0, strengths)
    assert strengths[np.argmax(worth)] == pytest.approx(4.0, abs=0.02)
    assert np.all(np.diff(worth_of_wall(0.0, strengths)) < 0.0)


TURNS, DISRUPTION, STRENGTH = 100, 6.0, 3.0


def games(wall: float, raided: bool, rng: np.random.Generator, worlds: int = 400, growth: float = 1.0) -> WallGames:
    """A realm of 20 cells of output 2 whose walls cost 2 % of output a unit; what raids take is planted."""
    cells = np.full(worlds, 20.0 * TURNS)
    cost = 1.0 - 0.02 * wall
    lost = growth * DISRUPTION * 2.0 * np.exp(-wall / STRENGTH) if raided else 0.0
    output = TURNS * (40.0 - lost) * cost + rng.normal(size=worlds) * 5.0
    return WallGames(output, wall * cells, cells)


def planted(growth: float = 1.0, **settings: float) -> StepWorth:
    rng = np.random.default_rng(8)
    low, high = games(1.0, True, rng, growth=growth), games(3.0, True, rng, growth=growth)
    calm = games(1.0, False, rng), games(3.0, False, rng)
    facts = {"strength": STRENGTH, "rate": 1.0, "turns": TURNS, "disruption": DISRUPTION} | settings
    return estimate_step(low, high, *calm, draws=400, **facts)  # type: ignore[arg-type]


def test_planted_games_give_back_the_formula() -> None:
    found = planted()
    truth = float(worth_of_step(1.0, 3.0, STRENGTH, 1.0, DISRUPTION * 2.0)) / 20.0 * (1.0 - 0.02 * 3.0)
    assert found.measured.low <= truth <= found.measured.high
    assert found.measured.high - found.measured.low < 0.2 * truth
    assert found.defence == pytest.approx((1.0, 3.0))
    # A cell's output is what is left of it where it is raided, so that the formula's loss is a little smaller.
    assert found.formula.value == pytest.approx(truth, rel=0.2)
    twice = planted(growth=2.0)
    assert twice.measured.value == pytest.approx(2.0 * found.measured.value, rel=0.1)
    assert planted(rate=0.5).formula.value == pytest.approx(0.5 * found.formula.value)
    assert planted(disruption=12.0).formula.value == pytest.approx(2.0 * found.formula.value)


def test_what_cannot_be_compared_is_refused_in_one_line() -> None:
    rng = np.random.default_rng(1)
    same = games(1.0, True, rng)
    facts = {"strength": 1.0, "rate": 1.0, "turns": TURNS, "disruption": 1.0}
    with pytest.raises(ResultsError, match="no more wall standing"):
        estimate_step(same, same, same, same, **facts)  # type: ignore[arg-type]
    one = WallGames(*(column[:1] for column in games(2.0, True, rng)))
    few = WallGames(*(column[:1] for column in same))
    with pytest.raises(ResultsError, match="too few to resample"):
        estimate_step(few, one, few, one, **facts)  # type: ignore[arg-type]
