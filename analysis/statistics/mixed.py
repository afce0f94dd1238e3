"""Mixed effects: how much of an outcome is the map, and what a dose does within maps.

outcome = intercept + slope · dose + u_map (+ v_map · dose) + e, fitted by restricted maximum likelihood (REML;
Patterson and Thompson, *Biometrika* 58(3), 1971) with statsmodels. The slope's interval is Student's t: with one degree
of freedom fewer than there are maps where slopes differ between maps, with the residual's where they do not. The map's
share (the intraclass correlation, ICC) is of the variance left after the dose and its slopes, at the dose's mean: what
maps differ by in their slopes is in neither part. It and both components have intervals from the analysis of variance
with the dose taken out within maps: exact for the ICC of a balanced table (Searle, *Linear Models*, 1971, section 9.7)
and for the residual, Williams and Tukey's for the map's (*Biometrika* 49(1–2), 1962). A fit that does not converge says
so and has no interval.
"""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import chdtri, fdtri

from civsim.analysis.statistics.clustered import (
    Clusters,
    centre_within,
    cluster_sums,
    critical,
    find_clusters,
    two_sided_p,
)
from civsim.analysis.statistics.resample import LEVEL
from civsim.base.errors import ResultsError

if TYPE_CHECKING:
    from statsmodels.regression.mixed_linear_model import MixedLMResults

F64 = NDArray[np.float64]

MIN_GROUPS = 3
"""Maps below which a component of variance cannot be told from chance."""

BOUNDARY = 1e-6
"""Share of the variance below which a component is said to lie on the boundary (zero)."""

_METHODS = ("lbfgs", "powell")
"""Optimisers, in turn: the second where the first does not converge."""


_EDGE = ("boundary", "Hessian")
"""What statsmodels says of an optimum at which maps' effects have no spread, or are perfectly correlated."""


class MixedFit(NamedTuple):
    """A mixed model of an outcome on a dose with a random effect of the map. Limits are nan where not converged."""

    slope: float  # outcome per unit of dose
    error: float
    low: float  # slope ± t · error; degrees of freedom: groups − 1 with a random slope, else rows − groups − 1
    high: float
    p: float
    intercept: float  # mean outcome at dose 0
    between: float  # variance of the map's intercept, REML
    between_low: float  # Williams and Tukey; from the analysis of variance
    between_high: float
    slope_variance: float  # variance of the map's slope, REML; nan without a random slope
    within: float  # residual variance, REML
    within_low: float  # chi-square; from the analysis of variance
    within_high: float
    icc: float  # between / (between + within) at the dose's mean; the variance of slopes is in neither
    icc_low: float
    icc_high: float
    rows: int
    groups: int
    converged: bool
    boundary: bool  # a component of variance is 0, or intercepts and slopes are perfectly correlated
    message: str  # what the optimiser complained of; empty where it did not


def _fit(y: F64, x: F64, maps: Clusters, random_slope: bool) -> tuple[MixedLMResults | None, bool, str]:
    """Return (fit, converged, message); complaints of the optimiser are kept as the message, not shown."""
    from statsmodels.regression.mixed_linear_model import MixedLM
    from statsmodels.tools.sm_exceptions import ConvergenceWarning

    design = np.column_stack([np.ones_like(x), x])
    fit, message = None, ""
    for method in _METHODS:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            try:
                model = MixedLM(y, design, maps.codes, exog_re=design if random_slope else None)
                fit = model.fit(reml=True, method=method)
                # A fit whose covariance is not positive has no errors; statsmodels says so when they are asked for.
                usable = bool(fit.converged and np.isfinite(fit.bse_fe).all())
            except np.linalg.LinAlgError as error:
                message = f"{method}: {error}"
                continue
        trouble = [one for one in caught if issubclass(one.category, ConvergenceWarning)]
        message = "; ".join(dict.fromkeys(str(one.message).splitlines()[0] for one in trouble))
        failed = any(not any(word in str(one.message) for word in _EDGE) for one in trouble)
        if usable and not failed:
            return fit, True, message
    return fit, False, message or "the optimiser did not converge"


class _Table(NamedTuple):
    """Mean squares between and within maps, the dose taken out within maps."""

    between: float
    within: float
    size: float  # rows a map, as it counts (n₀ of unequal maps)
    df_between: float
    df_within: float


def _variance_table(y: F64, x: F64, maps: Clusters, random_slope: bool) -> _Table:
    """Return the table at the dose's mean, the slope taken out: one for all maps, or each map's own."""
    counts = np.bincount(maps.codes).astype(np.float64)
    inner = centre_within(np.column_stack([x, y]), maps)
    crossed = cluster_sums(np.column_stack([inner[:, 0] * inner[:, 1], inner[:, 0] ** 2]), maps)
    if random_slope:
        slopes = crossed[:, 0] / np.where(crossed[:, 1] > 0.0, crossed[:, 1], 1.0)
    else:
        slopes = np.full(maps.number, crossed[:, 0].sum() / crossed[:, 1].sum())
    rest = y - slopes[maps.codes] * (x - x.mean())
    around = centre_within(rest[:, None], maps)[:, 0]
    df_within = len(y) - maps.number - (int((crossed[:, 1] > 0.0).sum()) if random_slope else 1)
    if df_within < 1:
        raise ResultsError(f"rows={len(y)} leave nothing to judge {maps.number} maps by; give each map more doses")
    size = (len(y) - float((counts**2).sum()) / len(y)) / maps.freedom
    between = float(((rest - around - rest.mean()) ** 2).sum()) / maps.freedom
    return _Table(between, float(around @ around) / df_within, size, maps.freedom, float(df_within))


