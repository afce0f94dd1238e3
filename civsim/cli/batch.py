"""``civsim batch``: a study's games, with progress."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from civsim.calls.study import adjusted

if TYPE_CHECKING:
    from civsim.scenarios.batch import Summary
    from civsim.scenarios.study import Study


def batch(
    name: Annotated[str, typer.Argument(metavar="STUDY", help="A study's name, or the path of a TOML file.")],
    out: Annotated[Path, typer.Option("--out", help="Folder for the tables; new or empty, unless --resume.")],
    resume: Annotated[bool, typer.Option("--resume", help="Keep what is there and play what is missing.")] = False,
    threads: Annotated[
        int | None, typer.Option("--threads", min=1, help="Threads, by default one a core; they change no result.")
    ] = None,
    size: Annotated[int, typer.Option("--batch", min=1, help="Worlds stepped together, at most.")] = 128,
    worlds: Annotated[
        int | None, typer.Option("--worlds", min=1, help="Worlds a point, instead of the study's.")
    ] = None,
    seed: Annotated[int | None, typer.Option("--seed", min=0, help="Study seed, instead of the study's.")] = None,
    limit: Annotated[int | None, typer.Option("--limit", min=1, help="Stop after about so many games.")] = None,
    progress: Annotated[
        bool | None, typer.Option("--progress/--no-progress", help="Progress bar; by default on a terminal.")
    ] = None,
) -> None:
    """Play a study's games into tables, resumable."""
    from civsim.cli.settings import usable_cores
    from civsim.scenarios import load_study

    study = adjusted(load_study(name), worlds, seed)
    asked = _command(name, worlds, seed, out)
    count = usable_cores() if threads is None else threads
    options = {"resume": resume, "threads": count, "batch": size, "limit": limit, "command": asked}
    summary = play(study, out, progress, options)
    rate = summary.games / summary.seconds if summary.seconds > 0 else 0.0
    typer.echo(
        f"{study.name}: {summary.games} games played in {summary.seconds:.0f} s ({rate:.1f} a second), "
        f"{summary.kept} kept, {summary.failed} failed, {summary.missing} missing; tables in {summary.folder}"
    )


def _command(name: str, worlds: int | None, seed: int | None, out: Path) -> str:
    """Return the command line that plays these games: the arguments that change what is played, and the folder."""
    given = {"--worlds": worlds, "--seed": seed, "--out": out}
    options = [text for flag, value in given.items() if value is not None for text in (flag, str(value))]
    return shlex.join(["civsim", "batch", name, *options])


def play(study: Study, out: Path, progress: bool | None, options: dict[str, Any]) -> Summary:
    """Play a study's games behind a progress bar; ``options`` are those of :func:`run_batch`."""
    from civsim.cli.progress import progress_bar
    from civsim.scenarios import run_batch

    failures = 0
    with progress_bar(study.name, "games,", None, progress) as bar:

        def played(games: int, failed: int) -> None:
            nonlocal failures
            failures += failed
            bar.advance(games, f"{failures} failed")

        return run_batch(study, out, started=bar.begin, report=played, **options)
