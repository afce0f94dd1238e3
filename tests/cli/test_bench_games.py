"""The games that are timed count what they say they count; nothing here is timed."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from civsim.base.errors import CivsimError
from civsim.cli import bench_games as module
from civsim.cli.bench_games import HEADER, Case, bench_scenario, row, time_case, time_threads, time_together


def _fake(monkeypatch: pytest.MonkeyPatch, walls: dict[int, list[float]]) -> None:
    """Let games take the wall times given, by threads; processor time is threads times as much."""

    def play(scenario: Any, worlds: int, seed: int, threads: int) -> Any:
        times = walls[threads]
        wall = times[seed % len(times)]
        return module._Game(wall, wall * threads, 1000, 3000, 0.4, 0.6, 0.75)

    monkeypatch.setattr(module, "play", play)


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
    game = module.play(scenario, 3, 0, 1)
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
    timing = time_case(Case((0, 1, 2), 2))
    assert timing.per_second == pytest.approx(1000 / 0.2)
    assert timing.microseconds == pytest.approx(200.0)
    assert timing.plans == 3.0
    assert timing.repeats == 5


def test_cases_timed_together_take_turns_and_are_compared_within_a_repeat(monkeypatch: pytest.MonkeyPatch) -> None:
    played: list[tuple[int, int]] = []

    def play(scenario: Any, worlds: int, seed: int, threads: int) -> Any:
        mind = scenario.thinking.levels_of_mind
        played.append((mind, seed))
        wall = (seed + 1.0) * (3.0 if mind else 1.0)  # load that rises from repeat to repeat
        return module._Game(wall, wall, 1000, 3000, 0.4, 0.6, 0.75)

    monkeypatch.setattr(module, "play", play)
    still, minded = time_together([Case((8, 4, 6), 2, mind=0), Case((8, 4, 6), 2, mind=2)])
    assert played == [(mind, seed) for seed in range(5) for mind in (0, 2)]
    assert (still.over_first, minded.over_first) == (1.0, pytest.approx(3.0))
    assert (still.mind, minded.mind) == (0, 2)


def test_two_threads_are_compared_on_the_same_worlds(monkeypatch: pytest.MonkeyPatch) -> None:
    _fake(monkeypatch, {1: [1.8, 3.6], 2: [1.0, 2.0]})
    result = time_threads((8, 4, 6), worlds=4)
    assert result["ratio"] == pytest.approx(1.8)
    assert result["cpu_ratio"] == pytest.approx(2.0)


def test_fewer_than_five_timings_are_refused() -> None:
    with pytest.raises(CivsimError, match="repeats=4"):
        time_case(Case((0, 1, 2), 2), repeats=4)


def test_minds_and_seats_of_thought_are_set_for_everybody() -> None:
    plain, minded = bench_scenario((8, 4, 6)), bench_scenario((8, 4, 6), mind=3, thought=4)
    assert plain == bench_scenario((8, 4, 6), mind=1, thought=1)
    assert (plain.thinking.levels_of_mind, plain.thought(0).count) == (1, 1)
    assert (minded.thinking.levels_of_mind, minded.thought(3).count) == (3, 4)
    assert minded.thought(3).messenger == module.MESSENGER


def test_rows_line_up() -> None:
    timing = module.Timing(
        64, 8, (64, 32, 6), 3, 8, 1, 1024, 5, 10**6, 123456.7, 123456.7, 8.1, 1.0, 3.14, 0.5, 0.5, 1.0
    )
    assert len(row(timing)) == len(HEADER)
