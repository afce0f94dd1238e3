"""What a report states about a study besides its estimates: design, what was left out, provenance, commands."""

from __future__ import annotations

import platform
import shlex
from collections.abc import Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote

import pandas as pd

from civsim.analysis.panel import CLUSTER, OK
from civsim.analysis.report.words import NONE, column, counted, setting
from civsim.analysis.results import FACTOR, Results
from civsim.analysis.study import factor_targets
from civsim.analysis.style import table_csv
from civsim.base.constants import RULES_VERSION
from civsim.scenarios.sources import source_digest

SHORT = 12
"""Rows of a table that is shown open; a longer one is folded."""

MOST_ROWS = 200
"""Rows of a table that are shown at all; the rest is in its CSV."""

MOST_PRINTED = 60
"""Rows of the longest folded table that is unfolded in print."""

MOST_CSV = 1_000_000
"""Characters of a CSV that the page carries; a longer one is written by ``civsim analyze`` only."""

MOST_FAILED = 20
"""Points with failed games that are listed."""

_LIBRARIES = ("civsim", "numpy", "scipy", "pandas", "statsmodels", "scikit-learn", "linearmodels", "matplotlib")
_DIGEST_DIGITS = 16
_PRINTABLE = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.~,;:!*()[]{}|+=/@$"

Facts = Sequence[tuple[str, str]]
"""Rows of (what, value), as they are shown."""


class Grid(NamedTuple):
    """A table as a page shows it."""

    caption: str
    header: tuple[str, ...]
    numeric: tuple[bool, ...]  # columns of numbers, set flush right
    rows: tuple[tuple[str, ...], ...]  # the first of them, at most MOST_ROWS
    total: int  # rows of the whole table
    file: str  # name of its CSV; empty where it has none
    csv: str  # the CSV as a data URI; empty where it has none or it is too long

    @property
    def folded(self) -> bool:
        """Whether it is too long to be shown open."""
        return self.total > SHORT

    @property
    def printed(self) -> bool:
        """Whether print shows it although it is folded."""
        return self.total <= MOST_PRINTED


class Losses(NamedTuple):
    """Games that failed, and what that leaves out."""

    games: int  # all that were asked for
    failed: int
    worlds: int  # all that were played
    worlds_hit: int  # in which at least one game failed
    points: Grid  # where they failed, and the first error there
    unlisted: int  # points with failed games beyond those listed


def grid(table: pd.DataFrame, caption: str, file: str = "") -> Grid:
    """Return a table ready for a page, with its CSV where ``file`` names one."""
    numeric = tuple(
        pd.api.types.is_numeric_dtype(kind) and not pd.api.types.is_bool_dtype(kind) for kind in table.dtypes
    )
    shown = table.head(MOST_ROWS)
    columns = [column(shown.iloc[:, place].tolist()) for place in range(shown.shape[1])]
    rows = tuple(zip(*columns, strict=True))
    header = tuple(str(name).removeprefix(FACTOR).replace("_", " ") for name in table.columns)
    text = table_csv(table) if file else ""
    uri = f"data:text/csv;charset=utf-8,{quote(text, safe=_PRINTABLE)}" if 0 < len(text) <= MOST_CSV else ""
    return Grid(caption, header, numeric, rows, len(table), file, uri)


def factor_grid(study: Mapping[str, Any]) -> Grid:
    """Return what a study varies: one row a factor with what it sets and its levels. ``study`` is the manifest's."""
    rows = []
    for name, factor in study["factors"].items():
        rows.append(
            {"factor": name, "sets": ", ".join(factor_targets(factor)) or _kind(factor), "levels": _levels(factor)}
        )
    return grid(pd.DataFrame(rows, columns=["factor", "sets", "levels"]), "What the study varies")


def _kind(factor: Mapping[str, Any]) -> str:
    return "the scenario" if factor.get("scenarios") else "several settings at once"


def _levels(factor: Mapping[str, Any]) -> str:
    if factor.get("low") is not None:
        whole = ", whole numbers" if factor.get("integer") else ""
        return f"{factor['low']:g} to {factor['high']:g} ({factor.get('scale', 'linear')}{whole})"
    choices = factor.get("scenarios") or factor.get("levels") or list(factor.get("arms") or ())
    return ", ".join(setting(choice) for choice in choices)


