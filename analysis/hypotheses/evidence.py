"""Evidence on one effect: its estimate, and how sure it is, from resampling whole worlds.

The standard error is the bootstrap's, over worlds drawn whole, times √(n/(n − 1)); interval and p-value are Student's
with n − 1 degrees of freedom, so that the one never contradicts the other (Efron and Tibshirani, *An Introduction to
the Bootstrap*, 1993, chapter 12).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import t as student

from civsim.analysis.results import Resampling
from civsim.analysis.statistics.resample import bootstrap_means, bootstrap_weights
from civsim.base.errors import ResultsError

F64 = NDArray[np.float64]

ROUNDING = 1e-12
"""A spread of the draws, or an effect, below this share of the largest outcome is rounding."""

MeanStatistic = Callable[[F64], F64]
"""Takes arm means, float64 [draws, ...], and returns one number a draw, float64 [draws]."""


class Evidence(NamedTuple):
    """One effect. Standard error 0 means that no resample of the worlds differs from the estimate."""

    value: float
    low: float  # interval of the nominal coverage asked for
    high: float
    error: float  # standard error
    p: float  # two-sided, of an effect of 0
    worlds: int  # worlds behind it
    dropped: int = 0  # worlds left out because a game of theirs failed
    parts: int = 1  # effects of which this is the least established; a joint claim has several
    note: str = ""  # why the effect cannot be judged although it has a number; empty where it can

    @property
    def freedom(self) -> int:
        """Degrees of freedom of the interval: worlds − 1."""
        return self.worlds - 1

    def above(self, bound: float) -> float:
        """Return the one-sided p-value of 'the effect is at most ``bound``'."""
        return _tail((self.value - bound), self.error, self.freedom)


def _tail(gap: float, error: float, freedom: int) -> float:
    if error == 0.0:
        return 0.0 if gap > 0.0 else 1.0
    return float(student.sf(gap / error, freedom))


def student_evidence(value: float, error: float, worlds: int, *, level: float, dropped: int = 0) -> Evidence:
    """Return evidence from an estimate and its standard error, with Student's t of ``worlds`` − 1.

    Raises:
        ResultsError: fewer than two worlds, or an estimate or error that is not finite.
    """
    if worlds < 2 or not (np.isfinite(value) and np.isfinite(error)):
        raise ResultsError(
            f"an effect of {value:g} ± {error:g} over {worlds} worlds cannot be judged; play more worlds"
        )
    reach = float(student.isf(0.5 * (1.0 - level), worlds - 1)) * error
    p = min(1.0, 2.0 * _tail(abs(value), error, worlds - 1))
    return Evidence(value, value - reach, value + reach, error, p, worlds, dropped)


def bootstrap_evidence(
    values: ArrayLike, statistic: MeanStatistic, resampling: Resampling, *, dropped: int = 0
) -> Evidence:
    """Return evidence on a statistic of means over worlds.

    Args:
        values: float [W, ...], an outcome of W worlds under every arm, W ≥ 2.
        statistic: the effect as a function of the arms' means.
        resampling: draws, seed, coverage.
        dropped: worlds left out beforehand.

    Raises:
        ResultsError: fewer than two worlds, or a statistic that is not finite.
    """
    table = np.asarray(values, np.float64)
    weights = bootstrap_weights(table.shape[0], resampling.draws, resampling.seed)
    value = float(statistic(table.mean(0)[None])[0])
    drawn = statistic(bootstrap_means(table, weights))
    n, rounding = table.shape[0], ROUNDING * float(np.abs(table).max())
    value = value if abs(value) > rounding else 0.0
    spread = float(np.std(drawn, ddof=1)) if np.ptp(drawn) > rounding else 0.0
    return student_evidence(value, spread * float(np.sqrt(n / (n - 1.0))), n, level=resampling.level, dropped=dropped)


def weakest(parts: Mapping[str, Evidence], signs: Mapping[str, float]) -> tuple[str, Evidence]:
    """Return the part of a joint claim that is least established, with its effect signed as the claim wants it.

    A claim that needs every part is as sure as its weakest part (intersection–union test: Berger, *Technometrics*
    24(4), 1982): the one with the largest one-sided p-value of having the sign that ``signs`` gives it. The evidence
    returned is that of signed effects: positive where the claim holds. It says how many parts there are, because to be
    refuted a joint claim needs one part of several, which by chance alone is had more often than one.
    """
    signed = {name: _flipped(part) if signs[name] < 0.0 else part for name, part in parts.items()}
    name = max(signed, key=lambda key: (signed[key].above(0.0), -signed[key].value))
    return name, signed[name]._replace(parts=sum(part.parts for part in parts.values()))


def _flipped(part: Evidence) -> Evidence:
    return part._replace(value=-part.value, low=-part.high, high=-part.low)
