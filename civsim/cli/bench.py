"""How fast the engine is: decisions of living civilizations per second and core, with every rule on; and learning.

``civsim bench`` calls :func:`bench`. Only stepping is timed (land is drawn and kernels are compiled before), on one
thread, and each number is the median of at least :data:`MIN_REPEATS` timings. A *decision* is one turn of one
civilization that is alive when the turn begins. Learning is timed by :mod:`civsim.cli.bench_training`.
"""

from __future__ import annotations

import importlib.metadata
import json
import os
import platform
import statistics
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from civsim.base.constants import CHANNEL_NAMES, RULES_VERSION
from civsim.base.errors import CivsimError
from civsim.base.scenario import Scenario

MIN_REPEATS = 5
"""Fewest timings behind a median."""

TARGETS = {(0, 1, 2): 555_000.0, (8, 4, 6): 10_000.0}
"""Decisions per second and core to reach at levels (h, r, k), on the world of :data:`EVERY_RULE`."""

THREAD_TARGET = 1.8
"""Speed of two threads over one to reach."""

THREAD_WORLDS = {(0, 1, 2): 1024, (8, 4, 6): 64}
"""Levels of that comparison, and worlds at each: enough that two halves of the batch cost about
the same, and that a step lasts far longer than it takes to wake a thread (a tenth of a millisecond here)."""

TURNS = 150
SIDES = (8, 16, 20, 32, 64)
CIVILIZATIONS = (2, 4, 8)
HORIZONS = (0, 1, 2, 4, 8, 16, 32, 64)
SWEEP_SIGHT, SWEEP_ATTENTION = 4, 6

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


class Timing(NamedTuple):
    """One timed case: medians over its repeats."""

    side: int
    civilizations: int
    levels: tuple[int, int, int]  # h, r, k of every seat
    threads: int
    worlds: int
    repeats: int
    decisions: int  # turns of living civilizations in one repeat
    per_second: float  # decisions per second of wall time
    per_cpu_second: float  # decisions per second of processor time, all threads
    microseconds: float  # wall time of one decision
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
    levels: tuple[int, int, int], side: int = 16, civilizations: int = 4, turns: int = TURNS
) -> Scenario:
    """Return the scenario of :data:`EVERY_RULE` with every seat at exogenous levels (h, r, k)."""
    tables = dict(EVERY_RULE)
    tables["map"] = {**EVERY_RULE["map"], "width": side, "height": side}
    tables["game"] = {**EVERY_RULE["game"], "civilizations": civilizations, "turns": turns}
    tables["seat_default"] = {"levels": dict(zip(CHANNEL_NAMES, levels, strict=True))}
    return Scenario.model_validate(tables)


def _play(scenario: Scenario, worlds: int, seed: int, threads: int) -> _Game:
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


def time_case(
    levels: tuple[int, int, int],
    *,
    side: int = 16,
    civilizations: int = 4,
    worlds: int = 16,
    repeats: int = MIN_REPEATS,
    threads: int = 1,
    turns: int = TURNS,
) -> Timing:
    """Return the timing of one case; repeat i plays the worlds of study seed i.

    Raises:
        CivsimError: fewer than :data:`MIN_REPEATS` repeats.
    """
    if repeats < MIN_REPEATS:
        raise CivsimError(f"repeats={repeats} is below {MIN_REPEATS}; a median needs at least that many timings")
    scenario = bench_scenario(levels, side, civilizations, turns)
    games = [_play(scenario, worlds, seed, threads) for seed in range(repeats)]
    return _summary(games, (levels, side, civilizations, worlds, threads))


