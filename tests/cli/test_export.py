"""``civsim export`` and ``civsim import``."""

from __future__ import annotations

import pickle
from pathlib import Path

import gymnasium
import numpy as np
import pytest
from bounds import assert_within, outputs_bound, shares_bound
from checkpoints import random_checkpoint
from commands import refused, said

from civsim.agents import zoo
from civsim.agents.checkpoint import LAST, load_policy
from civsim.agents.export import npz_shares
from civsim.cli import main
from civsim.engine.observation.features import N_FEATURES
from civsim.scenarios import load_scenario


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a working folder with a run."""
    random_checkpoint(tmp_path / "run" / LAST, load_scenario("baseline"))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_run_is_exported(folder, capsys):
    assert said(capsys, "export", "run", "--out", "policy.npz") == "wrote policy.npz\n"
    rows = np.random.default_rng(0).normal(size=(4, N_FEATURES)).astype(np.float32)
    with np.load("policy.npz") as arrays:
        shares = npz_shares(arrays, rows)
    policy, opened = load_policy("run"), np.ones(8, np.bool_)
    assert_within(shares, policy.shares(rows, opened), 2 * shares_bound(policy, rows, opened))


def test_it_is_named_as_every_other_command_has_it(folder, capsys, monkeypatch):
    monkeypatch.setattr(zoo, "ZOO", folder / "zoo")
    random_checkpoint(folder / "zoo" / "mine", load_scenario("baseline"))
    (folder / "zoo" / "mine" / zoo.ABOUT).write_text("{}")
    for place, source in enumerate(("run", "file:run", f"run/{LAST}", f"file:{folder}/run", "zoo:mine")):
        assert said(capsys, "export", source, "--out", f"{place}.npz") == f"wrote {place}.npz\n"
    assert len({Path(f"{place}.npz").read_bytes() for place in range(5)}) == 1


def test_the_format_and_the_scenario_can_be_said(folder, capsys):
    pytest.importorskip("onnx")
    said(capsys, "export", "run", "--out", "policy.onnx", "--format", "onnx", "--scenario", "raiders")
    assert (folder / "policy.onnx").stat().st_size > 1000


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ("export none --out policy.npz", "neither a policy nor a folder"),
        ("export empty --out policy.npz", "config.json"),
        ("export uniform --out policy.npz", "policy 'uniform' is no trained network; give a run, a checkpoint or zoo:"),
        ("export zoo:nobody --out policy.npz", "zoo:nobody is not in the zoo"),
        ("export run --out policy.zip", "does not end in .npz or .onnx"),
        ("export run --out policy.npz --format onnx", "does not end in .onnx"),
        ("export run --out policy.npz --format pt", "'pt' is unknown; use npz or onnx"),
        ("export run --out none/policy.npz", "is not a folder"),
        ("export run --out policy.npz --scenario basline", "did you mean 'baseline'"),
        ("export run", "Missing option '--out'"),
        ("import model.zip --scenario baseline --out new --trust", "cannot be read as a zip"),
        ("import none.zip --scenario baseline --out new", "--trust"),
        ("import model.zip --scenario basline --out new --trust", "did you mean 'baseline'"),
    ],
)
def test_errors(folder, capsys, arguments, complaint):
    (folder / "model.zip").write_text("no zip")
    (folder / "empty").mkdir()
    code = main(arguments.split())
    out, err = capsys.readouterr()
    assert (code, out) == (2, "")
    lines = [line for line in err.splitlines() if "warning" not in line]
    assert len(lines) == 1
    assert complaint in lines[0]
    assert not list(folder.glob("policy*"))
    assert not (folder / "new").exists()


class Harm:
    """What leaves a file behind if it is unpickled."""

    def __reduce__(self):
        return (Path.touch, (Path("harmed"),))


def test_a_zip_is_imported_where_it_is_trusted(folder, capsys):
    from stable_baselines3 import PPO

    class Null(gymnasium.Env):
        observation_space = gymnasium.spaces.Box(-np.inf, np.inf, (N_FEATURES,), np.float32)
        action_space = gymnasium.spaces.Box(-1, 1, (8,), np.float32)

        def reset(self, *, seed=None, options=None):
            return np.zeros(N_FEATURES, np.float32), {}

    model = PPO("MlpPolicy", Null(), seed=1, device="cpu", n_steps=64)
    model.save("model.zip")
    Path("scale.pkl").write_bytes(pickle.dumps(Harm()))
    arguments = ["import", "model.zip", "--scenario", "baseline", "--out", "policy"]
    assert "holds pickles" in refused(capsys, *arguments)
    assert "holds pickles" in refused(capsys, *arguments, "--normalisation", "scale.pkl")
    assert not Path("harmed").exists()
    assert main([*arguments, "--trust"]) == 0
    out, err = capsys.readouterr()
    assert out == "policy in policy; play it as file:policy\n"
    assert err.startswith("civsim: warning: 'model.zip' is trusted: ")
    assert err.count("\n") == 1
    rows = np.random.default_rng(0).normal(size=(4, N_FEATURES)).astype(np.float32)
    theirs, _ = model.predict(rows, deterministic=True)
    policy = load_policy("policy")
    assert_within(np.clip(policy.outputs(rows), -1, 1), theirs, 2 * outputs_bound(policy, rows)[1])
