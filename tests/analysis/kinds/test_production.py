"""The production kind recovers planted elasticities, draws its tables, and says no more than its intervals."""

from __future__ import annotations

import numpy as np
import pytest
from planted_duels import ELASTICITY, duel_results

from civsim.analysis.kinds import strength
from civsim.analysis.kinds.production import KIND, LEVELS, NONE_HELD
from civsim.analysis.results import Resampling, Results
from civsim.analysis.style import figure_images
from civsim.base.errors import ResultsError


def of(results: Results) -> dict:
    assert KIND.refuses(results) is None
    return KIND.tables(results, Resampling())


def test_planted_elasticities_and_the_cheapest_mix_are_found() -> None:
    tables = of(duel_results())
    table = tables[""].set_index("function")
    assert list(table.index) == ["Cobb–Douglas", "translog", "CES"]
    for name, planted in ELASTICITY.items():
        for function in table.index:
            assert (
                table.loc[function, f"elasticity_{name}_low"] < planted < table.loc[function, f"elasticity_{name}_high"]
            )
    plain = table.loc["Cobb–Douglas"]
    assert plain["scale_low"] < 0.8 < plain["scale_high"] < 1.0
    assert plain["cognition_share_low"] < 0.25 < plain["cognition_share_high"]
    assert table.loc["CES", "sigma_low"] < 1.0 < table.loc["CES", "sigma_high"]
    assert table.loc["translog", "form_p"] > 0.01
    assert (plain["games"], plain["worlds"], plain["dropped"]) == (1200, 30, 0)


def test_isoquants_cross_the_games_and_the_path_crosses_them() -> None:
    tables = of(duel_results(scenarios=("baseline", "war")))
    for stratum, lines in tables["isoquants"].groupby("stratum"):
        assert lines["output_ratio"].nunique() == len(LEVELS)
        points = tables["points"][tables["points"]["stratum"] == stratum]
        assert len(points) == 40
        assert lines["muscle"].max() <= 1.16 * points["muscle"].max()
        path = tables["path"][tables["path"]["stratum"] == stratum]
        proportion = path["cognition"] / path["muscle"]
        assert np.ptp(proportion) < 1e-6
        for _, line in lines.groupby("output_ratio"):
            assert (np.diff(line["muscle"]) < 0.0).all()


def test_the_findings_follow_the_intervals() -> None:
    tables = of(duel_results())
    said = " ".join(KIND.read(tables))
    plain = tables[""].set_index("function").loc["Cobb–Douglas"]
    assert f"1 % more cognition raises output by {plain['elasticity_cognition']:.2f} [" in said
    assert "returns to scale are decreasing" in said
    assert "is not rejected against the translog" in said
    assert "cannot be told from Cobb–Douglas's" in said
    other = tables[""].copy()
    for name, values in (
        ("elasticity_cognition", (-0.2, -0.3, -0.1)),
        ("scale", (1.5, 1.2, 1.8)),
        ("sigma", (0.4, 0.2, 0.6)),
    ):
        for end, value in zip(("", "_low", "_high"), values, strict=True):
            other[f"{name}{end}"] = value
    other["form_p"] = 0.001
    said = " ".join(KIND.read({**tables, "": other}))
    assert "changes output by -0.20 [-0.30, -0.10] %: it lowers it" in said
    for words in (
        "returns to scale are increasing",
        "is rejected",
        "need each other",
        "cognition does not raise output, so",
    ):
        assert words in said
    other[["sigma", "sigma_low", "sigma_high"]] = (np.inf, 1.5, np.inf)
    assert "stand in for each other (elasticity of substitution ∞ [1.50, ∞])" in " ".join(
        KIND.read({**tables, "": other})
    )


def test_games_without_an_input_are_left_out_and_counted() -> None:
    results = duel_results(points=20, worlds=10)
    results.civs.loc[results.civs["point"] == 2, ["spent_strategists", "spent_scouts", "spent_analysts"]] = 0.0
    tables = of(results)
    assert set(tables[""]["dropped"]) == {10}
    assert "10 games" in " ".join(KIND.read(tables))


def test_worlds_that_differ_between_points_are_pooled() -> None:
    results = duel_results(points=40, worlds=10)
    results.manifest["study"]["paired"] = False
    for table in (results.runs, results.civs):
        table["world_id"] = table["world_id"] + 10 * table["point"]
    table = of(results)[""]
    assert not table["within_worlds"].any()
    assert set(table["worlds"]) == {400}


def test_the_figure_is_drawn_in_both_themes_whatever_the_number_of_panels() -> None:
    for scenarios in (("baseline",), ("a", "b", "c", "d")):
        tables = of(duel_results(points=12, worlds=5, scenarios=scenarios))
        for theme in ("light", "dark"):
            assert figure_images(lambda tables=tables: KIND.draw(tables, ["Small print."]), theme, ["svg"])["svg"]


