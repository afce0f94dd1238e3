"""Thought and the castle together: ``python benchmarks/warned.py``, a grid of horizon and sight.

In ``siege-warned`` strong bands gather at the rim before they choose and march. Seat 0 is given a horizon and a sight,
attends to everything and pays for none of it; the other seat is at horizon 4 and sight 4. Every pair of levels is
played with walls and without, on the same worlds:

treasury   settlement, works and walls share one fund; walls may be raised, or may not
shares     each has its fund; a tenth of output goes to walls, or nothing does

Who simulates nothing is played on the same grid with ``--rule``: ``npv``, which looks along plans of as many turns and
walls against bands in view by their dates.

The first table is what walls are worth (log points a turn of seat 0, ± one s.e.), the second the sacks that a course of
wall prevents: the difference of sacks over the courses raised. Then come the interactions.

    python benchmarks/warned.py --worlds 64
    python benchmarks/warned.py --worlds 64 --rule --horizons 4 16
    python benchmarks/warned.py --worlds 64 --funds shares --horizons 0 16 --sights 2 16
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from civsim.analysis.units import log_points
from civsim.base.errors import CivsimError
from civsim.base.scenario import Scenario
from civsim.scenarios import load_scenario, override
from civsim.scenarios.games import play_worlds

FIRST, SEED, _INPUT = 4000, 0, 2
HORIZONS, SIGHTS = (0, 2, 4, 8, 16), (2, 4, 8, 16)
TREASURY, SHARES = "treasury", "shares"
CONSUMED, WALLS = 0.3, 0.1
"""Shares of output: consumed, and spent on walls where walls have a fund of their own."""

LAND, WORKS = 0.45, 0.4
"""How settlement and works share the rest, to 0.85."""

F64 = NDArray[np.float64]


class Won(NamedTuple):
    """What walls did at one pair of levels, each float64 [worlds]."""

    gain: F64  # log points a turn
    prevented: F64  # sacks without walls less sacks with them
    courses: F64  # courses of wall raised

    @property
    def a_course(self) -> float:
        """Return the sacks that a course of wall prevents; nan where none was raised."""
        raised = float(self.courses.sum())
        return float(self.prevented.sum()) / raised if raised else float("nan")


class Arm(NamedTuple):
    """How seat 0 thinks."""

    horizon: int
    sight: int
    simulates: bool  # else a rule looks along plans of as many turns, and walls by dates

    def settings(self) -> dict[str, Any]:
        """Return the settings of seat 0, by dotted path."""
        horizon = self.horizon if self.simulates else 0
        levels = {"seats.0.levels": {"horizon": horizon, "sight": self.sight, "attention": 6}}
        if self.simulates:
            return levels
        alone = {"reach": self.horizon, "rollout": 0, "rule": "npv", "guard": "dates"}
        return {**levels, **{f"seats.0.{name}": value for name, value in alone.items()}}


def settings_of(funds: str, walled: bool, arm: Arm) -> dict[str, Any]:
    """Return the settings of a game, by dotted path."""
    walls = WALLS if funds == SHARES and walled else 0.0
    rest = 1.0 - CONSUMED - walls
    muscle = {"settlement": rest * LAND / (LAND + WORKS), "works": rest * WORKS / (LAND + WORKS), "walls": walls}
    shares = {"consumption": CONSUMED, "cognition": 0.0, "physical": muscle}
    return {
        "economy.pooled": funds == TREASURY,
        **({} if walled else {"walls.per_turn": 0}),
        "seat_default.policy.params.cognition": 0.0,
        "seat_default.levels": {"horizon": 4, "sight": 4, "attention": 6},
        "seats.0.policy": {"name": "fixed", "params": shares},
        **arm.settings(),
    }


def what_walls_do(base: Scenario, funds: str, arm: Arm, worlds: int, threads: int) -> Won:
    """Play both sides of a comparison and return what walls did."""
    ids, played = range(FIRST, FIRST + worlds), []
    for walled in (False, True):
        found = play_worlds(override(base, settings_of(funds, walled, arm)), ids, SEED, threads=threads)
        played.append({name: found.civs[name][:, 0] for name in ("welfare", "lost_raid", "walls")})
    without, walled_in = played
    gain = log_points(walled_in["welfare"] - without["welfare"], base.game.discount, base.game.turns)
    return Won(gain, without["lost_raid"] - walled_in["lost_raid"], walled_in["walls"])


def told(values: F64) -> str:
    """Return a mean with its standard error."""
    return f"{values.mean():+.1f} ± {values.std(ddof=1) / np.sqrt(len(values)):.1f}"


def table(title: str, cells: Mapping[tuple[int, int], str]) -> list[str]:
    """Return a grid as lines of Markdown: a row a horizon, a column a sight."""
    horizons, sights = (sorted({pair[axis] for pair in cells}) for axis in (0, 1))
    head = f"| {title} | " + " | ".join(f"sight {sight}" for sight in sights) + " |"
    rows = [f"| horizon {h} | " + " | ".join(cells[h, r] for r in sights) + " |" for h in horizons]
    return [head, "| --- |" + " ---: |" * len(sights), *rows]


def interactions(found: Mapping[tuple[int, int], Won]) -> list[str]:
    """Return the interactions between the corners of the grid, a line each; none of a single row or column."""
    horizons, sights = (sorted({pair[axis] for pair in found}) for axis in (0, 1))
    if len(horizons) < 2 or len(sights) < 2:
        return []
    (low, high), (near, far) = (horizons[0], horizons[-1]), (sights[0], sights[-1])
    gain = {pair: one.gain for pair, one in found.items()}
    foresight = {sight: gain[high, sight] - gain[low, sight] for sight in (near, far)}
    return [
        f"walls × horizon ({high} over {low}) at sight {near}: {told(foresight[near])}",
        f"walls × horizon ({high} over {low}) at sight {far}: {told(foresight[far])}",
        f"walls × sight ({far} over {near}) at horizon {low}: {told(gain[low, far] - gain[low, near])}",
        f"walls × sight ({far} over {near}) at horizon {high}: {told(gain[high, far] - gain[high, near])}",
        f"walls × horizon × sight: {told(foresight[far] - foresight[near])}",
    ]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the program. Returns the exit code, 2 for input that cannot be used."""
    parser = argparse.ArgumentParser(prog="warned", description=__doc__.splitlines()[0])
    parser.add_argument("--scenario", default="siege-warned", help="a scenario's name, or the path of a TOML file")
    parser.add_argument("--funds", choices=(TREASURY, SHARES), default=TREASURY)
    parser.add_argument("--rule", action="store_true", help="seat 0 simulates nothing and walls by dates")
    parser.add_argument("--worlds", type=int, default=64, choices=range(2, 4097), metavar="2…4096")
    parser.add_argument("--horizons", type=int, nargs="+", default=HORIZONS)
    parser.add_argument("--sights", type=int, nargs="+", default=SIGHTS)
    parser.add_argument("--threads", type=int, default=1, choices=range(1, 257), metavar="1…256")
    given = parser.parse_args(arguments)
    try:
        base = load_scenario(given.scenario)
        pairs = [(h, r) for h in dict.fromkeys(given.horizons) for r in dict.fromkeys(given.sights)]
        arms = {pair: Arm(*pair, not given.rule) for pair in pairs}
        found = {pair: what_walls_do(base, given.funds, arms[pair], given.worlds, given.threads) for pair in pairs}
    except CivsimError as error:
        sys.stderr.write(f"warned: error: {error}\n")
        return _INPUT
    lines = table("worth of walls", {pair: told(one.gain) for pair, one in found.items()})
    lines += ["", *table("sacks prevented a course", {pair: f"{one.a_course:.2f}" for pair, one in found.items()})]
    sys.stdout.write("\n".join([*lines, "", *interactions(found)]) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
