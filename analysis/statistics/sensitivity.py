"""Sensitivity analysis: which settings move the outcome, from Morris's trajectories or Saltelli's rows.

The response at a design point is a mean over W worlds, so that chance adds to it: it widens differences and variances
that the settings have no part in, and more so the fewer the worlds. Every index here is therefore given from products
of *different* worlds (for x = x̄ + noise, the mean over pairs of worlds i ≠ j of xᵢ yⱼ is free of the noise's share,
whatever it has in common between points); the plain index and the noise's share stand beside it.

Intervals resample design rows and worlds, which are crossed, by the jackknife: an index is linear in one pseudo-value
a row and world, whose mean has variance V_rows + V_worlds − V_both (two-way clustering: Owen, *Annals of Applied
Statistics* 1(2), 2007), with Satterthwaite's degrees of freedom. Rows are taken for independent draws; where they are
a scrambled Sobol sequence, which is more even, the interval errs on the wide side.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy.special import stdtrit

from civsim.analysis.statistics.resample import LEVEL
from civsim.base.errors import ResultsError

F64 = NDArray[np.float64]

MIN_ROWS = 4
"""Trajectories or rows below which an index has no interval."""

MIN_WORLDS = 2
"""Worlds a point below which chance cannot be taken out."""


class Indices(NamedTuple):
    """Indices of D factors, and what of the response is chance."""

    table: pd.DataFrame  # one row a factor
    noise_share: float  # of the variance of the response over points (Saltelli), or of squared effects (Morris), [0, 1]
    rows: int  # trajectories or rows
    worlds: int  # a point


def _checked(values: ArrayLike, ndim: int, what: str) -> F64:
    table = np.asarray(values, np.float64)
    if table.ndim != ndim or table.shape[0] < MIN_ROWS or table.shape[-1] < MIN_WORLDS:
        raise ResultsError(f"{what} of shape {table.shape}; give at least {MIN_ROWS} of them and two worlds a point")
    if not np.isfinite(table).all():
        raise ResultsError(f"{what} hold NaN or infinity; drop the worlds that failed at any point")
    return table


def _cross(first: F64, second: F64) -> F64:
    """Return the mean over pairs of different worlds (last axis) of first · second."""
    n = first.shape[-1]
    total = first.sum(-1) * second.sum(-1) - (first * second).sum(-1)
    return np.asarray(total / (n * (n - 1.0)), np.float64)


def _cross_without(first: F64, second: F64) -> F64:
    """Return :func:`_cross` with each world left out in turn, [..., W]; needs three worlds."""
    n = first.shape[-1] - 1.0
    product = first * second
    total = (first.sum(-1, keepdims=True) - first) * (second.sum(-1, keepdims=True) - second)
    total -= product.sum(-1, keepdims=True) - product
    return np.asarray(total / (n * (n - 1.0)), np.float64)


def _two_way(pseudo: F64, level: float) -> tuple[F64, F64]:
    """Return (standard error, reach of the interval) of the mean of pseudo-values [rows, D, worlds], each [D]."""
    rows, _, worlds = pseudo.shape
    mean = pseudo.mean((0, 2))
    by_row, by_world = pseudo.mean(2), pseudo.mean(0)
    v_rows = by_row.var(0, ddof=1) / rows
    v_worlds = by_world.var(1, ddof=1) / worlds
    rest = pseudo - by_row[:, :, None] - by_world[None] + mean[None, :, None]
    v_both = (rest**2).sum((0, 2)) / ((rows - 1.0) * (worlds - 1.0)) / (rows * worlds)
    total = np.maximum(v_rows + v_worlds - v_both, np.maximum(v_rows, v_worlds))
    squares = v_rows**2 / (rows - 1) + v_worlds**2 / (worlds - 1) + v_both**2 / ((rows - 1) * (worlds - 1))
    freedom = np.where(squares > 0.0, total**2 / np.where(squares > 0.0, squares, 1.0), 1.0)
    error = np.sqrt(total)
    return error, error * stdtrit(np.maximum(freedom, 1.0), 0.5 * (1.0 + level))


def elementary_effects(unit: ArrayLike, response: ArrayLike) -> F64:
    """Return elementary effects, float64 [R, D, W]: change of the response per whole range of a factor.

    ``unit`` is float [R, D + 1, D], the trajectories on [0, 1]; ``response`` float [R, D + 1, W], its worlds.

    Raises:
        ResultsError: a step of a trajectory that does not move exactly one factor, or a factor that it never moves.
    """
    x, y = np.asarray(unit, np.float64), np.asarray(response, np.float64)
    steps = np.diff(x, axis=1)
    moved = np.abs(steps) > 1e-9
    if not ((moved.sum(2) == 1).all() and (moved.sum(1) == 1).all()):
        raise ResultsError("a trajectory does not move each factor once, alone; run the study with design = 'morris'")
    which = moved.argmax(2)
    size = np.take_along_axis(steps, which[:, :, None], 2)
    effects = np.empty((x.shape[0], x.shape[2], y.shape[2]))
    np.put_along_axis(effects, which[:, :, None], np.diff(y, axis=1) / size, 1)
    return effects


def morris_indices(unit: ArrayLike, response: ArrayLike, names: list[str], *, level: float = LEVEL) -> Indices:
    """Return Morris's indices of each factor, in the response's unit over the factor's whole range.

    ``unit`` is float [R, D + 1, D] on [0, 1], ``response`` float [R, D + 1, W] with W ≥ 2 worlds. Columns: ``factor``;
    ``mu_star`` = mean |EE| of the effects' means over worlds (Campolongo, Cariboni and Saltelli, *Environmental
    Modelling & Software* 22(10), 2007) with ``low``, ``high``; ``mu`` = mean EE, with ``mu_low``, ``mu_high``;
    ``sigma`` = s.d. of EE over trajectories free of chance (Morris, *Technometrics* 33(2), 1991), ``sigma_plain``;
    ``floor``, the μ* that chance alone would give, √(2/π) times the s.e. of one effect; ``noise_share``, of mean EE².

    Raises:
        ResultsError: too few trajectories or worlds, values that are not finite, or no trajectories.
    """
    y = _checked(response, 3, "responses of trajectories")
    effects = elementary_effects(unit, y)
    mean = effects.mean(2)
    mu, mu_star = mean.mean(0), np.abs(mean).mean(0)
    _, reach = _two_way(effects, level)
    _, star = _two_way(effects * np.sign(mean)[:, :, None], level)
    noise = (effects.var(2, ddof=1) / effects.shape[2]).mean(0)
    plain = mean.var(0, ddof=1)
    square = (mean**2).mean(0)
    table = pd.DataFrame(
        {
            "factor": names,
            "mu_star": mu_star,
            "low": np.maximum(mu_star - star, 0.0),
            "high": mu_star + star,
            "mu": mu,
            "mu_low": mu - reach,
            "mu_high": mu + reach,
            "sigma": np.sqrt(np.maximum(plain - noise, 0.0)),
            "sigma_plain": np.sqrt(plain),
            "floor": np.sqrt(2.0 / np.pi * noise),
            "noise_share": np.divide(noise, square, out=np.zeros_like(noise), where=square > 0.0).clip(0.0, 1.0),
        }
    )
    share = float(noise.sum() / square.sum()) if square.sum() > 0.0 else 0.0
    return Indices(table, min(share, 1.0), y.shape[0], y.shape[2])


class _Parts(NamedTuple):
    """What Sobol indices are ratios of, a row: numerators [N, D(, W)] and the variance's share [N, 1(, W)]."""

    first: F64
    total: F64
    variance: F64


