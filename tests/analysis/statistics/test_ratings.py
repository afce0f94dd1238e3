"""Ratings recover a planted Plackett–Luce model within their intervals; payoffs, cycles, ties and separation."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import minimize

from civsim.analysis.recovery import ratings as recovery
from civsim.analysis.recovery.ratings import plackett_luce_games as planted
from civsim.analysis.statistics import ratings as module
from civsim.analysis.statistics.ratings import ELO, Matches, cycles, game_ranks, make_matches, payoffs, ratings
from civsim.base.errors import ResultsError

STRENGTHS = np.array(recovery.STRENGTHS)


def by_name(matches: Matches, anchor: str = "p0", **options: object) -> pd.DataFrame:
    return ratings(matches, anchor, **options).set_index("policy").loc[list(matches.policies)]


def test_two_policies_are_rated_by_the_odds_of_their_wins():
    """30 wins of 40, one prior game each: γ₁ = 1/γ₀, and γ₁/(γ₀ + γ₁) solves the penalised likelihood."""
    scores = np.array([[0.0, 1.0]] * 30 + [[1.0, 0.0]] * 10)
    matches = make_matches(["a", "b"], np.arange(40), np.tile([0, 1], (40, 1)), scores)
    tiny = ratings(matches, "a", prior=1e-4, draws=20).set_index("policy")
    assert tiny.loc["b", "elo"] == pytest.approx(400.0 * np.log10(3.0), abs=0.1)
    assert tiny.loc["a", ["elo", "low", "high"]].tolist() == [0.0, 0.0, 0.0]
    found = ratings(matches, "a", draws=20).set_index("policy").loc["b", "elo"] / ELO

    def slope(x: float) -> float:  # x = log γ_b = −log γ_a
        return 30 - 40 / (1 + np.exp(-2 * x)) + 2 * (0.5 - 1 / (1 + np.exp(-x))) / 2

    assert slope(found / 2) == pytest.approx(0.0, abs=1e-3)


def test_the_fit_is_the_penalised_likelihoods_maximum():
    matches = planted(STRENGTHS, 80, 4, 0)
    prior = 1.0

    def loss(log: np.ndarray) -> float:
        total = -np.sum(prior * 0.5 * (log - 2 * np.log1p(np.exp(log))))
        for players, scores in zip(matches.players, matches.scores, strict=True):
            order = log[players[np.argsort(-scores)]]
            total -= sum(order[k] - np.log(np.exp(order[k:]).sum()) for k in range(len(order) - 1))
        return float(total)

    best = minimize(loss, np.zeros(5), tol=1e-12).x
    found = by_name(matches, prior=prior, draws=2)["elo"].to_numpy()
    assert found == pytest.approx(ELO * (best - best[0]), abs=0.05)


def test_the_kernel_is_the_plain_function():
    rankings = module._rankings(planted(STRENGTHS, 20, 4, 1))
    weight = rankings.weights(np.ones(20))
    plain, compiled = np.ones(5), np.ones(5)
    assert module._fit(rankings.order, weight, 1.0, 1e-6, 500, plain) == module.fit(
        rankings.order, weight, 1.0, 1e-6, 500, compiled
    )
    assert plain == pytest.approx(compiled, rel=1e-12)


@pytest.mark.parametrize(("worlds", "seats", "repeats"), [(60, 4, 1), (50, 7, 1), (40, 4, 4)])
def test_a_planted_model_is_recovered_within_its_intervals(worlds, seats, repeats):
    """K9: 95 % intervals of the differences cover in 0.91–0.99 of 200 replications, and are centred."""
    truth, hits, bias = ELO * (STRENGTHS - STRENGTHS[0]), np.zeros(5), np.zeros(5)
    for seed in range(200):
        found = by_name(planted(STRENGTHS, worlds, seats, seed, repeats), draws=200, seed=seed)
        hits += (found["low"] <= truth) & (truth <= found["high"])
        bias += (found["elo"] - truth) / 200
    assert 0.91 <= hits[1:].mean() / 200 <= 0.99
    assert hits[1:].min() / 200 >= 0.88  # four s.e. below 0.95
    assert np.abs(bias).max() < 12.0


def test_the_anchor_moves_every_rating_alike():
    matches = planted(STRENGTHS, 60, 4, 3)
    one, other = by_name(matches, "p0", draws=20), by_name(matches, "p2", draws=20)
    assert (one["elo"] - other["elo"]).to_numpy() == pytest.approx(one.loc["p2", "elo"], abs=1e-6)
    assert list(ratings(matches, "p0", draws=20)["elo"]) == sorted(one["elo"], reverse=True)


def test_tied_seats_are_rated_alike_and_share_ranks():
    players = np.tile([0, 1, 2], (12, 1))
    scores = np.tile([1.0, 1.0, 0.0], (12, 1))
    scores[:3] = [0.0, 0.0, 1.0]
    table = ratings(make_matches("abc", np.arange(12), players, scores), "a", draws=20).set_index("policy")
    assert table.loc["b", "elo"] == pytest.approx(0.0, abs=1e-3)
    assert table.loc["c", "elo"] < -50.0
    assert table.loc["a", "mean_rank"] == table.loc["b", "mean_rank"] == pytest.approx((9 * 1.5 + 3 * 2.5) / 12)
    assert game_ranks([[3.0, 1.0, 3.0, 0.0]]).tolist() == [[1.5, 3.0, 1.5, 4.0]]


def test_a_policy_that_always_wins_has_a_finite_rating_and_an_open_interval():
    """p0 and p1 share wins; w beats both always, l loses always: no difference to them is the results' alone."""
    players = np.tile([0, 1, 2, 3], (20, 1))
    scores = np.tile([1.0, 2.0, 9.0, 0.0], (20, 1))
    scores[::2, :2] = [2.0, 1.0]
    matches = make_matches(["p0", "p1", "w", "l"], np.arange(20), players, scores)
    found = by_name(matches, draws=50)
    assert found["group"].to_dict() == {"p0": 2, "p1": 2, "w": 1, "l": 3}
    assert np.isfinite(found["elo"]).all()
    assert found.loc["w", "elo"] > 300.0
    assert found.loc["w", "high"] == np.inf
    assert found.loc["w", "low"] > 0.0
    assert found.loc["l", "low"] == -np.inf
    assert found.loc["p1", "low"] <= 0.0 <= found.loc["p1", "high"]
    # A weaker prior lets the winner go further: its size is the prior's word.
    assert by_name(matches, prior=0.1, draws=2).loc["w", "elo"] > found.loc["w", "elo"] + 100.0
    assert set(by_name(planted(STRENGTHS, 60, 4, 0), draws=2)["group"]) == {1}


