"""The scenario as kernels read it: plain scalars and small arrays, made once per world batch.

A setting that is declared with ``packed`` is here without a line in this file; only what is derived is written out.
"""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Iterable
from enum import IntEnum
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from pydantic import BaseModel

from civsim.base.constants import (
    BOUGHT,
    CHANNEL_NAMES,
    COGNITIVE,
    DRAWN,
    FOLLOW,
    MAX_ATTENTION,
    MAX_OFFICES,
    N_CATEGORIES,
    N_VARIABLES,
    PHYSICAL,
    Attacks,
    Category,
    Channel,
    Guard,
    Objective,
    Price,
    Rung,
    Sham,
    Variable,
)
from civsim.base.constants import UNLIMITED as UNLIMITED
from civsim.base.scenario import Scenario
from civsim.base.settings import packed_settings
from civsim.engine.land.geometry import neighbour_table, rim_cells
from civsim.engine.land.ways import blocks
from civsim.engine.state import F64, I8, I32, U8, most_offices

ENTRIES = {bool: np.uint8, int: np.int32, float: np.float64}
"""The dtype of a setting's values in a list of tables, by its kind."""


PACKED = packed_settings(Scenario)
"""Settings that kernels read as they are. A list of tables, such as the works menu, is one array a setting, [M]."""


class Derived(NamedTuple):
    """What a kernel reads of a scenario that is no setting as it stands. Arrays are never written."""

    # sizes
    n_cells: int  # C
    neighbours: I32  # [C, 4] cell, or -1 over the border
    row: I32  # [C] row of a cell
    column: I32  # [C] column of a cell
    joined: U8  # [C + 1] 1 where the cell before is in the same row; 0 behind the last
    # reward
    objective: int  # Objective
    weight: F64  # [T + 2] γ^s
    annuity: F64  # [T + 2] Σ_{u=1..s} γ^u
    swing_weight: F64  # [T + 2] (1 − 2p)^s, decay of what is known of a volatile site
    swing_annuity: F64  # [T + 2] Σ_{u=1..s} (γ (1 − 2p))^u
    service: F64  # [T + 2] Σ_{u=1..s} (γ (1 − δ))^u over that of a game, δ of the army: what force has yet to serve
    open: U8  # [8] 1 where a category may be spent on
    # economy, land, army
    depreciation: F64  # [8] by Category
    hazard_on: bool
    blocks: bool  # walls or land take further turns to enter
    force_price: F64  # [N]
    projection: F64  # [W + H] e^(−d/λ) by distance d
    attacks_per_turn: int  # 0 without war
    raid_nearness: F64  # [W + H] (1 + d)^(−way), what is left by distance d of what draws raiders
    rim_nearness: F64  # [C, G] the same between each cell and the rim; [0, 0] where no band goes straight
    prices_drawn: bool
    price_spread: F64  # [4] log of the largest factor of a drawn price, by Price
    # thinking
    endowment: I32  # [3] by Channel
    level_cap: I32  # [3] by Channel
    price: F64  # [N, 3]
    curvature: F64  # [3] 1 / γ
    exogenous: I32  # [N, 3] level, or BOUGHT
    grant_level: I32  # [N, 3]
    grant_output: F64  # [N]
    sham: U8  # [N] Sham
    reach: I32  # [N] turns, or FOLLOW for the horizon
    rollout: I32  # [N] turns, or FOLLOW for the horizon
    rung: U8  # [N] Rung
    attacks: U8  # [N] Attacks
    guard: U8  # [N] Guard
    mind: U8  # [N] level of mind
    offices: I32  # [N] most seats of thought
    office_span: I32  # [N] cells that a realm must hold for each
    most_offices: int  # the most that any civilization may have; 1 where thought is housed at capitals alone
    office_weight: F64  # [N, 8] share of the staff of each that stands, over their sum; 1 for all where they are equal
    by_output: U8  # [N] 1 where a seat's share of the staff is that of its province in output
    pace: F64  # [N] cells a messenger goes in a turn
    pool: F64  # [N] share of what is paid into funds that the capital commands for all
    lost: F64  # [N] share of a seat's staff that is lost with it
    salience: I8  # [4] Variables in their fixed order, or DRAWN
    optimistic: bool
    noisy: bool


if TYPE_CHECKING:

    class Config(Derived):
        """Everything a kernel may read of a scenario: :class:`Derived`, and every setting in :data:`PACKED`."""

        def __getattr__(self, name: str) -> Any:
            """Return a setting by the name it is packed under."""

else:
    Config = namedtuple("Config", (*(one.name for one in PACKED), *Derived._fields))
    Config.__doc__ = "Everything a kernel may read of a scenario: Derived, and every setting in PACKED, never written."


