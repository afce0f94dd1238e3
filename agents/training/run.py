"""Train a policy into a run folder, from which the training can be resumed and the policy played.

RUN/config.json         scenario, settings, versions and command, every default written out
RUN/monitor.csv         one row an episode (:class:`civsim.agents.training.records.Monitor`)
RUN/evaluations.npz     evaluations on validation worlds, if asked for (``Evaluations`` there)
RUN/tensorboard/        what TensorBoard shows, if it is installed
RUN/checkpoints/step_N/ a checkpoint every ``save_freq`` turns, each with the normalisation that belongs to it
RUN/best/               the checkpoint with the best evaluation, if there are evaluations
RUN/last/               the newest checkpoint
RUN/resume/             the state to go on from (:mod:`civsim.agents.training.resume`)

One scenario, one setting of threads of torch (one) and one seed give the same weights bit for bit on one machine.
"""

from __future__ import annotations

import platform
import random
import re
import shutil
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from civsim.agents.checkpoint import BEST, LAST, CheckpointConfig, save_checkpoint, scenario_tables
from civsim.agents.evaluate import HELD_OUT_FIRST, VALIDATION_FIRST, validation
from civsim.agents.league import League
from civsim.agents.league_settings import LeagueSettings
from civsim.agents.training.callbacks import Between, Progress, Stopped
from civsim.agents.training.config import CONFIG, RunConfig, check_same, load_run_config, save_run_config
from civsim.agents.training.model import Parts, actor_weights, build
from civsim.agents.training.records import Evaluations, Monitor
from civsim.agents.training.resume import (
    FIRST,
    FOLDER,
    Counters,
    find_state,
    load_counters,
    restore_state,
    save_state,
    saved_league,
)
from civsim.agents.training.settings import ON_POLICY, TrainSettings
from civsim.base.errors import CheckpointError
from civsim.base.files import atomic_folder, put_folder, remove_leftovers
from civsim.base.owner import owned
from civsim.base.scenario import Scenario

CHECKPOINTS = "checkpoints"
TENSORBOARD = "tensorboard"
_STEP = "step_{:012d}"
_NEW, _OLD = ".new", ".old"
_BETWEEN = re.compile(rf"^\.(?P<name>{LAST}|{BEST}|step_[0-9]{{12}})(?P<which>\{_NEW}|\{_OLD})$")
_LIBRARIES = ("civsim", "numba", "numpy", "stable-baselines3", "torch")


class TrainReport(NamedTuple):
    """Where everything is and how far it is."""

    folder: Path
    steps: int  # turns of experience
    episodes: int
    cpu_seconds: float  # of the training, earlier parts included
    finished: bool  # False where it was asked to stop before all turns were played
    note: str  # what the user should know, or empty


def train(
    scenario: Scenario,
    out: str | Path,
    settings: TrainSettings | None = None,
    progress: Progress | None = None,
    *,
    resume: bool = False,
    tensorboard: str | Path | None = None,
    command: Sequence[str] = (),
) -> TrainReport:
    """Train a policy into the run folder ``out``; play it with the policy name ``file:OUT``.

    An interrupt (SIGINT, Ctrl-C) ends the training at the end of the rollout, saved; a second one at once.

    Args:
        scenario: the game.
        out: the run folder; new, unless the run is resumed.
        settings: how to train.
        progress: called after each rollout.
        resume: go on with the run in ``out`` from its last save; where there is none, begin. The scenario and the
            settings must be those it was begun with, but for how long it runs, how often it saves, threads and device.
        tensorboard: folder for TensorBoard, under the run's name, instead of ``out``/tensorboard.
        command: how it was started, for the record.

    Raises:
        CheckpointError: ``out`` exists (without ``resume``), cannot become a folder, holds a run that does not fit
            or is damaged, or another process trains into it; TensorBoard is asked for and not installed.
        ScenarioError: a seat, or a policy the scenario names, cannot be used.
    """
    chosen = settings or TrainSettings()
    _check_league(chosen)
    run = Path(out)
    own = RunConfig(
        scenario=scenario_tables(scenario),
        settings=chosen.model_dump(mode="json"),
        command=tuple(command),
        versions=_versions(),
    )
    with _own_run(run, resume) as owns:
        return _train(run, own, scenario, chosen, progress, tensorboard, owns)


