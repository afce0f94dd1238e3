"""``civsim report``: one page that says what a batch found, how sure that is, and how to make it again."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def report(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Folder that `civsim batch` wrote.")],
    out: Annotated[Path | None, typer.Option("--out", metavar="FILE", help="DIR/report.html if left out.")] = None,
) -> None:
    """Write one self-contained HTML page: findings, design, figures, tables, what failed, and how to reproduce it."""
    from civsim.calls.study import report as write

    typer.echo(str(write(folder, out)))
