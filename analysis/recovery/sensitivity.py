"""Planted sensitivity: a linear function for Morris's effects, Ishigami's function for Sobol indices, worlds' noise."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from civsim.analysis.recovery.case import Case
from civsim.analysis.statistics.sensitivity import Indices, morris_indices, sobol_indices

F64 = NDArray[np.float64]

SLOPES = (3.0, -1.5, 0.8, 0.0)
"""Change of the planted linear response over the whole range of each factor."""

ISHIGAMI_A, ISHIGAMI_B = 7.0, 0.1
"""Parameters of Ishigami and Homma's function (ISUMA '90, 1990)."""

NAMES = ["x1", "x2", "x3"]
TRAJECTORIES, ROWS, WORLDS = 20, 256, 12
NOISE, WORLD, SWAY = 0.6, 2.0, 0.5
"""Standard deviations: of a game, of a world's level, of how much a world's response to the factors differs."""


def ishigami(x: F64) -> F64:
    """Return sin x₁ + a sin² x₂ + b x₃⁴ sin x₁, of ``x`` [..., 3] in [−π, π]."""
    wave = np.sin(x[..., 0])
    return np.asarray(wave + ISHIGAMI_A * np.sin(x[..., 1]) ** 2 + ISHIGAMI_B * x[..., 2] ** 4 * wave, np.float64)


def ishigami_indices() -> tuple[F64, F64]:
    """Return (S1, ST), each [3], of Ishigami's function in closed form."""
    a, b = ISHIGAMI_A, ISHIGAMI_B
    first = np.array([0.5 * (1.0 + b * np.pi**4 / 5.0) ** 2, a**2 / 8.0, 0.0])
    both = b**2 * np.pi**8 * (1.0 / 18.0 - 1.0 / 50.0)
    variance = first.sum() + both
    return first / variance, (first + np.array([both, 0.0, both])) / variance


def trajectories(rng: np.random.Generator, count: int, factors: int) -> F64:
    """Return Morris's trajectories on a grid of 4 levels, float64 [count, factors + 1, factors]."""
    start = rng.integers(0, 2, (count, factors)) / 3.0
    moves = np.full((count, factors), 2.0 / 3.0)
    flip = rng.random((count, factors)) < 0.5
    start, moves = np.where(flip, start + 2.0 / 3.0, start), np.where(flip, -moves, moves)
    order = rng.permuted(np.tile(np.arange(factors), (count, 1)), axis=1)
    path = np.repeat(start[:, None], factors + 1, axis=1)
    for step in range(factors):
        moved = order[:, step]
        each = np.arange(count)
        path[each, step + 1 :, moved] += moves[each, moved][:, None]
    return path


def noisy(mean: F64, rng: np.random.Generator, worlds: int, spread: float) -> F64:
    """Return ``mean`` [...] as worlds play it, [..., worlds]: a world's own level, its own sway, a game's chance.

    A world's sway is chance that is common to neighbouring points, as common random numbers make it; over worlds it
    has mean 1, so that the mean response stays as planted.
    """
    level, sway = rng.normal(0.0, WORLD, worlds), rng.normal(1.0, SWAY, worlds)
    return np.asarray(mean[..., None] * sway + level + rng.normal(0.0, spread, (*mean.shape, worlds)), np.float64)


def draw_morris(seed: int) -> Indices:
    """Return Morris's indices of one replication of the planted linear response."""
    rng = np.random.default_rng([seed, 1])
    unit = trajectories(rng, TRAJECTORIES, len(SLOPES))
    response = noisy(unit @ np.array(SLOPES), rng, WORLDS, NOISE)
    return morris_indices(unit, response, [f"x{index + 1}" for index in range(len(SLOPES))])


def draw_sobol(seed: int) -> Indices:
    """Return Sobol indices of one replication of Ishigami's function with worlds' noise; rows drawn independently."""
    rng = np.random.default_rng([seed, 2])
    first, second = rng.uniform(-np.pi, np.pi, (2, ROWS, len(NAMES)))
    rows = np.repeat(first[:, None], len(NAMES) + 2, axis=1)
    rows[:, -1] = second
    for index in range(len(NAMES)):
        rows[:, 1 + index, index] = second[:, index]
    return sobol_indices(noisy(ishigami(rows), rng, WORLDS, 2.0), NAMES)


def recover_morris_mu_star(seed: int) -> tuple[float, float, float]:
    """Return (planted, low, high) of μ* of the second factor of the linear response."""
    row = draw_morris(seed).table.iloc[1]
    return abs(SLOPES[1]), float(row["low"]), float(row["high"])


def recover_morris_mu(seed: int, factor: int = 0) -> tuple[float, float, float]:
    """Return (planted, low, high) of μ of a factor of the linear response; the last one has no effect."""
    row = draw_morris(seed).table.iloc[factor]
    return SLOPES[factor], float(row["mu_low"]), float(row["mu_high"])


def recover_sobol_first(seed: int) -> tuple[float, float, float]:
    """Return (planted, low, high) of the first-order index of Ishigami's first factor."""
    row = draw_sobol(seed).table.iloc[0]
    return float(ishigami_indices()[0][0]), float(row["s1_low"]), float(row["s1_high"])


def recover_sobol_total(seed: int) -> tuple[float, float, float]:
    """Return (planted, low, high) of the total index of Ishigami's third factor, which acts through the first alone."""
    row = draw_sobol(seed).table.iloc[2]
    return float(ishigami_indices()[1][2]), float(row["st_low"]), float(row["st_high"])


_ISHIGAMI = "Ishigami and Homma 1990; 256 independent rows, 12 worlds that share chance between points"
_LINEAR = "linear response; 20 trajectories of Morris (1991), 12 worlds that share chance between points"

CASES = (
    Case("Morris μ*", recover_morris_mu_star, _LINEAR),
    Case("Morris μ", recover_morris_mu, _LINEAR),
    Case("Sobol first-order index", recover_sobol_first, _ISHIGAMI),
    Case("Sobol total index", recover_sobol_total, _ISHIGAMI),
)
