"""Honest cognition: given the same orders and shares, no level, sham or planner setting touches the physical world."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from random_games import minds, scenarios
from worlds import BUSY, bits, copied, differing, random_orders, random_shares, scenario, with_levels

from civsim.base.scenario import Scenario
from civsim.engine.state import PHYSICAL_FIELDS, SPEC, Orders
from civsim.engine.world import World

WORLDS = 2


def with_mind(game: Scenario, seat: dict[str, Any]) -> Scenario:
    """The same game, every seat with another mind."""
    table = game.model_dump(exclude_unset=True)
    table.pop("seats", None)
    return Scenario.model_validate({**table, "seat_default": seat})


def play(game: Scenario, orders_of: Any, seed: int) -> tuple[list[dict[str, bytes]], list[Orders], list[np.ndarray]]:
    """Play a game; return the physical bytes after every turn, the orders and the shares."""
    world = World(game, WORLDS, seed=seed)
    rng = np.random.default_rng(seed)
    trail, orders, shares = [], [], []
    while not world.done.all():
        shares.append(random_shares(world, rng))
        given = orders_of(world, rng)
        world.step(shares[-1], given)
        orders.append(copied(world.orders if given is None else given))
        trail.append(bits(world))
    return trail, orders, shares


def assert_replay_matches(game: Scenario, seed: int, record: tuple[Any, Any, Any]) -> None:
    """Replaying the orders and shares under ``game`` gives the same physical bytes after every turn."""
    world = World(game, WORLDS, seed=seed)
    for turn, (expected, orders, shares) in enumerate(zip(*record, strict=True)):
        world.step(shares, orders)
        assert not differing(expected, bits(world)), f"turn {turn}"


@given(scenarios(), minds(), st.integers(0, 2**32))
@settings(max_examples=250)
def test_recorded_orders_replayed_under_another_mind(game: Scenario, mind: dict[str, Any], seed: int) -> None:
    record = play(game, lambda world, rng: None, seed)
    assert_replay_matches(game, seed, record)
    assert_replay_matches(with_mind(game, mind), seed, record)


@given(scenarios(), minds(), st.integers(0, 2**32))
@settings(max_examples=250)
def test_random_orders_replayed_under_another_mind(game: Scenario, mind: dict[str, Any], seed: int) -> None:
    record = play(game, random_orders, seed)
    assert_replay_matches(with_mind(game, mind), seed, record)


def test_the_property_can_fail() -> None:
    # Played, not replayed, another mind does lead to another world.
    trails = []
    for horizon, sight in ((0, 1), (6, 5)):
        game = with_levels(scenario(BUSY), horizon, sight, 6)
        trails.append(play(game, lambda world, rng: None, 7)[0])
    assert "owner" in differing(trails[0][-1], trails[1][-1])


def test_which_fields_are_physical() -> None:
    minds_own = {"level", "seen", "known_owner", "known_works", "known_wall", "known_site", "plan_value", "witness"}
    assert set(SPEC) - set(PHYSICAL_FIELDS) >= minds_own
    assert {"owner", "works", "wall", "stock", "muster", "output", "utility", "spent", "alive"} <= set(PHYSICAL_FIELDS)


@pytest.mark.parametrize(
    "endowment", [{"horizon": 0, "sight": 1, "attention": 2}, {"horizon": 4, "sight": 3, "attention": 5}]
)
def test_an_inert_sham_is_an_arm_at_endowment_levels(endowment: dict[str, int]) -> None:
    base = scenario(BUSY, thinking__endowment=endowment)
    sham = with_mind(base, {"sham": "inert"})
    arm = with_mind(base, {"levels": endowment})
    trails = [play(game, lambda world, rng: None, 3)[0] for game in (sham, arm)]
    for turn, (a, b) in enumerate(zip(*trails, strict=True)):
        assert not differing(a, b), f"turn {turn}"
    worlds = [World(game, WORLDS, seed=3) for game in (sham, arm)]
    rng = [np.random.default_rng(3), np.random.default_rng(3)]
    while not worlds[0].done.all():
        for world, generator in zip(worlds, rng, strict=True):
            world.step(random_shares(world, generator))
        assert not differing(bits(worlds[0], SPEC), bits(worlds[1], SPEC))


def test_a_shuffled_sham_pays_alike_and_knows_otherwise() -> None:
    games = [
        with_mind(scenario(BUSY), {"levels": {"horizon": 6, "sight": 4}, "sham": sham}) for sham in ("none", "shuffled")
    ]
    first, second = (play(game, lambda world, rng: None, 3)[0] for game in games)
    assert "owner" in differing(first[-1], second[-1])
