"""Results with a planted truth: the tables that a study would write, filled in by a formula instead of by games."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from civsim.analysis.results import Results
from civsim.analysis.study import StudyFacts
from civsim.scenarios.design import design_points
from civsim.scenarios.study import Study

F64 = NDArray[np.float64]
Levels = Mapping[str, Any]

LENGTH = (1.0, 100)
"""Discount and turns that planted results are said to have: log points a turn are then welfare as it stands."""

Columns = Callable[[Levels, F64, np.random.Generator], dict[str, F64]]
"""Takes a point's levels, what each world has in common [W], and a generator; returns columns [W]."""


def planted_results(study: Study, columns: Columns, seed: int, *, common: float = 1.0) -> Results:
    """Return results of ``study`` whose runs table holds ``columns`` at every point.

    ``common`` is the standard deviation of what a world's runs have in common. Every context has the same length,
    :data:`LENGTH`. No game is played; the tables of civilizations and of turns are not there.
    """
    rng = np.random.default_rng(seed)
    worlds = np.arange(study.first_world, study.first_world + study.replicates)
    shared = common * rng.normal(size=len(worlds))
    points = design_points(study)
    parts = []
    for point in points:
        factors = {f"factor.{name}": level for name, level in point.levels.items()}
        ids = [f"{point.number}-{world}" for world in worlds]
        labels = {"point": point.number, "scenario": point.scenario, "seed": study.seed, "status": "ok"}
        planted = columns(point.levels, shared, rng)
        parts.append(pd.DataFrame({"world_id": worlds, **planted, "run_id": ids, **labels, **factors}))
    names = list(dict.fromkeys(point.scenario for point in points))
    facts = StudyFacts(study.name, dict.fromkeys(names, LENGTH), (), "")
    manifest = {
        "study": study.model_dump(),
        "games": len(points) * study.replicates,
        "points": [{"index": p.number, "scenario": p.scenario, "settings": dict(p.settings)} for p in points],
    }
    return Results(Path("planted"), manifest, pd.concat(parts, ignore_index=True), facts)
