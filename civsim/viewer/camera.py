"""Frames of a live world: what there is to see after each turn, in every view.

    camera = Camera(world)          # before the first turn
    first = camera.frame()
    world.step(shares)
    second = camera.frame()         # after every turn

View 0 is the truth; view 1 + i is what civilization i knows, remembers and expects. Where it may have several seats of
thought that is what its capital knows, and after the capitals' views come those of the other seats, civilization by
civilization (:func:`civsim.faces.thinkers.thinkers`). The views of a frame are made apart, so that whoever may see one
of them can be given that one alone. A world that is filmed is the world that is not.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

from civsim.base.errors import ScenarioError
from civsim.base.scenario import Scenario
from civsim.engine.journal import Decision
from civsim.engine.offices.rows import CAPITAL
from civsim.engine.planner.plan import Phase
from civsim.engine.world import World
from civsim.faces.thinkers import Thinker, row_of_thinker, stands, thinkers
from civsim.viewer.events import Chronicle
from civsim.viewer.notes import Note, decision_note, seat_note, truth_note
from civsim.viewer.planes import pack
from civsim.viewer.sights import Eyes

TRUTH = 0
"""The view of everything."""


def view_of(seat: int) -> int:
    """Return the view of what a seat believes, or where it has several seats of thought its capital."""
    return 1 + seat


def view_of_thinker(scenario: Scenario, thinker: Thinker) -> int:
    """Return the view of what one seat of thought believes.

    Raises:
        ScenarioError: the civilization has no such seat of thought in this game.
    """
    seat, office = thinker
    count = scenario.thought(seat).count
    if not 0 <= office < count:
        raise ScenarioError(f"province={office} is outside 0 … {count - 1}; give a province that seat {seat} may have")
    return 1 + thinkers(scenario).index(thinker)


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

    It keeps the batch's journal. Of the turn before it remembers what events are told by, and of everyone who thinks
    the plan for land that is followed.

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
        self._thinkers = thinkers(world.scenario)
        self._plans: dict[Thinker, tuple[int, Decision]] = {}
        self._turn = int(world.state.turn[row])
        self._look(self._turn)

    @property
    def views(self) -> range:
        """Every view: the truth, and one for everyone who may think."""
        return range(1 + len(self._thinkers))

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
                self._plans[_who(decision)] = (turn, decision)

    def _view(self, view: int) -> View:
        if view == TRUTH:
            return View(pack(self._eyes.truth()), truth_note(self.world, self.row, self._chronicle.everything()))
        asked = self._thinkers[view - 1]
        # Where there is no such seat of thought, its land is thought of at the capital.
        thinker = asked if stands(self.world.state, self.row, asked) else Thinker(asked.seat)
        sight, m = self._eyes.belief(*thinker), row_of_thinker(self.world.scenario, thinker)
        known = self._chronicle.known_to(thinker.seat, m)
        note = seat_note(self.world, self.row, thinker, sight, self._eyes.scalars, known, self._chronicle.before)
        if asked.office != CAPITAL:
            note["there"] = int(thinker == asked)
        decisions = [decision_note(decision) for decision in self._decisions if _who(decision) == thinker]
        return View(pack(sight), {**note, "decisions": decisions, "plan": self._standing(thinker)})

    def _standing(self, thinker: Thinker) -> list[Any] | None:
        """Return (turn, decision) of the plan for land that somebody follows, if it was made in a turn before."""
        made, plan = self._plans.get(thinker, (self._turn, None))
        return None if plan is None or made == self._turn else [made, decision_note(plan)]


def _who(decision: Decision) -> Thinker:
    """Return who took a decision: for the whole realm the capital does."""
    return Thinker(decision.seat, max(decision.office, CAPITAL))
