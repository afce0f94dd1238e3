"""A kind of analysis small enough to be checked by hand, and others that refuse or fail."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import pandas as pd

from civsim.analysis.kinds.kind import Kind, Tables
from civsim.analysis.results import Resampling, Results
from civsim.analysis.statistics.resample import bootstrap_means, bootstrap_weights, widened_interval
from civsim.analysis.style import COLOURS, FACE, INK, MUTED, add_note, add_title, new_figure, wrap_note, zero_line
from civsim.base.errors import ResultsError

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SPITEFUL = '<script>alert("x")</script> & Söhne'
"""A text that must be escaped wherever it is shown."""


def refuses(results: Results) -> str | None:
    return None if results.factors else "the study varies nothing; add a factor"


def tables(results: Results, resampling: Resampling) -> dict[str, pd.DataFrame]:
    good = results.runs[results.runs["status"] == "ok"]
    means = good.groupby(["seed", "world_id"])["welfare"].mean().to_numpy(float)
    draws = bootstrap_means(means, bootstrap_weights(len(means), resampling.draws, resampling.seed))
    low, high = widened_interval(means.mean(), draws, len(means), resampling.level)
    row = {"context": SPITEFUL, "value": float(means.mean()), "low": float(low), "high": float(high), "flat": False}
    return {"": pd.DataFrame([row]), "worlds": pd.DataFrame({"world": range(len(means)), "welfare": means})}


def draw(made: Tables, notes: Sequence[str]) -> Figure:
    figure = new_figure(3.0)
    axes = figure.add_axes((0.1, 0.4, 0.8, 0.4))
    zero_line(axes)
    axes.plot(made["worlds"]["world"], made["worlds"]["welfare"], "o-", color=COLOURS[6], markerfacecolor=FACE)
    axes.text(0.0, 0.0, "here", color=INK)
    axes.text(0.0, 0.5, "there", color=MUTED)
    add_title(figure, "Tiny", "A mean")
    add_note(figure, wrap_note(notes)[:4])
    return figure


def read(made: Tables) -> list[str]:
    row = made[""].iloc[0]
    return [f"Mean welfare is {row['value']:.2f} [{row['low']:.2f}, {row['high']:.2f}] in {row['context']}."]


def fails(results: Results, resampling: Resampling) -> dict[str, pd.DataFrame]:
    raise ResultsError("worlds=1 is too few to resample; at least 2 are needed")


def breaks(results: Results, resampling: Resampling) -> dict[str, pd.DataFrame]:
    raise KeyError("a fault of the program")


TINY = Kind("tiny", "How well it went", "How high is welfare?", "The mean over worlds.", refuses, tables, draw, read)
REFUSING = TINY._replace(name="refusing", title="Never made", refuses=lambda results: "needs a moon; add one")
FAILING = TINY._replace(name="failing", title="Always fails", tables=fails)
BROKEN = TINY._replace(name="broken", tables=breaks)
