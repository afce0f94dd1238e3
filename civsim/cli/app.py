"""The ``civsim`` command: its table of commands, and how any error becomes one line and an exit code.

Exit codes: 0 done; 3 done, but games failed; 2 something the user can put right; 1 a fault of civsim or of the machine;
130 interrupted.
"""

from __future__ import annotations

import io
import sys
import traceback
from collections.abc import Sequence
from typing import Annotated, Any

import typer
from typer.exceptions import TyperException

from civsim.cli import (
    batch,
    catalog,
    ceiling,
    compare,
    evaluate,
    export,
    figures,
    learn,
    live,
    mesa,
    play,
    query,
    replay,
    report,
    studies,
    timing,
    tournament,
    tune,
    validate,
    watch,
)

DONE, FAULT, USAGE, INTERRUPTED = 0, 1, 2, 130
_LONGEST_LINE = 800
_LONGEST_DETAIL = 200
_CONTEXT = {"help_option_names": ["-h", "--help"]}

app = typer.Typer(
    name="civsim",
    help="Civilizations on a map, in fog: what is a unit of thinking worth, next to a unit of muscle?",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings=_CONTEXT,
)
app.command("scenarios")(catalog.scenarios)
app.command("studies")(catalog.studies)
app.command("show")(catalog.show)
app.command("run")(play.run)
app.command("play")(live.play)
app.command("replay")(replay.replay)
app.command("watch")(watch.watch)
app.command("mesa")(mesa.mesa)
app.command("compare")(compare.compare)
app.command("batch")(batch.batch)
app.command("merge")(batch.merge)
app.command("study")(studies.study)
app.command("power")(studies.power)
app.command("plot", no_args_is_help=True)(figures.plot)
app.command("query")(query.query)
app.command("analyze")(figures.analyze)
app.command("report")(report.report)
app.command("bench")(timing.bench)
app.command("train")(learn.train)
app.command("tune")(tune.tune)
app.command("export")(export.export)
app.command("import")(export.import_)
app.command("evaluate")(evaluate.evaluate)
app.command("tournament")(tournament.tournament)
app.command("ceiling")(ceiling.ceiling)
app.command("validate")(validate.validate)


def _version(asked: bool) -> None:
    if asked:
        from importlib.metadata import version

        typer.echo(f"civsim {version('civsim')}")
        raise typer.Exit(DONE)


@app.callback()
def options(
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")] = False,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version and stop.")
    ] = False,
) -> None:
    """Civilizations on a map, in fog: what is a unit of thinking worth, next to a unit of muscle?"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code. Every error is one line on stderr, unless ``--debug`` is given."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    try:
        return _run(given)
    finally:
        _advise()


def _run(given: list[str]) -> int:
    """Run a command and return its exit code."""
    for stream in (sys.stdout, sys.stderr):
        # A terminal that cannot show a letter shows a question mark in its place.
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
    try:
        code = app(given, prog_name="civsim", standalone_mode=False)
        sys.stdout.flush()
    except KeyboardInterrupt:
        return _complain("interrupted", INTERRUPTED)
    except BrokenPipeError:
        _close_output()
        return DONE
    except typer.Abort:
        return _complain("stopped", INTERRUPTED)
    except TyperException as error:
        return _usage(error)
    except Exception as error:
        if "--debug" in given:
            traceback.print_exc()
        return _failure(error)
    if code == INTERRUPTED:  # typer turns an interrupt inside a command into this code
        return _complain("interrupted", INTERRUPTED)
    return code if isinstance(code, int) else DONE


def _advise() -> None:
    """Say how to keep what a command compiled, if that would be lost; without compilation say nothing."""
    kernels = sys.modules.get("civsim.base.kernels")
    if kernels is not None:
        kernels.advise()


def _usage(error: TyperException) -> int:
    """Report a malformed command line; the bare command shows its help instead."""
    if type(error).__name__ == "NoArgsIsHelpError":
        typer.echo(_message(error))
        return USAGE
    context = getattr(error, "ctx", None)
    where = context.command_path if context is not None else "civsim"
    return _complain(f"{_message(error)} (see '{where} --help')", USAGE)


def _message(error: Any) -> str:
    return str(error.format_message()) if hasattr(error, "format_message") else str(error)


def _failure(error: Exception) -> int:
    """Report an exception: those a user can cause say what to do; others are faults, with a hint."""
    from civsim.base.errors import CivsimError

    if isinstance(error, CivsimError):
        return _complain(str(error), USAGE)
    if isinstance(error, OSError) and error.filename is not None:
        return _complain(f"{str(error.filename)!r}: {error.strerror}; check the path and the disk", USAGE)
    if isinstance(error, MemoryError):
        return _complain("out of memory; use fewer worlds or a smaller map", FAULT)
    name = type(error).__name__
    detail = " ".join(str(error).split())[:_LONGEST_DETAIL]
    return _complain(f"unexpected {name}: {detail} (a fault of civsim; run `civsim --debug ...` and report it)", FAULT)


def _complain(text: str, code: int) -> int:
    line = " ".join(text.split())
    line = line if len(line) <= _LONGEST_LINE else line[: _LONGEST_LINE - 3] + "..."
    print(f"civsim: error: {line}" if code != INTERRUPTED else f"civsim: {line}", file=sys.stderr)
    return code


def _close_output() -> None:
    """Stop writing to a pipe that nobody reads, so that the interpreter does not complain when it ends."""
    import os

    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
