"""K15: doubling a fund that a cap keeps from being spent moves nothing; below the cap it moves what it pays for."""

from __future__ import annotations

import pytest

from civsim.validation.k15_caps import KINDS, MOST, REALM, output_of, played

FUND, TURNS = 4, 4
SECTIONS = pytest.mark.parametrize("section", KINDS)


@SECTIONS
def test_a_fund_at_the_cap_can_double_and_nothing_moves(section: str) -> None:
    once, twice = (played(section, 1, fund, TURNS) for fund in (FUND, 2 * FUND))
    # No work is begun in the last turn: it would mature when the game is over.
    assert [len(turn) for turn in once.orders] == [1, 1, 1, int(section != "works")]
    assert twice == once


@SECTIONS
def test_below_the_cap_the_orders_double_with_it(section: str) -> None:
    once, twice = (played(section, MOST, fund, TURNS) for fund in (FUND, 2 * FUND))
    assert [len(turn) for turn in once.orders] == [FUND, 0, 0, 0]
    assert [len(turn) for turn in twice.orders] == [2 * FUND, 0, 0, 0]
    assert set(once.orders[0]) < set(twice.orders[0])


@SECTIONS
@pytest.mark.parametrize("cap", [1, 3, MOST])
def test_output_is_that_of_the_orders_that_could_be_given(section: str, cap: int) -> None:
    found = played(section, cap, FUND, TURNS).output
    assert found == output_of(section, cap, FUND, TURNS)
    assert (found > len(REALM) * TURNS) == (section != "walls")
