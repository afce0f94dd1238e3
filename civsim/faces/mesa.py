"""The Mesa face: one world as a Mesa model whose agents are its civilizations. It holds no rule.

    from civsim.faces.mesa import Civilization, CivModel

    class Settler(Civilization):
        def allocate(self):
            return {"settlement": 3, "works": 1} if self.size < 20 else {"consumption": 1}

    model = CivModel("baseline", seed=1, civilizations={0: Settler})
    model.run_model()
    model.datacollector.get_agent_vars_dataframe()

A model's game is a function of the scenario, the seed, the world id and what the hand-written civilizations answer, bit
for bit the game that :class:`civsim.engine.world.World` plays. The source runs on Mesa 3.3 (Python 3.11) and 3.5.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Mapping
from pathlib import Path
from pkgutil import resolve_name
from typing import Any, NamedTuple, Self

import mesa
import numpy as np
from mesa.discrete_space import CellAgent
from numpy.typing import NDArray

from civsim.base.constants import NOBODY, WORLD_IDS, Category, Channel
from civsim.base.errors import ActionError, ScenarioError
from civsim.base.scenario import Scenario
from civsim.engine.observation.observer import observer_of
from civsim.engine.state import F32
from civsim.engine.world import World
from civsim.faces.answers import Answer, brief, shares_of_answer
from civsim.faces.mesa_grid import make_grid
from civsim.faces.mesa_provinces import Province, provinces_of
from civsim.faces.observed import Observed

FINDER = "civsim.scenarios.environment:find_game"
"""What knows scenarios by name, and policies by scenario. It stands on a higher floor and is looked up by its name when
a model is made, as Gymnasium looks up the entry points of :mod:`civsim.faces.registration`."""


Policies = Callable[[World, NDArray[np.bool_] | None], F32]
"""Shares of all seats, float32 [1, N, 8], but for those that are True in a mask, bool [1, N], whose rows are 0."""


class Attribute(NamedTuple):
    """A reporter of agents: an attribute, or None for an agent that has none, such as one of another kind.

    Mesa's own, which it makes of a name, raises in 3.5 and cannot be pickled.
    """

    name: str

    def __call__(self, agent: mesa.Agent) -> Any:
        """Return the attribute of an agent."""
        return getattr(agent, self.name, None)


MODEL_REPORTERS = {
    "turn": "turn",
    "living": "living",
    "free_cells": "free_cells",
    "total_output": "total_output",
    "total_consumption": "total_consumption",
}
"""What a model's own collector keeps of a turn, by the name of its column: an attribute of the model."""

AGENT_REPORTERS = {
    name: Attribute(name) for name in ("seat", "size", "output", "consumption", "army", "horizon", "sight", "attention")
}
"""What it keeps of each living civilization: an attribute of the agent. No name is also one of the model's."""


def _own(field: str, meaning: str, place: int | None = None) -> Any:
    """Return a property of a civilization: its entry of a field of the live state, as a Python scalar."""
    if place is None:
        return property(lambda agent: getattr(agent.model.world.state, field).item(0, agent.seat), doc=meaning)
    return property(lambda agent: getattr(agent.model.world.state, field).item(0, agent.seat, place), doc=meaning)


