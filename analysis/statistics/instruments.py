"""Instrumental variables: the slope of an outcome on a dose that the players choose themselves.

Who thinks more may differ in other ways from who thinks less, so that least squares of outcome on cognition answers
no causal question. What a study sets and what touches the outcome by way of cognition alone is an instrument. Whether
a price does no more than that is for the reader to judge: the reduced form stands without it. The slope is that of
two-stage least squares (2SLS); worlds are the clusters of its variance, and its
interval is Student's t with one degree of freedom fewer than there are worlds. Where the instruments are weak that
interval misleads (Staiger and Stock, *Econometrica* 65(3), 1997); the set of Anderson and Rubin (*Annals of
Mathematical Statistics* 20(1), 1949) covers however weak they are, and is reported beside it.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy.special import fdtrc, fdtri

from civsim.analysis.statistics.clustered import (
    Clusters,
    cluster_covariance,
    critical,
    find_clusters,
    two_sided_p,
)
from civsim.analysis.statistics.resample import LEVEL
from civsim.base.errors import ResultsError

F64 = NDArray[np.float64]

WEAK_F = 10.0
"""First-stage F below which instruments are called weak (Staiger and Stock 1997)."""

_REAL = 1e-7
"""A polynomial's root is real if its imaginary part is this small beside its size."""


_STILL = 1e-10
"""Share of its size that a column must keep, controls taken out, to be said to vary."""


class Instrumented(NamedTuple):
    """A 2SLS slope and what there is to judge it by. Limits are of ``level`` coverage; ± inf where there is none."""

    slope: float  # 2SLS: units of the outcome per unit of the dose (an elasticity where both are logarithms)
    error: float  # standard error, clustered by world
    low: float  # slope ± t(worlds − 1) · error
    high: float
    p: float  # of a slope of 0, two-sided, same t
    ols: float  # least squares of the same equation, clustered alike
    ols_low: float
    ols_high: float
    first_f: float  # effective F of the first stage (Montiel Olea and Pflueger, JBES 31(3), 2013)
    kleibergen_paap: float  # rk Wald F; equals the effective F for one instrument
    weak: bool  # first_f below WEAK_F
    ar_low: float  # hull of the Anderson–Rubin set; nan where it is empty
    ar_high: float
    ar_shape: str  # 'interval', 'outside' (all but a stretch), 'line' (nothing is ruled out), or 'empty'
    overid: float  # Hansen's J, clustered; nan with one instrument
    overid_p: float  # its p, chi-square with instruments − 1 degrees of freedom
    rows: int
    worlds: int  # clusters
    reduced: pd.DataFrame  # one row an instrument: first stage and reduced form, with limits


class _Forms(NamedTuple):
    """First stage and reduced form, jointly: coefficients on L instruments and their clustered covariance."""

    outcome: F64  # [L] reduced form
    dose: F64  # [L] first stage
    v_outcome: F64  # [L, L]
    v_both: F64  # [L, L] cov(outcome, dose)
    v_dose: F64  # [L, L]
    cross: F64  # [L, L] Z'Z of the instruments, controls taken out


def _residual(target: F64, controls: F64) -> F64:
    solution = np.linalg.lstsq(controls, target, rcond=None)[0]
    return np.asarray(target - controls @ solution, np.float64)


def _forms(y: F64, x: F64, z: F64, controls: F64, clusters: Clusters) -> _Forms:
    """Return both regressions on the instruments, stacked, with their joint CR1 covariance."""
    y, x, z = _residual(y, controls), _residual(x, controls), _residual(z, controls)
    cross = z.T @ z
    bread = np.linalg.inv(cross)
    a, b = bread @ (z.T @ y), bread @ (z.T @ x)
    scores = np.hstack([z * (y - z @ a)[:, None], z * (x - z @ b)[:, None]])
    width = z.shape[1]
    v = cluster_covariance(scores, np.kron(np.eye(2), bread), clusters, parameters=controls.shape[1] + width)
    return _Forms(a, b, v[:width, :width], v[:width, width:], v[width:, width:], cross)


def _ar_terms(forms: _Forms, slope: float) -> tuple[float, float]:
    """Return (Wald statistic · det V, det V) of 'the instruments do not move outcome − slope · dose'."""
    gap = forms.outcome - slope * forms.dose
    v = forms.v_outcome - slope * (forms.v_both + forms.v_both.T) + slope**2 * forms.v_dose
    det = float(np.linalg.det(v))
    if det <= 0.0:
        return 0.0, det
    return float(gap @ np.linalg.solve(v, gap)) * det, det


