"""A policy out of Stable-Baselines3's own zip, made into a checkpoint of ours.

Such a zip holds pickles, and unpickling runs whatever code the file holds. Of the zip nothing is unpickled: the weights
(``policy.pth``) go through torch's restricted reader (``weights_only=True``), the rest (``data``) is read as the plain
JSON it is, its pickled parts left alone. That reader has had holes of its own, so a zip is read only where its reader
says that he trusts it. The moments of a ``VecNormalize`` exist as a pickle alone: that file is unpickled, and runs.
"""

from __future__ import annotations

import io
import json
import math
import re
import warnings
import zipfile
import zlib
from collections.abc import Callable, Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from civsim.agents.checkpoint import CheckpointConfig, brief, save_checkpoint, scenario_tables
from civsim.agents.network import (
    LAYOUTS,
    MAX_WIDTH,
    Activation,
    Algorithm,
    Head,
    LearnedPolicy,
    Normalisation,
    hidden_widths,
    layer_names,
    layers_from,
)
from civsim.base.errors import CheckpointError
from civsim.base.files import atomic_folder
from civsim.base.scenario import Scenario
from civsim.engine.observation.features import N_FEATURES

Warn = Callable[[str], object]
"""Called with a warning of one line."""

WEIGHTS, DATA = "policy.pth", "data"
MAX_BYTES = {WEIGHTS: 2**28, DATA: 2**28}
"""Most bytes that are unpacked of an entry of a zip."""

_ACTIVATIONS: dict[str, Activation] = {"Tanh": "tanh", "ReLU": "relu"}
_MODULES = ("stable_baselines3.", "civsim.agents.training.")
_OWN_MODULE = _MODULES[1]
_BOXES: dict[tuple[float, float], Head] = {(-1.0, 1.0): "softmax", (0.0, 1.0): "dirichlet"}
_NUMBER = re.compile(r"-?(?:[0-9]+\.?[0-9]*|\.[0-9]+)")
_KEPT = ("seed", "num_timesteps", "n_steps", "batch_size", "n_epochs", "learning_rate", "gamma", "gae_lambda")
_NO_CLIP = 1e6


class Sb3Policy(NamedTuple):
    """What was read out of a zip."""

    algorithm: Algorithm
    head: Head
    hidden: tuple[int, ...]
    activation: Activation
    squash: bool
    weights: dict[str, NDArray[np.float32]]  # of the actor, by Stable-Baselines3's names
    normalisation: Normalisation
    settings: dict[str, Any]  # numbers the zip says of its training

    def policy(self) -> LearnedPolicy:
        """Return the policy, ready to play."""
        options: dict[str, Any] = {"activation": self.activation, "squash": self.squash}
        return LearnedPolicy.from_arrays(
            self.weights, self.normalisation, self.head, algorithm=self.algorithm, **options
        )


def load_sb3_zip(
    path: str | Path, *, trust: bool, normalisation: str | Path | None = None, warn: Warn = warnings.warn
) -> Sb3Policy:
    """Return the policy in a zip that Stable-Baselines3's PPO, A2C, SAC or TD3 saved with an MLP policy.

    Args:
        path: the zip.
        trust: whether whoever made the files is trusted.
        normalisation: what ``VecNormalize.save`` wrote beside it; without, features go in as they are.
        warn: told what trusting means, a line a file.

    Raises:
        CheckpointError: the files are not trusted, are damaged, or hold something other than such a policy on
            civsim's observations and actions.
    """
    if not trust:
        raise CheckpointError(
            f"{str(path)!r} is a zip of Stable-Baselines3, which holds pickles: reading one can run code from the "
            "file; give --trust (trust=True) if you trust whoever made it"
        )
    warn(
        f"{str(path)!r} is trusted: its weights go through torch's restricted reader and nothing in it is unpickled, "
        "but a crafted file may find a hole in that reader"
    )
    content = _entries(Path(path))
    data = _data(content[DATA], path)
    state = _state(content[WEIGHTS], path)
    _check_policy(data, path)
    algorithm = _algorithm(state, data, path)
    weights, hidden = _actor(state, algorithm, path)
    return Sb3Policy(
        algorithm=algorithm,
        head=_head(data, path),
        hidden=hidden,
        activation=_activation(data, algorithm, path),
        squash=LAYOUTS[algorithm].squash,
        weights=weights,
        normalisation=_identity() if normalisation is None else _moments(Path(normalisation), warn),
        settings={name: data[name] for name in _KEPT if _is_number(data.get(name))},
    )


