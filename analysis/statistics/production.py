"""Production functions that are linear in logs: Cobb–Douglas and translog, with errors correlated within a world.

Output Y from inputs x_1 … x_k. Cobb–Douglas: ln Y = a + Σ e_i ln x_i (*American Economic Review* 18(1), 1928);
translog adds ½ Σ_ij b_ij ln x_i ln x_j (Christensen, Jorgenson and Lau, *Review of Economics and Statistics* 55(1),
1973). Logs are taken from the inputs' geometric means, so that the first-order terms of the translog are elasticities
there. With ``within`` each world is compared with itself alone. The CES function is in ``production_ces``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from civsim.analysis.statistics.clustered import (
    Clusters,
    centre_within,
    combination,
    find_clusters,
    joint_p,
    ratio,
    two_sided_p,
)
from civsim.analysis.statistics.resample import LEVEL, Estimate
from civsim.base.constants import COGNITIVE, PHYSICAL, Category
from civsim.base.errors import ResultsError

F64 = NDArray[np.float64]

INPUTS: dict[str, tuple[Category, ...]] = {
    "cognition": COGNITIVE,
    "army": (Category.ARMY,),
    "muscle": PHYSICAL,
}
"""Inputs, and what spending each is the sum of. Physical input is stated in two ways: the army alone, or all muscle."""


_STILL = 1e-9
"""A column whose largest departure from its mean is this part of its size, or less, does not vary: it is rounding."""


class LogData(NamedTuple):
    """Checked data of a production function, in logs."""

    output: F64  # [n] ln output from its geometric mean; with ``within`` from its world's mean
    inputs: F64  # [n, k] ln inputs from their geometric means
    controls: F64  # [n, m] from their means (within: from their world's means)
    groups: Clusters
    centre: F64  # [k] geometric means of the inputs, in their own unit
    level: float  # geometric mean of output
    within: bool  # whether worlds have a level of output of their own, partialled out

    def partial(self, values: F64) -> F64:
        """Return columns [n, j] less their mean, or less their world's mean with ``within``."""
        return centre_within(values, self.groups) if self.within else values - values.mean(0)


class CobbDouglas(NamedTuple):
    """A fitted Cobb–Douglas function."""

    elasticities: Estimate  # [k] percent of output per percent of an input
    scale: Estimate  # 0-d: returns to scale, the sum of the elasticities
    scale_p: float  # two-sided p of constant returns (scale = 1)
    share: Estimate  # 0-d: the first input's share of spending where output is got at the least cost, e_1 / Σ e_i
    centre: F64  # [k] geometric means of the inputs
    level: float  # output at the centre
    fit: float  # share of the variance of log output (within worlds with ``within``) explained, in [0, 1]
    rows: int
    clusters: int


class Translog(NamedTuple):
    """A fitted translog function."""

    elasticities: Estimate  # [k] at the inputs' geometric means
    scale: Estimate  # 0-d: returns to scale there
    scale_p: float
    second: Estimate  # [k, k] symmetric b_ij: how the elasticity of i changes per log unit of j
    cobb_douglas_p: float  # p of the joint test that all b_ij are 0
    centre: F64  # [k]
    fit: float
    rows: int
    clusters: int


def spending_shares(civs: pd.DataFrame) -> pd.DataFrame:
    """Return the civilizations table with :data:`INPUTS` added, as shares of all output spent over the game, in [0, 1].

    Under a policy of fixed shares these are the shares assigned by the design; nan where nothing was spent.

    Raises:
        ResultsError: the table has no column of spending.
    """
    spent = [column for column in civs.columns if column.startswith("spent_")]
    if not spent:
        raise ResultsError("the civilizations table has no column spent_…; run the study with this release")
    total = civs[spent].sum(axis=1)
    added = {
        name: civs[[f"spent_{part.name.lower()}" for part in parts]].sum(axis=1) / total.where(total > 0.0)
        for name, parts in INPUTS.items()
    }
    return civs.assign(**added)


