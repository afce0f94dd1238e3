"""Worlds as objects: copied, pickled, forked and branched row by row, each goes on bit for bit and on its own."""

from __future__ import annotations

import copy
import gc
import os
import pickle
import subprocess
import sys
import threading
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from worlds import BUSY, bits, differing, flat_land, random_shares, scenario, whole, with_levels

from civsim.base.errors import ScenarioError
from civsim.base.pointer import Pointer
from civsim.engine.land.landscape import draw_land, save_land
from civsim.engine.observation.observer import observe, observer_of
from civsim.engine.state import SPEC
from civsim.engine.storage.rows import check_rows
from civsim.engine.world import World

GAME = with_levels(scenario(BUSY), 2, 3, 5)
TURNS = GAME.game.turns
HALF = 6
COPIES: dict[str, Callable[[World], World]] = {
    "deepcopy": copy.deepcopy,
    "copy": copy.copy,
    "pickle": lambda world: pickle.loads(pickle.dumps(world)),
    "nested": lambda world: copy.deepcopy({"a": [world]})["a"][0],
}
WAYS = pytest.mark.parametrize("way", COPIES)


def played(turns: int = HALF, worlds: int = 3, game: Any = GAME, key: int = 0, **options: Any) -> World:
    """A batch some turns into the game."""
    world = World(game, worlds, seed=5, **options)
    return go_on(world, turns, key)


def go_on(world: World, turns: int, key: int = 1) -> World:
    """Play on with shares that depend on ``key`` and the turn."""
    rng = np.random.default_rng(key)
    for _ in range(turns):
        world.step(random_shares(world, rng))
    return world


def share_nothing(one: World, other: World) -> None:
    mine = [*one.state, *one.orders, one.shares, *(one.land or ())]
    theirs = [*other.state, *other.orders, other.shares, *(other.land or ())]
    assert not any(np.shares_memory(a, b) for a, b in zip(mine, theirs, strict=True))


@WAYS
@pytest.mark.parametrize("turns", [0, HALF, TURNS])
@pytest.mark.parametrize("threads", [1, 2])
def test_a_copy_is_exact_and_goes_on_alike(way: str, turns: int, threads: int) -> None:
    world = played(turns, threads=threads)
    twin = COPIES[way](world)
    assert not differing(whole(world), whole(twin))
    assert (twin.seed, twin.threads, twin.scenario) == (world.seed, threads, world.scenario)
    share_nothing(world, twin)
    go_on(world, 3)
    go_on(twin, 3)
    assert not differing(whole(world), whole(twin))


@WAYS
def test_copies_part_without_touching_each_other(way: str) -> None:
    world = played()
    twin = COPIES[way](world)
    before = whole(world)
    go_on(twin, 4, key=9)
    assert not differing(before, whole(world))
    after = whole(twin)
    go_on(world, 4, key=8)
    assert not differing(after, whole(twin))
    assert differing(after, whole(world))


@WAYS
@pytest.mark.parametrize("threads", [1, 2])
def test_a_copy_outlives_its_original(way: str, threads: int) -> None:
    world = played(threads=threads)
    expected = whole(go_on(COPIES[way](world), 5))
    twin = COPIES[way](world)
    gone = weakref.ref(world)
    del world
    gc.collect()
    assert gone() is None
    # What was freed is written over.
    filled = [np.full(4096, -1, np.int64) for _ in range(64)]
    assert not differing(expected, whole(go_on(twin, 5)))
    assert filled


def test_copies_keep_the_land_they_were_given(tmp_path: Path) -> None:
    land = draw_land(GAME, 77, 77)
    save_land(land, tmp_path / "land.npz")
    table = GAME.model_dump(exclude_unset=True)
    table["map"] = {"width": 8, "height": 8, "file": str(tmp_path / "land.npz")}
    for world in (played(land=land), played(game=type(GAME).model_validate(table))):
        start = whole(World(world.scenario, 3, seed=5, land=world.land))
        (tmp_path / "land.npz").unlink(missing_ok=True)
        for way in COPIES.values():
            twin = way(world)
            share_nothing(world, twin)
            go_on(twin, 2)
            twin.reset()
            assert not differing(start, whole(twin))


