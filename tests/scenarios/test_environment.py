"""The entry points make environments of scenarios by name, path or value, with the rivals that those name."""

from __future__ import annotations

import gymnasium
import numpy as np
import pytest
from face_games import PEACE

from civsim.agents import seat_policies
from civsim.base.errors import ScenarioError
from civsim.engine.world import World
from civsim.faces.actions import shares_of
from civsim.faces.registration import ENVIRONMENT_ID
from civsim.scenarios.environment import make_civilization, make_civilizations, parallel_env

MAKERS = pytest.mark.parametrize("make", [make_civilization, make_civilizations, parallel_env])


@MAKERS
def test_a_scenario_is_a_name_a_path_or_a_value(make, tmp_path):
    path = tmp_path / "little.toml"
    path.write_text("[game]\nturns = 3\n")
    assert make().scenario.name == "baseline"
    assert make(scenario="raiders").scenario.name == "raiders"
    assert make(scenario=path).scenario.game.turns == 3
    assert make(scenario=str(path)).scenario.game.turns == 3
    assert make(scenario=PEACE).scenario is PEACE


@MAKERS
def test_a_scenario_that_is_none_is_refused(make):
    with pytest.raises(ScenarioError, match="atlantis"):
        make(scenario="atlantis")


@pytest.mark.parametrize("actions", ["softmax", "simplex"])
def test_the_other_seats_play_what_the_scenario_names(actions):
    env = gymnasium.make(ENVIRONMENT_ID, scenario=PEACE, seat=1, actions=actions)
    env.reset(seed=6)
    action = np.linspace(0.0, 0.9, 8, dtype=np.float32)
    world = World(PEACE, seed=6)
    shares = seat_policies(PEACE).shares(world)
    shares[:, 1] = shares_of(actions, action, world.open)
    env.step(action)
    world.step(shares)
    assert np.array_equal(env.unwrapped.world.shares, world.shares)
    env.close()


def test_make_vec_takes_the_same_arguments_and_no_others():
    env = gymnasium.make_vec(ENVIRONMENT_ID, num_envs=2, scenario=PEACE, actions="simplex", first_world=5, threads=2)
    env.reset(seed=1)
    assert env.unwrapped.world.state.world_id.tolist() == [5, 6]
    assert env.single_action_space == gymnasium.spaces.Box(0, 1, (8,), np.float32)
    env.close()
    with pytest.raises(TypeError):
        gymnasium.make_vec(ENVIRONMENT_ID, num_envs=2, scenario=PEACE, sites=3)


def test_gymnasiums_own_vector_modes_still_work():
    env = gymnasium.make_vec(ENVIRONMENT_ID, num_envs=2, vectorization_mode="sync", scenario=PEACE)
    assert env.reset(seed=1)[0].shape == (2, *env.single_observation_space.shape)
    env.close()
