"""Production: a realm's output from the shares it spends on cognition and on muscle; isoquants and cheapest mix."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from civsim.analysis.kinds.kind import Kind, Tables
from civsim.analysis.kinds.strength import (
    FEWEST_POINTS,
    are_assigned,
    cautions,
    consumption_varies,
    estimate_words,
    flat_columns,
    policy_strata,
    shares_of,
)
from civsim.analysis.kinds.writes import no_spending
from civsim.analysis.panel import CLUSTER, select
from civsim.analysis.results import Resampling, Results, Stratum
from civsim.analysis.statistics.production import (
    CobbDouglas,
    Translog,
    cobb_douglas_isoquants,
    cobb_douglas_path,
    cobb_douglas_ratio,
    fit_cobb_douglas,
    fit_translog,
)
from civsim.analysis.statistics.production_ces import Ces, ces_isoquants, ces_path, ces_ratio, fit_ces
from civsim.analysis.statistics.resample import Estimate
from civsim.analysis.style import (
    COLOURS,
    MARKERS,
    MUTED,
    NOTE_LINE,
    NOTE_SIZE,
    add_note,
    add_title,
    new_figure,
    spread_labels,
    wrap_note,
)
from civsim.analysis.units import PERCENT
from civsim.base.errors import ResultsError

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

F64 = NDArray[np.float64]

OUTPUT = "output"
"""Outcome: output over the whole game."""

SHARES = ("cognition", "muscle")
"""Inputs: shares of all spending on cognition and on settlement, works, army and walls together."""

LEVELS = (10.0, 30.0, 50.0, 70.0, 90.0)
"""Percentiles of fitted output over the games at which isoquants are drawn."""

GRID = 61
"""Points of an isoquant along cognition."""

PATH = 41
"""Points of an expansion path."""

MARGIN = 1.15
"""Isoquants reach this factor beyond the shares that were played."""

NONE_HELD = "none"
"""In the column ``controls``: no rivals' share is held constant by the fit."""

SIGNIFICANT = 0.05
"""p below which the findings call a form rejected."""

TICKS = {"cognition": (1.0, 3.0), "muscle": (1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 8.0)}
"""Leading digits of the ticks of each axis."""

ROOM = 1.04
"""Factor by which the axes reach beyond what is drawn."""

LABEL_GAP = 0.055
"""Least distance between the labels of two isoquants (part of the axis)."""

HEAD, PANEL, FOOT = 0.62, 2.55, 0.5
ACROSS = 3
"""Panels in a row of the figure."""


class _Data(NamedTuple):
    """The focal civilization's games of one stratum, all inputs and output above 0."""

    games: pd.DataFrame
    inputs: F64  # [n, 2] shares of spending
    controls: F64 | None  # [n, m] logs of the rivals' mean shares, where they vary
    held: tuple[str, ...]  # names of the columns of ``controls``
    dropped: int  # games left out because the civilization's own output or a share is not above 0
    rival_dropped: int  # games left out because a rivals' share that others have is 0 or unknown


def _gather(results: Results, stratum: Stratum) -> _Data:
    civs = shares_of(results, stratum.runs)
    names = [f"rival_{name}" for name in SHARES]
    rivals = civs[~civs["is_focal"]].groupby("run_id")[list(SHARES)].mean().add_prefix("rival_")
    games = civs[civs["is_focal"]].merge(rivals, left_on="run_id", right_index=True, how="left")
    good = (games[[OUTPUT, *SHARES]] > 0.0).all(axis=1)
    own = games[good]
    # A share that no game has above 0 is held constant as it is; one that some lack has no log in those games alone.
    some = [name for name in names if (own[name] > 0.0).any()]
    kept = own[(own[some] > 0.0).all(axis=1)]
    logs = np.log(kept[some].to_numpy(np.float64))
    moves = np.ptp(logs, axis=0) > _STILL if len(kept) else np.zeros(len(some), bool)
    held = tuple(name for name, varies in zip(some, moves, strict=True) if varies)
    return _Data(
        kept, kept[list(SHARES)].to_numpy(np.float64), logs[:, moves] if held else None, held,
        int((~good).sum()), len(own) - len(kept),
    )  # fmt: skip


def _mix_share(found: CobbDouglas) -> Estimate:
    """Return cognition's share of the two in the cheapest mix, in [0, 1]: at 0 or 1 the mix is at a corner.

    Where returns to scale are not away from 0, nothing is told of it: [0, 1]; nan where they are not above 0.
    """
    inside = [float(np.clip(end, 0.0, 1.0)) for end in found.share]
    ends = inside[1:] if float(found.scale.low) > 0.0 else [0.0, 1.0]
    value = inside[0] if float(found.scale.value) > 0.0 else np.nan
    return Estimate(*(np.asarray(end) for end in (value, *ends)))


