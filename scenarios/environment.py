"""The entry point of the registered Gymnasium environment: it knows scenarios by name and policies by scenario."""

from __future__ import annotations

from pathlib import Path

from civsim.agents import seat_policies
from civsim.base.config import Scenario
from civsim.engine.state import F32
from civsim.engine.world import World
from civsim.faces.gymnasium import CivilizationEnv, SeatChoice
from civsim.scenarios import load_scenario


def make_civilization(
    scenario: str | Path | Scenario = "baseline", seat: SeatChoice = 0, render_mode: str | None = None
) -> CivilizationEnv:
    """Return the environment that ``gymnasium.make("civsim/Civilization-v0", ...)`` makes.

    Args:
        scenario: a name in the library, a path to a TOML file, or a scenario.
        seat: the agent's seat, or "rotate" for world id modulo the number of seats. The other seats follow the
            policies that the scenario names.
        render_mode: None or "rgb_array".

    Raises:
        ScenarioError: the scenario, the seat, the render mode or a seat's policy cannot be used.
    """
    resolved = scenario if isinstance(scenario, Scenario) else load_scenario(scenario)
    policies = seat_policies(resolved)
    fixed = None if seat == "rotate" else seat

    def rivals(world: World) -> F32:
        return policies.shares(world, without=fixed)

    return CivilizationEnv(resolved, rivals, seat=seat, render_mode=render_mode)
