"""K18: a province sees, the centre hears: what that is worth by the age of the news and the lag of a party."""

from __future__ import annotations

import numpy as np
import pytest

from civsim.validation.k5_sight import worth
from civsim.validation.k18_freshness import HIGH, LOW, Decided, Place, advantage, decided, matures, news_age

WORLDS = 4000
P, D = 0.15, 4


def made(pool: float, messenger: float, lag: int = 0, horizon: int = 0) -> Decided:
    return decided(Place(P, D, lag, 4, horizon), pool, messenger, WORLDS, 1)


@pytest.mark.parametrize("n", [1, 2, 4])
def test_without_a_lag_the_advantage_is_what_sight_is_worth(n: int) -> None:
    assert advantage(P, n, 0) == pytest.approx(worth(P, n))
    assert advantage(P, n, 1) == advantage(P, n, 0)


def test_news_is_as_old_as_its_road_is_long() -> None:
    assert [news_age(6, pace) for pace in (0.5, 1.0, 2.0, 4.0, 6.0, 100.0)] == [12, 6, 3, 2, 1, 1]
    assert [matures(lag) for lag in (0, 1, 2)] == [1, 1, 2]


@pytest.mark.parametrize("lag", [0, 2])
@pytest.mark.parametrize("messenger", [1.0, 2.0, 4.0])
def test_the_province_gains_over_the_centre_what_theory_says(messenger: float, lag: int) -> None:
    gain = made(0.0, messenger, lag).gave - made(1.0, messenger, lag).gave
    error = gain.std() / np.sqrt(WORLDS)
    assert gain.mean() == pytest.approx(advantage(P, news_age(D, messenger), lag), abs=4 * error)


@pytest.mark.parametrize("pool", [0.0, 1.0])
def test_each_takes_the_better_site_as_it_was_last_seen(pool: float) -> None:
    found = made(pool, 1.0)
    assert found.worse == 0
    assert found.unlike.mean() == pytest.approx(0.5, abs=0.04)
    assert set(found.gave) == {LOW, HIGH}


def test_the_centre_decides_on_what_was_and_not_on_what_is() -> None:
    province, centre = made(0.0, 1.0), made(1.0, 1.0)
    assert (province.then != centre.then).any()
    seen = province.then[np.arange(WORLDS), centre.claimed]
    assert (province.unlike & (seen == 0)).sum() > WORLDS // 20


def test_a_horizon_changes_no_choice() -> None:
    for pool in (0.0, 1.0):
        assert (made(pool, 2.0).claimed == made(pool, 2.0, horizon=5).claimed).mean() > 0.99
