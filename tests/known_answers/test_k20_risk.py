"""K20: many baskets lose as much as one on average, and less often all; falls take the shares of those that fell."""

from __future__ import annotations

import numpy as np
import pytest

from civsim.validation.k20_risk import (
    Weights,
    all_lost,
    attacked,
    expected,
    orders_of_falls,
    realm,
    shares_of,
    staff_left,
    variance,
)

WORLDS, Q = 4000, 0.3
KINDS: tuple[Weights, ...] = ("equal", "rising")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("lost", [0.4, 1.0])
@pytest.mark.parametrize("count", [1, 3, 4])
def test_any_set_of_falls_in_any_order_takes_its_shares(count: int, lost: float, kind: Weights) -> None:
    orders = orders_of_falls(count)
    falls = attacked(realm(count, lost, kind, len(orders), 3), orders, 1.0, 0.0)
    meant = np.array([[office in order for office in range(count)] for order in orders])
    assert (falls.fell == meant).all()
    left = staff_left(meant, shares_of(count, kind), lost)
    assert falls.left == pytest.approx(np.repeat(left[:, None], 3, axis=1), abs=1e-6)
    assert (falls.left >= 0.0).all()


def test_every_set_and_order_is_tried() -> None:
    assert len(orders_of_falls(3)) == 16
    assert len({tuple(order) for order in orders_of_falls(4)}) == 65


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("count", [1, 2, 4])
def test_drawn_falls_have_the_moments_of_theory(count: int, kind: Weights) -> None:
    world = realm(count, 1.0, kind, WORLDS, 5)
    falls = attacked(world, np.tile(np.arange(count), (WORLDS, 1)), Q, 1.0 - Q)
    left, shares = falls.left[:, 0], shares_of(count, kind)
    assert falls.fell.mean() == pytest.approx(Q, abs=0.03)
    assert left.mean() == pytest.approx(expected(Q, 1.0), abs=4 * left.std() / np.sqrt(WORLDS))
    assert left.var() == pytest.approx(variance(Q, 1.0, shares), rel=0.12)
    assert (left < 1e-6).mean() == pytest.approx(all_lost(Q, count), abs=0.03)


def test_spreading_keeps_the_mean_and_divides_the_variance() -> None:
    assert variance(Q, 0.5, shares_of(4, "equal")) == pytest.approx(variance(Q, 0.5, shares_of(1, "equal")) / 4)
    assert variance(Q, 0.5, shares_of(4, "rising")) > variance(Q, 0.5, shares_of(4, "equal"))
    assert all_lost(Q, 4) == pytest.approx(Q**4)


def test_falls_are_independent() -> None:
    falls = attacked(realm(4, 0.5, "equal", WORLDS, 6), np.tile(np.arange(4), (WORLDS, 1)), Q, 1.0 - Q)
    apart = np.corrcoef(falls.fell.T)[~np.eye(4, dtype=bool)]
    assert np.abs(apart).max() < 4.0 / np.sqrt(WORLDS)
