"""Train a policy with PPO, save it without pickle, and evaluate it on worlds it never met.

Only this module needs torch and Stable-Baselines3, and only when :func:`train` is called. One thread, one seed and one
scenario give the same weights bit for bit on one machine.
"""

from __future__ import annotations

import csv
import json
import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, Self

import numpy as np
from pydantic import Field, ValidationError, model_validator

from civsim.agents.checkpoint import CheckpointConfig, Normalisation, load_policy, save_checkpoint
from civsim.agents.evaluate import (
    FEWEST_WORLDS,
    HELD_OUT_FIRST,
    Comparison,
    evaluate,
    held_out,
    spending_shares,
    write_outcomes,
)
from civsim.agents.policy import Policy, PolicyContext, make_policy, policy_names, seat_policies
from civsim.base.config import Frozen, NonNegative, Positive, Probability, Scenario
from civsim.base.errors import CheckpointError
from civsim.base.files import atomic_folder
from civsim.engine.config import open_categories
from civsim.faces.actions import action_from_shares
from civsim.faces.gymnasium import check_seat, seat_of_world

if TYPE_CHECKING:
    from stable_baselines3 import PPO
    from stable_baselines3.common.vec_env import VecNormalize

    from civsim.faces.sb3 import WorldVecEnv

EVALUATION = "evaluation.json"
OUTCOMES = "evaluation.csv"
MONITOR = "monitor.csv"

Progress = Callable[[int, int, float], None]
"""Called after each rollout with (turns done, turns in all, mean return of the last episodes; NaN before any)."""


class TrainSettings(Frozen):
    """How to train. The weights follow from these, the scenario and the library versions alone."""

    algorithm: Literal["ppo"] = Field("ppo", description="proximal policy optimisation (Schulman et al. 2017)")
    steps: int = Field(200_000, ge=1, le=10**9, description="turns of experience, rounded up to whole rollouts")
    seed: int = Field(0, ge=0, lt=2**32, description="study seed of the worlds, and seed of the learner")
    seat: int | Literal["rotate"] = Field("rotate", description="the learner's seat; rotate: world id mod seats")
    worlds: int = Field(64, ge=1, le=65536, description="worlds played at once")
    rollout: int = Field(64, ge=1, le=65536, description="turns of each world between updates")
    batch: int = Field(1024, ge=2, le=10**7, description="minibatch (turns); divides worlds times rollout")
    epochs: int = Field(4, ge=1, le=1000, description="passes over a rollout")
    learning_rate: Positive = Field(1e-3, description="step of Adam")
    gamma: Probability = Field(0.99, description="discount of the learner, on top of the scenario's own")
    gae_lambda: Probability = Field(0.95, description="λ of generalised advantage estimation")
    clip: Positive = Field(0.2, description="clipping range of PPO")
    entropy: NonNegative = Field(0.0, description="weight of the entropy bonus")
    log_std: float = Field(0.0, ge=-10.0, le=2.0, description="first log s.d. of the actions")
    hidden: tuple[int, ...] = Field((64, 64), min_length=1, max_length=8, description="widths of the tanh layers")
    start: Literal["uniform", "fixed"] = Field("uniform", description="whose shares the first policy gives on average")
    feature_clip: Positive = Field(10.0, description="normalised features are clipped to ± this")
    feature_noise: Positive = Field(0.01, description="ε added to a feature's variance when it is normalised")
    evaluation_worlds: int = Field(200, ge=0, le=10**6, description="held-out worlds of the evaluation; 0 for none")
    threads: int = Field(1, ge=1, le=1024, description="threads of the engine; no result depends on it")
    device: Literal["cpu"] = Field("cpu", description="where the network is trained")

    @model_validator(mode="after")
    def _check(self) -> Self:
        if (self.worlds * self.rollout) % self.batch:
            total = self.worlds * self.rollout
            raise ValueError(f"batch={self.batch} does not divide worlds · rollout = {total}; choose a divisor")
        if 0 < self.evaluation_worlds < FEWEST_WORLDS:
            raise ValueError(
                f"evaluation_worlds={self.evaluation_worlds} is too few for an interval; "
                f"give 0 for no evaluation, or at least {FEWEST_WORLDS}"
            )
        return self


class TrainReport(NamedTuple):
    """Where everything is and what came out."""

    folder: Path
    steps: int  # turns of experience
    episodes: int
    comparisons: tuple[Comparison, ...]  # one for each policy it was evaluated against


def train_settings(**values: Any) -> TrainSettings:
    """Return training settings, checked.

    Raises:
        CheckpointError: a setting is unknown or out of range, in one line.
    """
    try:
        return TrainSettings(**values)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        name = ".".join(str(part) for part in first["loc"])
        message = " ".join(str(first["msg"]).removeprefix("Value error, ").split())
        where = f"{name}={first['input']!r}: " if name else ""
        raise CheckpointError(f"training: {where}{message}") from None


