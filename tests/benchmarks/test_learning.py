"""The page of learning: trainings are planned, games played once, tables filled from them, gaps named."""

from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from trained import make_checkpoint, make_run

from civsim.agents import policy_names
from civsim.agents.training.config import RunConfig, save_run_config
from civsim.agents.training.settings import train_settings
from civsim.base.scenario import Scenario
from civsim.scenarios import list_scenarios

ROOT = Path(__file__).resolve().parents[2]
TINY = Scenario.model_validate(
    {"name": "baseline", "map": {"width": 8, "height": 8}, "game": {"turns": 3, "civilizations": 2}}
)
STEPS = 300  # what the fabricated evaluations reach: a hundred games, enough for the grid


@pytest.fixture(scope="module")
def learning() -> Any:
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(ROOT / "benchmarks"))
        import learning

        yield learning


def finished_run(out: Path, arm: str, seed: int, **changes: Any) -> Path:
    """Write a run of random weights that looks finished."""
    own = {"policy": "dirichlet"} if arm == "dirichlet" else {"start": arm}
    settings = train_settings("ppo", steps=STEPS, seed=seed, eval_freq=100, eval_episodes=6, **own)
    folder = make_run(out / f"baseline-{arm}-{seed}", TINY, seed=seed)
    tables = settings.model_dump(mode="json") | changes
    command = ("/usr/bin/civsim", "train", "baseline", "--seed", str(seed))
    config = RunConfig(scenario=TINY.model_dump(mode="json"), settings=tables, command=command, versions={"numpy": "9"})
    save_run_config(folder, config)
    return folder


