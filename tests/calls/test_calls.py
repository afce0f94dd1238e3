"""Every use case as a call: it does what its command does, its example runs, and it refuses as commands do."""

from __future__ import annotations

import inspect
import json
import re
from pathlib import Path

import pandas as pd
import pytest
from commands import refused, said
from own_parts import write_metrics, write_policy
from studies import HYPOTHESES, small_study

import civsim
from civsim.base.errors import CheckpointError, ResultsError, ScenarioError, StudyError
from civsim.scenarios import load_study, override, read_manifest, read_runs
from civsim.scenarios.games import play_worlds

CALLS = ("evaluate", "judge", "play", "report", "run_study", "tournament", "train")
TINY = {"map.width": 8, "map.height": 8, "game.turns": 6, "game.civilizations": 2}
FLAGS = [text for name, value in TINY.items() for text in ("--set", f"{name}={value}")]


def example(name: str) -> str:
    """Return the example in a call's docstring."""
    lines = (inspect.getdoc(getattr(civsim, name)) or "").splitlines()
    return "\n".join(line[4:] for line in lines[: lines.index("Args:")] if line.startswith("    "))


@pytest.mark.parametrize("name", CALLS)
def test_every_call_has_an_example_and_says_what_it_raises(name: str) -> None:
    call = getattr(civsim, name)
    assert f"civsim.{name}(" in example(name)
    assert "Raises:" in inspect.getdoc(call)
    assert inspect.signature(call).return_annotation is not inspect.Signature.empty


@pytest.mark.parametrize("name", ["evaluate", "play", "tournament"])
def test_an_example_runs(name: str) -> None:
    *before, last = example(name).splitlines()
    names = {"civsim": civsim}
    exec("\n".join(before), names)
    made = pd.DataFrame(eval(last, names))
    assert len(made) >= 2
    assert not made.isna().any(axis=None)


