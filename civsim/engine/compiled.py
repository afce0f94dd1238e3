"""The scenario as kernels read it: plain scalars and small arrays, made once per world batch."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from civsim.base.constants import (
    MAX_ATTENTION,
    N_CATEGORIES,
    N_VARIABLES,
    Category,
    Channel,
    Objective,
    Sham,
    Variable,
)
from civsim.base.scenario import MAX_LEVEL, Scenario
from civsim.engine.land.geometry import neighbour_table
from civsim.engine.state import F64, I8, I32, U8

BOUGHT = -1
"""Exogenous level of a channel whose level is bought; reach or rollout of a seat that follows its horizon."""


DRAWN = -1
"""Salience of a civilization whose order is drawn."""


class Config(NamedTuple):
    """Everything a kernel may read of a scenario. Scalars are int or float64; arrays are never written."""

    # sizes
    n_civs: int  # N
    n_cells: int  # C
    width: int  # cells
    height: int  # cells
    torus: bool
    turns: int  # T
    neighbours: I32  # [C, 4] cell, or -1 over the border
    row: I32  # [C] row of a cell
    column: I32  # [C] column of a cell
    # reward
    objective: int  # Objective
    discount: float  # γ per turn
    consumption_scale: float  # c0
    weight: F64  # [T + 2] γ^s
    annuity: F64  # [T + 2] Σ_{u=1..s} γ^u
    swing_weight: F64  # [T + 2] (1 − 2p)^s, decay of what is known of a volatile site
    swing_annuity: F64  # [T + 2] Σ_{u=1..s} (γ (1 − 2p))^u
    open: U8  # [8] 1 where a category may be spent on
    # economy
    ore_weight: float  # ω
    depreciation: F64  # [8] by Category
    # land
    hazard_on: bool
    volatility: float  # flip probability of a site
    volatile_low: float  # share of fertility in the low state
    disaster_turns: int
    # claims
    claim_cost: float
    claim_rugged: float
    claim_growth: float
    claim_lag: int
    claims_per_turn: int
    # works
    work_gain: F64  # [M]
    work_cost: F64  # [M]
    work_turns: I32  # [M]
    work_growth: float
    works_per_turn: int
    # walls
    wall_cost: float
    wall_rate: float
    walls_per_turn: int
    # army
    war: bool
    force_price: F64  # [N]
    army_lag: int
    projection: F64  # [W + H] e^(−d/λ) by distance d
    decisiveness: float  # m
    loss_winner: float
    loss_loser: float
    keep_works: float
    capture_turns: int
    minimum_force: float
    attacks_per_turn: int
    # raiders and tribute
    raid_rate: float
    raid_strength: float
    raid_turns: int
    raid_damage: float
    prize: float
    prize_decisiveness: float
    prices_drawn: bool
    price_spread: F64  # [4] log of the largest factor of a drawn price, by Price
    # thinking
    endowment: I32  # [3] by Channel
    level_cap: I32  # [3] by Channel
    price: F64  # [N, 3]
    curvature: F64  # [3] 1 / γ
    span: float  # s
    exogenous: I32  # [N, 3] level, or BOUGHT
    grant_level: I32  # [N, 3]
    grant_output: F64  # [N]
    sham: U8  # [N] Sham
    reach: I32  # [N] turns, or BOUGHT for the horizon
    rollout: I32  # [N] turns, or BOUGHT for the horizon
    salience: I8  # [4] Variables in their fixed order, or DRAWN
    optimistic: bool
    optimism: float  # quantile
    noisy: bool
    prior_weight: float
    prior_disaster: float
    prior_attack: float
    prior_force: float
    prior_raid: float
    prior_advance: float
    claim_candidates: int
    work_candidates: int
    wall_candidates: int


UNLIMITED = MAX_LEVEL
"""A reach of this many turns is no limit."""


def _discounting(scenario: Scenario) -> dict[str, F64]:
    turns = np.arange(scenario.game.turns + 2, dtype=np.float64)
    memory = 1.0 - 2.0 * scenario.map.volatility
    weight = scenario.game.discount**turns
    swing = memory**turns
    both = weight * swing
    return {
        "weight": weight,
        "annuity": np.cumsum(weight) - weight[0],
        "swing_weight": swing,
        "swing_annuity": np.cumsum(both) - both[0],
    }


def _per_seat(scenario: Scenario) -> dict[str, F64 | I32 | U8]:
    n = scenario.game.civilizations
    seats = [scenario.seat(i) for i in range(n)]
    thinking = scenario.thinking

    def levels(i: int) -> list[int]:
        given = seats[i].levels
        return [BOUGHT if v is None else v for v in (given.horizon, given.sight, given.attention)]

    def follow(own: int | None, common: int | None) -> int:
        chosen = common if own is None else own
        return BOUGHT if chosen is None else chosen

    prices = [seat.price or thinking.price for seat in seats]
    return {
        "force_price": np.array([seat.force_price or scenario.army.price for seat in seats], np.float64),
        "price": np.array([[p.horizon, p.sight, p.attention] for p in prices], np.float64),
        "exogenous": np.array([levels(i) for i in range(n)], np.int32),
        "grant_level": np.array([[s.grant.horizon, s.grant.sight, s.grant.attention] for s in seats], np.int32),
        "grant_output": np.array([s.grant.output for s in seats], np.float64),
        "sham": np.array([Sham[s.sham.upper()] for s in seats], np.uint8),
        "reach": np.array([follow(s.reach, thinking.reach) for s in seats], np.int32),
        "rollout": np.array([follow(s.rollout, thinking.rollout) for s in seats], np.int32),
    }


def _salience(scenario: Scenario) -> list[int]:
    fixed = scenario.thinking.salience
    return [DRAWN] * N_VARIABLES if fixed is None else [int(Variable[name.upper()]) for name in fixed]


def _thinking(scenario: Scenario) -> dict[str, object]:
    thinking, prior, menu = scenario.thinking, scenario.thinking.prior, scenario.thinking.candidates
    free, bend = thinking.endowment, thinking.curvature
    return {
        "endowment": np.array([free.horizon, free.sight, free.attention], np.int32),
        "level_cap": np.array([thinking.max_horizon, thinking.max_sight, MAX_ATTENTION], np.int32),
        "curvature": 1.0 / np.array([bend.horizon, bend.sight, bend.attention], np.float64),
        "span": thinking.span,
        "salience": np.array(_salience(scenario), np.int8),
        "optimistic": thinking.belief == "optimistic",
        "optimism": thinking.optimism,
        "noisy": thinking.noise > 0.0,
        "prior_weight": prior.weight,
        "prior_disaster": prior.disaster,
        "prior_attack": prior.attack,
        "prior_force": prior.attack_force,
        "prior_raid": prior.raid,
        "prior_advance": prior.advance,
        "claim_candidates": menu.claims,
        "work_candidates": menu.works,
        "wall_candidates": menu.walls,
    }


def _physical(scenario: Scenario) -> dict[str, object]:
    claims, works, walls = scenario.claims, scenario.works, scenario.walls
    army, raiders, tribute = scenario.army, scenario.raiders, scenario.tribute
    drawn = scenario.draws
    spread = [drawn.horizon, drawn.sight, drawn.attention, drawn.force]
    loss = scenario.economy.depreciation
    rates = [0.0, loss.settlement, loss.works, loss.army, loss.walls, loss.strategists, loss.scouts, loss.analysts]
    return {
        "ore_weight": scenario.economy.ore_weight,
        "depreciation": np.array(rates, np.float64),
        "volatility": scenario.map.volatility,
        "volatile_low": scenario.map.volatile_low,
        "disaster_turns": scenario.disasters.duration,
        "claim_cost": claims.cost,
        "claim_rugged": claims.ruggedness_cost,
        "claim_growth": claims.growth,
        "claim_lag": claims.lag,
        "claims_per_turn": claims.per_turn,
        "work_gain": np.array([w.gain for w in works.menu], np.float64),
        "work_cost": np.array([w.cost for w in works.menu], np.float64),
        "work_turns": np.array([w.maturity for w in works.menu], np.int32),
        "work_growth": works.growth,
        "works_per_turn": works.per_turn,
        "wall_cost": walls.cost,
        "wall_rate": walls.rate,
        "walls_per_turn": walls.per_turn,
        "war": army.war,
        "army_lag": army.lag,
        "projection": np.exp(-np.arange(scenario.map.width + scenario.map.height) / army.projection),
        "decisiveness": army.decisiveness,
        "loss_winner": army.loss_winner,
        "loss_loser": army.loss_loser,
        "keep_works": army.keep_works,
        "capture_turns": army.disruption,
        "minimum_force": army.minimum,
        "attacks_per_turn": army.per_turn if army.war else 0,
        "raid_rate": raiders.rate,
        "raid_strength": raiders.strength,
        "raid_turns": raiders.disruption,
        "raid_damage": raiders.damage,
        "prize": tribute.prize,
        "prize_decisiveness": tribute.decisiveness,
        "prices_drawn": max(spread) > 1.0,
        "price_spread": np.log(np.array(spread, np.float64)),
    }


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
    """Return whether some seat's reach or rollout can be above 0 in this game; else nothing is ever planned."""
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
    return False


def compile_config(scenario: Scenario, hazard_on: bool = True) -> Config:
    """Return the kernels' view of a scenario.

    ``hazard_on`` may be False only where no cell has any hazard; the rule is then skipped, not changed.
    """
    row, column = np.divmod(np.arange(scenario.n_cells, dtype=np.int32), np.int32(scenario.map.width))
    return Config(
        n_civs=scenario.game.civilizations,
        n_cells=scenario.n_cells,
        width=scenario.map.width,
        height=scenario.map.height,
        torus=scenario.map.torus,
        turns=scenario.game.turns,
        neighbours=neighbour_table(scenario.map.width, scenario.map.height, scenario.map.torus),
        objective=int(Objective[scenario.game.objective.upper()]),
        discount=scenario.game.discount,
        consumption_scale=scenario.game.consumption_scale,
        open=open_categories(scenario),
        row=row,
        column=column,
        hazard_on=hazard_on,
        **_discounting(scenario),  # type: ignore[arg-type]
        **_per_seat(scenario),  # type: ignore[arg-type]
        **_physical(scenario),  # type: ignore[arg-type]
        **_thinking(scenario),  # type: ignore[arg-type]
    )
