"""A zip of Stable-Baselines3: read where it is trusted, the same actions afterwards, and nothing of it executed."""

from __future__ import annotations

import io
import json
import pickle
import shutil
import warnings
import zipfile
from collections.abc import Callable
from pathlib import Path

import gymnasium
import numpy as np
import pytest
import torch
from bounds import assert_within, outputs_bound, shares_bound
from stable_baselines3 import A2C, PPO, SAC, TD3
from stable_baselines3.common.vec_env import DummyVecEnv, VecNormalize

from civsim.agents.checkpoint import load_config, load_normalisation, load_policy, scenario_of
from civsim.agents.sb3_zip import DATA, WEIGHTS, convert_sb3_zip, load_sb3_zip
from civsim.base.errors import CheckpointError, CivsimError
from civsim.base.scenario import Scenario
from civsim.engine.observation.features import N_FEATURES
from civsim.faces.actions import project_shares, shares_from_action

OPEN = np.ones(8, np.bool_)
SCENARIO = Scenario(name="elsewhere")
SILENT: Callable[[str], None] = lambda text: None  # noqa: E731


class Null(gymnasium.Env):
    """An environment of our shapes in which nothing happens."""

    observation_space = gymnasium.spaces.Box(-np.inf, np.inf, (N_FEATURES,), np.float32)

    def __init__(self, low: float = -1.0) -> None:
        self.action_space = gymnasium.spaces.Box(low, 1.0, (8,), np.float32)

    def reset(self, *, seed=None, options=None):
        return np.zeros(N_FEATURES, np.float32), {}


def scaled() -> VecNormalize:
    env = VecNormalize(DummyVecEnv([Null]), clip_obs=3.0)
    env.obs_rms.mean, env.obs_rms.var = np.linspace(0, 1, N_FEATURES), np.linspace(0.5, 2, N_FEATURES)
    env.ret_rms.var = np.float64(7.0)
    return env


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a model of PPO and its normalisation, saved by Stable-Baselines3 itself."""
    folder = tmp_path_factory.mktemp("saved")
    env = scaled()
    model = PPO("MlpPolicy", env, seed=1, device="cpu", policy_kwargs={"net_arch": [6, 5]}, n_steps=64)
    with torch.no_grad():
        model.policy.action_net.weight *= 100.0
    model.save(folder / "model.zip")
    env.save(str(folder / "scale.pkl"))
    return folder


def features(n: int = 5) -> np.ndarray:
    return np.random.default_rng(1).normal(0, 2, (n, N_FEATURES)).astype(np.float32)


def test_without_trust_it_is_refused_and_the_line_says_why(saved):
    with pytest.raises(CheckpointError, match="holds pickles: reading one can run code") as caught:
        load_sb3_zip(saved / "model.zip", trust=False)
    assert "--trust" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_trusting_it_warns(saved):
    with pytest.warns(UserWarning, match="is trusted: .* a crafted file may find a hole"):
        load_sb3_zip(saved / "model.zip", trust=True)


def test_a_checkpoint_made_from_it_acts_as_the_model_did(saved, tmp_path):
    heard: list[str] = []
    scale = saved / "scale.pkl"
    out = convert_sb3_zip(
        saved / "model.zip", tmp_path / "out", SCENARIO, trust=True, normalisation=scale, warn=heard.append
    )
    assert [("unpickled: whatever code it holds runs now" in line) for line in heard] == [False, True]
    rows, env = features(), VecNormalize.load(str(scale), DummyVecEnv([Null]))
    theirs, _ = PPO.load(saved / "model.zip").predict(env.normalize_obs(rows), deterministic=True)
    assert (np.abs(theirs) == 1).any()
    policy = load_policy(out)
    assert_within(np.clip(policy.outputs(rows), -1, 1), theirs, 2 * outputs_bound(policy, rows)[1])
    assert_within(policy.shares(rows, OPEN), shares_from_action(theirs, OPEN), 2 * shares_bound(policy, rows, OPEN))
    config = load_config(out)
    assert (config.algorithm, config.head, config.hidden) == ("ppo", "softmax", (6, 5))
    assert config.settings["source"] == "model.zip"
    assert config.settings["n_steps"] == 64
    assert scenario_of(config) == SCENARIO
    assert load_normalisation(out).return_var == 7.0


LEARNERS = {
    "ppo": (PPO, {"activation_fn": torch.nn.ReLU}, {"n_steps": 64}),
    "a2c": (A2C, {}, {}),
    "sac": (SAC, {}, {"buffer_size": 10}),
    "td3": (TD3, {"activation_fn": torch.nn.Tanh}, {"buffer_size": 10}),
}


@pytest.mark.parametrize("name", LEARNERS)
def test_every_algorithm_and_activation_is_read_from_the_file(name, tmp_path):
    learner, kwargs, rest = LEARNERS[name]
    model = learner("MlpPolicy", Null(), policy_kwargs={"net_arch": [5, 4], **kwargs}, seed=1, device="cpu", **rest)
    model.save(tmp_path / "model.zip")
    read = load_sb3_zip(tmp_path / "model.zip", trust=True, warn=SILENT)
    assert read.algorithm == name
    theirs, _ = model.predict(features(), deterministic=True)
    policy = read.policy()
    assert_within(np.clip(policy.outputs(features()), -1, 1), theirs, 2 * outputs_bound(policy, features())[1])


def test_our_own_dirichlet_policy_is_read(tmp_path):
    from civsim.agents.training.policies import DirichletPolicy

    model = PPO(DirichletPolicy, Null(0.0), policy_kwargs={"net_arch": [5, 4]}, seed=1, device="cpu", n_steps=64)
    model.save(tmp_path / "model.zip")
    read = load_sb3_zip(tmp_path / "model.zip", trust=True, warn=SILENT)
    theirs, _ = model.predict(features(), deterministic=True)
    assert read.head == "dirichlet"
    policy = read.policy()
    bound = 2 * shares_bound(policy, features(), OPEN)
    assert_within(policy.shares(features(), OPEN), project_shares(theirs, OPEN), bound)


def test_a_new_folder_is_wanted(saved, tmp_path):
    with pytest.raises(CivsimError, match="exists already"):
        convert_sb3_zip(saved / "model.zip", tmp_path, SCENARIO, trust=True, warn=SILENT)


class Harm:
    """What leaves a file behind if it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self):
        return (Path.touch, (self.path,))


