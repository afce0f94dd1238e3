"""From a runs table to a panel: one row a world, one column an arm, ready for paired statistics."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from civsim.base.errors import ResultsError

OK = "ok"
CLUSTER = ("seed", "world_id")
"""Columns that name a world: the unit that is resampled."""


class Panel(NamedTuple):
    """An outcome of W worlds under A arms; every world has every arm."""

    worlds: NDArray[np.int64]  # [W, 2] seed and world id of each row
    arms: tuple[Any, ...]  # [A] labels or doses, ascending
    values: NDArray[np.float64]  # [W, A] the outcome; several rows of a world and arm are averaged
    dropped: int  # worlds left out because an arm failed or is missing
    lost: tuple[Any, ...] = ()  # arms left out because no game of theirs ended

    @property
    def n_worlds(self) -> int:
        """Worlds in the panel."""
        return self.values.shape[0]

    def column(self, arm: Any) -> NDArray[np.float64]:
        """Return the outcome under one arm, float64 [W].

        Raises:
            ResultsError: the panel has no such arm.
        """
        if arm not in self.arms:
            raise ResultsError(f"arm={arm!r} is not in the table; it has {', '.join(map(str, self.arms))}")
        return self.values[:, self.arms.index(arm)]


def require_columns(table: pd.DataFrame, columns: Sequence[str]) -> None:
    """Raise one clear ResultsError if ``table`` lacks one of ``columns``."""
    missing = [column for column in columns if column not in table.columns]
    if missing:
        raise ResultsError(f"column {missing[0]!r} is missing from the runs table; run the study with this release")


def select(table: pd.DataFrame, where: Mapping[str, Any]) -> pd.DataFrame:
    """Return the rows whose columns equal the values in ``where`` (column to value)."""
    require_columns(table, list(where))
    keep = np.ones(len(table), bool)
    for column, value in where.items():
        keep &= (table[column] == value).to_numpy()
    return table[keep]


def make_panel(
    table: pd.DataFrame,
    outcome: str,
    arm: str,
    where: Mapping[str, Any] | None = None,
    *,
    may_lose_arms: bool = False,
) -> Panel:
    """Return the panel of ``outcome`` with one column a value of ``arm``.

    ``table`` is a runs table (or a part of one) with the columns ``seed``, ``world_id``, ``status``, ``arm`` and
    ``outcome``; ``where`` keeps only the rows that match. A world that lacks an arm, or whose run failed or is not
    finite in one, is dropped whole, so that every difference is within worlds. For callers that look arms up by their
    labels (``may_lose_arms``) an arm in which no world has a finite outcome is lost instead, and told: one that cannot
    be played would take every world with it. The first arm, with which others are compared, is never lost.

    Raises:
        ResultsError: a column is missing, or no world has every arm.
    """
    require_columns(table, [*CLUSTER, "status", arm, outcome])
    rows = select(table, where or {})
    labels = tuple(sorted(rows[arm].dropna().unique().tolist()))
    good = rows[(rows["status"] == OK) & np.isfinite(rows[outcome].to_numpy(np.float64, na_value=np.nan))]
    wide = good.pivot_table(index=list(CLUSTER), columns=arm, values=outcome, aggfunc="mean", observed=True)
    played = tuple(label for label in labels if label in wide.columns)
    lost: tuple[Any, ...] = ()
    if may_lose_arms and len(played) > 1 and played[0] == labels[0]:  # with one alone there is nothing to compare
        lost, labels = tuple(label for label in labels if label not in played), played
    wide = wide.reindex(columns=list(labels))
    full = wide.dropna().sort_index()
    n_all = len(rows[list(CLUSTER)].drop_duplicates())
    if full.empty:
        raise ResultsError(f"no world has a finite {outcome!r} in all arms of {arm!r}; look at failed rows")
    worlds = np.array(full.index.to_list(), np.int64).reshape(-1, len(CLUSTER))
    return Panel(worlds, labels, full.to_numpy(np.float64), n_all - len(full), lost)
