"""The benchmark counts what it says it counts; nothing here is timed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from civsim.base.errors import CivsimError
from civsim.cli import bench as module
from civsim.cli.bench import HEADER, TARGETS, bench, bench_scenario, row, time_case, time_threads


def _fake(monkeypatch: pytest.MonkeyPatch, walls: dict[int, list[float]]) -> None:
    """Let games take the wall times given, by threads; processor time is threads times as much."""

    def play(scenario: Any, worlds: int, seed: int, threads: int) -> Any:
        times = walls[threads]
        wall = times[seed % len(times)]
        return module._Game(wall, wall * threads, 1000, 3000, 0.4, 0.6, 0.75)

    monkeypatch.setattr(module, "_play", play)

    def learn(repeats: int, quick: bool, threads: int, echo: Any) -> dict[str, Any]:
        target = {"what": f"learning, {threads}", "target": 1.0, "measured": 2.0, "met": True}
        return {"settings": {"quick": quick}, "timings": [repeats], "targets": [target]}

    monkeypatch.setattr("civsim.cli.bench_training.bench_training", learn)


def test_every_rule_is_on_in_the_scenario_that_is_timed() -> None:
    scenario = bench_scenario((8, 4, 6))
    assert (scenario.map.width, scenario.map.height) == (16, 16)
    assert (scenario.game.civilizations, scenario.game.turns) == (4, 150)
    assert scenario.game.closed == ()
    assert scenario.army.war
    assert min(scenario.map.hazard, scenario.map.volatility, scenario.map.ridge_height) > 0
    assert min(scenario.raiders.rate, scenario.tribute.prize, scenario.thinking.noise) > 0
    assert min(scenario.claims.per_turn, scenario.works.per_turn, scenario.walls.per_turn, scenario.army.per_turn) > 0
    levels = scenario.seat(3).levels
    assert (levels.horizon, levels.sight, levels.attention) == (8, 4, 6)
    assert sum(module.SHARES) == pytest.approx(1.0)
    assert min(module.SHARES) > 0


def test_a_decision_is_a_turn_of_a_civilization_alive_when_it_begins() -> None:
    scenario = bench_scenario((1, 1, 2), side=8, civilizations=2, turns=20)
    game = module._play(scenario, 3, 0, 1)
    from civsim.engine.world import World

    world = World(scenario, n_worlds=3, seed=0)
    counted, owned = 0, []
    for _ in range(20):
        counted += int(world.state.alive.sum())
        world.step(np.broadcast_to(np.array(module.SHARES), (3, 2, 8)))
        owned.append((world.state.owner >= 0).mean())
    assert game.decisions == counted <= 3 * 2 * 20
    assert game.plans == int(world.state.plans.sum()) > 0
    assert game.occupancy == pytest.approx(np.mean(owned))
    assert game.occupancy_end == owned[-1]
    assert game.wall > 0


def test_medians_not_means(monkeypatch: pytest.MonkeyPatch) -> None:
    _fake(monkeypatch, {1: [0.1, 0.1, 0.2, 0.4, 100.0]})
    timing = time_case((0, 1, 2), worlds=2)
    assert timing.per_second == pytest.approx(1000 / 0.2)
    assert timing.microseconds == pytest.approx(200.0)
    assert timing.plans == 3.0
    assert timing.repeats == 5


def test_two_threads_are_compared_on_the_same_worlds(monkeypatch: pytest.MonkeyPatch) -> None:
    _fake(monkeypatch, {1: [1.8, 3.6], 2: [1.0, 2.0]})
    result = time_threads((8, 4, 6), worlds=4)
    assert result["ratio"] == pytest.approx(1.8)
    assert result["cpu_ratio"] == pytest.approx(2.0)


def test_fewer_than_five_timings_and_a_missing_folder_are_refused(tmp_path: Path) -> None:
    with pytest.raises(CivsimError, match="repeats=4"):
        time_case((0, 1, 2), repeats=4)
    with pytest.raises(CivsimError, match="nowhere"):
        bench(True, tmp_path / "nowhere" / "bench.json")


@pytest.mark.parametrize(
    ("quick", "sweeps"), [(True, {}), (False, {"side": 10, "civilizations": 6, "crowded": 2, "horizon": 8})]
)
def test_results_are_printed_and_written(
    quick: bool, sweeps: dict[str, int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _fake(monkeypatch, {1: [0.001], 2: [0.0005]})
    monkeypatch.setattr(module, "machine", lambda: {**_machine(), "cores_usable": 2})
    lines: list[str] = []
    result = bench(quick, tmp_path / "bench.json", echo=lines.append)
    written = json.loads((tmp_path / "bench.json").read_text())
    assert {name: len(rows) for name, rows in written["sweeps"].items()} == sweeps
    assert [case["levels"] for case in written["headline"]] == [list(levels) for levels in TARGETS]
    assert [target["met"] for target in result["targets"]] == [True] * 5
    assert written["training"] == {"settings": {"quick": quick}, "timings": [5]}
    assert result["targets"][-1]["what"] == "learning, 2"
    assert written["machine"]["numba"] == "0"
    assert HEADER in lines
    assert all(len(line) == len(HEADER) for line in lines if line.startswith("   16"))
    assert any(line.strip().startswith("met") for line in lines)


def test_missed_targets_are_said_and_one_core_compares_no_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    _fake(monkeypatch, {1: [10.0]})
    monkeypatch.setattr(module, "machine", lambda: {**_machine(), "cores_usable": 1})
    lines: list[str] = []
    result = bench(True, echo=lines.append)
    assert result["threads"] == {}
    assert [target["met"] for target in result["targets"]] == [False, False, True]
    assert sum("MISSED" in line for line in lines) == 2


def test_machine_names_what_numbers_depend_on() -> None:
    facts = module.machine()
    assert {"processor", "cores", "python", "numpy", "numba", "civsim", "rules"} <= facts.keys()
    assert all(facts[name] for name in ("processor", "cores", "python", "numba"))


def test_rows_line_up() -> None:
    timing = module.Timing(64, 8, (64, 32, 6), 1, 128, 5, 10**6, 123456.7, 123456.7, 8.1, 3.14, 0.5, 0.5, 1.0)
    assert len(row(timing)) == len(HEADER)


def _machine() -> dict[str, Any]:
    return {
        "processor": "test", "cores": 2, "load_average": [0.0], "system": "", "python": "3.11", "numpy": "2",
        "numba": "0", "civsim": "0", "rules": 1,
    }  # fmt: skip
