"""The Gymnasium face is the engine, seen through one seat: conformance, bit identity, episodes, bad input."""

from __future__ import annotations

import warnings

import gymnasium
import numpy as np
import pytest
from face_games import SEVERAL
from gymnasium.utils.env_checker import check_env as gymnasium_check
from stable_baselines3.common.env_checker import check_env as sb3_check

import civsim.agents
from civsim.base.errors import ActionError, ScenarioError
from civsim.base.scenario import Scenario
from civsim.engine.observation.features import N_FEATURES, OFFICE_TABLE, at
from civsim.engine.observation.observer import observe
from civsim.engine.state import State
from civsim.engine.world import World
from civsim.faces.actions import shares_from_action
from civsim.faces.gymnasium import CivilizationEnv
from civsim.faces.registration import ENVIRONMENT_ID, register_envs
from civsim.scenarios.environment import make_civilization

TURNS = 12
SMALL = Scenario.model_validate({"map": {"width": 8, "height": 8}, "game": {"turns": TURNS, "civilizations": 3}})
CROWD = Scenario.model_validate(
    {"map": {"width": 10, "height": 6, "torus": True}, "game": {"turns": 6, "civilizations": 8, "objective": "share"}}
)


def test_its_id_is_registered():
    assert ENVIRONMENT_ID == "civsim/Civilization-v1"
    register_envs()
    assert ENVIRONMENT_ID in gymnasium.registry


@pytest.mark.parametrize("scenario", [SMALL, CROWD], ids=["small", "crowd"])
def test_gymnasium_accepts_it_without_a_warning(scenario):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        env = gymnasium.make(ENVIRONMENT_ID, scenario=scenario, seat="rotate", render_mode="rgb_array")
        gymnasium_check(env.unwrapped)


@pytest.mark.parametrize("scenario", [SMALL, CROWD], ids=["small", "crowd"])
def test_stable_baselines_accepts_it_without_a_warning(scenario):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        sb3_check(make_civilization(scenario), warn=True)


@pytest.mark.parametrize("checked", [gymnasium_check, lambda env: sb3_check(env, warn=False)], ids=["gym", "sb3"])
def test_simplex_actions_are_accepted_too(checked):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        env = gymnasium.make(ENVIRONMENT_ID, scenario=SMALL, actions="simplex", render_mode="rgb_array").unwrapped
        checked(env)
    assert env.action_space == gymnasium.spaces.Box(0, 1, (8,), np.float32)


def test_its_shape_is_the_same_for_every_scenario():
    spaces = [make_civilization(scenario).observation_space for scenario in (SMALL, CROWD)]
    assert spaces[0] == spaces[1]
    assert spaces[0].shape == (N_FEATURES,)
    assert make_civilization(SMALL).action_space == gymnasium.spaces.Box(-1, 1, (8,), np.float32)


def test_where_thought_may_be_housed_in_several_seats_it_is_wider():
    env = make_civilization(SEVERAL)
    plain = make_civilization(SMALL).observation_space
    assert env.observation_space.shape == (N_FEATURES + len(OFFICE_TABLE),)
    assert np.array_equal(env.observation_space.low[:N_FEATURES], plain.low)
    assert np.array_equal(env.observation_space.high[:N_FEATURES], plain.high)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        gymnasium_check(gymnasium.make(ENVIRONMENT_ID, scenario=SEVERAL, render_mode="rgb_array").unwrapped)
    seen, ended, settle = env.reset()[0], False, 2.0 * np.eye(8)[1] - 1.0
    while not ended:
        assert env.observation_space.contains(seen)
        last, (seen, _, ended, _, _) = seen, env.step(settle)
    assert last[at("thought_seats")] == 3 / 8
    assert last[at("thought_capital")] == 0.5


def test_a_library_scenario_is_made_by_name():
    env = gymnasium.make(ENVIRONMENT_ID, scenario="baseline")
    assert env.unwrapped.scenario.name == "baseline"
    env.close()


