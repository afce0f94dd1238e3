"""Everything a training needs to go on, on disk without pickle.

A state is a folder ``resume/step_N`` of a run. ``state.npz`` holds arrays: the network and its optimisers under the
names Stable-Baselines3 gives them, running moments, the worlds under way, the last observations, and the generators of
torch and numpy. ``league.safetensors`` holds the league, ``state.json`` the counters. A newer state replaces an older
one only when it is complete, so a run that is killed goes on from the last save.

PPO and A2C go on bit for bit. SAC and TD3 also have a replay buffer, which is not kept: they fill it anew,
with random actions for as many turns as at the beginning, before they learn on.
"""

from __future__ import annotations

import json
import re
import shutil
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import Field, ValidationError
from stable_baselines3.common.base_class import BaseAlgorithm

from civsim.agents.checkpoint import brief
from civsim.agents.league_store import LeagueState, load_league, save_league
from civsim.agents.network import Normalisation
from civsim.agents.training.model import Parts
from civsim.base.archive import write_archive
from civsim.base.errors import CheckpointError, SnapshotError
from civsim.base.files import atomic_folder, write_text
from civsim.base.scenario import Frozen

FOLDER = "resume"
_COUNTERS, _ARRAYS, _LEAGUE = "state.json", "state.npz", "league.safetensors"
_WORLDS, _MODULE, _MOMENTS = "worlds/", "model/", "moments/"
_STEP = "step_{:012d}"
_STATE = re.compile(r"^step_[0-9]{12}$")
_READ_ERRORS = (OSError, ValueError, EOFError, KeyError, TypeError, AttributeError, zipfile.BadZipFile, zlib.error)


class Counters(Frozen):
    """How far a training is."""

    steps: int = Field(ge=0, description="turns of experience")
    updates: int = Field(ge=0, description="passes of the optimiser over what was played")
    episodes: int = Field(ge=0, description="episodes ended")
    progress_left: float = Field(ge=0.0, le=1.0, description="what remains, as the learning rate's schedule sees it")
    cpu_seconds: float = Field(ge=0.0, description="CPU time of the process so far")
    wall_seconds: float = Field(ge=0.0, description="time so far")
    next_eval: int = Field(ge=0, description="turns at which the next evaluation is due")
    best: float | None = Field(None, description="mean objective of the best checkpoint so far")


FIRST = Counters(steps=0, updates=0, episodes=0, progress_left=1.0, cpu_seconds=0.0, wall_seconds=0.0, next_eval=0)
"""Of a training that begins."""


def save_state(run: Path, parts: Parts, counters: Counters) -> None:
    """Write a state of the training into ``run``, whole, then remove older ones; once a turn is enough."""
    home = run / FOLDER
    home.mkdir(exist_ok=True)
    target = home / _STEP.format(counters.steps)
    if target.exists():
        return  # a whole state of this very turn, which says the same
    with atomic_folder(target) as folder:
        write_archive(folder / _ARRAYS, dict(_arrays(parts)))
        if parts.league is not None:
            save_league(folder / _LEAGUE, parts.league.state())
        write_text(folder / _COUNTERS, counters.model_dump_json(indent=2) + "\n")
    for other in _states(run):
        if other != target:
            shutil.rmtree(other, ignore_errors=True)


def find_state(run: Path) -> Path | None:
    """Return the newest complete state of a run, or None."""
    found = _states(run)
    return found[-1] if found else None


def _states(run: Path) -> list[Path]:
    """Return the complete states of a run, the newest last; what else lies there is not ours."""
    home = run / FOLDER
    inside = home.iterdir() if home.is_dir() else ()
    return sorted(path for path in inside if _STATE.match(path.name) and path.is_dir() and not path.is_symlink())


def load_counters(state: Path) -> Counters:
    """Return the counters of a state.

    Raises:
        CheckpointError: they are missing or damaged.
    """
    path = state / _COUNTERS
    try:
        return Counters.model_validate(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, RecursionError, ValidationError) as error:
        raise CheckpointError(f"{str(path)!r} is damaged ({brief(error)}); train in a new folder") from None


def saved_league(state: Path) -> LeagueState | None:
    """Return the league of a state, None where it has none.

    Raises:
        CheckpointError: it is damaged.
    """
    path = state / _LEAGUE
    return load_league(path) if path.is_file() else None