def test_play_is_what_run_prints(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    write_metrics(tmp_path)
    games = civsim.play("peace", worlds=3, first=5, seed=2, settings=TINY, metrics={"height": "measures.py:height"},
                        stop="turn == 4", series=True)  # fmt: skip
    assert (games.played.turns == 4).all()
    assert len(games.series) == 3 * 2 * 4
    games.write("mine.csv")
    told = said(capsys, "run", "peace", "--worlds", "3", "--first", "5", "--seed", "2", *FLAGS,
                "--metric", "height=measures.py:height", "--stop", "turn == 4", "--out", "theirs.csv")  # fmt: skip
    assert "3 worlds, turn 4 of 6" in told
    assert "height" in told
    assert Path("mine.csv").read_bytes() == Path("theirs.csv").read_bytes()
    table = pd.read_csv("mine.csv")
    played = play_worlds(override(civsim.load_scenario("peace"), TINY), [5, 6, 7], 2)
    whole = civsim.play("peace", worlds=3, first=5, seed=2, settings=TINY).table
    assert whole["welfare"].tolist() == played.civs["welfare"].reshape(-1).tolist()
    assert table["turns"].eq(4).all()


def test_worlds_under_way_are_played_on_and_take_no_other_setting() -> None:
    scenario = override(civsim.load_scenario("peace"), TINY)
    half = civsim.play(civsim.World(scenario, 2, seed=3), turns=2)
    assert half.played.turns.tolist() == [2, 2]
    rest = civsim.play(half.world)
    assert rest.table["output"].tolist() == civsim.play(scenario, worlds=2, seed=3).table["output"].tolist()
    with pytest.raises(ScenarioError, match="seed has no effect on worlds under way; drop it"):
        civsim.play(half.world, seed=3)


def test_a_metric_may_be_a_function() -> None:
    games = civsim.play("peace", worlds=2, settings=TINY, metrics={"held": lambda record, state: record.cells})
    assert (games.table["held"] >= 1).all()
    with pytest.raises(StudyError, match="metrics.cells is the name of a column"):
        civsim.play("peace", metrics={"cells": lambda record, state: record.cells})
    with pytest.raises(StudyError, match="'helt' is no column; did you mean 'held'"):
        civsim.play("peace", metrics={"held": lambda record, state: record.cells}, stop="sum(helt) > 1")


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--metric", "mine"], "--metric 'mine' is not NAME=WHERE"),
        (["--metric", "a=x.py:f", "--metric", "a=x.py:g"], "--metric gives a twice"),
        (["--metric", "a=x.py:f"], "'.*x.py' does not exist"),
        (["--stop", "sum(alife) < 2"], "did you mean 'alive'"),
    ],
)
def test_run_refuses_what_the_call_refuses(flags: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert re.search(message, refused(capsys, "run", "peace", *flags))


def test_a_study_is_played_judged_and_told(tmp_path: Path) -> None:
    _, path = small_study(tmp_path, replicates=4, turns=3, series="none", extra=HYPOTHESES)
    done = civsim.run_study(path, tmp_path / "out", seed=4, threads=1)
    assert (done.games, done.missing) == (24, 0)
    assert read_manifest(tmp_path / "out")["study"]["seed"] == 4
    assert civsim.run_study(load_study(path), tmp_path / "out", seed=4, resume=True).kept == 24
    judged = civsim.judge(tmp_path / "out", write=False)
    assert judged.files == ()
    assert judged.verdicts["name"].tolist() == ["more", "pays"]
    again = civsim.judge(judged.results)
    assert [file.name for file in again.files] == ["verdicts.csv", "verdicts-by-scenario.csv"]
    assert pd.read_csv(again.files[0])["verdict"].tolist() == judged.verdicts["verdict"].tolist()
    page = civsim.report(tmp_path / "out", kinds=["verdicts"])
    assert page == tmp_path / "out" / "report.html"
    with pytest.raises(ResultsError, match="did you mean 'verdicts'"):
        civsim.report(tmp_path / "out", kinds=["verdict"])
    assert len(read_runs(tmp_path / "out")) == 24


def test_own_policies_are_judged_by_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    write_policy(tmp_path)
    found = civsim.evaluate(["mine.py:Thrifty"], "peace", worlds=3, against=["fixed"], settings=TINY)
    assert found.tables.summary["policy"].tolist() == ["mine.py:Thrifty", "fixed"]
    files = found.write("judged")
    assert json.loads(files[1].read_text())["command"] == "civsim.evaluate(…), from Python"
    told = said(capsys, "tournament", "mine.py:Thrifty", "uniform", "--scenario", "peace", "--worlds", "2", *FLAGS)
    assert "mine.py:Thrifty" in told
    with pytest.raises(CheckpointError, match="leaves nobody to compare with"):
        civsim.evaluate(["fixed"], "peace", worlds=2, against=["fixed"])


def test_train_makes_the_folder_that_its_command_makes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    done = civsim.train("peace", settings=TINY, steps=64, worlds=2, seed=3, eval_freq=0, rollout=16, batch=32)
    assert done.finished
    assert done.folder == Path("out/train/peace-ppo-3")
    with pytest.raises(CheckpointError, match="stepz"):
        civsim.train("peace", stepz=3)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"worlds": 0}, "worlds is 0; play at least 1"),
        ({"worlds": 10**9}, "^worlds: 1000000000 need .* GiB; give at most"),
        ({"worlds": 2, "first": 2**32 - 1}, "^first: 4294967295 with 2 worlds passes"),
    ],
)
def test_play_names_its_parameters(options: dict[str, int], message: str) -> None:
    with pytest.raises(ScenarioError, match=message):
        civsim.play("peace", settings=TINY, **options)


def test_one_name_is_one_player() -> None:
    found = civsim.evaluate("builder", "peace", worlds=2, against="fixed", settings=TINY)
    assert found.tables.summary["policy"].tolist() == ["builder", "fixed"]
    with pytest.raises(CheckpointError, match="^against 'fixed' leaves nobody"):
        civsim.evaluate("fixed", "peace", worlds=2, against="fixed", settings=TINY)
    with pytest.raises(ScenarioError, match="trained on a scenario; name a scenario"):
        civsim.evaluate("builder", worlds=2)
