"""The strength kind recovers planted exponents, draws its table, and says no more than its intervals."""

from __future__ import annotations

import numpy as np
import pytest
from planted_duels import EXPONENT, duel_results

from civsim.analysis.kinds.strength import DEFINITIONS, FEW_WORLDS, KIND, OUTCOMES
from civsim.analysis.results import Resampling, Results
from civsim.analysis.style import figure_images
from civsim.base.constants import FUNDS
from civsim.base.errors import ResultsError


def of(results: Results) -> dict:
    assert KIND.refuses(results) is None
    return KIND.tables(results, Resampling())


def test_planted_exponents_are_found_by_output_with_muscle() -> None:
    table = of(duel_results())[""].set_index(["outcome", "definition"])
    assert sorted(table.index) == sorted((outcome, definition) for outcome in OUTCOMES for definition in DEFINITIONS)
    row = table.loc[("output", "muscle")]
    for name, planted in (("cognition", EXPONENT["cognition"]), ("physical", EXPONENT["muscle"])):
        assert row[f"{name}_low"] < planted < row[f"{name}_high"]
    place = row["physical_share"] / row["cognition_share"]
    assert row["exchange_low"] < EXPONENT["cognition"] / EXPONENT["muscle"] * place < row["exchange_high"]
    assert (row["contests"], row["worlds"], row["dropped"]) == (1200, 30, 0)
    assert table["assigned"].all()
    assert table["apart"].all()


def test_each_scenario_is_a_stratum_and_each_rival_a_contest() -> None:
    table = of(duel_results(points=15, worlds=8, rivals=2, scenarios=("baseline", "war")))[""]
    assert list(dict.fromkeys(table["stratum"])) == ["baseline", "war"]
    assert set(table["contests"]) == {15 * 8 * 2}


def test_the_findings_follow_the_signs_and_say_what_is_not_known() -> None:
    tables = of(duel_results())
    said = " ".join(KIND.read(tables))
    row = tables[""].set_index(["outcome", "definition"]).loc[("output", "muscle")]
    assert f"rise with relative cognition, to the power {row['cognition']:.2f}" in said
    assert f"{row['exchange']:.2f} [{row['exchange_low']:.2f}, {row['exchange_high']:.2f}] units of muscle" in said
    assert "rough" not in said
    worse = tables[""].copy()
    for end in ("", "_low", "_high"):
        worse[f"physical{end}"] = [-1.0, -2.0, -0.5][("", "_low", "_high").index(end)]
    said = " ".join(KIND.read({"": worse}))
    assert "fall with relative muscle, to the power -1.00 [-2.00, -0.50]" in said
    assert "no rate of exchange" in said
    worse["physical_high"], worse["cognition_low"] = 0.5, -0.1
    said = " ".join(KIND.read({"": worse}))
    assert "cannot be told to depend on relative muscle" in said
    assert "cannot be told to depend on relative cognition" in said
    assert "r_c" not in said
    assert f"play {FEW_WORLDS} or more" in " ".join(KIND.read(of(duel_results(worlds=6))))


def test_what_lies_idle_in_funds_stands_beside_the_rate_of_exchange() -> None:
    results = duel_results(points=20, worlds=10)
    assert of(results)[""]["idle"].isna().all()
    assert "lies idle" not in " ".join(KIND.read(of(results)))
    for fund in FUNDS:
        name = fund.name.lower()
        results.civs[f"fund_{name}"] = 0.25 * results.civs[f"spent_{name}"]
    tables = of(results)
    assert np.allclose(tables[""]["idle"], 0.25)
    assert "units of muscle (25 % of what muscle's funds were paid lies idle)" in " ".join(KIND.read(tables))


def test_an_army_that_is_a_fixed_part_of_muscle_has_no_exponent_of_its_own() -> None:
    tables = of(duel_results(points=20, worlds=10, fixed_army=True))
    army = tables[""][tables[""]["definition"] == "army"]
    assert not army["apart"].any()
    assert army["exchange"].isna().all()
    assert "no exponent of its own" in " ".join(KIND.read(tables))


def test_muscle_that_is_what_cognition_leaves_is_not_estimated() -> None:
    results = duel_results(points=20, worlds=10)
    rest = results.civs.filter(like="spent_").drop(columns="spent_consumption").sum(axis=1)
    results.civs["spent_consumption"] = 0.4 / 0.6 * rest
    table = of(results)[""].set_index("definition")
    assert (table.loc["muscle", "problem"].str.contains("vary consumption too")).all()
    assert table.loc["muscle", ["cognition", "physical", "exchange"]].isna().all(axis=None)
    assert (table.loc["army", "problem"] == "").all()


def test_shares_that_were_not_assigned_are_said_to_be_descriptions() -> None:
    tables = of(duel_results(points=20, worlds=10, wobble=0.05))
    assert not tables[""]["assigned"].any()
    assert "descriptions, not effects" in " ".join(KIND.read(tables))


def test_contests_without_an_input_are_left_out_and_counted() -> None:
    results = duel_results(points=20, worlds=10)
    civs = results.civs
    civs.loc[civs["point"] == 3, "spent_army"] = 0.0
    table = of(results)[""]
    assert set(table.loc[table["definition"] == "army", "dropped"]) == {10}
    assert set(table.loc[table["definition"] == "muscle", "dropped"]) == {0}
    civs["spent_army"] = 0.0
    tables = of(results)
    assert (tables[""].loc[tables[""]["definition"] == "army", "problem"] != "").all()
    assert "not estimated (no contest in which both sides spent on cognition and on army)" in " ".join(
        KIND.read(tables)
    )
    assert figure_images(lambda: KIND.draw(tables, []), "light", ["png"])


def test_the_figure_is_drawn_in_both_themes() -> None:
    tables = of(duel_results(points=12, worlds=5, scenarios=("baseline", "war")))
    for theme in ("light", "dark"):
        assert figure_images(lambda: KIND.draw(tables, ["Small print."]), theme, ["svg"])["svg"]


def test_designs_without_rivals_or_without_variation_are_refused() -> None:
    assert "2 or more civilizations" in str(KIND.refuses(duel_results(points=12, worlds=2, rivals=0)))
    assert "fewer than 10" in str(KIND.refuses(duel_results(points=5, worlds=3)))
    results = duel_results(points=12, worlds=3)
    results.civs["output"] = np.where(results.civs["is_focal"], 2.0, 1.0)
    results.civs["welfare"] = results.civs["output"]
    with pytest.raises(ResultsError, match="no exponent can be estimated: every one of 36"):
        KIND.tables(results, Resampling())
