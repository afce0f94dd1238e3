"""Policies that look at nothing: uniform, fixed shares, and shares drawn at random each turn."""

from __future__ import annotations

import math
from typing import Annotated, Self

import numpy as np
from pydantic import Field, model_validator

from civsim.agents.policy import PolicyContext
from civsim.agents.registry import NoParams, register
from civsim.base.constants import COGNITIVE, N_CATEGORIES, PHYSICAL, Category, Draw
from civsim.base.errors import ScenarioError
from civsim.base.kernels import kernel
from civsim.base.randomness import as_key, uniform
from civsim.base.scenario import Frozen, Scenario
from civsim.engine.compiled import open_categories
from civsim.engine.observation.observer import Observation
from civsim.engine.state import F32, F64
from civsim.faces.actions import project_shares

Weight = Annotated[float, Field(ge=0.0, le=1e6, allow_inf_nan=False)]
Portion = Annotated[float, Field(ge=0.0, le=1.0, allow_inf_nan=False)]


class PhysicalMix(Frozen):
    """How spending that is neither consumption nor cognition is split (weights in any unit)."""

    settlement: Weight = 0.0
    works: Weight = 0.0
    army: Weight = 0.0
    walls: Weight = 0.0


class ChannelMix(Frozen):
    """How cognition is split (weights in any unit)."""

    strategists: Weight = 0.0
    scouts: Weight = 0.0
    analysts: Weight = 0.0


class CategoryMix(Frozen):
    """Weights of all eight categories, in any unit."""

    consumption: Weight = 0.0
    settlement: Weight = 0.0
    works: Weight = 0.0
    army: Weight = 0.0
    walls: Weight = 0.0
    strategists: Weight = 0.0
    scouts: Weight = 0.0
    analysts: Weight = 0.0


DEFAULT_PHYSICAL = PhysicalMix(settlement=0.4, works=0.35, army=0.15, walls=0.1)
DEFAULT_CHANNELS = ChannelMix(strategists=2.0, scouts=1.0, analysts=1.0)
DEFAULT_COGNITION = 0.05
DEFAULT_CONSUMPTION = 0.3


class FixedParams(Frozen):
    """Either ``shares``, or cognition, consumption and the two mixes."""

    shares: CategoryMix | None = Field(None, description="weights of the categories, normalised over the open ones")
    cognition: Portion = Field(DEFAULT_COGNITION, description="share of output spent on staff")
    consumption: Portion = Field(DEFAULT_CONSUMPTION, description="share of output consumed")
    physical: PhysicalMix = Field(DEFAULT_PHYSICAL, description="split of the rest")
    channels: ChannelMix = Field(DEFAULT_CHANNELS, description="split of cognition")

    @model_validator(mode="after")
    def _check(self) -> Self:
        given = self.model_fields_set
        if self.shares is not None and len(given) > 1:
            others = ", ".join(sorted(given - {"shares"}))
            raise ValueError(f"shares fixes everything, so {others} has no effect; drop one or the other")
        if self.cognition + self.consumption > 1.0 + np.finfo(np.float32).eps:
            total = self.cognition + self.consumption
            raise ValueError(f"cognition + consumption = {total:g} exceeds 1; lower one of them")
        return self


def fixed_weights(params: FixedParams, scenario: Scenario) -> F64:
    """Return the weights float64 [8] that ``params`` stand for in a scenario.

    With ``shares`` they are as given. Otherwise consumption gets its share, cognition its own split over the open
    channels, and the rest is split over the open physical categories; a group that is closed altogether drops out,
    and the others keep their proportions.

    Raises:
        ScenarioError: a group that was asked for has no weight on an open category.
    """
    opened = open_categories(scenario).astype(np.bool_)
    if params.shares is not None:
        weights = np.array([getattr(params.shares, c.name.lower()) for c in Category], np.float64)
        if not weights[opened].any():
            raise ScenarioError("policy 'fixed': shares is 0 on every open category; give at least one a weight")
        return weights
    weights = np.zeros(N_CATEGORIES, np.float64)
    weights[Category.CONSUMPTION] = params.consumption
    rest = max(1.0 - params.cognition - params.consumption, 0.0)
    for members, mix, amount, name in (
        (PHYSICAL, params.physical, rest, "physical"),
        (COGNITIVE, params.channels, params.cognition, "channels"),
    ):
        chosen = [c for c in members if opened[c]]
        split = np.array([getattr(mix, c.name.lower()) for c in chosen], np.float64)
        if split.any():
            weights[chosen] = amount * split / split.sum()
        elif amount > 0.0 and (name in params.model_fields_set or _asked(params, name)):
            raise ScenarioError(f"policy 'fixed': {amount:g} of output goes to {name}, but none with weight is open")
    if not weights[opened].any():
        raise ScenarioError("policy 'fixed': nothing is spent on an open category; change the shares or the mixes")
    return weights


def _asked(params: FixedParams, group: str) -> bool:
    """Return whether a group's amount was asked for by name rather than by default."""
    return group == "channels" and "cognition" in params.model_fields_set


class Fixed:
    """The same shares every turn, in every world."""

    needs_observation = False

    def __init__(self, weights: F64, scenario: Scenario) -> None:
        self.row: F32 = project_shares(weights, open_categories(scenario).astype(np.bool_))

    def __call__(self, observation: Observation | None, context: PolicyContext) -> F32:
        """Return the fixed row for every seat, float32 [B, S, 8]."""
        shares = np.empty((len(context.world_ids), len(context.seats), N_CATEGORIES), np.float32)
        shares[...] = self.row
        return shares


register("fixed", FixedParams, lambda params, scenario: Fixed(fixed_weights(params, scenario), scenario))
register("uniform", NoParams, lambda _params, scenario: Fixed(np.ones(N_CATEGORIES), scenario))


def _draw_weights(key, world_ids, turns, seats, out):
    """Fill ``out`` float64 [B, S, 8] with −log u of keyed draws: standard exponentials."""
    for b in range(out.shape[0]):
        for s in range(out.shape[1]):
            for category in range(out.shape[2]):
                entity = seats[s] * out.shape[2] + category
                out[b, s, category] = -math.log(uniform(key, world_ids[b], turns[b], entity, Draw.POLICY))


draw_weights = kernel(_draw_weights)


class Random:
    """Shares drawn afresh each turn, evenly over the simplex of open categories.

    Normalised exponentials are Dirichlet(1, …, 1). The draw is a pure function of (seed, world, turn, seat).
    """

    needs_observation = False

    def __call__(self, observation: Observation | None, context: PolicyContext) -> F32:
        """Return the draw of this turn for every seat, float32 [B, S, 8]."""
        weights = np.empty((len(context.world_ids), len(context.seats), N_CATEGORIES), np.float64)
        seats = np.array(context.seats, np.int64)
        draw_weights(as_key(context.seed), context.world_ids, context.turns, seats, weights)
        return project_shares(weights, context.open)


register("random", NoParams, lambda _params, _scenario: Random())
