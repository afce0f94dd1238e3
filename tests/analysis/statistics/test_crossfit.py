"""Cross-fitting: the worlds that choose an option do not judge it, and equal options are not beaten nor beat."""

from __future__ import annotations

import numpy as np
import pytest

from civsim.analysis.recovery.crossfit import OPTIONS, planted_outcomes
from civsim.analysis.statistics.crossfit import crossfit
from civsim.base.errors import ResultsError

REPLICATIONS = 600
ALIKE = np.zeros(5)


def test_each_half_is_judged_against_what_the_other_chose() -> None:
    arm = np.array([10.0, 10.0, 10.0, 10.0, 10.0])
    options = np.array([[9.0, 1.0], [1.0, 5.0], [9.0, 1.0], [1.0, 7.0], [9.0, 4.0]])
    found = crossfit(arm, options)  # worlds 0, 2, 4 choose the first option, 1 and 3 the second
    assert found.chosen == (1, 0)
    assert found.differences.tolist() == [9.0, 9.0, 9.0, 9.0, 6.0]
    assert found.mean == pytest.approx(0.5 * (8.0 + 9.0))
    assert found.error == pytest.approx(0.5 * np.sqrt(3.0 / 3.0))


def test_of_options_that_tie_the_first_is_chosen() -> None:
    assert crossfit(np.zeros(4), np.zeros((4, 3))).chosen == (0, 0)


def test_an_arm_as_good_as_equal_options_is_level_with_them_where_the_best_of_all_worlds_beats_it() -> None:
    drawn = [planted_outcomes(seed, ALIKE, 0.0) for seed in range(REPLICATIONS)]
    fitted = np.array([crossfit(arm, options).mean for arm, options in drawn])
    naive = np.array([arm.mean() - options.mean(axis=0).max() for arm, options in drawn])
    error = fitted.std(ddof=1) / np.sqrt(REPLICATIONS)
    assert abs(fitted.mean()) < 3.0 * error
    assert naive.mean() < -10.0 * error


def test_the_interval_covers_nearly_as_often_as_it_says_where_all_options_are_equal() -> None:
    found = [crossfit(*planted_outcomes(seed, ALIKE, 0.0)) for seed in range(REPLICATIONS)]
    covered = np.mean([abs(one.mean) < 2.074 * one.error for one in found])  # Student's t of 22 degrees
    assert 0.90 <= covered <= 0.96  # the docstring says 0.93


def test_the_option_that_stands_out_is_chosen_and_its_lead_recovered() -> None:
    found = [crossfit(*planted_outcomes(seed, gain=1.0)) for seed in range(REPLICATIONS)]
    assert np.mean([one.chosen == (int(OPTIONS.argmax()),) * 2 for one in found]) > 0.99
    means = np.array([one.mean for one in found])
    assert means.mean() == pytest.approx(1.0, abs=3.0 * means.std() / np.sqrt(REPLICATIONS))
    assert np.mean([one.error for one in found]) == pytest.approx(means.std(), rel=0.06)


@pytest.mark.parametrize(
    ("arm", "options", "word"),
    [
        (np.zeros(3), np.zeros((3, 2)), "worlds=3"),
        (np.zeros(4), np.zeros((5, 2)), "do not fit"),
        (np.zeros(4), np.zeros((4, 0)), "do not fit"),
        (np.zeros(4), np.full((4, 1), np.nan), "not finite"),
    ],
)
def test_what_cannot_be_judged_is_refused(arm: np.ndarray, options: np.ndarray, word: str) -> None:
    with pytest.raises(ResultsError, match=word):
        crossfit(arm, options)
