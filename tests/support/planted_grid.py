"""Results of a factorial study whose welfare is planted, in the shape that batches write; nothing is played."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from civsim.analysis.results import Results
from civsim.analysis.study import StudyFacts

LENGTH = (0.98, 100)
SPENDING = ("consumption", "settlement", "strategists", "scouts", "analysts")


def grid_results(
    factors: Mapping[str, Mapping[str, Any]],
    welfare: Callable[[Mapping[str, Any]], float],
    *,
    worlds: int = 60,
    noise: float = 0.4,
    seed: int = 0,
) -> Results:
    """Return results of every combination of ``factors`` (as a study states them: path and levels, or arms).

    Every world has a common effect of s.d. 3 and noise of its own at each point.
    """
    rng = np.random.default_rng(seed)
    common = rng.normal(size=worlds) * 3.0
    choices = {name: list(factor.get("levels") or factor["arms"]) for name, factor in factors.items()}
    parts, points = [], []
    for number, levels in enumerate(product(*choices.values())):
        point = dict(zip(choices, levels, strict=True))
        points.append({"index": number, "scenario": "baseline", "settings": _settings(factors, point)})
        part = pd.DataFrame({"world_id": np.arange(worlds), "seed": 0, "status": "ok", "point": number})
        part["welfare"] = 40.0 + common + welfare(point) + rng.normal(size=worlds) * noise
        for name, level in point.items():
            part[f"factor.{name}"] = level
        for name in SPENDING:
            part[f"spent_{name}"] = 10.0
        parts.append(part.assign(scenario="baseline", focal=0))
    table = pd.concat(parts, ignore_index=True)
    table["run_id"] = [f"run{index}" for index in range(len(table))]
    facts = StudyFacts("grid", {"baseline": LENGTH}, ("Planted games.",), "civsim batch grid")
    return Results(Path(), {"study": {"factors": factors}, "points": points}, table, facts)


def _settings(factors: Mapping[str, Mapping[str, Any]], point: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings by dotted path that a point's levels stand for."""
    made: dict[str, Any] = {}
    for name, level in point.items():
        factor = factors[name]
        paths = [path for path in (factor.get("path"), *(factor.get("paths") or ())) if path]
        made |= factor["arms"][level] if factor.get("arms") else dict.fromkeys(paths, level)
    return made


def fail(results: Results, which: pd.Series) -> Results:
    """Return the results with some of their games failed; ``which`` is bool, one a row of the runs table."""
    runs = results.runs.copy()
    runs.loc[which, "status"], runs.loc[which, "welfare"] = "failed", np.nan
    return replace(results, runs=runs)
