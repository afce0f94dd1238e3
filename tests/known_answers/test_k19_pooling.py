"""K19: the fund of all begins a dear project sooner than a province's own, and in between the first that can pay."""

from __future__ import annotations

import pytest

from civsim.validation.k19_pooling import Realm, begins_after, begun, claims_then, on_the_edge


@pytest.mark.parametrize("beside", ["each", "one"])
@pytest.mark.parametrize(
    ("pool", "turns"),
    # S = 3, C = 12, y = 1: 12 / 3, 12 / 2.25 (a purse of a quarter takes 48), 12 / 1.5, and 12 / 1 of a purse.
    [(1.0, 4), (0.75, 6), (0.5, 8), (0.0, 12)],
)
def test_turns_are_those_of_whoever_can_pay_first(pool: float, turns: int, beside: str) -> None:
    realm = Realm(3, 12, 1, pool, beside, 0)
    assert begins_after(realm) == turns
    assert begun(realm).turns == turns


@pytest.mark.parametrize("horizon", [0, 8])
@pytest.mark.parametrize(("count", "cost", "output"), [(2, 7, 2), (5, 9, 2), (8, 20, 3)])
def test_the_centre_begins_s_times_as_soon(count: int, cost: int, output: int, horizon: int) -> None:
    centre, province = (Realm(count, cost, output, pool, "one", horizon) for pool in (1.0, 0.0))
    assert begun(centre).turns == -(-cost // (count * output))
    assert begun(province).turns == -(-cost // output)


def test_provinces_begin_all_at_once_and_the_centre_what_its_pool_pays() -> None:
    provinces, centre = (Realm(4, 6, 1, pool, "each", 0) for pool in (0.0, 1.0))
    assert begun(provinces) == (6, 4)
    assert begun(centre) == (2, 1)
    assert [claims_then(realm, begins_after(realm)) for realm in (provinces, centre)] == [4, 1]


def test_only_what_no_binary_number_holds_is_on_the_edge() -> None:
    assert on_the_edge(Realm(2, 9, 1, 0.1, "one", 0))
    assert not on_the_edge(Realm(2, 9, 1, 0.0, "one", 0))
    assert not on_the_edge(Realm(3, 8, 2, 0.3, "one", 0))
