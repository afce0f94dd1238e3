"""How fast learning is: turns of experience per second of the leaner PPO, on worlds and on an environment of no cost.

``civsim bench`` calls :func:`time_training`. The *null* environment has the shapes of the real one (features, actions,
rows, turns of a game) and does nothing: its speed is that of the learner alone. Cases are timed in turn within each
repeat, so that load falls on all of them, and ratios are medians over repeats of the ratio within a repeat.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import torch
from gymnasium import spaces
from numpy.typing import NDArray
from stable_baselines3 import PPO
from stable_baselines3.common.vec_env import VecEnv

from civsim.agents.training.ppo import LeanPPO
from civsim.agents.training.settings import PPOSettings
from civsim.base.constants import N_CATEGORIES
from civsim.base.scenario import Scenario
from civsim.engine.compiled import reward_discount
from civsim.engine.observation.features import N_FEATURES
from civsim.engine.state import F32
from civsim.engine.world import World
from civsim.faces.sb3 import WorldVecEnv
from civsim.scenarios.loader import load_scenario, override

SCENARIO = "baseline"
"""The game of the real environment, with every seat learning."""

SHALLOW = 4
"""Largest horizon of an easy game to learn, which the quick benchmark times alone."""

MYOPIC = 0
"""Largest horizon of a game without a planner: what the rules, observations and the face leave of the ceiling."""

ROWS = 256
"""Rows of either environment: worlds times learners."""

_DEFAULT = PPOSettings()
LEARNER: dict[str, Any] = {
    "n_steps": _DEFAULT.rollout,
    "batch_size": _DEFAULT.batch,
    "n_epochs": _DEFAULT.epochs,
    "learning_rate": _DEFAULT.learning_rate,
    "seed": 0,
}
"""Settings of both learners, ``civsim train``'s own defaults, with two tanh layers of 64 for actor and critic each;
γ is the scenario's discount."""

ROLLOUTS = 3
"""Rollouts of one timing: 192 turns of each row, more than a game, since a game's later turns cost more."""

LEAN_TARGET = 1.3
"""Speed of the leaner PPO over Stable-Baselines3's, on the null environment, to reach."""

REAL_TARGETS = {SHALLOW: 0.8, 16: 0.6}
"""Speed on worlds over that on the null environment, to reach with the most threads timed, by largest horizon."""

PLAIN, LEAN = "PPO, null", "LeanPPO, null"


class TrainingTiming(NamedTuple):
    """One case: medians over its repeats."""

    case: str
    max_horizon: int | None  # of the worlds; None for the null environment
    threads: int  # of the engine; torch has one
    repeats: int
    per_second: float  # turns of experience per second of wall time
    per_cpu_second: float  # per second of processor time, all threads
    over_null: float  # speed over the leaner PPO's on the null environment, by wall time, same repeat
    over_null_cpu: float  # the same by processor time


class NullVecEnv(VecEnv):
    """Rows of ready-made random features and rewards, with games of a fixed length that end at different turns.

    Args:
        rows: B.
        turns: length of a game.
    """

    def __init__(self, rows: int, turns: int) -> None:
        observations = spaces.Box(-np.inf, np.inf, (N_FEATURES,), np.float32)
        super().__init__(rows, observations, spaces.Box(-1.0, 1.0, (N_CATEGORIES,), np.float32))
        generator = np.random.default_rng(0)
        self._observations = generator.standard_normal((8, rows, N_FEATURES)).astype(np.float32)
        self._rewards = generator.standard_normal((8, rows)).astype(np.float32)
        self._ends = np.arange(rows) % turns
        self._turns, self._turn = turns, 0

    def reset(self) -> F32:
        """Begin; return observations, float32 [B, F]."""
        self._turn = 0
        return self._observations[0].copy()

    def step_async(self, actions: NDArray[Any]) -> None:
        """Take the actions, which have no effect."""

    def step_wait(self) -> tuple[F32, F32, NDArray[np.bool_], list[dict[str, Any]]]:
        """Return the next observations [B, F], rewards [B], ends [B] and infos."""
        self._turn += 1
        ended = (self._turn + self._ends) % self._turns == 0
        observations = self._observations[self._turn % len(self._observations)].copy()
        nothing: dict[str, Any] = {}
        infos = [nothing] * self.num_envs
        for row in np.flatnonzero(ended):
            infos[row] = {"episode": {"r": 0.0, "l": self._turns}, "terminal_observation": observations[row]}
        return observations, self._rewards[self._turn % len(self._rewards)].copy(), ended, infos

    def close(self) -> None:
        """Nothing to let go."""

    def get_attr(self, attr_name: str, indices: Any = None) -> list[Any]:
        """Return the attribute, once for each row asked for."""
        value = None if attr_name == "render_mode" else getattr(self, attr_name)
        return [value for _ in self._get_indices(indices)]

    def set_attr(self, attr_name: str, value: Any, indices: Any = None) -> None:
        """Refuse: rows have no attributes of their own."""
        raise AttributeError(f"{attr_name!r} cannot be set on a row")

    def env_method(self, method_name: str, *method_args: Any, indices: Any = None, **method_kwargs: Any) -> list[Any]:
        """Refuse: rows have no methods of their own."""
        raise AttributeError(f"{method_name!r} cannot be called on a row")

    def env_is_wrapped(self, wrapper_class: Any, indices: Any = None) -> list[bool]:
        """Return False for each row asked for."""
        return [False for _ in self._get_indices(indices)]


