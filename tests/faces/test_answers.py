"""What hand-written civilizations answer: by name or by number, as shares or as weights, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from civsim.base.constants import Category
from civsim.base.errors import ActionError
from civsim.faces.actions import project_shares
from civsim.faces.answers import shares_of_answer

ALL = np.ones(8, np.bool_)
NO_WALLS = np.array([category != Category.WALLS for category in Category])
WEIGHTS = st.lists(st.floats(0.0, 1e300), min_size=8, max_size=8).filter(lambda row: max(row) > 0.0)


@pytest.mark.parametrize("kind", [np.asarray, list, tuple, lambda row: np.asarray(row, np.float64)])
def test_shares_are_played_as_they_are_given(kind):
    for turn in range(200):
        weights = np.random.default_rng(turn).exponential(size=8)
        shares = project_shares(weights, ALL)
        assert np.array_equal(shares_of_answer(kind(shares), ALL), shares)
        table = {category.name.lower(): float(shares[category]) for category in Category}
        assert np.array_equal(shares_of_answer(table, ALL), shares)


def test_dividing_by_the_sum_would_have_changed_some_of_them():
    rows = [project_shares(np.random.default_rng(turn).exponential(size=8), ALL) for turn in range(200)]
    assert any(not np.array_equal(project_shares(row, ALL), row) for row in rows)


@given(WEIGHTS)
def test_weights_become_shares(row):
    shares = shares_of_answer(row, ALL)
    assert shares.dtype == np.float32
    assert (shares >= 0.0).all()
    assert abs(shares.sum(dtype=np.float64) - 1.0) < 1e-4


def test_weights_are_divided_by_their_sum():
    shares = shares_of_answer({"works": 3, "army": 1}, ALL)
    assert shares.tolist() == [0.0, 0.0, 0.75, 0.25, 0.0, 0.0, 0.0, 0.0]
    assert np.array_equal(shares_of_answer([0, 0, 3, 1, 0, 0, 0, 0], ALL), shares)


def test_a_closed_category_gets_nothing():
    assert shares_of_answer({"works": 0.5, "walls": 0.5}, NO_WALLS).tolist() == [0.0, 0.0, 1.0, *5 * [0.0]]


@pytest.mark.parametrize(
    ("answer", "line"),
    [
        (None, "the answer is None; return {category: weight} or 8 numbers"),
        ({"scout": 1}, "category 'scout' is unknown; did you mean 'scouts'?"),
        ({"zeppelin": 1}, "category 'zeppelin' is unknown; use one of consumption, settlement, works, army, walls, "),
        ({2: 1.0}, "category 2 is unknown; use one of consumption"),
        ({"works": "much"}, "works='much' is not a number; give a weight of at least 0"),
        ({"works": True}, "works=True is not a number"),
        ({"works": None}, "works=None is not a number"),
        ({"works": -1.0}, "works=-1 is below 0; give weights of at least 0"),
        ({"works": float("nan")}, "works=nan; an action must be finite"),
        ({"works": float("inf")}, "works=inf; an action must be finite"),
        ({}, "no open category has a weight above 0; give at least one"),
        ({"walls": 1.0}, "no open category has a weight above 0; give at least one"),
        ([1, 2, 3], "action of shape (3,); it must be (8,), one entry for each category"),
        ("works", "action of dtype <U5; give numbers (float32)"),
        (np.ones((1, 8)), "action of shape (1, 8); it must be (8,)"),
        (7, "action of shape (); it must be (8,)"),
    ],
)
def test_what_is_refused(answer, line):
    with pytest.raises(ActionError) as caught:
        shares_of_answer(answer, NO_WALLS)
    assert str(caught.value).startswith(line)
    assert "\n" not in str(caught.value)
