"""Ways as believed: over the walls and the land that a civilization knows, for its own army, rivals' and bands."""

from __future__ import annotations

import numpy as np

from civsim.base.constants import NOBODY, TIE
from civsim.base.kernels import kernel
from civsim.engine.formulas import projection_to
from civsim.engine.knowledge.beliefs import believed_ruggedness, source_cell
from civsim.engine.knowledge.land import known_rival, known_wall, owns
from civsim.engine.knowledge.others import known_seat
from civsim.engine.knowledge.own import own_seat, own_wall
from civsim.engine.land.geometry import edge_cell, edge_length, steps_between
from civsim.engine.land.ways import Way, delay, find_ways, find_ways_to
from civsim.engine.ways import forget_ways, next_cell, projection_over
from civsim.engine.work import Base, Clock, Count, Realm

CLEARLY = 1.0 - 2.0 * TIE
"""The share of the best lure below which a cell is no tie with it."""


def _enter_as_believed(state, cfg, work, b, i, mover, row):
    """Write to ``row`` the turns that entering each cell is believed to take ``mover``, whose own walls are open to it.

    ``mover`` is a civilization, or NOBODY: a band of raiders.
    """
    for each in range(cfg.n_cells):
        c = np.int64(each)
        own = owns(state, b, i, c)
        wall = own_wall(state, b, i, c) if own else known_wall(state, b, i, source_cell(cfg, work.scalars, c))
        if mover != NOBODY and (own if mover == i else known_rival(state, b, i, c) == mover):
            wall = 0.0
        work.ways[row, c] = 1 + delay(cfg, wall, believed_ruggedness(state, cfg, work, b, i, c))


enter_as_believed = kernel(_enter_as_believed)


def _believe_ways(state, cfg, work, b, i):
    """Find the ways of the own army, and what bands are believed to take to enter each cell."""
    forget_ways(cfg, work)
    if not cfg.blocks:
        return
    enter_as_believed(state, cfg, work, b, i, i, np.int64(Way.ENTER))
    find_ways(cfg, work.ways, np.int64(Way.ENTER), own_seat(state, b, i))
    work.ways[Way.REACH] = work.ways[Way.WAY]
    enter_as_believed(state, cfg, work, b, i, np.int64(NOBODY), np.int64(Way.BELIEVED))
    work.clock[Clock.PASSAGE] += 1


believe_ways = kernel(_believe_ways)


def _own_projection(state, cfg, work, b, i, c):
    """Return the share of the own army that is believed to count at cell ``c``."""
    if not cfg.blocks:
        return projection_to(cfg, own_seat(state, b, i), c)
    return projection_over(cfg, work.ways[Way.REACH, c])


own_projection = kernel(_own_projection)


def _rival_projection(state, cfg, work, b, i, rival, c):
    """Return the share of the army of ``rival`` that is believed to count at cell ``c``."""
    if not cfg.blocks:
        return projection_to(cfg, known_seat(state, b, i, rival), c)
    if not work.ways[Way.MADE, rival]:
        enter_as_believed(state, cfg, work, b, i, rival, np.int64(Way.ENTER))
        find_ways(cfg, work.ways, np.int64(Way.ENTER), known_seat(state, b, i, rival))
        work.ways[Way.FORCE + rival] = work.ways[Way.WAY]
        work.ways[Way.MADE, rival] = 1
    return projection_over(cfg, work.ways[Way.FORCE + rival, c])


rival_projection = kernel(_rival_projection)


def _project_over_map(state, cfg, work, b, i, rival, shares):
    """Write :func:`rival_projection` of every cell to row ``rival`` of ``shares`` [N, C]."""
    row, seat = shares[rival], known_seat(state, b, i, rival)
    for c in range(cfg.n_cells):
        if cfg.blocks:
            row[c] = rival_projection(state, cfg, work, b, i, rival, np.int64(c))
        else:
            row[c] = projection_to(cfg, seat, c)


project_over_map = kernel(_project_over_map)


def _look_along(cfg, work, row, at, to):
    """Find a band's ways from cell ``at`` where something blocks: walled as now, or as rolled, by ``row``.

    To every cell, or until that to cell ``to`` is found where there is one.
    """
    if cfg.blocks:
        find_ways_to(cfg, work.ways, np.int64(Way.BELIEVED + row), at, to, np.int64(NOBODY))


look_along = kernel(_look_along)


def _way_to(cfg, work, at, c):
    """Return the turns of a band's way from ``at``, where it was last looked along, to cell ``c``."""
    return np.int64(work.ways[Way.WAY, c]) if cfg.blocks else np.int64(steps_between(cfg, at, c))


way_to = kernel(_way_to)


def _in_time(cfg, work, way, left):
    """Return the share of the bands yet to come in the ``left`` turns to come that a way of ``way`` turns lets arrive.

    One that appears now needs the way, the last needs more than is left: 1 − way / left. Counted where ways are.
    """
    if not cfg.blocks:
        return 1.0
    return max(1.0 - way / left, 0.0) if left > 0 else 0.0


in_time = kernel(_in_time)


def _roll_entries(cfg, work):
    """Write what bands take to enter each cell as a rollout has walled its own; what sacks took counts as standing.

    Where that is more than is believed now is listed in ``work.delayed``.
    """
    rolled, now, n = work.ways[Way.ROLLED], work.ways[Way.BELIEVED], 0
    rolled[:] = now
    for k in range(work.sizes[Base.HELD]):
        wall = max(work.realm[Realm.WALL, k], work.base[Realm.WALL, k])
        c = work.base_counts[Count.CELL, k]
        rolled[c] = 1 + delay(cfg, wall, work.realm[Realm.RUGGEDNESS, k])
        if rolled[c] != now[c]:
            work.delayed[n] = c
            n += 1
    work.sizes[Base.DELAYED] = n


roll_entries = kernel(_roll_entries)


def _follow_to(cfg, key, work, world, k, row):
    """Walk from every cell of the rim that makes for target ``k`` to it and count what cells are crossed.

    The target itself counts as crossed: a wall on it, too, lies on all those ways.
    """
    ways, target, found = work.ways, np.int64(work.target[k]), False
    for place in range(edge_length(cfg)):
        if work.gate[row, place] != k:
            continue
        if not found:
            find_ways(cfg, ways, np.int64(Way.BELIEVED + row), target)
            found = True
        at = np.int64(edge_cell(cfg, place))
        while at != target:
            at = next_cell(cfg, key, world, ways, at)
            ways[Way.CROSSED, at] += 1
            ways[Way.AHEAD, at] = max(ways[Way.AHEAD, at], ways[Way.WAY, at])


follow_to = kernel(_follow_to)


def _most_crossed(cfg, key, work, world, row):
    """Return the base column that most ways of bands to the realm are believed to cross, or -1 where none does.

    Of equals that which has most way ahead of it: what lies behind it is guarded, too.
    """
    ways, held, best = work.ways, work.sizes[Base.HELD], np.int64(NOBODY)
    ways[Way.CROSSED], ways[Way.AHEAD] = 0, 0
    for k in range(held):
        follow_to(cfg, key, work, world, k, row)
    for k in range(held):
        c = work.base_counts[Count.CELL, k]
        if ways[Way.CROSSED, c] == 0:
            continue
        top = work.base_counts[Count.CELL, best] if best >= 0 else c
        more = ways[Way.CROSSED, c] - ways[Way.CROSSED, top]
        if best < 0 or more > 0 or (more == 0 and ways[Way.AHEAD, c] > ways[Way.AHEAD, top]):
            best = np.int64(k)
    return best


most_crossed = kernel(_most_crossed)
