"""Judging policies: in one seat of held-out worlds, beside others in the same seat of the same worlds."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from civsim.base.errors import CheckpointError
from civsim.calls.machine import usable_cores
from civsim.calls.players import PlayerKind, check_out, find_players, group_kinds, make_player, shared_scenario

if TYPE_CHECKING:
    import pandas as pd

    from civsim.agents import Policy
    from civsim.analysis.learning.evaluation import EvaluationTables
    from civsim.analysis.learning.learning_curves import CurveTables
    from civsim.base.scenario import Scenario

GAMES, SUMMARY = "evaluation.csv", "evaluation.json"
ALL = "all"
WORLDS = 200
"""Held-out worlds unless told otherwise."""

Begin = Callable[[str, int], Callable[[int], None]]
"""Called when the games of a policy begin, with its name and how many games there are of all policies; returns what is
called with the number of games just finished."""


@dataclass(frozen=True)
class Evaluation:
    """What was found of policies: every game, and the tables made of them."""

    scenario: Scenario
    judged: tuple[PlayerKind, ...]  # runs that differ in their training seed alone are one
    everyone: tuple[PlayerKind, ...]  # those, then whom they are compared with
    games: pd.DataFrame  # one row a policy and world
    tables: EvaluationTables
    seed: int
    seat: int | str
    worlds: int

    def write(self, out: str | Path, command: str | None = None) -> list[Path]:
        """Write tables and figures into the folder ``out``, made if need be; return their paths.

        ``command`` is the command line that makes them, noted beside them, None where there was none.
        """
        from civsim.analysis.learning.evaluation_figures import draw_learning, draw_profile
        from civsim.analysis.style import save_figures
        from civsim.base.files import write_text

        check_out(out)
        folder, said = Path(out), command or "civsim.evaluate(…), from Python"
        facts = {"command": said, "seed": self.seed, "seat": self.seat, "worlds": self.worlds}
        curves = _curves(self.judged)
        folder.mkdir(parents=True, exist_ok=True)
        write_text(folder / GAMES, self.games.to_csv(index=False, lineterminator="\n"))
        write_text(folder / SUMMARY, _json(self.scenario, self.everyone, self.tables, facts))
        goal, notes = self.scenario.game.objective, _notes(self.scenario, self.tables, facts)
        names = " and ".join(kind.label for kind in self.judged)
        profile = partial(draw_profile, self.tables, goal, f"{names} on {self.scenario.name}", notes)
        paths = save_figures(profile, folder, "profile", {"": self.tables.profile}, said)
        if curves is not None:
            learning = partial(draw_learning, curves, goal, _curve_notes(curves))
            csvs = {"": curves.evaluations, "training": curves.training}
            paths += save_figures(learning, folder, "learning", csvs, said)
        return [folder / GAMES, folder / SUMMARY, *paths]


def evaluate(
    players: Sequence[str],
    scenario: str | Path | Scenario | None = None,
    *,
    worlds: int = WORLDS,
    against: Sequence[str] | Literal["all"] = ALL,
    seed: int = 0,
    seat: int | Literal["rotate"] = "rotate",
    threads: int | None = None,
    settings: Mapping[str, Any] | None = None,
    begin: Begin | None = None,
) -> Evaluation:
    """Judge policies on worlds no training met.

        found = civsim.evaluate(["builder"], "peace", worlds=4, against=["fixed"], settings={"game.turns": 10})
        found.tables.summary[["policy", "mean", "mean_low", "mean_high"]]

    One seat of every world is judged; the others play what the scenario names. Runs that differ in their training seed
    alone are pooled: intervals then cover both worlds and seeds.

    Args:
        players: names of policies, and folders of runs or checkpoints.
        scenario: the game, by name, file or itself; the one that all runs were trained on where left out.
        worlds: held-out worlds, >= 2.
        against: policies to compare with, or all that have names.
        seed: study seed of the worlds.
        seat: the seat that is judged; rotate: world id modulo the number of seats.
        threads: threads of the engine, one a core where left out; they change no result.
        settings: changes of the scenario, by dotted path.
        begin: told of progress.

    Raises:
        CheckpointError: somebody is neither a policy nor a run, or is given twice, or nobody is left to compare with.
        ScenarioError: the scenario or a setting cannot be used, or there are fewer than two worlds.
    """
    from civsim.analysis.learning.evaluation import evaluation_tables
    from civsim.faces.seating import check_seat

    judged = find_players(players)
    others = [player for player in find_players(_names(against)) if player.name not in [one.name for one in judged]]
    kinds = group_kinds(judged)
    game = shared_scenario(scenario, settings or {}, judged)
    focal = check_seat(game, seat)
    everyone = [*kinds, *group_kinds(others, kinds)]
    if len(everyone) == len(kinds) == 1:
        raise CheckpointError(f"against {_said(against)!r} leaves nobody to compare with; name another policy")
    made = {player.name: make_player(player, game) for kind in everyone for player in kind.members}
    options = {"seed": seed, "seat": focal, "threads": usable_cores() if threads is None else threads}
    games = _play(game, everyone, made, worlds, options, begin)
    tables = evaluation_tables(games, game.game.objective, [kind.label for kind in kinds])
    return Evaluation(game, tuple(kinds), tuple(everyone), games, tables, seed, focal, worlds)


def _names(against: Sequence[str]) -> Sequence[str]:
    from civsim.agents import policy_names

    return policy_names() if against == ALL else against


def _said(against: Sequence[str] | Literal["all"]) -> str:
    return against if isinstance(against, str) else ",".join(against)


def _play(
    scenario: Scenario,
    kinds: Sequence[PlayerKind],
    players: Mapping[str, Policy],
    worlds: int,
    options: Mapping[str, Any],
    begin: Begin | None,
) -> pd.DataFrame:
    """Return the games table: every policy in the focal seat of the same held-out worlds."""
    import pandas as pd

    from civsim.agents.evaluate import focal_seats, held_out, outcomes
    from civsim.analysis.learning.evaluation import games_rows

    ids = held_out(worlds)
    seats = focal_seats(scenario, ids, options["seat"])
    parts = []
    for kind in kinds:
        for member in kind.members:
            report = None if begin is None else begin(member.label, worlds * len(players))
            found = outcomes(scenario, players[member.name], ids, report=report, **options)
            parts.append(games_rows(kind.label, member.text, ids, seats, found.utility, found.spent))
    return pd.concat(parts, ignore_index=True)


def _curves(kinds: Sequence[PlayerKind]) -> CurveTables | None:
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


def _json(scenario: Scenario, kinds: Sequence[PlayerKind], tables: EvaluationTables, facts: dict[str, Any]) -> str:
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