def altered(folder: Path, changes: dict[str, bytes | None]) -> None:
    """Replace, add or take away entries of the zip."""
    with zipfile.ZipFile(folder / "model.zip") as archive:
        held: dict[str, bytes | None] = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(folder / "model.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in {**held, **changes}.items():
            if content is not None:
                archive.writestr(name, content)


def with_data(folder: Path, **changes: object) -> None:
    with zipfile.ZipFile(folder / "model.zip") as archive:
        data = json.loads(archive.read(DATA))
    altered(folder, {DATA: json.dumps({**data, **changes}).encode()})


def with_state(folder: Path, change: Callable[[dict], object]) -> None:
    with zipfile.ZipFile(folder / "model.zip") as archive:
        state = torch.load(io.BytesIO(archive.read(WEIGHTS)), weights_only=True)
    made = change(state)
    buffer = io.BytesIO()
    torch.save(state if made is None else made, buffer)
    altered(folder, {WEIGHTS: buffer.getvalue()})


def harmful(folder: Path) -> object:
    return Harm(folder / "harmed")


def torch_harm(folder: Path) -> bytes:
    buffer = io.BytesIO()
    torch.save({"x": harmful(folder)}, buffer)
    return buffer.getvalue()


def box(low: str, high: str = "[1.]") -> dict[str, str]:
    return {"low": low, "high": high}


NAN = torch.full((8,), float("nan"))
DAMAGE: dict[str, Callable[[Path], object]] = {
    "no file": lambda f: (f / "model.zip").unlink(),
    "a folder": lambda f: ((f / "model.zip").unlink(), (f / "model.zip").mkdir()),
    "no zip": lambda f: (f / "model.zip").write_bytes(b"PK\x03\x04 not really"),
    "a bare pickle": lambda f: (f / "model.zip").write_bytes(pickle.dumps(harmful(f))),
    "cut short": lambda f: (f / "model.zip").write_bytes((f / "model.zip").read_bytes()[:2000]),
    "weights that run": lambda f: altered(f, {WEIGHTS: torch_harm(f)}),
    "weights a bare pickle": lambda f: altered(f, {WEIGHTS: pickle.dumps(harmful(f))}),
    "no weights": lambda f: altered(f, {WEIGHTS: None}),
    "no data": lambda f: altered(f, {DATA: None}),
    "empty weights": lambda f: altered(f, {WEIGHTS: b""}),
    "data not JSON": lambda f: altered(f, {DATA: b"{"}),
    "data nested deep": lambda f: altered(f, {DATA: b"[" * 100_000}),
    "data a list": lambda f: altered(f, {DATA: b"[]"}),
    "paths that climb only": lambda f: altered(f, {WEIGHTS: None, "../../policy.pth": b"x", "/tmp/policy.pth": b"x"}),
    "gsde": lambda f: with_data(f, use_sde=True),
    "a stranger's policy": lambda f: with_data(f, policy_class={"__module__": "evil"}),
    "a policy of no module": lambda f: with_data(f, policy_class=[1]),
    "an extractor": lambda f: with_data(f, policy_kwargs={"features_extractor_class": "x"}),
    "another activation": lambda f: with_data(f, policy_kwargs={"activation_fn": "<class 'torch.nn.GELU'>"}),
    "another box": lambda f: with_data(f, action_space=box("[-2.]")),
    "a box of two kinds": lambda f: with_data(f, action_space=box("[-1. 0.]")),
    "a gaussian on the simplex": lambda f: with_data(f, action_space=box("[0. 0.]")),
    "a box of dots": lambda f: with_data(f, action_space=box("...")),
    "a box of versions": lambda f: with_data(f, action_space=box("[-1.2.3 -.]")),
    "no box": lambda f: with_data(f, action_space=None),
    "a list of tensors": lambda f: with_state(f, lambda s: list(s.values())),
    "no tensors": lambda f: with_state(f, lambda s: dict.fromkeys(s, 1)),
    "other names": lambda f: with_state(f, lambda s: {"q_net.weight": NAN}),
    "numbers for names": lambda f: with_state(f, lambda s: dict(enumerate(s.values()))),
    "a missing bias": lambda f: with_state(f, lambda s: {k: v for k, v in s.items() if k != "action_net.bias"}),
    "nan": lambda f: with_state(f, lambda s: s.update({"action_net.bias": NAN})),
    "other features": lambda f: with_state(
        f, lambda s: s.update({"mlp_extractor.policy_net.0.weight": torch.zeros(6, 3)})
    ),
    "a huge layer of nothing": lambda f: with_state(
        f, lambda s: s.update({"mlp_extractor.policy_net.0.bias": torch.zeros(1).expand(2**40)})
    ),
    "a sparse layer": lambda f: with_state(f, lambda s: s.update({"action_net.weight": torch.zeros(8, 5).to_sparse()})),
    "double weights": lambda f: with_state(f, lambda s: s.update({"action_net.bias": torch.zeros(8).double()})),
    "before the layers": lambda f: with_state(f, lambda s: s.update({"features_extractor.0.weight": NAN})),
}


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE.keys())
@pytest.mark.parametrize("trust", [True, False], ids=["trusted", "untrusted"])
def test_a_bad_zip_is_one_clear_line_and_runs_nothing(saved, tmp_path, damage, trust):
    folder = tmp_path / "inner"
    shutil.copytree(saved, folder)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # building sparse tensors warns
        damage(folder)
    before = set(tmp_path.rglob("*"))
    with pytest.raises(CheckpointError) as caught:
        convert_sb3_zip(folder / "model.zip", folder / "out", SCENARIO, trust=trust, warn=SILENT)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 450
    assert set(tmp_path.rglob("*")) == before


