"""Compiling is timed in processes of their own, the first without a kernel and the second with what the first kept."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest

from civsim.base.errors import CivsimError
from civsim.cli import bench_cold as module
from civsim.cli.bench_cold import time_cold


def test_the_first_game_begins_without_kernels_and_the_second_with_those_of_the_first(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    found: list[tuple[str, list[str]]] = []

    def run(command: list[str], env: dict[str, str], **_: Any) -> subprocess.CompletedProcess[str]:
        folder = Path(env["NUMBA_CACHE_DIR"])
        found.append((str(folder), [path.name for path in folder.iterdir()]))
        (folder / f"kernel-{len(found)}").touch()
        assert "(8, 4, 6)" in command[-1]
        return subprocess.CompletedProcess(command, 0, f"compiling kernels\n{40.0 / len(found)}\n", "")

    monkeypatch.setattr(subprocess, "run", run)
    assert time_cold((8, 4, 6)) == {"cold": 40.0, "warm": 20.0}
    (first, none), (second, kept) = found
    assert first == second
    assert (none, kept) == ([], ["kernel-1"])
    assert not Path(first).exists()


def test_the_program_plays_a_game(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(module, "COLD_TURNS", 2)
    exec(module._GAME.format(levels=(0, 1, 2), turns=2), {})
    assert float(capsys.readouterr().out) > 0.0


def test_a_game_that_fails_is_said_in_one_line() -> None:
    with pytest.raises(CivsimError, match=r"exit code 1 of a game in a process of its own: ."):
        module._game((-1, 1, 2), dict(module.os.environ))
