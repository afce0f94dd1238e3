"""The observation's kernels: bit for bit what the readable ones make, on every kind of map; compiled or plain."""

from __future__ import annotations

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from plain_observation import plain_features
from wild_states import RICH, random_state, scenario_of

from civsim.base.approximate import near_log
from civsim.base.bits import WORD
from civsim.base.pointer import Pointer
from civsim.base.scenario import Scenario
from civsim.engine.compiled import compile_config
from civsim.engine.formulas import borders
from civsim.engine.observation.book import LEAST_LOGS, make_book, make_sheet, ways
from civsim.engine.observation.features import CEILING, N_FEATURES, at
from civsim.engine.observation.observer import Observer, _observe_rows
from civsim.engine.observation.scale import (
    _LOGGED,
    _MARGIN,
    LANES,
    _log,
    _log_together,
    log_count,
    log_of,
    log_together,
    slot_of,
)
from civsim.engine.world import World

MAPS = [(8, 8, False), (16, 16, False), (16, 16, True), (5, 4, False), (9, 7, True), (2, 64, True), (20, 33, False)]
ERRING = {"thinking": {"noise": 0.3}, "raiders": {"rate": 0.2}}


def on(width: int, height: int, torus: bool, **tables: object) -> Scenario:
    return scenario_of(map={"width": width, "height": height, "torus": torus, "volatility": 0.1}, **tables)


@pytest.mark.parametrize(("width", "height", "torus"), MAPS)
def test_wild_states_are_observed_bit_for_bit(width: int, height: int, torus: bool) -> None:
    rng = np.random.default_rng(width)
    for tables in ({}, ERRING, {"seat_default": {"levels_known": True}}):
        scenario = on(width, height, torus, **tables)
        state = random_state(scenario, 12, rng)
        state.price_factor[::2] = 1.0
        state.seen[:, :, ::3] = -1
        state.cells[...] = rng.integers(0, width * height, state.cells.shape)
        state.gains[...] = rng.integers(0, 3 * LEAST_LOGS, state.gains.shape)
        assert Observer(scenario)(state).features.tobytes() == plain_features(scenario, state).tobytes()


@pytest.mark.parametrize("tables", RICH)
def test_every_kind_of_scenario_is_observed_bit_for_bit(tables: dict) -> None:
    scenario = scenario_of(**tables)
    state = random_state(scenario, 16, np.random.default_rng(3))
    assert Observer(scenario)(state).features.tobytes() == plain_features(scenario, state).tobytes()


@pytest.mark.parametrize("levels", [(0, 1, 2), (4, 3, 6)])
@pytest.mark.parametrize("torus", [False, True])
def test_whole_games_are_observed_bit_for_bit(levels: tuple[int, int, int], torus: bool) -> None:
    given = dict(zip(("horizon", "sight", "attention"), levels, strict=True))
    scenario = on(16, 16, torus, seat_default={"levels": given}, draws={"horizon": 2.0, "force": 2.0}, **ERRING)
    world, rng = World(scenario, 4, seed=2), np.random.default_rng(0)
    observer = Observer(scenario)
    for _ in range(scenario.game.turns + 1):
        assert observer(world.state).features.tobytes() == plain_features(scenario, world.state).tobytes()
        world.step(rng.dirichlet(np.ones(8), (4, 3)))


ELSEWHERE = """
import sys
import numpy as np
from test_kernels import plain_rows
np.save(sys.argv[1], plain_rows())
"""


def plain_rows() -> np.ndarray:
    """What the plain kernels make of some rows, on a map of whole words and on one with a part of a word."""
    found = []
    for width, height in ((8, 8), (10, 7)):
        scenario = on(width, height, False, **ERRING)
        config = compile_config(scenario)
        state, out = random_state(scenario, 3, np.random.default_rng(4)), np.empty((9, N_FEATURES), np.float32)
        worlds, seats = np.repeat(np.arange(3), 3), np.tile(np.arange(3), 3)
        _observe_rows(state, config, make_book(scenario, config), make_sheet(width * height), worlds, seats, out)
        found.append(out)
    return np.stack(found)


