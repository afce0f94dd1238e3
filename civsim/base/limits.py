"""The limits of settings and the kinds of number and name that a setting may be."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from civsim.base.constants import UNLIMITED

MAX_SIDE = 128
MAX_TURNS = 2000
MAX_LAG = 32
MAX_PER_TURN = 64
MAX_BANDS = 16
MAX_LEVEL = UNLIMITED
MAX_MENU = 16

Probability = Annotated[float, Field(ge=0.0, le=1.0, allow_inf_nan=False)]
Fraction = Annotated[float, Field(ge=0.0, lt=1.0, allow_inf_nan=False)]
NonNegative = Annotated[float, Field(ge=0.0, le=1e6, allow_inf_nan=False)]
Positive = Annotated[float, Field(gt=0.0, le=1e6, allow_inf_nan=False)]
Spread = Annotated[float, Field(ge=1.0, le=1000.0, allow_inf_nan=False)]
CategoryName = Literal["consumption", "settlement", "works", "army", "walls", "strategists", "scouts", "analysts"]
VariableName = Literal["ore", "hazard", "rivals", "raiders"]
RuleName = Literal["myopic", "rate", "npv"]
AttacksName = Literal["never", "rule", "plan"]
GuardName = Literal["dates", "thumb"]
WeightsName = Literal["output", "equal"]
