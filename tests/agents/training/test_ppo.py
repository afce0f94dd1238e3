"""The leaner PPO makes Stable-Baselines3's weights, and leaves the rows of the dead out."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from bounds import assert_within, explained_bound, layers_bound, mean_bound, rounded
from face_games import WAR, scripted_rivals
from gymnasium import spaces
from stable_baselines3 import PPO
from stable_baselines3.common.callbacks import BaseCallback
from stable_baselines3.common.vec_env import VecNormalize
from toy_envs import ToyVecEnv

from civsim.agents.training.policies import DirichletPolicy, SoftmaxPolicy
from civsim.agents.training.ppo import LeanPPO, live_rows
from civsim.base.errors import ActionError, CivsimError
from civsim.faces.sb3 import WorldVecEnv

SMALL: dict[str, Any] = {"n_steps": 16, "batch_size": 32, "n_epochs": 3, "seed": 3, "device": "cpu"}
STEPS = 16 * 8 * 3


@pytest.fixture(autouse=True)
def _one_thread() -> Any:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def learnt(kind: type[PPO], env: Any = None, policy: str = "MlpPolicy", steps: int = STEPS, **settings: Any) -> PPO:
    return kind(policy, env or ToyVecEnv(), **(SMALL | settings)).learn(steps)


def same(one: PPO, other: PPO) -> bool:
    first, second = one.policy.state_dict(), other.policy.state_dict()
    return first.keys() == second.keys() and all(torch.equal(first[name], second[name]) for name in first)


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"ent_coef": 0.01},
        {"clip_range_vf": 0.2, "gae_lambda": 0.9, "gamma": 0.9},
        {"normalize_advantage": False, "max_grad_norm": 1e6},
        {"target_kl": 1e-4},
        {"learning_rate": lambda left: 1e-2 * left, "clip_range": lambda left: 0.3 * left},
        {"policy_kwargs": {"net_arch": [12], "log_std_init": -1.0, "activation_fn": torch.nn.ReLU}},
        {"policy_kwargs": {"share_features_extractor": False}},
        {"policy_kwargs": {"optimizer_class": torch.optim.RMSprop}},
        {"policy_kwargs": {"optimizer_kwargs": {"weight_decay": 0.1}}},
        {"n_steps": 15, "batch_size": 120},
    ],
    ids=lambda settings: " ".join(settings) or "default",
)
def test_the_weights_are_those_of_stable_baselines3_bit_for_bit(settings: dict[str, Any]) -> None:
    plain, lean = learnt(PPO, **settings), learnt(LeanPPO, **settings)
    assert same(plain, lean)
    moments, own = (model.policy.optimizer.state_dict()["state"] for model in (plain, lean))
    assert moments.keys() == own.keys()
    assert all(torch.equal(moments[place][name], own[place][name]) for place in moments for name in moments[place])


@pytest.mark.filterwarnings("ignore:You have specified a mini-batch size")
def test_a_last_minibatch_that_is_cut_short_is_that_of_stable_baselines3() -> None:
    assert same(learnt(PPO, batch_size=50), learnt(LeanPPO, batch_size=50))


def test_it_goes_on_from_where_stable_baselines3_stopped() -> None:
    def second(kind: type[PPO]) -> PPO:
        first = learnt(PPO)
        model = kind("MlpPolicy", ToyVecEnv(), **SMALL)
        model.set_parameters(first.get_parameters())
        return model.learn(STEPS)

    assert same(second(PPO), second(LeanPPO))


def test_what_is_logged_agrees_with_stable_baselines3(monkeypatch: pytest.MonkeyPatch) -> None:
    """Losses are the same bit for bit; their means are taken in float32 or float64, in one order or another."""
    kept: dict[str, Any] = {}
    log = LeanPPO._log

    def watched(model: LeanPPO, done: list[Any], epoch: list[Any]) -> None:
        kept.update(done=done, epoch=epoch, explained=model.rollout_buffer.live_values_and_returns())
        log(model, done, epoch)

    monkeypatch.setattr(LeanPPO, "_log", watched)
    plain, lean = (dict(learnt(kind).logger.name_to_value) for kind in (PPO, LeanPPO))
    means = {"entropy_loss": "entropy", "policy_gradient_loss": "policy", "value_loss": "value"}
    bounds = {
        f"train/{name}": 2 * mean_bound([getattr(losses, field).item() for losses in kept["done"]])
        for name, field in (means | {"clip_fraction": "clipped"}).items()
    }
    bounds["train/approx_kl"] = 2 * mean_bound([losses.divergence.item() for losses in kept["epoch"]])
    bounds["train/explained_variance"] = 2 * explained_bound(*kept["explained"])
    times = {name for name in plain if name.startswith("time/")}
    assert lean.keys() - plain.keys() == {"train/live_share"}
    assert bounds.keys() <= plain.keys()
    for name in plain.keys() - times:
        assert abs(float(lean[name]) - float(plain[name])) <= bounds.get(name, 0.0), name


def test_dirichlet_policies_learn_the_same_under_both() -> None:
    plain, lean = (
        learnt(kind, ToyVecEnv(box=(0.0, 1.0)), policy, ent_coef=0.001)  # type: ignore[arg-type]
        for kind, policy in ((PPO, DirichletPolicy), (LeanPPO, "DirichletPolicy"))
    )
    assert same(plain, lean)


def value_bound(model: PPO, features: np.ndarray) -> np.ndarray:
    """Error of the critic's value in float32, [rows]."""
    hidden = [layer for layer in model.policy.mlp_extractor.value_net if isinstance(layer, torch.nn.Linear)]
    layers = [
        (layer.weight.detach().numpy().T, layer.bias.detach().numpy()) for layer in (*hidden, model.policy.value_net)
    ]
    return layers_bound(features, layers, ["tanh"] * len(hidden) + [""])[1][:, 0]


