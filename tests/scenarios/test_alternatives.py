"""Alternatives on land: scores against every path there is, and cases whose answer is plain."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from worlds import STILL, flat_land, given_orders, hold, neighbours, no_orders, scenario, split, still_world

from civsim.base.constants import Category, OrderKind
from civsim.engine.world import World
from civsim.scenarios.alternatives import Alternative, alternatives, make_desk

TURNS = 12
LAG_0: dict[str, Any] = {"game.turns": TURNS, "claims.lag": 0, "map.width": 4, "map.height": 4}


def found(world: World, row: int = 0, seat: int = 0) -> list[Alternative]:
    """The alternatives of a seat."""
    return alternatives(world, row, seat, make_desk(world.n_cells))


def idle(world: World, turns: int = 1, **weights: float) -> World:
    """Play turns in which nobody gives an order."""
    shares = split(world, **(weights or {"settlement": 1.0}))
    for _ in range(turns):
        world.step(shares, no_orders(world))
    return world


def stream(world: World, after: float) -> float:
    """What 1 a turn is worth from ``after`` turns on, in a world whose turn has ended."""
    left = world.scenario.game.turns - int(world.state.turn[0])
    return sum(world.scenario.game.discount**u for u in range(max(int(after), 1), left + 1))


def by_enumeration(world: World) -> dict[int, float]:
    """The index of every claim that can be paid, from all simple paths; the claims of a realm cost what they cost."""
    state, game = world.state, world.scenario
    fund = float(state.stock[0, 0, Category.SETTLEMENT])
    income = float(world.shares[0, 0, Category.SETTLEMENT]) * float(state.output[0, 0])
    left = game.game.turns - int(state.turn[0])
    cheapest: dict[int, tuple[float, float, int]] = {}

    def extend(path: list[int], cost: float, worth: float) -> None:
        here = path[-1]
        cost += game.claims.cost * (1.0 + game.claims.ruggedness_cost * float(state.ruggedness[0, here]))
        when = 0.0 if cost <= fund else np.ceil((cost - fund) / income)
        if when > left:
            return
        steady = (1.0 - float(state.hazard[0, here])) ** game.disasters.duration
        output = float(state.fertility[0, here]) + game.economy.ore_weight * float(state.ore[0, here])
        worth += steady * output * stream(world, when)
        if here not in cheapest or cost < cheapest[here][0]:
            cheapest[here] = (cost, worth, path[0])
        for other in neighbours(world, here):
            if state.owner[0, other] < 0 and other not in path:
                extend([*path, other], cost, worth)

    border = {c for cell in np.flatnonzero(state.owner[0] == 0) for c in neighbours(world, int(cell))}
    for cell in border:
        if state.owner[0, cell] < 0:
            extend([cell], 0.0, 0.0)
    scores: dict[int, float] = {}
    for cost, worth, first in cheapest.values():
        flat = game.claims.cost * (1.0 + game.claims.ruggedness_cost * float(state.ruggedness[0, first]))
        if flat <= fund:
            scores[first] = max(scores.get(first, 0.0), worth / cost)
    return scores


@pytest.mark.parametrize("seed", range(12))
def test_claims_score_as_the_best_of_all_paths(seed: int) -> None:
    rng = np.random.default_rng(seed)
    game = scenario({**STILL, **LAG_0}, claims__cost=1.0, claims__growth=0.0, disasters__duration=2)
    cells = range(16)
    land = flat_land(game, [int(rng.integers(16))])._replace(
        fertility=rng.uniform(0.1, 4.0, 16).astype(np.float32),
        ruggedness=rng.uniform(0.0, 0.6, 16).astype(np.float32),
        ore=rng.uniform(0.0, 2.0, 16).astype(np.float32),
        hazard=rng.uniform(0.0, 0.3, 16).astype(np.float32),
    )
    world = World(game, 1, seed, land=land)
    more = rng.choice([c for c in cells if world.state.owner[0, c] < 0], 3, replace=False)
    hold(world, 0, *(int(c) for c in more))
    idle(world, int(rng.integers(1, 4)), settlement=0.4, consumption=0.6)
    expected = by_enumeration(world)
    scores = {one.cell: one.score for one in found(world)}
    assert all(one.kind == OrderKind.CLAIM for one in found(world))
    assert scores.keys() == expected.keys()
    for cell, score in expected.items():
        # The fund and outputs are float32.
        assert scores[cell] == pytest.approx(score, rel=1e-6)


def test_the_best_comes_first() -> None:
    world = idle(still_world(rich={13: 2.0, 15: 3.0, 8: 1.5, 20: 0.5}), 6)
    scores = [one.score for one in found(world)]
    assert len(scores) == 4
    assert scores == sorted(scores, reverse=True)


def test_a_way_to_a_rich_cell_is_worth_more_than_a_better_cell_that_leads_nowhere() -> None:
    world = idle(still_world(rich={15: 1.5, 12: 20.0}), 6)
    first, second, *_ = found(world)
    assert (first.cell, second.cell) == (13, 15)


def test_a_path_arrives_step_by_step_and_costs_more_as_the_realm_grows() -> None:
    lag, growth = 3, 0.5
    world = idle(still_world(claims__lag=lag, claims__growth=growth, claims__cost=1.0, rich={12: 50.0}), 4)
    fund = float(world.state.stock[0, 0, Category.SETTLEMENT])
    assert fund > 1.0 + 1.5
    first = found(world)[0]
    assert first.cell == 13
    worth = stream(world, lag) + 50.0 * stream(world, 2 * lag)
    assert first.score == pytest.approx(worth / (1.0 + 1.5))


def test_a_cell_that_cannot_be_paid_is_no_alternative_and_neither_is_what_lies_behind_it() -> None:
    dear = {"ruggedness": {13: 1.0, 8: 1.0, 15: 1.0}}
    world = idle(still_world(claims__cost=1.0, claims__ruggedness_cost=50.0, rich={12: 20.0}, **dear), 2)
    (only,) = found(world)
    assert only.cell == 20
    # What is behind 13 is reached more cheaply round by 20, and credited to it.
    assert only.score > stream(world, 2)
    assert found(idle(still_world(claims__cost=1000.0), 2)) == []


def test_where_a_rival_will_be_first_nothing_is_gained() -> None:
    world = still_world(capitals=(14, 17), claims__cost=1.0, claims__lag=3)
    idle(world, 4)
    assert 16 not in {one.cell for one in found(world)}
    hold(world, 0, 15)
    shares = split(world, settlement=1.0)
    idle(world)
    assert 16 in {one.cell for one in found(world)}
    world.step(shares, given_orders(world, (1, OrderKind.CLAIM, 16)))
    # In the turn of the rival's order the two would meet; from then on the rival is first.
    assert 16 in {one.cell for one in found(world)}
    idle(world)
    assert 16 not in {one.cell for one in found(world)}


def test_a_party_under_way_is_not_sent_again_and_what_it_opens_is_nobody_else_s() -> None:
    land = {"claims__cost": 1.0, "claims__lag": 3, "rich": {12: 50.0}}
    world = idle(still_world(**land), 6)
    before = {one.cell: one.score for one in found(world)}
    world.step(split(world, settlement=1.0), given_orders(world, (0, OrderKind.CLAIM, 13)))
    after = {one.cell: one.score for one in found(world)}
    assert before.keys() - after.keys() == {13}
    assert max(after.values()) == pytest.approx(min(after.values()), rel=0.2)
    assert max(after.values()) < before[13] / 2


def test_an_attack_scores_what_it_may_win_over_what_it_may_cost() -> None:
    world = still_world(capitals=(14, 15), army__lag=0, army__minimum=1.0, army__disruption=2, game__discount=0.9)
    world.state.works[0, 15] = 0.5
    world.state.wall[0, 15] = 1.0
    idle(world, 3, army=1.0)
    state, army = world.state, world.scenario.army
    (only,) = (one for one in found(world) if one.kind == OrderKind.ATTACK)
    decay = np.exp(-1.0 / army.projection)
    attack = float(state.stock[0, 0, Category.ARMY]) * decay
    defence = float(state.stock[0, 1, Category.ARMY]) + 1.0
    chance = attack**2 / (attack**2 + defence**2)
    lost = attack * (chance * army.loss_winner + (1.0 - chance) * army.loss_loser) * army.price
    output = float(state.fertility[0, 15]) * (1.0 + 0.5 * army.keep_works)
    assert only.cell == 15
    assert only.score == pytest.approx(chance * output * stream(world, 3) / lost, rel=1e-6)


@pytest.mark.parametrize(
    "changes", [{"army__war": False}, {"army__per_turn": 0}, {"army__minimum": 1e6}], ids=["peace", "no-slot", "weak"]
)
def test_an_attack_that_cannot_be_made_is_no_alternative(changes: dict[str, Any]) -> None:
    world = idle(still_world(capitals=(14, 15), army__lag=0, **changes), 3, army=1.0)
    assert found(world) == []


def test_no_claim_where_none_is_allowed() -> None:
    assert found(idle(still_world(claims__per_turn=0), 6)) == []
    assert len(found(idle(still_world(), 6))) == 4


def test_who_is_out_of_the_game_has_no_alternative() -> None:
    world = idle(still_world(capitals=(14, 17)), 6)
    world.state.alive[0, 0] = 0
    assert found(world) == []
    assert found(world, seat=1) != []


def test_ties_are_broken_as_the_world_breaks_them() -> None:
    orders = set()
    for seed in range(12):
        alike = found(idle(still_world(seed=seed), 6))
        assert len({one.score for one in alike}) == 1
        orders.add(tuple(one.cell for one in alike))
    assert len(orders) > 6
