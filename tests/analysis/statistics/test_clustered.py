"""Clustered covariances against the library's, Fieller's interval against its definition, and their coverage."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import t as student

from civsim.analysis.statistics.clustered import (
    centre_within,
    cluster_covariance,
    combination,
    critical,
    find_clusters,
    joint_p,
    ratio,
    two_sided_p,
)
from civsim.base.errors import ResultsError


def test_the_covariance_is_that_of_statsmodels() -> None:
    import statsmodels.api as sm

    rng = np.random.default_rng(0)
    x, labels = rng.normal(size=(90, 3)), rng.integers(0, 12, 90)
    y = x @ [1.0, -1.0, 0.5] + rng.normal(size=12)[labels] + rng.normal(size=90)
    fit = sm.OLS(y, x).fit(cov_type="cluster", cov_kwds={"groups": labels})
    own = cluster_covariance(x * fit.resid[:, None], np.linalg.inv(x.T @ x), find_clusters(labels, 90))
    assert own == pytest.approx(fit.cov_params(), rel=1e-10)
    summed = combination(fit.params, own, [1.0, 1.0, 0.0], 11.0)
    test = fit.t_test([1.0, 1.0, 0.0], use_t=True)
    assert float(summed.value) == pytest.approx(float(test.effect[0]))
    reach = student.ppf(0.975, 11) * float(test.sd[0, 0])
    assert float(summed.high - summed.value) == pytest.approx(reach)
    assert two_sided_p(2.0, 1.0, 11.0) == pytest.approx(2.0 * student.sf(2.0, 11))
    assert two_sided_p(0.0, 0.0, 5.0) == 1.0


def test_worlds_are_named_by_rows_of_labels_and_centred_apart() -> None:
    labels = np.array([[0, 1], [0, 2], [0, 1], [1, 1]])
    groups = find_clusters(labels, 4)
    assert groups.number == 3
    assert groups.codes[0] == groups.codes[2] != groups.codes[1]
    centred = centre_within(np.array([[1.0], [5.0], [3.0], [7.0]]), groups)
    assert centred[:, 0].tolist() == [-1.0, 0.0, 1.0, 0.0]


def test_fieller_ends_are_where_the_difference_is_just_rejected() -> None:
    parameters, v, free = np.array([0.8, 1.5]), np.array([[0.04, 0.01], [0.01, 0.09]]), 20.0
    found, bounded = ratio(parameters, v, free)
    assert bounded
    for end in (float(found.low), float(found.high)):
        contrast = np.array([1.0, -end])
        t = abs(contrast @ parameters) / np.sqrt(contrast @ v @ contrast)
        assert t == pytest.approx(critical(free))
    assert float(found.low) < 0.8 / 1.5 < float(found.high)


def test_a_ratio_to_what_may_be_nothing_has_no_ends() -> None:
    found, bounded = ratio([0.8, 0.1], np.diag([0.01, 0.01]), 20.0)
    assert not bounded
    assert (float(found.low), float(found.high)) == (-np.inf, np.inf)


def test_fieller_covers_a_ratio_whose_denominator_is_uncertain() -> None:
    rng = np.random.default_rng(3)
    hits = 0
    for _ in range(1000):
        draws = rng.normal([0.5, 1.0], [0.8, 1.2], size=(12, 2))
        found, _ = ratio(draws.mean(0), np.cov(draws.T) / 12, 11.0)
        hits += bool(found.low <= 0.5 <= found.high)
    assert 0.93 <= hits / 1000 <= 0.98


def test_the_joint_test_is_hotelling_s_and_has_its_size() -> None:
    rng = np.random.default_rng(4)
    values = []
    for _ in range(1000):
        draws = rng.normal(size=(9, 3))
        values.append(joint_p(draws.mean(0), np.cov(draws.T) / 9, 8.0))
    assert 0.035 <= float(np.mean(np.array(values) < 0.05)) <= 0.065
    assert np.isnan(joint_p(np.ones(3), np.eye(3), 2.0))
    assert joint_p(np.array([2.0]), np.eye(1), 9.0) == pytest.approx(two_sided_p(2.0, 1.0, 9.0))


@pytest.mark.parametrize(("labels", "rows"), [([0, 0, 0], 3), ([0, 1], 3), (np.zeros((2, 2, 2)), 2)])
def test_too_few_worlds_or_labels_are_refused(labels: object, rows: int) -> None:
    with pytest.raises(ResultsError, match="at least 2|one a row"):
        find_clusters(labels, rows)  # type: ignore[arg-type]


def test_stacked_equations_have_the_freedom_of_one() -> None:
    """Two copies of one regression, stacked, have its own covariance in each block."""
    rng = np.random.default_rng(4)
    scores, bread, clusters = rng.normal(size=(60, 2)), np.eye(2) / 60.0, find_clusters(np.arange(60) // 5, 60)
    stacked = cluster_covariance(np.hstack([scores, scores]), np.kron(np.eye(2), bread), clusters, parameters=2)
    alone = cluster_covariance(scores, bread, clusters)
    assert stacked == pytest.approx(np.kron(np.ones((2, 2)), alone))
