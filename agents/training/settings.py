"""How to train: what every algorithm needs, and one class of settings for each algorithm.

A setting that does not apply to the algorithm chosen is refused, not ignored.
"""

from __future__ import annotations

import difflib
import math
from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import Field, ValidationError, model_validator

from civsim.agents.league_settings import LeagueSettings
from civsim.agents.network import MAX_WIDTH
from civsim.base.errors import CheckpointError
from civsim.base.scenario import Frozen, NonNegative, Positive, Probability

FEWEST_EPISODES = 2
"""An evaluation during training needs more than one world."""

Width = Annotated[int, Field(ge=1, le=MAX_WIDTH)]


class PPOSettings(Frozen):
    """Proximal policy optimisation (Schulman et al. 2017)."""

    name: Literal["ppo"] = "ppo"
    rollout: int = Field(64, ge=1, le=65536, description="turns of each row between updates")
    batch: int = Field(512, ge=2, le=10**7, description="minibatch (turns); divides rows times rollout")
    epochs: int = Field(10, ge=1, le=1000, description="passes over a rollout")
    learning_rate: Positive = Field(1e-3, description="step of Adam at the beginning")
    final_rate: NonNegative | None = Field(
        None, description="step of Adam at the end, linear between; constant if left out"
    )
    gae_lambda: Probability = Field(0.95, description="λ of generalised advantage estimation (Schulman et al. 2016)")
    clip: Positive = Field(0.2, description="clipping range of the probability ratio")
    entropy: NonNegative = Field(0.0, description="weight of the entropy bonus")
    value_weight: NonNegative = Field(0.5, description="weight of the value loss")
    max_grad_norm: Positive = Field(0.5, description="gradients are clipped to this norm")
    target_kl: Positive | None = Field(None, description="stop a rollout's updates beyond 1.5 times this divergence")
    log_std: float = Field(0.0, ge=-10.0, le=2.0, description="first log s.d. of softmax actions")
    final_log_std: float | None = Field(
        None, ge=-10.0, le=2.0, description="log s.d. at the end, linear between and not learnt; learnt if left out"
    )
    lean: bool = Field(True, description="false: Stable-Baselines3's own PPO, the same weights more slowly")


class A2CSettings(Frozen):
    """Advantage actor-critic (Mnih et al. 2016)."""

    name: Literal["a2c"] = "a2c"
    rollout: int = Field(8, ge=1, le=65536, description="turns of each row between updates")
    learning_rate: Positive = Field(7e-4, description="step of RMSprop at the beginning")
    final_rate: NonNegative | None = Field(None, description="step at the end, linear between; constant if left out")
    gae_lambda: Probability = Field(1.0, description="λ of generalised advantage estimation")
    entropy: NonNegative = Field(0.0, description="weight of the entropy bonus")
    value_weight: NonNegative = Field(0.5, description="weight of the value loss")
    max_grad_norm: Positive = Field(0.5, description="gradients are clipped to this norm")
    log_std: float = Field(0.0, ge=-10.0, le=2.0, description="first log s.d. of softmax actions")


class OffPolicySettings(Frozen):
    """What SAC and TD3 share."""

    batch: int = Field(256, ge=2, le=10**7, description="minibatch (turns)")
    buffer: int = Field(200_000, ge=1, le=10**8, description="turns that the replay buffer holds")
    learning_starts: int = Field(5_000, ge=0, le=10**9, description="turns of random actions before the first update")
    learning_rate: Positive = Field(3e-4, description="step of Adam at the beginning")
    final_rate: NonNegative | None = Field(None, description="step at the end, linear between; constant if left out")
    tau: Probability = Field(0.005, description="share by which the target networks follow")
    train_freq: int = Field(1, ge=1, le=65536, description="turns of each row between updates")
    gradient_steps: int = Field(8, ge=1, le=65536, description="updates at a time")


class SACSettings(OffPolicySettings):
    """Soft actor-critic (Haarnoja et al. 2018), its temperature learnt."""

    name: Literal["sac"] = "sac"


