"""Playing worlds to the end: what each civilization achieved, and its turns if they are wanted."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from civsim.base.constants import FUNDS, ORDERS, Category, Channel, Objective
from civsim.base.errors import StudyError
from civsim.base.scenario import Scenario
from civsim.engine.state import State
from civsim.scenarios.metrics import Meter, OwnMetric
from civsim.scenarios.stop import TURN, Stop

if TYPE_CHECKING:
    from civsim.engine.world import StepRecord, World

LOSSES = ("disaster", "battle", "raid")
"""Cells lost or struck; the order of the last axis of ``State.losses``."""

_STATE_CHECKED = ("utility", "output", "consumption", "stock", "spent", "works", "wall", "muster")

METRICS: Mapping[str, str] = {
    **{objective.name.lower(): f"{objective.name.lower()} objective at the end" for objective in Objective},
    "survived": "1 if it held a cell at the end, else 0",
    "cells": "cells held at the end",
    "final_output": "output of the last turn",
    **{f"spent_{category.name.lower()}": "output spent on it over the game" for category in Category},
    **{f"fund_{fund.name.lower()}": "what lies in the fund at the end (output)" for fund in FUNDS},
    **{f"idle_{fund.name.lower()}": "share of all paid into the fund that lies in it at the end" for fund in FUNDS},
    **{f"level_{channel.name.lower()}": "mean level over the turns it lived" for channel in Channel},
    **{name: f"{kind.name.lower()} orders done" for kind, name in ORDERS.items()},
    **{f"lost_{loss}": f"cells struck or lost by {loss}" for loss in LOSSES},
    "plans": "planning runs",
}
"""What is recorded of a civilization's game, in column order: name and meaning. All are numbers."""

SERIES: Mapping[str, str] = {
    "output": "output of the turn",
    "consumption": "consumption of the turn, tribute included",
    "tribute": "tribute received in the turn",
    "reward": "the scenario's objective in the turn",
    "cells": "cells held at the end of the turn",
    "alive": "1 while it holds a cell at the end of the turn",
    **{f"level_{channel.name.lower()}": "level in force in the turn" for channel in Channel},
}
"""What is recorded of a civilization's turn, in column order: name and meaning."""


_IDENTITY = ("run_id", "study", "point", "scenario", "seed", "world_id", "status", "error", "focal", "turns", "seat",
             "is_focal", "policy", "turn", "owner")  # fmt: skip
_OURS = ("rival_", "factor_")  # how other columns begin, here and in queries


def check_metric_names(names: Iterable[str]) -> None:
    """Check that metrics of one's own have names that no column of civsim's tables has.

    Raises:
        StudyError: one has.
    """
    for name in names:
        if name in (*METRICS, *SERIES, *_IDENTITY) or name.startswith(_OURS):
            raise StudyError(f"metrics.{name} is the name of a column that civsim's tables have; choose another")


class Played(NamedTuple):
    """B worlds of one scenario, played to the end, with N civilizations over T turns."""

    world_ids: NDArray[np.int64]  # [B]
    civs: Mapping[str, NDArray[np.float64]]  # by METRICS and own metrics, each [B, N]; nan in a failed world
    series: Mapping[str, NDArray[np.float64]] | None  # by SERIES and own metrics, each [B, N, T]; None if not wanted
    errors: tuple[str, ...]  # [B] why a world failed; empty where it did not
    maps: Mapping[int, NDArray[np.int8]]  # by turn asked for: owner of each cell at its end, [B, C], -1 for none
    turns: NDArray[np.int64]  # [B] turns its game has lasted: T, unless it was stopped or is not over


def play_worlds(
    scenario: Scenario,
    world_ids: Sequence[int],
    seed: int,
    *,
    threads: int = 1,
    series: bool = False,
    maps: Sequence[int] = (),
    metrics: Sequence[OwnMetric] = (),
    stop: Stop | None = None,
) -> Played:
    """Play worlds to the end under their scenario's policies, all in one batch.

    A world whose state is not finite at the end is marked as failed; its neighbours are not touched by it.

    Raises:
        Exception: whatever a policy or the engine raises; then nothing is known of any of the worlds.
    """
    from civsim.engine.world import World

    world = World(scenario, world_ids=[int(item) for item in world_ids], seed=seed, threads=threads)
    return play_on(world, series=series, maps=maps, metrics=metrics, stop=stop)