@pytest.mark.parametrize("seat", [0, 2])
def test_stepping_through_it_is_stepping_the_world_bit_for_bit(seat):
    env = make_civilization(SMALL, seat=seat)
    first, _ = env.reset(seed=11)
    batch = World(SMALL, n_worlds=3, seed=11)
    policies = civsim.agents.seat_policies(SMALL)
    assert np.array_equal(first, observe(batch).features[0, seat])
    actions = np.random.default_rng(0).uniform(-1, 1, (TURNS, 8)).astype(np.float32)
    for turn in range(TURNS):
        seen, reward, ended, truncated, info = env.step(actions[turn])
        shares = policies.shares(batch)
        shares[:, seat] = shares_from_action(actions[turn], batch.open)
        record = batch.step(shares)
        assert np.array_equal(seen, observe(batch).features[0, seat])
        assert reward == record.reward[0, seat]
        assert ended == (turn == TURNS - 1)
        assert not truncated
        assert info == {"turn": turn + 1, "seat": seat}
        for name in State._fields:
            assert np.array_equal(getattr(env.world.state, name)[0], getattr(batch.state, name)[0]), name


def test_episode_k_of_a_seed_is_world_k():
    env = make_civilization(SMALL)
    assert [_begin(env, seed=5), _begin(env), _begin(env)] == [(5, 0), (5, 1), (5, 2)]
    assert _begin(env, options={"world_id": 40}) == (5, 40)
    assert _begin(env) == (5, 41)
    assert _begin(env, seed=6) == (6, 0)
    assert _begin(env, seed=6, options={"world_id": 2**32 - 1}) == (6, 2**32 - 1)
    fertility = World(SMALL, seed=6, world_ids=[2**32 - 1]).state.fertility
    assert np.array_equal(env.world.state.fertility, fertility)


def test_environments_of_one_seed_can_share_out_its_worlds():
    envs = [make_civilization(SMALL, first_world=first, world_step=2) for first in (0, 1)]
    for begun in ({"seed": 5}, {}, {}):
        left, right = (_begin(env, **begun) for env in envs)
        assert left[1] + 1 == right[1]
    assert right == (5, 5)
    assert _begin(envs[1], options={"world_id": 8}) == (5, 8)
    assert _begin(envs[1]) == (5, 10)
    assert _begin(envs[1], seed=6) == (6, 1)


def test_environments_that_nobody_seeded_do_not_play_one_game():
    envs = [make_civilization(SMALL) for _ in range(4)]
    assert envs[0].study_seed is None
    begun = [_begin(env) for env in envs]
    assert len(set(begun)) == 4
    assert [world for _, world in begun] == [0] * 4
    fertility = envs[0].world.state.fertility.copy()
    assert _begin(envs[0]) == (begun[0][0], 1), "a seed that was drawn is kept"
    assert _begin(envs[1], seed=begun[0][0]) == begun[0]
    assert np.array_equal(envs[1].world.state.fertility, fertility), "and can be played again"


@pytest.mark.parametrize("mode", ["sync", "async"])
def test_gymnasiums_vectors_of_unseeded_environments_play_different_worlds(mode):
    envs = gymnasium.make_vec(ENVIRONMENT_ID, num_envs=3, vectorization_mode=mode, scenario=SMALL)
    seen = envs.reset()[0].copy()
    games = list(zip(envs.get_attr("study_seed"), envs.get_attr("world_id"), strict=True))
    envs.close()
    assert len(set(games)) == 3
    assert len(np.unique(seen, axis=0)) == 3


def _begin(env: CivilizationEnv, **kwargs: object) -> tuple[int, int]:
    env.reset(**kwargs)  # type: ignore[arg-type]
    assert int(env.world.state.world_id[0]) == env.world_id
    assert env.world.seed == env.study_seed
    return env.study_seed, env.world_id


