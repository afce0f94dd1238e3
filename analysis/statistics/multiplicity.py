"""Many tests at once: p-values adjusted for how many there are."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from civsim.analysis.panel import require_columns
from civsim.base.errors import ResultsError

F64 = NDArray[np.float64]

METHODS = ("holm", "bh")
"""Names of the procedures, as columns have them."""


def adjusted(p: ArrayLike, method: str = "holm") -> F64:
    """Return adjusted p-values, float64 like ``p`` [n]; nan stays nan and does not count as a test.

    ``holm``: chance of any false rejection held (Holm, *Scandinavian Journal of Statistics* 6(2), 1979), whatever
    the tests' dependence. ``bh``: expected share of false ones among the rejections held (Benjamini and Hochberg,
    *JRSS B* 57(1), 1995), for independent or positively dependent tests.

    Raises:
        ResultsError: an unknown method, or a p outside [0, 1].
    """
    if method not in METHODS:
        raise ResultsError(f"method={method!r} is not known; give one of {', '.join(METHODS)}")
    values = np.asarray(p, np.float64)
    known = ~np.isnan(values)
    if ((values[known] < 0.0) | (values[known] > 1.0)).any():
        bad = values[known][(values[known] < 0.0) | (values[known] > 1.0)][0]
        raise ResultsError(f"p={bad:g} is outside [0, 1]; it is no p-value")
    result = np.full(values.shape, np.nan)
    if known.any():
        result[known] = _holm(values[known]) if method == "holm" else _benjamini_hochberg(values[known])
    return result


def _holm(p: F64) -> F64:
    """Adjust p [n >= 1]: the k-th smallest times n − k + 1, never below the one before it, at most 1.

    Written out because statsmodels collects the garbage of the whole process in each call.
    """
    order = np.argsort(p, kind="stable")
    steps = np.maximum.accumulate(p[order] * np.arange(len(p), 0, -1))
    result = np.empty_like(p)
    result[order] = np.minimum(steps, 1.0)
    return result


def _benjamini_hochberg(p: F64) -> F64:
    """Adjust p [n >= 1]: the k-th smallest times n / k, never above the one after it."""
    from statsmodels.stats.multitest import multipletests

    return np.asarray(multipletests(p, method="fdr_bh")[1], np.float64)


def adjust_table(table: pd.DataFrame, column: str = "p", *, within: Sequence[str] = ()) -> pd.DataFrame:
    """Return ``table`` with the columns ``p_holm`` and ``p_bh`` beside ``column``, and ``tests``: how many count.

    The family is the whole table, or the rows that agree in the columns ``within``.

    Raises:
        ResultsError: a column is missing, or as :func:`adjusted`.
    """
    require_columns(table, [column, *within])
    result = table.copy()
    families = [table.index]
    if within:
        key = table.groupby(list(within), sort=False, dropna=False).ngroup()
        families = [table.index[key == number] for number in range(key.max() + 1)]
    for name in METHODS:
        result[f"{column}_{name}"] = np.nan
    result["tests"] = 0
    for rows in families:
        p = table.loc[rows, column].to_numpy(np.float64)
        for name in METHODS:
            result.loc[rows, f"{column}_{name}"] = adjusted(p, name)
        result.loc[rows, "tests"] = int((~np.isnan(p)).sum())
    return result
