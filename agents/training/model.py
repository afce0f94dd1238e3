"""From settings to a Stable-Baselines3 model on a batch of worlds, and back from the model to weights on disk."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from stable_baselines3 import A2C, PPO, SAC, TD3
from stable_baselines3.common.base_class import BaseAlgorithm
from stable_baselines3.common.noise import NormalActionNoise
from stable_baselines3.common.policies import BasePolicy

from civsim.agents.league import League
from civsim.agents.league_settings import LeagueSettings
from civsim.agents.network import Head, LearnedPolicy
from civsim.agents.policy import PolicyContext
from civsim.agents.registry import make_policy, seat_policies
from civsim.agents.training.normalise import LiveNormalize
from civsim.agents.training.policies import DirichletPolicy, SoftmaxPolicy
from civsim.agents.training.ppo import LeanPPO
from civsim.agents.training.settings import A2CSettings, PPOSettings, SACSettings, TD3Settings, TrainSettings
from civsim.base.constants import N_CATEGORIES
from civsim.base.errors import CheckpointError
from civsim.base.scenario import Scenario
from civsim.engine.compiled import open_categories, reward_discount
from civsim.engine.state import F32, F64
from civsim.engine.world import World
from civsim.faces.actions import ActionKind, action_from_shares
from civsim.faces.sb3 import WorldVecEnv
from civsim.faces.seats import Rivals

_ACTIONS: dict[Head, ActionKind] = {"softmax": "softmax", "dirichlet": "simplex"}
_ACTOR = "actor."


class Parts(NamedTuple):
    """What a training is made of."""

    model: BaseAlgorithm
    scaled: LiveNormalize
    worlds: WorldVecEnv
    league: League | None


def build(scenario: Scenario, settings: TrainSettings, league: League | None = None) -> Parts:
    """Return a fresh model on fresh worlds.

    Args:
        scenario: the game.
        settings: how to train.
        league: a league to go on with; where the settings ask for one and none is given, a new one is made.

    Raises:
        ScenarioError: the seat, the number of learners, or a policy the scenario names, cannot be used.
        CheckpointError: the device is not there.
    """
    n = scenario.game.civilizations
    if settings.rivals == "league" and settings.learners == n:
        raise CheckpointError(f"rivals=league has no seat to play: all {n} learn; lower learners, or drop rivals")
    if settings.device == "cuda" and not torch.cuda.is_available():
        raise CheckpointError("device=cuda: there is none that torch can use; give cpu or auto")
    if settings.rivals == "league" and league is None:
        own = settings.league or LeagueSettings()
        league = League(scenario, own, settings.seed, head=settings.policy, algorithm=settings.learner.name)
    worlds = WorldVecEnv(
        scenario,
        _scenario_rivals(scenario) if league is None else league,
        settings.worlds,
        settings.seed,
        learners=settings.learners,
        seat=settings.seat,
        actions=_ACTIONS[settings.policy],
        threads=settings.threads,
    )
    gamma = reward_discount(scenario)
    scaled = LiveNormalize(worlds, clip=settings.feature_clip, epsilon=settings.feature_noise, gamma=gamma)
    model = _model(scaled, scenario, settings, gamma)
    if isinstance(settings.learner, PPOSettings) and settings.learner.final_log_std is not None:
        _fix_noise(model)
    return Parts(model, scaled, worlds, league)


def _scenario_rivals(scenario: Scenario) -> Rivals:
    policies = seat_policies(scenario)

    def rivals(world: World, mask: NDArray[np.bool_]) -> F32:
        return policies.shares(world, without=mask)

    return rivals


def _model(env: LiveNormalize, scenario: Scenario, settings: TrainSettings, gamma: float) -> BaseAlgorithm:
    learner = settings.learner
    common: dict[str, Any] = {
        "env": env,
        "gamma": gamma,
        "seed": settings.seed,
        "device": settings.device,
        "learning_rate": _schedule(learner.learning_rate, learner.final_rate),
    }
    if isinstance(learner, SACSettings | TD3Settings):
        return _off_policy_model(learner, scenario, settings, common)
    common |= {
        "policy": DirichletPolicy if settings.policy == "dirichlet" else SoftmaxPolicy,
        "policy_kwargs": _on_policy_kwargs(scenario, settings, learner.log_std),
        "n_steps": learner.rollout,
        "gae_lambda": learner.gae_lambda,
        "ent_coef": learner.entropy,
        "vf_coef": learner.value_weight,
        "max_grad_norm": learner.max_grad_norm,
    }
    if isinstance(learner, A2CSettings):
        return A2C(**common)
    common |= {"batch_size": learner.batch, "n_epochs": learner.epochs, "clip_range": learner.clip}
    return (LeanPPO if learner.lean else PPO)(**common, target_kl=learner.target_kl)


def _off_policy_model(
    learner: SACSettings | TD3Settings, scenario: Scenario, settings: TrainSettings, common: dict[str, Any]
) -> BaseAlgorithm:
    common |= {
        "policy": "MlpPolicy",
        "policy_kwargs": {"net_arch": list(settings.hidden)},
        "batch_size": learner.batch,
        "buffer_size": learner.buffer,
        "learning_starts": learner.learning_starts,
        "tau": learner.tau,
        "train_freq": learner.train_freq,
        "gradient_steps": learner.gradient_steps,
    }
    model: Any
    if isinstance(learner, SACSettings):
        model = SAC(**common)
        head = model.policy.actor.mu
    else:
        spread = np.full(N_CATEGORIES, learner.noise)
        model = TD3(**common, action_noise=NormalActionNoise(np.zeros(N_CATEGORIES), spread))
        head = model.policy.actor.mu[-2]
    if settings.start == "fixed":
        opened = open_categories(scenario).astype(np.bool_)
        # Both squash their mean action by tanh; short of ±1, where its inverse is infinite.
        action = np.arctanh(np.clip(action_from_shares(_start_shares(scenario), opened), -0.99, 0.99))
        with torch.no_grad():
            head.bias.copy_(torch.as_tensor(action, dtype=torch.float32))
    return model


def _on_policy_kwargs(scenario: Scenario, settings: TrainSettings, log_std: float) -> dict[str, Any]:
    layers = list(settings.hidden)
    kwargs: dict[str, Any] = {
        "net_arch": {"pi": layers, "vf": layers},
        "open_categories": open_categories(scenario).astype(bool).tolist(),
    }
    if settings.policy == "softmax":
        kwargs["log_std_init"] = log_std
    if settings.start == "fixed":
        kwargs["start_shares"] = _start_shares(scenario).tolist()
    return kwargs


def _start_shares(scenario: Scenario) -> F64:
    """Return the shares of the ``fixed`` policy, float64 [8]: 5 % on cognition where its defaults are open."""
    opened = open_categories(scenario).astype(np.bool_)
    context = PolicyContext(scenario, 0, np.zeros(1, np.int64), np.zeros(1, np.int32), (0,), opened)
    shares = make_policy("fixed", {}, scenario)(None, context)[0, 0].astype(np.float64)
    return shares / shares.sum()


def _schedule(first: float, last: float | None) -> float | Callable[[float], float]:
    """Return a learning rate that falls linearly with what remains, from 1 to 0; a last whole rollout goes below."""
    if last is None:
        return first

    def rate(remaining: float) -> float:
        return last + (first - last) * max(remaining, 0.0)

    return rate


def _fix_noise(model: BaseAlgorithm) -> None:
    """Take the s.d. of the actions from what is learnt: :func:`set_noise` says what it is."""
    policy: Any = policy_of(model)
    policy.log_std.requires_grad_(False)
    learnt = [parameter for parameter in policy.parameters() if parameter.requires_grad]
    policy.optimizer = policy.optimizer_class(learnt, lr=model.lr_schedule(1), **policy.optimizer_kwargs)


def set_noise(model: BaseAlgorithm, settings: TrainSettings) -> None:
    """Set the s.d. of the actions to where it should be by now, if the settings say how it falls.

    A learner that explores plays the equilibrium of a noisy game; where an equilibrium is asked for, noise must fall.
    """
    learner = settings.learner
    if not isinstance(learner, PPOSettings) or learner.final_log_std is None:
        return
    done = min(model.num_timesteps / settings.steps, 1.0)
    log_std: Any = policy_of(model).log_std
    log_std.data.fill_(learner.log_std + (learner.final_log_std - learner.log_std) * done)


def actor_weights(model: BaseAlgorithm) -> dict[str, NDArray[Any]]:
    """Return what a checkpoint keeps of the network: everything of an actor-critic, the actor of SAC and TD3."""
    state = policy_of(model).state_dict()
    kept = {name: tensor for name, tensor in state.items() if name.startswith(_ACTOR)} or state
    return {name: tensor.detach().cpu().numpy().copy() for name, tensor in kept.items()}


def policy_of(model: BaseAlgorithm) -> BasePolicy:
    """Return the model's network.

    Raises:
        CheckpointError: the model has none.
    """
    if model.policy is None:
        raise CheckpointError("the model has no policy; make it with build()")
    return model.policy


def player(parts: Parts, settings: TrainSettings) -> LearnedPolicy:
    """Return the policy as it is now, played without torch and without exploration."""
    return LearnedPolicy.from_arrays(
        actor_weights(parts.model), parts.scaled.moments(), settings.policy, algorithm=settings.learner.name
    )