@pytest.fixture(scope="module")
def played(learning: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Runs of every arm, one of them unfinished, and their games."""
    out = tmp_path_factory.mktemp("learning")
    for arm, seed in (("uniform", 1), ("uniform", 2), ("fixed", 1), ("dirichlet", 1), ("dirichlet", 2)):
        finished_run(out, arm, seed)
    finished_run(out, "fixed", 2, steps=STEPS + 1)
    assert learning.main(["evaluate", "--out", str(out), "--jobs", "1", "--worlds", "6"]) == 0
    return out


def docs_copy(folder: Path) -> Path:
    (folder / "figures").mkdir(parents=True)
    shutil.copy(ROOT / "docs" / "learning.md", folder)
    shutil.copy(ROOT / "docs" / "figures" / "tradeoff-optimum.csv", folder / "figures")
    return folder


def report(learning: Any, out: Path, docs: Path) -> str:
    assert learning.main(["report", "--out", str(out), "--docs", str(docs), "--worlds", "6"]) == 0
    return (docs / "learning.md").read_text(encoding="utf-8")


def test_the_plan_covers_the_library_and_its_settings_are_those_of_its_commands(learning: Any) -> None:
    jobs = learning.plan()
    names = [job.name for job in jobs]
    assert len(set(names)) == len(names)
    assert {job.context for job in jobs} == set(list_scenarios())
    for context in learning.FIVE:
        for start in ("uniform", "fixed"):
            assert {job.seed for job in jobs if (job.context, job.arm) == (context, start)} == {1, 2, 3, 4, 5}
    assert {job.seed for job in jobs if job.arm == "dirichlet"} == {1, 2, 3, 4, 5}
    first = train_settings("ppo", **jobs[0].options())
    assert (first.steps, first.start, first.policy, first.eval_episodes) == (120_000, "uniform", "softmax", 32)
    text = " ".join(jobs[0].command(Path("out/learning")))
    assert text == (
        "civsim train baseline --out out/learning/baseline-uniform-1 --seed 1 --start uniform -n 120000 "
        "--eval-freq 40000 --eval-episodes 32"
    )
    (dirichlet,) = [job for job in jobs if job.name == "baseline-dirichlet-3"]
    assert train_settings("ppo", **dirichlet.options()).policy == "dirichlet"
    assert "--policy dirichlet" in " ".join(dirichlet.command(Path()))


def test_trainings_go_through_the_trainer_and_finished_ones_are_left_alone(
    learning: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from civsim.agents.training import run as trainer

    finished_run(tmp_path, "uniform", 1)
    asked = []

    def train(scenario: Scenario, out: Path, settings: Any, **options: Any) -> Any:
        asked.append((scenario.name, out.name, settings.seed, settings.start, options["resume"]))
        return trainer.TrainReport(out, 1, 1, 2.0, out.name != "baseline-fixed-1", "")

    monkeypatch.setattr(trainer, "train", train)
    monkeypatch.setattr(learning, "plan", lambda: [learning.Job("baseline", arm, 1) for arm in ("uniform", "fixed")])
    assert learning.main(["train", "--out", str(tmp_path), "--jobs", "1"]) == 0
    assert asked == [("baseline", "baseline-fixed-1", 1, "fixed", True)]
    shown = capsys.readouterr().out
    assert "1 of 2 trainings to run" in shown
    assert "stopped: 1 turns in 2 CPU-seconds: civsim train baseline" in shown


def test_games_are_played_once_and_again_where_the_weights_change(
    learning: Any, played: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "runs"
    shutil.copytree(played, out)
    options = ["evaluate", "--out", str(out), "--jobs", "1", "--worlds", "6"]
    everyone = 5 + 1 + len(policy_names())  # runs, the search for fixed shares, registered policies
    assert len(list((out / "games" / "baseline").glob("*.parquet"))) == everyone
    assert learning.main(options) == 0
    shown = capsys.readouterr().out
    assert f"0 of {everyone} policies to play" in shown
    assert "left out, not finished: baseline-fixed-2" in shown
    shutil.rmtree(out / "baseline-uniform-2" / "best")
    make_checkpoint(out / "baseline-uniform-2" / "best", TINY, 77)
    before = (out / "games" / "baseline" / "learnt-uniform-2.parquet").read_bytes()
    assert learning.main(options) == 0
    assert f"1 of {everyone} policies to play" in capsys.readouterr().out
    assert (out / "games" / "baseline" / "learnt-uniform-2.parquet").read_bytes() != before
    assert learning.main([*options[:-1], "7"]) == 0
    assert f"{everyone} of {everyone} policies to play" in capsys.readouterr().out


def test_the_search_for_fixed_shares_is_recorded(played: Path) -> None:
    record = json.loads((played / "games" / "baseline" / "best-fixed-1.json").read_text())
    assert record["games"] <= record["budget"] == STEPS // 3
    assert len([trial for trial in record["trials"] if trial["round"] == 0]) == 96
    assert record["params"] in [trial["params"] for trial in record["trials"]]


def test_the_page_says_what_is_there_and_what_is_not(learning: Any, played: Path, tmp_path: Path) -> None:
    docs = docs_copy(tmp_path / "docs")
    text = report(learning, played, docs)
    rows = [line for line in text.splitlines() if line.startswith("|")]
    (against,) = [row for row in rows if row.startswith("| baseline | uniform | 2 |") and " of 6 |" in row]
    assert "`" in against
    assert any(row.startswith("| war | not trained |") for row in rows)
    (thinking,) = [row for row in rows if row.startswith("| baseline | uniform | 38 % |")]
    with (docs / "figures" / "tradeoff-optimum.csv").open() as table:
        (best,) = [row for row in csv.DictReader(table) if row["context"] == "baseline"]
    share, low, high = (100.0 * float(best[name]) for name in ("share", "low", "high"))
    assert f"{share:.1f} % [{low:.1f}, {high:.1f}]" in thinking
    assert any(row.startswith("| baseline | fixed | 5.0 % |") for row in rows)
    assert any(row.startswith("| baseline | softmax | 2 |") for row in rows)
    assert any(row.startswith("| baseline | dirichlet − softmax |") for row in rows)
    (curve,) = [row for row in rows if row.startswith("| baseline | dirichlet | 2 |") and row.endswith(" 3 |")]
    assert curve.count("|") == 8
    assert "Left out, not finished: baseline-fixed-2." in text
    assert "civsim train baseline --seed 1" in text
    table = pd.read_csv(docs / "learning.csv")
    mine = table[table["policy"] == "learnt-uniform"]
    assert np.allclose(mine["difference"], mine["mean"] - mine["other_mean"], atol=1e-3)
    names = {
        f"learned{end}"
        for end in (".png", ".svg", ".pdf", "-dark.png", "-dark.svg", ".csv", "-runs.csv", ".command.txt")
    }
    assert names <= {path.name for path in (docs / "figures").iterdir()}
    assert report(learning, played, docs) == text  # made again, the page is the same


def test_the_numbers_are_those_of_the_games(learning: Any, played: Path, tmp_path: Path) -> None:
    docs = docs_copy(tmp_path / "docs")
    report(learning, played, docs)
    folder = played / "games" / "baseline"
    own = [pd.read_parquet(folder / f"learnt-uniform-{seed}.parquet") for seed in (1, 2)]
    other = pd.read_parquet(folder / "builder.parquet")
    table = pd.read_csv(docs / "learning.csv").set_index(["policy", "other"])
    difference = np.mean([games["welfare"] for games in own]) - other["welfare"].mean()
    assert table.loc[("learnt-uniform", "builder"), "difference"] == pytest.approx(difference, rel=1e-4)
    shares = pd.read_csv(docs / "figures" / "learned.csv").set_index("start")
    spent = pd.concat(own).filter(like="spent_").sum()
    cognition = spent[["spent_strategists", "spent_scouts", "spent_analysts"]].sum() / spent.sum()
    assert shares.loc["uniform", "learned"] == pytest.approx(cognition, rel=1e-4)
    assert shares["begun"].tolist() == pytest.approx([0.375, 0.05])


def test_runs_without_games_are_named(
    learning: Any, played: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "runs"
    shutil.copytree(played, out)
    for name in ("builder", "best-fixed-1", "learnt-dirichlet-2"):
        (out / "games" / "baseline" / f"{name}.parquet").unlink()
    text = report(learning, out, docs_copy(tmp_path / "docs"))
    assert "left out, not played: baseline: builder builder" in capsys.readouterr().out
    assert "not played yet: 3 policies" in text
    (against,) = [
        line for line in text.splitlines() if line.startswith("| baseline | uniform | 2 |") and " of 5 |" in line
    ]
    assert against.endswith("| — |")
    assert "| baseline | dirichlet | 1 |" in text


@pytest.mark.parametrize(
    ("spoil", "word"),
    [
        (lambda out: shutil.rmtree(out / "games"), "holds no games"),
        (lambda out: finished_run(out, "uniform", 3, hidden=[8]), "differ in more than their seed"),
        (lambda out: (out / "games/baseline/builder.parquet").write_bytes(b"PAR1"), "is damaged"),
    ],
)
def test_what_cannot_be_used_is_one_line(
    learning: Any, played: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], spoil: Any, word: str
) -> None:
    out = tmp_path / "runs"
    shutil.copytree(played, out)
    spoil(out)
    assert learning.main(["report", "--out", str(out), "--docs", str(tmp_path), "--worlds", "6"]) == 2
    error = capsys.readouterr().err
    assert word in error
    assert error.count("\n") == 1
