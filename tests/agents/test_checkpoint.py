"""A saved policy: the same answers after loading, the same row alone or in a batch, and an error for each bad file."""

from __future__ import annotations

import io
import json
import pickle
import shutil
import struct
import threading
import zipfile
from pathlib import Path

import numpy as np
import pytest
import safetensors.numpy

from civsim.agents import make_policy
from civsim.agents.checkpoint import (
    BEST,
    CONFIG,
    LAST,
    NORMALISATION,
    WEIGHTS,
    CheckpointConfig,
    checkpoint_folder,
    load_config,
    load_normalisation,
    load_policy,
    load_weights,
    save_checkpoint,
)
from civsim.agents.network import LearnedPolicy, Normalisation, layer_names
from civsim.base.errors import CheckpointError
from civsim.base.files import put_folder
from civsim.base.scenario import Scenario
from civsim.engine.observation.features import FEATURES, N_FEATURES

HIDDEN = (5, 4)
OPEN = np.ones(8, np.bool_)
ONE = np.ones(())


def weights(rng: np.random.Generator, algorithm: str = "ppo") -> dict[str, np.ndarray]:
    widths = (N_FEATURES, *HIDDEN, 8)
    tensors = {}
    for name, width_in, width_out in zip(layer_names(algorithm, 2), widths[:-1], widths[1:], strict=True):
        tensors[f"{name}.weight"] = rng.normal(0, 0.3, (width_out, width_in)).astype(np.float32)
        tensors[f"{name}.bias"] = rng.normal(0, 0.3, width_out).astype(np.float32)
    return tensors


def normalisation() -> Normalisation:
    return Normalisation(np.full(N_FEATURES, 0.5), np.full(N_FEATURES, 2.0), np.asarray(0.01), np.asarray(3.0))


def config(**changes: object) -> CheckpointConfig:
    said = {"hidden": HIDDEN, "scenario": {}, "settings": {}, "seeds": {"study": 0}, "versions": {"civsim": "0"}}
    return CheckpointConfig(**said | changes)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "policy"
    path.mkdir()
    save_checkpoint(path, config(), weights(np.random.default_rng(0)), normalisation())
    return path


def test_a_loaded_policy_is_the_network_that_was_saved(folder):
    tensors = weights(np.random.default_rng(0))
    rows = np.random.default_rng(1).normal(0, 5, (6, N_FEATURES)).astype(np.float32)
    saved = LearnedPolicy.from_arrays(tensors, normalisation())
    assert np.array_equal(load_policy(folder).shares(rows, OPEN), saved.shares(rows, OPEN))


@pytest.mark.parametrize("head", ["softmax", "dirichlet"])
def test_the_head_is_the_saved_one(tmp_path, head):
    save_checkpoint(tmp_path, config(head=head), weights(np.random.default_rng(0)), normalisation())
    rows = np.random.default_rng(1).normal(0, 5, (6, N_FEATURES)).astype(np.float32)
    expected = LearnedPolicy.from_arrays(weights(np.random.default_rng(0)), normalisation(), head)
    assert np.array_equal(load_policy(tmp_path).shares(rows, OPEN), expected.shares(rows, OPEN))


@pytest.mark.parametrize("algorithm", ["sac", "td3"])
def test_actors_of_off_policy_algorithms_are_played(tmp_path, algorithm):
    tensors = weights(np.random.default_rng(0), algorithm)
    save_checkpoint(tmp_path, config(algorithm=algorithm, activation="relu", squash=True), tensors, normalisation())
    rows = np.random.default_rng(1).normal(0, 5, (6, N_FEATURES)).astype(np.float32)
    expected = LearnedPolicy.from_arrays(tensors, normalisation(), algorithm=algorithm)
    assert np.array_equal(load_policy(tmp_path).outputs(rows), expected.outputs(rows))
    tanh = config(algorithm=algorithm, activation="tanh", squash=False)
    other = tmp_path / "other"
    other.mkdir()
    save_checkpoint(other, tanh, tensors, normalisation())
    assert not np.allclose(load_policy(other).outputs(rows), expected.outputs(rows), atol=1e-3)


