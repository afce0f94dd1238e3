"""Files are written whole or not at all."""

from __future__ import annotations

import resource
from pathlib import Path

import pytest
from faults import dead_process

from civsim.base import files
from civsim.base.errors import CivsimError
from civsim.base.files import (
    atomic_folder,
    atomic_path,
    is_leftover,
    put_folder,
    remove_leftovers,
    write_bytes,
    write_text,
)
from civsim.base.processes import MARK_DIGITS, Process, this_process


def test_a_file_appears_whole_and_replaces_the_old_one(tmp_path: Path) -> None:
    target = tmp_path / "a.txt"
    write_text(target, "one")
    with atomic_path(target) as temporary:
        assert temporary.parent == tmp_path
        assert temporary.suffix == ".txt"
        temporary.write_text("two")
        assert target.read_text() == "one"
    assert target.read_text() == "two"
    write_bytes(target, b"\x00\xff")
    assert target.read_bytes() == b"\x00\xff"
    assert list(tmp_path.iterdir()) == [target]


def test_a_failure_in_the_middle_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    target = tmp_path / "a.txt"
    write_text(target, "old")

    def fail() -> None:
        with atomic_path(target) as temporary:
            temporary.write_text("half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail()
    assert target.read_text() == "old"
    assert list(tmp_path.iterdir()) == [target]


def test_what_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(CivsimError, match="is not a folder; create it"):
        write_text(tmp_path / "none" / "a.txt", "x")
    with pytest.raises(CivsimError, match="is a folder; give the name of a file"):
        write_text(tmp_path, "x")
    with pytest.raises(CivsimError, match="nothing was written"), atomic_path(tmp_path / "a.txt"):
        pass
    assert list(tmp_path.iterdir()) == []


def test_a_folder_appears_whole_or_not_at_all(tmp_path: Path) -> None:
    with atomic_folder(tmp_path / "out") as temporary:
        (temporary / "a.txt").write_text("x")
        assert not (tmp_path / "out").exists()
    assert (tmp_path / "out" / "a.txt").read_text() == "x"

    def fail() -> None:
        with atomic_folder(tmp_path / "other") as temporary:
            (temporary / "a.txt").write_text("x")
            raise RuntimeError("stop")

    with pytest.raises(RuntimeError, match="stop"):
        fail()
    with pytest.raises(CivsimError, match="exists already"), atomic_folder(tmp_path / "out"):
        pass
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def left_by(name: str, process: Process) -> str:
    """Return the name of what a process leaves of a file."""
    stem, suffix = name.split(".")
    return f".{stem}.tmp-{process.pid}-{process.machine}-0123abcd.{suffix}"


def test_leftovers_of_dead_processes_are_removed_and_nothing_else(tmp_path: Path) -> None:
    dead = dead_process()
    living = this_process()
    gone = [left_by("a.parquet", dead), left_by("b.parquet", dead)]
    stays = [
        left_by("a.parquet", living),
        left_by("a.parquet", dead._replace(machine="0" * MARK_DIGITS)),  # of another machine: who knows
        "part-1.parquet",
        ".hidden",
        "notes.tmp-2024",
        ".notes.tmp-2024",
        ".part-1.tmp-7-ab.parquet",
    ]
    for name in (gone[0], *stays):
        (tmp_path / name).write_text("half")
    (tmp_path / gone[1]).mkdir()
    (tmp_path / gone[1] / "inner").write_text("half")
    linked = tmp_path / left_by("c.parquet", dead)
    linked.symlink_to(tmp_path / ".hidden")
    assert sorted(path.name for path in tmp_path.iterdir() if is_leftover(path)) == sorted([*gone, *stays[:2]])
    assert remove_leftovers(tmp_path) == 2
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([*stays, linked.name])


def test_what_is_being_written_is_named_as_a_leftover(tmp_path: Path) -> None:
    with atomic_path(tmp_path / "a.txt") as temporary:
        temporary.write_text("x")
        assert is_leftover(temporary)
        assert remove_leftovers(tmp_path) == 0
    with atomic_folder(tmp_path / "out.d") as temporary:
        assert is_leftover(temporary)
        assert remove_leftovers(tmp_path) == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.txt", "out.d"]


def test_a_full_disk_is_one_line_and_leaves_nothing(tmp_path: Path) -> None:
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, limits[1]))
    try:
        with pytest.raises(CivsimError, match="cannot be written .File too large.; free some space"):
            write_bytes(tmp_path / "a.bin", bytes(2000))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("able", [True, False])
def test_a_folder_takes_the_place_of_another(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, able: bool) -> None:
    if not able:
        monkeypatch.setattr(files, "_exchange", lambda one, other: False)
    for text in ("one", "two", "three"):
        fresh = tmp_path / ".last.new"
        fresh.mkdir()
        (fresh / "a.txt").write_text(text)
        put_folder(fresh, tmp_path / "last")
        assert (tmp_path / "last" / "a.txt").read_text() == text
        assert [path.name for path in tmp_path.iterdir()] == ["last"]
