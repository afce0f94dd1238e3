"""Hand-made worlds for tests: settings by dotted path, land by hand, orders by hand, states to compare."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from civsim.base.constants import N_CATEGORIES, OrderKind
from civsim.base.scenario import Scenario
from civsim.engine.state import SPEC, Orders, orders_per_turn
from civsim.engine.world import World
from civsim.validation.hand_made import bits as bits
from civsim.validation.hand_made import differing as differing
from civsim.validation.hand_made import flat_land as flat_land
from civsim.validation.hand_made import given_orders as given_orders
from civsim.validation.hand_made import hold as hold
from civsim.validation.hand_made import no_orders as no_orders
from civsim.validation.hand_made import scenario as scenario
from civsim.validation.hand_made import split as split

STILL: dict[str, Any] = {
    "map.width": 6,
    "map.height": 6,
    "map.hazard": 0.0,
    "map.site_density": 0.0,
    "map.ore_density": 0.0,
    "game.civilizations": 1,
    "game.turns": 20,
    "claims.growth": 0.0,
    "thinking.price": {"horizon": 2.0, "sight": 2.0, "attention": 3.0},
    "thinking.max_horizon": 64,
    "thinking.max_sight": 32,
}
"""A small world in which nothing happens by chance."""

BUSY: dict[str, Any] = {
    "map.width": 8,
    "map.height": 8,
    "map.ridge_height": 0.6,
    "map.site_density": 0.15,
    "map.ore_density": 0.2,
    "map.hazard": 0.05,
    "map.volatility": 0.1,
    "game.civilizations": 3,
    "game.turns": 20,
    "claims.cost": 2.0,
    "claims.lag": 1,
    "raiders.rate": 0.3,
    "raiders.strength": 2.0,
    "tribute.prize": 1.0,
    "army.minimum": 0.2,
    "army.lag": 1,
    "thinking.noise": 0.2,
    "thinking.price": {"horizon": 2.0, "sight": 2.0, "attention": 3.0},
    "thinking.max_horizon": 64,
    "thinking.max_sight": 32,
}
"""A small world with every rule on."""


def with_levels(game: Scenario, horizon: int | None, sight: int | None, attention: int | None, **seat: Any) -> Scenario:
    """Return ``game`` with the same exogenous levels (None: bought) for every seat."""
    table = game.model_dump(exclude_unset=True)
    levels = {"horizon": horizon, "sight": sight, "attention": attention}
    table["seat_default"] = {**table.get("seat_default", {}), "levels": levels, **seat}
    table.pop("seats", None)
    return Scenario.model_validate(table)


def random_shares(world: World, rng: np.random.Generator) -> NDArray[np.float64]:
    """Return Dirichlet shares over the open categories."""
    shares = np.zeros((world.n_worlds, world.n_civilizations, N_CATEGORIES))
    opened = np.flatnonzero(world.open)
    shares[..., opened] = rng.dirichlet(np.ones(opened.size), shares.shape[:2])
    return shares


def random_orders(world: World, rng: np.random.Generator) -> Orders:
    """Return well-formed random orders; many touch own and bordering cells, some are stale and will be void."""
    record = no_orders(world)
    shape = record.kind.shape
    record.kind[:] = rng.integers(-1, len(OrderKind) - 1, shape)
    record.cell[:] = rng.integers(0, world.n_cells, shape)
    record.choice[:] = rng.integers(0, len(world.scenario.works.menu), shape)
    owner = world.state.owner
    for b in range(world.n_worlds):
        for i in range(world.n_civilizations):
            own = np.flatnonzero(owner[b] == i)
            if own.size == 0:
                continue
            for k in range(orders_per_turn(world.scenario)):
                at = int(rng.choice(own))
                if record.kind[b, i, k] in (OrderKind.CLAIM, OrderKind.ATTACK):
                    at = int(rng.choice(neighbours(world, at)))
                if rng.random() < 0.8:
                    record.cell[b, i, k] = at
            none = record.kind[b, i] == OrderKind.NONE
            record.cell[b, i][none] = -1
    return record


def neighbours(world: World, cell: int) -> list[int]:
    """Return the cells beside ``cell``."""
    from civsim.engine.land.geometry import neighbour_table

    settings = world.scenario.map
    return [int(c) for c in neighbour_table(settings.width, settings.height, settings.torus)[cell] if c >= 0]


def copied(orders: Orders) -> Orders:
    """Return a copy of a record of orders."""
    return Orders(*(values.copy() for values in orders))


def still_world(worlds: int = 1, capitals: Iterable[int] = (14,), seed: int = 0, **changes: Any) -> World:
    """Return even, still worlds on a 6×6 map with capitals by hand (default: one, at row 2, column 2)."""
    capitals = list(capitals)
    fertility = changes.pop("fertility", 1.0)
    rich = {name: changes.pop(name) for name in ("rich", "ore", "ruggedness", "hazard", "site") if name in changes}
    game = scenario(STILL, **{"game__civilizations": len(capitals), **changes})
    return World(game, worlds, seed, land=flat_land(game, capitals, fertility, **rich))


def whole(world: World) -> dict[str, bytes]:
    """Return everything a world is, as bytes."""
    orders = {f"orders.{name}": values.tobytes() for name, values in world.orders._asdict().items()}
    return {**bits(world, SPEC), **orders, "shares": world.shares.tobytes()}
