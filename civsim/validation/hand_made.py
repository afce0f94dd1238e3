"""Hand-made worlds: settings by dotted path, land by hand, shares and orders by hand, states to compare."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from civsim.base.constants import N_CATEGORIES, Category, OrderKind
from civsim.base.scenario import Scenario
from civsim.engine.land.landscape import Land
from civsim.engine.offices.provinces import house_at_capital
from civsim.engine.state import PHYSICAL_FIELDS, Orders, allocate_orders
from civsim.engine.world import World


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


def bits(world: World, names: Iterable[str] = PHYSICAL_FIELDS, row: int | None = None) -> dict[str, bytes]:
    """Return the bytes of state fields, of the whole batch or of one row, for comparison bit for bit."""
    return {
        name: (getattr(world.state, name) if row is None else getattr(world.state, name)[row]).tobytes()
        for name in names
    }


def differing(a: Mapping[str, bytes], b: Mapping[str, bytes]) -> list[str]:
    """Return the names under which the bytes differ; nothing where all agree."""
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
            house_at_capital(*world.pointers[::2], b, civilization)
            if before >= 0:
                house_at_capital(*world.pointers[::2], b, before)
    state.near_fresh[:] = 0
