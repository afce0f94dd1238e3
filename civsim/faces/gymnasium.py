"""The Gymnasium face: one seat is the agent, the rest follow given policies. It translates and holds no rule."""

from __future__ import annotations

from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces
from numpy.typing import ArrayLike

from civsim.base.constants import N_CATEGORIES, RULES_VERSION
from civsim.base.errors import ActionError
from civsim.base.scenario import Scenario
from civsim.engine.observation.features import bounds
from civsim.engine.state import F32, U8
from civsim.faces.actions import ActionKind, action_bounds, check_action, check_kind
from civsim.faces.drawing import draw_world
from civsim.faces.rendering import MODES, RENDER_FPS, Rendering, check_render_mode
from civsim.faces.running import RunningFace
from civsim.faces.seating import SeatChoice, neighbouring
from civsim.faces.seats import Rivals, SeatBatch, WorldQueue
from civsim.faces.spec import WrittenSpec
from civsim.faces.splits import Split, check_world_id, first_of

METADATA: dict[str, Any] = {
    "render_modes": list(MODES),
    "render_fps": RENDER_FPS,
    "rules_version": RULES_VERSION,
}
"""What the faces that can be drawn say of themselves."""

_ONLY = np.zeros(1, np.int64)


def observation_space(scenario: Scenario | None = None) -> spaces.Box:
    """Return the box every observation of a scenario lies in, float32 [F].

    It is the same for all, and for none, but those in which a civilization may have several seats of thought.
    """
    low, high = bounds(scenario)
    return spaces.Box(low, high, dtype=np.float32)


def action_space(actions: ActionKind = "softmax") -> spaces.Box:
    """Return the box of one kind of action, float32 [8] by Category (see :mod:`civsim.faces.actions`).

    Raises:
        ScenarioError: there is no such kind.
    """
    low, high = action_bounds(check_kind(actions))
    return spaces.Box(low, high, (N_CATEGORIES,), np.float32)


