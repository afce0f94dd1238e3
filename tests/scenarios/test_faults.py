"""Accidents that are really made: whatever happens to a batch, its tables are the same or it says what is wrong."""

from __future__ import annotations

import os
import random
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from studies import everything, small_study

from civsim.base.errors import CivsimError, ResultsError
from civsim.base.owner import LOCK
from civsim.scenarios.batch import run_batch
from civsim.scenarios.results import read_manifest, read_runs
from civsim.scenarios.study import Study, load_study

MOMENTS = 20
SEED = 20261201

STABLE = """
import os, sys
from civsim.scenarios import load_study, run_batch
study = load_study(sys.argv[1])
run_batch(study, sys.argv[2])
print("warm", flush=True)
for line in sys.stdin:
    child = os.fork()
    if child == 0:
        run_batch(study, line.strip(), resume=True)
        os._exit(0)
    print(child, flush=True)
    print(os.waitpid(child, 0)[1], flush=True)
"""
"""Plays the study once, then in a process of its own, at once, into each folder that it reads."""


class Stable:
    """Starts drivers in processes of their own that need no time to start."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.whole = folder, folder / "whole"
        _, path = small_study(folder, replicates=129, turns=1, series="focal")
        self.study: Study = load_study(path)
        command = [sys.executable, "-c", STABLE, str(path), str(self.whole)]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self._line() == "warm"

    def start(self, out: Path) -> int:
        """Start a driver on a folder and return its number."""
        assert self.process.stdin is not None
        self.process.stdin.write(f"{out}\n")
        self.process.stdin.flush()
        return int(self._line())

    def end(self) -> int:
        """Wait for the driver; return its exit code, or minus the signal that ended it."""
        return os.waitstatus_to_exitcode(int(self._line()))

    def _line(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline().strip()


@pytest.fixture(scope="module")
def stable(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stable]:
    made = Stable(tmp_path_factory.mktemp("stable"))
    yield made
    try:
        made.process.communicate("", timeout=60)
    except subprocess.TimeoutExpired:  # its child was left as a failed test left it
        made.process.kill()
        raise


def temporary_files(out: Path) -> list[str]:
    return [path.name for path in out.rglob("*") if ".tmp-" in path.name or path.name == LOCK]


def check_goes_on(stable: Stable, out: Path) -> int:
    """Resume in this process, compare with the whole, and return how many games were kept."""
    summary = run_batch(stable.study, out, resume=True)
    assert everything(out) == everything(stable.whole)
    assert read_runs(out).equals(read_runs(stable.whole))
    assert temporary_files(out) == []
    return summary.kept


def wait_for(out: Path, pattern: str, count: int = 1) -> None:
    deadline = time.monotonic() + 120
    while len(list(out.glob(pattern))) < count:
        assert time.monotonic() < deadline
        time.sleep(0.001)


def test_kill_at_twenty_random_moments_then_resume_gives_the_same_bytes(stable: Stable, tmp_path: Path) -> None:
    begin = time.monotonic()
    stable.start(tmp_path / "timed")
    assert stable.end() == 0
    seconds = time.monotonic() - begin
    chance, kept, ends = random.Random(SEED), [], []
    for moment in range(MOMENTS):
        out = tmp_path / str(moment)
        child = stable.start(out)
        time.sleep(chance.random() * seconds)
        with suppress(ProcessLookupError):
            os.kill(child, signal.SIGKILL)
        ends.append(stable.end())
        kept.append(check_goes_on(stable, out))
    assert ends.count(-signal.SIGKILL) >= MOMENTS // 2
    assert len(set(kept)) > 2  # they were killed in different parts


def test_sigterm_is_a_kill_that_loses_one_unit(stable: Stable, tmp_path: Path) -> None:
    out = tmp_path / "out"
    child = stable.start(out)
    wait_for(out, "parts/part-*.json", 2)
    os.kill(child, signal.SIGTERM)
    assert stable.end() == -signal.SIGTERM
    assert check_goes_on(stable, out) >= 2 * 129


def test_two_drivers_on_one_folder_and_a_reader_beside_them(stable: Stable, tmp_path: Path) -> None:
    out = tmp_path / "out"
    child = stable.start(out)
    wait_for(out, "parts/part-*.json")
    os.kill(child, signal.SIGSTOP)  # it lives, and writes as slowly as can be
    try:
        os.utime(out / LOCK, (0, 0))
        for resume in (True, False):
            with pytest.raises(ResultsError, match=f"is in use by process {child} on ") as caught:
                run_batch(stable.study, out, resume=resume)
            assert len(str(caught.value).splitlines()) == 1
        seen = {len(read_runs(out, partial=True))}
        assert seen != {0}
    finally:
        os.kill(child, signal.SIGCONT)
    while len(list(out.glob("parts/part-*.json"))) < 6:
        seen.add(len(read_runs(out, partial=True)))
    assert stable.end() == 0
    assert all(rows % 129 == 0 for rows in seen)
    assert check_goes_on(stable, out) == 6 * 129


def test_a_clock_that_jumps_changes_nothing(stable: Stable, tmp_path: Path) -> None:
    out = tmp_path / "out"
    run_batch(stable.study, out, limit=300)
    for index, path in enumerate(sorted(out.rglob("*"))):
        os.utime(path, (0, 0) if index % 2 else (4e9, 4e9))
    assert check_goes_on(stable, out) == 3 * 129


@contextmanager
def files_of_at_most(size: int) -> Iterator[None]:
    """Let no file grow beyond ``size`` bytes, as on a disk that is full."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, limits[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)


@pytest.mark.parametrize("size", [0, 50, 1000, 12_000, None])
def test_a_full_disk_is_one_line_and_resume_goes_on(stable: Stable, tmp_path: Path, size: int | None) -> None:
    out = tmp_path / "out"
    most = max(map(len, everything(stable.whole).values())) - 1 if size is None else size
    said = "cannot be written .(File too large|No space left on device)"
    with files_of_at_most(most), pytest.raises(CivsimError, match=said) as caught:
        run_batch(stable.study, out)
    assert len(str(caught.value).splitlines()) == 1
    assert temporary_files(out) == []
    assert check_goes_on(stable, out) % 129 == 0


def test_a_real_full_disk(stable: Stable, tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", str(disk)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("no file system can be mounted here")
    out = disk / "out"
    try:
        with pytest.raises(CivsimError, match="cannot be written .No space left on device"):
            run_batch(stable.study, out)
        assert temporary_files(out) == []
        kept = {name for name, content in everything(out).items() if everything(stable.whole)[name] == content}
        assert kept == set(everything(out))
        subprocess.run([*mount[:3], "-o", "remount,size=64m", "tmpfs", str(disk)], check=True)
        labels = len(list((disk / "out" / "parts").iterdir()))
        assert check_goes_on(stable, out) == labels * 129
    finally:
        subprocess.run(["umount", str(disk)], check=True)


def test_a_folder_of_a_newer_and_of_an_older_release_is_refused(stable: Stable, tmp_path: Path) -> None:
    for version in (1, 3):
        out = tmp_path / str(version)
        run_batch(stable.study, out, limit=1)
        path = out / "manifest.json"
        path.write_text(path.read_text().replace('"format_version": 2', f'"format_version": {version}'))
        for attempt in (lambda out=out: read_manifest(out), lambda out=out: run_batch(stable.study, out, resume=True)):
            with pytest.raises(ResultsError, match=f"format_version={version}; this release reads 2, use its own"):
                attempt()
