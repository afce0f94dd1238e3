"""The sensitivity kind: where two arms are compared, the gain is indexed and not the level. Welfare is planted."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis.extra.numpy import array_shapes, arrays

from civsim.analysis.kinds.kind import SKIPPED
from civsim.analysis.kinds.sensitivity import KIND, LEVEL, rows_order, whole_blocks
from civsim.analysis.results import Resampling, Results, open_results
from civsim.base.errors import ResultsError
from civsim.scenarios import loads_study, run_batch

STUDY = """
design = '{design}'
samples = {samples}
replicates = 4
[set]
"game.turns" = 1
"game.civilizations" = 1
"map.width" = 8
"map.height" = 8
[factors.share]
path = "focal.policy.params.consumption"
low = 0.1
high = 0.6
[factors.price]
path = "thinking.price.horizon"
low = 0.5
high = 1.5
[factors.horizon]
path = "focal.levels.horizon"
levels = [0, 4]
"""


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Results]:
    found = {}
    for design, samples in (("morris", 5), ("saltelli", 8)):
        folder: Path = tmp_path_factory.mktemp("sensitivity") / design
        run_batch(loads_study(STUDY.format(design=design, samples=samples)), folder)
        found[design] = planted(open_results(folder))
    return found.__getitem__


def planted(results: Results) -> Results:
    """Return the games with welfare in which the share moves both arms alike, and the price what the second gains."""
    runs = results.runs
    gain = np.where(runs["factor.horizon"] == 4, -2.0 * runs["factor.price"], 0.0)
    common = runs.groupby("world_id").ngroup() * 0.3
    noise = np.random.default_rng(0).normal(size=len(runs)) * 0.02
    return replace(results, runs=runs.assign(welfare=20.0 * runs["factor.share"] + gain + common + noise))


def lose(results: Results, bad: pd.Series) -> Results:
    runs = results.runs.copy()
    runs.loc[bad, "status"], runs.loc[bad, "welfare"] = "failed", np.nan
    return replace(results, runs=runs)


def test_morris_indexes_the_gain_and_keeps_the_level_beside_it(opened: Callable[[str], Results]) -> None:
    tables = KIND.tables(opened("morris"), Resampling())
    gain = tables[""].set_index("factor")
    assert len(gain) == 2
    assert gain["outcome"].unique().tolist() == ["horizon 4 over 0"]
    assert gain.loc["price", "mu"] == pytest.approx(-200.0, abs=10.0)  # one turn: Σ γ^t = 1
    assert gain.loc["price", "mu_star"] > 20.0 * gain.loc["share", "mu_star"]
    level = tables[LEVEL]
    assert set(level["outcome"]) == {"welfare"}
    assert level["stratum"].nunique() == 2
    assert level.groupby("stratum").apply(lambda part: part.set_index("factor")["mu_star"].idxmax()).eq("share").all()
    said = KIND.read(tables)
    assert "price moves the gain of horizon 4 over 0 most" in said[0]
    assert any("share moves welfare most" in words for words in said)
    assert KIND.draw(tables, []).axes


def test_sobol_indexes_the_gain(opened: Callable[[str], Results]) -> None:
    tables = KIND.tables(opened("saltelli"), Resampling())
    gain = tables[""].set_index("factor")
    assert gain.loc["price", "st_low"] < 1.0 < gain.loc["price", "st_high"]
    assert abs(gain.loc["share", "st"]) < 0.05
    assert gain.loc["price", "st"] > 0.5  # eight rows are few
    assert "the variance of the gain of horizon 4 over 0" in KIND.read(tables)[0]


def test_the_factor_of_a_point_is_read_off_the_points() -> None:
    a, b = np.zeros((3, 3)), np.ones((3, 3))
    b[0] = 0.0  # a draw of B may equal A's
    rows = np.stack([a, *(np.where(np.arange(3) == place, b, a) for place in (2, 0, 1)), b], axis=1)
    assert rows_order(rows) == [2, 0, 1]
    with pytest.raises(ResultsError, match="other than one factor"):
        rows_order(rows[:1])


def test_a_game_that_failed_costs_its_trajectory_and_that_is_told(opened: Callable[[str], Results]) -> None:
    results = opened("morris")
    one = (results.runs["point"] == 0) & (results.runs["world_id"] == results.runs["world_id"].iloc[0])
    tables = KIND.tables(lose(results, one), Resampling())
    assert set(tables[""]["dropped"]) == {0}
    assert set(tables[""]["rows_dropped"]) == {1}
    assert (
        KIND.read(tables)[-1]
        == "Trajectories left out, since games of theirs failed or gave no number: baseline: 1 of 5."
    )


def test_a_world_that_failed_everywhere_costs_itself(opened: Callable[[str], Results]) -> None:
    results = opened("saltelli")
    tables = KIND.tables(lose(results, results.runs["world_id"] == 2), Resampling())
    assert set(tables[""]["dropped"]) == {1}
    assert set(tables[""]["rows_dropped"]) == {0}
    assert KIND.read(tables)[-1].startswith("Worlds left out")


def test_points_that_cannot_be_played_leave_the_rest_as_it_is(opened: Callable[[str], Results]) -> None:
    """A point without a single game takes its row with it; the indices are those of a study without that row."""
    results = opened("saltelli")
    arms = [sorted(part["point"].unique()) for _, part in results.runs.groupby("factor.horizon")]
    block = len(arms[0]) // 8
    gone = results.runs["point"].isin([arms[0][0], arms[1][3 * block + 1], arms[1][3 * block + 2]])
    found = KIND.tables(lose(results, gone), Resampling())
    assert set(found[""]["rows_dropped"]) == {2}
    assert set(found[""]["dropped"]) == {0}
    rows = {point for points in arms for start in (0, 3 * block) for point in points[start : start + block]}
    without = KIND.tables(replace(results, runs=results.runs[~results.runs["point"].isin(rows)]), Resampling())
    names = ["s1", "st", "s1_low", "st_high"]
    assert np.allclose(found[""][names], without[""][names], equal_nan=True)


@given(missing=arrays(np.bool_, array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=9)))
def test_what_is_kept_lacks_nothing(missing: np.ndarray) -> None:
    blocks, worlds = whole_blocks(missing)
    assert not missing[np.ix_(blocks, worlds)].any()
    assert blocks.all() or missing[~blocks].any(1).all()
    assert worlds.all() or missing[:, ~worlds].any(0).all()
    if not missing.any():
        assert blocks.all()
        assert worlds.all()


@pytest.mark.parametrize("design", ["morris", "saltelli"])
def test_failed_games_are_one_line(opened: Callable[[str], Results], design: str) -> None:
    results = opened(design)
    for bad in (results.runs["factor.horizon"] == 4, results.runs["point"] >= 0):
        with pytest.raises(ResultsError, match="look at failed games") as caught:
            KIND.tables(lose(results, bad), Resampling())
        assert "\n" not in str(caught.value)


def test_points_without_a_twin_are_named(opened: Callable[[str], Results]) -> None:
    results = opened("morris")
    runs = results.runs[results.runs["point"] < results.runs["point"].max()]
    with pytest.raises(ResultsError, match=r"finish the study first|have no twins"):
        KIND.tables(replace(results, runs=runs), Resampling())
    assert SKIPPED not in KIND.tables(results, Resampling())
