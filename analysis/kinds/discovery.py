"""Discovery: in which contexts does thinking pay? A box and a tree over the parameters that a study varies."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import pandas as pd

from civsim.analysis.kinds.kind import Kind, Tables
from civsim.analysis.kinds.rows import OUTCOME, each_stratum, log_percent
from civsim.analysis.panel import CLUSTER, OK, require_columns, select
from civsim.analysis.results import FACTOR, Resampling, Results, Stratum
from civsim.analysis.statistics.discovery import Box, find_box, gains_by_point, grow_tree, share
from civsim.analysis.style import COLOURS, FACE, MUTED, NOTE_LINE, NOTE_SIZE, add_note, add_title, new_figure, wrap_note
from civsim.analysis.units import PERCENT

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

DESIGNS = ("latin", "sobol", "saltelli")
FEWEST_RANGES = 2
ACROSS = 3
"""Panels beside each other."""

HEAD, PANEL, FOOT = 0.95, 2.3, 0.55
"""Heights in inches: title, one row of panels, margin above the small print."""


def _ranges(results: Results) -> list[str]:
    return [f"{FACTOR}{name}" for name, factor in results.study["factors"].items() if factor.get("low") is not None]


def two_arms(results: Results) -> tuple[str, Any, Any] | None:
    """Return (column, low, high) of the first factor with exactly two levels or arms; the gain is high less low."""
    for name, factor in results.study["factors"].items():
        given = factor.get("levels") or factor.get("arms") or ()
        if len(given) == len(("low", "high")):
            choices = results.choices(f"{FACTOR}{name}")
            return (f"{FACTOR}{name}", choices[0], choices[1]) if len(choices) == len(given) else None
    return None


def _refuses(results: Results) -> str | None:
    if results.study.get("design") not in DESIGNS:
        return f"design={results.study.get('design')!r} does not fill a space; give one of {', '.join(DESIGNS)}"
    if len(_ranges(results)) < FEWEST_RANGES:
        return (
            f"ranges={len(_ranges(results))} make no space of contexts; give at least {FEWEST_RANGES} factors a range"
        )
    if two_arms(results) is None:
        return "no factor has exactly two levels (thinking low and high) to compare; add one"
    return None


def _gains(results: Results, stratum: Stratum) -> pd.DataFrame:
    """Return one row a design point (both arms) and world: the parameters and what the second arm gains."""
    column, low, high = two_arms(results) or ("", None, None)
    runs = stratum.runs.assign(y=log_percent(results, stratum))
    runs = runs[runs["status"] == OK]
    keys = [*_ranges(results), *(CLUSTER if results.study["paired"] else ())]
    both = [select(runs, {column: arm}).groupby(keys, sort=False)["y"].mean() for arm in (low, high)]
    return (both[1] - both[0]).dropna().rename("gain_of_world").reset_index()


def _box_row(box: Box) -> dict[str, Any]:
    row: dict[str, Any] = {"rule": box.rule, "limits": len(box.limits)}
    for name in ("coverage", "density", "base"):
        found = getattr(box, name)
        row |= {name: found.value, f"{name}_low": found.low, f"{name}_high": found.high}
    row |= {"mass": box.mass, "coverage_seen": box.coverage_seen, "density_seen": box.density_seen}
    return row | {"seen": box.seen, "held_out": box.held_out}


def _one(results: Results, stratum: Stratum, resampling: Resampling) -> dict[str, pd.DataFrame]:
    ranges = _ranges(results)
    points = gains_by_point(_gains(results, stratum), ranges, "gain_of_world")
    short = {column: column.removeprefix(FACTOR).replace("_", " ") for column in ranges}
    points = points.rename(columns=short)
    contexts, pays = points[list(short.values())], (points["gain"] > 0.0).to_numpy()
    _, low, high = two_arms(results) or ("", "", "")
    row: dict[str, Any] = {"low": str(low), "high": str(high), "points": len(points), "paying": int(pays.sum())}
    factors = results.study["factors"]
    logs = [short[column] for column in ranges if factors[column.removeprefix(FACTOR)].get("scale") == "log"]
    row["on_log_scale"] = "; ".join(logs)
    limits, tree = pd.DataFrame(columns=["parameter", "low", "high"]), pd.DataFrame(columns=["rule"])
    if pays.all() or not pays.any():
        everywhere = share(int(pays.sum()), len(pays), resampling.level)
        row |= {"limits": 0, "base": everywhere.value, "base_low": everywhere.low, "base_high": everywhere.high}
    else:
        box = find_box(contexts, pays, seed=resampling.seed, level=resampling.level)
        tree = grow_tree(contexts, pays, seed=resampling.seed, level=resampling.level)
        row, limits = row | _box_row(box), box.limits
    return {"": pd.DataFrame([row]), "limits": limits, "tree": tree, "points": points.assign(pays=pays)}


def _tables(results: Results, resampling: Resampling) -> dict[str, pd.DataFrame]:
    column, _, _ = two_arms(results) or ("", None, None)
    require_columns(results.runs, [*CLUSTER, "status", OUTCOME, column])
    return each_stratum(results, [column, *_ranges(results)], lambda stratum: _one(results, stratum, resampling))


def _parameters(points: pd.DataFrame) -> list[str]:
    return [name for name in points.columns if name not in ("stratum", "gain", "error", "worlds", "pays")]


def _draw_panel(axes: Axes, points: pd.DataFrame, limits: pd.DataFrame, row: pd.Series) -> None:
    """Draw the points over the two parameters that the box limits first (or the first two), and the box."""
    names = _parameters(points)
    ordered = list(dict.fromkeys([*limits["parameter"], *names]))[:2]
    logs = str(row["on_log_scale"]).split("; ")
    axes.set_xscale("log" if ordered[0] in logs else "linear")
    axes.set_yscale("log" if ordered[1] in logs else "linear")
    for colour, marker, pays in ((COLOURS[0], "o", True), (COLOURS[1], "x", False)):
        part = points[points["pays"] == pays]
        axes.plot(part[ordered[0]], part[ordered[1]], marker, color=colour, markersize=3.2, linestyle="", zorder=3)
    ends = [axes.get_xlim(), axes.get_ylim()]
    for index, name in enumerate(ordered):
        mine = limits[limits["parameter"] == name]
        if len(mine):
            ends[index] = (max(ends[index][0], mine["low"].item()), min(ends[index][1], mine["high"].item()))
    if len(limits):
        (left, right), (below, above) = ends
        corners = [left, right, right, left, left], [below, below, above, above, below]
        axes.plot(*corners, color=MUTED, linewidth=1.4, zorder=4)
    axes.set_xlabel(ordered[0])
    axes.set_ylabel(ordered[1])
    axes.set_title(str(row["stratum"]), fontsize=8)
    axes.set_facecolor(FACE)


def _draw(tables: Tables, notes: Sequence[str]) -> Figure:
    boxes = tables[""]
    small = wrap_note(
        [*notes, "Each mark is a design point. Box: limits by PRIM from half of the points, over the two parameters "
         "shown (others, if limited, are in the table); its shares are of the other half."]
    )  # fmt: skip
    down = -(-len(boxes) // ACROSS)
    foot = NOTE_LINE * len(small) + FOOT
    height = HEAD + PANEL * down + foot
    figure = new_figure(height)
    grid = figure.add_gridspec(
        down, min(len(boxes), ACROSS), left=0.085, right=0.975, top=1 - HEAD / height, bottom=foot / height, hspace=0.6,
        wspace=0.35,
    )  # fmt: skip
    for index, (_, row) in enumerate(boxes.iterrows()):
        axes = figure.add_subplot(grid[index // ACROSS, index % ACROSS])
        mine = {"stratum": row["stratum"]}
        limits = select(tables["limits"], mine) if len(tables["limits"]) else tables["limits"]
        _draw_panel(axes, select(tables["points"], mine), limits, row)
    add_title(figure, "Where thinking pays", "Contexts in which the second arm does better than the first")
    for place, colour, text in ((0.02, 0, "● pays"), (0.12, 1, "× does not pay")):
        figure.text(place, 1 - 0.5 / height, text, color=COLOURS[colour], fontsize=NOTE_SIZE + 1, va="top")
    add_note(figure, small)
    return figure


def _percent(row: pd.Series, name: str) -> str:
    value, low, high = (PERCENT * float(row[f"{name}{end}"]) for end in ("", "_low", "_high"))
    return f"{value:.0f} % [{low:.0f}, {high:.0f}]"


def _read(tables: Tables) -> list[str]:
    said = []
    for _, row in tables[""].iterrows():
        what = f"{row['stratum']}: {row['high']} beats {row['low']}"
        if row["paying"] in (0, row["points"]):
            which = "every one" if row["paying"] else "none"
            said.append(
                f"{what} in {which} of {row['points']} contexts ({_percent(row, 'base')}); nothing tells them apart."
            )
            continue
        if not row["limits"]:
            said.append(
                f"{what} in {_percent(row, 'base')} of contexts; no box of parameters is told apart from chance."
            )
            continue
        better = row["density_low"] > row["base_high"]
        sure = "" if better else "; the two intervals overlap, so the box may be no better than anywhere"
        said.append(
            f"{what} where {row['rule']}: in {_percent(row, 'density')} of held-out contexts inside, against "
            f"{_percent(row, 'base')} anywhere; the box holds {_percent(row, 'coverage')} of those where it does{sure}."
        )
    for stratum, leaves in tables["tree"].groupby("stratum", sort=False):
        best = leaves.iloc[0]
        shown = f"{PERCENT * best['density']:.0f} % [{PERCENT * best['low']:.0f}, {PERCENT * best['high']:.0f}]"
        said.append(f"{stratum}: of a tree's leaves the best is {best['rule']}: {shown} of held-out contexts in it.")
    return said


KIND = Kind(
    name="discovery",
    title="Where thinking pays",
    question="In which contexts does thinking more do better than thinking less?",
    method=(
        "PRIM (Friedman and Fisher 1999) and a classification tree on half of the design points; coverage and density "
        "on the other half with Clopper–Pearson intervals; a context pays where its mean gain over worlds is above 0."
    ),
    refuses=_refuses,
    tables=_tables,
    draw=_draw,
    read=_read,
)