def test_a_rotating_agent_takes_the_seat_of_its_world():
    env = make_civilization(SMALL, seat="rotate")
    seats = []
    for k in range(4):
        seen, info = env.reset(seed=1 if k == 0 else None)
        assert np.array_equal(seen, observe(env.world).features[0, env.agent])
        seats.append(info["seat"])
    assert seats == [0, 1, 2, 0]


def test_a_seed_that_cannot_be_used_leaves_the_game_as_it_was():
    env = make_civilization(SMALL)
    env.reset(seed=3)
    env.reset()
    with pytest.raises(ScenarioError):
        env.reset(seed=2**64)
    assert (env.study_seed, env.world_id, env.world.seed) == (3, 1, 3)
    env.step(np.zeros(8))
    assert _begin(env) == (3, 2)


def test_the_reward_is_the_scenarios_objective():
    env = make_civilization(CROWD, seat=3)
    env.reset(seed=2)
    rewards = []
    ended = False
    while not ended:
        _, reward, ended, _, _ = env.step(np.zeros(8, np.float32))
        rewards.append(reward)
    assert all(type(reward) is float for reward in rewards)
    assert rewards[:-1] == [0.0] * (len(rewards) - 1)
    assert rewards[-1] == pytest.approx(env.world.state.utility[0, 3, 3])


def test_elimination_ends_the_episode():
    env = make_civilization(SMALL)
    env.reset(seed=3)
    state = env.world.state
    state.alive[0, 0], state.cells[0, 0] = 0, 0
    state.owner[0][state.owner[0] == 0] = -1
    seen, reward, ended, truncated, _ = env.step(np.zeros(8, np.float32))
    assert (ended, truncated, reward) == (True, False, 0.0)
    assert not seen.any()
    with pytest.raises(ActionError, match="episode is over"):
        env.step(np.zeros(8, np.float32))


def test_a_step_before_reset_and_after_the_end_is_refused():
    env = make_civilization(SMALL)
    with pytest.raises(ActionError, match="no episode has begun"):
        env.step(np.zeros(8))
    env.reset(seed=0)
    for _ in range(TURNS):
        env.step(np.zeros(8))
    with pytest.raises(ActionError, match="episode is over"):
        env.step(np.zeros(8))


BAD = {
    "nan": np.full(8, np.nan),
    "infinite": np.full(8, np.inf),
    "short": np.zeros(7),
    "a batch": np.zeros((1, 8)),
    "a scalar": 0.0,
    "text": "all in",
    "objects": np.array([object()] * 8),
    "complex": np.zeros(8, complex),
    "ragged": [[1.0], [1.0, 2.0]],
    "none": None,
    "booleans": np.ones(8, bool),
}


@pytest.mark.parametrize("action", BAD.values(), ids=BAD.keys())
def test_a_malformed_action_is_refused_and_nothing_moves(action):
    env = make_civilization(SMALL)
    env.reset(seed=0)
    before = {name: getattr(env.world.state, name).copy() for name in State._fields}
    with pytest.raises(ActionError) as caught:
        env.step(action)
    assert "\n" not in str(caught.value)
    assert all(np.array_equal(getattr(env.world.state, name), value) for name, value in before.items())


def good_shares() -> np.ndarray:
    return np.full((2, 3, 8), 1 / 8)


def changed(value: float, where: tuple[int, ...] = (1, 2, 3)) -> np.ndarray:
    shares = good_shares()
    shares[where] = value
    return shares


CLOSED = Scenario.model_validate(
    {"map": {"width": 8, "height": 8}, "game": {"turns": TURNS, "civilizations": 3, "closed": ["walls"]}}
)

BAD_SHARES = {
    "nan": changed(np.nan),
    "infinite": changed(np.inf),
    "negative": changed(-0.1),
    "sum above 1": changed(0.5),
    "sum below 1": good_shares() * 0.5,
    "all zero": np.zeros((2, 3, 8)),
    "seven categories": np.full((2, 3, 7), 1 / 7),
    "a seat too many": np.full((2, 4, 8), 1 / 8),
    "a world too few": np.full((1, 3, 8), 1 / 8),
    "no world axis": np.full((3, 8), 1 / 8),
    "objects": np.array(good_shares(), object),
    "text": np.full((2, 3, 8), "x"),
    "complex": good_shares().astype(complex),
    "ragged": [[1.0], [1.0, 2.0]],
    "none": None,
}


