"""Where learners sit: one seat or several, fixed or going round the table with the world."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple

import numpy as np

from civsim.base.errors import ScenarioError
from civsim.base.scenario import Scenario
from civsim.engine.state import I64

SeatChoice = int | Literal["rotate"]
"""A seat, or "rotate": world id modulo the number of seats."""


def check_seat(scenario: Scenario, seat: SeatChoice) -> SeatChoice:
    """Return ``seat`` if the scenario has it.

    Raises:
        ScenarioError: it is neither a seat of the scenario nor "rotate".
    """
    n = scenario.game.civilizations
    if seat == "rotate" or (isinstance(seat, int) and not isinstance(seat, bool) and 0 <= seat < n):
        return seat
    raise ScenarioError(f"seat={seat!r} is none of 0 … {n - 1}; give one of them, or 'rotate'")


def seat_of_world(seat: SeatChoice, world_id: int, n_civilizations: int) -> int:
    """Return the first learner's seat in a world: ``seat``, or world id modulo the number of seats where it rotates."""
    return world_id % n_civilizations if seat == "rotate" else int(seat)


class Seating(NamedTuple):
    """Which seats of a world are learners': those that lie ``places`` after the first, round the table."""

    first: SeatChoice
    places: tuple[int, ...]  # L, in row order
    n_civilizations: int

    def seats(self, world_ids: I64) -> I64:
        """Return the learners' seats in each world, int64 [n, L], for world ids int64 [n]."""
        first = [seat_of_world(self.first, int(world_id), self.n_civilizations) for world_id in world_ids]
        return (np.array(first, np.int64)[:, None] + np.array(self.places, np.int64)) % self.n_civilizations


def neighbouring(scenario: Scenario, seat: SeatChoice, learners: int = 1) -> Seating:
    """Return the seating of neighbours, the first at ``seat``: if it rotates, (w + 0 … L − 1) mod N in world w.

    Raises:
        ScenarioError: the seat is not one of the scenario's, there are more learners than seats or none, or several
            learners have a fixed seat.
    """
    n = scenario.game.civilizations
    if isinstance(learners, bool) or not isinstance(learners, int) or not 1 <= learners <= n:
        raise ScenarioError(f"learners={learners!r} is outside 1 … {n}; give at most one for each civilization")
    if learners > 1 and seat != "rotate":
        raise ScenarioError(f"seat={seat!r} holds one learner, not {learners}; use seat='rotate' or learners=1")
    return Seating(check_seat(scenario, seat), tuple(range(learners)), n)


def fixed(scenario: Scenario, seats: Sequence[int] | None) -> Seating:
    """Return the seating in which the learners hold ``seats`` in every world; all of them for None.

    Raises:
        ScenarioError: no seat is given, one is given twice, or one is not the scenario's.
    """
    n = scenario.game.civilizations
    wanted = list(range(n)) if seats is None else list(seats)
    if not wanted or len(set(wanted)) < len(wanted):
        raise ScenarioError(f"seats={wanted} must name at least one seat and none twice; correct the list")
    outside = [seat for seat in wanted if isinstance(seat, bool) or not isinstance(seat, int) or not 0 <= seat < n]
    if outside:
        raise ScenarioError(f"seats={wanted}: {outside[0]!r} is none of 0 … {n - 1}; correct the list")
    return Seating(0, tuple(wanted), n)
