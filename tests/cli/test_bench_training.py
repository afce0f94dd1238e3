"""The benchmark of learning counts what it says it counts; nothing here is timed."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from stable_baselines3 import PPO

from civsim.agents.training.ppo import LeanPPO
from civsim.cli import bench_training as module
from civsim.cli.bench_training import HEADER, LEAN, PLAIN, NullVecEnv, row, time_training, training_targets
from civsim.faces.actions import shares_from_action
from civsim.faces.sb3 import WorldVecEnv
from civsim.scenarios.loader import load_scenario


def test_the_null_environment_has_the_shapes_of_the_real_one() -> None:
    scenario = load_scenario(module.SCENARIO)
    seats = scenario.game.civilizations
    real = WorldVecEnv(scenario, module._nobody, 2, learners=seats)
    null = NullVecEnv(2 * seats, scenario.game.turns)
    assert real.num_envs == null.num_envs
    assert real.observation_space.shape == null.observation_space.shape
    assert real.action_space == null.action_space
    actions = np.zeros((null.num_envs, 8), np.float32)
    assert shares_from_action(actions, np.ones(8, np.bool_)).shape == (null.num_envs, 8)
    for env in (real, null):
        assert env.reset().dtype == np.float32
        observations, rewards, ended, infos = env.step(actions)
        assert (observations.dtype, rewards.dtype, ended.dtype, len(infos)) == (
            np.float32,
            np.float32,
            np.bool_,
            2 * seats,
        )


def test_a_null_game_ends_once_in_its_length_in_every_row() -> None:
    env = NullVecEnv(6, 4)
    env.reset()
    ends = [env.step(np.zeros((6, 8)))[2] for _ in range(8)]
    assert np.sum(ends, axis=0).tolist() == [2] * 6


def test_cases_are_both_learners_and_the_worlds_with_every_seat_learning(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "ROWS", 8)
    monkeypatch.setattr(module, "LEARNER", {**module.LEARNER, "n_steps": 16, "batch_size": 64})
    quick, full = module._cases(True, 1), module._cases(False, 2)
    assert [(horizon, threads) for _, horizon, threads in quick] == [(None, 1), (None, 1), (4, 1)]
    assert [(horizon, threads) for _, horizon, threads in full][2:] == [
        (0, 1), (0, 2), (4, 1), (4, 2), (16, 1), (16, 2),
    ]  # fmt: skip
    assert [type(model) for model in full.values()] == [PPO, *[LeanPPO] * 7]
    for (_, horizon, _), model in full.items():
        env: Any = model.get_env()
        assert env.num_envs == 8
        assert model.gamma == load_scenario(module.SCENARIO).game.discount
        if horizon is not None:
            assert env.scenario.thinking.max_horizon == horizon
            assert env.scenario.game.civilizations == 4


def test_speeds_and_ratios_are_medians_within_repeats(monkeypatch: pytest.MonkeyPatch) -> None:
    seconds = {
        PLAIN: [3.0, 30.0, 3.0], LEAN: [2.0, 20.0, 2.0], "worlds": [4.0, 80.0, 4.0], "deep": [2.5, 25.0, 2.5],
    }  # fmt: skip
    played: dict[str, int] = dict.fromkeys(seconds, 0)

    class Model:
        def __init__(self, name: str) -> None:
            self.name = name

        def learn(self, steps: int) -> None:
            assert steps == 1

    def fake(model: Any) -> tuple[float, float]:
        wall = seconds[model.name][played[model.name]]
        played[model.name] += 1
        return wall, wall / 2

    cases = {(PLAIN, None, 1): Model(PLAIN), (LEAN, None, 1): Model(LEAN)}
    cases |= {("worlds", 4, 1): Model("worlds"), ("deep", 16, 2): Model("deep")}
    monkeypatch.setattr(module, "_cases", lambda quick, threads: cases)
    monkeypatch.setattr(module, "_time", fake)
    plain, lean, worlds, _ = timings = time_training(3, quick=True, threads=2)
    turns = module.ROLLOUTS * module.LEARNER["n_steps"] * module.ROWS
    assert lean.per_second == turns / 2.0
    assert lean.per_cpu_second == turns / 1.0
    assert (plain.over_null, lean.over_null, worlds.over_null) == (pytest.approx(2 / 3), 1.0, 0.5)
    assert worlds.over_null_cpu == 0.5
    first, second, third = training_targets(timings)
    assert (first["measured"], first["met"]) == (pytest.approx(1.5), True)
    assert (second["measured"], second["met"]) == (0.5, False)
    assert (third["measured"], third["met"]) == (0.8, True)
    assert ("one thread" in second["what"], "2 threads" in third["what"]) == (True, True)
    assert len(training_targets(timings[:3])) == 2
    assert all(len(row(timing)) == len(HEADER) for timing in timings)


def test_a_timing_goes_on_learning_whole_rollouts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "ROWS", 8)
    monkeypatch.setattr(module, "LEARNER", {**module.LEARNER, "n_steps": 16, "batch_size": 64})
    model = module._learner(LeanPPO, NullVecEnv(8, 10), load_scenario(module.SCENARIO))
    model.learn(1)
    wall, _ = module._time(model)
    assert wall > 0.0
    assert model.num_timesteps == (1 + module.ROLLOUTS) * 16 * 8
