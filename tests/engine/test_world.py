"""The batch: worlds are independent bit for bit, bad input moves nothing, memory is as stated."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from worlds import BUSY, bits, copied, differing, flat_land, no_orders, random_shares, scenario, split, with_levels

from civsim.base.errors import ActionError, ScenarioError
from civsim.engine.land.landscape import draw_land
from civsim.engine.state import SPEC, Orders, bytes_per_world
from civsim.engine.world import World

GAME = with_levels(scenario(BUSY), 4, 3, 5)
TURNS = GAME.game.turns


def shares_of(world_id: int, turn: int) -> np.ndarray:
    """Shares [N, 8] that depend on the world's id and the turn alone."""
    return np.random.default_rng([world_id, turn]).dirichlet(np.ones(8), 3)


def play(world: World, turns: int = TURNS) -> World:
    """Play turns with shares by world id."""
    for turn in range(turns):
        world.step(np.stack([shares_of(int(w), turn) for w in world.state.world_id]))
    return world


@pytest.fixture(scope="module")
def batch() -> World:
    return play(World(GAME, 64, seed=11))


def test_world_17_of_64_is_world_17_alone(batch: World) -> None:
    alone = play(World(GAME, seed=11, world_ids=[17]))
    assert not differing(bits(batch, SPEC, row=17), bits(alone, SPEC, row=0))
    for one, many in zip(alone.orders, batch.orders, strict=True):
        assert np.array_equal(one[0], many[17])


def test_any_batch_in_any_order(batch: World) -> None:
    ids = [63, 17, 2**32 - 1, 0]
    some = play(World(GAME, seed=11, world_ids=ids))
    for row, world_id in enumerate(ids):
        if world_id < 64:
            assert not differing(bits(batch, SPEC, row=world_id), bits(some, SPEC, row=row))


@pytest.mark.parametrize("threads", [2, 3, 64])
def test_threads_change_nothing(threads: int, batch: World) -> None:
    assert not differing(bits(batch, SPEC), bits(play(World(GAME, 64, seed=11, threads=threads)), SPEC))


MINDS: dict[str, list[dict[str, Any]]] = {
    "rules alone": [
        {"rule": "rate", "attacks": "rule", "rollout": 0},
        {"rule": "npv", "attacks": "rule", "rollout": 0, "reach": 9},
        {"rule": "myopic", "attacks": "never", "rollout": 0},
    ],
    "plans on every rung": [{"rule": rule, "attacks": "plan"} for rule in ("myopic", "rate", "npv")],
    "one of each": [
        {"rule": "npv", "attacks": "rule", "rollout": 0},
        {"rule": "rate", "attacks": "plan"},
        {"rule": "npv", "attacks": "never", "reach": 2},
    ],
}


@pytest.mark.parametrize("minds", MINDS)
def test_rules_and_attacks_keep_worlds_independent(minds: str) -> None:
    """What one seat's search and rollouts leave behind decides nothing of another's, whoever shares the thread."""
    crowded = {**BUSY, "map.width": 6, "map.height": 6, "army.price": 0.1, "thinking.prior": {"attack": 0.1}}
    seats = [{**mind, "levels": {"horizon": 5, "sight": 4, "attention": 6}} for mind in MINDS[minds]]
    game = scenario(crowded, seats=seats)
    batch = play(World(game, 24, seed=11))
    assert batch.state.gains[:, :, 0].sum() > 100
    for threads in (2, 5):
        assert not differing(bits(batch, SPEC), bits(play(World(game, 24, seed=11, threads=threads)), SPEC))
    some = play(World(game, seed=11, world_ids=[23, 7, 0]))
    for row, world_id in enumerate((23, 7, 0)):
        assert not differing(bits(batch, SPEC, row=world_id), bits(some, SPEC, row=row))


def digest(world: World) -> str:
    """A fingerprint of the whole state."""
    return hashlib.sha256(b"".join(bits(world, SPEC).values())).hexdigest()


ELSEWHERE = """
import json, sys
import numpy as np
from civsim.base.scenario import Scenario
from civsim.engine.world import World
from test_world import digest, play
print(digest(play(World(Scenario.model_validate(json.loads(sys.argv[1])), 3, seed=11), 6)))
"""


