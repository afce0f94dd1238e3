"""Going on after a stop, bit for bit; after a kill, with at most one save interval lost."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from faults import leftover_of

from civsim.agents.training import resume as resume_module
from civsim.agents.training import run as run_module
from civsim.agents.training.config import CONFIG
from civsim.agents.training.resume import find_state, load_counters
from civsim.agents.training.run import train
from civsim.agents.training.settings import TrainSettings, train_settings
from civsim.base.errors import CheckpointError
from civsim.base.scenario import Scenario

BASE = {"worlds": 4, "rollout": 8, "batch": 16, "epochs": 2, "hidden": [8], "save_freq": 32, "eval_freq": 0}
SCENARIO = Scenario.model_validate(
    {"name": "tiny", "map": {"width": 6, "height": 6}, "game": {"turns": 6, "civilizations": 2}}
)
WAYS = {
    "softmax": {},
    "dirichlet": {"policy": "dirichlet"},
    "all seats": {"learners": 2},
    "league": {"rivals": "league", "league.every": 32, "league.anchors": ["uniform"]},
    "evaluations": {"eval_freq": 64, "eval_episodes": 4},
    "falling rate": {"final_rate": 0.0},
    "falling noise": {"log_std": -1.0, "final_log_std": -3.0},
    "plain": {"lean": False},
}


def settings(**changes: object) -> TrainSettings:
    return train_settings(**{**BASE, **changes})


def weights(run: Path) -> bytes:
    return (run / "last" / "policy.safetensors").read_bytes()


def final(run: Path) -> dict[str, bytes]:
    names = ("policy.safetensors", "normalisation.npz")
    files = {name: (run / "last" / name).read_bytes() for name in names}
    rows = (run / "monitor.csv").read_text().splitlines()
    files["monitor"] = "\n".join(",".join(row.split(",")[:1] + row.split(",")[3:]) for row in rows).encode()
    if (run / "evaluations.npz").is_file():
        with np.load(run / "evaluations.npz") as archive:
            files["evaluations"] = archive["results"].tobytes() + archive["timesteps"].tobytes()
    return files


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS.keys())
def test_a_training_that_was_stopped_goes_on_bit_for_bit(tmp_path, way):
    straight = train(SCENARIO, tmp_path / "straight", settings(steps=192, **way))

    def interrupt(done: int, *_others: object) -> None:
        if done >= 96:
            os.kill(os.getpid(), signal.SIGINT)

    stopped = train(SCENARIO, tmp_path / "stopped", settings(steps=192, **way), progress=interrupt)
    assert not stopped.finished
    resumed = train(SCENARIO, tmp_path / "stopped", settings(steps=192, **way), resume=True)
    assert final(resumed.folder) == final(straight.folder)
    assert resumed.episodes == straight.episodes
    before, after = (load_counters(find_state(run.folder)) for run in (straight, resumed))
    assert (before.steps, before.updates, before.best) == (after.steps, after.updates, after.best)


def test_a2c_goes_on_bit_for_bit(tmp_path):
    own = {"algorithm": "a2c", "worlds": 4, "rollout": 8, "hidden": [8], "eval_freq": 0}
    straight = train(SCENARIO, tmp_path / "straight", train_settings(**own, steps=128))
    train(SCENARIO, tmp_path / "parts", train_settings(**own, steps=64))
    resumed = train(SCENARIO, tmp_path / "parts", train_settings(**own, steps=128), resume=True)
    assert final(resumed.folder) == final(straight.folder)


def test_an_off_policy_run_resumes_and_says_that_its_buffer_is_empty(tmp_path):
    own = {"algorithm": "sac", "worlds": 4, "hidden": [8], "learning_starts": 16, "batch": 16, "eval_freq": 0}
    train(SCENARIO, tmp_path / "x", train_settings(**own, steps=32))
    before = weights(tmp_path / "x")
    # As at the beginning, it plays 16 turns before it learns: up to 48 nothing changes.
    report = train(SCENARIO, tmp_path / "x", train_settings(**own, steps=48), resume=True)
    assert weights(tmp_path / "x") == before
    assert report.steps == 48
    assert "empty replay buffer" in report.note
    train(SCENARIO, tmp_path / "x", train_settings(**own, steps=96), resume=True)
    assert weights(tmp_path / "x") != before


def test_a_finished_run_is_left_as_it_is(tmp_path):
    train(SCENARIO, tmp_path / "x", settings(steps=64))
    before = final(tmp_path / "x")
    report = train(SCENARIO, tmp_path / "x", settings(steps=64), resume=True)
    assert (report.finished, report.steps, report.note) == (True, 64, "all turns are played")
    assert final(tmp_path / "x") == before


def test_resume_begins_where_there_is_nothing(tmp_path):
    assert train(SCENARIO, tmp_path / "x", settings(steps=32), resume=True).steps == 32


def test_a_killed_run_loses_at_most_one_save_interval(tmp_path):
    code = (
        "import json, sys\n"
        "from civsim.agents.training.run import train\n"
        "from civsim.agents.training.settings import train_settings\n"
        "from civsim.base.scenario import Scenario\n"
        "scenario, values, out = json.loads(sys.argv[1])\n"
        "train(Scenario.model_validate(scenario), out, train_settings(**values),\n"
        "      lambda done, *_: print(done, flush=True))\n"
    )
    values = {**BASE, "steps": 100_000}
    argument = json.dumps([SCENARIO.model_dump(mode="json"), values, str(tmp_path / "killed")])
    with subprocess.Popen([sys.executable, "-c", code, argument], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        done = 0
        while done < 320:
            done = int(process.stdout.readline())
        process.kill()
        done = int(([done, *process.stdout.read().split()])[-1])
    saved = load_counters(find_state(tmp_path / "killed")).steps
    # A save follows a rollout (32 turns here) and its update; what was being played when the kill came is lost too.
    assert done - saved <= BASE["save_freq"] + 32
    goal = saved + 96
    resumed = train(SCENARIO, tmp_path / "killed", settings(steps=goal), resume=True)
    straight = train(SCENARIO, tmp_path / "straight", settings(steps=goal))
    assert final(resumed.folder) == final(straight.folder)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("state.json", b"{"),
        ("state.json", b"{}"),
        ("state.npz", b""),
        ("state.npz", b"PK\x03\x04nothing"),
        ("state.npz", None),
    ],
)
def test_a_damaged_state_is_one_line_and_nothing_is_lost(tmp_path, name, content):
    train(SCENARIO, tmp_path / "x", settings(steps=32))
    place = find_state(tmp_path / "x") / name
    place.write_bytes(place.read_bytes()[:-200] if content is None else content)
    before = final(tmp_path / "x")
    with pytest.raises(CheckpointError, match="damaged") as caught:
        train(SCENARIO, tmp_path / "x", settings(steps=64), resume=True)
    assert "\n" not in str(caught.value)
    assert final(tmp_path / "x") == before


def test_a_pickle_in_a_state_is_not_loaded(tmp_path):
    train(SCENARIO, tmp_path / "x", settings(steps=32))
    place = find_state(tmp_path / "x") / "state.npz"
    with np.load(place) as archive:
        arrays = dict(archive)

    class Bomb:
        def __reduce__(self):
            return (Path.touch, (tmp_path / "boom",))

    np.savez(place, **{**arrays, "returns": np.array([Bomb()], object)})
    with pytest.raises(CheckpointError, match="damaged"):
        train(SCENARIO, tmp_path / "x", settings(steps=64), resume=True)
    assert not (tmp_path / "boom").exists()


@pytest.mark.parametrize(
    ("scenario", "change", "message"),
    [
        ({"game": {"turns": 7, "civilizations": 2}}, {}, "other settings of the game"),
        ({}, {"seed": 1}, "begun with seed=0, not 1"),
        ({}, {"learning_rate": 0.5}, "begun with learner="),
        ({}, {"final_rate": 0.0}, "by which final_rate falls"),
    ],
)
def test_a_run_is_not_resumed_under_other_settings(tmp_path, scenario, change, message):
    train(SCENARIO, tmp_path / "x", settings(steps=32))
    other = Scenario.model_validate({**SCENARIO.model_dump(), **scenario})
    with pytest.raises(CheckpointError, match=message):
        train(other, tmp_path / "x", settings(steps=64, **change), resume=True)


def test_a_run_from_before_a_setting_was_there_goes_on(tmp_path):
    run = train(SCENARIO, tmp_path / "x", settings(steps=32)).folder
    config = json.loads((run / CONFIG).read_text())
    del config["settings"]["learner"]["final_log_std"]
    (run / CONFIG).write_text(json.dumps(config))
    assert train(SCENARIO, run, settings(steps=64), resume=True).steps == 64


def test_a_folder_that_is_no_run_is_refused(tmp_path):
    (tmp_path / "x").mkdir()
    with pytest.raises(CheckpointError, match="no training run"):
        train(SCENARIO, tmp_path / "x", settings(steps=32), resume=True)
    (tmp_path / "x" / CONFIG).write_text("[]")
    with pytest.raises(CheckpointError, match="damaged"):
        train(SCENARIO, tmp_path / "x", settings(steps=32), resume=True)


def test_a_run_killed_before_its_first_save_begins_again(tmp_path):
    way = settings(steps=64, eval_freq=32)
    expected = final(train(SCENARIO, tmp_path / "whole", way).folder)
    run = train(SCENARIO, tmp_path / "x", way).folder
    # What a kill in the first rollout leaves: the first evaluation and its checkpoint, and no state.
    for name in ("resume", "last", "checkpoints"):
        shutil.rmtree(run / name)
    assert final(train(SCENARIO, run, way, resume=True).folder) == expected


def test_a_run_that_lost_its_state_is_not_begun_over_its_checkpoints(tmp_path):
    run = train(SCENARIO, tmp_path / "x", settings(steps=64)).folder
    shutil.rmtree(run / "resume")
    with pytest.raises(CheckpointError, match="no state to go on from"):
        train(SCENARIO, run, settings(steps=96), resume=True)
    assert (run / "checkpoints" / "step_000000000064" / "policy.safetensors").is_file()


def test_a_stop_before_the_first_rollout_changes_nothing(tmp_path, monkeypatch):
    straight = train(SCENARIO, tmp_path / "straight", settings(steps=64))
    built = run_module.build

    def interrupted(*arguments: object) -> object:
        os.kill(os.getpid(), signal.SIGINT)
        return built(*arguments)

    monkeypatch.setattr(run_module, "build", interrupted)
    stopped = train(SCENARIO, tmp_path / "x", settings(steps=64))
    assert (stopped.finished, stopped.steps) == (False, 0)
    monkeypatch.setattr(run_module, "build", built)
    assert final(train(SCENARIO, tmp_path / "x", settings(steps=64), resume=True).folder) == final(straight.folder)


def test_a_failing_save_leaves_the_older_state(tmp_path, monkeypatch):
    run = train(SCENARIO, tmp_path / "x", settings(steps=32)).folder
    before = find_state(run)

    def full(*_arguments: object) -> None:
        raise OSError(28, "No space left on device", "state.npz")

    monkeypatch.setattr(resume_module, "write_archive", full)
    with pytest.raises(OSError, match="No space"):
        train(SCENARIO, run, settings(steps=96), resume=True)
    assert find_state(run) == before
    monkeypatch.undo()
    assert train(SCENARIO, run, settings(steps=96), resume=True).finished


def test_what_a_kill_left_between_two_names_is_put_back(tmp_path):
    run = train(SCENARIO, tmp_path / "x", settings(steps=32)).folder
    (run / "last").rename(run / ".last.old")
    (run / "checkpoints" / ".step_000000000032.new").mkdir()
    leftover_of(run / ".last.new").mkdir()
    leftover_of(run / "resume" / "step_000000000064").mkdir()
    strangers = [run / "notes.tmp-2024", run / "resume" / "step_32.bak", run / ".mine.old", run / ".mine.new"]
    for folder in strangers:
        folder.mkdir()
        (folder / "notes.txt").write_text("mine")
    train(SCENARIO, run, settings(steps=64), resume=True)
    assert (run / "last").is_dir()
    assert not [path for path in (*run.iterdir(), *(run / "checkpoints").iterdir()) if path.name.startswith("..")]
    assert not (run / ".last.old").exists()
    assert not (run / "checkpoints" / ".step_000000000032.new").exists()
    assert [path.name for path in (run / "resume").iterdir() if path not in strangers] == ["step_000000000064"]
    assert all((folder / "notes.txt").read_text() == "mine" for folder in strangers)


def test_a_kill_within_the_first_save_begins_anew(tmp_path, monkeypatch):
    def killed(*_arguments: object) -> None:
        raise KeyboardInterrupt

    straight = train(SCENARIO, tmp_path / "straight", settings(steps=64)).folder
    monkeypatch.setattr(run_module, "save_state", killed)
    with pytest.raises(KeyboardInterrupt):
        train(SCENARIO, tmp_path / "x", settings(steps=64))
    monkeypatch.undo()
    assert (tmp_path / "x" / "last").is_dir()
    assert find_state(tmp_path / "x") is None
    assert final(train(SCENARIO, tmp_path / "x", settings(steps=64), resume=True).folder) == final(straight)
    shutil.rmtree(tmp_path / "x" / "resume")
    with pytest.raises(CheckpointError, match="has checkpoints but no state to go on from"):
        train(SCENARIO, tmp_path / "x", settings(steps=96), resume=True)
