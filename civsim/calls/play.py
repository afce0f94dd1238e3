"""Playing a few worlds to the end, and what each seat achieved."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from civsim.base.errors import ScenarioError
from civsim.calls.machine import usable_cores
from civsim.calls.players import the_scenario

if TYPE_CHECKING:
    import pandas as pd

    from civsim.base.scenario import Scenario
    from civsim.engine.world import World
    from civsim.scenarios.games import Played
    from civsim.scenarios.metrics import OwnMetric

_LARGEST = 4 * 2**30
_WORLD_LIMIT = 2**32
WORLDS = 8
"""Worlds unless told otherwise."""


@dataclass(frozen=True)
class Games:
    """Worlds that were played, and what came of them."""

    world: World  # as it stands now
    played: Played

    @property
    def failed(self) -> tuple[str, ...]:
        """Why worlds failed, one text a world that did."""
        return tuple(error for error in self.played.errors if error)

    @property
    def table(self) -> pd.DataFrame:
        """One row a world and seat: who played, how many turns, and all metrics, own ones last; nan where it failed."""
        import pandas as pd

        header, rows = self._rows()
        return pd.DataFrame(rows, columns=header)

    @property
    def series(self) -> pd.DataFrame:
        """One row a world, seat and turn that was played; empty unless the series were asked for."""
        import numpy as np
        import pandas as pd

        columns = self.played.series or {}
        if not columns:
            return pd.DataFrame()
        worlds, seats, turns = next(iter(columns.values())).shape
        place = np.indices((worlds, seats, turns)).reshape(3, -1)
        table = {"world_id": self.played.world_ids[place[0]], "seat": place[1], "turn": place[2] + 1}
        frame = pd.DataFrame(table | {name: column.reshape(-1) for name, column in columns.items()})
        return frame[frame["turn"] <= self.played.turns[place[0]]].dropna(subset=["alive"]).reset_index(drop=True)

    def write(self, path: str | Path) -> Path:
        """Write the table as CSV, whole or not at all; return its path. Numbers are written to the last bit."""
        from civsim.base.files import write_text

        text = io.StringIO()
        header, rows = self._rows()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(header)
        writer.writerows([repr(cell) if isinstance(cell, float) else cell for cell in row] for row in rows)
        write_text(path, text.getvalue())
        return Path(path)

    def _rows(self) -> tuple[list[str], list[list[Any]]]:
        world, played = self.world, self.played
        header = ["scenario", "seed", "world_id", "seat", "policy", "error", "turns", *played.civs]
        rows = []
        for row, world_id in enumerate(played.world_ids):
            for seat in range(world.n_civilizations):
                who = [seat, world.scenario.seat(seat).policy.name, played.errors[row], int(played.turns[row])]
                numbers = [float(column[row, seat]) for column in played.civs.values()]
                rows.append([world.scenario.name, world.seed, int(world_id), *who, *numbers])
        return header, rows


def play(
    game: str | Path | Scenario | World,
    *,
    worlds: int | None = None,
    first: int | None = None,
    seed: int | None = None,
    threads: int | None = None,
    turns: int | None = None,
    settings: Mapping[str, Any] | None = None,
    metrics: Mapping[str, str | Callable[..., Any]] | None = None,
    stop: str | None = None,
    series: bool = False,
) -> Games:
    """Play a few worlds to the end under their scenario's policies.

        games = civsim.play("peace", worlds=2, settings={"game.turns": 10})
        games.table.groupby("seat")["welfare"].mean()

    Args:
        game: a scenario, by name, file or itself; or worlds under way, which are then played on.
        worlds: how many worlds, >= 1; 8 where left out.
        first: id of the first world, 0 where left out.
        seed: study seed, 0 where left out.
        threads: threads of the engine, one a core where left out; they change no result.
        turns: play so many turns at most.
        settings: changes of the scenario, by dotted path.
        metrics: metrics of one's own, by the name of their column: functions, or where they are (``file.py:name`` or
            ``module:name``); of a run the mean over its turns. See :mod:`civsim.scenarios.metrics`.
        stop: when a game is over before its last turn (:mod:`civsim.scenarios.stop`).
        series: whether every turn is kept.

    Raises:
        ScenarioError: the scenario, a setting or a policy cannot be used, or worlds < 1 or beyond 4 GiB.
        StudyError: a metric or what stops a game cannot be used.
    """
    from civsim.engine.world import World
    from civsim.scenarios.games import SERIES, check_metric_names, play_on
    from civsim.scenarios.stop import parse_stop

    measured = _metrics(metrics or {})
    check_metric_names([metric.name for metric in measured])
    until = None if stop is None else parse_stop(stop, [*SERIES, *(metric.name for metric in measured)])
    if isinstance(game, World):
        given = {"worlds": worlds, "first": first, "seed": seed, "threads": threads, "settings": settings}
        said = [name for name, value in given.items() if value is not None]
        if said:
            raise ScenarioError(f"{said[0]} has no effect on worlds under way; drop it")
        batch = game
    else:
        batch = new_worlds(
            game,
            worlds=WORLDS if worlds is None else worlds,
            first=first or 0,
            seed=seed or 0,
            threads=threads,
            settings=settings,
        )
    return Games(batch, play_on(batch, turns=turns, series=series, metrics=measured, stop=until))


def new_worlds(
    scenario: str | Path | Scenario,
    *,
    worlds: int = WORLDS,
    first: int = 0,
    seed: int = 0,
    threads: int | None = None,
    settings: Mapping[str, Any] | None = None,
) -> World:
    """Return worlds about to begin, after making sure that their policies can play and that they fit into memory.

    Raises:
        ScenarioError: as :func:`play`.
    """
    from civsim.engine.state import bytes_per_world

    if worlds < 1:
        raise ScenarioError(f"worlds is {worlds}; play at least 1")
    game = the_scenario(scenario, settings)
    needed = worlds * bytes_per_world(game)
    if needed > _LARGEST:
        most = _LARGEST // bytes_per_world(game)
        raise ScenarioError(f"worlds: {worlds} need {needed / 2**30:.1f} GiB; give at most {most}, or use a study")
    if first + worlds > _WORLD_LIMIT:
        raise ScenarioError(f"first: {first} with {worlds} worlds passes 2**32; lower one")
    # The engine is imported only for a scenario that can be played.
    from civsim.agents import seat_policies
    from civsim.engine.world import World

    seat_policies(game)
    count = usable_cores() if threads is None else threads
    return World(game, world_ids=range(first, first + worlds), seed=seed, threads=count)


def _metrics(asked: Mapping[str, str | Callable[..., Any]]) -> tuple[OwnMetric, ...]:
    from civsim.base.own import Reference
    from civsim.scenarios.metrics import MetricSettings, OwnMetric, load_metrics

    found: list[OwnMetric] = []
    for name, function in asked.items():
        if isinstance(function, str):
            found += load_metrics({name: MetricSettings(function=function)})
        else:
            reference = Reference(function.__module__, getattr(function, "__qualname__", type(function).__qualname__))
            found.append(OwnMetric(name, "mean", function, reference))
    return tuple(found)
