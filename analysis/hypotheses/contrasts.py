"""Tests that compare arms: a weighted sum of arm means, a joint claim of several, a slope over a factor."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from civsim.analysis.hypotheses.arms import arm_worlds, factor_levels
from civsim.analysis.hypotheses.evidence import Evidence, bootstrap_evidence, weakest
from civsim.analysis.hypotheses.protocol import HypothesisTest
from civsim.analysis.results import Resampling, Results
from civsim.base.errors import ResultsError
from civsim.base.scenario import Frozen, Positive

F64 = NDArray[np.float64]

MIN_LEVELS = 3
"""Levels that a slope needs to say more than a difference."""


class ContrastParams(Frozen):
    """Sum of arms in ``plus`` less sum of arms in ``minus``, divided by ``per``."""

    outcome: str = Field("welfare", description="what is compared")
    plus: tuple[dict[str, Any], ...] = Field(min_length=1, description="arms that count +1, by level of each factor")
    minus: tuple[dict[str, Any], ...] = Field((), description="arms that count −1")
    per: Positive = Field(1.0, description="divisor")


class DifferencesParams(Frozen):
    """Weighted arms: for claims about slopes between uneven levels."""

    outcome: str = Field("welfare", description="what is compared")
    arms: tuple[dict[str, Any], ...] = Field(min_length=2, description="arms, by level of each factor")
    weights: tuple[float, ...] = Field(min_length=2, description="weight of each arm; they sum to 0")


class HumpParams(Frozen):
    """An inverted U: the first rise and the last fall must both be there."""

    outcome: str = Field("welfare", description="what is compared")
    rise: tuple[tuple[dict[str, Any], float], ...] = Field(min_length=2, description="weighted arms of the rise")
    fall: tuple[tuple[dict[str, Any], float], ...] = Field(min_length=2, description="weighted arms of the fall")


class SlopeParams(Frozen):
    """Least-squares slope of arm means, or of their difference between two settings, on a factor's levels."""

    outcome: str = Field("welfare", description="what is compared")
    factor: str = Field(description="factor whose levels are the x axis")
    scale: Literal["linear", "log2"] = Field("linear", description="x axis: the level, or its log to base 2")
    high: dict[str, Any] = Field(default_factory=dict, description="levels of the other factors")
    low: dict[str, Any] | None = Field(None, description="levels whose arm mean is taken off at every level")


def _weighted(
    results: Results, arms: list[dict[str, Any]], weights: F64, name: str, resampling: Resampling, context: str | None
) -> Evidence:
    worlds = arm_worlds(results, arms, name, context=context)
    return bootstrap_evidence(worlds.values, lambda means: means @ weights, resampling, dropped=worlds.dropped)


def _contrast(results: Results, params: ContrastParams, resampling: Resampling, context: str | None) -> Evidence:
    weights = np.array([1.0] * len(params.plus) + [-1.0] * len(params.minus)) / params.per
    return _weighted(results, [*params.plus, *params.minus], weights, params.outcome, resampling, context)


def _differences(results: Results, params: DifferencesParams, resampling: Resampling, context: str | None) -> Evidence:
    weights = np.asarray(params.weights, np.float64)
    if len(weights) != len(params.arms) or abs(weights.sum()) > np.finfo(np.float32).eps:
        total = f"{len(weights)} weights with sum {weights.sum():g}"
        raise ResultsError(f"{total} for {len(params.arms)} arms; give one an arm, with sum 0")
    return _weighted(results, list(params.arms), weights, params.outcome, resampling, context)


def _hump(results: Results, params: HumpParams, resampling: Resampling, context: str | None) -> Evidence:
    """Judge an inverted U by the weaker of its two slopes (Lind and Mehlum 2010)."""
    parts = {}
    for name, side in (("rise", params.rise), ("fall", params.fall)):
        weights = np.array([weight for _, weight in side])
        parts[name] = _weighted(results, [arm for arm, _ in side], weights, params.outcome, resampling, context)
    return weakest(parts, {"rise": 1.0, "fall": -1.0})[1]


def slope_weights(levels: F64) -> F64:
    """Return w with w @ y the least-squares slope of y on ``levels``, float64 [K]."""
    centred = levels - levels.mean()
    return np.asarray(centred / (centred @ centred), np.float64)


def _slope(results: Results, params: SlopeParams, resampling: Resampling, context: str | None) -> Evidence:
    levels = factor_levels(results, params.factor)
    x = np.asarray(levels, np.float64)
    if len(levels) < MIN_LEVELS or (params.scale == "log2" and x.min() <= 0.0):
        raise ResultsError(
            f"factor={params.factor!r} has levels {levels}; a slope needs {MIN_LEVELS}, above 0 for log2"
        )
    weights = slope_weights(np.log2(x) if params.scale == "log2" else x)
    arms = [{**params.high, params.factor: level} for level in levels]
    signs = weights
    if params.low is not None:
        arms += [{**params.low, params.factor: level} for level in levels]
        signs = np.concatenate([weights, -weights])
    return _weighted(results, arms, signs, params.outcome, resampling, context)


CONTRAST = HypothesisTest("contrast", "sum of some arm means less that of others", ContrastParams, _contrast)
DIFFERENCES = HypothesisTest("weighted", "weighted sum of arm means", DifferencesParams, _differences)
HUMP = HypothesisTest("hump", "the weaker of an inverted U's two slopes, signed as the claim wants", HumpParams, _hump)
SLOPE = HypothesisTest("slope", "least-squares slope of arm means on a factor", SlopeParams, _slope)
