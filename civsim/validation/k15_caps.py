"""K15: a fund at a cap. Where a turn's orders are capped, money that no order can take buys nothing.

A realm of nine cells of one land holds a fund that pays for several orders of one unit each, and nothing is paid in.
With a cap of c orders a turn a fund of F pays min(c, F) of them in the first turn, and c more in each turn that follows
until it is empty; so doubling a fund that outlasts the game moves no order and no output, and below the cap it does.
"""

from __future__ import annotations

from typing import Annotated, Any, NamedTuple

import numpy as np
from pydantic import Field

from civsim.base.constants import Category, Objective, OrderKind, OrderStatus
from civsim.base.scenario import Frozen, Scenario
from civsim.engine.world import World
from civsim.validation.case import How, KnownAnswer, Row, Seed, Turns, exact, words
from civsim.validation.hand_made import flat_land, hold, scenario, split

SIDE = 9
REALM = (30, 31, 32, 39, 40, 41, 48, 49, 50)
"""Three by three cells in the middle of the map; twelve free cells lie beside them."""

MOST = 8
"""Orders a turn where the cap is lifted, and the most that a doubled fund pays for."""

SETTINGS: dict[str, Any] = {
    "map.width": SIDE, "map.height": SIDE, "map.torus": True, "map.hazard": 0.0, "game.civilizations": 1,
    "claims.cost": 1.0, "claims.growth": 0.0, "claims.lag": 0, "works.growth": 0.0, "works.menu":
    [{"gain": 1.0, "cost": 1.0, "maturity": 1}], "walls.cost": 1.0, "walls.rate": 1.0,
    # Walls are raised against raiders, who are expected; of these, one comes in a billion turns.
    "raiders.rate": 1e-9,
    "seat_default.levels": {"horizon": 0, "sight": 3, "attention": 6},
}  # fmt: skip

KINDS = {
    "claims": (OrderKind.CLAIM, Category.SETTLEMENT),
    "works": (OrderKind.WORK, Category.WORKS),
    "walls": (OrderKind.WALL, Category.WALLS),
}
"""Section of the scenario: the orders that it caps, and the fund they are paid from."""


class Settings(Frozen):
    """Parameters of K15."""

    fund: Annotated[int, Field(ge=2, le=MOST // 2)] = Field(4, description="orders that the smaller fund pays for")
    h: Turns = Field((0, 4), description="horizons of the planner (turns)")
    seed: Seed = Field(0, description="seed of the world")


class Game(NamedTuple):
    """What a fund brought."""

    orders: tuple[tuple[tuple[int, int], ...], ...]  # by turn: (kind, cell) of every order carried out
    output: float  # over the game


def game_of(section: str, cap: int, turns: int, horizon: int = 0) -> Scenario:
    """Return the game in which only orders of one kind can be given, ``cap`` a turn."""
    caps = {f"{name}.per_turn": cap if name == section else 0 for name in KINDS}
    return scenario(SETTINGS, **caps, game__turns=turns, seat_default__levels={"horizon": horizon})


def played(section: str, cap: int, fund: float, turns: int, horizon: int = 0, seed: int = 0) -> Game:
    """Play a game of the realm with ``fund`` (output) in the fund of a section and all output consumed."""
    game = game_of(section, cap, turns, horizon)
    world = World(game, 1, seed=seed, land=flat_land(game, (REALM[len(REALM) // 2],)))
    hold(world, 0, *REALM)
    world.state.stock[0, 0, KINDS[section][1]] = fund
    given: list[tuple[tuple[int, int], ...]] = []
    for _ in range(turns):
        world.step(split(world, consumption=1))
        kind, cell = world.orders.kind[0, 0], world.orders.cell[0, 0]
        there = np.flatnonzero(world.orders.status[0, 0] == OrderStatus.DONE)
        given.append(tuple((int(kind[k]), int(cell[k])) for k in there))
    return Game(tuple(given), float(world.state.utility[0, 0, Objective.OUTPUT]))


def _changed(one: Game, other: Game) -> int:
    """Return in how many turns the orders are not the same."""
    return sum(a != b for a, b in zip(one.orders, other.orders, strict=True))


def output_of(section: str, cap: int, fund: int, turns: int) -> float:
    """Return the output over a game in which every order adds one to the output of each later turn; walls add none."""
    each = 0.0 if section == "walls" else 1.0
    return float(sum(len(REALM) + each * min(cap * turn, fund) for turn in range(turns)))


def run(settings: Settings, how: How) -> list[Row]:
    """Play; see the module."""
    fund, turns, rows = settings.fund, settings.fund, []
    horizons = list(dict.fromkeys(settings.h))
    for index, horizon in enumerate(horizons):
        how.report(index, len(horizons))
        for section in KINDS:
            for cap in (1, MOST):
                once, twice = (played(section, cap, n, turns, horizon, settings.seed) for n in (fund, 2 * fund))
                place = words(kind=section, cap=cap, fund=fund, h=horizon)
                rows.append(exact("orders of the first turn", place, min(cap, fund), len(once.orders[0])))
                rows.append(exact("the same, fund doubled", place, min(cap, 2 * fund), len(twice.orders[0])))
                # A doubled fund that is not capped gives more in the first turn and nothing else: one turn differs.
                rows.append(exact("turns whose orders doubling changed", place, int(cap > 1), _changed(once, twice)))
                gain = output_of(section, cap, 2 * fund, turns) - output_of(section, cap, fund, turns)
                rows.append(exact("output that doubling added", place, gain, twice.output - once.output))
    return rows


CASE = KnownAnswer(
    "K15",
    "a fund at a cap",
    "min(cap, fund) orders a turn: doubling a fund that the cap keeps from being spent changes no order and no output; "
    "below the cap it does",
    "even land made by hand, nine cells held, one fund filled",
    Settings,
    run,
)
