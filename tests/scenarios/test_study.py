"""Study files."""

from __future__ import annotations

import pytest

from civsim.base.errors import StudyError
from civsim.scenarios.study import list_studies, load_study, loads_study, study_from_plain

RANGE = "[factors.p]\npath = 'thinking.price.horizon'\nlow = 0.5\nhigh = 8.0\n"
LEVELS = "[factors.h]\npath = 'focal.levels.horizon'\nlevels = [0, 4]\n"
CONTEXTS = "[factors.c]\nscenarios = ['baseline', 'war']\n"


@pytest.mark.parametrize("name", list_studies())
def test_every_study_of_the_library_is_read_and_asks_something(name: str) -> None:
    study = load_study(name)
    assert study.name == name
    assert study.question
    assert study_from_plain(study.model_dump(mode="json", exclude_unset=True)) == study


def test_the_library_has_a_study_of_the_tradeoff_over_four_contexts_and_ten_thousand_games() -> None:
    from civsim.scenarios.design import design_points

    study = load_study("tradeoff")
    assert len(study.factors["context"].scenarios) >= 4
    shares = study.factors["cognition_share"].levels
    assert (min(shares), max(shares)) == (0.0, 0.4)
    assert len(design_points(study)) * study.replicates >= 10_000
    assert study.focal == "rotate"
    # One where the castle should pay, one where thought should, one with neither: curves that differ.
    assert {"siege", "gold-rush", "dear-thought"} <= set(study.factors["context"].scenarios)


def test_a_file_gives_its_stem_as_name_and_its_folder_to_scenarios(tmp_path) -> None:
    (tmp_path / "one.toml").write_text("[game]\nturns = 5\n")
    text = "[factors.c]\nscenarios = ['one.toml', 'baseline']\n[[points]]\nc = 'one.toml'\n"
    (tmp_path / "mine.toml").write_text(text)
    study = load_study(tmp_path / "mine.toml")
    assert study.name == "mine"
    assert study.factors["c"].scenarios == ("one.toml", "baseline")
    assert study.points == ({"c": "one.toml"},)
    assert [study.locate(name) for name in study.scenarios] == [tmp_path / "one.toml", "baseline"]


def test_factors_that_set_one_setting_may_stand_in_points_apart() -> None:
    text = f"{LEVELS}[factors.g]\npath = 'focal.levels'\nlevels = [{{horizon = 1}}]\n[[points]]\nh = 0\n"
    assert len(loads_study(text + "[[points]]\ng = {horizon = 1}\n").points) == 2
    with pytest.raises(StudyError, match="both set"):
        loads_study(text + "[[points]]\ng = {horizon = 1}\nh = 4\n")


def test_a_point_may_state_a_whole_level_as_a_real_one() -> None:
    assert loads_study(f"{LEVELS}[[points]]\nh = 4.0\n").points == ({"h": 4.0},)


REFUSED = {
    "replicates = 0": r"replicates=0 .* 1 to 1e\+06",
    "seed = -1": "seed=-1",
    "seed = 1.5": "not a whole number",
    "focal = 8": "focal=8 is no seat",
    "focal = 'first'": "focal",
    "maps = [0]": r"maps\.0=0",
    "maps = [5, 5]": "maps=.5, 5. do not ascend",
    "maps = [9, 5]": "do not ascend",
    "series = 'some'": "series='some' is not known",
    "desing = 'latin'": "did you mean 'design'",
    "design = 'grid'": "design='grid' is not known",
    "samples = 4": "no effect in a factorial",
    "design = 'latin'\nsamples = 4": "no factor with low and high",
    f"design = 'latin'\n{RANGE}": "samples is missing",
    RANGE: "is a range; give levels, or design",
    f"{RANGE}scale = 'ln'": "scale='ln'",
    "[factors.p]\npath = 'map.hazard'\nlow = 1": "needs both low and high",
    "[factors.p]\npath = 'map.hazard'\nlow = 1\nhigh = 1": "is not below high",
    "[factors.p]\npath = 'map.hazard'\nlow = 0\nhigh = 1\nscale = 'log'": "give a low above 0",
    "[factors.p]\npath = 'map.hazard'\nlow = 0.5\nhigh = 1\ninteger = true": "whole low and high",
    "[factors.p]\npath = 'map.hazard'\nlevels = [1, 1]": "names a level twice",
    "[factors.p]\npath = 'map.hazard'": "gives 0 kinds of level",
    "[factors.p]\nlevels = [1]": "path goes with levels",
    "[factors.p]\nscenarios = ['war']\nlevels = [1]\npath = 'x'": "gives 2 kinds of level",
    "[factors.p]\nscenarios = ['war']\nscale = 'log'": "no effect without low and high",
    "[factors.'a b']\nscenarios = ['war']": "a b",
    f"scenario = 'war'\n{CONTEXTS}": "scenario has no effect",
    f"{CONTEXTS}[factors.d]\nscenarios = ['war', 'peace']": "two factors have scenarios",
    f"{CONTEXTS}[[points]]\nd = 1": "names no c; add it",
    f"{LEVELS}[[points]]\nd = 1": "points.0.d is no factor",
    f"{CONTEXTS}[[points]]\nc = 'wra'": "did you mean 'war'",
    f"design = 'latin'\nsamples = 4\n{RANGE}[[points]]\np = 1": "points have no effect",
    f"{RANGE}[[points]]\np = 'x'": "is not a number",
    f"{RANGE}[[points]]\np = 9.0": "points.0.p=9.0 is not in the factor's range; give 0.5 to 8",
    f"{RANGE}[[points]]\np = [0.5, -inf]": "is not in the factor's range",
    "[factors.n]\npath = 'x'\nlow = 1\nhigh = 4\ninteger = true\n[[points]]\nn = 1.5": "is not a whole number",
    f"{LEVELS}[[points]]\nh = 64": "points.0.h=64 is not a level; add it",
    f"{LEVELS}[[points]]\nh = false": "points.0.h=false is not a level",
    f"{LEVELS}[[points]]\nh = []": "points.0.h is empty",
    f"points = []\n{LEVELS}": "points is empty",
    f"{LEVELS}[factors.g]\npath = 'focal.levels.horizon'\nlevels = [1]": "both set 'focal.levels.horizon'",
    f"{LEVELS}[factors.g]\npath = 'focal.levels'\nlevels = [{{}}]": "'focal.levels.horizon' and 'focal.levels'",
    f"{LEVELS}[factors.g.arms]\na = {{'focal.levels.horizon' = 1}}": "factors.h and factors.g both set",
    "points = 3": "points=3 is not an array",
    "factors = []": "factors",
    "question = 3": "question=3 is not a text",
    "x = 1979-05-27": "is a date",
    "x =": "not valid TOML",
}


@pytest.mark.parametrize("text", REFUSED, ids=range(len(REFUSED)))
def test_a_malformed_study_is_one_line(text: str) -> None:
    with pytest.raises(StudyError, match=REFUSED[text]) as caught:
        loads_study(text)
    assert len(str(caught.value).splitlines()) == 1


def test_an_unknown_study_suggests_a_known_one() -> None:
    with pytest.raises(StudyError, match="did you mean 'tradeoff'"):
        load_study("tradeof")
