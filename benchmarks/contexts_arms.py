"""Arms of the contexts: what seat 0 thinks with, for nothing, beside a planner the rungs it is judged against.

An arm sets the focal seat and nothing else. A rung simulates nothing: it follows a rule, which may look along plans of
so many turns (its reach). All arms see the whole map and attend to everything, so that only the rule differs.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from civsim.base.constants import MAX_ATTENTION, MAX_MIND, UNLIMITED
from civsim.base.errors import ScenarioError, StudyError
from civsim.base.scenario import MAX_SIDE, Scenario
from civsim.scenarios import override
from civsim.scenarios.complaints import did_you_mean, show_value

FOCAL = "seats.0"
HORIZONS = (1, 2, 4, 8, 16, 32)
"""Turns that planners look ahead, and reaches of the rungs beside them."""

FULL: Mapping[str, Any] = {"levels.sight": MAX_SIDE, "levels.attention": MAX_ATTENTION}
"""Sight of the largest map, and all variables."""

RULES = ("rate", "npv")
VARIED = ("npv-16", "npv", "h16", "h32")
"""Arms that are also played with levels of mind of their own."""

SIGHTS = (2, 4, 8, 16)
"""Sights of those (cells)."""

ATTACKS = ("never", "rule")
"""When a rung may attack."""


class Arm(NamedTuple):
    """Settings of the focal seat."""

    settings: Mapping[str, Any]  # by dotted path below the seat
    rung: bool  # it simulates nothing
    reach: int | None  # turns of the longest plan it looks along; None for any, 0 for none
    attacks: str = ""  # what it is told about attacks; "" where nothing is said
    variant: bool = False  # its mind or its sight is its own: it is compared by minds.py alone


def _make() -> dict[str, Arm]:
    """Return the table of arms; see :data:`ARMS`."""
    table = {"h0": Arm({"levels.horizon": 0}, True, 0)}
    table |= {f"h{turns}": Arm({"levels.horizon": turns}, False, turns) for turns in HORIZONS}
    for rule in RULES:
        for name, reach in _reaches():
            given = {"levels.horizon": 0, "rule": rule, "reach": UNLIMITED if reach is None else reach, "rollout": 0}
            table[f"{rule}{name}"] = Arm(given, True, reach)
    for attacks in ATTACKS:
        told = {"levels.horizon": 0, "attacks": attacks}
        table[f"myopic+{attacks}"] = Arm({**told, "rule": "myopic"}, True, 0, attacks)
        for rule in RULES:
            for name, reach in _reaches():
                given = {**told, "rule": rule, "reach": UNLIMITED if reach is None else reach}
                table[f"{rule}{name}+{attacks}"] = Arm(given, True, reach, attacks)
    for turns in HORIZONS:
        table[f"h{turns}+never"] = Arm({"levels.horizon": turns, "attacks": "never"}, False, turns, "never")
    table |= {name: arm for one in VARIED for name, arm in _variants(one, table[one])}
    return {name: arm._replace(settings={**FULL, **arm.settings}) for name, arm in table.items()}


def _variants(name: str, arm: Arm) -> Iterable[tuple[str, Arm]]:
    """Yield an arm at every level of mind, and each of them at every sight."""
    for mind in range(MAX_MIND + 1):
        given = {**arm.settings, "levels_of_mind": mind}
        yield f"{name}+mind-{mind}", arm._replace(settings=given, variant=True)
        for sight in SIGHTS:
            seen = {**given, "levels.sight": sight}
            yield f"{name}+mind-{mind}+sight-{sight}", arm._replace(settings=seen, variant=True)


def _reaches() -> Iterable[tuple[str, int | None]]:
    yield "", None
    yield from ((f"-{turns}", turns) for turns in HORIZONS)


ARMS: Mapping[str, Arm] = _make()
"""By name. h16 plans 16 turns ahead; h0 is the rule of thumb; npv-16 is the rule that looks along plans of 16
turns, npv the one that looks along any; so is rate. With +never or +rule an arm is told when it may attack, with
+mind-1 what it makes of rivals, with +sight-4 how far it sees."""


def find_arm(name: str) -> Arm:
    """Return the arm of this name.

    Raises:
        StudyError: there is none, or this release lacks a setting that it needs.
    """
    if name not in ARMS:
        raise StudyError(f"no arm is called {show_value(name)}; {did_you_mean(name, ARMS)}")
    try:
        play_as(Scenario(), name)
    except ScenarioError as error:
        raise StudyError(f"arm {name!r} cannot be played by this release ({error}); leave it out") from None
    return ARMS[name]


def play_as(scenario: Scenario, name: str) -> Scenario:
    """Return the scenario in which seat 0 is the arm called ``name``. Raises :class:`ScenarioError`."""
    return override(scenario, {f"{FOCAL}.{path}": value for path, value in ARMS[name].settings.items()})


def can_play(name: str) -> bool:
    """Return whether this release has every setting that an arm of the table needs."""
    try:
        find_arm(name)
    except StudyError:
        return False
    return True


class Pair(NamedTuple):
    """A comparison: an arm against one other, or against the best of several."""

    arm: str
    against: str  # in words
    options: tuple[str, ...]  # arms; of several the best, chosen by worlds that do not judge


def pairs_of(names: Iterable[str]) -> list[Pair]:
    """Return the comparisons that the arms called ``names`` allow, planner by planner.

    Each planner meets each rung that looks as far as it does or along any plan, the best of those that look as far, the
    best of those that look along any, and the planner of the next smaller horizon. A rung that looks along no plan at
    all is of either sort. An arm that is told what to do about attacks meets arms that are told the same.
    """
    played = [name for name in ARMS if name in set(names) and not ARMS[name].variant]
    found: list[Pair] = []
    for name in (name for name in played if not ARMS[name].rung):
        own = ARMS[name]
        open_to = [one for one in played if own.attacks in ("", ARMS[one].attacks)]
        rungs = [one for one in open_to if ARMS[one].rung and ARMS[one].reach in (0, own.reach, None)]
        found += [Pair(name, one, (one,)) for one in rungs]
        for words, reach in ((f"of reach {own.reach}", own.reach), ("of any reach", None)):
            best = tuple(one for one in rungs if ARMS[one].reach in (0, reach))
            if len(best) > 1:
                found.append(Pair(name, f"best rung {words}", best))
        shorter = [one for one in open_to if not ARMS[one].rung and (ARMS[one].reach or 0) < (own.reach or 0)]
        same = [one for one in shorter if ARMS[one].attacks == own.attacks]
        if same:
            last = max(same, key=lambda one: ARMS[one].reach or 0)
            found.append(Pair(name, last, (last,)))
    return found
