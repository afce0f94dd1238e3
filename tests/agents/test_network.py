"""The network without torch: what it computes, row by row, for every layout, activation and head."""

from __future__ import annotations

import math

import numpy as np
import pytest
from bounds import assert_within, outputs_bound, rounded
from face_games import SEVERAL
from scipy.stats import dirichlet

from civsim.agents.network import (
    LAYOUTS,
    LearnedPolicy,
    Normalisation,
    _dense,
    _normalise,
    _tanh,
    concentration,
    dense,
    layer_names,
    normalise,
    tanh,
)
from civsim.agents.policy import PolicyContext, SeatPolicies
from civsim.base.errors import ActionError, CheckpointError
from civsim.base.scenario import Scenario
from civsim.engine.observation.features import N_FEATURES
from civsim.engine.observation.observer import Observation, observe
from civsim.engine.world import World
from civsim.faces.actions import shares_from_action

HIDDEN = (5, 4)
OPEN = np.ones(8, np.bool_)
SOME = np.array([1, 1, 1, 0, 1, 1, 0, 1], np.bool_)
NORMAL = Normalisation(np.full(N_FEATURES, 0.5), np.full(N_FEATURES, 2.0), np.asarray(0.01), np.asarray(3.0))


def weights(algorithm: str = "ppo", scale: float = 0.3) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(0)
    widths = (N_FEATURES, *HIDDEN, 8)
    tensors = {"value_net.weight": np.zeros((1, 4), np.float32)}
    for name, width_in, width_out in zip(layer_names(algorithm, 2), widths[:-1], widths[1:], strict=True):
        tensors[f"{name}.weight"] = rng.normal(0, scale, (width_out, width_in)).astype(np.float32)
        tensors[f"{name}.bias"] = rng.normal(0, scale, width_out).astype(np.float32)
    return tensors


def features(n: int) -> np.ndarray:
    return np.random.default_rng(1).normal(0, 5, (n, N_FEATURES)).astype(np.float32)


def oracle(algorithm: str, rows: np.ndarray) -> np.ndarray:
    """The network by numpy, in float64."""
    tensors, layout = weights(algorithm), LAYOUTS[algorithm]
    x = np.clip((rows.astype(np.float64) - 0.5) / math.sqrt(2.01), -3, 3)
    *hidden, head = layer_names(algorithm, 2)
    for name in hidden:
        x = x @ tensors[f"{name}.weight"].T + tensors[f"{name}.bias"]
        x = np.tanh(x) if layout.activation == "tanh" else np.maximum(x, 0)
    x = x @ tensors[f"{head}.weight"].T + tensors[f"{head}.bias"]
    return np.tanh(x) if layout.squash else x


@pytest.mark.parametrize("algorithm", LAYOUTS)
def test_it_is_the_network_of_each_algorithm(algorithm):
    rows = features(6)
    policy = LearnedPolicy.from_arrays(weights(algorithm), NORMAL, algorithm=algorithm)
    _, bound = outputs_bound(policy, rows)
    assert_within(policy.outputs(rows), oracle(algorithm, rows), bound)
    assert bound.max() < 2e-4, "the bound tells this network from others"


def test_the_names_are_those_of_stable_baselines():
    import gymnasium
    from stable_baselines3 import A2C, PPO, SAC, TD3

    class Null(gymnasium.Env):
        observation_space = gymnasium.spaces.Box(-np.inf, np.inf, (N_FEATURES,), np.float32)
        action_space = gymnasium.spaces.Box(-1, 1, (8,), np.float32)

        def reset(self, *, seed=None, options=None):
            return np.zeros(N_FEATURES, np.float32), {}

    learners = {"ppo": PPO, "a2c": A2C, "sac": SAC, "td3": TD3}
    assert learners.keys() == LAYOUTS.keys()
    rows = features(5)
    plain = Normalisation(np.zeros(N_FEATURES), np.ones(N_FEATURES), np.asarray(1e-12), np.asarray(1e6))
    for name, learner in learners.items():
        buffer = {"buffer_size": 10} if name in ("sac", "td3") else {"n_steps": 64}
        model = learner("MlpPolicy", Null(), seed=1, device="cpu", policy_kwargs={"net_arch": [5, 4]}, **buffer)
        arrays = {key: tensor.detach().numpy() for key, tensor in model.policy.state_dict().items()}
        ours = LearnedPolicy.from_arrays(arrays, plain, algorithm=name)
        theirs, _ = model.predict(rows, deterministic=True)
        assert_within(np.clip(ours.outputs(rows), -1, 1), theirs, 2 * outputs_bound(ours, rows)[1])


def test_softmax_shares_are_those_of_the_clipped_action():
    policy = LearnedPolicy.from_arrays(weights(scale=1.0), NORMAL)
    rows = features(6)
    assert (np.abs(policy.outputs(rows)) > 1).any()
    assert np.array_equal(policy.shares(rows, SOME), shares_from_action(policy.outputs(rows), SOME))


def test_dirichlet_shares_are_the_distributions_mean():
    policy = LearnedPolicy.from_arrays(weights(), NORMAL, "dirichlet")
    rows = features(6)
    shares = policy.shares(rows, SOME)
    assert not shares[:, ~SOME].any()
    for row, share in zip(concentration(policy.outputs(rows)), shares, strict=True):
        # Both are float64, from the same outputs: eight sums and a division, and here one rounding to float32.
        expected = dirichlet(row[SOME]).mean()
        assert_within(share[SOME], expected, rounded(expected) + rounded(expected, 2 * 10, np.float64))


