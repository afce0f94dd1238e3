"""``civsim replay``: a recorded game played again: what each seat achieved."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from civsim.scenarios.recordings.replay import Replay


class By(StrEnum):
    """Ways to replay a game."""

    AUTO = "auto"
    SHARES = "shares"
    ORDERS = "orders"


def replay(
    file: Annotated[Path, typer.Argument(help="A recording (civsim run --record).")],
    by: Annotated[
        By,
        typer.Option(
            "--by", help="Plan again from the shares, or carry out the recorded orders; by default what fits."
        ),
    ] = By.AUTO,
) -> None:
    """Play a recorded game again and show what each seat achieved."""
    from civsim.scenarios.recordings.file import load_recording
    from civsim.scenarios.recordings.replay import Replay

    game = Replay(load_recording(file), by.value)
    _summarise(file, game)


def _summarise(file: Path, game: Replay) -> None:
    from civsim.cli.play import print_outcome
    from civsim.scenarios.games import play_on

    recording = game.recording
    played = play_on(game.world, turns=recording.turns, move=game.step)
    typer.echo(
        f"{file}: world {recording.world_id} of study seed {recording.seed}, {recording.turns} turns, "
        f"recorded by civsim {recording.version}, rules version {recording.rules}"
    )
    typer.echo(f"replayed by {game.by}: {game.note() or 'every bit of the recorded game'}")
    print_outcome(game.world, played)
