"""Training runs on disk that no training made: random weights, planted evaluations."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from civsim.agents.checkpoint import CheckpointConfig, save_checkpoint, scenario_tables
from civsim.agents.network import Normalisation, layer_names
from civsim.base.scenario import Scenario
from civsim.engine.observation.features import N_FEATURES

HIDDEN = (4,)


def make_checkpoint(folder: Path, scenario: Scenario, seed: int = 0, **settings: object) -> Path:
    """Write a checkpoint of random weights into ``folder``, made for it."""
    rng, widths = np.random.default_rng(seed), (N_FEATURES, *HIDDEN, 8)
    tensors = {}
    for name, width_in, width_out in zip(layer_names("ppo", len(HIDDEN)), widths[:-1], widths[1:], strict=True):
        tensors[f"{name}.weight"] = rng.normal(0, 0.3, (width_out, width_in)).astype(np.float32)
        tensors[f"{name}.bias"] = np.zeros(width_out, np.float32)
    config = CheckpointConfig(
        hidden=HIDDEN,
        scenario=scenario_tables(scenario),
        settings={"seed": seed, "learning_rate": 0.001, **settings},
        seeds={"study": seed},
        versions={},
    )
    folder.mkdir(parents=True)
    ones = np.ones(N_FEATURES)
    save_checkpoint(folder, config, tensors, Normalisation(0.0 * ones, ones, np.asarray(0.01), np.asarray(5.0)))
    return folder


def make_run(folder: Path, scenario: Scenario, seed: int = 0, **settings: object) -> Path:
    """Write a run's folder: best checkpoint, evaluations of 6 episodes at 100, 200 and 300 steps, monitor."""
    make_checkpoint(folder / "best", scenario, seed, **settings)
    rng = np.random.default_rng(seed)
    results = np.array([1.0, 2.0, 4.0])[:, None] + rng.normal(size=(1, 1)) * 0.1 + np.arange(6.0)
    make_evaluations(folder, results=results)
    rows = [f"{10 * k},{k / 10},{k / 9},{k},0,12,1.0,{k / 10}" for k in range(1, 31)]
    text = "\n".join(["steps,cpu_s,wall_s,world_id,seat,length,return,objective", *rows])
    (folder / "monitor.csv").write_text(text + "\n")
    return folder


def make_evaluations(folder: Path, **changes: object) -> None:
    """Write ``evaluations.npz`` of three evaluations into ``folder``, some arrays as given."""
    arrays: dict[str, object] = {
        "timesteps": np.array([100, 200, 300]),
        "results": np.zeros((3, 6)),
        "ep_lengths": np.full((3, 6), 12),
        "world_ids": np.arange(2**30, 2**30 + 6),
        "cpu_seconds": np.array([1.0, 2.0, 3.0]),
    }
    np.savez(folder / "evaluations.npz", **{k: v for k, v in (arrays | changes).items() if v is not None})
