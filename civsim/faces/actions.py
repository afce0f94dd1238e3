"""Actions and shares: the one place where an action, of either kind, becomes shares of output.

There are two kinds. A "softmax" action a is a point of [−1, 1]^8; its shares are softmax(3a) over the open categories.
A "simplex" action is a point of [0, 1]^8, weights that are divided by their sum over the open categories; weights that
are shares already stay what they are, up to rounding. A finite action outside its box is clipped to it.
"""

from __future__ import annotations

from typing import Literal, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from civsim.base.constants import N_CATEGORIES, Category
from civsim.base.errors import ActionError, ScenarioError
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
    if kind == "softmax":
        return shares_from_action(action, open_categories)
    return project_shares(np.clip(check_action(action), *action_bounds(kind)), open_categories)


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
    rows = np.array(weights, np.float64)
    if rows.ndim == 0 or rows.shape[-1] != N_CATEGORIES:
        raise ActionError(f"weights of shape {rows.shape}: the last axis must be the {N_CATEGORIES} categories")
    if not (np.isfinite(rows).all() and (rows >= 0.0).all()):
        raise ActionError(f"{_first_bad(rows)}; weights must be finite and at least 0")
    rows[..., ~open_categories] = 0.0
    largest = rows.max(axis=-1, keepdims=True)
    empty = largest == 0.0
    rows = np.where(empty, open_categories.astype(np.float64), rows / np.where(empty, 1.0, largest))
    # A running sum, because numpy's own order of summation depends on the layout of the array.
    total = rows[..., 0].copy()
    for category in range(1, N_CATEGORIES):
        total += rows[..., category]
    return (rows / total[..., None]).astype(np.float32)


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
    rows = check_action(action)
    return project_shares(np.exp(SHARPNESS * np.clip(rows, -ACTION_BOUND, ACTION_BOUND)), open_categories)


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
    try:
        rows = np.array(action)
    except (TypeError, ValueError):
        raise ActionError(f"action {_brief(action)} is not an array; give {N_CATEGORIES} numbers a row") from None
    if not (np.issubdtype(rows.dtype, np.floating) or np.issubdtype(rows.dtype, np.integer)):
        raise ActionError(f"action of dtype {rows.dtype}; give numbers (float32)")
    if shape is not None and rows.shape != shape:
        raise ActionError(f"action of shape {rows.shape}; it must be {shape}, one entry for each category")
    if rows.ndim == 0 or rows.shape[-1] != N_CATEGORIES:
        raise ActionError(f"action of shape {rows.shape}; the last axis must be the {N_CATEGORIES} categories")
    rows = rows.astype(np.float64)
    if not np.isfinite(rows).all():
        raise ActionError(f"{_first_bad(rows)}; an action must be finite")
    return rows


def _first_bad(rows: F64) -> str:
    broken = ~np.isfinite(rows)
    place = np.argwhere(broken if broken.any() else rows < 0.0)[0]
    name = Category(int(place[-1])).name.lower()
    where = f" in row {tuple(int(p) for p in place[:-1])}" if len(place) > 1 else ""
    return f"{name}={rows[tuple(place)]:g}{where}"


def _brief(value: object, limit: int = 40) -> str:
    text = " ".join(repr(value).split())
    return text if len(text) <= limit else text[: limit - 1] + "…"
