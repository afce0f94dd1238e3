"""Other simulators of agents, stepped on this machine in the same run: what a step of one of their agents takes.

What is compared is the rate at which each moves its own agents through its own model, as it ships, in one process and
one thread. It does not say that one does the same work as another: a wolf looks at the cells beside it, a trader of
Sugarscape at some dozens, a civilization decides for a whole realm and may think many turns ahead. It says what a study
of a million agent-steps costs in each.
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
import statistics
import time
from collections.abc import Callable
from typing import Any, NamedTuple

from civsim.cli.bench_games import bench_scenario, play
from civsim.cli.bench_sweeps import MYOPIC, PLANNING, worlds_for

STEPS = 40
"""Steps of one timing of a peer; one more goes before."""

Game = tuple[Callable[[], object], Callable[[], int]]
"""What plays one step, and what counts the agents that the next one moves."""


class Peer(NamedTuple):
    """A simulator, and one of the models that ship with it."""

    name: str
    package: str  # as it is installed, and imported
    begin: Callable[[int], Game]  # a game of this seed


class PeerTiming(NamedTuple):
    """One model: medians over its repeats."""

    name: str
    package: str
    version: str
    agents: int  # agent-steps of a timing, a step
    repeats: int
    per_second: float  # agent-steps per second of wall time
    per_cpu_second: float  # agent-steps per second of processor time


def _sugarscape(seed: int) -> Game:
    from mesa.examples import SugarscapeG1mt

    model = SugarscapeG1mt(seed=seed)
    return model.step, lambda: len(model.agents)


def _wolf_sheep(seed: int) -> Game:
    from mesa.examples import WolfSheep
    from mesa.examples.advanced.wolf_sheep.agents import Sheep, Wolf
    from mesa.experimental.devs import ABMSimulator

    simulator = ABMSimulator()
    model = WolfSheep(seed=seed, simulator=simulator)
    # Patches of grass are agents too, but only what moves is stepped.
    return lambda: simulator.run_for(1), lambda: sum(len(model.agents_by_type[kind]) for kind in (Wolf, Sheep))


def _schelling(seed: int) -> Game:
    from mesa.examples import Schelling

    model = Schelling(seed=seed)
    return model.step, lambda: len(model.agents)


def _pursuit(seed: int) -> Game:
    import numpy as np
    from pettingzoo.sisl.pursuit.pursuit import parallel_env

    env = parallel_env(max_cycles=10 * STEPS)
    env.reset(seed=seed)
    actions = np.random.default_rng(seed)

    def step() -> None:
        env.step({agent: int(actions.integers(env.action_space(agent).n)) for agent in env.agents})

    return step, lambda: len(env.agents)


PEERS = (
    Peer("Sugarscape with trade", "mesa", _sugarscape),
    Peer("Wolf–Sheep", "mesa", _wolf_sheep),
    Peer("Schelling", "mesa", _schelling),
    Peer("Pursuit", "pettingzoo", _pursuit),
)
"""Models at the settings that they ship with: 200 traders on 50 × 50 cells, 150 animals on 20 × 20, 310 residents on
20 × 20, 8 pursuers on 16 × 16."""

HEADER = f"{'peer':<28}{'version':>18}{'agents':>8}{'agent-steps/s':>15}{'per cpu-s':>12}"


def row(timing: PeerTiming) -> str:
    """Return one timing as a line under :data:`HEADER`."""
    return (
        f"{timing.name:<28}{timing.package + ' ' + timing.version:>18}{timing.agents:>8}"
        f"{timing.per_second:>15,.0f}{timing.per_cpu_second:>12,.0f}"
    )


def why_missing(peer: Peer) -> str | None:
    """Return why a peer cannot be stepped here: not installed, or lacking what its model needs; None where it can."""
    if importlib.util.find_spec(peer.package) is None:
        return f"{peer.package} is not installed"
    try:
        peer.begin(0)
    except ImportError as error:
        return f"{peer.package} {importlib.metadata.version(peer.package)} has no such model: {error}"
    return None


def time_peer(peer: Peer, repeats: int) -> PeerTiming:
    """Return the timing of a peer; repeat i plays seed i."""
    walls, cpus, counts = zip(*(_steps(peer, seed) for seed in range(repeats)), strict=True)
    return PeerTiming(
        name=peer.name,
        package=peer.package,
        version=importlib.metadata.version(peer.package),
        agents=round(statistics.median(counts) / STEPS),
        repeats=repeats,
        per_second=statistics.median(count / wall for count, wall in zip(counts, walls, strict=True)),
        per_cpu_second=statistics.median(count / cpu for count, cpu in zip(counts, cpus, strict=True)),
    )


def _steps(peer: Peer, seed: int) -> tuple[float, float, int]:
    """Play one game; return wall and processor seconds of its steps and how many agent-steps they were."""
    step, count = peer.begin(seed)
    step()
    wall = cpu = 0.0
    moved = 0
    for _ in range(STEPS):
        moved += count()
        cpu_start, start = time.process_time(), time.perf_counter()
        step()
        wall += time.perf_counter() - start
        cpu += time.process_time() - cpu_start
    return wall, max(cpu, 1e-9), moved


def _time_own(repeats: int) -> list[PeerTiming]:
    """Return civsim's own rates beside them: a civilization is an agent, a decision its step."""
    found = []
    for levels in (MYOPIC, PLANNING):
        worlds, scenario = worlds_for(levels, True), bench_scenario(levels)
        games = [play(scenario, worlds, seed, 1) for seed in range(repeats)]
        found.append(
            PeerTiming(
                name="civsim at ({}, {}, {})".format(*levels),
                package="civsim",
                version=importlib.metadata.version("civsim"),
                agents=round(statistics.median(game.decisions for game in games) / scenario.game.turns),
                repeats=repeats,
                per_second=statistics.median(game.decisions / game.wall for game in games),
                per_cpu_second=statistics.median(game.decisions / max(game.cpu, 1e-9) for game in games),
            )
        )
    return found


def bench_peers(repeats: int, echo: Callable[[str], None]) -> dict[str, Any]:
    """Time the peers that are installed and civsim, print a table, and return it as the benchmark's file keeps it.

    A peer that is missing is named with what is missing; that is no failure.
    """
    echo(HEADER)
    timings, missing = _time_own(repeats), {}
    for timing in timings:
        echo(row(timing))
    for peer in PEERS:
        reason = why_missing(peer)
        if reason is not None:
            missing[peer.name] = reason
            echo(f"{peer.name:<28}left out: {reason}")
            continue
        timings.append(time_peer(peer, repeats))
        echo(row(timings[-1]))
    return {"steps": STEPS, "timings": [timing._asdict() for timing in timings], "missing": missing}
