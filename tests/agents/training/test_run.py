"""Training at a tiny size: the run folder, its repeatability, isolation, errors. Full runs: docs/learning.md."""

from __future__ import annotations

import csv
import json
import os
import random
import signal
import warnings
from pathlib import Path

import numpy as np
import pytest
import torch
from bounds import assert_within, shares_bound
from stable_baselines3.common.policies import ActorCriticPolicy

from civsim.agents import make_policy, seat_policies
from civsim.agents.checkpoint import load_config, load_policy, scenario_from, scenario_of
from civsim.agents.evaluate import HELD_OUT_FIRST, VALIDATION_FIRST, outcomes, validation
from civsim.agents.training.config import load_run_config, run_settings
from civsim.agents.training.model import build
from civsim.agents.training.records import COLUMNS, EVALUATIONS, MONITOR
from civsim.agents.training.run import CHECKPOINTS, TrainReport, train
from civsim.agents.training.settings import TrainSettings, train_settings
from civsim.base.constants import Objective
from civsim.base.errors import CheckpointError, ScenarioError
from civsim.base.owner import LOCK, owned
from civsim.base.scenario import Scenario
from civsim.engine.observation.observer import observe
from civsim.engine.world import World
from civsim.faces.actions import shares_from_action

TINY = {"steps": 64, "worlds": 4, "rollout": 8, "batch": 16, "epochs": 2, "hidden": [8], "eval_freq": 0, "save_freq": 0}
SCENARIO = Scenario.model_validate(
    {"name": "tiny", "map": {"width": 6, "height": 6}, "game": {"turns": 6, "civilizations": 2, "objective": "welfare"}}
)
WEIGHTS = "policy.safetensors"


def settings(**changes: object) -> TrainSettings:
    return train_settings(**{**TINY, **changes})


def weights(run: Path, checkpoint: str = "last") -> bytes:
    return (run / checkpoint / WEIGHTS).read_bytes()


def moments(run: Path, checkpoint: str = "last") -> bytes:
    return (run / checkpoint / "normalisation.npz").read_bytes()


@pytest.fixture(scope="module")
def trained(tmp_path_factory) -> TrainReport:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        chosen = settings(eval_freq=32, eval_episodes=6, save_freq=32)
        return train(SCENARIO, tmp_path_factory.mktemp("runs") / "first", chosen, command=["civsim", "train"])


def test_the_folder_holds_what_is_promised_and_no_more(trained):
    names = sorted(path.name for path in trained.folder.iterdir())
    assert names == sorted(
        [
            "best",
            "checkpoints",
            "config.json",
            "evaluations.npz",
            "last",
            "monitor.csv",
            "resume",
            "tensorboard",
        ]
    )
    saved = sorted(path.name for path in (trained.folder / CHECKPOINTS).iterdir())
    assert saved == ["step_000000000032", "step_000000000064"]
    assert [path.name for path in (trained.folder / "resume").iterdir()] == ["step_000000000064"]
    assert [path.name for path in trained.folder.parent.iterdir()] == ["first"]
    assert list((trained.folder / "tensorboard").glob("events.*"))


def test_its_configuration_makes_scenario_and_settings_again(trained):
    config = load_run_config(trained.folder)
    assert scenario_from(config.scenario) == SCENARIO
    assert run_settings(config) == settings(eval_freq=32, eval_episodes=6, save_freq=32)
    assert config.command == ("civsim", "train")
    assert {"python", "civsim", "numpy", "stable-baselines3", "torch"} <= set(config.versions)


def test_a_checkpoint_names_its_seeds_and_never_trains_on_other_worlds(trained):
    config = load_config(trained.folder / "last")
    first, last = config.seeds["training_worlds"]
    assert first == 0
    assert trained.episodes < last < VALIDATION_FIRST < HELD_OUT_FIRST
    assert (config.algorithm, config.head, config.hidden) == ("ppo", "softmax", (8,))