def _train(
    run: Path,
    own: RunConfig,
    scenario: Scenario,
    chosen: TrainSettings,
    progress: Progress | None,
    tensorboard: str | Path | None,
    owns: bool,
) -> TrainReport:
    """Train into a run that is there and owned, or into one that is yet to be made."""
    state = _state_of(run, own)
    counters = FIRST if state is None else load_counters(state)
    if counters.steps >= chosen.steps:
        return TrainReport(run, counters.steps, counters.episodes, counters.cpu_seconds, True, "all turns are played")
    with _own_generators(), _interruptible() as asked_to_stop:
        parts = build(scenario, chosen, _league(state, scenario, chosen))
        if state is not None:
            restore_state(state, parts, counters)
        with _open_run(run, own, owns):
            _set_logger(parts, run, tensorboard)
            between = _between(run, parts, scenario, chosen, state, counters, progress, asked_to_stop)
            finished = _learn(parts, chosen, counters, between, resumed=state is not None)
    last = between.counters()
    note = ""
    if state is not None and chosen.learner.name not in ON_POLICY:
        note = f"resumed with an empty replay buffer: {chosen.learner.name} fills it anew"
    return TrainReport(run, last.steps, last.episodes, last.cpu_seconds, finished, note)


def _check_league(settings: TrainSettings) -> None:
    if settings.rivals == "league" and settings.learner.name not in ON_POLICY:
        raise CheckpointError(
            f"rivals=league with {settings.learner.name}: the league is refreshed once a rollout; "
            f"use {' or '.join(ON_POLICY)}"
        )


def _league(state: Path | None, scenario: Scenario, settings: TrainSettings) -> League | None:
    saved = None if state is None else saved_league(state)
    if saved is None or settings.rivals != "league":
        return None
    return League.restore(scenario, settings.league or LeagueSettings(), settings.seed, saved)


@contextmanager
def _own_run(run: Path, resume: bool) -> Iterator[bool]:
    """Own the run while the block runs, before anything in it is read; yield whether it was there to be owned."""
    if run.exists() and not resume:
        raise CheckpointError(f"{str(run)!r} exists already; give a new folder, or go on with it by --resume")
    # What is no run is refused when its configuration is read, and no lock is left in it.
    there = (run / CONFIG).is_file()
    with owned(run, CheckpointError) if there else nullcontext():
        yield there


def _state_of(run: Path, own: RunConfig) -> Path | None:
    """Return the state to go on from, None to begin; nothing is written."""
    if run.exists():
        check_same(load_run_config(run), own, run)
        state = find_state(run)
        # A run has the folder of its states from the beginning: an empty one says that the first was never whole.
        if state is None and (run / LAST).exists() and not (run / FOLDER).is_dir():
            raise CheckpointError(f"{str(run)!r} has checkpoints but no state to go on from; train in a new folder")
        return state
    nearest = next((above for above in run.parents if above.exists()), Path())
    if not nearest.is_dir():
        raise CheckpointError(f"{str(run)!r} lies under {str(nearest)!r}, a file; give the name of a new folder")
    return None


@contextmanager
def _open_run(run: Path, own: RunConfig, owns: bool) -> Iterator[None]:
    """Make the run folder and own it, or take up the one that is owned already, while the block runs."""
    if owns:
        save_run_config(run, own)
        _tidy(run)
        yield
        return
    if run.exists():
        raise CheckpointError(f"{str(run)!r} appeared meanwhile: something else trains into it; give a new folder")
    run.parent.mkdir(parents=True, exist_ok=True)
    with atomic_folder(run) as folder:
        save_run_config(folder, own)
        (folder / FOLDER).mkdir()
    with owned(run, CheckpointError):
        yield


def _tidy(run: Path) -> None:
    """Put a checkpoint back that a kill left between two names, and remove what else a kill left."""
    for folder in (run, run / CHECKPOINTS, run / FOLDER):
        for path in list(folder.iterdir()) if folder.is_dir() else []:
            said = _BETWEEN.match(path.name)
            if said is None or path.is_symlink() or not path.is_dir():
                continue
            if said["which"] == _OLD and not (folder / said["name"]).exists():
                path.rename(folder / said["name"])
            else:
                shutil.rmtree(path)
        if folder.is_dir():
            remove_leftovers(folder)


def _versions() -> dict[str, str]:
    return {"python": platform.python_version(), **{name: version(name) for name in _LIBRARIES}}


