"""``civsim train``: its flags reach the training, it resumes, stops and says what to do next."""

from __future__ import annotations

import json
import os
import signal
from typing import Any

import pytest
from commands import refused, said

from civsim.agents.training import run as run_module
from civsim.cli import main

GAME = ["--set", "map.width=6", "--set", "map.height=6", "--set", "game.turns=6", "--set", "game.civilizations=2"]
TINY = ["-n", "64", "--worlds", "4", "-params", "rollout:8", "-params", "epochs:2", "-params", "hidden:[8]"]


def settings_of(folder: Any) -> dict[str, Any]:
    return json.loads((folder / "config.json").read_text())["settings"]


def test_a_training_is_run_and_says_what_comes_next(folder, capsys):
    text = said(capsys, "train", "baseline", "--out", "run", *GAME, *TINY, "--eval-freq", "32", "--save-freq", "32")
    assert text.splitlines()[0].startswith("64 turns in 8 episodes, ")
    assert text.splitlines()[1] == "judge it on worlds it never met: civsim evaluate run"
    assert (folder / "run" / "best").is_dir()
    judged = said(capsys, "evaluate", "run", "--against", "uniform", "--worlds", "4", "--threads", "1")
    assert "baseline: 4 held-out worlds" in judged


def test_every_flag_reaches_the_settings(folder, capsys):
    flags = [
        *("--seed", "7", "--policy", "softmax", "--start", "fixed", "--learners", "1", "--seat", "1"),
        *("--rivals", "league", "-params", "league.every:50", "-params", "learning_rate:0.01", "--threads", "2"),
        *("--eval-freq", "32", "--eval-episodes", "3", "--save-freq", "48", "--device", "cpu"),
    ]
    said(capsys, "train", "baseline", "--out", "run", *GAME, *TINY, *flags)
    got = settings_of(folder / "run")
    assert (got["seed"], got["start"], got["seat"], got["rivals"], got["threads"]) == (7, "fixed", 1, "league", 2)
    assert (got["eval_freq"], got["eval_episodes"], got["save_freq"], got["device"]) == (32, 3, 48, "cpu")
    assert (got["learner"]["learning_rate"], got["learner"]["rollout"], got["league"]["every"]) == (0.01, 8, 50)
    assert (got["worlds"], got["steps"], got["hidden"]) == (4, 64, [8])


def test_without_a_folder_the_run_is_named_after_what_it_is(folder, capsys):
    said(capsys, "train", "baseline", *GAME, "-n", "32", "--worlds", "4", "--algo", "a2c", "--eval-freq", "0")
    assert (folder / "out" / "train" / "baseline-a2c-0" / "last").is_dir()


def test_the_same_command_goes_on_with_resume_and_is_refused_without(folder, capsys, monkeypatch):
    command = ["train", "baseline", "--out", "run", *GAME, *TINY, "--eval-freq", "0", "--tensorboard-log", "board"]
    built = run_module.build

    def interrupted(*arguments: object) -> object:
        os.kill(os.getpid(), signal.SIGINT)
        return built(*arguments)

    monkeypatch.setattr(run_module, "build", interrupted)
    assert main(command) == 130
    assert "--resume goes on" in capsys.readouterr().err
    monkeypatch.setattr(run_module, "build", built)
    assert "exists already" in refused(capsys, *command)
    assert said(capsys, *command, "--resume").startswith("64 turns")
    assert list((folder / "board" / "run").glob("events.*"))


def test_progress_is_shown_where_it_is_wanted(folder, capsys):
    assert main(["train", "baseline", "--out", "run", *GAME, *TINY, "--eval-freq", "0", "-P"]) == 0
    assert "64/64 turns" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["-params", "algorithm:sac"], "algorithm, which is given already"),
        (["-params", "worlds:8"], "worlds, which is given already"),
        (["-params", "epochs"], "is not KEY:VALUE"),
        (["-params", "epoch:3"], "did you mean 'epochs'"),
        (["--algo", "sac", "-params", "log_std:1"], "sac has no setting"),
    ],
)
def test_bad_parameters_are_one_line(folder, capsys, arguments, complaint):
    short = ["-n", "64", "--worlds", "4"]
    assert complaint in refused(capsys, "train", "baseline", "--out", "run", *GAME, *short, *arguments)
    assert not (folder / "run").exists()
