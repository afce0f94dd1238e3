"""``civsim tune``: search the settings of training."""

from __future__ import annotations

import math
import shlex
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from civsim.agents.tune import Trial, TuneReport

_SEED_LIMIT = 2**32 - 1
_SHOWN = 5
_DIGITS = 4


def tune(
    name: Annotated[str, typer.Argument(metavar="SCENARIO", help="A scenario's name, or a TOML file.")],
    storage: Annotated[
        Path, typer.Option("--storage", help="File of the study, .db (SQLite) or .journal; gone on with if there.")
    ],
    trials: Annotated[int, typer.Option("--trials", min=1, help="Trials in all, those already there included.")] = 50,
    steps: Annotated[int, typer.Option("-n", "--steps", min=1, help="Turns of experience a training.")] = 200_000,
    seeds: Annotated[int, typer.Option("--seeds", min=1, help="Trainings a trial, each from its own seed.")] = 3,
    worlds: Annotated[int, typer.Option("--worlds", min=1, help="Validation worlds.")] = 64,
    seed: Annotated[int, typer.Option("--seed", min=0, max=_SEED_LIMIT, help="Seed of the study.")] = 0,
    threads: Annotated[int, typer.Option("--threads", min=1, help="Threads of the engine.")] = 1,
    params: Annotated[
        list[str] | None,
        typer.Option("-params", "--params", metavar="KEY:VALUE", help="A setting that is given and not searched."),
    ] = None,
    settings: Annotated[
        list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="Change the scenario, by dotted path.")
    ] = None,
    progress: Annotated[
        bool | None, typer.Option("--progress/--no-progress", help="A line a trial; by default on a terminal.")
    ] = None,
) -> None:
    """Search the settings that learn most, resumable."""
    from civsim.cli.settings import parse_params, with_settings
    from civsim.scenarios import load_scenario

    scenario = with_settings(load_scenario(name), settings or [])
    fixed = parse_params(params or [])
    from civsim.agents.tune import TuneSettings
    from civsim.agents.tune import tune as search

    chosen = TuneSettings(trials, steps, seeds, worlds, seed, threads, fixed)
    shown = sys.stderr.isatty() if progress is None else progress
    report = search(scenario, storage, chosen, report=_show if shown else None)
    _print(report, scenario.game.objective)
    for best in report.best():
        typer.echo(_command(name, steps, settings or [], {**fixed, **best.settings}))
    if report.interrupted:
        raise KeyboardInterrupt


def _show(trial: Trial) -> None:
    print(_line(trial), file=sys.stderr, flush=True)


def _line(trial: Trial) -> str:
    """Return a trial in words."""
    end = "failed" if trial.error else "given up" if trial.pruned else "done"
    text = f"trial {trial.number} {end}"
    if not math.isnan(trial.mean):
        text += f", mean {trial.mean:.{_DIGITS}g} over {len(trial.scores)} seeds, {trial.cpu_seconds:.1f} CPU-s"
    return f"{text}: {' '.join(f'{key}:{_text(value)}' for key, value in trial.settings.items())}"


def _print(report: TuneReport, objective: str) -> None:
    pruned = sum(trial.pruned and not trial.error for trial in report.trials)
    failed = sum(bool(trial.error) for trial in report.trials)
    typer.echo(f"{len(report.trials)} trials ({report.kept} kept), {pruned} given up, {failed} failed")
    best = report.best(_SHOWN)
    if best:
        typer.echo(f"the best by mean {objective} on validation worlds:")
    for trial in best:
        typer.echo(
            f"  trial {trial.number}: mean {trial.mean:.{_DIGITS}g} over {len(trial.scores)} seeds, "
            f"{trial.cpu_seconds:.1f} CPU-seconds a training, {trial.per_cpu_second:.3g} a CPU-second"
        )


def _command(name: str, steps: int, settings: list[str], chosen: Mapping[str, Any]) -> str:
    """Return the command line that trains with these settings."""
    words = ["civsim", "train", name, "--out", "RUN", "-n", str(steps)]
    for pair in settings:
        words += ["--set", pair]
    for key, value in chosen.items():
        words += ["-params", f"{key}:{_text(value)}"]
    return shlex.join(words)


def _text(value: Any) -> str:
    """Return a value as ``-params`` reads it: TOML."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list | tuple):
        return f"[{','.join(_text(one) for one in value)}]"
    return str(value)