def _parts(rows: F64, multiply: Callable[[F64, F64], F64]) -> _Parts:
    a, b, both = rows[:, :1], rows[:, -1:], rows[:, 1:-1]
    wide_b, wide_a = np.broadcast_to(b, both.shape), np.broadcast_to(a, both.shape)
    variance = 0.5 * (multiply(a, a) + multiply(b, b))
    return _Parts(multiply(wide_b, both - wide_a), 0.5 * multiply(wide_a - both, wide_a - both), variance)


def sobol_indices(response: ArrayLike, names: list[str], *, level: float = LEVEL) -> Indices:
    """Return first-order and total Sobol indices of each factor from Saltelli's rows.

    ``response`` is float [N, D + 2, W], W ≥ 3 worlds: in each row A, then AB for each factor (A with that factor's
    value from B), then B. S1 = mean B (AB − A) / Var and ST = mean (A − AB)² / 2 Var (Saltelli et al., *Computer
    Physics Communications* 181(2), 2010, table 2 b and f; Jansen). Columns: ``factor``; ``s1``, ``s1_low``,
    ``s1_high``, ``st``, ``st_low``, ``st_high`` free of chance; ``s1_plain``, ``st_plain`` by SALib from the means
    over worlds. Where the variance is 0 the indices are nan.

    Raises:
        ResultsError: too few rows or worlds, or values that are not finite.
    """
    from SALib.analyze.sobol import first_order, total_order

    y = _checked(response, 3, "responses of rows")
    n, width, worlds = y.shape
    if worlds < 3 or width < 3:
        raise ResultsError(f"responses of shape {y.shape}: Sobol indices need at least 3 worlds a point and one factor")
    y = y - y[:, [0, -1]].mean((0, 1))  # what is common to a world has no part in any index
    parts = _parts(y, _cross)
    variance = float(parts.variance.mean())
    means = y.mean(2)
    plain_variance = float(means[:, [0, -1]].var())
    columns: dict[str, object] = {"factor": names}
    if variance <= 0.0 or plain_variance == 0.0:
        blank = [f"{name}{end}" for name in ("s1", "st") for end in ("", "_low", "_high", "_plain")]
        empty = pd.DataFrame(columns | dict.fromkeys(blank, np.nan))
        return Indices(empty, 1.0 if plain_variance > 0.0 else 0.0, n, worlds)
    without = _parts(y, _cross_without)
    plain = {"s1": first_order, "st": total_order}
    for name, whole, less in (("s1", parts.first, without.first), ("st", parts.total, without.total)):
        value = whole.mean(0) / variance
        kept = worlds * (whole - value * parts.variance)[:, :, None]
        pseudo = (kept - (worlds - 1.0) * (less - value[None, :, None] * without.variance)) / variance
        _, reach = _two_way(pseudo, level)
        estimates = [float(plain[name](means[:, 0], means[:, 1 + i], means[:, -1])) for i in range(width - 2)]
        columns |= {
            name: value,
            f"{name}_low": value - reach,
            f"{name}_high": value + reach,
            f"{name}_plain": estimates,
        }
    return Indices(pd.DataFrame(columns), float(np.clip(1.0 - variance / plain_variance, 0.0, 1.0)), n, worlds)
