"""Metrics of one's own: a turn's values, what they make of a run, and what is no metric."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from own_parts import write_metrics

from civsim.base.errors import StudyError
from civsim.base.scenario import Scenario
from civsim.engine.world import World
from civsim.scenarios import metrics
from civsim.scenarios.games import play_each, play_worlds
from civsim.scenarios.loader import override
from civsim.scenarios.metrics import MetricSettings, OwnMetric, load_metrics

GAME = override(
    Scenario(), {"map.width": 8, "map.height": 8, "game.civilizations": 3, "game.turns": 12, "raiders.rate": 0.5}
)


def measures(folder: Path, **functions: str) -> tuple[OwnMetric, ...]:
    write_metrics(folder)
    asked = {name: f"measures.py:{name.split('_over_')[0]}" for name in functions}
    return load_metrics(
        {name: MetricSettings(function=asked[name], over=over) for name, over in functions.items()}, folder
    )


def test_a_run_is_what_its_turns_make_together(tmp_path: Path) -> None:
    overs = ("mean", "sum", "min", "max", "last")
    asked = measures(tmp_path, **{f"per_cell_over_{over}": over for over in overs})
    played = play_worlds(GAME, [0, 1, 2, 3], 5, series=True, metrics=asked)
    assert played.series is not None
    turns = played.series["per_cell_over_mean"]
    cells, output = played.series["cells"], played.series["output"]
    assert np.array_equal(turns, np.where(cells > 0, output / np.maximum(cells, 1), np.nan), equal_nan=True)
    last = np.array([[[v for v in turns[b, i] if v == v][-1] for i in range(3)] for b in range(4)])
    for over, value in zip(
        overs,
        (np.nanmean(turns, -1), np.nansum(turns, -1), np.nanmin(turns, -1), np.nanmax(turns, -1), last),
        strict=True,
    ):
        assert np.allclose(played.civs[f"per_cell_over_{over}"], value), over


def test_a_metric_may_read_the_state_and_be_one_of_the_world(tmp_path: Path) -> None:
    asked = measures(tmp_path, height="last", living="last")
    played = play_worlds(GAME, [0, 1], 5, metrics=asked)
    world = World(GAME, 2, seed=5)
    from civsim.agents import seat_policies

    while not world.done.all():
        world.step(seat_policies(GAME).shares(world))
    walls = [[world.state.wall[b][world.state.owner[b] == i].sum() for i in range(3)] for b in range(2)]
    assert np.allclose(played.civs["height"], walls)
    assert played.civs["living"].tolist() == [[float(v)] * 3 for v in world.state.alive.sum(1)]
    assert played.series is None


def test_metrics_change_nothing_else(tmp_path: Path) -> None:
    plain, measured = (
        play_worlds(GAME, [0, 1], 5),
        play_worlds(GAME, [0, 1], 5, metrics=measures(tmp_path, height="sum")),
    )
    assert all(np.array_equal(measured.civs[name], column) for name, column in plain.civs.items())


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("wrong_shape", r"has shape \[7\]; return \[2, 3\]"),
        ("fails", r"AttributeError: .* \(measures.py, line 23\)"),
        ("writes", "read-only"),
        ("spoils", "read-only"),
    ],
)
def test_a_metric_at_fault_stops_the_batch_and_fails_no_game(tmp_path: Path, name: str, message: str) -> None:
    with pytest.raises(StudyError, match=message) as caught:
        play_each(GAME, [0, 1], 5, metrics=measures(tmp_path, **{name: "mean"}))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("function", "message"),
    [
        ("measures.py:number", "is int; name a function"),
        ("measures.py:none", "has no none; it has per_cell"),
        ("none.py:none", "does not exist"),
        ("heigh", "'heigh' names no function; give module:name or file.py:name"),
    ],
)
def test_what_is_no_metric_is_refused_in_one_line(tmp_path: Path, function: str, message: str) -> None:
    write_metrics(tmp_path)
    with pytest.raises(StudyError, match=message):
        load_metrics({"mine": MetricSettings(function=function)}, tmp_path)


def test_installed_packages_offer_metrics(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(metrics, "plugins", lambda _group: {"height": f"{write_metrics(tmp_path)}:height"})
    assert load_metrics({"mine": MetricSettings(function="height")})[0].reference.name == "height"