@pytest.mark.parametrize("entry", ["policy_class", "action_space", "lr_schedule", "whatever"])
def test_what_is_pickled_in_its_json_is_never_unpickled(saved, tmp_path, entry):
    import base64

    shutil.copytree(saved, tmp_path / "inner")
    folder = tmp_path / "inner"
    with zipfile.ZipFile(folder / "model.zip") as archive:
        held = json.loads(archive.read(DATA)).get(entry)
    bad = base64.b64encode(pickle.dumps(harmful(folder))).decode()
    plain = dict(held) if isinstance(held, dict) else {}
    with_data(folder, **{entry: {**plain, ":type:": "<class 'x'>", ":serialized:": bad}})
    load_sb3_zip(folder / "model.zip", trust=True, warn=SILENT)
    assert not (folder / "harmed").exists()


def test_other_pickles_in_the_zip_are_left_alone(saved, tmp_path):
    shutil.copytree(saved, tmp_path / "inner")
    folder = tmp_path / "inner"
    altered(folder, {"policy.optimizer.pth": torch_harm(folder), "pytorch_variables.pth": torch_harm(folder)})
    load_sb3_zip(folder / "model.zip", trust=True, warn=SILENT)
    assert not (folder / "harmed").exists()


def test_a_normalisation_is_unpickled_only_where_it_is_trusted(saved, tmp_path):
    scale = tmp_path / "scale.pkl"
    scale.write_bytes(pickle.dumps(harmful(tmp_path)))
    with pytest.raises(CheckpointError, match="--trust"):
        load_sb3_zip(saved / "model.zip", trust=False, normalisation=scale)
    assert not (tmp_path / "harmed").exists()
    with pytest.raises(CheckpointError, match="is no VecNormalize"):
        load_sb3_zip(saved / "model.zip", trust=True, normalisation=scale, warn=SILENT)


@pytest.mark.parametrize("content", [b"", b"not a pickle", pickle.dumps([1, 2])], ids=["empty", "text", "list"])
def test_a_bad_normalisation_is_one_line(saved, tmp_path, content):
    scale = tmp_path / "scale.pkl"
    scale.write_bytes(content)
    with pytest.raises(CheckpointError, match=r"scale\.pkl") as caught:
        load_sb3_zip(saved / "model.zip", trust=True, normalisation=scale, warn=SILENT)
    assert "\n" not in str(caught.value)
    with pytest.raises(CheckpointError, match="is no file"):
        load_sb3_zip(saved / "model.zip", trust=True, normalisation=tmp_path / "none.pkl", warn=SILENT)
