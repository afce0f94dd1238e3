"""The Gymnasium face: one seat is the agent, the rest follow given policies. It translates and holds no rule."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

import gymnasium
import numpy as np
from gymnasium import spaces
from numpy.typing import ArrayLike

from civsim.base.config import Scenario
from civsim.base.constants import N_CATEGORIES, RULES_VERSION
from civsim.base.errors import ActionError, ScenarioError
from civsim.engine.features import N_FEATURES, bounds
from civsim.engine.observation import Observer
from civsim.engine.state import F32, U8
from civsim.engine.world import World
from civsim.faces.actions import ACTION_BOUND, check_action, shares_from_action
from civsim.faces.drawing import draw_world

Rivals = Callable[[World], F32]
"""Shares of every seat of a batch, float32 [B, N, 8]; a face overwrites the agent's own row."""

SeatChoice = int | Literal["rotate"]
WORLD_IDS = 2**32
"""World ids are below this."""


def observation_space() -> spaces.Box:
    """Return the box every observation lies in: float32 [F], the same for every scenario."""
    low, high = bounds()
    return spaces.Box(low, high, dtype=np.float32)


def action_space() -> spaces.Box:
    """Return the box of actions, [−1, 1]^8 by Category; shares are softmax(3a) over the open categories."""
    return spaces.Box(-ACTION_BOUND, ACTION_BOUND, (N_CATEGORIES,), np.float32)


def check_seat(scenario: Scenario, seat: SeatChoice) -> SeatChoice:
    """Return ``seat`` if the scenario has it.

    Raises:
        ScenarioError: it is neither a seat of the scenario nor "rotate".
    """
    n = scenario.game.civilizations
    if seat == "rotate" or (isinstance(seat, int) and not isinstance(seat, bool) and 0 <= seat < n):
        return seat
    raise ScenarioError(f"seat={seat!r} is none of 0 … {n - 1}; give one of them, or 'rotate'")


def seat_of_world(seat: SeatChoice, world_id: int, n_civilizations: int) -> int:
    """Return the agent's seat in a world: ``seat``, or world id modulo the number of seats where it rotates."""
    return world_id % n_civilizations if seat == "rotate" else int(seat)


class CivilizationEnv(gymnasium.Env[Any, Any]):
    """One civilization's institutions as a Gymnasium environment.

    Observation: float32 [F], the features of :mod:`civsim.engine.features` at the end of the last turn.
    Action: float32 [8] in [−1, 1], by Category; shares of output are softmax(3a) over the open categories. A finite
    action outside the box is clipped to it; NaN, infinity, another shape or dtype raise ActionError and nothing moves.
    Reward: the scenario's objective in the turn just played.
    Termination: after T turns, or when the agent's civilization holds no cell (its utility is 0 from then on).
    Never truncated: T is the end of the game.

    Episodes: ``reset(seed=s)`` plays world 0 of study seed s, every further ``reset()`` the next world id; the k-th
    episode of a seed is world k. ``reset(options={"world_id": w})`` plays world w, and the next reset world w + 1.
    Without any seed the study seed is 0. ``world_id``, ``study_seed`` and ``agent`` say which game is on;
    ``info`` holds only the turn and the agent's seat, because the rest is not the civilization's to know.

    Args:
        scenario: the game.
        rivals: shares of all seats of a world, float32 [1, N, 8]; called before each step, the agent's row is ignored.
        seat: the agent's seat, or "rotate" for world id modulo the number of seats.
        render_mode: None, or "rgb_array": the map as the agent's civilization believes it to be.

    Raises:
        ScenarioError: the seat is not one of the scenario's, or the render mode is unknown.
    """

    metadata: dict[str, Any] = {  # noqa: RUF012  (declared so by gymnasium.Env)
        "render_modes": ["rgb_array"],
        "render_fps": 10,
        "rules_version": RULES_VERSION,
    }

    def __init__(
        self, scenario: Scenario, rivals: Rivals, seat: SeatChoice = 0, render_mode: str | None = None
    ) -> None:
        if render_mode not in (None, *self.metadata["render_modes"]):
            raise ScenarioError(f"render_mode={render_mode!r} is unknown; use 'rgb_array' or None")
        self.scenario = scenario
        self.render_mode = render_mode
        self.observation_space = observation_space()
        self.action_space = action_space()
        self.study_seed = 0
        self.world_id = -1
        self.agent = 0
        self._seat = check_seat(scenario, seat)
        self._rivals = rivals
        self._observer = Observer(scenario)
        self._world: World | None = None
        self._over = True

    @property
    def world(self) -> World:
        """The world being played.

        Raises:
            ActionError: no episode has begun.
        """
        if self._world is None:
            raise ActionError("no episode has begun; call reset() first")
        return self._world

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[F32, dict[str, Any]]:
        """Begin the next episode; see the class for which world that is.

        Raises:
            ActionError: an option other than world_id, or a world id outside 0 … 2**32 − 1.
        """
        wanted = _world_option(options)
        super().reset(seed=seed)
        if seed is not None:
            self.study_seed, self.world_id = int(seed), -1
        self.world_id = (self.world_id + 1) % WORLD_IDS if wanted is None else wanted
        self.agent = seat_of_world(self._seat, self.world_id, self.scenario.game.civilizations)
        if self._world is None or self._world.seed != self.study_seed:
            self._world = World(self.scenario, seed=self.study_seed, world_ids=[self.world_id])
        else:
            self._world.reset(world_ids=[self.world_id])
        self._over = False
        return self._observe(), self._info()

    def step(self, action: ArrayLike) -> tuple[F32, float, bool, bool, dict[str, Any]]:
        """Play one turn with the agent's action; see the class for what each value means.

        Raises:
            ActionError: the action is malformed, or the episode is over.
        """
        world = self.world
        if self._over:
            raise ActionError("the episode is over; call reset() before the next step")
        own = shares_from_action(check_action(action, (N_CATEGORIES,)), self._observer.open)
        shares = self._rivals(world)
        shares[0, self.agent] = own
        record = world.step(shares)
        self._over = bool(record.terminated[0]) or not record.alive[0, self.agent]
        return self._observe(), float(record.reward[0, self.agent]), self._over, False, self._info()

    def render(self) -> U8 | None:
        """Return the map as the agent believes it to be, uint8 [16 · height, 16 · width, 3]; None without a mode."""
        if self.render_mode is None:
            return None
        return draw_world(self.world.state, self.scenario, 0, self.agent)

    def _observe(self) -> F32:
        rows = self._observer.rows(self.world.state, np.zeros(1, np.int64), np.array([self.agent], np.int64))
        return rows.reshape(N_FEATURES)

    def _info(self) -> dict[str, Any]:
        return {"turn": int(self.world.state.turn[0]), "seat": self.agent}


def _world_option(options: dict[str, Any] | None) -> int | None:
    """Return the world id an episode was asked for, checked, or None."""
    for key in options or {}:
        if key != "world_id":
            raise ActionError(f"option {key!r} is unknown; the only one is world_id")
    if not options:
        return None
    wanted = options["world_id"]
    if isinstance(wanted, bool) or not isinstance(wanted, (int, np.integer)) or not 0 <= wanted < WORLD_IDS:
        raise ActionError(f"world_id={wanted!r} is not an integer in 0 … {WORLD_IDS - 1}; give one")
    return int(wanted)
