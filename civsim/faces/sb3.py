"""The Stable-Baselines3 face: a native ``VecEnv`` over one batch of worlds, one learner in each world."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from stable_baselines3.common.vec_env import VecEnv
from stable_baselines3.common.vec_env.base_vec_env import VecEnvIndices

from civsim.base.config import Scenario
from civsim.base.constants import N_CATEGORIES
from civsim.base.errors import ActionError
from civsim.engine.observation import Observer
from civsim.engine.state import F32, F64, I64
from civsim.engine.world import World
from civsim.faces.actions import check_action, shares_from_action
from civsim.faces.gymnasium import (
    WORLD_IDS,
    Rivals,
    SeatChoice,
    action_space,
    check_seat,
    observation_space,
    seat_of_world,
)

Step = tuple[F32, F32, NDArray[np.bool_], list[dict[str, Any]]]


class WorldVecEnv(VecEnv):
    """B worlds as one vectorised environment: row b is the learner's seat in world b.

    Spaces, rewards and ends of episodes are those of :class:`civsim.faces.gymnasium.CivilizationEnv`. A row whose
    episode ends starts the next unused world id at once; the step then returns the new world's first observation, and
    its info holds ``terminal_observation``, ``TimeLimit.truncated`` (False: T is the end of the game) and ``episode``
    (return ``r``, length ``l``, ``world_id``, ``seat``). Every returned array is a fresh copy.

    Args:
        scenario: the game.
        rivals: shares of all seats, float32 [B, N, 8]; the learners' rows are overwritten.
        n_worlds: B.
        seed: study seed; ``seed(s)`` changes it at the next reset.
        seat: the learner's seat, or "rotate" for world id modulo the number of seats.
        first_world: id of the first world; ids go up from there in the order in which episodes begin.
        threads: threads of the engine.

    Raises:
        ScenarioError: the seat is not one of the scenario's.
    """

    def __init__(
        self,
        scenario: Scenario,
        rivals: Rivals,
        n_worlds: int,
        seed: int = 0,
        *,
        seat: SeatChoice = "rotate",
        first_world: int = 0,
        threads: int = 1,
    ) -> None:
        self.scenario = scenario
        self.study_seed = int(seed)
        self._rivals = rivals
        self._seat = check_seat(scenario, seat)
        self._first_world = first_world
        self._threads = threads
        self._observer = Observer(scenario)
        self._rows: I64 = np.arange(n_worlds, dtype=np.int64)
        self._returns: F64 = np.zeros(n_worlds)
        self._lengths: I64 = np.zeros(n_worlds, np.int64)
        self._action: F64 | None = None
        self._world: World | None = None
        super().__init__(n_worlds, observation_space(), action_space())

    @property
    def world(self) -> World:
        """The batch being played.

        Raises:
            ActionError: no episode has begun.
        """
        if self._world is None:
            raise ActionError("no episode has begun; call reset() first")
        return self._world

    @property
    def next_world(self) -> int:
        """The id of the next world that will begin."""
        return self._next_world

    def seed(self, seed: int | None = None) -> Sequence[int | None]:
        """Set the study seed that the next reset plays; None keeps it. Rows differ by world id, not by seed."""
        if seed is not None:
            self.study_seed = int(seed)
            self._world = None
        return [self.study_seed] * self.num_envs

    def reset(self) -> F32:
        """Begin a new episode in every row, at the first world id; return observations, float32 [B, F]."""
        self._next_world = self._first_world
        ids = self._take_ids(self.num_envs)
        if self._world is None:
            self._world = World(self.scenario, seed=self.study_seed, world_ids=ids.tolist(), threads=self._threads)
        else:
            self._world.reset(world_ids=ids.tolist())
        self._seats = np.array([self._seat_of(world_id) for world_id in ids], np.int64)
        self._returns[:] = 0.0
        self._lengths[:] = 0
        return self._observer.rows(self.world.state, self._rows, self._seats)

    def step_async(self, actions: NDArray[np.floating[Any]]) -> None:
        """Hold the learners' actions, [B, 8]; ActionError where they are malformed."""
        self._action = check_action(actions, (self.num_envs, N_CATEGORIES))

    def step_wait(self) -> Step:
        """Play one turn in every world: observations [B, F], rewards [B] float32, ends [B], infos."""
        if self._action is None:
            raise ActionError("no action is waiting; call step_async() first")
        world, rows = self.world, self._rows
        shares = self._rivals(world)
        shares[rows, self._seats] = shares_from_action(self._action, self._observer.open)
        self._action = None
        record = world.step(shares)
        rewards = record.reward[rows, self._seats]
        ended = record.terminated | (record.alive[rows, self._seats] == 0)
        self._returns += rewards
        self._lengths += 1
        observations = self._observer.rows(world.state, rows, self._seats)
        nothing: dict[str, Any] = {}
        infos = [nothing] * self.num_envs
        if ended.any():
            self._begin_again(np.flatnonzero(ended), observations, infos)
        return observations, rewards.astype(np.float32), ended.copy(), infos

    def _begin_again(self, ended: I64, observations: F32, infos: list[dict[str, Any]]) -> None:
        """Note how each ended episode went and start the next world in its row."""
        for row in ended:
            infos[row] = {
                "terminal_observation": observations[row].copy(),
                "TimeLimit.truncated": False,
                "episode": {
                    "r": float(self._returns[row]),
                    "l": int(self._lengths[row]),
                    "world_id": int(self.world.state.world_id[row]),
                    "seat": int(self._seats[row]),
                },
            }
        ids = self._take_ids(len(ended))
        self.world.reset(world_ids=ids.tolist(), rows=ended.tolist())
        self._seats[ended] = [self._seat_of(world_id) for world_id in ids]
        self._returns[ended] = 0.0
        self._lengths[ended] = 0
        observations[ended] = self._observer.rows(self.world.state, ended, self._seats[ended])

    def _take_ids(self, count: int) -> I64:
        ids = (self._next_world + np.arange(count, dtype=np.int64)) % WORLD_IDS
        self._next_world += count
        return ids

    def _seat_of(self, world_id: int) -> int:
        return seat_of_world(self._seat, int(world_id), self.scenario.game.civilizations)

    def close(self) -> None:
        """Let the batch go."""
        self._world = None

    def get_attr(self, attr_name: str, indices: VecEnvIndices = None) -> list[Any]:
        """Return the attribute, once for each row asked for; all rows share one object."""
        value = None if attr_name == "render_mode" else getattr(self, attr_name)
        return [value for _ in self._get_indices(indices)]

    def set_attr(self, attr_name: str, value: Any, indices: VecEnvIndices = None) -> None:
        """Refuse: rows are views of one batch and have no attributes of their own."""
        raise AttributeError(f"{attr_name!r} cannot be set: rows share one world batch; make a new WorldVecEnv")

    def env_method(
        self, method_name: str, *method_args: Any, indices: VecEnvIndices = None, **method_kwargs: Any
    ) -> list[Any]:
        """Refuse: rows are views of one batch and have no methods of their own."""
        raise AttributeError(f"{method_name!r} cannot be called on a row: rows share one world batch")

    def env_is_wrapped(self, wrapper_class: Any, indices: VecEnvIndices = None) -> list[bool]:
        """Return False for each row asked for: no row is a wrapped environment."""
        return [False for _ in self._get_indices(indices)]
