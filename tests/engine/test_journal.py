"""The journal: what was decided and why, as the state has it, and without a bit of the game changing."""

from __future__ import annotations

import copy
from collections import Counter
from typing import Any

import numpy as np
import pytest
from planning import believed_value, candidates, pause, think
from worlds import BUSY, differing, given_orders, random_shares, scenario, still_world, whole, with_levels

from civsim.base.constants import TIE, Channel, OrderKind, OrderStatus, Witness
from civsim.base.scenario import Scenario
from civsim.engine.journal import Decision
from civsim.engine.planner.plan import BaseRule, Phase, Plan
from civsim.engine.rules.nature import Loss
from civsim.engine.work import Base, Levels
from civsim.engine.world import World

CROWDED = {"map.width": 6, "map.height": 6, "army.price": 0.2, "thinking.prior": {"attack": 0.1, "raid": 0.1}}
GAME = with_levels(scenario({**BUSY, **CROWDED}), 5, 3, 6)
EYES = {"horizon": 4, "sight": 3, "attention": 6}
TURNS = 18


def play(game: Scenario, worlds: int = 3, threads: int = 1, turns: int = TURNS, **kept: Any) -> Any:
    """Yield (world, decisions of each row) after each turn of a game whose journal is kept."""
    world = World(game, worlds, seed=4, threads=threads)
    journal = world.keep_journal()
    rng = np.random.default_rng(1)
    for _ in range(turns):
        world.step(random_shares(world, rng))
        yield world, [journal.decisions(row) for row in range(worlds)]


@pytest.mark.parametrize("threads", [1, 3])
def test_a_game_whose_journal_is_kept_is_the_game_whose_is_not(threads: int) -> None:
    plain = World(GAME, 3, seed=4)
    rng = np.random.default_rng(1)
    noted = 0
    for world, rows in play(GAME, threads=threads):
        plain.step(random_shares(plain, rng))
        assert not differing(whole(plain), whole(world))
        noted += sum(len(decisions) for decisions in rows)
    assert noted > 100


def test_every_decision_is_in_it_and_the_last_is_the_one_that_the_state_remembers() -> None:
    before = np.zeros((3, 3), np.int64)
    seen = 0
    for world, rows in play(GAME):
        state = world.state
        for b, decisions in enumerate(rows):
            counts = np.bincount([d.seat for d in decisions], minlength=3)
            assert np.array_equal(counts, state.plans[b] - before[b])
            for last in {d.seat: d for d in decisions}.values():
                assert (last.chosen.order, last.chosen.cell) == (
                    state.plan_kind[b, last.seat],
                    state.plan_cell[b, last.seat],
                )
                assert np.float32(last.chosen.value) == state.plan_value[b, last.seat]
                seen += 1
        before = state.plans.copy()
    assert seen > 40


def every_decision(game: Scenario) -> list[Decision]:
    return [decision for _, rows in play(game) for decisions in rows for decision in decisions]


def test_a_path_begins_with_the_order_and_the_second_is_no_better_and_begins_otherwise() -> None:
    decisions = every_decision(GAME) + every_decision(with_levels(scenario(BUSY), 5, 3, 6))
    for d in decisions:
        for choice in (d.chosen, *([d.second] if d.second else [])):
            assert (choice.order == OrderKind.NONE) == (choice.cell < 0)
            assert choice.order == OrderKind.NONE or choice.path[0] == choice.cell
            assert len(set(choice.path)) == len(choice.path)
        if d.second is not None:
            first, second = d.chosen, d.second
            assert (first.order, first.cell, first.menu) != (second.order, second.cell, second.menu)
            assert second.value <= first.value + TIE * abs(first.value)
            assert d.compared > 1
        if d.by_rule is not None:
            assert d.by_rule <= d.chosen.value + TIE * abs(d.chosen.value)
    assert {d.chosen.plan for d in decisions} == set(Plan)
    assert {d.phase for d in decisions} == set(Phase)
    assert max(len(d.chosen.path) for d in decisions) > 1
    assert any(d.second for d in decisions)