def test_another_process_changes_nothing() -> None:
    here = Path(__file__).parent
    paths = [str(here), str(here.parent / "support"), os.environ.get("PYTHONPATH", "")]
    found = subprocess.run(
        [sys.executable, "-c", ELSEWHERE, json.dumps(GAME.model_dump())],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)},
    )
    assert found.stdout.strip() == digest(play(World(GAME, 3, seed=11), 6))


def test_worlds_differ(batch: World) -> None:
    assert len({batch.state.owner[b].tobytes() for b in range(64)}) > 60
    other = play(World(GAME, 4, seed=12))
    assert differing(bits(batch, SPEC, row=3), bits(other, SPEC, row=3))


def test_reset_restarts_rows_as_the_given_worlds(batch: World) -> None:
    world = play(World(GAME, 4, seed=11), 5)
    before = bits(world, SPEC, row=1)
    world.reset(world_ids=[17, 5], rows=[0, 2])
    assert world.state.world_id.tolist() == [17, 1, 5, 3]
    assert world.state.turn.tolist() == [0, 5, 0, 5]
    assert not differing(before, bits(world, SPEC, row=1))
    world.reset(world_ids=[9, 17, 0, 1])
    play(world)
    for row, world_id in enumerate([9, 17, 0, 1]):
        assert not differing(bits(batch, SPEC, row=world_id), bits(world, SPEC, row=row))
    world.reset()
    assert world.state.world_id.tolist() == [9, 17, 0, 1]
    assert (world.state.turn == 0).all()


def test_disaster_draws_are_skipped_only_while_no_row_has_any_hazard() -> None:
    world = World(GAME, 5, seed=11)
    assert world.config.hazard_on
    world.state.hazard[:] = 0.0
    world._refresh_hazard()
    assert not world.config.hazard_on
    for rows in ([3], [0, 4], [1, 2]):
        world.reset(rows=rows)
        assert world.config.hazard_on
        world.state.hazard[rows] = 0.0
        world._refresh_hazard(np.array(rows))
        assert not world.config.hazard_on


@pytest.mark.parametrize("rows", [[2], [1, 2, 3], [0, 1, 2, 3, 4], [4, 0, 2]])
def test_rows_are_reset_alike_however_they_are_chosen(rows: list[int]) -> None:
    world, fresh = play(World(GAME, 5, seed=11), 5), World(GAME, 5, seed=11)
    world.reset(rows=rows)
    for row in rows:
        assert not differing(bits(fresh, SPEC, row=row), bits(world, SPEC, row=row))
    world.reset(rows=[])


def test_rows_at_different_turns_do_not_mix(batch: World) -> None:
    world = World(GAME, 2, seed=11)
    for turn in range(TURNS):
        world.step(np.stack([shares_of(0, turn), shares_of(1, max(turn - 7, 0))]))
        if turn == 6:
            world.reset(world_ids=[1], rows=[1])
    assert world.done.tolist() == [True, False]
    for turn in range(TURNS, TURNS + 7):
        world.step(np.stack([shares_of(0, turn), shares_of(1, turn - 7)]))
    assert not differing(bits(batch, SPEC, row=1), bits(world, SPEC, row=1))
    late = bits(world, [name for name in SPEC if name != "reward"], row=0)
    assert not differing(late, bits(batch, SPEC, row=0))


def test_records_are_copies() -> None:
    world = World(GAME, 2, seed=0)
    record = world.step(shares_of(0, 0)[None].repeat(2, 0))
    kept = [values.copy() for values in record]
    play(world, 4)
    assert all(np.array_equal(a, b) for a, b in zip(record, kept, strict=True))
    assert all(not np.shares_memory(values, field) for values in record for field in world.state)


def test_the_caller_keeps_its_arrays() -> None:
    world = World(GAME, 2, seed=0)
    shares = random_shares(world, np.random.default_rng(0))
    orders = no_orders(world)
    before = shares.copy(), copied(orders)
    world.step(shares, orders)
    assert np.array_equal(shares, before[0])
    assert all(np.array_equal(a, b) for a, b in zip(orders, before[1], strict=True))


