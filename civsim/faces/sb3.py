"""The Stable-Baselines3 face: a native ``VecEnv`` over one batch of worlds, one or several learners in each world."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from stable_baselines3.common.monitor import Monitor
from stable_baselines3.common.vec_env import VecEnv
from stable_baselines3.common.vec_env.base_vec_env import VecEnvIndices

from civsim.base.constants import N_CATEGORIES
from civsim.base.errors import ActionError
from civsim.base.scenario import Scenario
from civsim.engine.observation.features import N_FEATURES
from civsim.engine.state import F32, F64, I64
from civsim.faces.actions import ActionKind, check_action
from civsim.faces.gymnasium import action_space, observation_space
from civsim.faces.running import RunningFace
from civsim.faces.seating import SeatChoice, neighbouring
from civsim.faces.seats import Rivals, SeatBatch, WorldQueue
from civsim.faces.splits import Split, first_of, onward

Step = tuple[F32, F32, NDArray[np.bool_], list[dict[str, Any]]]

_ONLY = np.zeros(1, np.int64)


class WorldVecEnv(RunningFace, VecEnv):
    """B worlds with L learners each as one vectorised environment; row = world · L + place.

    Spaces, rewards and ends of episodes are those of :class:`civsim.faces.gymnasium.CivilizationEnv`; rewards are
    float32. The learners of world id w hold the seats (w + 0 … L − 1) mod N where the seat rotates.

    When an episode ends its row is done, and its info holds ``terminal_observation``, ``TimeLimit.truncated`` (False:
    T is the end of the game) and ``episode`` (:meth:`civsim.faces.seats.SeatBatch.episode`). A world in which no
    learner plays on is at once the next unused world id, and the observations returned are the new game's. A row whose
    civilization is gone while other learners of its world play on is idle until then: ``live`` is False, its
    observation and reward are 0, its info is empty and its action, though it must be well formed, has no effect. In
    the step in which its world begins again it is done once more, so that every first observation of a game follows a
    done; that info has no ``episode``, for none was played, and ``terminal_observation`` is 0.

    A learner that does not read ``live`` also learns from idle rows: with several learners in a world of war that may
    be a fifth of all. With ``learners=1`` no row is ever idle; :mod:`civsim.agents` leaves idle rows out.

    Observed is what every game tells (:data:`civsim.engine.observation.features.FEATURES`), so that what is learned in
    one can play any other; how thought is housed in several seats is left out.

    What a step returns is the caller's: each array is fresh and is never written to afterwards, so that a learner may
    keep the last observations and edit the rewards in place. Every row has an info of its own.

    Args:
        scenario: the game.
        rivals: shares of all seats, float32 [B, N, 8]; the learners' are ignored.
        n_worlds: B.
        seed: study seed; ``seed(s)`` changes it at the next reset.
        learners: L, 1 to N.
        seat: "rotate", or with one learner a fixed seat.
        actions: "softmax" or "simplex" (:mod:`civsim.faces.actions`).
        first_world: id of the first world, one of ``split``; its first for None. Ids go up from there in the order in
            which episodes begin.
        threads: threads of the engine; no result depends on it.
        split: "training", "validation" or "held_out" (:mod:`civsim.faces.splits`).

    Raises:
        ScenarioError: a setting is unknown or out of range.
    """

    def __init__(
        self,
        scenario: Scenario,
        rivals: Rivals,
        n_worlds: int,
        seed: int = 0,
        *,
        learners: int = 1,
        seat: SeatChoice = "rotate",
        actions: ActionKind = "softmax",
        first_world: int | None = None,
        threads: int = 1,
        split: Split = "training",
    ) -> None:
        seating = neighbouring(scenario, seat, learners)
        self._batch = SeatBatch(scenario, rivals, n_worlds, seating, actions=actions, threads=threads)
        self.study_seed = int(seed)
        self._queue = WorldQueue(first_of(split, first_world))
        self._action: F64 | None = None
        super().__init__(self._batch.n_rows, observation_space(), action_space(actions))

    @property
    def next_world(self) -> int:
        """The id of the next world that will begin."""
        return int(self._queue.following[0])

    @property
    def live(self) -> NDArray[np.bool_]:
        """Bool [rows], True where the row's next action counts; never written to. All False before the first reset."""
        return self._batch.live

    def seed(self, seed: int | None = None) -> Sequence[int | None]:
        """Set the study seed that the next reset plays; None keeps it. Rows differ by world id, not by seed."""
        if seed is not None:
            self.study_seed = int(seed)
        return [self.study_seed] * self.num_envs

    def reset(self) -> F32:
        """Begin a new episode in every row, at the first world id; return observations, float32 [rows, F].

        Raises:
            ScenarioError: the study seed is outside 0 … 2**64 − 1.
        """
        self._action = None
        ids = self._ids(self._batch.n_worlds, rewind=True)
        self._batch.begin(self._seed_to_play(None), ids)
        self._queue.begun(_ONLY, ids[-1:])
        return self.observe()

    def step_async(self, actions: NDArray[np.floating[Any]]) -> None:
        """Hold the learners' actions, [rows, 8]; ActionError where they are malformed."""
        self._action = check_action(actions, (self.num_envs, N_CATEGORIES))

    def step_wait(self) -> Step:
        """Play one turn in every world: observations [rows, F], rewards [rows] float32, ends [rows], infos."""
        if self._action is None:
            raise ActionError("no action is waiting; call step_async() first")
        actions, self._action = self._action, None
        rewards, ended = self._batch.play(actions)
        observations = self.observe()
        infos: list[dict[str, Any]] = [{} for _ in range(self.num_envs)]
        for row in np.flatnonzero(ended):
            infos[row]["episode"] = self._batch.episode(int(row))
        dones, over = ended, self._batch.finished
        if len(over):
            dones = ended | np.isin(self._batch.row_world, over)
        for row in np.flatnonzero(dones):
            infos[row] |= {"terminal_observation": observations[row].copy(), "TimeLimit.truncated": False}
        self._begin_again(observations)
        return observations, rewards.astype(np.float32), dones, infos

    def _begin_again(self, observations: F32) -> None:
        """Play the next worlds where no learner plays on, and write their first observations over the last ones."""
        worlds = self._batch.finished
        if len(worlds):
            ids = self._ids(len(worlds))
            self._batch.restart(worlds, ids)
            self._queue.begun(_ONLY, ids[-1:])
            rows = np.flatnonzero(np.isin(self._batch.row_world, worlds))
            observations[rows] = self.observe(rows)

    def _ids(self, count: int, rewind: bool = False) -> I64:
        return onward(self._queue.upcoming(_ONLY, rewind).repeat(count), np.arange(count, dtype=np.int64))

    def observe(self, rows: I64 | None = None) -> F32:
        """Return the current observations of rows (all by default), float32 [n, F], a fresh array."""
        return np.ascontiguousarray(self._batch.observe(rows)[:, :N_FEATURES])

    def _told(self) -> F32:
        return self.observe()

    def _gone_on(self) -> None:
        # An action that was waiting is forgotten.
        self.study_seed, self._action = self.world.seed, None

    def close(self) -> None:
        """Let the worlds go."""
        self._batch.close()

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
        """Return, for each row asked for, whether it does what the wrapper does: True for SB3's Monitor alone.

        Rows tell of their episodes as Monitor does, in ``info["episode"]``; SB3's evaluation asks before it reads that.
        """
        return [wrapper_class is Monitor for _ in self._get_indices(indices)]
