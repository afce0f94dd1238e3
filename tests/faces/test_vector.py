"""The vector face is gymnasium's own vector environment over single ones, bit for bit, in each autoreset mode."""

from __future__ import annotations

import warnings
from typing import Any

import gymnasium
import numpy as np
import pytest
from face_games import PEACE, WAR
from gymnasium.vector import AutoresetMode, SyncVectorEnv
from gymnasium.wrappers import TimeLimit
from gymnasium.wrappers.vector import RecordEpisodeStatistics

from civsim.agents import seat_policies
from civsim.base.errors import ActionError, ScenarioError
from civsim.faces.gymnasium import CivilizationEnv
from civsim.faces.registration import ENVIRONMENT_ID
from civsim.faces.vector import CivilizationVectorEnv
from civsim.scenarios.environment import make_civilizations

SEED, N = 4, 4
NEXT, SAME, DISABLED = AutoresetMode.NEXT_STEP, AutoresetMode.SAME_STEP, AutoresetMode.DISABLED


def threatening(world, mask):
    """Rivals of whom one, by world id, arms: learners are eliminated now and then."""
    shares = np.full((*mask.shape, 8), 1 / 8, np.float32)
    shares[np.arange(len(mask)), world.state.world_id % mask.shape[1]] = np.eye(8, dtype=np.float32)[3]
    return shares


def native(mode=NEXT, **kwargs) -> CivilizationVectorEnv:
    return CivilizationVectorEnv(WAR, threatening, N, 1, autoreset_mode=mode, **kwargs)


def synchronous(mode=NEXT, **kwargs) -> SyncVectorEnv:
    singles = [
        lambda i=i: CivilizationEnv(WAR, threatening, 1, first_world=i, world_step=N, **kwargs) for i in range(N)
    ]
    return SyncVectorEnv(singles, autoreset_mode=mode)


def same(left: Any, right: Any) -> bool:
    if isinstance(left, dict):
        return set(left) == set(right) and all(same(left[key], right[key]) for key in left)
    if isinstance(left, tuple):
        return len(left) == len(right) and all(map(same, left, right))
    if left.dtype != right.dtype or left.shape != right.shape:
        return False
    if left.dtype == object:
        return all((a is None and b is None) or np.array_equal(a, b) for a, b in zip(left, right, strict=True))
    return np.array_equal(left, right)


@pytest.mark.parametrize("mode", [NEXT, SAME])
@pytest.mark.parametrize("actions", ["softmax", "simplex"])
def test_it_is_gymnasiums_own_vector_environment_bit_for_bit(mode, actions):
    ours, theirs = native(mode, actions=actions), synchronous(mode, actions=actions)
    assert ours.single_action_space == theirs.single_action_space
    assert ours.single_observation_space == theirs.single_observation_space
    assert ours.action_space == theirs.action_space
    assert ours.observation_space == theirs.observation_space
    assert ours.metadata == theirs.metadata
    assert same(ours.reset(seed=SEED), theirs.reset(seed=[SEED] * N))
    ours.action_space.seed(1)
    ends, early = np.zeros(N, int), 0
    for _ in range(45):
        action = ours.action_space.sample()
        left, right = ours.step(action), theirs.step(action)
        assert same(left, right)
        ends += left[2]
        last = left[4]["final_info"]["turn"] if "final_info" in left[4] else left[4]["turn"]
        early += int((last[left[2]] < WAR.game.turns).sum())
    assert ends.min() >= 3
    assert early >= 3, "some learners are eliminated before the last turn"
    assert same(ours.reset(), theirs.reset())


def test_a_mask_resets_as_gymnasiums_own_does():
    ours, theirs = native(DISABLED), synchronous(DISABLED)
    assert same(ours.reset(seed=SEED), theirs.reset(seed=[SEED] * N))
    ours.action_space.seed(2)
    for _ in range(40):
        action = ours.action_space.sample()
        left = ours.step(action)
        assert same(left, theirs.step(action))
        if left[2].any():
            assert same(ours.reset(options={"reset_mask": left[2]}), theirs.reset(options={"reset_mask": left[2]}))


@pytest.mark.parametrize("mode", [NEXT, SAME])
def test_a_mask_resets_in_the_other_modes_too(mode):
    ours, theirs = native(mode), synchronous(mode)
    ours.reset(seed=SEED)
    theirs.reset(seed=[SEED] * N)
    ours.action_space.seed(3)
    rng = np.random.default_rng(0)
    for _ in range(30):
        action, mask = ours.action_space.sample(), rng.random(N) < 0.3
        assert same(ours.step(action), theirs.step(action))
        if mask.any():
            assert same(ours.reset(options={"reset_mask": mask}), theirs.reset(options={"reset_mask": mask.copy()}))


