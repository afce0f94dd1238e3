"""The CES production function of two inputs, normalised at their geometric means, with the elasticity of substitution.

ln Y = a + (ν/ρ) ln(π (x/x₀)^ρ + (1 − π)(z/z₀)^ρ), σ = 1/(1 − ρ) (Klump, McAdam and Willman, *Journal of Economic
Surveys* 26(5), 2012). Normalised so, ν π and ν (1 − π) are the elasticities at (x₀, z₀), whatever σ is. ρ = 0 is
Cobb–Douglas; the function and its slopes pass through it without a break. ρ is what data tell about most evenly
(Kmenta's approximation is linear in it: *International Economic Review* 8(2), 1967), so the interval is made for ρ and
carried over to σ, where it may end at infinity: inputs then cannot be told from perfect substitutes.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy.special import expit, logit

from civsim.analysis.statistics.clustered import cluster_covariance, combination, critical, two_sided_p
from civsim.analysis.statistics.production import LogData, take_logs
from civsim.analysis.statistics.resample import LEVEL, Estimate
from civsim.base.errors import ResultsError

F64 = NDArray[np.float64]

START_RHO = np.array([-6.0, -3.0, -1.5, -0.75, -0.25, 0.0, 0.25, 0.5, 0.75, 1.0])
"""Values of ρ among which the search starts: σ from 0.14 to ∞."""

START_SHARE = np.array([0.02, 0.05, 0.1, 0.2, 0.35, 0.5, 0.65, 0.8, 0.9, 0.95, 0.98])
"""Values of π among which the search starts."""

_RHO_BOUNDS = (-40.0, 5.0)
_LOGIT_BOUNDS = (-12.0, 12.0)
_EDGE = 0.01
"""A parameter this near its bound has run away: the data do not say where it is."""

_TINY = 1e-9
"""|ρ · ln(x/z)| below which the function is its own limit at ρ = 0 to double precision."""

_STEP = 1e-6
"""Step of the central difference for the slope in ρ; the error is about its square."""


class Ces(NamedTuple):
    """A fitted CES function; estimates are 0-d unless told otherwise."""

    sigma: Estimate  # elasticity of substitution, in [0, ∞]
    rho: Estimate  # (σ − 1)/σ
    elasticities: Estimate  # [2] at the geometric means
    scale: Estimate  # returns to scale ν
    scale_p: float  # two-sided p of ν = 1
    cobb_douglas_p: float  # two-sided p of σ = 1
    share: Estimate  # the first input's share of spending on the expansion path, at the price asked for
    distribution: float  # π, in (0, 1): the first input's part of the elasticities
    identified: bool  # whether both elasticities are away from 0; where not, σ has no meaning and no interval
    centre: F64  # [2] geometric means of the inputs
    level: float  # output at the centre
    rows: int
    clusters: int


def log_ces(first: ArrayLike, second: ArrayLike, rho: float, share: float) -> F64:
    """Return (1/ρ) ln(π e^{ρx} + (1 − π) e^{ρz}) for log inputs x and z (one shape), π = ``share`` in (0, 1)."""
    x, z = np.asarray(first, np.float64), np.asarray(second, np.float64)
    gap = x - z
    if rho == 0.0:
        return z + share * gap
    power = rho * gap
    # For small powers expm1 and log1p keep every digit; for large ones the sum of exponentials must not overflow.
    mild = np.log1p(share * np.expm1(np.clip(power, -1.0, 1.0))) / rho
    strong = np.logaddexp(np.log(share) + power, np.log1p(-share)) / rho
    flat = share * gap + 0.5 * rho * share * (1.0 - share) * gap**2
    return z + np.where(np.abs(power) < _TINY, flat, np.where(np.abs(power) <= 1.0, mild, strong))


def _slopes(x: F64, z: F64, rho: float, weight: float) -> F64:
    """Return the slopes of :func:`log_ces` in ρ and in w = logit π, float64 [n, 2]."""
    share = float(expit(weight))
    power = rho * (x - z)
    # The first input's part of output: π e^{ρx} / (π e^{ρx} + (1 − π) e^{ρz}).
    part = expit(weight + power)
    by_share = np.where(np.abs(power) < _TINY, x - z, (part / share - (1.0 - part) / (1.0 - share)) / (rho or 1.0))
    by_rho = (log_ces(x, z, rho + _STEP, share) - log_ces(x, z, rho - _STEP, share)) / (2.0 * _STEP)
    return np.column_stack([by_rho, by_share * share * (1.0 - share)])


def _start(data: LogData) -> tuple[float, float]:
    """Return (ρ, logit π) of the grid at which the concentrated sum of squares is least."""
    x, z = data.inputs.T
    grid = [(rho, share) for rho in START_RHO for share in START_SHARE]
    columns = data.partial(np.column_stack([log_ces(x, z, rho, share) for rho, share in grid]))
    y = data.output
    if data.controls.shape[1]:
        base, _ = np.linalg.qr(data.controls)
        columns, y = columns - base @ (base.T @ columns), y - base @ (base.T @ y)
    gain = (columns.T @ y) ** 2 / np.maximum((columns**2).sum(0), np.finfo(np.float64).tiny)
    rho, share = grid[int(np.argmax(gain))]
    return float(rho), float(logit(share))


def _solve(data: LogData) -> tuple[F64, F64, F64]:
    """Return the least-squares (ν, ρ, logit π), their covariance [3, 3], and the residuals."""
    from scipy.optimize import least_squares

    x, z = data.inputs.T
    m = data.controls.shape[1]

    def jacobian(theta: F64) -> F64:
        value = log_ces(x, z, theta[1], float(expit(theta[2])))
        slopes = np.column_stack([value, theta[0] * _slopes(x, z, theta[1], theta[2])])
        return np.column_stack([data.partial(slopes), data.controls])

    def gap(theta: F64) -> F64:
        value = log_ces(x, z, theta[1], float(expit(theta[2])))[:, None]
        return theta[0] * data.partial(value)[:, 0] + data.controls @ theta[3:] - data.output

    rho, weight = _start(data)
    linear = np.column_stack([data.partial(log_ces(x, z, rho, float(expit(weight)))[:, None]), data.controls])
    first = np.linalg.lstsq(linear, data.output, rcond=None)[0]
    anywhere = (-np.inf, np.inf)
    bounds = np.column_stack([anywhere, _RHO_BOUNDS, _LOGIT_BOUNDS, *[anywhere] * m])
    found = least_squares(
        gap, np.concatenate([first[:1], [rho, weight], first[1:]]), jac=jacobian, bounds=(bounds[0], bounds[1]),
        x_scale="jac", xtol=1e-12, ftol=1e-12, gtol=1e-12,
    )  # fmt: skip
    slopes = jacobian(found.x)
    # A parameter that has run to its bound leaves a column of zeros; the pseudo-inverse leaves it out.
    bread = np.asarray(np.linalg.pinv(slopes.T @ slopes), np.float64)
    covariance = cluster_covariance(slopes * found.fun[:, None], bread, data.groups)
    return found.x[:3], covariance[:3, :3], found.fun


def fit_ces(
    output: ArrayLike, inputs: ArrayLike, clusters: ArrayLike, *, controls: ArrayLike | None = None,
    within: bool = False, price: float = 1.0, level: float = LEVEL,
) -> Ces:  # fmt: skip
    """Return the CES function of ``output`` [n] in two ``inputs`` [n, 2], all > 0, by nonlinear least squares in logs.

    ``price`` (> 0) is the first input's price over the second's, at which the expansion path's share of spending is
    taken. The other arguments are those of ``fit_cobb_douglas``. Where an elasticity is not away from 0, ``identified``
    is False and σ's interval is [0, ∞]; the share's is [0, 1].

    Raises:
        ResultsError: other than two inputs, a price not above 0, or as ``take_logs``.
    """
    x = np.asarray(inputs, np.float64)
    if x.ndim != 2 or x.shape[1] != 2 or not 0.0 < price < np.inf:
        raise ResultsError(f"inputs of shape {x.shape}, price={price:g}; a CES function takes two inputs, price > 0")
    data = take_logs(output, x, clusters, controls=controls, within=within)
    (nu, rho, weight), v, _ = _solve(data)
    free = data.groups.freedom
    pi = float(expit(weight))
    turn = nu * pi * (1.0 - pi)  # slope of ν π in logit π
    slopes = np.array([[pi, 0.0, turn], [1.0 - pi, 0.0, -turn]])
    reach = critical(free, level) * np.sqrt(np.maximum(np.einsum("ij,jk,ik->i", slopes, v, slopes), 0.0))
    value = np.array([nu * pi, nu * (1.0 - pi)])
    elasticities = Estimate(value, value - reach, value + reach)
    inner = _LOGIT_BOUNDS[0] + _EDGE < weight < _LOGIT_BOUNDS[1] - _EDGE and rho > _RHO_BOUNDS[0] + _EDGE
    identified = bool(inner and rho < _RHO_BOUNDS[1] - _EDGE and (elasticities.low > 0.0).all())
    theta = np.array([nu, rho, weight])
    scale = combination(theta, v, np.eye(3)[0], free, level)
    curve = combination(theta, v, np.eye(3)[1], free, level)
    if not identified:
        curve = Estimate(curve.value, np.asarray(-np.inf), np.asarray(np.inf))
    return Ces(
        sigma=Estimate(*(np.asarray(substitution(part)) for part in curve)), rho=curve, elasticities=elasticities,
        scale=scale, scale_p=two_sided_p(nu - 1.0, float(np.sqrt(max(v[0, 0], 0.0))), free),
        cobb_douglas_p=two_sided_p(rho, float(np.sqrt(max(v[1, 1], 0.0))), free) if identified else float("nan"),
        share=_spending_share(rho, weight, v, data.centre, price, critical(free, level) if identified else np.inf),
        distribution=pi, identified=identified, centre=data.centre, level=data.level, rows=len(data.output),
        clusters=data.groups.number,
    )  # fmt: skip


def substitution(rho: ArrayLike) -> F64:
    """Return σ = 1/(1 − ρ); ∞ for ρ ≥ 1, where isoquants are straight or bend the wrong way."""
    value = np.asarray(rho, np.float64)
    with np.errstate(divide="ignore"):
        return np.where(value < 1.0, 1.0 / np.maximum(1.0 - value, 0.0), np.inf)


def _spending_share(rho: float, weight: float, v: F64, centre: F64, price: float, reach: float) -> Estimate:
    """Return the first input's share of spending on the expansion path, by the delta method on its logit.

    Costs are least where x/z = (x₀/z₀) · (π/(1 − π) · z₀/(price · x₀))^σ: logit share = (σ − 1) A + w with
    A = w + ln(z₀/(price · x₀)) and w = logit π. Its slopes are σ² A in ρ and σ in w. There is no path for ρ ≥ 1.
    """
    if rho >= 1.0:
        return Estimate(np.asarray(np.nan), np.asarray(0.0), np.asarray(1.0))
    sigma = 1.0 / (1.0 - rho)
    offset = np.log(centre[1] / (price * centre[0]))
    place = sigma * (weight + offset) - offset
    slopes = np.array([0.0, sigma**2 * (weight + offset), sigma])
    error = float(np.sqrt(max(slopes @ v @ slopes, 0.0)))
    width = reach * error if np.isfinite(reach) else np.inf
    return Estimate(
        *(np.asarray(expit(place + side * width)) if side else np.asarray(expit(place)) for side in (0, -1, 1))
    )


def ces_ratio(fit: Ces, inputs: ArrayLike) -> F64:
    """Return output over output at the centre, float64 [m], for ``inputs`` [m, 2] > 0."""
    logs = np.log(np.asarray(inputs, np.float64) / fit.centre)
    return np.asarray(np.exp(fit.scale.value * log_ces(logs[:, 0], logs[:, 1], float(fit.rho.value), fit.distribution)))


def ces_isoquants(fit: Ces, ratios: Sequence[float], first: ArrayLike) -> pd.DataFrame:
    """Return the isoquants of a CES function: columns ``ratio``, ``first``, ``second``.

    ``ratios`` (> 0) are outputs over output at the centre, one a curve; ``first`` [m] values of the first input. Rows
    in which no second input makes that output (curves that end at an axis) are left out.
    """
    x = np.log(np.asarray(first, np.float64) / fit.centre[0])
    rho, nu, pi = float(fit.rho.value), float(fit.scale.value), fit.distribution
    parts = []
    for value in ratios:
        target = np.log(value) / nu
        if abs(rho) < _TINY:
            z = (target - pi * x) / (1.0 - pi)
        else:
            rest = (np.exp(rho * target) - pi * np.exp(rho * x)) / (1.0 - pi)
            z = np.log(np.where(rest > 0.0, rest, np.nan)) / rho
        parts.append(pd.DataFrame({"ratio": value, "first": first, "second": fit.centre[1] * np.exp(z)}))
    return pd.concat(parts, ignore_index=True).dropna().reset_index(drop=True)


def ces_path(fit: Ces, ratios: Sequence[float], price: float = 1.0) -> pd.DataFrame:
    """Return the expansion path of a CES function: the least-cost inputs for each output.

    Columns ``ratio``, ``first``, ``second``; empty where ρ ≥ 1 or returns to scale are not above 0. The function is
    homothetic: the path is a ray from the origin. ``price`` is the first input's price over the second's.
    """
    rho, nu, pi = float(fit.rho.value), float(fit.scale.value), fit.distribution
    if rho >= 1.0 or nu <= 0.0:
        return pd.DataFrame({"ratio": [], "first": [], "second": []}, dtype=np.float64)
    # ln of (x/x₀)/(z/z₀) where costs are least
    lean = (logit(pi) + np.log(fit.centre[1] / (price * fit.centre[0]))) / (1.0 - rho)
    z = np.log(np.asarray(ratios, np.float64)) / nu - float(log_ces(lean, 0.0, rho, pi))
    second = fit.centre[1] * np.exp(z)
    return pd.DataFrame(
        {"ratio": np.asarray(ratios, np.float64), "first": fit.centre[0] * np.exp(z + lean), "second": second}
    )