class TD3Settings(OffPolicySettings):
    """Twin delayed deep deterministic policy gradient (Fujimoto et al. 2018)."""

    name: Literal["td3"] = "td3"
    noise: NonNegative = Field(0.1, description="s.d. of the exploration noise")


LEARNERS: Mapping[str, type[Frozen]] = {
    "ppo": PPOSettings,
    "a2c": A2CSettings,
    "sac": SACSettings,
    "td3": TD3Settings,
}
"""The algorithms and their settings."""

Learner = Annotated[PPOSettings | A2CSettings | SACSettings | TD3Settings, Field(discriminator="name")]
ON_POLICY = ("ppo", "a2c")


class TrainSettings(Frozen):
    """How to train. The weights follow from these, the scenario and the library versions alone."""

    learner: Learner = Field(default_factory=lambda: PPOSettings(), description="algorithm and its settings")
    steps: int = Field(120_000, ge=1, le=10**9, description="turns of experience, rounded up to whole rollouts")
    seed: int = Field(0, ge=0, lt=2**32, description="study seed of the worlds, and seed of the learner")
    policy: Literal["softmax", "dirichlet"] = Field("softmax", description="what the network's last layer stands for")
    start: Literal["uniform", "fixed"] = Field("uniform", description="whose shares the first policy gives on average")
    hidden: tuple[Width, ...] = Field((64, 64), min_length=1, max_length=8, description="widths of the hidden layers")
    worlds: int = Field(64, ge=1, le=65536, description="worlds played at once")
    learners: int = Field(1, ge=1, le=8, description="seats of each world that learn; they share one policy")
    seat: int | Literal["rotate"] = Field("rotate", description="the learner's seat; rotate: world id mod seats")
    rivals: Literal["scenario", "league"] = Field("scenario", description="who plays the seats that do not learn")
    league: LeagueSettings | None = Field(None, description="settings of the league, where there is one")
    feature_clip: Positive = Field(10.0, description="normalised features and rewards are clipped to ± this")
    feature_noise: Positive = Field(0.01, description="ε added to a variance when features and rewards are normalised")
    eval_freq: int = Field(40_000, ge=0, le=10**9, description="turns between evaluations; 0 for none")
    eval_episodes: int = Field(32, ge=FEWEST_EPISODES, le=10**6, description="validation worlds of an evaluation")
    save_freq: int = Field(40_000, ge=0, le=10**9, description="turns between checkpoints; 0 for the end only")
    threads: int = Field(1, ge=1, le=256, description="threads of the engine; no result depends on it")
    device: Literal["cpu", "cuda", "auto"] = Field("cpu", description="where the network is trained")

    @property
    def rows(self) -> int:
        """Rows of experience gathered at once: worlds times learners."""
        return self.worlds * self.learners

    @model_validator(mode="after")
    def _check(self) -> Self:
        learner = self.learner
        if isinstance(learner, PPOSettings) and (self.rows * learner.rollout) % learner.batch:
            raise ValueError(
                f"batch={learner.batch} does not divide worlds · learners · rollout = {self.rows * learner.rollout}; "
                "choose a divisor"
            )
        if self.learners > 1 and self.seat != "rotate":
            raise ValueError(f"seat={self.seat} holds one learner, not {self.learners}; use seat=rotate or learners=1")
        if self.learners > 1 and not (isinstance(learner, PPOSettings) and learner.lean):
            raise ValueError(
                f"learners={self.learners} is for ppo with lean=true, which alone leaves out the rows of the dead; "
                "use learners=1"
            )
        if not self.eval_freq and self.eval_episodes != type(self).model_fields["eval_episodes"].default:
            raise ValueError("eval_episodes has no effect while eval_freq=0; drop it or raise eval_freq")
        if self.league is not None and self.rivals != "league":
            raise ValueError("league has no effect unless rivals=league; drop it or set rivals")
        if self.policy == "dirichlet" and learner.name not in ON_POLICY:
            raise ValueError(f"policy=dirichlet is for {' and '.join(ON_POLICY)}, not {learner.name}; use softmax")
        if self.policy == "dirichlet" and isinstance(learner, PPOSettings | A2CSettings) and learner.log_std:
            raise ValueError("log_std has no effect with policy=dirichlet; drop it")
        if self.policy == "dirichlet" and isinstance(learner, PPOSettings) and learner.final_log_std is not None:
            raise ValueError("final_log_std has no effect with policy=dirichlet; drop it")
        return self