def test_a_copy_has_an_observer_of_its_own() -> None:
    world = played()
    seen = observe(world).features
    twin = copy.deepcopy(world)
    assert observer_of(twin) is not observer_of(world)
    assert np.array_equal(observe(twin).features, seen)
    go_on(twin, 2)
    assert np.array_equal(observe(world).features, seen)
    assert not np.array_equal(observe(twin).features, seen)
    assert not differing(whole(go_on(world, 2)), whole(twin))
    assert np.array_equal(observe(twin).features, observe(world).features)


def test_an_observer_is_copied_with_its_world() -> None:
    world = played()
    observer = observer_of(world)
    expected = observer(world.state).features
    twin, eyes = copy.deepcopy((world, observer))
    del world, observer
    gc.collect()
    assert np.array_equal(eyes(twin.state).features, expected)


def test_a_pointer_is_copied_as_its_record() -> None:
    world = played()
    twin = copy.deepcopy(Pointer(world.state))
    assert twin != world.pointers.state
    assert twin.record.turn.tolist() == world.state.turn.tolist()
    assert not np.shares_memory(twin.record.turn, world.state.turn)
    assert pickle.loads(pickle.dumps(twin)).record.turn.tolist() == world.state.turn.tolist()


def test_an_arrived_world_is_checked() -> None:
    world = played()
    world.state.stock[0, 0, 3] = np.nan
    sent = pickle.dumps(world)
    with pytest.raises(ValueError, match=r"state\.stock=nan"):
        pickle.loads(sent)