class Civilization(CellAgent):
    """A civilization of a :class:`CivModel`, standing on its capital.

    As it is it follows the policy that the scenario names for its seat; write ``allocate`` in a subclass and it follows
    that. Its properties read the live state: what it was given and achieved in the last turn, as Python scalars. What
    it may know of the world is its ``observation``.

    A civilization that loses its last cell leaves ``model.agents`` and its cell; ``model.civilizations`` keeps it.

    Args:
        model: the model it lives in, which makes it.
        seat: its seat, 0 … N − 1.
    """

    def __init__(self, model: CivModel, seat: int) -> None:
        super().__init__(model)
        self.seat = seat
        self._observed: tuple[int, Observed] | None = None

    def allocate(self) -> Answer:
        """Return how the next turn's output is divided: {category: weight}, or 8 numbers in the order of Category.

        Weights are divided by their sum; those that sum to 1 are shares and played as they are. Called once a turn
        while it lives, in the order of seats; none sees another's answer. Here: what the scenario's policy for this
        seat answers, float32 [8].
        """
        return self.model.scripted(self.seat)

    @property
    def observation(self) -> Observed:
        """What it may know now, by feature: ``self.observation["frontier"]``. All is 0 once it is eliminated."""
        turn = self.model.turn
        if self._observed is None or self._observed[0] != turn:
            self._observed = turn, self.model.observe(self.seat)
        return self._observed[1]

    size = _own("cells", "Cells held.")
    output = _own("output", "Output of the last turn, grant included.")
    consumption = _own("consumption", "Consumption of the last turn, tribute included (output).")
    tribute = _own("tribute", "Tribute received in the last turn (output).")
    reward = _own("reward", "What the last turn was worth by the scenario's objective, not discounted.")
    settlement_fund = _own("stock", "Fund for claims (output).", Category.SETTLEMENT)
    works_fund = _own("stock", "Fund for works (output).", Category.WORKS)
    wall_fund = _own("stock", "Fund for walls (output).", Category.WALLS)
    army = _own("stock", "Army (force).", Category.ARMY)
    strategists = _own("stock", "Staff that buys the horizon (output).", Category.STRATEGISTS)
    scouts = _own("stock", "Staff that buys sight (output).", Category.SCOUTS)
    analysts = _own("stock", "Staff that buys attention (output).", Category.ANALYSTS)
    horizon = _own("level", "Turns its capital thought ahead in the last turn.", Channel.HORIZON)
    sight = _own("level", "Cells its capital saw beyond its territory in the last turn.", Channel.SIGHT)
    attention = _own("level", "Variables its capital took into account in the last turn.", Channel.ATTENTION)

    @property
    def provinces(self) -> tuple[Province, ...]:
        """Its provinces, the capital's first: each what one of its seats of thought stands for; none once eliminated.

        A realm whose thought is housed at its capital alone is one province.
        """
        return provinces_of(self.model.world, self.seat) if self.alive else ()

    @property
    def thought_seats(self) -> int:
        """How many seats of thought it has, the capital among them."""
        return len(self.provinces)

    @property
    def alive(self) -> bool:
        """True while it holds a cell."""
        return bool(self.model.world.state.alive.item(0, self.seat))

    @property
    def objective(self) -> float:
        """The scenario's objective so far: its utility."""
        world = self.model.world
        return float(world.state.utility[0, self.seat, world.config.objective])

    def __repr__(self) -> str:
        """Return its class, seat and size."""
        return f"{type(self).__name__}(seat={self.seat}, size={self.size})"