def play_on(
    world: World,
    *,
    turns: int | None = None,
    series: bool = False,
    maps: Sequence[int] = (),
    metrics: Sequence[OwnMetric] = (),
    stop: Stop | None = None,
    move: Callable[[], StepRecord] | None = None,
) -> Played:
    """Play a batch of worlds on, to the end or for ``turns`` turns, and measure it.

    Args:
        world: the batch.
        turns: turns to play, at most; to the end where left out.
        series: whether every turn is kept; series cover the turns 0 … T − 1 and are nan where none was played.
        maps: turns, from 1, at whose end the owner of every cell is kept; those not played here are left out.
        metrics: metrics of one's own. They and mean levels are over the turns played here.
        stop: when a game is over before its last turn. The world is measured then; it is stepped on while others of the
            batch play, and nothing of that is recorded.
        move: plays a turn; where left out, it is played under the scenario's policies.

    Raises:
        StudyError: the worlds stand at different turns, a metric cannot be measured, or ``stop`` speaks of a seat that
            there is not.
        Exception: whatever a policy or the engine raises, or ``move``.
    """
    begun = np.unique(world.state.turn[~world.done])
    if len(begun) > 1:
        remedy = "play worlds together that were reset together"
        raise StudyError(f"the worlds of the batch stand at turns {begun[0]} and {begun[-1]}; {remedy}")
    play = _policies_move(world) if move is None else move
    most = world.scenario.game.turns if turns is None else turns
    return _play(_Tally(world, series, maps, metrics, stop), most, play)


def _play(tally: _Tally, turns: int, move: Callable[[], StepRecord]) -> Played:
    """Play the worlds of a tally for so many turns, at most."""
    for _ in range(turns):
        if not tally.playing.any():
            break
        turn = int(tally.state.turn[tally.playing][0])
        tally.add(turn, move())
    return tally.finish()


class _Tally:
    """What is known of a batch of worlds while it is played."""

    def __init__(
        self, world: World, series: bool, maps: Sequence[int], metrics: Sequence[OwnMetric], stop: Stop | None
    ) -> None:
        self.world, self.state, self.wanted = world, world.state, tuple(maps)
        self.stop = None if stop is None else stop.of(world.n_civilizations, stop.focal)
        self.meter = Meter(metrics, world.state)
        self.playing = ~world.done
        self.turns = world.state.turn.astype(np.int64)
        shape, length = world.state.alive.shape, world.scenario.game.turns
        self.level_sum, self.lived = np.zeros((*shape, len(Channel))), np.zeros(shape)
        names = (*SERIES, *(metric.name for metric in metrics))
        self.series = {name: np.full((*shape, length), np.nan) for name in names} if series else None
        self.maps: dict[int, NDArray[np.int8]] = {}
        self.stopped = np.zeros(world.n_worlds, np.bool_)
        self.then: tuple[dict[str, NDArray[np.float64]], list[str]] | None = None  # of the stopped: metrics and faults

    def add(self, turn: int, record: StepRecord) -> None:
        """Count turn ``turn``, from 0, which ``record`` says the outcome of."""
        alive = record.alive * self.playing[:, None].astype(np.float64)
        self.lived += alive
        self.level_sum += record.level * alive[:, :, None]
        self.turns[self.playing] = turn + 1
        own = self.meter.measure(record, self.playing)
        for name, column in self.series.items() if self.series is not None else ():
            column[self.playing, :, turn] = (own[name] if name in own else _turn_value(record, name))[self.playing]
        if turn + 1 in self.wanted:
            self.maps[turn + 1] = np.where(self.playing[:, None], self.state.owner, -1).astype(np.int8)
        if self.stop is not None:
            values = {name: _turn_value(record, name) for name in SERIES} | own
            self._end(self.playing & self.stop.holds({**values, TURN: self.turns}))
        self.playing = self.playing & ~self.stopped & ~self.world.done

    def _end(self, over: NDArray[np.bool_]) -> None:
        """Measure the worlds, bool [B], whose game was stopped, before they are stepped on."""
        if not over.any():
            return
        now, errors = self._measured(), _not_finite(self.state)
        early = over & ~self.world.done
        now[Objective.SHARE.name.lower()][early] = _share_now(self.state)[early]
        if self.then is None:
            self.then = now, list(errors)
        for name, column in self.then[0].items():
            column[over] = now[name][over]
        for row in np.flatnonzero(over):
            self.then[1][row] = errors[row]
        self.stopped = self.stopped | over

    def _measured(self) -> dict[str, NDArray[np.float64]]:
        return _measure(self.state, self.level_sum / np.maximum(self.lived, 1.0)[:, :, None]) | self.meter.runs()

    def finish(self) -> Played:
        """Return the games as they stand."""
        civs, errors = self._measured(), list(_not_finite(self.state))
        if self.then is not None:
            for name, column in civs.items():
                column[self.stopped] = self.then[0][name][self.stopped]
            errors = [self.then[1][row] if over else errors[row] for row, over in enumerate(self.stopped)]
        _blank(civs, self.series, errors)
        ids = np.array(self.state.world_id, np.int64)
        return Played(ids, civs, self.series, tuple(errors), self.maps, self.turns)