def _by(members: Iterable[IntEnum], table: BaseModel) -> list[Any]:
    """Return the settings of a table that are called as the members of an enumeration, in the members' order."""
    return [getattr(table, member.name.lower()) for member in members]


def _discounting(scenario: Scenario) -> dict[str, object]:
    turns = np.arange(scenario.game.turns + 2, dtype=np.float64)
    memory = 1.0 - 2.0 * scenario.map.volatility
    weight = scenario.game.discount**turns
    swing = memory**turns
    both = weight * swing
    serving = np.cumsum((scenario.game.discount * (1.0 - scenario.economy.depreciation.army)) ** turns) - 1.0
    return {
        "weight": weight,
        "annuity": np.cumsum(weight) - weight[0],
        "swing_weight": swing,
        "swing_annuity": np.cumsum(both) - both[0],
        # Force that does not last serves the next turn alone, in every turn as much.
        "service": serving / serving[-3] if serving[-3] > 0.0 else np.minimum(turns, 1.0),
    }


def _per_seat(scenario: Scenario) -> dict[str, object]:
    n = scenario.game.civilizations
    seats = [scenario.seat(i) for i in range(n)]
    thinking = scenario.thinking

    def levels(i: int) -> list[int]:
        return [BOUGHT if level is None else level for level in _by(Channel, seats[i].levels)]

    def follow(own: int | None, common: int | None) -> int:
        chosen = common if own is None else own
        return FOLLOW if chosen is None else chosen

    prices = [seat.price or thinking.price for seat in seats]
    return {
        "force_price": np.array([seat.force_price or scenario.army.price for seat in seats], np.float64),
        "price": np.array([_by(Channel, price) for price in prices], np.float64),
        "exogenous": np.array([levels(i) for i in range(n)], np.int32),
        "grant_level": np.array([_by(Channel, s.grant) for s in seats], np.int32),
        "grant_output": np.array([s.grant.output for s in seats], np.float64),
        "sham": np.array([Sham[s.sham.upper()] for s in seats], np.uint8),
        "reach": np.array([follow(s.reach, thinking.reach) for s in seats], np.int32),
        "rollout": np.array([follow(s.rollout, thinking.rollout) for s in seats], np.int32),
        "rung": np.array([Rung[(s.rule or thinking.rule).upper()] for s in seats], np.uint8),
        "mind": np.array([follow(s.levels_of_mind, thinking.levels_of_mind) for s in seats], np.uint8),
        "attacks": np.array([Attacks[(s.attacks or thinking.attacks).upper()] for s in seats], np.uint8),
        "guard": np.array([Guard[(s.guard or thinking.guard).upper()] for s in seats], np.uint8),
    }


def _salience(scenario: Scenario) -> list[int]:
    fixed = scenario.thinking.salience
    return [DRAWN] * N_VARIABLES if fixed is None else [int(Variable[name.upper()]) for name in fixed]


def _thinking(scenario: Scenario) -> dict[str, object]:
    thinking = scenario.thinking
    # What cannot be bought beyond a setting of its own is bounded by what there is to attend to.
    caps = [getattr(thinking, f"max_{name}", MAX_ATTENTION) for name in CHANNEL_NAMES]
    return {
        "endowment": np.array(_by(Channel, thinking.endowment), np.int32),
        "level_cap": np.array(caps, np.int32),
        "curvature": 1.0 / np.array(_by(Channel, thinking.curvature), np.float64),
        "salience": np.array(_salience(scenario), np.int8),
        "optimistic": thinking.belief == "optimistic",
        "noisy": thinking.noise > 0.0,
    }


def raid_nearness(scenario: Scenario) -> F64:
    """Return float64 [W + H], what is left by each distance of what draws raiders."""
    return np.asarray((1.0 + np.arange(scenario.map.width + scenario.map.height)) ** -scenario.raiders.way)


def _rim_nearness(scenario: Scenario) -> F64:
    """Return float64 [C, G], :func:`raid_nearness` between each cell and each cell of the rim."""
    land, raiders = scenario.map, scenario.raiders
    if raiders.rate == 0.0 or raiders.noise > 0.0 or blocks(scenario):
        return np.zeros((0, 0))
    rim = rim_cells(land)
    row, column = np.divmod(np.arange(scenario.n_cells), land.width)
    down, across = abs(row[:, None] - row[rim]), abs(column[:, None] - column[rim])
    if land.torus:
        down, across = np.minimum(down, land.height - down), np.minimum(across, land.width - across)
    return raid_nearness(scenario)[down + across]


