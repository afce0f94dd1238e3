"""The kinds about concentration, magnitude and stylised facts, on small games."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from civsim.analysis.kinds import concentration, magnitude, stylised
from civsim.analysis.kinds.concentration import TOTAL
from civsim.analysis.kinds.kind import SKIPPED, Kind
from civsim.analysis.kinds.magnitude import ITSELF, LEVELS, THINKING
from civsim.analysis.kinds.seatwise import arms_in_order, by_seat, by_turn, most_seats, runs_by_arm
from civsim.analysis.kinds.slopes import POOLED
from civsim.analysis.kinds.stylised import lives
from civsim.analysis.results import Resampling, Results, open_results
from civsim.analysis.statistics import polities
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
LENGTHS = "[factors.length]\npath = 'game.turns'\nlevels = [21, 22]\n"
NAMED = """
[factors.mind.arms]
without = { "focal.levels.horizon" = 0 }
far = { "focal.levels.horizon" = 10 }
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
    # A game that stands at two points of a design is in the tables twice.
    twice = [pd.concat([table, table]) for table in (spread.civs, spread.series)]
    assert np.array_equal(by_seat(twice[0], ids, "output"), output)
    assert np.array_equal(by_turn(twice[1], ids, "output"), turns)
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
    assert set(tables[""]["fact"]) == {"rank_size", "gibrat", "tent", "growth_by_size", "persistence", "hazard"}
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


def failed(results: Results, runs: pd.Series) -> Results:
    """Return the results as they would be had some runs failed."""
    table = results.runs.assign(status=results.runs["status"].mask(runs, "failed"))
    numbers = table.select_dtypes("float").columns.difference([name for name in table if name.startswith("factor.")])
    table[numbers] = table[numbers].mask(runs)
    lost = set(results.runs.loc[runs, "run_id"])
    made = replace(results, runs=table)
    made.__dict__["civs"] = results.civs[~results.civs["run_id"].isin(lost)]
    made.__dict__["series"] = results.series[~results.series["run_id"].isin(lost)]
    return made


@pytest.fixture(scope="module")
def two_lengths(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Results]:
    """Return games of two lengths, a stratum each, by kind."""
    dose = played(tmp_path_factory.mktemp("dose"), NAMED + LENGTHS, worlds=4)
    spread = played(tmp_path_factory.mktemp("spread"), SPREAD + LENGTHS, worlds=4)
    return {"magnitude": dose, "stylised": dose, "concentration": spread}


KINDS = pytest.mark.parametrize("kind", [magnitude.KIND, stylised.KIND, concentration.KIND], ids=lambda kind: kind.name)


@KINDS
def test_a_stratum_whose_games_all_failed_is_listed_and_harms_no_other(
    kind: Kind, two_lengths: dict[str, Results]
) -> None:
    results = two_lengths[kind.name]
    whole = kind.tables(results, FEW)
    part = failed(results, results.runs["factor.length"] == 21)
    assert kind.refuses(part) is None
    tables = kind.tables(part, FEW)
    assert tables[SKIPPED]["stratum"].str.contains("length 21").all()
    assert tables[""]["stratum"].str.contains("length 22").all()
    kept = whole[""][whole[""]["stratum"].str.contains("length 22")].reset_index(drop=True)
    pd.testing.assert_frame_equal(tables[""], kept)
    drawn(kind, {name: table for name, table in tables.items() if name != SKIPPED})


@KINDS
def test_games_that_all_failed_are_an_error_of_one_line(kind: Kind, two_lengths: dict[str, Results]) -> None:
    results = two_lengths[kind.name]
    none = failed(results, results.runs["status"] == "ok")
    with pytest.raises(ResultsError, match="0 games ended well"):
        kind.refuses(none)
    with pytest.raises(ResultsError, match="0 (games|worlds)"):
        kind.tables(none, FEW)
    with pytest.raises(ResultsError, match="0 games ended well"):
        most_seats(none)


@KINDS
def test_worlds_left_out_are_counted_and_said(kind: Kind, two_lengths: dict[str, Results]) -> None:
    results = two_lengths[kind.name]
    first = results.runs.index == results.runs.index[results.runs["factor.length"] == 22][0]
    tables = kind.tables(failed(results, pd.Series(first, results.runs.index)), FEW)
    dropped = tables[""].groupby("stratum")["dropped"].max()
    assert dropped[dropped.index.str.contains("length 22")].max() == 1
    assert dropped[dropped.index.str.contains("length 21")].max() == 0
    assert kind.read(tables)[-1].startswith("Worlds left out of a row")
    assert not any("Worlds left out" in sentence for sentence in kind.read(kind.tables(results, FEW)))