class CivModel(mesa.Model):
    """One world as a Mesa model.

    Everything of Mesa's works as its tutorial teaches: ``step``, ``run_model``, ``running`` (False once the game is
    over, or a step has failed), ``agents`` and its tools, ``datacollector``, ``SolaraViz``. A model of your own calls
    ``super().__init__(...)`` first and ``super().step()`` in its ``step``; a collector of your own is filled by you, as
    Mesa teaches, and the model's own, which it replaces, by every step.

    Attributes:
        civilizations: every civilization, in the order of seats, the eliminated included; the living are in ``agents``.
        grid: Mesa's grid, cell (x, y) = (column, row), with layers (:mod:`civsim.faces.mesa_grid`).
        world: the one world that is played (:class:`civsim.engine.world.World`): all else there is to read.
        game: its scenario. (``scenario`` is Mesa's own in 3.5.)
        seed: the study seed.
        world_id: the id of the world within it.

    Args:
        game: a scenario, its name in the library, or the path of a TOML file.
        seed: study seed, 0 … 2**64 − 1; a text of digits too, which is what Mesa's input fields give.
        world_id: which world of that seed, 0 … 2**32 − 1, or a text of digits.
        civilizations: a subclass of :class:`Civilization` for some seats. It is called with the model and the seat.
        rng: what Mesa's own ``model.rng`` and ``model.random`` start from, as in Mesa, or a text of digits; they follow
            from seed and world id where it is left out. The world never draws from them.

    Raises:
        ScenarioError: the game, the seed, the world id, a seat or ``rng`` cannot be used.
        CheckpointError: a trained policy that the scenario names cannot be loaded.
    """

    _user_step: Callable[[], None]  # Mesa's: what its own step calls

    def __init__(
        self,
        game: str | Path | Scenario = "baseline",
        seed: int | str = 0,
        world_id: int | str = 0,
        civilizations: Mapping[int, type[Civilization]] | None = None,
        rng: Any = None,
    ) -> None:
        self.seed, self.world_id = _whole("seed", seed, 2**64), _whole("world_id", world_id, WORLD_IDS)
        rivals: Policies
        self.game, rivals = resolve_name(FINDER)(game)
        kinds = _check_kinds(self.game, civilizations)
        self._numbered = 0
        start = _whole("rng", rng, 2**64) if isinstance(rng, str) else rng
        super().__init__(rng=[self.seed, self.world_id] if start is None else start)
        self._guard()
        self.world = World(self.game, seed=self.seed, world_ids=[self.world_id])
        self._rivals = rivals
        self.grid = make_grid(self.world, self.random)
        self.civilizations = tuple(kind(self, seat) for seat, kind in enumerate(kinds))
        written = [type(one).allocate is not Civilization.allocate for one in self.civilizations]
        self._written: NDArray[np.bool_] | None = np.array([written], np.bool_) if any(written) else None
        self._by_hand = [one for one, by_hand in zip(self.civilizations, written, strict=True) if by_hand]
        self._where: tuple[list[int], list[int]] | None = None
        self._settle()
        self._collector = mesa.DataCollector(MODEL_REPORTERS, AGENT_REPORTERS)
        self.datacollector = self._collector

    @property
    def turn(self) -> int:
        """Turns played. Mesa's own ``steps`` and ``time`` count calls."""
        return self.world.state.turn.item(0)

    @property
    def living(self) -> int:
        """Civilizations that hold a cell."""
        return sum(self.world.state.alive.tolist()[0])

    @property
    def free_cells(self) -> int:
        """Cells that nobody holds."""
        return int(np.count_nonzero(self.world.state.owner == NOBODY))

    @property
    def total_output(self) -> float:
        """Output of all civilizations in the last turn."""
        return math.fsum(self.world.state.output.tolist()[0])

    @property
    def total_consumption(self) -> float:
        """Consumption of all civilizations in the last turn (output)."""
        return math.fsum(self.world.state.consumption.tolist()[0])

    def scripted(self, seat: int) -> F32:
        """Return what the scenario's policy for a seat answers now, shares float32 [8]."""
        others = np.ones((1, len(self.civilizations)), np.bool_)
        others[0, seat] = False
        return self._rivals(self.world, others)[0, seat].copy()

    def observe(self, seat: int) -> Observed:
        """Return what the civilization of a seat may know now."""
        return Observed(observer_of(self.world).rows(self.world.state, _ROW, np.array([seat], np.int64))[0])

    def step(self) -> None:
        """Play one turn; once the game is over nothing moves and nothing is collected.

        Raises:
            ActionError: a civilization's answer is malformed; the world has not moved.
        """
        if self.turn >= self.game.game.turns:
            self.running = False
            return
        shares = self._rivals(self.world, self._written)
        for one in self._by_hand:
            if one.alive:
                shares[0, one.seat] = self._shares_of(one)
        self.world.step(shares)
        self._settle()
        self.running = self.turn < self.game.game.turns
        if self.datacollector is self._collector:
            self._collector.collect(self)

    def _shares_of(self, one: Civilization) -> F32:
        answer = one.allocate()
        try:
            return shares_of_answer(answer, self.world.open)
        except ActionError as error:
            raise ActionError(f"{type(one).__name__} of seat {one.seat}: {error}") from None

    def _settle(self) -> None:
        """Set every civilization where its capital is now; the eliminated leave."""
        state, width = self.world.state, self.game.map.width
        where = state.alive.tolist()[0], state.capital.tolist()[0]
        if where == self._where:
            return
        self._where = where
        for one, alive, capital in zip(self.civilizations, *where, strict=True):
            row, column = divmod(capital, width)
            if not alive and one.cell is not None:
                one.remove()
            elif alive and (one.cell is None or one.cell.coordinate != (column, row)):
                one.cell = self.grid[column, row]

    def register_agent(self, agent: mesa.Agent) -> None:
        """Take an agent in, as Mesa does, under the next number of this model, from 1.

        Mesa 3.3 counts in a table that holds every model for good; the count is the model's own instead.
        """
        super().register_agent(agent)
        counts = getattr(mesa.Agent, "_ids", None)
        if counts is not None:
            counts.pop(self, None)
            self._numbered += 1
            agent.unique_id = self._numbered

    def _guard(self) -> None:
        """Let no step go on after one that failed: Mesa 3.5 would count on and play nothing, without a word."""
        self._failure: BaseException | None = None
        self._bare_step, self._user_step = self._user_step, self._guarded_step

    def _guarded_step(self) -> None:
        self._raise_again()
        try:
            self._bare_step()
        except BaseException as error:
            self._failure, self.running = error, False
            raise

    def _raise_again(self) -> None:
        if isinstance(self._failure, Exception):
            raise self._failure
        if self._failure is not None:
            kind = type(self._failure).__name__
            raise ActionError(f"turn {self.turn} was broken off by {kind}; make the model again") from self._failure

    def _advance_time(self, until: float) -> None:
        """Move Mesa 3.5's clock, by which it steps; 3.3 has none."""
        self._raise_again()
        super()._advance_time(until)

    def __copy__(self) -> Self:
        """Return what ``copy.deepcopy`` returns: two models over one world would each move the other's."""
        return copy.deepcopy(self)

    def __getstate__(self) -> dict[str, Any]:
        """Return what a copy is made from: all but the grid, whose layers are this world's memory."""
        kept = {name: value for name, value in self.__dict__.items() if name != "grid"}
        kept["_places"] = [(agent, agent.cell.coordinate) for agent in self.agents if getattr(agent, "cell", None)]
        return kept

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Take it over, and make a grid over the copied world."""
        places = state.pop("_places")
        self.__dict__.update(state)
        self.grid = make_grid(self.world, self.random)
        for agent, coordinate in places:
            agent._mesa_cell = None
            agent.cell = self.grid[coordinate]


_ROW = np.zeros(1, np.int64)


def _whole(name: str, value: object, limit: int) -> int:
    """Return a whole number below a limit from a number, or from the text that an input field gives."""
    text = value.strip() if isinstance(value, str) else value
    if isinstance(text, str) and text.isascii() and text.isdecimal() and len(text) <= len(str(limit)):
        text = int(text)
    if isinstance(text, float | np.floating) and float(text).is_integer():
        text = int(text)
    if isinstance(text, bool) or not isinstance(text, int | np.integer) or not 0 <= text < limit:
        raise ScenarioError(f"{name}={brief(value)} is not a whole number in 0 … {limit - 1}; give one")
    return int(text)


def _check_kinds(game: Scenario, given: Mapping[int, type[Civilization]] | None) -> list[type[Civilization]]:
    """Return the class of every seat's civilization."""
    kinds: list[type[Civilization]] = [Civilization] * game.game.civilizations
    if not isinstance(given, Mapping | None):
        raise ScenarioError(f"civilizations={brief(given)} is no table of seats; give {{seat: class}}")
    for seat, kind in (given or {}).items():
        if isinstance(seat, bool) or not isinstance(seat, int | np.integer) or not 0 <= seat < len(kinds):
            raise ScenarioError(f"civilizations: seat {brief(seat)} is none of 0 … {len(kinds) - 1}; give one of them")
        if not (isinstance(kind, type) and issubclass(kind, Civilization)):
            raise ScenarioError(f"civilizations: {brief(kind)} of seat {seat} is no subclass of Civilization; give one")
        kinds[seat] = kind
    return kinds