def _elasticity_columns(found: CobbDouglas | Translog | Ces) -> dict[str, Any]:
    row: dict[str, Any] = {}
    for index, name in enumerate(SHARES):
        row |= flat_columns(f"elasticity_{name}", Estimate(*(part[index] for part in found.elasticities)))
    return row | flat_columns("scale", found.scale) | {"scale_p": found.scale_p, "worlds": found.clusters}


def _functions(data: _Data, within: bool, level: float) -> tuple[list[dict[str, Any]], CobbDouglas | Ces]:
    """Return one row a function, and the one whose isoquants are drawn: the CES where it is identified."""
    arguments = (data.games[OUTPUT].to_numpy(np.float64), data.inputs, data.games[list(CLUSTER)].to_numpy())
    plain = fit_cobb_douglas(*arguments, controls=data.controls, within=within, level=level)
    rows = [
        {"function": "Cobb–Douglas", "fit": plain.fit, **_elasticity_columns(plain)}
        | flat_columns("cognition_share", _mix_share(plain))
    ]
    try:
        bent = fit_translog(*arguments, controls=data.controls, within=within, level=level)
        rows.append(
            {"function": "translog", "fit": bent.fit, "form_p": bent.cobb_douglas_p, **_elasticity_columns(bent)}
        )
    except ResultsError as error:
        rows.append({"function": "translog", "problem": str(error)})
    ces = fit_ces(*arguments, controls=data.controls, within=within, level=level)
    rows.append(
        {"function": "CES", "form_p": ces.cobb_douglas_p, "identified": ces.identified, **_elasticity_columns(ces)}
        | flat_columns("cognition_share", ces.share)
        | flat_columns("sigma", ces.sigma)
    )
    return rows, ces if ces.identified else plain


def _curves(found: CobbDouglas | Ces, inputs: F64) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the isoquants at percentiles of fitted output, and the expansion path across the games' outputs."""
    low, high = inputs.min(0) / MARGIN, inputs.max(0) * MARGIN
    first = np.geomspace(low[0], high[0], GRID)
    if isinstance(found, Ces):
        ratios, across = _spread(ces_ratio(found, inputs))
        lines, path = ces_isoquants(found, ratios, first), ces_path(found, across)
    else:
        values = found.elasticities.value
        ratios, across = _spread(cobb_douglas_ratio(values, found.centre, inputs))
        lines = cobb_douglas_isoquants(values, found.centre, ratios, first)
        path = cobb_douglas_path(values, found.centre, across)
    names = {"first": SHARES[0], "second": SHARES[1], "ratio": "output_ratio"}
    inside = lines["second"].between(low[1], high[1])
    return lines[inside].rename(columns=names), path.rename(columns=names)


def _spread(made: F64) -> tuple[list[float], list[float]]:
    """Return the outputs of the isoquants and those along the path, of the games' fitted outputs."""
    return np.percentile(made, LEVELS).tolist(), np.geomspace(made.min(), made.max(), PATH).tolist()


def _refuses(results: Results) -> str | None:
    if (refused := no_spending(results)) is not None:
        return refused
    civs = shares_of(results)
    if not consumption_varies(civs):
        return "muscle is what the focal's cognition leaves in this design; vary its consumption too"
    shares = civs.loc[civs["is_focal"], list(SHARES)]
    logs = np.log(shares.where(shares > 0.0)).dropna().round(6).drop_duplicates()
    if len(logs) < FEWEST_POINTS:
        return (
            f"{len(logs)} distinct pairs of shares are fewer than {FEWEST_POINTS}; vary the focal's cognition and "
            "consumption apart, above 0"
        )
    if np.linalg.matrix_rank((logs - logs.mean()).to_numpy(), tol=1e-4) < len(SHARES):
        return "cognition and muscle do not vary apart; vary the focal's consumption too"
    return None


def _tables(results: Results, resampling: Resampling) -> dict[str, pd.DataFrame]:
    rows: list[dict[str, Any]] = []
    lines, paths, points = [], [], []
    within = bool(results.study.get("paired", True))
    for stratum in policy_strata(results):
        data = _gather(results, stratum)
        about = {"games": len(data.games), "dropped": data.dropped, "rival_dropped": data.rival_dropped,
                 "controls": ", ".join(data.held) or NONE_HELD, "within_worlds": within,
                 "assigned": are_assigned(data.games, SHARES)}  # fmt: skip
        try:
            found, drawn = _functions(data, within, resampling.level)
        except ResultsError as error:
            rows.append({"stratum": stratum.label, "function": "Cobb–Douglas", "problem": str(error), **about})
            continue
        rows += [{"stratum": stratum.label, "problem": "", **row, **about} for row in found]
        isoquants, path = _curves(drawn, data.inputs)
        name = {"stratum": stratum.label, "function": "CES" if isinstance(drawn, Ces) else "Cobb–Douglas"}
        lines.append(isoquants.assign(**name))
        paths.append(path.assign(**name))
        mean = data.games.groupby("point")[[*SHARES, OUTPUT]].mean()
        points.append(mean.reset_index().assign(stratum=stratum.label))
    if not lines:
        raise ResultsError(f"no production function can be estimated: {rows[0]['problem']}")
    tables = {"isoquants": lines, "path": paths, "points": points}
    return {"": pd.DataFrame(rows), **{key: pd.concat(parts, ignore_index=True) for key, parts in tables.items()}}