def test_what_the_player_does_not_need_comes_back_for_training(folder):
    state = normalisation()._replace(count=np.asarray(7.0), return_var=np.asarray(4.0))
    tensors = weights(np.random.default_rng(0)) | {"value_net.bias": np.array([2.0], np.float32)}
    save_checkpoint(folder, config(), tensors, state)
    assert all(np.array_equal(array, tensors[name]) for name, array in load_weights(folder).items())
    assert load_weights(folder).keys() == tensors.keys()
    for name, array in load_normalisation(folder)._asdict().items():
        assert np.array_equal(array, getattr(state, name))


def test_the_same_checkpoint_is_the_same_bytes(folder, tmp_path):
    again = tmp_path / "again"
    again.mkdir()
    save_checkpoint(again, config(), weights(np.random.default_rng(0)), normalisation())
    assert {path.name for path in again.iterdir()} == {CONFIG, WEIGHTS, NORMALISATION}
    for path in again.iterdir():
        assert path.read_bytes() == (folder / path.name).read_bytes()


def test_a_run_stands_for_its_best_checkpoint_or_else_its_last(tmp_path):
    run = tmp_path / "run"
    (run / LAST).mkdir(parents=True)
    (run / CONFIG).write_text('{"the run": "has a config of its own"}')
    save_checkpoint(run / LAST, config(head="dirichlet"), weights(np.random.default_rng(1)), normalisation())
    assert checkpoint_folder(run) == run / LAST
    assert load_config(run).head == "dirichlet"
    (run / BEST).mkdir()
    assert checkpoint_folder(run) == run / LAST, "an empty folder is no checkpoint"
    save_checkpoint(run / BEST, config(), weights(np.random.default_rng(0)), normalisation())
    assert checkpoint_folder(str(run)) == run / BEST
    assert load_policy(run).head == load_config(run).head == "softmax"
    assert checkpoint_folder(run / LAST) == run / LAST
    assert make_policy(f"file:{run}", {}, Scenario()).head == "softmax"


UNSAVEABLE = {
    "nan": (config(), lambda t: t["action_net.weight"].fill(np.nan), "NaN"),
    "widths": (config(hidden=(5, 5)), lambda t: None, "not float32"),
    "names": (config(algorithm="sac"), lambda t: None, "lacks actor.latent_pi.0.weight"),
}


@pytest.mark.parametrize(("said", "change", "message"), UNSAVEABLE.values(), ids=UNSAVEABLE.keys())
def test_what_could_not_be_loaded_is_not_saved(tmp_path, said, change, message):
    tensors = weights(np.random.default_rng(0))
    change(tensors)
    with pytest.raises(CheckpointError, match=message):
        save_checkpoint(tmp_path, said, tensors, normalisation())
    with pytest.raises(CheckpointError, match="negative"):
        save_checkpoint(tmp_path, config(), weights(np.random.default_rng(0)), normalisation()._replace(count=-ONE))
    with pytest.raises(ValueError, match="JSON"):
        save_checkpoint(
            tmp_path, config(settings={"x": float("nan")}), weights(np.random.default_rng(0)), normalisation()
        )
    assert not list(tmp_path.iterdir())


def test_it_can_be_named_in_a_scenario(folder):
    assert isinstance(make_policy(f"file:{folder}", {}, Scenario()), LearnedPolicy)


def test_its_configuration_says_what_it_observes(folder):
    assert load_config(folder).features == FEATURES
    assert load_config(folder).hidden == HIDDEN


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


def header(folder: Path, content: object, length: int | None = None, body: bytes = b"") -> None:
    """Write a safetensors file with a header of one's own, and a length that may lie."""
    text = content if isinstance(content, bytes) else json.dumps(content).encode()
    (folder / WEIGHTS).write_bytes(struct.pack("<Q", len(text) if length is None else length) + text + body)


