"""Scenario discovery: in which contexts does thinking pay? Boxes and trees, judged on points they were not made from.

A context is *of interest* where the gain is above a threshold. PRIM (Friedman and Fisher, *Statistics and Computing*
9(2), 1999; Bryant and Lempert, *Technological Forecasting and Social Change* 77(1), 2010) peels a box of parameter
ranges towards them; CART (Breiman et al., 1984) splits the space into leaves. Both look for what they find, so that the
share of interest inside (density) and the share caught (coverage) of the points they saw flatter them. Half of the
points are held out, and coverage and density are said of those, with exact binomial intervals.
"""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy.stats import binomtest

from civsim.analysis.panel import require_columns
from civsim.analysis.statistics.resample import LEVEL, SEED
from civsim.base.errors import ResultsError

if TYPE_CHECKING:
    from sklearn.tree import DecisionTreeClassifier

Bools = NDArray[np.bool_]

MIN_POINTS = 20
"""Design points below which half of them say nothing of a box."""

MIN_MASS = 0.1
"""Least share of the points that a box or a leaf holds."""

PEEL = 0.05
"""Share of the box that one step of PRIM cuts off at most (Friedman and Fisher's α)."""

MIN_QUANTILE = 0.05
"""A limit is kept if the points beyond it would lose this much interest by chance less often (Bryant and Lempert)."""

MAX_DEPTH = 3
"""Splits from the root of a tree to a leaf, at most: a rule of three parts can still be read."""


_ANY = 1e-9
"""PRIM's threshold on answers of 0 and 1: any 1 is of interest, and no box is turned down for its density."""


class Share(NamedTuple):
    """A share of points with its Clopper–Pearson interval; nan where there is no point."""

    value: float
    low: float
    high: float


class Box(NamedTuple):
    """A box of parameter ranges, and how it does on the points held out."""

    rule: str  # for people, such as '0.5 ≤ price ≤ 2.1 and sight ≥ 3'; 'everywhere' without limits
    limits: pd.DataFrame  # one row a limited parameter: parameter, low, high (−inf, inf where open)
    coverage: Share  # of the held-out points of interest, how many lie inside
    density: Share  # of the held-out points inside, how many are of interest
    mass: float  # share of the held-out points that lie inside
    base: Share  # share of interest among all held-out points: the density of no box at all
    coverage_seen: float  # the same on the points it was made from: flattering
    density_seen: float
    seen: int  # points it was made from
    held_out: int


def share(hits: int, count: int, level: float = LEVEL) -> Share:
    """Return hits / count with its exact interval (Clopper and Pearson, *Biometrika* 26(4), 1934)."""
    if count == 0:
        return Share(float("nan"), float("nan"), float("nan"))
    limits = binomtest(int(hits), int(count)).proportion_ci(level, method="exact")
    return Share(hits / count, float(limits.low), float(limits.high))


