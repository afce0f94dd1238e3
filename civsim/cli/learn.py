"""``civsim train``: learn an allocation policy."""

from __future__ import annotations

import math
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from civsim.agents.training.run import TrainReport

_SEED_LIMIT = 2**32 - 1
_STOPPED = 130


ScenarioName = Annotated[str, typer.Argument(metavar="SCENARIO", help="A scenario's name, or a TOML file.")]
Out = Annotated[Path | None, typer.Option("--out", "-f", help="Run folder; out/train/SCENARIO-ALGO-SEED if left out.")]
Algorithm = Annotated[str, typer.Option("--algo", help="Learning algorithm: ppo, a2c, sac or td3.")]
Steps = Annotated[int | None, typer.Option("-n", "--n-timesteps", "--steps", min=1, help="Turns of experience.")]
Seed = Annotated[int | None, typer.Option("--seed", min=0, max=_SEED_LIMIT, help="Training seed.")]
PolicyHead = Annotated[str | None, typer.Option("--policy", help="Head of the network: softmax or dirichlet.")]
Start = Annotated[str | None, typer.Option("--start", help="First shares: uniform, or fixed (5 % thinking).")]
Worlds = Annotated[int | None, typer.Option("--worlds", min=1, help="Worlds played at once.")]
Learners = Annotated[int | None, typer.Option("--learners", min=1, help="Seats of a world that learn.")]
Seat = Annotated[str | None, typer.Option("--seat", help="The learner's seat, or rotate.")]
RivalKind = Annotated[
    str | None, typer.Option("--rivals", help="Who plays the other seats: scenario, or league (self-play).")
]
EvalFreq = Annotated[int | None, typer.Option("--eval-freq", min=0, help="Turns between evaluations; 0 for none.")]
EvalEpisodes = Annotated[int | None, typer.Option("--eval-episodes", min=2, help="Worlds of an evaluation.")]
SaveFreq = Annotated[
    int | None, typer.Option("--save-freq", min=0, help="Turns between checkpoints; 0 for the end only.")
]
Resume = Annotated[bool, typer.Option("--resume", help="Go on with the run in the folder, if there is one.")]
Params = Annotated[
    list[str] | None,
    typer.Option("-params", "--hyperparams", metavar="KEY:VALUE", help="Set a hyperparameter; may be repeated."),
]
TensorBoard = Annotated[
    Path | None, typer.Option("--tensorboard-log", help="Folder for TensorBoard; in the run folder if left out.")
]
Device = Annotated[str | None, typer.Option("--device", help="Where the network learns: cpu, cuda or auto.")]
Threads = Annotated[int | None, typer.Option("--threads", min=1, help="Threads of the engine.")]
Settings = Annotated[
    list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="Change the scenario, by dotted path.")
]
Progress = Annotated[
    bool | None, typer.Option("-P/--no-progress", "--progress", help="Show a bar; by default on a terminal.")
]


def train(
    name: ScenarioName,
    out: Out = None,
    algorithm: Algorithm = "ppo",
    steps: Steps = None,
    seed: Seed = None,
    policy: PolicyHead = None,
    start: Start = None,
    worlds: Worlds = None,
    learners: Learners = None,
    seat: Seat = None,
    rivals: RivalKind = None,
    eval_freq: EvalFreq = None,
    eval_episodes: EvalEpisodes = None,
    save_freq: SaveFreq = None,
    resume: Resume = False,
    params: Params = None,
    tensorboard: TensorBoard = None,
    device: Device = None,
    threads: Threads = None,
    settings: Settings = None,
    progress: Progress = None,
) -> None:
    """Learn an allocation policy with Stable-Baselines3."""
    from civsim.calls.learn import train as train_policy
    from civsim.cli.progress import progress_bar
    from civsim.cli.settings import parse_params, parse_seat, parse_settings

    given: dict[str, Any] = {
        "steps": steps,
        "seed": seed,
        "policy": policy,
        "start": start,
        "worlds": worlds,
        "learners": learners,
        "seat": None if seat is None else parse_seat(seat),
        "rivals": rivals,
        "eval_freq": eval_freq,
        "eval_episodes": eval_episodes,
        "save_freq": save_freq,
        "device": device,
        "threads": threads,
    }
    named = {key: value for key, value in given.items() if value is not None}
    chosen = {**named, **parse_params(params or [], {"algorithm", *named})}
    with progress_bar(f"train {name}", "turns", None, progress) as bar:

        def show(done: int, total: int, mean: float) -> None:
            bar.begin(total, done)
            bar.advance_to(done, "" if math.isnan(mean) else f"mean objective {mean:.3f}")

        options = {"resume": resume, "tensorboard": tensorboard, "progress": show, "command": sys.argv, **chosen}
        report = train_policy(name, out, algorithm=algorithm, settings=parse_settings(settings or []), **options)
    _tell(report)


def _tell(report: TrainReport) -> None:
    """Say what was learnt from how much, and what to do next.

    Raises:
        typer.Exit: the training was interrupted; it is saved.
    """
    if report.note:
        typer.echo(f"civsim: {report.note}", err=True)
    size = f"{report.steps} turns in {report.episodes} episodes, {report.cpu_seconds:.0f} CPU-seconds"
    typer.echo(f"{size}; run in {report.folder}")
    if not report.finished:
        typer.echo("stopped and saved; the same command with --resume goes on", err=True)
        raise typer.Exit(_STOPPED)
    typer.echo(f"judge it on worlds it never met: civsim evaluate {report.folder}")
