"""Seats of thought as a whole: one is the game without the rule, and no number of them touches the physical world."""

from __future__ import annotations

import copy
import math
import pickle
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from random_games import scenarios, thoughts
from realms import by_rule
from worlds import BUSY, bits, differing, random_orders, random_shares, scenario, whole

from civsim.base.constants import ALWAYS_ATTENDED, NEVER, Channel
from civsim.base.scenario import Scenario
from civsim.engine.believed import believed_world
from civsim.engine.offices.rows import row_of
from civsim.engine.state import PHYSICAL_FIELDS, SPEC
from civsim.engine.world import World

WORLDS = 2
FIELDS_OF_ROWS = [name for name, spec in SPEC.items() if spec.shape[1:2] == ("M",)]
OF_LAND = {"near", "near_fresh", "near_depth"}
"""What lies near a seat of thought is by province."""
MEMO = "prior_fertility"
"""When it is made depends on when it is asked for, its value does not."""
SEEN_SUM = "seen_sum"
"""A sum in the order in which cells were seen."""
GONE = "band_since"
"""Of a band that has come and gone several seats keep since when it was about, against news still on the road."""
COPIES: dict[str, Callable[[World], World]] = {
    "deepcopy": copy.deepcopy,
    "pickle": lambda world: pickle.loads(pickle.dumps(world)),
    "restore": lambda world: World.restore(world.snapshot()),
}


def housed(game: Scenario, thought: dict[str, Any], **seat: Any) -> Scenario:
    """The same game, thought housed otherwise in every realm, with changes to the default seat."""
    table = game.model_dump(exclude_unset=True)
    table.get("thinking", {}).pop("seats", None)
    table["seat_default"] = {**table["seat_default"], "thought": thought, **seat}
    return Scenario.model_validate(table)


def levels() -> st.SearchStrategy[dict[str, int]]:
    return st.fixed_dictionaries(
        {"horizon": st.integers(0, 6), "sight": st.integers(0, 5), "attention": st.integers(2, 6)}
    )


def side_by_side(games: list[Scenario], seed: int, orders: bool = False) -> Any:
    """Play games turn by turn with the same shares, and the same random orders or plans of their own."""
    worlds = [World(game, WORLDS, seed=seed) for game in games]
    rng = np.random.default_rng(seed)
    while not worlds[0].done.all():
        shares = random_shares(worlds[0], rng)
        given = random_orders(worlds[0], rng) if orders else None
        for world in worlds:
            world.step(shares, given)
        yield worlds


def of_capitals(world: World, name: str) -> np.ndarray:
    """The rows of a field of minds that are the capitals'."""
    return getattr(world.state, name)[:, : world.n_civilizations]


@given(scenarios(), thoughts(1, 1), st.integers(0, 2**32))
@settings(max_examples=60)
def test_one_seat_is_the_game_without_the_rule(game: Scenario, thought: dict[str, Any], seed: int) -> None:
    games = [housed(game, one) for one in ({}, {**thought, "messenger": 0.01})]
    for one, other in side_by_side(games, seed):
        assert not differing(whole(one), whole(other))


@given(scenarios(), st.integers(2, 8), levels(), st.integers(0, 2**32))
@settings(max_examples=80)
def test_where_all_is_heard_and_the_capital_commands_all_many_are_one(
    game: Scenario, count: int, level: dict[str, int], seed: int
) -> None:
    """Levels are given, so that none is bought of a province; then nothing but who decides differs, and one does."""
    united = {"count": count, "cells": 1, "pool": 1.0, "messenger": math.inf}
    games = [housed(game, thought, levels=level) for thought in ({}, united)]
    for one, many in side_by_side(games, seed):
        assert not differing(bits(one), bits(many))
        assert all(np.array_equal(a, b) for a, b in zip(one.orders, many.orders, strict=True))
        assert np.array_equal(one.state.witness, many.state.witness)
        # Of a game without foresight the rule notes no plan, and seats of thought do.
        planned = one.state.plan_turn == one.state.turn[:, None] - 1
        for name in set(FIELDS_OF_ROWS) - OF_LAND - {MEMO, SEEN_SUM, GONE}:
            compared = planned if name.startswith("plan_") else np.ones_like(planned)
            assert np.array_equal(getattr(one.state, name)[compared], of_capitals(many, name)[compared]), name
        known = one.state.band_turn != NEVER
        assert np.array_equal(one.state.band_since[known], of_capitals(many, GONE)[known])
        assert np.allclose(one.state.seen_sum, of_capitals(many, SEEN_SUM), rtol=1e-12, atol=1e-12)


