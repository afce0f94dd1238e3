"""150 contexts drawn wide over the settings of a game, so that a rule of thought is judged on more than a library.

The table :data:`TABLE` is all that is drawn; what it does not name is as in a :class:`Scenario` without settings. A
context is a function of :data:`SEED` and its number alone: a draw is keyed, and rounded to three digits, in which every
machine's logarithm agrees. A context that nobody could play is drawn again; :func:`complaint` is what makes it so, and
looks at settings only, so that the list does not move with the rules.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np

from civsim.base.constants import Draw
from civsim.base.errors import StudyError
from civsim.base.randomness import as_key, uniform
from civsim.base.scenario import Scenario
from civsim.scenarios import override
from civsim.scenarios.design import stretch
from civsim.scenarios.study import Factor

SEED = 20_261_129
"""Key of the list."""

CONTEXTS = 150
MOST_CONTEXTS = 10_000
"""Contexts that may be asked for; a longer list begins like a shorter one."""

DIGITS = 3
"""Significant digits of a drawn number."""

PAYABLE = 12.0
"""Turns within which the capital's output must pay for a first claim on flat land."""

MOST_SACKED = 1.0
"""Cells of each realm that bands may keep from giving anything, on average, where nothing is defended."""

_MOST_ATTEMPTS = 1000

Settings = dict[str, Any]
Levels = Mapping[str, Any]


def _always(_levels: Levels) -> bool:
    return True


def _if(switch: str, level: str) -> Callable[[Levels], bool]:
    return lambda levels: bool(levels.get(switch) == level)


class Row(NamedTuple):
    """Something that is drawn: evenly over its levels, or over its range on the scale it names."""

    name: str
    factor: Factor
    when: Callable[[Levels], bool] = _always  # of what the rows above have drawn; else nothing is set


def _range(path: str, low: float, high: float, *, log: bool = False, whole: bool = False, **row: Any) -> Row:
    scale = "log" if log else "linear"
    given: dict[str, Any] = {"scale": scale, "integer": whole}
    return Row(path, Factor(path=path, low=low, high=high, **given), **row)


def _switch(name: str, **arms: Settings) -> Row:
    return Row(name, Factor(arms=arms))


_TWO_KINDS: Settings = {"works.menu": [{"gain": 0.25, "cost": 5.0, "maturity": 4}] * 2}
_RIDGES, _RAIDS, _WAR, _SECOND = _if("ridges", "some"), _if("raids", "some"), _if("war", "yes"), _if("kinds", "two")
_SEATS, _PARAMS = "game.civilizations", "seat_default.policy.params"

TABLE: tuple[Row, ...] = (
    # The land.
    Row("side", Factor(paths=("map.width", "map.height"), low=10, high=20, integer=True)),
    _switch("edges", bound={}, meet={"map.torus": True}),
    _range("map.ground", 0.1, 0.6, log=True),
    _range("map.ground_spread", 0.1, 0.9),
    _range("map.correlation", 0.5, 5.0, log=True),
    _range("map.site_density", 0.01, 0.12, log=True),
    _range("map.site_value", 1.5, 8.0, log=True),
    _range("map.site_tail", 1.2, 4.0),
    _range("map.ore_density", 0.02, 0.2, log=True),
    _range("economy.ore_weight", 0.2, 8.0, log=True),
    _switch("ridges", none={}, some={}),
    _range("map.ridge_height", 0.3, 1.0, when=_RIDGES),
    _range("claims.ruggedness_cost", 2.0, 8.0, when=_RIDGES),
    _range("map.hazard", 0.001, 0.1, log=True),
    _range("map.hazard_spread", 0.2, 2.0),
    _range("disasters.duration", 1, 10, log=True, whole=True),
    _switch("sites", steady={}, volatile={}),
    _range("map.volatility", 0.01, 0.15, log=True, when=_if("sites", "volatile")),
    # The game.
    _range(_SEATS, 1, 6, whole=True),
    _range("game.turns", 60, 150, whole=True),
    _range("game.discount", 0.95, 1.0),
    # Settling and building.
    _range("claims.cost", 1.5, 8.0, log=True),
    _range("claims.growth", 0.01, 0.12, log=True),
    _range("claims.lag", 0, 8, whole=True),
    _switch("kinds", one={}, two=_TWO_KINDS),
    _range("works.menu.0.gain", 0.15, 0.8, log=True),
    _range("works.menu.0.cost", 1.5, 10.0, log=True),
    _range("works.menu.0.maturity", 1, 12, log=True, whole=True),
    _range("works.menu.1.gain", 0.15, 0.8, log=True, when=_SECOND),
    _range("works.menu.1.cost", 1.5, 10.0, log=True, when=_SECOND),
    _range("works.menu.1.maturity", 1, 12, log=True, whole=True, when=_SECOND),
    _range("works.growth", 0.5, 2.0, log=True),
    # Force.
    Row("war", Factor(arms={"no": {}, "yes": {"army.war": True}}), lambda levels: levels[_SEATS] > 1),
    _range("army.decisiveness", 1.0, 4.0, when=_WAR),
    _range("army.projection", 4.0, 16.0, log=True, when=_WAR),
    _range("walls.cost", 0.4, 2.5, log=True),
    _range("walls.rate", 0.5, 3.0, log=True),
    _switch("raids", none={}, some={"raiders.bands": 16}),
    _range("raiders.rate", 0.1, 1.0, log=True, when=_RAIDS),
    _range("raiders.strength", 1.0, 12.0, log=True, when=_RAIDS),
    _range("raiders.disruption", 2, 20, log=True, whole=True, when=_RAIDS),
    _range("raiders.damage", 0.2, 1.0, when=_RAIDS),
    # What everybody believes of land never seen, and how everybody divides output; nobody pays for thinking.
    _switch("belief", mean={}, optimistic={"thinking.belief": "optimistic"}),
    _range(f"{_PARAMS}.consumption", 0.2, 0.5),
    _range(f"{_PARAMS}.physical.settlement", 0.2, 0.6),
    _range(f"{_PARAMS}.physical.works", 0.15, 0.5),
    _range(f"{_PARAMS}.physical.army", 0.02, 0.25, log=True),
    _range(f"{_PARAMS}.physical.walls", 0.02, 0.25, log=True),
    # What the rivals have of thinking, for nothing.
    _range("seat_default.levels.horizon", 0, 8, whole=True),
    _range("seat_default.levels.sight", 2, 6, whole=True),
    _range("seat_default.levels.attention", 2, 6, whole=True),
)
"""Everything that is drawn, in the order in which it is set."""

