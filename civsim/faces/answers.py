"""What a hand-written civilization answers, {category: weight} or eight numbers, made into shares of its output."""

from __future__ import annotations

import difflib
import reprlib
from collections.abc import Collection, Mapping
from numbers import Real
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from civsim.base.constants import N_CATEGORIES
from civsim.base.errors import ActionError
from civsim.engine.observation.features import CATEGORY_NAMES
from civsim.engine.rules.shares import SUM_TOLERANCE
from civsim.engine.state import F32, F64
from civsim.faces.actions import check_action, project_shares

Answer = Mapping[str, float] | ArrayLike
"""Weights of categories by name, those left out being 0; or eight of them in the order of ``Category``."""

_AS_GIVEN = SUM_TOLERANCE / 2.0
"""How near to 1 the sum of weights must be for them to be shares: well within what a step accepts."""


def shares_of_answer(answer: Answer | None, open_categories: NDArray[np.bool_]) -> F32:
    """Return the shares that an answer stands for.

    Weights that are shares already (their sum is 1 within 5e-5, and nothing goes to a closed category) are played as
    they were given, to the bit. Others are divided by their sum over the open categories; a weight of a closed one has
    no effect, as in every face.

    Args:
        answer: {category: weight}, or 8 numbers by Category; finite and >= 0, in any unit.
        open_categories: bool [8], True where a category may be spent on.

    Returns:
        float32 [8], each >= 0 with sum 1 up to rounding, a closed category exactly 0.

    Raises:
        ActionError: the answer is nothing, names an unknown category, is not 8 numbers, has a weight that is negative,
            NaN or infinite, or none above 0 in an open category.
    """
    if answer is None:
        raise ActionError(f"the answer is None; return {{category: weight}} or {N_CATEGORIES} numbers")
    weights = check_action(_by_category(answer) if isinstance(answer, Mapping) else answer, (N_CATEGORIES,))
    below = np.flatnonzero(weights < 0.0)
    if below.size:
        raise ActionError(f"{CATEGORY_NAMES[below[0]]}={weights[below[0]]:g} is below 0; give weights of at least 0")
    if not weights[open_categories].any():
        raise ActionError("no open category has a weight above 0; give at least one")
    if abs(weights.sum() - 1.0) <= _AS_GIVEN and not weights[~open_categories].any():
        return weights.astype(np.float32)
    return project_shares(weights, open_categories)


def _by_category(answer: Mapping[Any, Any]) -> F64:
    """Return the weights of a table, float64 [8]."""
    weights = np.zeros(N_CATEGORIES)
    for name, weight in answer.items():
        if name not in CATEGORY_NAMES:
            raise ActionError(f"category {brief(name)} is unknown; {likely(name, CATEGORY_NAMES)}")
        if isinstance(weight, bool) or not isinstance(weight, Real):
            raise ActionError(f"{name}={brief(weight)} is not a number; give a weight of at least 0")
        weights[CATEGORY_NAMES.index(name)] = float(weight)
    return weights


def brief(value: object) -> str:
    """Return a value on one short line, for a complaint about it."""
    return " ".join(reprlib.repr(value).split())


def likely(name: object, known: Collection[str]) -> str:
    """Return the end of a complaint about a name: which known one is likely meant, or all that there are."""
    close = difflib.get_close_matches(str(name), known, n=1)
    return f"did you mean {close[0]!r}?" if close else f"use one of {', '.join(known)}"