def test_designs_whose_shares_do_not_vary_apart_are_refused() -> None:
    assert "fewer than 10" in str(KIND.refuses(duel_results(points=5, worlds=3)))
    fixed = duel_results(points=12, worlds=3)
    rest = fixed.civs.filter(like="spent_").drop(columns="spent_consumption").sum(axis=1)
    fixed.civs["spent_consumption"] = 0.4 / 0.6 * rest
    assert "vary its consumption too" in str(KIND.refuses(fixed))
    results = duel_results(points=12, worlds=3)
    spent = [name for name in results.civs if name.startswith("spent_")]
    thought = results.civs["spent_strategists"].to_numpy()
    for name in spent:
        results.civs[name] = thought
    results.civs["spent_consumption"] = np.linspace(1.0, 9.0, len(thought)) * thought
    assert "do not vary apart" in str(KIND.refuses(results))
    with pytest.raises(ResultsError, match="no production function can be estimated"):
        KIND.tables(results, Resampling())


SPENT_ON_THOUGHT = ["spent_strategists", "spent_scouts", "spent_analysts"]


def test_a_rival_without_cognition_costs_its_own_games_alone() -> None:
    results = duel_results(points=30, worlds=10)
    full = of(results)[""].set_index("function").loc["Cobb–Douglas"]
    assert (full["controls"], full["rival_dropped"]) == ("rival_cognition, rival_muscle", 0)
    civs = results.civs
    civs.loc[(civs["point"] == 2) & (civs["world_id"] < 3) & ~civs["is_focal"], SPENT_ON_THOUGHT] = 0.0
    tables = of(results)
    row = tables[""].set_index("function").loc["Cobb–Douglas"]
    assert (row["controls"], row["rival_dropped"], row["dropped"]) == ("rival_cognition, rival_muscle", 3, 0)
    assert row["games"] == full["games"] - 3
    assert row["elasticity_cognition"] == pytest.approx(full["elasticity_cognition"], abs=0.02)
    said = " ".join(KIND.read(tables))
    assert "Games left out because a share of the rivals is 0 or unknown, which has no log: baseline: 3." in said
    assert "No share of the rivals" not in said


def test_rivals_that_never_think_are_constant_and_cost_no_game() -> None:
    results = duel_results(points=30, worlds=10)
    results.civs.loc[~results.civs["is_focal"], SPENT_ON_THOUGHT] = 0.0
    row = of(results)[""].iloc[0]
    assert (row["controls"], row["rival_dropped"], row["games"]) == ("rival_muscle", 0, 300)
    alone = duel_results(points=30, worlds=10, rivals=0)
    tables = of(alone)
    assert (tables[""]["controls"] == NONE_HELD).all()
    assert "No share of the rivals is held constant, as none varies above 0: baseline." in KIND.read(tables)


def test_the_cheapest_mix_has_none_of_an_input_only_where_the_interval_says_so() -> None:
    tables = of(duel_results(points=20, worlds=8))

    def said(value: float, low: float, high: float) -> str:
        names = ["elasticity_cognition", "elasticity_cognition_low", "elasticity_cognition_high"]
        return " ".join(
            KIND.read({**tables, "": tables[""].assign(**dict(zip(names, (value, low, high), strict=True)))})
        )

    assert "cheapest mix gives cognition" in said(0.2, 0.1, 0.3)
    unsure = said(-0.01, -0.2, 0.18)
    assert "the cheapest mix is not told, since cognition cannot be told to raise output" in unsure
    assert "none of it" not in unsure
    assert "cognition does not raise output, so the cheapest mix has none of it" in said(-0.2, -0.3, -0.1)


def test_shares_of_the_cheapest_mix_stay_within_0_and_1() -> None:
    results = duel_results(points=20, worlds=10, seed=2)
    civs = results.civs
    civs["output"] = civs["output"] * civs["spent_strategists"].div(civs["output"]) ** -0.2  # takes cognition's part
    table = of(results)[""]
    shares = table[["cognition_share", "cognition_share_low", "cognition_share_high"]].stack().dropna()
    assert shares.between(0.0, 1.0).all()


def test_a_scenario_whose_games_all_failed_harms_no_other_and_all_failed_are_an_error() -> None:
    results = duel_results(points=20, worlds=6, scenarios=("baseline", "war"))
    runs = results.runs
    runs.loc[runs["scenario"] == "war", "status"] = "failed"
    lost = set(runs.loc[runs["scenario"] == "war", "run_id"])
    civs = results.civs
    results.__dict__["civs"] = civs[~civs["run_id"].isin(lost)]
    for kind in (KIND, strength.KIND):
        assert kind.refuses(results) is None
        table = kind.tables(results, Resampling())[""]
        assert (table.loc[table["stratum"] == "war", "problem"] != "").all()
        assert (table.loc[table["stratum"] == "baseline", "problem"] == "").all()
        assert kind.read({**kind.tables(results, Resampling())})
    runs["status"] = "failed"
    results.__dict__["civs"] = civs.iloc[:0]
    for kind in (KIND, strength.KIND):
        with pytest.raises(ResultsError, match="0 games ended well"):
            kind.refuses(results)
        with pytest.raises(ResultsError, match="can be estimated"):
            kind.tables(results, Resampling())
