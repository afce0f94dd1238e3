"""The entry points make environments of scenarios by name, path or value, with the rivals that those name."""

from __future__ import annotations

import json
from typing import Any

import gymnasium
import numpy as np
import pytest
from face_games import PEACE, SEVERAL, WAR
from gymnasium.envs.registration import EnvSpec

from civsim.agents import seat_policies
from civsim.base.errors import ScenarioError
from civsim.engine.world import World
from civsim.faces.actions import shares_of
from civsim.faces.registration import ENVIRONMENT_ID
from civsim.scenarios.environment import make_civilization, make_civilizations, parallel_env
from civsim.scenarios.loader import plain

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
    assert make(scenario=plain(PEACE)).scenario == PEACE


@MAKERS
def test_a_scenario_that_is_none_is_refused(make):
    with pytest.raises(ScenarioError, match="atlantis"):
        make(scenario="atlantis")
    with pytest.raises(ScenarioError, match="map.widht"):
        make(scenario={"map": {"widht": 3}})


def written(env: gymnasium.Env | gymnasium.vector.VectorEnv) -> EnvSpec:
    """How an environment was made, by way of JSON."""
    assert env.spec is not None
    text = env.spec.to_json()
    assert json.loads(text)["id"] == ENVIRONMENT_ID
    return EnvSpec.from_json(text)


@pytest.mark.parametrize("of", [WAR, SEVERAL, "raiders", "path"], ids=["war", "several", "name", "path"])
def test_how_it_was_made_is_json_and_makes_it_again(of, tmp_path):
    game: Any = of
    if of == "path":
        game = tmp_path / "little.toml"
        game.write_text("base = 'baseline'\n[game]\nturns = 3\n")
    made = gymnasium.make(ENVIRONMENT_ID, scenario=game, seat="rotate", split="validation", max_episode_steps=3)
    again = gymnasium.make(written(made))
    assert again.unwrapped.scenario == made.unwrapped.scenario
    assert str(again) == str(made)
    seen = [env.reset(seed=2)[0] for env in (made, again)]
    assert np.array_equal(*seen)
    assert made.unwrapped.world_id == again.unwrapped.world_id == 2**30


def test_how_a_vector_was_made_is_json_and_makes_it_again():
    mode = gymnasium.vector.AutoresetMode.SAME_STEP
    made = gymnasium.make_vec(ENVIRONMENT_ID, 3, scenario=WAR, autoreset_mode=mode, max_episode_steps=3)
    again = gymnasium.make_vec(written(made))
    assert (again.num_envs, again.metadata) == (3, made.metadata)
    for env in (made, again):
        env.reset(seed=2)
        env.step(np.zeros((3, 8)))
        env.step(np.zeros((3, 8)))
    assert made.step(np.zeros((3, 8)))[3].all()
    assert again.step(np.zeros((3, 8)))[3].all()
    assert np.array_equal(made.unwrapped.world.state.owner, again.unwrapped.world.state.owner)


def test_what_gymnasium_did_not_make_does_not_say_how():
    assert make_civilization(PEACE).spec is None
    assert make_civilizations(2, PEACE).spec is None


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