def train(
    scenario: Scenario,
    out: str | Path,
    settings: TrainSettings | None = None,
    progress: Progress | None = None,
) -> TrainReport:
    """Train a policy, save it under ``out``, and evaluate it against uniform and the scripted policies.

    The learner takes one seat of each world, the other seats follow the scenario. The folder appears only when all is
    done; it holds the checkpoint (:mod:`civsim.agents.checkpoint`), ``monitor.csv`` (one row an episode),
    ``evaluation.csv`` (one row a policy and held-out world) and ``evaluation.json`` (paired differences with 95 %
    bootstrap intervals). Folders above it that are missing are made once the checks have passed. Play it with the
    policy name ``file:OUT``.

    Raises:
        CheckpointError: ``out`` exists, or lies under something that is not a folder.
        ScenarioError: the seat, or a policy the scenario names, cannot be used.
    """
    chosen = settings or TrainSettings()
    check_seat(scenario, chosen.seat)
    target = _new_folder(out)
    target.parent.mkdir(parents=True, exist_ok=True)
    with atomic_folder(target) as folder:
        learnt = _learn(scenario, chosen, progress)
        save_checkpoint(folder, _config(scenario, chosen, learnt), learnt.weights, learnt.normalisation)
        _write_monitor(folder / MONITOR, learnt.episodes)
        comparisons: tuple[Comparison, ...] = ()
        if chosen.evaluation_worlds:
            comparisons = evaluate_folder(folder, scenario, chosen)
    return TrainReport(target, learnt.steps, len(learnt.episodes), comparisons)


def _new_folder(out: str | Path) -> Path:
    """Return ``out`` as a path that can become a new folder; nothing is made."""
    target = Path(out)
    if target.exists():
        raise CheckpointError(f"{str(target)!r} exists already; give the name of a new folder")
    nearest = next((above for above in target.parents if above.exists()), Path())
    if not nearest.is_dir():
        raise CheckpointError(f"{str(target)!r} lies under {str(nearest)!r}, a file; give the name of a new folder")
    return target


def evaluate_folder(folder: Path, scenario: Scenario, settings: TrainSettings) -> tuple[Comparison, ...]:
    """Evaluate the checkpoint in ``folder`` on held-out worlds, against every registered policy; write the results."""
    opponents = {name: make_policy(name, {}, scenario) for name in policy_names()}
    worlds, seed, seat = settings.evaluation_worlds, settings.seed, settings.seat
    comparisons, results = evaluate(
        scenario, load_policy(folder), opponents, worlds=worlds, seed=seed, seat=seat, threads=settings.threads
    )
    ids = held_out(worlds)
    seats = [seat_of_world(seat, int(world_id), scenario.game.civilizations) for world_id in ids]
    write_outcomes(folder / OUTCOMES, results, ids, seats)
    summary = {
        "scenario": scenario.name,
        "objective": scenario.game.objective,
        "seed": seed,
        "seat": seat,
        "worlds": worlds,
        "first_world_id": HELD_OUT_FIRST,
        "interval": "95 % percentile bootstrap of the mean paired difference, worlds resampled",
        "comparisons": [comparison._asdict() for comparison in comparisons],
        "spending": {name: spending_shares(result) for name, result in results.items()},
    }
    (folder / EVALUATION).write_text(json.dumps(summary, indent=2) + "\n", encoding="utf-8")
    return tuple(comparisons)


class _Learnt(NamedTuple):
    weights: dict[str, Any]
    normalisation: Normalisation
    episodes: list[dict[str, Any]]
    steps: int
    next_world: int


def _learn(scenario: Scenario, settings: TrainSettings, progress: Progress | None) -> _Learnt:
    """Run PPO and return what it learnt. The global generators that the libraries seed are put back afterwards."""
    from stable_baselines3.common.vec_env import VecNormalize

    from civsim.faces.sb3 import WorldVecEnv

    rivals = seat_policies(scenario)
    without = None if settings.seat == "rotate" else settings.seat
    with _own_generators():
        worlds = WorldVecEnv(
            scenario,
            lambda world: rivals.shares(world, without=without),
            settings.worlds,
            settings.seed,
            seat=settings.seat,
            threads=settings.threads,
        )
        scaled = VecNormalize(
            worlds,
            clip_obs=settings.feature_clip,
            gamma=settings.gamma,
            epsilon=settings.feature_noise,
        )
        model = _model(scaled, settings)
        if settings.start == "fixed":
            _start_from(model, make_policy("fixed", {}, scenario), worlds)
        watcher = _watcher(settings, progress)
        model.learn(total_timesteps=settings.steps, callback=watcher)
        weights = {name: tensor.detach().cpu().numpy() for name, tensor in model.policy.state_dict().items()}
    moments: Any = scaled.obs_rms
    normalisation = Normalisation(
        mean=np.asarray(moments.mean, np.float64),
        var=np.asarray(moments.var, np.float64),
        epsilon=np.asarray(settings.feature_noise, np.float64),
        clip=np.asarray(settings.feature_clip, np.float64),
    )
    return _Learnt(weights, normalisation, watcher.episodes, int(model.num_timesteps), worlds.next_world)


