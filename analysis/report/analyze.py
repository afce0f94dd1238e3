"""Every kind of analysis that a results folder supports, made in one go; what is not made, and why, is kept too."""

from __future__ import annotations

import json
import shlex
import time
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import pandas as pd

from civsim.analysis.kinds import find_kind, kinds
from civsim.analysis.kinds.kind import SKIPPED, Kind
from civsim.analysis.results import Resampling, Results, open_results
from civsim.analysis.style import save_figures
from civsim.base.errors import CivsimError, ResultsError
from civsim.base.files import write_text

if TYPE_CHECKING:
    from matplotlib.figure import Figure

FOLDER = "analysis"
"""Folder inside the results folder that figures and tables go to unless told otherwise."""

SUMMARY = "analysis.json"
Status = Literal["done", "refused", "failed"]
_SECONDS_DIGITS = 3


class Outcome(NamedTuple):
    """What became of one kind of analysis of one results folder."""

    kind: Kind
    status: Status  # refused: the design does not support it; failed: it does, and yet there is no estimate
    reason: str  # why there is none, one line; empty where it is done
    tables: Mapping[str, pd.DataFrame]
    findings: tuple[str, ...]  # sentences, each with an estimate and its interval
    notes: tuple[str, ...]  # paragraphs of the figure's small print
    seconds: float  # wall time
    files: tuple[Path, ...] = ()  # what was written, the PNG first

    def draw(self) -> Figure:
        """Return the figure, drawn in the active theme; call it inside ``house_style``."""
        return self.kind.draw(self.tables, self.notes)


def figure_notes(kind: Kind, results: Results, resampling: Resampling) -> tuple[str, ...]:
    """Return the small print of a kind's figure: the games, the method, the intervals."""
    return (
        *results.facts.lines,
        kind.method,
        f"Intervals: {resampling.level:.0%}, {resampling.draws:,} resamples of whole worlds (resampling seed "
        f"{resampling.seed}).",
    )


def examine(kind: Kind, results: Results, resampling: Resampling | None = None) -> Outcome:
    """Return one kind's tables and findings, or why there are none; nothing is drawn or written.

    Only errors that data or a design can cause become an outcome; a fault of the program propagates.
    """
    chosen = Resampling() if resampling is None else resampling
    start = time.perf_counter()

    def outcome(status: Status, reason: str, tables: Any = None, findings: Sequence[str] = ()) -> Outcome:
        notes = figure_notes(kind, results, chosen)
        return Outcome(
            kind, status, reason, tables or {}, tuple(findings), notes, time.perf_counter() - start
        )  # fmt: skip

    try:
        refusal = kind.refuses(results)
        if refusal is not None:
            return outcome("refused", refusal)
        tables = kind.tables(results, chosen)
        return outcome("done", "", tables, [*kind.read(tables), *_skipped(tables)])
    except CivsimError as error:
        return outcome("failed", str(error))


def _skipped(tables: Mapping[str, pd.DataFrame]) -> list[str]:
    """Return a sentence for each part of the study that has no estimate."""
    table = tables.get(SKIPPED)
    rows = [] if table is None else table.to_dict("records")
    return [f"{row['stratum']}: no estimate, {row['reason']}." for row in rows]


def save_outcome(outcome: Outcome, folder: str | Path, command: str) -> Outcome:
    """Write the figure, tables and command of a kind that is done; return the outcome with its files.

    A kind whose tables cannot be drawn becomes one that failed; then nothing of it is written.

    Raises:
        CivsimError: the folder cannot be written.
    """
    if outcome.status != "done":
        return outcome
    try:
        files = save_figures(outcome.draw, folder, outcome.kind.name, outcome.tables, command)
    except ResultsError as error:
        return outcome._replace(status="failed", reason=str(error), findings=())
    return outcome._replace(files=tuple(files))


def check_folder(folder: Path) -> None:
    """Raise ResultsError if ``folder``, which figures are to be written to, is a file."""
    if folder.exists() and not folder.is_dir():
        raise ResultsError(f"{str(folder)!r} is a file; give a folder for the figures")


def analyze(
    folder: str | Path,
    out: str | Path | None = None,
    chosen: Sequence[Kind] | None = None,
    *,
    resampling: Resampling | None = None,
) -> list[Outcome]:
    """Make every kind of analysis that a results folder supports; write figures, tables and ``analysis.json``.

    Args:
        folder: what a batch or a study wrote.
        out: folder for the files; ``folder``/analysis if left out.
        chosen: kinds to make; all of them if left out. ``analysis.json`` then holds these alone.
        resampling: how intervals are made; the house's if left out.

    Returns:
        One outcome a kind, in the order of a report; a kind that refuses the design or fails on the data is among
        them, with the reason, and does not stop the others.

    Raises:
        ResultsError: the results cannot be read, or ``out`` is a file.
    """
    target = Path(folder) / FOLDER if out is None else Path(out)
    check_folder(target)
    flags = [] if out is None else ["--out", str(out)]
    results = open_results(folder, plot=shlex.join(["civsim", "analyze", str(folder), *flags]))
    settings = Resampling() if resampling is None else resampling
    outcomes = []
    for kind in kinds() if chosen is None else chosen:
        plot = shlex.join(["civsim", "plot", kind.name, str(folder), "--out", str(target)])
        outcomes.append(save_outcome(examine(kind, results, settings), target, _command(results, plot)))
    target.mkdir(parents=True, exist_ok=True)
    write_text(target / SUMMARY, _summary(results, outcomes, settings))
    return outcomes


def plot(name: str, folder: str | Path, out: str | Path | None = None) -> list[Path]:
    """Make one kind of analysis and write its figure, tables and command into ``out`` (``folder`` if left out).

    Raises:
        ResultsError: no kind has this name, the results cannot be read, or they do not support it.
    """
    kind = find_kind(name)
    target = Path(folder) if out is None else Path(out)
    flags = [] if out is None else ["--out", str(out)]
    results = open_results(folder, plot=shlex.join(["civsim", "plot", name, str(folder), *flags]))
    check_folder(target)
    outcome = save_outcome(examine(kind, results), target, results.facts.command)
    if outcome.status != "done":
        raise ResultsError(f"{name}: {outcome.reason}")
    return list(outcome.files)


def _command(results: Results, plot: str) -> str:
    """Return the commands that make one figure: the batch, then its plot."""
    return "\n".join([*results.facts.command.splitlines()[:-1], plot])


def _summary(results: Results, outcomes: Sequence[Outcome], resampling: Resampling) -> str:
    table = {
        "format": "civsim-analysis",
        "civsim": version("civsim"),
        "study": results.study["name"],
        "hash": results.manifest["hash"],
        "resampling": {**resampling._asdict(), "units": "worlds"},
        "kinds": {
            outcome.kind.name: {
                "status": outcome.status,
                "reason": outcome.reason,
                "findings": list(outcome.findings),
                "files": [path.name for path in outcome.files],
                "seconds": round(outcome.seconds, _SECONDS_DIGITS),
            }
            for outcome in outcomes
        },
    }
    return json.dumps(table, indent=2, ensure_ascii=False) + "\n"
