"""K14: alone on a map an index rule is nearly optimal.

With no rival and no raid, settling land is a set of projects paid from one fund, and the best order of independent
projects is by an index of each alone (Gittins 1979, *J. R. Stat. Soc. B* 41). They are independent but for what one
opens to another, so that perfect thought about one's next orders, tried in the game itself, adds little to ``npv``.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from civsim.analysis.units import log_points
from civsim.base.scenario import Frozen, Scenario
from civsim.scenarios.effort import Effort
from civsim.scenarios.improvement import improve_worlds
from civsim.scenarios.loader import load_scenario, override
from civsim.validation.case import How, KnownAnswer, Row, Seed, reported, words

MOST_SAMPLES, RISK, CHECKS = 32, 0.5, 8
"""Luck is disasters alone here: a change is taken on little evidence, which makes the ceiling higher."""

LITTLE = 2.0
"""Log points a turn that the ceiling may lie above the index rule."""

ANY = 4096
"""Reach (turns) beyond which no path of any map lies."""

ARMS: dict[str, dict[str, Any]] = {
    "npv of any reach": {
        "levels": {"horizon": 0, "sight": 16, "attention": 6},
        "rule": "npv",
        "reach": ANY,
        "rollout": 0,
    },
    "planner of horizon 16": {"levels": {"horizon": 16, "sight": 16, "attention": 6}},
}
"""What is judged, and beside it what is reported: settings of the seat."""

JUDGED = "npv of any reach"


class Settings(Frozen):
    """Parameters of K14."""

    worlds: int = Field(12, ge=4, le=4096, description="worlds; 48 with --full")
    turns: int = Field(12, ge=1, le=64, description="first turns in which orders are tried; 30 with --full")
    candidates: int = Field(4, ge=1, le=64, description="other claims tried a turn")
    samples: int = Field(4, ge=2, le=32, description="times that luck is drawn for each before the first are left")
    first: int = Field(0, ge=0, le=10**6, description="id of the first world")
    seed: Seed = Field(0, description="study seed")


def game_of(arm: str) -> Scenario:
    """Return the scenario ``solo`` with its one seat as ``arm`` says, thought given and nothing paid for it."""
    seat = {f"seats.0.{key}": value for key, value in ARMS[arm].items()}
    return override(load_scenario("solo"), {"seat_default.policy.params.cognition": 0.0, **seat})


def room(arm: str, settings: Settings, full: bool, threads: int) -> NDArray[np.float64]:
    """Return by how much the ceiling lies above an arm, log points a turn, float64 [worlds]."""
    game = game_of(arm)
    worlds, turns = (max(settings.worlds, 48), max(settings.turns, 30)) if full else (settings.worlds, settings.turns)
    effort = Effort(0, settings.candidates, settings.samples, turns, MOST_SAMPLES, RISK, CHECKS)
    ids = range(settings.first, settings.first + worlds)
    found = improve_worlds(game, ids, settings.seed, effort, threads=threads)
    # Under luck that chose nothing: as unbiased as the difference of two games, and it varies far less.
    gain = np.array([sum(each.worth for each in one.decisions) for one in found])
    return log_points(gain, game.game.discount, game.game.turns)


def run(settings: Settings, how: How) -> list[Row]:
    """Try the seat's orders in the game; see the module."""
    from civsim.analysis.statistics.resample import student_estimate

    rows = []
    for index, arm in enumerate(ARMS):
        how.report(index, len(ARMS))
        found = student_estimate(room(arm, settings, how.full, how.threads))
        low, high, value = float(found.low), float(found.high), float(found.value)
        place = words(arm=arm)
        if arm == JUDGED:
            note = "log points a turn; not above it beyond the 95 % interval"
            rows.append(Row("ceiling over the rule", place, LITTLE, value, low, high, low <= LITTLE, note, "≤"))
        else:
            rows.append(reported("ceiling over the planner", place, value, low, high, "log points a turn, 95 %"))
    return rows


CASE = KnownAnswer(
    "K14",
    "an index rule alone",
    "independent projects are best taken by an index of each alone (Gittins 1979): the ceiling is at most 2 log points "
    "a turn above npv",
    "",
    Settings,
    run,
)
