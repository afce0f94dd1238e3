"""Training at a tiny size: the folder, its repeatability, isolation, errors. A full run: docs/learning.md."""

from __future__ import annotations

import csv
import json
import random
import warnings
from pathlib import Path

import numpy as np
import pytest
import torch
from stable_baselines3.common.policies import ActorCriticPolicy

from civsim.agents import make_policy, policy_names, seat_policies
from civsim.agents.checkpoint import CONFIG, NORMALISATION, WEIGHTS, load_config, load_policy
from civsim.agents.evaluate import HELD_OUT_FIRST
from civsim.agents.train import EVALUATION, MONITOR, OUTCOMES, TrainReport, TrainSettings, train, train_settings
from civsim.base.config import Scenario
from civsim.base.errors import CheckpointError, ScenarioError
from civsim.engine.observation import observe
from civsim.engine.world import World
from civsim.faces.actions import shares_from_action

TINY = {"steps": 64, "worlds": 4, "rollout": 8, "batch": 16, "epochs": 2, "hidden": [8], "evaluation_worlds": 0}
SCENARIO = Scenario.model_validate(
    {"name": "tiny", "map": {"width": 6, "height": 6}, "game": {"turns": 6, "civilizations": 2, "objective": "welfare"}}
)


def settings(**changes: object) -> TrainSettings:
    return train_settings(**{**TINY, **changes})


@pytest.fixture(scope="module")
def trained(tmp_path_factory) -> TrainReport:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return train(SCENARIO, tmp_path_factory.mktemp("runs") / "first", settings(evaluation_worlds=6))


def test_the_folder_holds_what_is_promised_and_no_more(trained):
    names = sorted(path.name for path in trained.folder.iterdir())
    assert names == sorted([CONFIG, WEIGHTS, NORMALISATION, MONITOR, EVALUATION, OUTCOMES])
    assert [path.name for path in trained.folder.parent.iterdir()] == ["first"]


def test_its_configuration_makes_the_scenario_again_and_names_the_seeds(trained):
    config = load_config(trained.folder)
    assert Scenario.model_validate(config.scenario) == SCENARIO
    assert TrainSettings.model_validate(config.settings) == settings(evaluation_worlds=6)
    first, last = config.seeds["training_worlds"]
    assert first == 0
    assert trained.episodes < last < HELD_OUT_FIRST
    assert config.seeds["held_out_worlds"] == [HELD_OUT_FIRST, HELD_OUT_FIRST + 5]
    assert set(config.versions) == {"civsim", "numpy", "stable-baselines3", "torch"}