@given(scenarios(), thoughts(2), levels(), st.integers(0, 2**32))
@settings(max_examples=80)
def test_where_all_is_heard_every_seat_knows_what_one_would(
    game: Scenario, thought: dict[str, Any], level: dict[str, int], seed: int
) -> None:
    """Of the same orders: what each sees at once is what a realm sees, and what a realm counts is counted once."""
    games = [housed(game, one, levels=level) for one in ({}, {**thought, "messenger": math.inf})]
    plans = {"plan_kind", "plan_cell", "plan_value", "plan_turn", "band_aim"}
    for one, many in side_by_side(games, seed, orders=True):
        assert not differing(bits(one), bits(many))
        assert np.array_equal(one.state.witness, many.state.witness)
        for b, i in np.argwhere(many.state.alive):
            for office in range(many.state.office_count[b, i]):
                row = row_of(many.config, int(i), office)
                for name in set(FIELDS_OF_ROWS) - OF_LAND - plans - {MEMO, SEEN_SUM, GONE}:
                    assert np.array_equal(getattr(one.state, name)[b, i], getattr(many.state, name)[b, row]), name
                assert np.allclose(one.state.seen_sum[b, i], many.state.seen_sum[b, row], rtol=1e-12, atol=1e-12)


@given(scenarios(), thoughts(2), st.integers(0, 2**32), st.sampled_from([1, 3]))
@settings(max_examples=40)
def test_a_game_goes_on_alike_however_it_is_carried(
    game: Scenario, thought: dict[str, Any], seed: int, turns: int
) -> None:
    """Copied, sent, restored, on two threads, a row alone, a row copied into another batch: bit for bit the same."""
    world = World(housed(game, thought), WORLDS, seed=seed)
    alone = World(world.scenario, seed=seed, world_ids=[1])
    threaded = World(world.scenario, WORLDS, seed=seed, threads=2)
    rng = np.random.default_rng(seed)
    for _ in range(turns):
        shares = random_shares(world, rng)
        for one, part in ((world, shares), (threaded, shares), (alone, shares[1:])):
            one.step(part)
    twins = {name: way(world) for name, way in COPIES.items()}
    # The first row is another world until it is copied over.
    branch = World(world.scenario, seed=seed, world_ids=[7, 1])
    branch.copy_rows(world, [1, 0], [0, 1])
    while not world.done.all():
        shares = random_shares(world, rng)
        for one in (world, threaded, *twins.values()):
            one.step(shares)
        alone.step(shares[1:])
        branch.step(shares[::-1])
        expected = whole(world)
        for name, one in (("threads", threaded), *twins.items()):
            assert not differing(expected, whole(one)), name
        assert not differing(bits(world, SPEC, 1), bits(alone, SPEC, 0))
        assert not differing(bits(world, SPEC, 1), bits(branch, SPEC, 0))
        assert not differing(bits(world, SPEC, 0), bits(branch, SPEC, 1))


@given(scenarios(), thoughts(2), st.integers(0, 2**32))
@settings(max_examples=40)
def test_an_inert_sham_pays_and_every_seat_has_the_endowment(
    game: Scenario, thought: dict[str, Any], seed: int
) -> None:
    games = [housed(game, thought, sham=sham) for sham in ("inert", "none")]
    given_levels = game.thinking.endowment
    expected = [given_levels.horizon, given_levels.sight, max(given_levels.attention, ALWAYS_ATTENDED)]
    for inert, free in side_by_side(games, seed, orders=True):
        assert not differing(bits(inert), bits(free))
        for b, i in np.argwhere(inert.state.alive):
            for office in range(inert.state.office_count[b, i]):
                assert inert.state.level[b, row_of(inert.config, int(i), office)].tolist() == expected


