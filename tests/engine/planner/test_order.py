"""The order of land and the rim: sorted and counted without branches as by a plain sort and a plain sum."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from worlds import BUSY, scenario

from civsim.engine.planner.order import sort_falling
from civsim.engine.planner.rim import count_in_parts, count_open
from civsim.engine.work import Roll
from civsim.engine.world import World

FEW = st.lists(st.sampled_from([0.0, 0.5, 1.0, 2.0]) | st.floats(0.0, 10.0), max_size=150)


@given(FEW, st.randoms(use_true_random=False))
def test_cells_fall_and_equals_stay_as_they_stood(scores: list[float], random: object) -> None:
    cells = np.arange(len(scores), dtype=np.int32)
    random.shuffle(cells)  # type: ignore[attr-defined]
    expected = sorted(cells.tolist(), key=lambda cell: -scores[cell])
    spare, room = np.zeros(len(scores), np.int32), np.zeros(2 * len(scores) + 1)
    sort_falling(np.array(scores), cells, np.int64(len(scores)), spare, room)
    assert cells.tolist() == expected


@pytest.fixture(scope="module")
def world() -> World:
    return World(scenario({**BUSY, "game.civilizations": 4, "thinking.levels_of_mind": 2}), 1, seed=0)


@given(st.lists(st.integers(1, 15), max_size=16), st.integers(1, 15), st.integers(0, 3))
def test_what_is_open_is_counted_in_wholes_and_halves_as_part_by_part(
    world: World, beside: list[int], armed: int, rival: int
) -> None:
    work, config, plan_work = world._work[0], world.pointers[2], world._plan_work[0]
    armed |= 1 << rival
    work.exposed_to[: len(beside)], work.roll[Roll.EXPOSED] = beside, len(beside)
    expected = 0.0
    for bits in beside:
        if bits >> rival & 1:
            expected += 1.0 / (bits & armed).bit_count()
    arguments = config, plan_work, np.int64(rival), np.int64(armed)
    assert count_open(*arguments) == count_in_parts(*arguments) == expected
