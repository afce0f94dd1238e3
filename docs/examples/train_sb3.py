"""Train a civilization with plain Stable-Baselines3: python train_sb3.py [STEPS]."""

import sys

from stable_baselines3 import PPO

import civsim  # registers civsim/Civilization-v1

steps = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
gamma = civsim.load_scenario("baseline").game.discount
model = PPO("MlpPolicy", "civsim/Civilization-v1", n_steps=256, batch_size=64, gamma=gamma, verbose=1)
model.learn(steps)
