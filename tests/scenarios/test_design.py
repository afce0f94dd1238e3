"""Designs: which points a study plays, and in which scenario."""

from __future__ import annotations

import sys

import numpy as np
import pytest

from civsim.base.errors import StudyError
from civsim.scenarios.design import Resolver, design_points, focal_seats, stretch, world_ids
from civsim.scenarios.study import Factor, loads_study

FACTORS = """
[factors.context]
scenarios = ["baseline", "crowded"]
[factors.horizon]
path = "focal.levels.horizon"
levels = [0, 4]
[factors.arm]
arms.thought = {}
arms.constant = { "focal.reach" = 4096, "focal.rollout" = 0 }
"""
SAMPLED = """
samples = {samples}
design = "{design}"
[factors.price]
path = "thinking.price.horizon"
low = 0.5
high = 8.0
scale = "log"
[factors.sight]
path = "focal.levels.sight"
low = 1
high = 4
integer = true
[factors.context]
scenarios = ["baseline", "war"]
"""


def _sampled(design: str, samples: int) -> str:
    return SAMPLED.format(design=design, samples=samples)


def test_a_factorial_is_every_combination_once_in_order() -> None:
    points = design_points(loads_study(FACTORS))
    assert [tuple(point.levels.values()) for point in points] == [
        (context, horizon, arm)
        for context in ("baseline", "crowded")
        for horizon in (0, 4)
        for arm in ("thought", "constant")
    ]
    assert [point.number for point in points] == list(range(8))
    assert points[1].settings == {"focal.levels.horizon": 0, "focal.reach": 4096, "focal.rollout": 0}


def test_no_factor_is_one_point() -> None:
    (point,) = design_points(loads_study("scenario = 'war'\n[set]\n'game.turns' = 5\n"))
    assert (point.scenario, dict(point.settings), dict(point.levels)) == ("war", {"game.turns": 5}, {})


def test_points_are_a_union_of_factorials_without_repeats() -> None:
    text = FACTORS.replace("[0, 4]", "[0, 4, 64]") + (
        "[[points]]\ncontext = ['baseline', 'crowded']\nhorizon = [0, 64]\n"
        "[[points]]\ncontext = 'baseline'\nhorizon = 64\n"
        "[[points]]\ncontext = 'baseline'\narm = ['constant']\n"
    )
    assert [tuple(point.levels.values()) for point in design_points(loads_study(text))] == [
        ("baseline", 0, None),
        ("baseline", 64, None),
        ("crowded", 0, None),
        ("crowded", 64, None),
        ("baseline", None, "constant"),
    ]


def test_a_latin_hypercube_has_one_point_in_every_stratum_and_meets_the_same_points_in_every_context() -> None:
    points = design_points(loads_study(_sampled("latin", 16)))
    assert len(points) == 32
    for context in ("baseline", "war"):
        prices = np.array([point.levels["price"] for point in points if point.levels["context"] == context])
        strata = np.floor(16 * np.log(prices / 0.5) / np.log(16)).astype(int)
        assert sorted(strata) == list(range(16))
    prices = [point.levels["price"] for point in points]
    assert prices[:16] == prices[16:]


def test_a_sobol_sequence_is_balanced_and_a_function_of_the_seed() -> None:
    text = _sampled("sobol", 32)
    sights = [point.levels["sight"] for point in design_points(loads_study(text))][:32]
    assert [sights.count(level) for level in (1, 2, 3, 4)] == [8, 8, 8, 8]
    assert design_points(loads_study(text)) == design_points(loads_study(text))
    assert design_points(loads_study(text)) != design_points(loads_study("seed = 1\n" + text))


def test_a_sobol_design_wants_a_power_of_two() -> None:
    with pytest.raises(StudyError, match="samples=33 is no power of two.*give 32"):
        design_points(loads_study(_sampled("sobol", 33)))


def test_a_morris_design_moves_one_factor_at_a_time_across_two_thirds_of_its_range() -> None:
    text = _sampled("morris", 5)
    points = design_points(loads_study(text))
    assert len(points) == 2 * 5 * 3
    for context in ("baseline", "war"):
        rows = [point.levels for point in points if point.levels["context"] == context]
        steps = np.log([row["price"] for row in rows]) / np.log(16)
        steps = steps.reshape(5, 3)
        sights = np.array([row["sight"] for row in rows]).reshape(5, 3)
        moved = np.stack([np.abs(np.diff(steps)) > 1e-9, np.diff(sights) != 0])
        assert (moved.sum(0) == 1).all()
        assert (moved.sum(2) == 1).all()
        assert np.abs(np.diff(steps))[moved[0]] == pytest.approx(2 / 3)
        assert set(np.abs(np.diff(sights))[moved[1]]) == {2}
    assert design_points(loads_study(text)) == points
    assert design_points(loads_study("seed = 1\n" + text)) != points


