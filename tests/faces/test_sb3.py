"""The native VecEnv plays the very episodes the Gymnasium environment plays, for one learner a world or several."""

from __future__ import annotations

import io

import numpy as np
import pytest
from face_games import SEVERAL, WAR, scripted_rivals
from stable_baselines3 import PPO
from stable_baselines3.common.monitor import Monitor
from stable_baselines3.common.vec_env import VecNormalize

from civsim.agents import seat_policies
from civsim.base.errors import ActionError, ScenarioError, SnapshotError
from civsim.base.scenario import Scenario
from civsim.engine.compiled import reward_discount
from civsim.engine.observation.features import N_FEATURES
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


def test_what_learns_observes_what_every_game_tells():
    batch = WorldVecEnv(SEVERAL, seat_policies(SEVERAL).shares, 2, 7)
    envs = [make_civilization(SEVERAL, seat="rotate") for _ in range(2)]
    seen, actions = batch.reset(), np.zeros((2, 8), np.float32)
    singles = [env.reset(seed=7, options={"world_id": row})[0] for row, env in enumerate(envs)]
    assert batch.observation_space == worlds().observation_space
    for _ in range(SEVERAL.game.turns):
        assert batch.observation_space.contains(seen[0])
        assert np.array_equal(seen, np.stack(singles)[:, :N_FEATURES])
        seen, _, ends, infos = batch.step(actions)
        singles = [env.step(action)[0] for env, action in zip(envs, actions, strict=True)]
    assert ends.all()
    assert np.array_equal(infos[1]["terminal_observation"], singles[1][:N_FEATURES])


def test_the_return_of_an_episode_is_the_sum_of_its_rewards():
    batch = worlds(3)
    batch.reset()
    total = np.zeros(3)
    for _ in range(TURNS):
        _, rewards, _, infos = batch.step(np.zeros((3, 8), np.float32))
        total += rewards
    assert [info["episode"]["r"] for info in infos] == pytest.approx(total.tolist(), rel=1e-5)


@pytest.mark.parametrize("objective", ["welfare", "consumption", "output", "share"])
def test_discounted_as_the_scenario_says_the_rewards_sum_to_the_objective(objective):
    game = SMALL.model_copy(update={"game": SMALL.game.model_copy(update={"objective": objective})})
    batch = WorldVecEnv(game, seat_policies(game).shares, 2, 7, learners=3)
    batch.reset()
    gamma, total = reward_discount(game), np.zeros(6)
    for turn in range(TURNS):
        _, rewards, ends, infos = batch.step(np.zeros((6, 8), np.float32))
        total += gamma**turn * rewards
    assert ends.all()
    assert [info["episode"]["objective"] for info in infos] == pytest.approx(total.tolist(), rel=1e-5)


def test_what_it_returns_never_changes_afterwards():
    batch = worlds(2)
    kept = [batch.reset()]
    copies = [kept[0].copy()]
    for _ in range(TURNS + 2):
        observations, rewards, ends, infos = batch.step(np.zeros((2, 8), np.float32))
        final = [info["terminal_observation"] for info in infos if info]
        for value in (observations, rewards, ends, batch.live, *final):
            kept.append(value)
            copies.append(value.copy())
    assert all(np.array_equal(left, right) for left, right in zip(kept, copies, strict=True))


def test_what_is_done_to_what_it_returned_does_not_reach_it():
    """Stable-Baselines3 keeps the last observations and edits the last rewards in place."""
    batch, spoilt = worlds(2), worlds(2)
    batch.reset()
    last = spoilt.reset()
    for _ in range(2 * TURNS + 2):
        left, right = (env.step(np.full((2, 8), 0.5, np.float32)) for env in (batch, spoilt))
        assert all(np.array_equal(a, b) for a, b in zip(left[:3], right[:3], strict=True))
        assert [info.get("episode") for info in left[3]] == [info.get("episode") for info in right[3]]
        last[:] = np.nan
        right[1][:], right[2][:] = 1e9, True
        for info in right[3]:
            if info:
                info["terminal_observation"][:] = np.nan
                info["episode"]["objectives"].clear()
        last = right[0]


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
    assert batch.env_is_wrapped(Monitor) == [True, True]
    assert batch.get_attr("study_seed", 1) == [7]
    with pytest.raises(AttributeError):
        batch.set_attr("study_seed", 3)
    with pytest.raises(AttributeError):
        batch.env_method("close")


