"""Races for a rich site: two realms on a row of cells, and every order in which one of them can claim, played out.

The row is: 2 home cells, our capital, a − 1 poor cells, the site, b − 1 poor cells, the rival's capital, 2 home cells.
Rock that nobody claims lies beside it. The rival goes by the rule of thumb. All claims cost the same, and what is saved
for claims buys nothing else: it never pays to make one later than it can be made, so the best plan is the best of all
orders of claims. There are (home cells + cells on the way) choose (home cells) of them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import combinations
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from civsim.base.constants import Objective, OrderKind
from civsim.base.scenario import Scenario
from civsim.engine.state import Orders
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

    @property
    def rival(self) -> int:
        """The rival's capital."""
        return self.site + self.theirs


class PlayedRace(NamedTuple):
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
    rival, width = race.rival, game.map.width
    cells = dict.fromkeys([*range(HOME), *range(width - HOME, width)], HOME_OUTPUT)
    cells |= {HOME: INCOME, race.site: race.rich, rival: race.income} | dict.fromkeys(range(width, 2 * width), 0.0)
    rock = dict.fromkeys(range(width, 2 * width), 1.0)
    land = flat_land(game, (HOME, rival), POOR_OUTPUT, rich=cells, ruggedness=rock)
    world = World(game, world_ids=ids, land=land)
    return world, split(world, settlement=SHARE, consumption=1.0 - SHARE)


def ended(world: World, race: Race, first: I64) -> PlayedRace:
    """Return what became of played worlds."""
    value = world.state.utility[:, OURS, Objective.CONSUMPTION].astype(np.float64)
    return PlayedRace(value, world.state.owner[:, race.site] == OURS, first)


def planned(race: Race, level: int, horizon: int, draws: int) -> PlayedRace:
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


class Script:
    """Claims that a seat makes in a given order, each when its fund allows; what the other has closed is left out."""

    def __init__(self, race: Race, seat: int, claims: I64) -> None:
        """Take the cells that are claimed in each game, int [B, most claims]."""
        self.race, self.seat, self.claims = race, seat, claims
        self.steps = np.zeros(len(claims), np.int64)

    def give(self, world: World, record: Orders, given: NDArray[np.bool_]) -> None:
        """Enter the next claim of every game into the orders of a turn."""
        given[:, self.seat] = True
        closed, rows = self._closed(world), np.arange(len(self.claims))
        for _ in range(self.claims.shape[1]):
            left = self.steps < self.claims.shape[1]
            shut = left & closed[rows, self.claims[rows, np.minimum(self.steps, self.claims.shape[1] - 1)]]
            if not shut.any():
                break
            self.steps[shut] += 1
        some = np.flatnonzero(self.steps < self.claims.shape[1])
        record.kind[some, self.seat, 0] = OrderKind.CLAIM
        record.cell[some, self.seat, 0] = self.claims[some, self.steps[some]]

    def took(self, made: I64) -> None:
        """Go on by the claims that were made in the turn, int [B]."""
        self.steps += made

    def _closed(self, world: World) -> NDArray[np.bool_]:
        """Return the cells behind what the other holds on the way, or enters this turn, bool [B, C]."""
        state, other, race = world.state, 1 - self.seat, self.race
        held = state.owner == other
        games, slots = np.nonzero(
            (state.party_cell[:, other] >= 0) & (state.party_due[:, other] <= state.turn[:, None])
        )
        held[games, state.party_cell[games, other, slots]] = True
        held[:, [*range(HOME + 1), *range(race.rival + (self.seat == THEIRS), held.shape[1])]] &= False
        if self.seat == OURS:
            held[:, race.rival] = True
            return np.logical_or.accumulate(held, axis=1)
        held[:, HOME] = True
        return np.logical_or.accumulate(held[:, ::-1], axis=1)[:, ::-1]


def play(world: World, shares: F64, scripts: Sequence[Script], until: Callable[[], bool] = lambda: False) -> None:
    """Play games to their end, or until something holds; seats without a script plan."""
    while not (world.done.all() or until()):
        record, given = no_orders(world), np.zeros((world.n_worlds, 2), bool)
        for script in scripts:
            script.give(world, record, given)
        before = world.state.gains[:, :, OrderKind.CLAIM].copy()
        world.step(shares, record, given)
        for script in scripts:
            script.took(world.state.gains[:, script.seat, OrderKind.CLAIM] - before[:, script.seat])


def exhausted(race: Race, draws: int) -> tuple[list[tuple[int, ...]], PlayedRace]:
    """Play every order of claims against the rival; return them, and the games [orders · draws], draws innermost."""
    orders = orders_of_claims(race)
    world, shares = begin(race, 0, 0, np.tile(np.arange(draws), len(orders)))
    claims = np.repeat(np.array(orders, np.int64), draws, axis=0)
    play(world, shares, [Script(race, OURS, claims)])
    return orders, ended(world, race, claims[:, 0])
