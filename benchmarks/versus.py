"""Time the engine of this checkout against that of another revision, turn and turn about in one run.

    python benchmarks/versus.py b7239ae                    every case below, five pairs each
    python benchmarks/versus.py b7239ae --cases observe reset --pairs 9 --out versus.json

Each revision plays in a process of its own. A pair is one timing of a case by each, one directly after the other, so
that a machine whose speed drifts slows both; the median of the pairs' ratios is what counts. Times are processor time,
except where two threads are timed against one. Kernels are compiled before anything is timed.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from parity import ROOT, checkout, start

LEVELS = {"h=0": (0, 1, 2), "h=8": (8, 4, 6), "h=32": (32, 6, 6)}
WORLDS = {"h=0": 64, "h=8": 8, "h=32": 2}
BATCH = 64
OBSERVED_TURN = 75
REPEATS = 20


def scenario_at(levels: tuple[int, int, int], side: int = 16, civilizations: int = 4) -> Any:
    """Return the scenario of ``civsim bench`` at these levels."""
    from civsim.cli.bench import bench_scenario

    return bench_scenario(levels, side, civilizations)


def batch(levels: tuple[int, int, int], worlds: int, turns: int = 0, threads: int = 1) -> tuple[Any, Any]:
    """Return (world, shares) after ``turns`` turns of the bench scenario."""
    import numpy as np

    from civsim.cli.bench import SHARES
    from civsim.engine.world import World

    world = World(scenario_at(levels), n_worlds=worlds, threads=threads)
    shares = np.broadcast_to(np.array(SHARES), (worlds, 4, len(SHARES))).copy()
    for _ in range(turns):
        world.step(shares)
    return world, shares


def timed(call: Callable[[], object], times: int) -> float:
    """Return the processor time of one call (seconds)."""
    begun = time.process_time()
    for _ in range(times):
        call()
    return (time.process_time() - begun) / times


def game(name: str, seed: int, side: int = 16, civilizations: int = 4) -> float:
    """Return the µs of a decision over whole games at the levels called ``name``."""
    try:
        from civsim.cli.bench_games import play
    except ImportError:  # its name before 1 December 2026
        from civsim.cli.bench import _play as play  # type: ignore[attr-defined, no-redef]

    worlds = max(1, WORLDS[name] * 16 * 16 // (side * side))
    played = play(scenario_at(LEVELS[name], side, civilizations), worlds, seed, 1)
    return 1e6 * played.cpu / played.decisions


def observe_case(name: str, seed: int) -> float:
    """Return the µs of an observation a decision, 64 worlds in mid-game."""
    try:
        from civsim.engine.observation.observer import observe
    except ImportError:  # its place before 29 November 2026
        from civsim.engine.observation import observe  # type: ignore[attr-defined, no-redef]
    world, _ = batch(LEVELS[name], BATCH, OBSERVED_TURN)
    observe(world)
    return 1e6 * timed(lambda: observe(world), REPEATS) / int(world.state.alive.sum())


def overhead(seed: int) -> float:
    """Return the µs a step of 4 worlds takes without its rules: checks, copies, the record."""
    world, shares = batch(LEVELS["h=0"], 4, 1)
    world._rules, world._turn = (), lambda *arguments: None
    return 1e6 * timed(lambda: world.step(shares), 50 * REPEATS)


def step_of_four(seed: int) -> float:
    """Return the µs of a whole step of 4 worlds at h = 0."""
    world, shares = batch(LEVELS["h=0"], 4)
    return 1e6 * timed(lambda: world.step(shares), 150)


def reset_case(rows: int, seed: int) -> float:
    """Return the µs a world of resetting ``rows`` rows of a batch of 64, error factors drawn and all."""
    import numpy as np

    world, _ = batch(LEVELS["h=0"], BATCH)
    chosen = np.arange(rows)
    return 1e6 * timed(lambda: world.reset(chosen + 1000, rows=chosen), REPEATS) / rows


def gym_step(seed: int) -> float:
    """Return the µs of a step of the Gymnasium environment, `baseline` with every seat at h = 0."""
    import gymnasium
    import numpy as np

    import civsim
    from civsim.faces.registration import ENVIRONMENT_ID

    baseline = civsim.load_scenario("baseline")
    tables = baseline.model_dump(mode="json")
    levels = dict(zip(("horizon", "sight", "attention"), LEVELS["h=0"], strict=True))
    tables["seat_default"] = {**tables["seat_default"], "levels": levels}
    tables["seats"] = [{**seat_, "levels": levels} for seat_ in tables["seats"]]
    env = gymnasium.make(ENVIRONMENT_ID, scenario=type(civsim.load_scenario("baseline")).model_validate(tables))
    env.reset(seed=seed)
    actions = np.random.default_rng(seed).uniform(-1.0, 1.0, (60, 8)).astype(np.float32)
    env.step(actions[0])  # Gymnasium checks an environment's first step
    return 1e6 * timed(iter(map(env.step, actions)).__next__, len(actions))


def threads_ratio(seed: int) -> float:
    """Return the wall time of one thread over that of two at h = 0, 1024 worlds; this one is better when larger."""
    walls = []
    for threads in (1, 2):
        world, shares = batch(LEVELS["h=0"], 16 * BATCH, 2, threads)
        begun = time.perf_counter()
        for _ in range(30):
            world.step(shares)
        walls.append(time.perf_counter() - begun)
    return walls[0] / walls[1]


CASES: dict[str, Callable[[int], float]] = {
    "decision at (0,1,2), µs": lambda seed: game("h=0", seed),
    "decision at (8,4,6), µs": lambda seed: game("h=8", seed),
    "decision at (32,6,6), µs": lambda seed: game("h=32", seed),
    "decision at (0,1,2), 20×20, µs": lambda seed: game("h=0", seed, 20),
    "decision at (0,1,2), 32×32, 8 civilizations, µs": lambda seed: game("h=0", seed, 32, 8),
    "decision at (8,4,6), 32×32, 8 civilizations, µs": lambda seed: game("h=8", seed, 32, 8),
    "observation at (0,1,2), µs a decision": lambda seed: observe_case("h=0", seed),
    "observation at (8,4,6), µs a decision": lambda seed: observe_case("h=8", seed),
    "step of 4 worlds at (0,1,2), µs": step_of_four,
    "step of 4 worlds without rules, µs": overhead,
    "reset of one row of 64, µs": lambda seed: reset_case(1, seed),
    "reset of 64 rows, µs a world": lambda seed: reset_case(BATCH, seed),
    "Gymnasium step, baseline at h = 0, µs": gym_step,
    "two threads over one at (0,1,2), ×": threads_ratio,
}
RATES = ("two threads over one at (0,1,2), ×",)
"""Cases whose figure is better when it is larger."""


def work() -> None:
    """Time the cases named on standard input, a case and a seed a line, and print each figure."""
    for line in sys.stdin:
        name, seed = json.loads(line)
        print(json.dumps(CASES[name](seed)), flush=True)


def ask(side: Any, name: str, seed: int) -> float:
    """Return what a worker measures for a case."""
    side.stdin.write(json.dumps([name, seed]) + "\n")
    side.stdin.flush()
    line = side.stdout.readline()
    if not line:
        raise SystemExit(f"{name!r} could not be timed by one of the revisions; its error is above")
    return float(json.loads(line))


def main() -> None:
    """Read the command line, time every case in pairs and print a table."""
    if sys.argv[1:2] == ["--play"]:
        work()
        return
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("revision", help="the revision to compare this checkout with")
    parser.add_argument("--cases", nargs="+", default=[""], help="only cases whose name holds one of these words")
    parser.add_argument("--pairs", type=int, default=5)
    parser.add_argument("--out", type=Path, default=None, help="JSON file for the figures")
    options = parser.parse_args()
    chosen = [name for name in CASES if any(word in name for word in options.cases)]
    found: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as folder:
        sides = [start(__file__, tree, []) for tree in (checkout(options.revision, Path(folder)), ROOT)]
        for name in chosen:
            for side in sides:
                ask(side, name, 0)
            pairs = [[ask(side, name, seed) for side in sides] for seed in range(options.pairs)]
            ratios = [new / old if name in RATES else old / new for old, new in pairs]
            before, after, ratio = (statistics.median(each) for each in (*zip(*pairs, strict=True), ratios))
            found[name] = {"before": before, "after": after, "ratio": ratio, "pairs": pairs}
            print(f"{name:50} {before:9.2f} {after:9.2f}  {ratio:6.2f}×", flush=True)
        for side in sides:
            side.stdin.close()
            side.wait()
    if options.out is not None:
        options.out.write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()