def _nobody(_: World, mask: NDArray[np.bool_]) -> F32:
    """Return shares for no seat: every one is a learner's."""
    return np.zeros((*mask.shape, N_CATEGORIES), np.float32)


def _learner(kind: type[PPO], env: VecEnv, scenario: Scenario) -> PPO:
    return kind("MlpPolicy", env, gamma=reward_discount(scenario), device="cpu", **LEARNER)


def _cases(quick: bool, threads: int) -> dict[tuple[str, int | None, int], PPO]:
    """Return the learners to time, by case: its name, largest horizon and threads of the engine."""
    deep = load_scenario(SCENARIO)
    null = NullVecEnv(ROWS, deep.game.turns)
    cases: dict[tuple[str, int | None, int], PPO] = {
        (PLAIN, None, 1): _learner(PPO, null, deep),
        (LEAN, None, 1): _learner(LeanPPO, NullVecEnv(ROWS, deep.game.turns), deep),
    }
    myopic, shallow = (override(deep, {"thinking.max_horizon": horizon}) for horizon in (MYOPIC, SHALLOW))
    for scenario in (shallow,) if quick else (myopic, shallow, deep):
        horizon = scenario.thinking.max_horizon
        seats = scenario.game.civilizations
        for count in range(1, threads + 1):
            env = WorldVecEnv(scenario, _nobody, ROWS // seats, learners=seats, threads=count)
            cases[f"LeanPPO, {SCENARIO} at h ≤ {horizon}", horizon, count] = _learner(LeanPPO, env, scenario)
    return cases


def _time(model: PPO) -> tuple[float, float]:
    """Go on learning for :data:`ROLLOUTS` rollouts; return wall and processor seconds."""
    cpu, start = time.process_time(), time.perf_counter()
    model.learn(ROLLOUTS * LEARNER["n_steps"] * ROWS, reset_num_timesteps=False)
    return time.perf_counter() - start, time.process_time() - cpu


def time_training(repeats: int, quick: bool, threads: int) -> list[TrainingTiming]:
    """Return the timings of every case, medians over ``repeats``, after one rollout that is not timed.

    Args:
        repeats: timings of each case.
        quick: leave out the worlds at the scenario's own largest horizon.
        threads: time the worlds with 1 and, where this is 2, with two threads of the engine.
    """
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        cases = _cases(quick, min(threads, 2))
        for model in cases.values():
            model.learn(1)
        rounds = [{case: _time(model) for case, model in cases.items()} for _ in range(repeats)]
    finally:
        torch.set_num_threads(before)
    return [_summary(case, rounds) for case in cases]


def _summary(
    case: tuple[str, int | None, int], rounds: list[dict[tuple[str, int | None, int], tuple[float, float]]]
) -> TrainingTiming:
    turns = ROLLOUTS * LEARNER["n_steps"] * ROWS
    walls, cpus = zip(*(one[case] for one in rounds), strict=True)
    null_walls, null_cpus = zip(*(one[LEAN, None, 1] for one in rounds), strict=True)
    return TrainingTiming(
        *case,
        repeats=len(rounds),
        per_second=turns / statistics.median(walls),
        per_cpu_second=turns / statistics.median(cpus),
        over_null=statistics.median(null / own for null, own in zip(null_walls, walls, strict=True)),
        over_null_cpu=statistics.median(null / own for null, own in zip(null_cpus, cpus, strict=True)),
    )


HEADER = f"{'learner and environment':<32}{'threads':>8}{'turns/s':>10}{'per cpu-s':>11}{'over null':>11}{'by cpu':>8}"


def row(timing: TrainingTiming) -> str:
    """Return one timing as a line under :data:`HEADER`."""
    return (
        f"{timing.case:<32}{timing.threads:>8}{timing.per_second:>10,.0f}{timing.per_cpu_second:>11,.0f}"
        f"{timing.over_null:>11.2f}{timing.over_null_cpu:>8.2f}"
    )


def training_targets(timings: list[TrainingTiming]) -> list[dict[str, Any]]:
    """Return each target with what was measured, by wall time, and whether it was met."""
    plain = next(timing for timing in timings if timing.case == PLAIN)
    rows = [("LeanPPO over PPO on the null environment", LEAN_TARGET, 1.0 / plain.over_null)]
    for horizon, target in REAL_TARGETS.items():
        for timing in [timing for timing in timings if timing.max_horizon == horizon][-1:]:
            threads = "one thread" if timing.threads == 1 else f"{timing.threads} threads"
            rows.append((f"learning on {SCENARIO} at h ≤ {horizon}, {threads}, over null", target, timing.over_null))
    return [{"what": what, "target": target, "measured": got, "met": got >= target} for what, target, got in rows]


def bench_training(repeats: int, quick: bool, threads: int, echo: Callable[[str], None]) -> dict[str, Any]:
    """Time learning, print a table, and return timings and targets as the benchmark's file keeps them."""
    echo(HEADER)
    timings = time_training(repeats, quick, threads)
    for timing in timings:
        echo(row(timing))
    settings = {**LEARNER, "rows": ROWS, "rollouts": ROLLOUTS, "scenario": SCENARIO, "torch": torch.__version__}
    return {
        "settings": settings,
        "timings": [timing._asdict() for timing in timings],
        "targets": training_targets(timings),
    }
