"""Maps of who owns each cell, recorded at the turns that a study asks for."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from faults import poison
from studies import contents, small_study

from civsim.base.errors import ResultsError, StudyError
from civsim.scenarios import read_civs, read_maps, read_runs, read_series
from civsim.scenarios.batch import make_plan, run_batch
from civsim.scenarios.study import Study

TURNS = (2, 5, 8)


def study_with_maps(folder: Path, maps: Sequence[int] = TURNS, **options: Any) -> Study:
    """Return the small study with maps; TOML wants them above its tables, so they are put in by validation."""
    study, _ = small_study(folder, **options)
    made = Study.model_validate({**study.model_dump(exclude_unset=True), "maps": tuple(maps)})
    made._folder = study.folder
    return made


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the results of the small study with maps."""
    folder = tmp_path_factory.mktemp("maps")
    run_batch(study_with_maps(folder), folder / "out")
    return folder / "out"


def test_one_row_a_run_and_turn_with_the_owner_of_every_cell(finished: Path) -> None:
    maps, runs = read_maps(finished), read_runs(finished)
    assert list(maps.columns) == ["run_id", "point", "world_id", "turn", "owner"]
    assert len(maps) == len(runs) * len(TURNS)
    assert set(maps["run_id"]) == set(runs["run_id"])
    assert maps["turn"].tolist() == list(TURNS) * len(runs)
    owners = np.stack(maps["owner"].to_list())
    assert owners.dtype == np.int8
    assert owners.shape[1] == 8 * 8
    assert set(np.unique(owners)) <= {-1, 0, 1}


def test_cells_on_the_map_are_the_cells_counted(finished: Path) -> None:
    maps, series, civs = read_maps(finished), read_series(finished), read_civs(finished)
    for seat in (0, 1):
        held = maps.assign(cells=[int((owner == seat).sum()) for owner in maps["owner"]])
        counted = series[(series["seat"] == seat) & series["turn"].isin(TURNS)]
        both = held.merge(counted, on=["run_id", "turn"], suffixes=("", "_series"))
        assert len(both) == len(maps)
        assert (both["cells"] == both["cells_series"]).all()
        last = held[held["turn"] == TURNS[-1]].merge(civs[civs["seat"] == seat], on="run_id", suffixes=("", "_end"))
        assert (last["cells"] == last["cells_end"]).all()


def test_maps_change_no_other_table(finished: Path, tmp_path: Path) -> None:
    study, _ = small_study(finished.parent)
    run_batch(study, tmp_path / "plain")
    assert read_runs(tmp_path / "plain").equals(read_runs(finished))
    assert read_series(tmp_path / "plain").equals(read_series(finished))
    with pytest.raises(ResultsError, match="has no maps; run its study with maps"):
        read_maps(tmp_path / "plain")
    assert make_plan(study).digest != make_plan(study_with_maps(finished.parent)).digest


@pytest.mark.parametrize(("threads", "batch"), [(2, 128), (1, 1)])
def test_threads_and_batch_size_change_no_map(finished: Path, tmp_path: Path, threads: int, batch: int) -> None:
    run_batch(study_with_maps(finished.parent), tmp_path / "out", threads=threads, batch=batch)
    assert contents(tmp_path / "out") == contents(finished)


def test_a_part_whose_maps_are_gone_is_played_again(finished: Path, tmp_path: Path) -> None:
    study = study_with_maps(finished.parent, replicates=2)
    run_batch(study, tmp_path / "out")
    before = contents(tmp_path / "out")
    (tmp_path / "out" / "maps" / "part-000000.parquet").unlink()
    assert run_batch(study, tmp_path / "out", resume=True).games == 12
    assert contents(tmp_path / "out") == before
    small_study(finished.parent)


def test_a_failed_world_has_no_map_and_its_neighbours_have(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    poison(monkeypatch, 3, loud=True)
    (tmp_path / "study").mkdir()
    run_batch(study_with_maps(tmp_path / "study"), tmp_path / "out")
    maps = read_maps(tmp_path / "out")
    assert set(maps["world_id"]) == {0, 1, 2, 4, 5}
    assert len(maps) == 5 * 6 * len(TURNS)


def test_a_turn_after_the_last_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    with pytest.raises(StudyError, match="maps=9 is after the last turn, 8"):
        run_batch(study_with_maps(tmp_path, (2, 9)), tmp_path / "out")
    assert not (tmp_path / "out").exists()