class CivilizationEnv(RunningFace, gymnasium.Env[Any, Any]):
    """One civilization's institutions as a Gymnasium environment.

    Observation: float32 [F], the features of :mod:`civsim.engine.observation.features` at the end of the last turn.
    Action: float32 [8] by Category, of one of the two kinds of :mod:`civsim.faces.actions`. A finite action outside the
    box is clipped to it; NaN, infinity, another shape or dtype raise ActionError and nothing moves.
    Reward: the engine's, float: the undiscounted flow of the scenario's objective in the turn just played. The sum of
    rewards discounted by ``civsim.engine.compiled.reward_discount(scenario)`` is the objective: train with that.
    Termination: after T turns, or when the agent's civilization holds no cell (its utility is 0 from then on).
    Never truncated: T is the end of the game.

    Episodes: ``reset(seed=s)`` plays world ``first_world`` of study seed s, every further ``reset()`` the world
    ``world_step`` ids later; by default the k-th episode of a seed is world k. ``reset(options={"world_id": w})`` plays
    world w, and the next reset goes on from there. An environment that nobody has seeded draws a study seed from the
    system's entropy at its first reset and keeps it, so that several do not play the same game. ``world_id``,
    ``study_seed`` (None before the first episode) and ``agent`` say which game is on; ``info`` holds only the turn and
    the agent's seat, because the rest is not the civilization's to know.

    Args:
        scenario: the game.
        rivals: shares of all seats of a world, float32 [1, N, 8]; asked before each step, the agent's row is ignored.
        seat: the agent's seat, or "rotate" for world id modulo the number of seats.
        render_mode: how the map is shown, as the agent's civilization believes it to be: None not at all, "rgb_array"
            when asked, "rgb_array_list" all pictures since last asked, "human" in a window, turn by turn.
        actions: "softmax" or "simplex".
        first_world: world of a seed's first episode, one of ``split``; its first for None.
        world_step: from one episode's world to the next one's; with n for n environments of one seed that begin at
            worlds 0 … n − 1, no two play the same world.
        split: "training", "validation" or "held_out": which worlds are played (:mod:`civsim.faces.splits`). What is
            trained on one is judged on another, whatever the seeds.

    Raises:
        ScenarioError: the seat is not one of the scenario's, or a setting is unknown or out of range.
        gymnasium.error.DependencyNotInstalled: the mode is "human", and pygame, an extra, is not installed.
    """

    metadata: dict[str, Any] = {**METADATA}  # noqa: RUF012  (declared so by gymnasium.Env)
    spec = WrittenSpec()

    def __init__(
        self,
        scenario: Scenario,
        rivals: Rivals,
        seat: SeatChoice = 0,
        render_mode: str | None = None,
        actions: ActionKind = "softmax",
        first_world: int | None = None,
        world_step: int = 1,
        split: Split = "training",
    ) -> None:
        self._batch = SeatBatch(scenario, rivals, 1, neighbouring(scenario, seat), actions=actions)
        self._queue = WorldQueue(first_of(split, first_world), step=world_step)
        self.render_mode = check_render_mode(render_mode)
        self._rendering = Rendering(self.render_mode, scenario, self._draw)
        self.observation_space = observation_space(scenario)
        self.action_space = action_space(actions)
        self.study_seed: int | None = None
        self.world_id = -1
        self.agent = 0

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[F32, dict[str, Any]]:
        """Begin the next episode; see the class for which world that is.

        Raises:
            ActionError: an option other than world_id, or a world id outside 0 … 2**32 − 1.
            ScenarioError: the seed is outside 0 … 2**64 − 1.
        """
        wanted = _world_option(options)
        super().reset(seed=seed)
        ids = self._queue.upcoming(_ONLY, rewind=seed is not None) if wanted is None else np.array([wanted], np.int64)
        self._batch.begin(self._seed_to_play(seed), ids)
        self._queue.begun(_ONLY, ids)
        self._gone_on()
        return self._told()

    def _told(self) -> tuple[F32, dict[str, Any]]:
        return self._observe(), self._info()

    def _gone_on(self) -> None:
        state = self.world.state
        self.study_seed, self.world_id, self.agent = self.world.seed, int(state.world_id[0]), int(self._batch.seats[0])
        self._rendering.begin()

    def step(self, action: ArrayLike) -> tuple[F32, float, bool, bool, dict[str, Any]]:
        """Play one turn with the agent's action; see the class for what each value means.

        Raises:
            ActionError: the action is malformed, or the episode is over.
        """
        self._batch.check_on()
        rewards, ended = self._batch.play(check_action(action, (N_CATEGORIES,))[None])
        self._rendering.moved()
        return self._observe(), float(rewards[0]), bool(ended[0]), False, self._info()

    def render(self) -> U8 | list[U8] | None:  # type: ignore[override]
        """Return the map as the agent believes it to be, uint8 [16 · height, 16 · width, 3], or a list of them.

        None without a mode, and in mode "human", which shows it.

        Raises:
            ActionError: no episode has begun.
            CivsimError: the mode is "human" and there is no display.
        """
        pictures = self._rendering.render()
        return None if pictures is None else pictures[0]

    def _draw(self, cell_pixels: int) -> tuple[U8, ...]:
        return (draw_world(self.world.state, self.scenario, 0, self.agent, cell_pixels),)

    def close(self) -> None:
        """Close the window, if one is open."""
        self._rendering.close()

    def _observe(self) -> F32:
        return self._batch.observe()[0]

    def _info(self) -> dict[str, Any]:
        return {"turn": int(self.world.state.turn[0]), "seat": self.agent}


def _world_option(options: dict[str, Any] | None) -> int | None:
    """Return the world id an episode was asked for, checked, or None."""
    for key in options or {}:
        if key != "world_id":
            raise ActionError(f"option {key!r} is unknown; the only one is world_id")
    return check_world_id("world_id", options["world_id"], ActionError) if options else None