@pytest.mark.parametrize("mode", [NEXT, SAME, DISABLED])
@pytest.mark.parametrize("most", [1, 3, WAR.game.turns, WAR.game.turns + 1])
def test_its_time_limit_is_gymnasiums_own(mode, most):
    ours = native(mode, max_episode_steps=most)
    theirs = SyncVectorEnv(
        [
            lambda i=i: TimeLimit(CivilizationEnv(WAR, threatening, 1, first_world=i, world_step=N), most)
            for i in range(N)
        ],
        autoreset_mode=mode,
    )
    assert same(ours.reset(seed=SEED), theirs.reset(seed=[SEED] * N))
    ours.action_space.seed(4)
    ends, cuts = 0, 0
    for _ in range(30):
        action = ours.action_space.sample()
        left, right = ours.step(action), theirs.step(action)
        assert same(left, right)
        ends, cuts = ends + int(left[2].sum()), cuts + int(left[3].sum())
        over = left[2] | left[3]
        if mode is DISABLED and over.any():
            with pytest.raises(ActionError, match="is over"):
                ours.step(action)
            assert same(ours.reset(options={"reset_mask": over}), theirs.reset(options={"reset_mask": over.copy()}))
    assert (cuts > 0) == (most <= WAR.game.turns)
    assert ends > 0 or most == 1
    assert same(ours.reset(), theirs.reset())


@pytest.mark.parametrize("mode", [NEXT, SAME])
def test_an_episode_that_was_cut_off_is_kept_as_such(mode):
    game, other = (native(mode, max_episode_steps=3) for _ in range(2))
    game.reset(seed=SEED)
    for turn in range(9):
        other.restore(game.snapshot())
        action = np.full((N, 8), 0.1 * turn)
        assert same(game.step(action), other.step(action))


def world_ids(env: CivilizationVectorEnv) -> list[int]:
    return env.world.state.world_id.tolist()


def test_which_worlds_a_seed_plays():
    env = native(first_world=10)
    env.reset()
    drawn = env.study_seed
    assert (env.world.seed, world_ids(env)) == (drawn, [10, 11, 12, 13])
    env.reset()
    assert (env.world.seed, world_ids(env)) == (drawn, [14, 15, 16, 17])
    other = native()
    other.reset()
    assert other.study_seed != drawn, "what nobody has seeded does not play what another plays"
    env.reset(seed=5)
    assert (env.world.seed, world_ids(env)) == (5, [10, 11, 12, 13])
    env.reset()
    assert (env.world.seed, world_ids(env)) == (5, [14, 15, 16, 17])
    env.reset(options={"reset_mask": np.array([False, True, False, True])})
    assert world_ids(env) == [14, 19, 16, 21]
    env.reset(seed=5, options={"reset_mask": np.array([True, True, False, False])})
    assert world_ids(env) == [10, 11, 16, 21]
    env.reset(options={"reset_mask": np.array([True, False, True, False])})
    assert world_ids(env) == [14, 11, 20, 21]
    env.reset(seed=6)
    assert (env.world.seed, world_ids(env)) == (6, [10, 11, 12, 13])


def test_what_one_sub_environment_plays_does_not_depend_on_the_others():
    narrow, wide = native(), native(threads=2)
    seen, other = narrow.reset(seed=SEED)[0], wide.reset(seed=SEED)[0]
    rng = np.random.default_rng(0)
    for _ in range(25):
        assert np.array_equal(seen[1], other[1])
        actions = rng.uniform(-1, 1, (N, 8))
        changed = np.where(np.arange(N)[:, None] == 1, actions, -actions)
        seen, other = narrow.step(actions)[0], wide.step(changed)[0]


@pytest.mark.parametrize(
    "options",
    [
        {"world_id": 3},
        {"reset_mask": [True] * N},
        {"reset_mask": np.ones(N)},
        {"reset_mask": np.ones(N + 1, np.bool_)},
        {"reset_mask": np.zeros(N, np.bool_)},
    ],
)
def test_bad_options_are_refused_and_nothing_moves(options):
    env = native()
    env.reset(seed=SEED)
    with pytest.raises(ActionError) as caught:
        env.reset(options=options)
    assert "\n" not in str(caught.value)
    assert world_ids(env) == [0, 1, 2, 3]


@pytest.mark.parametrize("seed", [[1, 2, 3, 4], 1.5, True])
def test_a_seed_is_one_integer(seed):
    env = native()
    with pytest.raises(ActionError, match="share one study seed"):
        env.reset(seed=seed)


def test_a_mask_goes_with_the_seed_being_played():
    env, mask = native(), np.arange(N) < 2
    with pytest.raises(ActionError, match="no episode has begun"):
        env.reset(options={"reset_mask": mask})
    env.reset(seed=SEED)
    with pytest.raises(ActionError, match="reset everything"):
        env.reset(seed=SEED + 1, options={"reset_mask": mask})


