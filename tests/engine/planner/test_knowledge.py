"""The planner knows nothing that its civilization cannot know.

Statically: no planner module reads a hidden field of the state. And in play: stopped just before it deliberates, a
civilization decides the same whatever is true where it cannot see, each kind of hidden truth scrambled apart.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from functools import cache, partial
from itertools import zip_longest
from typing import Any, NamedTuple

import numpy as np
import pytest
from planning import pause
from tree import Module, imports_of, modules
from worlds import BUSY, random_shares, scenario, with_levels

from civsim.base.constants import NEVER, NOBODY, Category, Channel, OrderKind
from civsim.engine.rules.deliberation import deliberate
from civsim.engine.state import State
from civsim.engine.world import World

OWN_ROW = {"salience", "noise", "witness", "seen_sum", "prior_fertility"}
"""Fields a planner module may read, at its own civilization's row alone."""
WRITTEN = {"plan_kind", "plan_cell", "plan_value", "plan_turn", "plans", "band_aim"}
"""Fields it writes, at that row alone: the note of the last plan, and what bands were believed to make for."""
CLOCK = {"turn", "world_id"}
"""Fields it may read of its world."""
DOORS = ("civsim.engine.planner", "civsim.engine.knowledge")
"""Rooms whose kernels it may hand the state on to."""
PLANNER = [module for module in modules() if module.name.startswith("civsim.engine.planner.")]


def subscript(node: ast.Subscript) -> list[str]:
    """The names that index an array, '' for anything but a name."""
    parts = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
    return [part.id if isinstance(part, ast.Name) else "" for part in parts]


def leaks(module: Module) -> Iterator[str]:
    """Where a planner module reads the state other than through the door."""
    home = {
        name.rsplit(".", 1)[1]: name.rsplit(".", 1)[0] for _, name in imports_of(module) if name.startswith("civsim.")
    }
    parents = {child: node for node in ast.walk(module.tree) for child in ast.iter_child_nodes(node)}
    for node in ast.walk(module.tree):
        if not (isinstance(node, ast.Name) and node.id == "state"):
            continue
        user = parents[node]
        if isinstance(user, ast.Call) and isinstance(user.func, ast.Name):
            if not home.get(user.func.id, module.name).startswith(DOORS):
                yield f"{module.name}:{node.lineno} hands the state to {user.func.id}"
            continue
        if not isinstance(user, ast.Attribute):
            yield f"{module.name}:{node.lineno} takes hold of the state"
            continue
        at = parents[user]
        row = subscript(at)[:2] if isinstance(at, ast.Subscript) else []
        own = user.attr in OWN_ROW | WRITTEN and row == ["b", "i"]
        if not own and not (user.attr in CLOCK and row == ["b"]):
            yield f"{module.name}:{node.lineno} reads state.{user.attr}"


@pytest.mark.parametrize("module", PLANNER, ids=lambda module: module.name)
def test_a_planner_module_reads_no_hidden_field(module: Module) -> None:
    assert list(leaks(module)) == []
    above = ("civsim.engine.rules", "civsim.engine.state", "civsim.engine.world", "civsim.engine.observation")
    assert [name for _, name in imports_of(module) if name.startswith(above)] == []


@pytest.mark.parametrize(
    "line",
    [
        "state.ore[b, c]",
        "state.witness[b, j]",
        "state.stock[b, i, 1]",
        "power_int(state, 2)",
        "(lambda s: s.ore)(state.turn)",
        "other = state",
    ],
)
def test_the_check_sees_a_leak(line: str) -> None:
    source = f"from civsim.engine.formulas import power_int\ndef _f(state, b, c, i, j):\n    {line}\n"
    assert list(leaks(Module("civsim.engine.planner.bad", PLANNER[0].path, ast.parse(source))))


Scramble = Callable[[State, int, np.random.Generator], None]
WORLDS, TURNS = 4, (2, 7, 13)
LAG = 3
CROWDED = {
    "map.width": 6,
    "map.height": 6,
    "claims.lag": LAG,
    "army.price": 0.2,
    "thinking.prior": {"attack": 0.1, "raid": 0.1},
}
"""Rivals within reach and their parties under way, walls worth raising."""
BLOCKED = {"walls.block": 2.0, "map.block": 2.0, "army.siege": 0.5, "raiders.rate": 0.6}
"""Walls and land that block, walls that are breached in time."""


