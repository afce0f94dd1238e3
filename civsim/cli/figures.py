"""``civsim plot``: figures from the tables of a batch."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(help="Draw a figure from the tables of a batch.", no_args_is_help=True)


@app.command("tradeoff")
def tradeoff(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Folder that `civsim batch tradeoff` wrote.")],
    out: Annotated[Path | None, typer.Option("--out", help="Folder for the figure; DIR if left out.")] = None,
) -> None:
    """Outcome against the share of output spent on cognition, one line a context, with its optimum."""
    from civsim.analysis.kinds.tradeoff import plot_tradeoff

    for path in plot_tradeoff(folder, out):
        typer.echo(str(path))


@app.callback()
def plot() -> None:
    """Draw a figure from the tables of a batch."""
