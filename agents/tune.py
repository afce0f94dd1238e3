"""Search the settings of training: which learn most, by a study that can be stopped and gone on with.

A trial trains with some settings, from a few seeds, and is worth the mean objective that its policies reach on
validation worlds, which are neither trained on nor held out for evaluation. Settings are proposed by the
tree-structured Parzen estimator (Bergstra et al. 2011); a trial whose running mean is below the median of earlier
trials after as many seeds is given up. Every seed is a function of the study's seed and of the trial's place among
those that count, so that a study that was stopped and gone on with makes the same trials as one that was not. One
process at a time works on a study; a second one is refused.
"""

from __future__ import annotations

import json
import math
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from civsim.agents.checkpoint import brief, load_policy, scenario_tables
from civsim.agents.evaluate import outcomes, validation
from civsim.agents.training.settings import TrainSettings, train_settings
from civsim.agents.tune_space import ALGORITHM, Between, OneOf, check_given, propose, searched
from civsim.base.constants import RULES_VERSION, Objective
from civsim.base.errors import CheckpointError, ScenarioError
from civsim.base.owner import LOCK, owned_by
from civsim.base.scenario import Scenario

if TYPE_CHECKING:
    import optuna

STUDY = "civsim"
STARTUP = 8
"""Trials drawn at random before the estimator proposes any."""

PRUNE_AFTER = 4
"""Trials that must have ended before one is given up."""

SQLITE, JOURNAL = ENDINGS = (".db", ".journal")
"""Files a study can be kept in, by their endings."""

_ASKED, _SCORES, _CPU, _SETTINGS, _ERROR = "asked", "scores", "cpu_seconds", "settings", "error"
_FREE = ("trials", "threads")
_LONGEST, _LONGEST_LINE = 200, 100_000

Learner = Callable[[Scenario, Path, TrainSettings], tuple[bool, float]]
"""Trains into a new folder, which ``load_policy`` can then play; returns whether it came to its end without an
interrupt, and its CPU-seconds."""


class TuneSettings(NamedTuple):
    """What a study is. Everything but ``trials`` and ``threads`` must stay the same when it goes on."""

    trials: int = 50  # trials in all that count: complete or given up
    steps: int = 200_000  # turns of experience a training
    seeds: int = 3  # trainings a trial
    worlds: int = 64  # validation worlds
    seed: int = 0  # of the study
    threads: int = 1  # of the engine; no result depends on it
    fixed: Mapping[str, Any] = {}  # settings that are given and not searched, under the flat names of train_settings


class _Job(NamedTuple):
    """What every trial needs."""

    scenario: Scenario
    settings: TuneSettings
    space: Mapping[str, Between | OneOf]
    learner: Learner


class Trial(NamedTuple):
    """A trial that counts."""

    number: int  # place among those that count, from 0
    pruned: bool  # given up: below the median, or its training failed
    scores: tuple[float, ...]  # mean objective on the validation worlds, one a training seed
    cpu_seconds: float  # of training, mean over its seeds
    settings: Mapping[str, Any]  # those that were searched, by name
    error: str  # why its training failed, or empty

    @property
    def mean(self) -> float:
        """The mean objective over its seeds; NaN where there is none."""
        return math.fsum(self.scores) / len(self.scores) if self.scores else math.nan

    @property
    def per_cpu_second(self) -> float:
        """The mean objective over the CPU-seconds of a training; NaN where there is none."""
        return self.mean / self.cpu_seconds if self.scores and self.cpu_seconds > 0.0 else math.nan


class TuneReport(NamedTuple):
    """What a study found."""

    trials: tuple[Trial, ...]  # those that count, in order
    kept: int  # of them, those that were there before
    interrupted: bool

    def best(self, most: int = 1) -> tuple[Trial, ...]:
        """Return the best complete trials, the best one first."""
        complete = [trial for trial in self.trials if not trial.pruned]
        return tuple(sorted(complete, key=lambda trial: -trial.mean)[:most])