def test_truncated_episodes_are_valued_in_one_batch_up_to_the_order_of_sums() -> None:
    class Rewards(BaseCallback):
        def _on_step(self) -> bool:
            infos = self.locals["infos"]
            ends.extend(info["terminal_observation"] for info in infos if "terminal_observation" in info)
            return True

        def _on_rollout_end(self) -> None:
            self.rewards = self.model.rollout_buffer.rewards.copy()

    ends: list[np.ndarray] = []
    watchers = []
    untaught = {"learning_rate": 0.0}  # so that the critic at the end is the one that valued
    for kind, truncated in ((PPO, True), (LeanPPO, True), (LeanPPO, False)):
        watchers.append(Rewards())
        env = ToyVecEnv(truncated=truncated, rows=14)
        model = kind("MlpPolicy", env, **SMALL | {"batch_size": 56} | untaught).learn(1, watchers[-1])
    plain, lean, ended = (watcher.rewards for watcher in watchers)
    added = lean != ended
    # What the critic owes at the worst of the ends it sees, discounted, and the rounding of γv and of the sum.
    bound = model.gamma * value_bound(model, np.stack(ends)).max() + rounded(np.abs(lean) + 2 * np.abs(lean - ended), 2)
    assert_within(lean, plain, np.where(added, 2 * bound, 0.0))
    assert bound.max() < 0.01 * np.abs(lean - ended)[added].mean(), "the bound tells a value from none"
    # 14 rows with episodes of 7 turns: two rows are cut off in every turn.
    assert (added.sum(axis=1) == 2).all()


def test_one_seed_makes_one_set_of_weights_and_another_seed_another() -> None:
    assert same(learnt(LeanPPO), learnt(LeanPPO))
    assert not same(learnt(LeanPPO), learnt(LeanPPO, seed=4))


def everyone(rows: int = 8) -> np.ndarray:
    return np.ones((7, rows), np.bool_)


def some_dead() -> np.ndarray:
    """Rows 0 and 3 are idle for a stretch, row 5 up to the end of the pattern."""
    live = everyone()
    live[2:5, 0] = live[4, 3] = live[3:, 5] = False
    return live


def test_without_idle_rows_the_mask_changes_nothing() -> None:
    assert same(learnt(PPO, ToyVecEnv(live=everyone())), learnt(LeanPPO, ToyVecEnv(live=everyone())))


def test_what_idle_rows_show_and_earn_has_no_effect() -> None:
    environments = [ToyVecEnv(live=some_dead()) for _ in range(2)]
    environments[1].junk = 77.0
    one, other = (learnt(LeanPPO, env, batch_size=32) for env in environments)
    assert same(one, other)
    assert not same(one, learnt(LeanPPO, ToyVecEnv(live=everyone())))


def test_idle_rows_are_found_through_wrappers() -> None:
    env = VecNormalize(ToyVecEnv(live=some_dead()))
    env.reset()
    assert np.array_equal(live_rows(env), some_dead()[0])  # type: ignore[arg-type]
    assert live_rows(ToyVecEnv()) is None
    assert learnt(LeanPPO, env).rollout_buffer.live.mean() < 1.0


