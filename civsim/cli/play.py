"""``civsim run``: a few worlds, played to the end, and what each seat achieved."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from civsim.base.constants import CHANNEL_NAMES
from civsim.base.errors import CivsimError, ScenarioError

if TYPE_CHECKING:
    from civsim.engine.world import World
    from civsim.scenarios.games import Played
    from civsim.scenarios.recordings.recorder import GameRecorder

_LARGEST = 4 * 2**30
_SHOWN = ("welfare", "output", "survived", "cells", *(f"level_{name}" for name in CHANNEL_NAMES))
_SAVED, _RECORDED = ".npz", ".rec"
_WORLDS = 8
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
) -> None:
    """Play a few worlds and show what each seat achieved."""
    check_target("--save", save, _SAVED)
    check_target("--out", out, ".csv")
    check_target("--record", record, _RECORDED)
    _check_one_world(record, worlds)
    from civsim.cli.settings import usable_cores
    from civsim.scenarios.games import play_on

    count = usable_cores() if threads is None else threads
    if name.endswith(_SAVED):
        world = _restored(name, count, settings)
    else:
        number = worlds if worlds is not None else _WORLDS if record is None else 1
        world = _new(name, number, first, seed, count, settings)
    recorder = None if record is None else _recorder(world)
    played = play_on(world, turns=turns)
    print_outcome(world, played)
    if record is not None and recorder is not None:
        _save_recording(record, recorder)
    if save is not None:
        world.save(save)
        typer.echo(f"saved {save}")
    if out is not None:
        _write_csv(out, world, played)
        typer.echo(f"wrote {out}")
    failed = [error for error in played.errors if error]
    if failed:
        raise CivsimError(f"{len(failed)} of {world.n_worlds} worlds failed: {failed[0]}; try other settings")


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
    typer.echo(f"recorded {path}, {path.stat().st_size / 1000:.1f} kB")


def _new(name: str, worlds: int, first: int, seed: int, threads: int, settings: list[str] | None) -> World:
    from civsim.cli.settings import with_settings
    from civsim.engine.state import bytes_per_world
    from civsim.scenarios import load_scenario

    scenario = with_settings(load_scenario(name), settings or [])
    needed = worlds * bytes_per_world(scenario)
    if needed > _LARGEST:
        most = _LARGEST // bytes_per_world(scenario)
        raise ScenarioError(f"--worlds {worlds} needs {needed / 2**30:.1f} GiB; give at most {most}, or use a study")
    if first + worlds > 2**32:
        raise ScenarioError(f"--first {first} with {worlds} worlds passes 2**32; lower one")
    # The engine is imported only for a scenario that can be played.
    from civsim.agents import seat_policies
    from civsim.engine.world import World

    seat_policies(scenario)
    return World(scenario, world_ids=range(first, first + worlds), seed=seed, threads=threads)


def _restored(name: str, threads: int, settings: list[str] | None) -> World:
    if settings:
        raise ScenarioError(f"--set {settings[0]} has no effect on a saved world; drop it")
    from civsim.engine.world import World

    return World.restore(Path(name), threads=threads)


def print_outcome(world: World, played: Played) -> None:
    """Print what each seat achieved: means over the worlds played, ± their standard errors."""
    from rich.console import Console
    from rich.table import Table

    scenario = world.scenario
    turn = int(world.state.turn.max())
    number = "1 world" if world.n_worlds == 1 else f"{world.n_worlds} worlds"
    table = Table(title=f"{scenario.name}: {number}, turn {turn} of {scenario.game.turns}")
    table.add_column("seat", justify="right")
    table.add_column("policy")
    for column in _SHOWN:
        table.add_column(column.removeprefix("level_"), justify="right", no_wrap=True)
    for seat in range(world.n_civilizations):
        table.add_row(str(seat), scenario.seat(seat).policy.name, *(_mean(played, item, seat) for item in _SHOWN))
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


def _write_csv(path: Path, world: World, played: Played) -> None:
    from civsim.base.files import write_text
    from civsim.scenarios.games import METRICS

    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["scenario", "seed", "world_id", "seat", "policy", "error", *METRICS])
    for row, world_id in enumerate(played.world_ids):
        for seat in range(world.n_civilizations):
            numbers = [repr(float(played.civs[metric][row, seat])) for metric in METRICS]
            policy = world.scenario.seat(seat).policy.name
            start = [world.scenario.name, world.seed, int(world_id), seat, policy, played.errors[row]]
            writer.writerow([*start, *numbers])
    write_text(path, text.getvalue())
