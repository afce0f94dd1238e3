"""What a study of training settings searches: the space of settings, and how a proposal becomes settings."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from civsim.agents.training.settings import PPOSettings, TrainSettings, train_settings
from civsim.base.errors import CheckpointError

if TYPE_CHECKING:
    import optuna

ALGORITHM = "ppo"
_DIGITS = 4


class Between(NamedTuple):
    """A number to search."""

    low: float
    high: float
    log: bool = False
    whole: bool = False


class OneOf(NamedTuple):
    """Values to choose from, by the text under which a study keeps them."""

    values: Mapping[str, Any]


SPACE: Mapping[str, Between | OneOf] = {
    "learning_rate": Between(1e-4, 1e-2, log=True),
    "rollout": OneOf({str(turns): turns for turns in (32, 64, 128, 256)}),
    "batch": OneOf({f"1/{parts}": parts for parts in (1, 2, 4, 8, 16)}),  # of a rollout: it always divides it
    "epochs": Between(1, 16, log=True, whole=True),
    "gae_lambda": Between(0.8, 1.0),
    "clip": Between(0.1, 0.4),
    "entropy": Between(1e-6, 1e-2, log=True),
    "log_std": Between(-2.0, 0.5),
    "hidden": OneOf({"32x32": (32, 32), "64x64": (64, 64), "128x128": (128, 128), "256": (256,)}),
}
"""What is searched, unless it is given."""


def searched(fixed: Mapping[str, Any]) -> dict[str, Between | OneOf]:
    """Return what is searched where ``fixed`` is given: :data:`SPACE` without what is given or has no effect.

    Raises:
        CheckpointError: another algorithm is asked for, a size is no number, or nothing is left to search.
    """
    if fixed.get("algorithm", ALGORITHM) != ALGORITHM:
        raise CheckpointError(f"algorithm={fixed['algorithm']!r} cannot be tuned; only {ALGORITHM} can")
    for name in ("worlds", "learners", "rollout"):
        value = fixed.get(name, 1)
        if not isinstance(value, int) or value < 1:
            raise CheckpointError(f"{name}={value!r} is no whole number above 0; give one")
    idle = ("log_std",) if fixed.get("policy") == "dirichlet" else ()
    space = {name: dimension for name, dimension in SPACE.items() if name not in fixed and name not in idle}
    batch = space.get("batch")
    if isinstance(batch, OneOf) and "rollout" in fixed:
        total = _rows(fixed) * _rollout(fixed)
        fitting = {text: parts for text, parts in batch.values.items() if total % parts == 0 and total > parts}
        space["batch"] = OneOf(fitting)
    if not space:
        raise CheckpointError(f"every setting is given; leave one of {', '.join(SPACE)} to be searched")
    return space


def check_given(fixed: Mapping[str, Any], space: Mapping[str, Between | OneOf]) -> None:
    """Say what is wrong with what was given, whatever rollout may be drawn.

    Raises:
        CheckpointError: a setting is unknown, out of range, or fits no rollout.
    """
    rollout = space.get("rollout")
    for turns in rollout.values.values() if isinstance(rollout, OneOf) else [_rollout(fixed)]:
        drawn = {"rollout": turns, **({} if "batch" in fixed else {"batch": _rows(fixed) * turns})}
        train_settings(**{"algorithm": ALGORITHM, **fixed, **drawn})


def propose(trial: optuna.Trial, space: Mapping[str, Between | OneOf], fixed: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings that a study proposes for a trial, under the flat names of ``train_settings``."""
    return _in_turns({name: _draw(trial, name, dimension) for name, dimension in space.items()}, fixed)


def _rows(fixed: Mapping[str, Any]) -> int:
    """Return the rows of experience gathered at once."""
    return math.prod(fixed.get(name, TrainSettings.model_fields[name].default) for name in ("worlds", "learners"))


def _rollout(given: Mapping[str, Any]) -> int:
    """Return the turns of each row between updates."""
    return int(given.get("rollout", PPOSettings.model_fields["rollout"].default))


def _in_turns(drawn: Mapping[str, Any], fixed: Mapping[str, Any]) -> dict[str, Any]:
    """Return what was drawn with the batch in turns; it is drawn as the parts that a rollout is cut into."""
    if "batch" not in drawn:
        return dict(drawn)
    return {**drawn, "batch": _rows(fixed) * _rollout({**fixed, **drawn}) // drawn["batch"]}


def _draw(trial: optuna.Trial, name: str, dimension: Between | OneOf) -> Any:
    """Return the value that the study proposes."""
    if isinstance(dimension, OneOf):
        return dimension.values[trial.suggest_categorical(name, list(dimension.values))]
    if dimension.whole:
        return trial.suggest_int(name, int(dimension.low), int(dimension.high), log=dimension.log)
    drawn = trial.suggest_float(name, dimension.low, dimension.high, log=dimension.log)
    return float(f"{drawn:.{_DIGITS}g}")  # what is trained with is what is printed
