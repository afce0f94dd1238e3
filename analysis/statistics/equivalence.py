"""Equivalence: whether two arms differ by less than matters (TOST).

That a difference is not significant shows nothing; that it is *small* must be shown. Two one-sided tests (Schuirmann,
*Journal of Pharmacokinetics and Biopharmaceutics* 15(6), 1987) reject 'the arms differ by the margin or more' where
both 'the difference is at or below −margin' and 'at or above +margin' are rejected: where the interval of coverage
1 − 2α lies inside ± margin. World by world, so that what the worlds have in common cancels.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy.special import stdtr, stdtrit

from civsim.analysis.panel import Panel
from civsim.base.errors import ResultsError

ALPHA = 0.05
"""Size of each of the two tests; the interval has coverage 1 − 2α."""


class Equivalence(NamedTuple):
    """Whether a mean difference is smaller than a margin."""

    difference: float  # mean over worlds, in the outcome's unit
    low: float  # interval of coverage 1 − 2α
    high: float
    margin: float  # what matters, in the outcome's unit
    p: float  # the larger of the two one-sided p
    equivalent: bool  # p ≤ α
    identical: bool  # exactly 0 in every world
    worlds: int


def equivalence_p(value: float, error: float, freedom: float, margin: float) -> float:
    """Return the larger p of the two one-sided tests that an effect is at or beyond ± ``margin``, in [0, 1].

    Args:
        value: the effect, in any unit.
        error: its standard error, ≥ 0; where it is 0 there is nothing to test: p is 0 inside the margin, else 1.
        freedom: degrees of freedom of Student's t.
        margin: in the unit of ``value``, > 0.
    """
    if error == 0.0:
        return 0.0 if abs(value) < margin else 1.0
    return float(stdtr(freedom, (abs(value) - margin) / error))


def equivalence_test(differences: ArrayLike, margin: float, *, alpha: float = ALPHA) -> Equivalence:
    """Return the TOST of independent differences, one a world, float [W].

    Where the differences do not vary there is nothing to test: they are equivalent with p = 0 if they are inside the
    margin, and not with p = 1 otherwise. ``identical`` says that every one is exactly 0.

    Raises:
        ResultsError: fewer than two worlds, differences that are not finite, or a margin that is not above 0.
    """
    gaps = np.asarray(differences, np.float64)
    if gaps.ndim != 1 or len(gaps) < 2 or not np.isfinite(gaps).all():
        raise ResultsError(f"differences of shape {gaps.shape} cannot be tested; give two finite worlds or more")
    if not (np.isfinite(margin) and margin > 0.0):
        raise ResultsError(f"margin={margin:g} is not above 0; give the smallest difference that matters")
    if not 0.0 < alpha < 0.5:
        raise ResultsError(f"alpha={alpha:g} is outside (0, 0.5); give 0.05")
    worlds, mean = len(gaps), float(gaps.mean())
    error = float(gaps.std(ddof=1) / np.sqrt(worlds)) if np.ptp(gaps) > 0.0 else 0.0
    reach = float(stdtrit(worlds - 1.0, 1.0 - alpha)) * error
    p = equivalence_p(mean, error, worlds - 1.0, margin)
    return Equivalence(mean, mean - reach, mean + reach, margin, p, p <= alpha, not gaps.any(), worlds)


def equivalence_table(
    panel: Panel, reference: Any, margin: float, *, arms: Sequence[Any] | None = None, alpha: float = ALPHA
) -> pd.DataFrame:
    """Return the TOST of each arm (all but the reference, unless told) against the reference arm, world by world.

    Columns: ``arm``, then the fields of :class:`Equivalence`.

    Raises:
        ResultsError: no such arm, or as :func:`equivalence_test`.
    """
    base = panel.column(reference)
    chosen = [arm for arm in panel.arms if arm != reference] if arms is None else list(arms)
    rows = [{"arm": arm} | equivalence_test(panel.column(arm) - base, margin, alpha=alpha)._asdict() for arm in chosen]
    return pd.DataFrame(rows, columns=["arm", *Equivalence._fields])
