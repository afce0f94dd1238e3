"""How unequally a world's total is spread over its civilizations: five measures, each over the last axis.

All take amounts ≥ 0, float [..., N], and return float64 [...]. Zeros count (a civilization that has nothing is one of
the N); a row that sums to 0 has no spread and is nan. None depends on the unit of the amounts or on their order.
Sources: Hirschman, *American Economic Review* 54(5), 1964 (HHI); Gini, *Variabilità e mutabilità*, 1912; Theil,
*Economics and Information Theory*, 1967; Cowell, *Measuring Inequality*, 2011.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import xlogy

from civsim.base.errors import ResultsError

F64 = NDArray[np.float64]


def shares(amounts: ArrayLike) -> F64:
    """Return each amount over its row's sum, float64 [..., N] in [0, 1]; nan in rows that sum to 0.

    Raises:
        ResultsError: no civilization, or an amount that is negative or not finite.
    """
    table = np.asarray(amounts, np.float64)
    if table.ndim < 1 or table.shape[-1] < 1:
        raise ResultsError(f"amounts of shape {table.shape} hold no civilization; give at least 1 in the last axis")
    if not (np.isfinite(table).all() and (table >= 0.0).all()):
        raise ResultsError("an amount is negative or not finite; inequality is of amounts ≥ 0")
    total = table.sum(axis=-1, keepdims=True)
    return np.divide(table, total, out=np.full(table.shape, np.nan), where=total > 0.0)


def herfindahl(amounts: ArrayLike) -> F64:
    """Return Herfindahl–Hirschman's Σ s², in [1/N, 1]. Raises as :func:`shares`."""
    return np.asarray((shares(amounts) ** 2).sum(axis=-1))


def normalised_herfindahl(amounts: ArrayLike) -> F64:
    """Return (HHI − 1/N) / (1 − 1/N), in [0, 1]: 0 where all have the same, 1 where one has all.

    Raises:
        ResultsError: as :func:`shares`, or N = 1, whose spread has no scale.
    """
    n = np.shape(amounts)[-1]
    if n < 2:
        raise ResultsError(f"civilizations={n} have no normalised concentration; at least 2 are needed")
    return (herfindahl(amounts) - 1.0 / n) / (1.0 - 1.0 / n)


def gini(amounts: ArrayLike, *, unbiased: bool = False) -> F64:
    """Return Gini's coefficient: half the mean difference of all N² pairs, over the mean; in [0, 1 − 1/N].

    With ``unbiased`` the pairs of a civilization with itself are left out (factor N/(N − 1)): the range is then [0, 1]
    whatever N, and the mean difference is an unbiased estimate for a sample (Deltas, *Review of Economics and
    Statistics* 85(1), 2003). Plain, it is the coefficient of the N as a whole population.

    Raises:
        ResultsError: as :func:`shares`; ``unbiased`` with N = 1.
    """
    ordered = np.sort(shares(amounts), axis=-1)
    n = ordered.shape[-1]
    ranks = 2.0 * np.arange(1, n + 1) - n - 1.0
    plain = (ordered * ranks).sum(axis=-1) / n
    if not unbiased:
        return np.asarray(plain)
    if n < 2:
        raise ResultsError(f"civilizations={n} hold no pair; the unbiased Gini needs at least 2")
    return np.asarray(plain * n / (n - 1.0))


def theil(amounts: ArrayLike) -> F64:
    """Return Theil's T, Σ s log(s N), in nats, in [0, log N]; 0·log 0 is 0. Raises as :func:`shares`."""
    s = shares(amounts)
    return np.asarray(xlogy(s, s * s.shape[-1]).sum(axis=-1))


def theil_parts(amounts: ArrayLike, groups: ArrayLike) -> tuple[F64, F64]:
    """Return Theil's T as (within groups, between groups), float64 [...] each; they add up to :func:`theil`.

    ``groups`` is int [N]: the group of each civilization. Within is Σ_g S_g T_g with S_g the group's share of all;
    between is the T of everybody having the mean of his group. A group that has nothing has T = 0.

    Raises:
        ResultsError: as :func:`shares`, or groups of another length than N.
    """
    s = shares(amounts)
    labels = np.asarray(groups)
    if labels.shape != s.shape[-1:]:
        raise ResultsError(f"groups have shape {labels.shape}, not {s.shape[-1:]}; name one group a civilization")
    smooth = np.empty_like(s)
    for label in np.unique(labels):
        members = labels == label
        smooth[..., members] = s[..., members].mean(axis=-1, keepdims=True)
    between = theil(np.where(np.isnan(smooth), 0.0, smooth))
    return theil(amounts) - between, between


def top_share(amounts: ArrayLike, top: int = 1) -> F64:
    """Return the share that the ``top`` largest hold together, in [top/N, 1].

    Raises:
        ResultsError: as :func:`shares`, or ``top`` not in 1 … N.
    """
    s = shares(amounts)
    if not 1 <= top <= s.shape[-1]:
        raise ResultsError(f"top={top} is not in 1 to {s.shape[-1]}, the civilizations; choose one of these")
    return np.asarray(np.sort(s, axis=-1)[..., -top:].sum(axis=-1))


def variation(amounts: ArrayLike) -> F64:
    """Return the coefficient of variation, s.d. over mean, of the N as a population: in [0, √(N − 1)].

    It is √(N · HHI − 1). Raises as :func:`shares`.
    """
    s = shares(amounts)
    return np.asarray(s.std(axis=-1) * s.shape[-1])


def log_variance(amounts: ArrayLike) -> F64:
    """Return the variance of the logs of the amounts above 0, ddof 1, float64 [...]; nan where fewer than 2 are.

    Amounts of 0 have no log: they are left out, so this says how unequal those are who have something. Count them
    beside it. Raises as :func:`shares`.
    """
    shares(amounts)
    table = np.asarray(amounts, np.float64)
    some = table > 0.0
    count = some.sum(axis=-1)
    logs = np.where(some, np.log(np.where(some, table, 1.0)), 0.0)
    mean = logs.sum(axis=-1) / np.maximum(count, 1)
    squares = np.where(some, (logs - mean[..., None]) ** 2, 0.0).sum(axis=-1)
    return np.where(count > 1, squares / np.maximum(count - 1, 1), np.nan)


MEASURES: Mapping[str, Callable[[ArrayLike], F64]] = {
    "hhi": herfindahl,
    "hhi_normalised": normalised_herfindahl,
    "gini": gini,
    "theil": theil,
    "top_share": top_share,
    "variation": variation,
    "log_variance": log_variance,
}
"""Every measure by name, each from amounts [..., N] to [...]."""