def _model(worlds: VecNormalize, settings: TrainSettings) -> PPO:
    from stable_baselines3 import PPO

    layers = list(settings.hidden)
    return PPO(
        "MlpPolicy",
        worlds,
        learning_rate=settings.learning_rate,
        n_steps=settings.rollout,
        batch_size=settings.batch,
        n_epochs=settings.epochs,
        gamma=settings.gamma,
        gae_lambda=settings.gae_lambda,
        clip_range=settings.clip,
        ent_coef=settings.entropy,
        policy_kwargs={"net_arch": {"pi": layers, "vf": layers}, "log_std_init": settings.log_std},
        seed=settings.seed,
        device=settings.device,
    )


def _start_from(model: PPO, policy: Policy, worlds: WorldVecEnv) -> None:
    """Set the head's bias so that the first policy gives, before any learning, about the shares ``policy`` gives.

    A zero action is an eighth to each category, 37.5 % to cognition: a learner stopped early looks like one that thinks
    too much. A second beginning shows how much of a result is its beginning.
    """
    import torch

    scenario, opened = worlds.scenario, open_categories(worlds.scenario).astype(np.bool_)
    context = PolicyContext(scenario, 0, np.zeros(1, np.int64), np.zeros(1, np.int32), (0,), opened)
    action = action_from_shares(policy(None, context)[0, 0], opened)
    head: Any = model.policy.action_net
    with torch.no_grad():
        head.bias.copy_(torch.as_tensor(action, dtype=torch.float32))


def _watcher(settings: TrainSettings, progress: Progress | None) -> Any:
    """Return a callback that keeps every finished episode and reports after each rollout."""
    from stable_baselines3.common.callbacks import BaseCallback

    class Watcher(BaseCallback):
        def __init__(self) -> None:
            super().__init__()
            self.episodes: list[dict[str, Any]] = []

        def _on_step(self) -> bool:
            for info in self.locals["infos"]:
                if "episode" in info:
                    self.episodes.append({**info["episode"], "steps": self.num_timesteps})
            return True

        def _on_rollout_end(self) -> None:
            if progress is not None:
                recent = [episode["r"] for episode in self.episodes[-settings.worlds :]]
                progress(self.num_timesteps, settings.steps, float(np.mean(recent)) if recent else float("nan"))

    return Watcher()


@contextmanager
def _own_generators() -> Iterator[None]:
    """Give the learner one thread of torch, and put back the global generators that its libraries seed."""
    import torch

    numpy_state, python_state, torch_state = np.random.get_state(), random.getstate(), torch.get_rng_state()  # noqa: NPY002
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)
        np.random.set_state(numpy_state)  # noqa: NPY002
        random.setstate(python_state)
        torch.set_rng_state(torch_state)


def _config(scenario: Scenario, settings: TrainSettings, learnt: _Learnt) -> CheckpointConfig:
    libraries = ("civsim", "numpy", "stable-baselines3", "torch")
    return CheckpointConfig(
        hidden=settings.hidden,
        scenario=_resolved(scenario),
        settings=settings.model_dump(mode="json"),
        seeds={
            "study": settings.seed,
            "learner": settings.seed,
            "training_worlds": [0, learnt.next_world - 1],
            "held_out_worlds": [HELD_OUT_FIRST, HELD_OUT_FIRST + settings.evaluation_worlds - 1],
        },
        versions={name: version(name) for name in libraries},
    )


def _resolved(scenario: Scenario) -> dict[str, Any]:
    """Return every setting of a scenario, in a form that makes the same scenario again."""
    tables = scenario.model_dump(exclude_none=True)
    if scenario.thinking.belief != "optimistic":
        del tables["thinking"]["optimism"]
    return tables


def _write_monitor(path: Path, episodes: list[dict[str, Any]]) -> None:
    """Write one row a finished episode: turns of experience so far, world, seat, length, return."""
    with path.open("w", encoding="utf-8", newline="") as handle:
        writer = csv.writer(handle, lineterminator="\n")
        writer.writerow(["steps", "world_id", "seat", "length", "return"])
        for episode in episodes:
            writer.writerow([episode["steps"], episode["world_id"], episode["seat"], episode["l"], repr(episode["r"])])
