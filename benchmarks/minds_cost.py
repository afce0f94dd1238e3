"""Time whole games by level of mind and by seats of thought: the tables of "What minds cost" in docs/performance.md.

    python benchmarks/minds_cost.py                          as there: some ten minutes
    python benchmarks/minds_cost.py --scenarios baseline --minds 0 2 --seats 1 --repeats 9

Every seat is given the same levels (h, r, k), so that all that differs is what the row says. A figure is processor time
of the steps a world and turn (milliseconds), the median over repeats. Within a repeat, which plays the same worlds at
each, one game directly follows another, so that a machine whose speed drifts slows all of them; a ratio is the median
over repeats of that to the first column within one. Kernels are compiled before anything is timed.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from parity import at_levels, tables_of, with_all, with_seats

from civsim.base.constants import MAX_MIND, MAX_OFFICES
from civsim.base.errors import CivsimError
from civsim.base.files import write_text

SCENARIOS = ("peace", "baseline", "war")
LEVELS = (16, 8, 6)
MINDS = (0, 1, 2, 3)
SEATS = (1, 4)
TURNS, WORLDS, REPEATS = 100, 8, 5
MILLISECONDS = 1e3


def cases(name: str, turns: int, minds: Sequence[int], seats: Sequence[int]) -> dict[str, dict[str, Any]]:
    """Return what is timed of a scenario, by column: its tables at each level of mind, with each number of seats."""
    base = at_levels(tables_of(name), LEVELS)
    base = {**base, "game": {**base["game"], "turns": turns}}
    by_mind = {f"mind {mind}": with_all(base, {"levels_of_mind": mind}) for mind in minds}
    return by_mind | {f"{count} of thought": with_seats(base, count) for count in seats}


def time_game(tables: Mapping[str, Any], worlds: int, seed: int) -> float:
    """Return the processor time a world and turn (milliseconds) of whole games on the worlds of study seed ``seed``."""
    from civsim.base.scenario import Scenario
    from civsim.cli.bench_games import play

    scenario = Scenario.model_validate(tables)
    return MILLISECONDS * play(scenario, worlds, seed, 1).cpu / (worlds * scenario.game.turns)


def time_scenario(name: str, options: argparse.Namespace) -> dict[str, list[float]]:
    """Return the times of a scenario's cases, one a repeat."""
    played = cases(name, options.turns, options.minds, options.seats)
    for tables in played.values():
        time_game({**tables, "game": {**tables["game"], "turns": 2}}, 1, 0)
    rows = [
        {column: time_game(tables, options.worlds, seed) for column, tables in played.items()}
        for seed in range(options.repeats)
    ]
    return {column: [row[column] for row in rows] for column in played}


def short(number: float) -> str:
    """Return a number to two places, without a zero before the point."""
    return f"{number:.2f}".removeprefix("0")


def ratio(times: Sequence[float], first: Sequence[float]) -> float:
    """Return the median over repeats of the ratio of two times of one repeat."""
    return statistics.median(one / other for one, other in zip(times, first, strict=True))


def table(found: Mapping[str, Mapping[str, Sequence[float]]], columns: Sequence[str]) -> list[str]:
    """Return a table of the median times, and of ratios to the first of ``columns``, as lines of Markdown."""
    lines = [f"| | {' | '.join(columns)} |", f"| --- |{' ---: |' * len(columns)}"]
    for name, times in found.items():
        cells = [short(statistics.median(times[columns[0]]))]
        for column in columns[1:]:
            over = ratio(times[column], times[columns[0]])
            cells.append(f"{short(statistics.median(times[column]))} ({over:.2f}×)")
        lines.append(f"| `{name}` | {' | '.join(cells)} |")
    return lines


def read_options(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Return the options of the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    minds, seats = range(MAX_MIND + 1), range(1, MAX_OFFICES + 1)
    parser.add_argument("--scenarios", nargs="+", default=list(SCENARIOS), help="names of scenarios")
    parser.add_argument("--minds", nargs="*", type=int, choices=minds, default=list(MINDS), help="levels of mind")
    parser.add_argument("--seats", nargs="*", type=int, choices=seats, default=list(SEATS), help="seats of thought")
    parser.add_argument("--turns", type=int, default=TURNS)
    parser.add_argument("--worlds", type=int, default=WORLDS)
    parser.add_argument("--repeats", type=int, default=REPEATS)
    parser.add_argument("--out", type=Path, default=None, help="JSON file for the times of every repeat")
    options = parser.parse_args(arguments)
    for name in ("turns", "worlds", "repeats"):
        if getattr(options, name) < 1:
            parser.error(f"--{name} {getattr(options, name)} is below 1; give at least 1")
    return options


def main(arguments: Sequence[str] | None = None) -> int:
    """Time every case and print the tables; return the exit code: 0, or 2 where there is no such scenario."""
    options = read_options(arguments)
    try:
        found = {name: time_scenario(name, options) for name in options.scenarios}
    except CivsimError as error:
        sys.stderr.write(f"minds_cost: error: {error}\n")
        return 2
    for columns in ([f"mind {each}" for each in options.minds], [f"{each} of thought" for each in options.seats]):
        if columns:
            sys.stdout.write("\n".join([*table(found, columns), "", ""]))
    if options.out is not None:
        write_text(options.out, json.dumps(found, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
