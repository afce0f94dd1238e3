"""A batch of worlds as named arrays, and as a file: restored, it goes on bit for bit as if it had never stopped.

A snapshot holds every field of :class:`~civsim.engine.state.State` (``state.*``), the orders of the last turn
(``orders.*``), and what they were played under (``about.*``): the rules' version, the study seed and the scenario
as JSON text in bytes. Nothing is pickled; every array is checked against the scenario before it is used.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray
from pydantic import ValidationError

from civsim.base.archive import Wanted, fits, read_archive, write_archive
from civsim.base.constants import MAX_CIVILIZATIONS, N_VARIABLES, RULES_VERSION
from civsim.base.constants import WORLD_IDS as WORLD_IDS
from civsim.base.errors import ScenarioError, SnapshotError
from civsim.base.scenario import Scenario
from civsim.engine.land.landscape import QUANTITIES, Land, check_land
from civsim.engine.state import ORDER_SPEC, SPEC, Orders, State, allocate_orders, field_ranges, field_shapes

MAX_SCENARIO_BYTES = 1 << 20
MAX_WORLDS = 1 << 24

Source = str | Path | Mapping[str, NDArray[Any]]
"""A file of named arrays, or the arrays."""

_RULES = "about.rules"
_SEED = "about.seed"
_SCENARIO = "about.scenario"
_CAPITALS = "about.capitals"
_IDS = "state.world_id"


class Saved(NamedTuple):
    """What a snapshot holds; the arrays are new and writeable."""

    scenario: Scenario
    seed: int
    state: State
    orders: Orders
    land: Land | None


class Savable(Protocol):
    """What :func:`snapshot` reads of a world."""

    scenario: Scenario
    seed: int
    state: State
    orders: Orders
    land: Land | None


def snapshot(world: Savable) -> dict[str, NDArray[Any]]:
    """Return a copy of everything ``world`` is, as named arrays."""
    text = json.dumps(world.scenario.model_dump(), sort_keys=True)
    arrays: dict[str, NDArray[Any]] = {
        _RULES: np.array([RULES_VERSION], np.int64),
        _SEED: np.array([world.seed], np.uint64),
        _SCENARIO: np.frombuffer(text.encode(), np.uint8).copy(),
        # Land given for every world is in the state; only its first capitals are not. Empty where land is drawn.
        _CAPITALS: np.zeros(0, np.int32) if world.land is None else world.land.capitals.astype(np.int32),
    }
    for prefix, record in (("state", world.state), ("orders", world.orders)):
        for name, values in record._asdict().items():
            arrays[f"{prefix}.{name}"] = values.copy()
    return arrays


def save(world: Savable, path: str | Path) -> None:
    """Write a snapshot of ``world`` to an npz file, whole or not at all."""
    write_archive(path, snapshot(world))


NAMES = frozenset(
    {_RULES, _SEED, _SCENARIO, _CAPITALS, *(f"state.{n}" for n in SPEC), *(f"orders.{n}" for n in Orders._fields)}
)
"""The arrays of a snapshot."""


def restore(source: Source, prefix: str = "", beside: Collection[str] = ()) -> Saved:
    """Return what a snapshot holds, made sure to be a state that the rules can go on from.

    Args:
        source: a file written by :func:`save`, or the arrays of :func:`snapshot`.
        prefix: what the names of its arrays begin with.
        beside: names of the arrays that whoever saved it put beside them.

    Raises:
        SnapshotError: the file cannot be read; an array is missing, unknown, or of another shape or dtype; the
            rules' version differs; or a value is out of range.
    """
    names = {prefix + name for name in NAMES} | set(beside)

    def taken(wanted: Mapping[str, Wanted]) -> dict[str, NDArray[Any]]:
        found = take(source, {prefix + name: rule for name, rule in wanted.items()}, names)
        return {name.removeprefix(prefix): values for name, values in found.items()}

    about = {
        _RULES: Wanted(np.dtype(np.int64), 1, exact=True),
        _SEED: Wanted(np.dtype(np.uint64), 1, exact=True),
        _SCENARIO: Wanted(np.dtype(np.uint8), MAX_SCENARIO_BYTES, exact=True),
        _CAPITALS: Wanted(np.dtype(np.int32), MAX_CIVILIZATIONS, exact=True),
        _IDS: Wanted(np.dtype(np.int64), MAX_WORLDS, exact=True),
    }
    head = taken(about)
    _expect_shape(_RULES, head[_RULES], (1,))
    _expect_shape(_SEED, head[_SEED], (1,))
    version = int(head[_RULES][0])
    if version != RULES_VERSION:
        raise SnapshotError(f"snapshot of rules version {version}; this release plays version {RULES_VERSION}")
    scenario = _scenario(head[_SCENARIO])
    worlds = head[_IDS].size
    if worlds < 1:
        raise SnapshotError("snapshot holds 0 worlds; save at least one")
    shapes = {f"state.{name}": shape for name, shape in field_shapes(scenario, worlds).items()}
    dtypes: dict[str, Any] = {f"state.{name}": spec.dtype for name, spec in SPEC.items()}
    for name, values in allocate_orders(scenario, worlds)._asdict().items():
        shapes[f"orders.{name}"], dtypes[f"orders.{name}"] = values.shape, values.dtype
    rules = {n: Wanted(np.dtype(dtypes[n]), int(np.prod(shapes[n])), exact=True) for n in shapes}
    arrays = taken(rules)
    for name, shape in shapes.items():
        _expect_shape(name, arrays[name], shape)
    state = State(**{name: arrays[f"state.{name}"] for name in SPEC})
    orders = Orders(**{name: arrays[f"orders.{name}"] for name in Orders._fields})
    _check_values(scenario, state, orders)
    return Saved(scenario, int(head[_SEED][0]), state, orders, _land(scenario, state, head[_CAPITALS]))


def _land(scenario: Scenario, state: State, capitals: NDArray[np.int32]) -> Land | None:
    """Return the land given for every world, or None where it is drawn."""
    if capitals.size == 0:
        return None
    _expect_shape(_CAPITALS, capitals, (scenario.game.civilizations,))
    fields = {name: getattr(state, name)[0].copy() for name in (*QUANTITIES, "site")}
    try:
        return check_land(Land(**fields, capitals=capitals), scenario)
    except ScenarioError as fault:
        raise SnapshotError(f"snapshot's land cannot be used ({fault}); save it again") from None


def take(source: Source, wanted: Mapping[str, Wanted], names: Collection[str]) -> dict[str, NDArray[Any]]:
    """Return copies of the arrays ``wanted`` of a source that must hold exactly ``names``.

    Raises:
        SnapshotError: the file cannot be read, or an array is missing, unknown, too large or of another dtype.
    """
    if isinstance(source, str | Path):
        return read_archive(source, wanted, "snapshot", SnapshotError, names)
    different = sorted(set(source) ^ set(names), key=str)
    if different:
        verb = "lacks" if different[0] in names else "has unknown"
        raise SnapshotError(f"snapshot {verb} array {different[0]!r}; pass what snapshot() gave")
    for name, rule in wanted.items():
        values = source[name]
        if not isinstance(values, np.ndarray) or not fits(values.dtype, rule) or values.size > rule.largest:
            found = getattr(values, "dtype", type(values).__name__)
            size = getattr(values, "size", 0)
            raise SnapshotError(
                f"snapshot array {name!r} has {size} elements of {found}; it needs {rule.largest} of {rule.dtype}"
            )
    return {name: np.array(source[name], order="C") for name in wanted}


def _expect_shape(name: str, values: NDArray[Any], shape: tuple[int, ...]) -> None:
    if values.shape != shape:
        raise SnapshotError(f"snapshot array {name!r} has shape {values.shape}; its scenario needs {shape}")


def _scenario(text: NDArray[np.uint8]) -> Scenario:
    try:
        return Scenario.model_validate(json.loads(text.tobytes()))
    except ValidationError as fault:
        first = fault.errors()[0]
        place = ".".join(map(str, first["loc"])) or "scenario"
        raise SnapshotError(f"snapshot's scenario is not valid ({place}: {first['msg']}); save it again") from None
    except (ValueError, RecursionError) as fault:
        reason = " ".join(str(fault).split())[:80]
        raise SnapshotError(f"snapshot's scenario is not JSON ({reason}); save it again") from None


def _ranges(scenario: Scenario) -> dict[str, tuple[int | float, int | float]]:
    """Return the least and largest value of every field of the state, as its specification says."""
    return field_ranges(scenario, SPEC)


def _check_values(scenario: Scenario, state: State, orders: Orders) -> None:
    """Make sure that every value lies in its field's range; one that is NaN or infinite lies in none."""
    for prefix, record, ranges in (
        ("state", state, _ranges(scenario)),
        ("orders", orders, field_ranges(scenario, ORDER_SPEC)),
    ):
        for name, (low, high) in ranges.items():
            values = getattr(record, name)
            if values.size and not low <= values.min() <= values.max() <= high:
                bad = values[~((values >= low) & (values <= high))][0]
                raise SnapshotError(f"snapshot has {prefix}.{name}={bad}, outside {low} … {high}; save it again")
    _check_agreement(scenario, state)


