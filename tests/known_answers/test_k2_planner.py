"""K2: the planner against exhaustive search, on small still lands that it sees whole.

The share of the headroom between the rule of thumb and the optimum that the planner gains, by horizon, beside the
npv rule alone. Measured (96 lands, rules version 2): .97 at h = T, .74 at 8, .33 at 4; the rule alone .85.
"""

from __future__ import annotations

import numpy as np
import pytest

from civsim.validation.exhaustive import greedy
from civsim.validation.k2_planner import FLOOR, FLOOR_WORST_DECILE, NOISE, Gains, family_gains, pooled
from civsim.validation.small_lands import FAMILIES, TURNS, played, small_land, value_of

HORIZONS = (0, 1, 2, 4, 8, 12, 16, TURNS)
LANDS = 24


def gains(family: str) -> Gains:
    """Every land of a family that has headroom and can be solved."""
    return family_gains(family, LANDS, HORIZONS).gains


def every_family() -> Gains:
    """All families together."""
    return pooled([gains(family) for family in FAMILIES])


def report(found: Gains) -> str:
    """A line for people: ratio by horizon and of the constant."""
    by_horizon = ", ".join(f"h={h} {r:.2f}" for h, r in zip(HORIZONS, found.ratios, strict=True))
    return f"{found.greedy.size} lands: {by_horizon}; npv rule {found.ratio_of_rule:.2f}"


@pytest.mark.parametrize("family", FAMILIES)
def test_without_thinking_the_rule_of_thumb_is_greedy_exactly(family: str) -> None:
    for seed in range(LANDS):
        small = small_land(family, seed)
        value, claims = greedy(small.problem)
        world = played(small, 0)
        assert value_of(world) == pytest.approx(value, rel=1e-12)
        assert world.state.gains[0, 0, 0] == (claims >= 0).sum()


@pytest.mark.parametrize("family", FAMILIES)
def test_nobody_beats_the_optimum(family: str) -> None:
    found = gains(family)
    assert found.greedy.size >= 5
    assert (found.planner <= found.optimum[:, None] * (1 + 1e-6)).all()
    assert (found.alone <= found.optimum * (1 + 1e-6)).all()


def test_thinking_to_the_end_gains_most_of_the_headroom() -> None:
    found = every_family()
    print(report(found))
    assert found.greedy.size >= 30
    assert found.ratios[-1] >= FLOOR, report(found)
    single = (found.planner[:, -1] - found.greedy) / (found.optimum - found.greedy)
    assert np.quantile(single, 0.1) >= FLOOR_WORST_DECILE, report(found)


@pytest.mark.parametrize("family", FAMILIES)
def test_every_family_of_lands_is_planned_well(family: str) -> None:
    found = gains(family)
    print(family, report(found))
    assert found.ratios[-1] >= 0.5, report(found)


def test_gains_do_not_fall_as_the_horizon_grows_to_the_end() -> None:
    by_horizon = every_family().ratios
    # Short rollouts may lose to a good rule (they are reported, not hidden); from h = 4 on nothing is lost by more.
    start = HORIZONS.index(4)
    assert by_horizon[-1] >= by_horizon.max() - NOISE
    assert (np.diff(by_horizon[start:]) > -NOISE).all(), by_horizon
