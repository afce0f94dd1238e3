"""The protocol of allocation policies, and the seats of a game played together.

A policy maps what its civilizations may know to shares of output. It keeps no memory between turns: its answer is a
pure function of the observation and of the context, so that a world plays out the same alone and in any batch. What it
may use of the context is said at :class:`PolicyContext`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from civsim.base.constants import N_CATEGORIES
from civsim.base.errors import CivsimError, ScenarioError
from civsim.base.own import explain_fault
from civsim.base.scenario import Scenario
from civsim.engine.observation.observer import Observation, observer_of
from civsim.engine.state import F32, I32, I64
from civsim.engine.world import World

_OURS = "civsim"


class PolicyContext(NamedTuple):
    """What a policy is handed beside its observation: the public rules, the turn, and the names of keyed draws.

    ``seed`` and ``world_ids`` are there for one use only: to key a policy's own draws (purpose ``Draw.POLICY``), so
    that a world plays out the same alone and in any batch. They also determine the map, the sites and every disaster
    to come, which no civilization knows: a policy that makes the world again from them, reads land or future draws
    from them, or keeps a table of worlds by them cheats, and its results say nothing. Nothing here prevents it; the
    policies in this package use them for nothing else, and trained ones are never shown them.
    """

    scenario: Scenario
    seed: int  # study seed; key of the policy's own draws, nothing else
    world_ids: I64  # [B] counter of the policy's own draws, nothing else
    turns: I32  # [B] turns played
    seats: tuple[int, ...]  # S seats this policy plays
    open: NDArray[np.bool_]  # [8] categories that may be spent on


class Policy(Protocol):
    """An allocation policy.

    Attributes:
        needs_observation: whether a call needs the observation; where it does not, None is passed and none is made.
    """

    needs_observation: bool

    def __call__(self, observation: Observation | None, context: PolicyContext) -> F32:
        """Return shares, float32 [B, S, 8] on the simplex, closed categories exactly 0.

        ``observation.features`` is float32 [B, S, F]: only the seats the policy plays.
        """
        ...


class SeatPolicies:
    """The policies of all seats of a scenario; seats that share a policy are asked in one call."""

    def __init__(self, policies: Sequence[Policy]) -> None:
        self.policies: tuple[Policy, ...] = tuple(policies)
        groups: dict[int, list[int]] = {}
        for seat, policy in enumerate(self.policies):
            groups.setdefault(id(policy), []).append(seat)
        self._groups = tuple((self.policies[seats[0]], tuple(seats)) for seats in groups.values())

    def shares(self, world: World, without: int | NDArray[np.bool_] | None = None) -> F32:
        """Return every seat's shares for the next turn, float32 [B, N, 8].

        Args:
            world: the batch; only what each civilization may know of it reaches its policy.
            without: the seats to leave out, whose rows are 0 for the caller to fill: a mask bool [B, N], or a seat to
                leave out in every world.

        Raises:
            ScenarioError: the world has another number of seats, or the code of somebody's own policy fails.
        """
        if world.n_civilizations != len(self.policies):
            raise ScenarioError(
                f"{len(self.policies)} policies for {world.n_civilizations} civilizations; give one for each seat"
            )
        left_out = self._left_out(world, without)
        out_everywhere: list[bool] | None = (
            None if left_out is None else np.logical_and.reduce(left_out, axis=0).tolist()
        )
        shares = np.zeros((world.n_worlds, world.n_civilizations, N_CATEGORIES), np.float32)
        observer = observer_of(world)
        for policy, group in self._groups:
            seats = group if out_everywhere is None else tuple(seat for seat in group if not out_everywhere[seat])
            if not seats:
                continue
            observation = self._observation(world, seats, left_out) if policy.needs_observation else None
            context = PolicyContext(
                world.scenario, world.seed, world.state.world_id, world.state.turn, seats, observer.open
            )
            shares[:, _span(seats)] = _ask(policy, observation, context)
        if left_out is not None:
            shares[left_out] = 0.0
        return shares

    def _left_out(self, world: World, without: int | NDArray[np.bool_] | None) -> NDArray[np.bool_] | None:
        """Return the seats left out, bool [B, N], or None where none can be."""
        if not isinstance(without, int):
            return without
        mask = np.zeros((world.n_worlds, world.n_civilizations), np.bool_)
        mask[:, without] = True
        return mask

    def _observation(self, world: World, seats: tuple[int, ...], left_out: NDArray[np.bool_] | None) -> Observation:
        """Return what some seats observe; one that is left out in a world is asked there too, but would see nothing."""
        observer = observer_of(world)
        wanted = np.ones((world.n_worlds, len(seats)), np.bool_) if left_out is None else ~left_out[:, seats]
        rows, places = np.nonzero(wanted)
        seen = observer.rows(world.state, rows, np.array(seats, np.int64)[places])
        if len(rows) == wanted.size:
            features = seen.reshape(*wanted.shape, observer.width)
        else:
            features = np.zeros((*wanted.shape, observer.width), np.float32)
            features[rows, places] = seen
        return Observation(features, observer.open.copy())


def _ask(policy: Policy, observation: Observation | None, context: PolicyContext) -> F32:
    """Return a policy's shares; what the code of one that is not civsim's raises is told in one line."""
    try:
        return policy(observation, context)
    except (CivsimError, MemoryError):
        raise
    except Exception as error:
        made = getattr(policy, "__module__", type(policy).__module__)
        if made.split(".")[0] == _OURS:
            raise
        name = getattr(policy, "__qualname__", type(policy).__qualname__)
        raise ScenarioError(f"policy {name!r}: {explain_fault(error)}; correct it") from error


def _span(seats: tuple[int, ...]) -> slice | list[int]:
    """Return an index of some seats, rising: a slice where they are neighbours, which is written to much faster."""
    first, last = seats[0], seats[-1]
    return slice(first, last + 1) if last - first + 1 == len(seats) else list(seats)


def play(world: World, policies: Sequence[Policy]) -> F32:
    """Return the shares of all seats, float32 [B, N, 8], each seat's from its own policy.

    Raises:
        ScenarioError: there is not one policy for each seat.
    """
    return SeatPolicies(policies).shares(world)