def never_seen(field: str, most: float) -> Scramble:
    """Scramble what lasts of the cells that civilization ``i`` of row 0 … B − 1 has never seen."""

    def scramble(state: State, i: int, rng: np.random.Generator) -> None:
        values, hidden = getattr(state, field), state.seen[:, i] == NEVER
        drawn = rng.uniform(0.0, most, values.shape) if values.dtype.kind == "f" else rng.integers(0, 2, values.shape)
        values[hidden] = drawn[hidden].astype(values.dtype)

    return scramble


def out_of_sight(field: str, least: int, most: int) -> Scramble:
    """Scramble the present state of cells that are not in sight this turn."""

    def scramble(state: State, i: int, rng: np.random.Generator) -> None:
        values, hidden = getattr(state, field), state.seen[:, i] != state.turn[:, None]
        drawn = rng.integers(least, most, values.shape)
        values[hidden] = drawn[hidden].astype(values.dtype)

    return scramble


def others_land(state: State, i: int, rng: np.random.Generator) -> None:
    """Scramble who holds the cells out of sight, among everybody else."""
    hidden = (state.seen[:, i] != state.turn[:, None]) & (state.owner != i)
    holders = np.array([NOBODY, *(j for j in range(state.alive.shape[1]) if j != i)])
    state.owner[hidden] = rng.choice(holders, state.owner.shape)[hidden]


def not_own(field: str) -> Scramble:
    """Scramble what is known of own cells alone: disruption and works under way."""

    def scramble(state: State, i: int, rng: np.random.Generator) -> None:
        values, hidden = getattr(state, field), state.owner != i
        values[hidden] = rng.integers(0, 3, values.shape)[hidden].astype(values.dtype)
        state.work_kind[hidden] = 0

    return scramble


def rivals_row(*fields: str) -> Scramble:
    """Scramble the rivals' rows of fields that every civilization has a row of."""

    def scramble(state: State, i: int, rng: np.random.Generator) -> None:
        for field in fields:
            values = getattr(state, field)
            for j in range(values.shape[1]):
                if j != i:
                    flat = values[:, j].reshape(-1)
                    values[:, j] = rng.permutation(flat).reshape(values[:, j].shape)
                    if values.dtype.kind == "f":
                        values[:, j] *= rng.uniform(0.0, 3.0, values[:, j].shape).astype(values.dtype)

    return scramble


def parties_unseen(state: State, i: int, rng: np.random.Generator) -> None:
    """Scramble rivals' parties but those under way to a cell in view: where they make for, and when they are there."""
    b, rivals = np.arange(len(state.turn)), np.arange(state.alive.shape[1]) != i
    goal, now = state.party_cell, state.turn[:, None, None]
    watched = np.take_along_axis(state.seen[:, i][:, None, :], np.maximum(goal, 0), axis=2) == now
    old = watched & (goal >= 0) & (state.party_due - now < LAG)
    for row in b:
        out = np.flatnonzero(state.seen[row, i] != state.turn[row])
        for j, slot in zip(*np.nonzero(rivals[:, None] & ~old[row]), strict=True):
            sent_now = rng.random() < 0.5
            cells = np.arange(state.owner.shape[1]) if sent_now else out
            goal[row, j, slot] = rng.choice([NOBODY, *cells])
            state.party_due[row, j, slot] = state.turn[row] + (LAG if sent_now else rng.integers(1, LAG + 1))


def bands_unseen(state: State, i: int, rng: np.random.Generator) -> None:
    """Scramble bands out of sight, and what all of them make for."""
    hidden = state.band_turn[:, i] != state.turn[:, None]
    cells = state.owner.shape[1]
    state.band_target[...] = rng.integers(-1, cells, state.band_target.shape)
    state.band_cell[hidden] = rng.integers(-1, cells, state.band_cell.shape)[hidden]
    state.band_strength[hidden] = rng.uniform(0.0, 9.0, state.band_strength.shape)[hidden]
    state.band_came[hidden] = rng.integers(-1, state.turn.max() + 1, state.band_came.shape)[hidden]
    state.band_next[...] = rng.integers(-1, cells, state.band_next.shape)
    state.band_left[...] = rng.integers(0, 9, state.band_left.shape)