def _component_limits(table: _Table, level: float) -> dict[str, float]:
    """Return the limits of the ICC and of both components, each at least 0."""
    tail = 0.5 * (1.0 - level)
    one, two = table.df_between, table.df_within
    f_low, f_high = float(fdtri(one, two, tail)), float(fdtri(one, two, 1.0 - tail))
    x_low, x_high = float(chdtri(one, 1.0 - tail)), float(chdtri(one, tail))
    ratio = table.between / table.within if table.within > 0.0 else np.inf
    least, most = (ratio / f_high - 1.0) / table.size, (ratio / f_low - 1.0) / table.size
    icc = [1.0 if np.isinf(part) else max(part, 0.0) / (1.0 + max(part, 0.0)) for part in (least, most)]
    between_low = one * (table.between - table.within * f_high) / (table.size * x_high)
    between_high = one * (table.between - table.within * f_low) / (table.size * x_low)
    within = two * table.within
    return {
        "icc_low": icc[0],
        "icc_high": icc[1],
        "between_low": max(between_low, 0.0),
        "between_high": max(between_high, 0.0),
        "within_low": within / float(chdtri(two, tail)),
        "within_high": within / float(chdtri(two, 1.0 - tail)),
    }


def mixed_effect(
    outcome: ArrayLike, dose: ArrayLike, groups: ArrayLike, *, random_slope: bool = False, level: float = LEVEL
) -> MixedFit:
    """Return the mixed model of ``outcome`` float [n] on ``dose`` float [n] with a random effect of ``groups`` int [n].

    ``random_slope`` lets the slope differ between maps, correlated with the intercept; the ICC and the components are
    then those of the variance left after the dose and its slopes, at the dose's mean.

    Raises:
        ResultsError: rows that do not match or are not finite, fewer than :data:`MIN_GROUPS` maps, no map with two
            rows, or a dose that is the same in every row of every map.
    """
    y, x = np.asarray(outcome, np.float64), np.asarray(dose, np.float64)
    if not len(y) == len(x) == len(np.asarray(groups)) or not (np.isfinite(y).all() and np.isfinite(x).all()):
        raise ResultsError(f"rows={len(y)}: outcome, dose and groups must match and be finite; drop what is not")
    maps = find_clusters(groups, len(y))
    if maps.number < MIN_GROUPS or len(y) < maps.number + 2:
        raise ResultsError(f"maps={maps.number} with {len(y)} rows; give {MIN_GROUPS} maps or more, some with two rows")
    if not centre_within(x[:, None], maps).any():
        raise ResultsError("the dose does not vary within any map; play every map at two doses or more")
    centre, scale = float(x.mean()), float(y.std())
    if scale == 0.0:
        raise ResultsError("the outcome is the same in every row; there is no variance to split")
    fit, converged, message = _fit((y - y.mean()) / scale, x - centre, maps, random_slope)
    if fit is None:
        return _failed(len(y), maps.number, message)
    return _read(fit, y, x, maps, random_slope, level, converged, message)


def _failed(rows: int, groups: int, message: str) -> MixedFit:
    blank: dict[str, Any] = dict.fromkeys(MixedFit._fields, float("nan"))
    return MixedFit(
        **blank | {"rows": rows, "groups": groups, "converged": False, "boundary": False, "message": message}
    )


def _read(
    fit: MixedLMResults, y: F64, x: F64, maps: Clusters, random_slope: bool, level: float, converged: bool, message: str
) -> MixedFit:
    """Return the fit in the outcome's own unit: it was made on centred data with an s.d. of 1."""
    scale, centre = float(y.std()), float(x.mean())
    freedom = maps.freedom if random_slope else float(len(y) - maps.number - 1)
    slope, error = float(fit.fe_params[1]) * scale, float(fit.bse_fe[1]) * scale
    covariance = np.asarray(fit.cov_re, np.float64) * scale**2
    within, between = float(fit.scale) * scale**2, float(covariance[0, 0])
    total = between + within
    parts = [between, *([float(covariance[1, 1]) * float(x.var())] if random_slope else [])]
    values: dict[str, Any] = {
        "slope": slope,
        "error": error,
        "intercept": float(y.mean()) + scale * float(fit.fe_params[0]) - slope * centre,
        "between": between,
        "slope_variance": float(covariance[1, 1]) if random_slope else float("nan"),
        "within": within,
        "icc": between / total if total > 0.0 else float("nan"),
        "rows": len(y),
        "groups": maps.number,
        "converged": converged,
        "boundary": min(parts) < BOUNDARY * total or any(word in message for word in _EDGE),
        "message": message,
    }
    reach = critical(freedom, level) * error if converged else float("nan")
    values |= {"low": slope - reach, "high": slope + reach}
    values["p"] = two_sided_p(slope, error, freedom) if converged else float("nan")
    limits = _component_limits(_variance_table(y, x, maps, random_slope), level)
    values |= limits if converged else dict.fromkeys(limits, float("nan"))
    return MixedFit(**values)
