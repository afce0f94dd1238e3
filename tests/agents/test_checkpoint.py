"""A saved policy: the same answers after loading, the same row alone or in a batch, and an error for each bad file."""

from __future__ import annotations

import json
import math
import pickle
import shutil
from pathlib import Path

import numpy as np
import pytest
import safetensors.numpy

from civsim.agents import make_policy
from civsim.agents.checkpoint import (
    CONFIG,
    NORMALISATION,
    WEIGHTS,
    CheckpointConfig,
    LearnedPolicy,
    Normalisation,
    _dense,
    dense,
    load_config,
    load_policy,
    save_checkpoint,
)
from civsim.agents.policy import PolicyContext
from civsim.base.config import Scenario
from civsim.base.errors import CheckpointError
from civsim.engine.features import FEATURES, N_FEATURES
from civsim.engine.observation import Observation
from civsim.faces.actions import shares_from_action

HIDDEN = (5, 4)
OPEN = np.ones(8, np.bool_)


def weights(rng: np.random.Generator) -> dict[str, np.ndarray]:
    widths = (N_FEATURES, *HIDDEN, 8)
    names = ("mlp_extractor.policy_net.0", "mlp_extractor.policy_net.2", "action_net")
    tensors = {}
    for name, width_in, width_out in zip(names, widths[:-1], widths[1:], strict=True):
        tensors[f"{name}.weight"] = rng.normal(0, 0.3, (width_out, width_in)).astype(np.float32)
        tensors[f"{name}.bias"] = rng.normal(0, 0.3, width_out).astype(np.float32)
    return tensors


def normalisation() -> Normalisation:
    return Normalisation(np.full(N_FEATURES, 0.5), np.full(N_FEATURES, 2.0), np.asarray(0.01), np.asarray(3.0))


def config() -> CheckpointConfig:
    return CheckpointConfig(hidden=HIDDEN, scenario={}, settings={}, seeds={"study": 0}, versions={"civsim": "0"})


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "policy"
    path.mkdir()
    save_checkpoint(path, config(), weights(np.random.default_rng(0)), normalisation())
    return path


def features(n: int) -> np.ndarray:
    return np.random.default_rng(1).normal(0, 5, (n, N_FEATURES)).astype(np.float32)


def test_a_loaded_policy_is_the_network_that_was_saved(folder):
    tensors = weights(np.random.default_rng(0))
    rows = features(6)
    x = np.clip((rows - 0.5) / math.sqrt(2.01), -3, 3)
    for name in ("mlp_extractor.policy_net.0", "mlp_extractor.policy_net.2"):
        x = np.tanh(x @ tensors[f"{name}.weight"].T + tensors[f"{name}.bias"])
    expected = x @ tensors["action_net.weight"].T + tensors["action_net.bias"]
    np.testing.assert_allclose(load_policy(folder).actions(rows), expected, rtol=1e-4, atol=1e-5)


def test_its_shares_are_those_of_its_clipped_action(folder):
    policy = load_policy(folder)
    rows = features(6)
    context = PolicyContext(Scenario(), 0, np.arange(3), np.zeros(3, np.int32), (0, 1), OPEN)
    shares = policy(Observation(rows.reshape(3, 2, N_FEATURES), OPEN), context)
    assert shares.shape == (3, 2, 8)
    assert np.array_equal(shares.reshape(6, 8), shares_from_action(policy.actions(rows), OPEN))


def test_a_row_does_not_depend_on_its_batch(folder):
    policy = load_policy(folder)
    rows = features(33)
    alone = np.concatenate([policy.actions(rows[n : n + 1]) for n in range(33)])
    assert np.array_equal(policy.actions(rows), alone)


def test_the_compiled_layer_is_the_plain_one():
    rng = np.random.default_rng(0)
    rows, weight, bias = (rng.normal(size=shape).astype(np.float32) for shape in ((2, 3), (3, 4), (4,)))
    for squash in (True, False):
        plain, compiled = np.empty((2, 4), np.float32), np.empty((2, 4), np.float32)
        _dense(rows, weight, bias, squash, plain)
        dense(rows, weight, bias, squash, compiled)
        np.testing.assert_allclose(plain, compiled, rtol=1e-5, atol=1e-6)


def test_it_can_be_named_in_a_scenario(folder):
    assert isinstance(make_policy(f"file:{folder}", {}, Scenario()), LearnedPolicy)


