"""What a study says before it is run: a claim, the sign expected and on whose word, the test, and how many worlds.

A hypothesis stands in its study's file as ``[hypotheses.NAME]``. It changes no game: the test named here reads the
finished tables (:mod:`civsim.analysis.hypotheses`), and the manifest keeps the hypotheses as they stood when the
games were begun, so that one that was changed afterwards shows.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from civsim.base.scenario import Frozen, Positive

Expected = Literal["positive", "negative", "either", "nothing"]
"""Sign of the effect that is expected: either, where theory leaves it open; nothing, where there must be none."""

Power = Annotated[float, Field(ge=0.5, lt=1.0)]


class Hypothesis(Frozen):
    """One pre-registered hypothesis of a study."""

    claim: str = Field(min_length=1, max_length=400, description="what is claimed, one sentence")
    expected: Expected = Field(description="expected sign of the effect")
    source: str = Field(min_length=1, max_length=600, description="whose theory or finding the sign is from")
    test: str = Field(min_length=1, max_length=64, description="test that judges it")
    params: dict[str, Any] = Field(default_factory=dict, description="settings of the test")
    unit: str = Field(min_length=1, max_length=80, description="unit of the effect")
    smallest: Positive = Field(description="smallest effect that the study is to find with its power (unit)")
    margin: Positive = Field(description="equivalence margin: effects below it, either way, are too small to matter")
    worlds: int = Field(ge=2, description="worlds a point that power asks for")
    power: Power = Field(0.8, description="power at the smallest effect for which worlds was chosen")
