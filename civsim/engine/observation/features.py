"""The names of what a civilization may observe: one table, and the part of it that the public rules fix.

:data:`FEATURES` orders the last axis of every observation. Every feature is O(1) by construction: a quantity x >= 0 is
log(1 + x) capped at :data:`CEILING`, a signed one is that of its size with its sign, a small frequency its square root,
the rest are shares and masks in [0, 1]. A feature that sight or attention does not deliver is 0 and so is its mask.

Where a civilization may have several seats of thought a row goes on: :data:`OFFICE_TABLE` follows. What the table says
of levels, of the last plan and of what is known is the capital's; of what it holds, the whole realm's.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from civsim.base.constants import (
    CHANNEL_NAMES,
    COGNITION,
    MAX_ATTENTION,
    MAX_CIVILIZATIONS,
    ORDERS,
    Category,
    Channel,
    Objective,
    Variable,
)
from civsim.base.scenario import Scenario
from civsim.engine.compiled import Config
from civsim.engine.state import F32, most_offices

CEILING = 32.0
"""Largest value of a log feature: log(1 + x) of any x below 7e13."""

RIVAL_SLOTS = MAX_CIVILIZATIONS - 1
"""Rivals an observation has room for, whatever the scenario."""


class Feature(NamedTuple):
    """One entry of an observation."""

    name: str
    low: float
    high: float
    meaning: str


def _share(name: str, meaning: str) -> Feature:
    return Feature(name, 0.0, 1.0, meaning)


def _log(name: str, meaning: str) -> Feature:
    return Feature(name, 0.0, CEILING, f"log(1 + x), x = {meaning}")


def _root(name: str, meaning: str) -> Feature:
    return Feature(name, 0.0, 1.0, f"√x, x = {meaning}")


def _level(channel: Channel, name: str, meaning: str) -> Feature:
    """A level: over what bounds it, where something does. ``meaning`` has a place for the symbol and for the bound."""
    facts = COGNITION[channel]
    if facts.over:
        return _share(name, meaning.format(facts.symbol, f" over {facts.over}"))
    return _log(name, meaning.format(facts.symbol, ""))


def _names(enum: type[Category] | type[Variable] | type[Objective]) -> tuple[str, ...]:
    return tuple(member.name.lower() for member in enum)


CATEGORY_NAMES = _names(Category)
VARIABLE_NAMES = _names(Variable)
ORDER_NAMES = tuple(kind.name.lower() for kind in ORDERS)
_CHANNELS = tuple(zip(Channel, CHANNEL_NAMES, strict=True))
STOCK_NAMES = CATEGORY_NAMES[Category.SETTLEMENT :]

_CLOCK = (
    _share("alive", "mask: it holds a cell; where 0 the whole row is 0"),
    _share("turn", "turns played over T"),
    _log("turns_left", "turns left"),
)
_OWN = (
    _log("output", "output of the last turn"),
    _log("consumption", "consumption of the last turn"),
    _log("tribute", "tribute of the last turn"),
    _log("cells", "cells held"),
    _share("land_share", "cells held over cells of the map"),
    _log("muster", "force under way"),
    _log("parties", "settlement parties under way"),
    _log("works", "works on own cells, summed"),
    _log("walls", "wall on own cells, summed"),
    _log("works_pending", "works under way"),
    _share("disrupted", "share of own cells that give nothing now"),
    _share("own_sites", "share of own cells that are rich sites"),
    _log("own_ore", "believed ore on own cells; 0 unless ore is attended"),
    _root("own_hazard", "believed mean hazard of own cells; 0 unless hazard is attended"),
)
_STOCKS = tuple(_log(f"stock_{name}", f"stock of {name}") for name in STOCK_NAMES)
_LEVELS = tuple(_level(channel, f"level_{name}", "{} in the last turn{}") for channel, name in _CHANNELS)
_ATTENDED = tuple(
    _share(f"attended_{name}", f"mask: {name} was attended to in the last turn") for name in VARIABLE_NAMES
)
_SPENT = tuple(_share(f"spent_{name}", f"share of all spending so far that went to {name}") for name in CATEGORY_NAMES)
_DONE = tuple(_log(f"done_{name}", f"{name} orders carried out so far") for name in ORDER_NAMES)
_LOST = (
    _log("lost_disaster", "own cells struck by disaster so far"),
    _log("lost_battle", "cells lost in battle so far"),
    _log("lost_raid", "own cells sacked by raiders so far"),
)
_WITNESSED = (
    _root("rate_disaster", "disasters expected a cell and turn: prior and what it has witnessed"),
    _root("rate_attack", "attacks expected an exposed cell and turn: prior and what it has witnessed"),
    _log("attack_force", "force expected in an attack: prior and what it has witnessed"),
    _root("rate_raid", "raids expected a cell and turn: prior and what it has witnessed"),
    _root("rate_advance", "chance a free cell beside a rival is taken in a turn: prior and what it has witnessed"),
)
_MAP = (
    _share("known_share", "share of the map ever seen"),
    _log("staleness", "mean age of what it knows of cells ever seen (turns)"),
    _log("known_fertility", "mean fertility of cells ever seen"),
    _share("free_share", "share of the map that it knows and believes free"),
    _log("free_sites", "known rich sites it believes free"),
    _log("frontier", "known cells beside its own that it believes free"),
    _log("frontier_best", "largest believed output of a frontier cell"),
    _log("frontier_rate", "largest believed output per believed cost of a frontier cell"),
    _log("frontier_cost", "believed cost of that cell"),
    _log("frontier_funds", "settlement fund over the believed cost of that cell"),
)
_PLAN = (
    _share("plan_known", "mask: its planner has made a plan"),
    _share("plan_wait", "mask: the last plan was to wait"),
    *(_share(f"plan_{name}", f"mask: the last plan began with {name}") for name in ORDER_NAMES),
    Feature("plan_value", -CEILING, CEILING, "sign(x) · log(1 + |x|), x = its believed value when it was made"),
    _log("plan_age", "turns since it was made"),
)
_RAIDERS = (
    _share("raiders_seen", "mask: a band was in sight in the last turn and raiders were attended to"),
    _log("raiders", "bands in sight"),
    _log("raiders_force", "their strength"),
    _share("raiders_distance", "steps from the nearest of them to the capital, over width + height"),
)
_RIVAL = (
    _share("exists", "mask: the seat is in the game"),
    _share("known", "mask: its land or army has been seen, and rivals are attended to"),
    _share("force_known", "mask: its army has been seen, and rivals are attended to"),
    _log("force", "its army when last seen"),
    _log("force_age", "turns since then"),
    _log("cells", "cells known to be its own"),
    _share("distance", "steps from the nearest of them to the own capital, over width + height"),
    _share("levels_known", "mask: its levels are public"),
    *(_level(channel, name, "its {}{}, if public") for channel, name in _CHANNELS),
)
RIVAL_WIDTH = len(_RIVAL)
"""Features a rival; slot d is the seat d + 1 places after the own one, round the table."""

_RIVALS = tuple(
    Feature(f"rival{slot + 1}_{f.name}", f.low, f.high, f"rival {slot + 1}: {f.meaning}")
    for slot in range(RIVAL_SLOTS)
    for f in _RIVAL
)
_RULES = (
    *(_share(f"open_{name}", f"mask: {name} may be spent on") for name in CATEGORY_NAMES),
    *(_share(f"objective_{name}", f"mask: the reward is {name}") for name in _names(Objective)),
    *(_share(f"bought_{name}", f"mask: the level of {name} follows from spending") for name in CHANNEL_NAMES),
    *(_log(f"price_{name}", f"price of a first level of {name}") for name in CHANNEL_NAMES),
    *(_log(f"curvature_{name}", f"γ of {name}") for name in CHANNEL_NAMES),
    *(_log(f"endowment_{name}", f"free levels of {COGNITION[c].symbol}, grant included") for c, name in _CHANNELS),
    _share("span", "s: prices grow as cells^s"),
    *(_share(f"depreciation_{name}", f"share of {name} lost a turn") for name in STOCK_NAMES),
    _log("game_turns", "T"),
    _log("game_weight", "Σ γ^t over the whole game"),
    _log("game_scale", "c0 of log(1 + consumption / c0)"),
    _share("game_civilizations", "seats over the most there can be"),
    _log("map_cells", "cells of the map"),
    _share("map_torus", "mask: opposite edges meet"),
    _log("ore_weight", "output per unit of ore"),
    _log("claim_cost", "cost of a first claim on flat land"),
    _log("claim_growth", "growth of that cost a cell held"),
    _log("claim_rugged", "extra cost per unit of ruggedness"),
    _log("claim_lag", "turns from payment to arrival"),
    _log("work_cost", "cost of the first work of the menu"),
    _log("work_gain", "works it adds"),
    _log("work_turns", "turns until it matures"),
    _log("work_growth", "growth of its cost per unit of works"),
    _log("wall_cost", "cost of a unit of wall"),
    _log("wall_rate", "largest rise of a wall a turn"),
    _share("war", "mask: rivals may be attacked"),
    _log("force_price", "cost of a unit of force"),
    _log("army_lag", "turns from spending to force"),
    _share("projection", "share of force left one cell from the capital"),
    _log("decisiveness", "exponent m of battle"),
    _log("prize", "tribute prize a turn"),
    _log("prize_decisiveness", "exponent m of tribute; 0 without a prize"),
    _log("grant", "gift of output a turn"),
)

_BLOCKS: dict[str, tuple[Feature, ...]] = {
    "clock": _CLOCK,
    "own": _OWN,
    "stocks": _STOCKS,
    "levels": _LEVELS,
    "attended": _ATTENDED,
    "spent": _SPENT,
    "done": _DONE,
    "lost": _LOST,
    "witnessed": _WITNESSED,
    "map": _MAP,
    "plan": _PLAN,
    "raiders": _RAIDERS,
    "rivals": _RIVALS,
    "rules": _RULES,
}
FEATURE_TABLE: tuple[Feature, ...] = tuple(feature for block in _BLOCKS.values() for feature in block)
"""Every feature in order: name, range, meaning."""

FEATURES: tuple[str, ...] = tuple(feature.name for feature in FEATURE_TABLE)
"""Names along the last axis of an observation."""

N_FEATURES = len(FEATURES)
"""Features of every game."""

OFFICE_TABLE: tuple[Feature, ...] = (
    _share("thought_seats", "seats of thought over the most there can be"),
    _share("thought_capital", "share of the staff that the capital holds, of which it buys its levels"),
)
"""What follows them where a civilization may have several seats of thought."""

_INDEX = {feature.name: index for index, feature in enumerate((*FEATURE_TABLE, *OFFICE_TABLE))}


def at(name: str) -> int:
    """Return the place of the feature called ``name``; KeyError names one that does not exist."""
    return _INDEX[name]


def features_of(scenario: Scenario) -> tuple[Feature, ...]:
    """Return the features of a scenario's observations in their order: those of every game, and those of its own."""
    return FEATURE_TABLE if most_offices(scenario) == 1 else (*FEATURE_TABLE, *OFFICE_TABLE)


