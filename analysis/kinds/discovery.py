"""Discovery: in which contexts does thinking pay? A box and a tree over the parameters that a study varies."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from civsim.analysis.kinds.kind import Kind, Tables
from civsim.analysis.kinds.rows import OUTCOME, each_stratum, log_percent
from civsim.analysis.kinds.writes import sets_thinking
from civsim.analysis.panel import CLUSTER, OK, require_columns, select
from civsim.analysis.results import FACTOR, Resampling, Results, Stratum
from civsim.analysis.statistics.clustered import critical
from civsim.analysis.statistics.discovery import Box, find_box, gains_by_point, grow_tree, share
from civsim.analysis.style import COLOURS, FACE, MUTED, NOTE_LINE, NOTE_SIZE, add_note, add_title, new_figure, wrap_note
from civsim.analysis.units import PERCENT
from civsim.base.errors import ResultsError

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

DESIGNS = ("latin", "sobol", "saltelli")
FEWEST_RANGES = 2
ACROSS = 3
"""Panels beside each other."""

NO_PARAMETERS = ("stratum", "gain", "error", "worlds", "dropped", "pays", "told")
"""Columns of the table of contexts that are none of its parameters."""

PALE = 0.35
"""Opacity of a context whose gain is not told apart from 0."""

HEAD, PANEL, FOOT = 0.95, 2.3, 0.55
"""Heights in inches: title, one row of panels, margin above the small print."""


def _ranges(results: Results) -> list[str]:
    return [f"{FACTOR}{name}" for name, factor in results.study["factors"].items() if factor.get("low") is not None]


def two_arms(results: Results) -> tuple[str, Any, Any] | None:
    """Return (column, low, high) of the first factor that sets thinking and has exactly two levels or arms.

    The gain is high less low.
    """
    for name, factor in results.study["factors"].items():
        given = factor.get("levels") or factor.get("arms") or ()
        if len(given) == len(("low", "high")) and sets_thinking(factor):
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
        return "no factor that sets thinking has exactly two levels, low and high, to compare; add one"
    return None


def _points(results: Results, stratum: Stratum) -> tuple[pd.DataFrame, int, int]:
    """Return (gains, contexts left out, games left out): a row a context, its parameters, gain, error, worlds, dropped.

    The gain is that of the second arm over the first: world by world where points share worlds, else of the means,
    with Welch's standard error and the smaller number of worlds. A game is left out if it failed, or if the other arm's
    game in its world did.
    """
    column, low, high = two_arms(results) or ("", None, None)
    ranges = _ranges(results)
    runs = stratum.runs.assign(y=log_percent(results, stratum))
    both = runs[runs[column].isin([low, high])]
    good = both[(both["status"] == OK) & np.isfinite(both["y"])]
    if good.empty:
        raise ResultsError(f"none of {len(runs)} games has a number for welfare; look at failed games")
    arms = [select(good, {column: arm}) for arm in (low, high)]
    if results.study["paired"]:
        means = [arm.groupby([*ranges, *CLUSTER], sort=False)["y"].mean() for arm in arms]
        gains = (means[1] - means[0]).dropna().rename("gain_of_world").reset_index()
        points, used = gains_by_point(gains, ranges, "gain_of_world"), len(arms) * len(gains)
    else:
        one, two = (gains_by_point(arm, ranges, "y").set_index(ranges) for arm in arms)
        one, two = one.align(two, join="inner", axis=0)
        used = int(one["worlds"].sum() + two["worlds"].sum())
        points = pd.DataFrame({"gain": two["gain"] - one["gain"], "error": np.hypot(one["error"], two["error"])})
        points = points.assign(worlds=np.minimum(one["worlds"], two["worlds"])).reset_index()
    if points.empty:
        raise ResultsError("no context has a game of both arms that ended; look at failed games")
    played = both.groupby(ranges, sort=False).size()
    at = pd.MultiIndex.from_frame(points[ranges])
    points["dropped"] = played.loc[at].to_numpy() // len(arms) - points["worlds"].to_numpy()
    return points, len(played) - len(points), len(both) - used


def _signs(points: pd.DataFrame, level: float) -> pd.Series:
    """Return +1, −1 or 0 of each context: its gain is told above 0, below 0, or not apart from it (Student's t)."""
    worlds = points["worlds"].to_numpy(np.float64)
    reach = np.array([critical(count - 1.0, level) if count > 1.0 else np.inf for count in worlds])
    told = np.abs(points["gain"]) > np.where(np.isfinite(reach), reach * points["error"].fillna(0.0), np.inf)
    return (np.sign(points["gain"]) * told).astype(int)


def _box_row(box: Box) -> dict[str, Any]:
    row: dict[str, Any] = {"rule": box.rule, "limits": len(box.limits)}
    for name in ("coverage", "density", "base"):
        found = getattr(box, name)
        row |= {name: found.value, f"{name}_low": found.low, f"{name}_high": found.high}
    row |= {"mass": box.mass, "coverage_seen": box.coverage_seen, "density_seen": box.density_seen}
    return row | {"seen": box.seen, "held_out": box.held_out}


def _one(results: Results, stratum: Stratum, resampling: Resampling) -> dict[str, pd.DataFrame]:
    ranges = _ranges(results)
    points, points_dropped, games_dropped = _points(results, stratum)
    points["told"] = _signs(points, resampling.level)
    short = {column: column.removeprefix(FACTOR).replace("_", " ") for column in ranges}
    points = points.rename(columns=short)
    contexts, pays = points[list(short.values())], (points["gain"] > 0.0).to_numpy()
    _, low, high = two_arms(results) or ("", "", "")
    row: dict[str, Any] = {"low": str(low), "high": str(high), "points": len(points), "paying": int(pays.sum())}
    signs = {"above": 1, "below": -1, "untold": 0}
    row |= {name: int((points["told"] == sign).sum()) for name, sign in signs.items()}
    row |= {"points_dropped": points_dropped, "games_dropped": games_dropped, "dropped": int(points["dropped"].max())}
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
    return [name for name in points.columns if name not in NO_PARAMETERS]


def _draw_panel(axes: Axes, points: pd.DataFrame, limits: pd.DataFrame, row: pd.Series) -> None:
    """Draw the points over the two parameters that the box limits first (or the first two), and the box."""
    names = _parameters(points)
    ordered = list(dict.fromkeys([*limits["parameter"], *names]))[:2]
    logs = str(row["on_log_scale"]).split("; ")
    axes.set_xscale("log" if ordered[0] in logs else "linear")
    axes.set_yscale("log" if ordered[1] in logs else "linear")
    for colour, marker, pays in ((COLOURS[0], "o", True), (COLOURS[1], "x", False)):
        for told in (False, True):
            part = points[(points["pays"] == pays) & ((points["told"] != 0) == told)]
            axes.plot(
                part[ordered[0]], part[ordered[1]], marker, color=colour, markersize=3.2, linestyle="", zorder=3,
                alpha=1.0 if told else PALE,
            )  # fmt: skip
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
        [*notes, "Each mark is a design point, by the sign of its mean gain; pale where Student's t over its worlds "
         "does not tell the gain from 0. Box: limits by PRIM from half of the points, over the two parameters shown "
         "(others, if limited, are in the table); its shares are of the other half."]
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
    for place, colour, text in ((0.02, 0, "● pays"), (0.12, 1, "× does not pay (pale: not told apart from 0)")):
        figure.text(place, 1 - 0.5 / height, text, color=COLOURS[colour], fontsize=NOTE_SIZE + 1, va="top")
    add_note(figure, small)
    return figure


def _percent(row: pd.Series, name: str) -> str:
    return _share_words(*(float(row[f"{name}{end}"]) for end in ("", "_low", "_high")))


def _share_words(value: float, low: float, high: float) -> str:
    return f"{PERCENT * value:.0f} % [{PERCENT * low:.0f}, {PERCENT * high:.0f}]"


def _counts(row: pd.Series) -> str:
    """Return how many contexts are told above 0, below it or neither, and what was left out, in words."""
    said = (
        f"{row['stratum']}: of {row['points']} contexts the gain is told above 0 in {row['above']} and below 0 in "
        f"{row['below']}; in {row['untold']} it is not told apart from 0 (Student's t over the worlds of each)"
    )
    lost = f"{row['points_dropped']} contexts and {row['games_dropped']} games in all are left out, since games failed"
    return f"{said}; {lost}." if row["games_dropped"] else f"{said}."


def _box_words(row: pd.Series, what: str) -> str:
    if not np.isfinite(row["density"]):
        return (
            f"{what} in {_percent(row, 'base')} of held-out contexts; of these none lies in the box found where "
            f"{row['rule']}, so nothing judges it."
        )
    better = row["density_low"] > row["base_high"]
    sure = "" if better else "; the two intervals overlap, so the box may be no better than anywhere"
    return (
        f"{what} where {row['rule']}: in {_percent(row, 'density')} of held-out contexts inside, against "
        f"{_percent(row, 'base')} anywhere; the box holds {_percent(row, 'coverage')} of those where it does{sure}."
        if np.isfinite(row["coverage"])
        else f"{what} where {row['rule']}: in {_percent(row, 'density')} of held-out contexts inside; but it does "
        "so in none of the held-out contexts, so the box is not confirmed."
    )


def _read(tables: Tables) -> list[str]:
    said = []
    for _, row in tables[""].iterrows():
        said.append(_counts(row))
        what = f"{row['stratum']}: {row['high']} beats {row['low']} on average"
        if row["paying"] in (0, row["points"]):
            which = "every one" if row["paying"] else "none"
            said.append(
                f"{what} in {which} of {row['points']} contexts ({_percent(row, 'base')}); no rule sets any apart."
            )
            continue
        if not row["limits"]:
            said.append(
                f"{what} in {_percent(row, 'base')} of contexts; no box of parameters is told apart from chance."
            )
            continue
        said.append(_box_words(row, what))
    for stratum, leaves in tables["tree"].groupby("stratum", sort=False):
        best = leaves.iloc[0]
        said.append(
            f"{stratum}: of a tree's leaves the best is {best['rule']}: "
            f"{_share_words(best['density'], best['low'], best['high'])} of held-out contexts in it."
            if np.isfinite(best["density"])
            else f"{stratum}: of a tree's leaves the best is {best['rule']}, in which 0 held-out contexts lie."
        )
    return said


KIND = Kind(
    name="discovery",
    title="Where thinking pays",
    question="In which contexts does thinking more do better than thinking less?",
    method=(
        "PRIM (Friedman and Fisher 1999) and a classification tree on half of the design points; coverage and density "
        "on the other half with Clopper–Pearson intervals. A context pays where its mean gain over worlds is above "
        "0, told or not; how many are told by Student's t is said beside it."
    ),
    refuses=_refuses,
    tables=_tables,
    draw=_draw,
    read=_read,
)
