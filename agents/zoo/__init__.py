"""The zoo: trained policies that ship with civsim, each beside the training and the evaluation that it came from.

A policy called ``zoo:NAME`` is an entry: the folder NAME beside this file. It is a checkpoint
(:mod:`civsim.agents.checkpoint`) of which only the actor is kept, and ``about.json`` (:class:`About`).
``benchmarks/zoo.py`` makes an entry from a training run.
"""

from __future__ import annotations

import hashlib
import re
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, ValidationError, model_validator

from civsim.agents.checkpoint import (
    CONFIG,
    MAX_CONFIG_BYTES,
    NORMALISATION,
    WEIGHTS,
    brief,
    load_config,
    load_normalisation,
    load_weights,
    save_checkpoint,
)
from civsim.agents.network import layer_names
from civsim.base.constants import Category
from civsim.base.errors import CheckpointError
from civsim.base.files import atomic_folder, write_text
from civsim.base.scenario import Frozen

ZOO = Path(__file__).parent
"""Folder of the entries."""

ABOUT = "about.json"
FILES = (CONFIG, NORMALISATION, WEIGHTS)
"""The files of an entry beside ``about.json``."""

MAX_ENTRY_BYTES = 100_000
"""Largest entry: the zoo is part of every installation."""

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")
Finite = Annotated[float, Field(allow_inf_nan=False)]
Portion = Annotated[float, Field(ge=0.0, le=1.0, allow_inf_nan=False)]
Digest = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class Seeds(Frozen):
    """From what a training drew its worlds."""

    study: int = Field(ge=0, description="study seed of the worlds")
    learner: int = Field(ge=0, description="seed of the network and of exploration")
    training_worlds: tuple[int, int] = Field(description="first and last world id begun before these weights")
    validation_worlds: int = Field(ge=0, description="first world id of the evaluations the checkpoint was chosen by")
    held_out_worlds: int = Field(ge=0, description="first world id that neither trained nor chose")


class Training(Frozen):
    """How an entry was trained; its settings are in the checkpoint's configuration."""

    command: str = Field(pattern=r"^civsim train \S", description="what makes the run again")
    seeds: Seeds
    checkpoint: Literal["best", "last"] = Field(description="which checkpoint of the run it is")
    steps: int = Field(ge=0, description="turns of experience behind these weights")
    trained: int = Field(ge=1, description="turns of the whole training")
    cpu_seconds: float = Field(ge=0.0, allow_inf_nan=False, description="CPU time of the whole training")

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.steps > self.trained:
            raise ValueError(f"steps={self.steps} exceeds trained={self.trained}; they are of different runs")
        return self


class Estimate(Frozen):
    """A number and the interval round it, in the unit of what is estimated."""

    value: Finite
    low: Finite
    high: Finite

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.low > self.high:
            raise ValueError(f"low={self.low} exceeds high={self.high}; exchange them")
        return self


class Comparison(Frozen):
    """An entry against another policy in the same seat of the same worlds."""

    policy: str = Field(min_length=1, description="the other policy")
    mean: Finite = Field(description="its mean objective")
    difference: Estimate = Field(description="the entry's objective less the other's, paired by world")
    improvement: Estimate = Field(description="probability that the entry does better, in [0, 1]")


class Evaluation(Frozen):
    """How an entry did on held-out worlds. Intervals are over worlds: another training seed may differ by more."""

    command: str = Field(pattern=r"^civsim evaluate zoo:\S", description="what makes the numbers again")
    objective: str = Field(min_length=1, description="the scenario's objective")
    content: Digest = Field(description="content hash of the scenario")
    seed: int = Field(ge=0, description="study seed of the worlds")
    seat: int | Literal["rotate"] = Field(description="the judged seat; rotate: world id mod seats")
    worlds: int = Field(ge=2, description="how many worlds")
    first_world_id: int = Field(ge=0, description="the first of them")
    level: Portion = Field(description="coverage of the intervals")
    versions: dict[str, str] = Field(min_length=1, description="of civsim and of the rules")
    mean: Estimate = Field(description="mean objective")
    iqm: Estimate = Field(description="interquartile mean of the objective")
    cognition: Estimate = Field(description="share of all spending that went to cognition")
    shares: dict[str, Portion] = Field(description="share of all spending by category")
    against: tuple[Comparison, ...] = Field(min_length=1, description="every scripted policy")

    @model_validator(mode="after")
    def _check(self) -> Self:
        names = [category.name.lower() for category in Category]
        if list(self.shares) != names:
            raise ValueError(f"shares={list(self.shares)} are not those of {names}; evaluate again")
        others = [other.policy for other in self.against]
        if len(set(others)) != len(others):
            raise ValueError(f"against={others} names a policy twice; evaluate again")
        return self