def test_every_finished_episode_is_in_the_monitor(trained):
    with (trained.folder / MONITOR).open() as handle:
        rows = list(csv.DictReader(handle))
    assert len(rows) == trained.episodes == 4 * (64 // 4 // 6)
    assert sorted(int(row["world_id"]) for row in rows) == list(range(len(rows)))
    assert all(int(row["seat"]) == int(row["world_id"]) % 2 for row in rows)
    assert all(np.isfinite(float(row["return"])) for row in rows)


def test_the_evaluation_compares_with_every_policy_on_the_same_worlds(trained):
    summary = json.loads((trained.folder / EVALUATION).read_text())
    assert [row["opponent"] for row in summary["comparisons"]] == list(policy_names())
    assert (summary["worlds"], summary["first_world_id"]) == (6, HELD_OUT_FIRST)
    with (trained.folder / OUTCOMES).open() as handle:
        rows = list(csv.DictReader(handle))
    assert len(rows) == 6 * (1 + len(policy_names()))
    own = np.array([float(row["welfare"]) for row in rows if row["policy"] == "trained"])
    uniform = np.array([float(row["welfare"]) for row in rows if row["policy"] == "uniform"])
    got = next(row for row in trained.comparisons if row.opponent == "uniform")
    assert got.difference == pytest.approx((own - uniform).mean())
    assert got.low <= got.difference <= got.high


def test_spending_is_logged_for_every_policy(trained):
    spending = json.loads((trained.folder / EVALUATION).read_text())["spending"]
    assert set(spending) == {"trained", *policy_names()}
    assert spending["uniform"] == pytest.approx(dict.fromkeys(spending["uniform"], 0.125))
    assert sum(spending["trained"].values()) == pytest.approx(1)


def test_the_beginning_is_uniform_or_the_fixed_mix(tmp_path):
    fixed = make_policy("fixed", {}, SCENARIO).row
    for start, expected in (("uniform", np.full(8, 0.125)), ("fixed", fixed)):
        report = train(SCENARIO, tmp_path / start, settings(start=start, learning_rate=1e-9))
        features = observe(World(SCENARIO, seed=1)).features[0]
        shares = shares_from_action(load_policy(report.folder).actions(features), np.ones(8, bool))
        np.testing.assert_allclose(shares, np.stack([expected] * 2), rtol=0.2)


def test_it_learns(tmp_path):
    scenario = Scenario.model_validate(
        {"map": {"width": 6, "height": 6}, "game": {"turns": 15, "civilizations": 2, "consumption_scale": 0.2}}
    )
    chosen = settings(
        steps=16_384, worlds=64, rollout=32, batch=512, epochs=4, hidden=[32], log_std=-1.0, evaluation_worlds=200
    )
    report = train(scenario, tmp_path / "x", chosen)
    uniform = next(row for row in report.comparisons if row.opponent == "uniform")
    assert uniform.low > 0.0
    assert uniform.worlds == 200


def test_one_seed_gives_the_same_weights_and_another_seed_others(trained, tmp_path):
    again = train(SCENARIO, tmp_path / "again", settings())
    other = train(SCENARIO, tmp_path / "other", settings(seed=1))
    for name in (WEIGHTS, NORMALISATION, MONITOR):
        first = (trained.folder / name).read_bytes()
        if name != NORMALISATION:
            assert (again.folder / name).read_bytes() == first, name
        assert (other.folder / name).read_bytes() != first, name
    left, right = (np.load(report.folder / NORMALISATION) for report in (trained, again))
    assert all(np.array_equal(left[name], right[name]) for name in left.files)


def test_the_loaded_policy_acts_as_the_network_does_in_torch(trained):
    policy = load_policy(trained.folder)
    world = World(SCENARIO, n_worlds=4, seed=9)
    world.step(seat_policies(SCENARIO).shares(world))
    features = observe(world).features.reshape(8, -1)
    arrays = np.load(trained.folder / NORMALISATION)
    scaled = np.clip((features - arrays["mean"]) / np.sqrt(arrays["var"] + arrays["epsilon"]), -10, 10)
    from safetensors.torch import load_file

    from civsim.faces.gymnasium import action_space, observation_space

    network = ActorCriticPolicy(
        observation_space(), action_space(), lambda _: 0.0, net_arch={"pi": [8], "vf": [8]}, log_std_init=0.0
    )
    network.load_state_dict(load_file(trained.folder / WEIGHTS))
    with torch.no_grad():
        expected = network.get_distribution(torch.as_tensor(scaled, dtype=torch.float32)).mode().numpy()
    np.testing.assert_allclose(policy.actions(features), expected, rtol=1e-4, atol=1e-6)


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


def test_a_folder_is_never_overwritten(trained, tmp_path):
    before = {path.name: path.read_bytes() for path in trained.folder.iterdir()}
    with pytest.raises(CheckpointError, match="exists already"):
        train(SCENARIO, trained.folder, settings())
    assert {path.name: path.read_bytes() for path in trained.folder.iterdir()} == before


def test_missing_folders_above_are_made(tmp_path):
    report = train(SCENARIO, tmp_path / "out" / "runs" / "x", settings(steps=1))
    assert load_policy(report.folder).needs_observation
    assert [path.name for path in report.folder.parent.iterdir()] == ["x"]


def test_a_folder_under_a_file_is_refused(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(CheckpointError, match="lies under '.*file', a file; give the name of a new folder$"):
        train(SCENARIO, tmp_path / "file" / "out" / "x", settings())


def test_no_folder_is_made_when_a_check_fails(tmp_path):
    with pytest.raises(ScenarioError, match="seat=2"):
        train(SCENARIO, tmp_path / "out" / "x", settings(seat=2))
    assert list(tmp_path.iterdir()) == []


def test_a_run_that_fails_leaves_nothing(tmp_path):
    def stop(*_values: object) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(SCENARIO, tmp_path / "x", settings(), progress=stop)
    assert list(tmp_path.iterdir()) == []


def test_a_seat_the_scenario_lacks_is_refused_before_anything_runs(tmp_path):
    with pytest.raises(ScenarioError, match="seat=2"):
        train(SCENARIO, tmp_path / "x", settings(seat=2))
    assert list(tmp_path.iterdir()) == []


BAD = {
    "unknown": {"stpes": 3},
    "no steps": {"steps": 0},
    "negative seed": {"seed": -1},
    "text": {"steps": "many"},
    "batch that does not divide": {"batch": 15},
    "no layers": {"hidden": []},
    "other algorithm": {"algorithm": "dqn"},
    "nan": {"learning_rate": float("nan")},
    "seat text": {"seat": "all"},
    "device": {"device": "abacus"},
    "one world is no interval": {"evaluation_worlds": 1},
}


@pytest.mark.parametrize("change", BAD.values(), ids=BAD.keys())
def test_bad_settings_are_one_line(change):
    with pytest.raises(CheckpointError) as caught:
        settings(**change)
    assert "\n" not in str(caught.value)


def test_the_path_may_be_text(tmp_path):
    assert train(SCENARIO, str(tmp_path / "x"), settings(steps=1)).folder == Path(tmp_path / "x")
