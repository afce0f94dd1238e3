"""What a realm sees: cells within sight of its territory as they are; all others are remembered as last seen."""

from __future__ import annotations

import numpy as np

from civsim.base.constants import FAR, MAX_SURVEY, NEVER, NOBODY, Category, Channel, Noise, Seen, Witness
from civsim.base.kernels import kernel
from civsim.engine.formulas import long_run_fertility
from civsim.engine.knowledge.land import known_ruggedness, known_wall, owns
from civsim.engine.knowledge.own import own_wall
from civsim.engine.land.geometry import steps_between
from civsim.engine.land.marks import beside, count_marked, list_marked, marks
from civsim.engine.land.ways import Way, delay, find_ways_to
from civsim.engine.offices.news import first_to_see
from civsim.engine.offices.rows import at_work

ADJACENT = 1
"""The nearest that cells can be without being one."""

_OWN, _FREE = np.uint8(1), np.uint8(2)


def _sight_of(state, b, i):
    """Return how far civilization ``i`` sees, as a byte (cells, at most 254)."""
    return np.uint8(min(state.level[b, i, Channel.SIGHT], MAX_SURVEY))


sight_of = kernel(_sight_of)


def _reach(near, beside_reached, reached, step):
    """Give cells first beside a reached one ``step`` and mark them. Return True where there were any."""
    any_new = False
    for c in range(near.shape[0]):
        new = (near[c] == FAR) & (beside_reached[c] != 0)
        any_new |= new
        if new:
            near[c] = step
    for c in range(near.shape[0]):
        reached[c] = near[c] != FAR
    return any_new


reach = kernel(_reach)


def _spread_sight(state, cfg, work, b, i, depth):
    """Fill ``near`` with the steps from what is marked, ring by ring, out to ``depth`` cells (at most 254)."""
    near, reached = state.near[b, i], marks(cfg, work.marked)
    for c in range(cfg.n_cells):
        near[c] = 0 if reached[c] else FAR
    for step in range(1, depth + 1):
        beside(cfg, work.marked, work.beside)
        if not reach(near, work.beside, reached, np.uint8(step)):
            break
    state.near_fresh[b, i] = 1
    state.near_depth[b, i] = depth


spread_sight = kernel(_spread_sight)


def _survey(state, cfg, work, b, i, depth):
    """Fill ``near`` with the steps from territory, ring by ring, out to ``depth`` cells (at most 254)."""
    owner, reached = state.owner[b], marks(cfg, work.marked)
    for c in range(cfg.n_cells):
        reached[c] = owner[c] == i
    spread_sight(state, cfg, work, b, i, depth)


survey = kernel(_survey)


def _discover(state, cfg, b, i, c):
    """Add a cell seen for the first time to the sums beliefs about unseen land are made from."""
    sums = state.seen_sum[b, i]
    sums[Seen.CELLS] += 1.0
    fertility = long_run_fertility(state, cfg, b, c)
    ore = float(state.ore[b, c])
    if cfg.noisy:
        fertility *= state.noise[b, i, Noise.FERTILITY, c]
        ore *= state.noise[b, i, Noise.ORE, c]
    sums[Seen.FERTILITY] += fertility
    sums[Seen.ORE] += ore
    sums[Seen.RUGGEDNESS] += state.ruggedness[b, c]
    sums[Seen.HAZARD] += state.hazard[b, c]


discover = kernel(_discover)


def _rival_in_sight(near, owner, i, sight):
    """Return True where a cell within ``sight`` is a rival's of civilization ``i``."""
    found = False
    for c in range(near.shape[0]):
        found |= (near[c] <= sight) & (owner[c] != NOBODY) & (owner[c] != i)
    return found


rival_in_sight = kernel(_rival_in_sight)


def _holds_in_sight(near, owner, j, sight):
    """Return True where a cell within ``sight`` is civilization ``j``'s."""
    found = False
    for c in range(near.shape[0]):
        found |= (near[c] <= sight) & (owner[c] == j)
    return found


holds_in_sight = kernel(_holds_in_sight)