class About(Frozen):
    """The content of ``about.json``."""

    format: Literal[1] = Field(1, description="version of this layout")
    scenario: str = Field(min_length=1, description="name in the library of what it was trained and judged on")
    training: Training
    evaluation: Evaluation
    files: dict[str, Digest] = Field(description="SHA-256 of every other file of the entry")

    @model_validator(mode="after")
    def _check(self) -> Self:
        if set(self.files) != set(FILES):
            raise ValueError(f"files={sorted(self.files)} are not {sorted(FILES)}; make the entry again")
        return self


def zoo_names() -> tuple[str, ...]:
    """Return the names of the entries, sorted."""
    return tuple(sorted(path.parent.name for path in ZOO.glob(f"*/{ABOUT}") if _NAME.fullmatch(path.parent.name)))


def zoo_folder(name: str) -> Path:
    """Return the folder of the entry called ``name``, a checkpoint.

    Raises:
        CheckpointError: there is no such entry.
    """
    names = zoo_names()
    if name not in names:
        raise CheckpointError(f"zoo:{brief(name)} is not in the zoo; it has {', '.join(names) or 'no entries'}")
    return ZOO / name


def load_about(name: str) -> About:
    """Return what the entry called ``name`` says of itself, checked.

    Raises:
        CheckpointError: there is no such entry, or its ``about.json`` is too large or not what this release writes.
    """
    path = zoo_folder(name) / ABOUT
    if path.stat().st_size > MAX_CONFIG_BYTES:
        raise CheckpointError(f"{str(path)!r} is larger than {MAX_CONFIG_BYTES} bytes; install civsim again")
    try:
        return About.model_validate_json(path.read_bytes(), strict=True)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"]) or "the file"
        raise CheckpointError(f"{str(path)!r}: {brief(where)}: {brief(first['msg'])}; install civsim again") from None


def digests(folder: Path) -> dict[str, str]:
    """Return the SHA-256 of every file of an entry beside ``about.json``, 64 hexadecimal digits by name."""
    return {name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in FILES}


def add_to_zoo(source: str | Path, name: str, training: Training, evaluation: Evaluation) -> Path:
    """Add the policy of a run or a checkpoint to the zoo, and return the new entry's folder.

    Only the actor's weights are kept: nothing that is left out is needed to play. The entry appears whole or not at
    all.

    Args:
        source: the run's or the checkpoint's folder.
        name: of the entry; letters, digits, ``_``, ``.`` and ``-``.
        training: where the policy came from.
        evaluation: how it did.

    Raises:
        CheckpointError: the name cannot be one or is taken, the checkpoint cannot be read, or the entry would exceed
            :data:`MAX_ENTRY_BYTES`.
    """
    check_free(name)
    config, weights = load_config(source), load_weights(source)
    kept = [f"{layer}.{part}" for layer in layer_names(config.algorithm, len(config.hidden)) for part in
            ("weight", "bias")]  # fmt: skip
    with atomic_folder(ZOO / name) as folder:
        actor = {tensor: weights[tensor] for tensor in kept if tensor in weights}
        save_checkpoint(folder, config, actor, load_normalisation(source))
        about = About(
            scenario=str(config.scenario.get("name")),
            training=training,
            evaluation=evaluation,
            files=digests(folder),
        )
        write_text(folder / ABOUT, about.model_dump_json(indent=1) + "\n")
        size = sum(path.stat().st_size for path in folder.iterdir())
        if size > MAX_ENTRY_BYTES:
            raise CheckpointError(
                f"zoo:{name} takes {size} bytes, more than {MAX_ENTRY_BYTES}; train a smaller network (hidden)"
            )
    return ZOO / name


def check_free(name: str) -> None:
    """Check that ``name`` can be a new entry's.

    Raises:
        CheckpointError: it holds other characters than letters, digits, ``_``, ``.`` and ``-``, or is taken.
    """
    if not _NAME.fullmatch(name):
        raise CheckpointError(f"zoo name {brief(name)!r} is none; use letters, digits, '_', '.' and '-'")
    if (ZOO / name).exists():
        raise CheckpointError(f"zoo:{name} is there already; remove {str(ZOO / name)!r} first, or choose another name")
