"""``civsim tournament``: policies against each other, rated."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import typer

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

    from civsim.agents.evaluate import Tournament
    from civsim.base.scenario import Scenario
    from civsim.cli.players import Player

ANCHOR = "fixed"
STEM = "tournament"


class _Result(NamedTuple):
    ratings: pd.DataFrame
    payoffs: pd.DataFrame
    cycles: list[tuple[str, str, str]]
    games: pd.DataFrame


def tournament(
    policies: Annotated[list[str], typer.Argument(metavar="POLICY...", help="Policy names, runs or checkpoints.")],
    scenario: Annotated[
        str | None, typer.Option("--scenario", help="The game; by default the one all were trained on.")
    ] = None,
    worlds: Annotated[
        int, typer.Option("--worlds", min=2, max=10**6, help="Held-out worlds, each played once for every seat.")
    ] = 50,
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
    from civsim.agents.evaluate import held_out, tournament_games
    from civsim.cli.players import check_out, find_players, games_bar, make_player, shared_scenario
    from civsim.cli.settings import usable_cores

    check_out(out)
    players = find_players(policies)
    (zero,) = find_players([anchor])
    game = shared_scenario(scenario, settings or [], players)
    if zero.name not in [player.name for player in players]:
        players.append(zero)
    made = [make_player(player, game) for player in players]
    count = usable_cores() if threads is None else threads
    with games_bar(worlds * game.game.civilizations, progress) as begin:
        played = tournament_games(game, made, held_out(worlds), seed, threads=count, report=begin(STEM))
    names = _labels(players)
    base = names[[player.name for player in players].index(zero.name)]
    result = _rate(played, names, base)
    _show(game, result, worlds, seed)
    if out is None:
        return
    options = {
        "--scenario": (scenario, None),
        "--worlds": (worlds, 50),
        "--anchor": (anchor, ANCHOR),
        "--seed": (seed, 0),
    }
    given = [text for flag, (value, usual) in options.items() if value != usual for text in (flag, str(value))]
    changed = [text for pair in settings or [] for text in ("--set", pair)]
    command = shlex.join(["civsim", "tournament", *policies, *given, *changed, "--out", str(out)])
    facts = {"command": command, "seed": seed, "worlds": worlds, "anchor": base}
    for path in _write(out, game, result, facts, players):
        typer.echo(str(path))


def _labels(players: Sequence[Player]) -> list[str]:
    """Return a name for each player, the text it was given as where two would share one."""
    labels = [player.label for player in players]
    return [player.text if labels.count(player.label) > 1 else player.label for player in players]


def _rate(played: Tournament, names: Sequence[str], anchor: str) -> _Result:
    import pandas as pd

    from civsim.analysis.learning.evaluation import OBJECTIVES, SPENDING
    from civsim.analysis.statistics.ratings import cycles, game_ranks, make_matches, payoffs, ratings

    matches = make_matches(names, played.world_ids, played.players, played.objective)
    seats = played.players.shape[1]
    games = pd.DataFrame(
        {
            "world_id": played.world_ids.repeat(seats),
            "turned": played.turned.repeat(seats),
            "seat": list(range(seats)) * len(played.world_ids),
            "policy": [names[int(place)] for place in played.players.ravel()],
            "rank": game_ranks(played.objective).ravel(),
        }
    )
    goals, spent = (table.reshape(-1, table.shape[2]).T for table in played.games)
    games = games.assign(**dict(zip(OBJECTIVES, goals, strict=True)), **dict(zip(SPENDING, spent, strict=True)))
    pairs = payoffs(matches)
    return _Result(ratings(matches, anchor), pairs, cycles(pairs), games)


def _show(scenario: Scenario, result: _Result, worlds: int, seed: int) -> None:
    from civsim.analysis.statistics.resample import LEVEL
    from civsim.cli.players import number, print_table

    apart = result.ratings["group"].nunique() > 1
    rows = [
        [f"{place} {row['policy']}", f"{row['elo']:.0f} [{row['low']:.0f}, {row['high']:.0f}]",
         f"{row['mean_rank']:.2f}", str(row["games"]), *([str(row["group"])] if apart else [])]
        for place, row in enumerate(result.ratings.to_dict("records"), start=1)
    ]  # fmt: skip
    header = ["policy", "rating (Elo)", "mean rank", "seats played", *(["group"] if apart else [])]
    title = f"{scenario.name}: {worlds} held-out worlds × {scenario.game.civilizations} seatings, study seed {seed}"
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
    print_table(f"Mean difference in {scenario.game.objective}, row less column", ["policy", *numbers], gaps)
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


def _finite(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Return a table's rows for JSON, which has no infinity: an open end is null."""
    from math import isinf

    rows = table.to_dict("records")
    return [{str(k): None if isinstance(v, float) and isinf(v) else v for k, v in row.items()} for row in rows]


def _write(
    out: Path, scenario: Scenario, result: _Result, facts: dict[str, Any], players: Sequence[Player]
) -> list[Path]:
    import json
    from importlib.metadata import version

    from civsim.agents.evaluate import HELD_OUT_FIRST
    from civsim.analysis.learning.evaluation_figures import draw_ratings
    from civsim.analysis.statistics.ratings import PRIOR_GAMES
    from civsim.analysis.statistics.resample import DRAWS, LEVEL, SEED
    from civsim.analysis.style import save_figures
    from civsim.base.constants import RULES_VERSION
    from civsim.base.files import write_text
    from civsim.scenarios import content_hash

    game = scenario.game
    notes = [
        f"{facts['worlds']:,} held-out worlds (study seed {facts['seed']}) of {scenario.name}, each played "
        f"{game.civilizations} times, the players moving on by one seat. {game.turns} turns; {game.objective} ranks.",
        f"Anchor: {facts['anchor']}. Prior: {PRIOR_GAMES:g} drawn game of each against a phantom. Bars: {LEVEL:.0%} "
        f"intervals, {DRAWS:,} resamples of whole worlds.",
    ]
    summary = {
        **facts,
        "scenario": scenario.name,
        "content": content_hash(scenario),
        "objective": game.objective,
        "first_world_id": HELD_OUT_FIRST,
        "versions": {"civsim": version("civsim"), "rules": RULES_VERSION},
        "interval": {"level": LEVEL, "draws": DRAWS, "seed": SEED, "units": "worlds"},
        "prior_games": PRIOR_GAMES,
        "players": [player.text for player in players],
        "ratings": _finite(result.ratings),
        "payoffs": _finite(result.payoffs),
        "cycles": result.cycles,
    }
    out.mkdir(parents=True, exist_ok=True)
    write_text(out / f"{STEM}.json", json.dumps(summary, indent=2, default=float) + "\n")
    write_text(out / f"{STEM}-games.csv", result.games.to_csv(index=False, lineterminator="\n"))

    def draw() -> Figure:
        return draw_ratings(result.ratings, result.payoffs, result.cycles, f"Tournament on {scenario.name}", notes)

    tables = {"ratings": result.ratings, "payoffs": result.payoffs}
    paths = save_figures(draw, out, STEM, tables, facts["command"])
    return [out / f"{STEM}.json", out / f"{STEM}-games.csv", *paths]
