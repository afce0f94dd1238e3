"""``civsim tournament``: policies against each other, rated."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from civsim.calls.tournament import ANCHOR, WORLDS

if TYPE_CHECKING:
    from civsim.calls.tournament import Ratings


def tournament(
    policies: Annotated[list[str], typer.Argument(metavar="POLICY...", help="Policy names, runs or checkpoints.")],
    scenario: Annotated[
        str | None, typer.Option("--scenario", help="The game; by default the one all were trained on.")
    ] = None,
    worlds: Annotated[
        int, typer.Option("--worlds", min=2, max=10**6, help="Held-out worlds, each played once for every seat.")
    ] = WORLDS,
    anchor: Annotated[str, typer.Option("--anchor", help="Policy whose rating is 0; it plays too.")] = ANCHOR,
    out: Annotated[Path | None, typer.Option("--out", help="Folder for tables and the figure.")] = None,
    seed: Annotated[int, typer.Option("--seed", min=0, max=2**64 - 1, help="Study seed of the worlds.")] = 0,
    threads: Annotated[
        int | None, typer.Option("--threads", min=1, help="Threads, by default one a core; they change no result.")
    ] = None,
    settings: Annotated[
        list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="Change a setting, by dotted path.")
    ] = None,
    progress: Annotated[
        bool | None, typer.Option("--progress/--no-progress", help="Progress bar; by default on a terminal.")
    ] = None,
) -> None:
    """Rate policies by games against each other.

    In every world the seats go to policies of the field, each pair meeting about equally often, and the world is played
    once for every seat, the players moving on by one. Ratings are Plackett-Luce strengths in Elo.
    """
    from civsim.calls.players import check_out
    from civsim.calls.tournament import tournament as rate
    from civsim.cli.players import games_bar
    from civsim.cli.settings import parse_settings

    check_out(out)
    with games_bar(progress) as begin:
        found = rate(
            policies,
            scenario,
            worlds=worlds,
            anchor=anchor,
            seed=seed,
            threads=threads,
            settings=parse_settings(settings or []),
            begin=begin,
        )
    paths = []
    if out is not None:
        options = {"--scenario": (scenario, None), "--worlds": (worlds, WORLDS), "--anchor": (anchor, ANCHOR),
                   "--seed": (seed, 0)}  # fmt: skip
        paths = found.write(out, _command(policies, out, options, settings or []))
    _show(found)
    for path in paths:
        typer.echo(str(path))


def _command(policies: Sequence[str], out: Path, options: dict[str, tuple[Any, Any]], settings: Sequence[str]) -> str:
    """Return the command line that makes these results; options left at their default are left out."""
    given = [text for flag, (value, usual) in options.items() if value != usual for text in (flag, str(value))]
    changed = [text for pair in settings for text in ("--set", pair)]
    return shlex.join(["civsim", "tournament", *policies, *given, *changed, "--out", str(out)])


def _show(result: Ratings) -> None:
    from civsim.analysis.statistics.resample import LEVEL
    from civsim.cli.players import number, print_table

    apart = result.ratings["group"].nunique() > 1
    rows = [
        [f"{place} {row['policy']}", f"{row['elo']:.0f} [{row['low']:.0f}, {row['high']:.0f}]",
         f"{row['mean_rank']:.2f}", str(row["games"]), *([str(row["group"])] if apart else [])]
        for place, row in enumerate(result.ratings.to_dict("records"), start=1)
    ]  # fmt: skip
    header = ["policy", "rating (Elo)", "mean rank", "seats played", *(["group"] if apart else [])]
    game = result.scenario.game
    title = (
        f"{result.scenario.name}: {result.worlds} held-out worlds × {game.civilizations} seatings, "
        f"study seed {result.seed}"
    )
    print_table(title, header, rows)
    names = result.ratings["policy"].tolist()
    found = {(row["policy"], row["other"]): row for row in result.payoffs.to_dict("records")}
    wins, gaps = [], []
    for place, name in enumerate(names, start=1):
        pairs = [found.get((name, other)) for other in names]
        wins.append([f"{place} {name}", *("" if one is None else _share(one) for one in pairs)])
        gaps.append([f"{place} {name}", *("" if one is None else number(one["difference"]) for one in pairs)])
    numbers = [str(place) for place in range(1, len(names) + 1)]
    print_table("Meetings won by the row's policy (%); * interval clear of a half", ["policy", *numbers], wins)
    print_table(f"Mean difference in {game.objective}, row less column", ["policy", *numbers], gaps)
    for a, b, c in result.cycles:
        typer.echo(f"Cycle: {a} beats {b}, {b} beats {c}, {c} beats {a}, each with its interval above a half.")
    if not result.cycles:
        typer.echo("No three policies beat each other in a circle with intervals above a half.")
    if apart:
        typer.echo(
            "No policy did as well as one of a smaller group number that it met: by how much they differ is the "
            "prior's word (one drawn game of each against a phantom), not the results'."
        )
    typer.echo(f"Intervals {LEVEL:.0%}, over worlds; not corrected for being many.")


def _share(pair: dict[str, Any]) -> str:
    star = "*" if pair["low"] > 0.5 or pair["high"] < 0.5 else " "
    return f"{100 * pair['wins']:.0f}{star}"