def _meet(state, cfg, b, i, near, sight):
    """Note the force of every rival with a cell in sight, and its capital where that is in sight."""
    owner = state.owner[b]
    for j in range(cfg.n_civs):
        if j == i or not holds_in_sight(near, owner, np.int8(j), sight):
            continue
        seat = state.capital[b, j]
        if seat >= 0 and owner[seat] == j and near[seat] <= sight:
            state.known_capital[b, i, j] = seat
        state.force_seen[b, i, j] = state.stock[b, j, Category.ARMY]
        state.force_turn[b, i, j] = state.turn[b]


meet = kernel(_meet)


def _see(near, seen, turn, sight, first):
    """Mark cells within ``sight`` as seen this turn, and in ``first`` those never seen. Return True where any are."""
    found = False
    for c in range(near.shape[0]):
        new = (near[c] <= sight) & (seen[c] == NEVER)
        first[c] = new
        found |= new
        if near[c] <= sight:
            seen[c] = turn
    return found


see = kernel(_see)


def _remember(near, true, known, sight):
    """Bring what is known of every cell within ``sight`` up to date; all else is remembered as it was."""
    for c in range(near.shape[0]):
        if near[c] <= sight:
            known[c] = true[c]


remember = kernel(_remember)


def _borders_rival(cfg, known_owner, c, i):
    """Return True where a neighbour of ``c`` is known to be a rival's."""
    for k in range(cfg.neighbours.shape[1]):
        other = cfg.neighbours[c, k]
        if other >= 0 and known_owner[other] >= 0 and known_owner[other] != i:
            return True
    return False


borders_rival = kernel(_borders_rival)


def _mark_gains(near, owner, known_owner, i, sight, gained):
    """Mark the cells within ``sight`` that are a rival's and were not known to be held. Return True where any are."""
    found = False
    for c in range(near.shape[0]):
        new = (near[c] <= sight) & (owner[c] != NOBODY) & (owner[c] != i) & (known_owner[c] == NOBODY)
        gained[c] = new
        found |= new
    return found


mark_gains = kernel(_mark_gains)


def _count_gains(state, cfg, work, b, i, near, sight):
    """Count free cells that were exposed to a rival last turn, in view, and are a rival's now; before looking.

    Of several seats of thought the first that sees a cell counts it.
    """
    turn, known_owner, office = state.turn[b], state.known_owner[b, i], at_work(work)
    if not mark_gains(near, state.owner[b], known_owner, np.int8(i), sight, work.beside):
        return
    for k in range(list_marked(work.beside, work.queue)):
        c = work.queue[k]
        last = state.seen[b, i, c]
        if office >= 0 and not first_to_see(state, b, i, office, c):
            continue
        if last != NEVER and last == turn - 1 and borders_rival(cfg, known_owner, c, i):
            state.witness[b, i, Witness.RIVAL_GAINS] += 1.0


count_gains = kernel(_count_gains)


def _look(state, cfg, work, b, i, near, sight):
    """Bring knowledge of every cell ``near`` within ``sight`` (uint8, at most 254) up to date, and count rivals' gains.

    ``near`` [C] is the steps to own territory, or 0 for what is visible and 255 for the rest.
    """
    owner = state.owner[b]
    if cfg.n_civs > 1 and rival_in_sight(near, owner, np.int8(i), sight):
        count_gains(state, cfg, work, b, i, near, sight)
        meet(state, cfg, b, i, near, sight)
    if see(near, state.seen[b, i], state.turn[b], sight, work.beside):
        for k in range(list_marked(work.beside, work.queue)):
            discover(state, cfg, b, i, work.queue[k])
    remember(near, owner, state.known_owner[b, i], sight)
    remember(near, state.works[b], state.known_works[b, i], sight)
    remember(near, state.wall[b], state.known_wall[b, i], sight)
    remember(near, state.site_state[b], state.known_site[b, i], sight)


look = kernel(_look)


def _mark_rivals(known_owner, i, rivals):
    """Mark the cells known to be a rival's. Return True where there are any."""
    found = False
    for c in range(known_owner.shape[0]):
        rival = (known_owner[c] != NOBODY) & (known_owner[c] != i)
        rivals[c] = rival
        found |= rival
    return found


mark_rivals = kernel(_mark_rivals)