def tensor(shape: list, start: int, end: int, dtype: str = "F32") -> dict[str, object]:
    return {"action_net.bias": {"dtype": dtype, "shape": shape, "data_offsets": [start, end]}}


def member(folder: Path, name: str, content: bytes) -> None:
    """Replace one array of the normalisation by bytes of one's own."""
    path = folder / NORMALISATION
    with zipfile.ZipFile(path) as archive:
        held = {entry: archive.read(entry) for entry in archive.namelist()}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for entry, data in {**held, name: content}.items():
            archive.writestr(entry, data)


def npy(text: str, body: bytes = b"") -> bytes:
    padded = text.encode().ljust(117) + b"\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(padded)) + padded + body


def huge(shape: str) -> bytes:
    return npy(f"{{'descr': '<f8', 'fortran_order': False, 'shape': {shape}}}")


def pickled_array() -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, np.array([Harm()] * 3, object))
    return buffer.getvalue()


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
    "a later format": lambda f: rewrite(f, format=3),
    "format 1": lambda f: rewrite(f, format=1),
    "format a list": lambda f: rewrite(f, format=[[]] * 99),
    "nested too deep": lambda f: rewrite(f, settings=json.loads("[" * 500 + "]" * 500)),
    "nan in it": lambda f: rewrite(f, settings={"learning_rate": float("nan")}),
    "infinity in it": lambda f: rewrite(f, rules=float("inf")),
    "a number of many digits": lambda f: (f / CONFIG).write_text('{"format": ' + "1" * 10_000 + "}"),
    "scenario no table": lambda f: rewrite(f, scenario="baseline"),
    "widths in words": lambda f: rewrite(f, hidden=["5", "4"]),
    "widths in fractions": lambda f: rewrite(f, hidden=[5.0, 4.0]),
    "widths true": lambda f: rewrite(f, hidden=[True, True]),
    "widths a table": lambda f: rewrite(f, hidden={"0": 5}),
    "many layers": lambda f: rewrite(f, hidden=[4] * 100_000),
    "rules in words": lambda f: rewrite(f, rules="1"),
    "versions numbers": lambda f: rewrite(f, versions={"civsim": 1}),
    "an unknown head": lambda f: rewrite(f, head="../../etc/passwd"),
    "an unknown algorithm": lambda f: rewrite(f, algorithm="dqn"),
    "another algorithm": lambda f: rewrite(f, algorithm="sac"),
    "an unknown activation": lambda f: rewrite(f, activation="__import__('os')"),
    "a squashed dirichlet": lambda f: rewrite(f, head="dirichlet", squash=True),
    "squash in words": lambda f: rewrite(f, squash="yes"),
    "a key of many lines": lambda f: rewrite(f, **{"a\nb\n" * 500: 1}),
    "other rules": lambda f: rewrite(f, rules=99),
    "other features": lambda f: rewrite(f, features=["gold"]),
    "no layers": lambda f: rewrite(f, hidden=[]),
    "negative width": lambda f: rewrite(f, hidden=[-1]),
    "huge width": lambda f: rewrite(f, hidden=[10**9]),
    "other widths": lambda f: rewrite(f, hidden=[5, 5]),
    "no weights": lambda f: (f / WEIGHTS).unlink(),
    "empty weights": lambda f: (f / WEIGHTS).write_bytes(b""),
    "truncated weights": lambda f: (f / WEIGHTS).write_bytes((f / WEIGHTS).read_bytes()[:200]),
    "a header that lies": lambda f: header(f, {}, length=2**63),
    "a header longer than the file": lambda f: header(f, {}, length=10_000),
    "a header not JSON": lambda f: header(f, b"{" * 100),
    "a header nested deep": lambda f: header(f, b"[" * 90_000 + b"]" * 90_000),
    "a header not text": lambda f: header(f, b"\xff" * 16),
    "a huge shape": lambda f: header(f, tensor([2**40, 2**40], 0, 32), body=bytes(32)),
    "an overflowing shape": lambda f: header(f, tensor([2**64], 0, 32), body=bytes(32)),
    "a negative shape": lambda f: header(f, tensor([-8], 0, 32), body=bytes(32)),
    "offsets beyond the end": lambda f: header(f, tensor([8], 2**40, 2**40 + 32), body=bytes(32)),
    "offsets backwards": lambda f: header(f, tensor([8], 32, 0), body=bytes(32)),
    "an unknown dtype": lambda f: header(f, tensor([8], 0, 32, "OBJ"), body=bytes(32)),
    "a dtype numpy lacks": lambda f: header(f, tensor([16], 0, 32, "BF16"), body=bytes(32)),
    "pickled weights": lambda f: (f / WEIGHTS).write_bytes(pickle.dumps(Harm())),
    "missing tensor": lambda f: with_tensor(f, "action_net.bias", None),
    "wrong shape": lambda f: with_tensor(f, "action_net.bias", np.zeros(7, np.float32)),
    "wrong dtype": lambda f: with_tensor(f, "action_net.bias", np.zeros(8)),
    "nan weights": lambda f: with_tensor(f, "action_net.weight", NAN),
    "no normalisation": lambda f: (f / NORMALISATION).unlink(),
    "truncated normalisation": lambda f: (f / NORMALISATION).write_bytes((f / NORMALISATION).read_bytes()[:90]),
    "pickled normalisation": lambda f: (f / NORMALISATION).write_bytes(pickle.dumps(Harm())),
    "objects in it": lambda f: with_arrays(f, mean=np.array([Harm()] * N_FEATURES, object)),
    "an array of objects": lambda f: member(f, "mean.npy", pickled_array()),
    "a huge array": lambda f: member(f, "mean.npy", huge("(1152921504606846976,)")),
    "many axes": lambda f: member(f, "mean.npy", huge("(1,) * 9")),
    "an array that is code": lambda f: member(f, "mean.npy", npy("__import__('pytest').fail('evaluated')")),
    "brackets left open": lambda f: member(f, "mean.npy", npy("(" * 100)),
    "no array": lambda f: member(f, "mean.npy", b"cos\nsystem\n(S'true'\ntR."),
    "a path that climbs": lambda f: member(f, "../../escaped.npy", huge("()")),
    "a bomb": lambda f: member(f, "mean.npy", huge(f"({N_FEATURES},)") + bytes(50_000_000)),
    "counts below 0": lambda f: with_arrays(f, count=np.asarray(-1.0)),
    "float32 moments": lambda f: with_arrays(f, mean=np.zeros(N_FEATURES, np.float32)),
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
    assert not list(folder.parent.parent.rglob("escaped*"))


