"""``civsim evaluate``: policies on held-out worlds, beside others on the same worlds."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from civsim.base.constants import PHYSICAL, Category
from civsim.calls.evaluate import ALL, WORLDS

if TYPE_CHECKING:
    from civsim.analysis.learning.evaluation import EvaluationTables
    from civsim.base.scenario import Scenario

SHOWN = tuple(category.name.lower() for category in (Category.CONSUMPTION, *PHYSICAL))


def evaluate(
    runs: Annotated[
        list[str], typer.Argument(metavar="RUN...", help="Run folders, checkpoint folders or policy names.")
    ],
    scenario: Annotated[str | None, typer.Option("--scenario", help="The game; by default the runs' own.")] = None,
    worlds: Annotated[int, typer.Option("--worlds", min=2, max=10**6, help="Held-out worlds.")] = WORLDS,
    against: Annotated[str, typer.Option("--against", help="Policies to compare with, by commas, or all.")] = ALL,
    out: Annotated[Path | None, typer.Option("--out", help="Folder for tables and figures.")] = None,
    seed: Annotated[int, typer.Option("--seed", min=0, max=2**64 - 1, help="Study seed of the worlds.")] = 0,
    seat: Annotated[str, typer.Option("--seat", help="Seat that is judged: a number, or rotate.")] = "rotate",
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
    """Judge policies on worlds no training met.

    One seat of every world is judged; the others play what the scenario names. Runs that differ in their training
    seed alone are pooled: intervals then cover both worlds and seeds. Checkpoints of one run stay apart.
    """
    from civsim.calls.evaluate import evaluate as judge
    from civsim.calls.players import check_out
    from civsim.cli.players import games_bar
    from civsim.cli.settings import parse_seat, parse_settings

    check_out(out)
    with games_bar(progress) as begin:
        found = judge(
            runs,
            scenario,
            worlds=worlds,
            against=ALL if against == ALL else [name.strip() for name in against.split(",") if name.strip()],
            seed=seed,
            seat=parse_seat(seat),
            threads=threads,
            settings=parse_settings(settings or []),
            begin=begin,
        )
    paths = []
    if out is not None:
        options = {"--scenario": (scenario, None), "--worlds": (worlds, WORLDS), "--against": (against, ALL),
                   "--seed": (seed, 0), "--seat": (seat, "rotate")}  # fmt: skip
        paths = found.write(out, _command(runs, out, options, settings or []))
    _show(found.scenario, found.tables, worlds, seed)
    for path in paths:
        typer.echo(str(path))


def _command(runs: Sequence[str], out: Path, options: dict[str, tuple[Any, Any]], settings: Sequence[str]) -> str:
    """Return the command line that makes these results; options left at their default are left out."""
    given = [text for flag, (value, usual) in options.items() if value != usual for text in (flag, str(value))]
    changed = [text for pair in settings for text in ("--set", pair)]
    return shlex.join(["civsim", "evaluate", *runs, *given, *changed, "--out", str(out)])


def _show(scenario: Scenario, tables: EvaluationTables, worlds: int, seed: int) -> None:
    from civsim.analysis.statistics.resample import LEVEL
    from civsim.cli.players import number, percent, print_table, within

    goal = scenario.game.objective
    rows = [
        [row["policy"], str(row["runs"]), within(row["iqm"], row["iqm_low"], row["iqm_high"]),
         within(row["mean"], row["mean_low"], row["mean_high"]),
         percent(row["share_cognition"], row["share_cognition_low"], row["share_cognition_high"]),
         *(percent(row[f"share_{name}"]) for name in SHOWN)]
        for row in tables.summary.to_dict("records")
    ]  # fmt: skip
    header = [
        "policy",
        "runs",
        f"{goal}, IQM",
        "mean",
        "cognition",
        *SHOWN,
    ]
    print_table(f"{scenario.name}: {worlds} held-out worlds, study seed {seed}", header, rows)
    rows = [
        [row["policy"], row["other"], within(row["difference"], row["low"], row["high"], sign=True),
         f"{number(row['improvement'])} [{number(row['improvement_low'])}, {number(row['improvement_high'])}]"]
        for row in tables.comparisons.to_dict("records")
    ]  # fmt: skip
    print_table("On the same worlds", ["policy", "against", "difference", "probability of improvement"], rows)
    pooled = (tables.summary["judged"] & (tables.summary["runs"] > 1)).any()
    unit = "worlds and training runs" if pooled else "worlds (another training seed may differ by more)"
    typer.echo(f"Intervals {LEVEL:.0%}, over {unit}; not corrected for being many. Shares are of all spending.")