def _ar_set(forms: _Forms, centre: float, error: float, clusters: Clusters, level: float) -> tuple[float, float, str]:
    """Return (low, high, shape) of the Anderson–Rubin set.

    With L instruments Wald · det V and det V are polynomials of degree 2L in the slope; the limits are the roots of
    their difference at the critical value L · F(L, worlds − 1).
    """
    width = len(forms.dose)
    limit = width * float(fdtri(width, clusters.freedom, level))
    scale = error if error > 0.0 else 1.0
    nodes = 4.0 * np.cos(np.pi * (np.arange(2 * width + 1) + 0.5) / (2 * width + 1))
    terms = np.array([_ar_terms(forms, centre + scale * node) for node in nodes])
    size = np.abs(terms).max() or 1.0
    values = (terms[:, 0] - limit * terms[:, 1]) / size
    polynomial = np.polynomial.Polynomial.fit(nodes, values, 2 * width, domain=[-4.0, 4.0], window=[-4.0, 4.0])
    roots = np.asarray(polynomial.roots())
    real = np.sort(roots.real[np.abs(roots.imag) <= _REAL * np.maximum(1.0, np.abs(roots))])
    tails = bool(polynomial.coef[-1] <= 0.0)  # the set holds both ends of the line
    if not len(real):
        return (-np.inf, np.inf, "line") if tails else (np.nan, np.nan, "empty")
    limits = centre + scale * real
    if tails:
        return -np.inf, np.inf, "outside"
    return float(limits[0]), float(limits[-1]), "interval"


def anderson_rubin(
    outcome: ArrayLike,
    dose: ArrayLike,
    instruments: ArrayLike,
    worlds: ArrayLike,
    *,
    controls: ArrayLike | None = None,
    level: float = LEVEL,
) -> tuple[float, float, str]:
    """Return (low, high, shape) of the Anderson–Rubin set of the slope; arguments as :func:`instrumented_slope`.

    The shape is 'interval'; 'outside' where the set is all but a stretch of the line (limits ± inf); 'line' where
    nothing is ruled out (± inf); 'empty' (nan), which rejects that the instruments are valid.

    Raises:
        ResultsError: as :func:`instrumented_slope`.
    """
    y, x, z, base, clusters = _checked(outcome, dose, instruments, worlds, controls)
    forms = _forms(y, x, z, base, clusters)
    weight = forms.cross @ forms.dose
    slope = float(weight @ forms.outcome) / float(weight @ forms.dose)
    return _ar_set(forms, slope, _delta_error(forms, slope), clusters, level)


def anderson_rubin_p(
    outcome: ArrayLike,
    dose: ArrayLike,
    instruments: ArrayLike,
    worlds: ArrayLike,
    slope: float,
    *,
    controls: ArrayLike | None = None,
) -> float:
    """Return the p of 'the slope is ``slope``' (and the instruments are valid), however weak the instruments are.

    The instruments must not move outcome − slope · dose: Wald / L against F(L, worlds − 1), clustered by world. Other
    arguments as :func:`instrumented_slope`.

    Raises:
        ResultsError: as :func:`instrumented_slope`.
    """
    y, x, z, base, clusters = _checked(outcome, dose, instruments, worlds, controls)
    scaled, det = _ar_terms(_forms(y, x, z, base, clusters), slope)
    return float(fdtrc(z.shape[1], clusters.freedom, scaled / det / z.shape[1])) if det > 0.0 else 1.0


def _delta_error(forms: _Forms, slope: float) -> float:
    """Return the standard error of the 2SLS slope as a function of both forms' coefficients."""
    weight = forms.cross @ forms.dose
    v = forms.v_outcome - slope * (forms.v_both + forms.v_both.T) + slope**2 * forms.v_dose
    return float(np.sqrt(max(float(weight @ v @ weight), 0.0))) / abs(float(weight @ forms.dose))


def _checked(
    outcome: ArrayLike, dose: ArrayLike, instruments: ArrayLike, worlds: ArrayLike, controls: ArrayLike | None
) -> tuple[F64, F64, F64, F64, Clusters]:
    y, x = np.asarray(outcome, np.float64), np.asarray(dose, np.float64)
    z = np.asarray(instruments, np.float64).reshape(len(y), -1)
    ones = np.ones((len(y), 1))
    base = ones if controls is None else np.hstack([ones, np.asarray(controls, np.float64).reshape(len(y), -1)])
    if x.shape != y.shape or len(np.asarray(worlds)) != len(y):
        raise ResultsError(f"rows={len(y)} of the outcome do not match those of the dose or the worlds; align them")
    if not all(np.isfinite(table).all() for table in (y, x, z, base)):
        raise ResultsError("a value is NaN or infinite (a logarithm of 0?); drop those rows and say how many")
    clusters = find_clusters(worlds, len(y))
    least = base.shape[1] + z.shape[1] + 1
    if clusters.number < least:
        raise ResultsError(f"worlds={clusters.number} are too few for {least - 1} coefficients; at least {least}")
    moving = np.column_stack([z, x])
    left = _residual(moving, base)
    still = np.abs(left).max(0) <= _STILL * np.maximum(1.0, np.abs(moving).max(0))
    if still.any() or np.linalg.matrix_rank(left[:, :-1]) < z.shape[1]:
        raise ResultsError("an instrument or the dose does not vary beside the controls; drop it or vary it")
    return y, x, z, base, clusters


