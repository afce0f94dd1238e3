"""The one check of an allocation: shares of output on the simplex, closed categories exactly 0."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from civsim.base.constants import Category
from civsim.base.errors import ActionError

SUM_TOLERANCE = 1e-4


def check_shares(
    shares: ArrayLike, shape: tuple[int, ...], open_: NDArray[np.bool_], live: NDArray[np.bool_]
) -> NDArray[np.float64]:
    """Return ``shares`` as float64, its live rows divided by their sum, the rest as zeros.

    Args:
        shares: float array of shape ``shape`` = (B, N, 8).
        open_: bool [8], the categories that may be spent on.
        live: bool [B, N], the rows that count.

    Raises:
        ActionError: wrong shape or dtype, or a live row that is not finite, negative, off the simplex by more than
            1e-4, or above 0 in a closed category; it names the world row, the civilization and the value.
    """
    try:
        values = np.asarray(shares)
    except ValueError as error:
        raise ActionError(f"shares are ragged ({error}); give an array of shape {shape}") from error
    if not (np.issubdtype(values.dtype, np.floating) or np.issubdtype(values.dtype, np.integer)):
        raise ActionError(f"shares have dtype {values.dtype}; give floating-point numbers")
    if values.shape != shape:
        raise ActionError(f"shares have shape {values.shape}, not {shape} = (worlds, civilizations, categories)")
    values = np.where(live[..., None], values, 0.0).astype(np.float64)
    _refuse(values, ~np.isfinite(values), "is not finite; give shares in 0 … 1")
    _refuse(values, values < 0.0, "is below 0; give shares in 0 … 1")
    _refuse(values, (values > 0.0) & ~open_, "is spent on a closed category; make it exactly 0")
    total = values.sum(-1)
    wrong = np.argwhere(live & (np.abs(total - 1.0) > SUM_TOLERANCE))
    if len(wrong):
        b, i = wrong[0]
        raise ActionError(f"shares of world row {b}, civilization {i} sum to {total[b, i]:.6g}, not 1; normalise them")
    return np.divide(values, total[..., None], out=values, where=live[..., None])


def _refuse(values: NDArray[np.float64], bad: NDArray[np.bool_], remedy: str) -> None:
    where = np.argwhere(bad)
    if len(where):
        b, i, k = where[0]
        name = Category(int(k)).name.lower()
        raise ActionError(f"share of {name} of world row {b}, civilization {i} = {values[b, i, k]:.6g} {remedy}")
