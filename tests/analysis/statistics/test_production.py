"""Production functions: exact recovery without noise, planted realms, units, isoquants and the cheapest mix."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from civsim.analysis.recovery.case import SUITE_BOUNDS, Case, coverage
from civsim.analysis.recovery.production import (
    CASES,
    ELASTICITIES,
    SCALE,
    SECOND,
    SHARE,
    planted_ces,
    planted_cobb_douglas,
    planted_translog,
)
from civsim.analysis.statistics.production import (
    cobb_douglas_isoquants,
    cobb_douglas_path,
    cobb_douglas_ratio,
    fit_cobb_douglas,
    fit_translog,
    spending_shares,
)
from civsim.analysis.statistics.production_ces import (
    Ces,
    ces_isoquants,
    ces_path,
    ces_ratio,
    fit_ces,
    log_ces,
    substitution,
)
from civsim.base.errors import ResultsError

RATIOS = (0.5, 1.0, 1.7)


def exact(sigma: float, games: int = 120) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Output of a CES function without noise, with inputs whose geometric means are 0.1 and 0.5."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(games, 2))
    x -= x.mean(0)
    made = SCALE * log_ces(x[:, 0], x[:, 1], (sigma - 1.0) / sigma, SHARE)
    return np.exp(2.0 + made), np.exp(x) * [0.1, 0.5], np.arange(games) // 6


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_planted_values_are_covered_at_the_nominal_rate(case: Case) -> None:
    low, high = SUITE_BOUNDS
    assert low <= coverage(case).share <= high


def test_cobb_douglas_is_least_squares_with_a_level_for_each_world() -> None:
    import statsmodels.api as sm

    output, inputs, world = planted_cobb_douglas(0)
    control = np.random.default_rng(1).normal(size=(len(output), 1))
    dummies = pd.get_dummies(world).to_numpy(np.float64)
    x = np.column_stack([np.log(inputs), control, dummies])
    full = sm.OLS(np.log(output), x).fit()
    found = fit_cobb_douglas(output, inputs, world, controls=control, within=True)
    assert found.elasticities.value == pytest.approx(full.params[:2])
    pooled = sm.OLS(np.log(output), sm.add_constant(np.log(inputs))).fit(
        cov_type="cluster", cov_kwds={"groups": world.astype(int)}
    )
    own = fit_cobb_douglas(output, inputs, world)
    assert own.elasticities.value == pytest.approx(pooled.params[1:])
    reach = pooled.bse[1:] / (own.elasticities.high - own.elasticities.value)
    assert reach[0] == pytest.approx(reach[1])
    assert own.fit == pytest.approx(pooled.rsquared)


def test_one_input_and_three() -> None:
    rng = np.random.default_rng(2)
    inputs = rng.lognormal(size=(300, 3))
    output = np.prod(inputs ** [0.2, 0.3, 0.5], axis=1) * rng.lognormal(sigma=0.1, size=300)
    found = fit_cobb_douglas(output, inputs, np.arange(300) // 6)
    assert found.elasticities.value == pytest.approx([0.2, 0.3, 0.5], abs=0.03)
    assert found.scale_p > 0.01
    assert float(found.share.value) == pytest.approx(0.2, abs=0.02)
    alone = fit_cobb_douglas(output, inputs[:, :1], np.arange(300) // 6)
    assert float(alone.share.value) == pytest.approx(1.0)
    assert fit_translog(output, inputs, np.arange(300) // 6).second.value.shape == (3, 3)


def test_the_translog_finds_its_second_order_terms_and_rejects_cobb_douglas() -> None:
    found = fit_translog(*planted_translog(0), within=True)
    assert np.all((found.second.low < SECOND) & (found.second.high > SECOND))
    assert found.second.value == pytest.approx(found.second.value.T)
    assert found.cobb_douglas_p < 1e-3
    assert float(found.scale.low) < ELASTICITIES.sum() < float(found.scale.high)


def test_the_translog_keeps_cobb_douglas_at_the_nominal_rate() -> None:
    rejected = [fit_translog(*planted_cobb_douglas(seed), within=True).cobb_douglas_p < 0.05 for seed in range(300)]
    assert 0.02 <= float(np.mean(rejected)) <= 0.085


@pytest.mark.parametrize("sigma", [0.2, 0.5, 1.0, 1.0 + 1e-9, 2.0, 5.0])
def test_a_ces_function_without_noise_is_found_exactly(sigma: float) -> None:
    found = fit_ces(*exact(sigma))
    assert float(found.sigma.value) == pytest.approx(sigma, rel=1e-4)
    assert found.distribution == pytest.approx(SHARE, rel=1e-4)
    assert float(found.scale.value) == pytest.approx(SCALE, rel=1e-5)
    assert found.elasticities.value == pytest.approx([SCALE * SHARE, SCALE * (1 - SHARE)], rel=1e-4)
    assert found.level > 0.0
    assert found.centre == pytest.approx([0.1, 0.5])


def test_the_ces_function_and_its_limit() -> None:
    x, z = np.random.default_rng(3).normal(size=(2, 50)) * 2.0
    for rho in (-3.0, -0.4, 0.7, 1.5):
        plain = np.log(0.3 * np.exp(rho * x) + 0.7 * np.exp(rho * z)) / rho
        assert log_ces(x, z, rho, 0.3) == pytest.approx(plain, abs=1e-12)
    limit = 0.3 * x + 0.7 * z
    for rho in (0.0, 1e-14, -1e-11, 1e-8, -1e-6):
        gap = 0.5 * rho * 0.21 * (x - z) ** 2
        assert log_ces(x, z, rho, 0.3) == pytest.approx(limit + gap, abs=1e-9)
    # Perfect complements and a sum that would overflow.
    assert log_ces([900.0, -900.0], [0.0, 0.0], -40.0, 0.5) == pytest.approx([0.0, -900.0], abs=0.02)
    assert substitution([-1.0, 0.0, 0.5, 1.0, 2.0]).tolist() == [0.5, 1.0, 2.0, np.inf, np.inf]


def test_the_ces_errors_are_those_of_its_linear_case() -> None:
    """With σ near 1 the elasticity of scale has the interval that Cobb–Douglas gives its sum."""
    output, inputs, world = planted_ces(0, 1.0)
    bent, plain = fit_ces(output, inputs, world, within=True), fit_cobb_douglas(output, inputs, world, within=True)
    assert float(bent.scale.value) == pytest.approx(float(plain.scale.value), abs=0.005)
    assert float(bent.scale.high - bent.scale.low) == pytest.approx(float(plain.scale.high - plain.scale.low), rel=0.05)
    assert bent.cobb_douglas_p > 0.01
    assert fit_ces(*planted_ces(0, 0.5), within=True).cobb_douglas_p < 1e-6


def test_where_an_input_does_nothing_substitution_is_not_identified() -> None:
    rng = np.random.default_rng(4)
    inputs, world = rng.lognormal(size=(400, 2)), np.arange(400) // 10
    found = fit_ces(inputs[:, 1] ** 0.8 * rng.lognormal(sigma=0.3, size=400), inputs, world)
    assert not found.identified
    assert (float(found.sigma.low), float(found.sigma.high)) == (0.0, np.inf)
    assert (float(found.share.low), float(found.share.high)) == (0.0, 1.0)
    assert np.isnan(found.cobb_douglas_p)


@settings(max_examples=10, deadline=None)
@given(
    seed=st.integers(0, 20),
    made=st.floats(0.01, 100.0),
    first=st.floats(0.01, 100.0),
    sigma=st.sampled_from([0.5, 2.0]),
)
def test_units_do_not_matter_nor_which_input_comes_first(seed: int, made: float, first: float, sigma: float) -> None:
    output, inputs, world = planted_ces(seed, sigma)
    base = fit_ces(output, inputs, world, within=True)
    moved = fit_ces(output * made, (inputs * [first, 1.0])[:, ::-1], world, within=True)
    assert [float(end) for end in moved.sigma] == pytest.approx([float(end) for end in base.sigma], rel=1e-3)
    assert moved.elasticities.value[::-1] == pytest.approx(base.elasticities.value, rel=1e-3)
    assert 1.0 - moved.distribution == pytest.approx(base.distribution, rel=1e-3)
    plain = fit_cobb_douglas(output, inputs, world)
    scaled = fit_cobb_douglas(output * made, inputs * [first, 1.0], world)
    assert scaled.elasticities.low == pytest.approx(plain.elasticities.low)
    assert scaled.level == pytest.approx(made * plain.level)


def assert_cheapest(path: pd.DataFrame, isoquant: Callable[[float, np.ndarray], pd.DataFrame], price: float) -> None:
    """No point of its isoquant, from a fifth to five times the first input, costs less than the path's."""
    assert path["ratio"].tolist() == list(RATIOS)
    for row in path.itertuples():
        line = isoquant(row.ratio, row.first * np.geomspace(0.2, 5.0, 2001))
        cost = price * line["first"] + line["second"]
        assert float(cost.min()) == pytest.approx(price * row.first + row.second, rel=1e-9)
        assert float(line["first"][cost.idxmin()]) == pytest.approx(row.first, rel=1e-6)