def bad_shares() -> dict[str, tuple[Any, str]]:
    """Malformed shares for a batch of 2 worlds and 3 civilizations, army closed, and words of the error."""
    good = np.full((2, 3, 8), 1 / 7)
    good[..., 3] = 0

    def changed(at: Any, value: float) -> np.ndarray:
        values = good.copy()
        values[at] = value
        return values

    return {
        "nan": (changed((1, 2, 4), np.nan), "world row 1, civilization 2 = nan"),
        "infinite": (changed((0, 0, 0), np.inf), "world row 0, civilization 0 = inf"),
        "negative": (changed((1, 0, 6), -0.2), "scouts of world row 1, civilization 0 = -0.2"),
        "too much": (changed((0, 1, 0), 0.2), "world row 0, civilization 1 sum to 1.05714"),
        "too little": (good * 0.9, "sum to 0.9"),
        "closed": (np.full((2, 3, 8), 1 / 8), "army of world row 0, civilization 0 = 0.125"),
        "one world": (good[:1], r"shape \(1, 3, 8\)"),
        "no world axis": (good[0], r"shape \(3, 8\)"),
        "seven": (good[..., :7], r"shape \(2, 3, 7\)"),
        "ragged": ([[1, 2], [3]], "ragged"),
        "text": (good.astype(str), "dtype"),
        "complex": (good.astype(complex), "dtype"),
        "nothing": (None, "dtype|shape"),
    }


@pytest.mark.parametrize("case", bad_shares())
def test_malformed_shares_move_nothing(case: str) -> None:
    shares, words = bad_shares()[case]
    world = World(scenario(BUSY, game__closed=["army"]), 2, seed=0)
    before = bits(world, SPEC)
    with pytest.raises(ActionError, match=words) as caught:
        world.step(shares)
    assert "\n" not in str(caught.value)
    assert not differing(before, bits(world, SPEC))


def test_rounding_is_forgiven_and_normalised() -> None:
    world = World(GAME, 2, seed=0)
    shares = random_shares(world, np.random.default_rng(0)).astype(np.float32) * np.float32(1 + 5e-5)
    record = world.step(shares)
    assert world.state.spent.sum(axis=2) == pytest.approx(record.output, rel=1e-6)


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("kind", 4, "orders.kind"),
        ("kind", -2, "orders.kind"),
        ("cell", 64, "orders.cell"),
        ("cell", -2, "orders.cell"),
    ],
)
def test_orders_out_of_range_move_nothing(field: str, value: int, words: str) -> None:
    world = World(GAME, 2, seed=0)
    orders = no_orders(world)
    getattr(orders, field)[1, 0, 0] = value
    before = bits(world, SPEC)
    with pytest.raises(ActionError, match=words):
        world.step(random_shares(world, np.random.default_rng(0)), orders)
    assert not differing(before, bits(world, SPEC))


def test_orders_of_another_shape_or_type_are_refused() -> None:
    world = World(GAME, 2, seed=0)
    shares = random_shares(world, np.random.default_rng(0))
    with pytest.raises(ActionError, match="shape"):
        world.step(shares, Orders(*(values[:1] for values in no_orders(world))))
    with pytest.raises(ActionError, match="dtype"):
        world.step(shares, no_orders(world)._replace(cell=no_orders(world).cell.astype(float)))


@pytest.mark.parametrize(
    "arguments",
    [
        {"n_worlds": 0},
        {"n_worlds": -3},
        {"n_worlds": 2.5},
        {"world_ids": []},
        {"world_ids": [-1]},
        {"world_ids": [2**32]},
        {"world_ids": [0.5]},
        {"world_ids": [[1]]},
        {"n_worlds": 3, "world_ids": [1]},
        {"seed": -1},
        {"seed": 2**64},
        {"seed": "x"},
        {"threads": 0},
        {"threads": 1.5},
        {"threads": 10_000},
        {"land": flat_land(scenario(BUSY), (0, 1))},
        {"land": flat_land(scenario(BUSY, map__width=9), (0, 1, 2))},
    ],
)
def test_a_world_that_cannot_be_is_refused_in_one_line(arguments: dict[str, Any]) -> None:
    with pytest.raises(ScenarioError) as caught:
        World(GAME, **arguments)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("arguments", [{"rows": [2]}, {"rows": [-1]}, {"rows": [0], "world_ids": [1, 2]}])
