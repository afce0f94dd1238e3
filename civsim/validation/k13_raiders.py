"""K13: bands of raiders that choose by loot and chance, P(c) ∝ (loot · e^(−d/s) / (1 + steps)^way)^(1 / noise).

One realm holds a dozen cells of unlike loot on land made by hand; its walls are set by hand and nothing else guards it.
*Choice.* Bands that have gathered at one cell of the rim choose, one in each of many worlds: the shares of the cells
chosen are the logit shares of the formula (McFadden 1974), and without noise every band goes to the greatest score.
*Walls.* Where distance does not matter and there is no noise a band goes where loot · e^(−d/s) is greatest, and that is
the loss to expect of it. Of a total W of walls the least loss is λ of Σ max(0, s · ln(loot / λ)) = W: walls that
leave all defended cells equally good to attack (Blotto; Powell 2007, *APSR* 101(3)). It is compared with a linear
program, with games, and with what the planner believes; a further unit of wall on the one cell that bands make for
averts rate · loot · e^(−d/s) / s of it.
"""

from __future__ import annotations

import math
from typing import Annotated, NamedTuple

import numpy as np
from numpy.typing import NDArray
from pydantic import BeforeValidator, Field

from civsim.base.scenario import Frozen, Scenario
from civsim.engine.knowledge.own import read_funds, read_levels
from civsim.engine.planner.realm import outlook
from civsim.engine.rules.deliberation import begin
from civsim.engine.work import Base, Count, Realm
from civsim.engine.world import World
from civsim.validation.case import (
    How,
    KnownAnswer,
    Positives,
    Row,
    Seed,
    close,
    exact,
    frequency,
    several,
    words,
)
from civsim.validation.hand_made import flat_land, hold, no_orders, scenario, split

F64 = NDArray[np.float64]
I64 = NDArray[np.int64]

SIDE = 11
REALM = (36, 37, 38, 47, 48, 49, 58, 59, 60, 69, 70, 71)
"""Twelve cells inside the map, each some steps from the rim; the first is the capital."""

GATE = 5
"""The cell of the rim where bands are put to choose."""

LONG = 60
"""Turns a sacked cell gives nothing: longer than a band is on its way, so that what one took can be counted."""

RARE = 1e-9
"""Chance a turn that a band comes by itself: raiders are there, and those put by hand are alone."""

RATE = 0.01
"""Raids a cell and turn that the realm expects where what it believes is tried."""

WEIGHT = 1e6
"""Cell-turns behind that: what it witnesses itself hardly changes it, and by how much is known."""

FULL_WORLDS = 20_000
FINE = 1e-5
"""What rounding of walls to single precision may make of a loss, as a share of it."""
STEP = 1e-4
"""Wall over strength by which the worth of a little more wall is taken; its square is what the difference is off by."""

NonNegatives = Annotated[
    tuple[Annotated[float, Field(ge=0.0, le=16.0, allow_inf_nan=False)], ...],
    BeforeValidator(several),
    Field(min_length=1, max_length=16),
]


class Settings(Frozen):
    """Parameters of K13."""

    way: NonNegatives = Field((0.0, 1.0), description="raiders.way")
    noise: NonNegatives = Field((0.0, 0.5, 1.0), description="raiders.noise")
    strength: Positives = Field((2.0, 5.0), description="raiders.strength s, the mean of a band's (units of force)")
    walls: Positives = Field((4.0, 20.0), description="total W of walls (units)")
    spread: float = Field(0.8, ge=0.0, le=2.0, description="s.d. of log loot between the cells")
    worlds: int = Field(4_000, ge=200, le=10**6, description="bands at each point; 20,000 at least with --full")
    seed: Seed = Field(0, description="seed of loot, walls and bands")


class Defence(NamedTuple):
    """Walls that leave the least loss."""

    walls: F64  # [cells] units of wall
    level: float  # λ, the loss to expect of a band (output)


def fill(loot: F64, total: float, strength: float) -> Defence:
    """Return the defence of cells of ``loot`` [n] (output, > 0) by ``total`` > 0 of walls, bands of mean ``strength``.

    Water filling: with the m richest cells defended log λ = mean of their log loot − total / (m · s), and m is the
    largest for which each of them has more loot than λ.
    """
    logs = np.sort(np.log(loot))[::-1]
    counts = np.arange(1, logs.size + 1)
    levels = np.cumsum(logs) / counts - total / (counts * strength)
    level = float(levels[np.flatnonzero(logs > levels)[-1]])
    return Defence(np.maximum(strength * (np.log(loot) - level), 0.0), math.exp(level))


def least_loss(loot: F64, total: float, strength: float) -> float:
    """Return the least max of loot · e^(−d/s) over walls d ≥ 0 of sum ``total``: a linear program in its logarithm."""
    from scipy.optimize import linprog

    n = loot.size
    cost = np.append(np.zeros(n), 1.0)
    # log loot − d / s ≤ log λ for every cell
    above = np.hstack([-np.eye(n) / strength, -np.ones((n, 1))])
    found = linprog(
        cost,
        A_ub=above,
        b_ub=-np.log(loot),
        A_eq=np.append(np.ones(n), 0.0)[None, :],
        b_eq=[total],
        bounds=[(0.0, None)] * n + [(None, None)],
    )
    return float(np.exp(np.asarray(found.x)[-1]))


