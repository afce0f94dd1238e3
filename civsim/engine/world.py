"""A batch of worlds: the one engine every face is a view of."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from civsim.base.constants import N_CATEGORIES, WORLD_IDS
from civsim.base.errors import ActionError, ScenarioError
from civsim.base.pointer import Pointer
from civsim.base.randomness import as_key
from civsim.base.scenario import Scenario
from civsim.engine.compiled import Config, compile_config, may_look_ahead, open_categories
from civsim.engine.journal import Journal, with_journal
from civsim.engine.land.landscape import Land, check_land, load_land
from civsim.engine.recorder import Recorder, StepRecord, Watcher
from civsim.engine.rules.genesis import Genesis
from civsim.engine.rules.given import take_orders
from civsim.engine.rules.order import compiled_turn
from civsim.engine.rules.shares import ShareTaker
from civsim.engine.state import Orders, State, allocate, allocate_orders
from civsim.engine.storage import rows as branching
from civsim.engine.storage import snapshot as snapshots
from civsim.engine.threads import Crew, chunk_bounds
from civsim.engine.work import Work
from civsim.engine.workspace import allocate_work

MAX_WORLD_ID = WORLD_IDS - 1
MAX_THREADS = 256


class Pointers(NamedTuple):
    """A batch's records as kernels take them."""

    state: Pointer
    orders: Pointer
    config: Pointer