def test_the_order_that_was_given_first_is_the_one_decided() -> None:
    """Where funds held out each decision is an order, in turn; what else is ordered, the rule carries on with."""
    met = 0
    for world, rows in play(GAME):
        for b, decisions in enumerate(rows):
            for seat in {d.seat for d in decisions}:
                kinds, cells = world.orders.kind[b, seat].tolist(), world.orders.cell[b, seat].tolist()
                given = [order for order in zip(kinds, cells, strict=True) if order[0] >= 0]
                chosen = [d.chosen for d in decisions if d.seat == seat and d.chosen.order != OrderKind.NONE]
                orders = iter(given)
                paid = [order for order in ((c.order, c.cell) for c in chosen) if order in given]
                assert all(order in orders for order in paid), "not in turn"
                ruled = {c.order for c in chosen if c.plan == Plan.RULE}
                assert {kind for kind, _ in Counter(given) - Counter(paid)} <= ruled
                met += len(given)
    assert met > 40


def first_thought(world: World, b: int, i: int) -> list[tuple[tuple[int, int], float]]:
    """((order, cell), value) of every plan that a civilization of a paused world weighs for land, one by one.

    The base worth more comes first; the other is not compared with what rests on the better one.
    """
    work, horizon = world._work[0], int(world.state.level[b, i, Channel.HORIZON])
    think(world, b, i, horizon)
    turns = min(horizon, int(work.levels[Levels.TURNS_LEFT]))
    plans = candidates(world, b, i)
    first = work.front[: work.sizes[Base.FRONT]]
    by_base = []
    for base, index in ((BaseRule.THUMB, work.ratio), (BaseRule.INDEX, work.potential)):
        claim = (int(OrderKind.CLAIM), int(first[np.argmax(index[first])]))
        by_base.append((claim, believed_value(world, Plan.RULE, [], turns, Phase.LAND, b, i, base)))
    base = BaseRule.INDEX if by_base[1][1] > by_base[0][1] else BaseRule.THUMB
    found = [by_base[base]]
    for kind, path in plans:
        order = OrderKind.ATTACK if kind == Plan.ATTACK and len(path) == 1 else OrderKind.CLAIM
        found.append(((int(order), path[0]), believed_value(world, kind, path, turns, Phase.LAND, b, i, base)))
    return found


def test_values_are_those_of_the_plans_valued_one_by_one() -> None:
    game = with_levels(scenario(BUSY, map__volatility=0.0, thinking__noise=0.0), 6, 4, 2)
    world, checked = World(game, 8, seed=9), 0
    journal, rng = world.keep_journal(), np.random.default_rng(2)
    while not world.done.all():
        shares, twin = random_shares(world, rng), copy.deepcopy(world)
        world.step(shares)
        pause(twin, shares)
        twin.orders.status[:] = OrderStatus.EMPTY  # deliberation begins so
        for b in range(8):
            decisions, i = journal.decisions(b), int(twin.state.play_order[b, 0])
            if not decisions or decisions[0][:2] != (i, Phase.LAND) or (twin.state.party_cell[b] >= 0).any():
                continue
            d, plans = decisions[0], first_thought(twin, b, i)
            order = (int(d.chosen.order), d.chosen.cell)
            assert d.chosen.value == pytest.approx(max(value for _, value in plans), rel=1e-9)
            others = [value for other, value in plans if other != order]
            assert d.second is not None
            assert d.second.value == pytest.approx(max(others), rel=1e-9)
            assert d.by_rule == pytest.approx(plans[0][1], rel=1e-9)
            checked += 1
    assert checked > 10


@pytest.mark.parametrize(("reach", "rollout"), [(8, 0), (0, 6), (0, 0)])
def test_without_search_or_without_rollout(reach: int, rollout: int) -> None:
    game = scenario(BUSY, thinking__reach=reach, thinking__rollout=rollout)
    decisions = every_decision(game)
    if reach == rollout == 0:
        assert decisions == []
        return
    assert decisions
    assert all((d.turns == 0) == (rollout == 0) for d in decisions)
    if rollout == 0:
        # The seat's rung says one thing, and what it says is all there is.
        assert {(d.phase, d.chosen.plan, d.compared) for d in decisions} == {(Phase.LAND, Plan.RULE, 1)}
        assert all(d.second is None and d.by_rule == d.chosen.value for d in decisions)


