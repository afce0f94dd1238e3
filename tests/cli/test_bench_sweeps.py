"""What is swept is what the tables say: one thing varies, and every case can be played."""

from __future__ import annotations

import pytest

from civsim.cli import bench_sweeps as module
from civsim.cli.bench_games import Case, bench_scenario
from civsim.cli.bench_sweeps import FAR, MYOPIC, PLANNING, headline, sweeps, time_tables, worlds_for

VARIED = {
    "side": "side", "civilizations": "civilizations", "crowded": "levels", "horizon": "levels", "mind": "mind",
    "seats": "thought", "worlds": "worlds",
}  # fmt: skip


@pytest.mark.parametrize("name", list(VARIED))
def test_a_sweep_varies_what_it_is_named_after(name: str) -> None:
    cases = sweeps()[name]
    assert len(cases) == len(set(cases))
    others = set(Case._fields) - {VARIED[name], "levels", "worlds"}
    assert all(len({getattr(case, field) for case in cases}) == 1 for field in others)
    for case in cases:
        scenario = bench_scenario(case.levels, case.side, case.civilizations, 2, case.mind, case.thought)
        assert scenario.seat(0).levels.horizon == case.levels[0]


def test_the_headline_has_three_levels_and_beside_them_minds_and_seats() -> None:
    tables = headline(False)
    assert [case.levels for case in tables["levels"]] == [MYOPIC, PLANNING, FAR]
    assert [case.mind for case in tables["minds"]] == [0, 1, 2, 3]
    assert [case.thought for case in tables["seats of thought"]] == [1, 4]
    # One scenario and as many worlds, or the ratio of two of them would say nothing.
    for name in ("minds", "seats of thought"):
        assert len({(case.levels, case.worlds, case.side, case.civilizations) for case in tables[name]}) == 1


@pytest.mark.parametrize("levels", [MYOPIC, (1, 4, 6), PLANNING, (16, 4, 6), FAR, (64, 4, 6)])
def test_the_quick_benchmark_plays_fewer_worlds_and_never_one(levels: tuple[int, int, int]) -> None:
    assert 2 <= worlds_for(levels, True) < worlds_for(levels, False)


def test_tables_are_timed_one_by_one_and_reported_in_order(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []

    def timed(cases: list[Case], repeats: int) -> list[Case]:
        asked.append(len(cases))
        return cases

    monkeypatch.setattr(module, "time_together", timed)
    tables = {"a": [Case(MYOPIC, 2)], "b": [Case(FAR, 2), Case(FAR, 3)]}
    reported: list[object] = []
    assert time_tables(tables, 5, reported.append) == tables
    assert asked == [1, 2]
    assert reported == [*tables["a"], *tables["b"]]
