"""Races for a rich site: two realms on a row of cells, and every order in which one of them can claim, played out.

The row is: 2 home cells, our capital, a − 1 poor cells, the site, b − 1 poor cells, the rival's capital, 2 home cells.
Rock that nobody claims lies beside it. The rival goes by the rule of thumb. All claims cost the same, and what is saved
for claims buys nothing else: it never pays to make one later than it can be made, so the best plan is the best of all
orders of claims. There are (home cells + cells on the way) choose (home cells) of them.
"""

from __future__ import annotations

from itertools import combinations
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from civsim.base.constants import Objective, OrderKind
from civsim.base.scenario import Scenario
from civsim.engine.world import World
from civsim.validation.hand_made import flat_land, no_orders, scenario, split

F64 = NDArray[np.float64]
I64 = NDArray[np.int64]

HOME, OURS, THEIRS = 2, 0, 1
"""Home cells of each realm; our seat and the rival's."""

HOME_OUTPUT, POOR_OUTPUT, INCOME = 1.0, 0.2, 2.0
"""Output a turn of a home cell, of a cell on the way, and of our capital."""

ROCK_COST = 1000.0
"""How many times dearer a claim on rock is: nobody can go round by it."""

SHARE, DISCOUNT = 0.5, 0.98
SAME = 1e-9
"""Values that differ by less, relatively, are the same."""


class Race(NamedTuple):
    """A land and its rules."""

    ours: int  # steps from our capital to the site, >= 1
    theirs: int  # steps from the rival's, >= 1
    income: float  # output of the rival's capital (output a turn)
    cost: float  # of a claim (output)
    lag: int  # turns that a party is under way, >= 0
    rich: float  # output of the site (output a turn)
    turns: int  # of a game

    @property
    def site(self) -> int:
        """The rich cell."""
        return HOME + self.ours


class Played(NamedTuple):
    """Games of a race, one row a draw of who comes first where two parties arrive together."""

    value: F64  # [n] discounted consumption of ours
    won: NDArray[np.bool_]  # [n] the site is ours at the end
    first: I64  # [n] cell of our first claim, -1 for none


def game_of(race: Race, level: int, horizon: int) -> Scenario:
    """Return the game: we plan ``horizon`` turns ahead at a level of mind, the rival by the rule of thumb."""
    eyes = {"sight": 2 * (race.ours + race.theirs + HOME), "attention": 6}
    ours = {"levels": {"horizon": horizon, **eyes}, "levels_of_mind": level}
    width = 2 * HOME + race.ours + race.theirs + 1
    return scenario(
        {"map.width": width, "map.height": 2, "map.hazard": 0.0, "game.civilizations": 2, "game.turns": race.turns},
        game__discount=DISCOUNT,
        game__objective="consumption",
        claims={"cost": race.cost, "growth": 0.0, "ruggedness_cost": ROCK_COST, "lag": race.lag, "per_turn": 1},
        thinking={"max_sight": 64, "max_horizon": 512},
        seats=[ours, {"levels": {"horizon": 0, **eyes}}],
    )


def begin(race: Race, level: int, horizon: int, ids: I64) -> tuple[World, F64]:
    """Return worlds of the race before their first turn, one for each of ``ids``, and the shares of every turn."""
    game = game_of(race, level, horizon)
    rival, width = race.site + race.theirs, game.map.width
    cells = dict.fromkeys([*range(HOME), *range(width - HOME, width)], HOME_OUTPUT)
    cells |= {HOME: INCOME, race.site: race.rich, rival: race.income} | dict.fromkeys(range(width, 2 * width), 0.0)
    rock = dict.fromkeys(range(width, 2 * width), 1.0)
    land = flat_land(game, (HOME, rival), POOR_OUTPUT, rich=cells, ruggedness=rock)
    world = World(game, world_ids=ids, land=land)
    return world, split(world, settlement=SHARE, consumption=1.0 - SHARE)


def ended(world: World, race: Race, first: I64) -> Played:
    """Return what became of played worlds."""
    value = world.state.utility[:, OURS, Objective.CONSUMPTION].astype(np.float64)
    return Played(value, world.state.owner[:, race.site] == OURS, first)


def planned(race: Race, level: int, horizon: int, draws: int) -> Played:
    """Play the race with our planner at a level of mind."""
    world, shares = begin(race, level, horizon, np.arange(draws))
    first = np.full(draws, -1, np.int64)
    while not world.done.all():
        world.step(shares)
        kind, cell = world.orders.kind[:, OURS, 0], world.orders.cell[:, OURS, 0]
        new = (first < 0) & (kind == OrderKind.CLAIM)
        first[new] = cell[new]
    return ended(world, race, first)


def orders_of_claims(race: Race) -> list[tuple[int, ...]]:
    """Return every order in which we can claim: home cells from the capital outward, and cells on the way in turn."""
    home = [HOME - 1 - k for k in range(HOME)]
    way = [HOME + 1 + k for k in range(race.ours + race.theirs - 1)]
    found = []
    for places in combinations(range(len(home) + len(way)), len(home)):
        left, right = iter(home), iter(way)
        found.append(tuple(next(left) if k in places else next(right) for k in range(len(home) + len(way))))
    return found


def _next_claim(world: World, row: int, claims: tuple[int, ...], step: int) -> int:
    """Return the step of ``claims`` that is next; the way is closed where the rival has a cell, or enters one."""
    state, now = world.state, world.state.turn[row]
    entered = state.party_cell[row, THEIRS][state.party_due[row, THEIRS] <= now]
    theirs = np.concatenate([np.flatnonzero(state.owner[row] == THEIRS), entered])
    closed = theirs[theirs > HOME].min()
    while step < len(claims) and claims[step] >= closed:
        step += 1
    return step


def exhausted(race: Race, draws: int) -> tuple[list[tuple[int, ...]], Played]:
    """Play every order of claims against the rival; return them, and the games [orders · draws], draws innermost."""
    orders = orders_of_claims(race)
    world, shares = begin(race, 0, 0, np.tile(np.arange(draws), len(orders)))
    claims = [order for order in orders for _ in range(draws)]
    steps, given = np.zeros(len(claims), np.int64), np.zeros((len(claims), 2), bool)
    given[:, OURS] = True
    while not world.done.all():
        record = no_orders(world)
        for row, order in enumerate(claims):
            steps[row] = _next_claim(world, row, order, int(steps[row]))
            if steps[row] < len(order):
                record.kind[row, OURS, 0], record.cell[row, OURS, 0] = OrderKind.CLAIM, order[steps[row]]
        before = world.state.gains[:, OURS, OrderKind.CLAIM].copy()
        world.step(shares, record, given)
        steps += world.state.gains[:, OURS, OrderKind.CLAIM] - before
    return orders, ended(world, race, np.array([order[0] for order in claims]))
