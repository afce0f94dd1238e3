"""Queries and reading in part: what is found is what the whole tables say, and nothing can be written."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from studies import contents, small_study

import civsim
from civsim.analysis.results import open_results
from civsim.base.errors import ResultsError
from civsim.scenarios import load_study, query, read_civs, read_maps, read_runs, read_series
from civsim.scenarios.batch import run_batch
from civsim.scenarios.plan import PART_RUNS
from civsim.scenarios.queries import plain_names
from civsim.scenarios.results import read_rows
from civsim.scenarios.tables import part_file


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the results of the small study, with every table there is."""
    place = tmp_path_factory.mktemp("queried")
    _, path = small_study(place, replicates=4, turns=5)
    path.write_text("maps = [2, 5]\n" + path.read_text())
    run_batch(load_study(path), place / "out")
    return place / "out"


@pytest.mark.parametrize(
    ("view", "read"),
    [("runs", read_runs), ("civilizations", read_civs), ("series", read_series), ("maps", read_maps)],
)
def test_a_view_is_the_table_and_no_name_of_its_columns_needs_quotes(folder: Path, view: str, read) -> None:
    table = read(folder)
    keys = [key for key in ("point", "world_id", "seat", "turn") if key in table]
    names = plain_names(list(table.columns))
    asked = query(folder, f"select {', '.join(names.values())} from {view} order by {', '.join(keys)}").to_pandas()
    assert list(asked.columns) == list(names.values())
    for old, new in names.items():
        if old == "owner":
            assert all((one == other).all() for one, other in zip(table[old], asked[new], strict=True))
        else:
            assert _told(table[old]) == _told(asked[new]), old


def _told(column: pd.Series) -> list:
    return [None if pd.isna(value) else value for value in column]


def test_a_query_may_join_and_average(folder: Path) -> None:
    found = civsim.query(
        folder,
        "select factor_horizon, avg(s.output) as output from series s join runs using (run_id) "
        "where is_focal group by all order by all",
    ).to_pandas()
    series, runs = read_series(folder), read_runs(folder).set_index("run_id")
    mine = series[series["is_focal"]]
    expected = mine.groupby(mine["run_id"].map(runs["factor.horizon"]))["output"].mean()
    assert found["factor_horizon"].tolist() == [0, 2, 3]
    assert found["output"].tolist() == pytest.approx(expected.tolist())


@pytest.mark.parametrize(
    ("sql", "message"),
    [
        ("delete from runs", "the query is a delete, and results are only read"),
        ("create table x as select 1", "is a create"),
        ("drop view runs", "is a drop"),
        ("copy (select 1) to 'stolen.csv'", "is a copy"),
        ("attach 'x.db'", "is a attach|is an attach"),
        ("set enable_external_access = true", "is a set"),
        ("install httpfs", "results are only read"),
        ("pragma database_list", "results are only read|fails"),
        ("select 1; select 2", "holds 2 statements"),
        ("", "holds 0 statements"),
        ("select * from read_csv('/etc/passwd')", "fails"),
        ("select * from read_text('/etc/passwd')", "fails"),
        ("select * from glob('/etc/*')", "fails"),
        ("select * from '/etc/passwd'", "fails"),
        ("select * from secret", "fails"),
        ("select welfar from runs", "fails: .*welfare"),
        ("selec 1", "fails"),
        ("select 1 +", "fails"),
        ("select 1 as a, 2 as a", "two columns of the answer are called 'a'; name one of them by AS"),
        ("select '\udce9'", "holds bytes that are no UTF-8"),
        ("select 'a\nb' from nothing\n\n\n", "fails"),
    ],
)
def test_a_query_reads_and_does_nothing_else(
    folder: Path, sql: str, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    secret = pd.DataFrame({"of": ["the caller"]})
    before = contents(folder)
    with pytest.raises(ResultsError, match=message) as caught:
        query(folder, sql)
    assert "\n" not in str(caught.value)
    assert contents(folder) == before
    assert list(tmp_path.iterdir()) == []
    assert len(secret) == 1


def test_a_folder_for_what_memory_cannot_hold_is_not_read_either(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """DuckDB lets a query read the folder that it would spill to, the working folder's ``.tmp`` by default."""
    (tmp_path / ".tmp").mkdir()
    (tmp_path / ".tmp" / "secret.csv").write_text("a\n1\n")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ResultsError, match="fails"):
        query(folder, "select * from read_csv('.tmp/secret.csv')")


def test_without_duckdb_a_query_says_what_to_install(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "duckdb", None)
    with pytest.raises(ResultsError, match=r"install it by pip install 'civsim\[query\]'"):
        query(folder, "select 1")


def test_names_that_would_be_one_are_told_apart() -> None:
    columns = ["factor.a b", "factor.a_b", "factor.A_b", "x"]
    assert list(plain_names(columns).values()) == ["factor_a_b", "factor_a_b_2", "factor_A_b_3", "x"]


def test_points_and_worlds_may_be_arrays_and_are_whole_numbers(folder: Path) -> None:
    points = read_runs(folder)["point"].unique()
    assert read_series(folder, points=points, worlds=np.array([0, 2])).equals(read_series(folder, worlds=[0, 2]))
    for wrong in ({"worlds": [1.5]}, {"points": [0, 1.0]}):
        with pytest.raises(ResultsError, match="is no whole number; give whole numbers"):
            read_series(folder, **wrong)


def test_part_of_the_series_is_part_of_the_whole(folder: Path) -> None:
    whole = read_series(folder)
    part = read_series(folder, columns=["output", "turn", "world_id"], points=[4, 1], worlds=[2])
    kept = whole[whole["point"].isin([1, 4]) & (whole["world_id"] == 2)]
    assert list(part.columns) == ["output", "turn", "world_id"]
    assert part.to_dict("list") == kept[list(part.columns)].to_dict("list")
    assert read_series(folder).equals(read_rows(folder, "series").to_pandas())
    assert (
        open_results(folder)
        .read_series(["output"], points=[0])
        .equals(whole.loc[whole["point"] == 0, ["output"]].reset_index(drop=True))
    )
    assert read_series(folder, columns=[], points=[0]).shape[1] == 0
    opened = open_results(folder)
    asked = {"columns": ["run_id", "turn", "output"], "points": [4, 1], "worlds": [2]}
    once = opened.read_series(**asked)
    assert len(opened.series) == len(whole)
    assert opened.read_series(**asked).equals(once)  # from what was read meanwhile


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"columns": ["outputs"]}, "series has no column 'outputs'; did you mean 'output'"),
        ({"points": [6]}, "point 6 is not in the study; give 0 to 5"),
        ({"worlds": [4]}, "world 4 is not in the study; give 0 to 3"),
        ({"points": [-1]}, "point -1"),
    ],
)
def test_what_is_not_there_is_refused(folder: Path, asked: dict, message: str) -> None:
    with pytest.raises(ResultsError, match=message):
        read_series(folder, **asked)
    opened = open_results(folder)
    assert len(opened.series)  # from what was read before it is refused the same way
    with pytest.raises(ResultsError, match=message):
        opened.read_series(**asked)