def _draw_panel(axes: Axes, tables: Tables, stratum: str) -> None:
    """Draw one stratum: isoquants with their output, the expansion path, and the design's points."""
    from matplotlib.ticker import LogLocator, NullFormatter, NullLocator

    points, path, lines = (select(tables[name], {"stratum": stratum}) for name in ("points", "path", "isoquants"))
    axes.plot(
        PERCENT * points[SHARES[0]], PERCENT * points[SHARES[1]], MARKERS[0], color=MUTED, markersize=1.8,
        markeredgewidth=0, alpha=0.6, zorder=1,
    )  # fmt: skip
    ends = []
    for ratio, line in lines.groupby("output_ratio"):
        x, y = PERCENT * line[SHARES[0]].to_numpy(), PERCENT * line[SHARES[1]].to_numpy()
        axes.plot(x, y, color=COLOURS[0], linewidth=1.1, zorder=3)
        ends.append((float(ratio), x[-1], y[-1]))
    if len(path):
        axes.plot(PERCENT * path[SHARES[0]], PERCENT * path[SHARES[1]], "--", color=COLOURS[1], linewidth=1.3, zorder=4)
    axes.set_xscale("log")
    axes.set_yscale("log")
    for axis, name in ((axes.xaxis, SHARES[0]), (axes.yaxis, SHARES[1])):
        axis.set_major_locator(LogLocator(subs=TICKS[name]))
        axis.set_major_formatter("{x:g}")
        axis.set_minor_formatter(NullFormatter())
        axis.set_minor_locator(NullLocator())
    spread = pd.concat([points[list(SHARES)], lines[list(SHARES)]])
    axes.set_xlim(PERCENT * spread[SHARES[0]].min() / ROOM, PERCENT * spread[SHARES[0]].max() * ROOM)
    axes.set_ylim(PERCENT * spread[SHARES[1]].min() / ROOM, PERCENT * spread[SHARES[1]].max() * ROOM)
    axes.set_title(stratum)
    _label_ends(axes, ends)


def _label_ends(axes: Axes, ends: Sequence[tuple[float, float, float]]) -> None:
    """Write the output of each isoquant beside its right end, labels pushed apart."""
    low, high = np.log(axes.get_ylim())
    places = spread_labels([float(np.log(y)) for _, _, y in ends], LABEL_GAP * (high - low))
    for (ratio, x, y), place in zip(ends, places, strict=True):
        axes.annotate(
            f"×{ratio:.2f}", (x, y), xytext=(x * ROOM, float(np.exp(place))), color=COLOURS[0], fontsize=NOTE_SIZE,
            va="center", annotation_clip=False,
        )  # fmt: skip


