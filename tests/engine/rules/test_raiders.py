"""Raiders: where they come from, how they walk, what they sack and what holds them."""

from __future__ import annotations

import numpy as np
import pytest
from worlds import BUSY, no_orders, random_shares, scenario, split, still_world

from civsim.base.constants import Category
from civsim.engine.land.geometry import _distance
from civsim.engine.world import World

RARE = 1e-9


def raided(strength: float, wall: float = 0.0, army: float = 0.0, rough: float = 0.0, start: int = 16, turns: int = 2):
    """A band two steps east of the capital at 14, and the world after some turns."""
    world = still_world(
        raiders={"rate": RARE, "damage": 0.25, "disruption": 4},
        ruggedness={14: rough},
        economy__depreciation={"army": 0},
        army__projection=float("inf"),
    )
    state = world.state
    state.band_cell[0, 0] = start
    state.band_strength[0, 0] = strength
    state.wall[0, 14] = wall
    state.works[0, 14] = 1.0
    state.stock[0, 0, Category.ARMY] = army
    outputs = [float(world.step(split(world, consumption=1), no_orders(world)).output[0, 0]) for _ in range(turns)]
    return world, outputs


def test_a_band_walks_a_cell_a_turn_and_sacks_its_target() -> None:
    world, outputs = raided(3.0, turns=1)
    assert world.state.band_cell[0, 0] == 15
    assert world.state.band_target[0, 0] == 14
    world, outputs = raided(3.0, turns=7)
    # Sacked in turn 1 before production: idle turns 1 to 4, then half of (1 + D) · ... of works left is 0.75.
    assert outputs == pytest.approx([2.0, 0.0, 0.0, 0.0, 0.0, 1.75, 1.75])
    assert world.state.losses[0, 0].tolist() == [0, 0, 1]
    assert world.state.band_cell[0, 0] == -1


def test_a_sack_takes_its_share_of_works_and_wall() -> None:
    world, _ = raided(3.0, wall=2.0)
    assert (world.state.works[0, 14], world.state.wall[0, 14]) == (0.75, 1.5)


@pytest.mark.parametrize(
    ("defence", "holds"),
    [
        ({"wall": 2.99}, False),
        ({"wall": 3.0}, True),
        ({"army": 3.0}, True),
        ({"wall": 1.5, "army": 1.5}, True),
        ({"wall": 1.5, "rough": 0.5}, False),
        ({"wall": 1.5, "rough": 1.0}, True),
    ],
)
def test_wall_and_force_hold(defence: dict[str, float], holds: bool) -> None:
    world, outputs = raided(3.0, **defence)
    assert (world.state.losses[0, 0, 2] == 0) == holds
    assert (outputs[1] > 0) == holds
    assert world.state.band_cell[0, 0] == -1, "a band goes after its raid, won or lost"
    assert world.state.stock[0, 0, Category.ARMY] == pytest.approx(defence.get("army", 0.0))


@pytest.mark.parametrize("torus", [False, True])
def test_bands_come_over_the_edge_at_their_rate_and_strength(torus: bool) -> None:
    world = still_world(worlds=3000, raiders={"rate": 0.4, "strength": 5.0}, map__torus=torus)
    world.step(split(world, consumption=1), no_orders(world))
    came = world.state.band_cell[:, 0] >= 0
    assert came.mean() == pytest.approx(0.4, abs=0.04)
    rows, columns = np.divmod(world.state.band_cell[came, 0], 6)
    rim = (rows == 0) | (columns == 0) | (not torus) * ((rows == 5) | (columns == 5))
    assert rim.all()
    counts = np.unique(world.state.band_cell[came, 0], return_counts=True)[1]
    assert counts.size == (11 if torus else 20)
    assert counts.max() < 2.2 * counts.mean()
    strength = world.state.band_strength[came, 0]
    assert strength.mean() == pytest.approx(5.0, rel=0.12)
    assert (strength > 5.0).mean() == pytest.approx(np.exp(-1), abs=0.06)
    assert (world.state.band_strength[~came] == 0).all()


@pytest.mark.parametrize("torus", [False, True])
def test_every_step_is_one_cell_nearer_the_target(torus: bool) -> None:
    world = World(scenario(BUSY, map__torus=torus, raiders__rate=0.8), 8, seed=2)
    rng = np.random.default_rng(0)
    steps = 0
    for _ in range(20):
        before = world.state.band_cell.copy(), world.state.band_target.copy(), world.state.band_strength.copy()
        world.step(random_shares(world, rng))
        cell, target = world.state.band_cell, world.state.band_target
        for b, r in zip(
            *np.nonzero((before[0] >= 0) & (cell >= 0) & (before[1] == target) & (target >= 0)), strict=True
        ):
            if before[2][b, r] != world.state.band_strength[b, r]:
                continue
            far = _distance(before[0][b, r], target[b, r], 8, 8, torus)
            assert _distance(cell[b, r], target[b, r], 8, 8, torus) == far - 1
            assert _distance(before[0][b, r], cell[b, r], 8, 8, torus) == 1
            steps += 1
    assert steps > 50


def test_never_more_bands_than_allowed() -> None:
    world = still_world(worlds=20, raiders={"rate": 1.0, "bands": 2}, map__width=30, map__height=30, capitals=(465,))
    for _ in range(5):
        world.step(split(world, consumption=1), no_orders(world))
    assert (world.state.band_cell >= 0).sum(axis=1).tolist() == [2] * 20


def test_no_rate_no_raiders() -> None:
    world = still_world(raiders__rate=0.0)
    for _ in range(20):
        world.step(split(world, consumption=1), no_orders(world))
    assert (world.state.band_cell == -1).all()
