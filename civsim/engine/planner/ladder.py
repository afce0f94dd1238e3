"""The ladder: rules by which land is claimed without simulating anything, one formula each.

Every rung is an index rule: each claim, or path of claims, has a number of its own, and the greatest comes first. For
projects that do not touch each other, paid from one fund, index rules are optimal or nearly so (Gittins 1979; for a
budget that flows in, the greedy rule of the fractional knapsack, Dantzig 1957). They differ in what they look at:

MYOPIC  the cells beside the realm alone: believed output per believed cost.
RATE    paths of claims within reach: Σ output / Σ cost, whenever each cell is there (the far-sighted constant).
NPV     the same paths, and when: Σ output discounted from the arrival of each cell to the end of the game / Σ cost.

With no reach a path is one cell, and every rung is MYOPIC. To add one: its name in ``base.constants.Rung``, its formula
in :func:`worth_of` here.
"""

from __future__ import annotations

from civsim.base.constants import Rung
from civsim.base.kernels import kernel
from civsim.engine.formulas import claim_growth
from civsim.engine.planner.heuristic import heuristic_claim
from civsim.engine.planner.plan import BaseRule
from civsim.engine.work import Base, Levels, Roll

UNKNOWN = -1.0
"""The potential of a cell to which no path was found."""


def _years_from(cfg, turns_left, paid):
    """Return the discounted turns of output, in ``turns_left``, of a cell whose claim is paid in ``paid`` turns."""
    first = paid + max(cfg.claim_lag, 1)
    if first > turns_left:
        return 0.0
    return cfg.annuity[turns_left] - cfg.annuity[int(first) - 1]


years_from = kernel(_years_from)


def _worth_of(cfg, work, value, paid):
    """Return what a cell of ``value`` (output a turn) adds to a path's worth, its claim paid in ``paid`` turns."""
    if work.levels[Levels.RUNG] == Rung.NPV:
        return value * years_from(cfg, work.levels[Levels.TURNS_LEFT], paid)
    return value


worth_of = kernel(_worth_of)


def _holdings(work):
    """Return the cells and parties that make a claim dearer now: one's own, and those of other seats of thought."""
    return work.sizes[Base.HELD] + work.sizes[Base.PENDING] + work.sizes[Base.ELSEWHERE]


holdings_now = kernel(_holdings)


def _rolled_holdings(work):
    """Return the same in a rollout; those of other seats stay as they are."""
    return work.roll[Roll.HELD] + work.roll[Roll.PENDING] + work.sizes[Base.ELSEWHERE]


rolled_holdings = kernel(_rolled_holdings)


def _growth_now(cfg, work):
    """Return by how much claims are dearer now than the first one was."""
    return claim_growth(cfg.claim_growth, holdings_now(work))


growth_now = kernel(_growth_now)


def _per_cost(cfg, work, base, index, holdings, turns_left, paid):
    """Return what a claim of this index is worth per cost to a realm of ``holdings`` that pays it in ``paid`` turns.

    ``turns_left`` are to come then. The index is a potential under the index rule, else a ratio of a first claim.
    """
    best = index / claim_growth(cfg.claim_growth, holdings)
    if base == BaseRule.INDEX:
        # A potential is that of a realm of the present size, and counts the turns from now on.
        best *= growth_now(cfg, work)
        if work.levels[Levels.RUNG] == Rung.NPV:
            whole = years_from(cfg, work.levels[Levels.TURNS_LEFT], 0.0)
            return best * years_from(cfg, turns_left, paid) / whole if whole > 0.0 else 0.0
    return best * years_from(cfg, turns_left, paid)


per_cost = kernel(_per_cost)


def _index_alone(cfg, work, cell):
    """Return the index of a believed cell as a path of its own that is paid now."""
    return worth_of(cfg, work, work.value[cell], 0.0) / (work.claim_cost[cell] * growth_now(cfg, work))


index_alone = kernel(_index_alone)


def _base_claim(state, key, work, b, front, n, base, arrival, rival_at):
    """Return the place in ``front[:n]`` of the claim that a base policy gives next, or -1.

    ``arrival`` is when its party would be there, ``rival_at`` when a rival is there (turns from now, [C]). A cell that
    comes too late has the index 0.
    Where none has another, the fund is for nothing else, and the index rule is the rule of thumb.
    """
    at = -1
    if base == BaseRule.INDEX:
        at = heuristic_claim(front, n, work.potential, rival_at, arrival, key, state.world_id[b])
    if at < 0:
        at = heuristic_claim(front, n, work.ratio, rival_at, arrival, key, state.world_id[b])
    return at


base_claim = kernel(_base_claim)