def test_an_attack_by_rule_is_an_entry_of_its_own() -> None:
    game = scenario({**BUSY, **CROWDED}, thinking__attacks="rule", thinking__rollout=0, thinking__endowment=EYES)
    fought = [d for d in every_decision(game) if d.chosen.order == OrderKind.ATTACK]
    assert fought
    assert {(d.phase, d.turns, d.compared, d.second) for d in fought} == {(Phase.LAND, 0, 1, None)}
    assert all(d.by_rule == d.chosen.value > 1.0 for d in fought), "what is won, per cost"
    assert {(d.chosen.plan, d.chosen.path == (d.chosen.cell,)) for d in fought} == {(Plan.RULE, True)}


def test_raids_are_noted_where_they_happen() -> None:
    game = scenario(BUSY, raiders__rate=1.0, raiders__strength=3.0)
    world = World(game, 2, seed=1)
    journal, rng = world.keep_journal(), np.random.default_rng(0)
    met = {True: 0, False: 0}
    for _ in range(20):
        lost, raids = world.state.losses[:, :, Loss.RAID].copy(), world.state.witness[:, :, Witness.RAIDS].copy()
        world.step(random_shares(world, rng))
        for b in range(2):
            noted = journal.raids(b)
            counts = np.bincount([r.seat for r in noted], minlength=3)
            sacked = np.bincount([r.seat for r in noted if r.sacked], minlength=3)
            assert np.array_equal(counts, world.state.witness[b, :, Witness.RAIDS] - raids[b])
            assert np.array_equal(sacked, world.state.losses[b, :, Loss.RAID] - lost[b])
            for raid in noted:
                met[raid.sacked] += 1
                assert not raid.sacked or world.state.disrupted[b, raid.cell] > 0
    assert min(met.values()) > 0


def test_it_is_emptied_by_every_turn_and_by_given_orders() -> None:
    world = still_world(1, thinking__endowment={"horizon": 4, "sight": 3, "attention": 2})
    journal = world.keep_journal()
    assert journal.decisions() == []
    while not journal.decisions():
        world.step(np.eye(8)[1][None, None])
    world.step(np.eye(8)[1][None, None], given_orders(world))
    assert journal.decisions() == []


def test_a_batch_has_one_journal_and_its_copies_none() -> None:
    world = still_world(1)
    assert world.keep_journal() is world.keep_journal()
    assert copy.deepcopy(world)._journal is None


@pytest.mark.parametrize("pooled", [False, True])
def test_it_has_room_for_every_seat_of_thought_and_says_which_decided(pooled: bool) -> None:
    """Each seat goes through the phases, and the capital once more for all: rows are as many as that can be."""
    few = {"claims.per_turn": 1, "works.per_turn": 1, "walls.per_turn": 1, "army.per_turn": 0}
    thought = {"count": 4, "cells": 1, "pool": 0.4, "weights": [1.0, 1.0, 1.0, 1.0]}
    rules = {**BUSY, **CROWDED, **few, "claims.cost": 0.5, "economy.pooled": pooled, "thinking.seats": thought}
    most, told = 0, set()
    for world, (decisions,) in play(with_levels(scenario(rules), 3, 3, 6), worlds=1):
        assert len(decisions) <= len(world._work[0].journal)
        for decision in decisions:
            assert decision.office < world.state.office_count[0, decision.seat]
        told |= {decision.office for decision in decisions}
        most = max(most, *np.bincount([decision.seat for decision in decisions], minlength=3))
    assert {-1, 0, 1, 3} <= told
    assert most > 2


def test_where_thought_is_housed_at_the_capital_one_decides_for_the_whole_realm() -> None:
    assert {decision.office for _, rows in play(GAME, turns=6) for row in rows for decision in row} == {-1}
