"""The kinds about concentration, magnitude and stylised facts, on small games."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from civsim.analysis.kinds import concentration, magnitude, stylised
from civsim.analysis.kinds.concentration import POOLED, TOTAL
from civsim.analysis.kinds.kind import Kind
from civsim.analysis.kinds.magnitude import ITSELF, LEVELS, THINKING
from civsim.analysis.kinds.seatwise import by_seat, by_turn, runs_by_arm
from civsim.analysis.kinds.stylised import lives
from civsim.analysis.results import Resampling, Results, open_results
from civsim.analysis.statistics.inequality import gini
from civsim.analysis.style import house_style
from civsim.base.errors import ResultsError
from civsim.scenarios.batch import run_batch
from civsim.scenarios.study import loads_study

FEW = Resampling(draws=60)
HEAD = """
replicates = {worlds}
focal = {focal}
series = "{series}"
{more}
[set]
"map.width" = 10
"map.height" = 10
"game.civilizations" = 3
"game.turns" = {turns}
"seat_default.policy.params.cognition" = 0.0
"seat_default.levels" = {{ horizon = 2, sight = 4, attention = 6 }}
"""
SPREAD = """
[factors.spread.arms]
uneven = { "seats.0.levels.horizon" = 10, "seats.1.levels.horizon" = 1, "seats.2.levels.horizon" = 1 }
even = { "seats.0.levels.horizon" = 4, "seats.1.levels.horizon" = 4, "seats.2.levels.horizon" = 4 }
"""
DOSE = "[factors.horizon]\npath = 'focal.levels.horizon'\nlevels = [0, 4, 10]\n"


def played(
    folder: Path,
    factors: str,
    *,
    worlds: int = 8,
    turns: int = 22,
    series: str = "all",
    more: str = "",
    focal: str = "0",
) -> Results:
    text = HEAD.format(worlds=worlds, turns=turns, series=series, more=more, focal=focal) + factors
    run_batch(loads_study(text), folder / "out")
    return open_results(folder / "out")


@pytest.fixture(scope="module")
def spread(tmp_path_factory: pytest.TempPathFactory) -> Results:
    """Return games whose horizon is held evenly or not."""
    return played(tmp_path_factory.mktemp("spread"), SPREAD)


@pytest.fixture(scope="module")
def doses(tmp_path_factory: pytest.TempPathFactory) -> Results:
    """Return games at three horizons of the focal civilization, with maps."""
    return played(tmp_path_factory.mktemp("doses"), DOSE, more="maps = [4, 22]", focal='"rotate"')


def drawn(kind: Kind, tables: dict[str, pd.DataFrame]) -> None:
    """Check that a kind draws its tables, reads them, and changes none."""
    before = {name: table.copy() for name, table in tables.items()}
    with house_style():
        figure = kind.draw(tables, ["A note."])
        figure.canvas.draw()
    said = kind.read(tables)
    assert said
    assert all(sentence.endswith(".") and "nan" not in sentence for sentence in said)
    for name, table in tables.items():
        pd.testing.assert_frame_equal(table, before[name])


def test_arrays_hold_each_seat_and_turn_in_its_place(spread: Results) -> None:
    wide = runs_by_arm(spread.runs, "factor.spread")
    ids = wide["even"].tolist()[::-1]
    output, turns = by_seat(spread.civs, ids, "output"), by_turn(spread.series, ids, "output")
    assert output.shape == (8, 3)
    assert turns.shape == (8, 3, 22)
    assert np.allclose(turns.sum(axis=2), output)
    with pytest.raises(ResultsError, match="does not tell a world's runs apart"):
        runs_by_arm(spread.runs.assign(one=1), "one")


def test_concentration_measures_each_arm_against_the_most_equal(spread: Results) -> None:
    assert concentration.KIND.refuses(spread) is None
    tables = concentration.KIND.tables(spread, FEW)
    main = tables[""].set_index(["arm", "measure"])
    assert tables[""]["arm"].unique().tolist() == ["even", "uneven"]
    assert (main.loc["even"][["difference", "difference_low", "difference_high"]] == 0.0).all(axis=None)
    assert main.loc[("uneven", "gini"), "cognition"] == pytest.approx(float(gini([10.0, 1.0, 1.0])))
    civs = spread.civs[spread.civs["factor.spread"] == "uneven"]
    by_hand = civs.groupby("world_id")["output"].apply(lambda own: float(gini(own)))
    assert main.loc[("uneven", "gini"), "value"] == pytest.approx(by_hand.mean())
    totals = spread.civs.groupby(["factor.spread", "world_id"])["output"].sum().unstack(0)
    gap = np.log(totals["uneven"]) - np.log(totals["even"])
    assert main.loc[("uneven", TOTAL), "difference"] == pytest.approx(gap.mean())
    # The even arm has no slope: pooled and uneven are one.
    assert set(tables["passthrough"]["arm"]) == {"uneven"}
    assert len(tables["lockin"]) == 2
    assert POOLED not in set(tables["passthrough"]["arm"])
    drawn(concentration.KIND, tables)


def test_concentration_without_series_has_no_lock_in(tmp_path: Path) -> None:
    results = played(tmp_path, SPREAD, worlds=4, turns=6, series="none")
    tables = concentration.KIND.tables(results, FEW)
    assert "lockin" not in tables
    drawn(concentration.KIND, tables)
    for kind in (magnitude.KIND, stylised.KIND):
        assert "series = 'all'" in (kind.refuses(results) or "")


def test_concentration_refuses_arms_that_are_equally_unequal(tmp_path: Path) -> None:
    results = played(tmp_path, "[factors.hazard]\npath = 'map.hazard'\nlevels = [0.0, 0.2]\n", worlds=2, turns=22)
    assert "seats.0.levels" in (concentration.KIND.refuses(results) or "")
    assert "vary focal.levels.horizon" in (magnitude.KIND.refuses(results) or "")


def test_magnitude_sets_thinking_beside_chaos_and_beside_nothing(doses: Results) -> None:
    assert magnitude.KIND.refuses(doses) is None
    tables = magnitude.KIND.tables(doses, FEW)
    table = tables[""]
    assert set(table["role"]) == {THINKING, LEVELS, ITSELF}
    itself = table[table["role"] == ITSELF]
    assert (itself[["value", "low", "high"]] == 0.0).all(axis=None)
    assert table[table["measure"] == "cells"]["turn"].unique().tolist() == [4, 22]
    assert set(tables["end"]["turn"]) == {22}
    series = doses.series.merge(doses.runs[["run_id", "factor.horizon"]], on="run_id")
    last = series[series["turn"] == 22].groupby(["factor.horizon", "world_id"])["output"].sum().unstack(0)
    gap = np.log(last[10] / last[0])
    signed = table[(table["measure"] == "world_log_output_signed") & (table["pair"] == "10 against 0")]
    assert signed.set_index("turn").loc[22, "value"] == pytest.approx(gap.mean())
    excess = tables["excess"].set_index("measure").loc["world_log_output", "value"]
    assert excess == pytest.approx((gap.abs() - np.log(last[10] / last[4]).abs()).mean())
    drawn(magnitude.KIND, tables)


def test_two_doses_have_no_benchmark_of_chaos(tmp_path: Path) -> None:
    results = played(tmp_path, DOSE.replace("[0, 4, 10]", "[0, 10]"), worlds=4, turns=12)
    tables = magnitude.KIND.tables(results, FEW)
    assert "excess" not in tables
    assert set(tables[""]["role"]) == {THINKING, ITSELF}
    assert "cells" not in set(tables[""]["measure"])
    drawn(magnitude.KIND, tables)


def test_stylised_facts_of_a_game(doses: Results) -> None:
    assert stylised.KIND.refuses(doses) is None
    tables = stylised.KIND.tables(doses, FEW)
    assert set(tables[""]["fact"]) == {"rank_size", "gibrat", "tent", "hazard"}
    alive = doses.series.groupby(["run_id", "turn"])["alive"].sum().reset_index()
    end = alive[alive["turn"] == 22].merge(doses.runs[["run_id", "factor.horizon"]], on="run_id")
    assert tables["survivors"]["turn"].max() == 22
    last = tables["survivors"].groupby("stratum", sort=False)["survivors"].last()
    assert np.allclose(last, end.groupby("factor.horizon")["alive"].mean())
    drawn(stylised.KIND, tables)


def test_a_life_ends_in_the_first_turn_without_a_cell() -> None:
    turns, died = lives(np.array([[[1.0, 1.0, 0.0], [1.0, 1.0, 1.0], [1.0, 0.0, 1.0]]]))
    assert turns.tolist() == [[3.0, 3.0, 2.0]]
    assert died.tolist() == [[True, False, True]]


def test_short_games_hold_no_growth(tmp_path: Path) -> None:
    results = played(tmp_path, DOSE, worlds=2, turns=6)
    assert "fewer than 21 turns" in (stylised.KIND.refuses(results) or "")
