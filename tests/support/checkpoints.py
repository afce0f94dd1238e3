"""Checkpoints that nothing was learnt for: policies of random weights, and a learner that trains nothing."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from civsim.agents.checkpoint import LAST, CheckpointConfig, save_checkpoint, scenario_tables
from civsim.agents.network import Normalisation, layer_names
from civsim.agents.training.settings import TrainSettings
from civsim.base.scenario import Scenario
from civsim.engine.observation.features import N_FEATURES

HIDDEN = (16, 12)


def random_checkpoint(folder: Path, scenario: Scenario, /, **changes: object) -> Path:
    """Save a policy of random weights, with other ``changes`` to its configuration, and return its folder."""
    rng = np.random.default_rng(3)
    tables = scenario_tables(scenario)
    said = {"hidden": HIDDEN, "scenario": tables, "settings": {}, "seeds": {}, "versions": {}}
    config = CheckpointConfig(**said | changes)
    widths = (N_FEATURES, *HIDDEN, 8)
    weights = {}
    for name, fan_in, fan_out in zip(layer_names(config.algorithm, 2), widths[:-1], widths[1:], strict=True):
        weights[f"{name}.weight"] = rng.normal(0, 1.5 / np.sqrt(fan_in), (fan_out, fan_in)).astype(np.float32)
        weights[f"{name}.bias"] = rng.normal(0, 0.5, fan_out).astype(np.float32)
    mean, var = rng.normal(size=N_FEATURES), rng.uniform(0, 2, N_FEATURES)
    folder.mkdir(parents=True)
    save_checkpoint(folder, config, weights, Normalisation(mean, var, np.asarray(0.01), np.asarray(10.0)))
    return folder


class StubLearner:
    """A learner of nothing, whose policies spend the more on consumption the nearer the learning rate is to 1e-3.

    Args:
        stop_at: the training during which it is interrupted, from 1; None for never.
        fail: whether every training fails.
    """

    def __init__(self, stop_at: int | None = None, fail: bool = False) -> None:
        self.seen: list[TrainSettings] = []
        self.stop_at, self.fail = stop_at, fail

    def __call__(self, scenario: Scenario, out: Path, settings: TrainSettings) -> tuple[bool, float]:
        """Write a policy; return whether it was not interrupted, and that it took two seconds."""
        if self.fail:
            raise ValueError("Expected parameter loc to be\nfinite")
        self.seen.append(settings)
        miss = abs(np.log10(settings.learner.learning_rate) + 3.0)
        weights = {}
        for name, shape in (("mlp_extractor.policy_net.0", (4, N_FEATURES)), ("action_net", (8, 4))):
            weights |= {f"{name}.weight": np.zeros(shape, np.float32), f"{name}.bias": np.zeros(shape[0], np.float32)}
        weights["action_net.bias"][0] = 1.0 - 2.0 * miss
        scale = Normalisation(np.zeros(N_FEATURES), np.ones(N_FEATURES), np.asarray(0.01), np.asarray(10.0))
        (out / LAST).mkdir(parents=True)
        config = CheckpointConfig(hidden=(4,), scenario={}, settings={}, seeds={}, versions={})
        save_checkpoint(out / LAST, config, weights, scale)
        return len(self.seen) != self.stop_at, 2.0
