"""A trained policy on disk, without pickle: a folder with a checked configuration, weights and normalisation.

config.json           what was trained, on what, from which seeds (:class:`CheckpointConfig`)
policy.safetensors    weights, float32, under the names Stable-Baselines3 gives them
normalisation.npz     mean and variance of every feature, and how far normalised features are clipped
"""

from __future__ import annotations

import json
import math
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np
import safetensors
import safetensors.numpy
from numpy.typing import NDArray
from pydantic import Field, ValidationError

from civsim.agents.policy import PolicyContext
from civsim.base.config import Frozen
from civsim.base.constants import N_CATEGORIES, RULES_VERSION
from civsim.base.errors import CheckpointError
from civsim.base.kernels import kernel
from civsim.engine.features import FEATURES, N_FEATURES
from civsim.engine.observation import Observation
from civsim.engine.state import F32, F64
from civsim.faces.actions import shares_from_action

CONFIG = "config.json"
WEIGHTS = "policy.safetensors"
NORMALISATION = "normalisation.npz"
MAX_CONFIG_BYTES = 1_000_000
MAX_WIDTH = 4096
_LAYER = "mlp_extractor.policy_net.{}"
_HEAD = "action_net"


class CheckpointConfig(Frozen):
    """What a checkpoint says of itself."""

    format: Literal[1] = Field(1, description="version of this layout")
    rules: int = Field(RULES_VERSION, description="version of the world's rules it was trained under")
    features: tuple[str, ...] = Field(FEATURES, description="what it observes, in order")
    hidden: tuple[int, ...] = Field(description="widths of the hidden layers, tanh")
    scenario: dict[str, Any] = Field(description="the resolved scenario it was trained on")
    settings: dict[str, Any] = Field(description="the training settings")
    seeds: dict[str, Any] = Field(description="study seed, training and held-out world ids")
    versions: dict[str, str] = Field(description="versions of the libraries used")


class Normalisation(NamedTuple):
    """How features are scaled before the first layer: clip((x − mean) / √(var + ε), ±clip)."""

    mean: F64  # [F]
    var: F64  # [F] >= 0
    epsilon: F64  # []
    clip: F64  # []


def _dense(rows, weight, bias, squash, out):
    """Write tanh(rows · weight + bias), or without the tanh, into ``out``.

    A row's sums run over its own inputs in a fixed order, so that a row's result does not depend on the batch; a
    matrix product of a linear-algebra library makes no such promise.
    """
    for n in range(rows.shape[0]):
        for j in range(out.shape[1]):
            out[n, j] = bias[j]
        for k in range(rows.shape[1]):
            x = rows[n, k]
            for j in range(out.shape[1]):
                out[n, j] += x * weight[k, j]
        if squash:
            for j in range(out.shape[1]):
                out[n, j] = math.tanh(out[n, j])


dense = kernel(_dense)


class LearnedPolicy:
    """A trained policy: normalised features through a small tanh network; the mean action, without noise."""

    needs_observation = True

    def __init__(self, layers: tuple[tuple[F32, F32], ...], normalisation: Normalisation) -> None:
        self._layers = layers  # (weight [in, out], bias [out]) each, the head last
        self._normalisation = normalisation

    def actions(self, features: F32) -> F32:
        """Return the actions for rows of features, float32 [n, F] → float32 [n, 8], clipped to the box later on."""
        mean, var, epsilon, clip = self._normalisation
        rows = np.clip((features - mean) / np.sqrt(var + epsilon), -clip, clip).astype(np.float32)
        for place, (weight, bias) in enumerate(self._layers):
            out = np.empty((rows.shape[0], weight.shape[1]), np.float32)
            dense(rows, weight, bias, place < len(self._layers) - 1, out)
            rows = out
        return rows

    def __call__(self, observation: Observation | None, context: PolicyContext) -> F32:
        """Return the shares of every seat it plays, float32 [B, S, 8]."""
        if observation is None:
            raise TypeError("a learned policy needs an observation")
        shape = observation.features.shape[:2]
        actions = self.actions(observation.features.reshape(-1, N_FEATURES))
        return shares_from_action(actions, context.open).reshape(*shape, N_CATEGORIES)


def save_checkpoint(
    folder: Path, config: CheckpointConfig, weights: Mapping[str, NDArray[np.float32]], normalisation: Normalisation
) -> None:
    """Write the three files of a checkpoint into ``folder``, which the caller moves into place when all is well."""
    text = json.dumps(config.model_dump(mode="json"), indent=2, sort_keys=True, allow_nan=True)
    (folder / CONFIG).write_text(text + "\n", encoding="utf-8")
    (folder / WEIGHTS).write_bytes(safetensors.numpy.save({k: np.ascontiguousarray(v) for k, v in weights.items()}))
    with (folder / NORMALISATION).open("wb") as handle:
        np.savez(handle, **normalisation._asdict())