def _keep_open(near, known_owner, sight, exposed):
    """Keep only marks of own cells, as 1, and of free cells in view, as 2."""
    for c in range(near.shape[0]):
        own = exposed[c] & (near[c] == 0)
        free = exposed[c] & (near[c] != 0) & (near[c] <= sight) & (known_owner[c] == NOBODY)
        exposed[c] = own | (free << 1)


keep_open = kernel(_keep_open)


def _keep_first(state, b, i, office, exposed):
    """Take off the marks of free cells that a seat of thought before this one has in sight as well."""
    for c in range(exposed.shape[0]):
        if exposed[c] == _FREE and not first_to_see(state, b, i, office, c):
            exposed[c] = 0


keep_first = kernel(_keep_first)


def _count_exposure(state, cfg, work, b, i, sight):
    """Count own cells beside a rival, and free cells in view beside a rival: the exposures of the frequencies."""
    near, known_owner = state.near[b, i], state.known_owner[b, i]
    if cfg.n_civs == 1 or not mark_rivals(known_owner, np.int8(i), marks(cfg, work.marked)):
        return
    beside(cfg, work.marked, work.beside)
    keep_open(near, known_owner, sight, work.beside)
    if at_work(work) >= 0:
        keep_first(state, b, i, at_work(work), work.beside)
    state.witness[b, i, Witness.EXPOSED_TURNS] += count_marked(work.beside, _OWN)
    state.witness[b, i, Witness.RIVAL_EXPOSURE] += count_marked(work.beside, _FREE)


count_exposure = kernel(_count_exposure)


def _strays(state, cfg, work, b, i, last, cell, aim):
    """Return True where a band seen to have gone from ``last`` to ``cell`` has come no nearer to ``aim``.

    Where something blocks, nearer by the walls and the land that civilization ``i`` knows.
    """
    if not cfg.blocks:
        return steps_between(cfg, cell, aim) >= steps_between(cfg, last, aim)
    for c in range(cfg.n_cells):
        wall = own_wall(state, b, i, c) if owns(state, b, i, c) else known_wall(state, b, i, c)
        work.ways[Way.ENTER, c] = 1 + delay(cfg, wall, known_ruggedness(state, b, i, c, 0.0))
    find_ways_to(cfg, work.ways, np.int64(Way.ENTER), np.int64(aim), np.int64(cell), np.int64(last))
    return work.ways[Way.WAY, cell] >= work.ways[Way.WAY, last]


strays = kernel(_strays)


def _follow(state, cfg, work, b, i, r, cell, came):
    """Begin a track of band ``r`` from ``cell`` if it is another; forget its aim if it is, or if its steps belie it.

    The band in that slot had appeared in turn ``came``.
    """
    aim, last = state.band_aim[b, i, r], state.band_seen[b, i, r]
    known = state.band_turn[b, i, r] != NEVER and state.band_since[b, i, r] == came
    if not known:
        state.band_from[b, i, r] = cell
    if aim == NOBODY:
        return
    if not known or (cell != last and strays(state, cfg, work, b, i, last, cell, aim)):
        state.band_aim[b, i, r] = NOBODY


follow = kernel(_follow)


def _spot_bands(state, cfg, work, b, i, near, sight):
    """Note where every band in sight stands, and since when it has been about."""
    for r in range(state.band_cell.shape[1]):
        cell = state.band_cell[b, r]
        if cell >= 0 and near[cell] <= sight:
            follow(state, cfg, work, b, i, r, cell, state.band_came[b, r])
            state.band_seen[b, i, r] = cell
            state.band_turn[b, i, r] = state.turn[b]
            state.band_since[b, i, r] = state.band_came[b, r]


spot_bands = kernel(_spot_bands)


def _perceive(state, cfg, work, b, i):
    """Survey the territory of civilization ``i`` where it has changed, look, count, spot bands."""
    sight = sight_of(state, b, i)
    depth = max(int(sight), ADJACENT)
    if not state.near_fresh[b, i] or state.near_depth[b, i] != depth:
        survey(state, cfg, work, b, i, depth)
    look(state, cfg, work, b, i, state.near[b, i], sight)
    state.witness[b, i, Witness.CELL_TURNS] += state.cells[b, i]
    count_exposure(state, cfg, work, b, i, sight)
    if cfg.raid_rate > 0.0:
        spot_bands(state, cfg, work, b, i, state.near[b, i], sight)


perceive = kernel(_perceive)