def test_without_autoreset_a_step_after_the_end_is_refused():
    env = native("Disabled")
    env.reset(seed=SEED)
    while not env.step(np.zeros((N, 8)))[2].any():
        pass
    before = env.world.snapshot()
    with pytest.raises(ActionError, match="episode of sub-environment [0-3] is over; reset it"):
        env.step(np.zeros((N, 8)))
    assert all(np.array_equal(values, before[name]) for name, values in env.world.snapshot().items())


@pytest.mark.parametrize("bad", [np.zeros((N, 7)), np.zeros((N + 1, 8)), np.full((N, 8), np.nan), "go"])
def test_malformed_actions_are_refused(bad):
    env = native()
    with pytest.raises(ActionError, match="no episode has begun"):
        env.step(np.zeros((N, 8)))
    env.reset(seed=SEED)
    with pytest.raises(ActionError):
        env.step(bad)
    assert not env.world.state.turn.any()


@pytest.mark.parametrize(
    "kwargs",
    [
        {"autoreset_mode": "Never"},
        {"num_envs": 0},
        {"seat": 9},
        {"render_mode": "ansi"},
        {"actions": "levels"},
        {"first_world": -1},
        {"first_world": 2**30},
        {"split": "test"},
        {"max_episode_steps": 0},
        {"max_episode_steps": 2.5},
        {"max_episode_steps": True},
    ],
)
def test_bad_settings_are_refused(kwargs):
    with pytest.raises(ScenarioError) as caught:
        make_civilizations(**{"num_envs": 2, "scenario": PEACE, **kwargs})
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("mode", [NEXT, SAME])
@pytest.mark.parametrize("named", [None, "vector_entry_point"])
def test_make_vec_makes_it_without_a_warning(mode, named):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        env = gymnasium.make_vec(
            ENVIRONMENT_ID, num_envs=8, vectorization_mode=named, scenario=PEACE, seat="rotate", autoreset_mode=mode
        )
    assert isinstance(env.unwrapped, CivilizationVectorEnv)
    assert env.metadata["autoreset_mode"] is mode
    assert env.num_envs == 8
    seen, _ = env.reset(seed=3)
    assert env.observation_space.contains(seen)
    env.close()
    assert env.closed


@pytest.mark.parametrize("named", [None, "vector_entry_point", "sync"])
def test_make_vec_takes_a_time_limit(named):
    env = gymnasium.make_vec(ENVIRONMENT_ID, 3, vectorization_mode=named, scenario=PEACE, max_episode_steps=3)
    env.reset(seed=3)
    cut = [env.step(np.zeros((3, 8), np.float32))[3].tolist() for _ in range(4)]
    assert cut == [[False] * 3, [False] * 3, [True] * 3, [False] * 3]
    env.close()


def test_its_rivals_are_the_scenarios():
    env = make_civilizations(3, PEACE, seat=0)
    single = CivilizationEnv(PEACE, seat_policies(PEACE).shares)
    seen, other = env.reset(seed=1)[0], single.reset(seed=1)[0]
    for _ in range(PEACE.game.turns - 1):
        assert np.array_equal(seen[0], other)
        seen, other = env.step(np.zeros((3, 8)))[0], single.step(np.zeros(8))[0]


MISCOUNTS = tuple(map(int, gymnasium.__version__.split(".")[:2])) < (1, 4)
SAME_IF_COUNTED = pytest.param(SAME, marks=pytest.mark.skipif(MISCOUNTS, reason="this Gymnasium misses first rewards"))


@pytest.mark.parametrize("mode", [NEXT, SAME_IF_COUNTED])
def test_gymnasiums_statistics_of_episodes(mode):
    env = RecordEpisodeStatistics(native(mode))
    env.reset(seed=SEED)
    total, episodes = np.zeros(N), 0
    begun = np.zeros(N, np.bool_)
    for _ in range(30):
        _, rewards, ends, _, infos = env.step(np.zeros((N, 8)))
        total = np.where(begun, 0.0, total) + rewards
        begun = ends
        if ends.any():
            assert infos["episode"]["r"][ends] == pytest.approx(total[ends], rel=1e-12)
            episodes += int(ends.sum())
            if mode is SAME:
                total[ends] = 0.0
    assert env.episode_count == episodes > N


def test_what_it_returns_never_changes_afterwards():
    env = native(SAME)
    kept = [env.reset(seed=SEED)[0]]
    copies = [kept[0].copy()]
    for _ in range(25):
        for value in env.step(np.zeros((N, 8)))[:4]:
            kept.append(value)
            copies.append(value.copy())
    assert all(np.array_equal(left, right) for left, right in zip(kept, copies, strict=True))


def test_rendering_shows_each_map_and_changes_nothing():
    plain, drawn = native(), native(render_mode="rgb_array")
    plain.reset(seed=SEED)
    drawn.reset(seed=SEED)
    for _ in range(12):
        frames = drawn.render()
        assert len(frames) == N
        assert frames[0].shape == (64, 80, 3)
        assert same(plain.step(np.zeros((N, 8))), drawn.step(np.zeros((N, 8))))
    assert plain.render() is None