def shares_of(loot: F64, walls: F64, steps: F64, strength: float, way: float, noise: float) -> F64:
    """Return the chance that a band chooses each cell, float [n]; without noise all of it for the greatest score."""
    logs = np.log(loot) - walls / strength - way * np.log1p(steps)
    weights = np.exp((logs - logs.max()) / noise) if noise > 0.0 else (logs == logs.max()).astype(float)
    return np.asarray(weights / weights.sum())


def game_of(strength: float, way: float, noise: float, prior: float = RARE) -> Scenario:
    """Return the game: nobody can do anything but be raided."""
    return scenario(
        {
            "map.width": SIDE,
            "map.height": SIDE,
            "map.hazard": 0.0,
            "game.civilizations": 1,
            "game.turns": LONG,
            "claims.per_turn": 0,
            "raiders": {"rate": RARE, "strength": strength, "way": way, "noise": noise, "bands": 1},
            "raiders.disruption": LONG,
            "raiders.damage": 0.0,
            "thinking.prior": {"raid": prior, "weight": WEIGHT},
            "seat_default.levels": {"horizon": 1, "sight": SIDE, "attention": 6},
        }
    )


def prepared(game: Scenario, loot: F64, walls: F64, worlds: int, seed: int, threads: int = 1) -> World:
    """Return worlds in which one realm holds :data:`REALM` with this loot and these walls."""
    rich = dict(zip(REALM, loot.tolist(), strict=True))
    world = World(game, worlds, seed=seed, land=flat_land(game, (REALM[0],), rich=rich), threads=threads)
    hold(world, 0, *REALM[1:])
    world.state.wall[:, list(REALM)] = walls
    return world


def send(world: World, gates: I64, strengths: F64) -> None:
    """Put a band in every world: at the cells ``gates``, of these ``strengths``."""
    state = world.state
    state.band_cell[:, 0], state.band_strength[:, 0], state.band_came[:, 0] = gates, strengths, 0
    state.turn[:] = 1


def _step(world: World) -> None:
    world.step(split(world, consumption=1), no_orders(world))


def chosen(world: World) -> I64:
    """Send a band from :data:`GATE` in every world; return how many chose each cell of the realm, int [n]."""
    send(world, np.full(world.n_worlds, GATE), np.ones(world.n_worlds))
    _step(world)
    targets = world.state.band_target[:, 0]
    return np.array([(targets == cell).sum() for cell in REALM])


