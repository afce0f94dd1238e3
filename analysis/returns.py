"""Returns to each channel of cognition, given free, beside the controls that a sceptic would ask for.

The study ``returns`` gives the focal civilization exogenous levels and spends nothing on cognition, so that a gain
is earned by better orders alone and costs nothing. This module turns its runs table into tables; it draws nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from civsim.analysis.panel import Panel, make_panel, require_columns
from civsim.analysis.statistics.marginal import decompose_by_closing, marginal_returns
from civsim.analysis.statistics.paired import paired_differences
from civsim.analysis.statistics.resample import DRAWS, SEED
from civsim.analysis.units import equivalent_percent
from civsim.base.constants import CHANNEL_NAMES, ORDERS
from civsim.base.errors import ResultsError

CONTEXT = "factor.context"
ARM = "arm"
OUTCOME = "welfare"
LENGTH = tuple[float, int]

SETTINGS = (*CHANNEL_NAMES, "reach", "rollout", "closed")
"""Factors of the study; one that a point leaves alone is empty there."""

UNLIMITED = 4096
"""Reach of the far-sighted constant: more turns than any game has."""

HIGH = {"horizon": 16, "sight": 6, "attention": 6}
"""Levels at which the channels that are not swept are held."""

COUNTS = (*ORDERS.values(), "cells", "lost_disaster", "lost_battle", "lost_raid")


class Sweep(NamedTuple):
    """One channel moved through its levels while the others are held."""

    channel: str
    held: str  # what the others are held at, for people
    settings: Mapping[str, int]  # levels of the other channels


SWEEPS = (
    Sweep("horizon", "r = 6, k = 6", {"sight": 6, "attention": 6}),
    Sweep("horizon", "r = 2, k = 6", {"sight": 2, "attention": 6}),
    Sweep("sight", "h = 16, k = 6", {"horizon": 16, "attention": 6}),
    Sweep("sight", "h = 0, k = 6", {"horizon": 0, "attention": 6}),
    Sweep("attention", "h = 16, r = 6", {"horizon": 16, "sight": 6}),
    Sweep("attention", "h = 0, r = 6", {"horizon": 0, "sight": 6}),
)

CONTROLS: Mapping[str, Mapping[str, Any]] = {
    "rule of thumb (h = 0)": {"horizon": 0},
    "far-sighted constant": {"horizon": 0, "reach": UNLIMITED, "rollout": 0},
    "reach 16, no rollout": {"horizon": 16, "reach": 16, "rollout": 0},
    "rollout 16, no reach": {"horizon": 16, "reach": 0, "rollout": 16},
    "rollout 16, reach 1": {"horizon": 16, "reach": 1, "rollout": 16},
    "planner, h = 16": {"horizon": 16},
    "planner, h = 32": {"horizon": 32},
    "rollout 16, unlimited reach": {"horizon": 16, "reach": UNLIMITED, "rollout": 16},
}
"""Arms that set what pays apart, all at r = 6, k = 6, by the name they have in tables."""

MYOPIC, CONSTANT = "rule of thumb (h = 0)", "far-sighted constant"

CONTRASTS: Mapping[str, tuple[Mapping[str, int], Mapping[str, int]]] = {
    "horizon": ({**HIGH, "horizon": 0}, HIGH),
    "sight": ({**HIGH, "sight": 1}, HIGH),
    "attention": ({**HIGH, "attention": 2}, HIGH),
}
"""Low and high arm of each channel in the decompositions by kind of order."""


class ReturnsTables(NamedTuple):
    """All gains are of welfare, in percent of c₀ + consumption in every turn; intervals are of 95 %."""

    levels: pd.DataFrame  # context, channel, held, level: gain over the sweep's lowest level
    marginal: pd.DataFrame  # context, channel, held, level_from, level_to: gain per level
    controls: pd.DataFrame  # context, control: gain over h = 0, and over the far-sighted constant
    orders: pd.DataFrame  # context, channel, count: change from the low to the high arm
    closing: pd.DataFrame  # context, channel, kind: the return with the kind open and closed, and what it carries


def pick(runs: pd.DataFrame, context: str, settings: Mapping[str, Any]) -> pd.DataFrame:
    """Return the runs of one arm: factors in ``settings`` have that value, all others of the study are empty."""
    keep = (runs[CONTEXT] == context).to_numpy()
    for name in SETTINGS:
        column = runs[f"factor.{name}"]
        keep = keep & (column == settings[name] if name in settings else column.isna()).to_numpy(bool, na_value=False)
    return runs[keep]


def arms_panel(
    runs: pd.DataFrame, context: str, arms: Mapping[Any, Mapping[str, Any]], outcome: str = OUTCOME
) -> Panel:
    """Return the panel of named arms (label to settings) in one context.

    Raises:
        ResultsError: an arm has no runs.
    """
    parts = []
    for index, (label, settings) in enumerate(arms.items()):
        part = pick(runs, context, settings)
        if part.empty:
            raise ResultsError(f"context={context!r} has no runs of arm {label!r}; run the whole returns study")
        parts.append(part.assign(**{ARM: index}))
    panel = make_panel(pd.concat(parts), outcome, ARM)
    return panel._replace(arms=tuple(arms))


def sweep_levels(runs: pd.DataFrame, context: str, sweep: Sweep) -> list[int]:
    """Return the levels of a sweep's channel that were played with the others held, ascending."""
    column = f"factor.{sweep.channel}"
    keep = (runs[CONTEXT] == context).to_numpy()
    for name in SETTINGS:
        if name == sweep.channel:
            continue
        other = runs[f"factor.{name}"]
        wanted = other == sweep.settings[name] if name in sweep.settings else other.isna()
        keep = keep & wanted.to_numpy(bool, na_value=False)
    return [int(level) for level in np.sort(runs.loc[keep, column].dropna().unique())]


