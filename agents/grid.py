"""The best fixed shares that a budget of experience finds: what a learner has to beat before it has learnt anything.

A grid of shares for the ``fixed`` policy is searched by successive halving (Karnin, Koren and Somekh, "Almost optimal
exploration in multi-armed bandits", ICML 2013): every candidate left plays the same new worlds, the worse half drops
out, and what remains of the budget is spread evenly over the rounds to come. Candidates that are left have played the
same worlds in every round, so all their games count, not those of the last round alone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from civsim.agents.evaluate import Report, focal_seats, play_games
from civsim.agents.registry import make_policy, seat_policies
from civsim.agents.simple import FixedParams, PhysicalMix, fixed_weights
from civsim.base.constants import COGNITIVE, PHYSICAL, Objective
from civsim.base.errors import ScenarioError
from civsim.base.scenario import Scenario
from civsim.engine.compiled import open_categories
from civsim.engine.state import F64, I64
from civsim.faces.actions import project_shares
from civsim.faces.seating import SeatChoice

COGNITION = (0.0, 0.02, 0.05, 0.1)
"""Shares of output spent on cognition that are tried."""

CONSUMPTION = (0.2, 0.35, 0.5, 0.65)
"""Shares of output consumed that are tried."""

MIXES: Mapping[str, PhysicalMix] = {
    "even": PhysicalMix(settlement=0.4, works=0.35, army=0.15, walls=0.1),
    "settle": PhysicalMix(settlement=0.75, works=0.15, army=0.05, walls=0.05),
    "build": PhysicalMix(settlement=0.3, works=0.6, army=0.05, walls=0.05),
    "grow": PhysicalMix(settlement=0.55, works=0.45),
    "arm": PhysicalMix(settlement=0.35, works=0.2, army=0.4, walls=0.05),
    "wall": PhysicalMix(settlement=0.35, works=0.25, army=0.05, walls=0.35),
}
"""Splits of the rest that are tried; the first is the split of the ``fixed`` policy's defaults."""

Params = Mapping[str, Any]
"""Parameters of the ``fixed`` policy, as :func:`civsim.agents.make_policy` and a scenario file take them."""

Play = Callable[[Sequence[Params], I64], F64]
"""Plays candidates on worlds (ids int64 [W], each candidate on all); returns objectives float64 [candidates, W]."""


class Trial(NamedTuple):
    """What a round of the search knew of one candidate when the round ended."""

    round: int  # from 0
    params: Params
    worlds: int  # worlds it has played in all rounds so far
    mean: float  # mean objective over them
    kept: bool  # whether it went on to the next round, or was chosen


class Search(NamedTuple):
    """The shares that were found, and how."""

    params: Params
    trials: tuple[Trial, ...]  # round by round, in the order of the grid
    games: int  # games of the focal seat that were played
    budget: int  # games that the turns allow


def candidates(scenario: Scenario) -> tuple[Params, ...]:
    """Return the grid for a scenario: every cognition, consumption and mix that it can play.

    What differs only in categories that the scenario closes is one candidate.

    Raises:
        ScenarioError: nothing in the grid spends on open categories alone.
    """
    opened = open_categories(scenario).astype(np.bool_)
    mixes = [mix.model_dump() for mix in MIXES.values()]
    able = [mix for mix in mixes if any(mix[c.name.lower()] > 0.0 and opened[c] for c in PHYSICAL)]
    thinks = any(opened[c] for c in COGNITIVE)
    found: dict[bytes, Params] = {}
    for cognition in COGNITION if thinks else (0.0,):
        for consumption in CONSUMPTION:
            for mix in able:
                params = {"cognition": cognition, "consumption": consumption, "physical": mix}
                weights = fixed_weights(FixedParams.model_validate(params), scenario)
                found.setdefault(project_shares(weights, opened).tobytes(), params)
    if not found:
        raise ScenarioError(f"scenario {scenario.name!r} closes all that the grid invests in; open settlement or works")
    return tuple(found.values())


def best_fixed(
    scenario: Scenario,
    turns: int,
    seed: int,
    *,
    grid: Sequence[Params] | None = None,
    seat: SeatChoice = "rotate",
    threads: int = 1,
    play: Play | None = None,
    report: Report | None = None,
) -> Search:
    """Return the best fixed shares that ``turns`` turns of one seat's experience find.

    Whole games are counted, also those in which the civilization dies early: ⌊turns / T⌋ games of T turns, and never
    more are played. Worlds are those that a training plays: ids from 0 up of the study seed, new ones each round,
    the same for all candidates of a round. Ties go to the earlier candidate. The same arguments give the same result.

    Args:
        scenario: the game; the other seats play what it names.
        turns: budget of experience (turns of the focal seat).
        seed: study seed of the worlds.
        grid: candidates; :func:`candidates` if left out.
        seat: the seat that is judged; "rotate" is the world id modulo the number of seats.
        threads: threads of the engine; no result depends on them.
        play: plays games instead of the engine.
        report: told of progress, in games.

    Raises:
        ScenarioError: the budget does not let every candidate play once, the grid is empty, or a candidate cannot be
            played in the scenario.
    """
    tried = candidates(scenario) if grid is None else tuple(grid)
    budget = turns // scenario.game.turns
    if not tried or budget < len(tried):
        raise ScenarioError(
            f"turns={turns} are {budget} games for {len(tried)} candidates; give at least one candidate and "
            f"{max(len(tried), 1) * scenario.game.turns} turns"
        )
    played = play or _player(scenario, seed, seat, threads, report)
    left, totals, trials = np.arange(len(tried)), np.zeros(len(tried)), []
    worlds = games = 0
    for number, rounds in enumerate(range(_rounds(len(tried)), 0, -1)):
        # Early rounds play a world at least, so that a small budget may end before the last.
        more = max((budget - games) // (rounds * len(left)), 1)
        if games + more * len(left) > budget:
            break
        ids = np.arange(worlds, worlds + more, dtype=np.int64)
        totals[left] += played([tried[place] for place in left], ids).sum(1)
        worlds, games = worlds + more, games + more * len(left)
        best = left[np.argsort(-totals[left], kind="stable")]
        kept = np.sort(best[: max(-(-len(left) // 2), 1)])
        trials += [
            Trial(number, tried[place], worlds, float(totals[place] / worlds), bool(place in kept)) for place in left
        ]
        left = kept
    chosen = left[np.argmax(totals[left])]
    return Search(tried[chosen], tuple(trials), games, budget)


def _rounds(count: int) -> int:
    """Return how many halvings leave one of ``count`` candidates; one round where there is but one."""
    return max((count - 1).bit_length(), 1)


def _player(scenario: Scenario, seed: int, seat: SeatChoice, threads: int, report: Report | None) -> Play:
    named = seat_policies(scenario).policies
    objective = Objective[scenario.game.objective.upper()]

    def play(group: Sequence[Params], world_ids: I64) -> F64:
        ids, own = np.tile(world_ids, len(group)), np.repeat(np.arange(len(group)), len(world_ids))
        rows, seats = np.arange(len(ids)), focal_seats(scenario, ids, seat)
        players = np.tile(np.arange(len(named)), (len(ids), 1))
        players[rows, seats] = len(named) + own
        policies = [*named, *(make_policy("fixed", params, scenario) for params in group)]
        games = play_games(scenario, policies, players, ids, seed, threads=threads, report=report)
        return games.utility[rows, seats, objective].reshape(len(group), len(world_ids))

    return play
