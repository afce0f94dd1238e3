"""How thoroughly a seat's orders are improved by trial, and the luck of the trials."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from civsim.base.constants import WORLD_IDS
from civsim.base.errors import ScenarioError
from civsim.base.scenario import MAX_TURNS, Scenario
from civsim.engine.believed import IMAGINED

MOST_CANDIDATES = 64
MOST_SAMPLES = 256
LEAST_SAMPLES = 2
"""Draws of luck; a single one says nothing of how much luck there is."""

MOST_RISK = 0.5

DEFAULT_TURNS = 30
"""Turns of a game that are improved. Nearly all that can be gained lies there: on `peace`, every seat at h = 16, 7.3 of
the 8.4 log points × 100 a turn that the first 70 turns gave (8 worlds, seed 0)."""


class Effort(NamedTuple):
    """Whose orders are improved, and with how much effort."""

    seat: int  # in [0, N)
    candidates: int  # alternatives of a turn, at most, beside the planner's own orders and waiting; >= 0
    samples: int  # times that luck is drawn for each set of orders before the first are left; >= 2
    turns: int  # of the game, from its first; >= 0
    most_samples: int = 64  # times that luck is drawn for those that stay; >= samples
    risk: float = 0.05  # chance that any change of orders in a world is for no better, at most; in (0, 0.5]
    checks: int = 32  # draws of luck that chose nothing, by which a change's worth is told; >= 2


def check_effort(effort: Effort, scenario: Scenario, world_ids: Sequence[int]) -> None:
    """Check that there are such a seat, such turns, and luck for the trials apart from that of the worlds.

    Raises:
        ScenarioError: a number is out of range, or there are no worlds.
    """
    if not len(world_ids):
        raise ScenarioError("0 worlds have no ceiling; give at least one")
    limits = {
        "seat": (0, scenario.game.civilizations - 1, "give a seat of the scenario"),
        "candidates": (0, MOST_CANDIDATES, "give a number in between"),
        "samples": (LEAST_SAMPLES, MOST_SAMPLES, "give a number in between"),
        "most_samples": (
            effort.samples,
            MOST_SAMPLES,
            f"the first look is after samples={effort.samples}; give a number in between",
        ),
        "checks": (LEAST_SAMPLES, MOST_SAMPLES, "give a number in between"),
        "turns": (0, scenario.game.turns, f"the game has {scenario.game.turns} turns"),
    }
    for name, (low, high, remedy) in limits.items():
        value = getattr(effort, name)
        if not low <= value <= high:
            raise ScenarioError(f"{name}={value} is outside {low} … {high}; {remedy}")
    if not 0.0 < effort.risk <= MOST_RISK:
        raise ScenarioError(f"risk={effort.risk:g} is outside (0, {MOST_RISK:g}]; give a chance of error in a world")
    if max(world_ids) >= IMAGINED or min(world_ids) < 0:
        raise ScenarioError(
            f"world ids reach {max(world_ids)}, but those from {IMAGINED} on are the trials'; give lower ones"
        )


def trial_ids(world_id: int, turn: int, samples: int, *, check: bool = False) -> NDArray[np.int64]:
    """Return the world ids that give a turn's trials their luck, int64 [samples]: the same for every set of orders.

    They are from ``IMAGINED`` on, so that none is a world that is judged, and differ from turn to turn of a world.
    Those of a ``check`` differ from those by which the orders were chosen.
    """
    room = WORLD_IDS - IMAGINED
    first = (world_id * MAX_TURNS + turn) * MOST_SAMPLES + (room // 2 if check else 0)
    return IMAGINED + (first + np.arange(samples, dtype=np.int64)) % room
