"""``civsim ceiling``: what perfect thought about a seat's next orders would be worth."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from civsim.base.errors import CivsimError

if TYPE_CHECKING:
    import pandas as pd

    from civsim.base.scenario import Scenario
    from civsim.scenarios.ceiling import Ceiling
    from civsim.scenarios.effort import Effort

WELFARE = "welfare"
"""The objective that log points are of."""


def ceiling(
    name: Annotated[str, typer.Argument(metavar="SCENARIO", help="A scenario's name, or the path of a TOML file.")],
    seat: Annotated[int, typer.Option("--seat", min=0, help="The seat whose orders are improved.")] = 0,
    worlds: Annotated[int, typer.Option("--worlds", min=2, max=10**6, help="How many worlds.")] = 16,
    first: Annotated[int, typer.Option("--first", min=0, help="Id of the first world.")] = 0,
    seed: Annotated[int, typer.Option("--seed", min=0, max=2**64 - 1, help="Study seed.")] = 0,
    candidates: Annotated[
        int, typer.Option("--candidates", min=0, help="Claims and attacks tried a turn, beside the planner's.")
    ] = 4,
    samples: Annotated[int, typer.Option("--samples", min=2, help="Draws of luck for each at first.")] = 4,
    most_samples: Annotated[
        int, typer.Option("--most-samples", min=2, help="Draws of luck for those that may yet be better, at most.")
    ] = 64,
    risk: Annotated[
        float, typer.Option("--risk", help="Chance that any change of orders in a world is for no better, at most.")
    ] = 0.05,
    checks: Annotated[int, typer.Option("--checks", min=2, help="Draws that tell what a change is worth.")] = 32,
    turns: Annotated[
        int | None,
        typer.Option("--turns", min=0, help="Turns improved, from the first; by default 30, where nearly all lies."),
    ] = None,
    out: Annotated[Path | None, typer.Option("--out", help="Folder that keeps every world's result.")] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Keep what is in --out and play what is missing.")] = False,
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
    """Try a seat's orders in the game itself, and show how far its planner stands below the best of them.

    Every turn the planner's orders are set beside others, and each is played to the end against the rivals' planners
    under luck drawn anew. What is established to be better on average is given in the true world; more luck is drawn
    for those that may yet be. Nearly all that can be gained so lies in the first 20 to 30 turns.
    """
    from civsim.cli.settings import usable_cores, with_settings
    from civsim.engine.world import check_threads
    from civsim.scenarios import load_scenario
    from civsim.scenarios.effort import DEFAULT_TURNS, Effort

    if resume and out is None:
        raise CivsimError("--resume goes on with a folder, but --out names none; add --out")
    scenario = with_settings(load_scenario(name), settings or [])
    length = min(DEFAULT_TURNS, scenario.game.turns) if turns is None else turns
    effort = Effort(seat, candidates, samples, length, most_samples, risk, checks)
    count = usable_cores() if threads is None else threads
    check_threads(count)
    ids = range(first, first + worlds)
    asked = _command(name, effort, ids, seed, settings or [], out)
    found = _run(scenario, ids, seed, effort, (out, resume, count, asked), progress)
    _show(scenario, effort, found)
    if out is not None:
        typer.echo(f"results in {out}")


def _command(name: str, effort: Effort, ids: range, seed: int, settings: list[str], out: Path | None) -> str:
    """Return the command line that finds these results."""
    given = effort._asdict() | {"worlds": len(ids), "first": ids[0], "seed": seed}
    options = [text for flag, value in given.items() for text in (f"--{flag.replace('_', '-')}", str(value))]
    options += [text for pair in settings for text in ("--set", pair)]
    return shlex.join(["civsim", "ceiling", name, *options, *(() if out is None else ("--out", str(out)))])


def _run(
    scenario: Scenario,
    ids: range,
    seed: int,
    effort: Effort,
    where: tuple[Path | None, bool, int, str],
    progress: bool | None,
) -> Ceiling:
    from civsim.cli.progress import progress_bar
    from civsim.scenarios.ceiling import run_ceiling

    out, resume, threads, command = where
    with progress_bar(scenario.name, "turns of worlds", None, progress) as bar:
        return run_ceiling(
            scenario,
            ids,
            seed,
            effort,
            out=out,
            resume=resume,
            threads=threads,
            report=bar.advance,
            started=bar.begin,
            command=command,
        )


def _show(scenario: Scenario, effort: Effort, found: Ceiling) -> None:
    from civsim.scenarios.ceiling import ceiling_tables

    goal = scenario.game.objective
    worlds, decisions = ceiling_tables(found.worlds, goal)
    _show_worlds(scenario, effort, worlds, decisions)
    if effort.turns:
        _show_turns(scenario, effort, worlds, decisions)
    played = len(found.worlds) - found.kept
    typer.echo(
        f"{found.seconds:.0f} CPU-seconds for {played} worlds, {found.kept} kept; "
        f"{int(worlds['games'].sum()):,} games tried in all."
    )


def _scale(scenario: Scenario) -> tuple[str, float]:
    """Return the unit in which differences are told as well, and what one of the objective is in it; 0 for none."""
    from civsim.analysis.units import log_points

    if scenario.game.objective != WELFARE:
        return "", 0.0
    return "log points × 100 a turn", float(log_points(1.0, scenario.game.discount, scenario.game.turns))


def _signed(ends: Sequence[float], scale: float) -> str:
    """Return a difference and its interval, [value, low, high], as printed in a unit of ``scale``."""
    from civsim.cli.players import within

    value, low, high = (scale * end for end in ends)
    return within(value, low, high, sign=True)


def _show_worlds(scenario: Scenario, effort: Effort, worlds: pd.DataFrame, decisions: pd.DataFrame) -> None:
    from civsim.analysis.ceiling import ceiling_gap
    from civsim.analysis.statistics.resample import LEVEL
    from civsim.cli.players import number, print_table, within

    unit, scale = _scale(scenario)
    changed = decisions.groupby("world_id")["changed"].agg(["sum", "count"])
    rows = []
    for one in worlds.to_dict("records"):
        gain = one["ceiling"] - one["planner"]
        count = changed.loc[one["world_id"]] if one["world_id"] in changed.index else {"sum": 0, "count": 0}
        rows.append(
            [str(one["world_id"]), number(one["planner"]), number(one["ceiling"]), f"{gain:+.3g}"]
            + ([f"{scale * gain:+.1f}"] if scale else [])
            + [f"{count['sum']} of {count['count']}"]
        )
    gap = ceiling_gap(worlds)
    ends = [gap[key] for key in ("difference", "low", "high")]
    both = [within(gap[key], gap[f"{key}_low"], gap[f"{key}_high"]) for key in ("planner", "ceiling")]
    told = [_signed(ends, scale)] if scale else []
    mean = ["mean", *both, _signed(ends, 1.0), *told, f"{decisions['changed'].sum() / len(worlds):.1f} a world"]
    title = f"{scenario.name}, seat {effort.seat}: {scenario.game.objective} of {scenario.game.turns} turns"
    header = ["world", "planner", "ceiling", "difference", *([unit] if scale else []), "turns changed"]
    print_table(title, header, [*rows, mean])
    typer.echo(
        f"Intervals {LEVEL:.0%}, whole worlds resampled. The planner's games and the ceiling's share their luck."
    )
    gap = ceiling_gap(worlds.assign(ceiling=worlds["planner"] + worlds["worth"]))
    ends = [gap[key] for key in ("difference", "low", "high")]
    also = f" ({_signed(ends, scale)} {unit})" if scale else ""
    typer.echo(f"On average over luck that chose nothing, the changes are worth {_signed(ends, 1.0)} a world{also}.")


def _show_turns(scenario: Scenario, effort: Effort, worlds: pd.DataFrame, decisions: pd.DataFrame) -> None:
    from civsim.analysis.ceiling import ceiling_turns
    from civsim.cli.players import print_table

    unit, scale = _scale(scenario)
    factor = scale or 1.0
    rows = [
        [f"{int(one['first'])}–{int(one['last'])}", f"{one['decisions']:.1f}", f"{one['changed']:.1f}",
         _signed([one[key] for key in ("earned", "low", "high")], factor),
         f"{factor * one['worth']:+.3g}", f"{factor * one['promised']:+.3g}"]
        for one in ceiling_turns(worlds, decisions, effort.turns).to_dict("records")
    ]  # fmt: skip
    title = f"By turn, a world ({unit or scenario.game.objective})"
    print_table(title, ["turns", "choices", "changed", "earned", "worth on average", "promised in the trials"], rows)
    typer.echo(
        f"An order is changed where it is established to pay; the risk that any is not is {effort.risk:.2g} a world."
    )
    typer.echo("Earnings add up to the difference. Promises are biased up, since the largest were kept.")
