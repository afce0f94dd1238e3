"""One treasury: what is paid into it is spent, lost or left; the planner decides on what; off, it is not there."""

from __future__ import annotations

import copy
from itertools import permutations
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from planning import believed_value, pause, resume, think
from pydantic import ValidationError
from worlds import BUSY, bits, copied, hold, random_shares, scenario, split, still_world, whole

from civsim.base.constants import FUNDS, Category, Channel, OrderKind, OrderStatus
from civsim.base.scenario import Scenario
from civsim.engine.formulas import claim_base, claim_cost, work_cost
from civsim.engine.planner.plan import Plan
from civsim.engine.rules.deliberation import deliberation
from civsim.engine.rules.order import RULES
from civsim.engine.state import SPEC
from civsim.engine.world import World

POOLED = {**BUSY, "economy.pooled": True}


def mind(horizon: int, **changes: Any) -> Scenario:
    """A busy game with a treasury in which everybody thinks this far."""
    levels = {"horizon": horizon, "sight": 4, "attention": 6}
    return scenario(POOLED, seat_default={"levels": levels}, **changes)


def cost_of_orders(world: World, before: World) -> NDArray[np.float64]:
    """What the orders of the turn just played cost each civilization, from the state they met; without claims' lag."""
    game, orders, cost = world.scenario, world.orders, np.zeros((world.n_worlds, world.n_civilizations))
    for b, i, k in np.argwhere(orders.status == OrderStatus.DONE):
        kind, cell = orders.kind[b, i, k], orders.cell[b, i, k]
        if kind == OrderKind.CLAIM:
            earlier = np.sum((orders.kind[b, i, :k] == kind) & (orders.status[b, i, :k] == OrderStatus.DONE))
            parties = np.sum(before.state.party_cell[b, i] >= 0) + earlier
            flat = claim_base(game.claims.cost, game.claims.ruggedness_cost, world.state.ruggedness[b, cell])
            cost[b, i] += claim_cost(flat, game.claims.growth, before.state.cells[b, i] + parties)
        elif kind == OrderKind.WORK:
            menu = game.works.menu[orders.choice[b, i, k]]
            cost[b, i] += work_cost(menu.cost, game.works.growth, before.state.works[b, cell])
        elif kind == OrderKind.WALL:
            cost[b, i] += game.walls.cost * (world.state.wall[b, cell] - before.state.wall[b, cell])
    return cost


@pytest.mark.parametrize("horizon", [0, 5])
def test_what_is_paid_in_is_spent_lost_or_left(horizon: int) -> None:
    # No attack, raid or arrival touches what an order met: what it cost can be read off the state after arrivals.
    calm = {"army__war": False, "raiders__rate": 0.0, "claims__lag": 3}
    game = mind(horizon, economy__depreciation={"settlement": 0.1}, works__menu=[{"cost": 0.5}], **calm)
    world, rng, done = World(game, 4), np.random.default_rng(0), 0
    while not world.done.all():
        shares = random_shares(world, rng)
        held = world.state.stock[:, :, Category.SETTLEMENT].astype(float)
        pause(world, folded(shares))
        met = World.restore(world.snapshot())
        decide(world)
        paid = shares[:, :, FUNDS].sum(axis=-1) * world.state.output
        left = held * 0.9 + paid - cost_of_orders(world, met)
        np.testing.assert_allclose(world.state.stock[:, :, Category.SETTLEMENT], left, rtol=2e-4, atol=2e-4)
        assert not world.state.stock[:, :, [Category.WORKS, Category.WALLS]].any()
        done += int((world.orders.status == OrderStatus.DONE).sum())
    assert done > 40
    assert (world.state.gains[:, :, [OrderKind.CLAIM, OrderKind.WORK]].sum(axis=(0, 1)) > 5).all()


@pytest.mark.parametrize("horizon", [0, 6])
def test_which_of_the_three_has_which_share_changes_nothing(horizon: int) -> None:
    worlds = [World(mind(horizon), 3, seed=1) for _ in range(6)]
    rng = np.random.default_rng(2)
    while not worlds[0].done.all():
        shares = random_shares(worlds[0], rng)
        for world, order in zip(worlds, permutations(FUNDS), strict=True):
            mine = shares.copy()
            mine[:, :, FUNDS] = shares[:, :, order]
            world.step(mine)
    assert all(whole(world) == whole(worlds[0]) for world in worlds)
    assert worlds[0].state.gains[:, :, [OrderKind.CLAIM, OrderKind.WORK, OrderKind.WALL]].sum(axis=(0, 1)).all()


