"""Rows of one batch of worlds copied into another: a game branched, as often as wanted."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from civsim.base.errors import ScenarioError
from civsim.engine.land.landscape import Land
from civsim.engine.storage.snapshot import Savable

Rows = NDArray[np.int64]


def check_rows(name: str, rows: ArrayLike, n_worlds: int) -> Rows:
    """Return ``rows`` as int64 [n], each in [0, n_worlds).

    Raises:
        ScenarioError: they are no list of whole numbers, or one is out of range; the message calls them ``name``.
    """
    values = np.atleast_1d(np.asarray(rows))
    if values.ndim != 1 or not (np.issubdtype(values.dtype, np.integer) or values.size == 0):
        raise ScenarioError(f"{name} of shape {values.shape} and dtype {values.dtype}; give a list of whole numbers")
    if values.size and (values.min() < 0 or values.max() >= n_worlds):
        bad = values[(values < 0) | (values >= n_worlds)][0]
        raise ScenarioError(f"{name} hold {bad}, outside 0 … {n_worlds - 1}; give rows of that batch")
    return values.astype(np.int64)


def check_same_game(target: Savable, source: Savable) -> None:
    """Make sure that a row of ``source`` is a row that ``target`` could have played.

    Raises:
        ScenarioError: scenario, study seed or the land given for every world differ.
    """
    if source.scenario is not target.scenario and source.scenario != target.scenario:
        raise ScenarioError(
            f"rows of scenario {source.scenario.name!r} do not fit {target.scenario.name!r} with its settings; "
            "copy between batches of one scenario"
        )
    if source.seed != target.seed:
        raise ScenarioError(f"rows of seed {source.seed} do not fit seed {target.seed}; copy between batches of one")
    if not _same_land(source.land, target.land):
        raise ScenarioError("rows on other given land do not fit; give both batches the same land=, or none")


def copy_rows(target: Savable, source: Savable, source_rows: Rows, rows: Rows) -> None:
    """Write rows of ``source`` (as many as ``rows``, or one for all) over rows of ``target``: state and orders.

    ``source`` may be ``target``: what is written is what stood there before.

    Raises:
        ScenarioError: the numbers of rows differ, or one is written twice.
    """
    if len(source_rows) not in (1, len(rows)):
        raise ScenarioError(f"{len(source_rows)} source_rows for {len(rows)} rows; give one a row, or one for all")
    if len(np.unique(rows)) < len(rows):
        raise ScenarioError(f"rows name one of their {len(rows)} twice; name each once")
    to, of = _index(rows), _index(source_rows)
    for into, out_of in ((target.state, source.state), (target.orders, source.orders)):
        for name in into._fields:
            values: NDArray[Any] = getattr(into, name)
            values[to] = getattr(out_of, name)[of]


def _index(rows: Rows) -> Rows | slice:
    """Return rows that follow each other as a slice, which numpy copies without an index for each."""
    if len(rows) and (np.diff(rows) == 1).all():
        return slice(int(rows[0]), int(rows[-1]) + 1)
    return rows


def _same_land(one: Land | None, other: Land | None) -> bool:
    if one is None or other is None:
        return one is other
    return one is other or all(np.array_equal(getattr(one, name), getattr(other, name)) for name in Land._fields)
