"""Morris and Sobol: closed forms, SALib's own numbers, chance taken out, planted values covered."""

from __future__ import annotations

import numpy as np
import pytest

from civsim.analysis.recovery.case import SUITE_BOUNDS, Case, coverage
from civsim.analysis.recovery.sensitivity import (
    CASES,
    NAMES,
    SLOPES,
    draw_morris,
    draw_sobol,
    ishigami,
    ishigami_indices,
    noisy,
    recover_morris_mu,
    trajectories,
)
from civsim.analysis.statistics.sensitivity import morris_indices, sobol_indices
from civsim.base.errors import ResultsError

FACTORS = ["x1", "x2", "x3", "x4"]


def test_a_linear_response_has_its_slopes_as_effects_and_no_spread() -> None:
    unit = trajectories(np.random.default_rng(0), 8, 4)
    response = np.repeat((unit @ np.array(SLOPES))[..., None], 3, axis=2)
    found = morris_indices(unit, response, FACTORS)
    assert found.table["mu"].to_numpy() == pytest.approx(SLOPES)
    assert found.table["mu_star"].to_numpy() == pytest.approx(np.abs(SLOPES))
    assert found.table[["sigma", "floor", "noise_share"]].to_numpy() == pytest.approx(0.0, abs=1e-7)
    assert (found.noise_share, found.rows, found.worlds) == (pytest.approx(0.0, abs=1e-12), 8, 3)


def test_morris_agrees_with_salib_on_means_over_worlds() -> None:
    from SALib.analyze import morris
    from SALib.sample import morris as sampler

    problem = {"num_vars": 3, "names": NAMES, "bounds": [[0.0, 1.0]] * 3}
    flat = sampler.sample(problem, 10, num_levels=4, seed=1)
    mean = ishigami(2.0 * np.pi * flat - np.pi)
    response = noisy(mean, np.random.default_rng(2), 5, 1.0).reshape(10, 4, 5)
    theirs = morris.analyze(problem, flat, response.mean(2).ravel(), num_levels=4, num_resamples=2, seed=3)
    ours = morris_indices(flat.reshape(10, 4, 3), response, NAMES).table
    assert ours["mu_star"].to_numpy() == pytest.approx(np.asarray(theirs["mu_star"]))
    assert ours["mu"].to_numpy() == pytest.approx(np.asarray(theirs["mu"]))
    assert ours["sigma_plain"].to_numpy() == pytest.approx(np.asarray(theirs["sigma"]))


def test_sobol_agrees_with_salib_and_with_the_closed_form_without_noise() -> None:
    from SALib.sample import sobol

    problem = {"num_vars": 3, "names": NAMES, "bounds": [[-np.pi, np.pi]] * 3}
    rows = sobol.sample(problem, 2048, calc_second_order=False, seed=1).reshape(2048, 5, 3)
    found = sobol_indices(np.repeat(ishigami(rows)[..., None], 3, axis=2), NAMES)
    first, total = ishigami_indices()
    assert found.table["s1"].to_numpy() == pytest.approx(first, abs=0.02)
    assert found.table["st"].to_numpy() == pytest.approx(total, abs=0.02)
    assert found.table["s1"].to_numpy() == pytest.approx(found.table["s1_plain"].to_numpy(), abs=1e-9)
    assert found.table["st"].to_numpy() == pytest.approx(found.table["st_plain"].to_numpy(), abs=1e-9)
    assert found.noise_share == pytest.approx(0.0, abs=1e-9)


def test_chance_is_taken_out_of_the_indices_and_told() -> None:
    found = [draw_sobol(seed) for seed in range(40)]
    mean = sum(one.table[["st", "st_plain"]].to_numpy() for one in found) / len(found)
    total = ishigami_indices()[1]
    assert mean[:, 0] == pytest.approx(total, abs=0.02)
    assert mean[2, 1] > total[2] + 0.01
    assert 0.005 < np.mean([one.noise_share for one in found]) < 0.2
    dead = [draw_morris(seed).table.iloc[3] for seed in range(40)]
    assert np.mean([row["mu_star"] for row in dead]) == pytest.approx(np.mean([row["floor"] for row in dead]), rel=0.15)


def test_units_and_the_order_of_worlds_do_not_matter() -> None:
    rng = np.random.default_rng(4)
    unit = trajectories(rng, 6, 4)
    response = noisy(unit @ np.array(SLOPES), rng, 5, 0.5)
    one = morris_indices(unit, response, FACTORS).table.set_index("factor")
    two = morris_indices(unit, 10.0 * response[..., ::-1] + 3.0, FACTORS).table.set_index("factor")
    scaled = ["mu_star", "low", "high", "mu", "sigma", "floor"]
    assert two[scaled].to_numpy() == pytest.approx(10.0 * one[scaled].to_numpy())
    assert two["noise_share"].to_numpy() == pytest.approx(one["noise_share"].to_numpy())


def test_a_response_that_does_not_vary_has_no_indices() -> None:
    found = sobol_indices(np.ones((8, 5, 3)), NAMES)
    assert found.table.drop(columns="factor").isna().all().all()
    assert found.noise_share == 0.0


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_planted_values_are_covered_at_the_nominal_rate(case) -> None:  # type: ignore[no-untyped-def]
    found = coverage(case)
    assert SUITE_BOUNDS[0] <= found.share <= SUITE_BOUNDS[1]


def test_bad_input_is_refused_in_one_line() -> None:
    unit = trajectories(np.random.default_rng(0), 8, 4)
    with pytest.raises(ResultsError, match="at least 4"):
        morris_indices(unit[:2], np.zeros((2, 5, 3)), FACTORS)
    with pytest.raises(ResultsError, match="two worlds"):
        morris_indices(unit, np.zeros((8, 5, 1)), FACTORS)
    with pytest.raises(ResultsError, match="NaN"):
        sobol_indices(np.full((8, 5, 3), np.nan), NAMES)
    with pytest.raises(ResultsError, match="at least 3 worlds"):
        sobol_indices(np.zeros((8, 5, 2)), NAMES)
    with pytest.raises(ResultsError, match="does not move each factor once"):
        morris_indices(unit[:, ::2].repeat(2, axis=1)[:, :5], np.zeros((8, 5, 3)), FACTORS)


def test_a_factor_without_effect_is_found_to_have_one_no_more_often_than_promised() -> None:
    """There the variance lies on its boundary and the interval is wider than it must be: one side is asserted."""
    dead = Case("μ of a factor without effect", lambda seed: recover_morris_mu(seed, -1), "linear response")
    assert coverage(dead).share >= SUITE_BOUNDS[0]
