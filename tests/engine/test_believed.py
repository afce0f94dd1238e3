"""A world believed: exact where nothing is hidden, the same whatever is hidden, and a world that can be played."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hidden import scramble
from hypothesis import given, settings
from hypothesis import strategies as st
from random_games import scenarios
from worlds import BUSY, bits, differing, hold, no_orders, random_shares, scenario, still_world, whole, with_levels

from civsim.base.constants import NEVER, NOBODY, Category, Noise
from civsim.base.errors import ScenarioError
from civsim.engine.believed import IMAGINED, believed_world
from civsim.engine.knowledge.beliefs import believe
from civsim.engine.knowledge.own import read_levels
from civsim.engine.land.landscape import draw_land
from civsim.engine.planner.belief import begin_beliefs
from civsim.engine.state import PHYSICAL_FIELDS, SPEC
from civsim.engine.world import World

OPEN: dict[str, Any] = {
    **BUSY,
    "game.civilizations": 1,
    "raiders.rate": 0.0,
    "thinking.noise": 0.0,
    "disasters.duration": 1,
}
"""Nothing is hidden from a civilization alone that sees the whole map: a blow that lasts one turn is over when land is
claimed."""

GAME = with_levels(scenario(BUSY), 1, 2, 5)


def play(world: World, turns: int, key: int = 0) -> World:
    rng = np.random.default_rng(key)
    for _ in range(turns):
        world.step(random_shares(world, rng))
    return world


@pytest.mark.parametrize("turns", [0, 1, 9])
@pytest.mark.parametrize("belief", ["mean", "optimistic"])
def test_where_nothing_is_hidden_the_believed_world_is_the_true_one(turns: int, belief: str) -> None:
    game = with_levels(scenario(OPEN, thinking__belief=belief), 3, 32, 6)
    world = play(World(game, 3, seed=7), turns)
    believed = believed_world(world, 1, 0, world_ids=[1])
    rng = np.random.default_rng(5)
    while not world.done.all():
        shares = random_shares(world, rng)
        world.step(shares)
        believed.step(shares[1:2])
        assert not differing(bits(world, PHYSICAL_FIELDS, 1), bits(believed, PHYSICAL_FIELDS, 0))
        assert all(np.array_equal(a[1], b[0]) for a, b in zip(world.orders, believed.orders, strict=True))
    # prior_fertility is a memo: when it is made depends on when it is asked for, its value does not.
    mind = [name for name, spec in SPEC.items() if spec.role == "mind" and name != "prior_fertility"]
    assert not differing(bits(world, mind, 1), bits(believed, mind, 0))


@pytest.mark.parametrize("noise", [0.0, 0.3])
@pytest.mark.parametrize("turns", [0, 4, 12])
def test_nothing_hidden_enters(noise: float, turns: int) -> None:
    game = with_levels(scenario(BUSY, thinking__noise=noise, thinking__belief="optimistic"), 1, 1, 5)
    world = play(World(game, 2, seed=3), turns)
    seat = int(np.argmax(world.state.cells[1]))
    before = [whole(believed_world(world, 1, seat, world_ids=ids)) for ids in ([9, 4], [1])]
    assert (world.state.seen[1, seat] == NEVER).any()
    for key in range(3):
        scramble(world, 1, seat, np.random.default_rng(key))
        after = [whole(believed_world(world, 1, seat, world_ids=ids)) for ids in ([9, 4], [1])]
        assert not differing(before[0], after[0])
        assert not differing(before[1], after[1])


def test_the_true_world_is_not_touched() -> None:
    world = play(World(GAME, 2, seed=3), 5)
    before = whole(world)
    play(believed_world(world, 0, 1), 3)
    assert not differing(before, whole(world))


@pytest.mark.parametrize("belief", ["mean", "optimistic"])
@pytest.mark.parametrize("noise", [0.0, 0.3])
def test_the_planner_believes_the_same_in_both(belief: str, noise: float) -> None:
    game = with_levels(scenario(BUSY, thinking__noise=noise, thinking__belief=belief), 1, 2, 6)
    world = play(World(game, 1, seed=3), 6)
    believed = believed_world(world, 0, 2, world_ids=[0])
    found = []
    for one in (world, believed):
        state, _, config = one.pointers
        read_levels(state, config, one._plan_work[0], 0, 2)
        begin_beliefs(state, config, one._key, one._plan_work[0], 0, 2)
        for cell in range(one.n_cells):
            believe(state, config, one._plan_work[0], 0, 2, cell)
        work = one._work[0]
        found.append(np.stack([work.fertility, work.swing, work.ore_output, work.claim_cost, work.value]))
    assert found[1] == pytest.approx(found[0], rel=1e-5)


def test_land_is_as_seen_with_the_errors_of_the_model() -> None:
    world = play(World(GAME, 1, seed=3), 4)
    s, seen = world.state, world.state.seen[0, 1] != NEVER
    believed = believed_world(world, 0, 1).state
    assert 0 < seen.sum() < 64
    factor = s.noise[0, 1, Noise.FERTILITY]
    assert believed.fertility[0, seen] == pytest.approx((s.fertility[0] * factor)[seen])
    assert np.array_equal(believed.ruggedness[0, seen], s.ruggedness[0, seen])
    assert len(np.unique(believed.fertility[0, ~seen])) == 1
    assert believed.fertility[0, ~seen][0] == pytest.approx(s.seen_sum[0, 1, 1] / s.seen_sum[0, 1, 0])
    assert not believed.site[0, ~seen].any()
    spent = [Noise.FERTILITY, Noise.ORE, Noise.HAZARD]
    assert (believed.noise[0, 1][spent][:, seen] == 1.0).all()
    assert np.array_equal(believed.noise[0, 1][:, ~seen], s.noise[0, 1][:, ~seen])
    assert np.array_equal(believed.noise[0, 1, Noise.COST], s.noise[0, 1, Noise.COST])


def test_rivals_are_what_was_last_seen_of_them() -> None:
    """Civilization 0 at cell 0 sees two cells far; the rival at 2 is in view, the one at 35 never was."""
    world = still_world(capitals=(0, 2, 35), seat_default__levels={"horizon": 0, "sight": 2, "attention": 5})
    world.step(random_shares(world, np.random.default_rng(0)), no_orders(world))
    hold(world, 1, 3, 9)
    world.state.stock[0, 1, Category.ARMY] = 7.0
    before = world.state.force_seen[0, 0, 1]
    believed = believed_world(world, 0, 0).state
    assert believed.owner[0].tolist() == [0, NOBODY, 1, *[NOBODY] * 33]
    assert believed.cells[0].tolist() == [1, 1, 0]
    assert believed.alive[0].tolist() == [1, 1, 0]
    assert believed.capital[0, :2].tolist() == [0, 2]
    assert believed.stock[0, 1, Category.ARMY] == before != 7.0
    assert not believed.stock[0, 1, Category.STRATEGISTS :].any()
    assert not believed.stock[0, 2].any()
    # It looked around: it knows the civilization that believes in it.
    assert believed.known_owner[0, 1, 0] == 0
    world.step(random_shares(world, np.random.default_rng(1)), no_orders(world))
    assert believed_world(world, 0, 0).state.owner[0, [3, 9]].tolist() == [NOBODY, NOBODY]
    hold(world, 0, 1)
    world.step(random_shares(world, np.random.default_rng(1)), no_orders(world))
    believed = believed_world(world, 0, 0).state
    assert believed.owner[0, [3, 9]].tolist() == [1, NOBODY]
    assert believed.stock[0, 1, Category.ARMY] == pytest.approx(world.state.stock[0, 1, Category.ARMY])


def test_a_lost_capital_is_believed_at_the_nearest_known_cell() -> None:
    world = still_world(capitals=(0, 2, 35), seat_default__levels={"horizon": 0, "sight": 5, "attention": 5})
    hold(world, 1, 3, 14)
    play(world, 1)
    world.state.known_owner[0, 0, 2] = NOBODY
    assert believed_world(world, 0, 0).state.capital[0, 1] == 3
    world.state.known_capital[0, 0, 1] = NOBODY
    world.state.known_owner[0, 0, 3] = NOBODY
    assert believed_world(world, 0, 0).state.capital[0, 1] == 14


def test_bands_in_view_stand_and_others_are_gone() -> None:
    game = with_levels(scenario(BUSY, raiders__rate=1.0), 0, 2, 6)
    world = play(World(game, 8, seed=1), 6)
    s, views = world.state, 0
    for row in range(8):
        for seat in np.flatnonzero(s.alive[row]):
            believed = believed_world(world, row, int(seat)).state
            in_view = s.band_turn[row, seat] == s.turn[row] - 1
            views += in_view.sum()
            assert np.array_equal(believed.band_cell[0, in_view], s.band_cell[row, in_view])
            assert np.array_equal(believed.band_strength[0, in_view], s.band_strength[row, in_view])
            assert (believed.band_cell[0, ~in_view] == NOBODY).all()
            assert (believed.band_target == NOBODY).all()
    assert views > 5


def test_rows_differ_by_luck_and_rivals_minds_alone() -> None:
    world = play(World(GAME, 1, seed=3), 6)
    many = believed_world(world, 0, 1, n_worlds=20, threads=2)
    assert len(set(many.state.world_id.tolist())) == 20
    assert world.state.world_id[0] not in many.state.world_id
    for row in range(1, 20):
        assert set(differing(bits(many, SPEC, 0), bits(many, SPEC, row))) <= {"world_id", "salience"}
    alone = believed_world(world, 0, 1, world_ids=many.state.world_id[[13]])
    rng = np.random.default_rng(1)
    for _ in range(5):
        shares = random_shares(alone, rng)
        alone.step(shares)
        many.step(shares.repeat(20, 0))
    assert not differing(bits(alone, SPEC, 0), bits(many, SPEC, 13))
    assert len({many.state.disrupted[row].tobytes() for row in range(20)}) > 5


@pytest.mark.parametrize("true_id", [0, 2**30, IMAGINED, 2**32 - 1])
def test_luck_is_never_that_of_the_true_world_unless_asked_for(true_id: int) -> None:
    world = World(GAME, seed=3, world_ids=[true_id])
    ids = believed_world(world, 0, 0, n_worlds=3).state.world_id
    assert len({true_id, *ids.tolist()}) == 4
    assert ((ids >= IMAGINED) & (ids < 2**32)).all()
    assert believed_world(world, 0, 0, world_ids=[true_id]).state.world_id.tolist() == [true_id]


def test_a_world_on_given_land_is_believed_and_its_truth_left_behind() -> None:
    world = play(World(GAME, 1, seed=3, land=draw_land(GAME, 9, 9)), 3)
    believed = believed_world(world, 0, 0)
    assert believed.land is None
    restored = World.restore(believed.snapshot())
    assert not differing(bits(play(believed, 3), SPEC), bits(play(restored, 3), SPEC))


@settings(max_examples=25, deadline=None)
@given(game=scenarios(), turns=st.integers(0, 6), key=st.integers(0, 2**16))
def test_any_believed_world_is_consistent_and_plays_on(game: Any, turns: int, key: int) -> None:
    table = game.model_dump()
    table["game"]["turns"] = 26
    world = play(World(type(game).model_validate(table), 2, seed=key), turns, key)
    alive = np.argwhere(world.state.alive)
    row, seat = (int(one) for one in alive[key % len(alive)])
    believed = believed_world(world, row, seat, n_worlds=2)
    s = believed.state
    for i in range(world.n_civilizations):
        held = (s.owner == i).sum(axis=1)
        assert np.array_equal(held, s.cells[:, i])
        assert np.array_equal(held > 0, s.alive[:, i] == 1)
        assert all(s.owner[b, s.capital[b, i]] == i for b in range(2) if held[b])
    World.restore(believed.snapshot())
    play(believed, 20, key)
    World.restore(believed.snapshot())


@pytest.mark.parametrize(
    ("row", "seat", "options", "words"),
    [
        (2, 0, {}, "row=2"),
        (-1, 0, {}, "row=-1"),
        (0, 3, {}, "seat=3"),
        (0, -1, {}, "seat=-1"),
        (0, 2, {}, "holds no cell"),
        (0, 0, {"n_worlds": 0}, "n_worlds=0"),
        (0, 0, {"world_ids": []}, "world_ids"),
        (0, 0, {"world_ids": [2**32]}, "world_ids"),
        (0, 0, {"world_ids": [1], "n_worlds": 2}, "n_worlds=2"),
        (0, 0, {"threads": 0}, "threads=0"),
    ],
)
def test_what_cannot_be_believed_is_refused_in_one_line(row: int, seat: int, options: Any, words: str) -> None:
    world = World(GAME, 2, seed=3)
    world.state.alive[0, 2] = 0
    with pytest.raises(ScenarioError, match=words) as caught:
        believed_world(world, row, seat, **options)
    assert "\n" not in str(caught.value)
