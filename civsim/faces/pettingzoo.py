"""The PettingZoo face: every seat, or some of them, an agent of one parallel environment. It holds no rule."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from gymnasium import spaces
from numpy.typing import ArrayLike, NDArray

from civsim.base.constants import N_CATEGORIES
from civsim.base.errors import ActionError
from civsim.base.scenario import Scenario
from civsim.engine.state import F32, U8
from civsim.faces.actions import ActionKind, check_action
from civsim.faces.drawing import draw_world
from civsim.faces.gymnasium import METADATA, action_space, observation_space
from civsim.faces.overview import overview, overview_space
from civsim.faces.rendering import Rendering, check_render_mode
from civsim.faces.running import RunningFace
from civsim.faces.seating import fixed
from civsim.faces.seats import Rivals, SeatBatch, WorldQueue
from civsim.faces.splits import Split, check_world_id, first_of

try:
    from pettingzoo import ParallelEnv
except ModuleNotFoundError as missing:
    if missing.name != "pettingzoo":
        raise
    raise ImportError(
        "pettingzoo is not installed; install civsim with its extra: pip install 'civsim[pettingzoo]'"
    ) from None

Step = tuple[dict[str, F32], dict[str, float], dict[str, bool], dict[str, bool], dict[str, dict[str, Any]]]

_ONLY = np.zeros(1, np.int64)


class CivilizationParallelEnv(RunningFace, ParallelEnv[str, F32, F32]):
    """One world in which each agent is a civilization's institutions; agent "civilization_2" holds seat 2.

    Observations, actions, rewards and ends are each agent's own, as in :class:`civsim.faces.gymnasium.CivilizationEnv`.
    An agent whose civilization loses its last cell is terminated in that very step, with an observation of zeros, and
    has left ``agents`` when the step returns; it does not come back before the next reset. After T turns all the rest
    are terminated. Nothing is truncated.

    Episodes: as there, ``reset(seed=s)`` plays world ``first_world`` of study seed s, every further ``reset()`` the
    next world, ``reset(options={"world_id": w})`` world w; without any seed one is drawn, as there. PettingZoo's
    conformance test passes an option that means nothing, so that other options are ignored.

    :meth:`state` is the whole world as one row, for critics that see it all while they learn. No action is invalid;
    ``open_categories``, bool [8], says which of its entries have an effect, and an agent that may not act is not in
    ``agents``.

    Args:
        scenario: the game.
        rivals: shares of all seats, float32 [1, N, 8]; the agents' are ignored.
        seats: the seats that are agents, in the order of ``possible_agents``; None for all.
        render_mode: how the map is shown, as it is: None, "rgb_array", "rgb_array_list" or "human", as in
            :class:`civsim.faces.gymnasium.CivilizationEnv`.
        actions: "softmax" or "simplex" (:mod:`civsim.faces.actions`).
        first_world: world of a seed's first episode, one of ``split``; its first for None.
        world_step: from one episode's world to the next one's.
        split: "training", "validation" or "held_out", as there.

    Raises:
        ScenarioError: a setting is unknown or out of range.
    """

    metadata: dict[str, Any] = {**METADATA, "name": "civsim_civilization_v0", "is_parallelizable": True}  # noqa: RUF012

    def __init__(
        self,
        scenario: Scenario,
        rivals: Rivals,
        seats: Sequence[int] | None = None,
        render_mode: str | None = None,
        actions: ActionKind = "softmax",
        first_world: int | None = None,
        world_step: int = 1,
        split: Split = "training",
    ) -> None:
        seating = fixed(scenario, seats)
        self._batch = SeatBatch(scenario, rivals, 1, seating, actions=actions)
        self._queue = WorldQueue(first_of(split, first_world), step=world_step)
        self.render_mode = check_render_mode(render_mode)
        self._rendering = Rendering(self.render_mode, scenario, self._draw)
        self.possible_agents = [f"civilization_{seat}" for seat in seating.places]
        self.agents: list[str] = []
        self.observation_spaces = {agent: observation_space(scenario) for agent in self.possible_agents}
        self.action_spaces = {agent: action_space(actions) for agent in self.possible_agents}
        self.state_space = overview_space(scenario)
        self.study_seed: int | None = None
        self.world_id = -1

    def observation_space(self, agent: str) -> spaces.Box:
        """Return an agent's observation space: one and the same object at every call."""
        return self.observation_spaces[agent]

    def action_space(self, agent: str) -> spaces.Box:
        """Return an agent's action space: one and the same object at every call."""
        return self.action_spaces[agent]

    def reset(
        self, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[dict[str, F32], dict[str, dict[str, Any]]]:
        """Begin the next episode; see the class for which world that is.

        Raises:
            ActionError: a world id outside 0 … 2**32 − 1.
            ScenarioError: the seed is outside 0 … 2**64 − 1.
        """
        ids = self._queue.upcoming(_ONLY, rewind=seed is not None)
        if options and "world_id" in options:
            ids[0] = check_world_id("world_id", options["world_id"], ActionError)
        self._batch.begin(self._seed_to_play(seed), ids)
        self._queue.begun(_ONLY, ids)
        self._gone_on()
        return self._told()

    def _told(self) -> tuple[dict[str, F32], dict[str, dict[str, Any]]]:
        return self._observe(self.agents), self._infos(self.agents)

    def _gone_on(self) -> None:
        self.study_seed, self.world_id = self.world.seed, int(self.world.state.world_id[0])
        self.agents = [name for name in self.possible_agents if self._batch.live[self._row(name)]]
        self._rendering.begin()

    def step(self, actions: Mapping[str, ArrayLike]) -> Step:
        """Play one turn with an action for each agent in ``agents``; see the class for what each value means.

        Every dictionary has an entry for each agent that acted.

        Raises:
            ActionError: an action is missing, malformed or for an agent that is not in ``agents``, or none is left.
        """
        self._batch.check_on()
        acting = self.agents
        unknown = [name for name in actions if name not in acting]
        missing = [name for name in acting if name not in actions]
        if unknown or missing:
            what = f"an action for {unknown[0]!r}" if unknown else f"no action for {missing[0]!r}"
            raise ActionError(f"{what}; give one for each agent in env.agents, and for no other")
        rows = np.zeros((len(self.possible_agents), N_CATEGORIES))
        for name in acting:
            rows[self._row(name)] = check_action(actions[name], (N_CATEGORIES,))
        rewards, ended = self._batch.play(rows)
        self._rendering.moved()
        self.agents = [name for name in acting if not ended[self._row(name)]]
        return (
            self._observe(acting),
            {name: float(rewards[self._row(name)]) for name in acting},
            {name: bool(ended[self._row(name)]) for name in acting},
            dict.fromkeys(acting, False),
            self._infos(acting),
        )

    def state(self) -> F32:
        """Return the whole world as it is, of the shape of ``state_space`` (:mod:`civsim.faces.overview`), fresh.

        Raises:
            ActionError: no episode has begun.
        """
        return overview(self.world)

    def _row(self, agent: str) -> int:
        return self.possible_agents.index(agent)

    def _observe(self, agents: Sequence[str]) -> dict[str, F32]:
        rows: NDArray[np.int64] = np.array([self._row(name) for name in agents], np.int64)
        return dict(zip(agents, self._batch.observe(rows), strict=True))

    def _infos(self, agents: Sequence[str]) -> dict[str, dict[str, Any]]:
        turn = int(self.world.state.turn[0])
        return {name: {"turn": turn, "seat": int(self._batch.seats[self._row(name)])} for name in agents}

    def render(self) -> U8 | list[U8] | None:
        """Return the map as it is, uint8 [16 · height, 16 · width, 3], or a list of such pictures; None as there."""
        pictures = self._rendering.render()
        return None if pictures is None else pictures[0]

    def _draw(self, cell_pixels: int) -> tuple[U8, ...]:
        return (draw_world(self.world.state, self.scenario, cell_pixels=cell_pixels),)

    def close(self) -> None:
        """Let the world go, and close the window, if one is open."""
        self._batch.close()
        self._rendering.close()
