"""The journal of a batch: what each civilization decided in the turn just played, and why; and which raids there were.

The state holds what is; a decision's reasons are gone once it is taken. A batch that is asked for its journal
(:meth:`civsim.World.keep_journal`) notes them as it plays, and plays on bit for bit as it would have.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from civsim.base.constants import OrderKind
from civsim.base.scenario import Scenario
from civsim.engine.noted import ENTRY_COLUMNS, SIDE_COLUMNS, Entry, Noted, RaidField, Side, Worth
from civsim.engine.planner.plan import Phase, Plan
from civsim.engine.state import most_offices, orders_per_turn
from civsim.engine.work import Work

MOST_DECISIONS = len(Phase)
"""Decisions of a civilization and turn beyond its order slots: each fills a slot, or is the last of its phase."""


def with_journal(work: Work, scenario: Scenario) -> Work:
    """Return a thread's working space with room for the decisions and raids of a turn."""
    worlds, offices = work.hi - work.lo, most_offices(scenario)
    # Of several seats of thought each goes through the phases, and the capital once more, for all.
    rounds = 1 if offices == 1 else 1 + offices
    # With a treasury the phases go round again after any order.
    rounds += orders_per_turn(scenario) if scenario.economy.pooled else 0
    rows = worlds * scenario.game.civilizations * (MOST_DECISIONS * rounds + orders_per_turn(scenario))
    return work._replace(
        journal=np.zeros((rows, ENTRY_COLUMNS), np.int64),
        journal_value=np.zeros((rows, len(Worth)), np.float64),
        journal_path=np.zeros((rows, 2, scenario.n_cells), np.int32),
        raids=np.zeros((worlds * scenario.raiders.bands, len(RaidField)), np.int64),
    )


class Choice(NamedTuple):
    """A plan that was considered."""

    plan: Plan
    order: OrderKind  # its first order, NONE to wait
    cell: int  # of that order, -1 to wait
    menu: int  # menu entry of a work, 0 otherwise
    path: tuple[int, ...]  # cells it goes through in turn; empty to wait
    value: float  # believed: the objective to come, or an index where nothing was simulated


class Decision(NamedTuple):
    """One decision: the plan chosen, and what it was weighed against."""

    seat: int
    phase: Phase
    turns: int  # turns that were simulated; 0 where values are indices
    compared: int  # plans that were valued; 0 where the rule of thumb was followed without
    chosen: Choice
    second: Choice | None  # the best with another first order; None where there was none
    by_rule: float | None  # what following the rule of thumb was worth; None where that was not valued
    office: int  # the seat of thought that decided, the capital's being 0; -1 where one decides for the whole realm


class Raid(NamedTuple):
    """A band of raiders that came to its target."""

    cell: int
    seat: int  # who held it
    sacked: bool  # False where it held


class Journal:
    """What the turn just played brought; empty before the first.

    Args:
        works: the working spaces of the batch, one a thread, with room for a journal.
    """

    def __init__(self, works: Sequence[Work]) -> None:
        self._works = tuple(works)

    def decisions(self, row: int = 0) -> list[Decision]:
        """Return the decisions of world ``row``, in the order in which they were taken."""
        return [
            _decision(work, at)
            for work in self._works
            for at in range(int(work.noted[Noted.DECISIONS]))
            if work.journal[at, Entry.WORLD] == row
        ]

    def raids(self, row: int = 0) -> list[Raid]:
        """Return the raids of world ``row``, in the order in which they happened."""
        return [
            Raid(int(raid[RaidField.CELL]), int(raid[RaidField.SEAT]), bool(raid[RaidField.SACKED]))
            for work in self._works
            for raid in work.raids[: work.noted[Noted.RAIDS]]
            if raid[RaidField.WORLD] == row
        ]


def _decision(work: Work, at: int) -> Decision:
    entry, by_rule = work.journal[at], float(work.journal_value[at, Worth.RULE])
    return Decision(
        seat=int(entry[Entry.SEAT]),
        phase=Phase(int(entry[Entry.PHASE])),
        turns=int(entry[Entry.TURNS]),
        compared=int(entry[Entry.COMPARED]),
        chosen=_choice(work, at, 0),
        second=_choice(work, at, 1) if entry[Entry.SECOND] else None,
        by_rule=None if np.isnan(by_rule) else by_rule,
        office=int(entry[Entry.OFFICE]),
    )


def _choice(work: Work, at: int, side: int) -> Choice:
    entry = work.journal[at, Entry.SIDES + side * SIDE_COLUMNS :]
    path = work.journal_path[at, side, : entry[Side.LENGTH]]
    return Choice(
        plan=Plan(int(entry[Side.PLAN])),
        order=OrderKind(int(entry[Side.ORDER])),
        cell=int(entry[Side.CELL]),
        menu=int(entry[Side.MENU]),
        path=tuple(path.tolist()),
        value=float(work.journal_value[at, Worth.CHOSEN + side]),
    )