@pytest.mark.parametrize("shares", BAD_SHARES.values(), ids=BAD_SHARES.keys())
def test_malformed_shares_are_refused_and_nothing_moves(shares):
    world = World(SMALL, n_worlds=2)
    before = {name: getattr(world.state, name).copy() for name in State._fields}
    with pytest.raises(ActionError) as caught:
        world.step(shares)
    assert "\n" not in str(caught.value)
    assert all(np.array_equal(getattr(world.state, name), value) for name, value in before.items())


def test_a_share_of_a_closed_category_is_refused_by_the_world_and_never_made_by_the_face():
    world = World(CLOSED, n_worlds=2)
    with pytest.raises(ActionError, match="walls"):
        world.step(good_shares())
    env = make_civilization(CLOSED)
    env.reset(seed=0)
    env.step(np.full(8, 1.0))
    assert env.world.state.spent[0, :, 4].tolist() == [0.0] * 3


@pytest.mark.parametrize("options", [{"world": 3}, {"world_id": -1}, {"world_id": 2**32}, {"world_id": 1.5}])
def test_bad_options_are_refused_and_the_episode_goes_on(options):
    env = make_civilization(SMALL)
    env.reset(seed=0)
    with pytest.raises(ActionError):
        env.reset(options=options)
    assert env.world_id == 0
    env.step(np.zeros(8))


@pytest.mark.parametrize(
    "kwargs",
    [
        *({"seat": 3}, {"seat": -1}, {"seat": True}, {"seat": "all"}, {"render_mode": "ansi"}, {"actions": "levels"}),
        *({"first_world": -1}, {"first_world": 2**32}, {"world_step": 0.5}, {"split": "test"}),
        *({"first_world": 2**31}, {"first_world": 5, "split": "held_out"}, {"first_world": 2**32 - 1}),
    ],
)
def test_bad_settings_are_refused(kwargs):
    with pytest.raises(ScenarioError) as caught:
        make_civilization(SMALL, **kwargs)
    assert "\n" not in str(caught.value)


def test_no_number_of_episodes_leads_from_training_to_other_worlds():
    env = make_civilization(SMALL, first_world=2**30 - 1, world_step=3)
    assert [_begin(env, seed=1), _begin(env)] == [(1, 2**30 - 1), (1, 2)]
    assert [_begin(env, options={"world_id": 2**31 - 1}), _begin(env)] == [(1, 2**31 - 1), (1, 2**30 + 2)]


def test_an_action_outside_the_box_is_clipped():
    seen = []
    for action in (np.full(8, 1.0), np.array([7.0] * 8)):
        env = make_civilization(SMALL)
        env.reset(seed=0)
        seen.append(env.step(action)[0])
    assert np.array_equal(seen[0], seen[1])


def test_rendering_changes_nothing():
    plain, drawn = make_civilization(SMALL), make_civilization(SMALL, render_mode="rgb_array")
    plain.reset(seed=9)
    drawn.reset(seed=9)
    for _ in range(TURNS):
        drawn.render()
        left, right = plain.step(np.zeros(8)), drawn.step(np.zeros(8))
        assert np.array_equal(left[0], right[0])
    assert plain.render() is None


def test_the_observation_space_holds_every_observation():
    env = make_civilization(CROWD, seat="rotate")
    rng = np.random.default_rng(0)
    for _ in range(3):
        seen, _ = env.reset()
        ended = False
        while not ended:
            assert env.observation_space.contains(seen)
            assert seen[at("game_civilizations")] == 1.0
            seen, _, ended, _, _ = env.step(rng.uniform(-1, 1, 8))
