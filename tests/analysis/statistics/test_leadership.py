"""Leaders, lock-in, rank persistence and the Red Queen."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import spearmanr

from civsim.analysis.recovery.concentration import planted_contest
from civsim.analysis.statistics.leadership import leaders, lock_in, rank_correlation, rank_persistence, red_queen
from civsim.base.errors import ResultsError


def contest(rows: list[str]) -> np.ndarray:
    """Worlds of two seats from the digits of who leads in each turn; '=' is a tie."""
    table = np.ones((len(rows), 2, len(rows[0])))
    for world, row in enumerate(rows):
        for turn, digit in enumerate(row):
            if digit != "=":
                table[world, int(digit), turn] = 2.0
    return table


def test_lock_in_by_hand() -> None:
    found = lock_in(contest(["00000", "01011", "00001", "11101", "10000"]), draws=100)
    assert found.turn.tolist() == [1, 4, 5, 5, 2]
    assert found.leader.tolist() == [0, 1, 1, 1, 0]
    assert found.changes.tolist() == [0, 3, 1, 2, 1]
    assert found.mean.value == pytest.approx(3.4)
    assert found.late == pytest.approx(0.4)


def test_a_tie_leaves_the_leader_where_it_was_even_if_rounding_breaks_it() -> None:
    assert leaders(contest(["=1=0=", "1===="])).tolist() == [[0, 1, 1, 0, 0], [1, 1, 1, 1, 1]]
    nearly = contest(["1===="])
    nearly[0, 0, 2] += 1e-8
    assert leaders(nearly).tolist() == [[1, 1, 1, 1, 1]]


def test_planted_lock_ins_are_found_in_every_world() -> None:
    amounts, locks = planted_contest(0)
    assert (lock_in(amounts, draws=50).turn == locks).all()
    assert (lock_in(1e6 * amounts, draws=50).turn == locks).all()


def test_a_world_that_one_seat_leads_all_along_locks_in_at_once_in_every_resample() -> None:
    found = lock_in(contest(["111", "000"]), draws=50)
    assert found.mean.low == found.mean.high == 1.0


def test_rank_correlation_is_spearmans() -> None:
    first, second = np.random.default_rng(0).integers(0, 5, (2, 20, 6)).astype(float)
    expected = [spearmanr(a, b).statistic for a, b in zip(first, second, strict=True)]
    assert np.allclose(rank_correlation(first, second), expected)
    assert np.isnan(rank_correlation(np.ones(4), np.arange(4.0)))


def test_ranks_persist_fully_at_the_end_and_worlds_without_order_are_left_out() -> None:
    amounts = np.random.default_rng(1).random((10, 4, 6))
    amounts[:, :, 0] = 1.0
    amounts[0, :, 3] = 1.0
    found = rank_persistence(amounts, draws=50).set_index("turn")
    assert 1 not in found.index
    assert found.loc[4, "worlds"] == 9
    assert found.loc[6, "correlation"] == found.loc[6, "low"] == pytest.approx(1.0)
    growing = rank_persistence(amounts * np.arange(1.0, 7.0), draws=50).set_index("turn")
    assert np.allclose(growing, found)


def test_the_red_queen_splits_a_private_gain() -> None:
    base = np.random.default_rng(2).normal(size=(20, 1))
    found = red_queen(base + np.array([0.0, 5.0, 2.0]), draws=50).set_index("quantity")["value"]
    assert found["private"] == pytest.approx(5.0)
    assert found["universal"] == pytest.approx(2.0)
    assert found["competed_away"] == pytest.approx(found["private"] - found["universal"])


def test_bad_input_is_refused() -> None:
    for bad in (np.ones((3, 1, 4)), np.ones((3, 4)), np.full((3, 2, 4), np.nan)):
        with pytest.raises(ResultsError, match="give finite worlds"):
            lock_in(bad)
    with pytest.raises(ResultsError, match="worlds=1"):
        lock_in(np.ones((1, 2, 4)))
    with pytest.raises(ResultsError, match="worlds × 3 arms"):
        red_queen(np.ones((5, 2)))