def design_facts(results: Results) -> list[tuple[str, str]]:
    """Return the design in words: how many points, worlds and games, how they are paired, from which seed."""
    manifest, study = results.manifest, results.study
    worlds = manifest["worlds"]
    last = worlds["first"] + worlds["a_point"] - 1
    pairing = (
        f"every point plays the same worlds, {worlds['first']} to {last} (common random numbers)"
        if worlds["paired"]
        else "every point plays worlds of its own; differences between points are not paired"
    )
    design = study["design"] if study["factors"] else "one point"
    if study["factors"] and study.get("points"):
        design = f"union of {counted(len(study['points']), 'sub-factorial')}"
    facts = [
        ("Design", f"{design}: {counted(len(manifest['points']), 'point')}"),
        ("Worlds a point", f"{worlds['a_point']:,}"),
        ("Games", f"{manifest['games']:,}"),
        ("Pairing", pairing),
        ("Study seed", str(study["seed"])),
        ("Focal seat", "world id modulo the number of seats" if study["focal"] == "rotate" else str(study["focal"])),
        ("Scenarios", ", ".join(manifest["scenarios"])),
    ]
    for entry in manifest.get("history", ()):
        played = f"{entry['played']:,} of {entry['games']:,} games{', judged' if entry['judged'] else ''}"
        before = f"{counted(entry['points'], 'point')} × {entry['worlds']['a_point']:,} worlds"
        facts.append(("Grown", f"{entry['grown']}, from {before} ({played})"))
    if study["set"]:
        facts.append(
            ("Set in every game", "; ".join(f"{key} = {setting(value)}" for key, value in study["set"].items()))
        )
    return facts


def losses(results: Results) -> Losses:
    """Return the games that failed, by point, and the worlds that a paired comparison therefore leaves out."""
    runs = results.runs
    bad = runs[runs["status"] != OK]
    columns = [name for name in runs.columns if name.startswith(FACTOR)]
    rows = []
    for point, part in bad.groupby("point", sort=True):
        first = part.iloc[0]
        levels = {name.removeprefix(FACTOR): first[name] for name in columns}
        error = str(first["error"]) if pd.notna(first["error"]) else NONE
        played = int((runs["point"] == point).sum())
        rows.append({"point": point, **levels, "failed": len(part), "of": played, "first error": error})
    header = ["point", *[name.removeprefix(FACTOR) for name in columns], "failed", "of", "first error"]
    listed = grid(pd.DataFrame(rows[:MOST_FAILED], columns=header), "Failed games by point")
    worlds, hit = (len(table[list(CLUSTER)].drop_duplicates()) for table in (runs, bad))
    return Losses(int(results.manifest["games"]), len(bad), worlds, hit, listed, max(0, len(rows) - MOST_FAILED))


def provenance(results: Results) -> list[tuple[str, str]]:
    """Return what made the games and this page: versions, code, commit, machine, dates, hashes."""
    manifest = results.manifest
    now = source_digest()
    code = str(manifest.get("code") or "")
    same = (
        "the code that wrote this page"
        if code == now
        else f"not the code that wrote this page ({now[:_DIGEST_DIGITS]})"
    )
    machine = manifest.get("machine") or {}
    played = manifest.get("versions") or {}
    return [
        ("Study hash (SHA-256)", str(manifest["hash"])),
        ("Games begun", str(manifest.get("created") or NONE)),
        ("Rules version", f"{manifest.get('rules', NONE)} (this release: {RULES_VERSION})"),
        ("Source digest of the games", f"{code[:_DIGEST_DIGITS] or NONE}: {same}"),
        ("Git commit", git_words(manifest.get("git"))),
        ("Machine", " ".join(str(machine[key]) for key in ("system", "processor") if machine.get(key)) or NONE),
        ("Games played with", ", ".join(f"{name} {number}" for name, number in played.items() if number) or NONE),
        ("Analysed with", ", ".join(_library(name) for name in _LIBRARIES) + f", Python {platform.python_version()}"),
    ]


def git_words(git: Mapping[str, Any] | None) -> str:
    """Return the commit the games were played at, and whether the sources had been changed since."""
    if not git or not git.get("commit"):
        return "not played from a checkout"
    changed = {True: ", with changes that were not committed", False: ", unchanged", None: ""}[git.get("changed")]
    return f"{git['commit']}{changed}"


def _library(name: str) -> str:
    try:
        return f"{name} {version(name)}"
    except PackageNotFoundError:
        return f"{name} not installed"


def commands(results: Results, folder: Path) -> list[tuple[str, str]]:
    """Return the steps that make the games and this page again, each (what it does, command)."""
    git = results.manifest.get("git") or {}
    steps = [("Get the same code", f"git checkout {git['commit']}")] if git.get("commit") else []
    batch = results.facts.command.splitlines()[0]
    return [
        *steps,
        ("Play the games", batch),
        ("Make every figure and table", f"civsim analyze {_quoted(folder)}"),
        ("Write this page", f"civsim report {_quoted(folder)}"),
    ]


def _quoted(folder: Path) -> str:
    return shlex.quote(str(folder))
