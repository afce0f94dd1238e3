"""Output = Σ over undisrupted own cells of F · (1 + D) + ω · O, and grants."""

from __future__ import annotations

import pytest
from worlds import hold, no_orders, split, still_world


def produce(world) -> float:
    """Output of civilization 0 in the next turn."""
    return float(world.step(split(world, consumption=1), no_orders(world)).output[0, 0])


def test_sum_over_held_cells() -> None:
    world = still_world(rich={14: 2.0, 15: 0.5}, ore={15: 3.0, 20: 7.0}, economy__ore_weight=0.25)
    hold(world, 0, 15, 16)
    world.state.works[0, 14] = 0.5
    world.state.works[0, 16] = 0.25
    # 2 · 1.5 + (0.5 + 0.25 · 3) + 1 · 1.25; the ore of cell 20 is nobody's
    assert produce(world) == pytest.approx(5.5)


def test_disrupted_cells_give_nothing_for_as_long_as_said() -> None:
    world = still_world(rich={14: 2.0}, ore={14: 1.0})
    hold(world, 0, 15)
    # Set between turns: the turn to come lets one pass before it produces.
    world.state.disrupted[0, 14] = 3
    assert [produce(world) for _ in range(4)] == pytest.approx([1.0, 1.0, 3.5, 3.5])


def test_a_volatile_site_in_its_low_state() -> None:
    world = still_world(rich={14: 2.0}, map__volatility=1e-12, map__volatile_low=0.25)
    hold(world, 0, 15)
    world.state.site_state[0, 14] = 0
    world.state.works[0, 14] = 1.0
    assert produce(world) == pytest.approx(2.0 * 0.25 * 2 + 1.0)


def test_grant_of_output_is_added_while_alive() -> None:
    seat = {"grant": {"output": 2.5}}
    world = still_world(seat_default=seat)
    assert produce(world) == pytest.approx(3.5)
