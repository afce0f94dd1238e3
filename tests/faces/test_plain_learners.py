"""Learners that know nothing of civsim train on it as they are: Stable-Baselines3, and rl-baselines3-zoo's command."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from face_games import PEACE, WAR
from stable_baselines3 import A2C, PPO
from stable_baselines3.common.evaluation import evaluate_policy
from stable_baselines3.common.vec_env import VecNormalize
from tree import ROOT

from civsim.agents import seat_policies
from civsim.faces.sb3 import WorldVecEnv
from civsim.faces.splits import HELD_OUT_FIRST, VALIDATION_FIRST

ZOO = """
civsim/Civilization-v1:
  n_envs: 2
  n_timesteps: 128
  policy: MlpPolicy
  normalize: true
  n_steps: 32
  batch_size: 32
  gamma: 0.99
"""

NOTING = """
from pathlib import Path
from civsim.faces.gymnasium import CivilizationEnv

begin = CivilizationEnv.reset

def reset(self, **options):
    told = begin(self, **options)
    with Path("worlds.txt").open("a") as notes:
        notes.write(f"{self.study_seed} {self.world_id}\\n")
    return told

CivilizationEnv.reset = reset
"""
"""A module that notes which worlds are played, whoever plays them."""

LITTLE = """
[map]
width = 6
height = 6
[game]
turns = 8
civilizations = 2
"""


def run(*command: str, cwd: Path) -> str:
    done = subprocess.run([sys.executable, *command], cwd=cwd, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_example_trains(tmp_path):
    script = ROOT / "docs" / "examples" / "train_sb3.py"
    code = [line for line in script.read_text(encoding="utf-8").splitlines()[1:] if line.strip()]
    assert len(code) <= 10
    shown = run(str(script), "256", cwd=tmp_path)
    assert "total_timesteps | 256" in shown


def test_the_zoos_own_command_trains_it(tmp_path):
    pytest.importorskip("rl_zoo3", exc_type=ModuleNotFoundError)
    (tmp_path / "ppo.yml").write_text(ZOO)
    (tmp_path / "little.toml").write_text(LITTLE)
    (tmp_path / "noting.py").write_text(NOTING)
    shown = run(
        *("-m", "rl_zoo3.train", "--algo", "ppo", "--env", "civsim/Civilization-v1", "--seed", "3"),
        *("--gym-packages", "civsim", "noting"),
        *("--conf-file", "ppo.yml", "-n", "128", "--env-kwargs", "scenario:'little.toml'"),
        *("--eval-env-kwargs", "scenario:'little.toml'", "split:'validation'"),
        *("--eval-freq", "64", "--eval-episodes", "2", "--log-folder", "logs", "--device", "cpu"),
        cwd=tmp_path,
    )
    assert "total_timesteps | 128" in shown
    folder = tmp_path / "logs" / "ppo" / "civsim-Civilization-v1_1"
    assert (folder / "civsim-Civilization-v1.zip").is_file()
    with np.load(folder / "evaluations.npz", allow_pickle=False) as evaluations:
        assert evaluations["timesteps"].tolist() == [64, 128]
        assert (evaluations["ep_lengths"] == 8).all()
    worlds = [int(line.split()[1]) for line in (tmp_path / "worlds.txt").read_text().splitlines()]
    judged = [world for world in worlds if world >= VALIDATION_FIRST]
    assert len(judged) >= 4, "two evaluations of two episodes"
    assert all(world < HELD_OUT_FIRST for world in judged)
    assert len(judged) < len(worlds)
    watched = run(
        *("-m", "rl_zoo3.enjoy", "--algo", "ppo", "--env", "civsim/Civilization-v1", "--gym-packages", "civsim"),
        *("--folder", "logs", "-n", "17", "--device", "cpu"),
        cwd=tmp_path,
    )
    assert "Episode Length 8" in watched


@pytest.mark.parametrize(("learner", "actions", "learners"), [(PPO, "softmax", 4), (A2C, "simplex", 1)])
def test_stable_baselines_learns_on_the_native_batch(learner, actions, learners):
    def train() -> tuple[np.ndarray, float]:
        env = WorldVecEnv(WAR, seat_policies(WAR).shares, 2, 5, learners=learners, actions=actions)
        extra = {"batch_size": 16 * env.num_envs} if learner is PPO else {}
        model = learner("MlpPolicy", VecNormalize(env), n_steps=16, seed=0, device="cpu", **extra)
        model.learn(32 * env.num_envs)
        assert model.ep_info_buffer
        fresh = WorldVecEnv(WAR, seat_policies(WAR).shares, 2, 6, actions=actions)
        mean, _ = evaluate_policy(model, fresh, n_eval_episodes=4)
        return model.policy.action_net.weight.detach().numpy(), mean

    (weights, score), (again, other) = train(), train()
    assert np.isfinite(weights).all()
    assert np.array_equal(weights, again)
    assert score == other > 0.0


def test_evaluation_reads_the_episodes_and_not_scaled_rewards():
    def evaluated(scale: bool) -> tuple:
        env = WorldVecEnv(PEACE, seat_policies(PEACE).shares, 2, 5)
        model = PPO("MlpPolicy", env, n_steps=16, batch_size=32, seed=0, device="cpu")
        wrapped = VecNormalize(env, norm_obs=False) if scale else env
        return evaluate_policy(model, wrapped, n_eval_episodes=4, return_episode_rewards=True)

    assert evaluated(scale=True) == evaluated(scale=False)
    assert evaluated(scale=True)[1] == [PEACE.game.turns] * 4