RULES_AT = at(_RULES[0].name)
"""Where the features fixed by the rules begin; they run to the last of :data:`FEATURES`."""

RIVALS_AT = at(_RIVALS[0].name)
"""Where the first rival's features begin."""


def bounds(scenario: Scenario | None = None) -> tuple[F32, F32]:
    """Return the least and largest value of every feature, float32 [F] each: of a scenario's, or of every game's."""
    table = FEATURE_TABLE if scenario is None else features_of(scenario)
    return np.array([one.low for one in table], np.float32), np.array([one.high for one in table], np.float32)


def feature_table() -> str:
    """Return the table of features as Markdown, one row a feature, for the documentation."""
    several = [f._replace(meaning=f"with several seats of thought alone: {f.meaning}") for f in OFFICE_TABLE]
    table = (*FEATURE_TABLE, *several)
    rows = [f"| `{f.name}` | {f.low:g} … {f.high:g} | {f.meaning} |".replace("|x|", r"\|x\|") for f in table]
    return "\n".join(["| feature | range | meaning |", "|---|---|---|", *rows])


def rule_features(scenario: Scenario, cfg: Config) -> F32:
    """Return what the rules make public to each seat, float32 [N, rules], in the order of the table.

    Hidden on purpose: whether an arm is a sham, whether the model is wrong, how often raiders come.
    """
    return np.array([_rules_of(scenario, cfg, seat) for seat in range(cfg.n_civs)], np.float32)


