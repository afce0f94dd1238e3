"""``civsim plot`` and ``civsim analyze``: figures and findings from the tables of a batch."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from civsim.analysis.report.analyze import Outcome

_WORDS = {"refused": "not made", "failed": "failed"}


def plot(
    kind: Annotated[
        str | None, typer.Argument(metavar="KIND", help="Kind of analysis, or file.py:KIND; --list names them.")
    ] = None,
    folder: Annotated[Path | None, typer.Argument(metavar="DIR", help="Folder that `civsim batch` wrote.")] = None,
    out: Annotated[Path | None, typer.Option("--out", help="Folder for the figure; DIR if left out.")] = None,
    listed: Annotated[bool, typer.Option("--list", help="Name the kinds and what each answers.")] = False,
) -> None:
    """Draw one figure from the tables of a batch: light, dark and PDF, with its numbers and its command."""
    if listed:
        _list()
        return
    if kind is None or folder is None:
        raise typer.BadParameter("give a kind and the folder of a batch, or --list")
    from civsim.analysis.report.analyze import plot as make

    for path in make(kind, folder, out):
        typer.echo(str(path))


def _list() -> None:
    from civsim.analysis.kinds import kinds

    width = max((len(kind.name) for kind in kinds()), default=0)
    for kind in kinds():
        typer.echo(f"{kind.name:<{width}}  {kind.question}")


def analyze(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Folder that `civsim batch` wrote.")],
    out: Annotated[Path | None, typer.Option("--out", help="Folder for the files; DIR/analysis if left out.")] = None,
    chosen: Annotated[
        list[str] | None, typer.Option("--kind", metavar="KIND", help="Make this kind only; may be repeated.")
    ] = None,
) -> None:
    """Make every analysis that the design of a batch supports; print what each finds, and what is not made and why."""
    from civsim.analysis.kinds import find_kind
    from civsim.analysis.report.analyze import analyze as make

    outcomes = make(folder, out, [find_kind(name) for name in chosen] if chosen else None)
    for outcome in outcomes:
        if outcome.status == "done":
            _show(outcome)
    for outcome in outcomes:
        if outcome.status != "done":
            typer.echo(f"{outcome.kind.name}: {_WORDS[outcome.status]}: {outcome.reason}")


def _show(outcome: Outcome) -> None:
    typer.echo(f"{outcome.kind.name}: {outcome.kind.title}")
    for line in (*outcome.findings, *map(str, outcome.files)):
        typer.echo(f"  {line}")
