"""Preparation: what a civilization believes of its realm, its rivals and its raiders before it decides anything."""

from __future__ import annotations

from civsim.base.kernels import kernel
from civsim.engine.knowledge.beliefs import believe_cells
from civsim.engine.planner.battles import may_attack
from civsim.engine.planner.belief import list_land
from civsim.engine.planner.incursions import arm_rivals
from civsim.engine.planner.minds import expect_nobody, expect_rivals, turns_foreseen
from civsim.engine.planner.propose import forget_values
from civsim.engine.planner.raids import expect_raids
from civsim.engine.planner.realm import build_base, guard_base
from civsim.engine.planner.rivals import plan_rivals
from civsim.engine.planner.ways import believe_ways
from civsim.engine.work import Base, Belief, Levels


def _prepare(state, orders, cfg, key, work, b, i, region):
    """List land, believe what is held and bordered, and build the base realm the decisions start from.

    ``region`` is the list of own cells to plan for, int32 [cells], ascending.
    """
    sizes = work.sizes
    sizes[Base.SEARCHED] = 0
    forget_values(work)
    list_land(state, cfg, work, b, i, region)
    believe_ways(state, cfg, work, b, i)
    sizes[Base.WAR] = 1 if may_attack(cfg, work) else 0
    arm_rivals(state, cfg, work, b, i)
    threat = work.scalars[Belief.ATTACK] > 0.0 or work.scalars[Belief.RAID] > 0.0
    sizes[Base.WALLS_MATTER] = 1 if threat else 0
    believe_cells(state, cfg, work, b, i, work.front, sizes[Base.FRONT])
    believe_cells(state, cfg, work, b, i, work.pending_cell, sizes[Base.PENDING])
    believe_cells(state, cfg, work, b, i, region, sizes[Base.HELD])
    if max(work.levels[Levels.REACH], work.levels[Levels.ROLLOUT]) > 0:
        expect_rivals(state, cfg, key, work, b, i, turns_foreseen(cfg, work))
        plan_rivals(state, cfg, key, work, b, i)
    else:
        expect_nobody(work)
    build_base(state, orders, cfg, work, b, i, region)
    sizes[Base.ROLLED] = min(work.levels[Levels.ROLLOUT], work.levels[Levels.TURNS_LEFT])
    expect_raids(state, cfg, key, work, b, i)
    for k in range(sizes[Base.HELD]):
        guard_base(cfg, work, k)


prepare = kernel(_prepare)