def test_concentrations_are_one_plus_softplus():
    outputs = np.array([[-200, -1, 0, 0.5, 3, 200, 1e30, -1e30]], np.float32)
    x = outputs.astype(np.float64)
    expected = 1 + np.where(x > 50, x, np.log1p(np.exp(np.minimum(x, 50))))
    np.testing.assert_allclose(concentration(outputs), expected, rtol=1e-12)


@pytest.mark.parametrize("head", ["softmax", "dirichlet"])
def test_a_row_does_not_depend_on_its_batch(head):
    policy = LearnedPolicy.from_arrays(weights(), NORMAL, head)
    rows = features(33)
    whole = policy.shares(rows, SOME)
    alone = np.concatenate([policy.shares(rows[n : n + 1], SOME) for n in range(33)])
    assert np.array_equal(whole, alone)
    assert np.array_equal(policy.shares(rows[::-3], SOME), whole[::-3])


def test_it_answers_for_every_seat():
    policy = LearnedPolicy.from_arrays(weights(), NORMAL)
    rows = features(6)
    context = PolicyContext(Scenario(), 0, np.arange(3), np.zeros(3, np.int32), (0, 1), SOME)
    shares = policy(Observation(rows.reshape(3, 2, N_FEATURES), SOME), context)
    assert shares.shape == (3, 2, 8)
    assert shares.dtype == np.float32
    assert np.array_equal(shares.reshape(6, 8), policy.shares(rows, SOME))


def test_of_a_game_of_several_seats_of_thought_it_reads_what_every_game_tells():
    policy, world = LearnedPolicy.from_arrays(weights(), NORMAL), World(SEVERAL, 2, seed=1)
    players = SeatPolicies([policy] * 3)
    for _ in range(5):
        world.step(np.broadcast_to(np.eye(8)[1], (2, 3, 8)))
    assert (world.state.office_count > 1).all()
    rows = observe(world).features
    assert rows.shape[-1] > N_FEATURES
    plain = np.ascontiguousarray(rows[..., :N_FEATURES]).reshape(6, N_FEATURES)
    expected = policy.shares(plain, OPEN).reshape(2, 3, 8)
    assert np.array_equal(players.shares(world), expected)
    left_out = np.array([[True, False, False], [False, False, True]])
    assert np.array_equal(players.shares(world, left_out), np.where(left_out[..., None], np.float32(0), expected))


def test_a_learned_policy_wants_an_observation():
    context = PolicyContext(Scenario(), 0, np.arange(1), np.zeros(1, np.int32), (0,), OPEN)
    with pytest.raises(TypeError, match="observation"):
        LearnedPolicy.from_arrays(weights(), NORMAL)(None, context)


@pytest.mark.parametrize("head", ["softmax", "dirichlet"])
def test_nan_is_an_error_and_not_an_allocation(head):
    rows = features(2)
    rows[1, 3] = np.nan
    with pytest.raises(ActionError):
        LearnedPolicy.from_arrays(weights(), NORMAL, head).shares(rows, OPEN)


def test_the_arrays_are_copied():
    tensors = weights()
    policy = LearnedPolicy.from_arrays(tensors, NORMAL)
    before = policy.outputs(features(2))
    for tensor in tensors.values():
        tensor[...] = 0
    assert np.array_equal(policy.outputs(features(2)), before)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda t: t.pop("action_net.bias"), "lacks action_net.bias"),
        (lambda t: t.update({"action_net.bias": np.zeros(7, np.float32)}), "not float32"),
        (lambda t: t.update({"action_net.bias": np.zeros(8)}), "float64"),
        (lambda t: t["action_net.weight"].fill(np.nan), "NaN"),
        (lambda t: t.pop("mlp_extractor.policy_net.2.bias"), "not float32"),
    ],
    ids=["missing", "short", "float64", "nan", "a hidden layer lost"],
)
def test_arrays_that_do_not_fit_are_refused(change, message):
    tensors = weights()
    change(tensors)
    with pytest.raises(CheckpointError, match=message):
        LearnedPolicy.from_arrays(tensors, NORMAL)


@pytest.mark.parametrize("activation", [0, 1, 2])
@pytest.mark.parametrize("width", [3, 4, 9])
def test_the_compiled_layer_is_the_plain_one(activation, width):
    rng = np.random.default_rng(0)
    rows, weight, bias = (rng.normal(size=shape).astype(np.float32) for shape in ((3, width), (width, 5), (5,)))
    plain, compiled = np.empty((3, 5), np.float32), np.empty((3, 5), np.float32)
    _dense(rows, weight, bias, activation, plain)
    dense(rows, weight, bias, activation, compiled)
    assert np.array_equal(plain, compiled)


def test_the_compiled_scaling_is_the_plain_one_and_numpys():
    rng = np.random.default_rng(0)
    rows = rng.normal(0, 3, (4, 6)).astype(np.float32)
    mean, scale = rng.normal(size=6), rng.uniform(0.1, 2, 6)
    plain, compiled = np.empty_like(rows), np.empty_like(rows)
    _normalise(rows, mean, scale, 2.0, plain)
    normalise(rows, mean, scale, 2.0, compiled)
    assert np.array_equal(plain, compiled)
    assert np.array_equal(plain, np.clip((rows - mean) / scale, -2, 2).astype(np.float32))


def test_tanh_is_tanh():
    x = np.concatenate([np.linspace(-12, 12, 4001), [0, 1e-30, -1e-30, 1e-5, np.inf, -np.inf]]).astype(np.float32)
    values = np.array([tanh(one) for one in x]).astype(np.float32)
    np.testing.assert_allclose(values, np.tanh(x.astype(np.float64)), rtol=1e-6, atol=1e-30)
    assert (np.abs(values) <= 1).all()
    assert np.array_equal(values, np.array([_tanh(one) for one in x], np.float32))
    assert math.isnan(tanh(np.float32("nan")))
