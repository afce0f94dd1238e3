"""What of the hidden would matter in war: ``python benchmarks/hidden_in_war.py``.

Seat 0 plans 16 turns ahead with rivals that play on in its mind (level 2), sees four cells, and is told the truth of
one thing more at the end of every turn, as if it had just seen it:

nothing    what it sees itself
armies     the army of every rival
land       who holds every cell, its works, walls and site, where the capitals are, and parties on their way to land
           that was ever seen
both       both of them

and, beside them, a seat that sees the whole map. What a mind never asks for cannot be told so: rivals' funds and
levels. Games are those of ``contexts.py``: contexts of the library, worlds 0, 1, 2 …, modest levels for the others,
nobody pays. Differences are log points a turn of seat 0 over being told nothing, on the same worlds, with 95 %
intervals (Student's t).

    python benchmarks/hidden_in_war.py --contexts war frontier-war --worlds 96
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence

import numpy as np
from contexts import GIVEN
from contexts_arms import play_as
from numpy.typing import NDArray
from scipy.stats import t as student

from civsim.agents import seat_policies
from civsim.analysis.units import log_points
from civsim.base.constants import Category, Objective
from civsim.base.errors import CivsimError
from civsim.base.scenario import Scenario
from civsim.engine.state import State
from civsim.engine.world import World
from civsim.scenarios import load_scenario, override

SEAT, SEED = 0, 0
LEVEL, _INPUT = 0.95, 2
BLIND, SEEING = "h16+mind-2+sight-4", "h16+mind-2"
"""Arms of ``contexts_arms.py``: four cells in sight, or all."""

Tell = Callable[[State], None]


def tell_armies(state: State) -> None:
    """Let the seat know the army of every rival as it is now."""
    state.force_seen[:, SEAT] = state.stock[:, :, Category.ARMY]
    state.force_turn[:, SEAT] = state.turn[:, None]


def tell_land(state: State) -> None:
    """Let the seat know who holds every cell, what stands there, and where the capitals of the living are."""
    state.seen[:, SEAT] = np.where(state.seen[:, SEAT] >= 0, state.turn[:, None], state.seen[:, SEAT])
    state.known_owner[:, SEAT], state.known_site[:, SEAT] = state.owner, state.site_state
    state.known_works[:, SEAT], state.known_wall[:, SEAT] = state.works, state.wall
    state.known_capital[:, SEAT] = np.where(state.alive, state.capital, state.known_capital[:, SEAT])


TOLD: dict[str, tuple[str, tuple[Tell, ...]]] = {
    "nothing": (BLIND, ()),
    "armies": (BLIND, (tell_armies,)),
    "land": (BLIND, (tell_land,)),
    "both": (BLIND, (tell_armies, tell_land)),
    "the whole map in sight": (SEEING, ()),
    "the whole map in sight, armies": (SEEING, (tell_armies,)),
}


def played(scenario: Scenario, told: Sequence[Tell], worlds: int, threads: int) -> NDArray[np.float64]:
    """Return the welfare of seat 0 in log points a turn, float64 [worlds]."""
    world, policies = World(scenario, n_worlds=worlds, seed=SEED, threads=threads), seat_policies(scenario)
    while not world.done.all():
        for tell in told:
            tell(world.state)
        world.step(policies.shares(world))
    game = scenario.game
    return log_points(world.state.utility[:, SEAT, Objective.WELFARE], game.discount, game.turns)


def gain(one: NDArray[np.float64], other: NDArray[np.float64]) -> str:
    """Return the mean difference with its interval."""
    apart = one - other
    half = student.ppf((1 + LEVEL) / 2, len(apart) - 1) * apart.std(ddof=1) / np.sqrt(len(apart))
    return f"{apart.mean():+.1f} ± {half:.1f}"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the program. Returns the exit code, 2 for input that cannot be used."""
    parser = argparse.ArgumentParser(prog="hidden_in_war", description=__doc__.splitlines()[0])
    parser.add_argument("--contexts", nargs="+", default=["war", "frontier-war"], help="scenarios of the library")
    parser.add_argument("--worlds", type=int, default=96, choices=range(2, 4097), metavar="2…4096")
    parser.add_argument("--threads", type=int, default=1, choices=range(1, 257), metavar="1…256")
    given = parser.parse_args(arguments)
    try:
        rows = []
        for name in given.contexts:
            base = override(load_scenario(name), GIVEN)
            found = {
                told: played(play_as(base, arm), tells, given.worlds, given.threads)
                for told, (arm, tells) in TOLD.items()
            }
            rows.append([name, *(gain(found[told], found["nothing"]) for told in TOLD if told != "nothing")])
    except CivsimError as error:
        sys.stderr.write(f"hidden_in_war: error: {error}\n")
        return _INPUT
    told = [one for one in TOLD if one != "nothing"]
    lines = ["| context | " + " | ".join(told) + " |", "| --- |" + " ---: |" * len(told)]
    sys.stdout.write("\n".join([*lines, *("| " + " | ".join(row) + " |" for row in rows)]) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
