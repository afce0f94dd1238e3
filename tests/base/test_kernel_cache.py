"""Compiled kernels on disk: any number of processes at once, damaged files, changed sources, no place to write."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any

import pytest
from numba.core.dispatcher import Dispatcher
from tree import ROOT, modules

from civsim.base import kernel_cache, kernel_sources
from civsim.base.kernels import kernel

NOWHERE = "/dev/null/nowhere"
"""A path that cannot be made, not even by the superuser."""

CALLEE = (
    "from civsim.base.kernels import kernel\n\n\ndef _change(x):\n    return x + {step}\n\n\nchange = kernel(_change)\n"
)
CALLER = """
from civsim.base.callee import change
from civsim.base.kernels import kernel


def _twice(x):
    return change(change(x))


def _total(x):
    total = x[0]
    for one in x[1:]:
        total += twice(one)
    return total


twice = kernel(_twice)
total = kernel(_total, fastmath={"reassoc", "contract"})
"""
PLAY = """
import sys
import numpy as np
from civsim.base import kernel_cache
from civsim.base.callee import change
from civsim.base.caller import total, twice

kinds = [np.float64, np.int64]
turn = int(sys.argv[1]) % len(kinds)
print("ready", flush=True)
sys.stdin.readline()
for kind in kinds[turn:] + kinds[:turn]:
    assert total(np.arange(1, 5, dtype=kind)) == 1 + 2 + 3 + 4 + 6 * {step}, kind
    assert twice(kind(3)) == 3 + 2 * {step}