def test_every_finished_episode_is_in_the_monitor(trained):
    with (trained.folder / MONITOR).open() as handle:
        rows = list(csv.DictReader(handle))
    assert tuple(rows[0]) == COLUMNS
    assert len(rows) == trained.episodes == 4 * (64 // 4 // 6)
    assert sorted(int(row["world_id"]) for row in rows) == list(range(len(rows)))
    assert all(int(row["seat"]) == int(row["world_id"]) % 2 for row in rows)
    for row in rows:
        # Rewards are undiscounted: the objective, which is discounted, is less.
        assert 0 < float(row["objective"]) < float(row["return"])
    clock = [float(row["cpu_s"]) for row in rows]
    assert clock == sorted(clock)


def test_evaluations_are_the_objectives_on_validation_worlds(trained):
    with np.load(trained.folder / EVALUATIONS) as archive:
        arrays = dict(archive)
    assert arrays["timesteps"].tolist() == [0, 32, 64]
    assert arrays["world_ids"].tolist() == list(range(VALIDATION_FIRST, VALIDATION_FIRST + 6))
    played = outcomes(SCENARIO, load_policy(trained.folder / "last"), validation(6), seed=0)
    assert arrays["results"][-1].tolist() == played.utility[:, Objective.WELFARE].tolist()
    assert (arrays["ep_lengths"] == 6).all()


def test_the_best_checkpoint_is_the_one_with_the_best_evaluation(trained):
    with np.load(trained.folder / EVALUATIONS) as archive:
        means = archive["results"].mean(axis=1)
    best = outcomes(SCENARIO, load_policy(trained.folder), validation(6), seed=0).utility[:, Objective.WELFARE]
    assert best.mean() == means.max()


def test_each_checkpoint_has_the_normalisation_that_belongs_to_it(trained):
    early, late = (trained.folder / CHECKPOINTS / f"step_0000000000{steps}" for steps in (32, 64))
    assert (early / "normalisation.npz").read_bytes() != (late / "normalisation.npz").read_bytes()
    assert (late / "normalisation.npz").read_bytes() == moments(trained.folder)
    with np.load(late / "normalisation.npz") as archive:
        # 4 rows, observed at the reset and after each of 16 turns; SB3's running moments begin with 1e-4 rows.
        assert archive["count"] == pytest.approx(4 * 17, abs=1e-3)


def test_a_scenario_with_an_infinite_length_is_kept(tmp_path):
    endless = Scenario.model_validate({**SCENARIO.model_dump(), "army": {"projection": float("inf")}})
    report = train(endless, tmp_path / "x", settings())
    assert scenario_of(load_config(report.folder)) == endless
    assert "Infinity" in (report.folder / "config.json").read_text()
    json.loads((report.folder / "config.json").read_text(), parse_constant=pytest.fail)
    assert train(endless, tmp_path / "x", settings(steps=96), resume=True).steps == 96


@pytest.mark.parametrize("policy", ["softmax", "dirichlet"])
def test_the_beginning_is_uniform_or_the_fixed_mix(tmp_path, policy):
    fixed = make_policy("fixed", {}, SCENARIO).row
    for start, expected in (("uniform", np.full(8, 0.125)), ("fixed", fixed)):
        report = train(SCENARIO, tmp_path / start, settings(start=start, learning_rate=1e-9, policy=policy))
        features = observe(World(SCENARIO, seed=1)).features[0]
        shares = load_policy(report.folder).shares(features, np.ones(8, bool))
        np.testing.assert_allclose(shares, np.stack([expected] * 2), rtol=0.2)


def test_it_learns(tmp_path):
    scenario = Scenario.model_validate(
        {"map": {"width": 6, "height": 6}, "game": {"turns": 15, "civilizations": 2, "consumption_scale": 0.2}}
    )
    chosen = settings(steps=16_384, worlds=64, rollout=32, batch=512, epochs=4, hidden=[32], log_std=-1.0)
    report = train(scenario, tmp_path / "x", chosen)
    own, uniform = (
        outcomes(scenario, policy, HELD_OUT_FIRST + np.arange(100), seed=0).utility[:, Objective.WELFARE]
        for policy in (load_policy(report.folder), make_policy("uniform", {}, scenario))
    )
    gain = own - uniform
    assert gain.mean() > 4 * gain.std() / np.sqrt(len(gain))


def test_one_seed_gives_the_same_weights_and_another_seed_others(trained, tmp_path):
    again = train(SCENARIO, tmp_path / "again", settings())
    other = train(SCENARIO, tmp_path / "other", settings(seed=1))
    assert weights(again.folder) == weights(trained.folder)
    assert moments(again.folder) == moments(trained.folder)
    assert weights(other.folder) != weights(trained.folder)


def test_threads_of_the_engine_and_saving_change_no_weight(trained, tmp_path):
    report = train(SCENARIO, tmp_path / "x", settings(threads=3, save_freq=16))
    assert weights(report.folder) == weights(trained.folder)


def test_stable_baselines3s_own_ppo_learns_the_same_weights(trained, tmp_path):
    report = train(SCENARIO, tmp_path / "x", settings(lean=False))
    assert weights(report.folder) == weights(trained.folder)


def test_the_loaded_policy_acts_as_the_network_does_in_torch(trained):
    policy = load_policy(trained.folder / "last")
    world = World(SCENARIO, n_worlds=4, seed=9)
    world.step(seat_policies(SCENARIO).shares(world))
    features = observe(world).features.reshape(8, -1)
    arrays = np.load(trained.folder / "last" / "normalisation.npz")
    scaled = np.clip((features - arrays["mean"]) / np.sqrt(arrays["var"] + arrays["epsilon"]), -10, 10)
    from safetensors.torch import load_file

    from civsim.faces.gymnasium import action_space, observation_space

    network = ActorCriticPolicy(
        observation_space(), action_space(), lambda _: 0.0, net_arch={"pi": [8], "vf": [8]}, log_std_init=0.0
    )
    network.load_state_dict(load_file(trained.folder / "last" / WEIGHTS))
    with torch.no_grad():
        action = network.get_distribution(torch.as_tensor(scaled, dtype=torch.float32)).mode().numpy()
    opened = np.ones(8, bool)
    bound = 2 * shares_bound(policy, features, opened)
    assert_within(policy.shares(features, opened), shares_from_action(action, opened), bound)


@pytest.mark.parametrize(
    "change",
    [
        {"algorithm": "a2c"},
        {"algorithm": "sac", "learning_starts": 16, "batch": 16},
        {"algorithm": "td3", "learning_starts": 16, "batch": 16},
        {"policy": "dirichlet"},
        {"learners": 2},
        {"rivals": "league", "league.every": 32, "league.anchors": ["uniform"]},
        {"final_rate": 0.0},
        {"eval_freq": 32, "save_freq": 32},
    ],
)
def test_every_way_to_train_gives_a_policy_that_plays(tmp_path, change):
    if change.get("algorithm") in ("sac", "td3", "a2c"):
        base = {name: TINY[name] for name in ("steps", "worlds", "hidden", "eval_freq")}
    else:
        base = TINY
    report = train(SCENARIO, tmp_path / "x", train_settings(**{**base, **change}))
    played = outcomes(SCENARIO, load_policy(report.folder), HELD_OUT_FIRST + np.arange(4), seed=0)
    assert (played.utility[:, Objective.WELFARE] > 0).all()


def test_the_noise_falls_as_it_is_told(tmp_path):
    from safetensors.numpy import load_file

    train(SCENARIO, tmp_path / "x", settings(log_std=-1.0, final_log_std=-3.0, save_freq=32))
    for steps, expected in ((32, -2.0), (64, -3.0)):
        checkpoint = tmp_path / "x" / CHECKPOINTS / f"step_0000000000{steps}"
        assert load_file(checkpoint / WEIGHTS)["log_std"].tolist() == [expected] * 8


def test_a_rate_that_falls_never_falls_below_its_end():
    # 64 turns asked for in rollouts of 48: the last goes on beyond them.
    parts = build(SCENARIO, settings(worlds=6, batch=16, final_rate=0.0))
    parts.model.learn(64)
    assert parts.model._current_progress_remaining < 0.0
    assert parts.model.policy.optimizer.param_groups[0]["lr"] == 0.0


def test_training_leaves_the_global_generators_as_they_were(tmp_path):
    before = (np.random.get_state()[1].copy(), random.getstate(), torch.get_rng_state().clone())  # noqa: NPY002
    threads = torch.get_num_threads()
    train(SCENARIO, tmp_path / "x", settings())
    assert np.array_equal(np.random.get_state()[1], before[0])  # noqa: NPY002
    assert random.getstate() == before[1]
    assert torch.equal(torch.get_rng_state(), before[2])
    assert torch.get_num_threads() == threads


def test_progress_is_reported(tmp_path):
    calls = []
    train(SCENARIO, tmp_path / "x", settings(seat=1), progress=lambda *values: calls.append(values))
    assert [call[:2] for call in calls] == [(32, 64), (64, 64)]
    assert np.isfinite(calls[-1][2])


def test_an_interrupt_saves_and_the_training_goes_on_from_there(trained, tmp_path):
    def interrupt(done: int, *_others: object) -> None:
        if done == 32:
            os.kill(os.getpid(), signal.SIGINT)

    before = signal.getsignal(signal.SIGINT)
    stopped = train(SCENARIO, tmp_path / "x", settings(), progress=interrupt)
    assert signal.getsignal(signal.SIGINT) is before
    assert (stopped.finished, stopped.steps) == (False, 32)
    assert load_policy(stopped.folder).needs_observation
    report = train(SCENARIO, tmp_path / "x", settings(), resume=True)
    assert (report.finished, report.steps) == (True, 64)
    assert weights(report.folder) == weights(trained.folder)


def test_a_folder_is_never_overwritten(trained):
    before = {path: path.read_bytes() for path in trained.folder.rglob("*") if path.is_file()}
    with pytest.raises(CheckpointError, match="exists already"):
        train(SCENARIO, trained.folder, settings())
    assert {path: path.read_bytes() for path in trained.folder.rglob("*") if path.is_file()} == before


def test_a_folder_that_another_training_took_meanwhile_is_left_to_it(tmp_path, monkeypatch):
    run = tmp_path / "x"

    def slow_build(*arguments: object) -> object:
        (run / "last").mkdir(parents=True)
        return build(*arguments)

    monkeypatch.setattr("civsim.agents.training.run.build", slow_build)
    with pytest.raises(CheckpointError, match="appeared meanwhile"):
        train(SCENARIO, run, settings())
    assert (run / "last").is_dir()


def test_two_trainings_in_one_folder_are_told_apart(tmp_path):
    report = train(SCENARIO, tmp_path / "x", settings(steps=32))
    with owned(report.folder, CheckpointError):
        (report.folder / "config.json").write_text("nothing is read before the lock is taken")
        with pytest.raises(CheckpointError, match=f"x' is in use by process {os.getpid()} on "):
            train(SCENARIO, report.folder, settings(), resume=True)


def test_a_lock_that_is_a_link_is_not_followed(tmp_path):
    report = train(SCENARIO, tmp_path / "x", settings(steps=32))
    (tmp_path / "thesis").write_text("mine")
    (report.folder / LOCK).symlink_to(tmp_path / "thesis")
    with pytest.raises(CheckpointError, match="is not a lock of civsim"):
        train(SCENARIO, report.folder, settings(), resume=True)
    assert (tmp_path / "thesis").read_text() == "mine"


def test_runs_share_a_folder_of_tensorboard_under_their_names(tmp_path):
    for name in ("a", "b"):
        train(SCENARIO, tmp_path / name, settings(), tensorboard=tmp_path / "board")
    assert sorted(path.name for path in (tmp_path / "board").iterdir()) == ["a", "b"]
    assert list((tmp_path / "board" / "a").glob("events.*"))
    assert not (tmp_path / "a" / "tensorboard").exists()


def test_missing_folders_above_are_made_and_the_path_may_be_text(tmp_path):
    report = train(SCENARIO, str(tmp_path / "out" / "runs" / "x"), settings(steps=1))
    assert load_policy(report.folder).needs_observation
    assert [path.name for path in report.folder.parent.iterdir()] == ["x"]


def test_a_folder_under_a_file_is_refused(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(CheckpointError, match="lies under '.*file', a file; give the name of a new folder$"):
        train(SCENARIO, tmp_path / "file" / "out" / "x", settings())


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"seat": 2}, ScenarioError, "seat=2"),
        ({"learners": 3, "worlds": 4}, ScenarioError, "learners=3"),
        ({"rivals": "league", "league.anchors": ["nobody"]}, ScenarioError, "nobody"),
        ({"rivals": "league", "learners": 2}, CheckpointError, "no seat to play"),
        pytest.param(
            {"device": "cuda"},
            CheckpointError,
            "device=cuda",
            marks=pytest.mark.skipif(torch.cuda.is_available(), reason="there is one"),
        ),
    ],
)
def test_no_folder_is_made_when_a_check_fails(tmp_path, change, error, message):
    with pytest.raises(error, match=message):
        train(SCENARIO, tmp_path / "out" / "x", settings(**change))
    assert list(tmp_path.iterdir()) == []


def test_the_record_of_settings_is_plain_json(trained):
    content = json.loads((trained.folder / "config.json").read_text())
    assert content["settings"]["learner"]["name"] == "ppo"
    assert content["settings"]["eval_freq"] == 32
