"""What a unit of wall is worth against raiders: the formula of the rules, and what games measured.

Bands have exponential strength of mean s and sack a cell of defence d if they are stronger, so a raid sacks it with
probability e^(−d/s). A cell that is raided ``rate`` times a turn and loses ``loss`` in a sack then loses
rate · loss · e^(−d/s) a turn, and one more unit of wall is worth rate · loss · e^(−d/s)/s. It is greatest where s = d
(for d > 0): a weaker band is turned away already, a stronger one is not stopped by one unit more.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from civsim.analysis.statistics.resample import (
    DRAWS,
    LEVEL,
    SEED,
    Estimate,
    bootstrap_means,
    bootstrap_weights,
    widened_interval,
)
from civsim.base.errors import ResultsError

F64 = NDArray[np.float64]


def sack_loss(defence: ArrayLike, strength: ArrayLike, rate: ArrayLike = 1.0, loss: ArrayLike = 1.0) -> F64:
    """Return what a cell loses to raids a turn: rate · loss · e^(−d/s).

    Args:
        defence: d ≥ 0, what a band meets there (units of force).
        strength: s > 0, mean strength of a band (units of force).
        rate: raids on the cell a turn.
        loss: what one sack costs, in any unit.
    """
    d, s = np.asarray(defence, np.float64), np.asarray(strength, np.float64)
    return np.asarray(np.asarray(rate) * np.asarray(loss) * np.exp(-d / s), np.float64)


def worth_of_wall(defence: ArrayLike, strength: ArrayLike, rate: ArrayLike = 1.0, loss: ArrayLike = 1.0) -> F64:
    """Return what one more unit of wall saves a turn, at the margin; arguments as in :func:`sack_loss`."""
    return np.asarray(sack_loss(defence, strength, rate, loss) / np.asarray(strength, np.float64))


def worth_of_step(
    low: ArrayLike, high: ArrayLike, strength: ArrayLike, rate: ArrayLike = 1.0, loss: ArrayLike = 1.0
) -> F64:
    """Return what a unit of wall saves a turn on average over a step of the defence, from ``low`` to ``high``."""
    below, above = np.asarray(low, np.float64), np.asarray(high, np.float64)
    saved = sack_loss(below, strength, rate, loss) - sack_loss(above, strength, rate, loss)
    return np.asarray(saved / (above - below), np.float64)


class WallGames(NamedTuple):
    """What W worlds brought under one share of walls, each float [W], summed over the turns of a game."""

    output: F64
    wall: F64  # units of wall that stood (unit-turns)
    cells: F64  # cells held (cell-turns)


class StepWorth(NamedTuple):
    """A step of walls: what a unit of wall was worth in output a turn, and what the formula says of it."""

    measured: Estimate
    formula: Estimate
    defence: tuple[float, float]  # wall on a cell on average, before and after


def _measured(low: F64, high: F64, calm_low: F64, calm_high: F64) -> F64:
    """Return output saved per unit-turn of wall; each argument float [..., 3] as in :class:`WallGames`."""
    expected = low[..., 0] * calm_high[..., 0] / calm_low[..., 0]
    return np.asarray((high[..., 0] - expected) / (high[..., 1] - low[..., 1]))


def _formula(low: F64, high: F64, strength: float, rate: float, turns: float, disruption: float) -> F64:
    """Return the formula's worth: rate/n raids a turn on each of n cells, a sack costs its output for a while."""
    output, _, cells = np.moveaxis(0.5 * (low + high), -1, 0)
    return worth_of_step(
        low[..., 1] / low[..., 2], high[..., 1] / high[..., 2], strength, rate * turns / cells,
        disruption * output / cells,
    )  # fmt: skip


def estimate_step(
    low: WallGames, high: WallGames, calm_low: WallGames, calm_high: WallGames, *,
    strength: float, rate: float, turns: int, disruption: float, draws: int = DRAWS, seed: int = SEED,
    level: float = LEVEL,
) -> StepWorth:  # fmt: skip
    """Return what a unit of wall was worth between two shares of walls, and what the formula says at the same defence.

    Measured: output under ``high`` less what the same spending would leave of the output under ``low`` if no band came
    (in proportion, from the calm games), per unit of wall that stood. Formula: :func:`worth_of_step` with the mean wall
    on a cell, raids spread evenly over the cells, and a sack that costs ``disruption`` turns of a mean cell's output.

    Args:
        low: games at the smaller share of walls, with raids; the same W worlds in all four.
        high: at the larger share.
        calm_low: at the smaller share, without raids.
        calm_high: at the larger share, without raids.
        strength: mean strength of a band.
        rate: bands a turn.
        turns: turns of a game.
        disruption: turns a sacked cell gives nothing.
        draws: resamples of worlds.
        seed: seed of the resampling.
        level: coverage of the intervals.

    Raises:
        ResultsError: fewer than two worlds, or no more wall under ``high`` than under ``low``.
    """
    arms = [np.column_stack(arm) for arm in (low, high, calm_low, calm_high)]
    if not arms[1][:, 1].mean() > arms[0][:, 1].mean():
        raise ResultsError("the larger share of walls left no more wall standing; is the category closed?")
    worlds = len(arms[0])
    weights = bootstrap_weights(worlds, draws, seed)
    means, drawn = [arm.mean(0) for arm in arms], [bootstrap_means(arm, weights) for arm in arms]
    settings = (strength, rate, float(turns), disruption)
    found = []
    for value, resampled in (
        (_measured(*means), _measured(*drawn)),
        (_formula(means[0], means[1], *settings), _formula(drawn[0], drawn[1], *settings)),
    ):
        found.append(Estimate(value, *widened_interval(value, resampled, worlds, level)))
    low_d, high_d = (float(arm[1] / arm[2]) for arm in means[:2])
    return StepWorth(found[0], found[1], (low_d, high_d))
