"""The games that ``civsim bench`` times: decisions of living civilizations per second and core, with every rule on.

Only stepping is timed (land is drawn and kernels are compiled before), on one thread, and each number is the median of
at least :data:`MIN_REPEATS` timings. A *decision* is one turn of one civilization that is alive when the turn begins.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Sequence
from typing import Any, NamedTuple

from civsim.base.constants import CHANNEL_NAMES
from civsim.base.errors import CivsimError
from civsim.base.scenario import Scenario

MIN_REPEATS = 5
"""Fewest timings behind a median."""

TURNS = 150
SIDE, CIVILIZATIONS = 16, 4
LEVEL_OF_MIND = 1
"""Level of mind of every case that does not name another: what a scenario has that says nothing of it."""

Levels = tuple[int, int, int]

SHARES = (0.30, 0.25, 0.15, 0.08, 0.04, 0.08, 0.06, 0.04)
"""Shares of every seat in every turn, in the order of the categories; all eight are open."""

EVERY_RULE: dict[str, Any] = {
    "name": "every-rule",
    "description": "every rule and option that costs time is on",
    "map": {"width": 16, "height": 16, "ridge_height": 0.8, "volatility": 0.02, "hazard": 0.01},
    "game": {"civilizations": 4, "turns": TURNS},
    "works": {"menu": [{"gain": 0.25, "cost": 5.0, "maturity": 4}, {"gain": 0.6, "cost": 12.0, "maturity": 12}]},
    "raiders": {"rate": 0.15},
    "tribute": {"prize": 4.0},
    "thinking": {"noise": 0.3, "belief": "optimistic"},
}
"""The scenario that is timed: 16 × 16 cells, 4 civilizations, disasters, volatile sites, raiders, ridges, war,
tribute, two kinds of work, optimistic beliefs and a wrong model. Levels are exogenous."""


MESSENGER = 4.0
"""Cells a turn at which messengers run between seats of thought, where there are several."""


class Case(NamedTuple):
    """What is timed: the scenario at exogenous levels, and how many worlds are stepped by how many threads."""

    levels: Levels  # h, r, k of every seat
    worlds: int
    side: int = SIDE
    civilizations: int = CIVILIZATIONS
    mind: int = LEVEL_OF_MIND  # level of mind of every seat
    thought: int = 1  # most seats of thought of every civilization
    threads: int = 1


class Timing(NamedTuple):
    """One timed case: medians over its repeats."""

    side: int
    civilizations: int
    levels: Levels
    mind: int
    thought: int
    threads: int
    worlds: int
    repeats: int
    decisions: int  # turns of living civilizations in one repeat
    per_second: float  # decisions per second of wall time
    per_cpu_second: float  # decisions per second of processor time, all threads
    microseconds: float  # wall time of one decision
    over_first: float  # processor time of a decision over that of the first case timed with it, same repeat
    plans: float  # planning runs per decision
    occupancy: float  # mean share of cells owned
    occupancy_end: float  # share of cells owned when the game ends
    alive_end: float  # share of civilizations alive when the game ends


class _Game(NamedTuple):
    wall: float
    cpu: float
    decisions: int
    plans: int
    occupancy: float
    occupancy_end: float
    alive_end: float


def bench_scenario(
    levels: Levels,
    side: int = SIDE,
    civilizations: int = CIVILIZATIONS,
    turns: int = TURNS,
    mind: int = LEVEL_OF_MIND,
    thought: int = 1,
) -> Scenario:
    """Return the scenario of :data:`EVERY_RULE` with every seat at exogenous levels (h, r, k).

    Args:
        levels: h, r, k.
        side: cells along either side of the map.
        civilizations: how many play.
        turns: length of the game.
        mind: level of mind of every seat.
        thought: most seats of thought of every civilization; their messengers run :data:`MESSENGER` cells a turn.
    """
    tables = dict(EVERY_RULE)
    tables["map"] = {**EVERY_RULE["map"], "width": side, "height": side}
    tables["game"] = {**EVERY_RULE["game"], "civilizations": civilizations, "turns": turns}
    tables["seat_default"] = {"levels": dict(zip(CHANNEL_NAMES, levels, strict=True))}
    tables["thinking"] = {**EVERY_RULE["thinking"], "levels_of_mind": mind}
    if thought > 1:
        tables["thinking"]["seats"] = {"count": thought, "messenger": MESSENGER}
    return Scenario.model_validate(tables)


def play(scenario: Scenario, worlds: int, seed: int, threads: int) -> _Game:
    """Play whole games and time the steps alone; the counting between steps is not timed."""
    import numpy as np

    from civsim.engine.world import World

    world = World(scenario, n_worlds=worlds, seed=seed, threads=threads)
    shares = np.broadcast_to(np.array(SHARES), (worlds, scenario.game.civilizations, len(SHARES))).copy()
    wall = cpu = 0.0
    decisions = 0
    owned: list[float] = []
    for _ in range(scenario.game.turns):
        decisions += int(world.state.alive.sum())
        cpu_start, start = time.process_time(), time.perf_counter()
        world.step(shares)
        wall += time.perf_counter() - start
        cpu += time.process_time() - cpu_start
        owned.append(float((world.state.owner >= 0).mean()))
    alive = float(world.state.alive.mean())
    return _Game(wall, cpu, decisions, int(world.state.plans.sum()), statistics.fmean(owned), owned[-1], alive)


def time_together(cases: Sequence[Case], repeats: int = MIN_REPEATS, turns: int = TURNS) -> list[Timing]:
    """Return the timings of cases that are played in turn within each repeat, so that load falls on all of them.

    Repeat i plays the worlds of study seed i.

    Raises:
        CivsimError: fewer than :data:`MIN_REPEATS` repeats.
    """
    if repeats < MIN_REPEATS:
        raise CivsimError(f"repeats={repeats} is below {MIN_REPEATS}; a median needs at least that many timings")
    scenarios = [bench_scenario(c.levels, c.side, c.civilizations, turns, c.mind, c.thought) for c in cases]
    rounds = [
        [play(scenario, case.worlds, seed, case.threads) for scenario, case in zip(scenarios, cases, strict=True)]
        for seed in range(repeats)
    ]
    firsts = [games[0] for games in rounds]
    return [_summary(case, games, firsts) for case, games in zip(cases, zip(*rounds, strict=True), strict=True)]


def time_case(case: Case, repeats: int = MIN_REPEATS, turns: int = TURNS) -> Timing:
    """Return the timing of one case alone; see :func:`time_together`."""
    return time_together([case], repeats, turns)[0]


def _cost(game: _Game) -> float:
    return max(game.cpu, 1e-9) / game.decisions


def _summary(case: Case, games: Sequence[_Game], firsts: Sequence[_Game]) -> Timing:
    speed = statistics.median(game.decisions / game.wall for game in games)
    return Timing(
        side=case.side,
        civilizations=case.civilizations,
        levels=case.levels,
        mind=case.mind,
        thought=case.thought,
        threads=case.threads,
        worlds=case.worlds,
        repeats=len(games),
        decisions=round(statistics.median(game.decisions for game in games)),
        per_second=speed,
        per_cpu_second=statistics.median(1.0 / _cost(game) for game in games),
        microseconds=1e6 / speed,
        over_first=statistics.median(_cost(own) / _cost(first) for own, first in zip(games, firsts, strict=True)),
        plans=statistics.median(game.plans / game.decisions for game in games),
        occupancy=statistics.median(game.occupancy for game in games),
        occupancy_end=statistics.median(game.occupancy_end for game in games),
        alive_end=statistics.median(game.alive_end for game in games),
    )


def time_threads(levels: Levels, worlds: int, repeats: int = MIN_REPEATS) -> dict[str, float]:
    """Return how two threads compare with one on the same worlds; runs alternate, so that load falls on both.

    Keys: ``ratio`` (median wall time of one thread over two, same repeat), ``cpu_ratio`` (processor time of two
    threads over their wall time: 2 where both work, 1 where the loop does not run in parallel), ``wall_1``,
    ``wall_2``, ``cpu_1``, ``cpu_2`` (medians, seconds).
    """
    scenario = bench_scenario(levels)
    pairs = [(play(scenario, worlds, seed, 1), play(scenario, worlds, seed, 2)) for seed in range(repeats)]
    medians = {
        f"{name}_{threads}": statistics.median(getattr(pair[threads - 1], name) for pair in pairs)
        for threads in (1, 2)
        for name in ("wall", "cpu")
    }
    return {
        "ratio": statistics.median(one.wall / two.wall for one, two in pairs),
        "cpu_ratio": statistics.median(two.cpu / two.wall for _, two in pairs),
        **medians,
    }


HEADER = (
    f"{'side':>5}{'civs':>5}{'h':>4}{'r':>3}{'k':>3}{'mind':>5}{'seats':>6}{'threads':>8}{'worlds':>7}{'decisions/s':>13}"
    f"{'per cpu-s':>11}{'µs each':>9}{'plans':>7}{'map held':>9}{'at end':>7}{'alive':>6}"
)


def row(timing: Timing) -> str:
    """Return one timing as a line under :data:`HEADER`."""
    h, r, k = timing.levels
    return (
        f"{timing.side:>5}{timing.civilizations:>5}{h:>4}{r:>3}{k:>3}{timing.mind:>5}{timing.thought:>6}"
        f"{timing.threads:>8}{timing.worlds:>7}"
        f"{timing.per_second:>13,.0f}{timing.per_cpu_second:>11,.0f}{timing.microseconds:>9.1f}{timing.plans:>7.2f}"
        f"{timing.occupancy:>9.2f}{timing.occupancy_end:>7.2f}{timing.alive_end:>6.2f}"
    )
