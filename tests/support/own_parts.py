"""Somebody's policies and metrics for tests, as files."""

from __future__ import annotations

from pathlib import Path

POLICY = """
from __future__ import annotations

import numpy as np

from civsim.agents import PolicyContext


class Thrifty:
    needs_observation = False

    def __init__(self, scenario, consumption: float = {consumption}, works: bool = True) -> None:
        self.consumption, self.works = consumption, works

    def __call__(self, observation, context: PolicyContext):
        shares = np.zeros((len(context.world_ids), len(context.seats), 8), np.float32)
        shares[..., 0] = self.consumption
        shares[..., 2 if self.works else 1] = 1.0 - self.consumption
        return shares
"""

METRICS = """
import numpy as np


def per_cell(record, state):
    return np.where(record.cells > 0, record.output / np.maximum(record.cells, 1), np.nan)


def height(record, state):
    owner = state.owner[:, None, :] == np.arange(state.alive.shape[1])[None, :, None]
    return (state.wall[:, None, :] * owner).sum(-1)


def living(record, state):
    return record.alive.sum(1)


def wrong_shape(record, state):
    return np.zeros(7)


def fails(record, state):
    return record.nothing


def writes(record, state):
    state.wall[:] = 0
    return record.alive


def spoils(record, state):
    record.output[:] = 0
    return record.alive


number = 5
"""


def write_policy(folder: Path, consumption: float = 0.5) -> Path:
    """Write the policy ``Thrifty``, which by default consumes so much; return its file."""
    path = folder / "mine.py"
    path.write_text(POLICY.format(consumption=consumption))
    return path


def write_metrics(folder: Path) -> Path:
    """Write metrics, right and wrong; return their file."""
    path = folder / "measures.py"
    path.write_text(METRICS)
    return path