def test_compiled_and_plain_agree(tmp_path: Path) -> None:
    here = Path(__file__).resolve().parent
    paths = [str(here), str(here.parents[1] / "support"), os.environ.get("PYTHONPATH", "")]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(paths), "NUMBA_DISABLE_JIT": "1"}
    arguments = [sys.executable, "-W", "ignore", "-c", ELSEWHERE, str(tmp_path / "rows.npy")]
    subprocess.run(arguments, check=True, env=environment)
    plain = np.load(tmp_path / "rows.npy")
    for (width, height), rows in zip(((8, 8), (10, 7)), plain, strict=True):
        scenario = on(width, height, False, **ERRING)
        features = Observer(scenario)(random_state(scenario, 3, np.random.default_rng(4))).features
        assert np.allclose(features.reshape(9, -1), rows, rtol=1e-6, atol=1e-6)
        assert (rows[:, at("frontier")] > 0).any()
        assert (rows[:, at("rival1_cells")] > 0).any()


def test_logarithms_are_looked_up_as_they_are_taken() -> None:
    logs = make_book(scenario_of(), compile_config(scenario_of())).logs
    assert len(logs) == LEAST_LOGS
    for n in (-3, 0, 1, 2, LEAST_LOGS - 1, LEAST_LOGS, 10**6):
        assert np.float32(log_count(logs, n)) == np.float32(log_of(float(n))) == np.float32(_log(float(n)))
    for zero in (0.0, -0.0):
        assert np.signbit(log_of(zero)) == np.signbit(np.log1p(max(zero, 0.0)))


def test_logarithms_taken_together_are_those_taken_alone() -> None:
    rng, sheet = np.random.default_rng(0), make_sheet(64)
    row = np.zeros(N_FEATURES, np.float32)
    pointer, places = Pointer(sheet), [at(name) for name in _LOGGED]
    assert [slot_of(name) for name in _LOGGED] == list(range(len(_LOGGED)))
    doubtful = 0
    for turn in range(4000):
        x = rng.exponential(1.0, LANES) * 10.0 ** rng.uniform(-20, 16, LANES)
        x = np.where(rng.random(LANES) < 0.1, rng.choice([0.0, -0.0, 1.0, 1e30, 5e-324], LANES), x)
        x = x.astype(np.float32).astype(np.float64) if turn % 2 else x
        sheet.raw[:] = x
        log_together(pointer, row)
        wanted = np.array([log_of(value) for value in x[: len(places)]])
        assert row[places].tobytes() == wanted.astype(np.float32).tobytes()
        doubtful += int((sheet.highs != sheet.lows).sum())
        if turn < 20:
            sheet.raw[:] = x
            with np.errstate(all="ignore"):
                _log_together(sheet, row)
            assert row[places].tobytes() == wanted.astype(np.float32).tobytes()
    assert doubtful < 4000 * LANES / 1000  # what the C library is asked after all
    sheet.raw[:] = np.inf
    log_together(pointer, row)
    assert (row[places] == CEILING).all()


def test_the_margin_is_far_above_the_error() -> None:
    x = np.random.default_rng(1).exponential(1.0, (2000, LANES)) * 10.0 ** np.linspace(-18, 13, LANES)
    unit = 1.0 + x
    value = np.vectorize(near_log)(unit) + (x - (unit - 1.0)) * np.maximum(1.0 - x, 0.0)
    assert (np.abs(value / np.log1p(x) - 1.0) < _MARGIN / 8).all()


def test_threads_may_observe_one_world_together() -> None:
    world = World(on(16, 16, False), 8, seed=1)
    observer, wanted = Observer(world.scenario), plain_features(world.scenario, world.state)
    with ThreadPoolExecutor(4) as pool:
        for seen in pool.map(lambda _: observer(world.state).features, range(64)):
            assert np.array_equal(seen, wanted)


@pytest.mark.parametrize(("width", "height", "torus"), MAPS)
def test_ways_lead_where_the_neighbours_are(width: int, height: int, torus: bool) -> None:
    neighbours = compile_config(on(width, height, torus)).neighbours
    offsets, cells = ways(neighbours)
    owner = np.random.default_rng(0).integers(-1, 2, width * height).astype(np.int8)
    for cell in range(width * height):
        led = {int(o) for o, words in zip(offsets, cells, strict=True) if int(words[cell // WORD]) >> cell % WORD & 1}
        assert {cell + offset for offset in led} == {int(other) for other in neighbours[cell] if other >= 0}
        assert any(owner[cell + offset] == 0 for offset in led) == borders(owner, neighbours, cell, 0)
