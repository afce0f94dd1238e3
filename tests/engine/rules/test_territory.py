"""Cells change hands in one place: counts agree, capitals move, the landless are out and stay out."""

from __future__ import annotations

import numpy as np
from worlds import BUSY, given_orders, hold, no_orders, random_orders, random_shares, scenario, split, still_world

from civsim.base.constants import Category, OrderKind
from civsim.engine.world import World

ATTACK = OrderKind.ATTACK
SURE = {"decisiveness": 16.0, "projection": float("inf")}


def conquer(world, cell: int) -> None:
    """Civilization 0 takes a cell by overwhelming force."""
    world.state.stock[0, 0, Category.ARMY] = 1e6
    world.step(split(world, consumption=1), given_orders(world, (0, ATTACK, cell)))
    assert world.state.owner[0, cell] == 0


def test_a_lost_capital_moves_to_the_nearest_cell_held() -> None:
    world = still_world(capitals=(14, 15), army=SURE)
    hold(world, 1, 16, 17, 11)
    conquer(world, 15)
    assert world.state.capital[0].tolist() == [14, 16]
    assert world.state.alive[0].tolist() == [1, 1]
    conquer(world, 16)
    assert world.state.capital[0, 1] == 17


def test_another_cell_lost_moves_no_capital() -> None:
    world = still_world(capitals=(14, 16), army=SURE)
    hold(world, 1, 15)
    conquer(world, 15)
    assert world.state.capital[0].tolist() == [14, 16]


def test_a_civilization_without_cells_is_out_for_good() -> None:
    world = still_world(capitals=(14, 15), army=SURE, claims__lag=4)
    world.state.stock[0, 1, 1:] = 7.0
    world.step(split(world, consumption=1), given_orders(world, (1, OrderKind.CLAIM, 16)))
    assert world.state.party_cell[0, 1].max() == 16
    utility = world.state.utility[0, 1].copy()
    conquer(world, 15)
    state = world.state
    assert (state.alive[0, 1], state.cells[0, 1]) == (0, 0)
    assert (state.stock[0, 1] == 0).all()
    assert (state.muster[0, 1] == 0).all()
    assert (state.party_cell[0, 1] == -1).all()
    assert np.array_equal(state.utility[0, 1], utility), "the turn of elimination is worth nothing"
    for _ in range(5):
        record = world.step(split(world, consumption=1), no_orders(world))
        assert record.output[0, 1] == record.consumption[0, 1] == record.reward[0, 1] == 0
    assert (state.owner[0] == 1).sum() == 0, "a party under way does not found a realm anew"
    assert np.array_equal(state.utility[0, 1], utility)


def test_rows_of_the_dead_are_ignored() -> None:
    world = still_world(capitals=(14, 15), army=SURE)
    conquer(world, 15)
    shares = split(world, consumption=1)
    shares[0, 1] = 0.0
    world.step(shares, no_orders(world))
    shares[0, 1] = np.nan
    assert world.step(shares, no_orders(world)).output[0, 1] == 0


def test_cells_are_conserved_under_random_orders() -> None:
    game = scenario(BUSY, army__minimum=0.0, army__per_turn=4)
    world = World(game, 8, seed=4)
    rng = np.random.default_rng(1)
    for b in range(8):
        for cell in np.flatnonzero(world.state.owner[b] < 0):
            world.state.owner[b, cell] = rng.integers(3)
        world.state.cells[b] = [(world.state.owner[b] == i).sum() for i in range(3)]
    while not world.done.all():
        world.step(random_shares(world, rng), random_orders(world, rng))
        state = world.state
        for i in range(3):
            assert np.array_equal((state.owner == i).sum(axis=1), state.cells[:, i])
        assert np.array_equal(state.alive, state.cells > 0)
        living = state.alive == 1
        rows = np.arange(8)[:, None]
        assert (state.owner[rows, state.capital] == np.arange(3))[living].all()
        assert (state.work_left[state.owner < 0] == 0).all()
        for name in ("works", "wall", "stock", "muster", "output", "consumption", "band_strength"):
            values = getattr(state, name)
            assert np.isfinite(values).all(), name
            assert (values >= 0).all(), name
        assert not (state.disrupted < 0).any()
    assert world.state.gains[:, :, ATTACK].sum() > 300
    assert world.state.losses[:, :, 1].sum() > 50
