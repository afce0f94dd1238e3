"""``civsim export`` and ``civsim import``: trained policies to other programs, and from Stable-Baselines3's zips."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from civsim.agents.export import Format


def export(
    source: Annotated[
        str, typer.Argument(metavar="RUN", help="A training run's or a checkpoint's folder, or zoo:NAME.")
    ],
    out: Annotated[Path, typer.Option("--out", help="File to write; ends in .npz or .onnx.")],
    kind: Annotated[
        str | None, typer.Option("--format", help="npz (played by numpy alone) or onnx; by default as --out ends.")
    ] = None,
    scenario: Annotated[
        str | None, typer.Option("--scenario", help="Whose closed categories get nothing; by default the run's own.")
    ] = None,
) -> None:
    """Write a trained policy as one file that runs without civsim and without torch."""
    from civsim.agents.export import export_policy
    from civsim.base.errors import CheckpointError
    from civsim.calls.players import find_players
    from civsim.scenarios import load_scenario

    (player,) = find_players([source])
    if player.folder is None:
        raise CheckpointError(f"policy {source!r} is no trained network; give a run, a checkpoint or zoo:NAME")
    game = None if scenario is None else load_scenario(scenario)
    path = export_policy(player.folder, out, None if kind is None else _format(kind), game)
    typer.echo(f"wrote {path}")


def import_(
    zipped: Annotated[Path, typer.Argument(metavar="ZIP", help="What model.save of Stable-Baselines3 wrote.")],
    scenario: Annotated[str, typer.Option("--scenario", help="What it was trained on: a name, or a TOML file.")],
    out: Annotated[Path, typer.Option("--out", help="New folder for the checkpoint.")],
    normalisation: Annotated[
        Path | None, typer.Option("--normalisation", help="What VecNormalize.save wrote beside it.")
    ] = None,
    trust: Annotated[
        bool, typer.Option("--trust", help="I trust whoever made these files: reading them can run code.")
    ] = False,
) -> None:
    """Make a checkpoint from a zip of Stable-Baselines3 that you trust."""
    from civsim.agents.sb3_zip import convert_sb3_zip
    from civsim.scenarios import load_scenario

    game = load_scenario(scenario)
    folder = convert_sb3_zip(zipped, out, game, trust=trust, normalisation=normalisation, warn=_warn)
    typer.echo(f"policy in {folder}; play it as file:{folder}")


def _format(kind: str) -> Format:
    from civsim.agents.export import FORMATS
    from civsim.base.errors import CheckpointError

    for known in FORMATS:
        if kind == known:
            return known
    raise CheckpointError(f"--format {kind!r} is unknown; use {' or '.join(FORMATS)}")


def _warn(text: str) -> None:
    print(f"civsim: warning: {text}", file=sys.stderr, flush=True)