def _draw(tables: Tables, notes: Sequence[str]) -> Figure:
    strata = list(dict.fromkeys(tables["points"]["stratum"]))
    across = min(len(strata), ACROSS)
    down = -(-len(strata) // ACROSS)
    small = wrap_note([*notes, _NOTE])
    foot = NOTE_LINE * len(small) + FOOT
    height = HEAD + PANEL * down + foot
    figure = new_figure(height)
    box = {"left": 0.085, "right": 0.93, "top": 1 - (HEAD + 0.1) / height, "bottom": foot / height}
    panels = figure.subplots(down, across, squeeze=False, gridspec_kw={**box, "wspace": 0.3, "hspace": 0.32})
    for index, axes in enumerate(panels.flat):
        if index >= len(strata):
            axes.set_visible(False)
            continue
        _draw_panel(axes, tables, strata[index])
        if index % across == 0:
            axes.set_ylabel("Muscle (% of spending)")
        if index + across >= len(strata):
            axes.set_xlabel("Cognition (% of spending)")
    add_title(figure, "What output is made of", "Shares of cognition and muscle that make the same output in the game")
    add_note(figure, small)
    return figure


_STILL = 1e-9
_NOTE = (
    "Lines: isoquants, labelled with output against the geometric mean (CES where the elasticity of substitution is "
    "identified, otherwise Cobb–Douglas). Dashed: cheapest mix of the two, both at the price of output. Dots: the "
    "design's points, which intervals take as they are: they are over worlds."
)


def _elasticity(row: pd.Series, name: str) -> str:
    words = estimate_words(row, f"elasticity_{name}")
    if row[f"elasticity_{name}_low"] > 0.0:
        return f"1 % more {name} raises output by {words} %"
    if row[f"elasticity_{name}_high"] < 0.0:
        return f"1 % more {name} changes output by {words} %: it lowers it"
    return f"an effect of {name} on output cannot be told from none, {words} % for 1 % more"


def _scale(row: pd.Series) -> str:
    words = f"{estimate_words(row, 'scale')}, p of constant returns {row['scale_p']:.2g}"
    if row["scale_low"] > 1.0:
        return f"returns to scale are increasing ({words})"
    if row["scale_high"] < 1.0:
        return f"returns to scale are decreasing ({words})"
    return f"returns to scale cannot be told from constant ({words})"


def _mix(row: pd.Series) -> str:
    """Return the cheapest mix as far as the intervals tell it."""
    useless = [name for name in SHARES if row[f"elasticity_{name}_high"] <= 0.0]
    if len(useless) == len(SHARES):
        return "neither input raises output, so there is no cheapest mix"
    if useless:
        return f"{useless[0]} does not raise output, so the cheapest mix has none of it"
    words = f"cognition {estimate_words(row, 'cognition_share', 0, PERCENT)} % of the two"
    untold = [name for name in SHARES if row[f"elasticity_{name}"] <= 0.0]
    if untold:
        return f"the cheapest mix is not told, since {untold[0]} cannot be told to raise output ({words})"
    told = row["cognition_share_low"] > 0.0 or row["cognition_share_high"] < 1.0
    return f"the cheapest mix gives {words}" if told else f"the cheapest mix is not told ({words})"


def _on_rivals(table: pd.DataFrame) -> list[str]:
    """Return what a reader must know of the rivals: games left out for their sake, and strata without controls."""
    said, each = [], table.drop_duplicates("stratum")
    lost = each[each["rival_dropped"] > 0]
    if len(lost):
        counts = "; ".join(f"{row['stratum']}: {row['rival_dropped']}" for _, row in lost.iterrows())
        said.append(f"Games left out because a share of the rivals is 0 or unknown, which has no log: {counts}.")
    bare = each.loc[each["controls"] == NONE_HELD, "stratum"]
    if len(bare):
        said.append(f"No share of the rivals is held constant, as none varies above 0: {', '.join(bare)}.")
    return said


def _substitution(row: pd.Series) -> str:
    """Return what the CES function says of substitution."""
    if not row["identified"]:
        return "the elasticity of substitution is not identified: an elasticity is not away from 0"
    words = f"elasticity of substitution {estimate_words(row, 'sigma')}"
    if row["sigma_high"] < 1.0:
        return f"cognition and muscle need each other ({words})"
    if row["sigma_low"] > 1.0:
        return f"cognition and muscle stand in for each other ({words})"
    return f"substitution cannot be told from Cobb–Douglas's ({words})"


def _form(row: pd.Series) -> str:
    verb = "is rejected" if row["form_p"] < SIGNIFICANT else "is not rejected"
    return f"Cobb–Douglas {verb} against the translog (p = {row['form_p']:.2g})"


def _read(tables: Tables) -> list[str]:
    table, said = tables[""], []
    for stratum, rows in table.groupby("stratum", sort=False):
        by_name = rows.set_index("function")
        plain = by_name.loc["Cobb–Douglas"]
        if plain["problem"]:
            said.append(f"{stratum}: not estimated ({plain['problem']}).")
            continue
        each = "; ".join(_elasticity(plain, name) for name in SHARES)
        said.append(f"{stratum}: {each} ({plain['games']} games, {plain['worlds']:.0f} worlds).")
        said.append(f"{stratum}: {_scale(plain)}; {_mix(plain)}.")
        bent = by_name.loc["translog"]
        form = f"translog not estimated ({bent['problem']})" if bent["problem"] else _form(bent)
        said.append(f"{stratum}: {form}; {_substitution(by_name.loc['CES'])}.")
    return [*said, *cautions(table), *_on_rivals(table)]


KIND = Kind(
    name="production",
    title="What output is made of",
    question="How does output depend on what is spent on cognition and on muscle, and how well do they substitute?",
    method=(
        "Cobb–Douglas, translog and normalised CES (Klump, McAdam and Willman 2012) in logs of the focal's shares, "
        "rivals' held constant where they vary, worlds compared with themselves where common, errors by world."
    ),
    refuses=_refuses,
    tables=_tables,
    draw=_draw,
    read=_read,
)