def test_the_end_is_that_of_each_length_of_game(two_lengths: dict[str, Results]) -> None:
    tables = magnitude.KIND.tables(two_lengths["magnitude"], FEW)
    turns = tables["end"].groupby("stratum")["turn"].agg(["min", "max"])
    assert sorted(turns.to_numpy().tolist()) == [[21, 21], [22, 22]]
    said = " ".join(magnitude.KIND.read(tables))
    assert "turn 21" in said
    assert "turn 22" in said


def test_the_arm_named_first_is_the_reference_and_numbers_ascend(
    two_lengths: dict[str, Results], doses: Results
) -> None:
    table = magnitude.KIND.tables(two_lengths["magnitude"], FEW)[""]
    assert set(table.loc[table["role"] == THINKING, "pair"]) == {"far against without"}
    assert set(table.loc[table["role"] == ITSELF, "pair"]) == {"without against without"}
    assert arms_in_order(two_lengths["magnitude"], "factor.mind") == ["without", "far"]
    backwards = replace(doses, runs=doses.runs.assign(point=-doses.runs["point"]))
    assert arms_in_order(backwards, "factor.horizon") == [0, 4, 10]


def test_an_arm_that_failed_in_all_worlds_is_not_passed_over(doses: Results) -> None:
    lost = failed(doses, doses.runs["factor.horizon"] == 0)
    with pytest.raises(ResultsError, match="0 worlds have every arm"):
        runs_by_arm(lost.runs, "factor.horizon")


def test_maps_that_end_before_the_game_are_read_at_their_last_turn(tmp_path: Path) -> None:
    results = played(tmp_path, NAMED, worlds=3, turns=12, more="maps = [4, 8]")
    tables = magnitude.KIND.tables(results, FEW)
    cells = tables["end"][tables["end"]["measure"] == "cells"]
    assert set(cells["turn"]) == {8}
    said = magnitude.KIND.read(tables)
    assert "turn 8" in said[0]
    assert all("turn 12" in sentence for sentence in said[1:])


def test_worlds_without_output_at_the_end_are_said_to_tell_nothing(doses: Results) -> None:
    tables = magnitude.KIND.tables(doses, FEW)
    end = tables["end"][~tables["end"]["measure"].str.contains("output")]
    excess = tables["excess"].iloc[:0]
    said = magnitude.KIND.read({**tables, "end": end, "excess": excess})
    assert "fewer than 2 worlds have output in both arms" in " ".join(said)
    assert "too few worlds have output in all arms" in " ".join(said)


def test_a_curve_that_cannot_be_had_is_told_as_its_own_fact(doses: Results, monkeypatch: pytest.MonkeyPatch) -> None:
    def none(*_: object, **__: object) -> pd.DataFrame:
        raise ResultsError("too few steps")

    whole = stylised.KIND.tables(doses, FEW)[""].set_index("fact")["problem"]
    monkeypatch.setattr(polities, "growth_by_size", none)
    tables = stylised.KIND.tables(doses, FEW)
    table = tables[""].set_index("fact")
    assert set(table.loc["growth_by_size", "problem"]) == {"too few steps"}
    assert (table["problem"].drop("growth_by_size") == whole.drop("growth_by_size")).all()
    assert (table["problem"]["tent"] == "").all()
    assert "growth" not in tables
    assert set(tables["persistence"]["size"]) == {"output", "cells"}
    assert "growth by size by output: too few steps." in " ".join(stylised.KIND.read(tables))
    drawn(stylised.KIND, tables)


def test_findings_of_curves_name_both_ends(doses: Results) -> None:
    tables = stylised.KIND.tables(doses, FEW)
    said = [sentence for sentence in stylised.KIND.read(tables) if "s.d. of log growth" in sentence]
    curve = tables["growth"][tables["growth"]["size"] == "output"]
    ends = [f"{curve['deviation'].iloc[index]:.3f} [" for index in (0, 3)]
    assert all(end in said[0] for end in ends)
