"""Weights and actions become shares in one place: known answers, closed categories, malformed input."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from civsim.base.errors import ActionError, ScenarioError
from civsim.faces import actions
from civsim.faces.actions import (
    action_bounds,
    action_from_shares,
    check_action,
    check_kind,
    project_shares,
    shares_from_action,
    shares_of,
)

OPEN = np.ones(8, np.bool_)
HALF = np.array([1, 1, 1, 1, 0, 0, 0, 0], np.bool_)
NAN, INF = float("nan"), float("inf")


def test_weights_become_shares():
    assert project_shares([1, 1, 2, 0, 0, 0, 0, 0], OPEN).tolist() == [0.25, 0.25, 0.5, 0, 0, 0, 0, 0]


def test_a_closed_category_is_exactly_zero():
    shares = project_shares([1, 1, 1, 1, 5, 5, 5, 5], HALF)
    assert shares.tolist() == [0.25] * 4 + [0.0] * 4


def test_no_weight_on_an_open_category_is_split_evenly():
    assert project_shares([0, 0, 0, 0, 1, 0, 0, 0], HALF).tolist() == [0.25] * 4 + [0.0] * 4
    assert project_shares(np.zeros((2, 3, 8)), OPEN).tolist() == np.full((2, 3, 8), 0.125).tolist()


def test_huge_and_tiny_weights_keep_their_ratio():
    assert project_shares([1e308, 1e308, 0, 0, 0, 0, 0, 0], OPEN).tolist()[:2] == [0.5, 0.5]
    assert project_shares([5e-324, 0, 0, 0, 0, 0, 0, 0], OPEN)[0] == 1.0


def test_the_zero_action_is_an_eighth_each():
    assert shares_from_action(np.zeros(8), OPEN).tolist() == [0.125] * 8


def test_an_action_is_the_softmax_of_three_times_itself():
    action = np.array([1.0, -1.0, 0.5, 0.0, 0.0, 0.0, 0.0, 0.0])
    total = math.exp(3) + math.exp(-3) + math.exp(1.5) + 5
    expected = [math.exp(3) / total, math.exp(-3) / total, math.exp(1.5) / total, *[1 / total] * 5]
    assert shares_from_action(action, OPEN) == pytest.approx(expected, rel=1e-6)


def test_what_lies_outside_the_box_is_clipped():
    wild = np.array([9.0, -9.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0])
    assert np.array_equal(shares_from_action(wild, OPEN), shares_from_action(np.clip(wild, -1, 1), OPEN))


def test_a_closed_category_of_an_action_has_no_effect():
    action = np.array([0.1, 0.2, 0.3, 0.4, 0.9, -0.9, 0.5, 0.0])
    other = np.where(HALF, action, 0.0)
    shares = shares_from_action(action, HALF)
    assert shares[4:].tolist() == [0.0] * 4
    assert np.array_equal(shares, shares_from_action(other, HALF))


def test_a_softmax_action_is_what_it_always_was():
    action = np.random.default_rng(0).uniform(-1.2, 1.2, (5, 8))
    assert np.array_equal(shares_of("softmax", action, HALF), shares_from_action(action, HALF))
    assert action_bounds("softmax") == (-1.0, 1.0)


def test_a_simplex_action_is_weights():
    action = [0.5, 0.25, 0.25, 0, 1, 1, 1, 1]
    assert shares_of("simplex", action, HALF).tolist() == [0.5, 0.25, 0.25, 0, 0, 0, 0, 0]
    assert shares_of("simplex", np.full(8, 0.3), OPEN).tolist() == [0.125] * 8
    assert shares_of("simplex", np.zeros(8), HALF).tolist() == [0.25] * 4 + [0.0] * 4
    assert action_bounds("simplex") == (0.0, 1.0)


def test_a_simplex_action_outside_the_box_is_clipped():
    wild = [2.0, -3.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0]
    assert shares_of("simplex", wild, OPEN).tolist() == [0.5, 0, 0.5, 0, 0, 0, 0, 0]


@given(hnp.arrays(np.float32, (3, 8), elements=st.floats(0, 1, width=32)).filter(lambda a: a.any(axis=1).all()))
def test_simplex_actions_that_are_shares_stay_what_they_are(weights):
    shares = project_shares(weights, OPEN)
    assert shares_of("simplex", shares, OPEN) == pytest.approx(shares, rel=1e-6, abs=0)


@pytest.mark.parametrize("kind", ["levels", "", None, "Softmax"])
def test_another_kind_of_action_is_refused(kind):
    with pytest.raises(ScenarioError, match="use 'softmax' or 'simplex'"):
        check_kind(kind)


@pytest.mark.parametrize("opened", [OPEN, HALF], ids=["open", "closed"])
def test_an_action_is_found_for_shares(opened):
    shares = project_shares([0.3, 0.2, 0.1, 0.1, 0.1, 0.05, 0.05, 0.1], opened)
    action = action_from_shares(shares, opened)
    assert (np.abs(action) <= 1).all()
    assert shares_from_action(action, opened) == pytest.approx(shares, abs=1e-6)


def test_shares_out_of_the_boxs_reach_are_approached():
    action = action_from_shares([1.0, 0, 0, 0, 0, 0, 0, 0], OPEN)
    assert action == pytest.approx([1.0] + [-1.0] * 7)


@given(hnp.arrays(np.float64, (8,), elements=st.floats(0, 1e300)), hnp.arrays(np.bool_, (8,)).filter(np.any))
def test_shares_are_on_the_simplex(weights, opened):
    shares = project_shares(weights, opened)
    assert shares.dtype == np.float32
    assert (shares >= 0).all()
    assert abs(float(shares.astype(np.float64).sum()) - 1) < 1e-6
    assert not shares[~opened].any()


@pytest.mark.parametrize("shape", [(1, 1, 8), (5, 3, 8), (64, 4, 8), (7, 8)])
def test_a_row_does_not_depend_on_its_batch(shape):
    actions = np.random.default_rng(0).uniform(-1, 1, shape)
    together = shares_from_action(actions, OPEN).reshape(-1, 8)
    scattered = shares_from_action(np.asfortranarray(actions), OPEN).reshape(-1, 8)
    alone = np.stack([shares_from_action(row, OPEN) for row in actions.reshape(-1, 8)])
    assert np.array_equal(together, alone)
    assert np.array_equal(scattered, alone)


GOOD = np.zeros(8)


def with_value(value: float, place: int = 3) -> np.ndarray:
    action = GOOD.copy()
    action[place] = value
    return action


MALFORMED_ACTIONS = {
    "nan": with_value(NAN),
    "infinite": with_value(INF),
    "minus infinity": with_value(-INF),
    "too short": np.zeros(7),
    "too long": np.zeros(9),
    "a scalar": np.float64(0.5),
    "empty": np.zeros(0),
    "text": "consume",
    "texts": ["0"] * 8,
    "objects": np.array([None] * 8, object),
    "ragged": [[0.0], [0.0, 0.0]],
    "complex": np.zeros(8, complex),
    "booleans": np.zeros(8, bool),
    "none": None,
    "a mapping": {"consumption": 1.0},
}


@pytest.mark.parametrize("action", MALFORMED_ACTIONS.values(), ids=MALFORMED_ACTIONS.keys())
def test_malformed_actions_are_refused_in_one_line(action):
    for kind in ("softmax", "simplex"):
        with pytest.raises(ActionError) as caught:
            shares_of(kind, action, OPEN)
        assert "\n" not in str(caught.value)
        assert len(str(caught.value)) < 200


@pytest.mark.parametrize("weights", [with_value(-0.1), with_value(NAN), with_value(INF), np.ones(7), np.float64(1.0)])
def test_malformed_weights_are_refused(weights):
    with pytest.raises(ActionError, match=r"weights"):
        project_shares(weights, OPEN)


def test_errors_name_the_category_and_the_row():
    rows = np.zeros((2, 3, 8))
    rows[1, 2, 4] = NAN
    with pytest.raises(ActionError, match=r"walls=nan in row \(1, 2\)"):
        check_action(rows)
    with pytest.raises(ActionError, match=r"shape \(2, 3, 8\); it must be \(8,\)"):
        check_action(rows, (8,))


def test_an_action_is_not_written_to():
    action = np.full(8, 5.0)
    shares_from_action(action, HALF)
    assert action.tolist() == [5.0] * 8


def oracle(kind: str, action: np.ndarray, opened: np.ndarray) -> np.ndarray:
    """The shares of an action, in plain NumPy."""
    rows = np.clip(np.array(action, np.float64), *action_bounds(kind))
    rows = np.exp(3.0 * rows) if kind == "softmax" else rows
    rows[..., ~opened] = 0.0
    largest = rows.max(axis=-1, keepdims=True)
    rows = np.where(largest == 0.0, opened.astype(np.float64), rows / np.where(largest == 0.0, 1.0, largest))
    total = rows[..., 0].copy()
    for category in range(1, 8):
        total += rows[..., category]
    return (rows / total[..., None]).astype(np.float32)


@pytest.mark.parametrize("kind", ["softmax", "simplex"])
def test_shares_are_what_numpy_makes_of_actions_bit_for_bit(kind):
    rng = np.random.default_rng(0)
    for turn in range(300):
        shape = [(8,), (1, 8), (5, 3, 8), (64, 4, 8)][turn % 4]
        action = rng.normal(0.0, rng.choice([0.1, 1.0, 1e3]), shape)
        action[rng.random(shape) < 0.2] = rng.choice([0.0, -0.0, 1.0, 5e-324])
        action = action.astype(rng.choice([np.float32, np.float64]))
        opened = rng.random(8) < 0.7
        opened[rng.integers(8)] = True
        kept = action.copy()
        assert shares_of(kind, action, opened).tobytes() == oracle(kind, action, opened).tobytes()
        assert np.array_equal(action, kept)


def test_compiled_and_plain_agree():
    rng = np.random.default_rng(0)
    weights = rng.exponential(1.0, (20, 8)) * (rng.random((20, 8)) < 0.5)
    for opened in (OPEN, HALF):
        plain, compiled = np.zeros((2, 20, 8), np.float32)
        assert actions._project(weights, opened, plain)
        assert actions.project(weights, opened, compiled)
        assert np.array_equal(plain, compiled)
    for bad in (NAN, INF, -0.1):
        weights[19, 7] = bad
        assert not actions._project(weights, OPEN, plain)
        assert actions._are_finite(weights) == actions.are_finite(weights) == (bad == -0.1)
    one, other = rng.normal(0.0, 1.0, (3, 8)), np.zeros((3, 8))
    other[:] = one
    actions._fit(one, -1.0, 1.0, 3.0)
    actions.fit(other, -1.0, 1.0, 3.0)
    assert np.array_equal(one, other)
