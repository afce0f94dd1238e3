"""``civsim bench``: how fast the engine is on this machine."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def bench(
    quick: Annotated[bool, typer.Option("--quick", help="Only the headline cases, on fewer worlds.")] = False,
    out: Annotated[Path | None, typer.Option("--out", help="JSON file for the results.")] = None,
    repeats: Annotated[int, typer.Option("--repeats", min=5, help="Timings of each case; the median counts.")] = 5,
    cold: Annotated[
        bool, typer.Option("--cold/--no-cold", help="Also compile all kernels in a fresh process (a minute).")
    ] = True,
    peers: Annotated[bool, typer.Option("--peers", help="Also step other simulators, where installed.")] = False,
) -> None:
    """Time the engine on this machine."""
    from civsim.base.errors import CivsimError
    from civsim.cli.bench import bench as time_engine

    if out is not None and out.is_dir():
        raise CivsimError(f"--out {str(out)!r} is a folder; give the name of a file")

    time_engine(quick, out, repeats=repeats, cold=cold, peers=peers, echo=typer.echo)
