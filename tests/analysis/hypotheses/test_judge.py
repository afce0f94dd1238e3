"""From a study's tables to its verdicts, on planted results; and every study of the library can be judged."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray

from civsim.analysis.hypotheses.arms import arm_worlds
from civsim.analysis.hypotheses.dynamics import contest_strength
from civsim.analysis.hypotheses.judge import changed_since, judge_by_context, judge_study
from civsim.analysis.hypotheses.outcomes import outcome
from civsim.analysis.hypotheses.planning import plan_worlds
from civsim.analysis.hypotheses.registry import TESTS, read_test
from civsim.analysis.hypotheses.shapes import elo_gap
from civsim.analysis.recovery.planted import Levels, planted_results
from civsim.analysis.results import Resampling, Results
from civsim.base.errors import ResultsError, StudyError
from civsim.scenarios import list_studies, load_study, loads_study
from civsim.scenarios.games import METRICS
from civsim.scenarios.study import Study
from civsim.scenarios.tables import RIVAL_METRICS

F64 = NDArray[np.float64]
QUICK = Resampling(draws=60)
WITH_HYPOTHESES = [name for name in list_studies() if load_study(name).hypotheses]

STUDY = """
replicates = 40
[factors.context]
scenarios = ["baseline", "war"]
[factors.horizon]
path = "focal.levels.horizon"
levels = [0, 8, 16]
[hypotheses.pays]
claim = "It pays."
expected = "positive"
source = "planted"
test = "contrast"
params = { plus = [{ horizon = 16 }], minus = [{ horizon = 0 }] }
unit = "log points a turn"
smallest = 0.5
margin = 0.4
worlds = 40
[hypotheses.bends]
claim = "It bends."
expected = "negative"
source = "planted: it is straight"
test = "weighted"
params = { arms = [{ horizon = 0 }, { horizon = 8 }, { horizon = 16 }], weights = [1.0, -2.0, 1.0] }
unit = "log points a turn"
smallest = 0.5
margin = 0.4
worlds = 40
[hypotheses.large]
claim = "It asks for more worlds than there are."
expected = "positive"
source = "planted"
test = "slope"
params = { factor = "horizon" }
unit = "log points a turn and level"
smallest = 0.01
margin = 0.01
worlds = 4000
"""


def straight(levels: Levels, shared: F64, rng: np.random.Generator) -> dict[str, F64]:
    return {"welfare": shared + 10.0 * levels["horizon"] + 0.2 * rng.normal(size=len(shared))}


def everything(levels: Levels, shared: F64, rng: np.random.Generator) -> dict[str, F64]:
    names = [*METRICS, *(f"rival_{name}" for name in RIVAL_METRICS)]
    return {name: 5.0 + rng.random(len(shared)) for name in names}


def with_tables(results: Results) -> Results:
    """Add tables of civilizations and turns with something in them."""
    rng = np.random.default_rng(5)
    rows = results.runs[["run_id", "world_id", *(c for c in results.runs if c.startswith("factor."))]]
    civs = [rows.assign(seat=seat, level_horizon=1.0 + seat, output=1.0 + rng.random(len(rows))) for seat in range(4)]
    turns = [rows.assign(turn=turn, is_focal=True, output=turn + rng.random(len(rows))) for turn in (20, 80)]
    results.__dict__["civs"], results.__dict__["series"] = pd.concat(civs), pd.concat(turns)
    return results


def planted(study: Study) -> Results:
    return planted_results(study, straight, 1, common=4.0)


def test_verdicts_on_planted_effects() -> None:
    table = judge_study(planted(loads_study(STUDY)), QUICK).set_index("name")
    assert table["verdict"].to_dict() == {"pays": "supported", "bends": "refuted", "large": "underpowered"}
    assert table.loc["pays", "value"] == pytest.approx(160.0, abs=0.2)
    assert (table["p_adjusted"] >= table["p"]).all()
    assert (table["games"] == 6 * 40).all()


def test_each_scenario_is_shown_by_itself() -> None:
    parts = judge_by_context(planted(loads_study(STUDY)), QUICK)
    assert list(parts["scenario"]) == ["baseline", "war"] * 3


def test_a_study_without_hypotheses_has_no_verdicts() -> None:
    bare = loads_study(STUDY.partition("[hypotheses")[0])
    assert judge_study(planted(bare), QUICK).empty


def test_a_hypothesis_that_was_changed_shows() -> None:
    results = planted(loads_study(STUDY))
    now = loads_study(STUDY.replace("smallest = 0.5", "smallest = 0.1", 1))
    assert changed_since(results, {name: item.model_dump() for name, item in now.hypotheses.items()}) == ["pays"]


def test_power_asks_for_more_worlds_for_smaller_effects() -> None:
    one = plan_worlds(planted(loads_study(STUDY)), QUICK).set_index("name")
    half = plan_worlds(planted(loads_study(STUDY.replace("smallest = 0.5", "smallest = 0.05"))), QUICK).set_index(
        "name"
    )
    assert half.loc["bends", "worlds"] == pytest.approx(100 * one.loc["bends", "worlds"], rel=0.5)
    assert (half["upper"] >= half["worlds"]).all()


def test_a_world_that_failed_in_one_arm_is_left_out_of_all() -> None:
    results = planted(loads_study(STUDY))
    results.runs.loc[(results.runs["world_id"] == 3) & (results.runs["factor.horizon"] == 8), "status"] = "failed"
    found = arm_worlds(results, [{"horizon": 0}, {"horizon": 8}], "welfare")
    assert (len(found.values), found.dropped) == (39, 1)


@pytest.mark.parametrize("name", WITH_HYPOTHESES)
def test_every_study_of_the_library_can_be_judged(name: str) -> None:
    study = load_study(name).model_copy(update={"replicates": 6})
    results = with_tables(planted_results(study, everything, 2))
    table = judge_study(results, QUICK)
    assert list(table["name"]) == list(study.hypotheses)
    assert np.isfinite(table["value"]).all()
    # A study plays at least as many worlds as its hypotheses ask for.
    assert max(item.worlds for item in study.hypotheses.values()) <= load_study(name).replicates


@pytest.mark.parametrize("name", sorted(TESTS))
def test_every_test_is_used_by_a_study_and_says_what_it_is(name: str) -> None:
    used = {item.test for study in WITH_HYPOTHESES for item in load_study(study).hypotheses.values()}
    assert name in used
    assert TESTS[name].about


def test_elo_of_a_known_win_rate() -> None:
    assert elo_gap(np.array([0.5, 10 / 11, 1 / 11]), 1000) == pytest.approx([0.0, 400.0, -400.0])
    assert np.isfinite(elo_gap(np.array([0.0, 1.0]), 10)).all()


def test_contest_strength_of_a_known_win_rate() -> None:
    gaps = np.log(np.array([2.0, 4.0]))
    chance = 1.0 / (1.0 + np.exp(-1.7 * gaps))
    assert contest_strength(gaps, np.ones((1, 2)), chance[None]) == pytest.approx([1.7])


def test_outcomes_of_whole_worlds() -> None:
    results = with_tables(planted_results(loads_study(STUDY), everything, 4))
    sizes = results.civs.sort_values(["run_id", "seat"])["output"].to_numpy().reshape(-1, 4)
    order = results.runs.sort_values("run_id").index
    top = pd.Series(outcome(results, "world_top_share"))[order].to_numpy()
    assert top == pytest.approx(sizes.max(1) / sizes.sum(1))
    assert pd.Series(outcome(results, "world_output"))[order].to_numpy() == pytest.approx(np.log(sizes.sum(1)))


def test_a_best_dose_beyond_the_range_or_of_a_flat_curve_is_not_placed() -> None:
    study = loads_study(
        """