def lose(batch: WorldVecEnv, world: int, seat: int) -> None:
    state = batch.world.state
    state.alive[world, seat], state.cells[world, seat] = 0, 0
    state.owner[world][state.owner[world] == seat] = -1


def test_a_row_whose_civilization_is_gone_is_idle_until_its_world_begins_again():
    batch, whole = worlds(2, learners=2), worlds(2, learners=2)
    assert batch.num_envs == 4
    assert not batch.live.any()
    batch.reset()
    whole.reset()
    lose(batch, 0, 1)
    actions = np.zeros((4, 8), np.float32)
    _, _, ends, infos = batch.step(actions)
    assert ends.tolist() == [False, True, False, False]
    assert batch.live.tolist() == [True, False, True, True]
    assert infos[1]["episode"]["l"] == 1
    assert infos[1]["episode"]["alive"] == [seat != 1 for seat in range(batch.world.n_civilizations)]
    assert not infos[1]["terminal_observation"].any()
    whole.step(actions)
    for _ in range(TURNS - 2):
        actions[1] = np.random.default_rng(0).uniform(-1, 1, 8)
        seen, rewards, ends, infos = batch.step(actions)
        assert not ends.any()
        assert not seen[1].any()
        assert rewards[1] == 0.0
        assert infos[1] == {}
        assert batch.live.tolist() == [True, False, True, True]
        whole.step(np.zeros((4, 8), np.float32))
    seen, _, ends, infos = batch.step(actions)
    assert ends.tolist() == [True] * 4, "its new game is announced too"
    assert set(infos[1]) == {"terminal_observation", "TimeLimit.truncated"}, "no episode was played"
    assert not infos[1]["terminal_observation"].any()
    assert batch.live.all()
    assert batch.world.state.world_id.tolist() == [2, 3]
    assert np.array_equal(seen, whole.step(np.zeros((4, 8), np.float32))[0]), "the new game is the same game"


def test_a_world_begins_again_when_its_last_learner_is_gone():
    batch = worlds(2, learners=2)
    batch.reset()
    lose(batch, 0, 0)
    batch.step(np.zeros((4, 8), np.float32))
    lose(batch, 0, 1)
    _, _, ends, infos = batch.step(np.zeros((4, 8), np.float32))
    assert ends.tolist() == [True, True, False, False]
    assert "episode" not in infos[0]
    assert infos[1]["episode"]["l"] == 2
    assert batch.world.state.world_id.tolist() == [2, 1]
    assert batch.world.state.turn.tolist() == [0, 2]
    assert batch.live.all()


@pytest.mark.parametrize("learners", [1, 2, 3])
def test_every_first_observation_of_a_game_follows_a_done(learners):
    batch = WorldVecEnv(WAR, scripted_rivals("simplex"), 3, 1, learners=learners, actions="simplex")
    batch.reset()
    rng = np.random.default_rng(0)
    begun, idle, episodes = 0, 0, 0
    for _ in range(60):
        before, lives = batch.world.state.world_id.copy(), batch.live
        _, _, dones, infos = batch.step(rng.dirichlet(np.ones(8), 3 * learners))
        fresh = (batch.world.state.world_id != before).repeat(learners)
        assert dones[fresh].all()
        assert (dones <= (fresh | lives)).all(), "an idle row is done only where its world begins again"
        assert [bool(info) for info in infos] == dones.tolist()
        assert ["episode" in info for info in infos] == (dones & lives).tolist()
        begun, idle = begun + int(fresh.sum()), idle + int((fresh & ~lives).sum())
        episodes += int((dones & lives).sum())
    assert begun >= 20
    assert episodes >= begun
    assert (idle > 0) == (learners > 1)


def test_rows_have_infos_of_their_own():
    batch = worlds(2, learners=3)
    batch.reset()
    for _ in range(TURNS + 1):
        infos = batch.step(np.zeros((6, 8), np.float32))[3]
        assert len({id(info) for info in infos}) == 6
        infos[0]["mine"] = 1
        assert not any("mine" in info for info in infos[1:])


