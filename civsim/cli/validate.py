"""``civsim validate``: the known answers, theory against simulation."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from civsim.validation.case import KnownAnswer, Report
    from civsim.validation.registry import Configured
    from civsim.validation.verdict import Result

FAILED = 1
"""Exit code where a row fails."""


def validate(
    names: Annotated[
        list[str] | None, typer.Argument(metavar="[CASE]...", help="K1, K2, ...; all of them if none is named.")
    ] = None,
    full: Annotated[
        bool, typer.Option("--full", help="The long form: more replications, and what must be learned first.")
    ] = False,
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="A parameter of a case: players=3, or K3.players=2,3,8."),
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", help="Folder for the table, as CSV and Markdown, and figures.")
    ] = None,
    threads: Annotated[
        int | None, typer.Option("--threads", min=1, help="Processes, by default one a core; they change no result.")
    ] = None,
    listed: Annotated[bool, typer.Option("--list", help="List the cases and their parameters, and stop.")] = False,
    progress: Annotated[
        bool | None, typer.Option("--progress/--no-progress", help="Progress bar; by default on a terminal.")
    ] = None,
) -> None:
    """Compare the simulator and the analysis with what theory and brute force say they must do.

    A parameter takes several values with commas between. Exit code 1 if a row fails.
    """
    from civsim.calls.players import check_out
    from civsim.cli.settings import parse_settings, usable_cores
    from civsim.validation.case import How
    from civsim.validation.registry import choose, configure
    from civsim.validation.verdict import write

    cases = choose(names or [])
    if listed:
        _list(cases)
        return
    configured = configure(cases, parse_settings(settings or []))
    check_out(out)
    count = usable_cores() if threads is None else threads
    results = _run(configured, full, count, progress)
    _show(results)
    if out is not None:
        given = [*(names or []), *(["--full"] if full else [])]
        changed = [text for pair in settings or [] for text in ("--set", pair)]
        command = shlex.join(["civsim", "validate", *given, *changed, "--out", str(out)])
        how = How(full, count)
        drawings = [case.figure(own, how) for case, own in configured if case.figure is not None]
        for path in write(results, out, command, drawings):
            typer.echo(str(path))
    failed = {result.case.name: result.failed for result in results if result.failed}
    if failed:
        text = ", ".join(f"{count} of {name}" for name, count in failed.items())
        typer.echo(f"civsim: error: theory and simulation differ in {sum(failed.values())} rows: {text}", err=True)
        raise typer.Exit(FAILED)


def _run(configured: Sequence[Configured], full: bool, threads: int, progress: bool | None) -> list[Result]:
    from civsim.cli.progress import progress_bar
    from civsim.validation.verdict import run_cases

    with progress_bar("", "steps", None, progress) as bar:

        def begin(case: KnownAnswer) -> Report:
            bar.begin(1, 0, f"{case.name} {case.title}")
            return lambda done, total: bar.begin(total, done)

        return list(run_cases(configured, full=full, threads=threads, begin=begin))


def _list(cases: Sequence[KnownAnswer]) -> None:
    from civsim.validation.registry import parameters

    for case in cases:
        typer.echo(f"{case.name} {case.title}: {case.theory}")
        if case.own_world:
            typer.echo(f"  world of its own: {case.own_world}")
        for name, limits, default, description in parameters(case):
            typer.echo(
                f"  {name}={default}  {description} ({limits})" if limits else f"  {name}={default}  {description}"
            )


def _show(results: Sequence[Result]) -> None:
    from civsim.validation.verdict import HEADER, cells, plain_table, remarks

    if sys.stdout.isatty():
        from rich.console import Console
        from rich.table import Table

        table = Table()
        for column in HEADER:
            table.add_column(column, overflow="fold")
        for case, rows in results:
            for row in rows:
                table.add_row(*cells(case, row), style={True: None, False: "bold red", None: "dim"}[row.passed])
            table.add_section()
        Console().print(table)
    else:
        typer.echo(plain_table([cells(case, row) for case, rows in results for row in rows]))
    for line in remarks(results):
        typer.echo(line)