_FIXED: Settings = {"army.war": False, "seat_default.policy.name": "fixed", f"{_PARAMS}.cognition": 0.0}


class Context(NamedTuple):
    """A drawn context."""

    number: int
    attempt: int  # how often it was drawn before it could be played
    settings: Settings  # by dotted path
    scenario: Scenario


def draw_contexts(count: int = CONTEXTS, seed: int = SEED) -> tuple[Context, ...]:
    """Return the first ``count`` contexts of the list that ``seed`` keys; context i has number i.

    Raises:
        StudyError: ``count`` is not in 1 … :data:`MOST_CONTEXTS`.
    """
    if not 1 <= count <= MOST_CONTEXTS:
        raise StudyError(f"contexts={count} is outside 1 … {MOST_CONTEXTS}; ask for a number in between")
    return tuple(_context(number, seed) for number in range(count))


def _context(number: int, seed: int) -> Context:
    for attempt in range(_MOST_ATTEMPTS):
        settings = draw_settings(number, attempt, seed)
        name = f"context-{number:03d}"
        scenario = override(Scenario(name=name), settings)
        if complaint(scenario) is None:
            return Context(number, attempt, settings, scenario)
    raise StudyError(f"context {number} of seed {seed} was drawn {_MOST_ATTEMPTS} times in vain; widen the table")


def draw_settings(number: int, attempt: int, seed: int = SEED) -> Settings:
    """Return the settings of one attempt at context ``number``, by dotted path."""
    key, levels = as_key(seed), dict[str, Any]()
    settings = dict(_FIXED)
    for place, row in enumerate(TABLE):
        if row.when(levels):
            level = _level(row.factor, uniform(key, number, attempt, place, Draw.DESIGN))
            levels[row.name] = level
            settings |= row.factor.arms[level] if row.factor.arms else dict.fromkeys(row.factor.targets, level)
    return settings


def _level(factor: Factor, unit: float) -> Any:
    """Return the level of a factor at ``unit`` in (0, 1)."""
    if not factor.is_range:
        return factor.choices[int(unit * len(factor.choices))]
    (value,) = stretch(factor, np.array([unit]))
    return value if factor.integer else float(f"{value:.{DIGITS}g}")


def complaint(scenario: Scenario) -> str | None:
    """Return why nobody could play a drawn scenario, or None if it can be played."""
    physical = scenario.seat_default.policy.params["physical"]
    spent = 1.0 - scenario.seat_default.policy.params["consumption"]
    income = scenario.map.capital_fertility * spent * physical["settlement"] / sum(physical.values())
    if scenario.claims.cost > PAYABLE * income:
        return f"a first claim takes {scenario.claims.cost / income:.0f} turns to pay"
    realms, raids = scenario.game.civilizations, scenario.raiders
    if raids.rate * raids.disruption > MOST_SACKED * realms:
        return f"bands keep {raids.rate * raids.disruption / realms:.1f} undefended cells of each realm from giving"
    return None