_COMMON = tuple(name for name in TrainSettings.model_fields if name not in ("learner", "league"))
_LEAGUE = "league."


def train_settings(algorithm: str = "ppo", **values: Any) -> TrainSettings:
    """Return training settings from flat names, checked: those of :class:`TrainSettings` and of the algorithm.

    A setting of the league is called ``league.NAME`` (pass it as ``**{"league.every": 50_000}``).

    Args:
        algorithm: ppo, a2c, sac or td3.
        **values: settings by name; what is left out has its default.

    Raises:
        CheckpointError: a setting is unknown, does not apply, or is out of range, in one line.
    """
    if algorithm not in LEARNERS:
        raise CheckpointError(f"training: algorithm {algorithm!r} is unknown; use one of {', '.join(LEARNERS)}")
    own = [name for name in LEARNERS[algorithm].model_fields if name != "name"]
    league_names = [_LEAGUE + name for name in LeagueSettings.model_fields]
    known = (*_COMMON, *own, *league_names)
    for name in values:
        if name not in known:
            raise CheckpointError(f"training: {algorithm} has no setting {name!r}{_hint(name, known)}")
    if algorithm == "ppo" and "batch" not in values:
        values["batch"] = _fitting_batch(values)
    tables: dict[str, Any] = {name: value for name, value in values.items() if name in _COMMON}
    tables["learner"] = {"name": algorithm, **{name: value for name, value in values.items() if name in own}}
    league = {name.removeprefix(_LEAGUE): value for name, value in values.items() if name.startswith(_LEAGUE)}
    if league or values.get("rivals") == "league":
        tables["league"] = league
    return checked_settings(tables)


def _fitting_batch(values: Mapping[str, Any]) -> int:
    """Return the largest minibatch up to the usual one that divides a rollout, where the numbers given make sense."""
    usual = PPOSettings.model_fields["batch"].default
    defaults = {**TrainSettings.model_fields, **PPOSettings.model_fields}
    sizes = [values.get(name, defaults[name].default) for name in ("worlds", "learners", "rollout")]
    if not all(isinstance(size, int) and size > 0 for size in sizes):
        return int(usual)
    turns = math.prod(sizes)
    return max(size for size in range(1, min(usual, turns) + 1) if turns % size == 0)


def checked_settings(tables: Mapping[str, Any]) -> TrainSettings:
    """Return settings from the tables of :meth:`TrainSettings.model_dump`.

    Raises:
        CheckpointError: they are not settings of this release, in one line.
    """
    try:
        return TrainSettings.model_validate(dict(tables))
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = [str(part) for part in first["loc"] if part != "learner" and part not in LEARNERS]
        message = " ".join(str(first["msg"]).removeprefix("Value error, ").split())
        where = f"{'.'.join(place)}={first['input']!r}: " if place else ""
        raise CheckpointError(f"training: {where}{message}") from None


def flat_settings(settings: TrainSettings) -> dict[str, Any]:
    """Return settings under the flat names that :func:`train_settings` takes, ``algorithm`` among them."""
    tables = settings.model_dump(mode="json")
    learner, league = tables.pop("learner"), tables.pop("league")
    flat = {"algorithm": learner.pop("name"), **tables, **learner}
    return flat | {_LEAGUE + name: value for name, value in (league or {}).items()}


def _hint(name: str, known: tuple[str, ...]) -> str:
    close = difflib.get_close_matches(name, known, n=1)
    return f"; did you mean {close[0]!r}?" if close else f"; it has {', '.join(known)}"