def test_a_checkpoint_of_the_last_release_says_so(folder):
    rewrite(folder, format=1)
    with pytest.raises(CheckpointError, match="is of format 1, this release reads 2; train again"):
        load_policy(folder)


def test_a_reader_of_a_run_that_is_being_trained_sees_one_whole_save(tmp_path: Path) -> None:
    """Two saves take each other's place as fast as can be; what is read is never of both, nor missing."""
    rng = np.random.default_rng(8)
    moments = [np.full(N_FEATURES, float(number)) for number in range(2)]
    nets = [weights(rng) for _ in range(2)]
    saved = [tmp_path / name for name in ("a", "b")]
    for folder, net, mean in zip(saved, nets, moments, strict=True):
        folder.mkdir()
        save_checkpoint(folder, config(), net, normalisation()._replace(mean=mean))
    run, over = tmp_path / "run", threading.Event()
    shutil.copytree(saved[0], run / LAST)

    def write() -> None:
        turn = 0
        while not over.is_set():
            turn += 1
            put_folder(Path(shutil.copytree(saved[turn % 2], run / ".last.new")), run / LAST)

    writer = threading.Thread(target=write)
    writer.start()
    seen = set()
    try:
        for _ in range(300):
            policy = load_policy(run)
            number = int(policy.normalisation.mean[0])
            seen.add(number)
            assert (policy.layers[-1][1] == nets[number]["action_net.bias"]).all()
    finally:
        over.set()
        writer.join()
    assert seen == {0, 1}