def test_its_configuration_says_what_it_observes(folder):
    assert load_config(folder).features == FEATURES
    assert load_config(folder).hidden == HIDDEN


def test_a_learned_policy_wants_an_observation(folder):
    context = PolicyContext(Scenario(), 0, np.arange(1), np.zeros(1, np.int32), (0,), OPEN)
    with pytest.raises(TypeError, match="observation"):
        load_policy(folder)(None, context)


def rewrite(folder: Path, **changes: object) -> None:
    content = json.loads((folder / CONFIG).read_text())
    (folder / CONFIG).write_text(json.dumps({**content, **changes}))


def with_tensor(folder: Path, name: str, value: np.ndarray | None) -> None:
    tensors = weights(np.random.default_rng(0))
    if value is None:
        del tensors[name]
    else:
        tensors[name] = value
    safetensors.numpy.save_file(tensors, folder / WEIGHTS)


def with_arrays(folder: Path, **changes: object) -> None:
    arrays = {**normalisation()._asdict(), **changes}
    np.savez(folder / NORMALISATION, **{name: value for name, value in arrays.items() if value is not None})


class Harm:
    """What would run if a checkpoint were unpickled."""

    def __reduce__(self):
        return (pytest.fail, ("a checkpoint was unpickled",))


NAN = np.full((8, HIDDEN[-1]), np.nan, np.float32)
DAMAGE = {
    "no folder": lambda f: shutil.rmtree(f),
    "no config": lambda f: (f / CONFIG).unlink(),
    "config not JSON": lambda f: (f / CONFIG).write_text("{"),
    "config not text": lambda f: (f / CONFIG).write_bytes(b"\xff\xfe\x00"),
    "config too deep": lambda f: (f / CONFIG).write_text("[" * 100_000),
    "config a list": lambda f: (f / CONFIG).write_text("[]"),
    "config too large": lambda f: (f / CONFIG).write_text(" " * 1_000_001),
    "unknown key": lambda f: rewrite(f, surprise=1),
    "other format": lambda f: rewrite(f, format=2),
    "other rules": lambda f: rewrite(f, rules=99),
    "other features": lambda f: rewrite(f, features=["gold"]),
    "no layers": lambda f: rewrite(f, hidden=[]),
    "negative width": lambda f: rewrite(f, hidden=[-1]),
    "huge width": lambda f: rewrite(f, hidden=[10**9]),
    "other widths": lambda f: rewrite(f, hidden=[5, 5]),
    "no weights": lambda f: (f / WEIGHTS).unlink(),
    "empty weights": lambda f: (f / WEIGHTS).write_bytes(b""),
    "truncated weights": lambda f: (f / WEIGHTS).write_bytes((f / WEIGHTS).read_bytes()[:200]),
    "pickled weights": lambda f: (f / WEIGHTS).write_bytes(pickle.dumps(Harm())),
    "missing tensor": lambda f: with_tensor(f, "action_net.bias", None),
    "wrong shape": lambda f: with_tensor(f, "action_net.bias", np.zeros(7, np.float32)),
    "wrong dtype": lambda f: with_tensor(f, "action_net.bias", np.zeros(8)),
    "nan weights": lambda f: with_tensor(f, "action_net.weight", NAN),
    "no normalisation": lambda f: (f / NORMALISATION).unlink(),
    "truncated normalisation": lambda f: (f / NORMALISATION).write_bytes((f / NORMALISATION).read_bytes()[:90]),
    "pickled normalisation": lambda f: (f / NORMALISATION).write_bytes(pickle.dumps(Harm())),
    "objects in it": lambda f: with_arrays(f, mean=np.array([Harm()] * N_FEATURES, object)),
    "missing array": lambda f: with_arrays(f, var=None),
    "short array": lambda f: with_arrays(f, mean=np.zeros(3)),
    "negative variance": lambda f: with_arrays(f, var=np.full(N_FEATURES, -1.0)),
    "infinite mean": lambda f: with_arrays(f, mean=np.full(N_FEATURES, np.inf)),
    "zero clip": lambda f: with_arrays(f, clip=np.asarray(0.0)),
}


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE.keys())
def test_a_bad_checkpoint_is_one_clear_line(folder, damage):
    damage(folder)
    with pytest.raises(CheckpointError) as caught:
        load_policy(folder)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 400
