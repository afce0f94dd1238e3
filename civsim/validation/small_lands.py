"""Small, still, fully seen lands for planner tests, and the same lands as problems for the exhaustive oracle."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from civsim.base.scenario import Scenario
from civsim.engine.land.geometry import neighbour_table
from civsim.engine.land.landscape import Land
from civsim.engine.world import World
from civsim.validation.exhaustive import Problem
from civsim.validation.hand_made import scenario, split

TURNS = 24
"""Turns of a game unless told otherwise."""

DISCOUNT = 0.98
SHARE = 0.5
"""Share of output that goes to settlement; the rest is consumed."""

RUGGED_COST = 30.0
"""Ruggedness 1 makes a cell cost 31 times as much: a barrier within the game's length."""

FAMILIES = ("lines", "barriers", "rich behind poor", "scattered")


class SmallLand(NamedTuple):
    """A land, its scenario (levels open) and its problem."""

    game: Scenario
    land: Land
    problem: Problem


def blank(width: int, height: int, rng: np.random.Generator) -> tuple[NDArray, NDArray]:
    """Return poor land on which a first claim takes 2 to 8 turns of income: fertility and ruggedness, [cells]."""
    cells = width * height
    return rng.uniform(0.05, 0.35, cells), rng.uniform(0.0, 0.02, cells)


def _lines(rng: np.random.Generator) -> tuple[int, int, NDArray, NDArray, int]:
    """One line with a front at either end; good cells lie at unlike distances."""
    width, height, capital = 9, 2, int(rng.integers(3, 6))
    fertility, rough = blank(width, height, rng)
    rough[width:], fertility[width:] = 1.0, 0.0
    for cell in rng.choice([c for c in range(width) if abs(c - capital) > 1], 2, replace=False):
        fertility[cell] = rng.uniform(0.8, 3.0)
    return width, height, fertility, rough, capital


def _barriers(rng: np.random.Generator) -> tuple[int, int, NDArray, NDArray, int]:
    """A ridge with a pass and a good cell behind it."""
    width, height, capital = 5, 3, 6
    fertility, rough = blank(width, height, rng)
    ridge = np.arange(3) * width + 2
    rough[ridge] = 0.08
    rough[rng.choice(ridge)] = 0.0
    fertility[int(rng.integers(3)) * width + int(rng.integers(3, 5))] = rng.uniform(2.5, 5.0)
    return width, height, fertility, rough, capital


def _behind(rng: np.random.Generator) -> tuple[int, int, NDArray, NDArray, int]:
    """Poor land all round the capital, rich land behind it."""
    width, height, capital = 5, 3, 6
    fertility, rough = blank(width, height, rng)
    rows, columns = np.divmod(np.arange(width * height), width)
    far = np.flatnonzero(np.abs(rows - 1) + np.abs(columns - 1) >= 2)
    fertility[rng.choice(far, 2, replace=False)] = rng.uniform(1.0, 4.0, 2)
    return width, height, fertility, rough, capital


def _scattered(rng: np.random.Generator) -> tuple[int, int, NDArray, NDArray, int]:
    """Heavy-tailed fertility anywhere, uneven costs."""
    width, height = 4, 3
    fertility, rough = blank(width, height, rng)
    fertility *= rng.pareto(1.2, fertility.size) + 0.5
    rough = rng.uniform(0.0, 0.05, rough.size)
    return width, height, np.minimum(fertility, 4.0), rough, int(rng.integers(width * height))


_MAKERS = dict(zip(FAMILIES, (_lines, _barriers, _behind, _scattered), strict=True))


def small_land(family: str, seed: int, turns: int = TURNS) -> SmallLand:
    """Return a land of a family and the game of ``turns`` turns on it; a pure function of the arguments."""
    rng = np.random.default_rng([FAMILIES.index(family), seed])
    width, height, fertility, rough, capital = _MAKERS[family](rng)
    fertility[capital], rough[capital] = 1.0, 0.0
    rules = {"lag": int(rng.integers(0, 3)), "per_turn": 2}
    growth = float(rng.choice([0.0, 0.06]))
    cost = float(rng.uniform(1.2, 4.0))
    game = scenario(
        {"map.width": width, "map.height": height, "map.hazard": 0.0, "game.civilizations": 1, "game.turns": turns},
        game__discount=DISCOUNT,
        game__objective="consumption",
        claims={"cost": cost, "ruggedness_cost": RUGGED_COST, "growth": growth, **rules},
    )
    zero = np.zeros(width * height, np.float32)
    f32, r32 = fertility.astype(np.float32), rough.astype(np.float32)
    site = np.zeros(width * height, np.uint8)
    land = Land(f32, zero, r32, zero, site, np.array([capital], np.int32))
    claim_cost = cost * (1.0 + RUGGED_COST * r32.astype(np.float64))
    table = neighbour_table(width, height, False)
    problem = Problem(
        f32.astype(np.float64),
        claim_cost,
        table,
        capital,
        SHARE,
        growth,
        rules["lag"],
        rules["per_turn"],
        turns,
        DISCOUNT,
    )
    return SmallLand(game, land, problem)


def minded(
    game: Scenario, horizon: int | None, reach: int | None = None, rollout: int | None = None, **other: Any
) -> Scenario:
    """The game for a civilization that sees and attends to everything and thinks ``horizon`` turns ahead.

    ``other`` are further settings of its seat, such as ``attacks``.
    """
    seat = {"levels": {"horizon": horizon, "sight": 32, "attention": 6}, "reach": reach, "rollout": rollout, **other}
    return Scenario.model_validate({**game.model_dump(exclude_unset=True), "seat_default": seat})


def finished(world: World, shares: NDArray[np.float64]) -> World:
    """Return ``world`` after a whole game at ``shares`` [B, N, 8]."""
    while not world.done.all():
        world.step(shares)
    return world


def ready(small: SmallLand, *mind: int | None) -> tuple[World, NDArray[np.float64]]:
    """Return a game about to begin, for the ``mind`` that :func:`minded` is told of, and the fixed shares."""
    world = World(minded(small.game, *mind), land=small.land)
    return world, split(world, settlement=SHARE, consumption=1 - SHARE)


def played(small: SmallLand, horizon: int, reach: int | None = None, rollout: int | None = None) -> World:
    """The world after a whole game at the fixed share."""
    return finished(*ready(small, horizon, reach, rollout))


def value_of(world: World) -> float:
    """Discounted output of the whole game, from discounted consumption."""
    return float(world.state.utility[0, 0, 1]) / (1 - SHARE)