def instrumented_slope(
    outcome: ArrayLike,
    dose: ArrayLike,
    instruments: ArrayLike,
    worlds: ArrayLike,
    *,
    controls: ArrayLike | None = None,
    names: tuple[str, ...] | None = None,
    level: float = LEVEL,
) -> Instrumented:
    """Return the 2SLS slope of the outcome on the dose, with its diagnostics.

    Args:
        outcome: float [n], finite (often a logarithm).
        dose: float [n], what is chosen (endogenous).
        instruments: float [n] or [n, L]: what moves the dose alone.
        worlds: int [n], the cluster of each row.
        controls: float [n, C], exogenous; a constant is always there.
        names: of the instruments, for the table of the first stage and the reduced form.
        level: coverage, in (0, 1).

    Raises:
        ResultsError: rows that do not match, values that are not finite, too few worlds, or no variation.
    """
    from linearmodels.iv import IV2SLS

    y, x, z, base, clusters = _checked(outcome, dose, instruments, worlds, controls)
    options: dict[str, Any] = {"cov_type": "clustered", "clusters": clusters.codes, "debiased": True}
    fit: Any = IV2SLS(y, base, x, z).fit(**options)
    least = IV2SLS(y, np.column_stack([base, x]), None, None).fit(**options)
    slope, error = float(fit.params.iloc[-1]), float(fit.std_errors.iloc[-1])
    reach = critical(clusters.freedom, level)
    ols, spread = float(least.params.iloc[-1]), reach * float(least.std_errors.iloc[-1])
    forms = _forms(y, x, z, base, clusters)
    effective = float(forms.dose @ forms.cross @ forms.dose / np.trace(forms.v_dose @ forms.cross))
    ar_low, ar_high, shape = _ar_set(forms, slope, error, clusters, level)
    overid, overid_p = _overidentified(y, x, z, base, clusters.codes)
    return Instrumented(
        slope, error, slope - reach * error, slope + reach * error, two_sided_p(slope, error, clusters.freedom), ols,
        ols - spread, ols + spread, effective, float(fit.first_stage.kleibergen_paap_f), effective < WEAK_F, ar_low,
        ar_high, shape, overid, overid_p, len(y), clusters.number, _reduced(forms, names, reach),
    )  # fmt: skip


def _overidentified(y: F64, x: F64, z: F64, base: F64, codes: NDArray[np.int64]) -> tuple[float, float]:
    """Return Hansen's J (*Econometrica* 50(4), 1982) with clustered weights, and its p; nan if just identified."""
    if z.shape[1] < 2:
        return float("nan"), float("nan")
    from linearmodels.iv import IVGMM

    fit: Any = IVGMM(y, base, x, z, weight_type="clustered", clusters=codes).fit(cov_type="clustered", clusters=codes)
    return float(fit.j_stat.stat), float(fit.j_stat.pval)


def price_slopes(
    outcome: ArrayLike,
    instruments: ArrayLike,
    worlds: ArrayLike,
    *,
    names: tuple[str, ...] | None = None,
    level: float = LEVEL,
) -> pd.DataFrame:
    """Return least squares of an outcome on the instruments (a reduced form), clustered by world.

    ``outcome`` is float [n] (such as 1 where a game is lost, else 0), ``instruments`` float [n] or [n, L], ``worlds``
    int [n]. One row an instrument: ``instrument``, ``slope``, ``low``, ``high`` (Student's t, worlds − 1), ``told``
    (the interval leaves out 0). An outcome that is the same in every row has slopes of exactly 0.

    Raises:
        ResultsError: as :func:`instrumented_slope`.
    """
    first = np.asarray(instruments, np.float64).reshape(len(np.asarray(worlds)), -1)[:, 0]
    # No dose is asked for: an instrument stands in its place, and the first stage is not read.
    y, x, z, base, clusters = _checked(outcome, first, instruments, worlds, None)
    forms = _forms(y if np.ptp(y) else np.zeros_like(y), x, z, base, clusters)
    table = _reduced(forms, names, critical(clusters.freedom, level))
    kept = table[["instrument", "reduced", "reduced_low", "reduced_high"]]
    kept = kept.set_axis(["instrument", "slope", "low", "high"], axis=1)
    return kept.assign(told=(kept["low"] > 0.0) | (kept["high"] < 0.0))


def _reduced(forms: _Forms, names: tuple[str, ...] | None, reach: float) -> pd.DataFrame:
    width = len(forms.dose)
    table = pd.DataFrame({"instrument": list(names or (f"z{number}" for number in range(width)))})
    for name, value, v in (("first", forms.dose, forms.v_dose), ("reduced", forms.outcome, forms.v_outcome)):
        spread = reach * np.sqrt(np.diag(v))
        table[name], table[f"{name}_low"], table[f"{name}_high"] = value, value - spread, value + spread
    return table
