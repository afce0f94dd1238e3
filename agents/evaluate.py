"""Play policies on worlds that no training meets. It only plays: intervals are :mod:`civsim.analysis`'s.

Which world ids are trained on, chosen by and held out is divided once and for all: :mod:`civsim.faces.splits`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from civsim.agents.policy import Policy, PolicyContext
from civsim.agents.registry import seat_policies
from civsim.base.constants import N_CATEGORIES, N_OBJECTIVES, Draw, Objective
from civsim.base.errors import ScenarioError
from civsim.base.randomness import as_key, uniform
from civsim.base.scenario import Scenario
from civsim.engine.observation.observer import Observation, observer_of
from civsim.engine.state import F32, F64, I64
from civsim.engine.world import World
from civsim.faces.seating import SeatChoice, seat_of_world
from civsim.faces.splits import HELD_OUT_FIRST as HELD_OUT_FIRST
from civsim.faces.splits import VALIDATION_FIRST as VALIDATION_FIRST

CHUNK = 128
"""Games played at once; no result depends on it."""

Report = Callable[[int], None]
"""Called with the number of games just finished."""


class Games(NamedTuple):
    """How every seat fared in G games of N seats."""

    utility: F64  # [G, N, 4] objectives at T, by Objective
    spent: F64  # [G, N, 8] spending over the game by Category (output)


class Outcomes(NamedTuple):
    """How the focal seat fared, one row a world."""

    utility: F64  # [worlds, 4] objectives at T, by Objective
    spent: F64  # [worlds, 8] spending over the game by Category (output)


class Tournament(NamedTuple):
    """The games of a tournament: W worlds, each played N times, its N players moving on by a seat each time."""

    world_ids: I64  # [G] G = W · N
    turned: I64  # [G] how many seats the players have moved on, 0 … N − 1
    players: I64  # [G, N] which policy played a seat, by its place among those given
    objective: F64  # [G, N] the scenario's recorded objective
    games: Games  # every objective, and spending


def held_out(worlds: int) -> I64:
    """Return the ids of the first ``worlds`` held-out worlds, int64 [worlds].

    Raises:
        ScenarioError: fewer than one world.
    """
    return HELD_OUT_FIRST + _counted(worlds)


def validation(worlds: int) -> I64:
    """Return the ids of the first ``worlds`` worlds for evaluations that something is chosen by, int64 [worlds].

    Raises:
        ScenarioError: fewer than one world.
    """
    return VALIDATION_FIRST + _counted(worlds)


def _counted(worlds: int) -> I64:
    if not 1 <= worlds <= VALIDATION_FIRST:
        raise ScenarioError(f"worlds={worlds} is outside 1 … {VALIDATION_FIRST}; give a number of worlds in between")
    return np.arange(worlds, dtype=np.int64)


def play_games(
    scenario: Scenario,
    policies: Sequence[Policy],
    players: I64,
    world_ids: Sequence[int] | I64,
    seed: int,
    *,
    threads: int = 1,
    report: Report | None = None,
) -> Games:
    """Play games in which any policy may take any seat, each to its end.

    Args:
        scenario: the game.
        policies: who plays.
        players: int64 [G, N], the place in ``policies`` of who plays each seat of each game.
        world_ids: the world of each game, [G]; a world may be played more than once.
        seed: study seed.
        threads: threads of the engine; no result depends on them.
        report: told of progress.

    Raises:
        ScenarioError: ``players`` is not [G, N], or names a policy that is not there; or as :class:`World`.
    """
    ids, n = np.asarray(world_ids, np.int64), scenario.game.civilizations
    if players.shape != (len(ids), n) or (players.size and not 0 <= players.min() <= players.max() < len(policies)):
        raise ScenarioError(
            f"players {players.shape} of {len(policies)} policies do not fit {len(ids)} games of {n} seats; "
            f"give one place in the list of policies for each game and seat"
        )
    places = {id(policy): place for place, policy in reversed(list(enumerate(policies)))}
    who = np.array([places[id(policy)] for policy in policies], np.int64)[players]
    result = Games(np.zeros((len(ids), n, N_OBJECTIVES)), np.zeros((len(ids), n, N_CATEGORIES)))
    for start in range(0, len(ids), CHUNK):
        rows = slice(start, start + CHUNK)
        world = World(scenario, seed=seed, world_ids=ids[rows], threads=threads)
        groups = _groups(who[rows])
        while not world.done.all():
            world.step(_shares(world, policies, groups))
        result.utility[rows] = world.state.utility
        result.spent[rows] = world.state.spent
        if report is not None:
            report(world.n_worlds)
    return result


_Group = tuple[int, int, I64]
"""A policy, a seat it plays, and the rows of the batch in which it does."""


def _groups(who: I64) -> list[_Group]:
    pairs = [(int(policy), seat) for seat in range(who.shape[1]) for policy in np.unique(who[:, seat])]
    return [(policy, seat, np.flatnonzero(who[:, seat] == policy)) for policy, seat in pairs]


def _shares(world: World, policies: Sequence[Policy], groups: Sequence[_Group]) -> F32:
    """Return every seat's shares, float32 [B, N, 8], each from the policy that plays it in that world."""
    shares = np.zeros((world.n_worlds, world.n_civilizations, N_CATEGORIES), np.float32)
    observer, state = observer_of(world), world.state
    for place, seat, rows in groups:
        policy, observation = policies[place], None
        if policy.needs_observation:
            features = observer.rows(state, rows, np.full(len(rows), seat))
            observation = Observation(features[:, None, :], observer.open.copy())
        context = PolicyContext(
            world.scenario, world.seed, state.world_id[rows], state.turn[rows], (seat,), observer.open
        )
        shares[rows, seat] = policy(observation, context)[:, 0]
    return shares


