"""``civsim run``: a few worlds, played to the end, and what each seat achieved."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from civsim.base.constants import CHANNEL_NAMES
from civsim.base.errors import CivsimError, ScenarioError
from civsim.calls.play import WORLDS

if TYPE_CHECKING:
    from civsim.calls.play import Games
    from civsim.engine.world import World
    from civsim.scenarios.games import Played
    from civsim.scenarios.recordings.recorder import GameRecorder

_SHOWN = ("welfare", "output", "survived", "cells", *(f"level_{name}" for name in CHANNEL_NAMES))
_SAVED, _RECORDED = ".npz", ".rec"
_WIDTH = 140
_WHOLE = 100.0


def run(
    name: Annotated[str, typer.Argument(help="A scenario's name, the path of a TOML file, or of a saved .npz.")],
    worlds: Annotated[
        int | None, typer.Option("--worlds", min=1, help="How many worlds: by default 8, with --record 1.")
    ] = None,
    first: Annotated[int, typer.Option("--first", min=0, max=2**32 - 1, help="Id of the first world.")] = 0,
    seed: Annotated[int, typer.Option("--seed", min=0, max=2**64 - 1, help="Study seed.")] = 0,
    threads: Annotated[
        int | None, typer.Option("--threads", min=1, help="Threads, by default one a core; they change no result.")
    ] = None,
    turns: Annotated[int | None, typer.Option("--turns", min=1, help="Stop after so many turns.")] = None,
    settings: Annotated[
        list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="Change a setting, by dotted path.")
    ] = None,
    save: Annotated[Path | None, typer.Option("--save", help="Save the worlds to this .npz, to go on later.")] = None,
    out: Annotated[Path | None, typer.Option("--out", help="Write every seat's results to this .csv.")] = None,
    record: Annotated[
        Path | None, typer.Option("--record", help="Record the game, of one world, in this .rec (see civsim replay).")
    ] = None,
    metrics: Annotated[
        list[str] | None,
        typer.Option(
            "--metric", metavar="NAME=WHERE", help="Measure your own: NAME=file.py:function or module:function."
        ),
    ] = None,
    stop: Annotated[
        str | None, typer.Option("--stop", metavar="CONDITION", help="End a game early, as by 'sum(alive) <= 1'.")
    ] = None,
) -> None:
    """Play a few worlds and show what each seat achieved."""
    check_target("--save", save, _SAVED)
    check_target("--out", out, ".csv")
    check_target("--record", record, _RECORDED)
    _check_one_world(record, worlds)
    from civsim.calls.play import new_worlds
    from civsim.calls.play import play as play_worlds
    from civsim.cli.settings import parse_settings, usable_cores

    count = usable_cores() if threads is None else threads
    if name.endswith(_SAVED):
        world = _restored(name, count, settings)
    else:
        number = worlds if worlds is not None else WORLDS if record is None else 1
        world = new_worlds(
            name, worlds=number, first=first, seed=seed, threads=count, settings=parse_settings(settings or [])
        )
    recorder = None if record is None else _recorder(world)
    own = _own_metrics(metrics or [])
    games = play_worlds(world, turns=turns, metrics=own, stop=stop)
    written = _write(games, recorder, record, save, out)
    print_outcome(world, games.played, own)
    for line in written:
        typer.echo(line)
    if games.failed:
        raise CivsimError(
            f"{len(games.failed)} of {world.n_worlds} worlds failed: {games.failed[0]}; try other settings"
        )


def _write(
    games: Games, recorder: GameRecorder | None, record: Path | None, save: Path | None, out: Path | None
) -> list[str]:
    """Write what is asked for; return what to say of it."""
    written = []
    if record is not None and recorder is not None:
        _save_recording(record, recorder)
        written.append(f"recorded {record}, {record.stat().st_size / 1000:.1f} kB")
    if save is not None:
        games.world.save(save)
        written.append(f"saved {save}")
    if out is not None:
        written.append(f"wrote {games.write(out)}")
    return written


def _own_metrics(texts: Sequence[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for text in texts:
        name, sign, where = text.partition("=")
        if not (name.isidentifier() and sign and where):
            raise CivsimError(f"--metric {text!r} is not NAME=WHERE; write for instance --metric mine=measures.py:mine")
        if name in found:
            raise CivsimError(f"--metric gives {name} twice; give it once")
        found[name] = where
    return found


def check_target(flag: str, path: Path | None, suffix: str) -> None:
    """Check a file to be written before anything is played. Raises :class:`CivsimError`, naming the flag."""
    if path is None:
        return
    if path.suffix != suffix:
        raise CivsimError(f"{flag} {str(path)!r} does not end in {suffix}; give it that suffix")
    if path.is_dir():
        raise CivsimError(f"{flag} {str(path)!r} is a folder; give the name of a file")
    if not path.parent.is_dir():
        raise CivsimError(f"{flag} {str(path)!r}: {str(path.parent)!r} is not a folder; create it first")


def _check_one_world(record: Path | None, worlds: int | None) -> None:
    if record is not None and worlds is not None and worlds != 1:
        raise CivsimError(
            f"--record {str(record)!r} keeps one world, not {worlds}; drop --worlds, choose it by --first"
        )


def _recorder(world: World) -> GameRecorder:
    from civsim.scenarios.recordings.recorder import GameRecorder

    if world.n_worlds != 1:
        raise CivsimError(f"--record keeps one world, and the saved game holds {world.n_worlds}; save one world alone")
    return GameRecorder(world)


def _save_recording(path: Path, recorder: GameRecorder) -> None:
    from civsim.scenarios.recordings.file import save_recording

    save_recording(recorder.recording, path)


def _restored(name: str, threads: int, settings: list[str] | None) -> World:
    if settings:
        raise ScenarioError(f"--set {settings[0]} has no effect on a saved world; drop it")
    from civsim.engine.world import World

    return World.restore(Path(name), threads=threads)


def print_outcome(world: World, played: Played, own: Collection[str] = ()) -> None:
    """Print what each seat achieved, ``own`` metrics last: means over the worlds played, ± their standard errors."""
    from rich.console import Console
    from rich.table import Table

    scenario = world.scenario
    first, last = int(played.turns.min()), int(played.turns.max())
    turn = f"turn {last}" if first == last else f"turns {first} to {last}"
    number = "1 world" if world.n_worlds == 1 else f"{world.n_worlds} worlds"
    table = Table(title=f"{scenario.name}: {number}, {turn} of {scenario.game.turns}")
    table.add_column("seat", justify="right")
    table.add_column("policy")
    shown = (*_SHOWN, *own)
    for column in shown:
        table.add_column(column.removeprefix("level_"), justify="right", no_wrap=True)
    for seat in range(world.n_civilizations):
        table.add_row(
            str(seat), scenario.seat(seat).policy.name, *(_mean(played, item, seat) for item in (*_SHOWN, *own))
        )
    console = Console()
    (console if console.is_terminal else Console(width=_WIDTH)).print(table)
    typer.echo("Means over worlds ± their standard errors; levels are means over the turns a seat lived.")


def _mean(played: Played, metric: str, seat: int) -> str:
    """Return mean ± standard error over worlds that did not fail."""
    import numpy as np

    values = played.civs[metric][:, seat]
    values = values[np.isfinite(values)]
    if not len(values):
        return "-"
    if len(values) == 1:
        return _number(values[0])
    return f"{_number(values.mean())} ± {_number(values.std(ddof=1) / np.sqrt(len(values)))}"


def _number(value: float) -> str:
    """Return a number with three digits that count, and no exponent where it is large."""
    return f"{value:,.0f}" if abs(value) >= _WHOLE else f"{value:.3g}"
