"""Evaluation: paired worlds, an interval that covers, and the focal seat alone swapped."""

from __future__ import annotations

import csv

import numpy as np
import pytest

from civsim.agents import make_policy, seat_policies
from civsim.agents.evaluate import (
    HELD_OUT_FIRST,
    Outcomes,
    bootstrap_interval,
    compare,
    evaluate,
    held_out,
    outcomes,
    spending_shares,
    write_outcomes,
)
from civsim.base.config import Scenario
from civsim.base.constants import Objective
from civsim.base.errors import CheckpointError
from civsim.engine.world import World

SMALL = Scenario.model_validate({"map": {"width": 8, "height": 8}, "game": {"turns": 20, "civilizations": 3}})


def test_outcomes_are_the_focal_seats_utilities():
    ids = [4, 9, 5, 2**31 + 1]
    builder = make_policy("builder", {}, SMALL)
    got = outcomes(SMALL, builder, ids, seed=3)
    for row, world_id in enumerate(ids):
        focal = world_id % 3
        world = World(SMALL, world_ids=[world_id], seed=3)
        players = seat_policies(SMALL, {focal: builder})
        while not world.done.all():
            world.step(players.shares(world))
        assert np.array_equal(got.utility[row], world.state.utility[0, focal])
        assert np.array_equal(got.spent[row], world.state.spent[0, focal])


def test_a_fixed_seat_is_honoured():
    uniform = make_policy("uniform", {}, SMALL)
    rotating, fixed = outcomes(SMALL, uniform, [1, 3], 0), outcomes(SMALL, uniform, [1, 3], 0, seat=0)
    assert np.array_equal(rotating.utility[1], fixed.utility[1])
    assert not np.array_equal(rotating.utility[0], fixed.utility[0])


def test_a_policy_against_itself_is_exactly_nothing():
    uniform = make_policy("uniform", {}, SMALL)
    comparisons, results = evaluate(SMALL, uniform, {"uniform": uniform}, worlds=6)
    assert list(results) == ["trained", "uniform"]
    assert comparisons[0][2:] == (comparisons[0].mean, comparisons[0].mean, 0.0, 0.0, 0.0, 0.0)


def test_held_out_worlds_are_out_of_training_reach():
    assert held_out(3).tolist() == [HELD_OUT_FIRST, HELD_OUT_FIRST + 1, HELD_OUT_FIRST + 2]


def test_the_comparison_is_of_paired_differences():
    own, other = np.array([3.0, 5.0, 4.0]), np.array([1.0, 5.0, 6.0])
    result = compare("x", own, other, seed=0)
    assert (result.mean, result.other, result.difference, result.worlds) == (4.0, 4.0, 0.0, 3)
    assert result.better == pytest.approx(1 / 3)
    assert (result.low, result.high) == (-2.0, 2.0)


def test_the_interval_covers_what_it_promises():
    rng = np.random.default_rng(0)
    hits = 0
    for k in range(200):
        low, high = bootstrap_interval(rng.exponential(1.0, 100) - 1.0, seed=k, resamples=400)
        hits += low <= 0.0 <= high
    assert 0.89 <= hits / 200 <= 0.99


def test_the_interval_shrinks_with_worlds_and_repeats_with_its_seed():
    values = np.random.default_rng(1).normal(size=400)
    wide, narrow = (np.diff(bootstrap_interval(values[:n], 0, 500))[0] for n in (40, 400))
    assert narrow < 0.6 * wide
    assert bootstrap_interval(values, 7, 100) == bootstrap_interval(values, 7, 100)
    assert bootstrap_interval(values, 7, 100) != bootstrap_interval(values, 8, 100)


def test_one_world_gives_no_interval():
    uniform = make_policy("uniform", {}, SMALL)
    with pytest.raises(CheckpointError, match="worlds=1 is too few for an interval; give at least 2"):
        evaluate(SMALL, uniform, {"uniform": uniform}, worlds=1)
    with pytest.raises(CheckpointError, match="^1 worlds are too few"):
        compare("x", np.ones(1), np.zeros(1), seed=0)


def test_spending_shares_are_of_all_spending():
    spent = np.zeros((2, 8))
    spent[0, 0], spent[1, 5] = 3.0, 1.0
    shares = spending_shares(Outcomes(np.zeros((2, 4)), spent))
    assert (shares["consumption"], shares["strategists"], shares["army"]) == (0.75, 0.25, 0.0)
    assert set(spending_shares(Outcomes(np.zeros((2, 4)), np.zeros((2, 8)))).values()) == {0.0}


def test_the_table_of_outcomes_keeps_every_digit(tmp_path):
    spent = np.arange(8.0)[None, :]
    results = {
        "a": Outcomes(np.array([[0.1 + 0.2, 1, 2, 3]]), spent),
        "b": Outcomes(np.array([[4.0, 5, 6, 7]]), spent),
    }
    write_outcomes(tmp_path / "t.csv", results, np.array([9]), [1])
    with (tmp_path / "t.csv").open() as handle:
        rows = list(csv.DictReader(handle))
    assert [row["policy"] for row in rows] == ["a", "b"]
    assert float(rows[0][Objective.WELFARE.name.lower()]) == 0.1 + 0.2
    assert (rows[1]["world_id"], rows[1]["seat"], rows[1]["share"]) == ("9", "1", "7.0")
    assert rows[1]["spent_analysts"] == "7.0"
