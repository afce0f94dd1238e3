"""The record of state: its specification, its comments and its memory."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from civsim.base.scenario import Scenario
from civsim.engine import state as module
from civsim.engine.state import (
    ORDER_SPEC,
    PHYSICAL_FIELDS,
    SPEC,
    Orders,
    State,
    allocate,
    allocate_orders,
    axis_sizes,
    bytes_per_world,
    field_ranges,
    field_shapes,
    limits,
    orders_per_turn,
)

SOURCE = Path(module.__file__).read_text(encoding="utf-8")
SIZE_NAMES = {"categories": "8", "objectives": "4", "channels": "3", "variables": "4", "witness": "8", "sums": "5",
              "prices": "4", "kinds": "4", "losses": "3", "pair": "2", "noises": "4", "noisy": "C",
              "purses": "3"}  # fmt: skip
COMMENT = re.compile(r"^    (\w+): (\w+)  # \[([^\]]+)\] (\S.*)$", re.MULTILINE)


def small(**changes: object) -> Scenario:
    base = {"map": {"width": 5, "height": 4}, "game": {"civilizations": 3}}
    return Scenario(**{**base, **changes})


def documented() -> dict[str, tuple[str, str]]:
    """Field name to (alias of its dtype, shape) as the comments of State and Orders say."""
    return {name: (alias, shape) for name, alias, shape, _ in COMMENT.findall(SOURCE)}


def test_the_specification_lists_the_fields_of_state_in_order() -> None:
    assert tuple(SPEC) == State._fields


def test_the_specification_lists_the_fields_of_orders_in_order() -> None:
    assert tuple(ORDER_SPEC) == Orders._fields
    assert [name for name in Orders._fields if documented()[name][1] != ", ".join(ORDER_SPEC[name].shape)] == []


@pytest.mark.parametrize("name", [*State._fields, *Orders._fields])
def test_a_range_is_of_known_names_and_fits_the_dtype(name: str) -> None:
    spec = {**SPEC, **ORDER_SPEC}[name]
    game = small(works={"menu": [{}, {}]}, thinking={"seats": {"count": 2}})
    assert {bound for bound in spec.span if isinstance(bound, str)} <= set(limits(game))
    low, high = {**field_ranges(game), **field_ranges(game, ORDER_SPEC)}[name]
    kind = np.dtype(spec.dtype)
    info = np.finfo(kind) if kind.kind == "f" else np.iinfo(kind)
    assert info.min <= low < high <= info.max
    # At rest a civilization has no capital; every world that has begun gives it one.
    assert low <= spec.fill <= high or name == "capital"


def test_ranges_follow_the_scenario() -> None:
    game = small(game={"civilizations": 3, "turns": 9}, claims={"lag": 4}, army={"disruption": 7})
    ranges = field_ranges(game)
    assert (ranges["owner"], ranges["band_cell"], ranges["cells"]) == ((-1, 2), (-1, 19), (0, 20))
    assert (ranges["turn"], ranges["party_due"], ranges["disrupted"]) == ((0, 9), (-1, 13), (0, 8))
    assert (ranges["work_left"], ranges["work_kind"]) == ((0, 4), (-1, 0))
    assert (ranges["province"], ranges["party_by"], ranges["office_count"]) == ((-1, 0), (0, 0), (1, 1))
    several = field_ranges(small(seat_default={"thought": {"count": 3}}))
    assert (several["province"], several["party_by"], several["office_count"]) == ((-1, 2), (0, 2), (1, 3))
    assert ranges["hazard"][1] < 1.0 == np.nextafter(np.float32(ranges["hazard"][1]), np.float32(2.0))
    assert ranges["price_factor"][0] > 0.0


def test_every_field_has_a_comment_with_its_shape_and_meaning() -> None:
    assert tuple(documented()) == (*State._fields, *Orders._fields)


@pytest.mark.parametrize("name", State._fields)
def test_the_comment_agrees_with_the_specification(name: str) -> None:
    alias, shape = documented()[name]
    spec = SPEC[name]
    assert shape == ", ".join(SIZE_NAMES.get(axis, axis) for axis in spec.shape)
    assert alias == {"f": "F", "i": "I", "u": "U"}[np.dtype(spec.dtype).kind] + str(8 * np.dtype(spec.dtype).itemsize)


def test_the_lengths_written_in_comments_are_those_of_the_axes() -> None:
    sizes = axis_sizes(small(thinking={"noise": 0.2}), 7)
    assert {axis: sizes[axis] for axis in SIZE_NAMES if axis != "noisy"} == {
        axis: int(size) for axis, size in SIZE_NAMES.items() if axis != "noisy"
    }
    assert sizes["noisy"] == sizes["C"] == 20
    assert (sizes["B"], sizes["N"]) == (7, 3)


def test_axes_follow_the_scenario() -> None:
    scenario = small(
        claims={"per_turn": 3, "lag": 4}, works={"per_turn": 1}, walls={"per_turn": 0}, army={"per_turn": 1, "lag": 5}
    )
    sizes = axis_sizes(scenario, 1)
    assert (sizes["L"], sizes["P"], sizes["K"], sizes["noises"]) == (6, 15, 5, 0)
    assert (sizes["M"], sizes["N"], sizes["O"], sizes["D"], sizes["C'"], sizes["P'"]) == (3, 3, 0, 0, 0, 0)
    none = {"per_turn": 0}
    assert orders_per_turn(small(claims=none, works=none, walls=none, army=none)) == 1


def test_axes_follow_seats_of_thought() -> None:
    """On 5 by 4 cells no road is longer than 7 steps: 4 turns at 2 cells a turn, none where news is heard at once."""
    seats = [{"thought": {"count": 3, "messenger": 2.0}}, {"thought": {"count": 2, "messenger": 7.0}}]
    sizes = axis_sizes(small(seats=seats, claims={"per_turn": 2, "lag": 1}), 1)
    assert (sizes["M"], sizes["N"], sizes["O"], sizes["D"], sizes["C'"], sizes["P'"]) == (9, 3, 3, 5, 20, 4)
    assert axis_sizes(small(seats=seats[1:]), 1)["D"] == 2
    assert axis_sizes(small(thinking={"seats": {"count": 8}}), 1)["D"] == 1
    assert axis_sizes(small(thinking={"seats": {"messenger": 0.2}}), 1)["D"] == 0, "with one seat no messenger goes"


def test_every_array_is_contiguous_and_at_rest() -> None:
    scenario = small(thinking={"noise": 0.2})
    made, shapes = allocate(scenario, 6), field_shapes(scenario, 6)
    for name, spec in SPEC.items():
        array = getattr(made, name)
        assert array.shape == shapes[name]
        assert array.dtype == spec.dtype
        assert array.flags.c_contiguous
        assert (array == spec.fill).all()


def test_empty_orders_are_ids_of_nothing() -> None:
    orders = allocate_orders(small(), 2)
    assert orders.kind.shape == (2, 3, orders_per_turn(small()))
    assert (orders.kind == -1).all()
    assert (orders.cell == -1).all()
    assert not orders.choice.any()
    assert not orders.status.any()
    assert all(np.issubdtype(array.dtype, np.integer) for array in orders)


def test_memory_of_a_world_known_answer() -> None:
    """Counted by hand for N = 3, C = 20, L = 3, P = 24, R = 4, no noise."""
    n, c, muster, parties, bands = 3, 20, 3, 24, 4
    clock = 8 + 4
    land = c * (4 + 4 + 4 + 4 + 1) + 4 * 8
    cells = c * (1 + 4 + 4 + 2 + 1 + 2 + 1)
    people = n * (1 + 4 + 4 + 4 * 8 + 4 * muster + 8 * parties + 1) + 24 * bands
    ledger = n * (4 + 4 + 4 + 8 * 8 + 8 * 4 + 8 + 4 * 4 + 4 * 3)
    mind = n * (2 * 3 + 4 + 1 + 2 + 12 * n + 20 * bands + 8 * 8 + 8 * 5 + 8 * 2 + 1 + 4 + 4 + 4 + 8)
    mind += n * (1 + 4 + 4)
    memory = n * c * (4 + 1 + 1 + 4 + 4 + 1)
    assert bytes_per_world(small()) == clock + land + cells + people + ledger + mind + memory


def test_memory_of_a_further_seat_of_thought_known_answer() -> None:
    """By hand for N = 3, C = 20, P = 24, R = 4: what each seat knows, and what is kept so that it can be told."""
    n, c, parties, bands, turns = 3, 20, 24, 4, 5
    knows = c * (4 + 1 + 1 + 4 + 4 + 1) + 12 * n + 20 * bands + 2 * 3 + 1 + 2 + 8 * 5 + 8 * 2 + 1 + 4 + 4 + 4
    stands = 4 + 4 + 8 + 8 + 3 * 8
    map_of_provinces = c * (1 + 4) + n * parties
    past = turns * (n * c + c * (1 + 4 + 4 + 1) + 8 * n + 8 * bands)

    def memory(seats: int) -> int:
        return bytes_per_world(small(thinking={"seats": {"count": seats, "messenger": 2.0}}))

    assert memory(3) - memory(2) == n * (knows + stands)
    assert memory(2) - memory(1) == n * (knows + 2 * stands) + map_of_provinces + past


@pytest.mark.parametrize("noise", [0.0, 0.3])
def test_memory_is_what_is_allocated(noise: float) -> None:
    scenario = small(thinking={"noise": noise})
    held = sum(array.nbytes for array in allocate(scenario, 5))
    assert held == 5 * bytes_per_world(scenario)


def test_physical_fields_hold_no_mind() -> None:
    assert set(State._fields) - set(PHYSICAL_FIELDS) == {name for name, spec in SPEC.items() if spec.role == "mind"}
    assert {"level", "seen", "plans"}.isdisjoint(PHYSICAL_FIELDS)
