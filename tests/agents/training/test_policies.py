"""The Dirichlet policy against scipy, and both policies' beginnings."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from gymnasium import spaces
from scipy import stats
from stable_baselines3 import A2C, PPO
from stable_baselines3.common.distributions import DiagGaussianDistribution
from toy_envs import ToyVecEnv

from civsim.agents.training.distributions import (
    EDGE,
    DirichletDistribution,
    concentration_of,
    gaussian_terms,
    head_of,
)
from civsim.agents.training.policies import LEAST_START, DirichletPolicy, SoftmaxPolicy
from civsim.agents.training.ppo import LeanPPO
from civsim.base.errors import ActionError, ScenarioError
from civsim.faces.actions import shares_from_action

ALL = [True] * 8
SOME = [True, True, False, True, False, True, True, False]
OPEN = pytest.mark.parametrize("opened", [ALL, SOME], ids=["all", "some"])
FEATURES = spaces.Box(-np.inf, np.inf, (5,), np.float32)
SIMPLEX = spaces.Box(0.0, 1.0, (8,), np.float32)
CUBE = spaces.Box(-1.0, 1.0, (8,), np.float32)


def heads(rows: int = 40, spread: float = 3.0) -> torch.Tensor:
    return torch.from_numpy(np.random.default_rng(1).normal(0.0, spread, (rows, 8)))


def drawn(head: torch.Tensor, opened: list[bool]) -> tuple[DirichletDistribution, torch.Tensor]:
    torch.manual_seed(0)
    distribution = DirichletDistribution(opened).proba_distribution(head)
    return distribution, distribution.sample()


@OPEN
def test_log_densities_means_and_entropies_are_scipys(opened: list[bool]) -> None:
    distribution, shares = drawn(heads(), opened)
    logs, entropies, means = distribution.log_prob(shares), distribution.entropy(), distribution.mode()
    for row, head in enumerate(heads().numpy()):
        c = 1.0 + np.log1p(np.exp(head[opened]))
        x = shares[row, opened].numpy()
        assert logs[row].item() == pytest.approx(stats.dirichlet.logpdf(x / x.sum(), c), rel=1e-9)
        assert entropies[row].item() == pytest.approx(stats.dirichlet.entropy(c), rel=1e-9)
        assert means[row, opened].numpy() == pytest.approx(stats.dirichlet.mean(c), rel=1e-12)


@OPEN
def test_shares_lie_on_the_simplex_and_closed_ones_are_exactly_0(opened: list[bool]) -> None:
    distribution, shares = drawn(heads(500, 8.0).float(), opened)
    closed = ~np.array(opened)
    for rows in (shares, distribution.mean(), distribution.get_actions(deterministic=True)):
        assert (rows[:, closed] == 0.0).all()
        assert rows.sum(1).numpy() == pytest.approx(1.0, abs=1e-5)
        assert (rows[:, opened] > 0.0).all()
        assert rows.max() <= 1.0


def test_samples_have_the_distributions_mean() -> None:
    head = heads(1).float().expand(20_000, 8)
    distribution, shares = drawn(head, SOME)
    c = distribution.concentration[0]
    error = (c / c.sum() * (1 - c / c.sum()) / (c.sum() + 1) / len(head)).sqrt().numpy()
    off = (shares.mean(0) - distribution.mean()[0])[SOME].numpy()
    assert (np.abs(off) < 4.5 * error).all()


def test_the_gradients_are_those_of_finite_differences() -> None:
    shares = drawn(heads(3), SOME)[1]
    head = heads(3).requires_grad_()

    def terms(head: torch.Tensor) -> tuple[torch.Tensor, ...]:
        distribution = DirichletDistribution(SOME).proba_distribution(head)
        return distribution.log_prob(shares), distribution.entropy(), distribution.mean()

    assert torch.autograd.gradcheck(terms, (head,))


def test_the_edge_of_the_simplex_is_safe() -> None:
    """A share of 0, or a head that has run away, gives finite logarithms and finite gradients."""
    head = torch.tensor([[0.0] * 8, [40.0] * 8, [-100.0] * 8, [200.0] + [-100.0] * 7]).requires_grad_()
    distribution = DirichletDistribution(ALL).proba_distribution(head)
    corner = torch.eye(8)[:4]
    total = distribution.log_prob(corner).sum() + distribution.entropy().sum() + distribution.mean().sum()
    total.backward()
    assert head.grad is not None
    assert torch.isfinite(total)
    assert torch.isfinite(head.grad).all()
    torch.manual_seed(0)
    samples = torch.cat([distribution.sample() for _ in range(200)])
    assert samples.min() >= EDGE * 0.999
    assert torch.isfinite(samples).all()


def test_a_sample_moved_from_the_edge_has_the_density_of_where_it_was_moved() -> None:
    distribution = DirichletDistribution([True, True]).proba_distribution(torch.tensor([[2.0, 3.0]]))
    assert distribution.log_prob(torch.tensor([[0.0, 1.0]])) == distribution.log_prob(torch.tensor([[EDGE, 1.0]]))


def test_a_head_is_the_inverse_of_a_concentration() -> None:
    head = torch.linspace(-20.0, 300.0, 200, dtype=torch.float64)
    assert head_of(concentration_of(head)).numpy() == pytest.approx(head.numpy(), rel=1e-6)


def test_one_open_category_leaves_nothing_to_choose() -> None:
    with pytest.raises(ScenarioError, match="1 of 8 categories open"):
        DirichletDistribution([True] + [False] * 7)


def test_the_gaussians_terms_and_gradients_are_stable_baselines3s_bit_for_bit() -> None:
    generator = torch.Generator().manual_seed(0)
    mean, actions = (torch.randn(64, 8, generator=generator, requires_grad=wanted) for wanted in (True, False))
    log_std = torch.randn(8, generator=generator).requires_grad_()
    theirs = DiagGaussianDistribution(8).proba_distribution(mean, log_std)
    pairs = zip((theirs.log_prob(actions), theirs.entropy()), gaussian_terms(mean, log_std, actions), strict=True)
    for wanted, ours in pairs:
        assert wanted is not None
        assert torch.equal(wanted, ours)
        for parameter in (mean, log_std):
            slopes = [
                torch.autograd.grad(
                    term.sin().sum(), parameter, retain_graph=True, allow_unused=True, materialize_grads=True
                )
                for term in (wanted, ours)
            ]
            assert torch.equal(slopes[0][0], slopes[1][0])


def policy(kind: type[Any], **settings: Any) -> Any:
    torch.manual_seed(0)
    return kind(FEATURES, CUBE if kind is SoftmaxPolicy else SIMPLEX, lambda _: 1e-3, **settings)


def first_shares(made: Any, opened: list[bool]) -> np.ndarray:
    action, _ = made.predict(np.zeros((1, 5), np.float32), deterministic=True)
    return action[0] if isinstance(made, DirichletPolicy) else shares_from_action(action, np.array(opened))[0]


@pytest.mark.parametrize("kind", [SoftmaxPolicy, DirichletPolicy])
@OPEN
def test_the_first_policy_can_be_started_anywhere(kind: type[Any], opened: list[bool]) -> None:
    shares = np.where(opened, [0.5, 0.2, 0.1, 0.1, 0.05, 0.02, 0.02, 0.01], 0.0)
    shares /= shares.sum()
    made = policy(kind, open_categories=opened, start_shares=shares.tolist())
    assert first_shares(made, opened) == pytest.approx(shares, abs=0.002)
    made.set_start(np.array(opened) / sum(opened))
    assert first_shares(made, opened) == pytest.approx(np.array(opened) / sum(opened), abs=0.002)


def test_a_dirichlet_starts_no_nearer_to_the_edge_than_it_can_learn_from() -> None:
    made = policy(DirichletPolicy, start_shares=[1.0] + [0.0] * 7)
    assert first_shares(made, ALL)[1:] == pytest.approx(LEAST_START, rel=0.05)


@pytest.mark.parametrize("kind", [SoftmaxPolicy, DirichletPolicy])
def test_shares_that_are_no_shares_are_refused(kind: type[Any]) -> None:
    for wrong in ([0.5, 0.5], [0.3] * 8, [np.nan] * 8, [2.0, -1.0] + [0.0] * 6):
        with pytest.raises(ActionError, match="sum to 1"):
            policy(kind, start_shares=wrong)
    with pytest.raises(ActionError, match="0 where a category is closed"):
        policy(kind, open_categories=SOME, start_shares=[0.125] * 8)
    with pytest.raises(ActionError, match="open_categories of shape"):
        policy(kind, open_categories=[True, False])


def test_spaces_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ActionError, match="actions='simplex'"):
        DirichletPolicy(FEATURES, CUBE, lambda _: 1e-3)
    with pytest.raises(ActionError, match="use_sde=True"):
        SoftmaxPolicy(FEATURES, CUBE, lambda _: 1e-3, use_sde=True)


def test_the_dirichlets_parameters_have_the_names_of_the_gaussians_without_its_deviation() -> None:
    assert set(policy(DirichletPolicy).state_dict()) == set(policy(SoftmaxPolicy).state_dict()) - {"log_std"}


@pytest.mark.parametrize("algorithm", [PPO, A2C, LeanPPO])
@pytest.mark.parametrize("kind", [SoftmaxPolicy, DirichletPolicy])
def test_every_on_policy_learner_trains_either_policy(algorithm: Any, kind: type[Any]) -> None:
    env = ToyVecEnv(box=(-1.0, 1.0) if kind is SoftmaxPolicy else (0.0, 1.0))
    settings: dict[str, Any] = {} if algorithm is A2C else {"batch_size": 32, "n_epochs": 2}
    model = algorithm(kind, env, n_steps=8, seed=0, device="cpu", **settings)
    before = model.policy.action_net.bias.clone()
    model.learn(128)
    assert not torch.equal(before, model.policy.action_net.bias)
    assert all(torch.isfinite(parameter).all() for parameter in model.policy.parameters())


def test_a_dirichlet_learns_what_pays() -> None:
    """The reward is −Σ |share − 0.3| over four categories: 0.3 in three of them at best, far from a corner."""
    env = ToyVecEnv(rows=32, box=(0.0, 1.0))
    model = LeanPPO(
        "DirichletPolicy",
        env,
        n_steps=16,
        batch_size=128,
        n_epochs=4,
        learning_rate=3e-3,
        gamma=0.0,
        seed=0,
        device="cpu",
    )
    model.policy.set_start([0.85, 0.05, 0.05, 0.05])

    def loss() -> float:
        actions, _ = model.predict(env.reset(), deterministic=True)
        return float(np.abs(actions - 0.3).sum(axis=1).mean())

    before = loss()
    model.learn(10_000)
    assert before > 1.2
    assert loss() < 0.6


def test_a_policy_saved_by_stable_baselines3_keeps_its_settings(tmp_path: Any) -> None:
    made = policy(DirichletPolicy, open_categories=SOME)
    made.save(tmp_path / "policy.pth")
    again = DirichletPolicy.load(tmp_path / "policy.pth")
    assert first_shares(again, SOME).tolist() == first_shares(made, SOME).tolist()
    assert (first_shares(again, SOME)[~np.array(SOME)] == 0.0).all()