def _check_provinces(scenario: Scenario, state: State) -> None:
    """Make sure that no realm has more seats of thought than it may, and that provinces have the cells counted."""
    most = np.array([scenario.thought(index).count for index in range(scenario.game.civilizations)])
    if (state.office_count > most).any():
        raise SnapshotError("snapshot's state.office_count is over what its scenario allows a seat; save it again")
    for i in range(most.size if state.province.size else 0):
        for office in range(state.office_cells.shape[2]):
            counted = ((state.owner == i) & (state.province == office)).sum(axis=1)
            if not np.array_equal(counted, state.office_cells[:, i, office]):
                raise SnapshotError("snapshot's state.office_cells disagrees with state.province; save it again")


def _check_agreement(scenario: Scenario, state: State) -> None:
    """Make sure that fields which say the same thing twice agree."""
    seats = np.arange(scenario.game.civilizations)
    counted = (state.owner[:, None, :] == seats[None, :, None]).sum(axis=2)
    if not np.array_equal(counted, state.cells):
        raise SnapshotError("snapshot's state.cells disagrees with state.owner; save it again")
    _check_provinces(scenario, state)
    for name, values, size in (("play_order", state.play_order, seats.size), ("salience", state.salience, N_VARIABLES)):
        if not (np.sort(values, axis=-1) == np.arange(size)).all():
            raise SnapshotError(f"snapshot's state.{name} is no order of 0 … {size - 1}; save it again")
    for b in range(state.world_id.size):
        fields = {name: getattr(state, name)[b] for name in (*QUANTITIES, "site")}
        land = Land(capitals=seats.astype(np.int32), **fields)
        try:
            check_land(land, scenario)
        except ScenarioError as fault:
            raise SnapshotError(f"snapshot's world {state.world_id[b]}: {fault}") from None
