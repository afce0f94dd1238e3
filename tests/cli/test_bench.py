"""The benchmark reports what was timed, target by target; nothing here is timed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from civsim.base.constants import RULES_VERSION
from civsim.base.errors import CivsimError
from civsim.cli import bench as module
from civsim.cli import bench_games
from civsim.cli.bench import TARGETS, bench
from civsim.cli.bench_games import HEADER
from civsim.cli.bench_sweeps import headline, sweeps


def _fake(monkeypatch: pytest.MonkeyPatch, walls: dict[int, list[float]], cold: float = 50.0, cores: int = 2) -> None:
    """Let games take the wall times given, by threads; processor time is threads times as much."""

    def play(scenario: Any, worlds: int, seed: int, threads: int) -> Any:
        times = walls[threads]
        wall = times[seed % len(times)]
        return bench_games._Game(wall, wall * threads, 1000, 3000, 0.4, 0.6, 0.75)

    monkeypatch.setattr(module, "play", play)
    monkeypatch.setattr(bench_games, "play", play)

    def learn(repeats: int, quick: bool, threads: int, echo: Any) -> dict[str, Any]:
        target = {"what": f"learning, {threads}", "target": 1.0, "measured": 2.0, "met": True}
        return {"settings": {"quick": quick}, "timings": [repeats], "targets": [target]}

    monkeypatch.setattr("civsim.cli.bench_training.bench_training", learn)
    monkeypatch.setattr(module, "time_cold", lambda levels: {"cold": cold, "warm": 3.0})
    monkeypatch.setattr("civsim.cli.bench_peers.bench_peers", lambda repeats, echo: {"timings": [repeats]})
    monkeypatch.setattr(module, "machine", lambda: {**_machine(), "cores_usable": cores})


def test_a_missing_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CivsimError, match="nowhere"):
        bench(True, tmp_path / "nowhere" / "bench.json")


@pytest.mark.parametrize("quick", [True, False])
def test_results_are_printed_and_written(quick: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _fake(monkeypatch, {1: [0.001], 2: [0.0005]})
    lines: list[str] = []
    result = bench(quick, tmp_path / "bench.json", peers=not quick, echo=lines.append)
    written = json.loads((tmp_path / "bench.json").read_text())
    planned = {} if quick else sweeps()
    assert {name: len(rows) for name, rows in written["sweeps"].items()} == {
        name: len(cases) for name, cases in planned.items()
    }
    assert {name: len(rows) for name, rows in written["headline"].items()} == {
        name: len(cases) for name, cases in headline(quick).items()
    }
    assert [case["levels"] for case in written["headline"]["levels"]] == [list(levels) for levels in TARGETS]
    assert [target["met"] for target in result["targets"]] == [True] * 7
    assert written["training"] == {"settings": {"quick": quick}, "timings": [5]}
    assert written["peers"] == ({} if quick else {"timings": [5]})
    assert written["compiling"] == {"cold": 50.0, "warm": 3.0}
    assert result["targets"][-1]["what"] == "learning, 2"
    assert written["machine"]["numba"] == "0"
    assert HEADER in lines
    assert all(len(line) == len(HEADER) for line in lines if line.startswith("   16"))
    assert any(line.strip().startswith("met") for line in lines)


def test_missed_targets_are_said_and_one_core_compares_no_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    _fake(monkeypatch, {1: [10.0]}, cold=61.0, cores=1)
    lines: list[str] = []
    result = bench(True, echo=lines.append)
    assert result["threads"] == {}
    assert [target["met"] for target in result["targets"]] == [False, False, False, False, True]
    assert sum("MISSED" in line for line in lines) == 4


def test_compiling_and_peers_are_left_out_where_nobody_asks(monkeypatch: pytest.MonkeyPatch) -> None:
    _fake(monkeypatch, {1: [0.001]}, cores=1)
    monkeypatch.setattr(module, "time_cold", lambda levels: pytest.fail("compiled"))
    monkeypatch.setattr("civsim.cli.bench_peers.bench_peers", lambda repeats, echo: pytest.fail("stepped"))
    result = bench(True, cold=False, echo=lambda line: None)
    assert (result["compiling"], result["peers"]) == (None, {})
    assert len(result["targets"]) == 4


def test_machine_names_what_numbers_depend_on() -> None:
    facts = module.machine()
    assert {"processor", "cores", "python", "numpy", "numba", "civsim", "rules"} <= facts.keys()
    assert all(facts[name] for name in ("processor", "cores", "python", "numba"))
    assert facts["rules"] == RULES_VERSION


def _machine() -> dict[str, Any]:
    return {
        "processor": "test", "cores": 2, "load_average": [0.0], "system": "", "python": "3.11", "numpy": "2",
        "numba": "0", "civsim": "0", "rules": 1,
    }  # fmt: skip