def restore_state(state: Path, parts: Parts, counters: Counters) -> None:
    """Put a fresh model, built from the run's own settings, where the state was.

    Raises:
        CheckpointError: the state is damaged or does not fit the settings.
    """
    path = state / _ARRAYS
    try:
        with path.open("rb") as handle, np.load(handle, allow_pickle=False) as archive:
            arrays = {name: archive[name] for name in archive.files}
        _put_back(arrays, parts)
    except (*_READ_ERRORS, RuntimeError, SnapshotError) as error:
        raise CheckpointError(f"{str(path)!r} is damaged ({brief(error)}); train in a new folder") from None
    model: Any = parts.model
    model.num_timesteps, model._n_updates = counters.steps, counters.updates
    model._current_progress_remaining = counters.progress_left
    if hasattr(model, "learning_starts"):
        # An empty buffer is filled before it is learnt from, as at the beginning.
        model.learning_starts += counters.steps


def _arrays(parts: Parts) -> Iterator[tuple[str, NDArray[Any]]]:
    """Yield everything by name."""
    model: Any = parts.model
    for name, values in parts.worlds.snapshot().items():
        yield _WORLDS + name, values
    for name, values in parts.scaled.moments()._asdict().items():
        yield _MOMENTS + name, values
    yield "returns", parts.scaled.returns.astype(np.float64)
    yield "observations", model._last_obs
    yield "starts", model._last_episode_starts.astype(np.bool_)
    for name, tensor in _tensors(model):
        yield _MODULE + name, tensor.detach().cpu().numpy()
    yield "torch", torch.get_rng_state().numpy()
    if model.device.type == "cuda":
        yield "cuda", torch.cuda.get_rng_state(model.device).numpy()
    _, keys, place, _, _ = np.random.get_state(legacy=True)  # noqa: NPY002  (Stable-Baselines3 shuffles with it)
    yield "numpy", np.array([*keys, place], np.uint64)


def _tensors(model: BaseAlgorithm) -> Iterator[tuple[str, torch.Tensor]]:
    """Yield the tensors of every network, optimiser and learnt scalar of a model, by a name that says where it goes."""
    modules, scalars = model._get_torch_save_params()
    for module in modules:
        state = _attribute(model, module).state_dict()
        if "param_groups" not in state:
            yield from ((f"{module}/{name}", tensor) for name, tensor in state.items())
            continue
        for place, moments in state["state"].items():
            for name, tensor in moments.items():
                yield f"{module}/{place}/{name}", torch.as_tensor(tensor)
    yield from ((scalar, _attribute(model, scalar)) for scalar in scalars)


def _put_back(arrays: Mapping[str, NDArray[Any]], parts: Parts) -> None:
    model: Any = parts.model
    parts.worlds.restore(_part(arrays, _WORLDS))
    parts.scaled.set_moments(Normalisation(**_part(arrays, _MOMENTS)), arrays["returns"])
    seen, starts = arrays["observations"], arrays["starts"]
    if seen.shape != (model.n_envs, *model.observation_space.shape) or starts.shape != (model.n_envs,):
        raise ValueError(f"observations {seen.shape} of {model.n_envs} rows")
    model._last_obs, model._last_episode_starts = seen, starts
    model._last_original_obs = parts.worlds.observe()
    own = _part(arrays, _MODULE)
    modules, scalars = model._get_torch_save_params()
    for module in modules:
        tensors = {name: torch.from_numpy(values.copy()) for name, values in _part(own, module + "/").items()}
        target = _attribute(model, module)
        target.load_state_dict(_optimiser_state(target, tensors) if hasattr(target, "param_groups") else tensors)
    with torch.no_grad():
        for scalar in scalars:
            _attribute(model, scalar).copy_(torch.from_numpy(own[scalar]))
    torch.set_rng_state(torch.from_numpy(arrays["torch"]))
    if model.device.type == "cuda" and "cuda" in arrays:
        torch.cuda.set_rng_state(torch.from_numpy(arrays["cuda"]), model.device)
    words = arrays["numpy"]
    np.random.set_state(("MT19937", words[:-1].astype(np.uint32), int(words[-1]), 0, 0.0))  # noqa: NPY002


def _optimiser_state(optimiser: Any, tensors: Mapping[str, torch.Tensor]) -> dict[str, Any]:
    moments: dict[int, dict[str, torch.Tensor]] = {}
    for name, tensor in tensors.items():
        place, key = name.split("/")
        moments.setdefault(int(place), {})[key] = tensor
    return {"state": moments, "param_groups": optimiser.state_dict()["param_groups"]}


def _attribute(model: BaseAlgorithm, path: str) -> Any:
    value: Any = model
    for name in path.split("."):
        value = getattr(value, name)
    return value


def _part(arrays: Mapping[str, Any], prefix: str) -> dict[str, Any]:
    return {name.removeprefix(prefix): values for name, values in arrays.items() if name.startswith(prefix)}
