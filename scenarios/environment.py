"""The entry points of the registered environments: they know scenarios by name and policies by scenario."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from civsim.agents import seat_policies
from civsim.base.scenario import Scenario
from civsim.faces.actions import ActionKind
from civsim.faces.gymnasium import CivilizationEnv
from civsim.faces.seating import SeatChoice
from civsim.faces.seats import Rivals
from civsim.scenarios import load_scenario

if TYPE_CHECKING:
    from gymnasium.vector import AutoresetMode

    from civsim.faces.pettingzoo import CivilizationParallelEnv
    from civsim.faces.vector import CivilizationVectorEnv


def make_civilization(
    scenario: str | Path | Scenario = "baseline",
    seat: SeatChoice = 0,
    render_mode: str | None = None,
    actions: ActionKind = "softmax",
    first_world: int = 0,
    world_step: int = 1,
) -> CivilizationEnv:
    """Return the environment that ``gymnasium.make("civsim/Civilization-v1", ...)`` makes.

    Args:
        scenario: a name in the library, a path to a TOML file, or a scenario.
        seat: the agent's seat, or "rotate" for world id modulo the number of seats. The other seats follow the
            policies that the scenario names.
        render_mode: None, "rgb_array", "rgb_array_list" or "human".
        actions: "softmax" or "simplex" (:mod:`civsim.faces.actions`).
        first_world: world of a seed's first episode.
        world_step: from one episode's world to the next one's.

    Raises:
        ScenarioError: the scenario, a setting or a seat's policy cannot be used.
        CheckpointError: a ``file:`` policy that the scenario names cannot be loaded.
    """
    game = _resolved(scenario)
    rivals = seat_policies(game).shares
    return CivilizationEnv(game, rivals, seat, render_mode, actions, first_world, world_step)


def make_civilizations(
    num_envs: int = 1,
    scenario: str | Path | Scenario = "baseline",
    seat: SeatChoice = 0,
    render_mode: str | None = None,
    actions: ActionKind = "softmax",
    autoreset_mode: AutoresetMode | str = "NextStep",
    first_world: int = 0,
    threads: int = 1,
) -> CivilizationVectorEnv:
    """Return the vector environment that ``gymnasium.make_vec("civsim/Civilization-v1", num_envs=8, ...)`` makes.

    Args and errors are those of :func:`make_civilization` and :class:`civsim.faces.vector.CivilizationVectorEnv`.
    """
    from civsim.faces.vector import CivilizationVectorEnv

    game = _resolved(scenario)
    rivals = seat_policies(game).shares
    return CivilizationVectorEnv(
        game, rivals, num_envs, seat, render_mode, actions, autoreset_mode, first_world, threads
    )


def parallel_env(
    scenario: str | Path | Scenario = "baseline",
    seats: Sequence[int] | None = None,
    render_mode: str | None = None,
    actions: ActionKind = "softmax",
) -> CivilizationParallelEnv:
    """Return a PettingZoo parallel environment.

    Args:
        scenario: a name in the library, a path to a TOML file, or a scenario.
        seats: the seats that are agents; None for all. The others follow the policies that the scenario names.
        render_mode: None, "rgb_array", "rgb_array_list" or "human".
        actions: "softmax" or "simplex" (:mod:`civsim.faces.actions`).

    Raises:
        ImportError: PettingZoo, an extra, is not installed.
        ScenarioError: the scenario, a setting or a seat's policy cannot be used.
        CheckpointError: a ``file:`` policy that the scenario names cannot be loaded.
    """
    from civsim.faces.pettingzoo import CivilizationParallelEnv

    game = _resolved(scenario)
    return CivilizationParallelEnv(game, seat_policies(game).shares, seats, render_mode, actions)


def find_game(game: str | Path | Scenario) -> tuple[Scenario, Rivals]:
    """Return a scenario and what plays its seats: what a face needs that is given a game by name.

    Args:
        game: a name in the library, a path to a TOML file, or a scenario.

    Raises:
        ScenarioError: the scenario or a seat's policy cannot be used.
        CheckpointError: a trained policy that the scenario names cannot be loaded.
    """
    scenario = _resolved(game)
    return scenario, seat_policies(scenario).shares


def _resolved(scenario: str | Path | Scenario) -> Scenario:
    return scenario if isinstance(scenario, Scenario) else load_scenario(scenario)