def load_config(folder: str | Path) -> CheckpointConfig:
    """Return what a checkpoint says of itself, checked.

    Raises:
        CheckpointError: the file is missing, too large, not JSON, or not what this release writes.
    """
    path = Path(folder) / CONFIG
    if not path.is_file():
        raise CheckpointError(f"{str(folder)!r} holds no {CONFIG}; give the folder that train wrote")
    if path.stat().st_size > MAX_CONFIG_BYTES:
        raise CheckpointError(f"{str(path)!r} is larger than {MAX_CONFIG_BYTES} bytes; it is no checkpoint")
    try:
        config = CheckpointConfig.model_validate(json.loads(path.read_text(encoding="utf-8")))
    except (json.JSONDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise CheckpointError(f"{str(path)!r} is not JSON ({_brief(error)}); train again") from None
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"]) or "the file"
        raise CheckpointError(f"{str(path)!r}: {where}: {first['msg']}; train again") from None
    if config.rules != RULES_VERSION:
        raise CheckpointError(
            f"{str(path)!r}: rules={config.rules} but this release plays {RULES_VERSION}; train again"
        )
    if config.features != FEATURES:
        raise CheckpointError(f"{str(path)!r} observes other features than this release's {N_FEATURES}; train again")
    if len(config.hidden) == 0 or any(not 0 < width <= MAX_WIDTH for width in config.hidden):
        raise CheckpointError(f"{str(path)!r}: hidden={list(config.hidden)} is not widths in 1 … {MAX_WIDTH}")
    return config


def load_policy(folder: str | Path) -> LearnedPolicy:
    """Return the policy saved in ``folder``. Nothing in the files is executed.

    Raises:
        CheckpointError: a file is missing, damaged, or does not fit the others; the message names it.
    """
    config = load_config(folder)
    return LearnedPolicy(_layers(Path(folder) / WEIGHTS, config.hidden), _normalisation(Path(folder) / NORMALISATION))


def _layers(path: Path, hidden: tuple[int, ...]) -> tuple[tuple[F32, F32], ...]:
    if not path.is_file():
        raise CheckpointError(f"{str(path)!r} is missing; give the folder that train wrote")
    try:
        tensors = safetensors.numpy.load_file(path)
    except (safetensors.SafetensorError, OSError, ValueError, KeyError, TypeError) as error:
        raise CheckpointError(f"{str(path)!r} is damaged ({_brief(error)}); train again") from None
    widths = (N_FEATURES, *hidden, N_CATEGORIES)
    names = [_LAYER.format(2 * place) for place in range(len(hidden))] + [_HEAD]
    layers = []
    for name, width_in, width_out in zip(names, widths[:-1], widths[1:], strict=True):
        weight = _tensor(path, tensors, f"{name}.weight", (width_out, width_in))
        bias = _tensor(path, tensors, f"{name}.bias", (width_out,))
        layers.append((np.ascontiguousarray(weight.T), bias))
    return tuple(layers)


def _tensor(path: Path, tensors: Mapping[str, NDArray[Any]], name: str, shape: tuple[int, ...]) -> F32:
    if name not in tensors:
        raise CheckpointError(f"{str(path)!r} lacks {name}; train again")
    tensor = tensors[name]
    if tensor.shape != shape or tensor.dtype != np.float32:
        raise CheckpointError(
            f"{str(path)!r}: {name} is {tensor.dtype} {tensor.shape}, not float32 {shape}; train again"
        )
    if not np.isfinite(tensor).all():
        raise CheckpointError(f"{str(path)!r}: {name} holds NaN or infinity; train again")
    return tensor


def _normalisation(path: Path) -> Normalisation:
    shapes: dict[str, tuple[int, ...]] = {"mean": (N_FEATURES,), "var": (N_FEATURES,), "epsilon": (), "clip": ()}
    try:
        # Opened here because numpy leaves a damaged archive it opened itself to the garbage collector.
        with path.open("rb") as handle, np.load(handle, allow_pickle=False) as archive:
            arrays = {name: archive[name] for name in archive.files if name in shapes}
    except (OSError, ValueError, EOFError, KeyError, AttributeError, TypeError, zipfile.BadZipFile) as error:
        raise CheckpointError(f"{str(path)!r} is missing or damaged ({_brief(error)}); train again") from None
    if missing := [name for name in shapes if name not in arrays]:
        raise CheckpointError(f"{str(path)!r} lacks {', '.join(missing)}; train again")
    for name, array in arrays.items():
        if array.shape != shapes[name] or array.dtype != np.float64 or not np.isfinite(array).all():
            raise CheckpointError(f"{str(path)!r}: {name} is not finite float64 {shapes[name]}; train again")
    if (arrays["var"] < 0.0).any() or arrays["epsilon"] <= 0.0 or arrays["clip"] <= 0.0:
        raise CheckpointError(f"{str(path)!r}: var is negative, or epsilon or clip not above 0; train again")
    return Normalisation(**arrays)


def _brief(error: Exception, limit: int = 80) -> str:
    text = " ".join(str(error).split()) or type(error).__name__
    return text if len(text) <= limit else text[: limit - 1] + "…"
