"""Write ``docs/returns.md``'s tables and figures from the results of the returns study.

    civsim batch returns --out out/returns
    python -m civsim.analysis.returns_report out/returns docs

The prose in the page is written by people; every block between ``<!-- generated: NAME -->`` and ``<!-- end -->``
is replaced by this program, and no number stands outside such a block.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from civsim.analysis.panel import OK, select
from civsim.analysis.returns import (
    CONTRASTS,
    COUNTS,
    HIGH,
    SWEEPS,
    ReturnsTables,
    returns_tables,
)
from civsim.analysis.returns_figures import draw_closing, draw_controls, draw_levels
from civsim.analysis.statistics.resample import DRAWS, LEVEL, SEED
from civsim.analysis.study import StudyFacts, read_facts
from civsim.analysis.style import save_figures
from civsim.base.errors import CivsimError, ResultsError
from civsim.base.files import write_text

if TYPE_CHECKING:
    from matplotlib.figure import Figure

PAGE = "returns.md"
FIGURES = "figures"
_BLOCK = re.compile(r"(<!-- generated: ([a-z-]+) -->\n).*?(<!-- end -->)", re.DOTALL)
EXIT_INPUT = 2


def gain(value: float, low: float, high: float, digits: int = 1) -> str:
    """Return ``value [low, high]`` for a table, as printed; bold where the printed interval leaves out 0."""
    rounded = [round(float(number), digits) + 0.0 for number in (value, low, high)]
    if not any(rounded):
        return "0"
    first, *limits = (f"{number:+.{digits}f}".replace("-", "−") if number else "0" for number in rounded)
    text = f"{first} [{', '.join(limits)}]"
    return f"**{text}**" if rounded[1] > 0.0 or rounded[2] < 0.0 else text


def markdown_table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a Markdown table; the first column is left-aligned, the others right-aligned."""
    lines = [
        "| " + " | ".join(header) + " |",
        "|" + "|".join(["---"] + ["---:"] * (len(header) - 1)) + "|",
        *("| " + " | ".join(row) + " |" for row in rows),
    ]
    return "\n".join(lines)


def _contexts(table: pd.DataFrame) -> list[str]:
    return list(dict.fromkeys(table["context"]))


def levels_block(tables: ReturnsTables) -> str:
    """Return one table a sweep: gain over its lowest level, a row a level, a column a context."""
    contexts = _contexts(tables.levels)
    parts = []
    for sweep in SWEEPS:
        rows = []
        table = select(tables.levels, {"channel": sweep.channel, "held": sweep.held})
        for level in dict.fromkeys(table["level"]):
            cells = [select(table, {"context": context, "level": level}).iloc[0] for context in contexts]
            rows.append([str(level), *(gain(cell["gain"], cell["low"], cell["high"]) for cell in cells)])
        parts.append(f"{sweep.channel.capitalize()}, with {sweep.held}:\n")
        parts.append(markdown_table([sweep.channel, *contexts], rows) + "\n")
    return "\n".join(parts)


def marginal_block(tables: ReturnsTables) -> str:
    """Return one table a sweep: gain per level between neighbouring levels."""
    contexts = _contexts(tables.marginal)
    parts = []
    for sweep in SWEEPS:
        rows = []
        table = select(tables.marginal, {"channel": sweep.channel, "held": sweep.held})
        steps = list(dict.fromkeys(zip(table["level_from"], table["level_to"], strict=True)))
        for start, stop in steps:
            where = {"level_from": start, "level_to": stop}
            cells = [select(table, {"context": context, **where}).iloc[0] for context in contexts]
            rows.append(
                [f"{start} → {stop}", *(gain(cell["per_level"], cell["low"], cell["high"], 2) for cell in cells)]
            )
        parts.append(f"{sweep.channel.capitalize()}, per level, with {sweep.held}:\n")
        parts.append(markdown_table(["step", *contexts], rows) + "\n")
    return "\n".join(parts)


def controls_block(tables: ReturnsTables) -> str:
    """Return the controls: gain over the rule of thumb, then over the far-sighted constant."""
    contexts = _contexts(tables.controls)
    parts = []
    for suffix, title in (
        ("", "Over the rule of thumb (h = 0):"),
        ("_over_constant", "Over the far-sighted constant:"),
    ):
        rows = []
        for control in dict.fromkeys(tables.controls["control"]):
            cells = [select(tables.controls, {"control": control, "context": context}).iloc[0] for context in contexts]
            rows.append([control, *(gain(c[f"gain{suffix}"], c[f"low{suffix}"], c[f"high{suffix}"]) for c in cells)])
        parts += [f"{title}\n", markdown_table(["arm", *contexts], rows) + "\n"]
    return "\n".join(parts)


def orders_block(tables: ReturnsTables) -> str:
    """Return how many more orders of each kind, cells and losses the high level brings, by channel."""
    contexts = _contexts(tables.orders)
    parts = []
    for channel, (low_arm, high_arm) in CONTRASTS.items():
        rows = []
        for count in COUNTS:
            where = {"channel": channel, "count": count}
            cells = [select(tables.orders, {"context": context, **where}).iloc[0] for context in contexts]
            rows.append(
                [
                    count.replace("_", " "),
                    *(gain(c["change"], c["low"], c["high"]) + f" of {c['at_low']:.1f}" for c in cells),
                ]
            )
        parts.append(f"{channel.capitalize()} {low_arm[channel]} → {high_arm[channel]}, change of each count a game:\n")
        parts.append(markdown_table(["count", *contexts], rows) + "\n")
    return "\n".join(parts)