def taken(world: World, seed: int) -> tuple[I64, NDArray[np.bool_]]:
    """Send a band of exponential strength from anywhere on the rim in every world.

    Return which cell of the realm each chose, int [B], and whether it sacked it, bool [B].
    """
    rng = np.random.default_rng([seed, 13])
    rim = [c for c in range(SIDE * SIDE) if c // SIDE in (0, SIDE - 1) or c % SIDE in (0, SIDE - 1)]
    mean_strength = world.scenario.raiders.strength
    send(world, rng.choice(rim, world.n_worlds), rng.exponential(mean_strength, world.n_worlds))
    _step(world)
    # No cell of the realm is a step from the rim, so that none is there yet.
    chosen_cells = np.searchsorted(REALM, world.state.band_target[:, 0])
    for _ in range(2 * SIDE):
        _step(world)
    sacked = world.state.disrupted[:, list(REALM)] > 0
    return np.asarray(chosen_cells, np.int64), np.asarray(sacked.any(axis=1))


def believed(world: World, loot: F64) -> float:
    """Return the loss a turn that the first world's realm believes in: Σ raids · chance of a sack · loot (output)."""
    state, orders, config = world.pointers
    work, handle = world._work[0], world._plan_work[0]
    _step(world)
    read_levels(state, config, handle, 0, 0)
    read_funds(state, config, handle, 0, 0)
    begin(state, orders, config, world._key, handle, 0, 0)
    held = work.sizes[Base.HELD]
    cells = work.base_counts[Count.CELL, :held].tolist()
    worth = dict(zip(REALM, loot.tolist(), strict=True))
    return float(
        sum(
            work.base[Realm.RAIDED, k]
            * math.exp(-work.base[Realm.WALL, k] / world.scenario.raiders.strength)
            * worth[cells[k]]
            for k in range(held)
        )
    )


def drawn(settings: Settings) -> tuple[F64, F64]:
    """Return (loot, walls), float [n] each: log-normal loot, and walls at random between none and half a strength."""
    rng = np.random.default_rng([settings.seed, 31])
    loot = np.exp(settings.spread * rng.standard_normal(len(REALM)))
    return loot.astype(np.float32).astype(float), rng.uniform(0.0, 1.0, len(REALM)).astype(np.float32).astype(float)


def choice_rows(settings: Settings, strength: float, worlds: int, rows: int, how: How) -> list[Row]:
    """The rows of where bands go from one gate."""
    loot, walls = drawn(settings)
    steps = np.array([abs(c // SIDE - GATE // SIDE) + abs(c % SIDE - GATE % SIDE) for c in REALM], float)
    made = []
    for way in dict.fromkeys(settings.way):
        for noise in dict.fromkeys(settings.noise):
            world = prepared(game_of(strength, way, noise), loot, walls, worlds, settings.seed, how.threads)
            counts, shares = chosen(world), shares_of(loot, walls, steps, strength, way, noise)
            place = words(s=strength, way=way, noise=noise)
            if noise == 0.0:
                hits = int(counts[shares.argmax()])
                made.append(exact("bands that go to the greatest score", place, 1.0, hits / worlds))
                continue
            for cell, share, count in zip(REALM, shares, counts, strict=True):
                made.append(frequency(f"bands that go to cell {cell}", place, float(share), int(count), worlds, rows))
    return made


def wall_rows(settings: Settings, strength: float, total: float, worlds: int, rows: int, how: How) -> list[Row]:
    """The rows of a total of walls against bands that choose."""
    loot, _ = drawn(settings)
    best, place = fill(loot, total, strength), words(s=strength, W=total)
    even = np.full(loot.size, total / loot.size)
    made = [
        close(
            "least loss to a band, by a linear program",
            place,
            best.level,
            least_loss(loot, total, strength),
            1e-6 * best.level,
            "within a millionth: the solver's tolerance",
        )
    ]
    game = game_of(strength, 0.0, 0.0)
    for name, walls, theory in (
        ("walls of least loss", best.walls, best.level),
        ("even walls", even, float((loot * np.exp(-even / strength)).max())),
    ):
        world = prepared(game, loot, walls, worlds, settings.seed, how.threads)
        cells, sacked = taken(world, settings.seed)
        chances = np.exp(-walls[cells] / strength)
        left, note = loot[cells] * chances, f"every one of {worlds} bands: the furthest; within single precision"
        furthest = float(left[np.abs(left - theory).argmax()])
        made.append(close(f"loss to a band, {name}", place, theory, furthest, FINE * theory, note))
        # Trials of unlike chances scatter less than as many of their mean (Hoeffding 1956): the interval errs to width.
        share = float(chances.mean())
        made.append(frequency(f"bands that sack, {name}", place, share, int(sacked.sum()), worlds, rows))
    for name, walls, theory in (
        ("walls of least loss", best.walls, best.level),
        ("even walls", even, float((loot * np.exp(-even / strength)).max())),
    ):
        world = prepared(game_of(strength, 0.0, 0.0, RATE), loot, walls, 1, settings.seed)
        expected = RATE / (1.0 + len(REALM) / WEIGHT) * len(REALM) * theory
        made.append(
            close(
                f"loss a turn that is believed, {name}",
                place,
                expected,
                believed(world, loot),
                FINE * expected,
                "raids expected a turn times the loss to a band; within single precision",
            )
        )
    return made


def marginal_row(strength: float, total: float) -> Row:
    """The row of what the planner believes that a little more wall averts on the cell that bands make for."""
    loot, step = 2.0, STEP * strength
    game = scenario(game_of(strength, 0.0, 0.0).model_dump(exclude_unset=True), raiders__disruption=1)
    world = prepared(game, np.ones(len(REALM)), np.zeros(len(REALM)), 1, 0)
    realm = np.zeros((len(Realm), 1))
    realm[Realm.RAIDED, 0] = RATE
    more, less = (outlook(world.pointers[2], realm, 0, 0.0, total + sign * step)[1] for sign in (1.0, -1.0))
    theory, found = RATE * loot * math.exp(-total / strength) / strength, loot * (more - less) / (2.0 * step)
    note = "a central difference; off by the square of its step over the strength"
    return close("output that a unit of wall saves", words(s=strength, d=total), theory, found, FINE * theory, note)


def run(settings: Settings, how: How) -> list[Row]:
    """Send bands; see the module."""
    worlds = max(settings.worlds, FULL_WORLDS) if how.full else settings.worlds
    strengths, totals = list(dict.fromkeys(settings.strength)), list(dict.fromkeys(settings.walls))
    noisy = sum(noise > 0.0 for noise in dict.fromkeys(settings.noise)) * len(dict.fromkeys(settings.way))
    rows = len(strengths) * (noisy * len(REALM) + 2 * len(totals))
    made: list[Row] = []
    for index, strength in enumerate(strengths):
        how.report(index, len(strengths))
        made += choice_rows(settings, strength, worlds, rows, how)
        for total in totals:
            made += wall_rows(settings, strength, total, worlds, rows, how)
            made.append(marginal_row(strength, total))
    return made


CASE = KnownAnswer(
    "K13",
    "raiders' choice",
    "bands choose a cell with P ∝ (loot · e^(−d/s) / (1 + steps)^way)^(1/noise); walls of least loss level "
    "loot · e^(−d/s) over the cells they guard (water filling), and that level is the loss, true and believed",
    "land made by hand: one realm of twelve cells, walls set by hand",
    Settings,
    run,
)
