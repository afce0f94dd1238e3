"""The verdict table: cases run one after another, and their rows as text, CSV and Markdown."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator, Sequence
from math import isnan
from pathlib import Path
from typing import NamedTuple

from civsim.base.constants import RULES_VERSION
from civsim.base.files import write_text
from civsim.validation.case import Drawing, How, KnownAnswer, Report, Row
from civsim.validation.registry import Configured

HEADER = ("case", "quantity", "parameters", "theory", "simulated", "interval", "verdict")
CSV_HEADER = (
    "case",
    "title",
    "quantity",
    "parameters",
    "relation",
    "theory",
    "simulated",
    "low",
    "high",
    "verdict",
    "note",
)
STEM = "validation"


class Result(NamedTuple):
    """A case that was run."""

    case: KnownAnswer
    rows: tuple[Row, ...]

    @property
    def failed(self) -> int:
        """Rows that failed."""
        return sum(row.passed is False for row in self.rows)


def run_cases(
    configured: Sequence[Configured], *, full: bool, threads: int, begin: Callable[[KnownAnswer], Report]
) -> Iterator[Result]:
    """Run the cases one after another; ``begin`` is told of each and returns what hears of its progress.

    Raises:
        CivsimError: a case cannot be set up with its parameters.
    """
    for case, settings in configured:
        rows = case.run(settings, How(full, threads, begin(case)))
        yield Result(case, tuple(rows))


def number(value: float) -> str:
    """Return a number with five digits that count, or a dash where there is none."""
    return "–" if isnan(value) else f"{value:.5g}"


def cells(case: KnownAnswer, row: Row) -> tuple[str, ...]:
    """Return the cells of a row under :data:`HEADER`."""
    sign = "" if row.relation == "=" or isnan(row.theory) else f"{row.relation} "
    interval = "–" if isnan(row.low) else f"[{number(row.low)}, {number(row.high)}]"
    numbers = (sign + number(row.theory), number(row.simulated), interval)
    return (case.name, row.label, row.parameters, *numbers, row.verdict)


def plain_table(rows: Sequence[Sequence[str]]) -> str:
    """Return a table in columns of text under :data:`HEADER`."""
    table = [HEADER, *rows]
    widths = [max(len(row[k]) for row in table) for k in range(len(HEADER))]
    return "\n".join(
        "  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip() for row in table
    )


def remarks(results: Sequence[Result]) -> list[str]:
    """Return a line for each case: how many rows passed, and the reduced world it uses; and one for each failed row."""
    lines = []
    for case, rows in results:
        judged = sum(row.passed is not None for row in rows)
        passed = sum(row.passed is True for row in rows)
        told = [f"{passed} of {judged} pass"] if judged else []
        told += [f"{len(rows) - judged} reported"] if len(rows) > judged else []
        world = f"; world of its own: {case.own_world}" if case.own_world else ""
        lines.append(f"{case.name} {case.title}: {', '.join(told)}{world}.")
        lines += [f"  FAIL {row.label} ({row.parameters}): {row.note}" for row in rows if row.passed is False]
    return lines


def as_csv(results: Sequence[Result]) -> str:
    """Return every row as CSV, numbers in full; an empty field where there is none."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(CSV_HEADER)
    for case, rows in results:
        for row in rows:
            numbers = (
                "" if isnan(value) else repr(float(value)) for value in (row.theory, row.simulated, row.low, row.high)
            )
            named = (case.name, case.title, row.label, row.parameters, row.relation)
            writer.writerow((*named, *numbers, row.verdict, row.note))
    return out.getvalue()


def as_markdown(results: Sequence[Result], command: str) -> str:
    """Return the verdict table as Markdown, a section a case with its theory and its world."""
    lines = ["# Known answers", "", f"Played under rules version {RULES_VERSION}.", "", f"`{command}`", ""]
    for case, rows in results:
        lines += [f"## {case.name} {case.title}", "", f"Theory: {case.theory}.", ""]
        lines += [f"World: {case.own_world or 'a scenario of the library'}.", ""]
        header = (*HEADER[1:], "judged by")
        lines += [f"| {' | '.join(header)} |", f"|{' --- |' * len(header)}"]
        for row in rows:
            texts = (*cells(case, row)[1:], row.note)
            lines.append(f"| {' | '.join(text.replace('|', chr(92) + '|') for text in texts)} |")
        lines.append("")
    return "\n".join([*lines, *remarks(results)]) + "\n"


def write(results: Sequence[Result], out: Path, command: str, drawings: Sequence[Drawing] = ()) -> list[Path]:
    """Write ``validation.csv``, ``validation.md`` and the figures into a folder; each file whole or not at all."""
    from civsim.analysis.style import save_figures

    out.mkdir(parents=True, exist_ok=True)
    table, text = out / f"{STEM}.csv", out / f"{STEM}.md"
    write_text(table, as_csv(results))
    write_text(text, as_markdown(results, command))
    figures = [save_figures(one.draw, out, one.stem, one.tables, command) for one in drawings]
    return [table, text, *(path for paths in figures for path in paths)]
