"""Hand-made worlds for tests: settings by dotted path, land by hand, orders by hand, states to compare."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from civsim.base.config import Scenario
from civsim.base.constants import N_CATEGORIES, Category, OrderKind
from civsim.engine.landscape import Land
from civsim.engine.state import PHYSICAL_FIELDS, Orders, allocate_orders, orders_per_turn
from civsim.engine.world import World

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


def scenario(base: Mapping[str, Any] | None = None, **changes: Any) -> Scenario:
    """Return a scenario from settings by path; in keywords a double underscore stands for the dot."""
    tables: dict[str, Any] = {}
    for path, value in {**(base or {}), **{name.replace("__", "."): v for name, v in changes.items()}}.items():
        *parents, leaf = path.split(".")
        table = tables
        for parent in parents:
            # A copy: tables given by the caller are not written to.
            table[parent] = dict(table.get(parent, {}))
            table = table[parent]
        known = table.get(leaf)
        table[leaf] = {**known, **value} if isinstance(known, dict) and isinstance(value, dict) else value
    return Scenario.model_validate(tables)


def with_levels(game: Scenario, horizon: int | None, sight: int | None, attention: int | None, **seat: Any) -> Scenario:
    """Return ``game`` with the same exogenous levels (None: bought) for every seat."""
    table = game.model_dump(exclude_unset=True)
    levels = {"horizon": horizon, "sight": sight, "attention": attention}
    table["seat_default"] = {**table.get("seat_default", {}), "levels": levels, **seat}
    table.pop("seats", None)
    return Scenario.model_validate(table)


def flat_land(game: Scenario, capitals: Iterable[int], fertility: float = 1.0, **cells: Mapping[int, float]) -> Land:
    """Return even land with exceptions: ``ore={5: 2.0}`` puts two units of ore in cell 5, and so on."""
    n = game.n_cells
    fields: dict[str, NDArray[Any]] = {
        "fertility": np.full(n, fertility, np.float32),
        "ore": np.zeros(n, np.float32),
        "ruggedness": np.zeros(n, np.float32),
        "hazard": np.zeros(n, np.float32),
        "site": np.zeros(n, np.uint8),
    }
    for name, values in cells.items():
        for cell, value in values.items():
            fields["fertility" if name == "rich" else name][cell] = value
    return Land(capitals=np.array(list(capitals), np.int32), **fields)


def split(world: World, **weights: float) -> NDArray[np.float64]:
    """Return shares [B, N, 8]: these weights for every civilization, scaled to sum to 1."""
    row = np.zeros(N_CATEGORIES)
    for name, weight in weights.items():
        row[Category[name.upper()]] = weight
    row /= row.sum()
    return np.broadcast_to(row, (world.n_worlds, world.n_civilizations, N_CATEGORIES)).copy()


def random_shares(world: World, rng: np.random.Generator) -> NDArray[np.float64]:
    """Return Dirichlet shares over the open categories."""
    shares = np.zeros((world.n_worlds, world.n_civilizations, N_CATEGORIES))
    opened = np.flatnonzero(world.open)
    shares[..., opened] = rng.dirichlet(np.ones(opened.size), shares.shape[:2])
    return shares


def no_orders(world: World) -> Orders:
    """Return an empty record of orders for the whole batch."""
    return allocate_orders(world.scenario, world.n_worlds)


def given_orders(world: World, *orders: tuple[int, OrderKind, int] | tuple[int, OrderKind, int, int]) -> Orders:
    """Return orders (civilization, kind, cell[, choice]), the same in every world of the batch."""
    record = no_orders(world)
    used = [0] * world.n_civilizations
    for civilization, kind, cell, *choice in orders:
        slot = used[civilization]
        record.kind[:, civilization, slot] = kind
        record.cell[:, civilization, slot] = cell
        record.choice[:, civilization, slot] = choice[0] if choice else 0
        used[civilization] += 1
    return record


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
    from civsim.engine.geometry import neighbour_table

    settings = world.scenario.map
    return [int(c) for c in neighbour_table(settings.width, settings.height, settings.torus)[cell] if c >= 0]


def copied(orders: Orders) -> Orders:
    """Return a copy of a record of orders."""
    return Orders(*(values.copy() for values in orders))


def bits(world: World, names: Iterable[str] = PHYSICAL_FIELDS, row: int | None = None) -> dict[str, bytes]:
    """Return the bytes of state fields, of the whole batch or of one row, for comparison bit for bit."""
    return {
        name: (getattr(world.state, name) if row is None else getattr(world.state, name)[row]).tobytes()
        for name in names
    }


def differing(a: Mapping[str, bytes], b: Mapping[str, bytes]) -> list[str]:
    """Return the names whose bytes differ (a readable assertion: ``assert not differing(x, y)``)."""
    return [name for name in a if a[name] != b[name]]


def hold(world: World, civilization: int, *cells: int) -> None:
    """Give cells to a civilization by hand, in every world of the batch, as if it had always held them."""
    state = world.state
    for cell in cells:
        for b in range(world.n_worlds):
            before = state.owner[b, cell]
            if before >= 0:
                state.cells[b, before] -= 1
            state.owner[b, cell] = civilization
            state.cells[b, civilization] += 1
    state.near_fresh[:] = 0


def still_world(worlds: int = 1, capitals: Iterable[int] = (14,), seed: int = 0, **changes: Any) -> World:
    """Return even, still worlds on a 6×6 map with capitals by hand (default: one, at row 2, column 2)."""
    capitals = list(capitals)
    fertility = changes.pop("fertility", 1.0)
    rich = {name: changes.pop(name) for name in ("rich", "ore", "ruggedness", "hazard", "site") if name in changes}
    game = scenario(STILL, **{"game__civilizations": len(capitals), **changes})
    return World(game, worlds, seed, land=flat_land(game, capitals, fertility, **rich))
