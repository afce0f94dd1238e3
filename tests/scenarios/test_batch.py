"""The batch runner: the same tables whatever the threads, the batch size, or the accidents on the way."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from faults import leftover_of, poison
from studies import contents, small_study

from civsim.agents.policy import SeatPolicies
from civsim.base.constants import RULES_VERSION
from civsim.base.errors import CivsimError, ResultsError, StudyError
from civsim.base.scenario import Scenario
from civsim.engine.world import World
from civsim.scenarios import manifest
from civsim.scenarios.batch import PART_RUNS, make_plan, run_batch
from civsim.scenarios.games import METRICS, SERIES, play_each, play_worlds
from civsim.scenarios.loader import content_hash, override
from civsim.scenarios.results import read_civs, read_manifest, read_runs, read_series
from civsim.scenarios.study import list_studies, load_study, loads_study
from civsim.scenarios.tables import run_id


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the results of the small study, run in the plainest way."""
    folder = tmp_path_factory.mktemp("batch")
    study, _ = small_study(folder)
    run_batch(study, folder / "out")
    return folder / "out"


def test_runs_have_one_row_a_point_and_world_with_levels_focal_seat_and_metrics(finished: Path) -> None:
    runs = read_runs(finished)
    assert len(runs) == 2 * 3 * 6
    assert not runs.duplicated(["point", "world_id"]).any()
    assert runs["run_id"].is_unique
    assert set(runs["status"]) == {"ok"}
    assert (runs["focal"] == runs["world_id"] % 2).all()
    assert list(runs["factor.context"].unique()) == ["calm.toml", "wild.toml"]
    assert sorted(runs["factor.horizon"].unique()) == [0, 2, 3]
    assert (runs["level_horizon"] == runs["factor.horizon"]).all()
    assert np.isfinite(runs[list(METRICS)].to_numpy()).all()
    assert (runs["seed"] == 11).all()


def test_metrics_are_those_of_the_world_played_alone(finished: Path) -> None:
    plan = make_plan(small_study(finished.parent)[0])
    point = plan.points[4]
    scenario = plan.resolver.scenario(point, 1)
    played = play_worlds(scenario, [3], plan.study.seed)
    runs, civs = read_runs(finished), read_civs(finished)
    row = runs[(runs["point"] == 4) & (runs["world_id"] == 3)].iloc[0]
    assert row["run_id"] == run_id(content_hash(scenario), 11, 3)
    for name in METRICS:
        assert row[name] == played.civs[name][0, 1]
    assert row["rival_output"] == played.civs["output"][0, 0]
    both = civs[(civs["point"] == 4) & (civs["world_id"] == 3)]
    assert both["output"].tolist() == played.civs["output"][0].tolist()
    assert both["is_focal"].tolist() == [False, True]


def test_series_add_up_to_the_runs(finished: Path) -> None:
    series, civs = read_series(finished), read_civs(finished)
    assert len(series) == len(civs) * 8
    assert sorted(series["turn"].unique()) == list(range(1, 9))
    # Rewards are not discounted, the objective is.
    series = series.assign(reward=series["reward"] * Scenario().game.discount ** (series["turn"] - 1))
    total = series.groupby(["point", "world_id", "seat"])[["output", "reward"]].sum().reset_index()
    assert np.allclose(total["output"], civs["output"])
    assert np.allclose(total["reward"], civs["welfare"])
    assert set(SERIES) <= set(series.columns)


def test_spending_by_category_is_all_of_output(finished: Path) -> None:
    civs = read_civs(finished)
    spent = civs[[name for name in civs.columns if name.startswith("spent_")]].sum(axis=1)
    assert np.allclose(spent, civs["output"], rtol=1e-5)


def test_the_manifest_says_what_was_asked_and_on_what_it_ran(finished: Path) -> None:
    found = read_manifest(finished)
    assert found["seed"] == 11
    assert found["games"] == 36
    assert found["rules"] == RULES_VERSION
    assert len(found["points"]) == 6
    assert found["study"]["replicates"] == 6
    assert set(found["scenarios"]) == {"calm.toml", "wild.toml"}
    assert (found["command"], len(found["code"])) == (None, 64)
    assert {"civsim", "numpy", "numba", "python"} <= set(found["versions"])
    assert "git" in found
    json.dumps(found)