@pytest.mark.parametrize("price", [1.0, 3.0])
def test_the_expansion_path_is_the_cheapest_point_of_each_isoquant(price: float) -> None:
    e, centre = np.array([0.3, 0.6]), np.array([0.1, 0.5])
    lines = cobb_douglas_isoquants(e, centre, RATIOS, np.geomspace(0.01, 1.0, 20))
    assert cobb_douglas_ratio(e, centre, lines[["first", "second"]]) == pytest.approx(lines["ratio"].to_numpy())
    path = cobb_douglas_path(e, centre, RATIOS, price)
    assert_cheapest(path, lambda ratio, first: cobb_douglas_isoquants(e, centre, [ratio], first), price)
    for sigma in (0.5, 1.0, 2.0):
        fit = fit_ces(*exact(sigma), price=price)
        path = ces_path(fit, RATIOS, price)
        assert_cheapest(path, lambda ratio, first, fit=fit: ces_isoquants(fit, [ratio], first), price)
        spent = price * path["first"] / (price * path["first"] + path["second"])
        assert spent.to_numpy() == pytest.approx(np.full(len(RATIOS), float(fit.share.value)))


def test_isoquants_of_a_ces_function_make_the_output_that_they_say() -> None:
    for sigma in (0.5, 1.0, 2.0):
        fit = fit_ces(*exact(sigma))
        lines = ces_isoquants(fit, RATIOS, np.geomspace(0.01, 1.0, 30))
        assert ces_ratio(fit, lines[["first", "second"]]) == pytest.approx(lines["ratio"].to_numpy())
        assert set(lines["ratio"]) == set(RATIOS)
    # Complements: too little of the first makes the output with no amount of the second.
    steep = ces_isoquants(fit_ces(*exact(0.5)), [1.7], np.array([0.001, 0.3]))
    assert steep["first"].tolist() == [0.3]


