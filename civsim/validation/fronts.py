"""Small, still, fully seen lands with a front: a rival that does nothing, or bands of raiders in view.

They are what :mod:`civsim.validation.small_lands` is with more than land to win or to lose, and what each believes is
true of them. A rival consumes all that it has: it has no force and gives no order, so that an attack on its open cells
is won for certain, and on a walled one lost. Bands stand where they are put when the game begins, and no other ever
comes: the chance of one, and the belief in one, is 10⁻⁹ a turn, which lets the rules and the planner mind those there.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from civsim.base.constants import NOBODY, Category
from civsim.base.scenario import Scenario
from civsim.engine.formulas import projection_to
from civsim.engine.land.landscape import Land
from civsim.engine.world import World
from civsim.validation.hand_made import hold, scenario
from civsim.validation.small_lands import DISCOUNT, RUGGED_COST, SHARE, TURNS, blank, minded

WAR = ("open border", "round a wall", "far border")
WALLS = ("bands", "bands and a treasury")

SEAT, RIVAL = 0, 1
IMPREGNABLE = 1e3
"""Wall that no army of these games comes near."""

NEVER_COMES = 1e-9
STANDS_STILL = 0
"""Level of mind: a rival that gives no order is believed to give none."""

BEYOND_DOUBT = 1e6
"""Weight of what is believed from the start: nothing witnessed moves it by more than 10⁻⁴."""

_BARREN = 1.0
Ready = tuple[World, NDArray[np.float64]]


class Front(NamedTuple):
    """A land with a front, and the game on it."""

    game: Scenario
    land: Land
    shares: NDArray[np.float64]  # [N, 8] of output, the same every turn
    held: tuple[tuple[int, int], ...]  # (seat, cell) beside the capitals
    walls: tuple[tuple[int, float], ...]  # (cell, units) that stand from the start
    bands: tuple[tuple[int, float], ...]  # (cell, strength) of the raiders


def _shares(*seats: dict[Category, float]) -> NDArray[np.float64]:
    shares = np.zeros((len(seats), len(Category)))
    for seat, row in enumerate(seats):
        for category, share in row.items():
            shares[seat, category] = share
    return shares


def _land(fertility: NDArray[Any], rough: NDArray[Any], capitals: list[int]) -> Land:
    zero = np.zeros(fertility.size, np.float32)
    site = np.zeros(fertility.size, np.uint8)
    return Land(fertility.astype(np.float32), zero, rough.astype(np.float32), zero, site, np.array(capitals, np.int32))


def _game(width: int, height: int, turns: int, seats: int, rng: np.random.Generator, **rules: Any) -> Scenario:
    claims = {
        "cost": float(rng.uniform(0.8, 2.4)),
        "ruggedness_cost": RUGGED_COST,
        "growth": float(rng.choice([0.0, 0.06])),
        "lag": int(rng.integers(0, 3)),
        "per_turn": 1,
    }
    return scenario(
        {"map.width": width, "map.height": height, "map.hazard": 0.0, "game.civilizations": seats, "game.turns": turns},
        game__discount=DISCOUNT,
        game__objective="consumption",
        claims=claims,
        works__per_turn=0,
        thinking__prior={"attack": 0.0, "raid": NEVER_COMES, "weight": BEYOND_DOUBT},
        thinking__levels_of_mind=STANDS_STILL,
        **rules,
    )


def _war(family: str, rng: np.random.Generator, turns: int) -> Front:
    """A realm of one cell in the west, a rival in the east, poor free land between them."""
    width, height, seat = 4, 3, 4
    columns = 2 if family == "round a wall" else 1
    fertility, rough = blank(width, height, rng)
    held = [c for c in range(width * height) if c % width >= width - columns]
    fertility[held] = rng.uniform(0.2, 2.5, len(held))
    fertility[seat], rough[seat], rough[held] = 1.0, 0.0, 0.0
    walls = []
    if family == "round a wall":
        walls = [(int(c), IMPREGNABLE) for c in rng.choice([c for c in held if c % width == 2], 2, replace=False)]
    army = {
        "lag": int(rng.integers(0, 3)),
        "projection": float(rng.uniform(1.5, 4.0)) if family == "far border" else float("inf"),
        "minimum": float(rng.uniform(0.3, 1.2)),
        "loss_winner": float(rng.choice([0.15, 0.4])),
        "per_turn": 1,
    }
    depreciation = {"army": float(rng.choice([0.0, 0.05]))}
    game = _game(width, height, turns, 2, rng, army=army, economy__depreciation=depreciation, walls__per_turn=0)
    own = {Category.CONSUMPTION: 1 - SHARE, Category.SETTLEMENT: 0.3, Category.ARMY: 0.2}
    rival = seat + width - 1
    beside = tuple((RIVAL, c) for c in held if c != rival)
    land = _land(fertility, rough, [seat, rival])
    return Front(game, land, _shares(own, {Category.CONSUMPTION: 1.0}), beside, tuple(walls), ())


def _walls(family: str, rng: np.random.Generator, turns: int) -> Front:
    """A realm in the middle of a long land, barren but for a few free cells; bands come from either end."""
    width, height, middle = 24, 3, 11
    fertility, rough = np.zeros(width * height), np.full(width * height, _BARREN)
    seat, row = width + middle, width
    held = [row + middle - 1, row + middle + 1, row + middle + 2]
    free = rng.choice([middle, middle + 1, 2 * width + middle, 2 * width + middle + 1, row + middle - 2], 3, False)
    fertility[held], rough[held] = rng.uniform(0.5, 2.0, len(held)), 0.0
    fertility[free], rough[free] = rng.uniform(0.1, 0.8, len(free)), rng.uniform(0.0, 0.02, len(free))
    fertility[seat], rough[seat] = 1.0, 0.0
    away = rng.choice(np.arange(3, 12), 4, replace=False)
    side = rng.choice([-1, 1], 4)
    columns = np.where(side < 0, middle - 1 - away, middle + 2 + away)
    rows = rng.integers(0, height, 4)
    bands = tuple(
        (int(r * width + np.clip(c, 0, width - 1)), float(s))
        for r, c, s in zip(rows, columns, rng.uniform(0.5, 4.0, 4), strict=True)
    )
    pooled = family == "bands and a treasury"
    game = _game(
        width,
        height,
        turns,
        1,
        rng,
        economy__pooled=pooled,
        raiders={"rate": NEVER_COMES, "bands": 4},
        walls={"cost": float(rng.uniform(0.5, 1.5)), "per_turn": 1},
        army__per_turn=0,
    )
    own = {Category.CONSUMPTION: 1 - SHARE, Category.SETTLEMENT: 0.3, Category.WALLS: 0.2}
    return Front(game, _land(fertility, rough, [seat]), _shares(own), tuple((SEAT, c) for c in held), (), bands)


def front(family: str, seed: int, turns: int = TURNS) -> Front:
    """Return a land of a family of :data:`WAR` or :data:`WALLS`, and its game; a pure function of the arguments."""
    families = WAR + WALLS
    rng = np.random.default_rng([101 + families.index(family), seed])
    return (_war if family in WAR else _walls)(family, rng, turns)


def began(made: Front, game: Scenario, n_worlds: int = 1) -> World:
    """Return worlds of ``made``, set up by hand; ``game`` is its own, for minds of any kind."""
    world = World(game, n_worlds, land=made.land)
    for seat, cell in made.held:
        hold(world, seat, cell)
    for cell, units in made.walls:
        world.state.wall[:, cell] = units
    for band, (cell, strength) in enumerate(made.bands):
        world.state.band_cell[:, band], world.state.band_target[:, band] = cell, NOBODY
        world.state.band_strength[:, band] = strength
    return world


def force_felt(world: World) -> NDArray[np.float64]:
    """Return the share of the first seat's army that counts in each cell, [C], in [0, 1]."""
    cells, cfg, seat = np.arange(world.n_cells), world.config, int(world.state.capital[0, SEAT])
    return np.array([projection_to(cfg, seat, cell) for cell in cells])


def ready(made: Front, horizon: int | None, reach: int | None = None, rollout: int | None = None) -> Ready:
    """Return a game about to begin and its shares, as :func:`civsim.validation.small_lands.ready` does for land.

    A mind that is told to simulate nothing attacks by rule, and walls against bands in view by their dates.
    """
    alone = {"attacks": "rule", "guard": "dates"} if rollout == 0 else {}
    world = began(made, minded(made.game, horizon, reach, rollout, **alone))
    return world, np.broadcast_to(made.shares, (1, *made.shares.shape)).copy()
