"""``civsim query``: what it prints and writes, and what it refuses."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest
from commands import refused, said
from studies import small_study

from civsim.scenarios import read_runs
from civsim.scenarios.batch import run_batch

SQL = "select factor_horizon, count(*) as games, avg(welfare) as welfare from runs group by all order by all"


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Return the results of the small study."""
    place = tmp_path_factory.mktemp("asked")
    run_batch(small_study(place, replicates=3, turns=3, series="none")[0], place / "out")
    return str(place / "out")


def test_it_prints_a_table(out: str, capsys: pytest.CaptureFixture[str]) -> None:
    text = said(capsys, "query", out, SQL)
    assert "factor_horizon" in text
    assert text.rstrip().endswith("3 rows")
    assert "1 row\n" in said(capsys, "query", out, "select 1 as one")
    assert "200 rows; 100 shown" in said(capsys, "query", out, "select * from range(200)")
    assert "\x1b" not in said(capsys, "query", out, "select chr(27) || '[31mred' as text")


@pytest.mark.parametrize("form", ["csv", "json", "parquet"])
def test_what_is_found_is_written(out: str, form: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / f"found.{form}"
    assert said(capsys, "query", out, SQL, "--out", str(path)) == f"wrote {path}, 3 rows\n"
    read = {"csv": pd.read_csv, "json": pd.read_json, "parquet": pd.read_parquet}[form](path)
    expected = read_runs(out).groupby("factor.horizon")["welfare"].mean()
    assert read["welfare"].tolist() == pytest.approx(expected.tolist())
    if form != "parquet":
        assert said(capsys, "query", out, SQL, "--format", form) == path.read_text()
        assert said(capsys, "query", out, SQL, "--format", form, "--out", str(tmp_path / "x")) != ""
        assert (tmp_path / "x").read_text() == path.read_text()


def test_json_has_no_nan(out: str, capsys: pytest.CaptureFixture[str]) -> None:
    text = said(capsys, "query", out, "select 'nan'::double as a, null as b, 1e999::double as c", "--format", "json")
    assert json.loads(text) == [{"a": None, "b": None, "c": None}]
    text = said(capsys, "query", out, "select ['nan'::double, 1] as a, {'b': 'inf'::double} as r", "--format", "json")
    assert json.loads(text) == [{"a": [None, 1.0], "r": {"b": None}}]


def test_whole_numbers_stay_whole_in_csv_where_some_are_missing(out: str, capsys: pytest.CaptureFixture[str]) -> None:
    sql = "select * from (values (1), (null), (9007199254740993)) as t(n)"
    assert said(capsys, "query", out, sql, "--format", "csv") == 'n\n1\n""\n9007199254740993\n'


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["delete from runs"], "results are only read"),
        ([SQL, "--format", "parquet"], "give a file by --out"),
        ([SQL, "--format", "table", "--out", "x.csv"], "is for the screen"),
        ([SQL, "--out", "x.txt"], "ends in none of .csv, .json, .parquet"),
        ([SQL, "--out", "."], "is a folder"),
        ([SQL, "--out", "gone/x.csv"], "is not a folder; create it first"),
        (["select * from series"], "fails: .*series"),
    ],
)
def test_what_cannot_be_asked_is_one_line(
    out: str, arguments: list[str], message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    import re

    monkeypatch.chdir(tmp_path)
    assert re.search(message, refused(capsys, "query", out, *arguments))
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_none_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "has no manifest.json" in refused(capsys, "query", str(tmp_path), "select 1")
