"""Time what the Mesa face adds to a turn, against ``World.step`` with the scenario's policies, game and game about.

    python benchmarks/mesa_overhead.py                        baseline, nine worlds
    python benchmarks/mesa_overhead.py war large --pairs 5

Three ways play the same world to its end, one directly after the other and each first as often as the others: the
engine with its policies, a model without a collector, a model with its own. Times are processor time; the median over
worlds of the ratios within one is what counts.
"""

from __future__ import annotations

import argparse
import gc
import statistics
import sys
import time
from collections.abc import Callable
from typing import Any

MOST = 0.10
"""Share of a turn that the face may add, its collector included."""


def play(name: str, world_id: int) -> tuple[float, ...]:
    """Return the seconds of a turn, over one game: by the engine, by a model, by a model that collects."""
    import civsim
    from civsim.faces.mesa import CivModel

    scenario = civsim.load_scenario(name)
    world, policies = civsim.World(scenario, world_ids=[world_id]), civsim.seat_policies(scenario)
    bare, collecting = CivModel(scenario, world_id=world_id), CivModel(scenario, world_id=world_id)
    bare.datacollector = None
    ways: list[Callable[[], Any]] = [lambda: world.step(policies.shares(world)), bare.step, collecting.step]
    spent = [0.0, 0.0, 0.0]
    for place in range(3):
        way = (world_id + place) % 3
        step = ways[way]
        gc.collect()
        begun = time.process_time()
        for _ in range(scenario.game.turns):
            step()
        spent[way] = (time.process_time() - begun) / scenario.game.turns
    if not (world.state.output == collecting.world.state.output).all():
        raise SystemExit("the face played another game than the engine")
    return tuple(spent)


def main() -> None:
    """Read the command line, time every scenario and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("scenarios", nargs="*", default=["baseline"])
    parser.add_argument("--pairs", type=int, default=9, help="worlds of each scenario")
    options = parser.parse_args()
    say(f"{'scenario':16} {'engine, µs a turn':>18} {'model':>8} {'collecting':>11}")
    over = []
    for name in options.scenarios:
        play(name, 0)  # kernels are compiled before anything is timed
        games = [play(name, world_id) for world_id in range(1, options.pairs + 1)]
        model, collecting = (statistics.median(one[way] / one[0] for one in games) - 1.0 for way in (1, 2))
        engine = 1e6 * statistics.median(one[0] for one in games)
        say(f"{name:16} {engine:18.0f} {100 * model:+7.1f}% {100 * collecting:+10.1f}%")
        over += [name] if collecting > MOST else []
    if over:
        raise SystemExit(f"the face adds more than {100 * MOST:.0f} % of a turn: {', '.join(over)}")


def say(line: str) -> None:
    """Print a line."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
