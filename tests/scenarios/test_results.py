"""Reading results: a damaged, missing or foreign file is one clear line, never a wrong table."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from studies import contents, everything, small_study

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
    assert len(read_runs(folder)) == 12
    shutil.rmtree(folder / "runs")
    assert "lacks part-000000.parquet" in complaint(read_runs, folder)
    shutil.rmtree(folder / "parts")
    assert "no finished games" in complaint(read_runs, folder)


@pytest.fixture(scope="module")
def several(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a finished results folder of several parts."""
    folder = tmp_path_factory.mktemp("several")
    study, _ = small_study(folder, replicates=130, turns=1, series="none")
    run_batch(study, folder / "out")
    assert len(list((folder / "out" / "runs").iterdir())) == 6
    return folder / "out"


def swap(folder: Path) -> None:
    one, other = folder / "part-000001.parquet", folder / "part-000004.parquet"
    content = one.read_bytes()
    one.write_bytes(other.read_bytes())
    other.write_bytes(content)


def flip(path: Path, at: float, bit: int) -> None:
    content = bytearray(path.read_bytes())
    content[int(at * len(content))] ^= 1 << bit
    path.write_bytes(bytes(content))


def rewrite(path: Path, rows: int) -> None:
    table = pq.read_table(path)
    pq.write_table(table.slice(0, rows), path)


OURS: dict[str, tuple[Callable[[Path], object], str]] = {
    "swapped": (swap, r"part-000001.parquet' (holds part-000004.parquet|is damaged)"),
    "doubled": (
        lambda runs: shutil.copy(runs / "part-000000.parquet", runs / "part-000005.parquet"),
        r"part-000005.parquet' (holds part-000000.parquet|is damaged)",
    ),
    "cut to ten rows": (lambda runs: rewrite(runs / "part-000002.parquet", 10), "part-000002.parquet' is damaged"),
    "written anew": (lambda runs: rewrite(runs / "part-000002.parquet", 130), "part-000002.parquet' is damaged"),
    "missing": (lambda runs: (runs / "part-000003.parquet").unlink(), "lacks part-000003.parquet"),
    "empty": (lambda runs: (runs / "part-000003.parquet").write_bytes(b""), "part-000003.parquet' is damaged"),
    "a bit of a label": (
        lambda runs: flip(runs.parent / "parts" / "part-000003.json", 0.5, 0), "part-000003.json' is damaged",
    ),
    "a label cut": (
        lambda runs: (runs.parent / "parts" / "part-000003.json").write_text('{"format"'),
        "part-000003.json' is damaged",
    ),
    "a label of another part": (
        lambda runs: shutil.copy(*(runs.parent / "parts" / f"part-00000{number}.json" for number in (0, 3))),
        "part-000003.json' is the label of part 0",
    ),
    "all of a part": (
        lambda runs: [
            shutil.copy(next(path.parent.glob("part-000000.*")), path)
            for path in runs.parent.glob("*/part-000005.*")
        ],
        "part-000005.json' is the label of part 0",
    ),
}  # fmt: skip
"""What may become of parts of this very folder, done to its runs, and what is said of it."""


@pytest.mark.parametrize("done", OURS)
def test_parts_that_are_not_what_was_written_are_refused_and_played_again_on_resume(
    several: Path, tmp_path: Path, done: str
) -> None:
    folder = Path(shutil.copytree(several, tmp_path / "out"))
    damage, said = OURS[done]
    damage(folder / "runs")
    assert re.search(said, complaint(read_runs, folder))
    study, _ = small_study(several.parent, replicates=130, turns=1, series="none")
    again = run_batch(study, folder, resume=True)
    assert (again.games, again.kept) == ((260, 520) if done == "swapped" else (130, 650))
    assert everything(folder) == everything(several)
    assert read_runs(folder).equals(read_runs(several))


@pytest.mark.parametrize("bit", range(0, 8, 3))
@pytest.mark.parametrize("at", [0.0, 0.05, 0.2, 0.4, 0.6, 0.8, 0.99])
def test_a_flipped_bit_anywhere_is_found(several: Path, tmp_path: Path, at: float, bit: int) -> None:
    folder = Path(shutil.copytree(several, tmp_path / "out"))
    flip(folder / "civs" / "part-000002.parquet", at, bit)
    said = complaint(read_civs, folder)
    assert "part-000002.parquet' is damaged" in said or "is not a civs table" in said or "another study" in said


STRANGERS: dict[str, Callable[[Path], object]] = {
    "part-000000 (1).parquet": lambda to: shutil.copy(to.with_name("part-000000.parquet"), to),
    "part-000006.parquet": lambda to: shutil.copy(to.with_name("part-000000.parquet"), to),
    "results.parquet": lambda to: to.write_bytes(b"mine"),
    "part-000001.parquet": lambda to: (to.unlink(), to.symlink_to(to.with_name("part-000000.parquet"))),
    "part-000002.parquet": lambda to: (to.unlink(), os.mkfifo(to)),
}


@pytest.mark.parametrize("name", STRANGERS)
def test_a_file_that_is_no_part_is_refused_by_readers_and_on_resume(several: Path, tmp_path: Path, name: str) -> None:
    folder = Path(shutil.copytree(several, tmp_path / "out"))
    STRANGERS[name](folder / "runs" / name)
    assert f"{name}' is no part of this study; remove it from the folder" in complaint(read_runs, folder)
    study, _ = small_study(several.parent, replicates=130, turns=1, series="none")
    with pytest.raises(ResultsError, match="is no part of this study"):
        run_batch(study, folder, resume=True)
    (folder / "runs" / name).unlink()
    run_batch(study, folder, resume=True)
    assert everything(folder) == everything(several)


def test_what_lies_beside_the_tables_is_not_touched(several: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(several, tmp_path / "out"))
    for path in (folder / "notes.txt", folder / "runs" / "README", folder / "runs" / ".part-000000.tmp-1-ab.parquet"):
        path.write_text("mine")
    study, _ = small_study(several.parent, replicates=130, turns=1, series="none")
    run_batch(study, folder, resume=True)
    assert len(read_runs(folder)) == 780
    assert (folder / "runs" / ".part-000000.tmp-1-ab.parquet").read_text() == "mine"
    assert (folder / "notes.txt").read_text() == (folder / "runs" / "README").read_text() == "mine"


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
        (b'{"format": "civsim-results", "format_version": 1}', "format_version=1; this release reads 2"),
        (b'{"format": "civsim-results", "format_version": 2}', "not as it was written"),
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


@pytest.mark.parametrize(
    ("old", "new"),
    [('"parts": 1', '"parts": 2'), ('"replicates": 2', '"replicates": []'), ('"games": 12', '"games": 1')],
)
def test_a_manifest_that_was_changed_anywhere(folder: Path, old: str, new: str) -> None:
    path = folder / "manifest.json"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))
    assert "not as it was written" in complaint(read_runs, folder)


def test_an_unfinished_batch_is_read_only_when_asked(several: Path, tmp_path: Path) -> None:
    study, _ = small_study(several.parent, replicates=130, turns=1, series="none")
    run_batch(study, tmp_path / "out", limit=200)
    assert "has 2 of 6 parts; end it with `civsim batch --resume`" in complaint(read_runs, tmp_path / "out")
    assert len(read_runs(tmp_path / "out", partial=True)) == 260


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
