"""The bounds that other tests hold float32 to: every order of summation keeps them, and a fault does not."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from bounds import (
    assert_within,
    explained_bound,
    layers_bound,
    mean_bound,
    roundings,
    sum_bound,
    ulps,
    variance_bound,
)

SEEDS = range(20)


def added(terms: np.ndarray) -> float:
    """The sum in float32, from the first term to the last."""
    total = np.float32(0.0)
    for term in terms:
        total = np.float32(total + term)
    return float(total)


@pytest.mark.parametrize("seed", SEEDS)
def test_sums_means_and_variances_in_any_order_keep_their_bounds(seed: int) -> None:
    rng = np.random.default_rng(seed)
    x = rng.normal(3.0, 1.0, 300).astype(np.float32)
    exact = x.astype(np.float64)
    for order in (x, x[::-1], np.sort(x), rng.permutation(x)):
        total = added(order)
        mean = np.float32(total / np.float32(x.size))
        variance = np.float32(added((order - mean) ** 2) / np.float32(x.size))
        assert_within(total, exact.sum(), sum_bound(x))
        assert_within(mean, exact.mean(), mean_bound(x))
        assert_within(variance, exact.var(), variance_bound(x))


@pytest.mark.parametrize("seed", SEEDS)
def test_explained_variance_keeps_its_bound_and_another_estimate_does_not(seed: int) -> None:
    rng = np.random.default_rng(seed)
    true = rng.normal(-2.0, 4.0, 128).astype(np.float32)
    predicted = (true + rng.normal(0.0, 3.0, 128)).astype(np.float32)
    left = (true - predicted).astype(np.float64)
    exact = 1.0 - left.var() / true.astype(np.float64).var()
    bound = explained_bound(predicted, true)
    assert_within(float(1 - np.var(true - predicted) / np.var(true)), exact, bound)
    with pytest.raises(AssertionError, match="is .* from"):
        assert_within(1.0 - left.var(ddof=1) / true.astype(np.float64).var(), exact, bound)


@pytest.mark.parametrize("activation", ["tanh", "relu", ""])
def test_a_network_keeps_its_bound_in_every_order_and_another_does_not(activation: str) -> None:
    rng = np.random.default_rng(0)
    widths = (86, 64, 64, 8)
    layers = [
        (rng.normal(0.0, a**-0.5, (a, b)).astype(np.float32), rng.normal(size=b).astype(np.float32))
        for a, b in pairwise(widths)
    ]
    rows = rng.normal(0.0, 3.0, (50, widths[0])).astype(np.float32)
    exact, bound = layers_bound(rows, layers, [activation, activation, ""])

    def played(order: np.ndarray) -> np.ndarray:
        x = rows
        for place, (weight, bias) in enumerate(layers):
            across = order[order < len(weight)]
            total = np.broadcast_to(bias, (len(x), len(bias))).copy()
            for k in across:  # one input after another, each product and each sum rounded
                total += x[:, k : k + 1] * weight[k]
            x = total
            if place < len(layers) - 1 and activation:
                x = np.tanh(x) if activation == "tanh" else np.maximum(x, np.float32(0.0))
        return x

    for order in (np.arange(widths[0]), np.arange(widths[0])[::-1], rng.permutation(widths[0])):
        assert_within(played(order), exact, bound)
    layers[1][0][3, 5] += np.float32(0.01)
    with pytest.raises(AssertionError, match="is .* from"):
        assert_within(played(np.arange(widths[0])), exact, bound)


def test_units() -> None:
    eps = float(np.finfo(np.float32).eps)
    assert roundings(1) == pytest.approx(eps / 2, rel=eps)
    assert ulps(1.0, 3) == 3 * eps
    assert ulps(1.0, 3, np.float64) == 3 * np.finfo(np.float64).eps
    assert sum_bound([1.0]) == 0.0, "one term is no sum"
    with pytest.raises(AssertionError, match=r"2\.0 is 1 from 1\.0"):
        assert_within([1.0, 2.0], [1.0, 1.0], 0.5)
    with pytest.raises(AssertionError, match="nan"):
        assert_within([np.nan], [1.0], 0.5)
