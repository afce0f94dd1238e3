"""Exported policies give the shares that civsim gives, without civsim."""

from __future__ import annotations

import inspect
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from bounds import assert_within, shares_bound
from checkpoints import random_checkpoint

from civsim.agents.checkpoint import BEST, load_policy
from civsim.agents.export import CATEGORIES, export_policy, npz_shares, onnx_bytes
from civsim.agents.network import LAYOUTS, LearnedPolicy, Normalisation
from civsim.base.constants import RULES_VERSION
from civsim.base.errors import CheckpointError, CivsimError
from civsim.base.scenario import Scenario
from civsim.engine.observation.features import FEATURES, N_FEATURES

CLOSED = Scenario.model_validate({"name": "peace", "game": {"closed": ["army", "walls"]}})
OPEN = np.array([name not in ("army", "walls") for name in CATEGORIES])
KINDS = {
    "gaussian": {},
    "dirichlet": {"head": "dirichlet"},
    "sac": {"algorithm": "sac", "activation": "relu", "squash": True},
    "td3": {"algorithm": "td3", "activation": "relu", "squash": True},
}


def checkpoint(folder: Path, **changes: object) -> Path:
    return random_checkpoint(folder, CLOSED, **changes)


def observations(n: int = 64) -> np.ndarray:
    rows = np.random.default_rng(4).normal(0, 4, (n, N_FEATURES)).astype(np.float32)
    rows[0] = 0.0
    return rows


def played(folder: Path, opened: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(Shares that civsim gives, how far another evaluation in float32 may lie from them), [64, 8] each."""
    policy = load_policy(folder)
    bound = 2 * shares_bound(policy, observations(), opened)
    assert bound.max() < 3e-4, "the bound tells this policy from others"
    return policy.shares(observations(), opened), bound


@pytest.mark.parametrize("kind", KINDS)
def test_numpy_alone_plays_it(tmp_path, kind):
    folder = checkpoint(tmp_path / "policy", **KINDS[kind])
    with np.load(export_policy(folder, tmp_path / "policy.npz"), allow_pickle=False) as arrays:
        shares = npz_shares(arrays, observations())
        one = npz_shares(arrays, observations()[3])
    expected, bound = played(folder, OPEN)
    assert_within(shares, expected, bound)
    assert_within(one, expected[3], bound[3])
    assert not shares[:, ~OPEN].any()
    assert np.ptp(shares[:, OPEN], axis=0).max() > 0.1


@pytest.mark.parametrize("kind", KINDS)
def test_onnxruntime_plays_it(tmp_path, kind):
    runtime = pytest.importorskip("onnxruntime")
    folder = checkpoint(tmp_path / "policy", **KINDS[kind])
    session = runtime.InferenceSession(export_policy(folder, tmp_path / "policy.onnx"))
    (shares,) = session.run(["shares"], {"observation": observations()})
    expected, bound = played(folder, OPEN)
    assert_within(shares, expected, bound)
    assert shares.dtype == np.float32
    assert not shares[:, ~OPEN].any()
    (single,) = session.run(None, {"observation": observations()[:1]})
    assert_within(single[0], shares[0], bound[0])


def test_the_model_says_what_goes_in_and_what_comes_out(tmp_path):
    onnx = pytest.importorskip("onnx")
    model = onnx.load(export_policy(checkpoint(tmp_path / "policy"), tmp_path / "policy.onnx"))
    said = {entry.key: entry.value for entry in model.metadata_props}
    assert tuple(json.loads(said["features"])) == FEATURES
    assert tuple(json.loads(said["categories"])) == CATEGORIES
    assert (said["scenario"], said["rules"]) == ("peace", str(RULES_VERSION))
    (given,), (result,) = model.graph.input, model.graph.output
    assert [axis.dim_value or axis.dim_param for axis in given.type.tensor_type.shape.dim] == ["batch", N_FEATURES]
    assert [axis.dim_value or axis.dim_param for axis in result.type.tensor_type.shape.dim] == ["batch", 8]


def test_the_function_for_copying_needs_numpy_alone(tmp_path):
    folder = checkpoint(tmp_path / "policy")
    export_policy(folder, tmp_path / "policy.npz")
    np.save(tmp_path / "rows.npy", observations())
    script = tmp_path / "play.py"
    script.write_text(
        f"{inspect.getsource(npz_shares)}\nimport sys, numpy as np\n"
        "np.save('shares.npy', npz_shares(np.load('policy.npz'), np.load('rows.npy')))\n"
        "assert not {'civsim', 'torch', 'numba', 'onnx'} & set(sys.modules), sorted(sys.modules)\n"
    )
    subprocess.run([sys.executable, "-I", str(script)], cwd=tmp_path, check=True)
    assert_within(np.load(tmp_path / "shares.npy"), *played(folder, OPEN))


def test_another_scenario_opens_other_categories(tmp_path):
    folder = checkpoint(tmp_path / "policy")
    path = export_policy(folder, tmp_path / "policy.npz", "npz", Scenario())
    with np.load(path) as arrays:
        assert arrays["open"].all()
        shares = npz_shares(arrays, observations())
    assert_within(shares, *played(folder, np.ones(8, np.bool_)))


def test_a_run_exports_its_best_and_the_same_bytes_each_time(tmp_path):
    folder = checkpoint(tmp_path / "run" / BEST)
    for name in ("policy.npz", "policy.onnx"):
        path, again = (
            export_policy(folder, tmp_path / name),
            export_policy(tmp_path / "run", tmp_path / f"again.{name}"),
        )
        assert path.read_bytes() == again.read_bytes()


def test_errors_are_one_line(tmp_path):
    folder = checkpoint(tmp_path / "policy")
    bad = checkpoint(tmp_path / "bad", scenario={"map": {"widht": 3}})
    cases = [
        (lambda: export_policy(folder, tmp_path / "policy.pt"), "does not end in .npz or .onnx"),
        (lambda: export_policy(folder, tmp_path / "policy.npz", "onnx"), "does not end in .onnx"),
        (lambda: export_policy(tmp_path / "none", tmp_path / "policy.npz"), "config.json"),
        (lambda: export_policy(folder, tmp_path / "none" / "policy.npz"), "is not a folder"),
        (lambda: export_policy(bad, tmp_path / "policy.npz"), "scenario.map.widht"),
    ]
    for action, message in cases:
        with pytest.raises(CivsimError, match=message) as caught:
            action()
        assert "\n" not in str(caught.value)
    assert not list(tmp_path.glob("policy.*"))


def test_without_onnx_the_line_says_how_to_get_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "onnx", None)
    layers = [(np.zeros((N_FEATURES, 8), np.float32), np.zeros(8, np.float32))]
    scale = Normalisation(np.zeros(N_FEATURES), np.ones(N_FEATURES), np.asarray(0.01), np.asarray(10.0))
    with pytest.raises(CheckpointError, match=r"needs onnx; pip install 'civsim\[export\]', or use npz"):
        onnx_bytes(LearnedPolicy(layers, scale), OPEN, "x")


def test_every_layout_is_exported():
    assert {kind.get("algorithm", "ppo") for kind in KINDS.values()} | {"a2c"} == set(LAYOUTS)
