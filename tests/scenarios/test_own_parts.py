"""A study with parts of one's own: their columns, and that two versions of their code are never mixed."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from own_parts import write_metrics, write_policy
from studies import SCENARIO, everything

from civsim.base.errors import ResultsError, StudyError
from civsim.scenarios import load_study, plan, read_civs, read_manifest, read_maps, read_runs, read_series
from civsim.scenarios.batch import run_batch
from civsim.scenarios.merge import merge_results
from civsim.scenarios.plan import make_plan
from civsim.scenarios.study import Study

STUDY = """
scenario = "game.toml"
seed = 3
replicates = 4
series = "all"
maps = [3, 12]
stop = "max(cells) >= 6 or sum(living) == 0"
[metrics.per_cell]
function = "measures.py:per_cell"
[metrics.living]
function = "measures.py:living"
over = "last"
[factors.horizon]
path = "focal.levels.horizon"
levels = [0, 3]
"""


def write_study(folder: Path, consumption: float = 0.5) -> Study:
    """Write a study that uses a policy, metrics and a stop of somebody's; return it."""
    write_policy(folder, consumption)
    write_metrics(folder)
    game = SCENARIO.format(turns=14) + '[seat_default.policy]\nname = "mine.py:Thrifty"\nparams = { works = false }\n'
    (folder / "game.toml").write_text(game)
    (folder / "own.toml").write_text(STUDY)
    return load_study(folder / "own.toml")


def test_own_metrics_are_columns_and_a_stopped_game_has_no_rows_beyond_its_end(tmp_path: Path) -> None:
    run_batch(write_study(tmp_path), tmp_path / "out", threads=1)
    runs, civs, series = read_runs(tmp_path / "out"), read_civs(tmp_path / "out"), read_series(tmp_path / "out")
    assert runs["turns"].nunique() > 1
    assert runs["turns"].max() <= 14
    assert series.groupby("run_id")["turn"].max().to_dict() == dict(zip(runs["run_id"], runs["turns"], strict=True))
    assert len(series) == 2 * runs["turns"].sum()
    assert np.isfinite(series[["output", "living"]].to_numpy()).all()
    last = series.sort_values("turn").groupby(["run_id", "seat"])["living"].last()
    assert (civs.set_index(["run_id", "seat"])["living"].sort_index() == last.sort_index()).all()
    focal = civs[civs["is_focal"]].set_index("run_id")
    assert np.allclose(runs.set_index("run_id")["per_cell"], focal["per_cell"].loc[runs["run_id"]])
    maps = read_maps(tmp_path / "out")
    lasted = maps["run_id"].map(runs.set_index("run_id")["turns"])
    assert (maps["turn"] <= lasted).all()
    assert set(runs["run_id"]).isdisjoint(_run_ids(tmp_path))
    assert len(maps) == sum((runs["turns"] >= turn).sum() for turn in (3, 12))


def _run_ids(folder: Path) -> set[str]:
    """Return the runs of the same study, of which every game is played to its end."""
    path = folder / "whole.toml"
    path.write_text((folder / "own.toml").read_text().replace("stop = ", "# "))
    run_batch(load_study(path), folder / "whole")
    assert "turns" not in read_runs(folder / "whole")
    return set(read_runs(folder / "whole")["run_id"])


@pytest.mark.parametrize("part", ["mine.py", "measures.py"])
def test_resume_never_mixes_two_versions_of_somebodys_code(tmp_path: Path, part: str) -> None:
    study = write_study(tmp_path)
    out = tmp_path / "out"
    run_batch(study, out)
    before = read_manifest(out)
    assert {Path(name.split(":")[0]).name for name in before["files"]} == {"mine.py", "measures.py"}
    (tmp_path / part).write_text((tmp_path / part).read_text() + "\n# changed\n")
    with pytest.raises(ResultsError, match=f"was begun with another .*{part}:.*, which has changed since"):
        run_batch(load_study(tmp_path / "own.toml"), out, resume=True)
    assert read_manifest(out) == before