class World:
    """B independent worlds of one scenario, stepped together.

    A world is a pure function of (scenario, seed, world id, shares played): neither the batch it is in, nor the
    number of threads, nor the process changes a bit of it.

    ``copy.deepcopy`` and pickling give a batch that goes on bit for bit and shares nothing with this one. ``copy.copy``
    gives the same: a world steps its arrays in place, so that two worlds over one set of arrays would be neither.

    Args:
        scenario: the game.
        n_worlds: worlds 0 … n_worlds − 1; default 1. Give this or ``world_ids``.
        seed: study seed in [0, 2**64).
        world_ids: ids of the worlds, each in [0, 2**32).
        threads: threads that share a step, at least 1; more than worlds are not used.
        land: land for every world instead of drawn land.

    Raises:
        ScenarioError: a count, id, seed or land is out of range, or the map file cannot be used.
    """

    def __init__(
        self,
        scenario: Scenario,
        n_worlds: int | None = None,
        seed: int = 0,
        *,
        world_ids: Sequence[int] | NDArray[np.integer[Any]] | None = None,
        threads: int = 1,
        land: Land | None = None,
    ) -> None:
        ids = _world_ids(n_worlds, world_ids)
        self.scenario = scenario
        self.seed = _check_seed(seed)
        self.threads = check_threads(threads)
        self.land = _given_land(scenario, land)
        self.state: State = allocate(scenario, len(ids))
        self.orders: Orders = allocate_orders(scenario, len(ids))
        self._set_up(len(ids))
        self.reset(ids)

    def _set_up(self, n: int) -> None:
        scenario = self.scenario
        self.n_worlds, self.n_civilizations, self.n_cells = n, scenario.game.civilizations, scenario.n_cells
        self.open: NDArray[np.bool_] = open_categories(scenario).astype(bool)
        self.config: Config = compile_config(scenario)
        self._key = as_key(self.seed)
        self.pointers = Pointers(Pointer(self.state), Pointer(self.orders), Pointer(self.config))
        self._shares = np.zeros((n, self.n_civilizations, N_CATEGORIES), np.float64)
        self._ordered = np.ones((n, self.n_civilizations), np.uint8)
        workers = min(self.threads, n)
        bounds = [n * k // workers for k in range(workers + 1)]
        spaces = (allocate_work(scenario, self._shares, self._ordered) for _ in range(workers))
        self._journal: Journal | None = None
        self._use([w._replace(lo=bounds[k], hi=bounds[k + 1]) for k, w in enumerate(spaces)])
        self._take_shares = ShareTaker(self.pointers.state, self.pointers.config, self._shares)
        self._recorder = Recorder(self.state, self.pointers.state, self.pointers.config)
        self._turn = compiled_turn((*self.pointers, self._key, self._plan_work[0]), may_look_ahead(self.config))
        state, _, config = self.pointers
        self._genesis = Genesis(
            scenario, self.state, self.orders, self._shares, state, config, self._key, self._plan_work[0]
        )
        self._crew = Crew(workers)
        self._watchers: tuple[Watcher, ...] = ()

    def _use(self, works: list[Work]) -> None:
        """Step with these working spaces, one a thread."""
        self._work = works
        self._plan_work = [Pointer(work) for work in works]
        self._plan_chunks, self._replay_chunks = (
            [self._chunks(space.but(replay=replay)) for space in self._plan_work] for replay in (False, True)
        )

    def _chunks(self, space: Pointer) -> list[Pointer]:
        """Return the worlds that a thread steps with a working space: its own, or chunks of all for whoever is free."""
        if self._journal is not None:
            # What is noted of a turn stays in the space it was played in: there a thread has its own worlds.
            return [space]
        return [space.but(lo=lo, hi=hi) for lo, hi in chunk_bounds(self.n_worlds, len(self._work))]

    def keep_journal(self) -> Journal:
        """Return the journal of this batch; from the next step on it holds what each turn's decisions were, and why.

        It changes no bit of a game. A batch has one journal; copies and saved worlds have none.
        """
        if self._journal is None:
            works = [with_journal(work, self.scenario) for work in self._work]
            self._journal = Journal(works)
            self._use(works)
        return self._journal

    @property
    def done(self) -> NDArray[np.bool_]:
        """Bool [B]: the game of a world is over (turn T is reached)."""
        return self.state.turn >= self.scenario.game.turns

    @property
    def shares(self) -> NDArray[np.float64]:
        """Float64 [B, N, 8]: the shares of the last step (live; do not write)."""
        return self._shares

    @property
    def given(self) -> NDArray[np.float64]:
        """Float64 [B, N, 8]: the shares of the last step as they were given, not normalised (live; do not write)."""
        return self._take_shares.given

    def watch(self, watcher: Watcher) -> None:
        """Tell ``watcher`` of every turn from now on; copies of this batch have no watchers."""
        self._watchers = (*self._watchers, watcher)

    def unwatch(self, watcher: Watcher) -> None:
        """Tell ``watcher`` no more; it need not be one."""
        self._watchers = tuple(one for one in self._watchers if one is not watcher)

    def reset(
        self,
        world_ids: Sequence[int] | NDArray[np.integer[Any]] | None = None,
        rows: Sequence[int] | NDArray[np.integer[Any]] | None = None,
    ) -> None:
        """Restart rows as the given worlds; all rows, and the ids they have, where left out.

        Args:
            world_ids: one id a row, each in [0, 2**32).
            rows: rows to restart, each in [0, B), none twice.

        Raises:
            ScenarioError: ids or rows are out of range or differ in number.
        """
        chosen = np.arange(self.n_worlds) if rows is None else np.ascontiguousarray(rows, np.int64)
        if chosen.ndim != 1 or (chosen.size and (chosen.min() < 0 or chosen.max() >= self.n_worlds)):
            raise ScenarioError(f"rows {chosen.tolist()} leave 0 … {self.n_worlds - 1}; give rows of this batch")
        ids = self.state.world_id[chosen] if world_ids is None else _world_ids(None, world_ids)
        if len(ids) != len(chosen):
            raise ScenarioError(f"{len(ids)} world_ids for {len(chosen)} rows; give one id a row")
        if self.land is None:
            # A believed world keeps no land of its own; what it begins anew is the scenario's, from a file or drawn.
            self.land = _given_land(self.scenario, None)
        self._genesis(self.pointers.config, chosen, ids, self.land)
        self._refresh_hazard(None if rows is None else chosen)
        for watcher in self._watchers:
            watcher.replaced(chosen)

    def _refresh_hazard(self, rows: slice | NDArray[np.int64] | None = None) -> None:
        """Skip disaster draws where no cell has any hazard: keyed draws make that invisible to every result.

        ``rows`` are those that have changed since the last call; all where left out.
        """
        if rows is None:
            self._hazardous: NDArray[np.bool_] = np.any(self.state.hazard > 0.0, axis=1)
        else:
            self._hazardous[rows] = np.any(self.state.hazard[rows] > 0.0, axis=1)
        hazard_on = bool(self._hazardous.any())
        if hazard_on != self.config.hazard_on:
            self.config = self.config._replace(hazard_on=hazard_on)
            self.pointers = self.pointers._replace(config=Pointer(self.config))

    def step(
        self, shares: ArrayLike, orders: Orders | None = None, given: NDArray[np.bool_] | None = None
    ) -> StepRecord:
        """Play one turn.

        Args:
            shares: float [B, N, 8] on the simplex (each ≥ 0, sum within 1e-4 of 1, closed categories exactly 0);
                rows of eliminated civilizations and finished worlds are ignored.
            orders: orders to carry out instead of planning, as recorded in ``world.orders`` of a world of the same
                shape. Illegal or unaffordable ones are void.
            given: bool [B, N], whose orders are taken from ``orders``; the others plan. All of them if left out.

        Returns:
            A record of copies.

        Raises:
            ActionError: shares, orders or ``given`` are malformed; the worlds have not moved.
        """
        state, _, config = self.pointers
        if orders is None and given is None:
            self._take_shares(shares, state, config)
            self._run(self._plan_chunks)
        else:
            before = self._shares.copy()
            self._take_shares(shares, state, config)
            try:
                take_orders(orders, given, self.orders, self._ordered, self.scenario)
            except ActionError:
                self._shares[...] = before
                raise
            self._run(self._replay_chunks)
        for watcher in self._watchers:
            watcher.played(orders is None)
        return self._recorder(state, config)

    def _run(self, chunks: Sequence[Sequence[Pointer]]) -> None:
        """Play the turn in every chunk; ``chunks[k]`` are those of thread k, all the same where they share them."""
        if self._journal is None:
            self._crew.share(self._run_chunk, chunks)
        else:
            self._crew.run(self._run_chunk, [own[0] for own in chunks])

    def _run_chunk(self, work: Pointer) -> None:
        self._turn(*self.pointers, self._key, work)

    def snapshot(self) -> dict[str, NDArray[Any]]:
        """Return a copy of everything the batch is, as named arrays without pickles."""
        return snapshots.snapshot(self)

    def save(self, path: str | Path) -> None:
        """Write :meth:`snapshot` to an npz file, whole or not at all."""
        snapshots.save(self, path)

    @classmethod
    def restore(cls, source: str | Path | Mapping[str, NDArray[Any]], threads: int = 1) -> World:
        """Return the batch a snapshot holds; it goes on bit for bit as the saved one would have.

        Raises:
            SnapshotError: the snapshot cannot be used (see :func:`civsim.engine.storage.snapshot.restore`).
        """
        saved = snapshots.restore(source)
        return cls._of(*saved, check_threads(threads))

    @classmethod
    def _of(
        cls,
        scenario: Scenario,
        seed: int,
        state: State,
        orders: Orders,
        land: Land | None,
        threads: int,
        shares: NDArray[np.float64] | None = None,
    ) -> World:
        """Return the batch of these records, which it owns from now on; ``shares`` are those of its last step."""
        world = cls.__new__(cls)
        world.scenario, world.seed, world.threads = scenario, seed, threads
        world.state, world.orders, world.land = state, orders, land
        world._set_up(len(state.world_id))
        if shares is not None:
            np.copyto(world._shares, shares)
        world._refresh_hazard()
        return world

    def copy_rows(
        self,
        source: World,
        source_rows: Sequence[int] | NDArray[np.integer[Any]],
        rows: Sequence[int] | NDArray[np.integer[Any]],
        world_ids: Sequence[int] | NDArray[np.integer[Any]] | None = None,
    ) -> None:
        """Make rows of this batch copies of rows of another (or of this one): state, orders, shares of the last step.

        A row goes on bit for bit as the one it was copied from. Under another world id everything so far stays, land
        and error factors included, and only luck to come is that of the new id.

        Args:
            source: a batch of the same scenario and study seed, and of the same land where it was given.
            source_rows: one row of ``source`` for each of ``rows``, or one for all.
            rows: rows of this batch, none twice.
            world_ids: the ids the rows have from now on, one each, in [0, 2**32); those of their sources if left out.

        Raises:
            ScenarioError: the batches play different games, or rows or ids are out of range or differ in number;
                nothing has changed.
        """
        branching.check_same_game(self, source)
        into = branching.check_rows("rows", rows, self.n_worlds)
        out_of = branching.check_rows("source_rows", source_rows, source.n_worlds)
        ids = None if world_ids is None else _world_ids(None, world_ids)
        if ids is not None and len(ids) != len(into):
            raise ScenarioError(f"{len(ids)} world_ids for {len(into)} rows; give one id a row")
        branching.copy_rows(self, source, out_of, into)
        self._shares[into] = source._shares[out_of]
        if ids is not None:
            self.state.world_id[into] = ids
        self._refresh_hazard()
        for watcher in self._watchers:
            watcher.replaced(into)

    def __deepcopy__(self, memo: dict[int, Any]) -> World:
        """Return an exact copy that shares no array with this batch."""
        records = copy.deepcopy((self.state, self.orders, self.land), memo)
        return type(self)._of(self.scenario, self.seed, *records, self.threads, self._shares)

    def __copy__(self) -> World:
        """Return what ``copy.deepcopy`` returns."""
        return self.__deepcopy__({})

    def __reduce__(self) -> tuple[Any, ...]:
        """Travel as a snapshot, which is checked where it arrives (:meth:`restore`)."""
        return _arrived, (type(self), self.snapshot(), self.threads, self._shares.copy())


def _arrived(kind: type[World], arrays: dict[str, NDArray[Any]], threads: int, shares: NDArray[np.float64]) -> World:
    """Return the world that :meth:`World.__reduce__` sent."""
    return kind._of(*snapshots.restore(arrays), threads, shares)


def _check_seed(seed: int) -> int:
    try:
        return int(as_key(seed))
    except (TypeError, ValueError) as error:
        raise ScenarioError(f"seed={seed!r} is outside 0 … 2**64 - 1; give a non-negative integer") from error


def check_threads(threads: int) -> int:
    """Return ``threads`` if a batch can have so many; ScenarioError where it is outside 1 … MAX_THREADS."""
    if not isinstance(threads, int) or not 1 <= threads <= MAX_THREADS:
        raise ScenarioError(f"threads={threads!r} is outside 1 … {MAX_THREADS}; give a whole number in it")
    return threads


def _world_ids(n_worlds: int | None, world_ids: Sequence[int] | NDArray[np.integer[Any]] | None) -> NDArray[np.int64]:
    if world_ids is None:
        count = 1 if n_worlds is None else n_worlds
        if not isinstance(count, int | np.integer) or count < 1:
            raise ScenarioError(f"n_worlds={n_worlds!r} is below 1; give a whole number of worlds")
        return np.arange(count, dtype=np.int64)
    ids = np.asarray(world_ids)
    if ids.ndim != 1 or not np.issubdtype(ids.dtype, np.integer):
        raise ScenarioError(f"world_ids of shape {ids.shape} and dtype {ids.dtype}; give a list of whole numbers")
    if ids.size == 0 or ids.min() < 0 or ids.max() > MAX_WORLD_ID:
        raise ScenarioError(f"world_ids must be at least one id within 0 … {MAX_WORLD_ID}; correct the list")
    if n_worlds is not None and n_worlds != ids.size:
        raise ScenarioError(f"n_worlds={n_worlds} but {ids.size} world_ids; give one of them")
    return ids.astype(np.int64)


def _given_land(scenario: Scenario, land: Land | None) -> Land | None:
    if land is not None:
        return check_land(land, scenario)
    if scenario.map.file is not None:
        return load_land(scenario.map.file, scenario)
    return None
