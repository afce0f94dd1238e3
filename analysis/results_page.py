"""The page of results: verdicts of every registered study and the headline figures, written from the results alone.

``python -m civsim.analysis.results_page out/studies docs`` fills the generated blocks of ``docs/results.md`` and draws
its figures; every number on the page comes from there. The blocks are ``rules``, ``played``, ``verdicts``,
``by-scenario`` and one for each headline, ``STUDY-KIND``.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from civsim.analysis.hypotheses.judge import changed_since
from civsim.analysis.kinds import find_kind
from civsim.analysis.kinds import verdicts as verdicts_kind
from civsim.analysis.pages import FIGURES, fill_blocks, markdown_table, page_program, rules_line
from civsim.analysis.report.analyze import examine
from civsim.analysis.results import Resampling, Results, open_results
from civsim.analysis.style import save_figures
from civsim.base.errors import ResultsError
from civsim.base.files import write_text
from civsim.scenarios import list_studies, load_study

PAGE = "results.md"
PREFIX = "results-"

HEADLINES = (
    ("shams", "equivalence"),
    ("shuffled", "equivalence"),
    ("shams", "bracket"),
    ("prices", "breakeven"),
    ("optimum", "tradeoff"),
    ("phase", "phase"),
    ("small-information", "dose-response"),
    ("strength", "strength"),
    ("strength", "production"),
    ("concentration", "concentration"),
    ("red-queen", "red-queen"),
    ("magnitude", "magnitude"),
    ("bits", "bits"),
    ("salience", "shapley"),
    ("price-instruments", "instruments"),
    ("sensitivity", "sensitivity"),
    ("discovery", "discovery"),
    ("polities", "stylised"),
)
"""Study and kind of analysis of every headline, in the order of the page."""

MOST_FINDINGS = 12
"""Findings of one headline that the page shows; the others are in the figure's tables."""


class Judged(NamedTuple):
    """Every study's results and what became of its hypotheses."""

    results: dict[str, Results]
    verdicts: pd.DataFrame
    by_scenario: pd.DataFrame


def registered() -> list[str]:
    """Return the names of the library's studies that register hypotheses."""
    return [name for name in list_studies() if load_study(name).hypotheses]


def read_studies(folder: Path, resampling: Resampling) -> Judged:
    """Return the results of every study in ``folder``, judged.

    Raises:
        ResultsError: a registered study of the library is missing, or a hypothesis was changed after its games.
    """
    found = {path.parent.name: open_results(path.parent) for path in sorted(folder.glob("*/manifest.json"))}
    for name in registered():
        if name not in found:
            raise ResultsError(f"{str(folder / name)!r} is not there; run `civsim study {name} --out {folder}`")
        now = {key: item.model_dump() for key, item in load_study(name).hypotheses.items()}
        changed = changed_since(found[name], now)
        if changed:
            what = ", ".join(changed)
            raise ResultsError(f"study {name!r}: {what} changed after the games were begun; play it again elsewhere")
    verdicts, parts = [pd.DataFrame()], [pd.DataFrame()]
    for name, results in found.items():
        if results.study["hypotheses"]:
            made = verdicts_kind.KIND.tables(results, resampling)
            verdicts.append(made[""].assign(study=name))
            parts += [made[key].assign(study=name) for key in made if key]
    return Judged(found, pd.concat(verdicts, ignore_index=True), pd.concat(parts, ignore_index=True))


def _played(judged: Judged) -> str:
    rows, games, failed = [], 0, 0
    for name, results in judged.results.items():
        manifest = results.manifest
        games, failed = games + manifest["games"], failed + results.failed
        rows.append(
            [f"`{name}`", str(len(manifest["points"])), str(manifest["worlds"]["a_point"]), f"{manifest['games']:,}",
             str(results.failed), str(manifest["study"]["seed"])]
        )  # fmt: skip
    rows.append(["all", "", "", f"{games:,}", str(failed), ""])
    return markdown_table(["study", "points", "worlds a point", "games", "failed", "seed"], rows)