def take_logs(
    output: ArrayLike, inputs: ArrayLike, clusters: ArrayLike, *, controls: ArrayLike | None, within: bool
) -> LogData:
    """Return the checked data of a production function.

    Raises:
        ResultsError: shapes that do not match, values that are not above 0 or not finite, fewer than two worlds, or
            inputs that do not vary apart from each other (within worlds with ``within``).
    """
    y, x = np.asarray(output, np.float64), np.asarray(inputs, np.float64)
    z = np.zeros((len(y), 0)) if controls is None else np.asarray(controls, np.float64)
    if y.ndim != 1 or x.ndim != 2 or z.ndim != 2 or not len(x) == len(z) == len(y):
        raise ResultsError(f"output {y.shape}, inputs {x.shape}, controls {z.shape}; give [n], [n, k] and [n, m]")
    for name, values in (("output", y), ("inputs", x)):
        bad = ~(np.isfinite(values) & (values > 0.0))
        if bad.any():
            raise ResultsError(f"{name} holds {values[bad][0]:g}; leave out games in which it is not above 0")
    if not np.isfinite(z).all():
        raise ResultsError("controls hold NaN or infinity; leave those games out")
    groups = find_clusters(clusters, len(y))
    logs = np.log(x)
    data = LogData(np.log(y), logs - logs.mean(0), z, groups, np.exp(logs.mean(0)), np.exp(np.log(y).mean()), within)
    data = data._replace(output=data.partial(data.output[:, None])[:, 0], controls=data.partial(z))
    columns = np.column_stack([data.partial(data.inputs), data.controls])
    size = np.abs(columns).max(0)
    still = size <= _STILL * np.maximum(1.0, np.abs(np.column_stack([logs, z])).max(0))
    if still.any() or np.linalg.matrix_rank(columns / size) < columns.shape[1] or len(y) <= columns.shape[1]:
        raise ResultsError("inputs or controls do not vary apart from each other; vary each share in the study")
    return data


class _Fit(NamedTuple):
    beta: F64
    covariance: F64
    explained: float


def _least_squares(data: LogData, terms: F64) -> _Fit:
    """Return the least-squares fit of output on ``terms`` and controls, with the cluster-robust covariance of terms."""
    import statsmodels.api as sm

    columns = np.column_stack([data.partial(terms), data.controls])
    # Partialled data have mean 0, so that a constant would be 0; its degree of freedom is one in n.
    result = sm.OLS(data.output, columns).fit(cov_type="cluster", cov_kwds={"groups": data.groups.codes})
    k, total = terms.shape[1], float(data.output @ data.output)
    explained = 1.0 - float(result.ssr) / total if total > 0.0 else 0.0
    return _Fit(np.asarray(result.params)[:k], np.asarray(result.cov_params())[:k, :k], explained)


def _scale_p(scale: float, weights: F64, covariance: F64, freedom: float) -> float:
    return two_sided_p(scale - 1.0, float(np.sqrt(weights @ covariance @ weights)), freedom)


def fit_cobb_douglas(
    output: ArrayLike, inputs: ArrayLike, clusters: ArrayLike, *,
    controls: ArrayLike | None = None, within: bool = False, level: float = LEVEL,
) -> CobbDouglas:  # fmt: skip
    """Return the Cobb–Douglas function of ``output`` [n] in ``inputs`` [n, k], all > 0.

    Args:
        output: float [n].
        inputs: float [n, k], k ≥ 1.
        clusters: [n] or [n, columns], the world of each row.
        controls: float [n, m] columns that enter linearly and are not reported (logs of what the rivals do).
        within: give every world a level of output of its own (fixed effects), so that it is compared with itself.
        level: coverage, in (0, 1).

    Raises:
        ResultsError: see :func:`take_logs`.
    """
    data = take_logs(output, inputs, clusters, controls=controls, within=within)
    fit, free = _least_squares(data, data.inputs), data.groups.freedom
    k = len(fit.beta)
    sums = np.ones(k)
    first = np.vstack([np.eye(k)[0], sums])
    scale = combination(fit.beta, fit.covariance, sums, free, level)
    share, _ = ratio(first @ fit.beta, first @ fit.covariance @ first.T, free, level)
    return CobbDouglas(
        combination(fit.beta, fit.covariance, np.eye(k), free, level), scale,
        _scale_p(float(scale.value), sums, fit.covariance, free), share, data.centre, data.level, fit.explained,
        len(data.output), data.groups.number,
    )  # fmt: skip


