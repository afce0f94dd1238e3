"""``civsim evaluate``: tables and figures of policies and runs on held-out worlds; one line for what it cannot use."""

from __future__ import annotations

import csv
import json
import re
import shlex
import shutil

import pytest
from checkpoints import random_checkpoint
from commands import refused, said
from trained import make_checkpoint, make_run

from civsim.agents.evaluate import HELD_OUT_FIRST
from civsim.base.scenario import Scenario
from civsim.calls.players import find_players, group_kinds
from civsim.cli import main

SMALL = Scenario.model_validate(
    {"name": "small", "map": {"width": 6, "height": 6}, "game": {"civilizations": 2, "turns": 4}}
)
FAST = ("--worlds", "6", "--threads", "1", "--against", "uniform,fixed")


def test_runs_of_one_kind_are_pooled_and_everything_is_written(folder, capsys):
    for seed in range(3):
        make_run(folder / f"agent-seed{seed}", SMALL, seed)
    runs = [f"agent-seed{seed}" for seed in range(3)]
    text = said(capsys, "evaluate", *runs, *FAST, "--out", "out")
    assert "small: 6 held-out worlds" in text
    assert "agent ×3" in text
    assert "over worlds and training runs" in text
    with (folder / "out" / "evaluation.csv").open() as handle:
        rows = list(csv.DictReader(handle))
    assert len(rows) == (3 + 2) * 6
    assert {row["run"] for row in rows if row["policy"] == "agent ×3"} == set(runs)
    assert {int(row["world_id"]) for row in rows} == {HELD_OUT_FIRST + k for k in range(6)}
    assert [int(row["seat"]) for row in rows[:6]] == [0, 1, 0, 1, 0, 1]
    summary = json.loads((folder / "out" / "evaluation.json").read_text())
    assert summary["runs"] == {"agent ×3": runs, "uniform": ["uniform"], "fixed": ["fixed"]}
    assert [row["other"] for row in summary["comparisons"]] == ["uniform", "fixed"]
    mean = sum(float(row["welfare"]) for row in rows if row["policy"] == "uniform") / 6
    assert summary["summary"][1]["mean"] == pytest.approx(mean)
    assert shlex.split(summary["command"])[:5] == ["civsim", "evaluate", *runs]
    for stem in ("profile", "learning"):
        assert {f"{stem}.{kind}" for kind in ("png", "svg", "csv", "command.txt")} <= {
            path.name for path in (folder / "out").iterdir()
        }
        assert f"out/{stem}.png" in text
    drawn = " ".join((folder / "out" / "learning.svg").read_text().split())
    assert "Student's t over runs, each on worlds of its own" in drawn
    assert "crossed" not in drawn


def test_the_command_it_writes_makes_the_same_tables(folder, capsys):
    said(capsys, "evaluate", "builder", "--scenario", "baseline", "--set", "game.turns=3", "--seed", "4", "--worlds",
         "4", "--seat", "1", "--against", "uniform", "--out", "one")  # fmt: skip
    command = (folder / "one" / "profile.command.txt").read_text()
    assert "--seat 1" in command
    said(capsys, *shlex.split(command.replace("--out one", "--out two"))[1:])
    assert (folder / "one" / "evaluation.csv").read_bytes() == (folder / "two" / "evaluation.csv").read_bytes()
    seeded = json.loads((folder / "one" / "evaluation.json").read_text())
    assert (seeded["seed"], seeded["seat"], seeded["worlds"]) == (4, 1, 4)


def test_kinds_are_compared_with_each_other_and_a_name_is_unique(folder, capsys):
    make_checkpoint(folder / "a" / "best", SMALL, 0)
    make_checkpoint(folder / "uniform", SMALL, 0, learning_rate=0.5)
    text = said(capsys, "evaluate", "a", "./uniform", *FAST)
    assert "uniform #2" in text
    assert "training seed may differ" in text


def test_players_are_told_apart_by_everything_but_their_seed(folder):
    for name, seed, settings in (("x1", 1, {}), ("x2", 2, {"threads": 4}), ("y", 1, {"learning_rate": 0.1})):
        make_run(folder / name, SMALL, seed, **settings)
    make_run(folder / "z", SMALL.model_copy(update={"name": "other"}), 1)
    kinds = group_kinds(find_players(["x1", "y", "x2", "z", "builder"]))
    assert [kind.label for kind in kinds] == ["x ×2", "y", "z", "builder"]
    assert [player.label for player in kinds[0].members] == ["x1", "x2"]
    assert find_players(["x1/best"])[0].label == "x1/best"


