"""No seat of thought knows what another has not told it: whatever is hidden from it, its orders are the same.

Stopped where civilizations deliberate, each seat decides alone, with all funds of its realm in its purse; then again
with all that is hidden from it scrambled: what other seats know, what is on the road, and the truth it has not seen.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

import numpy as np
import pytest
from planning import pause
from worlds import BUSY, random_shares, scenario, with_levels

from civsim.base.constants import NEVER, NOBODY, Category, OrderKind
from civsim.engine.offices.rows import change_places, put_to_work, row_of
from civsim.engine.rules.deliberation import command
from civsim.engine.state import SPEC, State
from civsim.engine.world import World

WORLDS, COUNT, LAG = 4, 3, 2
FOR_ALL = -1
CROWDED = {
    "map.width": 7,
    "map.height": 7,
    "claims.cost": 0.5,
    "claims.lag": LAG,
    "army.price": 0.2,
    "thinking.prior": {"attack": 0.1, "raid": 0.1},
    "raiders.rate": 0.6,
}
FUNDS = {"claims": Category.SETTLEMENT, "attacks": Category.ARMY, "works": Category.WORKS, "walls": Category.WALLS}
"""What a seat has to spend: one fund at a time, so that the first order is of every kind in turn."""
OF_KIND = {"claims": OrderKind.CLAIM, "attacks": OrderKind.ATTACK, "works": OrderKind.WORK, "walls": OrderKind.WALL}
FIELDS_OF_ROWS = [name for name, spec in SPEC.items() if spec.shape[1:2] == ("M",)]


@cache
def scene(turn: int, pool: float, messenger: float, mind: int = 1) -> tuple[World, State]:
    """A crowded world stopped in a turn in which realms have several seats, and its state there."""
    thought = {"count": COUNT, "cells": 1, "messenger": messenger, "pool": pool}
    game = with_levels(scenario({**BUSY, **CROWDED}, thinking__seats=thought), 3, 1, 6, levels_of_mind=mind)
    world = World(game, WORLDS, seed=5)
    rng = np.random.default_rng(turn)
    for _ in range(turn):
        world.step(random_shares(world, rng))
    pause(world, random_shares(world, rng))
    return world, State(*(field.copy() for field in world.state))


def first_order(world: World, b: int, i: int, office: int, fund: str) -> tuple[int, int, int]:
    """What a seat of thought decides first where all of one fund is its own: (kind, cell, menu entry)."""
    s, (state, orders, config), work = world.state, world.pointers, world._plan_work[0]
    s.stock[b, i, [Category.SETTLEMENT, Category.WORKS, Category.ARMY, Category.WALLS]] = 0.0
    s.stock[b, i, FUNDS[fund]] = 12.0 if fund == "attacks" else 6.0
    s.purse[b, i] = 0.0
    if office >= 0 and fund != "attacks":
        s.purse[b, i, office, ("claims", "works", "walls").index(fund)] = 6.0
    for field, empty in (("kind", -1), ("cell", -1), ("choice", 0), ("status", 0)):
        getattr(world.orders, field)[b] = empty
    world._work[0].done[:] = 0
    change_places(state, config, b, i, max(office, 0))
    put_to_work(work, office)
    command(state, orders, config, world._key, work, b, i, 0)
    put_to_work(work, NOBODY)
    change_places(state, config, b, i, max(office, 0))
    return tuple(int(getattr(world.orders, name)[b, i, 0]) for name in ("kind", "cell", "choice"))


def scramble(s: State, b: int, i: int, m: int, pool: float, rng: np.random.Generator) -> None:
    """Change at random all that the seat of thought whose row is ``m`` cannot know."""
    n, cells = s.alive.shape[1], s.owner.shape[1]
    away, unseen = s.owner[b] != i, s.seen[b, m] == NEVER
    hidden = away & (s.seen[b, m] != s.turn[b])
    for name, most in (("fertility", 9.0), ("ore", 5.0), ("ruggedness", 1.0), ("hazard", 0.9)):
        # The books of a realm have what own cells give, and what they are worth to it.
        getattr(s, name)[b, unseen & away] = rng.uniform(0.0, most, (unseen & away).sum())
    s.site[b, unseen & away] = rng.integers(0, 2, (unseen & away).sum())
    for name in ("works", "wall"):
        getattr(s, name)[b, hidden] = rng.uniform(0.0, 5.0, hidden.sum())
    s.site_state[b, hidden] = rng.integers(0, 2, hidden.sum())
    s.owner[b, hidden] = rng.choice([NOBODY, *(j for j in range(n) if j != i)], hidden.sum())
    s.disrupted[b, away], s.work_left[b, away] = rng.integers(0, 3, (2, away.sum()))
    for name in FIELDS_OF_ROWS:
        values, others = getattr(s, name), np.arange(s.seen.shape[1]) != m
        values[b, others] = rng.permuted(values[b, others], axis=0)
        if values.dtype.kind == "f":
            values[b, others] *= rng.uniform(0.0, 3.0)
    for name in ("past_works", "past_wall", "past_army"):
        getattr(s, name)[b] = rng.uniform(0.0, 9.0, getattr(s, name)[b].shape)
    for name, most in (("past_view", 256), ("past_site", 2)):
        getattr(s, name)[b] = rng.integers(0, most, getattr(s, name)[b].shape)
    s.past_owner[b] = rng.integers(-1, n, s.past_owner[b].shape)
    rivals = np.arange(n) != i
    for name in ("stock", "muster", "output", "spent", "office_weight", "purse", "witness"):
        getattr(s, name)[b, rivals] = rng.uniform(0.0, 9.0, getattr(s, name)[b, rivals].shape)
    unwatched = s.band_turn[b, m] != s.turn[b]
    s.band_cell[b, unwatched] = rng.integers(-1, cells, unwatched.sum())
    s.band_strength[b, unwatched] = rng.uniform(0.0, 9.0, unwatched.sum())
    s.band_target[b] = rng.integers(-1, cells, s.band_target.shape[1])
    if pool < 1.0:
        send_another(s, b, i, m, rng)


def send_another(s: State, b: int, i: int, m: int, rng: np.random.Generator) -> None:
    """Let another seat have sent a party this turn, to a cell that this one does not know to be held."""
    office = 0 if m == i else 1 + (m - s.alive.shape[1]) % (COUNT - 1)
    for slot in np.flatnonzero(s.party_cell[b, i] < 0)[:1]:
        s.party_cell[b, i, slot] = rng.integers(0, s.owner.shape[1])
        s.party_due[b, i, slot], s.party_by[b, i, slot] = s.turn[b] + LAG, (office + 1) % COUNT


def seats_of(world: World, office_counts: np.ndarray, pool: float) -> Iterator[tuple[int, int, int]]:
    """Who decides: (world, civilization, seat of thought, or -1 for the capital that decides for all)."""
    for b, i in np.argwhere(world.state.alive & (office_counts > 1)):
        for office in [FOR_ALL] if pool == 1.0 else range(office_counts[b, i]):
            yield int(b), int(i), office


@pytest.mark.parametrize("mind", [1, 3])
@pytest.mark.parametrize("fund", FUNDS)
@pytest.mark.parametrize(("pool", "messenger"), [(0.0, 1.0), (0.0, 3.0), (1.0, 1.0)])
def test_what_is_hidden_from_a_seat_of_thought_decides_nothing(
    pool: float, messenger: float, fund: str, mind: int
) -> None:
    given = 0
    for turn in (7, 12):
        world, kept = scene(turn, pool, messenger, mind)
        for b, i, office in seats_of(world, kept.office_count, pool):
            found = []
            for key in range(3):
                for field, values in zip(world.state, kept, strict=True):
                    field[...] = values
                if key:
                    m = row_of(world.config, i, max(office, 0))
                    scramble(world.state, b, i, m, pool, np.random.default_rng(100 * key + turn))
                found.append(first_order(world, b, i, office, fund))
            assert found[1:] == found[:1] * 2, f"turn {turn}, world {b}, civilization {i}, seat {office}"
            given += found[0][0] == OF_KIND[fund]
    assert given > 3


def test_what_a_seat_knows_decides() -> None:
    """Its own row scrambled instead of the others', some order is another: the test above could fail."""
    world, kept = scene(12, 0.0, 1.0)
    moved = 0
    for b, i, office in seats_of(world, kept.office_count, 0.0):
        found = []
        for key in range(2):
            for field, values in zip(world.state, kept, strict=True):
                field[...] = values
            if key:
                m, rng = row_of(world.config, i, office), np.random.default_rng(0)
                world.state.known_owner[b, m] = NOBODY
                world.state.seen[b, m] = rng.integers(-1, 12, world.n_cells)
            found.append(first_order(world, b, i, office, "claims"))
        moved += found[0] != found[1]
    assert moved > 3
