"""``civsim replay``: a recorded game played again: what each seat achieved, a page to watch it, a moving picture."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from civsim.base.errors import CivsimError

if TYPE_CHECKING:
    from civsim.faces.thinkers import Thinker
    from civsim.scenarios.recordings.recorder import Recording
    from civsim.scenarios.recordings.replay import Replay

_MOST_FPS = 60
_PAGE = ".html"


class By(StrEnum):
    """Ways to replay a game."""

    AUTO = "auto"
    SHARES = "shares"
    ORDERS = "orders"


def replay(
    file: Annotated[Path, typer.Argument(help="A recording (civsim run --record).")],
    out: Annotated[
        Path | None,
        typer.Option("--out", help="Write the game to this .html (a page), .webp (lossless, small), .gif or .mp4."),
    ] = None,
    seat: Annotated[
        int | None, typer.Option("--seat", min=0, help="Show what this seat believes; by default, what is.")
    ] = None,
    province: Annotated[
        int | None,
        typer.Option("--province", min=0, help="What its seat of thought in this province believes; 0: the capital's."),
    ] = None,
    first: Annotated[int, typer.Option("--from", min=0, help="Turns played at the first picture.")] = 0,
    last: Annotated[int | None, typer.Option("--to", min=0, help="Turns played at the last, by default all.")] = None,
    fps: Annotated[int | None, typer.Option("--fps", min=1, max=_MOST_FPS, help="Turns a second (10).")] = None,
    scale: Annotated[
        int | None, typer.Option("--scale", help="Pixels a cell, by default for a picture of about 512.")
    ] = None,
    by: Annotated[
        By, typer.Option("--by", help="Plan again from the shares, or carry out recorded orders; by default what fits.")
    ] = By.AUTO,
) -> None:
    """Play a recorded game again and show what each seat achieved, or write it as a page or a moving picture."""
    from civsim.engine.offices.rows import CAPITAL
    from civsim.faces.thinkers import Thinker
    from civsim.scenarios.recordings.file import load_recording
    from civsim.scenarios.recordings.replay import Replay

    if out is not None:
        from civsim.cli.play import check_target

        _check_kind(out)
        check_target("--out", out, out.suffix)
    recording = load_recording(file)
    stretch = _check_stretch(recording, first, last)
    if out is None:
        _check_unused(
            {"--seat": seat, "--province": province, "--from": first or None, "--fps": fps, "--scale": scale},
            "without --out",
        )
        _summarise(file, Replay(recording, by.value), stretch[1])
        return
    _check_seat(recording, seat)
    if seat is None:
        _check_unused({"--province": province}, "without --seat, whose provinces are meant")
    looks = None if seat is None else Thinker(seat, CAPITAL if province is None else province)
    view = _view(recording, looks)
    if out.suffix == _PAGE:
        _check_unused({"--fps": fps, "--scale": scale}, f"on {_PAGE}, which is watched at any speed and size")
        _write_page(out, Replay(recording, by.value), stretch, view)
        return
    _write_picture(out, recording, by, stretch, looks, (fps, scale))


def _check_stretch(recording: Recording, first: int, last: int | None) -> tuple[int, int]:
    end = recording.turns if last is None else last
    if end > recording.turns:
        raise CivsimError(f"--to {end} is beyond the {recording.turns} turns that were recorded; give at most that")
    if first > end:
        raise CivsimError(f"--from {first} is after turn {end}, the last to be shown; give at most {end}")
    return first, end


def _check_kind(out: Path) -> None:
    from civsim.viewer.pictures import SUFFIXES, check_kind

    if out.suffix not in (_PAGE, *SUFFIXES):
        raise CivsimError(f"--out {str(out)!r} is neither page nor picture; end it in {', '.join((_PAGE, *SUFFIXES))}")
    if out.suffix != _PAGE:
        check_kind(out)


def _check_unused(given: dict[str, int | None], where: str) -> None:
    for flag, value in given.items():
        if value is not None:
            raise CivsimError(f"{flag} {value} has no effect {where}; drop it, or name a file of another kind")


def _check_seat(recording: Recording, seat: int | None) -> None:
    seats = recording.scenario.game.civilizations
    if seat is not None and seat >= seats:
        raise CivsimError(f"--seat {seat} is none of 0 … {seats - 1}; give a seat of the game")


def _view(recording: Recording, looks: Thinker | None) -> int:
    """Return the view of a thinker that the game may have, or of the truth."""
    from civsim.viewer.camera import TRUTH, view_of_thinker

    return TRUTH if looks is None else view_of_thinker(recording.scenario, looks)


def _write_picture(
    out: Path,
    recording: Recording,
    by: By,
    stretch: tuple[int, int],
    looks: Thinker | None,
    style: tuple[int | None, int | None],
) -> None:
    from civsim.engine.offices.rows import CAPITAL
    from civsim.scenarios.recordings.replay import Replay
    from civsim.viewer.pictures import FPS, check_scale, filmed, usual_scale, write_film

    fps, scale = style
    seat, office = (None, CAPITAL) if looks is None else looks
    first, last = stretch
    side = usual_scale(recording.scenario) if scale is None else check_scale(recording.scenario, scale)
    game = Replay(recording, by.value)
    write_film(out, filmed(game, first, last, seat, side, office=office), last - first + 1, FPS if fps is None else fps)
    _tell(out, game)


def _write_page(out: Path, game: Replay, stretch: tuple[int, int], view: int) -> None:
    from civsim.base.files import write_text
    from civsim.viewer.replays import recorded_page, replayed

    write_text(out, recorded_page(replayed(game, *stretch), view))
    _tell(out, game)


def _tell(out: Path, game: Replay) -> None:
    """Say what was written, and how the replay differs from the game that was recorded, if it does."""
    typer.echo(f"wrote {out}, {out.stat().st_size / 1000:.0f} kB")
    if game.note():
        typer.echo(f"replayed by {game.by}: {game.note()}")


def _summarise(file: Path, game: Replay, turns: int) -> None:
    from civsim.cli.play import print_outcome
    from civsim.scenarios.games import play_on

    recording = game.recording
    played = play_on(game.world, turns=turns, move=game.step)
    typer.echo(
        f"{file}: world {recording.world_id} of study seed {recording.seed}, {recording.turns} turns, "
        f"recorded by civsim {recording.version}, rules version {recording.rules}"
    )
    typer.echo(f"replayed by {game.by}: {game.note() or 'every bit of the recorded game'}")
    print_outcome(game.world, played)
