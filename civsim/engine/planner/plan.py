"""A candidate plan as the rollout reads it, and the best of those rolled out so far."""

from __future__ import annotations

from enum import IntEnum
from typing import NamedTuple

import numpy as np

from civsim.base.kernels import kernel
from civsim.engine.work import PlanField


class Plan(IntEnum):
    """What a candidate does before a base policy carries on; ``PlanField.KIND``."""

    RULE = 0  # nothing of its own
    WAIT = 1  # gives no order of its kind this turn
    CLAIM = 2  # claims the cells of the path in turn
    ATTACK = 3  # the same, but the path ends in an attack
    WORK = 4  # begins one work
    WALL = 5  # raises one wall turn after turn


class Phase(IntEnum):
    """Which kind of order is being decided; waiting means waiting with this kind. ``PlanField.PHASE``."""

    LAND = 0
    WORK = 1
    WALL = 2


class BaseRule(IntEnum):
    """The base policies of a rollout: what carries on after a plan. ``PlanField.BASE``."""

    THUMB = 0  # the frontier cell of greatest output per cost
    INDEX = 1  # the frontier cell of greatest potential under the seat's rung


class Best(NamedTuple):
    """The best candidate so far."""

    value: float  # believed value (the objective to come; an index where nothing is simulated)
    entity: int | np.int64  # what ties are broken by; -1 before the first candidate
    order: int | np.int64  # OrderKind of its first order, NONE to wait
    cell: int | np.int64  # its cell, -1 to wait
    menu: int | np.int64  # menu entry of a work, 0 otherwise
    which: int | np.int64  # its place among the candidates
    base: int | np.int64  # base policy under which it is worth that, as of :func:`base_of`


RULES = len(BaseRule)


def _base_of(plan):
    """Return the base policy of a plan as one number: its rule for land, and RULES more where dates come first."""
    return plan[PlanField.BASE] + RULES * plan[PlanField.DATES]


base_of = kernel(_base_of)


def _set_base(plan, base):
    """Have a plan carried on by a base policy, as of :func:`base_of`."""
    plan[PlanField.BASE], plan[PlanField.DATES] = base % RULES, base // RULES


set_base = kernel(_set_base)
