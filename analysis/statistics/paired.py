"""Differences between arms that met the same worlds, with intervals from resampling whole worlds."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from civsim.analysis.panel import Panel
from civsim.analysis.statistics.resample import (
    DRAWS,
    LEVEL,
    SEED,
    bootstrap_means,
    bootstrap_weights,
    interval,
    student_stretch,
    widened_interval,
)

F64 = NDArray[np.float64]


def realised_correlation(first: ArrayLike, second: ArrayLike) -> float:
    """Return Pearson's correlation of two arms over worlds, in [-1, 1]; nan where an arm does not vary.

    Pairing pays where it is high: Var(difference) = Var₁ + Var₂ − 2·ρ·sd₁·sd₂.
    """
    a = np.asarray(first, np.float64)
    b = np.asarray(second, np.float64)
    if a.size < 2 or np.ptp(a) == 0.0 or np.ptp(b) == 0.0:
        return float("nan")
    return float(np.corrcoef(a, b)[0, 1])


def variance_ratio(first: ArrayLike, second: ArrayLike) -> float:
    """Return Var(paired difference) / (Var₁ + Var₂): below 1 where common worlds help; nan where nothing varies."""
    a = np.asarray(first, np.float64)
    b = np.asarray(second, np.float64)
    total = a.var() + b.var()
    return float((a - b).var() / total) if total > 0.0 else float("nan")


def paired_differences(
    panel: Panel, reference: Any, *, draws: int = DRAWS, seed: int = SEED, level: float = LEVEL
) -> pd.DataFrame:
    """Return each arm's mean difference from the reference arm, world by world.

    Columns: ``arm``, ``worlds``, ``mean``, ``mean_low``, ``mean_high`` (the arm itself), ``difference``, ``low``,
    ``high`` (worlds resampled, limits stretched for how few they are), ``correlation`` (with the reference) and
    ``variance_ratio``.
    The reference's own difference is exactly 0.

    Raises:
        ResultsError: fewer than two worlds, or no such reference arm.
    """
    base = panel.column(reference)
    weights = bootstrap_weights(panel.n_worlds, draws, seed)
    gaps = panel.values - base[:, None]
    low, high = widened_interval(gaps.mean(0), bootstrap_means(gaps, weights), panel.n_worlds, level)
    means = panel.values.mean(0)
    mean_low, mean_high = widened_interval(means, bootstrap_means(panel.values, weights), panel.n_worlds, level)
    return pd.DataFrame(
        {
            "arm": list(panel.arms),
            "worlds": panel.n_worlds,
            "mean": means,
            "mean_low": mean_low,
            "mean_high": mean_high,
            "difference": gaps.mean(0),
            "low": low,
            "high": high,
            "correlation": [realised_correlation(column, base) for column in panel.values.T],
            "variance_ratio": [variance_ratio(column, base) for column in panel.values.T],
        }
    )


def unpaired_difference(
    treated: ArrayLike, control: ArrayLike, *, draws: int = DRAWS, seed: int = SEED, level: float = LEVEL
) -> tuple[float, float, float]:
    """Return (difference of means, low, high) of two arms on *independent* worlds, float [W₁] and [W₂].

    Each arm's worlds are resampled apart, from two streams of one seed, and the percentiles stretched for how few they
    are: by the s.d. with n − 1 over the resamples' own, and Student's t with Welch's degrees of freedom over the
    normal's (Welch, *Biometrika* 34, 1947). Used for the A/A test.
    """
    a = np.asarray(treated, np.float64)
    b = np.asarray(control, np.float64)
    streams = np.random.SeedSequence(seed).generate_state(2)
    gap = bootstrap_means(a, bootstrap_weights(a.size, draws, int(streams[0]))) - bootstrap_means(
        b, bootstrap_weights(b.size, draws, int(streams[1]))
    )
    low, high = interval(gap, level)
    parts = np.array([a.var(ddof=1) / a.size, b.var(ddof=1) / b.size])
    moved = float(gap.var())
    if moved == 0.0:
        return float(a.mean() - b.mean()), float(low), float(high)
    freedom = float(parts.sum() ** 2 / (parts**2 / (np.array([a.size, b.size]) - 1.0)).sum())
    value, factor = float(a.mean() - b.mean()), float(np.sqrt(parts.sum() / moved) * student_stretch(freedom, level))
    return value, value + factor * float(low - value), value + factor * float(high - value)


def contrast(
    values: ArrayLike, coefficients: ArrayLike, *, draws: int = DRAWS, seed: int = SEED, level: float = LEVEL
) -> tuple[F64, F64, F64]:
    """Return (estimate, low, high), each [K], of K linear contrasts of arm means.

    ``values`` is float [W, A]; ``coefficients`` float [A, K] (a difference of differences has +1, −1, −1, +1).
    """
    table = np.asarray(values, np.float64) @ np.asarray(coefficients, np.float64)
    weights = bootstrap_weights(table.shape[0], draws, seed)
    low, high = widened_interval(table.mean(0), bootstrap_means(table, weights), table.shape[0], level)
    return table.mean(0), low, high