def test_the_share_of_live_turns_is_logged() -> None:
    model = learnt(LeanPPO, ToyVecEnv(live=some_dead()), steps=16 * 8)
    expected = np.mean([some_dead()[turn % 7] for turn in range(16)])
    assert model.logger.name_to_value["train/live_share"] == pytest.approx(expected)


def test_a_rollout_without_a_live_row_updates_nothing() -> None:
    env = ToyVecEnv(live=np.zeros((7, 8), np.bool_))
    model = LeanPPO("MlpPolicy", env, **SMALL)
    before = {name: tensor.clone() for name, tensor in model.policy.state_dict().items()}
    model.learn(16 * 8)
    assert all(torch.equal(before[name], tensor) for name, tensor in model.policy.state_dict().items())


def test_a_callback_sees_the_names_it_knows_and_can_stop() -> None:
    class Watcher(BaseCallback):
        def _on_step(self) -> bool:
            names = {
                "infos",
                "dones",
                "rewards",
                "new_obs",
                "actions",
                "clipped_actions",
                "values",
                "log_probs",
                "live",
            }
            assert names <= self.locals.keys()
            return self.n_calls < 5

    model = LeanPPO("MlpPolicy", ToyVecEnv(), **SMALL)
    model.learn(STEPS, callback=Watcher())
    assert model.num_timesteps == 5 * 8


def test_finished_episodes_are_counted_once() -> None:
    plain, lean = learnt(PPO), learnt(LeanPPO)
    assert list(lean.ep_info_buffer or []) == list(plain.ep_info_buffer or [])
    assert len(lean.ep_info_buffer or []) > 0


def test_outside_of_an_update_every_parameter_has_memory_of_its_own() -> None:
    model = learnt(LeanPPO)
    owners = {parameter.untyped_storage().data_ptr() for parameter in model.policy.parameters()}
    assert len(owners) == len(list(model.policy.parameters()))
    for parameter in model.policy.parameters():
        assert parameter.untyped_storage().nbytes() == 4 * parameter.numel()


def test_an_update_that_fails_leaves_the_parameters_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    model = LeanPPO("MlpPolicy", ToyVecEnv(), **SMALL)
    monkeypatch.setattr(model, "_losses", lambda batch: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        model.learn(16 * 8)
    assert all(p.untyped_storage().nbytes() == 4 * p.numel() for p in model.policy.parameters())


def test_the_usual_name_of_the_policy_is_the_leaner_one() -> None:
    model = LeanPPO("MlpPolicy", ToyVecEnv(), **SMALL)
    assert type(model.policy) is SoftmaxPolicy
    names = set(model.policy.state_dict())
    assert names == set(PPO("MlpPolicy", ToyVecEnv(), **SMALL).policy.state_dict())
    assert {"mlp_extractor.policy_net.0.weight", "mlp_extractor.policy_net.2.bias", "action_net.weight"} <= names


def test_what_it_cannot_do_it_refuses() -> None:
    with pytest.raises(CivsimError, match="use_sde"):
        LeanPPO("MlpPolicy", ToyVecEnv(), use_sde=True, **SMALL)
    other = ToyVecEnv()
    other.action_space = spaces.Discrete(3)
    with pytest.raises(CivsimError, match="Box actions"):
        LeanPPO("MlpPolicy", other, **SMALL)
    with pytest.raises(ActionError, match="simplex"):
        LeanPPO("DirichletPolicy", ToyVecEnv(), **SMALL)


@pytest.mark.parametrize(("policy", "actions"), [("MlpPolicy", "softmax"), ("DirichletPolicy", "simplex")])
def test_worlds_in_which_learners_die_train_the_same_twice(policy: str, actions: Any) -> None:
    """Dead rows are told by the worlds themselves; one seed makes one set of weights on them too."""

    def trained() -> LeanPPO:
        env = WorldVecEnv(WAR, scripted_rivals(actions), 4, learners=WAR.game.civilizations, actions=actions)
        return LeanPPO(policy, env, n_steps=32, batch_size=64, n_epochs=2, seed=1, device="cpu").learn(1)

    one, other = trained(), trained()
    assert same(one, other)
    assert 0.0 < one.rollout_buffer.live.mean() < 1.0
    assert (one.rollout_buffer.observations[~one.rollout_buffer.live] == 0.0).all()
    assert (one.rollout_buffer.advantages[~one.rollout_buffer.live] == 0.0).all()
