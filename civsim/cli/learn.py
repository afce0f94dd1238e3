"""``civsim train``: a first learned allocation policy."""

from __future__ import annotations

import math
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from civsim.base.errors import CheckpointError

if TYPE_CHECKING:
    from civsim.agents.evaluate import Comparison

_SEED_LIMIT = 2**32 - 1


def train(
    name: Annotated[str, typer.Argument(metavar="SCENARIO", help="A scenario's name, or a TOML file.")],
    out: Annotated[Path, typer.Option("--out", help="New folder for the policy, its evaluation and its logs.")],
    algorithm: Annotated[str | None, typer.Option("--algo", help="Learning algorithm: ppo.")] = None,
    steps: Annotated[int | None, typer.Option("-n", "--steps", min=1, help="Turns of experience.")] = None,
    seed: Annotated[int | None, typer.Option("--seed", min=0, max=_SEED_LIMIT, help="Training seed.")] = None,
    seat: Annotated[str | None, typer.Option("--seat", help="The learner's seat, or rotate.")] = None,
    worlds: Annotated[int | None, typer.Option("--worlds", min=1, help="Worlds played at once.")] = None,
    rollout: Annotated[int | None, typer.Option("--rollout", min=1, help="Turns between updates.")] = None,
    batch: Annotated[int | None, typer.Option("--batch", min=2, help="Turns in a minibatch.")] = None,
    epochs: Annotated[int | None, typer.Option("--epochs", min=1, help="Passes over what was played.")] = None,
    rate: Annotated[float | None, typer.Option("--lr", help="Learning rate.")] = None,
    evaluation: Annotated[int | None, typer.Option("--evaluate", min=0, help="Held-out worlds to compare on.")] = None,
    threads: Annotated[int | None, typer.Option("--threads", min=1, help="Threads of the engine.")] = None,
    device: Annotated[str | None, typer.Option("--device", help="Where the network learns: cpu.")] = None,
    settings: Annotated[
        list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="Change a setting, by dotted path.")
    ] = None,
    progress: Annotated[
        bool | None, typer.Option("--progress/--no-progress", help="Report as it learns; by default on a terminal.")
    ] = None,
) -> None:
    """Train a policy, compare it on unmet worlds."""
    from civsim.cli.settings import with_settings
    from civsim.scenarios import load_scenario

    scenario = with_settings(load_scenario(name), settings or [])
    given: dict[str, Any] = {
        "algorithm": algorithm,
        "steps": steps,
        "seed": seed,
        "seat": _seat(seat),
        "worlds": worlds,
        "rollout": rollout,
        "batch": batch,
        "epochs": epochs,
        "learning_rate": rate,
        "evaluation_worlds": evaluation,
        "threads": threads,
        "device": device,
    }
    from civsim.agents.train import train as train_policy
    from civsim.agents.train import train_settings

    chosen = train_settings(**{key: value for key, value in given.items() if value is not None})
    shown = sys.stderr.isatty() if progress is None else progress
    report = train_policy(scenario, out, chosen, _report if shown else None)
    typer.echo(f"{report.steps} turns in {report.episodes} episodes; policy in {report.folder}")
    for comparison in report.comparisons:
        typer.echo(_line(comparison))


def _seat(text: str | None) -> int | str | None:
    """Return a seat as the settings take it: a number or ``rotate``."""
    if text is None or text == "rotate":
        return text
    if not (text.isascii() and text.isdecimal()):
        raise CheckpointError(f"--seat {text!r} is neither a number nor rotate; give one of them")
    return int(text)


def _report(done: int, total: int, mean_return: float) -> None:
    """Show how far training is, on one line of stderr."""
    mean = "-" if math.isnan(mean_return) else f"{mean_return:.3f}"
    print(f"\r{done}/{total} turns, mean return {mean} ", end="" if done < total else "\n", file=sys.stderr, flush=True)


def _line(comparison: Comparison) -> str:
    """Return one comparison in words."""
    return (
        f"against {comparison.opponent:<10} {comparison.difference:+.4g} "
        f"[{comparison.low:+.4g}, {comparison.high:+.4g}] over {comparison.worlds} held-out worlds (95 %), "
        f"better in {comparison.better:.0%}"
    )