KINDS: dict[str, Scramble] = {
    "fertility": never_seen("fertility", 6.0),
    "ore": never_seen("ore", 6.0),
    "ruggedness": never_seen("ruggedness", 1.0),
    "hazard": never_seen("hazard", 0.9),
    "site": never_seen("site", 1.0),
    "works": out_of_sight("works", 0, 9),
    "wall": out_of_sight("wall", 0, 9),
    "site_state": out_of_sight("site_state", 0, 2),
    "owner": others_land,
    "disrupted": not_own("disrupted"),
    "work_left": not_own("work_left"),
    "stock": rivals_row("stock", "muster", "output", "spent", "consumption", "tribute"),
    "parties": parties_unseen,
    "levels": rivals_row("level", "salience"),
    "witness": rivals_row("witness", "seen_sum", "prior_fertility", "gains", "losses", "utility", "reward"),
    "knowledge": rivals_row(
        "seen", "near", "known_owner", "known_works", "known_wall", "known_site", "force_seen", "force_turn",
        "known_capital", "band_seen", "band_turn", "band_since", "band_from", "band_aim", "noise", "plan_kind",
        "plan_cell", "plan_value", "plan_turn",
    ),
    "seats": rivals_row("capital", "cells"),
    "bands": bands_unseen,
}  # fmt: skip


class Scene(NamedTuple):
    """A world stopped where civilizations deliberate, and its state there."""

    world: World
    state: State

    def put_back(self) -> State:
        """Set the world's state back to the scene's and return it."""
        for field, kept in zip(self.world.state, self.state, strict=True):
            field[...] = kept
        return self.world.state


@cache
def scene(sight: int, turn: int, land: bool = True, mind: int = 1, blocked: bool = False) -> Scene:
    """A busy world with funds for every kind of order; without ``land`` for works and walls alone.

    Rivals are rolled on only as far as the game of 20 turns: ``mind`` is the level of mind.
    """
    game = scenario({**BUSY, **CROWDED, **(BLOCKED if blocked else {})})
    world = World(with_levels(game, 3, sight, 6, levels_of_mind=mind), WORLDS, seed=5)
    rng = np.random.default_rng(turn)
    for _ in range(turn):
        world.step(random_shares(world, rng))
    pause(world, random_shares(world, rng))
    world.state.stock[:, :, Category.SETTLEMENT] += 4.0
    world.state.stock[:, :, [Category.WORKS, Category.WALLS]] += 3.0
    world.state.stock[:, :, Category.ARMY] += 12.0
    if not land:
        world.state.stock[:, :, [Category.SETTLEMENT, Category.ARMY]] = 0.0
    return Scene(world, State(*(field.copy() for field in world.state)))


Order = tuple[int, int, int]


def orders_of(world: World, b: int, i: int) -> list[Order]:
    """What a civilization of a stopped world decides: (kind, cell, menu entry) of its orders, in turn."""
    state, orders, config = world.pointers
    for field, empty in (("kind", -1), ("cell", -1), ("choice", 0), ("status", 0)):
        getattr(world.orders, field)[b] = empty
    deliberate(state, orders, config, world._key, world._plan_work[0], b, i)
    given = world.orders
    rows = zip(given.kind[b, i].tolist(), given.cell[b, i].tolist(), given.choice[b, i].tolist(), strict=True)
    return [row for row in rows if row[0] >= 0]


def truth(state: State, b: int, order: Order, blocked: bool = False) -> tuple[float | bytes, ...]:
    """What the resolution of an order reads, or makes known of a cell taken, beyond what is its civilization's own."""
    kind, cell, _ = order
    if kind not in (OrderKind.CLAIM, OrderKind.ATTACK):
        return ()
    holder, cost = int(state.owner[b, cell]), float(state.ruggedness[b, cell])
    if kind == OrderKind.CLAIM or holder < 0:
        return holder, cost
    guard = float(state.stock[b, holder, Category.ARMY]), float(state.capital[b, holder])
    # Armies march over what blocks them, wherever it lies.
    ways = tuple(getattr(state, field)[b].tobytes() for field in ("owner", "wall", "ruggedness") if blocked)
    return (
        *ways,
        holder,
        cost,
        *guard,
        *(float(getattr(state, field)[b, cell]) for field in ("wall", "works", "disrupted")),
    )


