"""A results folder, opened: its manifest, its tables, and what the design of its study varies."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from civsim.analysis.statistics.resample import DRAWS, LEVEL, SEED
from civsim.analysis.study import StudyFacts, factor_targets, read_facts
from civsim.analysis.units import PERCENT, discount_sum
from civsim.base.constants import COGNITIVE
from civsim.base.errors import ResultsError

CONTEXT = "scenario"
"""Column of the runs table that names the scenario of a run; every study has it."""

DISCOUNT, TURNS = "game.discount", "game.turns"
"""Settings by which a point of a design may change how long its games are."""

WELFARE = "welfare"

COGNITIVE_SPENDING = tuple(f"spent_{category.name.lower()}" for category in COGNITIVE)
"""Columns of what was spent on cognition, one a channel."""

FACTOR = "factor."
"""Prefix of the columns that hold the level of a factor; a factor that a point leaves alone is empty there."""

_BASELINE = "as it is"


class Resampling(NamedTuple):
    """How intervals are made: bootstrap draws of whole worlds, the generator's seed, and the nominal coverage."""

    draws: int = DRAWS
    seed: int = SEED
    level: float = LEVEL


class Stratum(NamedTuple):
    """The runs that share everything of the design but the factors under study."""

    label: str  # for people: the scenario, then the other factors that vary
    context: str  # the scenario
    runs: pd.DataFrame

    @property
    def name(self) -> str:
        """The label, or the scenario where the label has nothing to tell apart."""
        return self.context if self.label == _BASELINE else self.label