def realm(horizon: int, claims: float, works: float, **changes: Any) -> World:
    """A realm of two cells on even land, with one price of claims and one of works, and money in the treasury."""
    world = still_world(
        economy__pooled=True,
        claims={"cost": claims, "growth": 0.0, "lag": 1},
        works={"menu": [{"cost": works, "gain": 0.5, "maturity": 1}], "growth": 0.0},
        seat_default={"levels": {"horizon": horizon, "sight": 20, "attention": 6}},
        **changes,
    )
    hold(world, 0, 15)
    return world


LEVEL = [(2.0, 0.9, OrderKind.WORK), (2.0, 1.1, OrderKind.CLAIM)]
"""Prices of a claim, which brings 1 a turn from the next on, and of a work, which brings half of that: almost level."""
APART = [(8.0, 0.9, OrderKind.WORK), (2.0, 4.0, OrderKind.CLAIM)]
"""The same, so far apart that what a claim makes possible later does not make up for it."""


@pytest.mark.parametrize("share", ["settlement", "works", "walls"])
@pytest.mark.parametrize(
    ("horizon", "claims", "works", "kind"), [(0, *case) for case in LEVEL] + [(h, *c) for h in (4, 19) for c in APART]
)
def test_everything_goes_to_what_pays_most(
    horizon: int, claims: float, works: float, kind: OrderKind, share: str
) -> None:
    world = realm(horizon, claims, works)
    hold(world, 0, 20, 21)
    world.step(split(world, **{share: 1.0}))
    done = world.orders.status[0, 0] == OrderStatus.DONE
    most = 4.0 // claims if kind == OrderKind.CLAIM else 4
    assert world.orders.kind[0, 0, done].tolist() == [kind] * int(most)


def test_where_the_best_is_too_dear_yet_the_rest_waits() -> None:
    # A claim costs 6 and brings 3 a turn; a work costs 2 and brings half of 1. The realm earns 2 a turn.
    free = {c: 3.0 for c in range(36) if c not in (14, 15)}
    world = realm(0, 6.0, 2.0, rich=free)
    shares = split(world, works=1.0)
    given = []
    for _ in range(3):
        world.step(shares)
        given.append(world.orders.kind[0, 0, world.orders.status[0, 0] == OrderStatus.DONE].tolist())
    assert given == [[], [], [OrderKind.CLAIM]]


def test_a_wall_comes_first_where_it_averts_most() -> None:
    raided = {"raiders": {"rate": 1.0, "strength": 1.0, "disruption": 10}, "thinking__prior": {"raid": 0.5}}
    for raids, kind in ((raided, OrderKind.WALL), ({}, OrderKind.CLAIM)):
        world = realm(0, 8.0, 50.0, walls={"cost": 0.5}, **raids)
        world.state.stock[0, 0, Category.SETTLEMENT] = 20.0
        world.step(split(world, consumption=1.0))
        assert world.orders.kind[0, 0, 0] == kind


def folded(shares: NDArray[np.float64]) -> NDArray[np.float64]:
    """Shares as they are taken where there is a treasury."""
    taken = shares.copy()
    taken[:, :, Category.SETTLEMENT] = shares[:, :, FUNDS].sum(axis=-1)
    taken[:, :, [Category.WORKS, Category.WALLS]] = 0.0
    return taken


def decide(world: World) -> None:
    """Play the rest of a paused turn by what everybody thinks."""
    for rule in RULES[RULES.index(deliberation) :]:
        rule(*world.pointers, world._key, world._plan_work[0])


def land_of(seed: int, horizon: int) -> World:
    """An uneven, still land of one civilization that likes what it consumes as it comes."""
    rng = np.random.default_rng(seed)
    return still_world(
        rich=dict(enumerate(rng.uniform(0.1, 1.5, 36))),
        ruggedness=dict(enumerate(rng.uniform(0.0, 0.2, 36))),
        economy={"pooled": True, "depreciation": {"settlement": 0.03}},
        game={"turns": 26, "objective": "consumption"},
        claims={"cost": 2.0, "lag": 2, "growth": 0.05},
        works={"menu": [{"cost": 0.5, "maturity": 3}, {"cost": 4.1, "gain": 0.7, "maturity": 2}]},
        seat_default={"levels": {"horizon": horizon, "sight": 20, "attention": 6}},
    )


