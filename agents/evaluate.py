"""Evaluate a policy against others on the same worlds: only the focal seat's policy is swapped."""

from __future__ import annotations

import csv
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from civsim.agents.policy import Policy, seat_policies
from civsim.base.config import Scenario
from civsim.base.constants import N_CATEGORIES, N_OBJECTIVES, Category, Objective
from civsim.base.errors import CheckpointError
from civsim.engine.state import F64, I64
from civsim.engine.world import World
from civsim.faces.gymnasium import SeatChoice, seat_of_world

HELD_OUT_FIRST = 2**31
"""Worlds from this id on are never trained on."""

FEWEST_WORLDS = 2
"""An interval needs more than one world: one world resampled is always itself."""

RESAMPLES = 10_000
CONFIDENCE = 0.95
CHUNK = 128
"""Worlds played at once; no result depends on it."""


class Outcomes(NamedTuple):
    """How the focal seat fared, one row a world."""

    utility: F64  # [worlds, 4] objectives at T, by Objective
    spent: F64  # [worlds, 8] spending over the game by Category (output)


class Comparison(NamedTuple):
    """The policy against another on the same worlds, in units of the scenario's objective."""

    opponent: str
    worlds: int
    mean: float  # the policy's
    other: float  # the other's
    difference: float  # mean paired difference
    low: float  # of its bootstrap interval
    high: float
    better: float  # share of worlds in which the policy did better


def outcomes(
    scenario: Scenario,
    policy: Policy,
    world_ids: Sequence[int] | I64,
    seed: int,
    seat: SeatChoice = "rotate",
    threads: int = 1,
) -> Outcomes:
    """Return how the focal seat fared in each world, in the order of ``world_ids``.

    The focal seat plays ``policy``, the others what the scenario names; where ``seat`` is "rotate" the focal seat is
    the world id modulo the number of seats.
    """
    ids = np.asarray(world_ids, np.int64)
    n = scenario.game.civilizations
    seats = np.array([seat_of_world(seat, int(world_id), n) for world_id in ids], np.int64)
    result = Outcomes(np.zeros((len(ids), N_OBJECTIVES)), np.zeros((len(ids), N_CATEGORIES)))
    for focal in np.unique(seats):
        players = seat_policies(scenario, {int(focal): policy})
        places = np.flatnonzero(seats == focal)
        for start in range(0, len(places), CHUNK):
            rows = places[start : start + CHUNK]
            world = World(scenario, seed=seed, world_ids=ids[rows].tolist(), threads=threads)
            while not world.done.all():
                world.step(players.shares(world))
            result.utility[rows] = world.state.utility[:, focal]
            result.spent[rows] = world.state.spent[:, focal]
    return result


def bootstrap_interval(values: F64, seed: int, resamples: int = RESAMPLES) -> tuple[float, float]:
    """Return the 95 % percentile bootstrap interval of the mean of ``values``, float64 [n], one a world.

    Whole worlds are resampled (Efron and Tibshirani 1993, chapter 13).

    Raises:
        CheckpointError: fewer values than an interval needs.
    """
    if len(values) < FEWEST_WORLDS:
        raise CheckpointError(f"{len(values)} worlds are too few for an interval; give at least {FEWEST_WORLDS}")
    generator = np.random.default_rng(seed)
    means = np.empty(resamples)
    for k in range(resamples):
        means[k] = values[generator.integers(0, len(values), len(values))].mean()
    tail = (1.0 - CONFIDENCE) / 2.0
    low, high = np.quantile(means, [tail, 1.0 - tail])
    return float(low), float(high)


def compare(name: str, own: F64, other: F64, seed: int) -> Comparison:
    """Return the paired comparison of two policies' outcomes on the same worlds, float64 [n] each."""
    difference = own - other
    low, high = bootstrap_interval(difference, seed)
    return Comparison(
        opponent=name,
        worlds=len(own),
        mean=float(own.mean()),
        other=float(other.mean()),
        difference=float(difference.mean()),
        low=low,
        high=high,
        better=float((difference > 0.0).mean()),
    )


def evaluate(
    scenario: Scenario,
    policy: Policy,
    opponents: dict[str, Policy],
    *,
    worlds: int,
    seed: int = 0,
    seat: SeatChoice = "rotate",
    threads: int = 1,
    progress: Callable[[str], None] | None = None,
) -> tuple[list[Comparison], dict[str, Outcomes]]:
    """Play ``worlds`` held-out worlds with the policy and with each opponent in the focal seat.

    Returns:
        the comparisons in the order of ``opponents``, and every policy's outcomes, the evaluated one's as "trained".

    Raises:
        CheckpointError: ``worlds`` is too few for an interval.
    """
    if worlds < FEWEST_WORLDS:
        raise CheckpointError(f"worlds={worlds} is too few for an interval; give at least {FEWEST_WORLDS}")
    ids = held_out(worlds)
    objective = int(Objective[scenario.game.objective.upper()])
    results: dict[str, Outcomes] = {}
    for name, player in {"trained": policy, **opponents}.items():
        if progress is not None:
            progress(name)
        results[name] = outcomes(scenario, player, ids, seed, seat, threads)
    own = results["trained"].utility[:, objective]
    return [compare(name, own, results[name].utility[:, objective], seed) for name in opponents], results


def held_out(worlds: int) -> I64:
    """Return the ids of the held-out worlds, int64 [worlds]."""
    return HELD_OUT_FIRST + np.arange(worlds, dtype=np.int64)


def spending_shares(outcomes_: Outcomes) -> dict[str, float]:
    """Return the share of all spending, over all worlds, that went to each category."""
    total = outcomes_.spent.sum()
    shares = outcomes_.spent.sum(axis=0) / total if total > 0.0 else np.zeros(N_CATEGORIES)
    return {category.name.lower(): float(shares[category]) for category in Category}


def write_outcomes(
    path: Path, results: dict[str, Outcomes], world_ids: NDArray[np.int64], seats: Sequence[int]
) -> None:
    """Write a CSV with one row for each policy and world: policy, world_id, seat, objectives, spending by category."""
    goals = [goal.name.lower() for goal in Objective]
    spending = [f"spent_{category.name.lower()}" for category in Category]
    with path.open("w", encoding="utf-8", newline="") as handle:
        writer = csv.writer(handle, lineterminator="\n")
        writer.writerow(["policy", "world_id", "seat", *goals, *spending])
        for name, (utility, spent) in results.items():
            for world_id, seat, *row in zip(world_ids, seats, utility, spent, strict=True):
                numbers = (repr(float(value)) for value in np.concatenate(row))
                writer.writerow([name, int(world_id), seat, *numbers])
