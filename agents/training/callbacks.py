"""What happens between rollouts: rows of the monitor, the league, evaluations, saving, and stopping when asked."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np
from stable_baselines3.common.callbacks import BaseCallback

from civsim.agents.evaluate import outcomes
from civsim.agents.training.model import Parts, actor_weights, player, set_noise
from civsim.agents.training.records import Evaluations, Monitor
from civsim.agents.training.resume import Counters
from civsim.agents.training.settings import TrainSettings
from civsim.base.constants import Objective
from civsim.base.scenario import Scenario

Progress = Callable[[int, int, float], None]
"""Called after each rollout with (turns done, turns in all, mean objective of the last episodes; NaN before any)."""

Save = Callable[[Counters, bool], None]
"""Called to save the training where it is, and whether it is the best so far rather than a regular save."""

RECENT = 100
"""Episodes that progress is the mean of."""


class Stopped(Exception):  # noqa: N818  (it is no error: the training was asked to stop, and has saved)
    """Raised between rollouts when the training was asked to stop."""


class Clock:
    """CPU time of this process and time, in seconds since a training began, earlier parts of it included."""

    def __init__(self, cpu: float = 0.0, wall: float = 0.0) -> None:
        self._cpu, self._wall = time.process_time() - cpu, time.monotonic() - wall

    def __call__(self) -> tuple[float, float]:
        """Return (CPU seconds, seconds)."""
        return time.process_time() - self._cpu, time.monotonic() - self._wall


class Between(BaseCallback):
    """Does between rollouts whatever is due then, when network, worlds and counters agree.

    A rollout begins when the last update is done, so that is where the league learns of the new weights, where
    evaluations are made and where the training is saved or stopped: going on from there repeats nothing.
    """

    def __init__(
        self,
        parts: Parts,
        scenario: Scenario,
        settings: TrainSettings,
        monitor: Monitor,
        evaluations: Evaluations | None,
        start: Counters,
        save: Save,
        progress: Progress | None,
        asked_to_stop: Callable[[], bool],
    ) -> None:
        super().__init__()
        self._parts, self._scenario, self._settings = parts, scenario, settings
        self._monitor, self._evaluations = monitor, evaluations
        self._save, self._progress, self._asked_to_stop = save, progress, asked_to_stop
        self._clock = Clock(start.cpu_seconds, start.wall_seconds)
        self._objective = int(Objective[scenario.game.objective.upper()])
        self._next_eval, self._best = start.next_eval, start.best
        self._next_save = start.steps + settings.save_freq
        self._fresh: list[dict[str, Any]] = []  # episodes of this rollout
        self._recent: list[float] = []

    def counters(self) -> Counters:
        """Return how far the training is."""
        cpu, wall = self._clock()
        model: Any = self.model
        return Counters(
            steps=model.num_timesteps,
            updates=model._n_updates,
            episodes=self._monitor.episodes,
            progress_left=float(np.clip(model._current_progress_remaining, 0.0, 1.0)),
            cpu_seconds=cpu,
            wall_seconds=wall,
            next_eval=self._next_eval,
            best=self._best,
        )

    def _on_step(self) -> bool:
        dones = self.locals["dones"]
        if dones.any():
            infos = self.locals["infos"]
            # A row that was idle is done where its world begins again: of no episode.
            episodes = [infos[row]["episode"] for row in np.flatnonzero(dones) if "episode" in infos[row]]
            self._fresh += [{**episode, "steps": self.num_timesteps} for episode in episodes]
        return True

    def _on_rollout_end(self) -> None:
        if self._fresh:
            self._monitor.append(self._fresh, *self._clock())
            if self._parts.league is not None:
                self._parts.league.report(self._fresh)
            self._recent = (self._recent + [episode["objective"] for episode in self._fresh])[-RECENT:]
            self.logger.record("rollout/objective_mean", float(np.mean(self._recent)))
            self._fresh = []
        if self._progress is not None:
            mean = float(np.mean(self._recent)) if self._recent else float("nan")
            self._progress(self.num_timesteps, self._settings.steps, mean)

    def _on_rollout_start(self) -> None:
        set_noise(self.model, self._settings)
        self._refresh_league()
        self._evaluate_if_due()
        if self._settings.save_freq and self.num_timesteps >= self._next_save:
            self._next_save = self.num_timesteps + self._settings.save_freq
            self.save_now()
        if self._asked_to_stop():
            raise Stopped

    def finish(self) -> None:
        """Evaluate and save at the end of the training."""
        set_noise(self.model, self._settings)
        self._refresh_league()
        self._evaluate()
        self.save_now()

    def save_now(self) -> None:
        """Save the training where it is; only between rollouts."""
        self._save(self.counters(), False)

    def _refresh_league(self) -> None:
        league = self._parts.league
        if league is not None:
            league.refresh(actor_weights(self.model), self._parts.scaled.moments())
            league.snapshot(self.num_timesteps)

    def _evaluate_if_due(self) -> None:
        if self._evaluations is not None and self.num_timesteps >= self._next_eval:
            self._evaluate()

    def _evaluate(self) -> None:
        """Play the policy, without exploration, in the focal seat of the validation worlds; keep the best."""
        settings, evaluations = self._settings, self._evaluations
        if evaluations is None:
            return
        cpu, _ = self._clock()
        policy = player(self._parts, settings)
        played = outcomes(
            self._scenario, policy, evaluations.world_ids, settings.seed, settings.seat, threads=settings.threads
        )
        results = played.utility[:, self._objective]
        self._next_eval = self.num_timesteps + settings.eval_freq
        evaluations.append(self.num_timesteps, results, cpu)
        self.logger.record("eval/objective_mean", float(results.mean()))
        if self._best is None or float(results.mean()) > self._best:
            self._best = float(results.mean())
            self._save(self.counters(), True)
