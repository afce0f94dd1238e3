"""Learning curves: score against steps of experience and against CPU-seconds, over training runs of one kind.

A run's folder holds ``evaluations.npz`` (Stable-Baselines3's names: ``timesteps`` [k], ``results`` and ``ep_lengths``
[k, episodes]; ``world_ids`` [episodes] and ``cpu_seconds`` [k] besides) and ``monitor.csv`` (one row an episode of
training). Every evaluation of one run plays the same worlds, but those are worlds of the run's own study seed: runs of
different seeds share none, even where world ids agree. Worlds are therefore nested in runs, not crossed with them as in
:mod:`civsim.analysis.statistics.scores`, and where there are several runs the run is the unit of the intervals.
"""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from civsim.analysis.statistics.resample import DRAWS, LEVEL, SEED, Estimate, student_estimate
from civsim.analysis.statistics.scores import interquartile_mean, mean_score
from civsim.base.errors import ResultsError

F64 = NDArray[np.float64]
I64 = NDArray[np.int64]

EVALUATIONS = "evaluations.npz"
MONITOR = "monitor.csv"

MONITOR_COLUMNS = ("steps", "cpu_s", "objective")
BINS = 40
"""Equal spans of steps over which training episodes are averaged."""


class Evaluations(NamedTuple):
    """The evaluations of one run: k of them, E episodes each."""

    timesteps: I64  # [k] steps of experience, rising
    results: F64  # [k, E] score of an episode
    cpu_seconds: F64  # [k] CPU time since training began (s)


class CurveTables(NamedTuple):
    """What the figure draws; scores are in units of the objective."""

    evaluations: pd.DataFrame  # one row a kind and evaluation
    training: pd.DataFrame  # one row a kind and span of steps: mean over training episodes, exploration included


def has_evaluations(folder: str | Path) -> bool:
    """Return whether ``folder`` is a run that holds evaluations."""
    return (Path(folder) / EVALUATIONS).is_file()


def read_evaluations(folder: str | Path) -> Evaluations:
    """Return the evaluations of a run's folder. Nothing in the file is executed.

    Raises:
        ResultsError: the file is missing or damaged, or its arrays do not fit each other.
    """
    path = Path(folder) / EVALUATIONS
    wanted = ("timesteps", "results", "cpu_seconds")
    try:
        # Opened here because numpy leaves a damaged archive it opened itself to the garbage collector.
        with path.open("rb") as handle, np.load(handle, allow_pickle=False) as archive:
            arrays = {name: np.asarray(archive[name], np.float64) for name in wanted if name in archive.files}
    except (OSError, ValueError, EOFError, KeyError, TypeError, AttributeError, zipfile.BadZipFile) as error:
        reason = " ".join(str(error).split())[:80]
        raise ResultsError(f"{str(path)!r} is missing or damaged ({reason}); train again") from None
    if missing := [name for name in wanted if name not in arrays]:
        raise ResultsError(f"{str(path)!r} lacks {', '.join(missing)}; train with this release")
    steps, results, seconds = (arrays[name] for name in wanted)
    count = len(steps) if steps.ndim == 1 else 0
    if count == 0 or results.ndim != 2 or len(results) != count or not results.size or seconds.shape != (count,):
        raise ResultsError(
            f"{str(path)!r}: timesteps {steps.shape}, results {results.shape} and cpu_seconds {seconds.shape} do not "
            "fit each other; train again"
        )
    if not all(np.isfinite(array).all() for array in arrays.values()) or (np.diff(steps) <= 0.0).any():
        raise ResultsError(f"{str(path)!r}: values are not finite, or timesteps do not rise; train again")
    return Evaluations(steps.astype(np.int64), results, seconds)


def read_monitor(folder: str | Path) -> pd.DataFrame:
    """Return a run's training episodes, one row each, in the order they ended.

    Raises:
        ResultsError: the file is missing or damaged, or lacks a column of :data:`MONITOR_COLUMNS`.
    """
    path = Path(folder) / MONITOR
    try:
        table = pd.read_csv(path)
    except (OSError, ValueError) as error:
        reason = " ".join(str(error).split())[:80]
        raise ResultsError(f"{str(path)!r} is missing or damaged ({reason}); train again") from None
    if missing := [column for column in MONITOR_COLUMNS if column not in table.columns]:
        raise ResultsError(f"{str(path)!r} lacks the column {missing[0]}; train with this release")
    if not all(pd.api.types.is_numeric_dtype(table[column]) for column in MONITOR_COLUMNS):
        raise ResultsError(f"{str(path)!r}: a column of {', '.join(MONITOR_COLUMNS)} is not numbers; train again")
    return table


