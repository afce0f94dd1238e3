"""Break-even price: the price at which buying is worth nothing, and dearer than which it is a loss.

At each of P prices the same worlds are played with and without buying; their paired differences are the *gains*. What
is bought cannot be worth more when it is dearer, so mean gains are fitted by a falling step function (isotonic
regression: Robertson, Wright and Dykstra, *Order Restricted Statistical Inference*, 1988), joined by straight lines in
log price, and the break-even price is where that line crosses 0. A crossing outside the prices tried is reported as
such and never extrapolated.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from civsim.analysis.statistics.resample import DRAWS, LEVEL, SEED, bootstrap_weights, stretched_means
from civsim.base.errors import ResultsError

F64 = NDArray[np.float64]

ABOVE, BELOW, INSIDE = "above", "below", "inside"
"""Where the break-even price lies: above all prices tried, below all of them, or among them."""


class BreakEven(NamedTuple):
    """A break-even price in the unit of the prices given (a multiplier of the scenario's price, say)."""

    price: float  # nan where it lies outside the prices tried
    low: float  # 0 where the interval reaches below the lowest price tried
    high: float  # inf where it reaches above the highest price tried
    side: str  # 'inside', 'above' or 'below'
    lowest: float  # lowest and highest price tried
    highest: float
    share_above: float  # share of bootstrap draws with the break-even price above the highest price tried
    share_below: float
    worlds: int

    @property
    def bounded(self) -> bool:
        """Whether estimate and interval lie within the prices tried."""
        return self.side == INSIDE and self.low > 0.0 and bool(np.isfinite(self.high))


def falling_fit(means: ArrayLike) -> F64:
    """Return the least-squares non-increasing fit of each row, float64 [..., P], of ``means`` float [..., P].

    The max–min formula, fit_i = max_{b ≥ i} min_{a ≤ i} mean(y_a … y_b), of all rows at once: bootstrap draws are many
    and prices few. It is scikit-learn's ``IsotonicRegression(increasing=False)`` to rounding (tested).
    """
    y = np.asarray(means, np.float64)
    place = np.arange(y.shape[-1])
    first, last = place[:, None], place[None, :]
    sums = np.concatenate([np.zeros((*y.shape[:-1], 1)), np.cumsum(y, -1)], -1)
    blocks = (sums[..., None, 1:] - sums[..., :-1, None]) / np.maximum(last - first + 1, 1)  # [..., a, b]
    least = np.minimum.accumulate(np.where(last >= first, blocks, np.inf), axis=-2)  # [..., i, b]: over starts a ≤ i
    fit: F64 = np.where(last >= first, least, -np.inf).max(-1)
    return fit


def crossings(fits: ArrayLike, log_prices: ArrayLike) -> F64:
    """Return where falling lines cross 0, in log price: −inf where all are ≤ 0, +inf where all are > 0.

    ``fits`` is float [..., P], not increasing along the last axis; ``log_prices`` float [P], ascending.
    """
    fit, x = np.asarray(fits, np.float64), np.asarray(log_prices, np.float64)
    paying = (fit > 0.0).sum(-1)  # the first so many prices pay
    left = np.clip(paying - 1, 0, x.size - 2)
    upper = np.take_along_axis(fit, left[..., None], -1)[..., 0]
    lower = np.take_along_axis(fit, left[..., None] + 1, -1)[..., 0]
    fall = upper - lower
    share = np.where(fall > 0.0, upper / np.where(fall > 0.0, fall, 1.0), 0.0)
    inside = x[left] + share * (x[left + 1] - x[left])
    return np.where(paying == 0, -np.inf, np.where(paying == x.size, np.inf, inside))


def break_even(
    gains: ArrayLike, prices: ArrayLike, *, draws: int = DRAWS, seed: int = SEED, level: float = LEVEL
) -> BreakEven:
    """Return the price at which the gain from buying is 0, with a percentile interval over resampled worlds.

    The resampled means are first stretched about the mean for how few the worlds are (see
    :func:`civsim.analysis.statistics.resample.stretched_means`). The limits are order statistics, so that draws whose
    crossing lies outside the prices count in full.

    Args:
        gains: float [W, P], what buying gains (outcome with it less outcome without it) in each world at each price.
        prices: float [P], ascending, above 0, P ≥ 2.
        draws: bootstrap draws of whole worlds.
        seed: seed of the resampling.
        level: coverage, in (0, 1).

    Raises:
        ResultsError: prices that do not ascend from above 0 or do not fit the gains, fewer than two worlds, or gains
            that are not finite.
    """
    table, tried = np.asarray(gains, np.float64), np.asarray(prices, np.float64)
    if tried.ndim != 1 or tried.size < 2 or tried[0] <= 0.0 or np.any(np.diff(tried) <= 0.0):
        raise ResultsError("prices must ascend from above 0 and be at least 2; sort them and drop repeats")
    if table.ndim != 2 or table.shape[1] != tried.size:
        raise ResultsError(f"gains of shape {table.shape} do not fit; give worlds × {tried.size} prices")
    if not np.isfinite(table).all():
        raise ResultsError("a gain is NaN or infinite; drop the world or play it again")
    n, x = table.shape[0], np.log(tried)
    mean = table.mean(0)
    resampled = stretched_means(table, bootstrap_weights(n, draws, seed), level)
    at = float(crossings(falling_fit(mean), x))
    drawn = crossings(falling_fit(resampled), x)
    tail = 0.5 * (1.0 - level)
    low = float(np.quantile(drawn, tail, method="lower"))
    high = float(np.quantile(drawn, 1.0 - tail, method="higher"))
    side = INSIDE if np.isfinite(at) else ABOVE if at > 0.0 else BELOW
    return BreakEven(
        float(np.exp(at)) if side == INSIDE else float("nan"),
        # A limit on the far side says no more than 'above the highest' or 'below the lowest': that price is the limit.
        min(float(np.exp(low)), float(tried[-1])),
        max(float(np.exp(high)), float(tried[0])),
        side,
        float(tried[0]),
        float(tried[-1]),
        float(np.mean(drawn == np.inf)),
        float(np.mean(drawn == -np.inf)),
        n,
    )
