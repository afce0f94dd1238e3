"""A game recorded while it is played, by whatever face: the shares as they were given and the orders that followed.

    recorder = GameRecorder(world)            # before the first turn; env.world of any environment is a world too
    while not world.done.all():
        world.step(policies.shares(world))
    save_recording(recorder.recording, "game.rec")

A world is a function of its scenario, seed, id and shares, so that this is the whole game: a few kilobytes, from which
:class:`civsim.scenarios.recordings.replay.Replay` makes every turn again. Shares are kept as they were given, bit for
bit: what the engine makes of them (divided by their sum) would, given again, be another game in the last digits.
"""

from __future__ import annotations

import zlib
from importlib.metadata import version
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from civsim.base.constants import NOBODY, RULES_VERSION, OrderKind
from civsim.base.errors import RecordingError
from civsim.base.scenario import Scenario
from civsim.engine.land.landscape import Land
from civsim.engine.state import F32, F64, I8, I32, PHYSICAL_FIELDS, SPEC, U32, State
from civsim.engine.world import World
from civsim.scenarios.loader import content_hash
from civsim.scenarios.sources import engine_digest

Shares = F32 | F64


class Recording(NamedTuple):
    """One game of N civilizations as it was played: P turns, at most K orders a civilization and turn."""

    scenario: Scenario
    seed: int  # study seed, in [0, 2**64)
    world_id: int  # in [0, 2**32)
    rules: int  # version of the rules it was played by
    engine: str  # digest of the rules' and the planner's source (civsim.scenarios.sources.engine_digest)
    version: str  # of civsim
    content: str  # content hash of the scenario where it was recorded
    land: Land | None  # the land where it was given or read from a file; None where it is drawn
    shares: Shares  # [P, N, 8] as given; float32 where that is exact; 0 where nobody was left to spend
    kind: I8  # [P, N, K] OrderKind; -1 where there is no order
    cell: I32  # [P, N, K] cell; -1 where there is no order
    choice: I8  # [P, N, K] works menu entry; 0 otherwise
    planned: NDArray[np.bool_]  # [P] False in turns in which the orders were given with the shares
    marks: U32  # [P + 1] physical_mark of the beginning and after each turn

    @property
    def turns(self) -> int:
        """Turns that were recorded, P."""
        return len(self.shares)


def physical_mark(state: State, row: int = 0) -> int:
    """Return a checksum, in [0, 2**32), of all of world ``row`` that given orders and shares decide.

    Two games that were the same so far, whatever was thought in them, have the same mark.
    """
    mark = 0
    for name in PHYSICAL_FIELDS:
        values: NDArray[Any] = getattr(state, name)[row]
        mark = zlib.crc32(values.tobytes(), mark)
    return mark


class GameRecorder:
    """Records one world of a batch from its first turn on, until it is over, begins anew or is left.

    Whatever face plays the batch, the recorder sees every turn: it watches the engine. It changes nothing.

    Args:
        world: the batch; no turn of the world that is recorded may have been played.
        row: which world of it.

    Raises:
        RecordingError: there is no such row, its game is under way, or it has not begun as its seed and id say, so
            that nobody could begin it again.
        ScenarioError: a file that the scenario names cannot be read.
    """

    def __init__(self, world: World, row: int = 0) -> None:
        self._world, self._row = world, _check_row(world, row)
        _check_beginning(world, row)
        self._content = content_hash(world.scenario)
        self._id = int(world.state.world_id[row])
        self._shares: list[F64] = []
        self._orders: list[tuple[I8, I32, I8]] = []
        self._planned: list[bool] = []
        self._marks = [physical_mark(world.state, row)]
        world.watch(self)

    @property
    def turns(self) -> int:
        """Turns recorded so far."""
        return len(self._shares)

    @property
    def recording(self) -> Recording:
        """The game as recorded so far; its arrays are new."""
        world, shape = self._world, self._world.orders.kind.shape[1:]
        kind, cell, choice = zip(*self._orders, strict=True) if self._orders else ((), (), ())
        return Recording(
            world.scenario,
            world.seed,
            self._id,
            RULES_VERSION,
            engine_digest(),
            version("civsim"),
            self._content,
            world.land,
            _narrowed(np.array(self._shares).reshape(-1, *world.given.shape[1:])),
            np.array(kind, np.int8).reshape(-1, *shape),
            np.array(cell, np.int32).reshape(-1, *shape),
            np.array(choice, np.int8).reshape(-1, *shape),
            np.array(self._planned, np.bool_),
            np.array(self._marks, np.uint32),
        )

    def leave(self) -> None:
        """Record no more; what was recorded stays."""
        self._world.unwatch(self)

    def played(self, planned: bool) -> None:
        """Take down the turn just played (the batch calls this)."""
        world, row = self._world, self._row
        # Shares of a seat that does not count are anything; those taken of it are 0.
        counted = world.shares[row].any(axis=1, keepdims=True)
        self._shares.append(np.where(counted, world.given[row], 0.0))
        kind, none = world.orders.kind[row].copy(), world.orders.kind[row] == OrderKind.NONE
        # What is given beside an empty slot means nothing.
        cell, choice = np.where(none, NOBODY, world.orders.cell[row]), np.where(none, 0, world.orders.choice[row])
        self._orders.append((kind, cell, choice))
        self._planned.append(planned)
        self._marks.append(physical_mark(world.state, row))
        if world.done[row]:
            self.leave()

    def replaced(self, rows: NDArray[np.int64]) -> None:
        """Stop where the row becomes another game (the batch calls this)."""
        if self._row in rows:
            self.leave()


def _check_row(world: World, row: int) -> int:
    if isinstance(row, bool) or not isinstance(row, int | np.integer) or not 0 <= row < world.n_worlds:
        raise RecordingError(f"row={row!r} is none of 0 … {world.n_worlds - 1}; give a row of the batch")
    return int(row)


def _check_beginning(world: World, row: int) -> None:
    """Make sure that the world can be begun again from what a recording says of it."""
    turn, world_id = int(world.state.turn[row]), int(world.state.world_id[row])
    if turn:
        raise RecordingError(f"world {world_id} is in turn {turn}; record a game from its beginning")
    twin = World(world.scenario, world_ids=[world_id], seed=world.seed, land=world.land)
    for name in SPEC:
        own: NDArray[Any] = getattr(world.state, name)[row]
        if own.tobytes() != getattr(twin.state, name)[0].tobytes():
            raise RecordingError(
                f"world {world_id} begins with another {name} than its scenario and seed {world.seed} give it; "
                "record a world that was not changed by hand"
            )


def _narrowed(shares: F64) -> Shares:
    """Return shares as float32 where that changes no bit of them."""
    narrow = shares.astype(np.float32)
    return narrow if narrow.astype(np.float64).tobytes() == shares.tobytes() else shares