SEVERAL = {**BUSY, "thinking.seats": {"count": 3, "cells": 1, "messenger": 2.0}, "claims.cost": 0.5}


def test_each_seat_buys_levels_with_its_staff_for_its_province() -> None:
    """Level = endowment + ⌊staff · weight / (price · cells^span)⌋, of its weight and of the cells of its province."""
    table = {"thinking.seats.weights": "output", "thinking.endowment": {"horizon": 1, "sight": 1, "attention": 2}}
    world = World(scenario({**SEVERAL, **table}), 4, seed=2)
    rng, s, thinking = np.random.default_rng(0), world.state, world.scenario.thinking
    price = np.array([thinking.price.horizon, thinking.price.sight, thinking.price.attention])
    levels_of_seats: set[tuple[int, ...]] = set()

    def after(rule: str) -> None:
        if rule != "allocation":
            return
        for b, i in np.argwhere(s.alive):
            for office in range(s.office_count[b, i]) if s.office_count[b, i] > 1 else ():
                cells, weight = float(s.office_cells[b, i, office]), s.office_weight[b, i, office]
                bought = s.stock[b, i, -3:].astype(float) * weight / (price * cells**thinking.span)
                level = s.level[b, row_of(world.config, int(i), office)]
                sure = np.abs(bought - bought.round()) > 1e-6
                expected = np.minimum(np.floor(bought).astype(int) + np.array([1, 1, 2]), [64, 32, 6])
                assert np.array_equal(level[sure], expected[sure])
                levels_of_seats.add((office, *level.tolist()))

    while not world.done.all():
        by_rule(world, random_shares(world, rng), after)
    assert len(levels_of_seats) > 12


def test_a_shuffled_sham_with_seats_knows_otherwise() -> None:
    games = [
        scenario({**SEVERAL, "seat_default": {"levels": {"horizon": 4, "sight": 4}, "sham": sham}})
        for sham in ("none", "shuffled")
    ]
    worlds = list(side_by_side(games, 3))[-1]
    assert "owner" in differing(bits(worlds[0]), bits(worlds[1]))
    assert worlds[1].state.office_count.max() == 3


@pytest.mark.parametrize("messenger", [1.0, math.inf])
def test_a_world_believed_from_a_realm_of_several_seats_tells_none_of_them_old_news(messenger: float) -> None:
    """The capital's beliefs are all there is: every seat begins with them, and no messenger is on the road."""
    world = World(scenario({**SEVERAL, "thinking.seats.messenger": messenger, "map.torus": True}), 3, seed=4)
    rng, told = np.random.default_rng(0), 0
    for _ in range(9):
        world.step(random_shares(world, rng))
    for b, i in np.argwhere(world.state.alive):
        believed = believed_world(world, int(b), int(i))
        s, rows = (
            believed.state,
            [row_of(world.config, int(i), office) for office in range(world.state.office_count[b, i])],
        )
        assert not s.past_view.any()
        assert not s.near_fresh[0, rows[1:]].any(), "each has land of its own to survey"
        for name in set(FIELDS_OF_ROWS) - OF_LAND:
            assert all(np.array_equal(getattr(s, name)[0, row], getattr(world.state, name)[b, i]) for row in rows), name
        before = s.known_owner[0, rows].copy()
        believed.step(world.shares[b : b + 1])
        # What is not in view, and no messenger from this turn has told, is remembered as it was.
        for row, known in zip(rows, before, strict=True):
            still = s.seen[0, row] < s.turn[0] - 1
            told += int(still.sum())
            lost = (known == i) & (s.owner[0] != i)
            assert np.array_equal(s.known_owner[0, row][still & ~lost], known[still & ~lost])
    assert told > 0
    assert world.state.level[..., Channel.SIGHT].max() > 0


def test_physical_fields_are_those_that_seats_do_not_touch() -> None:
    assert not {name for name in PHYSICAL_FIELDS if name.startswith(("office", "past_", "province", "purse", "drawn"))}