def _summary(games: Sequence[_Game], case: tuple[tuple[int, int, int], int, int, int, int]) -> Timing:
    levels, side, civilizations, worlds, threads = case
    speed = statistics.median(game.decisions / game.wall for game in games)
    return Timing(
        side=side,
        civilizations=civilizations,
        levels=levels,
        threads=threads,
        worlds=worlds,
        repeats=len(games),
        decisions=round(statistics.median(game.decisions for game in games)),
        per_second=speed,
        per_cpu_second=statistics.median(game.decisions / max(game.cpu, 1e-9) for game in games),
        microseconds=1e6 / speed,
        plans=statistics.median(game.plans / game.decisions for game in games),
        occupancy=statistics.median(game.occupancy for game in games),
        occupancy_end=statistics.median(game.occupancy_end for game in games),
        alive_end=statistics.median(game.alive_end for game in games),
    )


def time_threads(levels: tuple[int, int, int], worlds: int, repeats: int = MIN_REPEATS) -> dict[str, float]:
    """Return how two threads compare with one on the same worlds; runs alternate, so that load falls on both.

    Keys: ``ratio`` (median wall time of one thread over two, same repeat), ``cpu_ratio`` (processor time of two
    threads over their wall time: 2 where both work, 1 where the loop does not run in parallel), ``wall_1``,
    ``wall_2``, ``cpu_1``, ``cpu_2`` (medians, seconds).
    """
    scenario = bench_scenario(levels)
    pairs = [(_play(scenario, worlds, seed, 1), _play(scenario, worlds, seed, 2)) for seed in range(repeats)]
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


def machine() -> dict[str, Any]:
    """Return what the numbers were measured on: processor, cores, load, versions."""
    cpuinfo = Path("/proc/cpuinfo")
    models = (
        [line.split(":", 1)[1].strip() for line in cpuinfo.read_text().splitlines() if line.startswith("model name")]
        if cpuinfo.is_file()
        else []
    )
    return {
        "processor": models[0] if models else platform.processor() or platform.machine(),
        "cores": os.cpu_count(),
        "cores_usable": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "load_average": list(os.getloadavg()) if hasattr(os, "getloadavg") else [],
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "numpy": importlib.metadata.version("numpy"),
        "numba": importlib.metadata.version("numba"),
        "civsim": importlib.metadata.version("civsim"),
        "rules": RULES_VERSION,
    }


