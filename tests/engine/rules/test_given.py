"""Orders given for some civilizations of some worlds while the others plan; malformed ones move nothing."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from worlds import BUSY, copied, differing, no_orders, random_orders, random_shares, scenario, whole, with_levels

from civsim.base.constants import OrderKind, OrderStatus
from civsim.base.errors import ActionError
from civsim.base.scenario import Scenario
from civsim.engine.rules.given import IDS, take_orders
from civsim.engine.state import PHYSICAL_FIELDS
from civsim.engine.world import World

THINKING = with_levels(scenario(BUSY), 4, 3, 6)
BY_RULE = with_levels(scenario(BUSY), 0, 1, 2)
GAMES = pytest.mark.parametrize("game", [THINKING, BY_RULE], ids=["planner", "rule"])
SEEDS = range(3)


def pair(game: Scenario, threads: int = 1) -> tuple[World, World]:
    """Two batches of the same worlds."""
    return World(game, 4, seed=5, threads=threads), World(game, 4, seed=5)


def random_mask(world: World, rng: np.random.Generator) -> np.ndarray:
    """Which civilizations are given orders, bool [B, N]."""
    return rng.random((world.n_worlds, world.n_civilizations)) < 0.5


def play(world: World, other: World, rng: np.random.Generator, given: Any) -> list[str]:
    """Play ``world`` by its planners, ``other`` by their orders where ``given`` says so; return what differs."""
    while not world.done.all():
        shares = random_shares(world, rng)
        world.step(shares)
        mask = given(world, rng)
        wrong = copied(world.orders)
        for name in IDS:
            # What stands where nothing is given is not read.
            getattr(wrong, name)[~mask] = getattr(random_orders(world, rng), name)[~mask]
        other.step(shares, wrong, mask)
        found = differing(whole(world), whole(other))
        if [name for name in found if name in PHYSICAL_FIELDS or name.startswith("orders.")]:
            return found
    return found


@GAMES
@pytest.mark.parametrize("seed", SEEDS)
def test_orders_that_a_planner_gave_are_the_same_when_given_for_some(game: Scenario, seed: int) -> None:
    world, other = pair(game)
    found = play(world, other, np.random.default_rng(seed), random_mask)
    # What a civilization noted of the plan that it made is all that is missing where it made none.
    plans = {"plan_kind", "plan_cell", "plan_value", "plan_turn", "plans", "band_aim"}
    assert set(found) <= {*plans, "seen_sum", "prior_fertility"}


@GAMES
def test_nobody_given_is_everybody_planning(game: Scenario) -> None:
    world, other = pair(game)
    found = play(world, other, np.random.default_rng(0), lambda batch, _: np.zeros((4, 3), np.bool_))
    assert found == []


@GAMES
def test_everybody_given_is_a_replay(game: Scenario) -> None:
    first, second = pair(game)
    rng = np.random.default_rng(1)
    everybody = np.ones((4, 3), np.bool_)
    while not first.done.all():
        shares, orders = random_shares(first, rng), random_orders(first, rng)
        first.step(shares, orders)
        second.step(shares, orders, everybody)
        assert not differing(whole(first), whole(second))


def test_threads_share_whom_orders_are_for() -> None:
    world, other = pair(THINKING, threads=3)
    rng = np.random.default_rng(2)
    while not world.done.all():
        shares, orders, mask = random_shares(world, rng), random_orders(world, rng), random_mask(world, rng)
        world.step(shares, orders, mask)
        other.step(shares, orders, mask)
    assert not differing(whole(world), whole(other))


def test_only_those_who_are_given_no_orders_do_nothing() -> None:
    world = World(THINKING, 4, seed=5)
    rng, mask = np.random.default_rng(3), np.zeros((4, 3), np.bool_)
    mask[[1, 3], 2] = True
    while not world.done.all():
        world.step(random_shares(world, rng), no_orders(world), mask)
        assert (world.orders.kind[mask] == OrderKind.NONE).all()
    done = world.state.gains.sum(axis=2)
    assert (done[mask] == 0).all()
    assert (done[:, :2].sum(axis=0) > 0).all()
    assert done[[0, 2], 2].sum() > 0


def test_a_step_without_orders_does_not_remember_the_last_one_s() -> None:
    world, other = pair(THINKING)
    shares = random_shares(world, np.random.default_rng(4))
    mask = np.zeros((4, 3), np.bool_)
    world.step(shares)
    other.step(shares, no_orders(other), mask)
    for _ in range(3):
        world.step(shares)
        other.step(shares)
    orders = random_orders(world, np.random.default_rng(4))
    world.step(shares, orders)
    other.step(shares, orders)
    assert not differing(whole(world), whole(other))


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (np.ones((4, 2), np.bool_), r"given is bool \(4, 2\), not bool \(4, 3\)"),
        (np.ones(4, np.bool_), r"given is bool \(4,\)"),
        (np.ones((4, 3), np.uint8), "given is uint8"),
        ([[True] * 3] * 4, "given is list"),
        (True, "given is bool"),
    ],
)
def test_a_mask_that_does_not_fit_moves_nothing(given: Any, words: str) -> None:
    world = World(THINKING, 4, seed=5)
    shares = random_shares(world, np.random.default_rng(0))
    before = whole(world)
    with pytest.raises(ActionError, match=words) as caught:
        world.step(shares, no_orders(world), given)
    assert "\n" not in str(caught.value)
    assert not differing(before, whole(world))


def test_a_mask_without_orders_is_refused() -> None:
    world = World(THINKING, 4, seed=5)
    before = whole(world)
    with pytest.raises(ActionError, match="give orders too"):
        world.step(random_shares(world, np.random.default_rng(0)), given=np.ones((4, 3), np.bool_))
    assert not differing(before, whole(world))


def test_orders_are_written_whole_or_not_at_all() -> None:
    world = World(THINKING, 4, seed=5)
    into, ordered = no_orders(world), np.zeros((4, 3), np.uint8)
    orders = random_orders(world, np.random.default_rng(0))
    orders.choice[3, 2, 0] = 9
    with pytest.raises(ActionError, match=r"orders\.choice leaves 0 … 0"):
        take_orders(orders, None, into, ordered, THINKING)
    assert (into.kind == OrderKind.NONE).all()
    assert not ordered.any()
    orders.choice[3, 2, 0] = 0
    orders.status[:] = OrderStatus.DONE
    take_orders(orders, None, into, ordered, THINKING)
    assert np.array_equal(into.cell, orders.cell)
    assert (into.status == OrderStatus.EMPTY).all()
    assert ordered.all()