@pytest.mark.parametrize("part", ["mine.py", "measures.py"])
def test_code_that_changes_while_a_batch_runs_stops_it(
    tmp_path: Path, part: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    study = write_study(tmp_path)
    monkeypatch.setattr(plan, "PART_RUNS", 4)
    assert len(make_plan(study).parts) == 2
    path, left = tmp_path / part, []

    def change(games: int, failed: int) -> None:
        left.append(games)
        if sum(left) == 4:
            path.write_text(path.read_text() + "\n# changed\n")

    with pytest.raises(StudyError, match=f"{part}:.*was changed while the study was played; put it back and resume"):
        run_batch(study, tmp_path / "out", report=change)
    assert [file.name for file in (tmp_path / "out" / "runs").iterdir()] == ["part-000000.parquet"]
    path.write_text(path.read_text().removesuffix("\n# changed\n"))
    assert run_batch(study, tmp_path / "out", resume=True).kept == 4


def test_a_policy_that_fails_stops_the_batch_and_is_no_failed_game(tmp_path: Path) -> None:
    write_study(tmp_path)
    path = tmp_path / "mine.py"
    path.write_text(
        path.read_text().replace("return shares", "return {}['shares'] if context.turns[0] == 3 else shares")
    )
    with pytest.raises(StudyError, match=r"study 'own', point 0: policy 'Thrifty': KeyError: 'shares' \(mine.py, line"):
        run_batch(load_study(tmp_path / "own.toml"), tmp_path / "out")
    assert everything(tmp_path / "out") == {}


def test_a_study_with_own_parts_grows_and_is_shared_byte_for_byte(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plan, "PART_RUNS", 4)
    smaller = write_study(tmp_path)
    run_batch(smaller, tmp_path / "out")
    path = tmp_path / "own.toml"
    path.write_text(path.read_text().replace("replicates = 4", "replicates = 6"))
    larger = load_study(path)
    whole = run_batch(larger, tmp_path / "whole")
    grown = run_batch(larger, tmp_path / "out", grow=True)
    assert (grown.games, grown.kept) == (whole.games - 8, 8)
    assert everything(tmp_path / "out") == everything(tmp_path / "whole")
    shares = [run_batch(larger, tmp_path / str(number), share=(number, 2)).folder for number in (1, 2)]
    assert everything(merge_results(shares, tmp_path / "merged").folder) == everything(tmp_path / "whole")
    assert read_manifest(tmp_path / "merged")["files"] == read_manifest(tmp_path / "whole")["files"]


@pytest.mark.parametrize("part", ["mine.py", "measures.py"])
def test_neither_growth_nor_merge_mixes_two_versions_of_somebodys_code(
    tmp_path: Path, part: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plan, "PART_RUNS", 4)
    run_batch(write_study(tmp_path), tmp_path / "1", share=(1, 2))
    run_batch(load_study(tmp_path / "own.toml"), tmp_path / "out")
    (tmp_path / part).write_text((tmp_path / part).read_text() + "\n# changed\n")
    run_batch(load_study(tmp_path / "own.toml"), tmp_path / "2", share=(2, 2))
    with pytest.raises(ResultsError, match="holds another study"):
        merge_results([tmp_path / "1", tmp_path / "2"], tmp_path / "merged")
    path, before = tmp_path / "own.toml", everything(tmp_path / "out")
    path.write_text(path.read_text().replace("replicates = 4", "replicates = 6"))
    with pytest.raises(ResultsError, match=f"was begun with another .*{part}:.*, which has changed since"):
        run_batch(load_study(path), tmp_path / "out", grow=True)
    assert everything(tmp_path / "out") == before


@pytest.mark.parametrize(
    "changed", [('over = "last"', 'over = "max"'), (">= 6", ">= 7"), ("[metrics.living]", "[metrics.many]")]
)
def test_a_study_does_not_grow_by_other_metrics_or_another_stop(tmp_path: Path, changed: tuple[str, str]) -> None:
    run_batch(write_study(tmp_path), tmp_path / "out")
    path = tmp_path / "own.toml"
    path.write_text(path.read_text().replace(*changed).replace("sum(living) == 0", "sum(alive) == 0"))
    with pytest.raises(ResultsError, match="was played with (metrics|stop)="):
        run_batch(load_study(path), tmp_path / "out", grow=True)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("sum(living)", "sum(livin)", "'livin' is no column; did you mean 'living'"),
        ("[metrics.living]", "[metrics.cells]", "metrics.cells is the name of a column that civsim's tables have"),
        ("[metrics.living]", "[metrics.Living]", "metrics"),
        ("[metrics.living]", "[metrics.turns]", "metrics.turns is the name of a column"),
        ('over = "last"', 'over = "median"', "over='median' is not known"),
    ],
)
def test_a_study_is_refused_when_it_is_read(tmp_path: Path, old: str, new: str, message: str) -> None:
    write_study(tmp_path)
    path = tmp_path / "own.toml"
    path.write_text(path.read_text().replace(old, new))
    with pytest.raises(StudyError, match=message):
        load_study(path)


def test_what_stops_a_game_names_a_seat_that_there_is(tmp_path: Path) -> None:
    write_study(tmp_path)
    path = tmp_path / "own.toml"
    path.write_text(path.read_text().replace("max(cells)", "cells[5]"))
    with pytest.raises(StudyError, match="point 0: stop=.* names seat 5; give 0 to 1"):
        run_batch(load_study(path), tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_the_focal_seat_is_each_worlds_own(tmp_path: Path) -> None:
    write_study(tmp_path)
    path = tmp_path / "own.toml"
    path.write_text(path.read_text().replace("max(cells) >= 6", "cells[focal] >= 5"))
    run_batch(load_study(path), tmp_path / "out")
    runs, series = read_runs(tmp_path / "out"), read_series(tmp_path / "out")
    mine = series[series["is_focal"]].sort_values("turn").groupby("run_id")["cells"]
    assert set(runs["focal"]) == {0, 1}
    assert (mine.last()[runs.loc[runs["turns"] < 14, "run_id"]] >= 5).all()
    assert all((cells.iloc[:-1] < 5).all() for _, cells in mine)
