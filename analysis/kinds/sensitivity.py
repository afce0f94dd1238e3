"""Sensitivity: which settings of a study move welfare, alone and together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from civsim.analysis.kinds.discovery import two_arms
from civsim.analysis.kinds.kind import SKIPPED, Kind, Tables
from civsim.analysis.kinds.rows import (
    LOG_PERCENT,
    OUTCOME,
    Row,
    draw_rows,
    each_stratum,
    left_out,
    log_percent,
    stack_tables,
    words,
)
from civsim.analysis.panel import OK, require_columns
from civsim.analysis.results import FACTOR, Resampling, Results, Stratum
from civsim.analysis.statistics.sensitivity import MIN_ROWS, MIN_WORLDS, morris_indices, sobol_indices
from civsim.analysis.units import PERCENT
from civsim.base.errors import ResultsError

if TYPE_CHECKING:
    from matplotlib.figure import Figure

F64 = NDArray[np.float64]

EXTRA_POINTS = {"morris": 1, "saltelli": 2}
"""Points of a trajectory or row beside one for each factor."""

WELFARE = "welfare"
"""What the indices are of, where no factor has two levels."""

LEVEL = "level"
"""Key of the table of indices of welfare itself, where the main table is of a gain."""

NOISY = 0.2
"""Share of chance above which the findings ask for more worlds."""


def _refuses(results: Results) -> str | None:
    design = results.study.get("design")
    if design not in EXTRA_POINTS:
        return f"design={design!r} has no trajectories or rows; run a study with design = 'morris' or 'saltelli'"
    return None


def _ranges(results: Results) -> dict[str, Mapping[str, Any]]:
    """Return the factors with a range, by column, in the design's order."""
    return {
        f"{FACTOR}{name}": factor for name, factor in results.study["factors"].items() if factor.get("low") is not None
    }


def to_unit(values: F64, factor: Mapping[str, Any]) -> F64:
    """Return levels of a range factor on [0, 1]: where between its ends they lie, on its own scale."""
    low, high = float(factor["low"]), float(factor["high"])
    if factor.get("scale") == "log":
        return np.asarray(np.log(values / low) / np.log(high / low), np.float64)
    return np.asarray((values - low) / (high - low), np.float64)


def responses(runs: pd.DataFrame, outcome: pd.Series, paired: bool) -> pd.DataFrame:
    """Return the outcome by point and world: points ascending, nan where a game failed or there is none.

    Where points play worlds of their own, the first of one point stands beside the first of another.
    """
    require_columns(runs, ["point", "seed", "world_id", "status"])
    table = runs[["point", "seed", "world_id"]].assign(y=outcome.where(runs["status"] == OK))
    table["world"] = table.groupby(["seed", "world_id"]).ngroup() if paired else table.groupby("point").cumcount()
    return table.pivot_table(index="point", columns="world", values="y", aggfunc="mean", dropna=False).sort_index()