@pytest.mark.parametrize(("threads", "batch"), [(2, 128), (1, 1), (2, 2)])
def test_threads_and_batch_size_change_no_byte(finished: Path, tmp_path: Path, threads: int, batch: int) -> None:
    study, _ = small_study(finished.parent)
    run_batch(study, tmp_path / "out", threads=threads, batch=batch)
    assert contents(tmp_path / "out") == contents(finished)


@pytest.mark.parametrize("name", list_studies())
def test_every_study_of_the_library_can_be_played(name: str) -> None:
    plan = make_plan(load_study(name))
    assert sum(part.runs for part in plan.parts) == len(plan.points) * plan.study.replicates


def test_points_are_packed_into_parts_and_large_points_split() -> None:
    small = make_plan(loads_study("replicates = 100\n[factors.h]\npath = 'map.hazard'\nlevels = [0.0, 0.1, 0.2]"))
    assert [part.runs for part in small.parts] == [200, 100]
    large = make_plan(loads_study(f"replicates = {PART_RUNS + 5}"))
    assert [part.runs for part in large.parts] == [PART_RUNS, 5]
    assert [part.file for part in large.parts] == ["part-000000.parquet", "part-000001.parquet"]


def test_resume_plays_only_what_is_missing_and_makes_the_same_tables(tmp_path: Path, finished: Path) -> None:
    study, _ = small_study(finished.parent, replicates=PART_RUNS + 2, turns=2, series="none")
    whole, halted = tmp_path / "whole", tmp_path / "halted"
    run_batch(study, whole)
    first = run_batch(study, halted, limit=300)
    assert (first.games, first.missing) == (PART_RUNS + 2 + PART_RUNS, 6 * (PART_RUNS + 2) - 2 * PART_RUNS - 2)
    leftover_of(halted / "runs" / "part-000009.parquet").write_text("left by a kill")
    second = run_batch(study, halted, resume=True, batch=50)
    assert (second.kept, second.games, second.missing) == (first.games, first.missing, 0)
    assert contents(halted) == contents(whole)
    assert run_batch(study, halted, resume=True).games == 0
    small_study(finished.parent)


@pytest.mark.parametrize("loud", [False, True])
@pytest.mark.parametrize("series", ["none", "focal", "all"])
def test_a_failing_world_is_a_failed_row_and_its_neighbours_finish(
    tmp_path: Path, finished: Path, monkeypatch: pytest.MonkeyPatch, series: str, loud: bool
) -> None:
    poison(monkeypatch, 3, loud=loud)
    (tmp_path / "study").mkdir()
    study, _ = small_study(tmp_path / "study", series=series)
    summary = run_batch(study, tmp_path / "out")
    assert (summary.games, summary.failed) == (36, 6)
    runs = read_runs(tmp_path / "out", failed=True)
    failed = runs[runs["status"] == "failed"]
    assert set(failed["world_id"]) == {3}
    said = "state.utility is not finite in turn "
    assert set(failed["error"]) == {said + ("1 (FloatingPointError: what it sees is cursed)" if loud else "8")}
    assert failed[list(METRICS)].isna().all(axis=None)
    good = read_runs(finished)
    kept = good[good["world_id"] != 3].reset_index(drop=True)
    assert read_runs(tmp_path / "out").equals(kept)
    assert 3 not in set(read_civs(tmp_path / "out")["world_id"])
    if series != "none":
        assert set(read_series(tmp_path / "out")["world_id"]) == {0, 1, 2, 4, 5}
    again = run_batch(study, tmp_path / "out", resume=True)
    assert (again.games, again.failed) == (0, 6)


