"""Metrics of one's own; a study names them (own_parts.toml), or a command.

civsim run baseline --metric crowding=own_metric.py:crowding
"""

import numpy as np


def per_cell(record, state):
    """Return output a cell, [worlds, seats]; nan, which does not count, where a seat holds none."""
    return np.where(record.cells > 0, record.output / np.maximum(record.cells, 1), np.nan)


def crowding(record, state):
    """Return the share of the map that somebody holds, [worlds]: one number a world is every seat's."""
    return (state.owner >= 0).mean(axis=1)
