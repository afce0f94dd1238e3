"""The entry points of the registered environments: they know scenarios by name and policies by scenario."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from civsim.agents import seat_policies
from civsim.base.scenario import Scenario
from civsim.faces.actions import ActionKind
from civsim.faces.gymnasium import CivilizationEnv
from civsim.faces.seating import SeatChoice
from civsim.faces.seats import Rivals
from civsim.faces.splits import Split
from civsim.scenarios import load_scenario
from civsim.scenarios.loader import from_plain

if TYPE_CHECKING:
    from gymnasium.vector import AutoresetMode

    from civsim.faces.pettingzoo import CivilizationParallelEnv
    from civsim.faces.vector import CivilizationVectorEnv

GameLike = str | Path | Scenario | Mapping[str, Any]
"""A scenario's name in the library, the path of a TOML file, a scenario, or the table of its settings."""


def make_civilization(
    scenario: GameLike = "baseline",
    seat: SeatChoice = 0,
    render_mode: str | None = None,
    actions: ActionKind = "softmax",
    first_world: int | None = None,
    world_step: int = 1,
    split: Split = "training",
) -> CivilizationEnv:
    """Return the environment that ``gymnasium.make("civsim/Civilization-v1", ...)`` makes.

    Args:
        scenario: a name in the library, a path to a TOML file, a scenario, or the table of its settings.
        seat: the agent's seat, or "rotate" for world id modulo the number of seats. The other seats follow the
            policies that the scenario names.
        render_mode: None, "rgb_array", "rgb_array_list" or "human".
        actions: "softmax" or "simplex" (:mod:`civsim.faces.actions`).
        first_world: world of a seed's first episode, one of ``split``; its first for None.
        world_step: from one episode's world to the next one's.
        split: "training", "validation" or "held_out": which worlds are played (:mod:`civsim.faces.splits`).

    Raises:
        ScenarioError: the scenario, a setting or a seat's policy cannot be used.
        CheckpointError: a ``file:`` policy that the scenario names cannot be loaded.
    """
    game = _resolved(scenario)
    rivals = seat_policies(game).shares
    return CivilizationEnv(game, rivals, seat, render_mode, actions, first_world, world_step, split)


def make_civilizations(
    num_envs: int = 1,
    scenario: GameLike = "baseline",
    seat: SeatChoice = 0,
    render_mode: str | None = None,
    actions: ActionKind = "softmax",
    autoreset_mode: AutoresetMode | str = "NextStep",
    first_world: int | None = None,
    threads: int = 1,
    split: Split = "training",
    max_episode_steps: int | None = None,
) -> CivilizationVectorEnv:
    """Return the vector environment that ``gymnasium.make_vec("civsim/Civilization-v1", num_envs=8, ...)`` makes.

    Args and errors are those of :func:`make_civilization` and :class:`civsim.faces.vector.CivilizationVectorEnv`.
    """
    from civsim.faces.vector import CivilizationVectorEnv

    game = _resolved(scenario)
    rivals = seat_policies(game).shares
    return CivilizationVectorEnv(
        game,
        rivals,
        num_envs,
        seat,
        render_mode,
        actions,
        autoreset_mode,
        first_world,
        threads,
        split,
        max_episode_steps,
    )


def parallel_env(
    scenario: GameLike = "baseline",
    seats: Sequence[int] | None = None,
    render_mode: str | None = None,
    actions: ActionKind = "softmax",
    first_world: int | None = None,
    world_step: int = 1,
    split: Split = "training",
) -> CivilizationParallelEnv:
    """Return a PettingZoo parallel environment.

    Args:
        scenario: a name in the library, a path to a TOML file, a scenario, or the table of its settings.
        seats: the seats that are agents; None for all. The others follow the policies that the scenario names.
        render_mode: None, "rgb_array", "rgb_array_list" or "human".
        actions: "softmax" or "simplex" (:mod:`civsim.faces.actions`).
        first_world: world of a seed's first episode, one of ``split``; its first for None.
        world_step: from one episode's world to the next one's.
        split: "training", "validation" or "held_out": which worlds are played (:mod:`civsim.faces.splits`).

    Raises:
        ImportError: PettingZoo, an extra, is not installed.
        ScenarioError: the scenario, a setting or a seat's policy cannot be used.
        CheckpointError: a ``file:`` policy that the scenario names cannot be loaded.
    """
    from civsim.faces.pettingzoo import CivilizationParallelEnv

    game = _resolved(scenario)
    rivals = seat_policies(game).shares
    return CivilizationParallelEnv(game, rivals, seats, render_mode, actions, first_world, world_step, split)


def find_game(game: GameLike) -> tuple[Scenario, Rivals]:
    """Return a scenario and what plays its seats: what a face needs that is given a game by name.

    Args:
        game: a name in the library, a path to a TOML file, a scenario, or the table of its settings.

    Raises:
        ScenarioError: the scenario or a seat's policy cannot be used.
        CheckpointError: a trained policy that the scenario names cannot be loaded.
    """
    scenario = _resolved(game)
    return scenario, seat_policies(scenario).shares


def _resolved(scenario: GameLike) -> Scenario:
    if isinstance(scenario, Scenario):
        return scenario
    return from_plain(scenario) if isinstance(scenario, Mapping) else load_scenario(scenario)
