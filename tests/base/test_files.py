"""Files are written whole or not at all."""

from __future__ import annotations

from pathlib import Path

import pytest

from civsim.base.errors import CivsimError
from civsim.base.files import atomic_folder, atomic_path, is_leftover, remove_leftovers, write_bytes, write_text


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


def test_leftovers_of_a_kill_are_known_and_removed(tmp_path: Path) -> None:
    (tmp_path / ".part-1.tmp-7-ab.parquet").write_text("half")
    (tmp_path / "part-1.parquet").write_text("whole")
    (tmp_path / ".hidden").write_text("someone's")
    assert [path.name for path in tmp_path.iterdir() if is_leftover(path)] == [".part-1.tmp-7-ab.parquet"]
    assert remove_leftovers(tmp_path) == 1
    assert sorted(path.name for path in tmp_path.iterdir()) == [".hidden", "part-1.parquet"]