def _physical(scenario: Scenario) -> dict[str, object]:
    army, spread = scenario.army, _by(Price, scenario.draws)
    # What is consumed is no stock, and loses nothing.
    rates = [0.0, *_by((*PHYSICAL, *COGNITIVE), scenario.economy.depreciation)]
    return {
        "objective": int(Objective[scenario.game.objective.upper()]),
        "open": open_categories(scenario),
        "depreciation": np.array(rates, np.float64),
        "blocks": blocks(scenario),
        "projection": np.exp(-np.arange(scenario.map.width + scenario.map.height) / army.projection),
        "attacks_per_turn": army.per_turn if army.war else 0,
        "raid_nearness": raid_nearness(scenario),
        "rim_nearness": _rim_nearness(scenario),
        "prices_drawn": max(spread) > 1.0,
        "price_spread": np.log(np.array(spread, np.float64)),
    }


def _cells(scenario: Scenario) -> dict[str, object]:
    land = scenario.map
    row, column = np.divmod(np.arange(scenario.n_cells, dtype=np.int32), np.int32(land.width))
    neighbours = neighbour_table(land.width, land.height, land.torus)
    joined = np.append(column > 0, False).astype(np.uint8)
    return {"n_cells": scenario.n_cells, "neighbours": neighbours, "row": row, "column": column, "joined": joined}


def open_categories(scenario: Scenario) -> U8:
    """Return uint8 [8], 1 where a category of spending is open."""
    opened = np.ones(N_CATEGORIES, np.uint8)
    for name in scenario.game.closed:
        opened[Category[name.upper()]] = 0
    return opened


def reward_discount(scenario: Scenario) -> float:
    """Return the γ under which the discounted sum of rewards is the scenario's objective, in (0, 1].

    It is the discount of the game for welfare and consumption, and 1 for output and share, which are not discounted.
    """
    discounted = Objective[scenario.game.objective.upper()] in (Objective.WELFARE, Objective.CONSUMPTION)
    return scenario.game.discount if discounted else 1.0


def may_look_ahead(cfg: Config) -> bool:
    """Return whether some seat's reach or rollout can be above 0 in this game; else nothing is ever planned.

    With a treasury something is in any case: which kind of order is worth most.
    """
    if cfg.pooled or cfg.most_offices > 1:
        # Several seats of thought go one by one, each with its province and its funds, whatever it looks ahead.
        return True
    channel = Channel.HORIZON
    for i in range(cfg.n_civs):
        horizon = max(cfg.level_cap[channel], cfg.endowment[channel])
        if not cfg.open[Category.STRATEGISTS]:
            horizon = min(cfg.endowment[channel] + cfg.grant_level[i, channel], horizon)
        if cfg.exogenous[i, channel] != BOUGHT:
            horizon = cfg.exogenous[i, channel] + cfg.grant_level[i, channel]
        if cfg.sham[i] == Sham.INERT:
            horizon = cfg.endowment[channel]
        if any(horizon if given == BOUGHT else given for given in (int(cfg.reach[i]), int(cfg.rollout[i]))):
            return True
        if cfg.attacks[i] == Attacks.RULE and cfg.attacks_per_turn > 0:
            return True
    return False


def _offices(scenario: Scenario) -> dict[str, object]:
    thoughts = [scenario.thought(index) for index in range(scenario.game.civilizations)]
    weight = np.ones((len(thoughts), MAX_OFFICES), np.float64)
    for row, one in zip(weight, thoughts, strict=True):
        if not isinstance(one.weights, str):
            row[: one.count] = one.weights
    return {
        "offices": np.array([one.count for one in thoughts], np.int32),
        "office_span": np.array([one.cells for one in thoughts], np.int32),
        "most_offices": most_offices(scenario),
        "office_weight": weight,
        "by_output": np.array([one.weights == "output" for one in thoughts], np.uint8),
        "pace": np.array([one.messenger for one in thoughts], np.float64),
        "pool": np.array([one.pool for one in thoughts], np.float64),
        "lost": np.array([one.lost for one in thoughts], np.float64),
    }


def compile_config(scenario: Scenario, hazard_on: bool = True) -> Config:
    """Return the kernels' view of a scenario.

    ``hazard_on`` may be False only where no cell has any hazard; the rule is then skipped, not changed.
    """
    fields = {one.name: _as_packed(one.value(scenario), one.kind) for one in PACKED}
    for derived in (_cells, _discounting, _offices, _per_seat, _physical, _thinking):
        fields |= derived(scenario)
    return Config._make({**fields, "hazard_on": hazard_on}[name] for name in Config._fields)


def _as_packed(value: Any, kind: type) -> Any:
    """Return a setting as kernels read it: a scalar, or an array of one number an entry of a list of tables."""
    return np.array(value, ENTRIES[kind]) if isinstance(value, list) else value
