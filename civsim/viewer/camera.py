"""Frames of a live world: what there is to see after each turn, in every view.

    camera = Camera(world)          # before the first turn
    first = camera.frame()
    world.step(shares)
    second = camera.frame()         # after every turn

View 0 is the truth; view 1 + i is what civilization i knows, remembers and expects. The views of a frame are made
apart, so that whoever may see one of them can be given that one alone. A world that is filmed is the world that is not.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

from civsim.base.errors import ScenarioError
from civsim.engine.journal import Decision
from civsim.engine.planner.plan import Phase
from civsim.engine.world import World
from civsim.viewer.events import Chronicle
from civsim.viewer.notes import Note, decision_note, seat_note, truth_note
from civsim.viewer.planes import pack
from civsim.viewer.sights import Eyes

TRUTH = 0
"""The view of everything."""


def view_of(seat: int) -> int:
    """Return the view of a seat's beliefs."""
    return 1 + seat


class View(NamedTuple):
    """One view of a frame."""

    planes: bytes  # the map, see civsim.viewer.planes
    note: Note  # what is told beside it, see civsim.viewer.notes


class Frame(NamedTuple):
    """What there is to see after a turn."""

    turn: int  # turns played
    views: dict[int, View]


class Camera:
    """Films one world of a batch.

    It keeps the batch's journal. Of the turn before it remembers what events are told by, and of every civilization the
    plan for land that it follows.

    Args:
        world: the batch.
        row: which world of it, in [0, B).

    Raises:
        ScenarioError: the row is out of range.
    """

    def __init__(self, world: World, row: int = 0) -> None:
        if not 0 <= row < world.n_worlds:
            raise ScenarioError(f"row={row} is outside 0 … {world.n_worlds - 1}; give a row of the batch")
        self.world, self.row = world, row
        self._journal = world.keep_journal()
        self._chronicle = Chronicle(world, row, self._journal)
        self._eyes = Eyes(world, row)
        self._plans: dict[int, tuple[int, Decision]] = {}
        self._turn = int(world.state.turn[row])
        self._look(self._turn)

    @property
    def views(self) -> range:
        """Every view: the truth and one for each seat."""
        return range(1 + self.world.n_civilizations)

    def frame(self, views: Iterable[int] | None = None) -> Frame:
        """Return the frame of the world as it is now; asked twice of one turn it is the same.

        Args:
            views: the views wanted; all where left out.
        """
        turn = int(self.world.state.turn[self.row])
        if turn != self._turn:
            self._look(turn)
        wanted = self.views if views is None else views
        return Frame(turn, {view: self._view(view) for view in wanted})

    def _look(self, turn: int) -> None:
        """Take in the turn just played."""
        if turn != self._turn + 1:
            self._plans.clear()
        self._chronicle.advance()
        self._turn = turn
        self._decisions = self._journal.decisions(self.row)
        for decision in self._decisions:
            if decision.phase == Phase.LAND:
                self._plans[decision.seat] = (turn, decision)

    def _view(self, view: int) -> View:
        if view == TRUTH:
            return View(pack(self._eyes.truth()), truth_note(self.world, self.row, self._chronicle.everything()))
        seat = view - 1
        sight, known = self._eyes.belief(seat), self._chronicle.known_to(seat)
        note = seat_note(self.world, self.row, seat, sight, self._eyes.scalars, known, self._chronicle.before)
        decisions = [decision_note(decision) for decision in self._decisions if decision.seat == seat]
        return View(pack(sight), {**note, "decisions": decisions, "plan": self._standing(seat)})

    def _standing(self, seat: int) -> list[Any] | None:
        """Return (turn, decision) of the plan for land that a civilization follows, if it was made in a turn before."""
        made, plan = self._plans.get(seat, (self._turn, None))
        return None if plan is None or made == self._turn else [made, decision_note(plan)]
