"""What a civilization takes each cell to be worth and to cost: from what it knows, and means where it does not.

A cell's belief is made when it is first asked for in a deliberation and kept in ``Work`` at that cell. What a
deliberation believes alike of every cell (``Work.scalars``) is made when it begins, in the planner's ``belief.py``.
"""

from __future__ import annotations

import numpy as np

from civsim.base.constants import NEVER, Noise, Seen, Variable
from civsim.base.kernels import kernel
from civsim.base.selection import select
from civsim.engine.formulas import cell_output, claim_base, power_int, site_chance
from civsim.engine.knowledge.land import known_long_run, known_ruggedness, knows
from civsim.engine.work import Belief, Clock


def _unseen_fertility(state, cfg, work, b, i):
    """Return the fertility believed of a cell never seen: the mean of those seen, or their optimistic quantile."""
    count = state.seen_sum[b, i, Seen.CELLS]
    if count == 0.0:
        return 0.0
    if not cfg.optimistic:
        return state.seen_sum[b, i, Seen.FERTILITY] / count
    cached = state.prior_fertility[b, i]
    if cached[1] != count:
        n = np.int64(0)
        for c in range(cfg.n_cells):
            if knows(state, b, i, c):
                factor = state.noise[b, i, Noise.FERTILITY, c] if cfg.noisy else 1.0
                work.uniforms[n] = known_long_run(state, cfg, b, i, c, 0.0) * factor
                n += 1
        cached[0] = select(work.uniforms, n, int(cfg.optimism * (n - 1)))
        cached[1] = count
    return cached[0]


unseen_fertility = kernel(_unseen_fertility)


def _source_cell(cfg, scalars, c):
    """Return the cell whose knowledge stands for ``c``: itself, or its image under a sham's shuffle."""
    if scalars[Belief.SHUFFLE_SCALE] == 0.0:
        return c
    return int(scalars[Belief.SHUFFLE_SCALE] * c + scalars[Belief.SHUFFLE_SHIFT]) % cfg.n_cells


source_cell = kernel(_source_cell)


def _uptime(cfg, hazard):
    """Return the expected share of turns in which a cell is not disrupted by disasters: (1 − Z)^duration."""
    return power_int(1.0 - hazard, cfg.disaster_turns)


uptime = kernel(_uptime)


def _known_yield(cfg, fertility, high, age):
    """Return (mean, swing) of a volatile site's fertility: swing is what is known of it now beyond its mean."""
    chance = site_chance(high, age, 1.0 - 2.0 * cfg.volatility)
    span = fertility * (1.0 - cfg.volatile_low)
    return fertility * cfg.volatile_low + 0.5 * span, span * (chance - 0.5)


known_yield = kernel(_known_yield)


def _believe_cells(state, cfg, work, b, i, cells, n):
    """Make the beliefs about ``cells[:n]`` that this deliberation has not made yet; writes ``work`` at each cell.

    One loop over local rows: read through the record cell by cell the same lines take three times as long. Cells are
    unsigned, since each of a dozen reads by a signed index first asks whether to count from the end.
    """
    seen, fertility, site, high = state.seen[b, i], state.fertility[b], state.site[b], state.known_site[b, i]
    ruggedness, known_works, turn = state.ruggedness[b], state.known_works[b, i], state.turn[b]
    stamp, clock, scalars, attended = work.stamp, work.clock[Clock.DELIBERATION], work.scalars, work.attended
    sees_ore, sees_hazard = attended[Variable.ORE] == 1, cfg.hazard_on and attended[Variable.HAZARD] == 1
    volatile, noisy, ores, hazards = cfg.volatility > 0.0, cfg.noisy, state.ore[b], state.hazard[b]
    noise = state.noise[b, i]  # it has no rows where nobody errs
    mean_ore, mean_rugged, mean_hazard = scalars[Belief.ORE], scalars[Belief.RUGGEDNESS], scalars[Belief.HAZARD]
    mean_share, shuffled, ore_weight = scalars[Belief.UPTIME], scalars[Belief.SHUFFLE_SCALE] != 0.0, cfg.ore_weight
    flat_cost, rugged_cost = cfg.claim_cost, cfg.claim_rugged
    fertilities, swings, ore_outputs = work.fertility, work.swing, work.ore_output
    costs, values, ratios = work.claim_cost, work.value, work.ratio
    for k in range(n):
        c = np.uint64(cells[k])
        if stamp[c] == clock:
            continue
        stamp[c] = clock
        source = np.uint64(source_cell(cfg, scalars, cells[k])) if shuffled else c
        known = seen[source] != NEVER
        swing, ore, rugged, works, share = 0.0, mean_ore, mean_rugged, 0.0, mean_share
        if known:
            mean = np.float64(fertility[source])  # numba keeps float(x) of a float32 a float32
            if noisy:
                mean *= noise[Noise.FERTILITY, source]
            if volatile and site[source]:
                mean, swing = known_yield(cfg, mean, high[source] == 1, turn - seen[source])
            rugged, works = np.float64(ruggedness[source]), np.float64(known_works[source])
            if sees_ore:
                ore = float(ores[source])  # here rules version 1 multiplies in float32
                if noisy:
                    ore *= noise[Noise.ORE, source]
        else:
            mean = unseen_fertility(state, cfg, work, b, i)
        if sees_hazard:
            hazard = np.float64(hazards[source]) if known else mean_hazard
            if noisy:
                hazard = min(hazard * noise[Noise.HAZARD, source], 1.0)
            share = uptime(cfg, hazard)
        cost = claim_base(flat_cost, rugged_cost, rugged)
        if noisy:
            cost *= noise[Noise.COST, source]
        steady, varying, extra = mean * share, swing * share, ore_weight * ore * share
        value = cell_output(steady + varying, works, extra)
        fertilities[c], swings[c], ore_outputs[c] = steady, varying, extra
        costs[c], values[c], ratios[c] = cost, value, value / cost


believe_cells = kernel(_believe_cells)


def _believe(state, cfg, work, b, i, c):
    """Make the belief about cell ``c`` if this deliberation has not made it yet; writes ``work`` at ``c``."""
    if work.stamp[c] != work.clock[Clock.DELIBERATION]:
        work.single[0] = c
        believe_cells(state, cfg, work, b, i, work.single, np.int64(1))


believe = kernel(_believe)


def _believed_ruggedness(state, cfg, work, b, i, c):
    """Return the ruggedness believed of cell ``c``."""
    source = source_cell(cfg, work.scalars, c)
    return known_ruggedness(state, b, i, source, work.scalars[Belief.RUGGEDNESS])


believed_ruggedness = kernel(_believed_ruggedness)
