"""The one core of every face: B worlds, L learners' seats in each, and the bookkeeping of their episodes.

A row is a learner's seat in a world: row = world · L + place. The core plays turns, says which rows still count and
begins worlds that it is told to begin; which world comes next, and when, is each face's own convention.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from civsim.base.archive import Wanted
from civsim.base.constants import N_CATEGORIES
from civsim.base.errors import ActionError, ScenarioError, SnapshotError
from civsim.base.limits import MAX_TURNS
from civsim.base.scenario import Scenario
from civsim.engine.observation.observer import Observer
from civsim.engine.state import F32, F64, I64
from civsim.engine.storage import snapshot as snapshots
from civsim.engine.storage.snapshot import Source
from civsim.engine.world import World
from civsim.faces.actions import ActionKind, check_action, check_kind, checked_shares
from civsim.faces.ledger import count_turn
from civsim.faces.seating import Seating
from civsim.faces.splits import check_world_id, onward

Rivals = Callable[[World, NDArray[np.bool_]], F32]
"""Shares of a batch's seats for the next turn, float32 [B, N, 8], from the batch and a mask, bool [B, N], that is True
for the seats that the caller fills itself: what is returned for those is ignored. The mask must not be written to."""

_WORLD = "world."
_SEATS, _RETURNS, _LENGTHS = "rows.seat", "rows.return", "rows.length"


class WorldQueue:
    """Which world each of n series of episodes plays next: series i plays first + i, then every ``step``-th world.

    Past the last world of a part of the ids comes its first (:mod:`civsim.faces.splits`).

    Args:
        first: world of series 0's first episode.
        series: n.
        step: from one episode of a series to its next.

    Raises:
        ScenarioError: ``first`` or ``step`` is out of range.
    """

    def __init__(self, first: int, series: int = 1, step: int = 1) -> None:
        start = np.full(series, check_world_id("first_world", first, ScenarioError), np.int64)
        self._first: I64 = onward(start, np.arange(series, dtype=np.int64))
        self._step = check_world_id("world_step", step, ScenarioError)
        self._next = self._first.copy()

    def upcoming(self, series: I64, rewind: bool = False) -> I64:
        """Return the next world of each series named, int64 [n]; their first worlds where they ``rewind``."""
        return (self._first if rewind else self._next)[series].copy()

    @property
    def following(self) -> I64:
        """The next world of every series, int64 [n], a copy."""
        return self._next.copy()

    def go_on(self, following: I64) -> None:
        """Take over the next world of every series, int64 [n]."""
        self._next = following.copy()

    def begun(self, series: I64, world_ids: I64) -> None:
        """Note which worlds the series named have begun."""
        self._next[series] = onward(world_ids, self._step)


class Kept(NamedTuple):
    """A batch as a snapshot holds it."""

    world: World
    returns: F64  # [rows] sum of a row's rewards
    lengths: I64  # [rows] turns in which it was live
    live: NDArray[np.bool_]  # [rows]
    beside: dict[str, NDArray[Any]]  # what a face put beside it, by name


class SeatBatch:
    """B worlds and L learners' seats in each, played turn by turn.

    Args:
        scenario: the game.
        rivals: shares of all seats; the learners' are overwritten.
        n_worlds: B, at least 1.
        seating: which seats are learners'.
        actions: what an action is (:mod:`civsim.faces.actions`).
        threads: threads of the engine; no result depends on it.
        most_turns: turns after which a row's episode is cut off, at least 1; None for never.

    Attributes:
        row_world: int64 [rows], the world of each row.
        seats: int64 [rows], the seat of each row; replaced, never written to, when worlds begin.
        live: bool [rows], True where the next action counts: the civilization holds a cell and the game is on.
            Replaced, never written to, when a turn is played or worlds begin.
        cut: bool [rows], True where the turn last played was the last that ``most_turns`` allows. Replaced likewise.

    Raises:
        ScenarioError: ``n_worlds`` or ``most_turns`` is no positive integer, or ``actions`` is unknown.
    """

    def __init__(
        self,
        scenario: Scenario,
        rivals: Rivals,
        n_worlds: int,
        seating: Seating,
        *,
        actions: ActionKind = "softmax",
        threads: int = 1,
        most_turns: int | None = None,
    ) -> None:
        if isinstance(n_worlds, bool) or not isinstance(n_worlds, int) or n_worlds < 1:
            raise ScenarioError(f"n_worlds={n_worlds!r} is below 1; give a whole number of worlds")
        self.most_turns = _check_most_turns(most_turns)
        self.scenario, self.n_worlds, self.learners = scenario, n_worlds, len(seating.places)
        self.n_rows = n_worlds * self.learners
        self.row_world: I64 = np.repeat(np.arange(n_worlds, dtype=np.int64), self.learners)
        self.seats: I64 = np.zeros(self.n_rows, np.int64)
        self.live: NDArray[np.bool_] = np.zeros(self.n_rows, np.bool_)
        self.cut: NDArray[np.bool_] = np.zeros(self.n_rows, np.bool_)
        self._rivals, self._seating, self._threads = rivals, seating, threads
        self._kind = check_kind(actions)
        self._observer = Observer(scenario)
        self._mask: NDArray[np.bool_] = np.zeros((n_worlds, seating.n_civilizations), np.bool_)
        self._returns: F64 = np.zeros(self.n_rows)
        self._lengths: I64 = np.zeros(self.n_rows, np.int64)
        self._world: World | None = None

    @property
    def world(self) -> World:
        """The worlds being played.

        Raises:
            ActionError: no episode has begun.
        """
        if self._world is None:
            raise ActionError("no episode has begun; call reset() first")
        return self._world

    @property
    def open_categories(self) -> NDArray[np.bool_]:
        """Bool [8] by Category, a copy: the entries of an action that have an effect."""
        return self._observer.open.copy()

    @property
    def finished(self) -> I64:
        """The worlds in which no row is live, int64 [n]."""
        return np.flatnonzero(~self.live.reshape(self.n_worlds, self.learners).any(axis=1))

    def check_on(self) -> None:
        """Make sure that there is a row whose next action counts.

        Raises:
            ActionError: no episode has begun, or all are over.
        """
        if self._world is None or not self.live.any():
            state = "no episode has begun" if self._world is None else "the episode is over"
            raise ActionError(f"{state}; call reset() before the next step")

    def begin(self, seed: int, world_ids: I64) -> None:
        """Begin every world: ids int64 [B] of study seed ``seed``.

        Raises:
            ScenarioError: the seed or an id is out of range; nothing has changed.
        """
        if self._world is None or self._world.seed != seed:
            self._world = World(self.scenario, seed=seed, world_ids=world_ids, threads=self._threads)
        else:
            self._world.reset(world_ids)
        self._take_seats(np.arange(self.n_worlds))

    def restart(self, worlds: I64, world_ids: I64) -> None:
        """Begin some worlds again, int64 [n], as the ids given, int64 [n]; the study seed stays.

        Raises:
            ActionError: no episode has begun.
            ScenarioError: an id or a world is out of range.
        """
        if len(worlds):
            self.world.reset(world_ids, rows=worlds)
            self._take_seats(worlds)

    def _take_seats(self, worlds: I64) -> None:
        """Seat the learners of worlds that begin and start their rows' bookkeeping."""
        taken = self._seating.seats(self.world.state.world_id[worlds])
        rows = (worlds[:, None] * self.learners + np.arange(self.learners)).ravel()
        self.seats, self.live = self.seats.copy(), self.live.copy()
        self.seats[rows], self.live[rows] = taken.ravel(), True
        self._returns[rows], self._lengths[rows] = 0.0, 0
        self._mask[worlds] = False
        self._mask[worlds[:, None], taken] = True

    def step(self, actions: ArrayLike) -> tuple[F64, NDArray[np.bool_]]:
        """Play one turn in every world; where no row is live, nothing moves.

        Args:
            actions: [rows, 8], well-formed in every row; those of rows that are not live have no effect.

        Returns:
            Rewards float64 [rows], as the engine recorded them, 0 in a row that was not live; and bool [rows], True
            where a live row's episode ended with this turn: its civilization lost its last cell, or the game is over.
            Where it was cut off is in ``cut``.

        Raises:
            ActionError: the actions or the rivals' shares are malformed, or no episode has begun; nothing has moved.
        """
        return self.play(check_action(actions, (self.n_rows, N_CATEGORIES)))

    def play(self, rows: F64) -> tuple[F64, NDArray[np.bool_]]:
        """Do what :meth:`step` does with actions that :func:`civsim.faces.actions.check_action` has returned.

        Args:
            rows: float64 [rows, 8]; they are written over.
        """
        world, before = self.world, self.live
        own = checked_shares(self._kind, rows, self._observer.open)
        rewards, ended = np.zeros(self.n_rows), np.zeros(self.n_rows, np.bool_)
        if not before.any():
            self.cut = np.zeros(self.n_rows, np.bool_)
            return rewards, ended
        shares = np.array(self._rivals(world, self._mask), np.float32)
        if shares.shape != (*self._mask.shape, N_CATEGORIES):
            raise ActionError(f"rivals gave shares of shape {shares.shape}; give {(*self._mask.shape, N_CATEGORIES)}")
        shares[self.row_world, self.seats] = own
        record = world.step(shares)
        live = np.empty(self.n_rows, np.bool_)
        count_turn(
            (self.row_world, self.seats, before),
            (record.reward, record.alive, record.terminated),
            (self._returns, self._lengths),
            (rewards, ended, live),
        )
        self.cut = before & (self._lengths >= self.most_turns)
        self.live = live & ~self.cut
        return rewards, ended

    def _living(self, world: World, seats: I64, lengths: I64) -> NDArray[np.bool_]:
        """Return bool [rows], True where the row's civilization holds a cell and its episode is on."""
        alive: NDArray[np.bool_] = world.state.alive[self.row_world, seats] != 0
        return alive & ~world.done[self.row_world] & (lengths < self.most_turns)

    def observe(self, rows: I64 | None = None) -> F32:
        """Return the observations of rows (all by default), float32 [n, F]; a row without a civilization is 0.

        The array is fresh: nothing writes to it afterwards.
        """
        worlds, seats = (self.row_world, self.seats) if rows is None else (self.row_world[rows], self.seats[rows])
        return self._observer.rows(self.world.state, worlds, seats)

    def episode(self, row: int) -> dict[str, Any]:
        """Return how a row's episode has gone so far.

        Returns:
            ``r`` the undiscounted sum of its rewards, ``l`` the turns in which it was live, ``world_id``, ``seat``,
            ``objective`` the scenario's objective as recorded for its seat, ``objectives`` of every seat, N floats,
            ``alive`` whether the civilization of each seat holds a cell now, N bools.
        """
        state, world, seat = self.world.state, int(self.row_world[row]), int(self.seats[row])
        objectives = state.utility[world, :, self.world.config.objective]
        return {
            "r": float(self._returns[row]),
            "l": int(self._lengths[row]),
            "world_id": int(state.world_id[world]),
            "seat": seat,
            "objective": float(objectives[seat]),
            "objectives": objectives.tolist(),
            "alive": (state.alive[world] != 0).tolist(),
        }

    def snapshot(self) -> dict[str, NDArray[Any]]:
        """Return a copy of all that is needed to go on, as named arrays without pickles.

        Raises:
            ActionError: no episode has begun.
        """
        arrays = {_WORLD + name: values for name, values in self.world.snapshot().items()}
        return {
            **arrays,
            _SEATS: self.seats.copy(),
            _RETURNS: self._returns.copy(),
            _LENGTHS: self._lengths.copy(),
        }

    def kept(self, source: Source, beside: Mapping[str, Wanted] | None = None) -> Kept:
        """Return what a :meth:`snapshot` holds, made sure to be of a batch like this one; nothing changes.

        Args:
            source: its arrays, or an npz file of them.
            beside: the arrays that a face put beside them.

        Raises:
            SnapshotError: it is not a snapshot of a batch like this one.
        """
        rows = {_SEATS: np.dtype(np.int64), _RETURNS: np.dtype(np.float64), _LENGTHS: np.dtype(np.int64)}
        own = {name: Wanted(dtype, self.n_rows, exact=True) for name, dtype in rows.items()} | dict(beside or {})
        found = snapshots.take(source, own, {*own, *(_WORLD + name for name in snapshots.NAMES)})
        for name, rule in own.items():
            if found[name].shape != (rule.largest,):
                raise SnapshotError(
                    f"snapshot has {name!r} of shape {found[name].shape}, not {(rule.largest,)}; "
                    "restore into rows like the saved ones"
                )
        scenario, seed, state, orders, land = snapshots.restore(source, _WORLD, own)
        if scenario != self.scenario or len(state.world_id) != self.n_worlds:
            raise SnapshotError(
                f"snapshot is of {len(state.world_id)} worlds of {scenario.name!r}, not {self.n_worlds} of "
                f"{self.scenario.name!r} with the same settings; restore into a batch like the saved one"
            )
        if not np.array_equal(self._seating.seats(state.world_id).ravel(), found[_SEATS]):
            raise SnapshotError("snapshot seats its learners elsewhere; restore into a batch like the saved one")
        world = World._of(scenario, seed, state, orders, land, self._threads)
        live = self._living(world, found[_SEATS], found[_LENGTHS])
        return Kept(world, found[_RETURNS], found[_LENGTHS], live, {name: found[name] for name in beside or ()})

    def go_on(self, kept: Kept) -> None:
        """Go on from what :meth:`kept` has returned, bit for bit."""
        self._world = kept.world
        self._take_seats(np.arange(self.n_worlds))
        self._returns, self._lengths, self.live = kept.returns, kept.lengths, kept.live

    def restore(self, source: Source) -> None:
        """Go on from a :meth:`snapshot`, bit for bit.

        Raises:
            SnapshotError: it is not a snapshot of a batch like this one; nothing has changed.
        """
        self.go_on(self.kept(source))

    def close(self) -> None:
        """Let the worlds go."""
        self._world = None


def _check_most_turns(most_turns: int | None) -> int:
    """Return the turns after which an episode is cut off; more than any has for None."""
    if most_turns is None:
        return MAX_TURNS + 1
    if isinstance(most_turns, bool) or not isinstance(most_turns, int) or most_turns < 1:
        raise ScenarioError(f"max_episode_steps={most_turns!r} is below 1; give a whole number of turns, or None")
    return most_turns


class SeatFace:
    """What every face shows of its batch."""

    _batch: SeatBatch

    @property
    def scenario(self) -> Scenario:
        """The game."""
        return self._batch.scenario

    @property
    def open_categories(self) -> NDArray[np.bool_]:
        """Bool [8] by Category, a copy: the entries of an action that have an effect. The others are closed."""
        return self._batch.open_categories

    @property
    def world(self) -> World:
        """The worlds being played.

        Raises:
            ActionError: no episode has begun.
        """
        return self._batch.world