def test_there_is_no_path_where_an_input_does_harm_or_isoquants_bend_the_wrong_way() -> None:
    assert cobb_douglas_path([-0.1, 0.5], [1.0, 1.0], RATIOS).empty
    _, inputs, world = exact(1.0)
    x = np.log(inputs) - np.log(inputs).mean(0)
    convex = fit_ces(np.exp(log_ces(x[:, 0], x[:, 1], 1.5, 0.4)), inputs, world)
    assert isinstance(convex, Ces)
    assert np.isinf(float(convex.sigma.value))
    assert ces_path(convex, RATIOS).empty
    assert np.isnan(float(convex.share.value))


def test_spending_becomes_shares() -> None:
    names = ("consumption", "settlement", "works", "army", "walls", "strategists", "scouts", "analysts")
    civs = pd.DataFrame({f"spent_{name}": [float(index), 0.0] for index, name in enumerate(names)})
    shares = spending_shares(civs)
    assert shares.loc[0, ["cognition", "army", "muscle"]].tolist() == pytest.approx([18 / 28, 3 / 28, 10 / 28])
    assert shares.loc[1, ["cognition", "army", "muscle"]].isna().all()
    with pytest.raises(ResultsError, match="no column spent_"):
        spending_shares(civs[[]])


def test_data_that_tell_nothing_are_refused() -> None:
    output, inputs, world = planted_cobb_douglas(0)
    same_in_world = np.exp(world)[:, None] ** [0.01, 0.02]
    for arguments, message in (
        ((np.where(np.arange(len(output)) == 3, 0.0, output), inputs, world), "output holds 0"),
        ((output, inputs * [1.0, -1.0], world), "inputs holds -"),
        ((output, inputs[:, 0], world), r"give \[n\]"),
        ((output, inputs[:, [0, 0]], world), "do not vary apart"),
        ((output, np.ones_like(inputs), world), "do not vary apart"),
        ((output, inputs, np.zeros_like(world)), "worlds=1"),
    ):
        for fit in (fit_cobb_douglas, fit_translog):
            with pytest.raises(ResultsError, match=message):
                fit(*arguments)
    with pytest.raises(ResultsError, match="do not vary apart"):
        fit_cobb_douglas(output, same_in_world, world, within=True)
    with pytest.raises(ResultsError, match="controls hold NaN"):
        fit_ces(output, inputs, world, controls=np.full((len(output), 1), np.nan))
    with pytest.raises(ResultsError, match="takes two inputs"):
        fit_ces(output, inputs[:, [0, 1, 1]], world)
    with pytest.raises(ResultsError, match="price=0"):
        fit_ces(output, inputs, world, price=0.0)
    with pytest.raises(ResultsError, match="at least 3 levels"):
        fit_translog(output, np.where(inputs > np.median(inputs, 0), 2.0, 1.0), world)
