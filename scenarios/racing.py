"""A race of candidates against what stands: is one of them better on average, luck allowed for, and with little play.

Every candidate is tried under the same draws of luck as what stands (common random numbers), and only its advantage in
each draw counts. Few draws are taken first and their number doubles, up to the most. At each look

- a candidate is *established* if the lower bound of its mean advantage is above 0: Student's, one-sided, at the level
  of the race over the number of its candidates and of such looks (Bonferroni). The race then ends, and of those that
  are established at once the one with the greatest mean wins (Kim and Nelson 2001, ACM TOMACS 11(3), with what stands
  as the standard that a winner has to beat: Nelson and Goldsman 2001, Management Science 47(3));
- a candidate without prospects leaves: by what is known of it so far, its chance of being established at the last look
  is below :data:`PROSPECT` (stochastic curtailment: Lan, Simon and Halperin 1982, Sequential Analysis 1(3); that
  successive elimination saves most of the play: Even-Dar, Mannor and Mansour 2006, JMLR 7).

So what stands is replaced by something no better with a chance of the level at most, as far as means of so many draws
follow Student's law. To take whatever did best would be to take the luckiest (the optimizer's curse: Smith and Winkler
2006, Management Science 52(3)). The price is that what is better by less than a few standard errors at the last look is
missed.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtr, stdtrit

PROSPECT = 0.2
"""Chance of being established, below which a candidate leaves. Five candidates no better than what stands then cost 13
trials each where 64 would be the most; at 0.1 it would be 18, and one of five that is better by .7 standard deviations
would be found in 88 instead of 79 of 100 races at a level of 1/600 (1,500 races with normal luck)."""

SOUND = 16
"""Draws before a candidate can be established, if the race may go on for so long: the odd defeat in a battle that is
mostly won must have had its chance to show. Kim and Nelson (2001) take 10 at least, for the sake of the variance."""

F64 = NDArray[np.float64]


def looks(first: int, most: int) -> list[int]:
    """Return after how many draws, in all, one looks: ``first``, its doubles, and ``most``; rising."""
    found = [first]
    while found[-1] < most:
        found.append(min(2 * found[-1], most))
    return found


class Race:
    """One race. Play what it asks for (``players`` under ``draws``) and tell it, until nobody is left to be tried.

    Players are numbered: 0 is what stands, the candidates follow from 1.
    """

    def __init__(self, candidates: int, first: int, most: int, level: float) -> None:
        """Begin a race of ``candidates`` >= 1, with 2 <= ``first`` <= ``most`` draws and ``level`` in (0, 1)."""
        self.looks = looks(first, most)
        sound = [n for n in self.looks if n >= min(SOUND, most)]
        self.sound, self.level = sound[0], level / (candidates * len(sound))
        self.values = np.full((1 + candidates, most), np.nan)
        self.racing = list(range(1, 1 + candidates))
        self.drawn = 0
        self.winner = 0

    @property
    def players(self) -> list[int]:
        """Who is to be tried next, what stands first; empty once the race is over."""
        over = self.winner or not self.racing or self.drawn == self.looks[-1]
        return [] if over else [0, *self.racing]

    @property
    def draws(self) -> range:
        """The draws of luck under which they are tried."""
        return range(self.drawn, next(n for n in self.looks if n > self.drawn))

    def tell(self, values: ArrayLike, tie: float = 0.0) -> None:
        """Take note of what the players got, float [players, draws], and look.

        An advantage of ``tie`` at most, relative to the mean of what stands, counts as none.
        """
        players, draws = self.players, self.draws
        self.values[players, draws.start : draws.stop] = values
        self.drawn = draws.stop
        gains = self.values[self.racing, : self.drawn] - self.values[0, : self.drawn]
        means = gains.mean(axis=1) - tie * abs(float(self.values[0, : self.drawn].mean()))
        spreads = gains.std(axis=1, ddof=1)
        if self.drawn >= self.sound:
            sure = means > self._bound(self.drawn) * spreads
            if sure.any():
                self.winner = self.racing[int(np.where(sure, means, -np.inf).argmax())]
                return
        stay = self._prospects(means, spreads) >= PROSPECT
        self.racing = [player for player, stays in zip(self.racing, stay, strict=True) if stays]

    def _bound(self, draws: int) -> float:
        """Return how many standard deviations a mean of so many draws must be above 0 to be established."""
        return float(stdtrit(draws - 1, 1.0 - self.level) / np.sqrt(draws))

    def _prospects(self, means: F64, spreads: F64) -> F64:
        """Return the chances of being established at the last look.

        Given a mean m of n draws with standard deviation s, and nothing else, the mean of all N draws is normal about m
        with variance s² (1/n − 1/N).
        """
        most = self.looks[-1]
        if self.drawn == most:
            return np.zeros(len(means))
        short = means - self._bound(most) * spreads
        unknown = spreads * np.sqrt(1.0 / self.drawn - 1.0 / most)
        certain = np.where(short > 0.0, np.inf, -np.inf)
        return np.asarray(ndtr(np.divide(short, unknown, out=certain, where=unknown > 0.0)))

    def best(self) -> tuple[int, F64]:
        """Return the winner and its advantage in each draw; if none won, of those longest in the race the best."""
        drawn = (~np.isnan(self.values)).sum(axis=1)
        longest = np.flatnonzero(drawn[1:] == drawn[1:].max()) + 1
        gains = self.values[longest, : self.drawn] - self.values[0, : self.drawn]
        at = int(gains.mean(axis=1).argmax())
        if self.winner:
            at = int(np.flatnonzero(longest == self.winner)[0])
        return int(longest[at]), gains[at]
