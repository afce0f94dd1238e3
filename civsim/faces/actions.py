"""Actions and shares: the one place where an action, of either kind, becomes shares of output.

There are two kinds. A "softmax" action a is a point of [−1, 1]^8; its shares are softmax(3a) over the open categories.
A "simplex" action is a point of [0, 1]^8, weights that are divided by their sum over the open categories; weights that
are shares already stay what they are, up to rounding. A finite action outside its box is clipped to it.
"""

from __future__ import annotations

import math
from typing import Literal, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from civsim.base.constants import N_CATEGORIES, Category
from civsim.base.errors import ActionError, ScenarioError
from civsim.base.kernels import kernel
from civsim.engine.state import F32, F64

SHARPNESS = 3.0
"""Shares are softmax(SHARPNESS · a). At a = 0 every open category gets the same; the largest ratio is e^6."""

ACTION_BOUND = 1.0
"""A softmax action lies in [−1, 1]^8; what lies outside is clipped to it."""

ActionKind = Literal["softmax", "simplex"]
"""What an action is: see the module."""


def check_kind(kind: str) -> ActionKind:
    """Return ``kind`` if it is a kind of action.

    Raises:
        ScenarioError: it is none.
    """
    for known in get_args(ActionKind):
        if kind == known:
            return known
    raise ScenarioError(f"actions={kind!r} is unknown; use 'softmax' or 'simplex'")


def action_bounds(kind: ActionKind) -> tuple[float, float]:
    """Return the least and the largest entry of an action of this kind."""
    return (-ACTION_BOUND, ACTION_BOUND) if kind == "softmax" else (0.0, 1.0)


def shares_of(kind: ActionKind, action: ArrayLike, open_categories: NDArray[np.bool_]) -> F32:
    """Return the shares that an action of this kind stands for.

    Args:
        kind: see the module.
        action: [..., 8] by Category, finite. An entry of a closed category has no effect.
        open_categories: bool [8].

    Returns:
        float32 [..., 8] on the simplex, a closed category exactly 0. A simplex action without weight on an open
        category is split evenly among the open ones.

    Raises:
        ActionError: the action is not numeric, its last axis is not 8, or an entry is NaN or infinite.
    """
    return checked_shares(kind, check_action(action), open_categories)


def checked_shares(kind: ActionKind, rows: F64, open_categories: NDArray[np.bool_]) -> F32:
    """Return :func:`shares_of` actions that :func:`check_action` has returned; they are written over."""
    shares = np.empty(rows.shape, np.float32)
    flat = rows.reshape(-1, N_CATEGORIES)
    if kind == "softmax":
        fit(flat, -ACTION_BOUND, ACTION_BOUND, SHARPNESS)
        np.exp(flat, out=flat)  # NumPy's, whose bits are not those of the C library
    else:
        fit(flat, *action_bounds(kind), 1.0)
    project(flat, open_categories, shares.reshape(-1, N_CATEGORIES))
    return shares


def _fit(rows, low, high, factor):
    """Clip ``rows``, float64 [n, 8], to low … high and multiply them, in place."""
    for row in range(rows.shape[0]):
        for category in range(rows.shape[1]):
            rows[row, category] = factor * min(max(rows[row, category], low), high)


fit = kernel(_fit)


def project_shares(weights: ArrayLike, open_categories: NDArray[np.bool_]) -> F32:
    """Return the shares that weights stand for: each row over its sum, a closed category exactly 0.

    Args:
        weights: [..., 8] by Category, finite and >= 0, in any unit.
        open_categories: bool [8], True where a category may be spent on; at least one is.

    Returns:
        float32 [..., 8], each row >= 0 with sum 1 up to rounding. A row without weight on an open category is split
        evenly among the open ones. A row's result depends on that row alone, bit for bit.

    Raises:
        ActionError: the last axis is not 8, or a weight is negative, NaN or infinite.
    """
    rows = np.array(weights, np.float64, order="C")
    if rows.ndim == 0 or rows.shape[-1] != N_CATEGORIES:
        raise ActionError(f"weights of shape {rows.shape}: the last axis must be the {N_CATEGORIES} categories")
    shares = np.empty(rows.shape, np.float32)
    if not project(rows.reshape(-1, N_CATEGORIES), open_categories, shares.reshape(-1, N_CATEGORIES)):
        raise ActionError(f"{_first_bad(rows)}; weights must be finite and at least 0")
    return shares