def test_policies_that_never_met_even_through_others_are_not_rated_together():
    players = np.array([[0, 1], [1, 0], [2, 3], [3, 2]])
    matches = make_matches("abcd", np.arange(4), players, np.tile([1.0, 0.0], (4, 1)))
    with pytest.raises(
        ResultsError, match="^field not connected: policies 'a' and 'c' never met, directly or"
    ) as caught:
        ratings(matches, "a", draws=2)
    assert str(caught.value).endswith("; play more worlds")
    assert len(payoffs(matches, draws=20)) == 4
    linked = make_matches("abcd", np.arange(5), [*players, [3, 1]], np.tile([1.0, 0.0], (5, 1)))
    assert ratings(linked, "a", draws=2)["group"].nunique() == 2


def test_policies_that_the_results_do_not_order_have_intervals_open_on_both_sides():
    """w and v always beat b and never meet: neither bounds the other; b is below both."""
    players, scores = np.tile([[0, 1], [2, 1]], (6, 1)), np.tile([1.0, 0.0], (12, 1))
    found = by_name(make_matches("wbv", np.repeat(np.arange(6), 2), players, scores), "w", draws=20)
    assert (found.loc["v", "low"], found.loc["v", "high"]) == (-np.inf, np.inf)
    assert (found.loc["b", "low"], found.loc["b", "high"] < 0.0) == (-np.inf, True)
    assert found["group"].to_dict() == {"w": 1, "v": 2, "b": 3}


def test_a_policy_in_two_seats_counts_in_both():
    """Hunter's denominators with copies: a plays two of three seats and wins as often as chance has it."""
    players = np.tile([0, 0, 1], (30, 1))
    scores = np.zeros((30, 3))
    for k in range(30):
        scores[k, k % 3] = 2.0
        scores[k, (k + 1) % 3] = 1.0
    table = ratings(make_matches("ab", np.arange(30), players, scores), "a", draws=20).set_index("policy")
    assert table.loc["b", "elo"] == pytest.approx(0.0, abs=1e-2)
    assert table["games"].to_dict() == {"a": 60, "b": 30}


def test_payoffs_count_meetings_and_pair_within_games():
    scores = np.array([[5.0, 3.0], [1.0, 1.0], [0.0, 4.0]])
    matches = make_matches(["a", "b"], [7, 7, 8], np.array([[0, 1], [0, 1], [1, 0]]), scores)
    table = payoffs(matches, draws=300).set_index(["policy", "other"])
    row, back = table.loc[("a", "b")], table.loc[("b", "a")]
    assert (row["meetings"], row["wins"], row["difference"]) == (3, pytest.approx(2.5 / 3), pytest.approx(2.0))
    assert (back["wins"], back["difference"]) == (pytest.approx(0.5 / 3), pytest.approx(-2.0))
    # Two worlds alone tell little: Student's t with one degree of freedom.
    assert row["low"] < 0.1
    assert row["high"] == 1.0
    assert row["difference_low"] < -5.0


