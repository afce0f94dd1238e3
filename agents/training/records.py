"""What a training writes as it goes: a row an episode, and how well it does on validation worlds."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from civsim.base.archive import Wanted, read_archive, write_archive
from civsim.base.errors import CheckpointError
from civsim.base.files import write_text

MONITOR = "monitor.csv"
EVALUATIONS = "evaluations.npz"
COLUMNS = ("steps", "cpu_s", "wall_s", "world_id", "seat", "length", "return", "objective")
_MOST = 10**9


class Monitor:
    """The episodes of a run: one row each in ``monitor.csv``, appended after every rollout.

    Columns: turns of experience when it ended, CPU and wall-clock seconds of the run, world, seat, turns, the
    undiscounted sum of its rewards, and the scenario's objective.
    """

    def __init__(self, run: Path, steps: int) -> None:
        """Begin the file, or go on with what was written up to ``steps``: later rows are played again."""
        self._path = run / MONITOR
        rows: list[list[str]] = []
        if self._path.is_file():
            with self._path.open(encoding="utf-8", newline="") as handle:
                whole = [row for row in list(csv.reader(handle))[1:] if len(row) == len(COLUMNS)]
            rows = [row for row in whole if row[0].isdecimal() and int(row[0]) <= steps]
        write_text(self._path, _lines([list(COLUMNS), *rows]))
        self.episodes = len(rows)

    def append(self, episodes: Sequence[Mapping[str, Any]], cpu: float, wall: float) -> None:
        """Add the episodes of a rollout; each has the keys of ``info["episode"]`` and ``steps``."""
        rows = [
            [
                e["steps"],
                f"{cpu:.2f}",
                f"{wall:.2f}",
                e["world_id"],
                e["seat"],
                e["l"],
                repr(e["r"]),
                repr(e["objective"]),
            ]
            for e in episodes
        ]
        with self._path.open("a", encoding="utf-8", newline="") as handle:
            handle.write(_lines(rows))
        self.episodes += len(rows)


def _lines(rows: Sequence[Sequence[Any]]) -> str:
    buffer = io.StringIO()
    csv.writer(buffer, lineterminator="\n").writerows(rows)
    return buffer.getvalue()


class Evaluations:
    """Evaluations during training, in ``evaluations.npz`` under the names of Stable-Baselines3's ``EvalCallback``.

    timesteps int64 [k]; results float64 [k, worlds], the scenario's *objective* of the focal seat; ep_lengths int64
    [k, worlds], turns of the game; world_ids int64 [worlds]; cpu_seconds float64 [k], the run's CPU time when it began.
    """

    def __init__(self, run: Path, world_ids: NDArray[np.int64], length: int, steps: int) -> None:
        """Begin, or go on with what was evaluated up to ``steps``.

        Raises:
            CheckpointError: the file is damaged, or of other worlds.
        """
        self._path, self.world_ids, self._length = run / EVALUATIONS, world_ids, length
        self._steps: list[int] = []
        self._results: list[NDArray[np.float64]] = []
        self._cpu: list[float] = []
        if self._path.is_file():
            self._read(steps)

    def _read(self, steps: int) -> None:
        wanted = {
            "timesteps": Wanted(np.dtype(np.int64), _MOST),
            "results": Wanted(np.dtype(np.float64), _MOST),
            "ep_lengths": Wanted(np.dtype(np.int64), _MOST),
            "world_ids": Wanted(np.dtype(np.int64), _MOST),
            "cpu_seconds": Wanted(np.dtype(np.float64), _MOST),
        }
        arrays = read_archive(self._path, wanted, "evaluations", CheckpointError)
        if not np.array_equal(arrays["world_ids"], self.world_ids):
            raise CheckpointError(
                f"{str(self._path)!r} has evaluations on {len(arrays['world_ids'])} worlds, not these "
                f"{len(self.world_ids)}; resume with the eval_episodes it was started with"
            )
        length = len(arrays["timesteps"])
        if arrays["results"].shape != (length, len(self.world_ids)) or arrays["cpu_seconds"].shape != (length,):
            raise CheckpointError(f"{str(self._path)!r} has arrays that do not fit each other; train in a new folder")
        for k in np.flatnonzero(arrays["timesteps"] <= steps):
            self._steps.append(int(arrays["timesteps"][k]))
            self._results.append(arrays["results"][k])
            self._cpu.append(float(arrays["cpu_seconds"][k]))

    def append(self, steps: int, results: NDArray[np.float64], cpu: float) -> None:
        """Add an evaluation: objectives float64 [worlds] after ``steps`` turns and ``cpu`` seconds; write the file."""
        self._steps.append(steps)
        self._results.append(results)
        self._cpu.append(cpu)
        stacked = np.stack(self._results)
        write_archive(
            self._path,
            {
                "timesteps": np.array(self._steps, np.int64),
                "results": stacked,
                "ep_lengths": np.full(stacked.shape, self._length, np.int64),
                "world_ids": self.world_ids,
                "cpu_seconds": np.array(self._cpu, np.float64),
            },
        )
