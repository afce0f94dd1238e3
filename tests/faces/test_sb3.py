"""The native VecEnv plays the very episodes the Gymnasium environment plays, and returns copies."""

from __future__ import annotations

import numpy as np
import pytest

from civsim.agents import seat_policies
from civsim.base.config import Scenario
from civsim.base.errors import ActionError
from civsim.faces.sb3 import WorldVecEnv
from civsim.scenarios.environment import make_civilization

TURNS = 8
SMALL = Scenario.model_validate({"map": {"width": 8, "height": 8}, "game": {"turns": TURNS, "civilizations": 3}})


def worlds(n: int = 4, **kwargs: object) -> WorldVecEnv:
    return WorldVecEnv(SMALL, seat_policies(SMALL).shares, n, 7, **kwargs)  # type: ignore[arg-type]


def test_each_row_is_the_gymnasium_environment_bit_for_bit():
    batch = worlds(4)
    rng = np.random.default_rng(0)
    seen = batch.reset()
    envs = [make_civilization(SMALL, seat="rotate") for _ in range(4)]
    singles = [env.reset(seed=7, options={"world_id": row})[0] for row, env in enumerate(envs)]
    begun = 4
    for _ in range(2 * TURNS + 3):
        assert np.array_equal(seen, np.stack(singles))
        actions = rng.uniform(-1, 1, (4, 8)).astype(np.float32)
        seen, rewards, ends, infos = batch.step(actions)
        for row, env in enumerate(envs):
            singles[row], reward, ended, _, _ = env.step(actions[row])
            assert rewards[row] == np.float32(reward)
            assert ends[row] == ended
            assert ("terminal_observation" in infos[row]) == ended
            if ended:
                assert np.array_equal(infos[row]["terminal_observation"], singles[row])
                assert infos[row]["TimeLimit.truncated"] is False
                assert infos[row]["episode"]["world_id"] == env.world_id
                assert infos[row]["episode"]["seat"] == env.agent
                assert infos[row]["episode"]["l"] == TURNS
                singles[row] = env.reset(options={"world_id": begun})[0]
                begun += 1
    assert batch.next_world == begun == 12


def test_the_return_of_an_episode_is_the_sum_of_its_rewards():
    batch = worlds(3)
    batch.reset()
    total = np.zeros(3)
    for _ in range(TURNS):
        _, rewards, _, infos = batch.step(np.zeros((3, 8), np.float32))
        total += rewards
    assert [info["episode"]["r"] for info in infos] == pytest.approx(total.tolist(), rel=1e-5)


def test_what_it_returns_never_changes_afterwards():
    batch = worlds(2)
    kept = [batch.reset()]
    copies = [kept[0].copy()]
    for _ in range(TURNS + 2):
        for value in batch.step(np.zeros((2, 8), np.float32))[:3]:
            kept.append(value)
            copies.append(value.copy())
    assert all(np.array_equal(left, right) for left, right in zip(kept, copies, strict=True))


def test_an_eliminated_learner_gets_a_new_world_at_once():
    batch = worlds(2)
    batch.reset()
    state = batch.world.state
    state.alive[1, 1], state.cells[1, 1] = 0, 0
    state.owner[1][state.owner[1] == 1] = -1
    _, rewards, ends, infos = batch.step(np.zeros((2, 8), np.float32))
    assert ends.tolist() == [False, True]
    assert rewards[1] == 0.0
    assert not infos[1]["terminal_observation"].any()
    assert batch.world.state.world_id.tolist() == [0, 2]
    assert batch.world.state.turn.tolist() == [1, 0]


def test_a_seed_is_honoured_at_the_next_reset():
    batch = worlds(2)
    first = batch.reset()
    batch.seed(8)
    other = batch.reset()
    batch.seed(7)
    assert not np.array_equal(first, other)
    assert np.array_equal(batch.reset(), first)


def test_first_world_and_seat_are_honoured():
    batch = worlds(2, first_world=100, seat=1)
    batch.reset()
    assert batch.world.state.world_id.tolist() == [100, 101]
    for _ in range(TURNS):
        infos = batch.step(np.zeros((2, 8), np.float32))[3]
    assert [info["episode"]["seat"] for info in infos] == [1, 1]


@pytest.mark.parametrize(
    "actions", [np.zeros((1, 8)), np.zeros((2, 7)), np.full((2, 8), np.nan), np.zeros((2, 8), object)]
)
def test_malformed_actions_are_refused(actions):
    batch = worlds(2)
    batch.reset()
    with pytest.raises(ActionError):
        batch.step(actions)
    assert batch.world.state.turn.tolist() == [0, 0]


def test_a_step_before_reset_is_refused():
    with pytest.raises(ActionError, match="no episode has begun"):
        worlds(1).step(np.zeros((1, 8)))


def test_rows_have_no_attributes_of_their_own():
    batch = worlds(2)
    assert batch.get_attr("render_mode") == [None, None]
    assert batch.env_is_wrapped(object) == [False, False]
    with pytest.raises(AttributeError):
        batch.set_attr("study_seed", 3)
    with pytest.raises(AttributeError):
        batch.env_method("close")