def _percent(table: pd.DataFrame, columns: Sequence[str], length: LENGTH) -> pd.DataFrame:
    return table.assign(**{name: equivalent_percent(table[name].to_numpy(), *length) for name in columns})


def _sweep_tables(
    runs: pd.DataFrame, context: str, sweep: Sweep, length: LENGTH, draws: int, seed: int
) -> tuple[pd.DataFrame, pd.DataFrame]:
    levels = sweep_levels(runs, context, sweep)
    panel = arms_panel(runs, context, {level: {**sweep.settings, sweep.channel: level} for level in levels})
    gains = paired_differences(panel, levels[0], draws=draws, seed=seed)
    gains = gains.rename(columns={"arm": "level", "difference": "gain"})
    steps = marginal_returns(panel, draws=draws, seed=seed).drop(columns="gain")
    label = {"context": context, "channel": sweep.channel, "held": sweep.held}
    gains = gains[["level", "worlds", "gain", "low", "high", "correlation", "variance_ratio"]]
    return (
        _percent(gains, ["gain", "low", "high"], length).assign(**label),
        _percent(steps, ["per_level", "low", "high"], length).assign(**label),
    )


def _control_table(runs: pd.DataFrame, context: str, length: LENGTH, draws: int, seed: int) -> pd.DataFrame:
    others = {"sight": HIGH["sight"], "attention": HIGH["attention"]}
    panel = arms_panel(runs, context, {name: {**others, **arm} for name, arm in CONTROLS.items()})
    over_rule = paired_differences(panel, MYOPIC, draws=draws, seed=seed)
    over_constant = paired_differences(panel, CONSTANT, draws=draws, seed=seed)
    table = pd.DataFrame({"context": context, "control": list(panel.arms), "worlds": panel.n_worlds})
    for suffix, source in (("", over_rule), ("_over_constant", over_constant)):
        for name, column in (("gain", "difference"), ("low", "low"), ("high", "high")):
            table[f"{name}{suffix}"] = equivalent_percent(source[column].to_numpy(), *length)
    return table


def _order_table(runs: pd.DataFrame, context: str, draws: int, seed: int) -> pd.DataFrame:
    rows = []
    for channel, (low_arm, high_arm) in CONTRASTS.items():
        for count in COUNTS:
            panel = arms_panel(runs, context, {"low": low_arm, "high": high_arm}, count)
            change = paired_differences(panel, "low", draws=draws, seed=seed).iloc[1]
            rows.append(
                {
                    "context": context,
                    "channel": channel,
                    "count": count,
                    "at_low": panel.column("low").mean(),
                    "change": change["difference"],
                    "low": change["low"],
                    "high": change["high"],
                }
            )
    return pd.DataFrame(rows)


def _closing_table(runs: pd.DataFrame, context: str, length: LENGTH, draws: int, seed: int) -> pd.DataFrame:
    parts = []
    for channel, (low_arm, high_arm) in CONTRASTS.items():
        arms: dict[str, Mapping[str, Any]] = {"low": low_arm, "high": high_arm}
        for kind in ORDERS.values():
            arms[f"low, no {kind}"] = {**low_arm, "closed": kind}
            arms[f"high, no {kind}"] = {**high_arm, "closed": kind}
        panel = arms_panel(runs, context, arms)
        table = decompose_by_closing(
            panel.column("low"),
            panel.column("high"),
            [panel.column(f"low, no {kind}") for kind in ORDERS.values()],
            [panel.column(f"high, no {kind}") for kind in ORDERS.values()],
            tuple(ORDERS.values()),
            draws=draws,
            seed=seed,
        )
        parts.append(table.assign(context=context, channel=channel))
    table = pd.concat(parts, ignore_index=True)
    numbers = [column for column in table.columns if column.startswith(("return_", "carried"))]
    return _percent(table, numbers, length)


def returns_tables(
    runs: pd.DataFrame, lengths: Mapping[str, LENGTH], *, draws: int = DRAWS, seed: int = SEED
) -> ReturnsTables:
    """Return every table of the returns study.

    ``runs`` is its runs table, ``lengths`` maps a context to (discount, turns). Worlds are resampled whole, with
    the same draws everywhere.

    Raises:
        ResultsError: a factor column or an arm is missing.
    """
    require_columns(runs, [CONTEXT, OUTCOME, *[f"factor.{name}" for name in SETTINGS], *COUNTS])
    levels, marginal, controls, orders, closing = [], [], [], [], []
    for context in dict.fromkeys(runs[CONTEXT]):
        if context not in lengths:
            raise ResultsError(f"context={context!r} is not in the manifest; do not mix results of two studies")
        for sweep in SWEEPS:
            gains, steps = _sweep_tables(runs, context, sweep, lengths[context], draws, seed)
            levels.append(gains)
            marginal.append(steps)
        controls.append(_control_table(runs, context, lengths[context], draws, seed))
        orders.append(_order_table(runs, context, draws, seed))
        closing.append(_closing_table(runs, context, lengths[context], draws, seed))
    tables = (levels, marginal, controls, orders, closing)
    return ReturnsTables(*(_labels_first(pd.concat(parts, ignore_index=True)) for parts in tables))


def _labels_first(table: pd.DataFrame) -> pd.DataFrame:
    labels = [name for name in ("context", "channel", "held", "control", "kind", "count") if name in table.columns]
    return table[[*labels, *[name for name in table.columns if name not in labels]]]