def test_a_reset_that_cannot_be_is_refused(arguments: dict[str, Any]) -> None:
    with pytest.raises(ScenarioError):
        World(GAME, 2, seed=0).reset(**arguments)


def test_memory_of_a_world_is_as_stated() -> None:
    for game in (GAME, scenario(), scenario(map__width=64, map__height=64, game__civilizations=8)):
        world = World(game, 3, seed=0)
        assert sum(values.nbytes for values in world.state) == 3 * bytes_per_world(game)
    # Stated in docs: a default world takes less than 48 KiB.
    assert bytes_per_world(scenario()) < 48 * 1024


def test_a_step_allocates_no_more_than_its_record() -> None:
    world = World(with_levels(scenario(BUSY, game__turns=60), 6, 4, 6), 32, seed=0)
    shares = split(world, consumption=1, settlement=2, works=2, army=2, walls=1)
    for _ in range(5):
        world.step(shares)
    record = sum(values.nbytes for values in world.step(shares))
    tracemalloc.start()
    for _ in range(20):
        world.step(shares)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    # The check of the shares makes a few copies of them; nothing grows with cells, plans or turns.
    assert peak < 3 * record + 12 * shares.nbytes + 64 * 1024


def allocations(action: Callable[[], object]) -> int:
    """How many arrays compiled code allocates in an action."""
    from numba.core.runtime import _nrt_python, rtsys

    _nrt_python.memsys_enable_stats()
    try:
        before = rtsys.get_allocation_stats().alloc
        action()
        return rtsys.get_allocation_stats().alloc - before
    finally:
        _nrt_python.memsys_disable_stats()


def test_kernels_allocate_nothing_in_a_step() -> None:
    world = World(with_levels(scenario(BUSY, game__turns=60), 6, 4, 6), 4, seed=0)
    shares = split(world, consumption=1, settlement=2, works=2, army=2, walls=1)
    assert allocations(lambda: draw_land(world.scenario, 0, 0)) > 0, "the count does not count"
    assert allocations(lambda: [world.step(shares) for _ in range(20)]) == 0


class Diary:
    """A watcher that writes down what it is told, and how far the batch was when it was told."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.lines: list[tuple[Any, ...]] = []

    def played(self, planned: bool) -> None:
        self.lines.append(("played", planned, self.world.state.turn.tolist()))

    def replaced(self, rows: np.ndarray) -> None:
        self.lines.append(("replaced", rows.tolist(), self.world.state.turn.tolist()))


def test_a_watcher_is_told_of_every_turn_and_of_rows_that_become_other_games() -> None:
    world = World(GAME, 2, seed=0)
    diary, other = Diary(world), Diary(world)
    world.watch(diary)
    world.watch(other)
    play(world, 1)
    world.step(np.stack([shares_of(0, 1)] * 2), no_orders(world))
    with pytest.raises(ActionError):
        world.step(np.zeros((2, 3, 8)))
    world.reset([5], rows=[1])
    world.copy_rows(world, [1], [0])
    world.unwatch(diary)
    world.reset()
    told: list[tuple[Any, ...]] = [
        ("played", True, [1, 1]), ("played", False, [2, 2]), ("replaced", [1], [2, 0]), ("replaced", [0], [0, 0]),
    ]  # fmt: skip
    assert diary.lines == told
    assert other.lines == [*told, ("replaced", [0, 1], [0, 0])]


def test_the_shares_given_are_kept_as_they_were_given() -> None:
    world = World(GAME, 2, seed=0)
    given = np.stack([shares_of(0, 0), shares_of(1, 0)]).astype(np.float32)
    world.step(given)
    assert np.array_equal(world.given, given)
    assert not np.array_equal(world.shares, given)
    assert np.allclose(world.shares, given, atol=1e-6)
