"""A study ready to run: small, whatever its size, and true to the files it was made from."""

from __future__ import annotations

import shutil
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from studies import contents, small_study

from civsim.base.errors import ResultsError, StudyError
from civsim.base.scenario import Scenario
from civsim.engine.land.landscape import draw_land, save_land
from civsim.scenarios.batch import run_batch
from civsim.scenarios.design import design_points, world_ids
from civsim.scenarios.loader import override
from civsim.scenarios.plan import MAX_GAMES, PART_RUNS, Parts, make_plan
from civsim.scenarios.study import MAX_LEVELS, MAX_REPLICATES, loads_study

FACTOR = "\n[factors.h]\npath = 'map.hazard'\nlevels = [{levels}]\n"


@given(st.integers(1, 700), st.integers(1, 40), st.booleans())
def test_the_parts_hold_every_game_once_and_none_is_large(replicates: int, points: int, paired: bool) -> None:
    levels = ", ".join(f"{index / 100}" for index in range(points))
    study = loads_study(f"replicates = {replicates}\npaired = {str(paired).lower()}" + FACTOR.format(levels=levels))
    design = design_points(study)
    parts = Parts(study, design)
    games = [(piece.point.number, world) for part in parts for piece in part.pieces for world in piece.ids.tolist()]
    assert len(set(games)) == len(games) == replicates * points
    assert set(games) == {(point.number, world) for point in design for world in world_ids(study, point)}
    assert all(1 <= part.runs <= PART_RUNS for part in parts)
    assert [part.number for part in parts] == list(range(len(parts)))
    with pytest.raises(IndexError):
        parts[len(parts)]


def test_the_largest_number_of_worlds_takes_no_memory() -> None:
    study = loads_study(f"replicates = {MAX_REPLICATES}")
    make_plan(loads_study("replicates = 1"))
    tracemalloc.start()
    plan = make_plan(study)
    last = plan.parts[len(plan.parts) - 1]
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 4e6
    assert (len(plan.parts), last.pieces[0].ids[-1]) == (-(-MAX_REPLICATES // PART_RUNS), MAX_REPLICATES - 1)


def test_what_nobody_can_play_or_keep_is_refused_at_once() -> None:
    levels = ", ".join(f"{index / 2000}" for index in range(1001))
    with pytest.raises(StudyError, match=rf"has 1001000000 games \(1001 points, .*keep at most {MAX_GAMES}"):
        make_plan(loads_study(f"replicates = {MAX_REPLICATES}" + FACTOR.format(levels=levels)))
    factors = "".join(f"[factors.f{index}]\npath = 'x{index}'\nlow = 0.0\nhigh = 1.0\n" for index in range(3000))
    with pytest.raises(
        StudyError, match=f"500000 points of 3000 factors; keep at most {MAX_LEVELS} levels in all, 6666"
    ):
        make_plan(loads_study("design = 'latin'\nsamples = 500000\n" + factors))


def test_the_reading_of_points_is_told() -> None:
    levels = ", ".join(f"{index / 2000}" for index in range(501))
    told: list[tuple[int, int]] = []
    make_plan(loads_study("replicates = 1" + FACTOR.format(levels=levels)), lambda *done: told.append(done))
    assert told == [(500, 501), (501, 501)]


def test_a_land_that_is_replaced_while_it_is_played_stops_the_batch(tmp_path: Path) -> None:
    """Two lands under one hash would be a table of nobody knows what."""
    lands = [tmp_path / name for name in ("one.npz", "two.npz", "land.npz")]
    game = override(Scenario(), {"map.width": 8, "map.height": 8, "game.civilizations": 2})
    for index, path in enumerate(lands[:2]):
        save_land(draw_land(game, 5, index), path)
    shutil.copy(lands[0], lands[2])
    extra = f"[set]\n'map.file' = '{lands[2]}'\n"
    study, _ = small_study(tmp_path, replicates=129, turns=1, series="none", extra=extra)
    calm = tmp_path / "calm.toml"
    calm.write_text(calm.read_text().replace("site_density = 0.1\n", ""))  # a file brings its own sites and hazards
    (tmp_path / "wild.toml").write_text('base = "calm.toml"\n[raiders]\nrate = 0.4\n')
    run_batch(study, tmp_path / "whole")
    played: list[int] = []

    def replace(games: int, _failed: int) -> None:
        played.append(games)
        if sum(played) == 2 * 129:
            shutil.copy(lands[1], lands[2])

    with pytest.raises(StudyError, match=r"land.npz.* was changed while the study was played; put it back and resume"):
        run_batch(study, tmp_path / "out", report=replace)
    assert len(contents(tmp_path / "out")) == 2 * 2
    with pytest.raises(ResultsError, match=r"was begun with another .*land.npz.*, which has changed since"):
        run_batch(study, tmp_path / "out", resume=True)
    shutil.copy(lands[0], lands[2])
    assert run_batch(study, tmp_path / "out", resume=True).kept == 2 * 129
    assert contents(tmp_path / "out") == contents(tmp_path / "whole")