def test_checkpoints_and_copies_of_one_run_are_not_taken_for_trainings(folder):
    for name, seed in (("x1", 1), ("x2", 2), ("x3", 3)):
        make_run(folder / name, SMALL, seed)
    make_checkpoint(folder / "x1" / "checkpoints" / "step_0000000100", SMALL, 1)
    make_checkpoint(folder / "x1" / "last", SMALL, 1)
    shutil.copytree(folder / "x1", folder / "copies" / "x1")
    stages = ["x1", "x1/best", "x1/last", "x1/checkpoints/step_0000000100", "copies/x1"]
    kinds = group_kinds(find_players([stages[0], "x2", *stages[1:], "x3"]))
    assert [kind.label for kind in kinds] == ["x1", "x ×2", *stages[1:4], "x1 #2"]
    assert [[member.text for member in kind.members] for kind in kinds if len(kind.members) > 1] == [["x2", "x3"]]


def test_runs_that_do_not_say_their_seed_stay_apart(folder):
    for name, settings in (("a", {}), ("b", {}), ("c", {"seed": [1]})):
        random_checkpoint(folder / name, SMALL, settings=settings)
    assert [kind.label for kind in group_kinds(find_players(["a", "b", "c"]))] == ["a", "b", "c"]


def test_the_scenario_is_the_runs_own_unless_named(folder, capsys):
    make_run(folder / "one", SMALL)
    make_run(folder / "two", SMALL.model_copy(update={"game": SMALL.game.model_copy(update={"turns": 5})}))
    err = refused(capsys, "evaluate", "one", "two", *FAST)
    assert "different scenarios; name a scenario" in err
    text = said(capsys, "evaluate", "one", "two", *FAST, "--scenario", "baseline", "--set", "game.turns=2")
    assert "baseline: 6 held-out worlds" in text


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (["rsher"], "did you mean 'rusher'"),
        ([""], "neither a policy nor a folder"),
        (["file:none"], "neither a policy nor a folder"),
        (["rusher"], "name a scenario"),
        (["rusher", "rusher"], "given twice"),
        (["empty"], "'.*empty' holds no config.json"),
        (["rusher", "--scenario", "basline"], "did you mean 'baseline'"),
        (["rusher", "--scenario", "baseline", "--against", "rusher"], "leaves nobody to compare with"),
        (["rusher", "--scenario", "baseline", "--against", "nobody"], "neither a policy nor a folder"),
        (["rusher", "--scenario", "baseline", "--seat", "9"], "seat"),
        (["rusher", "--scenario", "baseline", "--seat", "x"], "neither a number nor rotate"),
        (["rusher", "--scenario", "baseline", "--set", "game.turns=0"], "game.turns=0"),
        (["rusher", "--scenario", "baseline", "--worlds", "1"], "greater than or equal to 2"),
        (["rusher", "--scenario", "baseline", "--out", "file/out"], "is a file"),
    ],
)
def test_what_cannot_be_used_is_one_line(folder, capsys, arguments, word):
    (folder / "empty").mkdir()
    (folder / "file").write_text("")
    assert re.search(word, refused(capsys, "evaluate", *arguments))
    assert sorted(path.name for path in folder.iterdir()) == ["empty", "file"]


def test_damaged_evaluations_write_nothing(folder, capsys):
    make_run(folder / "agent", SMALL)
    (folder / "agent" / "evaluations.npz").write_bytes(b"PK")
    code = main(["evaluate", "agent", *FAST, "--out", "out"])
    assert code == 2
    assert "evaluations.npz" in capsys.readouterr().err
    assert not (folder / "out").exists()


def test_progress_is_on_stderr_and_only_when_asked(folder, capsys):
    arguments = ["evaluate", "builder", "--scenario", "baseline", "--set", "game.turns=2", *FAST, "--progress"]
    assert main(arguments) == 0
    out, err = capsys.readouterr()
    assert "18/18" in err
    assert "18/18" not in out
