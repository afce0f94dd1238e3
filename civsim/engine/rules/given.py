"""The one check of orders that are given instead of planned: ids of this world, for all civilizations or for some."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from civsim.base.errors import ActionError
from civsim.base.scenario import Scenario
from civsim.engine.state import ORDER_SPEC, U8, Orders, field_ranges

IDS = ("kind", "cell", "choice")
"""Fields of :class:`Orders` that are given; the step writes the other."""


def take_orders(
    orders: Orders | None, given: NDArray[np.bool_] | None, taken: Orders, ordered: U8, scenario: Scenario
) -> None:
    """Write the orders of a step where the rules read them, and whom they are for.

    Args:
        orders: the orders, each field [B, N, K].
        given: bool [B, N], whom they are for; all if None.
        taken: where orders are put, [B, N, K].
        ordered: uint8 [B, N], where it is put whom they are for.
        scenario: the game, which bounds the ids.

    Raises:
        ActionError: no orders, another shape or dtype, or an id out of range; nothing is written.
    """
    if orders is None:
        raise ActionError("given says whose orders are given, but there are none; give orders too")
    mask = np.ones(ordered.shape, np.bool_) if given is None else given
    if not isinstance(mask, np.ndarray) or mask.dtype != np.bool_ or mask.shape != ordered.shape:
        found = f"{getattr(mask, 'dtype', type(mask).__name__)} {getattr(mask, 'shape', '')}".strip()
        raise ActionError(f"given is {found}, not bool {ordered.shape} = (worlds, civilizations); give such an array")
    for name in IDS:
        _check(name, getattr(orders, name), getattr(taken, name), scenario)
    for name in IDS:
        getattr(taken, name)[...] = getattr(orders, name)
    ordered[...] = mask


def _check(name: str, given: object, taken: NDArray[np.integer], scenario: Scenario) -> None:
    values, (low, high) = np.asarray(given), field_ranges(scenario, ORDER_SPEC)[name]
    if values.shape != taken.shape:
        raise ActionError(f"orders.{name} has shape {values.shape}, not {taken.shape}; replay in the same shape")
    if not np.issubdtype(values.dtype, np.integer):
        raise ActionError(f"orders.{name} has dtype {values.dtype}; orders are whole-number ids")
    if values.size and (values.min() < low or values.max() > high):
        raise ActionError(f"orders.{name} leaves {low} … {high}; give ids of this world")
