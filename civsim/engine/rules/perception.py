"""Perception: cells within sight of the territory are seen as they are; all others are remembered as last seen."""

from __future__ import annotations

from civsim.base.constants import FAR, MAX_SURVEY, NEVER, NOBODY, Category, Channel, Noise, Seen, Witness
from civsim.base.kernels import kernel
from civsim.engine.formulas import long_run_fertility

_ADJACENT = 1


def _survey(state, cfg, work, b, i, depth):
    """Fill ``near`` with the steps from territory, breadth first, out to ``depth`` cells (at most 254)."""
    near, queue = state.near[b, i], work.queue
    near[:] = FAR
    tail = 0
    for c in range(cfg.n_cells):
        if state.owner[b, c] == i:
            near[c] = 0
            queue[tail] = c
            tail += 1
    head = 0
    while head < tail:
        c = queue[head]
        head += 1
        if near[c] >= depth:
            break
        for k in range(cfg.neighbours.shape[1]):
            other = cfg.neighbours[c, k]
            if other >= 0 and near[other] == FAR:
                near[other] = near[c] + 1
                queue[tail] = other
                tail += 1
    state.near_fresh[b, i] = 1
    state.near_depth[b, i] = depth


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


def _look(state, cfg, b, i, sight):
    """Bring knowledge of every cell within ``sight`` up to date."""
    turn, near = state.turn[b], state.near[b, i]
    seen, known_owner = state.seen[b, i], state.known_owner[b, i]
    for c in range(cfg.n_cells):
        if near[c] > sight:
            continue
        if seen[c] == NEVER:
            discover(state, cfg, b, i, c)
        holder = state.owner[b, c]
        if holder >= 0 and holder != i:
            if state.capital[b, holder] == c:
                state.known_capital[b, i, holder] = c
            state.force_seen[b, i, holder] = state.stock[b, holder, Category.ARMY]
            state.force_turn[b, i, holder] = turn
        seen[c] = turn
        known_owner[c] = holder
        state.known_works[b, i, c] = state.works[b, c]
        state.known_wall[b, i, c] = state.wall[b, c]
        state.known_site[b, i, c] = state.site_state[b, c]


look = kernel(_look)


def _borders_rival(cfg, known_owner, c, i):
    """Return True where a neighbour of ``c`` is known to be a rival's."""
    for k in range(cfg.neighbours.shape[1]):
        other = cfg.neighbours[c, k]
        if other >= 0 and known_owner[other] >= 0 and known_owner[other] != i:
            return True
    return False


borders_rival = kernel(_borders_rival)


def _count_gains(state, cfg, b, i, sight):
    """Count free cells that were exposed to a rival last turn, in view, and are a rival's now; before looking."""
    turn, near, known_owner = state.turn[b], state.near[b, i], state.known_owner[b, i]
    for c in range(cfg.n_cells):
        holder = state.owner[b, c]
        if near[c] > sight or holder == NOBODY or holder == i or known_owner[c] != NOBODY:
            continue
        last = state.seen[b, i, c]
        if last != NEVER and last == turn - 1 and borders_rival(cfg, known_owner, c, i):
            state.witness[b, i, Witness.RIVAL_GAINS] += 1.0


count_gains = kernel(_count_gains)


def _count_exposure(state, cfg, b, i):
    """Count own cells beside a rival, and free cells in view beside a rival: the exposures of the frequencies."""
    near, known_owner = state.near[b, i], state.known_owner[b, i]
    turn, seen = state.turn[b], state.seen[b, i]
    state.witness[b, i, Witness.CELL_TURNS] += state.cells[b, i]
    if cfg.n_civs == 1:
        return
    for c in range(cfg.n_cells):
        if near[c] == 0:
            if borders_rival(cfg, known_owner, c, i):
                state.witness[b, i, Witness.EXPOSED_TURNS] += 1.0
        elif seen[c] == turn and known_owner[c] == NOBODY and borders_rival(cfg, known_owner, c, i):
            state.witness[b, i, Witness.RIVAL_EXPOSURE] += 1.0


count_exposure = kernel(_count_exposure)


def _spot_bands(state, b, i, sight):
    """Note where every band in sight stands."""
    for r in range(state.band_cell.shape[1]):
        cell = state.band_cell[b, r]
        if cell >= 0 and state.near[b, i, cell] <= sight:
            state.band_seen[b, i, r] = cell
            state.band_turn[b, i, r] = state.turn[b]


spot_bands = kernel(_spot_bands)


def _perception(state, orders, cfg, key, work):
    """Rule 5 of a turn: survey the territory where it has changed, look, count, spot bands."""
    for b in range(work.lo, work.hi):
        if state.turn[b] >= cfg.turns:
            continue
        for i in range(cfg.n_civs):
            if not state.alive[b, i]:
                continue
            sight = min(int(state.level[b, i, Channel.SIGHT]), MAX_SURVEY)
            depth = max(sight, _ADJACENT)
            if not state.near_fresh[b, i] or state.near_depth[b, i] != depth:
                survey(state, cfg, work, b, i, depth)
            count_gains(state, cfg, b, i, sight)
            look(state, cfg, b, i, sight)
            count_exposure(state, cfg, b, i)
            if cfg.raid_rate > 0.0:
                spot_bands(state, b, i, sight)


perception = kernel(_perception)
