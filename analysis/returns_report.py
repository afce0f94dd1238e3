"""Write ``docs/returns.md``'s tables and figures from the results of the returns study.

    civsim batch returns --out out/returns
    python -m civsim.analysis.returns_report out/returns docs

The prose in the page is written by people; every block between ``<!-- generated: NAME -->`` and ``<!-- end -->``
is replaced by this program, and no number stands outside such a block.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from civsim.analysis.pages import FIGURES, fill_blocks, gain, markdown_table, page_program, rules_line
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
from civsim.base.errors import ResultsError
from civsim.base.files import write_text

if TYPE_CHECKING:
    from matplotlib.figure import Figure

PAGE = "returns.md"


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


def write_report(results_dir: str | Path, docs_dir: str | Path, *, draws: int = DRAWS, seed: int = SEED) -> list[Path]:
    """Fill the tables of ``docs_dir``/returns.md and write its figures under ``docs_dir``/figures; return the paths.

    Raises:
        ResultsError: the results or the page cannot be used.
    """
    from civsim.scenarios import read_manifest, read_runs

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
        "rules": rules_line([read_manifest(Path(results_dir))["rules"]]),
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


main = page_program(
    "civsim.analysis.returns_report",
    "Write the tables and figures of docs/returns.md.",
    "folder that `civsim batch returns` wrote",
    PAGE,
    write_report,
)

if __name__ == "__main__":
    sys.exit(main(None))
