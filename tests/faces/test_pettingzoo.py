"""The PettingZoo face: conformance, seeds over whole episodes, and agents that leave when their civilization dies."""

from __future__ import annotations

import subprocess
import sys
import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from face_games import PEACE, SEVERAL, WAR
from pettingzoo.utils.conversions import parallel_to_aec

from civsim.base.constants import Category
from civsim.base.errors import ActionError, ScenarioError
from civsim.engine.observation.observer import observe
from civsim.faces.overview import LAYERS
from civsim.faces.pettingzoo import CivilizationParallelEnv
from civsim.scenarios.environment import parallel_env

with warnings.catch_warnings():
    # Where pygame is installed, the tests import a game of PettingZoo's own, which warns of its age.
    warnings.simplefilter("ignore", DeprecationWarning)
    from pettingzoo.test import api_test, parallel_api_test
    from pettingzoo.test.state_test import test_state_space as check_state_space


def threatening(world, mask):
    return np.full((1, 4, 8), 1 / 8, np.float32)


def war(**kwargs: Any) -> CivilizationParallelEnv:
    return CivilizationParallelEnv(WAR, threatening, actions="simplex", **kwargs)


def leaning(env: CivilizationParallelEnv) -> dict[str, np.ndarray]:
    """Random actions, those of the first living seat all for war."""
    actions = {agent: env.action_space(agent).sample() for agent in env.agents}
    actions[env.agents[0]] = np.eye(8, dtype=np.float32)[3]
    return actions


@pytest.mark.parametrize("scenario", [PEACE, WAR], ids=["peace", "war"])
@pytest.mark.parametrize("seats", [None, [1, 0]], ids=["all", "some"])
def test_pettingzoo_accepts_it(scenario, seats, capsys):
    parallel_api_test(parallel_env(scenario, seats), num_cycles=60)
    assert "Passed" in capsys.readouterr().out


def test_pettingzoo_accepts_its_turn_based_form(capsys):
    api_test(parallel_to_aec(parallel_env(PEACE)), num_cycles=40)
    assert "Passed" in capsys.readouterr().out


def trace(env: CivilizationParallelEnv, seeds: list[int | None]) -> Iterator[tuple[list[str], dict[str, np.ndarray]]]:
    """Everything that whole episodes tell, one after another, with the same random actions every time."""
    for number, agent in enumerate(env.possible_agents):
        env.action_space(agent).seed(number)
    for seed in seeds:
        seen, _ = env.reset(seed=seed)
        yield list(env.agents), dict(seen)
        while env.agents:
            seen, rewards, terminations, _, infos = env.step(leaning(env))
            numbers = {name: np.array([rewards[name], terminations[name], infos[name]["turn"]]) for name in seen}
            yield list(env.agents), {name: np.concatenate([seen[name], numbers[name]]) for name in seen}


def equal(left: tuple, right: tuple) -> bool:
    same_names = left[0] == right[0] and set(left[1]) == set(right[1])
    return same_names and all(np.array_equal(left[1][name], right[1][name]) for name in left[1])


def test_a_seed_fixes_whole_episodes_and_another_seed_changes_them():
    seeds = [7, None, None]
    first, again = list(trace(war(), seeds)), list(trace(war(), seeds))
    assert len(first) == len(again)
    assert all(map(equal, first, again))
    one = war()
    list(trace(one, [3, None]))
    assert all(map(equal, first, trace(one, seeds))), "what was played before does not matter"
    assert not all(map(equal, first, trace(war(), [8, None, None])))


def test_episodes_are_worlds():
    env = war()
    begun = []
    resets: list[dict[str, Any]] = [{"seed": 0}, {"seed": 4}, {}, {"options": {"world_id": 40}}, {}]
    for kwargs in (*resets, {"seed": 4, "options": {"world_id": 9}}):
        env.reset(**kwargs)
        assert int(env.world.state.world_id[0]) == env.world_id
        begun.append((env.world.seed, env.world_id))
    assert begun == [(0, 0), (4, 0), (4, 1), (4, 40), (4, 41), (4, 9)]
    with pytest.raises(ActionError, match="world_id=-1"):
        env.reset(options={"world_id": -1})
    env = war(first_world=2**30 + 3, world_step=2, split="validation")
    env.reset(seed=1)
    env.reset()
    assert env.world_id == 2**30 + 5


def test_unseeded_environments_do_not_play_one_game():
    envs = [war() for _ in range(3)]
    for env in envs:
        env.reset()
    assert len({env.study_seed for env in envs}) == 3


@pytest.mark.parametrize("scenario", [PEACE, WAR, SEVERAL], ids=["peace", "war", "several"])
def test_a_critic_sees_the_whole_world(scenario):
    env = parallel_env(scenario, seats=[1])
    with pytest.raises(ActionError, match="no episode has begun"):
        env.state()
    check_state_space(env)
    seats, cells, width = (
        scenario.game.civilizations,
        scenario.n_cells,
        env.observation_space("civilization_1").shape[0],
    )
    assert env.state_space.shape == (seats * width + cells * (len(LAYERS) + seats),)
    seen, _ = env.reset(seed=3)
    while env.agents:
        told, state = env.state(), env.world.state
        assert env.state_space.contains(told)
        observed = told[: seats * width].reshape(seats, width)
        assert np.array_equal(observed, observe(env.world).features[0])
        assert np.array_equal(observed[1], seen["civilization_1"])
        cell = dict(zip([*LAYERS, *range(seats)], told[seats * width :].reshape(cells, -1).T, strict=True))
        assert np.array_equal(cell["fertility"], np.log1p(state.fertility[0].astype(float)).astype(np.float32))
        assert np.array_equal(cell["hazard"], state.hazard[0])
        for seat in range(seats):
            assert np.array_equal(cell[seat], state.owner[0] == seat)
        seen = env.step({agent: env.action_space(agent).sample() for agent in env.agents})[0]
    assert not np.shares_memory(env.state(), env.state())


