"""What compiling the kernels costs: a game in a fresh process whose kernels are kept nowhere yet, and once more.

The first process compiles all that a game of the benchmark's scenario needs, from the planner to the drawing of land;
the second finds it on disk. What either took is the processor time of the whole process: the interpreter, imports and a
short game are in both, so that their difference is what compiling costs.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile

from civsim.base.errors import CivsimError
from civsim.cli.bench_games import Levels

COLD_TARGET = 60.0
"""Processor seconds of a first game to stay below, its kernels compiled."""

COLD_TURNS = 20
"""Turns of the game: enough for every phase of a turn, and too few to count."""

_GAME = (
    "import sys, time; from civsim.cli.bench_games import bench_scenario, play; "
    "play(bench_scenario({levels}, turns={turns}), 1, 0, 1); print(time.process_time())"
)


def time_cold(levels: Levels) -> dict[str, float]:
    """Return the processor seconds of a first game at ``levels``: ``cold``, and ``warm`` with its kernels on disk.

    Raises:
        CivsimError: the game cannot be played in a process of its own; the message holds what it said last.
    """
    with tempfile.TemporaryDirectory() as folder:
        environment = {**os.environ, "NUMBA_CACHE_DIR": folder, "OMP_NUM_THREADS": "1"}
        cold, warm = (_game(levels, environment) for _ in range(2))
    return {"cold": cold, "warm": warm}


def _game(levels: Levels, environment: dict[str, str]) -> float:
    program = _GAME.format(levels=levels, turns=COLD_TURNS)
    done = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        last = done.stderr.strip().splitlines()[-1:] or ["it said nothing"]
        raise CivsimError(f"exit code {done.returncode} of a game in a process of its own: {last[0]}")
    return float(done.stdout.split()[-1])
