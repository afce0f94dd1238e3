"""How an outcome answers a dose: elasticity, whether returns diminish, and whether the answer is concave.

Gains over the lowest dose are :func:`civsim.analysis.statistics.paired.paired_differences`, marginal returns
:func:`civsim.analysis.statistics.marginal.marginal_returns`; here is what is read off them together.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from civsim.analysis.panel import Panel
from civsim.analysis.statistics.clustered import two_sided_p
from civsim.analysis.statistics.resample import (
    DRAWS,
    LEVEL,
    SEED,
    bootstrap_means,
    bootstrap_weights,
    student_estimate,
    widened_interval,
)
from civsim.base.errors import ResultsError

F64 = NDArray[np.float64]

MIN_DOSES = 3
"""Two slopes take three doses."""

PER_LEVEL, PER_DOUBLING = "level", "doubling"
"""Units of a slope: per level of the dose, or per doubling of it (log₂; doses above 0 alone)."""


class Concavity(NamedTuple):
    """A test of 'the answer is nowhere convex': no slope is steeper than the one before it."""

    rise: float  # largest rise of a slope over the one before it, per level, in units of its standard error
    dose: float  # dose at which that rise is
    change: float  # that rise itself (outcome per level); the largest second difference
    p: float  # joint bootstrap p of 'concave', in (0, 1]
    worlds: int


def _doses(panel: Panel) -> F64:
    doses = np.asarray(panel.arms, np.float64)
    if doses.size < MIN_DOSES:
        raise ResultsError(f"doses={doses.size} are too few; at least {MIN_DOSES} are needed")
    if np.any(np.diff(doses) <= 0.0) or not np.isfinite(doses).all():
        raise ResultsError("doses must ascend; sort them and drop repeats")
    return doses


def elasticities(
    panel: Panel, *, logged: bool = False, draws: int = DRAWS, seed: int = SEED, level: float = LEVEL
) -> pd.DataFrame:
    """Return the arc elasticity of the outcome in the dose, between neighbouring doses and over the whole range.

    It is Δ ln(mean outcome) / Δ ln(dose): by how many percent the outcome rises where the dose rises by one percent.

    Args:
        panel: arms are doses, ascending.
        logged: the outcome is already a logarithm (welfare a turn): its change is then taken as it is.
        draws: bootstrap draws of whole worlds.
        seed: seed of the resampling.
        level: coverage, in (0, 1).

    Returns:
        One row a step, then one from the lowest dose above 0 to the highest (``whole`` True): ``dose_from``,
        ``dose_to``, ``whole``, ``worlds``, ``elasticity``, ``low``, ``high``, ``why`` (why it is nan: a dose or an
        outcome that is not above 0 has no logarithm; else empty).

    Raises:
        ResultsError: fewer than two doses, doses that do not ascend, or fewer than two worlds.
    """
    doses = np.asarray(panel.arms, np.float64)
    if doses.size < 2 or np.any(np.diff(doses) <= 0.0):
        raise ResultsError(f"doses={doses.size} give no elasticity; give at least 2, ascending")
    resampled = bootstrap_means(panel.values, bootstrap_weights(panel.n_worlds, draws, seed))
    means = panel.values.mean(0)
    pairs = [(i, i + 1, False) for i in range(doses.size - 1)]
    above = np.flatnonzero(doses > 0.0)
    if above.size >= 2:
        pairs.append((int(above[0]), int(above[-1]), True))
    rows = []
    for start, end, whole in pairs:
        row = {"dose_from": panel.arms[start], "dose_to": panel.arms[end], "whole": whole, "worlds": panel.n_worlds}
        why = ""
        if doses[start] <= 0.0:
            why = f"a dose of {doses[start]:g} has no logarithm"
        elif not logged and min(means[start], means[end]) <= 0.0:
            why = "a mean outcome that is not above 0 has no logarithm"
        elif not logged and min(resampled[:, start].min(), resampled[:, end].min()) <= 0.0:
            why = "resampled means reach 0, whose logarithm is not finite"
        value = low = high = float("nan")
        if not why:
            step = np.log(doses[end] / doses[start])
            point, drawn = (means, resampled) if logged else (np.log(means), np.log(resampled[:, [start, end]]))
            ends = (start, end) if logged else (0, 1)
            value = float((point[end] - point[start]) / step)
            change = (drawn[:, ends[1]] - drawn[:, ends[0]]) / step
            low, high = map(float, widened_interval(value, change, panel.n_worlds, level))
        rows.append({**row, "elasticity": value, "low": low, "high": high, "why": why})
    return pd.DataFrame(rows)


def _slope_change(scale: F64) -> tuple[int, F64]:
    """Return the middle dose's place and the contrast [A, 3]: early slope, late slope, late less early."""
    middle = (scale.size - 1) // 2
    early, late = np.zeros(scale.size), np.zeros(scale.size)
    early[[0, middle]] = np.array([-1.0, 1.0]) / (scale[middle] - scale[0])
    late[[middle, -1]] = np.array([-1.0, 1.0]) / (scale[-1] - scale[middle])
    return middle, np.column_stack([early, late, late - early])


