"""Shapley values: textbook games, the axioms, and planted values recovered."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from civsim.analysis.recovery.case import SUITE_BOUNDS, Case, coverage
from civsim.analysis.recovery.shapley import CASES, PLAYERS, planted_values, planted_worths
from civsim.analysis.statistics.shapley import (
    coalitions,
    interaction_matrix,
    position_matrix,
    shapley_interactions,
    shapley_matrix,
    shapley_values,
    values_by_position,
)
from civsim.base.errors import ResultsError

WORTHS = st.lists(st.floats(-10.0, 10.0), min_size=16, max_size=16).map(np.array)


def by_orders(worths: np.ndarray, n: int) -> np.ndarray:
    """Shapley values by brute force: what each adds, over all orders of arrival."""
    total = np.zeros(n)
    orders = list(permutations(range(n)))
    for order in orders:
        mask = 0
        for player in order:
            total[player] += worths[mask | 1 << player] - worths[mask]
            mask |= 1 << player
    return total / len(orders)


def test_the_glove_game() -> None:
    """One left glove and two right ones: 2/3, 1/6, 1/6 (Shapley)."""
    worths = np.array([float("left" in who and bool({"a", "b"} & who)) for who in coalitions(("left", "a", "b"))])
    assert shapley_matrix(3) @ worths == pytest.approx([2 / 3, 1 / 6, 1 / 6])


@given(WORTHS)
@settings(max_examples=40, deadline=None)
def test_it_is_the_average_over_all_orders(worths: np.ndarray) -> None:
    values = shapley_matrix(4) @ worths
    assert values == pytest.approx(by_orders(worths, 4), abs=1e-9)
    assert values.sum() == pytest.approx(worths[-1] - worths[0], abs=1e-9)  # efficiency
    assert (position_matrix(4) @ worths).mean(1) == pytest.approx(values, abs=1e-9)


@given(WORTHS, st.permutations(range(4)))
@settings(max_examples=30, deadline=None)
def test_renaming_players_renames_values(worths: np.ndarray, order: list[int]) -> None:
    renamed = np.empty(16)
    for mask in range(16):
        renamed[sum(1 << order[i] for i in range(4) if mask >> i & 1)] = worths[mask]
    values, others = shapley_matrix(4) @ worths, shapley_matrix(4) @ renamed
    assert others[list(order)] == pytest.approx(values, abs=1e-9)


def test_symmetric_players_share_alike_and_a_dummy_gets_its_own_worth() -> None:
    worths = planted_worths()
    values = dict(zip(PLAYERS, shapley_matrix(4) @ worths, strict=True))
    assert values == pytest.approx({"ore": 0.6, "hazard": 0.2, "rivals": 0.65, "raiders": 0.25})
    pairs, matrix = interaction_matrix(4)
    found = {tuple(PLAYERS[i] for i in pair): value for pair, value in zip(pairs, matrix @ worths, strict=True)}
    assert found.pop(("rivals", "raiders")) == pytest.approx(0.5)
    assert list(found.values()) == pytest.approx([0.0] * 5)


def test_interaction_of_two_is_their_difference_of_differences() -> None:
    _, matrix = interaction_matrix(2)
    assert matrix.tolist() == [[1.0, -1.0, -1.0, 1.0]]


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_planted_values_are_covered_at_the_nominal_rate(case: Case) -> None:
    assert SUITE_BOUNDS[0] <= coverage(case).share <= SUITE_BOUNDS[1]


def test_tables_name_players_and_ignore_what_worlds_share() -> None:
    values = planted_values(0)
    table = shapley_values(values, PLAYERS, draws=200)
    assert list(table["player"]) == list(PLAYERS)
    assert (table["low"] <= table["value"]).all()
    assert (table["value"] <= table["high"]).all()
    shifted = shapley_values(values + np.arange(len(values))[:, None], PLAYERS, draws=200)
    assert shifted.drop(columns="player").to_numpy() == pytest.approx(table.drop(columns="player").to_numpy())
    places = values_by_position(values, PLAYERS, draws=200)
    assert places[places["position"] == 1]["value"].to_numpy() == pytest.approx(table["first"].to_numpy())
    assert places[places["position"] == 4]["value"].to_numpy() == pytest.approx(table["last"].to_numpy())
    assert len(shapley_interactions(values, PLAYERS, draws=50)) == 6


def test_games_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ResultsError, match="16 coalitions"):
        shapley_values(np.zeros((5, 8)), PLAYERS)
    with pytest.raises(ResultsError, match="name one twice"):
        coalitions(("ore", "ore"))
    with pytest.raises(ResultsError, match="players=0"):
        coalitions(())
    with pytest.raises(ResultsError, match="no pair"):
        shapley_interactions(np.zeros((5, 2)), ("ore",))
    with pytest.raises(ResultsError, match="NaN"):
        shapley_values(np.full((5, 16), np.nan), PLAYERS)
    with pytest.raises(ResultsError, match="worlds=1"):
        shapley_values(np.zeros((1, 16)), PLAYERS)


def test_coalitions_that_play_the_same_games_have_no_effect_at_all() -> None:
    worlds = np.random.default_rng(2).normal(140.0, 30.0, (50, 1))
    same = np.repeat(worlds, 4, axis=1)
    assert (shapley_values(same, ("a", "b"), draws=50)[["value", "low", "high"]] == 0.0).all(axis=None)
    assert (shapley_interactions(same, ("a", "b"), draws=50)[["value", "low", "high"]] == 0.0).all(axis=None)