def test_bands_are_seen_where_they_stand():
    env = parallel_env(WAR)
    env.reset(seed=3)
    state, layers = env.world.state, len(LAYERS) + 4
    state.band_cell[0, :3], state.band_strength[0, :3] = (7, 7, 2), (1.0, 2.0, 5.0)
    raiders = env.state()[-WAR.n_cells * layers :].reshape(WAR.n_cells, layers)[:, list(LAYERS).index("raiders")]
    assert raiders[7] == pytest.approx(np.log(4.0))
    assert raiders[2] == pytest.approx(np.log(6.0))
    assert np.count_nonzero(raiders) == 2


def test_which_entries_of_an_action_have_an_effect():
    env = parallel_env(PEACE)
    env.reset(seed=1)
    assert env.open_categories.tolist() == [category.name != "WALLS" for category in Category]
    env.open_categories[:] = False
    twin, closed = parallel_env(PEACE), int(Category.WALLS)
    twin.reset(seed=1)
    actions = {agent: np.zeros(8, np.float32) for agent in env.agents}
    env.step(actions)
    for action in actions.values():
        action[closed] = 1.0
    twin.step(actions)
    assert np.array_equal(env.world.shares, twin.world.shares)


def test_the_dead_leave_in_the_step_in_which_they_die():
    env = war()
    early = 0
    for world in range(12):
        env.reset(seed=1 if world == 0 else None)
        last = env.agents
        while env.agents:
            seen, rewards, terminations, truncations, infos = env.step(leaning(env))
            for told in (seen, rewards, terminations, truncations, infos):
                assert list(told) == last
            alive = {f"civilization_{seat}" for seat in np.flatnonzero(env.world.state.alive[0])}
            over = bool(env.world.done[0])
            assert env.agents == [name for name in last if name in alive and not over]
            for name in last:
                assert terminations[name] == (name not in env.agents)
                if name not in alive:
                    early += not over
                    assert not seen[name].any()
                    assert rewards[name] == 0.0
            last = env.agents
    assert early >= 5


def test_the_game_ends_for_its_agents_when_the_last_of_them_is_gone():
    env = war(seats=[1, 3])
    env.reset(seed=0)
    state = env.world.state
    for seat in (1, 3):
        state.alive[0, seat], state.cells[0, seat] = 0, 0
        state.owner[0][state.owner[0] == seat] = -1
    _, _, terminations, _, _ = env.step(leaning(env))
    assert terminations == {"civilization_1": True, "civilization_3": True}
    assert not env.world.done[0]
    with pytest.raises(ActionError, match="episode is over"):
        env.step({})


@pytest.mark.parametrize(
    ("actions", "message"),
    [
        ({}, "no action for 'civilization_0'"),
        ({"civilization_0": np.ones(8)}, "no action for 'civilization_2'"),
        ({name: np.ones(8) for name in ("civilization_0", "civilization_1", "civilization_2")}, "'civilization_1'"),
        ({"civilization_0": np.ones(8), "civilization_2": np.ones(7)}, "shape"),
        ({"civilization_0": np.ones(8), "civilization_2": np.full(8, np.nan)}, "finite"),
    ],
)
def test_actions_are_exactly_those_of_the_living_agents(actions, message):
    env = war(seats=[0, 2])
    with pytest.raises(ActionError, match="no episode has begun"):
        env.step(actions)
    env.reset()
    with pytest.raises(ActionError, match=message):
        env.step(actions)
    assert env.world.state.turn[0] == 0


@pytest.mark.parametrize(
    "kwargs", [{"seats": []}, {"seats": [4]}, {"seats": [0, 0]}, {"render_mode": "ansi"}, {"actions": "levels"}]
)
def test_bad_settings_are_refused(kwargs):
    with pytest.raises(ScenarioError) as caught:
        parallel_env(WAR, **kwargs)
    assert "\n" not in str(caught.value)


def test_each_agent_has_spaces_of_its_own():
    env = war()
    assert env.possible_agents == [f"civilization_{seat}" for seat in range(4)]
    assert len({id(env.action_space(agent)) for agent in env.possible_agents}) == 4
    for agent in env.possible_agents:
        assert env.action_space(agent) is env.action_space(agent)
        assert env.observation_space(agent) is env.observation_space(agent)


def test_rendering_shows_the_map_and_changes_nothing():
    drawn = war(render_mode="rgb_array")
    for left, right in zip(trace(war(), [2]), trace(drawn, [2]), strict=True):
        assert drawn.render().shape == (64, 80, 3)
        assert equal(left, right)
    assert war().render() is None


def test_without_pettingzoo_one_line_says_what_to_install():
    code = (
        "import sys\nsys.modules['pettingzoo'] = None\n"
        "from civsim.scenarios.environment import parallel_env, make_civilization\n"
        "make_civilization()\n"
        "try:\n    parallel_env()\nexcept ImportError as error:\n    print(error)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == (
        "pettingzoo is not installed; install civsim with its extra: pip install 'civsim[pettingzoo]'\n"
    )