def decided(at: Scene, i: int, scramble: Callable[[State], None]) -> dict[int, list[tuple[Order, Any]]]:
    """By world: each order that civilization ``i`` decides in a scrambled scene, with the truth it will meet."""
    state = at.put_back()
    scramble(state)
    scrambled = state._replace(**{name: getattr(state, name).copy() for name in SCRAMBLED})
    living, blocked = [int(b) for b in np.flatnonzero(at.state.alive[:, i])], bool(at.world.config.blocks)
    return {b: [(order, truth(scrambled, b, order, blocked)) for order in orders_of(at.world, b, i)] for b in living}


@cache
def fair(
    sight: int, turn: int, land: bool, i: int, mind: int = 1, blocked: bool = False
) -> dict[int, list[tuple[Order, Any]]]:
    """What civilization ``i`` decides in the scene as it is."""
    return decided(scene(sight, turn, land, mind, blocked), i, lambda state: None)


def differences(kind: Scramble, sight: int, land: bool, mind: int = 1, blocked: bool = False) -> tuple[list[str], int]:
    """Orders decided otherwise under a scramble, up to the first whose own resolution differs; and orders compared."""
    wrong, compared = [], 0
    for turn in TURNS:
        at = scene(sight, turn, land, mind, blocked)
        for i in range(at.world.n_civilizations):
            rng = np.random.default_rng(100 * turn + i)
            other = decided(at, i, partial(kind, i=i, rng=rng))
            for b, orders in fair(sight, turn, land, i, mind, blocked).items():
                for first, second in zip_longest(orders, other[b]):
                    compared += 1
                    if first is None or second is None or first[0] != second[0]:
                        wrong.append(f"turn {turn}, world {b}, civilization {i}: {first} became {second}")
                        break
                    if first[1] != second[1]:
                        break
    return wrong, compared


SCRAMBLED = ("owner", "wall", "ruggedness", "works", "disrupted", "stock", "capital")
"""Fields that :func:`truth` reads."""


@pytest.mark.parametrize(("land", "mind"), [(True, 1), (True, 2), (True, 3), (False, 1)])
@pytest.mark.parametrize("sight", [0, 1, 3])
@pytest.mark.parametrize("kind", KINDS)
def test_what_cannot_be_known_decides_nothing(kind: str, sight: int, land: bool, mind: int) -> None:
    wrong, compared = differences(KINDS[kind], sight, land, mind)
    assert compared > 30
    assert not wrong, wrong[:5]


@pytest.mark.parametrize("land", [True, False], ids=["all orders", "works and walls alone"])
@pytest.mark.parametrize("sight", [1, 3])
@pytest.mark.parametrize("kind", ["ruggedness", "wall", "owner", "stock", "knowledge", "seats", "bands"])
def test_nor_where_walls_and_land_block(kind: str, sight: int, land: bool) -> None:
    wrong, compared = differences(KINDS[kind], sight, land, blocked=True)
    assert compared > 30
    assert not wrong, wrong[:5]


@pytest.mark.parametrize("sight", [0, 1, 3])
def test_what_is_known_decides(sight: int) -> None:
    def known(state: State, i: int, rng: np.random.Generator) -> None:
        state.fertility[...] = rng.uniform(0.0, 6.0, state.fertility.shape)

    assert differences(known, sight, land=True)[0]


@pytest.mark.parametrize("mind", [1, 2, 3])
def test_parties_in_view_decide(mind: int) -> None:
    def sent(state: State, i: int, rng: np.random.Generator) -> None:
        for b, j in np.argwhere(state.alive & (np.arange(state.alive.shape[1]) != i)):
            state.party_cell[b, j, 0] = rng.choice(np.flatnonzero(state.seen[b, i] == state.turn[b]))
            state.party_due[b, j, 0] = state.turn[b] + 1

    assert differences(sent, 3, True, mind)[0]


def test_the_scenes_are_eventful() -> None:
    given = [order for turn in TURNS for i in range(3) for row in fair(3, turn, True, i).values() for order, _ in row]
    assert {kind for kind, _, _ in given} == {OrderKind.CLAIM, OrderKind.ATTACK, OrderKind.WORK, OrderKind.WALL}
    assert all((scene(3, turn).state.level[:, :, Channel.HORIZON] == 3).all() for turn in TURNS)
