"""How a rollout begins: the realm as it is now, copied into the rollout's own space."""

from __future__ import annotations

import numpy as np

from civsim.base.kernels import kernel
from civsim.engine.knowledge.own import copy_muster
from civsim.engine.planner.belief import begin_marks, set_mark
from civsim.engine.planner.ranking import begin_walks
from civsim.engine.work import CHANGING, Base, Count, Fund, PlanField, Purse, Roll


def _copy_columns(work, held):
    """Copy the ``held`` columns of the base realm, their timers and walls raised into the rollout's own space.

    What stands of them is there since the first rollout from this base: later columns come behind them.
    """
    roll, first = work.roll, np.int64(CHANGING) if work.sizes[Base.COPIED] else np.int64(0)
    work.sizes[Base.COPIED] = 1
    for row in range(first, work.base.shape[0]):
        to, of = work.realm[row], work.base[row]
        for k in range(held):
            to[k] = of[k]
    for row in range(work.base_counts.shape[0]):
        entries, now = work.counts[row], work.base_counts[row]
        for k in range(held):
            entries[k] = now[k]
    for k in range(work.sizes[Base.TIMERS]):
        work.timer[k] = work.base_timer[k]
    raised = 0
    for k in range(held):
        if work.counts[Count.RAISED, k]:
            work.raised[raised] = k
            raised += 1
    roll[Roll.HELD], roll[Roll.TIMERS], roll[Roll.RAISED] = held, work.sizes[Base.TIMERS], raised


copy_columns = kernel(_copy_columns)


def _start_realm(state, cfg, work, b, i):
    """Copy the base realm, frontier, parties, funds and musters into the rollout's own space."""
    sizes, roll, purse, funds = work.sizes, work.roll, work.purse, work.funds
    held, front, pending = sizes[Base.HELD], sizes[Base.FRONT], sizes[Base.PENDING]
    copy_columns(work, held)
    begin_marks(work)
    begin_walks(work)
    for k in range(held):
        set_mark(work, work.base_counts[Count.CELL, k])
    for k in range(front):
        work.roll_front[k] = work.front[k]
        set_mark(work, work.front[k])
        work.opened[work.front[k]] = 1.0
    for k in range(pending):
        work.roll_cell[k] = work.pending_cell[k]
        work.roll_due[k] = work.pending_due[k]
        set_mark(work, work.pending_cell[k])
        work.opened[work.pending_cell[k]] = 1.0
    roll[Roll.FOES] = sizes[Base.RIVALS] if sizes[Base.WAR] else 0
    for k in range(roll[Roll.FOES]):
        work.roll_foes[k] = work.foes[k]
        set_mark(work, work.foes[k])
        work.opened[work.foes[k]] = 1.0
    copy_muster(state, b, i, work.muster)
    roll[Roll.FRONT], roll[Roll.PENDING] = front, pending
    roll[Roll.STEP], roll[Roll.READY], roll[Roll.SIEGE] = 0, work.plan[PlanField.READY], 0
    roll[Roll.TARGET], roll[Roll.WORK_TARGET], roll[Roll.STORMED] = -1, -1, -1
    roll[Roll.GIVEN], roll[Roll.GIVEN_WORKS], roll[Roll.GIVEN_WALLS] = 0, 0, 0
    purse[Purse.SETTLEMENT], purse[Purse.WORKS] = funds[Fund.SETTLEMENT], funds[Fund.WORKS]
    purse[Purse.ARMY], purse[Purse.WALLS] = funds[Fund.ARMY], funds[Fund.WALLS]
    if cfg.pooled:
        # Each of the funds read is the treasury, which is one purse.
        purse[Purse.WORKS] = purse[Purse.WALLS] = 0.0
    purse[Purse.GARRISON] = purse[Purse.ARMY]
    purse[Purse.VALUE], purse[Purse.LOST] = 0.0, 0.0


start_realm = kernel(_start_realm)
