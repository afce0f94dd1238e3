"""Runs tables with known answers, in the shape that batches write."""

from __future__ import annotations

import numpy as np
import pandas as pd

from civsim.analysis.returns import COUNTS
from civsim.scenarios import load_study
from civsim.scenarios.design import design_points

LENGTH = (0.98, 150)
DOSES = (0.0, 0.02, 0.05, 0.1, 0.15, 0.2, 0.3, 0.45, 0.6)


def tradeoff_runs(peaks: dict[str, float | None], worlds: int = 120, seed: int = 0, noise: float = 4.0) -> pd.DataFrame:
    """Runs whose welfare is a parabola in the cognition share with its peak where ``peaks`` says; None is flat."""
    rng = np.random.default_rng(seed)
    parts = []
    for context, peak in peaks.items():
        common = rng.normal(size=worlds) * 10.0
        for dose in DOSES:
            gain = 0.0 if peak is None else -150.0 * ((dose - peak) ** 2 - peak**2)
            part = pd.DataFrame({"world_id": np.arange(worlds), "welfare": 60.0 + common + gain})
            part["welfare"] += rng.normal(size=worlds) * noise
            spending = {f"spent_{name}": dose / 3 * 40.0 for name in ("strategists", "scouts", "analysts")}
            spending["spent_consumption"] = (1.0 - dose) * 40.0
            factors = {"factor.context": context, "factor.cognition_share": dose}
            parts.append(part.assign(seed=0, status="ok", **spending, **factors))
    return pd.concat(parts, ignore_index=True)


def returns_welfare(levels: dict[str, object]) -> float:
    """Planted welfare of one arm of the returns study (log points): reach and sight together, rollout a little."""
    horizon = levels["horizon"]
    reach = horizon if levels["reach"] is None else levels["reach"]
    rollout = horizon if levels["rollout"] is None else levels["rollout"]
    assert isinstance(reach, int)
    assert isinstance(rollout, int)
    sight = levels["sight"]
    assert isinstance(sight, int)
    gain = 4.0 * min(reach, 16) / 16 * min(sight, 6) / 6 + 1.0 * min(rollout, 16) / 16
    return gain * (0.25 if levels["closed"] == "claims" else 1.0)


def returns_runs(
    worlds: int = 60, noise: float = 0.8, seed: int = 0, contexts: tuple[str, ...] = ("baseline", "ridges")
) -> pd.DataFrame:
    """Runs of the points of the returns study in some contexts, with the welfare of :func:`returns_welfare` planted."""
    rng = np.random.default_rng(seed)
    common = rng.normal(size=worlds) * 6.0
    parts = []
    for point in design_points(load_study("returns")):
        if point.levels["context"] not in contexts:
            continue
        part = pd.DataFrame({"world_id": np.arange(worlds)})
        part["welfare"] = 60.0 + common + returns_welfare(dict(point.levels)) + rng.normal(size=worlds) * noise
        for count in COUNTS:
            part[count] = 5.0 + (2.0 if count == "claims" and point.levels["horizon"] == 16 else 0.0)
        parts.append(part.assign(seed=0, status="ok", **{f"factor.{k}": v for k, v in point.levels.items()}))
    return pd.concat(parts, ignore_index=True)
