"""``civsim evaluate``: policies on held-out worlds, beside others on the same worlds."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from civsim.base.constants import PHYSICAL, Category
from civsim.base.errors import CheckpointError

if TYPE_CHECKING:
    import pandas as pd

    from civsim.agents import Policy
    from civsim.analysis.learning.evaluation import EvaluationTables
    from civsim.analysis.learning.learning_curves import CurveTables
    from civsim.base.scenario import Scenario
    from civsim.cli.players import Kind

GAMES, SUMMARY = "evaluation.csv", "evaluation.json"
ALL = "all"
SHOWN = tuple(category.name.lower() for category in (Category.CONSUMPTION, *PHYSICAL))


def evaluate(
    runs: Annotated[
        list[str], typer.Argument(metavar="RUN...", help="Run folders, checkpoint folders or policy names.")
    ],
    scenario: Annotated[str | None, typer.Option("--scenario", help="The game; by default the runs' own.")] = None,
    worlds: Annotated[int, typer.Option("--worlds", min=2, max=10**6, help="Held-out worlds.")] = 200,
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
    from civsim.cli.players import check_out, find_players, group_kinds, make_player, shared_scenario
    from civsim.cli.settings import parse_seat, usable_cores
    from civsim.faces.seating import check_seat

    check_out(out)
    judged = find_players(runs)
    others = [player for player in find_players(_names(against)) if player.name not in [one.name for one in judged]]
    kinds = group_kinds(judged)
    game = shared_scenario(scenario, settings or [], judged)
    focal = check_seat(game, parse_seat(seat))
    everyone = [*kinds, *group_kinds(others, kinds)]
    if len(everyone) == len(kinds) == 1:
        raise CheckpointError(f"--against {against!r} leaves nobody to compare with; name another policy")
    players = {player.name: make_player(player, game) for kind in everyone for player in kind.members}
    options = {"seed": seed, "seat": focal, "threads": usable_cores() if threads is None else threads}
    games = _play(game, everyone, players, worlds, options, progress)
    from civsim.analysis.learning.evaluation import evaluation_tables

    tables = evaluation_tables(games, game.game.objective, [kind.label for kind in kinds])
    _show(game, tables, worlds, seed)
    if out is None:
        return
    facts = {
        "command": _command(runs, out, {"--scenario": (scenario, None), "--worlds": (worlds, 200),
                                        "--against": (against, ALL), "--seed": (seed, 0), "--seat": (seat, "rotate")},
                            settings or []),
        "seed": seed,
        "seat": focal,
        "worlds": worlds,
    }  # fmt: skip
    for path in _write(out, game, kinds, everyone, games, tables, facts):
        typer.echo(str(path))


def _names(text: str) -> list[str]:
    from civsim.agents import policy_names

    return list(policy_names()) if text == ALL else [name.strip() for name in text.split(",") if name.strip()]


def _command(runs: Sequence[str], out: Path, options: dict[str, tuple[Any, Any]], settings: Sequence[str]) -> str:
    """Return the command line that makes these results; options left at their default are left out."""
    given = [text for flag, (value, usual) in options.items() if value != usual for text in (flag, str(value))]
    changed = [text for pair in settings for text in ("--set", pair)]
    return shlex.join(["civsim", "evaluate", *runs, *given, *changed, "--out", str(out)])


def _play(
    scenario: Scenario,
    kinds: Sequence[Kind],
    players: dict[str, Policy],
    worlds: int,
    options: dict[str, Any],
    progress: bool | None,
) -> pd.DataFrame:
    """Return the games table: every policy in the focal seat of the same held-out worlds."""
    import pandas as pd

    from civsim.agents.evaluate import focal_seats, held_out, outcomes
    from civsim.analysis.learning.evaluation import games_rows
    from civsim.cli.players import games_bar

    ids = held_out(worlds)
    seats = focal_seats(scenario, ids, options["seat"])
    parts = []
    with games_bar(worlds * len(players), progress) as begin:
        for kind in kinds:
            for member in kind.members:
                found = outcomes(scenario, players[member.name], ids, report=begin(member.label), **options)
                parts.append(games_rows(kind.label, member.text, ids, seats, found.utility, found.spent))
    return pd.concat(parts, ignore_index=True)


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


def _write(
    out: Path,
    scenario: Scenario,
    kinds: Sequence[Kind],
    everyone: Sequence[Kind],
    games: pd.DataFrame,
    tables: EvaluationTables,
    facts: dict[str, Any],
) -> list[Path]:
    """Write the tables and figures into ``out``; return their paths."""
    from civsim.analysis.learning.evaluation_figures import draw_learning, draw_profile
    from civsim.analysis.style import save_figures
    from civsim.base.files import write_text

    curves = _curves(kinds)
    out.mkdir(parents=True, exist_ok=True)
    write_text(out / GAMES, games.to_csv(index=False, lineterminator="\n"))
    write_text(out / SUMMARY, _json(scenario, everyone, tables, facts))
    goal, notes = scenario.game.objective, _notes(scenario, tables, facts)
    judged = " and ".join(kind.label for kind in kinds)
    profile = partial(draw_profile, tables, goal, f"{judged} on {scenario.name}", notes)
    paths = save_figures(profile, out, "profile", {"": tables.profile}, facts["command"])
    if curves is not None:
        learning = partial(draw_learning, curves, goal, _curve_notes(curves))
        csvs = {"": curves.evaluations, "training": curves.training}
        paths += save_figures(learning, out, "learning", csvs, facts["command"])
    return [out / GAMES, out / SUMMARY, *paths]


def _curves(kinds: Sequence[Kind]) -> CurveTables | None:
    """Return the learning curves of the kinds whose every run holds evaluations, or None."""
    from civsim.analysis.learning.learning_curves import curve_tables, has_evaluations

    held = {
        kind.label: [member.folder for member in kind.members if member.folder is not None]
        for kind in kinds
        if all(member.folder is not None and has_evaluations(member.folder) for member in kind.members)
    }
    return curve_tables(held) if held else None


def _notes(scenario: Scenario, tables: EvaluationTables, facts: dict[str, Any]) -> list[str]:
    from civsim.analysis.statistics.resample import DRAWS, LEVEL

    game = scenario.game
    runs = ", ".join(f"{row['policy']}: {row['runs']}" for row in tables.summary.to_dict("records") if row["judged"])
    seat = "world id modulo the number of seats" if facts["seat"] == "rotate" else f"seat {facts['seat']}"
    return [
        f"{facts['worlds']:,} held-out worlds (study seed {facts['seed']}) of {scenario.name}: {game.civilizations} "
        f"civilizations, {game.turns} turns. Judged seat: {seat}; the others play what the scenario names. "
        f"Runs: {runs}.",
        f"Bands: pointwise {LEVEL:.0%} intervals, {DRAWS:,} resamples of worlds and training runs as crossed units.",
    ]


def _curve_notes(curves: CurveTables) -> list[str]:
    from civsim.analysis.statistics.resample import DRAWS, LEVEL

    last = curves.evaluations.groupby("policy", sort=False).last()
    runs = ", ".join(f"{name}: {int(row['runs'])} × {int(row['episodes'])}" for name, row in last.iterrows())
    units = {
        "Student's t over runs, each on worlds of its own": (last["runs"] > 1).any(),
        f"{DRAWS:,} resamples of the worlds of a run that is alone": (last["runs"] == 1).any(),
    }
    return [
        f"Runs × evaluation worlds: {runs}. Bands: {LEVEL:.0%} intervals, "
        f"{'; '.join(unit for unit, there in units.items() if there)}. CPU-seconds are the mean over runs at each "
        "evaluation."
    ]


def _json(scenario: Scenario, kinds: Sequence[Kind], tables: EvaluationTables, facts: dict[str, Any]) -> str:
    import json
    from importlib.metadata import version

    from civsim.agents.evaluate import HELD_OUT_FIRST
    from civsim.analysis.statistics.resample import DRAWS, LEVEL, SEED
    from civsim.base.constants import RULES_VERSION
    from civsim.scenarios import content_hash

    summary = {
        **facts,
        "scenario": scenario.name,
        "content": content_hash(scenario),
        "objective": scenario.game.objective,
        "first_world_id": HELD_OUT_FIRST,
        "versions": {"civsim": version("civsim"), "rules": RULES_VERSION},
        "interval": {"level": LEVEL, "draws": DRAWS, "seed": SEED, "units": "worlds and training runs, crossed"},
        "runs": {kind.label: [member.text for member in kind.members] for kind in kinds},
        "summary": tables.summary.to_dict("records"),
        "comparisons": tables.comparisons.to_dict("records"),
    }
    return json.dumps(summary, indent=2, default=float) + "\n"