def convert_sb3_zip(
    path: str | Path,
    out: str | Path,
    scenario: Scenario,
    *,
    trust: bool,
    normalisation: str | Path | None = None,
    warn: Warn = warnings.warn,
) -> Path:
    """Write the policy in a zip as a checkpoint into the new folder ``out``, and return that folder.

    ``scenario`` is what it was trained on, which the zip does not say. The rest is as in :func:`load_sb3_zip`.

    Raises:
        CheckpointError: as there.
        CivsimError: ``out`` exists, or its parent does not.
    """
    read = load_sb3_zip(path, trust=trust, normalisation=normalisation, warn=warn)
    config = CheckpointConfig(
        algorithm=read.algorithm,
        head=read.head,
        hidden=read.hidden,
        activation=read.activation,
        squash=read.squash,
        scenario=scenario_tables(scenario),
        settings={"source": Path(path).name, **read.settings},
        seeds={},
        versions={name: version(name) for name in ("civsim", "numpy", "stable-baselines3", "torch")},
    )
    with atomic_folder(out) as folder:
        save_checkpoint(folder, config, read.weights, read.normalisation)
    return Path(out)


def _entries(path: Path) -> dict[str, bytes]:
    """Return the two entries that are needed; no entry's name is ever a path on this machine."""
    found = {}
    try:
        with zipfile.ZipFile(path) as archive:
            for name in set(archive.namelist()) & set(MAX_BYTES):
                with archive.open(name) as stream:
                    found[name] = stream.read(MAX_BYTES[name] + 1)
    except (zipfile.BadZipFile, zlib.error, OSError, EOFError, RuntimeError, ValueError) as error:
        raise CheckpointError(f"{str(path)!r} cannot be read as a zip ({brief(error)}); save it again") from None
    for name, limit in MAX_BYTES.items():
        if name not in found:
            raise CheckpointError(f"{str(path)!r} holds no {name!r}; give a zip that model.save wrote")
        if len(found[name]) > limit:
            raise CheckpointError(f"{str(path)!r}: {name!r} unpacks to more than {limit} bytes; it is no policy")
    return found


def _data(content: bytes, path: str | Path) -> dict[str, Any]:
    """Return what the zip says of its model: JSON, whose pickled parts stay texts."""
    try:
        data = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise CheckpointError(f"{str(path)!r}: {DATA!r} is not JSON ({brief(error)}); save it again") from None
    if not isinstance(data, dict):
        raise CheckpointError(f"{str(path)!r}: {DATA!r} is a {type(data).__name__}, not a table; save it again")
    return data


def _state(content: bytes, path: str | Path) -> dict[str, Any]:
    """Return the tensors of a policy by name; nothing but tensors and plain values can come out of torch's reader."""
    import torch

    try:
        state = torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)
    except Exception as error:  # whatever that reader makes of a crafted file
        raise CheckpointError(f"{str(path)!r}: {WEIGHTS!r} is not tensors alone ({brief(error)})") from None
    if not (isinstance(state, dict) and all(isinstance(value, torch.Tensor) for value in state.values())):
        raise CheckpointError(f"{str(path)!r}: {WEIGHTS!r} is no table of tensors; give a zip that model.save wrote")
    return state


def _algorithm(state: Mapping[str, Any], data: Mapping[str, Any], path: str | Path) -> Algorithm:
    """Return the algorithm whose names the tensors bear; those of PPO and A2C are the same, only PPO has epochs."""
    fitting = [name for name, layout in LAYOUTS.items() if f"{layout.hidden.format(0)}.weight" in state]
    if not fitting:
        raise CheckpointError(f"{str(path)!r} holds no MLP policy of {', '.join(LAYOUTS)}; train one of them")
    if extractor := next((name for name in state if "features_extractor." in str(name)), None):
        raise CheckpointError(f"{str(path)!r} has weights before its layers ({brief(extractor)}); use MlpPolicy")
    return fitting[0] if "n_epochs" in data else fitting[-1]