def tune(
    scenario: Scenario,
    storage: str | Path,
    settings: TuneSettings | None = None,
    *,
    learner: Learner | None = None,
    report: Callable[[Trial], object] | None = None,
) -> TuneReport:
    """Search the settings of PPO on a scenario, and return what was found. Ctrl-C ends it and keeps what is done.

    Args:
        scenario: the game; the mean of its objective, in the objective's own unit, is what is sought.
        storage: file of the study, SQLite (``.db``) or a journal (``.journal``); one that is there is gone on with.
        settings: of the study.
        learner: trains; left out, :func:`civsim.agents.training.run.train`.
        report: called with every trial that has ended.

    Raises:
        CheckpointError: optuna is not installed; the file is no study, or one of other settings; a setting is unknown
            or out of range; or every trial failed.
        ScenarioError: the scenario cannot be played.
    """
    chosen = settings or TuneSettings()
    job = _Job(scenario, chosen, searched(chosen.fixed), learner or _train)
    _check(job)
    with _study(Path(storage), _asked(job)) as study:
        kept = len(_counting(study))
        interrupted = False
        try:
            while (number := len(_counting(study))) < chosen.trials:
                trial = _one_trial(study, number, job)
                if report is not None:
                    report(trial)
        except KeyboardInterrupt:
            interrupted = True
        trials = tuple(_read(number, frozen) for number, frozen in enumerate(_counting(study)))
    if trials and all(trial.error for trial in trials):
        raise CheckpointError(f"all {len(trials)} trials failed, the first with: {brief(trials[0].error, _LONGEST)}")
    return TuneReport(trials, kept, interrupted)


def _check(job: _Job) -> None:
    """Say what is wrong with what was given before anything is learnt or written."""
    try:
        import optuna as _  # noqa: F401
    except ModuleNotFoundError as error:
        raise CheckpointError(f"tuning needs {error.name}; pip install 'civsim[tune]'") from None
    settings = job.settings
    for name in ("trials", "steps", "seeds", "worlds"):
        if getattr(settings, name) < 1:
            raise CheckpointError(f"{name}={getattr(settings, name)} is below 1; raise it")
    if taken := sorted({"steps", "threads", "seed"} & settings.fixed.keys()):
        raise CheckpointError(f"{taken[0]} is the study's to set; give it as --{taken[0]}")
    check_given(settings.fixed, job.space)
    validation(settings.worlds)


def _train(scenario: Scenario, out: Path, settings: TrainSettings) -> tuple[bool, float]:
    from civsim.agents.training.run import train

    report = train(scenario, out, settings)
    return report.finished, report.cpu_seconds


def _asked(job: _Job) -> dict[str, Any]:
    """Return what fixes a study's trials, as plain JSON."""
    asked = {**job.settings._asdict(), "scenario": scenario_tables(job.scenario), "rules": RULES_VERSION}
    plain: dict[str, Any] = json.loads(json.dumps({k: v for k, v in asked.items() if k not in _FREE}))
    return plain


@contextmanager
def _study(path: Path, asked: dict[str, Any]) -> Iterator[optuna.Study]:
    """Open or begin the study in a file, which has one owner; optuna keeps silent meanwhile, and closes it after."""
    if path.suffix not in ENDINGS:
        raise CheckpointError(f"storage={str(path)!r} does not end in {' or '.join(ENDINGS)}; rename it")
    if path.is_dir() or not path.parent.is_dir():
        raise CheckpointError(f"storage={str(path)!r} is a folder, or lies in none; give a file in an existing folder")
    with owned_by(path.with_name(f".{path.name}{LOCK}"), path, CheckpointError), _opened(path, asked) as study:
        yield study


@contextmanager
def _opened(path: Path, asked: dict[str, Any]) -> Iterator[optuna.Study]:
    import optuna

    verbosity = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    storage = None
    try:
        try:
            storage = _storage(path)
            pruner = optuna.pruners.MedianPruner(n_startup_trials=PRUNE_AFTER)
            study = optuna.create_study(
                storage=storage, study_name=STUDY, direction="maximize", load_if_exists=True, pruner=pruner
            )
        except Exception as error:  # of whatever library reads the file
            raise CheckpointError(f"storage={str(path)!r} is no study ({brief(error)}); name a new file") from None
        _check_asked(study, asked, path)
        yield study
    finally:
        if isinstance(storage, optuna.storages.RDBStorage):
            storage.remove_session()
            storage.engine.dispose()
        optuna.logging.set_verbosity(verbosity)


def _storage(path: Path) -> optuna.storages.BaseStorage:
    from optuna.storages import JournalStorage, RDBStorage
    from optuna.storages.journal import JournalFileBackend

    if path.suffix == SQLITE:
        return RDBStorage(f"sqlite:///{path.resolve()}")
    if path.is_file() and path.stat().st_size:
        # Looked into here, because a journal is appended to before it is read.
        with path.open("rb") as handle:
            json.loads(handle.readline(_LONGEST_LINE))["op_code"]
    return JournalStorage(JournalFileBackend(str(path)))


