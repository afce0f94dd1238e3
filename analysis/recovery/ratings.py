"""Recovery of the strengths of a planted Plackett–Luce model."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from civsim.analysis.recovery.case import Case
from civsim.analysis.statistics.ratings import ELO, Matches, make_matches, ratings

STRENGTHS = (0.0, 0.5, 1.0, -0.7, 1.5)
"""Log strengths of the policies p0 … p4; p0 is the anchor."""

DRAWS = 200
SOURCE = "scores are log strengths plus Gumbel noise: a Plackett–Luce model (Luce 1959; Plackett 1975)"
_GAMES = 1
"""Stream of the games, which is not that of the resampling."""


def plackett_luce_games(strengths: ArrayLike, worlds: int, seats: int, seed: int, repeats: int = 1) -> Matches:
    """Return games drawn from a Plackett–Luce model of log ``strengths`` [P], ``repeats`` games in each world.

    A score is a log strength plus a standard Gumbel draw, which orders the seats as the model does.
    """
    values = np.asarray(strengths, np.float64)
    rng, count = np.random.default_rng([seed, _GAMES]), len(values)
    line_ups = [rng.permutation(np.arange(max(count, seats)) % count)[:seats] for _ in range(worlds)]
    players = np.array([np.roll(line_up, turn) for line_up in line_ups for turn in range(repeats)])
    scores = values[players] + rng.gumbel(size=players.shape)
    return make_matches([f"p{k}" for k in range(count)], np.repeat(np.arange(worlds), repeats), players, scores)


def _recover(seed: int, worlds: int, seats: int, repeats: int) -> tuple[float, float, float]:
    """Return (planted, low, high) of one policy's rating; which one goes round with the seed."""
    which = 1 + seed % (len(STRENGTHS) - 1)
    table = ratings(plackett_luce_games(STRENGTHS, worlds, seats, seed, repeats), "p0", draws=DRAWS, seed=seed)
    row = table[table["policy"] == f"p{which}"].iloc[0]
    return ELO * (STRENGTHS[which] - STRENGTHS[0]), float(row["low"]), float(row["high"])


def recover_rating_of_four(seed: int) -> tuple[float, float, float]:
    """Return (planted, low, high) of a rating from 60 games of four seats (Elo)."""
    return _recover(seed, 60, 4, 1)


def recover_rating_of_seven(seed: int) -> tuple[float, float, float]:
    """Return (planted, low, high) of a rating from 50 games of seven seats: some policies sit twice (Elo)."""
    return _recover(seed, 50, 7, 1)


def recover_rating_of_repeats(seed: int) -> tuple[float, float, float]:
    """Return (planted, low, high) of a rating from 40 worlds, each played four times (Elo)."""
    return _recover(seed, 40, 4, 4)


CASES: tuple[Case, ...] = (
    Case("Plackett–Luce rating, 60 worlds, 4 seats", recover_rating_of_four, SOURCE),
    Case("Plackett–Luce rating, 50 worlds, 7 seats", recover_rating_of_seven, SOURCE),
    Case("Plackett–Luce rating, 40 worlds played 4 times", recover_rating_of_repeats, SOURCE),
)