def _rules_of(scenario: Scenario, cfg: Config, seat: int) -> list[float]:
    free = [int(cfg.endowment[c] + cfg.grant_level[seat, c]) for c in Channel]
    claims, work, army, tribute = scenario.claims, scenario.works.menu[0], scenario.army, scenario.tribute
    logs = (
        scenario.game.turns,
        float(cfg.weight[: scenario.game.turns].sum()),
        scenario.game.consumption_scale,
    )
    values: list[float] = [
        *(float(flag) for flag in cfg.open),
        *(float(cfg.objective == goal) for goal in Objective),
        *(float(cfg.exogenous[seat, c] < 0) for c in Channel),
        *(0.0 for _ in Channel),  # a world's own prices: written with the observation
        *(math.log1p(1.0 / cfg.curvature[c]) for c in Channel),
        *(math.log1p(level) for level in free),
        scenario.thinking.span,
        *(float(cfg.depreciation[c]) for c in Category if c != Category.CONSUMPTION),
        *(math.log1p(x) for x in logs),
        cfg.n_civs / MAX_CIVILIZATIONS,
        math.log1p(scenario.n_cells),
        float(scenario.map.torus),
        math.log1p(scenario.economy.ore_weight),
        *(math.log1p(x) for x in (claims.cost, claims.growth, claims.ruggedness_cost, claims.lag)),
        *(math.log1p(x) for x in (work.cost, work.gain, work.maturity, scenario.works.growth)),
        *(math.log1p(x) for x in (scenario.walls.cost, scenario.walls.rate)),
        float(army.war),
        0.0,  # a world's own price of force: written with the observation
        math.log1p(army.lag),
        math.exp(-1.0 / army.projection),
        math.log1p(army.decisiveness),
        math.log1p(tribute.prize),
        math.log1p(tribute.decisiveness) if tribute.prize > 0.0 else 0.0,
        math.log1p(float(cfg.grant_output[seat])),
    ]
    return values


LARGEST_ATTENTION = float(MAX_ATTENTION)
"""What a level of attention is divided by."""
