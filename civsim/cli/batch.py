"""``civsim batch`` and ``civsim merge``: a study's games, with progress; the shares of several machines made one."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from civsim.calls.study import adjusted

if TYPE_CHECKING:
    from civsim.scenarios.batch import Summary
    from civsim.scenarios.study import Study

FAILED_GAMES = 3
"""Exit code where everything was done and games failed in it."""

_LONGEST_SHARE = 20

Grow = Annotated[
    bool, typer.Option("--grow", help="Go on with a smaller study: keep its games, play what worlds or levels add.")
]
AllowFailed = Annotated[bool, typer.Option("--allow-failed", help=f"No exit code {FAILED_GAMES} for failed games.")]


def batch(
    name: Annotated[str, typer.Argument(metavar="STUDY", help="A study's name, or the path of a TOML file.")],
    out: Annotated[Path, typer.Option("--out", help="Folder for the tables; new or empty, unless --resume.")],
    resume: Annotated[bool, typer.Option("--resume", help="Keep what is there and play what is missing.")] = False,
    grow: Grow = False,
    part: Annotated[
        str | None, typer.Option("--part", metavar="I/N", help="Play the I-th of N shares, for `civsim merge`.")
    ] = None,
    threads: Annotated[
        int | None, typer.Option("--threads", min=1, help="Threads, by default one a core; they change no result.")
    ] = None,
    size: Annotated[int, typer.Option("--batch", min=1, help="Worlds stepped together, at most.")] = 128,
    worlds: Annotated[
        int | None, typer.Option("--worlds", min=1, help="Worlds a point, instead of the study's.")
    ] = None,
    seed: Annotated[int | None, typer.Option("--seed", min=0, help="Study seed, instead of the study's.")] = None,
    limit: Annotated[int | None, typer.Option("--limit", min=1, help="Stop after about so many games.")] = None,
    allow_failed: AllowFailed = False,
    progress: Annotated[
        bool | None, typer.Option("--progress/--no-progress", help="Progress bar; by default on a terminal.")
    ] = None,
) -> None:
    """Play a study's games into tables, resumable."""
    from civsim.cli.settings import usable_cores
    from civsim.scenarios import load_study

    study = adjusted(load_study(name), worlds, seed)
    share = None if part is None else _share(part)
    asked = _command(name, worlds, seed, out, part)
    count = usable_cores() if threads is None else threads
    options: dict[str, Any] = {"resume": resume, "grow": grow, "share": share, "command": asked}
    options |= {"threads": count, "batch": size, "limit": limit}
    summary = play(study, out, progress, options)
    rate = summary.games / summary.seconds if summary.seconds > 0 else 0.0
    typer.echo(
        f"{study.name}: {summary.games} games played in {summary.seconds:.0f} s ({rate:.1f} a second), "
        f"{summary.kept} kept, {summary.failed} failed, {summary.missing} missing; tables in {summary.folder}"
    )
    end_with(summary.failed, allow_failed)


def merge(
    folders: Annotated[list[Path], typer.Argument(metavar="FOLDER...", help="Folders that hold parts of one study.")],
    out: Annotated[Path, typer.Option("--out", help="Folder for all of them; it must not exist.")],
    allow_failed: AllowFailed = False,
) -> None:
    """Bring together what several machines played of a study: the tables of one batch."""
    from civsim.scenarios.merge import merge_results

    merged = merge_results(folders, out)
    left = f"; {merged.missing} parts are missing, play them with `civsim batch` --resume" if merged.missing else ""
    typer.echo(f"{merged.games} games in {merged.parts} parts, {merged.failed} failed; tables in {merged.folder}{left}")
    end_with(merged.failed, allow_failed)


def end_with(failed: int, allowed: bool) -> None:
    """End the command with the exit code that says that games failed, if some did and that was not allowed."""
    if failed and not allowed:
        raise typer.Exit(FAILED_GAMES)


def _share(text: str) -> tuple[int, int]:
    """Return (i, n) of ``i/n``.

    Raises:
        StudyError: it is no such text; whether there is such a share is checked where it is played.
    """
    from civsim.base.errors import StudyError

    first, slash, last = text.partition("/")
    if not slash or not (first.isdecimal() and last.isdecimal()) or len(text) > _LONGEST_SHARE:
        raise StudyError(f"--part {text[:_LONGEST_SHARE]!r} is no share; give I/N, such as 3/20")
    return int(first), int(last)


def _command(name: str, worlds: int | None, seed: int | None, out: Path, part: str | None = None) -> str:
    """Return the command line that plays these games: the arguments that change what is played, and the folder."""
    given = {"--worlds": worlds, "--seed": seed, "--part": part, "--out": out}
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

        def read(points: int, of: int) -> None:
            bar.begin(of, points, f"{study.name}: points read")

        def started(total: int, kept: int) -> None:
            bar.begin(total, kept, study.name)

        return run_batch(study, out, started=started, planning=read, report=played, **options)
