"""What is noted of a turn for whoever watches, by column: decisions and raids; ``journal.py`` says what it is for."""

from __future__ import annotations

from enum import IntEnum


class Entry(IntEnum):
    """Columns of the journal: a decision and its two sides, the plan chosen and the best with another first order."""

    WORLD = 0  # row of the batch
    SEAT = 1
    PHASE = 2  # Phase
    TURNS = 3  # turns that were simulated; 0 where values are indices
    COMPARED = 4  # candidates that were valued; 0 where a rule was followed without
    SECOND = 5  # 1 where some candidate has another first order
    OFFICE = 6  # the seat of thought that decided; -1 where one decides for the whole realm
    SIDES = 7  # where the sides begin, each of the length of Side


class Side(IntEnum):
    """Columns of a side of a decision."""

    PLAN = 0  # Plan
    ORDER = 1  # OrderKind of its first order, NONE to wait
    CELL = 2  # its cell, -1 to wait
    MENU = 3  # menu entry of a work
    LENGTH = 4  # cells of its path


class Worth(IntEnum):
    """Columns of a decision's values (the objective to come, or an index)."""

    CHOSEN = 0
    SECOND = 1
    RULE = 2  # of following the base's own rule; NaN where that was not valued


class RaidField(IntEnum):
    """Columns of a raid."""

    WORLD = 0  # row of the batch
    CELL = 1
    SEAT = 2  # who held it
    SACKED = 3  # 1 where it was sacked, 0 where it held


class Noted(IntEnum):
    """How many rows of the journal and of the raids this turn has filled."""

    DECISIONS = 0
    RAIDS = 1


SIDE_COLUMNS = len(Side)
ENTRY_COLUMNS = Entry.SIDES + 2 * SIDE_COLUMNS
