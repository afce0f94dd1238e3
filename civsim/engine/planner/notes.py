"""Notes of decisions for whoever watches a game: what was decided, what came second, and what both were worth.

They are written only where the working space has rows for them, and nothing reads them back: a game that is watched is
the game that is not. What the rows mean is said at :class:`~civsim.engine.noted.Entry`; Python reads them through
:mod:`civsim.engine.journal`.
"""

from __future__ import annotations

import math

from civsim.base.constants import OrderKind
from civsim.base.kernels import kernel
from civsim.engine.noted import SIDE_COLUMNS, Entry, Noted, Side, Worth
from civsim.engine.offices.rows import at_work
from civsim.engine.planner.plan import Plan
from civsim.engine.work import PlanField


def _is_kept(work):
    """Return True where a journal is kept."""
    return work.journal.shape[0] > 0


is_kept = kernel(_is_kept)


def _begin_entry(work, b, i, phase, turns, compared):
    """Take the next row for a decision of civilization ``i`` of world ``b``, so far without a second; return it.

    ``turns`` were simulated for each of the ``compared`` candidates that were valued.
    """
    at = work.noted[Noted.DECISIONS]
    work.noted[Noted.DECISIONS] = at + 1
    entry = work.journal[at]
    entry[Entry.WORLD], entry[Entry.SEAT], entry[Entry.PHASE] = b, i, phase
    entry[Entry.TURNS], entry[Entry.COMPARED], entry[Entry.SECOND] = turns, compared, 0
    entry[Entry.OFFICE] = at_work(work)
    work.journal_value[at, Worth.SECOND] = math.nan
    work.journal_value[at, Worth.RULE] = work.tried[0]
    return at


begin_entry = kernel(_begin_entry)


def _note_side(work, at, side, value):
    """Write the candidate in ``work.plan`` as a side of row ``at``: 0 for the plan chosen, 1 for the second."""
    plan = work.plan
    first = Entry.SIDES + side * SIDE_COLUMNS
    entry = work.journal[at, first : first + SIDE_COLUMNS]
    entry[Side.PLAN], entry[Side.ORDER] = plan[PlanField.KIND], plan[PlanField.ORDER]
    entry[Side.CELL], entry[Side.MENU] = plan[PlanField.CELL], plan[PlanField.MENU]
    work.journal_value[at, Worth.CHOSEN + side] = value
    if side == 1:
        work.journal[at, Entry.SECOND] = 1
    path = work.journal_path[at, side]
    if plan[PlanField.KIND] == Plan.CLAIM or plan[PlanField.KIND] == Plan.ATTACK:
        # Where the base attacks before the plan claims, that comes first.
        first = 1 if plan[PlanField.KIND] == Plan.CLAIM and plan[PlanField.ORDER] == OrderKind.ATTACK else 0
        if first:
            path[0] = plan[PlanField.CELL]
        length = first + plan[PlanField.LENGTH]
        for step in range(first, length):  # an array assigned to a slice compiles for more than a second
            path[step] = work.path[step - first]
    else:
        length = 1 if plan[PlanField.ORDER] != OrderKind.NONE else 0
        path[:length] = plan[PlanField.CELL]
    entry[Side.LENGTH] = length


note_side = kernel(_note_side)