def _worlds(levels: tuple[int, int, int], quick: bool) -> int:
    """Return how many worlds make one timing last about a second: planners cost more the further they look."""
    horizon = levels[0]
    full = 128 if horizon == 0 else 32 if horizon <= SWEEP_SIGHT else 16 if horizon <= 16 else 4
    return max(2, full // 4) if quick else full


def _sweeps(repeats: int, report: Callable[[Timing], None]) -> dict[str, list[Timing]]:
    """Time the growth of cost with the map's side, with civilizations, with both and with the horizon."""
    low, high = (0, 1, 2), (8, SWEEP_SIGHT, SWEEP_ATTENTION)
    tables: dict[str, list[Timing]] = {"side": [], "civilizations": [], "crowded": [], "horizon": []}
    cases: list[tuple[str, tuple[int, int, int], int, int]] = [
        *(("side", levels, side, 4) for levels in (low, high) for side in SIDES),
        *(("civilizations", levels, 16, count) for levels in (low, high) for count in CIVILIZATIONS),
        *(("crowded", levels, 32, 8) for levels in (low, high)),
        *(("horizon", (h, SWEEP_SIGHT, SWEEP_ATTENTION), 16, 4) for h in HORIZONS),
    ]
    for name, levels, side, count in cases:
        worlds = max(2, _worlds(levels, quick=True) // (2 if side > 16 else 1))
        timing = time_case(levels, side=side, civilizations=count, worlds=worlds, repeats=repeats)
        tables[name].append(timing)
        report(timing)
    return tables


HEADER = (
    f"{'side':>5}{'civs':>5}{'h':>4}{'r':>3}{'k':>3}{'threads':>8}{'worlds':>7}{'decisions/s':>13}{'per cpu-s':>11}"
    f"{'µs each':>9}{'plans':>7}{'map held':>9}{'at end':>7}{'alive':>6}"
)


def row(timing: Timing) -> str:
    """Return one timing as a line under :data:`HEADER`."""
    h, r, k = timing.levels
    return (
        f"{timing.side:>5}{timing.civilizations:>5}{h:>4}{r:>3}{k:>3}{timing.threads:>8}{timing.worlds:>7}"
        f"{timing.per_second:>13,.0f}{timing.per_cpu_second:>11,.0f}{timing.microseconds:>9.1f}{timing.plans:>7.2f}"
        f"{timing.occupancy:>9.2f}{timing.occupancy_end:>7.2f}{timing.alive_end:>6.2f}"
    )


def _targets(headline: Sequence[Timing], threads: dict[str, dict[str, float]]) -> list[dict[str, Any]]:
    """Return each target with what was measured and whether it was met."""
    rows = [
        {
            "what": "decisions per second and core at (h, r, k) = ({}, {}, {})".format(*timing.levels),
            "target": TARGETS[timing.levels],
            "measured": timing.per_second,
            "met": timing.per_second >= TARGETS[timing.levels],
        }
        for timing in headline
    ]
    for levels, pair in threads.items():
        ratio, what = pair["ratio"], f"two threads over one at (h, r, k) = {levels}"
        rows.append({"what": what, "target": THREAD_TARGET, "measured": ratio, "met": ratio >= THREAD_TARGET})
    return rows


def bench(
    quick: bool = False,
    out: Path | None = None,
    *,
    repeats: int = MIN_REPEATS,
    echo: Callable[[str], None] = print,
) -> dict[str, Any]:
    """Time the engine and learning, print tables, and return (and write, where ``out`` is given) the results.

    ``quick`` times the two headline cases and the threads alone, on a quarter of the worlds, and learning at short
    horizons alone. ``out`` is a JSON file: machine, versions, targets, every timing. The ratio of two threads is left
    out on a single core.

    Raises:
        CivsimError: fewer than :data:`MIN_REPEATS` repeats, or the folder of ``out`` does not exist.
    """
    if out is not None and not out.parent.is_dir():
        raise CivsimError(f"{str(out.parent)!r} is not a folder; create it before writing {out.name!r}")
    facts = machine()
    echo("{processor}, {cores_usable} cores usable, Python {python}, numba {numba}, rules {rules}".format(**facts))
    load = facts["load_average"]
    if load and load[0] > 1.0:
        echo(f"load average {load[0]:.1f}: the machine is busy; per cpu-s is then the fairer column")
    for levels in TARGETS:
        _play(bench_scenario(levels, turns=2), 2, 0, 1)
    echo(HEADER)
    headline = []
    for levels in TARGETS:
        headline.append(time_case(levels, worlds=_worlds(levels, quick), repeats=repeats))
        echo(row(headline[-1]))
    sweeps = {} if quick else _sweeps(repeats, lambda timing: echo(row(timing)))
    threads = {}
    for levels, worlds in THREAD_WORLDS.items() if facts["cores_usable"] > 1 else ():
        pair = threads[str(levels)] = time_threads(levels, worlds, repeats)
        ratios = "{ratio:.2f}× wall; processor time over wall {cpu_ratio:.2f}".format(**pair)
        echo(f"two threads over one at {levels}: {ratios}")
    from civsim.cli.bench_training import bench_training

    training = bench_training(repeats, quick, min(2, facts["cores_usable"]), echo)
    targets = _targets(headline, threads) + training.pop("targets")
    for target in targets:
        verdict = "met" if target["met"] else "MISSED"
        echo(f"{verdict:>7}  {target['what']}: {target['measured']:,.2f} (target {target['target']:,.2f})")
    result = {
        "command": "civsim bench" + (" --quick" if quick else ""),
        "machine": facts,
        "scenario": EVERY_RULE,
        "shares": SHARES,
        "targets": targets,
        "headline": [timing._asdict() for timing in headline],
        "sweeps": {name: [timing._asdict() for timing in timings] for name, timings in sweeps.items()},
        "threads": threads,
        "training": training,
    }
    if out is not None:
        from civsim.base.files import write_text

        write_text(out, json.dumps(result, indent=1) + "\n")
        echo(f"wrote {out}")
    return result
