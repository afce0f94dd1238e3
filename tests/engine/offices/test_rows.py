"""Each seat of thought has a row of knowledge of its own, and takes its realm's place while it is at work."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from realms import realm

from civsim.engine.offices.rows import at_work, change_places, other_rows, put_to_work, row_of, share_row
from civsim.engine.state import SPEC
from civsim.engine.world import World

OF_MINDS = [name for name, spec in SPEC.items() if spec.shape[1:2] == ("M",)]
OWN_ALONE = {"level", "near", "near_fresh", "near_depth", "plan_kind", "plan_cell", "plan_value", "plan_turn"}
"""What a seat of thought does not learn from another: its levels, what lies near it, its last plan."""
COUNTS = (1, 3, 2)


def world_of_three() -> World:
    """Three civilizations of 1, 3 and 2 seats of thought, every row of minds with bytes of its own."""
    seats = [{"thought": {"count": count}} for count in COUNTS]
    world = realm([], 1, 2, (0, 14, 35), raiders__rate=0.1)
    game = type(world.scenario).model_validate({**world.scenario.model_dump(), "seats": seats})
    world = World(game, 2)
    rng = np.random.default_rng(0)
    for name in OF_MINDS:
        values = getattr(world.state, name)
        values[...] = rng.permutation(np.arange(values.size) % 101).reshape(values.shape)
    return world


def test_rows_are_the_capitals_first_and_each_is_somebodys() -> None:
    world = world_of_three()
    most = int(world.config.most_offices)
    assert most == 3
    rows = {(i, office): row_of(world.pointers.config, i, office) for i, office in product(range(3), range(most))}
    assert sorted(rows.values()) == list(range(world.state.seen.shape[1]))
    assert [rows[i, 0] for i in range(3)] == [0, 1, 2]
    for i in range(3):
        assert other_rows(world.config, i) == [rows[i, office] for office in range(1, most)]


@pytest.mark.parametrize("office", [0, 1, 2])
@pytest.mark.parametrize("name", OF_MINDS)
def test_a_seat_at_work_has_its_realms_row_of_every_field(name: str, office: int) -> None:
    world = world_of_three()
    values = getattr(world.state, name)
    before, m = values.copy(), row_of(world.config, 1, office)
    change_places(world.pointers.state, world.pointers.config, 1, 1, office)
    expected = before.copy()
    expected[1, [1, m]] = before[1, [m, 1]]
    assert np.array_equal(values, expected)
    change_places(world.pointers.state, world.pointers.config, 1, 1, office)
    assert np.array_equal(values, before)


def test_a_row_shared_is_all_that_is_known_and_nothing_else() -> None:
    world = world_of_three()
    before = {name: getattr(world.state, name).copy() for name in SPEC}
    share_row(world.pointers.state, 0, 2, 7)
    for name in SPEC:
        expected = before[name]
        if name in OF_MINDS and name not in OWN_ALONE:
            expected[0, 7] = expected[0, 2]
        if name == "near_fresh":
            expected[0, 7] = 0
        assert np.array_equal(getattr(world.state, name), expected), name


def test_who_is_at_work() -> None:
    work = world_of_three()._plan_work[0]
    assert at_work(work) == -1
    for office in (0, 7, -1):
        put_to_work(work, office)
        assert at_work(work) == office
