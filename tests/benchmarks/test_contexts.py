"""The program that plays arms in contexts: the same worlds for all, once each, and every fault in one line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from civsim.base.scenario import Scenario
from civsim.scenarios import list_scenarios, load_scenario
from civsim.scenarios.games import play_worlds

ARMS = ("h0", "h1", "npv-1")
WORLDS = 4


@pytest.fixture(scope="module")
def contexts(benchmark_module: Any) -> Any:
    return benchmark_module("contexts")


@pytest.fixture(scope="module")
def arms(benchmark_module: Any) -> Any:
    return benchmark_module("contexts_arms")


def play(contexts: Any, out: Path, *options: str, code: int = 0) -> None:
    given = ["--worlds", str(WORLDS), "--contexts", "2", *options]
    assert contexts.main(["play", "--out", str(out), "--arms", *ARMS, *given]) == code


@pytest.fixture(scope="module")
def played(contexts: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("contexts") / "games"
    play(contexts, out)
    return out


def test_an_arm_sets_the_first_seat_and_leaves_the_others(arms: Any) -> None:
    scenario = load_scenario("baseline")
    for name in ("h16", "npv"):
        made = arms.play_as(scenario, name)
        assert [made.seat(seat) for seat in (1, 2, 3)] == [scenario.seat(seat) for seat in (1, 2, 3)]
        assert made.seat(0).levels.attention == 6
        assert made.seat(0).policy == scenario.seat(0).policy
    assert made.seat(0).reach == 4096
    assert made.seat(0).rollout == 0


def test_arms_of_this_release_can_be_played_and_others_are_refused_by_their_setting(
    contexts: Any, arms: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    known = set(Scenario().seat_default.model_dump())
    for name, arm in arms.ARMS.items():
        assert arms.can_play(name) == ({path.split(".")[0] for path in arm.settings} <= known), name
    assert all(arms.can_play(name) for name in ("h0", "h32", "npv", "npv-16"))
    assert contexts.main(["arms"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == len(arms.ARMS)
    assert sum("missing in this release" not in line for line in lines) == sum(map(arms.can_play, arms.ARMS))


def test_what_is_kept_is_what_seat_0_got_in_those_worlds(contexts: Any, arms: Any, played: Path) -> None:
    place = contexts.drawn_places(2, WORLDS)[1]
    assert place.world_ids == tuple(range(contexts.MOST_WORLDS, contexts.MOST_WORLDS + WORLDS))
    for name in ARMS:
        alone = play_worlds(arms.play_as(place.scenario, name), [place.world_ids[2]], contexts.SEED)
        kept = pq.read_table(played / name / "context-001.parquet").to_pandas()
        assert kept["world_id"].tolist() == list(place.world_ids)
        assert kept["welfare"][2] == alone.civs["welfare"][0, 0]
        assert kept["cells"][2] == alone.civs["cells"][0, 0]


def test_games_are_played_once_and_go_on_where_they_stopped(
    contexts: Any, played: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    files = sorted(played.rglob("*.parquet"))
    assert len(files) == 2 * len(ARMS)
    before = {path: path.stat().st_mtime_ns for path in files}
    first = (played / "h1" / "context-001.parquet").read_bytes()
    (played / "h1" / "context-001.parquet").write_bytes(first[: len(first) // 2])
    (played / "h0" / "context-000.parquet").unlink()
    capsys.readouterr()
    play(contexts, played, "--threads", "2")
    assert capsys.readouterr().out.splitlines() == [
        "context-000: 1 arms played (1 of 2 contexts)",
        "context-001: 1 arms played (2 of 2 contexts)",
    ]
    assert (played / "h1" / "context-001.parquet").read_bytes() == first
    again = {path for path in files if path.stat().st_mtime_ns != before[path]}
    assert {path.relative_to(played).as_posix() for path in again} == {
        "h0/context-000.parquet",
        "h1/context-001.parquet",
    }


def test_the_report_is_of_the_games(contexts: Any, played: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert contexts.main(["report", "--out", str(played)]) == 0
    text = capsys.readouterr().out
    assert text == (played / "report.md").read_text(encoding="utf-8")
    assert "- Contexts: drawn, 2; 4 worlds each, study seed 20261129" in text
    assert "| h1 | best rung of reach 1 | 2 |" in text
    judged = pd.read_csv(played / "judged.csv").set_index(["context", "against"])
    for place in contexts.drawn_places(2, WORLDS):
        name, game = place.scenario.name, place.scenario.game
        one, other = (pq.read_table(played / arm / f"{name}.parquet")["welfare"].to_numpy() for arm in ("h1", "h0"))
        scale = np.sum(game.discount ** np.arange(game.turns))
        assert judged.loc[(name, "h0"), "difference"] == pytest.approx(100.0 * np.mean(one - other) / scale)


def test_the_library_is_played_with_modest_levels_for_everybody(contexts: Any, tmp_path: Path) -> None:
    places = contexts.library_places([], WORLDS)
    assert [place.scenario.name for place in places] == list(list_scenarios())
    for place in places:
        assert place.scenario.seat_default.levels.horizon == 4
        assert place.scenario.seat_default.policy.params["cognition"] == 0.0
    frontier = next(place.scenario for place in places if place.scenario.name == "frontier-war")
    assert frontier.seat_default.policy.params["physical"]["army"] == 0.03
    play(contexts, tmp_path / "out", "--library", "expedition")
    assert json.loads((tmp_path / "out" / "contexts.json").read_text())["source"] == "library"
    assert (tmp_path / "out" / "h1" / "expedition.parquet").is_file()


@pytest.mark.parametrize(
    ("options", "word"),
    [
        (["--arms", "h17"], "no arm is called 'h17'; did you mean"),
        (["--worlds", "0"], "worlds=0 is outside 1 … 65536"),
        (["--contexts", "0"], "contexts=0 is outside"),
        (["--threads", "0"], "threads=0 is below 1"),
        (["--library", "atlantis"], "no scenario is called 'atlantis'"),
    ],
)
def test_what_cannot_be_played_is_one_line_and_nothing_is_written(
    contexts: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str], options: list[str], word: str
) -> None:
    play(contexts, tmp_path / "out", *options, code=2)
    error = capsys.readouterr().err
    assert word in error
    assert error.count("\n") == 1
    assert not (tmp_path / "out").exists()


def test_an_arm_whose_setting_is_missing_is_one_line(
    contexts: Any, arms: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(arms, "ARMS", {"later": arms.Arm({"telepathy": True}, False, 1)})
    play(contexts, tmp_path / "out", "--arms", "later", code=2)
    error = capsys.readouterr().err
    assert "arm 'later' cannot be played by this release" in error
    assert "seats.0.telepathy is not a setting" in error
    assert error.count("\n") == 1
    assert not (tmp_path / "out").exists()


def test_a_folder_of_other_games_is_left_alone(
    contexts: Any, played: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    play(contexts, played, "--worlds", "5", code=2)
    assert "holds games of worlds 4, not 5; give another --out" in capsys.readouterr().err
    play(contexts, played, "--library", "solo", code=2)
    assert "holds games of source drawn, not library" in capsys.readouterr().err
    monkeypatch.setattr(contexts, "source_digest", lambda: "other")
    play(contexts, played, code=2)
    assert "holds games of code" in capsys.readouterr().err
    (tmp_path / "letter.txt").write_text("mine")
    play(contexts, tmp_path, code=2)
    assert "holds something else; give a new folder" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["letter.txt"]


@pytest.mark.parametrize(
    ("spoil", "word"),
    [
        (lambda out: (out / "contexts.json").unlink(), "has no contexts.json; play some games first"),
        (lambda out: (out / "contexts.json").write_text("{"), "is damaged"),
        (lambda out: (out / "contexts.json").write_text("[]"), "is of another kind"),
        (lambda out: (out / "h1" / "context-000.parquet").write_bytes(b"PAR1"), "is damaged"),
        (lambda out: [path.unlink() for path in (out / "h1").iterdir()], "no planner was played"),
    ],
)
def test_what_cannot_be_reported_is_one_line(
    contexts: Any, played: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], spoil: Any, word: str
) -> None:
    import shutil

    out = tmp_path / "games"
    shutil.copytree(played, out)
    spoil(out)
    capsys.readouterr()
    assert contexts.main(["report", "--out", str(out)]) == 2
    error = capsys.readouterr().err
    assert word in error
    assert error.count("\n") == 1
