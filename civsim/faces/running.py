"""A face's running game: kept as named arrays or as a file, gone on from bit for bit, and copied whole."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from civsim.base.archive import Wanted, write_archive
from civsim.base.errors import SnapshotError
from civsim.engine.storage.snapshot import Source
from civsim.faces.seats import Kept, SeatFace, WorldQueue
from civsim.faces.splits import check_world_id, drawn_seed

_NEXT = "worlds.next"


class RunningFace(SeatFace):
    """A face whose game can be kept in mid-episode, and gone on from in another process or on another machine.

    What is kept is the game: the worlds, whose seats are whose, how far each episode is, and which worlds come next.
    From then on the face says, turn for turn, what it would have said: observations, rewards, ends, infos, and every
    episode to come. The settings a face is made with are not kept, nor is what no game depends on: pictures taken,
    ``np_random``, the generators of spaces. Rivals are asked anew each turn; one that has a memory of its own keeps it
    itself. Wrappers count for themselves, too: to keep them, pickle the outermost environment, or ``copy.deepcopy`` it.

    ``copy.copy`` gives what ``copy.deepcopy`` gives: two faces over one game would each move the other's.
    """

    _queue: WorldQueue
    study_seed: int | None

    def _seed_to_play(self, seed: int | None) -> int:
        """Return the study seed of a reset: the one given, else the one being played, else one of the system's."""
        if seed is not None:
            return int(seed)
        return drawn_seed() if self.study_seed is None else self.study_seed

    def snapshot(self) -> dict[str, NDArray[Any]]:
        """Return a copy of all that is needed to go on, as named arrays without pickles: worlds and bookkeeping.

        Raises:
            ActionError: no episode has begun.
        """
        return {**self._batch.snapshot(), _NEXT: self._queue.following}

    def save(self, path: str | Path) -> None:
        """Write :meth:`snapshot` to an npz file, whole or not at all; the same game gives the same bytes.

        Raises:
            ActionError: no episode has begun.
            CivsimError: the file cannot be written there.
        """
        write_archive(path, self.snapshot())

    def restore(self, source: Source) -> Any:
        """Go on from a game that was kept by a face made with the same arguments, bit for bit.

        The study seed becomes that game's.

        Args:
            source: the file of :meth:`save`, or the arrays of :meth:`snapshot`.

        Returns:
            What ``reset`` returns, of where the game is now: what there is to act on.

        Raises:
            SnapshotError: it cannot be read, or is not of a face like this one; nothing has changed.
        """
        series = Wanted(np.dtype(np.int64), len(self._queue.following), exact=True)
        kept = self._batch.kept(source, {_NEXT: series})
        for world_id in kept.beside[_NEXT]:
            check_world_id(_NEXT, world_id, SnapshotError)
        self._check_kept(kept)
        self._batch.go_on(kept)
        self._queue.go_on(kept.beside[_NEXT])
        self._gone_on()
        return self._told()

    def _check_kept(self, kept: Kept) -> None:
        """Raise :class:`SnapshotError` where this face never comes to such a game."""

    def _gone_on(self) -> None:
        """Take over what the face itself tells of the game."""

    def _told(self) -> Any:
        """Return what ``reset`` returns, of where the game is now."""
        raise NotImplementedError

    def __copy__(self) -> Self:
        """Return what ``copy.deepcopy`` returns."""
        return copy.deepcopy(self)
