"""Realms of several seats of thought: made by hand, and what their provinces should be, by plain Python."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from worlds import hold, still_world

from civsim.base.constants import NOBODY
from civsim.engine.land.geometry import _distance, neighbour_table
from civsim.engine.offices.provinces import draw_provinces
from civsim.engine.rules.order import RULES
from civsim.engine.world import World

CAPITAL = 14
"""The capital of the first civilization of a world by hand: row 2, column 2 of 6 by 6 cells."""


def realm(
    cells: Iterable[int], count: int, worlds: int = 1, capitals: Iterable[int] = (CAPITAL,), **changes: Any
) -> World:
    """Return a still world whose first civilization holds the capital and ``cells``, its provinces not yet drawn.

    A seat of thought needs a cell and no more.
    """
    seats = {"count": count, "cells": 1, **changes.pop("seats", {})}
    thinking = {**changes.pop("thinking", {}), "seats": seats}
    world = still_world(worlds, capitals, thinking=thinking, **changes)
    hold(world, 0, *cells)
    return world


def draw(world: World, b: int = 0, i: int = 0) -> None:
    """Draw the provinces of a civilization anew."""
    state, _, config = world.pointers
    draw_provinces(state, config, world._key, world._plan_work[0], b, i)


def by_rule(world: World, shares: NDArray[np.float64], after: Callable[[str], None], replay: bool = False) -> None:
    """Play a turn rule by rule and call ``after`` with the name of each."""
    np.copyto(world._shares, shares)
    work = (world._replay_chunks[0] if replay else world._plan_work)[0]
    for rule in RULES:
        rule(*world.pointers, world._key, work)
        after(str(rule.__name__).lstrip("_"))


def steps_along(world: World, own: set[int], start: int) -> dict[int, int]:
    """Return the steps from ``start`` to every cell that own land joins to it, breadth first."""
    land = world.scenario.map
    beside = neighbour_table(land.width, land.height, land.torus)
    steps, queue = {start: 0}, deque([start])
    while queue:
        cell = queue.popleft()
        for other in beside[cell].tolist():
            if other in own and other not in steps:
                steps[other] = steps[cell] + 1
                queue.append(other)
    return steps


def as_the_crow_flies(world: World, a: int, b: int) -> int:
    """Return the steps between two cells whatever lies between."""
    land = world.scenario.map
    return _distance(a, b, land.width, land.height, land.torus)


def assigned(world: World, own: set[int], seats: list[int]) -> dict[int, int]:
    """Return the seat of thought that each own cell belongs to: nearest by own land, else as the crow flies."""
    ways = [steps_along(world, own, seat) for seat in seats]
    found = {}
    for cell in own:
        by_land = [(way[cell], office) for office, way in enumerate(ways) if cell in way]
        in_the_air = [(as_the_crow_flies(world, seat, cell), office) for office, seat in enumerate(seats)]
        found[cell] = min(by_land or in_the_air)[1]
    return found


def worth(world: World, cell: int, b: int = 0) -> float:
    """Return the output of a cell in the long run, with its works."""
    state, game = world.state, world.scenario
    fertility = float(state.fertility[b, cell])
    if game.map.volatility > 0.0 and state.site[b, cell]:
        fertility *= 0.5 * (1.0 + game.map.volatile_low)
    return fertility * (1.0 + float(state.works[b, cell])) + game.economy.ore_weight * float(state.ore[b, cell])


def merits(world: World, own: set[int], seats: list[int], b: int = 0) -> dict[int, float]:
    """Return way to the nearest seat times output, of every own cell without one."""
    ways = [steps_along(world, own, seat) for seat in seats]
    return {
        cell: min(way.get(cell, world.n_cells) for way in ways) * worth(world, cell, b)
        for cell in own
        if cell not in seats
    }


def own_cells(world: World, b: int = 0, i: int = 0) -> set[int]:
    """Return the cells of a civilization."""
    return set(np.flatnonzero(world.state.owner[b] == i).tolist())


def offices(world: World, b: int = 0, i: int = 0) -> list[int]:
    """Return the cells on which the seats of thought of a civilization stand."""
    state = world.state
    return state.office_cell[b, i, : state.office_count[b, i]].tolist()


def counted(world: World) -> NDArray[np.int64]:
    """Return the cells of each province, counted: [B, N, O]."""
    s = world.state
    n, most = s.office_cells.shape[1:]
    held = (s.owner[:, None, None] == np.arange(n)[:, None, None]) & (
        s.province[:, None, None] == np.arange(most)[:, None]
    )
    return held.sum(axis=-1)


def check_choice(world: World, b: int = 0, i: int = 0) -> None:
    """Make sure that seats stand where the greedy rule puts them, up to ties, and cells belong where they should."""
    own, seats = own_cells(world, b, i), offices(world, b, i)
    assert seats[0] == world.state.capital[b, i]
    thought = world.scenario.thought(i)
    assert len(seats) == max(min(thought.count, len(own) // thought.cells), 1)
    for place in range(1, len(seats)):
        found = merits(world, own, seats[:place], b)
        assert found[seats[place]] >= (1.0 - 1e-5) * max(found.values())
    province = world.state.province[b]
    assert {cell: int(province[cell]) for cell in own} == assigned(world, own, seats)
    assert (province[world.state.owner[b] == NOBODY] == NOBODY).all()