def _verdicts(judged: Judged) -> str:
    rows = []
    for _, row in judged.verdicts.iterrows():
        rows.append(
            [f"`{row['study']}`", row["claim"], row["expected"], _ruling(row), verdicts_kind.estimate(row),
             f"{row['p_adjusted']:.2g}", f"{row['margin']:g}", f"{row['worlds']} ({row['worlds_asked']})"]
        )  # fmt: skip
    heads = ["study", "hypothesis", "expected", "verdict", "estimate [95 %]", "p (Holm)", "margin", "worlds (asked)"]
    counts = judged.verdicts["verdict"].value_counts()
    said = ", ".join(f"{count} {name}" for name, count in counts.items())
    return f"{len(judged.verdicts)} hypotheses: {said}.\n\n" + markdown_table(heads, rows)


def _ruling(row: pd.Series) -> str:
    return f"**{row['verdict']}**" + (f", {row['remark']}" if row["remark"] else "")


def _by_scenario(judged: Judged) -> str:
    rows = [
        [f"`{row['study']}`", str(row["name"]).replace("_", " "), row["scenario"], verdicts_kind.estimate(row)]
        for _, row in judged.by_scenario.iterrows()
    ]
    return markdown_table(["study", "hypothesis", "scenario", "estimate [95 %]"], rows)


def _headline(results: Results, kind_name: str, docs: Path, resampling: Resampling, command: str) -> str:
    """Draw one headline and return its block: the figure and what it says."""
    kind = find_kind(kind_name)
    outcome = examine(kind, results, resampling)
    if outcome.status != "done":
        raise ResultsError(f"{results.study['name']}: {kind_name}: {outcome.reason}")
    stem = f"{PREFIX}{results.study['name']}-{kind_name}"
    batch = results.facts.command.splitlines()[0]
    save_figures(outcome.draw, docs / FIGURES, stem, outcome.tables, f"{batch}\n{command}")
    said = [f"- {finding}" for finding in outcome.findings[:MOST_FINDINGS]]
    if len(outcome.findings) > MOST_FINDINGS:
        said.append(f"- … and {len(outcome.findings) - MOST_FINDINGS} more in [the table]({FIGURES}/{stem}.csv).")
    return f"![{kind.title}]({FIGURES}/{stem}.svg)\n\n" + "\n".join(said)


def write_page(studies: str | Path, docs_dir: str | Path, resampling: Resampling | None = None) -> list[Path]:
    """Fill ``docs_dir``/results.md from the studies' results and draw its figures; return the files written.

    Raises:
        ResultsError: a study of a headline is missing or cannot be analysed, or the page lacks a block.
    """
    folder, docs = Path(studies), Path(docs_dir)
    page = docs / PAGE
    if not page.is_file():
        raise ResultsError(f"{str(page)!r} is not there; give the folder that holds {PAGE}")
    chosen = Resampling() if resampling is None else resampling
    judged = read_studies(folder, chosen)
    command = f"python -m civsim.analysis.results_page {studies} {docs_dir}"
    rules = rules_line(results.manifest["rules"] for results in judged.results.values())
    blocks = {"rules": rules, "played": _played(judged)}
    blocks |= {"verdicts": _verdicts(judged), "by-scenario": _by_scenario(judged)}
    for study, kind in HEADLINES:
        if study not in judged.results:
            raise ResultsError(f"{str(folder / study)!r} is not there; run `civsim study {study} --out {folder}`")
        blocks[f"{study}-{kind}"] = _headline(judged.results[study], kind, docs, chosen, command)
    tables = {"": judged.verdicts, "by-scenario": judged.by_scenario}
    notes = ["Every study of the library that registers hypotheses; seeds, worlds and games are in the page's tables."]
    save_figures(
        lambda: verdicts_kind.KIND.draw(tables, notes), docs / FIGURES, f"{PREFIX}verdicts", tables,
        f"civsim study --all --out {studies}\n{command}",
    )  # fmt: skip
    write_text(page, fill_blocks(page.read_text(encoding="utf-8"), blocks))
    return [page, *sorted((docs / FIGURES).glob(f"{PREFIX}*"))]


main = page_program(
    "civsim.analysis.results_page",
    "Write the verdicts, findings and figures of docs/results.md.",
    "folder that `civsim study --all --out` wrote",
    PAGE,
    write_page,
)

if __name__ == "__main__":
    sys.exit(main(None))
