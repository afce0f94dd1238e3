"""Tournaments: policies rated by games against each other on held-out worlds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from civsim.calls.evaluate import Begin
from civsim.calls.machine import usable_cores
from civsim.calls.players import Player, check_out, find_players, make_player, shared_scenario

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

    from civsim.agents.evaluate import Tournament
    from civsim.base.scenario import Scenario

ANCHOR = "fixed"
STEM = "tournament"
WORLDS = 50
"""Held-out worlds, each played once for every seat, unless told otherwise."""


@dataclass(frozen=True)
class Ratings:
    """What a tournament found: strengths, who beat whom, and every game."""

    scenario: Scenario
    players: tuple[Player, ...]
    ratings: pd.DataFrame  # one row a policy, the strongest first: Elo with its interval
    payoffs: pd.DataFrame  # one row a pair that met
    cycles: list[tuple[str, str, str]]  # of three of which each beats the next, each interval above a half
    games: pd.DataFrame  # one row a game and seat
    anchor: str  # whose rating is 0
    seed: int
    worlds: int

    def write(self, out: str | Path, command: str | None = None) -> list[Path]:
        """Write tables and the figure into the folder ``out``, made if need be; return their paths.

        ``command`` is the command line that makes them, noted beside them, None where there was none.
        """
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

        check_out(out)
        folder, said = Path(out), command or "civsim.tournament(…), from Python"
        facts = {"command": said, "seed": self.seed, "worlds": self.worlds, "anchor": self.anchor}
        game = self.scenario.game
        notes = [
            f"{self.worlds:,} held-out worlds (study seed {self.seed}) of {self.scenario.name}, each played "
            f"{game.civilizations} times, the players moving on by one seat. {game.turns} turns; "
            f"{game.objective} ranks.",
            f"Anchor: {self.anchor}. Prior: {PRIOR_GAMES:g} drawn game of each against a phantom. Bars: {LEVEL:.0%} "
            f"intervals, {DRAWS:,} resamples of whole worlds.",
        ]
        summary = {
            **facts,
            "scenario": self.scenario.name,
            "content": content_hash(self.scenario),
            "objective": game.objective,
            "first_world_id": HELD_OUT_FIRST,
            "versions": {"civsim": version("civsim"), "rules": RULES_VERSION},
            "interval": {"level": LEVEL, "draws": DRAWS, "seed": SEED, "units": "worlds"},
            "prior_games": PRIOR_GAMES,
            "players": [player.text for player in self.players],
            "ratings": _finite(self.ratings),
            "payoffs": _finite(self.payoffs),
            "cycles": self.cycles,
        }
        folder.mkdir(parents=True, exist_ok=True)
        write_text(folder / f"{STEM}.json", json.dumps(summary, indent=2, default=float) + "\n")
        write_text(folder / f"{STEM}-games.csv", self.games.to_csv(index=False, lineterminator="\n"))

        def draw() -> Figure:
            return draw_ratings(self.ratings, self.payoffs, self.cycles, f"Tournament on {self.scenario.name}", notes)

        tables = {"ratings": self.ratings, "payoffs": self.payoffs}
        paths = save_figures(draw, folder, STEM, tables, said)
        return [folder / f"{STEM}.json", folder / f"{STEM}-games.csv", *paths]


def tournament(
    players: Sequence[str],
    scenario: str | Path | Scenario | None = None,
    *,
    worlds: int = WORLDS,
    anchor: str = ANCHOR,
    seed: int = 0,
    threads: int | None = None,
    settings: Mapping[str, Any] | None = None,
    begin: Begin | None = None,
) -> Ratings:
    """Rate policies by games against each other.

        found = civsim.tournament(["builder", "uniform"], "peace", worlds=4, settings={"game.turns": 10})
        found.ratings[["policy", "elo", "low", "high"]]

    In every world the seats go to policies of the field, each pair meeting about equally often, and the world is played
    once for every seat, the players moving on by one. Ratings are Plackett-Luce strengths in Elo.

    Args:
        players: names of policies, and folders of runs or checkpoints.
        scenario: the game, by name, file or itself; the one that all runs were trained on where left out.
        worlds: held-out worlds, each played once for every seat, >= 2.
        anchor: policy whose rating is 0; it plays too.
        seed: study seed of the worlds.
        threads: threads of the engine, one a core where left out; they change no result.
        settings: changes of the scenario, by dotted path.
        begin: told of progress.

    Raises:
        CheckpointError: somebody is neither a policy nor a run, or is given twice.
        ScenarioError: the scenario or a setting cannot be used, or there are too few worlds or players.
    """
    from civsim.agents.evaluate import held_out, tournament_games

    field = find_players(players)
    (zero,) = find_players([anchor])
    game = shared_scenario(scenario, settings or {}, field)
    if zero.name not in [player.name for player in field]:
        field.append(zero)
    made = [make_player(player, game) for player in field]
    report = None if begin is None else begin(STEM, worlds * game.game.civilizations)
    count = usable_cores() if threads is None else threads
    played = tournament_games(game, made, held_out(worlds), seed, threads=count, report=report)
    names = _labels(field)
    base = names[[player.name for player in field].index(zero.name)]
    return Ratings(game, tuple(field), *_rate(played, names, base), base, seed, worlds)


def _labels(players: Sequence[Player]) -> list[str]:
    """Return a name for each player, the text it was given as where two would share one."""
    labels = [player.label for player in players]
    return [player.text if labels.count(player.label) > 1 else player.label for player in players]


def _rate(
    played: Tournament, names: Sequence[str], anchor: str
) -> tuple[pd.DataFrame, pd.DataFrame, list[tuple[str, str, str]], pd.DataFrame]:
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
    return ratings(matches, anchor), pairs, cycles(pairs), games


def _finite(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Return a table's rows for JSON, which has no infinity: an open end is null."""
    from math import isinf

    rows = table.to_dict("records")
    return [{str(k): None if isinstance(v, float) and isinf(v) else v for k, v in row.items()} for row in rows]