def _share_now(state: State) -> NDArray[np.float64]:
    """Return the share objective of a game that ends here, [B, N]: of the output of the living, this turn."""
    output = np.where(state.alive != 0, state.output, 0.0).astype(np.float64)
    total = output.sum(axis=1, keepdims=True)
    return np.divide(output, total, out=np.zeros_like(output), where=total > 0.0)


def _policies_move(world: World) -> Callable[[], StepRecord]:
    from civsim.agents import seat_policies

    policies = seat_policies(world.scenario)
    return lambda: world.step(policies.shares(world))


def play_each(
    scenario: Scenario,
    world_ids: Sequence[int],
    seed: int,
    *,
    threads: int = 1,
    series: bool = False,
    maps: Sequence[int] = (),
    metrics: Sequence[OwnMetric] = (),
    stop: Stop | None = None,
) -> Played:
    """Play worlds as :func:`play_worlds`, but let no world's failure touch another.

    A world has failed if its own state is not finite, at the end or when something is raised; the others are then
    played again without it. Nothing else makes a game a failed one: what is raised while every state is finite (by a
    policy, a metric, a fault of the machine or of the caller) is no result and is raised here. A world whose game was
    stopped before is no failed one; it is played again by itself, so that what became of it later touches nobody.

    Raises:
        Exception: whatever a policy, a metric or the engine raises while every world's state is finite.
    """
    from civsim.engine.world import World

    world = World(scenario, world_ids=[int(item) for item in world_ids], seed=seed, threads=threads)
    tally = _Tally(world, series, maps, metrics, stop)
    try:
        return _play(tally, scenario.game.turns, _policies_move(world))
    except Exception as error:
        said = _not_finite(world.state)
        if not any(said):
            raise
        reason = f"{type(error).__name__}: {error}"
    ended = set(world.state.world_id[tally.stopped].tolist())
    at_fault = {int(item): f"{text} ({reason})" for item, text in zip(world_ids, said, strict=True) if text}
    bad = {world_id: text for world_id, text in at_fault.items() if world_id not in ended}
    again = [[world_id] for world_id in at_fault if world_id in ended]
    again.append([int(item) for item in world_ids if int(item) not in at_fault])
    watched: Any = {"threads": threads, "series": series, "maps": maps, "metrics": metrics, "stop": stop}
    parts = [_failed(scenario, bad, series, maps, metrics)]
    parts += [play_each(scenario, some, seed, **watched) for some in again if some]
    return _joined(parts, world_ids, scenario, maps)


def _joined(parts: Sequence[Played], world_ids: Sequence[int], scenario: Scenario, maps: Sequence[int]) -> Played:
    """Return worlds that were played apart as one batch, in the order of ``world_ids``."""
    place = {int(world_id): row for row, world_id in enumerate(np.concatenate([part.world_ids for part in parts]))}
    order = [place[int(world_id)] for world_id in world_ids]
    civs = {name: np.concatenate([part.civs[name] for part in parts])[order] for name in parts[0].civs}
    made = [part.series for part in parts if part.series is not None]
    turns = {name: np.concatenate([part[name] for part in made])[order] for name in made[0]} if made else None
    errors = [error for part in parts for error in part.errors]
    owners = {turn: np.concatenate([_map_of(part, turn, scenario) for part in parts])[order] for turn in maps}
    lasted = np.concatenate([part.turns for part in parts])[order]
    ids = np.asarray(world_ids, np.int64)
    return Played(ids, civs, turns, tuple(errors[row] for row in order), owners, lasted)


