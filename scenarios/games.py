"""Playing worlds to the end: what each civilization achieved, and its turns if they are wanted."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from civsim.base.constants import FUNDS, ORDERS, Category, Channel, Objective
from civsim.base.scenario import Scenario
from civsim.engine.state import State

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


class Played(NamedTuple):
    """B worlds of one scenario, played to the end, with N civilizations over T turns."""

    world_ids: NDArray[np.int64]  # [B]
    civs: Mapping[str, NDArray[np.float64]]  # by METRICS, each [B, N]; nan in a failed world
    series: Mapping[str, NDArray[np.float64]] | None  # by SERIES, each [B, N, T]; None if not wanted
    errors: tuple[str, ...]  # [B] why a world failed; empty where it did not
    maps: Mapping[int, NDArray[np.int8]]  # by turn asked for: owner of each cell at its end, [B, C], -1 for none


def play_worlds(
    scenario: Scenario,
    world_ids: Sequence[int],
    seed: int,
    *,
    threads: int = 1,
    series: bool = False,
    maps: Sequence[int] = (),
) -> Played:
    """Play worlds to the end under their scenario's policies, all in one batch.

    A world whose state is not finite at the end is marked as failed; its neighbours are not touched by it.

    Raises:
        Exception: whatever a policy or the engine raises; then nothing is known of any of the worlds.
    """
    from civsim.engine.world import World

    world = World(scenario, world_ids=[int(item) for item in world_ids], seed=seed, threads=threads)
    return play_on(world, series=series, maps=maps)


def play_on(
    world: World,
    *,
    turns: int | None = None,
    series: bool = False,
    maps: Sequence[int] = (),
    move: Callable[[], StepRecord] | None = None,
) -> Played:
    """Play a batch of worlds on, to the end or for ``turns`` turns, and measure it.

    Mean levels are over the turns played here; ``series`` covers the turns 0 … T − 1 and is nan where none was played.
    ``maps`` are turns, from 1, at whose end the owner of every cell is kept; those not played here are left out.
    ``move`` plays a turn; where left out, it is played under the scenario's policies.

    Raises:
        Exception: whatever a policy or the engine raises, or ``move``.
    """
    play = _policies_move(world) if move is None else move
    shape = (world.n_worlds, world.n_civilizations)
    level_sum = np.zeros((*shape, len(Channel)))
    lived = np.zeros(shape)
    length = world.scenario.game.turns
    columns = {name: np.full((*shape, length), np.nan) for name in SERIES} if series else None
    owners: dict[int, NDArray[np.int8]] = {}
    for _ in range(length if turns is None else turns):
        if world.done.all():
            break
        turn = int(world.state.turn[0])
        record = play()
        alive = record.alive.astype(np.float64)
        lived += alive
        level_sum += record.level * alive[:, :, None]
        for name, column in columns.items() if columns is not None else ():
            column[:, :, turn] = _turn_value(record, name)
        if turn + 1 in maps:
            owners[turn + 1] = world.state.owner.astype(np.int8)
    civs = _measure(world.state, level_sum / np.maximum(lived, 1.0)[:, :, None])
    errors = _not_finite(world.state)
    _blank(civs, columns, errors)
    return Played(np.array(world.state.world_id, np.int64), civs, columns, errors, owners)


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
) -> Played:
    """Play worlds as :func:`play_worlds`, but let no world's failure touch another.

    A world has failed if its own state is not finite, at the end or when something is raised; the others are then
    played again without it. Nothing else makes a game a failed one: what is raised while every state is finite (by a
    policy, a fault of the machine or of the caller) is no result and is raised here.

    Raises:
        Exception: whatever a policy or the engine raises while every world's state is finite.
    """
    from civsim.engine.world import World

    world = World(scenario, world_ids=[int(item) for item in world_ids], seed=seed, threads=threads)
    try:
        return play_on(world, series=series, maps=maps)
    except Exception as error:
        said = _not_finite(world.state)
        if not any(said):
            raise
        reason = f"{type(error).__name__}: {error}"
    bad = {world_id: f"{text} ({reason})" for world_id, text in zip(world_ids, said, strict=True) if text}
    parts = [_failed(scenario, bad, series, maps)]
    good = [world_id for world_id in world_ids if world_id not in bad]
    if good:
        parts.append(play_each(scenario, good, seed, threads=threads, series=series, maps=maps))
    return _joined(parts, world_ids, maps)


def _joined(parts: Sequence[Played], world_ids: Sequence[int], maps: Sequence[int]) -> Played:
    """Return worlds that were played apart as one batch, in the order of ``world_ids``."""
    place = {int(world_id): row for row, world_id in enumerate(np.concatenate([part.world_ids for part in parts]))}
    order = [place[int(world_id)] for world_id in world_ids]
    civs = {name: np.concatenate([part.civs[name] for part in parts])[order] for name in METRICS}
    made = [part.series for part in parts if part.series is not None]
    turns = {name: np.concatenate([part[name] for part in made])[order] for name in SERIES} if made else None
    errors = [error for part in parts for error in part.errors]
    owners = {turn: np.concatenate([part.maps[turn] for part in parts])[order] for turn in maps}
    return Played(np.asarray(world_ids, np.int64), civs, turns, tuple(errors[row] for row in order), owners)


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


def _failed(scenario: Scenario, errors: Mapping[int, str], series: bool, maps: Sequence[int]) -> Played:
    """Return worlds of which nothing is known but why they failed, by id."""
    shape = (len(errors), scenario.game.civilizations)
    civs = {name: np.full(shape, np.nan) for name in METRICS}
    turns = {name: np.full((*shape, scenario.game.turns), np.nan) for name in SERIES} if series else None
    owners = {turn: np.full((len(errors), scenario.map.width * scenario.map.height), -1, np.int8) for turn in maps}
    return Played(np.array(list(errors), np.int64), civs, turns, tuple(errors.values()), owners)