def played(world: World, shares: NDArray[np.float64]) -> float:
    """What the turns to come bring, discounted to now."""
    outputs = []
    while not world.done.all():
        outputs.append(float(world.step(shares).output[0, 0]))
    return float(np.array(outputs) @ 0.98 ** np.arange(1, len(outputs) + 1))


@pytest.mark.parametrize("seed", range(4))
def test_what_the_rule_and_a_planner_report_is_what_they_bring(seed: int) -> None:
    world = land_of(seed, 0)
    shares = split(world, settlement=0.3, works=0.2, walls=0.1, consumption=0.4)
    for _ in range(6):
        world.step(shares)
    world.state.stock[0, 0, Category.SETTLEMENT] += 9.0
    pause(world, folded(shares))
    planner = copy.deepcopy(world)
    think(world)
    reported = believed_value(world, Plan.RULE, [], 26 - 1 - 6)
    resume(world)
    by_rule = played(world, shares)
    assert (world.state.gains[0, 0, [OrderKind.CLAIM, OrderKind.WORK]] > 1).all()
    assert by_rule == pytest.approx(reported, rel=1e-5)

    # A planner that sees to the end thinks again after every order: it keeps what it was promised, and may do better.
    planner.state.level[0, 0, Channel.HORIZON] = 19
    decide(planner)
    promised = float(planner.state.plan_value[0, 0])
    assert promised > reported * (1.0 - 1e-5)
    planner = thinking_on(planner, land_of(seed, 25))
    assert played(planner, shares) >= promised * (1.0 - 1e-5)


def thinking_on(world: World, far: World) -> World:
    """The same world under the levels of ``far``."""
    for name in SPEC:
        getattr(far.state, name)[...] = getattr(world.state, name)
    return far


def test_orders_replayed_under_another_mind_give_the_same_world() -> None:
    world, rng, trail, given = World(mind(6), 2, seed=3), np.random.default_rng(4), [], []
    while not world.done.all():
        given.append(random_shares(world, rng))
        world.step(given[-1])
        trail.append((copied(world.orders), bits(world)))
    for horizon in (0, 3):
        other = World(mind(horizon), 2, seed=3)
        for shares, (orders, expected) in zip(given, trail, strict=True):
            other.step(shares, orders)
            assert bits(other) == expected


@pytest.mark.parametrize("horizon", [0, 5])
def test_a_world_is_the_same_in_any_batch_and_thread(horizon: int) -> None:
    batch, threads = World(mind(horizon), 3, seed=5), World(mind(horizon), 3, seed=5, threads=3)
    alone = World(mind(horizon), world_ids=[1], seed=5)
    rng = np.random.default_rng(6)
    while not batch.done.all():
        shares = random_shares(batch, rng)
        for world, its in ((batch, shares), (threads, shares), (alone, shares[1:2])):
            world.step(its)
    assert whole(batch) == whole(threads)
    assert all(np.array_equal(getattr(batch.state, name)[1], getattr(alone.state, name)[0]) for name in SPEC)


def test_a_journal_has_room_for_every_round() -> None:
    world, rng = World(mind(3), 2, seed=7), np.random.default_rng(8)
    journal, plain = world.keep_journal(), World(mind(3), 2, seed=7)
    while not world.done.all():
        shares = random_shares(world, rng)
        world.step(shares)
        plain.step(shares)
        assert journal is not None
    assert whole(world) == whole(plain)


@pytest.mark.parametrize("fund", ["works", "walls"])
def test_a_depreciation_that_nothing_has_is_refused(fund: str) -> None:
    table: dict[str, Any] = {"economy": {"pooled": True, "depreciation": {fund: 0.1}}}
    with pytest.raises(ValidationError, match=f"depreciation.{fund} has no effect with pooled"):
        Scenario.model_validate(table)
    table["economy"]["pooled"] = False
    Scenario.model_validate(table)
