"""A game that somebody plays: one world, the seats held by hand, and what a page may ask of it.

Everything a page sends is checked here, by name and range, before the world moves; what is refused leaves the game as
it was. A seat that is held follows its own policy until its shares are set, and again once they are given back.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from civsim.agents import seat_policies
from civsim.base.constants import N_CATEGORIES, N_PRICES
from civsim.base.errors import ActionError, ScenarioError
from civsim.base.scenario import Scenario
from civsim.engine.state import F32, F64
from civsim.engine.world import MAX_WORLD_ID, World
from civsim.faces.actions import brief, project_shares

LARGEST_SEED = 2**64 - 1
LARGEST_PRICE = 16.0
"""A price may be set to between 1/16 and 16 times the scenario's."""
LARGEST_WEIGHT = 1e6


class LiveGame:
    """One world, played turn by turn at the wish of a page.

    Args:
        scenario: the game.
        seed: study seed, in [0, 2**64).
        world_id: which world of it, in [0, 2**32).
        held: the seats that may be played by hand, each in [0, N).

    Raises:
        ScenarioError: a seat, the seed or the world is out of range, or a seat's policy cannot be made.
    """

    def __init__(self, scenario: Scenario, seed: int = 0, world_id: int = 0, held: Sequence[int] = (0,)) -> None:
        self.scenario = scenario
        self.held = check_held(held, scenario)
        self._policies = seat_policies(scenario)
        self.reset(seed, world_id)

    def reset(self, seed: Any, world_id: Any) -> None:
        """Begin the game anew, with every seat on its own policy and the scenario's prices.

        Args:
            seed: study seed, a whole number in [0, 2**64); whatever a page sent.
            world_id: which world of it, a whole number in [0, 2**32).

        Raises:
            ScenarioError: the seed or the world is out of range; the game goes on as it was.
        """
        self.world = World(
            self.scenario,
            world_ids=[check_whole("world", world_id, MAX_WORLD_ID)],
            seed=check_whole("seed", seed, LARGEST_SEED),
        )
        self._drawn: F64 = self.world.state.price_factor[0].copy()
        self._by_hand: dict[int, F32] = {}

    @property
    def over(self) -> bool:
        """Whether the last turn has been played."""
        return bool(self.world.done[0])

    @property
    def shares(self) -> F32:
        """The shares that every seat is about to play, float32 [N, 8]."""
        shares: F32 = self._policies.shares(self.world)[0]
        for seat, chosen in self._by_hand.items():
            shares[seat] = chosen
        return shares

    @property
    def by_hand(self) -> tuple[int, ...]:
        """The seats whose shares have been set and not given back."""
        return tuple(sorted(self._by_hand))

    @property
    def prices(self) -> list[float]:
        """What the prices of horizon, sight, attention and force are, as multiples of what the world began with."""
        return (self.world.state.price_factor[0] / self._drawn).tolist()

    def set_shares(self, wanted: Mapping[str, Any]) -> None:
        """Take the weights of seats, ``{"0": [8 numbers]}``; None gives a seat back to its policy.

        Raises:
            ActionError: a seat is not held, or its weights are not 8 numbers in [0, 1e6]; nothing has changed.
        """
        if not isinstance(wanted, Mapping):
            raise ActionError(f"shares={brief(wanted)} is no table; give seats and their {N_CATEGORIES} weights")
        chosen = dict(self._by_hand)
        for name, weights in wanted.items():
            seat = self._seat(name)
            if weights is None:
                chosen.pop(seat, None)
            else:
                rows = _numbers(f"shares of seat {seat}", weights, N_CATEGORIES, 0.0, LARGEST_WEIGHT)
                chosen[seat] = project_shares(rows, self.world.open)
        self._by_hand = chosen

    def set_prices(self, factors: Any) -> None:
        """Set the prices of horizon, sight, attention and force, as multiples of what the world began with.

        Raises:
            ActionError: they are not 4 numbers in [1/16, 16]; nothing has changed.
        """
        given = _numbers("prices", factors, N_PRICES, 1.0 / LARGEST_PRICE, LARGEST_PRICE)
        self.world.state.price_factor[0] = self._drawn * np.asarray(given)

    def step(self) -> None:
        """Play a turn; a game that is over stays as it is."""
        if not self.over:
            self.world.step(self.shares[None])

    def _seat(self, name: Any) -> int:
        text = str(name)
        seat = int(text) if text.isascii() and text.isdecimal() and len(text) <= len(str(N_CATEGORIES)) else -1
        if seat not in self.held:
            raise ActionError(f"seat {brief(name)} is not held; this page holds {', '.join(map(str, self.held))}")
        return seat


def check_held(held: Sequence[int], scenario: Scenario) -> tuple[int, ...]:
    """Return the seats, sorted, if the scenario has them all.

    Raises:
        ScenarioError: a seat is none of the scenario's.
    """
    last = scenario.game.civilizations - 1
    for seat in held:
        if not 0 <= seat <= last:
            raise ScenarioError(f"seat {seat} is outside 0 … {last}; give seats of {scenario.name}")
    return tuple(sorted(set(held)))


def check_whole(name: str, value: Any, most: int) -> int:
    """Return ``value`` if it is a whole number in [0, most].

    Raises:
        ScenarioError: it is not.
    """
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= most:
        raise ScenarioError(f"{name}={brief(value)} is outside 0 … {most}; give a whole number in it")
    return value


def _numbers(what: str, values: Any, count: int, least: float, most: float) -> list[float]:
    if not isinstance(values, list) or len(values) != count:
        raise ActionError(f"{what}={brief(values)}; give a list of {count} numbers")
    for value in values:
        number = isinstance(value, int | float) and not isinstance(value, bool)
        if not (number and least <= value <= most):
            raise ActionError(f"{what}: {brief(value)} is outside {least:g} … {most:g}; give numbers in it")
    return [float(value) for value in values]