def diminishing_returns(panel: Panel, *, level: float = LEVEL) -> pd.DataFrame:
    """Return the late average slope less the early one: below 0 where returns diminish.

    Early is from the lowest dose to the middle one (the median of the doses played; of an even number, the lower),
    late from there to the highest. Slopes are stated per level and per doubling: returns that diminish per level may be
    even per doubling. The contrast is linear in the arms, so it is a mean over worlds, with Student's t interval and p.

    Returns:
        Two rows, ``scale`` 'level' and 'doubling' (doses above 0 alone): ``dose_low``, ``dose_middle``, ``dose_high``,
        ``worlds``, ``early``, ``late``, ``contrast``, ``low``, ``high``, ``p`` (two-sided, of no change). A scale that
        has fewer than three doses is left out.

    Raises:
        ResultsError: fewer than three doses, doses that do not ascend, or fewer than two worlds.
    """
    doses, n = _doses(panel), panel.n_worlds
    rows = []
    for name, keep in ((PER_LEVEL, np.ones(doses.size, bool)), (PER_DOUBLING, doses > 0.0)):
        if keep.sum() < MIN_DOSES:
            continue
        chosen = doses[keep]
        middle, coefficients = _slope_change(chosen if name == PER_LEVEL else np.log2(chosen))
        slopes = panel.values[:, keep] @ coefficients  # [W, 3]
        change = student_estimate(slopes[:, 2], level)
        rows.append(
            {
                "scale": name,
                "dose_low": chosen[0],
                "dose_middle": chosen[middle],
                "dose_high": chosen[-1],
                "worlds": panel.n_worlds,
                "early": slopes[:, 0].mean(),
                "late": slopes[:, 1].mean(),
                "contrast": float(change.value),
                "low": float(change.low),
                "high": float(change.high),
                "p": two_sided_p(slopes[:, 2].mean(), slopes[:, 2].std(ddof=1) / n**0.5, n - 1.0),
            }
        )
    return pd.DataFrame(rows)


def concavity_test(panel: Panel, *, draws: int = DRAWS, seed: int = SEED) -> Concavity:
    """Return a test of the null that the mean outcome is concave in the dose, against a slope that rises somewhere.

    The statistic is the largest, over inner doses, of (slope after − slope before) in units of its standard error. Its
    null distribution is that of the largest of the resampled deviations from the estimates, drawn jointly: exact in the
    limit where all slopes are equal, which is the hardest concave curve to tell from a convex one, and conservative
    elsewhere. A small p says that returns rise somewhere; a large one does not prove that they diminish.

    Raises:
        ResultsError: fewer than three doses, doses that do not ascend, or fewer than two worlds.
    """
    doses = _doses(panel)
    slopes = np.diff(panel.values, axis=1) / np.diff(doses)  # [W, A − 1]
    bends = np.diff(slopes, axis=1)  # [W, A − 2]
    n = panel.n_worlds
    weights = bootstrap_weights(n, draws, seed)
    mean = bends.mean(0)
    error = bends.std(0, ddof=1) / np.sqrt(n)
    known = error <= 0.0  # a bend that is the same in every world needs no test
    unit = np.where(known, 1.0, error)
    score = np.where(known, np.where(mean > 0.0, np.inf, np.where(mean < 0.0, -np.inf, 0.0)), mean / unit)
    deviations = np.where(known, -np.inf, (bootstrap_means(bends, weights) - mean) / unit).max(1)
    top = int(np.argmax(score))
    p = (1.0 + float((deviations >= score[top]).sum())) / (draws + 1.0)
    return Concavity(
        float(score[top]), float(doses[top + 1]), float(mean[top]), p if not known.all() else _certain(score[top]), n
    )


def _certain(score: float) -> float:
    """Return the p of a curve known without error: 0 where it is convex anywhere, else 1."""
    return 0.0 if score > 0.0 else 1.0
