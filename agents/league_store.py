"""A league on disk, without pickle: one safetensors file with its arrays, and its record as JSON in the header."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np
import safetensors
import safetensors.numpy
from numpy.typing import NDArray
from pydantic import Field, ValidationError

from civsim.agents.network import Activation, Algorithm, Head, LearnedPolicy, Normalisation
from civsim.base.constants import N_CATEGORIES
from civsim.base.errors import CheckpointError
from civsim.base.files import write_bytes
from civsim.base.scenario import Frozen
from civsim.engine.observation.features import N_FEATURES

MAX_FILE_BYTES = 1 << 30
MAX_LAYERS = 16
_HEADER = "league"
_MOMENTS = ("mean", "var", "epsilon", "clip")


class Counts(NamedTuple):
    """The games of the learner against one opponent that are remembered."""

    games: float = 0.0  # older ones count for less
    wins: float = 0.0  # of the learner; a tie is half a win


class NetworkRecord(Frozen):
    """A trained opponent but for its arrays."""

    number: int = Field(ge=0)
    layers: int = Field(ge=1, le=MAX_LAYERS)
    activation: Activation
    squash: bool


class LeagueRecord(Frozen):
    """A league but for its arrays, in plain numbers and names."""

    format: Literal[1] = 1
    settings: dict[str, Any]
    seed: int
    head: Head
    algorithm: Algorithm
    seats: int
    last_kept: int = Field(ge=0)  # turns of experience at the last snapshot
    next_number: int = Field(ge=1)
    kept: tuple[tuple[int, int], ...]  # (number, turns of experience) of the snapshots, oldest first
    counts: tuple[tuple[int, float, float], ...]  # (number, games, wins)
    networks: tuple[NetworkRecord, ...]


class LeagueState(NamedTuple):
    """Everything a league is: what JSON can hold, and named arrays without Python objects."""

    record: dict[str, Any]  # a :class:`LeagueRecord`, in JSON's types
    arrays: dict[str, NDArray[Any]]


def network_arrays(number: int, network: LearnedPolicy) -> dict[str, NDArray[Any]]:
    """Return copies of a network's arrays: float32 weights [in, out] and biases [out], float64 moments [F] and []."""
    arrays: dict[str, NDArray[Any]] = {}
    for place, (weight, bias) in enumerate(network.layers):
        arrays[f"network.{number}.{place}.weight"] = weight.copy()
        arrays[f"network.{number}.{place}.bias"] = bias.copy()
    for name in _MOMENTS:
        arrays[f"network.{number}.{name}"] = np.array(getattr(network.normalisation, name), np.float64)
    return arrays


def network_from(record: NetworkRecord, head: Head, arrays: Mapping[str, NDArray[Any]]) -> LearnedPolicy:
    """Return the network whose arrays :func:`network_arrays` named.

    Raises:
        CheckpointError: an array is missing, of another dtype or shape, or not finite.
    """
    layers = []
    width = N_FEATURES
    for place in range(record.layers):
        name = f"network.{record.number}.{place}"
        bias = taken(arrays, f"{name}.bias", np.float32, (None,))
        out = N_CATEGORIES if place == record.layers - 1 else len(bias)
        weight = taken(arrays, f"{name}.weight", np.float32, (width, out))
        layers.append((weight, taken(arrays, f"{name}.bias", np.float32, (out,))))
        width = out
    shapes: dict[str, tuple[int | None, ...]] = {"mean": (N_FEATURES,), "var": (N_FEATURES,), "epsilon": (), "clip": ()}
    moments = {
        name: taken(arrays, f"network.{record.number}.{name}", np.float64, shape) for name, shape in shapes.items()
    }
    if (moments["var"] < 0.0).any() or moments["epsilon"] <= 0.0 or moments["clip"] <= 0.0:
        raise CheckpointError(f"league: the moments of network {record.number} are out of range; train again")
    return LearnedPolicy(layers, Normalisation(**moments), head, activation=record.activation, squash=record.squash)


def taken(
    arrays: Mapping[str, NDArray[Any]], name: str, dtype: type[np.generic], shape: tuple[int | None, ...]
) -> NDArray[Any]:
    """Return a contiguous copy of the array ``name``, checked; None stands for any length.

    Raises:
        CheckpointError: it is missing, of another dtype or shape, or not finite.
    """
    if name not in arrays:
        raise CheckpointError(f"league: array {name!r} is missing; train again")
    values = np.asarray(arrays[name])
    fits = values.ndim == len(shape) and all(want in (None, got) for want, got in zip(shape, values.shape, strict=True))
    if values.dtype != dtype or not fits:
        wanted = f"{np.dtype(dtype).name} {tuple('any' if want is None else want for want in shape)}"
        raise CheckpointError(f"league: array {name!r} is {values.dtype} {values.shape}, not {wanted}; train again")
    if not np.isfinite(values).all():
        raise CheckpointError(f"league: array {name!r} holds NaN or infinity; train again")
    return np.array(values, order="C")


def checked_record(record: Mapping[str, Any]) -> LeagueRecord:
    """Return the record, checked.

    Raises:
        CheckpointError: a field is missing, unknown or of the wrong type.
    """
    try:
        return LeagueRecord.model_validate(dict(record))
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"]) or "the record"
        raise CheckpointError(f"league: {where}: {first['msg']}; train again") from None


def save_league(path: str | Path, state: LeagueState) -> None:
    """Write a league to a safetensors file, whole or not at all.

    Raises:
        CivsimError: the folder does not exist.
    """
    text = json.dumps(state.record, sort_keys=True, allow_nan=False)
    # Not ascontiguousarray, which gives a scalar an axis.
    arrays = {name: np.array(values, order="C") for name, values in state.arrays.items()}
    write_bytes(path, safetensors.numpy.save(arrays, metadata={_HEADER: text}))


def load_league(path: str | Path) -> LeagueState:
    """Return the league that :func:`save_league` wrote. Nothing in the file is executed.

    Raises:
        CheckpointError: the file is missing, too large, damaged, or holds no league.
    """
    place = f"league {str(path)!r}"
    if not Path(path).is_file():
        raise CheckpointError(f"{place} does not exist; give the file that a training wrote")
    if Path(path).stat().st_size > MAX_FILE_BYTES:
        raise CheckpointError(f"{place} is larger than {MAX_FILE_BYTES} bytes; it is no league")
    try:
        with safetensors.safe_open(path, framework="numpy") as file:
            header = file.metadata() or {}
            arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - it is no mapping
        record = json.loads(header.get(_HEADER, ""))
    except (safetensors.SafetensorError, OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise CheckpointError(f"{place} is damaged ({' '.join(str(error).split())[:80]}); train again") from None
    if not isinstance(record, dict):
        raise CheckpointError(f"{place} holds no record; train again")
    return LeagueState(record, arrays)
