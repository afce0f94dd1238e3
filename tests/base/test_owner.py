"""A folder has one owner at a time, and the lock that says so is nobody's way to somebody else's file."""

from __future__ import annotations

import errno
import json
import multiprocessing
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from civsim.base import owner, processes
from civsim.base.errors import CivsimError, ResultsError
from civsim.base.owner import LOCK, check_free, owned, owned_by
from civsim.base.processes import Process, machine_mark, this_process

HOLD = """
import sys
from pathlib import Path
from civsim.base.errors import ResultsError
from civsim.base.owner import owned
with owned(Path(sys.argv[1]), ResultsError):
    print("held", flush=True)
    sys.stdin.read()
"""


def holder(folder: Path) -> subprocess.Popen[str]:
    """Start a process that owns the folder until its input is closed."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(folder)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    return process


def refusal(folder: Path) -> str:
    with pytest.raises(ResultsError) as caught, owned(folder, ResultsError):
        pass
    assert len(str(caught.value).splitlines()) == 1
    return str(caught.value)


def sign(folder: Path, signed: Process) -> None:
    (folder / LOCK).write_text(json.dumps(signed._asdict()))


def test_the_lock_says_whose_it_is_and_is_gone_afterwards(tmp_path: Path) -> None:
    with owned(tmp_path, ResultsError):
        assert json.loads((tmp_path / LOCK).read_text()) == this_process()._asdict()
        assert f"in use by process {os.getpid()} on" in refusal(tmp_path)
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(KeyboardInterrupt), owned(tmp_path, ResultsError):
        raise KeyboardInterrupt
    assert list(tmp_path.iterdir()) == []


def test_a_second_process_is_refused_with_the_first_ones_number_and_host(tmp_path: Path) -> None:
    process = holder(tmp_path)
    said = f"is in use by process {process.pid} on {this_process().host}"
    assert said in refusal(tmp_path)
    with pytest.raises(ResultsError, match=said):
        check_free(tmp_path, ResultsError)
    assert (tmp_path / LOCK).exists()
    process.communicate("")
    check_free(tmp_path, ResultsError)
    with owned(tmp_path, ResultsError):
        pass


def test_the_lock_of_a_killed_process_is_taken_over_even_if_its_number_lives_again(tmp_path: Path) -> None:
    process = holder(tmp_path)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert (tmp_path / LOCK).exists()
    check_free(tmp_path, ResultsError)
    sign(tmp_path, this_process()._replace(pid=os.getppid()))
    with owned(tmp_path, ResultsError):
        pass


def test_what_is_known_of_a_process_elsewhere(tmp_path: Path) -> None:
    mark = machine_mark()
    elsewhere = Process(12, "node7", "0" * len(mark))
    sign(tmp_path, elsewhere)
    for said in (refusal(tmp_path), refusal(tmp_path)):
        assert "process 12 on node7" in said
        assert f"delete {str(tmp_path / LOCK)!r} if it ended" in said
    third = len(mark) // 3
    other_container = Process(12, "node7", mark[: 2 * third] + "0" * third)
    sign(tmp_path, other_container)
    assert "process 12 on node7" in refusal(tmp_path)
    before_the_last_start = Process(os.getpid(), "node7", mark[:third] + "0" * third + mark[2 * third :])
    sign(tmp_path, before_the_last_start)
    with owned(tmp_path, ResultsError):
        pass


def test_where_the_file_system_has_no_locks_the_signature_decides(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def none(handle: int, how: int) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(owner.fcntl, "flock", none)
    sign(tmp_path, this_process()._replace(pid=os.getppid()))
    assert f"process {os.getppid()} on" in refusal(tmp_path)
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    sign(tmp_path, this_process()._replace(pid=process.pid))
    with owned(tmp_path, ResultsError):
        pass


@pytest.mark.parametrize("content", ["my notes", "[]", "{}", '{"pid": 0, "host": "a", "machine": "b"}', "[" * 9000])
def test_a_strangers_file_in_its_place_is_left_as_it_is(tmp_path: Path, content: str) -> None:
    (tmp_path / LOCK).write_text(content)
    assert "is not a lock of civsim" in refusal(tmp_path)
    assert (tmp_path / LOCK).read_text() == content


def test_links_and_pipes_and_folders_are_not_followed(tmp_path: Path) -> None:
    target = tmp_path / "thesis.txt"
    target.write_text("mine")
    place = tmp_path / "out"
    place.mkdir()
    lock = place / LOCK
    lock.symlink_to(target)
    assert "is not a lock of civsim" in refusal(place)
    lock.unlink()
    lock.symlink_to(tmp_path / "none")
    assert "is not a lock of civsim" in refusal(place)
    lock.unlink()
    os.mkfifo(lock)
    assert "is not a lock of civsim" in refusal(place)
    lock.unlink()
    lock.mkdir()
    assert "is not a lock of civsim" in refusal(place)
    assert target.read_text() == "mine"
    assert not (tmp_path / "none").exists()


def test_a_folder_that_is_missing_or_no_folder(tmp_path: Path) -> None:
    assert "cannot be written" in refusal(tmp_path / "none")
    (tmp_path / "file").write_text("")
    assert "cannot be written" in refusal(tmp_path / "file")
    check_free(tmp_path / "none", ResultsError)


def test_a_lock_beside_a_file(tmp_path: Path) -> None:
    lock = tmp_path / ".study.db.lock"
    with owned_by(lock, tmp_path / "study.db", CivsimError):
        with (
            pytest.raises(CivsimError, match="db' is in use by process"),
            owned_by(lock, "study.db", CivsimError),
        ):
            pass
        assert lock.exists()
    assert not lock.exists()


def _rush(folder: str, wins: int) -> None:
    """Own the folder again and again; whoever is in must be alone."""
    while wins:
        try:
            with owned(folder, ResultsError):
                inside = Path(folder) / "inside"
                os.close(os.open(inside, os.O_CREAT | os.O_EXCL))
                inside.unlink()
                wins -= 1
        except ResultsError as error:
            assert "is in use by" in str(error)  # noqa: PT017


def test_of_many_who_rush_in_one_is_in_at_a_time(tmp_path: Path) -> None:
    start = multiprocessing.get_context("spawn")
    crowd = [start.Process(target=_rush, args=(str(tmp_path), 100)) for _ in range(3)]
    for one in crowd:
        one.start()
    for one in crowd:
        one.join()
    assert [one.exitcode for one in crowd] == [0, 0, 0]
    assert list(tmp_path.iterdir()) == []


def test_a_process_is_dead_only_where_that_is_known() -> None:
    own = this_process()
    assert own.is_here
    assert not own.is_dead
    process = subprocess.Popen([sys.executable, "-c", ""])
    assert not own._replace(pid=1).is_dead
    process.wait()
    assert own._replace(pid=process.pid).is_dead
    assert own._replace(pid=10**12).is_dead
    assert len(own.machine) == processes.MARK_DIGITS
