"""One self-contained HTML page about a results folder: what it found, how sure that is, and how to make it again.

The page needs no script and fetches nothing: figures, tables and styles are inside it. It is light or dark as its
reader's device is, and light in print. The same folder gives the same bytes under the same release.
"""

from __future__ import annotations

import base64
import re
import shlex
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from civsim.analysis.kinds import kinds
from civsim.analysis.kinds.kind import Kind
from civsim.analysis.report.analyze import Outcome, examine
from civsim.analysis.report.content import (
    Facts,
    Grid,
    Losses,
    commands,
    design_facts,
    factor_grid,
    grid,
    losses,
    provenance,
)
from civsim.analysis.report.rulings import Rulings, read_rulings
from civsim.analysis.report.words import GLOSSARY, counted
from civsim.analysis.results import Resampling, Results, open_results
from civsim.analysis.style import figure_images
from civsim.base.errors import ResultsError
from civsim.base.files import write_text

if TYPE_CHECKING:
    from civsim.analysis.style import ThemeName

FILE = "report.html"
"""Name of the page inside the results folder unless told otherwise."""

TEMPLATE = "page.html.jinja"
MOST_HEADLINES = 2
"""Findings of one kind that the short answer gives; the others stand beside the figure."""

_LONGEST_ALT = 600
_POINT = 4.0 / 3.0
"""CSS pixels a point."""

_SIZE = re.compile(rb'<svg[^>]*? viewBox="0 0 ([0-9.]+) ([0-9.]+)"')


class Picture(NamedTuple):
    """A figure inside the page, in both themes."""

    light: str  # SVG as a data URI
    dark: str
    width: int  # CSS pixels
    height: int
    alt: str


class Evidence(NamedTuple):
    """One kind of analysis that was made."""

    kind: Kind
    findings: tuple[str, ...]
    picture: Picture
    grids: tuple[Grid, ...]


class Page(NamedTuple):
    """Everything the template shows."""

    title: str
    question: str
    rulings: Rulings
    evidence: tuple[Evidence, ...]
    undone: Facts  # (what, why)
    sure: tuple[str, ...]
    design: Facts
    lines: tuple[str, ...]  # games, seats, mixes, rivals
    factors: Grid
    losses: Losses
    provenance: Facts
    steps: Facts
    glossary: Facts
    version: str


def write_report(
    folder: str | Path,
    out: str | Path | None = None,
    chosen: Sequence[Kind] | None = None,
    *,
    resampling: Resampling | None = None,
) -> Path:
    """Write the report of a results folder and return its path.

    Args:
        folder: what a batch or a study wrote.
        out: the page's file; ``folder``/report.html if left out.
        chosen: kinds of analysis it shows; all that the design supports if left out.
        resampling: how intervals are made; the house's if left out.

    Raises:
        ResultsError: the results cannot be read, or ``out`` ends in something else than .html.
        CivsimError: the folder of ``out`` is missing, or ``out`` is a folder.
    """
    target = Path(folder) / FILE if out is None else Path(out)
    if target.suffix not in (".html", ".htm"):
        raise ResultsError(f"{str(target)!r} does not end in .html; give the name of a page")
    flags = [] if out is None else ["--out", str(out)]
    results = open_results(folder, plot=shlex.join(["civsim", "report", str(folder), *flags]))
    page = make_page(results, kinds() if chosen is None else chosen, resampling or Resampling())
    write_text(target, render(page))
    return target


def make_page(results: Results, chosen: Sequence[Kind], resampling: Resampling) -> Page:
    """Return what a report says: every kind is examined, drawn in both themes, and listed with a reason if refused."""
    evidence, undone = [], []
    for kind in chosen:
        outcome = examine(kind, results, resampling)
        try:
            if outcome.status == "done":
                evidence.append(_evidence(outcome))
        except ResultsError as error:
            outcome = outcome._replace(status="failed", reason=str(error))
        if outcome.status != "done":
            word = "failed: " if outcome.status == "failed" else ""
            undone.append((f"{kind.title} ({kind.name})", f"{word}{outcome.reason}"))
    rulings = read_rulings(results, resampling)
    undone += [("Pre-registered hypotheses", f"failed: {rulings.missing}")] if rulings.missing else []
    lost = losses(results)
    study = results.study
    return Page(
        str(study["name"]),
        str(study["question"]),
        rulings,
        tuple(evidence),
        undone,
        tuple(_how_sure(resampling, lost, len(rulings.each))),
        design_facts(results),
        results.facts.lines,
        factor_grid(study),
        lost,
        provenance(results),
        commands(results, results.folder),
        GLOSSARY,
        version("civsim"),
    )


def render(page: Page) -> str:
    """Return the page as HTML; everything in it is escaped."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template(TEMPLATE).render(page=page, headlines=MOST_HEADLINES, counted=counted)


def _evidence(outcome: Outcome) -> Evidence:
    kind = outcome.kind
    grids = []
    for key, table in outcome.tables.items():
        name = f"{kind.name}-{key}" if key else kind.name
        grids.append(grid(table, key.replace("-", " ").replace("_", " ") or "estimates", f"{name}.csv"))
    return Evidence(kind, outcome.findings, _picture(outcome), tuple(grids))


def _picture(outcome: Outcome) -> Picture:
    light, dark = (_svg(outcome, theme) for theme in ("light", "dark"))
    found = _SIZE.search(light)
    width, height = (round(float(side) * _POINT) for side in found.groups()) if found else (0, 0)
    alt = " ".join((f"{outcome.kind.title}.", *outcome.findings))
    short = alt if len(alt) <= _LONGEST_ALT else alt[: _LONGEST_ALT - 1].rsplit(" ", 1)[0] + "…"
    return Picture(_uri(light), _uri(dark), width, height, short)


def _svg(outcome: Outcome, theme: ThemeName) -> bytes:
    # Without the small print: the page itself says how the games were played and what the method is.
    bare = outcome._replace(notes=())
    return figure_images(bare.draw, theme, ("svg",))["svg"]


def _uri(svg: bytes) -> str:
    return "data:image/svg+xml;base64," + base64.b64encode(svg).decode("ascii")


def _how_sure(resampling: Resampling, lost: Losses, hypotheses: int) -> list[str]:
    """Return what the intervals mean and what they do not cover."""
    lines = [
        f"Numbers in brackets are {resampling.level:.0%} intervals. They come from {resampling.draws:,} resamples of "
        f"{lost.worlds:,} whole worlds (resampling seed {resampling.seed}) unless a method says otherwise.",
        "They tell how far the estimates would move with other worlds of the same kind. They do not cover other "
        "rules, other prices, or other rivals than those stated in the design.",
    ]
    if hypotheses:
        lines.append(
            "The p-values of the hypotheses that were registered before the games were played are adjusted for their "
            f"number ({hypotheses}). Everything else here is exploratory: its intervals are not corrected for how many "
            "there are."
        )
    else:
        lines.append(
            "No hypothesis was registered before the games were played, so everything here is exploratory: the "
            "intervals are not corrected for how many there are."
        )
    if lost.failed:
        lines.append(
            f"{counted(lost.failed, 'game')} of {lost.games:,} failed, in {counted(lost.worlds_hit, 'world')}; a "
            "comparison within worlds leaves out each of them that lacks one of its arms."
        )
    return lines