def test_a_saltelli_design_exchanges_one_column_at_a_time() -> None:
    text = _sampled("saltelli", 8)
    points = design_points(loads_study(text))
    assert len(points) == 2 * 8 * 4
    rows = [(point.levels["price"], point.levels["sight"]) for point in points[:32]]
    for first, price, sight, second in zip(*(rows[start::4] for start in range(4)), strict=True):
        assert price == (second[0], first[1])
        assert sight == (first[0], second[1])
    assert design_points(loads_study(text)) == points
    with pytest.raises(StudyError, match="samples=9 is no power of two.*Saltelli.*give 8"):
        design_points(loads_study(_sampled("saltelli", 9)))


@pytest.mark.parametrize("design", ["morris", "saltelli"])
def test_sensitivity_designs_say_what_they_lack(design: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(StudyError, match="samples=1 .*give at least 2"):
        loads_study(_sampled(design, 1))
    monkeypatch.setitem(sys.modules, "SALib.sample", None)
    with pytest.raises(StudyError, match=r"needs SALib; install it: pip install 'civsim\[sensitivity\]'"):
        design_points(loads_study(_sampled(design, 4)))


def test_the_points_of_a_sensitivity_design_count_against_the_limit() -> None:
    with pytest.raises(StudyError, match="has 1600000 points"):
        design_points(loads_study(_sampled("saltelli", 200_000)))


def test_ranges_are_stretched_on_their_scale() -> None:
    unit = np.array([0.0, 0.5, 0.999999])
    linear = stretch(Factor(path="x", low=1.0, high=3.0), unit)
    assert np.allclose(linear, [1, 2, 3], atol=1e-4)
    assert np.allclose(stretch(Factor(path="x", low=1.0, high=9.0, scale="log"), unit), [1, 3, 9], atol=1e-3)
    assert stretch(Factor(path="x", low=2, high=6, integer=True), unit) == [2, 4, 6]
    spread = stretch(Factor(path="x", low=0, high=3, integer=True), np.linspace(0, 1, 4000, endpoint=False))
    assert np.bincount(spread).tolist() == [1000] * 4


def test_paired_points_play_the_same_worlds_and_independent_ones_each_their_own() -> None:
    paired = loads_study("replicates = 3\nfirst_world = 5\n" + FACTORS)
    apart = loads_study("replicates = 3\nfirst_world = 5\npaired = false\n" + FACTORS)
    points = design_points(paired)
    assert [list(world_ids(paired, point)) for point in points[:2]] == [[5, 6, 7], [5, 6, 7]]
    assert [list(world_ids(apart, point)) for point in points[:2]] == [[5, 6, 7], [8, 9, 10]]
    assert len({world for point in points for world in world_ids(apart, point)}) == 24


def test_rotated_seats_are_world_id_modulo_seats_and_fixed_ones_are_fixed() -> None:
    ids = np.arange(6)
    assert focal_seats(loads_study(""), ids, 4).tolist() == [0, 1, 2, 3, 0, 1]
    assert focal_seats(loads_study("focal = 2"), ids, 4).tolist() == [2] * 6
    with pytest.raises(StudyError, match="focal=5 with 4 civilizations"):
        focal_seats(loads_study("focal = 5"), ids, 4)


def test_focal_settings_go_to_the_focal_seat_and_the_rest_play_the_default() -> None:
    study = loads_study(FACTORS + "[set]\n'seat_default.sham' = 'inert'\n'focal.policy.name' = 'random'\n")
    points, resolver = design_points(study), Resolver(study)
    scenario = resolver.scenario(points[-1], 6)
    assert resolver.civilizations(points[-1]) == 8
    focal = scenario.seat(6)
    assert (focal.levels.horizon, focal.reach, focal.rollout, focal.policy.name) == (4, 4096, 0, "random")
    for seat in (0, 5, 7):
        assert scenario.seat(seat) == scenario.seat_default
    assert focal.sham == "inert"


def test_a_bad_setting_names_the_study_and_the_point() -> None:
    study = loads_study("name = 'mine'\n[factors.h]\npath = 'focal.levels.horizn'\nlevels = [1]\n")
    with pytest.raises(StudyError, match=r"study 'mine', point 0: .*did you mean 'seats.0.levels.horizon'"):
        Resolver(study).scenario(design_points(study)[0], 0)
    with pytest.raises(StudyError, match="no scenario is called 'wa'"):
        Resolver(loads_study("scenario = 'wa'"))


def test_designs_that_run_past_their_limits_are_refused() -> None:
    with pytest.raises(StudyError, match="world ids"):
        design_points(loads_study("first_world = 4294967295\nreplicates = 2"))
    many = "\n".join(f"[factors.f{i}]\npath = 'map.hazard{i}'\nlevels = {list(range(100))}" for i in range(4))
    with pytest.raises(StudyError, match="has 100000000 points"):
        design_points(loads_study(many))
