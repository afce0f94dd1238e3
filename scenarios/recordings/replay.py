"""A recorded game played again, turn by turn.

Replayed *by shares*, the shares are given again and the planner thinks again: every bit of the game comes back, what
was believed and planned included. That takes the planner the game was recorded with. Where this release's planner gives
other orders, the game is replayed *by orders*: the recorded ones are carried out and nobody plans. What happens is the
same still, since orders and shares decide it, but no plans can be shown. Of a realm with several seats of thought a
recording does not say which gave an order: a party belongs to the province beside which it settles, so that provinces,
and what each seat sees from its own, may be others than they were. (Where a seat that falls takes staff with it and
weights go by output, so may the staff that is lost.)
"""

from __future__ import annotations

from typing import Literal

import numpy as np

from civsim.base.constants import RULES_VERSION
from civsim.base.errors import ActionError, RecordingError
from civsim.engine.recorder import StepRecord
from civsim.engine.state import Orders
from civsim.engine.world import World
from civsim.scenarios.recordings.recorder import Recording, physical_mark
from civsim.scenarios.sources import engine_digest

By = Literal["auto", "shares", "orders"]
WAYS: tuple[By, ...] = ("auto", "shares", "orders")


class Replay:
    """A recording being played again.

        replay = Replay(load_recording("game.rec"))
        while not replay.done:
            replay.step()
            draw_world(replay.world.state, replay.world.scenario)

    Args:
        recording: the game.
        by: "shares", "orders", or "auto": by shares if that makes the recorded game, which is tried unless the code is
            the very one that it was recorded with; else by orders.

    Attributes:
        world: the one world, in the turn that was played last; 0 turns at first.
        by: "shares" or "orders".
        strays: the first turn, 0 for the beginning, after which the world was not what it was when it was recorded, by
            its mark; None while there is none.

    Raises:
        RecordingError: ``by`` is no such way.
    """

    def __init__(self, recording: Recording, by: By = "auto") -> None:
        if by not in WAYS:
            raise RecordingError(f"by={by!r} is unknown; use one of {', '.join(WAYS)}")
        self.recording = recording
        self._planned_otherwise: int | None = None
        if by == "auto":
            self._planned_otherwise = None if _same_code(recording) else _first_other_orders(recording)
            by = "shares" if self._planned_otherwise is None else "orders"
        self.by: Literal["shares", "orders"] = by
        self.strays: int | None = None
        self.world = _begin(recording)
        self._compare()

    @property
    def turn(self) -> int:
        """Turns replayed so far."""
        return int(self.world.state.turn[0])

    @property
    def done(self) -> bool:
        """Whether every recorded turn was replayed."""
        return self.turn >= self.recording.turns

    def step(self) -> StepRecord:
        """Replay one turn.

        Raises:
            RecordingError: all recorded turns were replayed, or the recorded shares cannot be played.
        """
        if self.done:
            raise RecordingError(f"all {self.recording.turns} recorded turns were replayed; begin another replay")
        record = _play(self.world, self.recording, self.turn, self.by == "orders")
        self._compare()
        return record

    def to_turn(self, turn: int) -> None:
        """Replay until ``turn`` turns are played, or all that were recorded."""
        while self.turn < turn and not self.done:
            self.step()

    def note(self) -> str:
        """Return in a line why this replay is not every bit of the recorded game so far; empty where it is."""
        said = []
        made = f"civsim {self.recording.version}, rules version {self.recording.rules}"
        if self._planned_otherwise is not None:
            said.append(
                f"from turn {self._planned_otherwise} this release (rules version {RULES_VERSION}) orders otherwise "
                f"than what recorded it ({made}), so that its orders are carried out and nobody plans"
            )
        elif self.by == "orders":
            said.append("its orders are carried out and nobody plans")
        if self.by == "orders" and self.world.config.most_offices > 1:
            said.append("which seat of thought gave one is not recorded, so that provinces may be drawn otherwise")
        if self.strays is not None:
            said.append(f"what happens is not what was recorded ({made}) from turn {self.strays} on")
        return "; ".join(said)

    def _compare(self) -> None:
        if self.strays is None and physical_mark(self.world.state) != self.recording.marks[self.turn]:
            self.strays = self.turn


def _begin(recording: Recording) -> World:
    return World(recording.scenario, world_ids=[recording.world_id], seed=recording.seed, land=recording.land)


def _orders(recording: Recording, turn: int, like: Orders) -> Orders:
    kind, cell, choice = (values[turn][None] for values in (recording.kind, recording.cell, recording.choice))
    return Orders(kind, cell, choice, np.zeros_like(like.status))


def _play(world: World, recording: Recording, turn: int, by_orders: bool) -> StepRecord:
    """Play turn ``turn`` of a recording; orders that were given are given again. RecordingError for no shares."""
    given = by_orders or not recording.planned[turn]
    try:
        return world.step(recording.shares[turn][None], _orders(recording, turn, world.orders) if given else None)
    except ActionError as fault:
        raise RecordingError(f"recorded turn {turn + 1} cannot be played ({fault}); record again") from None


def _same_code(recording: Recording) -> bool:
    return recording.rules == RULES_VERSION and recording.engine == engine_digest()


def _first_other_orders(recording: Recording) -> int | None:
    """Return the first turn, from 1, in which this release, given the shares, does not do what was recorded, or None.

    A game that begins on other land differs in turn 0.
    """
    world = _begin(recording)
    if physical_mark(world.state) != recording.marks[0]:
        return 0
    for turn in range(recording.turns):
        _play(world, recording, turn, by_orders=False)
        given, recorded = world.orders, _orders(recording, turn, world.orders)
        same = all(np.array_equal(getattr(given, name), getattr(recorded, name)) for name in ("kind", "cell", "choice"))
        if not same or physical_mark(world.state) != recording.marks[turn + 1]:
            return turn + 1
    return None