def split_halves(points: int, seed: int = SEED) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return (seen, held out): a random half of the row numbers each, ascending; a pure function of ``seed``."""
    order = np.random.default_rng(seed).permutation(points)
    return np.sort(order[: points // 2]), np.sort(order[points // 2 :])


def _checked(contexts: pd.DataFrame, interest: ArrayLike) -> tuple[pd.DataFrame, Bools]:
    table, wanted = contexts.astype(np.float64).reset_index(drop=True), np.asarray(interest, bool)
    if len(table) != len(wanted) or len(table) < MIN_POINTS or not table.shape[1]:
        raise ResultsError(f"points={len(table)} with {len(wanted)} answers; give at least {MIN_POINTS} of each")
    if not np.isfinite(table.to_numpy()).all():
        raise ResultsError("a parameter of a context is not a finite number; give numbers alone")
    if wanted.all() or not wanted.any():
        what = "every" if wanted.all() else "no"
        raise ResultsError(f"{what} context is of interest; there is nothing to tell apart; move the threshold")
    return table, wanted


def _inside(table: pd.DataFrame, limits: pd.DataFrame) -> Bools:
    inside = np.ones(len(table), bool)
    for name, low, high in limits.itertuples(index=False):
        inside &= table[name].between(low, high).to_numpy()
    return inside


def rule_text(limits: pd.DataFrame) -> str:
    """Return limits (columns ``parameter``, ``low``, ``high``) as words."""
    words = []
    for name, low, high in limits.itertuples(index=False):
        if np.isinf(low):
            words.append(f"{name} ≤ {high:.3g}")
        else:
            words.append(f"{name} ≥ {low:.3g}" if np.isinf(high) else f"{low:.3g} ≤ {name} ≤ {high:.3g}")
    return " and ".join(words) or "everywhere"


def _peeled(table: pd.DataFrame, wanted: Bools) -> pd.DataFrame:
    """Return the limits of PRIM's box: on its path, the one with the best F1 of coverage and density.

    Limits that chance explains (quasi-p above :data:`MIN_QUANTILE`) are left off.
    """
    with warnings.catch_warnings():
        # The workbench warns, as it is imported, of parallel runners that it lacks and that are not used here.
        warnings.simplefilter("ignore")
        from ema_workbench.analysis.prim import Prim

        finder = Prim(table, wanted.astype(np.int64), threshold=_ANY, peel_alpha=PEEL, mass_min=MIN_MASS)
        box = finder.find_box()
    path = box.peeling_trajectory
    both = (path["coverage"] + path["density"]).to_numpy(np.float64)
    score = 2.0 * (path["coverage"] * path["density"]).to_numpy(np.float64) / np.where(both > 0.0, both, 1.0)
    best = int(np.argmax(score))
    widest, chosen, chance = finder.box_init, box.box_lims[best], box.qp[best]
    rows = []
    for name in table.columns:
        lows = (float(widest[name].iloc[0]), float(chosen[name].iloc[0]))
        highs = (float(widest[name].iloc[1]), float(chosen[name].iloc[1]))
        p_low, p_high = chance.get(name, (np.nan, np.nan))
        low = lows[1] if lows[1] > lows[0] and p_low <= MIN_QUANTILE else -np.inf
        high = highs[1] if highs[1] < highs[0] and p_high <= MIN_QUANTILE else np.inf
        if np.isfinite(low) or np.isfinite(high):
            rows.append({"parameter": name, "low": low, "high": high})
    return pd.DataFrame(rows, columns=["parameter", "low", "high"])


def find_box(contexts: pd.DataFrame, interest: ArrayLike, *, seed: int = SEED, level: float = LEVEL) -> Box:
    """Return PRIM's box about the contexts of interest, made from half of them and judged on the other half.

    Args:
        contexts: one row a design point, one numeric column a parameter.
        interest: bool [points].
        seed: of the split into halves.
        level: coverage of the binomial intervals.

    Raises:
        ResultsError: fewer than :data:`MIN_POINTS` points, parameters that are no numbers, or interest that does not
            vary (in either half).
    """
    table, wanted = _checked(contexts, interest)
    seen, other = split_halves(len(table), seed)
    if wanted[seen].all() or not wanted[seen].any():
        raise ResultsError("one half of the points holds no contrast; move the threshold or play more points")
    limits = _peeled(table.iloc[seen].reset_index(drop=True), wanted[seen])
    inside = _inside(table, limits)
    hits = inside & wanted
    return Box(
        rule_text(limits),
        limits,
        share(hits[other].sum(), wanted[other].sum(), level),
        share(hits[other].sum(), inside[other].sum(), level),
        float(inside[other].mean()),
        share(wanted[other].sum(), len(other), level),
        float(hits[seen].sum() / wanted[seen].sum()),
        float(hits[seen].sum() / inside[seen].sum()) if inside[seen].any() else float("nan"),
        len(seen),
        len(other),
    )


def grow_tree(contexts: pd.DataFrame, interest: ArrayLike, *, seed: int = SEED, level: float = LEVEL) -> pd.DataFrame:
    """Return the leaves of a small classification tree, made from half of the points and judged on the other half.

    Columns: ``rule``, ``density`` with ``low`` and ``high`` (share of interest among the held-out points of the
    leaf), ``coverage`` (share of the held-out points of interest), ``mass`` (share of the held-out points),
    ``density_seen``; densest leaf (as seen) first. Arguments and errors as :func:`find_box`.
    """
    from sklearn.tree import DecisionTreeClassifier

    table, wanted = _checked(contexts, interest)
    seen, other = split_halves(len(table), seed)
    tree = DecisionTreeClassifier(max_depth=MAX_DEPTH, min_samples_leaf=MIN_MASS, random_state=seed % 2**32)
    tree.fit(table.to_numpy()[seen], wanted[seen])
    leaf = tree.apply(table.to_numpy().astype(np.float32))
    rules = _leaf_rules(tree, list(table.columns))
    rows = []
    for node in sorted(rules):
        mine, before = leaf[other] == node, leaf[seen] == node
        density = share((mine & wanted[other]).sum(), mine.sum(), level)
        caught = (mine & wanted[other]).sum() / max(wanted[other].sum(), 1)
        rows.append(
            {"rule": rules[node], "density": density.value, "low": density.low, "high": density.high,
             "coverage": caught, "mass": mine.mean(), "density_seen": wanted[seen][before].mean()}
        )  # fmt: skip
    return pd.DataFrame(rows).sort_values("density_seen", ascending=False, kind="stable", ignore_index=True)


def _leaf_rules(tree: DecisionTreeClassifier, names: list[str]) -> dict[int, str]:
    """Return the rule of each leaf by its node: limits gathered from the root down."""
    shape = tree.tree_
    rules: dict[int, str] = {}
    paths: list[tuple[int, dict[str, tuple[float, float]]]] = [(0, {})]
    while paths:
        node, limits = paths.pop()
        if shape.children_left[node] < 0:
            rows = [{"parameter": name, "low": low, "high": high} for name, (low, high) in limits.items()]
            rules[node] = rule_text(pd.DataFrame(rows, columns=["parameter", "low", "high"]))
            continue
        name, cut = names[shape.feature[node]], float(shape.threshold[node])
        low, high = limits.get(name, (-np.inf, np.inf))
        paths.append((int(shape.children_left[node]), limits | {name: (low, min(high, cut))}))
        paths.append((int(shape.children_right[node]), limits | {name: (max(low, cut), high)}))
    return rules


def gains_by_point(runs: pd.DataFrame, parameters: list[str], gain: str) -> pd.DataFrame:
    """Return one row a design point: its parameters, the mean of ``gain`` over worlds, its s.e. and the worlds.

    Raises:
        ResultsError: a column is missing.
    """
    require_columns(runs, [*parameters, gain])
    grouped = runs.groupby(parameters, sort=False)[gain]
    table = grouped.agg(["mean", "sem", "count"]).reset_index()
    return table.rename(columns={"mean": "gain", "sem": "error", "count": "worlds"})
