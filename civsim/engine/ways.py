"""Ways as they are: where bands of raiders go, and how far an army projects, over walls and land that block.

Nothing is kept from turn to turn: what a rule asks for is found from the walls and borders as they stand and holds in
the thread's working space until :func:`forget_ways` is called, by whoever changes a wall or a border.
"""

from __future__ import annotations

import math

import numpy as np

from civsim.base.constants import NOBODY, Category
from civsim.base.kernels import kernel
from civsim.engine.formulas import lure, projected, projected_force, rank
from civsim.engine.land.ways import Way, delay, find_ways


def _forget_ways(cfg, work):
    """Say that walls or borders have changed, or that another world is looked at: no army's ways stand any more."""
    if cfg.blocks:
        work.ways[Way.MADE, : cfg.n_civs] = 0


forget_ways = kernel(_forget_ways)


def _enter_truly(state, cfg, ways, b, mover):
    """Write to row ENTER the turns that entering each cell takes civilization ``mover``, past any wall but its own.

    NOBODY, a band of raiders, is blocked by every wall.
    """
    for c in range(cfg.n_cells):
        own = mover != NOBODY and state.owner[b, c] == mover
        ways[Way.ENTER, c] = 1 + delay(cfg, 0.0 if own else state.wall[b, c], state.ruggedness[b, c])


enter_truly = kernel(_enter_truly)


def _find_army(state, cfg, work, b, i):
    """Find the ways of the army of civilization ``i`` from its capital, unless that is done."""
    ways = work.ways
    if ways[Way.MADE, i]:
        return
    enter_truly(state, cfg, ways, b, i)
    find_ways(cfg, ways, np.int64(Way.ENTER), state.capital[b, i])
    ways[Way.FORCE + i] = ways[Way.WAY]
    ways[Way.MADE, i] = 1


find_army = kernel(_find_army)


def _projection_over(cfg, way):
    """Return e^(−way/λ), the share of an army that counts ``way`` turns from its base."""
    if way < cfg.projection.shape[0]:
        return cfg.projection[way]
    return math.exp(-way / cfg.force_length)


projection_over = kernel(_projection_over)


def _share_over(cfg, way):
    """Return what is left over ``way`` turns, however many, of what draws a band to a cell: 1 / (1 + way)^way."""
    if way < cfg.raid_nearness.shape[0]:
        return lure(cfg, 1.0, way)
    return (1.0 + way) ** -cfg.raid_way


share_over = kernel(_share_over)


def _lure_over(cfg, prize, way):
    """Return what draws a band to a held cell ``way`` turns on, however far that is: prize / (1 + way)^way (output)."""
    return prize * share_over(cfg, way)


lure_over = kernel(_lure_over)


def _force_at(state, cfg, work, b, i, cell):
    """Return the force civilization ``i`` brings to bear at ``cell`` over what blocks it (units of force)."""
    if not cfg.blocks:
        return projected_force(state, cfg, b, i, cell)
    find_army(state, cfg, work, b, i)
    army = float(state.stock[b, i, Category.ARMY])
    return projected(army, projection_over(cfg, work.ways[Way.FORCE + i, cell]))


force_at = kernel(_force_at)


def _next_cell(cfg, key, world, ways, at):
    """Return the cell after ``at`` on the cheapest way to where the last search started; ties by the keyed rank.

    From the target's own search: entering the target costs the same whichever way is taken. What that has not met is
    farther than what it has.
    """
    best, way = np.int64(NOBODY), ways[Way.WAY]
    for side in range(cfg.neighbours.shape[1]):
        other = np.int64(cfg.neighbours[at, side])
        if other < 0 or other == best or way[other] < 0 or (best >= 0 and way[other] > way[best]):
            continue
        if best < 0 or way[other] < way[best] or rank(key, world, other) > rank(key, world, best):
            best = other
    return best


next_cell = kernel(_next_cell)
