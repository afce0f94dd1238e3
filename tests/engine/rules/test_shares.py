"""Taking shares: the kernel does what NumPy does, bit for bit and word for word, whatever is wrong and wherever."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import ArrayLike, NDArray
from worlds import BUSY, scenario

from civsim.base.constants import Category
from civsim.base.errors import ActionError
from civsim.base.pointer import Pointer
from civsim.engine.compiled import compile_config
from civsim.engine.recorder import _write_record
from civsim.engine.rules import shares as module
from civsim.engine.rules.shares import ShareTaker
from civsim.engine.state import State, allocate
from civsim.engine.world import StepRecord, World

GAME = scenario(BUSY, game__closed=["army"])
CONFIG = compile_config(GAME)
N = GAME.game.civilizations
WORLDS = 3


def oracle(shares: ArrayLike, open_: NDArray[np.bool_], live: NDArray[np.bool_]) -> NDArray[np.float64]:
    """What taking shares does, in plain NumPy."""
    values = np.where(live[..., None], np.asarray(shares), 0.0).astype(np.float64)

    def refuse(bad: NDArray[np.bool_], remedy: str) -> None:
        for b, i, k in np.argwhere(bad):
            name = Category(int(k)).name.lower()
            raise ActionError(f"share of {name} of world row {b}, civilization {i} = {values[b, i, k]:.6g} {remedy}")

    refuse(~np.isfinite(values), "is not finite; give shares in 0 … 1")
    refuse(values < 0.0, "is below 0; give shares in 0 … 1")
    refuse((values > 0.0) & ~open_, "is spent on a closed category; make it exactly 0")
    total = values.sum(-1)
    for b, i in np.argwhere(live & (np.abs(total - 1.0) > module.SUM_TOLERANCE)):
        raise ActionError(f"shares of world row {b}, civilization {i} sum to {total[b, i]:.6g}, not 1; normalise them")
    return np.divide(values, total[..., None], out=values, where=live[..., None])


def a_state(rng: np.random.Generator) -> State:
    state = allocate(GAME, WORLDS)
    state.turn[:] = rng.integers(GAME.game.turns - 1, GAME.game.turns + 1, WORLDS)
    state.alive[:] = rng.integers(0, 2, (WORLDS, N))
    return state


def told(act) -> str | NDArray[np.float64]:
    try:
        return act()
    except ActionError as error:
        return str(error)


SPOILS = [np.nan, np.inf, -np.inf, -0.1, -0.0, 0.0, 0.2, 1e300, 1.00005, 5e-324]


@pytest.mark.parametrize("compiled", [True, False])
@settings(max_examples=150, deadline=None)
@given(seed=st.integers(0, 2**32), faults=st.integers(0, 3), dtype=st.sampled_from([np.float32, np.float64]))
def test_the_kernel_is_what_numpy_does(compiled: bool, seed: int, faults: int, dtype: type) -> None:
    rng = np.random.default_rng(seed)
    state, opened = a_state(rng), CONFIG.open.astype(bool)
    shares = rng.random((WORLDS, N, 8)) * opened
    shares /= shares.sum(-1, keepdims=True)
    with np.errstate(over="ignore"):
        shares = (shares * (1 + rng.uniform(-9e-5, 9e-5, (WORLDS, N, 1)))).astype(dtype)
        for _ in range(faults):
            shares[rng.integers(WORLDS), rng.integers(N), rng.integers(8)] = rng.choice(SPOILS)
    live = (state.alive != 0) & (state.turn < GAME.game.turns)[:, None]
    wanted = told(lambda: oracle(shares, opened, live))
    out = np.full((WORLDS, N, 8), 7.0)
    pointers = Pointer(state), Pointer(CONFIG)
    taker = ShareTaker(*pointers, out)
    if not compiled:
        taker._take = lambda _state, _config, desk: module._take_shares(state, CONFIG, desk.record)

    def take() -> NDArray[np.float64]:
        taker(shares, *pointers)
        return out

    found = told(take)
    if isinstance(wanted, str):
        assert found == wanted
        assert (out == 7.0).all()
    else:
        assert found.tobytes() == wanted.tobytes()


def test_a_row_is_summed_as_numpy_sums_it() -> None:
    rows = np.random.default_rng(0).exponential(1.0, (20_000, 8)) ** 3
    sums = np.array([module._sum_of(row) for row in rows])
    assert sums.tobytes() == rows.sum(-1).tobytes()
    assert np.array([module.sum_of(row) for row in rows[:2000]]).tobytes() == sums[:2000].tobytes()


def test_a_row_is_sound_where_it_has_no_fault() -> None:
    rng = np.random.default_rng(1)
    state = allocate(GAME, 1)
    for _ in range(2000):
        shares = np.zeros((1, N, 8))
        shares[..., rng.integers(8)] = 1.0
        shares[0, 0, rng.integers(8)] = rng.choice(SPOILS)
        with np.errstate(all="ignore"):
            sound = all(module._is_sound(row, CONFIG.open) for row in shares[0])
            assert sound == (module._find_fault(state, CONFIG, shares) == module.SOUND)


def test_whatever_can_be_read_as_shares_is_taken() -> None:
    even = np.full((2, N, 8), 1 / 7)
    even[..., Category.ARMY] = 0.0
    wanted = World(GAME, 2, seed=0).step(even).output
    frozen = even.copy()
    frozen.flags.writeable = False
    for same in (even.tolist(), frozen, np.broadcast_to(even[0, 0], even.shape), even.astype(">f8"), even[::-1, :, :]):
        world = World(GAME, 2, seed=0)
        assert np.array_equal(world.step(same).output, wanted)
        assert np.array_equal(world.shares[..., 0], even[..., 0] / (even[0, 0].sum()))
    whole = np.zeros((2, N, 8), np.int64)
    whole[..., 0] = 1
    assert World(GAME, 2, seed=0).step(whole).turn.tolist() == [1, 1]


def test_shares_that_are_refused_leave_the_last_ones() -> None:
    world = World(GAME, 2, seed=0)
    even = np.full((2, N, 8), 1 / 7)
    even[..., Category.ARMY] = 0.0
    world.step(even)
    before = world.shares.copy()
    bad = even.copy()
    bad[1, 2, 0] = 0.5
    orders = world.orders._replace(kind=np.full_like(world.orders.kind, 9))
    for arguments in ((bad,), (even * 0.99999, orders)):
        with pytest.raises(ActionError):
            world.step(*arguments)
        assert np.array_equal(world.shares, before)


def test_records_outlast_their_page_and_are_what_the_state_was() -> None:
    world = World(GAME, 40, seed=0)
    even = np.full((40, N, 8), 1 / 7)
    even[..., Category.ARMY] = 0.0
    kept = []
    for _ in range(GAME.game.turns + 2):
        record = world.step(even)
        now = {name: getattr(world.state, name).copy() for name in StepRecord._fields[:-1]}
        kept.append((record, StepRecord(**now, terminated=world.done)))
    assert len(kept) > world._recorder._room
    for record, wanted in kept:
        for one, other in zip(record, wanted, strict=True):
            assert one.dtype == other.dtype
            assert one.flags.c_contiguous
            assert np.array_equal(one, other)
    page = StepRecord(*(np.zeros((2, *values.shape), values.dtype) for values in kept[-1][0]))
    _write_record(world.state, world.config, page, 1)
    assert all(np.array_equal(row[1], other) for row, other in zip(page, kept[-1][1], strict=True))