made = sum(sum(one.stats.cache_misses.values()) for one in (change, twice, total))
read = sum(sum(one.stats.cache_hits.values()) for one in (change, twice, total))
print(made, read, kernel_cache.folders().write, kernel_cache.advice())
"""


@pytest.fixture
def house(tmp_path: Path) -> Path:
    """A copy of the base floor with two files of kernels, one of which calls the other."""
    package = tmp_path / "house" / "civsim"
    shutil.copytree(ROOT / "civsim" / "base", package / "base", ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("__init__.py", "_gymnasium_hook.py"):
        shutil.copy(ROOT / "civsim" / name, package / name)
    (package / "base" / "caller.py").write_text(CALLER)
    step_by(package.parent, 1)
    return package.parent


def step_by(house: Path, step: int) -> None:
    (house / "civsim" / "base" / "callee.py").write_text(CALLEE.format(step=step))


def start(house: Path, turn: int = 0, step: int = 1, **environment: str | Path) -> subprocess.Popen[str]:
    """A process that calls three kernels with two signatures each, and waits for a line before it begins."""
    unset = {"NUMBA_CACHE_DIR", "XDG_CACHE_HOME"}
    env = {name: value for name, value in os.environ.items() if name not in unset}
    env |= {"PYTHONPATH": str(house), "HOME": NOWHERE} | {name: str(value) for name, value in environment.items()}
    command = [sys.executable, "-c", PLAY.format(step=step), str(turn)]
    return subprocess.Popen(command, cwd=house, env=env, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE)


def finish(process: subprocess.Popen[str]) -> tuple[int, int, str]:
    """(Kernels compiled, kernels read, where they are kept)."""
    out, _ = process.communicate("go\n")
    assert process.returncode == 0
    made, read, where = out.splitlines()[-1].split(maxsplit=2)
    return int(made), int(read), where


def play(house: Path, **settings: Any) -> tuple[int, int, str]:
    return finish(start(house, **settings))


def test_processes_that_compile_at_once_fill_one_cache(house: Path, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    processes = [start(house, turn, NUMBA_CACHE_DIR=cache) for turn in range(4)]
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    assert max(finish(process)[0] for process in processes) > 0
    made, read, _ = play(house, NUMBA_CACHE_DIR=cache)
    assert (made, read >= 4) == (0, True)
    assert not list(cache.rglob(".tmp-*"))


def test_a_damaged_entry_is_compiled_again(house: Path, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    first, _, _ = play(house, NUMBA_CACHE_DIR=cache)
    entries = sorted(cache.rglob("*.kernel"))
    assert len(entries) == first
    for place, entry in enumerate(entries):
        whole = entry.read_bytes()
        damaged = (whole[: len(whole) // 2], b"", whole[:-1] + bytes([whole[-1] ^ 1]))[place % 3]
        entry.write_bytes(damaged)
    again, read, _ = play(house, NUMBA_CACHE_DIR=cache)
    assert (again, read) == (first, 0)
    assert play(house, NUMBA_CACHE_DIR=cache)[0] == 0


def test_a_change_in_a_file_that_a_kernel_calls_is_seen(house: Path, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    first, _, _ = play(house, NUMBA_CACHE_DIR=cache)
    step_by(house, 2)
    assert play(house, step=2, NUMBA_CACHE_DIR=cache)[0] == first
    step_by(house, 1)
    assert play(house, step=1, NUMBA_CACHE_DIR=cache)[0] == 0, "the way back is still there"


def test_two_places_with_the_same_sources_share_kernels(house: Path, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    assert play(house, NUMBA_CACHE_DIR=cache)[0] > 0
    moved = shutil.copytree(house, tmp_path / "elsewhere")
    assert play(moved, NUMBA_CACHE_DIR=cache)[0] == 0


def test_where_nothing_is_said_kernels_are_kept_beside_the_package(house: Path) -> None:
    made, _, where = play(house)
    assert made > 0
    assert where == f"{house / 'civsim' / '__pycache__' / 'kernels'} None"
    assert play(house)[0] == 0


def read_only(house: Path) -> None:
    """Let no folder be made in the package: a file stands in its place, which stops the superuser too."""
    shutil.rmtree(house / "civsim" / "__pycache__", ignore_errors=True)
    (house / "civsim" / "__pycache__").write_text("")


def test_an_install_that_cannot_be_written_uses_the_folder_of_the_user(house: Path, tmp_path: Path) -> None:
    read_only(house)
    made, _, where = play(house, HOME=tmp_path / "home")
    assert (made > 0, where) == (True, f"{tmp_path / 'home' / '.cache' / 'civsim-kernels'} None")
    assert play(house, HOME=tmp_path / "home")[0] == 0


@pytest.mark.parametrize("given", [{}, {"NUMBA_CACHE_DIR": NOWHERE}], ids=["nothing set", "set in vain"])
def test_without_a_home_kernels_are_kept_in_a_private_temporary_folder(
    house: Path, tmp_path: Path, given: dict[str, str]
) -> None:
    read_only(house)
    made, _, where = play(house, TMPDIR=tmp_path, **given)
    folder, _, advice = where.partition(" ")
    assert made > 0
    assert Path(folder) == tmp_path / f"civsim-{os.getuid()}"
    assert stat.S_IMODE(Path(folder).stat().st_mode) == stat.S_IRWXU
    vain = f"NUMBA_CACHE_DIR={NOWHERE!r} cannot be written; " if given else ""
    assert advice == (
        f"{vain}compiled kernels are kept in {folder!r}, which may not last; "
        "set NUMBA_CACHE_DIR to a folder that can be written"
    )
    assert play(house, TMPDIR=tmp_path, **given)[0] == 0


def test_where_nothing_can_be_written_kernels_are_kept_in_memory(house: Path, tmp_path: Path) -> None:
    """A temporary folder in which others can write is no place to read code from."""
    read_only(house)
    (tmp_path / f"civsim-{os.getuid()}").mkdir()
    (tmp_path / f"civsim-{os.getuid()}").chmod(0o777)
    for _ in range(2):
        made, _, where = play(house, TMPDIR=tmp_path)
        assert made > 0
        assert where.startswith("None compiled kernels are kept in memory only; set NUMBA_CACHE_DIR")


def test_a_user_without_a_home_has_no_cache_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setenv("HOME", "relative")
    assert kernel_cache._user_cache() is None
    monkeypatch.setattr(Path, "home", lambda: (_ for _ in ()).throw(RuntimeError("no home")))
    assert kernel_cache._user_cache() is None
    monkeypatch.setenv("XDG_CACHE_HOME", "/somewhere")
    assert kernel_cache._user_cache() == Path("/somewhere")


def _halve(x: float) -> float:
    return x / 2.0


def missed(cached: Any) -> int:
    return sum(cached.stats.cache_misses.values())


def test_a_full_cache_that_cannot_be_written_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shipped, own = tmp_path / "shipped", tmp_path / "own"
    for read, write, expected in (((shipped,), shipped, 1), ((shipped, own), own, 0), ((own,), own, 1)):
        found = kernel_cache.Folders(read, write, True)
        monkeypatch.setattr(kernel_cache, "folders", lambda found=found: found)
        halve = kernel(_halve)
        assert halve(3.0) == 1.5
        assert missed(halve) == expected


def test_a_disk_that_is_full_costs_nothing_now(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = kernel_cache.Folders((tmp_path,), tmp_path, True)
    monkeypatch.setattr(kernel_cache, "folders", lambda: found)

    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    assert kernel(_halve)(5.0) == 2.5
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_flushing_forgets_a_kernel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = kernel_cache.Folders((tmp_path,), tmp_path, True)
    monkeypatch.setattr(kernel_cache, "folders", lambda: found)
    halve = kernel(_halve)
    halve(5.0)
    assert halve.stats.cache_path == str(tmp_path / f"{__name__}._halve")
    halve._cache.flush()
    again = kernel(_halve)
    again(5.0)
    assert missed(again) == 1


def test_options_of_a_kernel_are_part_of_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = kernel_cache.Folders((tmp_path,), tmp_path, True)
    monkeypatch.setattr(kernel_cache, "folders", lambda: found)
    for options in ({}, {"fastmath": {"reassoc"}}, {"fastmath": {"contract"}}):
        one = kernel(_halve, **options)
        one(5.0)
        assert missed(one) == 1


def test_old_generations_do_not_pile_up(tmp_path: Path) -> None:
    def add(generation: int, name: str = "a.kernel") -> Path:
        path = tmp_path / f"{generation:024d}-{name}"
        path.write_bytes(b"")
        os.utime(path, (generation, generation))
        return path

    made = [add(generation, name) for generation in range(12) for name in ("a.kernel", "b.kernel")]
    left = tmp_path / ".tmp-of-a-process-that-was-killed"
    left.write_bytes(b"")
    os.utime(left, (0, 0))
    young = tmp_path / ".tmp-of-a-process-that-writes"
    young.write_bytes(b"")
    kernel_cache._prune(tmp_path)
    assert set(tmp_path.iterdir()) == {*made[-2 * kernel_cache.GENERATIONS :], young}


def test_an_entry_in_use_is_kept_young(tmp_path: Path) -> None:
    path = tmp_path / "entry"
    kernel_cache._write(path, b"code")
    os.utime(path, (0, 0))
    assert kernel_cache._read(path) == b"code"
    assert path.stat().st_mtime > 0


def test_a_source_that_was_written_after_the_import_is_not_what_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    now = kernel_sources.IMPORTED
    assert kernel_sources._is_current(now - 1.0)
    assert not kernel_sources._is_current(now + 1e-6)
    assert kernel_sources._is_current(now + 1e9), "a clock that runs ahead says nothing"


def test_imports_are_read_off_the_source() -> None:
    text = "\n".join(
        (
            "import civsim.base.constants",
            "import numpy as np",
            "from civsim.engine.rules import record",
            "from civsim.base.constants import (",
            "    NOBODY,",
            "    Draw,",
            ")",
            "def f():",
            "    from civsim.engine.world import World",
        )
    )
    assert set(kernel_sources.imported(text)) == {
        "civsim.base.constants",
        "civsim.engine.rules",
        "civsim.engine.rules.record",
        "civsim.base.constants.NOBODY",
        "civsim.base.constants.Draw",
    }


def plain(value: Any) -> Callable[..., Any]:
    return value.py_func if isinstance(value, Dispatcher) else value


def uses(function: Any) -> set[str]:
    """The modules of civsim from which the globals of a function's code come, as far as they tell."""
    found = set()
    for name in function.__code__.co_names:
        value = plain(function.__globals__.get(name))
        home = value.__name__ if isinstance(value, ModuleType) else getattr(value, "__module__", None)
        if isinstance(value, FunctionType | type | ModuleType) and str(home).startswith("civsim."):
            found.add(str(home))
    return found


def test_every_kernel_knows_every_file_it_uses() -> None:
    import importlib

    kernels: dict[str, Any] = {}
    for module in modules():
        if "kernel(" in module.path.read_text(encoding="utf-8"):
            for value in vars(importlib.import_module(module.name)).values():
                if isinstance(value, Dispatcher):
                    kernels[f"{value.py_func.__module__}.{value.py_func.__name__}"] = value.py_func
    assert len(kernels) > 100
    for name, function in kernels.items():
        reached = kernel_sources._reached(function.__code__.co_filename)
        assert reached is not None, name
        known = {one for one, _ in reached} | {function.__module__}
        assert uses(function) <= known, name
        assert {"civsim.base.kernels", "civsim.base.pointer"} <= known
