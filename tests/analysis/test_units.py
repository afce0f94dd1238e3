"""Consumption equivalents against their definition."""

from __future__ import annotations

import numpy as np
import pytest

from civsim.analysis.units import discount_sum, equivalent_percent, game_length, log_points, welfare_of_percent
from civsim.base.errors import ResultsError


@pytest.mark.parametrize(("discount", "turns"), [(0.98, 150), (1.0, 20), (0.5, 1)])
def test_equivalent_is_the_rise_that_makes_up_the_difference(discount: float, turns: int) -> None:
    consumption = np.random.default_rng(0).gamma(2.0, 3.0, turns)
    weights = discount ** np.arange(turns)
    welfare = (weights * np.log(1.0 + consumption)).sum()
    raised = (weights * np.log((1.0 + consumption) * 1.07)).sum()
    assert equivalent_percent(raised - welfare, discount, turns) == pytest.approx(7.0)
    assert welfare_of_percent(7.0, discount, turns) == pytest.approx(raised - welfare)
    assert discount_sum(discount, turns) == pytest.approx(weights.sum())


def test_equivalent_increases_and_keeps_zero() -> None:
    values = equivalent_percent([-5.0, 0.0, 5.0], 0.98, 150)
    assert values[1] == 0.0
    assert np.all(np.diff(values) > 0.0)


@pytest.mark.parametrize(("discount", "turns"), [(0.0, 10), (1.1, 10), (0.9, 0)])
def test_no_such_game(discount: float, turns: int) -> None:
    with pytest.raises(ResultsError, match=f"discount={discount}"):
        discount_sum(discount, turns)


def test_game_length_reads_a_resolved_scenario() -> None:
    assert game_length({"game": {"discount": 0.9, "turns": 30}}) == (0.9, 30)
    with pytest.raises(ResultsError, match="lacks"):
        game_length({"game": {"turns": 30}})


def test_log_points_are_linear_and_near_the_equivalent_rise_where_that_is_small() -> None:
    for discount, turns in ((0.98, 150), (1.0, 7)):
        gain = welfare_of_percent(1.0, discount, turns)
        assert log_points(gain, discount, turns) == pytest.approx(100.0 * np.log(1.01))
        assert log_points([3.0 * gain, -gain], discount, turns) == pytest.approx(
            [300.0 * np.log(1.01), -100.0 * np.log(1.01)]
        )
