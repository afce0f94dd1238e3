"""Contest exponents: closed forms, planted contests, symmetries, and contests that tell nothing."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from civsim.analysis.recovery.case import SUITE_BOUNDS, Case, coverage
from civsim.analysis.recovery.strength import CASES, R_COGNITION, R_PHYSICAL, TIES, planted_contests
from civsim.analysis.statistics.clustered import critical
from civsim.analysis.statistics.strength import estimate_strength, pair_contests
from civsim.base.errors import ResultsError


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_planted_values_are_covered_at_the_nominal_rate(case: Case) -> None:
    low, high = SUITE_BOUNDS
    assert low <= coverage(case).share <= high


def test_a_two_by_two_table_gives_its_log_odds() -> None:
    """Where only one input differs, by ln 2 at a time, the odds among those contests are 2^r."""
    cognition = np.repeat([np.log(2.0), 0.0], [100, 100])
    physical = np.repeat([0.0, np.log(2.0)], [100, 100])
    wins = np.concatenate([np.repeat([1.0, 0.0], [80, 20]), np.repeat([1.0, 0.0], [60, 40])])
    found = estimate_strength(wins, cognition, physical, np.arange(200))
    assert float(found.cognition.value) == pytest.approx(np.log(4.0) / np.log(2.0))
    assert float(found.physical.value) == pytest.approx(np.log(1.5) / np.log(2.0))
    assert float(found.elo_cognition.value) == pytest.approx(400.0 * np.log10(4.0))
    # Independent contests: the sandwich of one binomial is 1/(n p (1 − p)), here with CR1's factor.
    error = np.sqrt(1.0 / (100 * 0.8 * 0.2)) / np.log(2.0) * np.sqrt(200 / 199 * 199 / 198)
    assert float(found.cognition.high - found.cognition.value) == pytest.approx(critical(199.0) * error)


def test_a_tie_is_half_a_win() -> None:
    """Each tie counted as one win and one loss of half the weight gives the same exponents."""
    wins, cognition, physical, world = planted_contests(1)
    assert 0.01 < (wins == 0.5).mean() < TIES
    found = estimate_strength(wins, cognition, physical, world)
    even = wins == 0.5
    copies = np.concatenate([np.where(even, 1.0, wins), np.where(even, 0.0, wins)])
    twice = estimate_strength(copies, np.tile(cognition, 2), np.tile(physical, 2), np.tile(world, 2))
    assert float(twice.cognition.value) == pytest.approx(float(found.cognition.value))
    assert (found.ties, twice.ties) == (int(even.sum()), 0)


def test_the_exchange_follows_the_place_and_the_elo_the_exponent() -> None:
    data = planted_contests(2)
    here, there = (estimate_strength(*data, at=at) for at in ((0.1, 0.4), (0.05, 0.4)))
    ratio = float(here.cognition.value / here.physical.value)
    assert float(here.exchange.value) == pytest.approx(4.0 * ratio)
    assert [float(end) for end in there.exchange] == pytest.approx([2.0 * float(end) for end in here.exchange])
    assert [float(end) for end in here.elo_physical] == pytest.approx(
        [400.0 * np.log10(2.0) * float(end) for end in here.physical]
    )
    assert float(here.total.value) == pytest.approx(float(here.cognition.value + here.physical.value))
    assert here.bounded


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 50), order=st.integers(0, 1000), factor=st.floats(0.1, 10.0))
def test_order_of_rows_order_of_pairs_and_the_unit_of_logs(seed: int, order: int, factor: float) -> None:
    wins, cognition, physical, world = planted_contests(seed)
    base = estimate_strength(wins, cognition, physical, world)
    rng = np.random.default_rng(order)
    shuffle, swap = rng.permutation(len(wins)), rng.choice([-1.0, 1.0], len(wins))
    moved = estimate_strength(
        (0.5 + swap * (wins - 0.5))[shuffle], (swap * cognition * factor)[shuffle], (swap * physical)[shuffle],
        1000.0 - world[shuffle],
    )  # fmt: skip
    assert [factor * float(end) for end in moved.cognition] == pytest.approx([float(end) for end in base.cognition])
    assert [float(end) for end in moved.physical] == pytest.approx([float(end) for end in base.physical])


def test_a_threshold_is_tested_and_a_seat_s_advantage_is_found() -> None:
    rng = np.random.default_rng(5)
    n = 4000
    cognition, physical = rng.normal(size=n), rng.normal(size=n)
    chance = 1.0 / (1.0 + np.exp(-(0.7 + R_COGNITION * cognition + R_PHYSICAL * physical)))
    found = estimate_strength(
        (rng.random(n) < chance).astype(float), cognition, physical, np.arange(n) // 20, advantage=True
    )
    assert found.advantage is not None
    assert float(found.advantage.low) < 0.7 < float(found.advantage.high)
    assert float(found.cognition.high) < 1.0
    assert found.unit_p < 0.001
    assert estimate_strength(*planted_contests(0)).advantage is None


def test_clustering_widens_intervals_where_luck_is_shared() -> None:
    """Every contest copied nine times is no news: one world a contest would make the interval three times too short."""
    wins, cognition, physical, world = planted_contests(3)
    once = estimate_strength(wins, cognition, physical, world)
    data = [np.repeat(column, 9) for column in (wins, cognition, physical)]
    copies = estimate_strength(*data, np.repeat(world, 9))
    alone = estimate_strength(*data, np.arange(9 * len(world)))
    width = float(once.cognition.high - once.cognition.low)
    assert float(copies.cognition.high - copies.cognition.low) == pytest.approx(width, rel=0.01)
    assert float(alone.cognition.high - alone.cognition.low) < 0.5 * width


def test_contests_that_tell_nothing_are_refused() -> None:
    rng = np.random.default_rng(6)
    c, p, world = rng.normal(size=60), rng.normal(size=60), np.arange(60) // 3
    wins = (c + 0.3 * p > 0).astype(float)
    noisy = (rng.random(60) < 0.5).astype(float)
    for arguments, message in (
        ((wins, c, p, world), "part wins from losses"),
        ((np.ones(60), c, p, world), "ended alike"),
        ((np.full(60, 0.5), c, p, world), "ended alike"),
        ((noisy, c, 2.0 * c, world), "do not vary apart"),
        ((noisy, c, np.where(p > 1, np.inf, p), world), "not finite"),
        ((noisy + 0.25, c, p, world), "is not 0, 0.5 or 1"),
        ((noisy, c[:50], p, world), "one a contest"),
        ((noisy, c, p, np.zeros(60)), "worlds=1"),
    ):
        with pytest.raises(ResultsError, match=message):
            estimate_strength(*arguments)
    with pytest.raises(ResultsError, match="place of exchange"):
        estimate_strength(noisy, c, p, world, at=(0.0, 1.0))
    with pytest.raises(ResultsError, match="all 4 worlds say the same"):
        estimate_strength(np.tile([1.0, 0.0, 1.0], 4), np.tile([1.0, 2.0, 3.0], 4), np.tile([2.0, 1.0, -1.0], 4),
                          np.repeat(range(4), 3))  # fmt: skip


def test_one_tie_away_from_the_border_ends_a_separation() -> None:
    c, p = np.array([1.0, -1.0, 2.0, -0.5, 0.8]), np.array([0.5, 0.2, -1.0, -1.0, 0.3])
    wins = np.array([1.0, 0.0, 1.0, 0.0, 1.0])
    with pytest.raises(ResultsError, match="part wins"):
        estimate_strength(wins, c, p, range(5))
    found = estimate_strength(np.append(wins, [0.5, 0.5]), np.append(c, [1.0, 0.3]), np.append(p, [0.0, 1.0]), range(7))
    assert np.isfinite(float(found.cognition.high))


def test_the_focal_is_paired_with_each_rival_of_its_run() -> None:
    civs = pd.DataFrame(
        {
            "run_id": ["a"] * 3 + ["b"] * 3,
            "is_focal": [False, True, False, True, False, False],
            "point": 0,
            "output": [1.0, 2.0, 2.0, 5.0, 7.0, 1.0],
            "cognition": [0.1, 0.2, 0.4, 0.1, 0.1, 0.0],
        }
    )
    pairs = pair_contests(civs, "output", ("cognition",))
    assert pairs["win"].tolist() == [1.0, 0.5, 0.0, 1.0]
    assert pairs["d_cognition"].to_numpy()[:3] == pytest.approx([np.log(2.0), -np.log(2.0), 0.0])
    assert np.isposinf(pairs["d_cognition"].iloc[3])
    assert pairs["own_cognition"].tolist() == [0.2, 0.2, 0.1, 0.1]
    assert pairs["rival_cognition"].tolist() == [0.1, 0.4, 0.1, 0.0]
