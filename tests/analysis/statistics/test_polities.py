"""Stylised facts: laws with known answers."""

from __future__ import annotations

import numpy as np
import pytest

from civsim.analysis.recovery.divergence import planted_growth
from civsim.analysis.statistics.polities import (
    ageing,
    gibrat,
    growth_by_size,
    growth_table,
    hazard,
    laplace_against_normal,
    rank_size,
    size_persistence,
    survivors,
)
from civsim.base.errors import ResultsError


def test_exact_ranks_have_the_exact_slope() -> None:
    ranks = np.arange(1, 101) - 0.5
    found = rank_size(np.append(ranks ** (-1 / 1.3), np.zeros(5)))
    assert found.value == pytest.approx(1.3)
    assert found.n == 100
    assert found.error == pytest.approx(1.3 * np.sqrt(2 / 100))
    assert rank_size(7.0 * ranks ** (-1 / 1.3)).value == pytest.approx(1.3)


def test_growth_of_the_living_by_hand() -> None:
    sizes = np.array([[[1.0, 9.0, 2.0, 9.0, 4.0], [1.0, 1.0, 3.0, 1.0, 0.0]]])
    table = growth_table(sizes, 2)
    assert table["seat"].tolist() == [0, 0, 1]
    assert table["turn"].tolist() == [1, 3, 1]
    assert np.allclose(table["growth"], [np.log(2), np.log(2), np.log(3)])
    assert np.allclose(table["log_size"], [0.0, np.log(2), 0.0])


def test_growth_that_all_share_and_the_unit_of_size_make_no_gibrat_slope() -> None:
    sizes = planted_growth(0)
    plain = gibrat(growth_table(sizes, 10))
    common = np.exp(np.linspace(0.0, 3.0, sizes.shape[2]) ** 2)
    assert np.allclose(gibrat(growth_table(50.0 * common * sizes, 10))[:5], plain[:5])
    same = np.exp(np.random.default_rng(0).normal(size=(10, 4, 1))) * common
    assert gibrat(growth_table(same, 10)).value == pytest.approx(0.0, abs=1e-12)


def test_the_deviation_of_growth_is_told_by_size() -> None:
    rng = np.random.default_rng(1)
    start = rng.choice([0.0, 5.0], (400, 5))
    growth = rng.normal(size=start.shape) * np.where(start > 0, 0.1, 0.5)
    found = growth_by_size(growth_table(np.exp(np.stack([start, start + growth], 2)), 1), 2, draws=200)
    assert np.allclose(found["deviation"], [0.5, 0.1], rtol=0.05)
    assert found["steps"].sum() == 2000


def test_tents_and_bells_are_told_apart() -> None:
    tent = laplace_against_normal(growth_table(planted_growth(2, 0.0, laplace=True), 10), draws=200)
    assert tent.low > 0.0
    assert tent.value == pytest.approx(0.5 * np.log(np.pi * np.e) - 1.0, abs=0.04)
    bell = laplace_against_normal(growth_table(planted_growth(2, 0.0), 10), draws=200)
    assert bell.high < 0.0
    assert bell.value == pytest.approx(np.log(np.pi / 2) - 0.5, abs=0.02)


def test_persistence_is_a_correlation_about_each_turns_mean() -> None:
    logs = np.random.default_rng(3).normal(size=(30, 4, 2)).cumsum(axis=2)
    found = size_persistence(np.exp(logs), [1], draws=50).iloc[0]
    assert found["correlation"] == pytest.approx(np.corrcoef(logs[:, :, 0].ravel(), logs[:, :, 1].ravel())[0, 1])
    frozen = np.repeat(np.exp(logs[:, :, :1]), 5, axis=2) * np.arange(1.0, 6.0)
    assert np.allclose(size_persistence(frozen, [1, 4], draws=50)[["correlation", "low", "high"]], 1.0)


def test_a_hazard_is_deaths_over_turns_lived() -> None:
    found = hazard([[10.0, 5.0], [10.0, 10.0]], [[False, True], [False, True]], draws=50)
    assert found.value == pytest.approx(2 / 35)
    halved = hazard([[20.0, 10.0], [20.0, 20.0]], [[False, True], [False, True]], draws=50)
    assert np.allclose(np.array(halved), np.array(found) / 2)


@pytest.mark.parametrize("shape", [1.0, 2.5])
def test_ageing_is_told_from_a_constant_hazard(shape: float) -> None:
    life = 30.0 * np.random.default_rng(4).weibull(shape, (50, 8))
    found = ageing(np.minimum(life, 40.0), life < 40.0)
    assert found.shape == pytest.approx(shape, rel=0.15)
    assert (found.p < 1e-6) == (shape > 1.0)
    assert found.lives == 400


def test_few_deaths_say_nothing_of_ageing() -> None:
    assert np.isnan(ageing(np.full((5, 2), 9.0), np.zeros((5, 2), bool)).p)


def test_survivors_are_counted() -> None:
    alive = np.ones((4, 3, 2))
    alive[:2, 0, 1] = 0
    assert survivors(alive, draws=50)["survivors"].tolist() == [3.0, 2.5]


def test_bad_input_is_refused() -> None:
    with pytest.raises(ResultsError, match="9 sizes above 0"):
        rank_size(np.arange(1.0, 10.0))
    with pytest.raises(ResultsError, match="negative or not finite"):
        rank_size(-np.arange(20.0))
    sizes = np.ones((3, 2, 5))
    for lag in (0, 5):
        with pytest.raises(ResultsError, match=f"lag={lag} is not in 1 to 4"):
            growth_table(sizes, lag)
        with pytest.raises(ResultsError, match=f"lag={lag} is not in 1 to 4"):
            size_persistence(sizes, [lag])
    with pytest.raises(ResultsError, match="worlds × civilizations × turns"):
        growth_table(sizes[0], 1)
    with pytest.raises(ResultsError, match="does not vary"):
        laplace_against_normal(growth_table(sizes, 1))
    with pytest.raises(ResultsError, match="too few for 9 bins"):
        growth_by_size(growth_table(sizes, 3), 9)
    for turns in (np.ones((2, 3)), np.zeros((2, 2))):
        with pytest.raises(ResultsError, match="do not match"):
            hazard(turns, np.ones((2, 2), bool))
