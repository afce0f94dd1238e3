"""Adjusted p-values: Holm and Benjamini–Hochberg by hand, families, and p-values that are missing."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from statsmodels.stats.multitest import multipletests

from civsim.analysis.statistics.multiplicity import adjust_table, adjusted
from civsim.base.errors import ResultsError

P = np.array([0.01, 0.04, 0.03, 0.5])


def test_both_procedures_by_hand() -> None:
    assert adjusted(P, "holm") == pytest.approx([0.04, 0.09, 0.09, 0.5])
    assert adjusted(P, "bh") == pytest.approx([0.04, 4 * 0.04 / 3, 4 * 0.04 / 3, 0.5])


@pytest.mark.parametrize(("method", "theirs"), [("holm", "holm"), ("bh", "fdr_bh")])
def test_both_procedures_are_those_of_statsmodels(method: str, theirs: str) -> None:
    for seed in range(5):
        p = np.random.default_rng(seed).random(9) ** 3
        p[:2] = p[2:4]
        assert np.array_equal(adjusted(p, method), multipletests(p, method=theirs)[1])


def test_a_missing_p_is_no_test() -> None:
    with_gap = np.array([0.01, np.nan, 0.04, 0.03, 0.5, np.nan])
    for method in ("holm", "bh"):
        found = adjusted(with_gap, method)
        assert np.isnan(found[[1, 5]]).all()
        assert found[[0, 2, 3, 4]] == pytest.approx(adjusted(P, method))
    assert np.isnan(adjusted([np.nan, np.nan])).all()
    assert adjusted([]).shape == (0,)


@given(st.lists(st.floats(0.0, 1.0), min_size=1, max_size=20), st.randoms(use_true_random=False))
def test_they_never_fall_keep_the_order_and_do_not_depend_on_it(values: list[float], random: object) -> None:
    p = np.array(values)
    order = np.random.default_rng(len(values)).permutation(len(p))
    for method in ("holm", "bh"):
        found = adjusted(p, method)
        assert (found >= p - 1e-15).all()
        assert (found <= 1.0).all()
        assert found[order] == pytest.approx(adjusted(p[order], method))
    assert (adjusted(p, "bh") <= adjusted(p, "holm") + 1e-12).all()


def test_a_table_is_adjusted_whole_or_by_family() -> None:
    table = pd.DataFrame({"group": ["a", "a", "b", "b"], "p": P})
    whole = adjust_table(table)
    assert whole["p_holm"].tolist() == pytest.approx([0.04, 0.09, 0.09, 0.5])
    assert whole["tests"].tolist() == [4] * 4
    apart = adjust_table(table, within=["group"])
    assert apart["p_holm"].tolist() == pytest.approx([0.02, 0.04, 0.06, 0.5])
    assert apart["tests"].tolist() == [2] * 4
    assert "p_holm" not in table


def test_holm_finds_something_exactly_where_bonferroni_does() -> None:
    rng = np.random.default_rng(3)
    for _ in range(200):
        p = rng.random(8) ** 3
        assert (adjusted(p) < 0.05).any() == (p.min() < 0.05 / 8)


def test_bad_input_is_refused_in_one_line() -> None:
    with pytest.raises(ResultsError, match=r"p=1.2 is outside"):
        adjusted([0.1, 1.2])
    with pytest.raises(ResultsError, match="method='sidak' is not known"):
        adjusted([0.1], "sidak")
    with pytest.raises(ResultsError, match="column 'p' is missing"):
        adjust_table(pd.DataFrame({"q": [0.1]}))
