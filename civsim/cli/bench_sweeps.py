"""What cost grows with: the cases that ``civsim bench`` times beside each other, by what is varied.

Each table is timed as one: its cases are played in turn within each repeat.
"""

from __future__ import annotations

from collections.abc import Callable

from civsim.cli.bench_games import Case, Levels, Timing, time_together

MYOPIC: Levels = (0, 1, 2)
PLANNING: Levels = (8, 4, 6)
FAR: Levels = (32, 6, 6)
"""Levels (h, r, k) of the headline: what the rules alone cost, an ordinary planner, and one who looks far."""

MINDS = (0, 1, 2, 3)
SEATS_OF_THOUGHT = (1, 2, 4, 8)
FEW_SEATS = 4
SIDES = (8, 16, 20, 32, 64)
LARGE = 32
"""A map of this side and more is timed on half as many worlds."""

CIVILIZATIONS = (2, 4, 8)
HORIZONS = (0, 1, 2, 4, 8, 16, 32, 64)
WORLDS = {MYOPIC: (1, 4, 16, 64, 256, 1024), PLANNING: (1, 4, 16)}


def worlds_for(levels: Levels, quick: bool) -> int:
    """Return how many worlds make one timing last about a second: planners cost more the further they look."""
    horizon = levels[0]
    full = 128 if horizon == 0 else 16 if horizon <= PLANNING[0] else 8 if horizon <= 16 else 4
    return max(2, full // 4) if quick else full


def headline(quick: bool) -> dict[str, list[Case]]:
    """Return the cases of the headline: three levels; at the middle ones, levels of mind and seats of thought.

    Minds and seats stand beside the level and the one seat that a scenario has by itself, in the same run.
    """
    worlds = worlds_for(PLANNING, True)
    return {
        "levels": [Case(levels, worlds_for(levels, quick)) for levels in (MYOPIC, PLANNING, FAR)],
        "minds": [Case(PLANNING, worlds, mind=mind) for mind in MINDS],
        "seats of thought": [Case(PLANNING, worlds, thought=count) for count in (1, FEW_SEATS)],
    }


def sweeps() -> dict[str, list[Case]]:
    """Return the cases of each sweep, on few worlds."""
    few = {levels: worlds_for(levels, True) for levels in (MYOPIC, PLANNING)}

    def on(levels: Levels, side: int) -> int:
        return max(2, few[levels] // (2 if side >= LARGE else 1))

    return {
        "side": [Case(levels, on(levels, side), side) for levels in few for side in SIDES],
        "civilizations": [Case(levels, few[levels], civilizations=count) for levels in few for count in CIVILIZATIONS],
        "crowded": [Case(levels, on(levels, LARGE), LARGE, 8) for levels in few],
        "horizon": [Case((h, *PLANNING[1:]), worlds_for((h, *PLANNING[1:]), True)) for h in HORIZONS],
        "mind": [Case((16, *PLANNING[1:]), 2, mind=mind) for mind in MINDS],
        "seats": [Case(PLANNING, few[PLANNING], thought=count) for count in SEATS_OF_THOUGHT],
        "worlds": [Case(levels, worlds) for levels, counts in WORLDS.items() for worlds in counts],
    }


def time_tables(
    tables: dict[str, list[Case]], repeats: int, report: Callable[[Timing], None]
) -> dict[str, list[Timing]]:
    """Time every table, and report each timing."""
    found: dict[str, list[Timing]] = {}
    for name, cases in tables.items():
        found[name] = time_together(cases, repeats)
        for timing in found[name]:
            report(timing)
    return found
