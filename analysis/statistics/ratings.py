"""Ratings from games of several policies: Plackett–Luce strengths as Elo, payoffs, and cycles.

A game is a ranking of its seats by their recorded objective. In the model of Luce (1959) and Plackett (1975) the first
place goes to seat i with probability γ_i / Σ γ over all seats, the second likewise among the rest, and so on, γ being
the strength of the policy that plays the seat; a policy may play several seats. Strengths are found by the MM
algorithm of Hunter, "MM algorithms for generalized Bradley–Terry models" (*Annals of Statistics* 32(1), 2004).

**Ties** count as half of each order: a game is taken with its tied seats in one order and in the reverse, at weight ½
each, so that every tied pair is won half the time by each. **Separation**: where some policies always beat the rest, no
finite strengths fit best (Hunter's assumption 1). A prior of :data:`PRIOR_GAMES` drawn game of each policy against a
phantom of strength 1 keeps them finite; ``group`` says which policies the results alone can compare, and an interval
that would have to cross into another group is open. Policies that never met, directly or through others, are not rated
together at all. **Intervals** come from resampling worlds, all games of a world together, widened for how few the
worlds are.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations, permutations
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy.sparse.csgraph import connected_components

from civsim.analysis.statistics.resample import DRAWS, LEVEL, SEED, bootstrap_weights, share_interval, widened_interval
from civsim.base.errors import ResultsError
from civsim.base.kernels import kernel

F64 = NDArray[np.float64]
I64 = NDArray[np.int64]
Bools = NDArray[np.bool_]

ELO = 400.0 / float(np.log(10.0))
"""Elo points of one unit of log strength: 400 points are odds of ten to one."""

PRIOR_GAMES = 1.0
"""Games of each policy against the phantom, half won; a prior with density ∝ (γ / (1 + γ)²)^½ on log γ."""

TOLERANCE = 1e-6
"""The fit has converged when no log strength moves by more than this in an iteration."""

MOST_ITERATIONS = 10_000

EVEN = 0.5


class Matches(NamedTuple):
    """Games of K policies: G games of N seats each."""

    policies: tuple[str, ...]  # [K]
    world_ids: I64  # [G] games of one world are resampled together
    players: I64  # [G, N] which policy plays a seat, 0 … K − 1
    scores: F64  # [G, N] the recorded objective; larger is better


def make_matches(policies: Sequence[str], world_ids: ArrayLike, players: ArrayLike, scores: ArrayLike) -> Matches:
    """Return games, checked; the fields are those of :class:`Matches`.

    Raises:
        ResultsError: fewer than two policies or worlds, shapes that do not fit, a policy that is out of range or plays
            no game, or scores that are not finite.
    """
    names, worlds = tuple(policies), np.asarray(world_ids, np.int64)
    seats, values = np.asarray(players, np.int64), np.asarray(scores, np.float64)
    if len(names) < 2 or len(set(names)) != len(names):
        raise ResultsError(f"policies={', '.join(names) or 'none'}; give at least two different ones")
    if seats.ndim != 2 or seats.shape != values.shape or worlds.shape != seats.shape[:1] or seats.shape[1] < 2:
        raise ResultsError(f"players {seats.shape} and scores {values.shape} are not games × seats, two seats or more")
    if len(np.unique(worlds)) < 2:
        raise ResultsError("ratings of fewer than 2 worlds have no interval; play more worlds")
    if seats.min() < 0 or seats.max() >= len(names):
        raise ResultsError(f"players lie in {seats.min()} … {seats.max()}; give 0 … {len(names) - 1}")
    if absent := [name for k, name in enumerate(names) if not (seats == k).any()]:
        raise ResultsError(f"policy {absent[0]!r} plays no game; play more worlds")
    if not np.isfinite(values).all():
        raise ResultsError("scores hold NaN or infinity; play the games again")
    return Matches(names, worlds, seats, values)


def _fit(order, weight, prior, tolerance, most, strength):
    """Improve ``strength`` float64 [K] in place until it fits best; return the iterations, or ``most`` + 1.

    ``order`` int64 [M, N] holds policies from first to last place, ``weight`` float64 [M] how often each ranking
    counts. One MM step sets γ_k to the places k took before the last, over Σ 1/Σγ of the stages k was still in. The
    games leave the scale of all γ together to the phantom, which would pull it in place slowly: a step of Newton's (at
    most a factor e) on that scale, Σ γ/(1 + γ) = K/2, follows each step.
    """
    games, seats = order.shape
    n = strength.shape[0]
    won = np.full(n, 0.5 * prior)
    for m in range(games):
        for place in range(seats - 1):
            won[order[m, place]] += weight[m]
    below = np.empty(n)
    for iteration in range(most):
        for k in range(n):
            below[k] = prior / (1.0 + strength[k])
        for m in range(games):
            if weight[m] == 0.0:
                continue
            left = 0.0
            for place in range(seats):
                left += strength[order[m, place]]
            stages = 0.0
            for place in range(seats):
                if place < seats - 1:
                    stages += weight[m] / left
                    left -= strength[order[m, place]]
                below[order[m, place]] += stages
        lacking, slope = 0.0, 0.0
        for k in range(n):
            chance = won[k] / (below[k] + won[k])
            lacking += 0.5 - chance
            slope += chance * (1.0 - chance)
        scale = np.exp(min(max(lacking / slope, -1.0), 1.0))
        moved = 0.0
        for k in range(n):
            new = scale * won[k] / below[k]
            moved = max(moved, abs(np.log(new / strength[k])))
            strength[k] = new
        if moved < tolerance:
            return iteration + 1
    return most + 1


fit = kernel(_fit)


class _Rankings(NamedTuple):
    """Every ranking that occurs, once, and how it is counted by game."""

    order: I64  # [U, N] policies from first to last place
    which: I64  # [2, G] the ranking of a game, with its ties in one order and in the reverse

    def weights(self, games: F64) -> F64:
        """Return how often each ranking counts, float64 [U], where game g counts ``games[g]`` times."""
        return np.asarray(np.bincount(self.which.ravel(), np.tile(EVEN * games, 2), len(self.order)), np.float64)


def _rankings(matches: Matches) -> _Rankings:
    places = np.broadcast_to(np.arange(matches.players.shape[1]), matches.players.shape)
    orders = [np.lexsort((way * places, -matches.scores), axis=1) for way in (1, -1)]
    ranked = [np.take_along_axis(matches.players, order, axis=1) for order in orders]
    unique, which = np.unique(np.concatenate(ranked), axis=0, return_inverse=True)
    return _Rankings(unique, which.reshape(2, -1))


def _log_strengths(order: I64, weight: F64, start: F64, prior: float) -> F64:
    """Return log γ float64 [K] of the best fit, begun at ``start`` (log γ)."""
    strength = np.exp(start)
    if fit(order, weight, prior, TOLERANCE, MOST_ITERATIONS, strength) > MOST_ITERATIONS:
        raise ResultsError(f"no fit of ratings in {MOST_ITERATIONS} iterations; play more worlds, or a larger prior")
    return np.log(strength)


def ratings(
    matches: Matches,
    anchor: str,
    *,
    prior: float = PRIOR_GAMES,
    draws: int = DRAWS,
    seed: int = SEED,
    level: float = LEVEL,
) -> pd.DataFrame:
    """Return each policy's rating in Elo over the anchor's, which is 0, best first.

    Columns: ``policy``, ``elo``, ``low``, ``high`` (worlds resampled), ``mean_rank`` (1 is first;
    ties share their ranks), ``games`` (seats played), ``group``: 1 for the policies that the results place above all
    others beyond comparison, and so on; in one group throughout, results alone identify every difference. No policy
    once did as well as one of a smaller group number; how much that makes is the prior's word. Where no chain of
    policies that once did as well as the next leads from the anchor to a policy, its ``high`` is ∞; where none leads
    back, its ``low`` is −∞. ``prior`` is in games, above 0.

    Raises:
        ResultsError: the anchor plays no game, two policies never met, directly or through others, the prior is not
            above 0, or fewer than one draw.
    """
    if anchor not in matches.policies:
        raise ResultsError(f"anchor={anchor!r} plays no game; choose one of {', '.join(matches.policies)}")
    if not (np.isfinite(prior) and prior > 0.0):
        raise ResultsError(f"prior={prior} games is not above 0; without one a policy that always wins has no rating")
    _check_connected(matches)
    base = matches.policies.index(anchor)
    rankings = _rankings(matches)
    once = rankings.weights(np.ones(len(matches.world_ids)))
    whole = _log_strengths(rankings.order, once, np.zeros(len(matches.policies)), prior)
    worlds, where = np.unique(matches.world_ids, return_inverse=True)
    counts = bootstrap_weights(len(worlds), draws, seed) * len(worlds)
    drawn = (rankings.weights(count[where]) for count in counts)
    found = np.stack([_log_strengths(rankings.order, weight, whole, prior) for weight in drawn])
    elo = ELO * (whole - whole[base])
    low, high = widened_interval(elo, ELO * (found - found[:, [base]]), len(worlds), level)
    reach = _reach(matches)
    low[~reach[:, base]], high[~reach[base]] = -np.inf, np.inf
    ranks = game_ranks(matches.scores)
    played = [matches.players == k for k in range(len(matches.policies))]
    table = pd.DataFrame(
        {
            "policy": matches.policies,
            "elo": elo,
            "low": low,
            "high": high,
            "mean_rank": [ranks[mine].mean() for mine in played],
            "games": [int(mine.sum()) for mine in played],
            "group": _groups(reach),
        }
    )
    return table.sort_values("elo", ascending=False, kind="stable", ignore_index=True)


def game_ranks(scores: ArrayLike) -> F64:
    """Return ranks in each game, float64 [G, N], of ``scores`` float [G, N]: 1 is the largest; ties share the mean."""
    table = np.asarray(scores, np.float64)
    above = (table[:, None, :] > table[:, :, None]).sum(2)
    level = (table[:, None, :] == table[:, :, None]).sum(2)
    return 1.0 + above + EVEN * (level - 1)


def _check_connected(matches: Matches) -> None:
    k, pairs = len(matches.policies), list(combinations(range(matches.players.shape[1]), 2))
    met = np.zeros((k, k), np.bool_)
    for a, b in pairs:
        met[matches.players[:, a], matches.players[:, b]] = True
    _, part = connected_components(met, directed=False)
    if (apart := np.flatnonzero(part != part[0])).size:
        x, y = matches.policies[0], matches.policies[int(apart[0])]
        raise ResultsError(
            f"field not connected: policies {x!r} and {y!r} never met, directly or through others; play more worlds"
        )


def _reach(matches: Matches) -> Bools:
    """Return bool [K, K], True where a chain leads from one policy to another, each once no worse than the next."""
    reach = np.eye(len(matches.policies), dtype=np.bool_)
    for a, b in permutations(range(matches.players.shape[1]), 2):
        no_worse = matches.scores[:, a] >= matches.scores[:, b]
        reach[matches.players[no_worse, a], matches.players[no_worse, b]] = True
    for k in range(len(reach)):
        reach |= reach[:, [k]] & reach[k]
    return reach


def _groups(reach: Bools) -> I64:
    """Return the group of each policy, int64 [K]: those that reach each other; none reaches a smaller number."""
    _, labels = np.unique(reach & reach.T, axis=0, return_inverse=True)
    labels = labels.ravel()
    first = np.array([int(np.flatnonzero(labels == label)[0]) for label in range(labels.max() + 1)])
    order = np.lexsort((first, -reach[first].sum(1)))
    place = np.empty(len(order), np.int64)
    place[order] = np.arange(1, len(order) + 1)
    return place[labels]


def payoffs(matches: Matches, *, draws: int = DRAWS, seed: int = SEED, level: float = LEVEL) -> pd.DataFrame:
    """Return one row an ordered pair of policies that met: how the first fared against the second.

    Columns: ``policy``, ``other``, ``meetings`` (pairs of seats in one game), ``worlds`` (in which they met), ``wins``
    (share of meetings with the larger score, ties ½) with ``low`` and ``high``, ``difference`` (mean score of the first
    less the second's, in units of the objective) with ``difference_low`` and ``difference_high``. Worlds are resampled;
    an interval from one world is open, and one from worlds that all agree :func:`share_interval`'s.
    """
    k = len(matches.policies)
    worlds, where = np.unique(matches.world_ids, return_inverse=True)
    met, won, gap = (np.zeros((len(worlds), k, k)) for _ in range(3))
    for a, b in permutations(range(matches.players.shape[1]), 2):
        at = (where, matches.players[:, a], matches.players[:, b])
        difference = matches.scores[:, a] - matches.scores[:, b]
        np.add.at(met, at, 1.0)
        np.add.at(won, at, EVEN + EVEN * np.sign(difference))
        np.add.at(gap, at, difference)
    weights = bootstrap_weights(len(worlds), draws, seed)
    rows: list[dict[str, object]] = []
    for i, j in permutations(range(k), 2):
        count = met[:, i, j]
        together = int((count > 0.0).sum())
        if not together:
            continue
        wins, low, high = _meeting_mean(won[:, i, j], count, weights, together, level)
        low, high = share_interval(wins, low, high, together, level)
        difference, gap_low, gap_high = _meeting_mean(gap[:, i, j], count, weights, together, level)
        rows.append(
            {
                "policy": matches.policies[i], "other": matches.policies[j], "meetings": int(count.sum()),
                "worlds": together, "wins": wins, "low": low, "high": high,
                "difference": difference, "difference_low": gap_low, "difference_high": gap_high,
            }
        )  # fmt: skip
    return pd.DataFrame(rows)


def _meeting_mean(total: F64, count: F64, weights: F64, together: int, level: float) -> tuple[F64, F64, F64]:
    """Return Σ total / Σ count over worlds, each float64 [W], with its interval; one world alone leaves it open."""
    value = np.asarray(total.sum() / count.sum())
    if together < 2:
        return value, np.asarray(-np.inf), np.asarray(np.inf)
    drawn = weights @ count
    some = drawn > 0.0  # a draw of worlds in which they never met says nothing of them
    return value, *widened_interval(value, (weights @ total)[some] / drawn[some], together, level)


def cycles(pairs: pd.DataFrame) -> list[tuple[str, str, str]]:
    """Return the triples (i, j, k) in which i beats j, j beats k and k beats i, each interval of ``wins`` above ½.

    ``pairs`` is the table of :func:`payoffs`. A triple is listed once, beginning with the policy that comes first in
    ``pairs``. The three intervals are each of their own level: among many policies a cycle may be chance.
    """
    sure = pairs[pairs["low"] > EVEN]
    beats = set(zip(sure["policy"], sure["other"], strict=True))
    names = list(dict.fromkeys(pairs["policy"]))
    found = []
    for i, j, k in combinations(names, 3):
        for a, b, c in ((i, j, k), (i, k, j)):
            if {(a, b), (b, c), (c, a)} <= beats:
                found.append((a, b, c))
    return found
