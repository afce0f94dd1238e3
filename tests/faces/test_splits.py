"""Which worlds are for what: no series of episodes leaves its part, and what is judged was never trained on."""

from __future__ import annotations

import numpy as np
import pytest
from face_games import PEACE
from hypothesis import given
from hypothesis import strategies as st

from civsim.agents import seat_policies
from civsim.agents.evaluate import HELD_OUT_FIRST, VALIDATION_FIRST, held_out, validation
from civsim.base.errors import ScenarioError
from civsim.engine.believed import IMAGINED
from civsim.faces.sb3 import WorldVecEnv
from civsim.faces.seats import WorldQueue
from civsim.faces.splits import PART, Split, drawn_seed, first_of, onward
from civsim.scenarios.environment import make_civilization, make_civilizations, parallel_env

PARTS: dict[Split, range] = {
    "training": range(VALIDATION_FIRST),
    "validation": range(VALIDATION_FIRST, HELD_OUT_FIRST),
    "held_out": range(HELD_OUT_FIRST, IMAGINED),
}
IDS = st.integers(0, 2**32 - 1)


@given(first=IDS, step=st.integers(0, 2**32 - 1), series=st.integers(1, 5))
def test_no_series_leaves_its_part(first: int, step: int, series: int) -> None:
    queue, everyone = WorldQueue(first, series, step), np.arange(series)
    begun = []
    for _ in range(4):
        begun.append(queue.upcoming(everyone))
        queue.begun(everyone, begun[-1])
    assert (np.array(begun) // PART == first // PART).all()
    assert ((begun[1] - begun[0]) % PART == step % PART).all()


@given(world=IDS, steps=st.integers(0, PART - 1))
def test_going_on_goes_through_every_world_of_the_part(world: int, steps: int) -> None:
    there = onward(np.array([world]), steps)
    assert onward(there, PART - steps).tolist() == [world]


@pytest.mark.parametrize("split", PARTS)
def test_every_face_plays_the_part_it_is_told(split: Split) -> None:
    part = PARTS[split]
    single, vector, parallel = (
        make(scenario=PEACE, split=split) for make in (make_civilization, make_civilizations, parallel_env)
    )
    batch = WorldVecEnv(PEACE, seat_policies(PEACE).shares, 2, split=split)
    for env in (single, vector, parallel):
        env.reset(seed=3)
    batch.reset()
    for env in (single, vector, parallel, batch):
        assert int(env.world.state.world_id[0]) == part[0]
        assert all(int(world) in part for world in env.world.state.world_id)
    assert first_of(split, part[-1]) == part[-1]


def test_unless_told_otherwise_it_is_for_training() -> None:
    envs = [make(scenario=PEACE) for make in (make_civilization, make_civilizations, parallel_env)]
    for env in envs:
        env.reset()
        assert int(env.world.state.world_id[0]) == 0
    assert held_out(2).tolist() == [PARTS["held_out"][0], PARTS["held_out"][1]]
    assert validation(2).tolist() == [PARTS["validation"][0], PARTS["validation"][1]]


@pytest.mark.parametrize(
    ("split", "first", "words"),
    [
        ("training", 2**30, "outside 0 … 1073741823, the worlds of split='training'; give split='validation'"),
        ("validation", 0, "give split='training'"),
        ("held_out", IMAGINED, "these are imagined worlds"),
        ("test", None, "use one of training, validation, held_out"),
        ("training", -1, "not an integer"),
        ("training", True, "not an integer"),
    ],
)
def test_a_world_of_another_part_is_refused_in_one_line(split: str, first: int | None, words: str) -> None:
    with pytest.raises(ScenarioError, match=words) as caught:
        first_of(split, first)
    assert "\n" not in str(caught.value)


def test_drawn_seeds_are_study_seeds_and_differ() -> None:
    drawn = {drawn_seed() for _ in range(50)}
    assert len(drawn) == 50
    assert all(0 <= seed < 2**63 for seed in drawn)