def closing_block(tables: ReturnsTables) -> str:
    """Return each channel's return with everything open, with each kind closed, and what the closing takes away."""
    contexts = _contexts(tables.closing)
    parts = []
    for channel, (low_arm, high_arm) in CONTRASTS.items():
        table = select(tables.closing, {"channel": channel})
        kinds = list(dict.fromkeys(table["kind"]))
        rows = [["everything open", *_closing_cells(table, contexts, kinds[0], "return_open")]]
        rows += [[f"no {kind}", *_closing_cells(table, contexts, kind, "return_closed")] for kind in kinds]
        rows += [[f"taken by closing {kind}", *_closing_cells(table, contexts, kind, "carried")] for kind in kinds]
        parts.append(f"{channel.capitalize()} {low_arm[channel]} → {high_arm[channel]}:\n")
        parts.append(markdown_table(["return with", *contexts], rows) + "\n")
    return "\n".join(parts)


def _closing_cells(table: pd.DataFrame, contexts: Sequence[str], kind: str, name: str) -> list[str]:
    rows = [select(table, {"context": context, "kind": kind}).iloc[0] for context in contexts]
    return [gain(row[name], row[f"{name}_low"], row[f"{name}_high"]) for row in rows]


def design_block(facts: StudyFacts, failed: int, correlation: tuple[float, float]) -> str:
    """Return what the numbers rest on."""
    held = ", ".join(f"{name} {level}" for name, level in HIGH.items())
    lines = [
        *facts.lines,
        f"Channels that are not varied are held at {held} unless a table says otherwise. Failed games: {failed}.",
        f"Intervals: {LEVEL:.0%}, percentile stretched for how few the worlds are, {DRAWS:,} resamples of whole worlds "
        f"(resampling seed {SEED}); bold where "
        "0 is outside. They are not corrected for how many there are.",
        f"Realised correlation between an arm and its reference, over worlds: {correlation[0]:.2f} to "
        f"{correlation[1]:.2f} (median of each sweep).",
        "Units: percent by which c₀ + consumption would have to rise in every turn to be worth as much as the gain in "
        "discounted log welfare.",
    ]
    commands = "\n".join(facts.command.splitlines())
    return "\n".join(f"- {line}" for line in lines) + f"\n\n```sh\n{commands}\n```\n"


def fill_blocks(page: str, blocks: Mapping[str, str]) -> str:
    """Return ``page`` with every generated block replaced.

    Raises:
        ResultsError: the page has a block nobody makes, or lacks one.
    """
    found = [match.group(2) for match in _BLOCK.finditer(page)]
    for name in [*found, *blocks]:
        if name not in blocks or name not in found:
            raise ResultsError(
                f"block {name!r} is not both in the page and made; keep its markers, or drop it from both"
            )
    return _BLOCK.sub(lambda match: f"{match.group(1)}{blocks[match.group(2)].rstrip()}\n{match.group(3)}", page)


def write_report(results_dir: str | Path, docs_dir: str | Path, *, draws: int = DRAWS, seed: int = SEED) -> list[Path]:
    """Fill the tables of ``docs_dir``/returns.md and write its figures under ``docs_dir``/figures; return the paths.

    Raises:
        ResultsError: the results or the page cannot be used.
    """
    from civsim.scenarios import read_runs

    docs = Path(docs_dir)
    page = docs / PAGE
    if not page.is_file():
        raise ResultsError(f"{str(page)!r} is not there; give the folder that holds {PAGE}")
    runs = read_runs(Path(results_dir), failed=True)
    command = f"python -m civsim.analysis.returns_report {results_dir} {docs_dir}"
    facts = read_facts(results_dir, plot=command)
    tables = returns_tables(runs, facts.lengths, draws=draws, seed=seed)
    sweep = ["context", "channel", "held"]
    # The lowest level is the reference itself, whose correlation with itself says nothing.
    arms = tables.levels[tables.levels["level"] > tables.levels.groupby(sweep)["level"].transform("min")]
    medians = arms.groupby(sweep)["correlation"].median()
    blocks = {
        "design": design_block(facts, int((runs["status"] != OK).sum()), (float(medians.min()), float(medians.max()))),
        "levels": levels_block(tables),
        "marginal": marginal_block(tables),
        "controls": controls_block(tables),
        "orders": orders_block(tables),
        "closing": closing_block(tables),
    }
    text = fill_blocks(page.read_text(encoding="utf-8"), blocks)
    notes = [*facts.lines, f"Bands and bars: {LEVEL:.0%} intervals, {draws:,} resamples of whole worlds."]
    figures: Sequence[tuple[str, Callable[[ReturnsTables, Sequence[str]], Figure], pd.DataFrame]] = (
        ("returns-levels", draw_levels, tables.levels),
        ("returns-controls", draw_controls, tables.controls),
        ("returns-closing", draw_closing, tables.closing),
    )
    paths = []
    for stem, draw, table in figures:
        paths += save_figures(partial(draw, tables, notes), docs / FIGURES, stem, {"": table}, facts.command)
    write_text(page, text)
    return [page, *paths]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the program: results folder, docs folder. Returns the exit code, 2 for input that cannot be used."""
    parser = argparse.ArgumentParser(
        prog="python -m civsim.analysis.returns_report", description=__doc__.splitlines()[0]
    )
    parser.add_argument("results", type=Path, help="folder that `civsim batch returns` wrote")
    parser.add_argument("docs", type=Path, help="folder that holds returns.md")
    given = parser.parse_args(arguments)
    try:
        paths = write_report(given.results, given.docs)
    except CivsimError as error:
        sys.stderr.write(f"civsim: error: {error}\n")
        return EXIT_INPUT
    sys.stdout.write("".join(f"{path}\n" for path in paths))
    return 0


if __name__ == "__main__":
    sys.exit(main())