def _actor(state: Mapping[str, Any], algorithm: Algorithm, path: str | Path) -> tuple[dict[str, Any], tuple[int, ...]]:
    """Return the actor's arrays, checked, and the widths of its hidden layers. No other tensor is looked into."""
    widths = hidden_widths(state, algorithm)
    if not widths or max(widths) > MAX_WIDTH:
        raise CheckpointError(f"{str(path)!r} has hidden layers {widths}; widths of 1 … {MAX_WIDTH} can be read")
    needed = [f"{name}.{part}" for name in layer_names(algorithm, len(widths)) for part in ("weight", "bias")]
    try:
        arrays = {name: state[name].detach().numpy() for name in needed if name in state}
    except (RuntimeError, TypeError, ValueError) as error:  # a tensor of a kind that numpy does not know
        raise CheckpointError(f"{str(path)!r}: its weights are no plain arrays ({brief(error)})") from None
    layers_from(arrays, algorithm, widths, repr(str(path)))
    return {name: np.array(array) for name, array in arrays.items()}, widths


def _check_policy(data: Mapping[str, Any], path: str | Path) -> None:
    if data.get("use_sde"):
        raise CheckpointError(f"{str(path)!r} explores by gSDE (use_sde), which is not read; train without")
    module = _table(data, "policy_class").get("__module__")
    if not (isinstance(module, str) and module.startswith(_MODULES)):
        raise CheckpointError(f"{str(path)!r}: its policy is from {brief(module)}, whose network is unknown here")
    if given := sorted(set(_table(data, "policy_kwargs")) & {"features_extractor_class", "squash_output"}):
        raise CheckpointError(
            f"{str(path)!r}: its policy has {given[0]}, which is not read; train with MlpPolicy's own"
        )


def _head(data: Mapping[str, Any], path: str | Path) -> Head:
    """Return what the last layer means, by the box of the actions and by whose policy it is."""
    space = _table(data, "action_space")
    bounds = [{float(text) for text in _NUMBER.findall(str(space.get(end)))} for end in ("low", "high")]
    head = next((head for (low, high), head in _BOXES.items() if bounds == [{low}, {high}]), None)
    module = str(_table(data, "policy_class").get("__module__"))
    if head is None or (head == "dirichlet" and not module.startswith(_OWN_MODULE)):
        raise CheckpointError(
            f"{str(path)!r}: its policy acts in a box {brief(space.get('low'))} … {brief(space.get('high'))} that it "
            "cannot be read with; train on actions='softmax'"
        )
    return head


def _activation(data: Mapping[str, Any], algorithm: Algorithm, path: str | Path) -> Activation:
    given = _table(data, "policy_kwargs").get("activation_fn")
    if given is None:
        return LAYOUTS[algorithm].activation
    name = str(given).rstrip("'>").rpartition(".")[2]
    if name not in _ACTIVATIONS:
        raise CheckpointError(f"{str(path)!r}: its activation is {brief(given)}; only tanh and relu are read")
    return _ACTIVATIONS[name]


def _table(data: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = data.get(name)
    return found if isinstance(found, dict) else {}


def _identity() -> Normalisation:
    """Return the normalisation that changes no feature."""
    epsilon = np.asarray(np.finfo(np.float64).tiny)
    return Normalisation(np.zeros(N_FEATURES), np.ones(N_FEATURES), epsilon, np.asarray(_NO_CLIP))


def _moments(path: Path, warn: Warn) -> Normalisation:
    """Unpickle a VecNormalize, which runs what it holds, and return its moments."""
    if not path.is_file():
        raise CheckpointError(f"{str(path)!r} is no file; give what VecNormalize.save wrote")
    warn(f"{str(path)!r} is trusted and unpickled: whatever code it holds runs now, with your rights")
    from stable_baselines3.common.running_mean_std import RunningMeanStd
    from stable_baselines3.common.save_util import load_from_pkl
    from stable_baselines3.common.vec_env import VecNormalize

    try:
        with path.open("rb") as handle:  # opened here, because a failure there would leave it open
            scaled = load_from_pkl(handle)
    except Exception as error:  # unpickling may raise anything
        raise CheckpointError(f"{str(path)!r} cannot be unpickled ({brief(error)}); save it again") from None
    moments = getattr(scaled, "obs_rms", None)
    if not (isinstance(scaled, VecNormalize) and scaled.norm_obs and isinstance(moments, RunningMeanStd)):
        raise CheckpointError(f"{str(path)!r} is no VecNormalize that scales observations; leave it out")
    values = {
        "mean": moments.mean,
        "var": moments.var,
        "epsilon": scaled.epsilon,
        "clip": scaled.clip_obs,
        "count": moments.count,
        "return_mean": scaled.ret_rms.mean,
        "return_var": scaled.ret_rms.var,
        "return_count": scaled.ret_rms.count,
    }
    return Normalisation(**{name: np.array(value, np.float64) for name, value in values.items()})


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