def evaluation_curve(
    runs: Sequence[Evaluations], *, draws: int = DRAWS, seed: int = SEED, level: float = LEVEL
) -> pd.DataFrame:
    """Return the curve of runs of one kind, one row an evaluation that all of them had.

    Columns: ``steps``, ``cpu_seconds`` (mean over runs) with ``cpu_least`` and ``cpu_most`` (its range: CPU time
    differs between runs, steps do not), ``mean`` with ``low`` and ``high``, ``iqm`` with ``iqm_low`` and ``iqm_high``
    (the mean over runs of each one's interquartile mean), ``runs``, ``episodes``. Intervals of two runs or more are
    Student's t over the runs' values, which hold the chance of each run's worlds too; of one run, from resampling its
    worlds (``draws``, ``seed``): those say nothing of another training seed.

    Raises:
        ResultsError: no runs, no common step, runs of different numbers of episodes, or fewer than two episodes.
    """
    if not runs:
        raise ResultsError("runs=0 make no curve; give at least one run with evaluations")
    if len({run.results.shape[1] for run in runs}) > 1:
        counts = sorted({run.results.shape[1] for run in runs})
        raise ResultsError(f"runs have {counts} episodes an evaluation; pool runs of one setting only")
    common = set.intersection(*(set(run.timesteps.tolist()) for run in runs))
    if not common:
        raise ResultsError("runs have no evaluation at the same step; pool runs of one setting only")
    rows = []
    for step in sorted(common):
        at = [int(np.searchsorted(run.timesteps, step)) for run in runs]
        scores = np.stack([run.results[place] for run, place in zip(runs, at, strict=True)])
        seconds = [run.cpu_seconds[place] for run, place in zip(runs, at, strict=True)]
        mean, iqm = (_over_runs(score, scores, draws, seed, level) for score in (mean_score, interquartile_mean))
        rows.append(
            {
                "steps": step, "cpu_seconds": np.mean(seconds), "cpu_least": min(seconds), "cpu_most": max(seconds),
                "mean": mean.value, "low": mean.low, "high": mean.high,
                "iqm": iqm.value, "iqm_low": iqm.low, "iqm_high": iqm.high,
                "runs": len(runs), "episodes": scores.shape[1],
            }
        )  # fmt: skip
    return pd.DataFrame(rows)


def _over_runs(score: Callable[..., Estimate], scores: F64, draws: int, seed: int, level: float) -> Estimate:
    """Return a score of runs float64 [R, E] whose episodes are nested in them, with its interval."""
    if len(scores) == 1:
        return score(scores, draws=draws, seed=seed, level=level)
    return student_estimate([_alone(score, run) for run in scores], level)


def _alone(score: Callable[..., Estimate], episodes: F64) -> float:
    """Return a score of one run's episodes, float64 [E], without an interval."""
    return float(score(episodes[None], draws=1).value)


def training_curve(monitors: Sequence[pd.DataFrame], bins: int = BINS) -> pd.DataFrame:
    """Return the mean objective of training episodes by span of steps, one row a span in which every run ended some.

    Columns: ``steps`` and ``cpu_seconds`` (means over the span's episodes, then over runs), ``mean`` (over runs of each
    run's mean), ``least`` and ``most`` (the runs' range), ``runs``, ``episodes``. These episodes explore, and meet new
    worlds and opponents as training goes on: they show that it goes on, not how good the policy is.
    """
    last = max((float(table["steps"].max()) for table in monitors if len(table)), default=0.0)
    if last <= 0.0:
        return pd.DataFrame(columns=["steps", "cpu_seconds", "mean", "least", "most", "runs", "episodes"])
    edges = np.linspace(0.0, last, bins + 1)[1:]
    parts = []
    for run, table in enumerate(monitors):
        span = np.searchsorted(edges, table["steps"].to_numpy(np.float64))
        grouped = table.groupby(np.minimum(span, bins - 1))
        means = grouped[list(MONITOR_COLUMNS)].mean()
        parts.append(means.assign(episodes=grouped.size(), run=run).rename_axis("span").reset_index())
    every = pd.concat(parts, ignore_index=True)
    grouped = every.groupby("span")
    found = grouped.agg(
        steps=("steps", "mean"), cpu_seconds=("cpu_s", "mean"), mean=("objective", "mean"),
        least=("objective", "min"), most=("objective", "max"), runs=("run", "nunique"), episodes=("episodes", "sum"),
    )  # fmt: skip
    return found[found["runs"] == len(monitors)].reset_index(drop=True)


def curve_tables(
    kinds: Mapping[str, Sequence[str | Path]], *, draws: int = DRAWS, seed: int = SEED, level: float = LEVEL
) -> CurveTables:
    """Return the learning curves of kinds of runs; ``kinds`` maps a name to the run folders of its training seeds.

    Raises:
        ResultsError: a folder's files are missing or damaged, or runs of one kind do not fit each other.
    """
    if not kinds:
        raise ResultsError("runs=0 make no curve; give at least one run with evaluations")
    evaluations, training = [], []
    for name, folders in kinds.items():
        read = [read_evaluations(folder) for folder in folders]
        evaluations.append(evaluation_curve(read, draws=draws, seed=seed, level=level).assign(policy=name))
        training.append(training_curve([read_monitor(folder) for folder in folders]).assign(policy=name))
    return CurveTables(_policy_first(evaluations), _policy_first(training))


def _policy_first(parts: Sequence[pd.DataFrame]) -> pd.DataFrame:
    table = pd.concat(parts, ignore_index=True)
    return table[["policy", *[column for column in table.columns if column != "policy"]]]
