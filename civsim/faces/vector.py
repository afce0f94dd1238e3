"""The Gymnasium vector face: B single environments played as one batch of worlds. It translates and holds no rule."""

from __future__ import annotations

from typing import Any

import numpy as np
from gymnasium.vector import AutoresetMode, VectorEnv
from gymnasium.vector.utils import batch_space
from numpy.typing import ArrayLike, NDArray

from civsim.base.constants import N_CATEGORIES
from civsim.base.errors import ActionError, ScenarioError, SnapshotError
from civsim.base.scenario import Scenario
from civsim.engine.state import F32, F64, I64, U8
from civsim.faces.actions import ActionKind, check_action
from civsim.faces.drawing import draw_world
from civsim.faces.gymnasium import METADATA, action_space, observation_space
from civsim.faces.rendering import Rendering, check_render_mode
from civsim.faces.running import RunningFace
from civsim.faces.seating import SeatChoice, neighbouring
from civsim.faces.seats import Kept, Rivals, SeatBatch, WorldQueue
from civsim.faces.spec import WrittenSpec
from civsim.faces.splits import Split, first_of

Flags = NDArray[np.bool_]
Step = tuple[F32, F64, Flags, Flags, dict[str, Any]]

_MASK = "reset_mask"


class CivilizationVectorEnv(RunningFace, VectorEnv[F32, F32, NDArray[Any]]):
    """``num_envs`` single environments (:class:`civsim.faces.gymnasium.CivilizationEnv`), stepped together.

    Bit for bit what ``gymnasium.vector.SyncVectorEnv`` makes of single environments with ``first_world`` plus 0, 1 …
    ``num_envs`` − 1 and ``world_step=num_envs`` that are all reset with the same seed, in each autoreset mode.

    Seeds: ``reset(seed=s)`` plays study seed s in every sub-environment; they differ by world id, not by seed. The k-th
    episode of sub-environment i since then is world first_world + i + k · num_envs, whatever the others do. Further
    resets go on from there. Without any seed one is drawn, as there. ``reset(options={"reset_mask": mask})``, bool
    [num_envs] with at least one True, begins the next episode of those sub-environments alone; with a seed too, which
    must then be the study seed being played, they begin at their first world again.

    Observations float32 [num_envs, F], rewards float64, terminations and truncations (never, but by
    ``max_episode_steps``) bool, all fresh arrays;
    ``info`` holds ``turn`` and ``seat``, int64 [num_envs], with their masks. With "SameStep" autoreset it holds
    ``final_obs`` and ``final_info`` of the episodes that ended; with "NextStep" the action of a sub-environment whose
    episode ended in the step before has no effect; with "Disabled" such a step is refused. Actions must be well formed
    in every row.

    Args:
        scenario: the game.
        rivals: shares of all seats, float32 [num_envs, N, 8]; the agents' rows are ignored.
        num_envs: sub-environments, at least 1.
        seat: the agents' seat, or "rotate" for world id modulo the number of seats.
        render_mode: None, "rgb_array", "rgb_array_list" or "human", which shows all in one window.
        actions: "softmax" or "simplex" (:mod:`civsim.faces.actions`).
        autoreset_mode: a :class:`gymnasium.vector.AutoresetMode` or its value: "NextStep", "SameStep", "Disabled".
        first_world: world of sub-environment 0's first episode, one of ``split``; its first for None.
        threads: threads of the engine; no result depends on it.
        split: "training", "validation" or "held_out", as there.
        max_episode_steps: turns after which an episode is truncated, as ``gymnasium.wrappers.TimeLimit`` does it; None
            for never.

    Raises:
        ScenarioError: a setting is unknown or out of range.
    """

    metadata: dict[str, Any] = {**METADATA, "autoreset_mode": AutoresetMode.NEXT_STEP}  # noqa: RUF012
    spec = WrittenSpec()
    closed = True  # until it is made: Gymnasium closes what is let go, one too whose settings were refused

    def __init__(
        self,
        scenario: Scenario,
        rivals: Rivals,
        num_envs: int,
        seat: SeatChoice = 0,
        render_mode: str | None = None,
        actions: ActionKind = "softmax",
        autoreset_mode: AutoresetMode | str = AutoresetMode.NEXT_STEP,
        first_world: int | None = None,
        threads: int = 1,
        split: Split = "training",
        max_episode_steps: int | None = None,
    ) -> None:
        seating = neighbouring(scenario, seat)
        self._batch = SeatBatch(
            scenario, rivals, num_envs, seating, actions=actions, threads=threads, most_turns=max_episode_steps
        )
        self._queue = WorldQueue(first_of(split, first_world), num_envs, num_envs)
        self._mode = _autoreset_mode(autoreset_mode)
        self.metadata = {**METADATA, "autoreset_mode": self._mode}
        self.num_envs = num_envs
        self.render_mode = check_render_mode(render_mode)
        self._rendering = Rendering(self.render_mode, scenario, self._draw, num_envs)
        self.single_observation_space, self.single_action_space = observation_space(scenario), action_space(actions)
        self.observation_space = batch_space(self.single_observation_space, num_envs)
        self.action_space = batch_space(self.single_action_space, num_envs)
        self.study_seed: int | None = None
        self.closed = False

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[F32, dict[str, Any]]:
        """Begin the next episode everywhere, or where the mask says; see the class for which worlds these are.

        Raises:
            ActionError: an unknown option, a mask of another shape or dtype or without any True, a seed that is no
                integer, or a mask together with another seed or before the first reset.
            ScenarioError: the seed is outside 0 … 2**64 − 1.
        """
        mask = self._reset_mask(options)
        if seed is not None and (isinstance(seed, bool) or not isinstance(seed, int)):
            raise ActionError(f"seed={seed!r} is no integer; the sub-environments share one study seed, give one")
        if mask is not None and self.world.seed != (self.study_seed if seed is None else seed):
            raise ActionError(f"seed={seed} with a reset_mask differs from {self.study_seed}; reset everything with it")
        study_seed = self._seed_to_play(seed)
        super().reset(seed=seed)
        series = np.arange(self.num_envs) if mask is None else np.flatnonzero(mask)
        ids = self._queue.upcoming(series, rewind=seed is not None)
        if mask is None:
            self._batch.begin(study_seed, ids)
        else:
            self._batch.restart(series, ids)
        self._queue.begun(series, ids)
        self.study_seed = study_seed
        self._rendering.begin(series.tolist())
        return self._batch.observe(), self._infos(np.ones(self.num_envs, np.bool_) if mask is None else mask)

    def step(self, actions: ArrayLike) -> Step:
        """Play one turn in every sub-environment; see the class for what each value means.

        Raises:
            ActionError: the actions are malformed, no episode has begun, or, without autoreset, one is over.
        """
        over = ~self._batch.live
        wanted = check_action(actions, (self.num_envs, N_CATEGORIES))
        if self._mode is AutoresetMode.DISABLED and over.any():
            raise ActionError(
                f"the episode of sub-environment {int(np.argmax(over))} is over; reset it with options={{'{_MASK}': …}}"
            )
        rewards, ended = self._batch.play(wanted)
        cut = self._batch.cut
        infos: dict[str, Any] = {}
        begun: list[int] = []
        if self._mode is AutoresetMode.SAME_STEP:
            infos = self._final(ended | cut)
            begun = self._play_next(ended | cut)
        elif self._mode is AutoresetMode.NEXT_STEP:
            begun = self._play_next(over)
        self._rendering.moved(begun)
        infos.update(self._infos(np.ones(self.num_envs, np.bool_)))
        return self._batch.observe(), rewards, ended, cut, infos

    def _play_next(self, which: Flags) -> list[int]:
        """Begin the next episode where ``which`` says, bool [num_envs]; return where that was."""
        series = np.flatnonzero(which)
        ids = self._queue.upcoming(series)
        self._batch.restart(series, ids)
        self._queue.begun(series, ids)
        begun: list[int] = series.tolist()
        return begun

    def _check_kept(self, kept: Kept) -> None:
        if self._mode is AutoresetMode.SAME_STEP and not kept.live.all():
            raise SnapshotError(
                f"snapshot has an episode that is over in sub-environment {int(np.argmin(kept.live))}, which "
                f"autoreset_mode={self._mode.value!r} never has; restore into the mode it was saved in"
            )

    def _told(self) -> tuple[F32, dict[str, Any]]:
        return self._batch.observe(), self._infos(np.ones(self.num_envs, np.bool_))

    def _gone_on(self) -> None:
        self.study_seed = self.world.seed
        self._rendering.begin()

    def _infos(self, which: Flags) -> dict[str, Any]:
        """Return the single environments' infos in Gymnasium's form: an array and a mask for each key."""
        turns = self.world.state.turn[self._batch.row_world]
        values: dict[str, I64] = {"turn": turns.astype(np.int64), "seat": self._batch.seats}
        infos: dict[str, Any] = {}
        for name, value in values.items():
            infos[name], infos[f"_{name}"] = np.where(which, value, 0), which.copy()
        return infos

    def _final(self, ended: Flags) -> dict[str, Any]:
        """Return what single environments told last, in Gymnasium's form; nothing where none ended."""
        if not ended.any():
            return {}
        final = np.full(self.num_envs, None, dtype=object)
        for row in np.flatnonzero(ended):
            final[row] = self._batch.observe(np.array([row]))[0]
        return {
            "final_obs": final,
            "_final_obs": ended.copy(),
            "final_info": self._infos(ended),
            "_final_info": ended.copy(),
        }

    def _reset_mask(self, options: dict[str, Any] | None) -> Flags | None:
        """Return the sub-environments to reset, checked, or None for all."""
        for key in options or {}:
            if key != _MASK:
                raise ActionError(f"option {key!r} is unknown; the only one is {_MASK}")
        if not options:
            return None
        mask = options[_MASK]
        if not isinstance(mask, np.ndarray) or mask.dtype != np.bool_ or mask.shape != (self.num_envs,):
            raise ActionError(f"{_MASK} is no bool array of shape ({self.num_envs},); give one")
        if not mask.any():
            raise ActionError(f"{_MASK} names no sub-environment; set at least one entry True")
        return mask.copy()

    def render(self) -> tuple[Any, ...] | None:
        """Return each sub-environment's picture, or the list of its pictures, as the single one's ``render`` does."""
        pictures = self._rendering.render()
        return None if pictures is None else tuple(pictures)

    def _draw(self, cell_pixels: int) -> list[U8]:
        state, seats = self.world.state, self._batch.seats
        return [draw_world(state, self.scenario, b, int(seats[b]), cell_pixels) for b in range(self.num_envs)]

    def close_extras(self, **kwargs: Any) -> None:
        """Let the worlds go, and close the window, if one is open."""
        self._batch.close()
        self._rendering.close()


def _autoreset_mode(mode: AutoresetMode | str) -> AutoresetMode:
    for known in AutoresetMode:
        if mode in (known, known.value):
            return known
    raise ScenarioError(f"autoreset_mode={mode!r} is unknown; use one of {[known.value for known in AutoresetMode]}")