def copied(folder: Path, tmp_path: Path) -> Path:
    """Return a copy of the results, to damage."""
    return Path(shutil.copytree(folder, tmp_path / "out"))


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda part, _: part.write_bytes(part.read_bytes()[:-9]), "is damaged"),
        (lambda part, _: part.write_bytes(_flipped(part.read_bytes())), "is damaged"),
        (lambda part, other: shutil.copyfile(other, part), "is not a series table of civsim; remove it"),
        (lambda part, _: part.unlink(), "lacks part-000000.parquet"),
        (lambda part, _: shutil.copyfile(part, part.with_name("part-000000 (1).parquet")), "is no part of this study"),
    ],
)
def test_a_folder_that_is_not_as_it_was_written_is_refused_by_whoever_reads_what_changed(
    folder: Path, tmp_path: Path, damage, message: str
) -> None:
    out = copied(folder, tmp_path)
    (part,) = (out / "series").iterdir()
    damage(part, out / "civs" / part.name)
    for read in (read_series, lambda out: read_series(out, columns=["turn"], points=[0]), _asked_of_series):
        with pytest.raises(ResultsError, match=message) as caught:
            read(out)
        assert "\n" not in str(caught.value)
    assert len(read_runs(out)) == 24


def _flipped(content: bytes) -> bytes:
    middle = len(content) // 2
    return content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :]


def _asked_of_series(folder: Path) -> None:
    query(folder, "select max(turn) from (select * from main.SERIES)")


def test_only_what_is_asked_for_is_read(folder: Path, tmp_path: Path) -> None:
    """A table that is damaged hurts those alone who ask for it."""
    out = copied(folder, tmp_path)
    (part,) = (out / "series").iterdir()
    part.write_bytes(_flipped(part.read_bytes()))
    assert query(out, "with n as (select world_id from runs) select count(*) from n").num_rows == 1
    with pytest.raises(ResultsError, match="is damaged"):
        query(out, "select * from query('select output from series')")


def test_a_part_that_holds_nothing_of_what_is_asked_for_is_not_opened(tmp_path: Path) -> None:
    study, _ = small_study(tmp_path, replicates=PART_RUNS, turns=1, series="focal")
    run_batch(study, tmp_path / "out")
    whole = read_series(tmp_path / "out")
    part = tmp_path / "out" / "series" / part_file(2)
    part.write_bytes(_flipped(part.read_bytes()))
    found = read_series(tmp_path / "out", points=[1, 3], worlds=range(7))
    kept = whole[whole["point"].isin([1, 3]) & (whole["world_id"] < 7)]
    assert found.to_dict("list") == kept.to_dict("list")
    with pytest.raises(ResultsError, match="is damaged"):
        read_series(tmp_path / "out", points=[2])