@dataclass(frozen=True)
class Results:
    """One results folder. Tables are read once, the larger ones when they are first asked for."""

    folder: Path
    manifest: Mapping[str, Any]
    runs: pd.DataFrame  # one row a point and world; failed runs are kept, with status 'failed' and empty metrics
    facts: StudyFacts

    @cached_property
    def civs(self) -> pd.DataFrame:
        """The civilizations table: one row a run and seat, without failed runs. Raises :class:`ResultsError`."""
        from civsim.scenarios import read_civs

        return read_civs(self.folder)

    @cached_property
    def series(self) -> pd.DataFrame:
        """The whole per-turn table; :meth:`read_series` reads part of it. Raises :class:`ResultsError` without one."""
        from civsim.scenarios import read_series

        return read_series(self.folder)

    def read_series(
        self,
        columns: Sequence[str] | None = None,
        *,
        points: Sequence[int] | None = None,
        worlds: Sequence[int] | None = None,
    ) -> pd.DataFrame:
        """Return what is asked for of the per-turn table, and read no more (:func:`civsim.scenarios.read_series`).

        Where the whole table was read before it is taken from there.

        Raises:
            ResultsError: there is no such table, or a column, a point or a world is not there.
        """
        from civsim.scenarios import read_series
        from civsim.scenarios.results import check_columns

        if "series" not in self.__dict__:
            return read_series(self.folder, columns=columns, points=points, worlds=worlds)
        wanted = list(self.series.columns if columns is None else columns)
        check_columns("series", wanted, list(self.series.columns))
        kept = np.ones(len(self.runs), np.bool_)
        for name, key, values in (("point", "point", points), ("world", "world_id", worlds)):
            if values is None:
                continue
            played = self.runs[key]
            beyond = [value for value in values if value not in set(played)]
            if beyond:
                raise ResultsError(f"{name} {beyond[0]} is not in the study; give {played.min()} to {played.max()}")
            kept &= played.isin(list(values)).to_numpy()
        rows = self.series["run_id"].isin(self.runs.loc[kept, "run_id"])
        return self.series.loc[rows, wanted].reset_index(drop=True)

    @property
    def study(self) -> Mapping[str, Any]:
        """The study as it was run: plain tables, with every default written out."""
        table: Mapping[str, Any] = self.manifest["study"]
        return table

    @property
    def factors(self) -> tuple[str, ...]:
        """Columns of the factors whose level varies among the runs, by name."""
        columns = [f"{FACTOR}{name}" for name in self.study["factors"]]
        return tuple(column for column in columns if self.runs[column].nunique(dropna=False) > 1)

    @property
    def failed(self) -> int:
        """Games that failed."""
        return int((self.runs["status"] != "ok").sum())

    @cached_property
    def _point_lengths(self) -> dict[int, tuple[float, int]]:
        """(discount, turns) of every point of the design: its scenario's, unless its own settings say otherwise."""
        found = {}
        for point in self.manifest["points"]:
            discount, turns = self.facts.lengths[point["scenario"]]
            settings = point["settings"]
            found[point["index"]] = float(settings.get(DISCOUNT, discount)), int(settings.get(TURNS, turns))
        return found

    def length(self, runs: pd.DataFrame) -> tuple[float, int]:
        """Return (discount, turns) of the games in some rows of the runs table.

        Raises:
            ResultsError: there are no rows, or games of different lengths or discounts among them.
        """
        found = {self._point_lengths[point] for point in runs["point"].unique()}
        if len(found) != 1:
            raise ResultsError(f"{len(found)} lengths of game stand in one comparison; compare games of one length")
        return found.pop()

    def log_points(self, runs: pd.DataFrame) -> pd.Series:
        """Return welfare in log points of c₀ + consumption a turn, 100 · welfare / Σ γ^t, each game by its own length.

        A difference of 1 is 1 % more c₀ + consumption in every turn, about. It is linear in welfare, as variances and
        effects want it, unlike :func:`civsim.analysis.units.equivalent_percent`.
        """
        sums = {point: discount_sum(*length) for point, length in self._point_lengths.items()}
        return PERCENT * runs[WELFARE] / runs["point"].map(sums)

    def column(self, path: str) -> str | None:
        """Return the column of the factor that sets the dotted setting ``path`` and varies; None if there is none."""
        for name, factor in self.study["factors"].items():
            if path in factor_targets(factor) and f"{FACTOR}{name}" in self.factors:
                return f"{FACTOR}{name}"
        return None

    def choices(self, column: str) -> list[Any]:
        """Return the levels of a factor that were played, in the order in which the design plays them.

        A manifest keeps its tables by name, so that the order of a factor's arms is to be had from the runs alone.
        """
        return list(self.runs.sort_values("point", kind="stable")[column].dropna().unique())

    def strata(self, varied: Sequence[str]) -> list[Stratum]:
        """Return the runs split by scenario and by every factor but the columns ``varied``, in the design's order.

        Within a stratum only ``varied`` moves. Labels name the scenario where there are several, then each other
        factor with its level.
        """
        others = [name for name in self.factors if name not in varied and not self._is_context(name)]
        several = self.runs[CONTEXT].nunique() > 1 or not others
        found = []
        for key, part in self.runs.groupby([CONTEXT, *others], sort=False, dropna=False):
            words = [str(key[0])] if several else []
            words += [_word(name, level) for name, level in zip(others, key[1:], strict=True) if not pd.isna(level)]
            found.append(Stratum(", ".join(words) or _BASELINE, str(key[0]), part))
        return found

    def _is_context(self, column: str) -> bool:
        return bool(self.study["factors"][column.removeprefix(FACTOR)].get("scenarios"))


def _word(column: str, level: Any) -> str:
    name = column.removeprefix(FACTOR).replace("_", " ")
    return f"{name} {level:g}" if isinstance(level, float) else f"{name} {level}"


def open_results(folder: str | Path, *, plot: str = "") -> Results:
    """Return the results in a folder that a batch or a study wrote; ``plot`` is the command that reads them now.

    Raises:
        ResultsError: there is no readable manifest, the batch has not ended, or a table is damaged.
    """
    from civsim.scenarios import read_manifest, read_runs

    where = Path(folder)
    return Results(where, read_manifest(where), read_runs(where, failed=True), read_facts(where, plot=plot))