def _project(weights, open_categories, shares):
    """Write what :func:`project_shares` returns into ``shares``, float32 [n, 8]; return whether the weights are sound.

    Args:
        weights: float64 [n, 8].
        open_categories: bool [8].
        shares: of no meaning where a weight is not finite or negative.
    """
    for row in range(weights.shape[0]):
        largest = 0.0
        for category in range(N_CATEGORIES):
            weight = weights[row, category]
            if not (math.isfinite(weight) and weight >= 0.0):
                return False
            if open_categories[category]:
                largest = max(largest, weight)
        total = 0.0
        for category in range(N_CATEGORIES):
            total += _part(weights[row, category], largest, open_categories[category])
        for category in range(N_CATEGORIES):
            shares[row, category] = _part(weights[row, category], largest, open_categories[category]) / total
    return True


def _part_of(weight, largest, is_open):
    """Return a weight over the largest open one, so that no sum overflows; 1 for each where none is above 0."""
    if not is_open:
        return 0.0
    return weight / largest if largest > 0.0 else 1.0


_part = kernel(_part_of)
project = kernel(_project)


def shares_from_action(action: ArrayLike, open_categories: NDArray[np.bool_]) -> F32:
    """Return softmax(3a) over the open categories: the shares of a softmax action, first clipped to [−1, 1].

    Args:
        action: [..., 8] by Category, finite. An entry of a closed category has no effect.
        open_categories: bool [8].

    Returns:
        float32 [..., 8] on the simplex, a closed category exactly 0.

    Raises:
        ActionError: the action is not numeric, its last axis is not 8, or an entry is NaN or infinite.
    """
    return checked_shares("softmax", check_action(action), open_categories)


def action_from_shares(shares: ArrayLike, open_categories: NDArray[np.bool_]) -> F64:
    """Return the softmax action whose shares come nearest to ``shares``: exactly, where no ratio of two exceeds e^6.

    Args:
        shares: [..., 8] on the simplex.
        open_categories: bool [8]; a closed category's entry is 0.

    Returns:
        float64 [..., 8] in [−1, 1]; the largest and the smallest open entry lie symmetrically about 0.
    """
    least = np.exp(-2.0 * SHARPNESS * ACTION_BOUND)
    rows = np.asarray(shares, np.float64)
    rows = np.maximum(rows, least * rows.max(axis=-1, keepdims=True))
    logs = np.log(rows) / SHARPNESS
    top = np.where(open_categories, logs, -np.inf).max(axis=-1, keepdims=True)
    bottom = np.where(open_categories, logs, np.inf).min(axis=-1, keepdims=True)
    return np.where(open_categories, logs - (top + bottom) / 2.0, 0.0)


def check_action(action: ArrayLike, shape: tuple[int, ...] | None = None) -> F64:
    """Return an action as float64, checked: numeric, finite, of ``shape`` (or any shape that ends in 8).

    Raises:
        ActionError: it is not; the message names the value, the limit and the remedy.
    """
    if type(action) is np.ndarray and action.dtype in _READY and (shape is None or action.shape == shape):
        rows = action.astype(np.float64, order="C")
    else:
        rows = _as_action(action, shape)
    if rows.ndim == 0 or rows.shape[-1] != N_CATEGORIES:
        raise ActionError(f"action of shape {rows.shape}; the last axis must be the {N_CATEGORIES} categories")
    if not are_finite(rows.reshape(-1, N_CATEGORIES)):
        raise ActionError(f"{_first_bad(rows)}; an action must be finite")
    return rows


_READY = (np.dtype(np.float32), np.dtype(np.float64))
"""Types of actions that need no look."""


def _as_action(action: ArrayLike, shape: tuple[int, ...] | None) -> F64:
    try:
        rows = np.array(action)
    except (TypeError, ValueError):
        raise ActionError(f"action {brief(action)} is not an array; give {N_CATEGORIES} numbers a row") from None
    if not (np.issubdtype(rows.dtype, np.floating) or np.issubdtype(rows.dtype, np.integer)):
        raise ActionError(f"action of dtype {rows.dtype}; give numbers (float32)")
    if shape is not None and rows.shape != shape:
        raise ActionError(f"action of shape {rows.shape}; it must be {shape}, one entry for each category")
    return rows.astype(np.float64, order="C")


def _are_finite(rows):
    """Return whether every entry of ``rows``, float64 [n, 8], is finite."""
    finite = True
    for row in range(rows.shape[0]):
        for category in range(rows.shape[1]):
            finite &= math.isfinite(rows[row, category])
    return finite


are_finite = kernel(_are_finite)


def _first_bad(rows: F64) -> str:
    broken = ~np.isfinite(rows)
    place = np.argwhere(broken if broken.any() else rows < 0.0)[0]
    name = Category(int(place[-1])).name.lower()
    where = f" in row {tuple(int(p) for p in place[:-1])}" if len(place) > 1 else ""
    return f"{name}={rows[tuple(place)]:g}{where}"


def brief(value: object, limit: int = 40) -> str:
    """Return a value on one line of at most ``limit`` characters, for a complaint about it."""
    text = " ".join(repr(value).split())
    return text if len(text) <= limit else text[: limit - 1] + "…"