def test_a_state_that_is_not_finite_is_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    poison(monkeypatch, 1, loud=True)
    scenario = override(Scenario(), {"map.width": 8, "map.height": 8, "game.civilizations": 2, "game.turns": 2})
    played = play_each(scenario, [0, 1, 2], 0, series=True, maps=(1,))
    assert played.world_ids.tolist() == [0, 1, 2]
    assert [bool(error) for error in played.errors] == [False, True, False]
    assert "state.utility is not finite" in played.errors[1]
    assert np.isfinite(played.civs["output"][[0, 2]]).all()
    assert np.isnan(played.civs["output"][1]).all()
    monkeypatch.undo()
    plain = play_each(scenario, [0, 2], 0, series=True, maps=(1,))
    for name in METRICS:
        assert (played.civs[name][[0, 2]] == plain.civs[name]).all()
    assert played.series is not None
    assert plain.series is not None
    assert (played.series["output"][[0, 2]] == plain.series["output"]).all()
    assert (played.maps[1][[0, 2]] == plain.maps[1]).all()
    assert (played.maps[1][1] == -1).all()


@pytest.mark.parametrize(
    "fault", [MemoryError(), RuntimeError("can't start new thread"), OSError(28, "No space left"), KeyboardInterrupt()]
)
def test_a_fault_of_the_machine_is_no_failed_world_and_is_played_again(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, finished: Path, fault: BaseException
) -> None:
    step, turns = World.step, []

    def faulty(self: World, *arguments: object) -> object:
        turns.append(len(turns))
        if len(turns) == 20:
            raise fault
        return step(self, *arguments)

    monkeypatch.setattr(World, "step", faulty)
    study, _ = small_study(finished.parent)
    with pytest.raises(type(fault)):
        run_batch(study, tmp_path / "out")
    assert contents(tmp_path / "out") == {}
    monkeypatch.undo()
    assert run_batch(study, tmp_path / "out", resume=True).games == 36
    assert contents(tmp_path / "out") == contents(finished)


def test_more_threads_than_a_batch_can_have_are_refused_before_anything_is_written(tmp_path: Path) -> None:
    study, _ = small_study(tmp_path)
    with pytest.raises(CivsimError, match="threads=300 is outside 1 … 256"):
        run_batch(study, tmp_path / "out", threads=300)
    assert not (tmp_path / "out").exists()


