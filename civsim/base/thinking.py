"""What a scenario sets of thinking: what levels cost, what the planner assumes, and where thought is housed."""

from __future__ import annotations

import math
from typing import Annotated, Literal, get_args

from pydantic import Field, model_validator

from civsim.base.constants import MAX_ATTENTION, MAX_MIND, MAX_OFFICES
from civsim.base.limits import (
    MAX_LEVEL,
    MAX_SIDE,
    AttacksName,
    GuardName,
    NonNegative,
    Positive,
    Probability,
    RuleName,
    VariableName,
    WeightsName,
)
from civsim.base.settings import Frozen, setting


class PriceSettings(Frozen):
    """Price of a first level on each channel, in units of staff, for a realm of one cell."""

    horizon: Positive = setting(0.1, "p_h (output of staff per level at span 0)")
    sight: Positive = setting(0.1, "p_r")
    attention: Positive = setting(0.15, "p_k")


class CurvatureSettings(Frozen):
    """γ of level = ⌊(staff / (p · cells^s))^(1/γ)⌋: how steeply further levels cost."""

    horizon: Annotated[float, Field(ge=0.25, le=8.0)] = setting(1.0, "γ_h")
    sight: Annotated[float, Field(ge=0.25, le=8.0)] = setting(1.0, "γ_r")
    attention: Annotated[float, Field(ge=0.25, le=8.0)] = setting(1.0, "γ_k")


class Levels(Frozen):
    """Levels of the three channels: horizon h (turns), sight r (cells), attention k (variables)."""

    horizon: int = setting(0, "h (turns)", ge=0, le=MAX_LEVEL)
    sight: int = setting(1, "r (cells)", ge=0, le=MAX_SIDE)
    attention: int = setting(2, "k (variables)", ge=0, le=MAX_ATTENTION)


class PartialLevels(Frozen):
    """Exogenous levels; a channel left out is bought as usual."""

    horizon: int | None = Field(None, ge=0, le=MAX_LEVEL)
    sight: int | None = Field(None, ge=0, le=MAX_SIDE)
    attention: int | None = Field(None, ge=0, le=MAX_ATTENTION)


class GrantSettings(Frozen):
    """Gifts on top of what is bought: free levels, and output a turn (the physical control)."""

    horizon: int = setting(0, "levels", ge=0, le=MAX_LEVEL)
    sight: int = setting(0, "levels", ge=0, le=MAX_SIDE)
    attention: int = setting(0, "levels", ge=0, le=MAX_ATTENTION)
    output: NonNegative = setting(0.0, "output a turn")


class PriorSettings(Frozen):
    """What a civilization expects before it has witnessed anything; each a frequency with a weight."""

    weight: Positive = setting(20.0, "pseudo-observations behind each prior", packed="prior_weight")
    disaster: Probability = setting(0.01, "disasters per cell and turn", packed="prior_disaster")
    attack: Probability = setting(0.01, "attacks per exposed cell and turn", packed="prior_attack")
    attack_force: NonNegative = setting(3.0, "force of an attack (units of force)", packed="prior_force")
    raid: Probability = setting(0.002, "raids per cell and turn", packed="prior_raid")
    advance: Probability = setting(0.02, "chance a free cell beside a rival is taken in a turn", packed="prior_advance")


class CandidateSettings(Frozen):
    """How many plans of each kind are compared by rollout, beside the rule's own choice and waiting."""

    claims: int = setting(4, "cells a claim or an attack may end in", ge=1, le=32, packed="claim_candidates")
    works: int = setting(2, "cells to work", ge=1, le=32, packed="work_candidates")
    walls: int = setting(2, "cells to wall", ge=1, le=32, packed="wall_candidates")


