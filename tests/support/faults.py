"""What goes wrong, for tests: killed processes and what they leave, worlds that run off to infinity."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from civsim.base.processes import Process, this_process
from civsim.engine.world import World


def dead_process() -> Process:
    """Return a process that has ended."""
    child = subprocess.Popen([sys.executable, "-c", ""])
    child.wait()
    return this_process()._replace(pid=child.pid)


def leftover_of(target: Path) -> Path:
    """Return the path of what a dead process left of a file that it was writing to ``target``."""
    dead = dead_process()
    return target.with_name(f".{target.stem}.tmp-{dead.pid}-{dead.machine}-0123abcd{target.suffix}")


def poison(monkeypatch: pytest.MonkeyPatch, world_id: int, *, loud: bool) -> None:
    """Let the state of a world become infinite in every game; ``loud``: something is raised then, too."""
    step = World.step

    def poisoned(self: World, *arguments: object) -> object:
        record = step(self, *arguments)
        bad = self.state.world_id == world_id
        self.state.utility[bad] = np.inf
        if loud and bad.any():
            raise FloatingPointError("what it sees\nis cursed")
        return record

    monkeypatch.setattr(World, "step", poisoned)