FORKED = """
import os, sys
import numpy as np
from test_copies import GAME, go_on, played, whole
world = played(threads=2)
expected = whole(go_on(played(), 3))
child = os.fork()
alike = whole(go_on(world, 3)) == expected
if child == 0:
    again = os.fork()
    fine = alike and whole(go_on(world, 2)) == whole(go_on(go_on(played(), 3), 2))
    if again:
        fine = fine and os.waitpid(again, 0)[1] == 0
    os._exit(0 if fine else 1)
assert os.waitpid(child, 0)[1] == 0
assert alike
print("stepped on both sides")
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
def test_a_world_with_threads_steps_in_a_forked_child() -> None:
    here = Path(__file__).parent
    paths = [str(here), str(here.parent / "support"), os.environ.get("PYTHONPATH", "")]
    done = subprocess.run(
        [sys.executable, "-c", FORKED],
        capture_output=True,
        text=True,
        timeout=300,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)},
    )
    assert done.stdout.strip() == "stepped on both sides", done.stderr


def test_threads_end_with_their_world() -> None:
    before = set(threading.enumerate())
    world = played(threads=3)
    own = set(threading.enumerate()) - before
    assert own
    del world
    gc.collect()
    for thread in own:
        thread.join(10)
    assert not any(thread.is_alive() for thread in own)


def test_rows_are_copied_whole() -> None:
    source, pool = played(), played(3, worlds=7, key=4, threads=2)
    before = {row: bits(pool, SPEC, row) for row in range(7)}
    pool.copy_rows(source, [2, 0, 2], [5, 1, 0])
    for row, of in ((5, 2), (1, 0), (0, 2)):
        assert not differing(bits(source, SPEC, of), bits(pool, SPEC, row))
        assert np.array_equal(pool.shares[row], source.shares[of])
        assert all(np.array_equal(a[row], b[of]) for a, b in zip(pool.orders, source.orders, strict=True))
    for row in (2, 3, 4, 6):
        assert not differing(before[row], bits(pool, SPEC, row))
    share_nothing(source, pool)
    rng = np.random.default_rng(3)
    for _ in range(4):
        shares = random_shares(source, rng)
        source.step(shares)
        pool.step(shares[[2, 0, 1, 1, 1, 2, 1]])
    for row, of in ((5, 2), (1, 0), (0, 2)):
        assert not differing(bits(source, SPEC, of), bits(pool, SPEC, row))


def test_under_another_id_the_past_stays_and_luck_is_that_of_the_id() -> None:
    source = played()
    many = World(GAME, 40, seed=5)
    many.copy_rows(source, [1], np.arange(40), world_ids=np.arange(100, 140))
    assert many.state.world_id.tolist() == list(range(100, 140))
    for row in range(40):
        assert differing(bits(source, SPEC, 1), bits(many, SPEC, row)) == ["world_id"]
    alone = World(GAME, 1, seed=5)
    alone.copy_rows(source, [1], [0], world_ids=[117])
    rng = np.random.default_rng(3)
    for _ in range(5):
        shares = random_shares(alone, rng)
        alone.step(shares)
        many.step(shares.repeat(40, 0))
    # The same world in a batch of one and of forty.
    assert not differing(bits(alone, SPEC, 0), bits(many, SPEC, 17))
    assert len({many.state.disrupted[row].tobytes() for row in range(40)}) > 10


def test_rows_may_change_places_within_a_batch() -> None:
    world = played()
    before = [bits(world, SPEC, row) for row in range(3)]
    world.copy_rows(world, [1, 2, 0], [0, 1, 2])
    assert [not differing(before[of], bits(world, SPEC, row)) for row, of in enumerate((1, 2, 0))] == [True] * 3
    world.copy_rows(world, [0, 1], [1, 2])
    assert not differing(before[1], bits(world, SPEC, 1))
    assert not differing(before[2], bits(world, SPEC, 2))


def test_hazard_comes_along_with_a_row() -> None:
    game = scenario(BUSY, map__hazard=0.0)
    land = flat_land(game, (0, 30, 60), hazard=dict.fromkeys(range(64), 0.9))
    source, target = World(game, 1, land=land), World(game, 1, land=land)
    target.state.hazard[:] = 0.0
    target._refresh_hazard()
    target.copy_rows(source, [0], [0])
    target.step(random_shares(target, np.random.default_rng(0)))
    assert target.state.losses[..., 0].sum() > 0


@pytest.mark.parametrize(
    ("source", "of", "rows", "ids", "words"),
    [
        (lambda: World(scenario(BUSY, game__turns=21), 3, seed=5), [0], [0], None, "scenario"),
        (lambda: World(GAME, 3, seed=6), [0], [0], None, "seed 6"),
        (lambda: World(GAME, 3, seed=5, land=draw_land(GAME, 1, 1)), [0], [0], None, "land"),
        (lambda: World(GAME, 3, seed=5), [3], [0], None, "source_rows hold 3"),
        (lambda: World(GAME, 3, seed=5), [-1], [0], None, "source_rows hold -1"),
        (lambda: World(GAME, 3, seed=5), [0], [3], None, "rows hold 3"),
        (lambda: World(GAME, 3, seed=5), [0, 1], [0, 1, 2], None, "2 source_rows for 3 rows"),
        (lambda: World(GAME, 3, seed=5), [0, 1], [2, 2], None, "twice"),
        (lambda: World(GAME, 3, seed=5), [0.5], [2], None, "whole numbers"),
        (lambda: World(GAME, 3, seed=5), [0], [0, 1], [4], "1 world_ids for 2 rows"),
        (lambda: World(GAME, 3, seed=5), [0], [0], [2**32], "world_ids"),
    ],
)
def test_rows_that_do_not_fit_are_refused_in_one_line(
    source: Callable[[], World], of: Any, rows: Any, ids: Any, words: str
) -> None:
    world = played(2)
    before = whole(world)
    with pytest.raises(ScenarioError, match=words) as caught:
        world.copy_rows(source(), of, rows, ids)
    assert "\n" not in str(caught.value)
    assert not differing(before, whole(world))


def test_no_rows_are_no_change() -> None:
    world = played(2)
    before = whole(world)
    world.copy_rows(world, [], [])
    assert not differing(before, whole(world))
    assert check_rows("rows", [], 3).dtype == np.int64