class ThoughtSettings(Frozen):
    """Seats of thought: where a civilization's cognition is housed, what each hears, and what it commands.

    One seat, the capital, is the default. Several stand on own cells, each with a province, its weight of the staff and
    its province's funds. No setting here touches output, battle or score; ``lost`` touches staff alone.
    """

    count: int = setting(1, "most seats of thought, the capital among them", ge=1, le=MAX_OFFICES)
    weights: WeightsName | tuple[Positive, ...] = setting(
        "equal",
        "share of the staff of each: equal, by its province's output, or given, the capital's first",
    )
    cells: int = setting(4, "cells that a realm must hold for each of its seats", ge=1, le=MAX_SIDE**2)
    messenger: Annotated[float, Field(gt=0.0)] = setting(
        math.inf, "cells a turn at which what one sees reaches another; inf: at once"
    )
    pool: Probability = setting(0.0, "share of what is paid into funds that the capital commands for all")
    lost: Probability = setting(0.0, "share of a seat's staff that is lost where its cell is captured")

    @model_validator(mode="after")
    def _check(self) -> ThoughtSettings:
        if not isinstance(self.weights, str) and len(self.weights) != self.count:
            raise ValueError(f"weights has {len(self.weights)} entries for count = {self.count}; give one a seat")
        return self


class ThinkingSettings(Frozen):
    """Cognition: what it costs and what the planner assumes. No field here touches output, battle or score."""

    endowment: Levels = Field(default_factory=lambda: Levels(), description="free levels h0, r0, k0")
    price: PriceSettings = Field(default_factory=lambda: PriceSettings())
    curvature: CurvatureSettings = Field(default_factory=lambda: CurvatureSettings())
    span: Annotated[float, Field(ge=0.0, le=1.0)] = setting(0.5, "s: price grows as cells^s", packed="span")
    max_horizon: int = setting(16, "largest horizon that can be bought", ge=0, le=MAX_LEVEL)
    max_sight: int = setting(8, "largest sight that can be bought", ge=0, le=MAX_SIDE)
    reach: int | None = setting(None, "turns a plan may take; horizon if left out", ge=0, le=MAX_LEVEL)
    rollout: int | None = setting(None, "turns simulated; horizon if left out", ge=0, le=MAX_LEVEL)
    rule: RuleName = setting("npv", "rule for land, followed where nothing is simulated and the base of what is")
    attacks: AttacksName = setting("plan", "never, also by rule, or only where a plan that is simulated is best")
    guard: GuardName = setting("thumb", "walls where nothing is simulated; dates: first against bands in view")
    levels_of_mind: int = setting(
        1, "rivals: 0 stand still, 1 set deadlines, 2 claim and attack in rollouts, 3 plan as well", ge=0, le=MAX_MIND
    )
    mind_turns: int = setting(40, "most turns that rivals are rolled on", ge=1, le=MAX_LEVEL, packed="mind_turns")
    belief: Literal["mean", "optimistic"] = setting("mean", "rule for cells never seen")
    optimism: Probability = setting(0.8, "quantile of the optimistic rule", packed="optimism")
    noise: NonNegative = setting(0.0, "s.d. of the log error factor of a wrong model")
    salience: tuple[VariableName, ...] | None = setting(None, "fixed order; drawn per seat if left out")
    seats: ThoughtSettings = Field(default_factory=lambda: ThoughtSettings())
    prior: PriorSettings = Field(default_factory=lambda: PriorSettings())
    candidates: CandidateSettings = Field(default_factory=lambda: CandidateSettings())

    @model_validator(mode="after")
    def _check(self) -> ThinkingSettings:
        if self.salience is not None and sorted(self.salience) != sorted(get_args(VariableName)):
            names = ", ".join(get_args(VariableName))
            raise ValueError(f"salience must order all of {names}; or leave it out to draw it")
        # Compared with the default, not with the keys given: a resolved scenario names every key.
        if self.belief != "optimistic" and self.optimism != type(self).model_fields["optimism"].default:
            raise ValueError("optimism has no effect unless belief = 'optimistic'; drop it or change belief")
        return self
