"""Scripted strategies worth beating: four that follow a timetable, and one that reacts to what it observes."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from civsim.agents.policy import PolicyContext
from civsim.agents.registry import NoParams, register
from civsim.base.constants import COGNITION, N_CATEGORIES, Category
from civsim.engine.observation.features import at
from civsim.engine.observation.observer import Observation
from civsim.engine.state import F32, F64
from civsim.faces.actions import project_shares

Mix = Mapping[str, float]
Timetable = tuple[tuple[float, Mix], ...]
"""Mixes of categories at fractions of the game; weights in between are interpolated."""

_HARVEST: Mix = {"consumption": 1.0}
"""What is invested in the last turns never pays back, so that every timetable ends in consumption."""
_LAST_INVESTMENT = 0.8
"""Fraction of the game at which the timetables begin to wind investment down."""

RUSHER: Timetable = (
    (0.0, {"consumption": 0.15, "settlement": 0.6, "works": 0.1, "army": 0.05, "strategists": 0.05, "scouts": 0.05}),
    (0.35, {"consumption": 0.2, "settlement": 0.2, "works": 0.1, "army": 0.45, "scouts": 0.05}),
    (_LAST_INVESTMENT, {"consumption": 0.45, "settlement": 0.1, "works": 0.05, "army": 0.4}),
    (1.0, _HARVEST),
)
BUILDER: Timetable = (
    (0.0, {"consumption": 0.2, "settlement": 0.4, "works": 0.3, "strategists": 0.05, "scouts": 0.05}),
    (0.4, {"consumption": 0.4, "settlement": 0.15, "works": 0.35, "army": 0.05, "strategists": 0.05}),
    (_LAST_INVESTMENT, {"consumption": 0.7, "works": 0.2, "army": 0.1}),
    (1.0, _HARVEST),
)
TURTLE: Timetable = (
    (0.0, {"consumption": 0.25, "settlement": 0.25, "works": 0.25, "army": 0.1, "walls": 0.15}),
    (_LAST_INVESTMENT, {"consumption": 0.6, "works": 0.15, "army": 0.1, "walls": 0.15}),
    (1.0, _HARVEST),
)
THINKER: Timetable = (
    (
        0.0,
        {"consumption": 0.15, "settlement": 0.3, "works": 0.1, "strategists": 0.2, "scouts": 0.15, "analysts": 0.1},
    ),
    (
        0.3,
        {
            "consumption": 0.35,
            "settlement": 0.2,
            "works": 0.2,
            "army": 0.05,
            "strategists": 0.1,
            "scouts": 0.05,
            "analysts": 0.05,
        },
    ),
    (_LAST_INVESTMENT, {"consumption": 0.75, "works": 0.1, "army": 0.05, "strategists": 0.1}),
    (1.0, _HARVEST),
)


class Scheduled:
    """Shares that depend on the turn alone: a timetable, interpolated."""

    needs_observation = False

    def __init__(self, timetable: Timetable) -> None:
        self._times: F64 = np.array([time for time, _ in timetable], np.float64)
        self._mixes: F64 = np.zeros((len(timetable), N_CATEGORIES), np.float64)
        for row, (_, mix) in enumerate(timetable):
            for name, weight in mix.items():
                self._mixes[row, Category[name.upper()]] = weight

    def __call__(self, observation: Observation | None, context: PolicyContext) -> F32:
        """Return the timetable's shares at each world's turn for every seat, float32 [B, S, 8]."""
        last = max(context.scenario.game.turns - 1, 1)
        fraction = np.minimum(context.turns / last, 1.0)
        weights = np.stack([np.interp(fraction, self._times, self._mixes[:, c]) for c in Category], axis=-1)
        rows = project_shares(weights, context.open)
        return np.repeat(rows[:, None, :], len(context.seats), axis=1)


register("rusher", NoParams, lambda _params, _scenario: Scheduled(RUSHER))
register("builder", NoParams, lambda _params, _scenario: Scheduled(BUILDER))
register("turtle", NoParams, lambda _params, _scenario: Scheduled(TURTLE))
register("thinker", NoParams, lambda _params, _scenario: Scheduled(THINKER))


class Adaptive:
    """Invests while there is time for it to pay, funds what its planner can use, and arms against what it has seen.

    Every weight is a plain function of a few features; the constants are judgements, not fits.
    """

    needs_observation = True

    PATIENCE = 25.0  # turns: investment fades as fewer than this are left
    INVESTMENT = 0.75  # largest share of output invested
    IDLE = 2.0  # a fund that pays for this many orders at once is full
    FREE = 1e-6  # least cost of an order (output)
    DANGER = 2.0  # weight of expected attacks and raids (roots of frequencies) in defence
    BALANCE = 0.5  # weight of a rival's army beyond the own one (log scale)
    STAFF = 0.15  # weight of cognition before it winds down

    def __call__(self, observation: Observation | None, context: PolicyContext) -> F32:
        """Return the shares that the last turn suggests, float32 [B, S, 8]."""
        if observation is None:
            raise TypeError("the adaptive policy needs an observation")
        x = observation.features.astype(np.float64)

        def amount(name: str) -> F64:
            return np.expm1(x[..., at(name)])

        time = 1.0 - np.exp(-amount("turns_left") / self.PATIENCE)
        attacks, raids = x[..., at("rate_attack")], x[..., at("rate_raid")]
        rival = np.zeros_like(time)
        for slot in range(1, context.scenario.game.civilizations):
            rival = np.maximum(rival, x[..., at(f"rival{slot}_force")])
        behind = np.maximum(rival - x[..., at("stock_army")], 0.0)
        land = 1.0 / (1.0 + amount("frontier_funds") / self.IDLE) * (x[..., at("frontier")] > 0.0)
        # An eliminated civilization's costs read 0.
        works = 1.0 / (1.0 + amount("stock_works") / np.maximum(self.IDLE * amount("work_cost"), self.FREE))
        walls = 1.0 / (1.0 + amount("stock_walls") / np.maximum(self.IDLE * amount("wall_cost"), self.FREE))

        weights = np.zeros((*time.shape, N_CATEGORIES), np.float64)
        weights[..., Category.SETTLEMENT] = land
        weights[..., Category.WORKS] = works
        weights[..., Category.ARMY] = self.DANGER * attacks + self.BALANCE * behind
        weights[..., Category.WALLS] = self.DANGER * (attacks + raids) / 2.0 * walls
        for channel, facts in COGNITION.items():
            weights[..., facts.staff] = self.STAFF * x[..., at(f"bought_{channel.name.lower()}")] * time
        weights *= (self.INVESTMENT * time / np.maximum(weights.sum(axis=-1), 1.0))[..., None]
        weights[..., Category.CONSUMPTION] = 1.0 - self.INVESTMENT * time
        return project_shares(weights, context.open)


register("adaptive", NoParams, lambda _params, _scenario: Adaptive())