def _check_asked(study: optuna.Study, asked: dict[str, Any], path: Path) -> None:
    """Write what is asked into a new study; compare it with that of an old one."""
    before = study.user_attrs.get(_ASKED)
    if before is None:
        study.set_user_attr(_ASKED, asked)
        return
    if different := [name for name in asked if asked[name] != before.get(name)]:
        name = different[0]
        was = "another one" if name == "scenario" else f"{brief(before.get(name))}, not {brief(asked[name])}"
        raise CheckpointError(f"storage={str(path)!r} holds a study whose {name} is {was}; name a new file")


def _counting(study: optuna.Study) -> list[optuna.trial.FrozenTrial]:
    """Return the trials that count, in order: complete or given up, not those that were interrupted."""
    trials = study.get_trials(deepcopy=False)
    return [trial for trial in trials if trial.state.name in ("COMPLETE", "PRUNED")]


def _one_trial(study: optuna.Study, number: int, job: _Job) -> Trial:
    """Propose, train, evaluate and record one trial; interrupted, it is recorded as one that does not count."""
    from optuna.samplers import TPESampler
    from optuna.trial import TrialState

    # A sampler for each trial, and none that waits for running trials: what is proposed follows from the study's seed,
    # the trial's number, and the trials that count.
    seed = _seed(job.settings.seed, number)
    study.sampler = TPESampler(seed=seed, n_startup_trials=STARTUP, constant_liar=False)
    trial = study.ask()
    try:
        found = propose(trial, job.space, job.settings.fixed)
        trial.set_user_attr(_SETTINGS, found)
        value = _learn(trial, number, found, job)
    except BaseException:
        study.tell(trial, state=TrialState.FAIL)
        raise
    study.tell(trial, value, TrialState.PRUNED if value is None else TrialState.COMPLETE)
    return _read(number, study.get_trials(deepcopy=False)[trial.number])


def _learn(trial: optuna.Trial, number: int, found: Mapping[str, Any], job: _Job) -> float | None:
    """Train from every seed and return the mean score, or None where the trial was given up; record as it goes."""
    scores: list[float] = []
    seconds: list[float] = []
    settings = job.settings
    for place in range(settings.seeds):
        own = {"steps": settings.steps, "threads": settings.threads, "seed": _seed(settings.seed, number, place)}
        # It is judged once, at the end.
        own |= {"eval_freq": 0, "save_freq": 0}
        asked = train_settings(**{"algorithm": ALGORITHM, **settings.fixed, **found, **own})
        try:
            score, cpu = _score(asked, job)
        except ScenarioError:
            raise
        except ValueError as error:  # weights that ran off to infinity or NaN
            trial.set_user_attr(_ERROR, brief(error, _LONGEST))
            return None
        scores.append(score)
        seconds.append(cpu)
        mean = math.fsum(scores) / len(scores)
        trial.set_user_attr(_SCORES, scores)
        trial.set_user_attr(_CPU, math.fsum(seconds) / len(seconds))
        trial.report(mean, place + 1)
        if place + 1 < settings.seeds and trial.should_prune():
            return None
    return mean


def _score(asked: TrainSettings, job: _Job) -> tuple[float, float]:
    """Train once; return the mean objective of the focal seat on the validation worlds, and the training's CPU-seconds.

    Raises:
        KeyboardInterrupt: training was interrupted, which it answers by saving what it has.
    """
    settings, scenario = job.settings, job.scenario
    with tempfile.TemporaryDirectory(prefix="civsim-tune-") as folder:
        out = Path(folder) / "run"
        finished, seconds = job.learner(scenario, out, asked)
        if not finished:
            raise KeyboardInterrupt
        policy = load_policy(out)
    ids = validation(settings.worlds)
    result = outcomes(scenario, policy, ids, settings.seed, asked.seat, threads=settings.threads)
    score = float(result.utility[:, Objective[scenario.game.objective.upper()]].mean())
    if not math.isfinite(score):
        raise CheckpointError(f"the mean objective is {score}; lower the learning rate")
    return score, seconds


def _read(number: int, trial: optuna.trial.FrozenTrial) -> Trial:
    said = trial.user_attrs
    return Trial(
        number=number,
        pruned=trial.state.name == "PRUNED",
        scores=tuple(said.get(_SCORES, ())),
        cpu_seconds=float(said.get(_CPU, math.nan)),
        settings=dict(said.get(_SETTINGS, {})),
        error=str(said.get(_ERROR, "")),
    )


def _seed(*places: int) -> int:
    """Return a seed that follows from these numbers alone, below 2**32."""
    return int(np.random.SeedSequence(places).generate_state(1)[0])
