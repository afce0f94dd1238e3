"""Measures of inequality: known answers, the principles they are defined by, and planted differences."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from civsim.analysis.statistics.inequality import (
    MEASURES,
    gini,
    herfindahl,
    log_variance,
    normalised_herfindahl,
    shares,
    theil,
    theil_parts,
    top_share,
    variation,
)
from civsim.base.errors import ResultsError

AMOUNTS = arrays(np.float64, st.integers(2, 8), elements=st.floats(0.01, 1e4))
SPREADS = ("hhi", "gini", "theil", "variation")


@pytest.mark.parametrize("n", [2, 4, 8])
def test_equal_amounts_and_one_who_has_all(n: int) -> None:
    even, one = np.full(n, 3.0), np.eye(n)[0] * 7.0
    assert herfindahl(even) == pytest.approx(1 / n)
    assert normalised_herfindahl(even) == pytest.approx(0.0)
    assert gini(even) == pytest.approx(0.0)
    assert theil(even) == pytest.approx(0.0)
    assert top_share(even) == pytest.approx(1 / n)
    assert variation(even) == pytest.approx(0.0)
    assert log_variance(even) == pytest.approx(0.0)
    assert herfindahl(one) == normalised_herfindahl(one) == top_share(one) == 1.0
    assert gini(one) == pytest.approx(1 - 1 / n)
    assert gini(one, unbiased=True) == pytest.approx(1.0)
    assert theil(one) == pytest.approx(np.log(n))
    assert variation(one) == pytest.approx(np.sqrt(n - 1))
    assert np.isnan(log_variance(one))


def test_gini_by_hand_and_by_all_pairs() -> None:
    assert gini([1.0, 3.0]) == pytest.approx(0.25)
    x = np.random.default_rng(0).gamma(1.0, size=(5, 7))
    pairs = np.abs(x[:, :, None] - x[:, None, :]).mean(axis=(1, 2))
    assert np.allclose(gini(x), pairs / (2 * x.mean(axis=1)))
    assert np.allclose(gini(x, unbiased=True), gini(x) * 7 / 6)


def test_variation_and_the_herfindahl_are_one_number() -> None:
    x = np.random.default_rng(1).random((10, 5))
    assert np.allclose(variation(x), np.sqrt(5 * herfindahl(x) - 1))


@pytest.mark.parametrize("name", SPREADS)
@given(x=AMOUNTS, part=st.floats(0.05, 0.45))
def test_a_transfer_from_rich_to_poor_lowers_inequality(name: str, x: np.ndarray, part: float) -> None:
    # Pigou and Dalton: the transfer must not turn the two round.
    rich, poor = int(x.argmax()), int(x.argmin())
    if x[rich] < 1.01 * x[poor]:
        return
    moved = x.copy()
    moved[rich] -= part * (x[rich] - x[poor])
    moved[poor] += part * (x[rich] - x[poor])
    assert MEASURES[name](moved) < MEASURES[name](x)


@pytest.mark.parametrize("name", MEASURES)
@given(x=AMOUNTS, scale=st.floats(1e-3, 1e3), seed=st.integers(0, 99))
def test_neither_the_unit_nor_the_order_matters(name: str, x: np.ndarray, scale: float, seed: int) -> None:
    shuffled = np.random.default_rng(seed).permutation(x)
    assert MEASURES[name](scale * shuffled) == pytest.approx(MEASURES[name](x), rel=1e-9, abs=1e-9)


@pytest.mark.parametrize("name", ["gini", "theil", "variation"])
def test_a_population_twice_over_is_as_unequal(name: str) -> None:
    x = np.random.default_rng(2).random(6)
    assert MEASURES[name](np.tile(x, 2)) == pytest.approx(MEASURES[name](x))


@given(x=AMOUNTS, seed=st.integers(0, 99))
def test_theil_is_what_is_within_groups_and_between_them(x: np.ndarray, seed: int) -> None:
    groups = np.random.default_rng(seed).integers(0, 3, x.size)
    within, between = theil_parts(x, groups)
    by_hand = sum(shares(x)[groups == g].sum() * theil(x[groups == g]) for g in np.unique(groups))
    assert within == pytest.approx(by_hand, abs=1e-9)
    assert between >= -1e-12
    assert within + between == pytest.approx(theil(x))


def test_zeros_count_and_a_row_of_zeros_is_nan() -> None:
    x = np.array([[0.0, 0.0, 0.0], [0.0, 1.0, 1.0]])
    for name, measure in MEASURES.items():
        found = measure(x)
        assert np.isnan(found[0]), name
        assert np.isfinite(found[1]), name
    assert theil(x)[1] == pytest.approx(np.log(1.5))
    assert all(np.isnan(part[0]) for part in theil_parts(x, [0, 0, 1]))


def test_rows_are_measured_each_by_itself() -> None:
    x = np.random.default_rng(3).random((2, 3, 5))
    for measure in MEASURES.values():
        assert measure(x).shape == (2, 3)
        assert measure(x)[1, 2] == pytest.approx(float(measure(x[1, 2])))


def test_bad_amounts_are_refused() -> None:
    for bad in ([-1.0, 1.0], [np.nan, 1.0], [np.inf, 1.0]):
        with pytest.raises(ResultsError, match="negative or not finite"):
            gini(bad)
    with pytest.raises(ResultsError, match="hold no civilization"):
        herfindahl(np.empty((3, 0)))
    with pytest.raises(ResultsError, match="civilizations=1"):
        normalised_herfindahl([1.0])
    with pytest.raises(ResultsError, match="civilizations=1"):
        gini([1.0], unbiased=True)
    with pytest.raises(ResultsError, match="top=3 is not in 1 to 2"):
        top_share([1.0, 2.0], 3)
    with pytest.raises(ResultsError, match="groups have shape"):
        theil_parts([1.0, 2.0], [0])
