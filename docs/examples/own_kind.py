"""A kind of analysis of one's own: the course of output a cell, by level of the first factor.

civsim batch own_parts.toml --out out/own
civsim plot own_kind.py:KIND out/own
"""

from civsim.analysis.kinds.kind import Kind
from civsim.analysis.statistics.worlds import world_mean
from civsim.analysis.style import COLOURS, add_note, add_title, new_figure, wrap_note
from civsim.base.errors import ResultsError

METRIC = "per_cell"


def refuses(results):
    """Return None if the study can be read, else what it lacks, in one line."""
    if METRIC not in results.study.get("metrics", {}):
        return f"the study has no metric called {METRIC}; add [metrics.{METRIC}]"
    if results.study["series"] == "none":
        return "the study kept no turns; set series = 'focal'"
    return None if results.factors else "the study varies nothing; add a factor"


def tables(results, resampling):
    """Return a row a level and turn: the mean over worlds, with its interval. Only three columns are read."""
    factor = results.factors[0]
    good = results.runs[results.runs["status"] == "ok"].set_index("run_id")
    if good.empty:
        raise ResultsError("no game ended well; look at the errors of the failed rows in the runs table")
    series = results.read_series(["run_id", "turn", "is_focal", METRIC])
    series = series[series["is_focal"]].dropna().assign(level=lambda table: table["run_id"].map(good[factor]))
    rows = []
    for (level, turn), part in series.groupby(["level", "turn"]):
        if len(part) > 1:
            found = world_mean(part[METRIC].to_numpy(), **resampling._asdict())
            ends = {"low": float(found.low), "high": float(found.high)}
            rows.append({"level": level, "turn": turn, "value": float(found.value), **ends, "worlds": len(part)})
    if not rows:
        raise ResultsError("no turn was played in two worlds; play more of them")
    import pandas as pd

    return {"": pd.DataFrame(rows)}


def draw(made, notes):
    """Return the figure; everything it shows is in the tables."""
    small = wrap_note(notes)
    figure = new_figure(4.4)
    axes = figure.add_axes((0.1, 0.36, 0.86, 0.48))
    for number, (level, part) in enumerate(made[""].groupby("level", sort=False)):
        colour = COLOURS[number % len(COLOURS)]
        axes.plot(part["turn"], part["value"], color=colour, label=str(level))
        axes.fill_between(part["turn"], part["low"], part["high"], color=colour, alpha=0.2, linewidth=0)
    axes.set_xlabel("turn")
    axes.set_ylabel("output a cell")
    axes.legend(frameon=False)
    add_title(figure, KIND.title, "Focal civilization, mean over worlds")
    add_note(figure, small)
    return figure


def read(made):
    """Return the findings: sentences, each with an estimate and its interval."""
    last = made[""].sort_values("turn").groupby("level", sort=False).last()
    return [
        f"{level}: {row['value']:.2f} [{row['low']:.2f}, {row['high']:.2f}] output a cell in turn {row['turn']:.0f}."
        for level, row in last.iterrows()
    ]


KIND = Kind(
    name="output-a-cell",
    title="Output a cell in the course of a game",
    question="How does output a cell change over a game, at each level of the first factor?",
    method="Means over worlds, turn by turn; whole worlds are resampled.",
    refuses=refuses,
    tables=tables,
    draw=draw,
    read=read,
)