def _map_of(part: Played, turn: int, scenario: Scenario) -> NDArray[np.int8]:
    """Return a part's map of a turn; nobody owns a cell after the last of its games was stopped."""
    return part.maps.get(turn, np.full((len(part.world_ids), scenario.n_cells), -1, np.int8))


def _turn_value(record: StepRecord, name: str) -> NDArray[np.float64]:
    """Return one column of SERIES, [B, N], from a step's record."""
    if name.startswith("level_"):
        channel = Channel[name.removeprefix("level_").upper()]
        return np.asarray(record.level[:, :, channel], np.float64)
    return np.asarray(getattr(record, name), np.float64)


def _measure(state: State, mean_level: NDArray[np.float64]) -> dict[str, NDArray[np.float64]]:
    """Return every metric, float64 [B, N], from the state at the end of the game."""
    columns: dict[str, NDArray[Any]] = {item.name.lower(): state.utility[:, :, item] for item in Objective}
    columns |= {"survived": state.alive, "cells": state.cells, "final_output": state.output}
    columns |= {f"spent_{item.name.lower()}": state.spent[:, :, item] for item in Category}
    columns |= {f"fund_{item.name.lower()}": state.stock[:, :, item] for item in FUNDS}
    columns |= {f"idle_{item.name.lower()}": _idle(state, item) for item in FUNDS}
    columns |= {f"level_{item.name.lower()}": mean_level[:, :, item] for item in Channel}
    columns |= {name: state.gains[:, :, kind] for kind, name in ORDERS.items()}
    columns |= {f"lost_{loss}": state.losses[:, :, index] for index, loss in enumerate(LOSSES)}
    columns["plans"] = state.plans
    return {name: np.array(columns[name], dtype=np.float64) for name in METRICS}


def _idle(state: State, fund: Category) -> NDArray[np.float64]:
    """Return the share of all paid into a fund that lies in it, [B, N] in [0, 1]; 0 where nothing was paid."""
    held, paid = state.stock[:, :, fund].astype(np.float64), state.spent[:, :, fund]
    # A fund is float32 and its ledger float64: one that was never drawn on may round to a little more.
    return np.minimum(np.divide(held, paid, out=np.zeros_like(held), where=paid > 0.0), 1.0)


def _not_finite(state: State) -> tuple[str, ...]:
    """Return, for each world, which field of its state is not finite; empty where all are."""
    errors = [""] * len(state.world_id)
    for name in _STATE_CHECKED:
        values = getattr(state, name)
        bad = ~np.isfinite(values).reshape(len(errors), -1).all(axis=1)
        for row in np.flatnonzero(bad):
            errors[row] = errors[row] or f"state.{name} is not finite in turn {int(state.turn[row])}"
    return tuple(errors)


def _blank(
    civs: Mapping[str, NDArray[np.float64]],
    turns: Mapping[str, NDArray[np.float64]] | None,
    errors: Sequence[str],
) -> None:
    """Set every number of a failed world to nan, in place."""
    failed = np.array([bool(error) for error in errors])
    for column in (*civs.values(), *(turns or {}).values()):
        column[failed] = np.nan


def _failed(
    scenario: Scenario,
    errors: Mapping[int, str],
    series: bool,
    maps: Sequence[int],
    metrics: Sequence[OwnMetric],
) -> Played:
    """Return worlds of which nothing is known but why they failed, by id."""
    shape, own = (len(errors), scenario.game.civilizations), [metric.name for metric in metrics]
    civs = {name: np.full(shape, np.nan) for name in (*METRICS, *own)}
    turns = {name: np.full((*shape, scenario.game.turns), np.nan) for name in (*SERIES, *own)} if series else None
    owners = {turn: np.full((len(errors), scenario.n_cells), -1, np.int8) for turn in maps}
    lasted = np.zeros(len(errors), np.int64)
    return Played(np.array(list(errors), np.int64), civs, turns, tuple(errors.values()), owners, lasted)