def whole_blocks(missing: NDArray[np.bool_]) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Return (blocks, worlds) to keep, bool [R] and [W], so that nothing of what is kept is missing.

    ``missing`` is bool [R, W]: a block (a trajectory, a row of Saltelli's) lacks a game in a world. What is dropped is,
    again and again, the block or the world that lacks most of what is left of it: a point that cannot be played costs
    its block and no world, a world that fails everywhere costs itself. Of the fewest blocks that have an interval none
    is dropped while there are worlds to spare, and the other way round.
    """
    blocks, worlds = np.ones(missing.shape[0], np.bool_), np.ones(missing.shape[1], np.bool_)
    while (left := missing[np.ix_(blocks, worlds)]).any():
        by_block, by_world = left.mean(1), left.mean(0)
        spare = len(by_block) > MIN_ROWS or len(by_world) <= MIN_WORLDS, len(by_world) > MIN_WORLDS
        of_world = not spare[0] or (spare[1] and by_world.max() > by_block.max())
        kept, shares = (worlds, by_world) if of_world else (blocks, by_block)
        kept[np.flatnonzero(kept)[int(shares.argmax())]] = False
    return blocks, worlds


def rows_order(unit: F64) -> list[int]:
    """Return which factor each point between A and B of Saltelli's rows takes from B.

    ``unit`` is float [N, D + 2, D]. The order is read off the points: a manifest keeps its factors by name, whatever
    the order in which the design moved them.

    Raises:
        ResultsError: a point differs from A in several factors, or in none in any row.
    """
    moved = (unit[:, 1:-1] != unit[:, :1]).any(0)  # [D, D]
    if not ((moved.sum(0) == 1).all() and (moved.sum(1) == 1).all()):
        raise ResultsError("points differ from the first of their row in other than one factor; finish the study first")
    return [int(place) for place in moved.argmax(1)]


def arm_gains(
    wide: pd.DataFrame, runs: pd.DataFrame, arms: tuple[str, Any, Any], ranges: Sequence[str]
) -> pd.DataFrame:
    """Return the outcome of the second arm less that of the first, point by point of the design and world by world.

    Args:
        wide: :func:`responses` of the games of both arms.
        runs: those games; each point has one level of every factor.
        arms: (column, low, high).
        ranges: columns that two points must share to be compared.

    Returns:
        One row a point of the design, by the number of its point in the first arm; one column a world.

    Raises:
        ResultsError: a point of one arm has no twin in the other.
    """
    column, low, high = arms
    levels = runs.groupby("point")[[column, *ranges]].first().loc[wide.index]
    one, two = (levels[levels[column] == arm] for arm in (low, high))
    if len(one) != len(two) or not np.array_equal(one[list(ranges)].to_numpy(), two[list(ranges)].to_numpy()):
        raise ResultsError(
            f"points={len(one)} of {low} have no twins among {len(two)} of {high}; finish the study first"
        )
    return wide.loc[two.index].set_index(one.index) - wide.loc[one.index]


def _one(
    results: Results, stratum: Stratum, arms: tuple[str, Any, Any] | None, resampling: Resampling
) -> dict[str, pd.DataFrame]:
    """Return the indices of a stratum: of what the second arm gains over the first, or of welfare without arms."""
    factors, design = _ranges(results), str(results.study["design"])
    wide = responses(stratum.runs, log_percent(results, stratum), bool(results.study["paired"]))
    wide = arm_gains(wide, stratum.runs, arms, list(factors)) if arms else wide
    block = len(factors) + EXTRA_POINTS[design]
    names = [column.removeprefix(FACTOR).replace("_", " ") for column in factors]
    if len(wide) % block:
        raise ResultsError(f"points={len(wide)} are no whole number of blocks of {block}; finish the study first")
    response = wide.to_numpy(np.float64).reshape(-1, block, wide.shape[1])
    levels = stratum.runs.groupby("point")[list(factors)].first().loc[wide.index]
    unit = np.column_stack([to_unit(levels[column].to_numpy(np.float64), factors[column]) for column in factors])
    unit = unit.reshape(-1, block, len(factors))
    blocks, worlds = whole_blocks(np.isnan(response).any(1))
    if not blocks.any() or not worlds.any():
        raise ResultsError(f"none of {wide.shape[1]} worlds has a number for welfare; look at failed games")
    response = response[blocks][:, :, worlds]
    if design == "morris":
        found = morris_indices(unit[blocks], response, names, level=resampling.level)
    else:
        found = sobol_indices(response, [names[place] for place in rows_order(unit)], level=resampling.level)
    rest = {"design": design, "noise_of_all": found.noise_share, "rows": found.rows, "worlds": found.worlds}
    rest |= {"rows_dropped": int((~blocks).sum()), "dropped": int((~worlds).sum())}
    return {"": found.table.assign(**rest, outcome=gain_words(arms) if arms else WELFARE)}


def gain_words(arms: tuple[str, Any, Any]) -> str:
    """Return what the second arm gains over the first, in words."""
    column, low, high = arms
    return f"{column.removeprefix(FACTOR).replace('_', ' ')} {high} over {low}"


def _tables(results: Results, resampling: Resampling) -> dict[str, pd.DataFrame]:
    require_columns(results.runs, [OUTCOME, *_ranges(results)])
    ranges, arms = list(_ranges(results)), two_arms(results)
    level = each_stratum(results, ranges, lambda stratum: _one(results, stratum, None, resampling))
    if arms is None:
        return level
    gain = each_stratum(results, [arms[0], *ranges], lambda stratum: _one(results, stratum, arms, resampling))
    skipped = [{SKIPPED: made[SKIPPED]} for made in (gain, level) if SKIPPED in made]
    return gain | {LEVEL: level[""]} | stack_tables(skipped)


def _moves(row: pd.Series) -> bool:
    """Return whether Morris's factor is told apart from chance: some mean effect, or effects beyond chance's floor."""
    return not row["mu_low"] <= 0.0 <= row["mu_high"] or row["low"] > row["floor"]


def _rows(table: pd.DataFrame) -> list[Row]:
    several = table["stratum"].nunique() > 1
    rows = []
    for _, one in table.iterrows():
        label = f"{one['stratum']}: {one['factor']}" if several else str(one["factor"])
        if one["design"] == "morris":
            text = f"{words(one['mu_star'], one['low'], one['high'], 1)}; σ {one['sigma']:.1f}"
            rows.append(Row(label, one["mu_star"], one["low"], one["high"], text, 0, not _moves(one), one["floor"]))
            continue
        for colour, (name, shown) in enumerate((("s1", "alone"), ("st", "in all"))):
            ends = float(one[f"{name}_low"]), float(one[f"{name}_high"])
            text = f"{shown} {words(one[name], *ends)}"
            rows.append(Row("" if colour else label, one[name], *ends, text, colour, ends[0] <= 0.0))
    return rows


def _draw(tables: Tables, notes: Sequence[str]) -> Figure:
    table = tables[""]
    morris, outcome = table["design"].iloc[0] == "morris", str(table["outcome"].iloc[0])
    gain = outcome != WELFARE
    what = f"What {outcome} adds to welfare, world by world" if gain else "Welfare"
    small = (
        f"{what} as log points × 100 a turn. Dot: mean size of the effect of a factor's whole range; tick: what chance "
        "alone gives; hollow: not told apart from chance. σ: how much the effect depends on where it is taken."
        if morris
        else f"{what}: share of the variance of its mean over the design; chance of the worlds taken out. Hollow: "
        "interval reaches 0. In all less alone: what the factor does together with others."
    )
    return draw_rows(
        _rows(table),
        title=f"Which settings move the gain of {outcome}" if gain else "Which settings move welfare",
        subtitle="Each factor over its whole range, all others moving too",
        axis=f"Elementary effect, μ* ({LOG_PERCENT})" if morris else "Share of variance",
        notes=[*notes, small],
    )


def _sentence(part: pd.DataFrame, stratum: str) -> str:
    outcome = str(part["outcome"].iloc[0])
    what = WELFARE if outcome == WELFARE else f"the gain of {outcome}"
    if part["design"].iloc[0] == "morris":
        first = part.sort_values("mu_star", ascending=False).iloc[0]
        quiet = [str(row["factor"]) for _, row in part.iterrows() if not _moves(row)]
        lead = (
            f"moves {what} most" if _moves(first) else f"has the largest effect on {what}, not told apart from chance"
        )
        size = words(first["mu_star"], first["low"], first["high"], 1)
        said = f"{stratum}: {first['factor']} {lead}, μ* {size} {LOG_PERCENT}"
        rest = (
            f"; not told apart from chance: {', '.join(quiet)}" if quiet else "; every factor is told apart from chance"
        )
        return f"{said}{rest}."
    if part["st"].isna().all():
        return f"{stratum}: the variance of {what} between points is no more than chance; no index is given."
    first = part.sort_values("st", ascending=False).iloc[0]
    alone = words(first["s1"], first["s1_low"], first["s1_high"])
    return (
        f"{stratum}: {first['factor']} has the largest share of the variance of {what}, "
        f"{words(first['st'], first['st_low'], first['st_high'])} in all, {alone} alone; "
        f"all factors alone make {part['s1'].sum():.2f}."
    )


def _read(tables: Tables) -> list[str]:
    table = tables[""]
    said = []
    for stratum, part in table.groupby("stratum", sort=False):
        noise = float(part["noise_of_all"].iloc[0])
        said.append(_sentence(part, str(stratum)))
        more = "; play more worlds" if noise > NOISY else ""
        said.append(
            f"{stratum}: {PERCENT * noise:.0f} % of what varies over {part['rows'].iloc[0]} rows is chance, with "
            f"{part['worlds'].iloc[0]} worlds a point{more}."
        )
    if LEVEL in tables:
        said += [_sentence(part, str(stratum)) for stratum, part in tables[LEVEL].groupby("stratum", sort=False)]
    return said + _rows_left_out(table) + left_out(table)


def _rows_left_out(table: pd.DataFrame) -> list[str]:
    """Return one sentence on the blocks of the design that were left out, or nothing where there were none."""
    what = "Trajectories" if table["design"].iloc[0] == "morris" else "Rows of Saltelli's"
    lost = table.groupby("stratum", sort=False)[["rows", "rows_dropped"]].first()
    said = [
        f"{stratum}: {row['rows_dropped']} of {row['rows'] + row['rows_dropped']}"
        for stratum, row in lost.iterrows()
        if row["rows_dropped"]
    ]
    return [f"{what} left out, since games of theirs failed or gave no number: {'; '.join(said)}."] if said else []


KIND = Kind(
    name="sensitivity",
    title="Which settings move welfare",
    question="Which settings that a study varies move welfare, or what thinking adds to it, alone and together?",
    method=(
        "Morris's elementary effects (1991; μ*: Campolongo et al. 2007) or Sobol indices from Saltelli's rows (2010); "
        "products of different worlds take chance out; two-way jackknife over rows and worlds. Where a factor "
        "has two levels, the response is what the second gains over the first, world by world; indices of welfare "
        "itself are in a second table."
    ),
    refuses=_refuses,
    tables=_tables,
    draw=_draw,
    read=_read,
)
