"""An arm against the best of several options, where the worlds that choose the best do not judge it.

The best of K options on the worlds at hand is best partly by luck: an arm that is as good as each of K equal options
loses to the luckiest of them. So the worlds are halved. One half chooses the option with the greatest mean, the other
compares the arm with it, and back (sample splitting: Chernozhukov and others, *Econometrics Journal* 21(1), 2018). What
comes out has no bias towards or against equal options. Where options differ by little a half may choose one that is
not the best of all, and the arm is then held to that one; more worlds choose better.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from civsim.base.errors import ResultsError

F64 = NDArray[np.float64]

MIN_WORLDS = 4
"""Two worlds in each half, the fewest that have a spread."""


class CrossFit(NamedTuple):
    """An arm against the option that the other half of the worlds chose."""

    differences: F64  # [W] arm less option, world by world
    chosen: tuple[int, int]  # the option that worlds 1, 3, … chose for 0, 2, …; and the other way round
    mean: float  # of the differences, the two halves weighing alike
    error: float  # its standard error


def crossfit(arm: ArrayLike, options: ArrayLike) -> CrossFit:
    """Return how an arm compares with the best of several options, chosen on the worlds that do not judge.

    Worlds 0, 2, 4 … are one half and 1, 3, 5 … the other; of options that tie the first is chosen. The standard error
    is that of two independent halves. The halves depend on each other a little, since each chooses for the other: where
    all options are equally good a nominal 95 % interval covers in 93 % of cases, and in 95 % where one stands out.

    Args:
        arm: float [W], W ≥ 4: the outcome of the arm, a world each.
        options: float [W, K], K ≥ 1: the outcomes of the options on the same worlds.

    Raises:
        ResultsError: fewer than four worlds, no option, shapes that do not fit, or numbers that are not finite.
    """
    values, table = np.asarray(arm, np.float64), np.asarray(options, np.float64)
    if values.ndim != 1 or table.ndim != 2 or len(table) != len(values) or table.shape[1] < 1:
        raise ResultsError(
            f"options {table.shape} do not fit an arm {values.shape}; give [worlds, options] and [worlds]"
        )
    if len(values) < MIN_WORLDS:
        raise ResultsError(f"worlds={len(values)} cannot be halved; play at least {MIN_WORLDS}")
    if not (np.isfinite(values).all() and np.isfinite(table).all()):
        raise ResultsError("an outcome is not finite; play the games again")
    even = np.arange(len(values)) % 2 == 0
    differences, chosen = np.empty_like(values), []
    for judges in (even, ~even):
        best = int(table[~judges].mean(axis=0).argmax())
        differences[judges] = values[judges] - table[judges, best]
        chosen.append(best)
    halves = (differences[even], differences[~even])
    mean = 0.5 * sum(float(half.mean()) for half in halves)
    error = 0.5 * float(np.sqrt(sum(half.var(ddof=1) / len(half) for half in halves)))
    return CrossFit(differences, (chosen[0], chosen[1]), mean, error)