def test_a_plain_learner_is_told_of_every_start():
    """What Stable-Baselines3 keeps as ``episode_starts`` is True in every row in which a game began."""
    batch = WorldVecEnv(WAR, scripted_rivals("simplex"), 2, 5, learners=4, actions="simplex")
    model = PPO("MlpPolicy", batch, n_steps=30, batch_size=60, n_epochs=1, seed=0, device="cpu")
    worlds_seen, played = [], batch.step_wait

    def noting():
        told = played()
        worlds_seen.append(batch.world.state.world_id.repeat(4))
        return told

    batch.step_wait = noting  # type: ignore[method-assign]
    model.learn(30 * batch.num_envs)
    following = np.array(worlds_seen)
    began = following[1:] != following[:-1]
    starts = model.rollout_buffer.episode_starts.astype(bool)
    assert began.any(axis=0).all()
    assert starts[2:][began[:-1]].all()


def test_it_is_reached_through_wrappers():
    batch = worlds(2, learners=2)
    wrapped = VecNormalize(batch)
    wrapped.reset()
    assert wrapped.get_attr("live")[0] is batch.live
    assert wrapped.unwrapped is batch
    assert batch.scenario is SMALL


def war(n: int = 3, **kwargs: object) -> WorldVecEnv:
    return WorldVecEnv(WAR, scripted_rivals("simplex"), n, 1, learners=3, actions="simplex", **kwargs)  # type: ignore[arg-type]


@pytest.mark.parametrize("turns", [0, 4, 10, 23])
def test_it_goes_on_from_a_snapshot_bit_for_bit(turns):
    rng = np.random.default_rng(turns)
    whole, again = war(), war(threads=2)
    whole.reset()
    for _ in range(turns):
        whole.step(rng.dirichlet(np.ones(8), 9))
    file = io.BytesIO()
    np.savez(file, allow_pickle=False, **whole.snapshot())
    file.seek(0)
    with np.load(file, allow_pickle=False) as saved:
        again.restore(dict(saved))
    assert np.array_equal(whole.observe(), again.observe())
    assert np.array_equal(whole.live, again.live)
    idle = 0
    for _ in range(25):
        actions = rng.dirichlet(np.ones(8), 9)
        left, right = whole.step(actions), again.step(actions)
        assert all(np.array_equal(a, b) for a, b in zip(left[:3], right[:3], strict=True))
        assert [info.get("episode") for info in left[3]] == [info.get("episode") for info in right[3]]
        assert np.array_equal(whole.live, again.live)
        idle += int((~whole.live).sum())
    assert idle, "some rows were idle"
    assert whole.next_world == again.next_world
    assert np.array_equal(whole.reset(), again.reset())


def test_restoring_takes_over_the_seed_and_needs_the_next_world():
    whole, other = war(), WorldVecEnv(WAR, scripted_rivals("simplex"), 3, 99, learners=3, actions="simplex")
    whole.reset()
    taken = whole.snapshot()
    other.restore(taken)
    assert (other.study_seed, other.next_world) == (1, 3)
    for spoilt in ({}, {"worlds.next": np.array([1.0])}, {"worlds.next": np.array([-1])}):
        with pytest.raises(SnapshotError, match="worlds.next"):
            other.restore({**{name: taken[name] for name in taken if name != "worlds.next"}, **spoilt})


def test_a_simplex_action_is_shares():
    batch = WorldVecEnv(SMALL, seat_policies(SMALL).shares, 2, 7, learners=3, actions="simplex")
    batch.reset()
    shares = np.random.default_rng(0).dirichlet(np.ones(8), 6).astype(np.float32)
    batch.step(shares)
    played = batch.world.shares[batch.world.state.world_id[:, None], (np.arange(2)[:, None] + np.arange(3)) % 3]
    assert played.reshape(6, 8) == pytest.approx(shares, abs=1e-6)


@pytest.mark.parametrize(
    "kwargs", [{"learners": 0}, {"learners": 4}, {"learners": 2, "seat": 1}, {"actions": "levels"}, {"first_world": -1}]
)
def test_bad_settings_are_refused(kwargs):
    with pytest.raises(ScenarioError) as caught:
        worlds(2, **kwargs)
    assert "\n" not in str(caught.value)
