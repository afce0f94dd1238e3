"""``civsim tune``."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest
from checkpoints import StubLearner

from civsim.agents import tune
from civsim.cli import main

pytest.importorskip("optuna")

SMALL = ["--set", "map.width=5", "--set", "map.height=5", "--set", "game.turns=2"]
STUDY = ["tune", "baseline", "--storage", "study.journal", "-n", "100", "--seeds", "1", "--worlds", "2", *SMALL]


@pytest.fixture
def learner(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> StubLearner:
    """Return the learner of nothing that takes the place of training, in an empty working folder."""
    stub = StubLearner()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(tune, "_train", stub)
    return stub


def test_it_says_what_is_best_as_a_command_line(learner, capsys):
    assert main([*STUDY, "--trials", "3", "--progress", "-params", "hidden:[8,8]", "-params", "epochs:2"]) == 0
    out, err = capsys.readouterr()
    first, second, *best, command = out.splitlines()
    assert first == "3 trials (0 kept), 0 given up, 0 failed"
    assert second == "the best by mean welfare on validation worlds:"
    assert [line.split(":")[0].strip().split()[0] for line in best] == ["trial"] * 3
    assert err.count("\n") == 3
    assert err.startswith("trial 0 done, mean ")
    words = shlex.split(command)
    assert words[:4] == ["civsim", "train", "baseline", "--out"]
    given = dict(word.split(":", 1) for word in words[words.index("-params") :] if word != "-params")
    assert (given["hidden"], given["epochs"]) == ("[8,8]", "2")
    rates = [settings.learner.learning_rate for settings in learner.seen]
    assert float(given["learning_rate"]) in rates
    assert all(settings.hidden == (8, 8) and settings.steps == 100 for settings in learner.seen)
    assert words.count("--set") == 3


def test_it_goes_on_with_what_is_there(learner, capsys):
    assert main([*STUDY, "--trials", "1", "--no-progress"]) == 0
    capsys.readouterr()
    assert main([*STUDY, "--trials", "2", "--no-progress"]) == 0
    out, err = capsys.readouterr()
    assert out.startswith("2 trials (1 kept)")
    assert err == ""
    assert len(learner.seen) == 2


def test_an_interrupt_shows_what_is_there(learner, capsys):
    learner.stop_at = 2
    assert main([*STUDY, "--trials", "5"]) == 130
    out, err = capsys.readouterr()
    assert out.startswith("1 trials (0 kept)")
    assert "civsim train baseline" in out
    assert err.splitlines()[-1] == "civsim: interrupted"


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["--trials", "0"], "--trials"),
        (["--storage", "study.txt"], "does not end in .db or .journal"),
        (["-params", "epochs"], "is not KEY:VALUE"),
        (["-params", "epochs:2", "-params", "epochs:2"], "given already"),
        (["-params", "epohcs:2"], "did you mean 'epochs'"),
        (["-params", "epochs:many"], "epochs='many'"),
        (["-params", "algorithm:sac"], "only ppo"),
        (["--set", "map.widht=3"], "did you mean 'map.width'"),
    ],
)
def test_errors(learner, capsys, arguments, complaint):
    assert main([*STUDY, *arguments]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("\n") == 1
    assert complaint in err
    assert not learner.seen
    assert not list(Path().iterdir())