replicates = 60
[factors.place]
path = "thinking.noise"
levels = [0.0, 1.0]
[factors.dose]
path = "focal.policy.params.cognition"
levels = [0.0, 0.1, 0.2, 0.3, 0.4]
"""
    )
    params = {"dose": "dose", "moves": [{"place": 0.0}, {"place": 1.0}], "at": [0.0, 1.0]}
    found, read = read_test("x", {"test": "best-dose", "params": params})

    def note(slope: float, bend: float) -> str:
        def columns(levels: Levels, shared: F64, rng: np.random.Generator) -> dict[str, F64]:
            y = slope * levels["dose"] - bend * (levels["dose"] - 0.2) ** 2
            return {"welfare": shared + y + 0.3 * rng.normal(size=len(shared))}

        return found.run(planted_results(study, columns, 3), read, QUICK, None).note

    assert note(0.0, 60.0) == ""
    assert note(-20.0, 0.0) == ""  # none is best: a corner, and known
    assert note(20.0, 0.0).count("beyond the largest tried") == 2
    assert note(0.0, 0.0).count("flat") == 2


def test_a_hypothesis_without_its_arms_is_undecided_and_the_others_are_judged() -> None:
    results = planted(loads_study(STUDY))
    kept = Results(results.folder, results.manifest, results.runs[results.runs["factor.horizon"] != 8], results.facts)
    table = judge_study(kept, QUICK).set_index("name")
    assert table.loc["pays", "verdict"] == "supported"
    assert table.loc["bends", "verdict"] == "undecided"
    assert "has no runs" in table.loc["bends", "remark"]


def test_a_pilot_that_does_not_vary_plans_nothing() -> None:
    def exact(levels: Levels, shared: F64, _rng: np.random.Generator) -> dict[str, F64]:
        return {"welfare": shared + levels["horizon"]}

    table = plan_worlds(planted_results(loads_study(STUDY), exact, 1), QUICK)
    assert table["worlds"].isna().all()


def test_pass_through_leaves_out_whole_a_world_that_lost_a_game() -> None:
    results = with_tables(planted_results(loads_study(STUDY), everything, 4))
    lost = (results.runs["world_id"] == 7) & (results.runs["factor.horizon"] == 16)
    results.runs.loc[lost, "status"] = "failed"
    results.__dict__["civs"] = results.civs[~results.civs["run_id"].isin(results.runs.loc[lost, "run_id"])]
    test, params = read_test("x", {"test": "passthrough-agreement", "params": {}})
    found = test.run(results, params, QUICK, "baseline")
    assert (found.worlds, found.dropped) == (39, 1)


def test_bad_names_get_one_line() -> None:
    results = planted(loads_study(STUDY))
    with pytest.raises(ResultsError, match="outcome='wellfare' is not in the results; did you mean"):
        outcome(results, "wellfare")
    with pytest.raises(ResultsError, match="factor='horizons' is not in the study"):
        arm_worlds(results, [{"horizons": 1}], "welfare")
    with pytest.raises(ResultsError, match="has no runs"):
        arm_worlds(results, [{"horizon": 3}], "welfare")
    with pytest.raises(StudyError, match="is no test"):
        read_test("x", {"test": "contrasts", "params": {}})
    with pytest.raises(StudyError, match="plus"):
        read_test("x", {"test": "contrast", "params": {"minus": [{"horizon": 0}]}})


def test_a_contrast_needs_common_worlds() -> None:
    apart = planted(loads_study("paired = false\n" + STUDY))
    with pytest.raises(ResultsError, match="paired"):
        arm_worlds(apart, [{"horizon": 0}, {"horizon": 8}], "welfare")
    assert (judge_study(apart, QUICK)["remark"].str.contains("paired")).all()