def test_a_policy_that_gives_no_shares_stops_the_batch_and_says_where(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(SeatPolicies, "shares", lambda self, world: np.full((world.n_worlds, 2, 8), np.nan))
    study, _ = small_study(tmp_path)
    with pytest.raises(StudyError, match="study 'small', point 0: share of"):
        run_batch(study, tmp_path / "out")
    assert contents(tmp_path / "out") == {}


@pytest.mark.parametrize(
    ("extra", "complaint"),
    [
        ("[set]\n'focal.policy.name' = 'randm'\n", "point 0"),
        ("[set]\n'map.file' = 'none.npz'\n", "point 0"),
        ("[set]\n'seat_default.policy.params' = {cognition = 2.0}\n", "point 0"),
    ],
)
def test_a_study_that_cannot_be_played_writes_nothing(tmp_path: Path, extra: str, complaint: str) -> None:
    study, _ = small_study(tmp_path, extra=extra)
    with pytest.raises(StudyError, match=complaint):
        run_batch(study, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_folder_is_not_overwritten_nor_mixed(tmp_path: Path) -> None:
    study, _ = small_study(tmp_path, replicates=2, turns=2)
    out = tmp_path / "out"
    run_batch(study, out)
    before = contents(out)
    other, _ = small_study(tmp_path, replicates=3, turns=2)
    for attempt, resume, complaint in (
        (study, False, "is not empty"),
        (other, False, "is not empty"),
        (other, True, "holds another study"),
    ):
        with pytest.raises(ResultsError, match=complaint):
            run_batch(attempt, out, resume=resume)
    (tmp_path / "alien").mkdir()
    (tmp_path / "alien" / "thesis.txt").write_text("mine")
    with pytest.raises(ResultsError, match="has no manifest"):
        run_batch(study, tmp_path / "alien", resume=True)
    assert contents(out) == before
    for name in ("threads", "batch", "limit"):
        with pytest.raises(CivsimError, match=f"{name}=0"):
            run_batch(study, tmp_path / "new", **{name: 0})
    assert not (tmp_path / "new").exists()


def test_results_of_other_code_are_not_gone_on_with(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    study, _ = small_study(tmp_path, replicates=2, turns=2)
    out = tmp_path / "out"
    run_batch(study, out)
    before = contents(out)
    monkeypatch.setattr(manifest, "source_digest", lambda: "0" * 64)
    with pytest.raises(
        ResultsError, match="was played by other code .*give a new --out, or delete the folder"
    ) as caught:
        run_batch(study, out, resume=True)
    assert len(str(caught.value).splitlines()) == 1
    assert contents(out) == before
    assert make_plan(study).digest != read_manifest(out)["hash"]


def test_infinity_stays_infinity_in_hash_manifest_and_games(tmp_path: Path) -> None:
    study, _ = small_study(tmp_path, replicates=2, turns=2, extra="[set]\n'army.projection' = inf\n")
    plan = make_plan(study)
    assert plan.resolver.scenario(plan.points[0], 0).army.projection == float("inf")
    run_batch(study, tmp_path / "out")
    assert read_manifest(tmp_path / "out")["study"]["set"] == {"army.projection": float("inf")}
    assert run_batch(study, tmp_path / "out", resume=True).games == 0
    other, _ = small_study(tmp_path, replicates=2, turns=2, extra="[set]\n'army.projection' = 9.0\n")
    assert make_plan(other).digest != plan.digest


def test_the_hash_covers_the_content_of_files_named_in_a_study_and_not_their_place(tmp_path: Path) -> None:
    digests = []
    for place in ("one", "two"):
        (tmp_path / place).mkdir()
        study, _ = small_study(tmp_path / place)
        digests.append(make_plan(study).digest)
    (tmp_path / "two" / "wild.toml").write_text('base = "calm.toml"\n[map]\nhazard = 0.3\n')
    assert digests[0] == digests[1] != make_plan(study).digest


def test_progress_counts_every_game_once(tmp_path: Path) -> None:
    study, _ = small_study(tmp_path, replicates=3, turns=2, series="none")
    counts: list[tuple[int, int]] = []
    starts: list[tuple[int, int]] = []
    run_batch(
        study,
        tmp_path / "out",
        report=lambda games_, failed: counts.append((games_, failed)),
        started=lambda total, kept: starts.append((total, kept)),
    )
    assert sum(done for done, _ in counts) == 18
    assert starts == [(18, 0)]


def test_what_lies_in_the_funds_is_what_was_paid_less_what_orders_cost() -> None:
    """Walls cost one a unit, so that the fund holds what was paid less the wall that stands, where none was lost."""
    game = {
        "map": {"width": 6, "height": 6, "hazard": 0.0},
        "game": {"turns": 12, "civilizations": 1},
        "walls": {"per_turn": 1, "rate": 0.25},
        "raiders": {"rate": 0.2, "strength": 0.01},
    }
    physical = {"settlement": 0.0, "works": 0.0, "army": 0.5, "walls": 0.5}
    game["seat_default"] = {"policy": {"name": "fixed", "params": {"physical": physical}}}
    scenario = Scenario.model_validate(game)
    civs = play_worlds(scenario, [1, 2], 5).civs
    paid, held = civs["spent_walls"], civs["fund_walls"]
    assert (civs["walls"] > 0).all()
    assert np.allclose(paid - held, 0.25 * civs["walls"], rtol=1e-5)
    assert np.allclose(civs["idle_walls"], held / paid)
    assert (civs["idle_walls"] > 0.5).all()
    for unpaid in ("settlement", "works"):
        assert (civs[f"fund_{unpaid}"] == 0.0).all()
        assert (civs[f"idle_{unpaid}"] == 0.0).all()