def focal_seats(scenario: Scenario, world_ids: Sequence[int] | I64, seat: SeatChoice = "rotate") -> I64:
    """Return the focal seat of each world, int64 [worlds]: ``seat``, or the world id modulo the number of seats."""
    n = scenario.game.civilizations
    return np.array([seat_of_world(seat, int(world_id), n) for world_id in np.asarray(world_ids, np.int64)], np.int64)


def outcomes(
    scenario: Scenario,
    policy: Policy,
    world_ids: Sequence[int] | I64,
    seed: int,
    seat: SeatChoice = "rotate",
    threads: int = 1,
    report: Report | None = None,
) -> Outcomes:
    """Return how the focal seat fared in each world, in the order of ``world_ids``.

    The focal seat plays ``policy``, the others what the scenario names; where ``seat`` is "rotate" the focal seat is
    the world id modulo the number of seats.
    """
    ids = np.asarray(world_ids, np.int64)
    rows, seats = np.arange(len(ids)), focal_seats(scenario, ids, seat)
    named = seat_policies(scenario).policies
    players = np.tile(np.arange(len(named)), (len(ids), 1))
    players[rows, seats] = len(named)
    games = play_games(scenario, (*named, policy), players, ids, seed, threads=threads, report=report)
    return Outcomes(games.utility[rows, seats], games.spent[rows, seats])


def line_ups(n_policies: int, n_seats: int, world_ids: Sequence[int] | I64, seed: int) -> I64:
    """Return which policies meet in each world, int64 [W, n_seats] with values 0 … n_policies − 1.

    Where there are more seats than policies each plays as many as go round, and some one more. Places are filled one
    after another: by a policy that has played least; among those by the one that has met those already in it least;
    among those by a keyed draw. So no policy plays more than one place more than another, and every pair meets nearly
    equally often; see the tests for how nearly. The seats within a world are keyed too. A line-up depends on the
    worlds before it in the list, so the first worlds of a longer list have the same.
    """
    key, played = as_key(seed), np.zeros(n_policies, np.int64)
    met = np.zeros((n_policies, n_policies), np.int64)
    chosen = np.empty((len(world_ids), n_seats), np.int64)
    rounds, extra = divmod(n_seats, n_policies)
    for row, world_id in enumerate(world_ids):
        count = np.full(n_policies, rounds)
        for place in range(extra):
            free = np.flatnonzero(count == rounds)
            draws = [uniform(key, world_id, place, k, Draw.DESIGN) for k in free]
            order = np.lexsort((draws, met[free] @ count, played[free]))
            pick = free[order[0]]
            count[pick] += 1
            played[pick] += 1
        met += np.outer(count, count)
        drawn = [uniform(key, world_id, n_seats, place, Draw.DESIGN) for place in range(n_seats)]
        chosen[row] = np.repeat(np.arange(n_policies), count)[np.argsort(drawn)]
    return chosen


def tournament_games(
    scenario: Scenario,
    policies: Sequence[Policy],
    world_ids: Sequence[int] | I64,
    seed: int,
    *,
    threads: int = 1,
    report: Report | None = None,
) -> Tournament:
    """Play a tournament: in every world the N seats go to policies of the field, as :func:`line_ups` has it.

    Each world is played N times, its players moving on by one seat each time: every one of them plays every seat of
    that land once, so that what a seat is worth drops out of every comparison within a world. The policies that the
    scenario names do not play.

    Raises:
        ScenarioError: fewer than two policies or two seats, or as :class:`World`.
    """
    n, ids = scenario.game.civilizations, np.asarray(world_ids, np.int64)
    if len(policies) < 2:
        raise ScenarioError(f"policies={len(policies)} make no tournament; give at least two")
    if n < 2:
        raise ScenarioError(f"civilizations={n} make no tournament; take a scenario with at least two")
    line_up = line_ups(len(policies), n, ids, seed)
    turned = np.tile(np.arange(n), len(ids))
    places = (np.arange(n)[None, :] + turned[:, None]) % n
    players = np.take_along_axis(np.repeat(line_up, n, axis=0), places, axis=1)
    games = play_games(scenario, policies, players, np.repeat(ids, n), seed, threads=threads, report=report)
    objective = games.utility[:, :, Objective[scenario.game.objective.upper()]]
    return Tournament(np.repeat(ids, n), turned, players, objective, games)
