"""A trained policy on disk, without pickle: a folder with a checked configuration, weights and normalisation.

* ``config.json``: what was trained, on what, from which seeds (:class:`CheckpointConfig`)
* ``policy.safetensors``: weights, float32, under the names Stable-Baselines3 gives them; those the player does not need
  (the value network, say) may be there too
* ``normalisation.npz``: mean and variance of every feature, how far normalised features are clipped, and the running
  moments with which a training goes on (:class:`civsim.agents.network.Normalisation`)

A training run's folder stands for its ``best`` checkpoint, or its ``last`` one if there is no best.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, Literal, NoReturn, Self

import numpy as np
import safetensors
import safetensors.numpy
from numpy.typing import NDArray
from pydantic import Field, ValidationError, model_validator

from civsim.agents.network import (
    MAX_WIDTH,
    Activation,
    Algorithm,
    Head,
    LearnedPolicy,
    Normalisation,
    layer_names,
    layers_from,
)
from civsim.base.archive import Wanted, read_archive, write_archive
from civsim.base.constants import RULES_VERSION
from civsim.base.errors import CheckpointError
from civsim.base.files import write_bytes, write_text
from civsim.base.scenario import Frozen, Scenario
from civsim.engine.observation.features import FEATURES, N_FEATURES

CONFIG = "config.json"
WEIGHTS = "policy.safetensors"
NORMALISATION = "normalisation.npz"
FORMAT: Literal[2] = 2
BEST, LAST = "best", "last"
_INFINITY = "Infinity"
MAX_CONFIG_BYTES = 1_000_000
MAX_WEIGHTS_BYTES = 2**30
_ATTEMPTS = 100
_FLOAT = np.dtype(np.float64)
_VECTORS = ("mean", "var")


class CheckpointConfig(Frozen):
    """What a checkpoint says of itself."""

    format: Literal[2] = Field(FORMAT, description="version of this layout")
    rules: int = Field(RULES_VERSION, description="version of the world's rules it was trained under")
    algorithm: Algorithm = Field("ppo", description="what trained it; fixes the names of its layers")
    head: Head = Field("softmax", description="how the last layer becomes shares")
    features: tuple[str, ...] = Field(FEATURES, description="what it observes, in order")
    hidden: tuple[Annotated[int, Field(ge=1, le=MAX_WIDTH)], ...] = Field(
        min_length=1, max_length=8, description="widths of the hidden layers"
    )
    activation: Activation = Field("tanh", description="what follows a hidden layer")
    squash: bool = Field(False, description="whether tanh follows the last layer, as SAC and TD3 have it")
    scenario: dict[str, Any] = Field(description="the scenario it was trained on, every setting of it")
    settings: dict[str, Any] = Field(description="the training settings")
    seeds: dict[str, Any] = Field(description="study seed, training and held-out world ids")
    versions: dict[str, str] = Field(description="versions of the libraries used")

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.head == "dirichlet" and self.squash:
            raise ValueError("squash=True has no place before a dirichlet head; make it false")
        return self


def save_checkpoint(
    folder: Path, config: CheckpointConfig, weights: Mapping[str, NDArray[Any]], normalisation: Normalisation
) -> None:
    """Write the three files of a checkpoint into ``folder``, which the caller moves into place when all is well.

    Args:
        folder: an existing folder.
        config: what it says of itself.
        weights: arrays by the names Stable-Baselines3 gives them; those of the actor are float32.
        normalisation: how features are scaled.

    Raises:
        CheckpointError: the actor does not fit the configuration, or holds NaN: nothing is written that
            :func:`load_policy` would refuse.
        ValueError: the configuration holds NaN or infinity, which JSON cannot.
    """
    layers_from(weights, config.algorithm, config.hidden, f"weights for {str(folder)!r}")
    _check_normalisation(normalisation, f"normalisation for {str(folder)!r}")
    text = json.dumps(config.model_dump(), indent=2, sort_keys=True, allow_nan=False)
    write_text(folder / CONFIG, text + "\n")
    tensors = {name: np.ascontiguousarray(array) for name, array in weights.items()}
    write_bytes(folder / WEIGHTS, safetensors.numpy.save(tensors))
    write_archive(folder / NORMALISATION, normalisation._asdict())


def checkpoint_folder(folder: str | Path) -> Path:
    """Return the checkpoint that ``folder`` stands for: itself, or a run's ``best``, or else a run's ``last``."""
    path = Path(folder)
    for candidate in (path, path / BEST, path / LAST):
        if (candidate / WEIGHTS).is_file():
            return candidate
    return path


def load_policy(folder: str | Path, *, allow_rules: bool = False) -> LearnedPolicy:
    """Return the policy saved in ``folder``, a checkpoint or a training run. Nothing in the files is executed.

    With ``allow_rules`` one that was trained under other rules is not refused: it observes and divides as it did, in a
    world that has changed. Of a run that is being trained it is one whole checkpoint: where another is put in its place
    meanwhile, that is read.

    Raises:
        CheckpointError: a file is missing, damaged, or does not fit the others; the message names it.
    """
    for _ in range(_ATTEMPTS):
        chosen = checkpoint_folder(folder)
        before = _which(chosen)
        try:
            policy = _load(chosen, allow_rules)
        except CheckpointError:
            if _which(checkpoint_folder(folder)) == before:
                raise
        else:
            if _which(chosen) == before:
                return policy
    raise CheckpointError(f"{str(folder)!r} is written faster than it can be read; give one of its checkpoints")


def _which(folder: Path) -> tuple[int, ...] | None:
    """Return what tells a folder from another that is put in its place; None where there is none."""
    try:
        found = folder.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino, found.st_ctime_ns


def _load(chosen: Path, allow_rules: bool) -> LearnedPolicy:
    config = load_config(chosen, allow_rules=allow_rules)
    names = layer_names(config.algorithm, len(config.hidden))
    path = chosen / WEIGHTS
    wanted = [f"{name}.{part}" for name in names for part in ("weight", "bias")]
    layers = layers_from(_tensors(path, wanted), config.algorithm, config.hidden, repr(str(path)))
    normalisation = load_normalisation(chosen)
    return LearnedPolicy(layers, normalisation, config.head, activation=config.activation, squash=config.squash)


def load_config(folder: str | Path, *, allow_rules: bool = False) -> CheckpointConfig:
    """Return what a checkpoint, or a training run's, says of itself, checked; of other rules only if that is allowed.

    Raises:
        CheckpointError: the file is missing, too large, not JSON, or not what this release writes.
    """
    path = checkpoint_folder(folder) / CONFIG
    if not path.is_file():
        raise CheckpointError(f"{str(folder)!r} holds no {CONFIG}; give the folder that train wrote")
    if path.stat().st_size > MAX_CONFIG_BYTES:
        raise CheckpointError(f"{str(path)!r} is larger than {MAX_CONFIG_BYTES} bytes; it is no checkpoint")
    try:
        text = path.read_text(encoding="utf-8")
        _check_format(json.loads(text, parse_constant=_refuse_constant), path)
        config = CheckpointConfig.model_validate_json(text, strict=True)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"]) or "the file"
        raise CheckpointError(f"{str(path)!r}: {brief(where)}: {brief(first['msg'])}; train again") from None
    except CheckpointError:
        raise
    except (ValueError, RecursionError, OSError) as error:
        raise CheckpointError(f"{str(path)!r} is not JSON ({brief(error)}); train again") from None
    if config.rules != RULES_VERSION and not allow_rules:
        raise CheckpointError(
            f"{str(path)!r}: rules={config.rules} but this release plays {RULES_VERSION}; train again"
        )
    if config.features != FEATURES:
        raise CheckpointError(f"{str(path)!r} observes other features than this release's {N_FEATURES}; train again")
    return config


def scenario_tables(scenario: Scenario) -> dict[str, Any]:
    """Return every setting of a scenario as JSON can hold it; an infinite number is the text "Infinity"."""
    return _each_number(scenario.model_dump(mode="json"), lambda value: _INFINITY if value == math.inf else value)


def scenario_of(config: CheckpointConfig) -> Scenario:
    """Return the scenario a checkpoint was trained on; raise :class:`CheckpointError` where it is none."""
    return scenario_from(config.scenario)


def scenario_from(tables: Mapping[str, Any]) -> Scenario:
    """Return the scenario whose settings :func:`scenario_tables` wrote, checked.

    Raises:
        CheckpointError: it is no scenario of this release.
    """
    plain = _each_number(dict(tables), lambda value: math.inf if value == _INFINITY else value)
    try:
        return Scenario.model_validate_json(json.dumps(plain), strict=True)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(("scenario", *(str(part) for part in first["loc"])))
        raise CheckpointError(f"checkpoint: {brief(where)}: {brief(first['msg'])}; name a scenario instead") from None


def _each_number(value: Any, change: Callable[[Any], Any]) -> Any:
    """Return tables and lists with every other value in them changed."""
    if isinstance(value, dict):
        return {name: _each_number(one, change) for name, one in value.items()}
    if isinstance(value, list):
        return [_each_number(one, change) for one in value]
    return change(value)


def load_weights(folder: str | Path) -> dict[str, NDArray[Any]]:
    """Return every array of a checkpoint's, or a run's, ``policy.safetensors``, by name: a training goes on from them.

    Raises:
        CheckpointError: the file is missing, too large or damaged.
    """
    return _tensors(checkpoint_folder(folder) / WEIGHTS)


def load_normalisation(folder: str | Path) -> Normalisation:
    """Return the normalisation of a checkpoint or a run, with the running moments of its training.

    Raises:
        CheckpointError: the file is missing, damaged, or an array is not finite float64 of the shape that belongs.
    """
    path = checkpoint_folder(folder) / NORMALISATION
    rules = {name: Wanted(_FLOAT, N_FEATURES if name in _VECTORS else 1, exact=True) for name in Normalisation._fields}
    normalisation = Normalisation(**read_archive(path, rules, "normalisation", CheckpointError))
    _check_normalisation(normalisation, f"normalisation={str(path)!r}")
    return normalisation


def _check_normalisation(normalisation: Normalisation, place: str) -> None:
    for name, array in normalisation._asdict().items():
        shape = (N_FEATURES,) if name in _VECTORS else ()
        if array.shape != shape or array.dtype != _FLOAT or not np.isfinite(array).all():
            raise CheckpointError(f"{place}: {name} is not finite float64 {shape}; train again")
    if any((getattr(normalisation, name) < 0.0).any() for name in ("var", "count", "return_var", "return_count")):
        raise CheckpointError(f"{place}: a variance or a count is negative; train again")
    if normalisation.epsilon <= 0.0 or normalisation.clip <= 0.0:
        raise CheckpointError(f"{place}: epsilon or clip is not above 0; train again")


@contextmanager
def _opened(path: Path) -> Iterator[Any]:
    """Open a safetensors file; whatever is wrong with it is one line."""
    if not path.is_file():
        raise CheckpointError(f"{str(path)!r} is missing; give the folder that train wrote")
    if path.stat().st_size > MAX_WEIGHTS_BYTES:
        raise CheckpointError(f"{str(path)!r} is larger than {MAX_WEIGHTS_BYTES} bytes; it is no checkpoint")
    try:
        with safetensors.safe_open(path, framework="numpy") as tensors:
            yield tensors
    except (safetensors.SafetensorError, OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        if isinstance(error, CheckpointError):
            raise
        raise CheckpointError(f"{str(path)!r} is damaged ({brief(error)}); train again") from None


def _tensors(path: Path, names: list[str] | None = None) -> dict[str, NDArray[Any]]:
    """Return the arrays called ``names`` that the file holds, or all of them; the others are not even read."""
    with _opened(path) as tensors:
        held = list(tensors.keys())
        return {name: tensors.get_tensor(name) for name in held if names is None or name in names}


def _check_format(content: object, path: Path) -> None:
    if isinstance(content, dict) and content.get("format") != FORMAT:
        found = brief(content.get("format"))
        raise CheckpointError(f"{str(path)!r} is of format {found}, this release reads {FORMAT}; train again")


def _refuse_constant(text: str) -> NoReturn:
    raise ValueError(f"{text} is no JSON number")


def brief(value: object, limit: int = 80) -> str:
    """Return ``value`` as one line of at most ``limit`` characters, for a message."""
    text = " ".join(str(value).split()) or type(value).__name__
    return text if len(text) <= limit else text[: limit - 1] + "…"