def _set_logger(parts: Parts, run: Path, asked: str | Path | None) -> None:
    """Log to TensorBoard where it is installed; without it a training logs nothing but its monitor.

    Raises:
        CheckpointError: it was asked for by name and is not installed.
    """
    from stable_baselines3.common.logger import KVWriter, Logger, TensorBoardOutputFormat

    writers: list[KVWriter] = []
    if find_spec("tensorboard") is not None:
        # Several runs may share a folder that was asked for; each has its name there.
        folder = run / TENSORBOARD if asked is None else Path(asked) / run.resolve().name
        writers.append(TensorBoardOutputFormat(str(folder)))
    elif asked is not None:
        raise CheckpointError(
            "--tensorboard-log needs TensorBoard, which is not installed; pip install 'civsim[tensorboard]'"
        )
    parts.model.set_logger(Logger(None, writers))


def _between(
    run: Path,
    parts: Parts,
    scenario: Scenario,
    settings: TrainSettings,
    state: Path | None,
    counters: Counters,
    progress: Progress | None,
    asked_to_stop: Callable[[], bool],
) -> Between:
    evaluations = None
    if settings.eval_freq:
        worlds = validation(settings.eval_episodes)
        evaluations = Evaluations(run, worlds, scenario.game.turns, -1 if state is None else counters.steps)

    def save(now: Counters, best: bool) -> None:
        _save(run, parts, scenario, settings, now, best)

    monitor = Monitor(run, counters.steps)
    return Between(parts, scenario, settings, monitor, evaluations, counters, save, progress, asked_to_stop)


def _learn(parts: Parts, settings: TrainSettings, counters: Counters, between: Between, *, resumed: bool) -> bool:
    """Play and learn to the last turn; return False where it was asked to stop first."""
    try:
        parts.model.learn(
            total_timesteps=settings.steps - counters.steps, callback=between, reset_num_timesteps=not resumed
        )
    except Stopped:
        between.save_now()
        return False
    between.finish()
    return True


def _save(run: Path, parts: Parts, scenario: Scenario, settings: TrainSettings, counters: Counters, best: bool) -> None:
    """Write the best checkpoint, or a regular one and the state to go on from."""
    if best:
        _write_checkpoint(run / BEST, parts, scenario, settings)
        return
    if settings.save_freq:
        (run / CHECKPOINTS).mkdir(exist_ok=True)
        _write_checkpoint(run / CHECKPOINTS / _STEP.format(counters.steps), parts, scenario, settings)
    _write_checkpoint(run / LAST, parts, scenario, settings)
    save_state(run, parts, counters)


def _write_checkpoint(target: Path, parts: Parts, scenario: Scenario, settings: TrainSettings) -> None:
    """Write a checkpoint in place of an older one of the same name."""
    config = CheckpointConfig(
        algorithm=settings.learner.name,
        head=settings.policy,
        hidden=settings.hidden,
        scenario=scenario_tables(scenario),
        settings=settings.model_dump(mode="json"),
        seeds={
            "study": settings.seed,
            "learner": settings.seed,
            "training_worlds": [0, parts.worlds.next_world - 1],
            "validation_worlds": VALIDATION_FIRST,
            "held_out_worlds": HELD_OUT_FIRST,
        },
        versions=_versions(),
        **_activation(settings),
    )
    fresh = target.with_name(f".{target.name}{_NEW}")
    shutil.rmtree(fresh, ignore_errors=True)
    with atomic_folder(fresh) as folder:
        save_checkpoint(folder, config, actor_weights(parts.model), parts.scaled.moments())
    put_folder(fresh, target)


def _activation(settings: TrainSettings) -> dict[str, Any]:
    off_policy = settings.learner.name not in ON_POLICY
    return {"activation": "relu", "squash": True} if off_policy else {"activation": "tanh", "squash": False}


@contextmanager
def _interruptible() -> Iterator[Callable[[], bool]]:
    """Yield a function that says whether the user asked to stop; the second time raises KeyboardInterrupt."""
    asked = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield asked.is_set
        return
    before = signal.getsignal(signal.SIGINT)

    def note(_number: int, _frame: Any) -> None:
        if asked.is_set():
            raise KeyboardInterrupt
        asked.set()

    signal.signal(signal.SIGINT, note)
    try:
        yield asked.is_set
    finally:
        signal.signal(signal.SIGINT, before)


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