def fit_translog(
    output: ArrayLike, inputs: ArrayLike, clusters: ArrayLike, *,
    controls: ArrayLike | None = None, within: bool = False, level: float = LEVEL,
) -> Translog:  # fmt: skip
    """Return the translog function, and the joint test of its second-order terms against Cobb–Douglas.

    Arguments and errors are those of :func:`fit_cobb_douglas`.
    """
    data = take_logs(output, inputs, clusters, controls=controls, within=within)
    x, free = data.inputs, data.groups.freedom
    k = x.shape[1]
    pairs = [(i, j) for i in range(k) for j in range(i, k)]
    terms = np.column_stack([x, *(x[:, i] * x[:, j] * (0.5 if i == j else 1.0) for i, j in pairs)])
    if np.linalg.matrix_rank(np.column_stack([data.partial(terms), data.controls])) < terms.shape[1] + len(
        data.controls.T
    ):
        raise ResultsError("inputs take too few values for second-order terms; give each at least 3 levels")
    fit = _least_squares(data, terms)
    sums = np.concatenate([np.ones(k), np.zeros(len(pairs))])
    scale = combination(fit.beta, fit.covariance, sums, free, level)
    where = np.zeros((k, k), int)
    for position, (i, j) in enumerate(pairs):
        where[i, j] = where[j, i] = k + position
    every = combination(fit.beta, fit.covariance, np.eye(len(fit.beta)), free, level)
    bent = fit.beta[k:]
    return Translog(
        Estimate(*(part[:k] for part in every)), scale, _scale_p(float(scale.value), sums, fit.covariance, free),
        Estimate(*(part[where] for part in every)), joint_p(bent, fit.covariance[k:, k:], free), data.centre,
        fit.explained, len(data.output), data.groups.number,
    )  # fmt: skip


def cobb_douglas_ratio(elasticities: ArrayLike, centre: ArrayLike, inputs: ArrayLike) -> F64:
    """Return output over output at ``centre`` [k], float64 [m], for ``inputs`` [m, k] > 0."""
    logs = np.log(np.asarray(inputs, np.float64) / np.asarray(centre, np.float64))
    return np.asarray(np.exp(logs @ np.asarray(elasticities, np.float64)))


def cobb_douglas_isoquants(
    elasticities: ArrayLike, centre: ArrayLike, ratios: Sequence[float], first: ArrayLike
) -> pd.DataFrame:
    """Return the isoquants of a Cobb–Douglas function of two inputs.

    Args:
        elasticities: float [2], the second not 0.
        centre: float [2], inputs at which output has ratio 1, > 0.
        ratios: output over output at the centre, > 0, one a curve.
        first: float [m], values of the first input, > 0.

    Returns:
        Columns ``ratio``, ``first``, ``second``: the second input that makes that output with that first input.
    """
    e, c, x = np.asarray(elasticities, np.float64), np.asarray(centre, np.float64), np.asarray(first, np.float64)
    second = [c[1] * np.exp((np.log(value) - e[0] * np.log(x / c[0])) / e[1]) for value in ratios]
    return pd.DataFrame(
        {"ratio": np.repeat(ratios, len(x)), "first": np.tile(x, len(ratios)), "second": np.concatenate(second)}
    )


def cobb_douglas_path(
    elasticities: ArrayLike, centre: ArrayLike, ratios: Sequence[float], price: float = 1.0
) -> pd.DataFrame:
    """Return the expansion path: the least-cost inputs for each output, at ``price`` of the first over the second.

    Columns ``ratio``, ``first``, ``second``; empty where an elasticity is not above 0 (the least cost is at a corner).
    The price ratio is 1 where both inputs are spent output. First and second are in the proportion e_1 : price · e_2.
    """
    e, c = np.asarray(elasticities, np.float64), np.asarray(centre, np.float64)
    values = np.asarray(ratios, np.float64)
    if not (e > 0.0).all():
        return pd.DataFrame({"ratio": [], "first": [], "second": []}, dtype=np.float64)
    slope = e[0] / (e[1] * price)
    second = c[1] * np.exp((np.log(values) - e[0] * np.log(slope * c[1] / c[0])) / e.sum())
    return pd.DataFrame({"ratio": values, "first": slope * second, "second": second})
