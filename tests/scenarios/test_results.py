"""Reading results: a damaged, missing or foreign file is one clear line, never a wrong table."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from studies import contents, small_study

from civsim.base.errors import ResultsError
from civsim.scenarios.batch import run_batch
from civsim.scenarios.results import read_civs, read_manifest, read_runs, read_series

PART = "part-000000.parquet"


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a finished results folder."""
    folder = tmp_path_factory.mktemp("results")
    study, _ = small_study(folder, replicates=2, turns=2, series="none")
    run_batch(study, folder / "out")
    return folder / "out"


@pytest.fixture
def folder(results: Path, tmp_path: Path) -> Path:
    """Return a copy of it to damage."""
    return Path(shutil.copytree(results, tmp_path / "out"))


def complaint(read: object, folder: Path) -> str:
    with pytest.raises(ResultsError) as caught:
        read(folder)
    assert len(str(caught.value).splitlines()) == 1
    return str(caught.value)


@pytest.mark.parametrize("kept", [0, 3, 8, 100, 0.5, 0.9, -1])
def test_a_truncated_part(folder: Path, kept: float) -> None:
    path = folder / "runs" / PART
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * kept) if isinstance(kept, float) else kept])
    assert "damaged" in complaint(read_runs, folder)
    assert read_civs(folder).shape[0] == 24


@pytest.mark.parametrize(("start", "end"), [(0.0, 0.1), (0.1, 0.3), (0.2, 0.5)])
def test_a_part_with_a_hole(folder: Path, start: float, end: float) -> None:
    path = folder / "runs" / PART
    content = bytearray(path.read_bytes())
    hole = slice(int(start * len(content)), int(end * len(content)))
    content[hole] = bytes(hole.stop - hole.start)
    path.write_bytes(bytes(content))
    assert "damaged" in complaint(read_runs, folder)


def test_parquet_of_someone_else(folder: Path) -> None:
    pq.write_table(pa.table({"x": [1]}), folder / "runs" / PART)
    assert "is not a runs table of civsim" in complaint(read_runs, folder)


def test_a_table_in_the_wrong_place(folder: Path) -> None:
    shutil.copy(folder / "civs" / PART, folder / "runs" / PART)
    assert "is not a runs table" in complaint(read_runs, folder)


def test_a_part_of_another_study(folder: Path, tmp_path: Path) -> None:
    study, _ = small_study(tmp_path, replicates=3, turns=2, series="none")
    run_batch(study, tmp_path / "other")
    shutil.copy(tmp_path / "other" / "runs" / PART, folder / "runs" / PART)
    assert "is of another study" in complaint(read_runs, folder)


def test_a_missing_table(folder: Path) -> None:
    shutil.rmtree(folder / "civs")
    assert "lacks part-000000.parquet; add it with `civsim batch --resume`" in complaint(read_civs, folder)
    shutil.rmtree(folder / "runs")
    assert "no finished games" in complaint(read_runs, folder)


def test_series_that_were_not_asked_for(folder: Path) -> None:
    assert "has no series" in complaint(read_series, folder)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "damaged"),
        (b"{", "damaged"),
        (b"\xff", "damaged"),
        (b"[" * 100_000, "damaged"),
        (b"[]", "no manifest of civsim"),
        (b'{"format": "x"}', "no manifest of civsim"),
        (b'{"format": "civsim-results", "format_version": 99}', "format_version=99"),
        (b'{"format": "civsim-results", "format_version": 1}', "hash is missing"),
        (None, "has no manifest.json"),
    ],
)
def test_a_bad_manifest(folder: Path, content: bytes | None, words: str) -> None:
    if content is None:
        (folder / "manifest.json").unlink()
    else:
        (folder / "manifest.json").write_bytes(content)
    assert words in complaint(read_runs, folder)
    assert words in complaint(read_manifest, folder)


def test_no_folder_and_a_file_for_a_folder(folder: Path) -> None:
    assert "is not a folder" in complaint(read_runs, folder / "none")
    assert "is not a folder" in complaint(read_runs, folder / "manifest.json")


def test_an_unfinished_batch_is_read_only_when_asked(folder: Path) -> None:
    found = json.loads((folder / "manifest.json").read_text())
    found["layout"]["parts"] = 2
    (folder / "manifest.json").write_text(json.dumps(found))
    assert "has 1 of 2 parts" in complaint(read_runs, folder)
    assert len(read_runs(folder, partial=True)) == 12


@pytest.mark.parametrize("table", ["runs", "civs"])
@pytest.mark.parametrize("kept", [None, 0, 50, -1])
def test_resume_plays_a_part_again_that_is_missing_or_damaged_in_any_table(
    folder: Path, results: Path, table: str, kept: int | None
) -> None:
    study, _ = small_study(results.parent, replicates=2, turns=2, series="none")
    path = folder / table / PART
    content = path.read_bytes()
    path.unlink()
    if kept is not None:
        path.write_bytes(content[:kept])
    assert run_batch(study, folder, resume=True).games == 12
    assert contents(folder) == contents(results)


def test_resume_does_not_write_over_a_table_of_something_else(folder: Path, results: Path) -> None:
    study, _ = small_study(results.parent, replicates=2, turns=2, series="none")
    shutil.copy(folder / "runs" / PART, folder / "civs" / PART)
    with pytest.raises(ResultsError, match="is not a civs table"):
        run_batch(study, folder, resume=True)
