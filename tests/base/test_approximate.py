"""Near functions: within the errors that are stated, compiled and plain alike."""

from __future__ import annotations

import numpy as np
import pytest

from civsim.base import approximate
from civsim.base.approximate import COSINE_ERROR, EXP_ERROR, EXP_RANGE, LOG_ERROR
from civsim.base.kernels import kernel

RNG = np.random.default_rng(0)


def _map_log(x, out):
    for k in range(x.shape[0]):
        out[k] = approximate.near_log(x[k])


def _map_cosine(x, out):
    for k in range(x.shape[0]):
        out[k] = approximate.near_cosine(x[k])


def _map_exp(x, out):
    for k in range(x.shape[0]):
        out[k] = approximate.near_exp(x[k])


LOOPS = {"log": _map_log, "cosine": _map_cosine, "exp": _map_exp}


def near(name: str, x: np.ndarray, **options: object) -> np.ndarray:
    """What a loop of vector registers makes of ``x``."""
    out = np.empty_like(x)
    kernel(LOOPS[name], **options)(x, out)
    return out


@pytest.mark.parametrize("options", [{}, {"fastmath": {"contract"}}])
def test_near_logarithms(options: dict) -> None:
    ends = [np.finfo(float).tiny, np.finfo(float).max, 1.0, 0.5, 2.0, np.sqrt(0.5), np.nextafter(1.0, 0.0)]
    x = np.concatenate([10.0 ** RNG.uniform(-300, 300, 50_000), RNG.uniform(0.5, 2.0, 50_000), ends])
    found, wanted = near("log", x, **options), np.log(x)
    assert (np.abs(found - wanted) <= LOG_ERROR * np.abs(wanted)).all()
    assert found[x == 1.0] == 0.0


@pytest.mark.parametrize("options", [{}, {"fastmath": {"contract"}}])
def test_near_cosines(options: dict) -> None:
    x = np.concatenate([RNG.uniform(0.0, 1.0, 100_000), [0.0, 0.25, 0.5, 0.75, 1.0, 2.0**-33, 1.0 - 2.0**-33]])
    assert (np.abs(near("cosine", x, **options) - np.cos(2.0 * np.pi * x)) <= COSINE_ERROR).all()


@pytest.mark.parametrize("options", [{}, {"fastmath": {"contract"}}])
def test_near_exponentials(options: dict) -> None:
    x = np.concatenate([RNG.uniform(-EXP_RANGE, EXP_RANGE, 100_000), [-EXP_RANGE, EXP_RANGE, 0.0, -0.0, 1e-300]])
    wanted = np.exp(x)
    assert (np.abs(near("exp", x, **options) - wanted) <= EXP_ERROR * wanted).all()


@pytest.mark.parametrize("name", LOOPS)
def test_compiled_and_plain_agree(name: str) -> None:
    x = RNG.uniform(0.01, 1.0, 200)
    plain = np.array([getattr(approximate, f"_near_{name}")(value) for value in x])
    assert np.allclose(near(name, x), plain, rtol=1e-14, atol=1e-15)
