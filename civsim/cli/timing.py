"""``civsim bench``: how fast the engine is on this machine."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def bench(
    quick: Annotated[bool, typer.Option("--quick", help="Only the headline cases, on fewer worlds.")] = False,
    out: Annotated[Path | None, typer.Option("--out", help="JSON file for the results.")] = None,
    repeats: Annotated[int, typer.Option("--repeats", min=5, help="Timings of each case; the median counts.")] = 5,
) -> None:
    """Time the engine on this machine."""
    from civsim.base.errors import CivsimError
    from civsim.cli.bench import bench as time_engine

    if out is not None and out.is_dir():
        raise CivsimError(f"--out {str(out)!r} is a folder; give the name of a file")

    time_engine(quick, out, repeats=repeats, echo=typer.echo)
