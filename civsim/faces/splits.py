"""Which worlds are for what: no series of episodes leaves the part of the world ids that it began in.

World ids of one study seed are divided once and for all:

    0 … 2³⁰ − 1          "training"
    2³⁰ … 2³¹ − 1        "validation": evaluations during training, the choice of the best checkpoint, tuning
    2³¹ … 3 · 2³⁰ − 1    "held_out": final evaluations and tournaments, and nothing that a choice is made by
    3 · 2³⁰ … 2³² − 1    worlds that a planner only imagines (:mod:`civsim.engine.believed`)

Every face plays training worlds unless it is told otherwise, however many episodes are played: what is judged on
another part is judged on worlds that were never trained on, whatever the seeds.
"""

from __future__ import annotations

import secrets
from typing import Literal, get_args

import numpy as np

from civsim.base.constants import WORLD_IDS
from civsim.base.errors import CivsimError, ScenarioError
from civsim.engine.state import I64

Split = Literal["training", "validation", "held_out"]
"""A part of the world ids: see the module."""

PART = WORLD_IDS // 4
"""World ids of a part."""

VALIDATION_FIRST = PART
"""Worlds from this id up to :data:`HELD_OUT_FIRST` are for choices made while training; none is trained on."""

HELD_OUT_FIRST = 2 * PART
"""Worlds from this id on are neither trained on nor chosen by."""

_FIRST: dict[Split, int] = {"training": 0, "validation": VALIDATION_FIRST, "held_out": HELD_OUT_FIRST}

SEED_BITS = 63
"""Bits of a study seed that is drawn: it fits an int64."""


def check_world_id(name: str, value: object, error: type[CivsimError]) -> int:
    """Return ``value`` as a world id.

    Raises:
        error: it is no integer in 0 … 2**32 − 1; the message calls it ``name``.
    """
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or not 0 <= value < WORLD_IDS:
        raise error(f"{name}={value!r} is not an integer in 0 … {WORLD_IDS - 1}; give one")
    return int(value)


def first_of(split: str, first_world: int | None = None) -> int:
    """Return the first world of a series of episodes: ``first_world``, or the first of its part where that is None.

    Raises:
        ScenarioError: there is no such part, or the world is not one of it.
    """
    if split not in _FIRST:
        raise ScenarioError(f"split={split!r} is unknown; use one of {', '.join(get_args(Split))}")
    least = _FIRST[split]
    if first_world is None:
        return least
    first = check_world_id("first_world", first_world, ScenarioError)
    if first // PART != least // PART:
        known = [name for name, other in _FIRST.items() if other // PART == first // PART]
        remedy = f"give split={known[0]!r}" if known else "these are imagined worlds"
        raise ScenarioError(
            f"first_world={first} is outside {least} … {least + PART - 1}, the worlds of split={split!r}; {remedy}"
        )
    return first


def onward(world_ids: I64, steps: int | I64) -> I64:
    """Return the ids ``steps`` worlds on, int64 of ``world_ids``' shape; past the last of a part comes its first."""
    return np.asarray(world_ids // PART * PART + (world_ids + steps) % PART, np.int64)


def drawn_seed() -> int:
    """Return a study seed from the system's entropy: that of an environment which nobody has seeded."""
    return secrets.randbits(SEED_BITS)
