"""Error factors: bit for bit those of the C library, drawn alone or many at once."""

from __future__ import annotations

import math

import numpy as np
import pytest

from civsim.engine.rules.genesis import _NEAR_SIGMA, _error_factors, error_factor, error_factors

BINS = 2**32


def draws(n: int) -> np.ndarray:
    """Uniform draws as the generator gives them, those at both ends among them."""
    words = np.concatenate([[0, 1, BINS - 1, BINS // 2, BINS // 4], np.random.default_rng(1).integers(0, BINS, n - 5)])
    return (words + 0.5) / BINS


@pytest.mark.parametrize("sigma", [0.0, 0.01, 0.3, 1.0, _NEAR_SIGMA, 1.01 * _NEAR_SIGMA])
def test_factors_taken_together_are_those_taken_alone(sigma: float) -> None:
    u, v = draws(400_000), np.roll(draws(400_000), 7)
    out, tops = np.empty(len(u), np.float32), np.empty(len(u), np.float32)
    error_factors(sigma, u, v, tops, out)
    wanted = np.array([error_factor(sigma, *pair) for pair in zip(u, v, strict=True)])
    assert out.tobytes() == wanted.astype(np.float32).tobytes()
    if 0.0 < sigma <= _NEAR_SIGMA:
        # Of those the C library was asked for, some are at the lower end of the margin, and few are asked for.
        assert 0 < (out != tops).sum() < len(u) / 1000
        assert abs(np.log(wanted).std() / sigma - 1.0) < 0.02


def test_compiled_and_plain_agree() -> None:
    u, v = draws(64), np.roll(draws(64), 7)
    found, plain, tops = np.empty(64, np.float32), np.empty(64, np.float32), np.empty(64, np.float32)
    error_factors(0.3, u, v, tops, found)
    _error_factors(0.3, u, v, tops, plain)
    assert np.allclose(found, plain, rtol=1e-6)
    assert math.isclose(error_factor(0.0, u[0], v[0]), 1.0)