def test_few_worlds_that_agree_do_not_settle_a_pair():
    """Always won in 2 worlds: the least share not ruled out is 0.025^(1/2); one world alone leaves all open."""
    matches = make_matches("ab", [0, 0, 1], np.tile([0, 1], (3, 1)), np.tile([1.0, 0.0], (3, 1)))
    row = payoffs(matches, draws=50).iloc[0]
    assert (row["worlds"], row["wins"], row["low"], row["high"]) == (2, 1.0, pytest.approx(0.025**0.5), 1.0)
    players = np.array([[0, 1], [1, 2], [1, 2], [2, 1]])
    table = payoffs(make_matches("abc", [0, 1, 2, 3], players, np.tile([1.0, 0.0], (4, 1))), draws=200)
    row = table[(table["policy"] == "a") & (table["other"] == "b")].iloc[0]
    assert (row["worlds"], row["low"], row["high"]) == (1, 0.0, 1.0)
    assert (row["difference_low"], row["difference_high"]) == (-np.inf, np.inf)
    assert row["low"] <= 0.5 <= row["high"]


def test_payoffs_resample_whole_worlds():
    """Four equal games a world tell no more than one."""
    rng = np.random.default_rng(0)
    players, scores = np.tile([0, 1], (50, 1)), rng.normal([1.0, 0.0], size=(50, 2))
    one = payoffs(make_matches("ab", np.arange(50), players, scores), draws=500).iloc[0]
    worlds = np.repeat(np.arange(50), 4)
    four = payoffs(make_matches("ab", worlds, players.repeat(4, 0), scores.repeat(4, 0)), draws=500).iloc[0]
    assert four["meetings"] == 4 * one["meetings"]
    for name in ("wins", "low", "high", "difference", "difference_low", "difference_high"):
        assert four[name] == pytest.approx(one[name])
    gaps = scores[:, 0] - scores[:, 1]
    student = 2.0096 * gaps.std(ddof=1) / np.sqrt(50)
    assert (one["difference_high"] - one["difference_low"]) / 2 == pytest.approx(student, rel=0.08)


def test_pairs_that_never_met_have_no_row():
    players = np.array([[0, 1], [1, 2], [0, 1], [1, 2]])
    table = payoffs(make_matches("abc", np.arange(4), players, np.eye(4)[:, :2]), draws=50)
    assert {(p, o) for p, o in zip(table["policy"], table["other"], strict=True)} == {
        ("a", "b"), ("b", "a"), ("b", "c"), ("c", "b"),
    }  # fmt: skip


def stone_paper_scissors(clear: bool) -> Matches:
    pairs = [(0, 1), (1, 2), (2, 0)]
    rows, wins = [], []
    for a, b in pairs:
        for k in range(30):
            rows.append((a, b))
            wins.append((1.0, 0.0) if k % 10 < (8 if clear else 5) else (0.0, 1.0))
    return make_matches(["stone", "scissors", "paper"], np.arange(90), np.array(rows), np.array(wins))


def test_a_cycle_is_listed_once_and_only_where_intervals_are_clear():
    matches = stone_paper_scissors(clear=True)
    assert cycles(payoffs(matches, draws=300)) == [("stone", "scissors", "paper")]
    assert cycles(payoffs(stone_paper_scissors(clear=False), draws=300)) == []
    assert np.abs(by_name(matches, "stone", draws=20)["elo"]).max() < 1.0
    backwards = payoffs(matches._replace(scores=-matches.scores), draws=300)
    assert cycles(backwards) == [("stone", "paper", "scissors")]


def test_cycles_need_every_side():
    names = ["a", "b", "c", "d"]
    rows = [(i, j, 0.9 if names.index(i) < names.index(j) else 0.1) for i, j in permutations(names, 2)]
    table = pd.DataFrame([{"policy": i, "other": j, "low": wins - 0.05} for i, j, wins in rows])
    assert cycles(table) == []


GOOD = {"policies": "ab", "world_ids": [0, 1], "players": [[0, 1], [1, 0]], "scores": [[1.0, 2.0], [3.0, 4.0]]}


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"policies": "a"}, "give at least two different"),
        ({"policies": "aa"}, "give at least two different"),
        ({"world_ids": [3, 3]}, "fewer than 2 worlds"),
        ({"players": [[0, 1]]}, "not games × seats"),
        ({"players": [[0, 2], [1, 0]]}, "0 … 2; give 0 … 1"),
        ({"policies": "abc"}, "'c' plays no game"),
        ({"scores": [[np.nan, 2.0], [3.0, 4.0]]}, "NaN"),
    ],
)
def test_games_that_cannot_be_rated_are_one_line(change, word):
    with pytest.raises(ResultsError, match=word) as caught:
        make_matches(**(GOOD | change))
    assert "\n" not in str(caught.value)


def test_anchor_and_prior_are_checked():
    matches = make_matches(**GOOD)
    with pytest.raises(ResultsError, match="anchor='z' plays no game; choose one of a, b"):
        ratings(matches, "z")
    for prior in (0.0, -1.0, np.inf, np.nan):
        with pytest.raises(ResultsError, match="not above 0"):
            ratings(matches, "a", prior=prior)
