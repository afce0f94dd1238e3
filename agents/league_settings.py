"""Settings of a league: who plays the seats that do not learn, and how often."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from civsim.base.scenario import Frozen, Positive, Probability

Kind = Literal["latest", "past", "scripted"]
"""What an opponent is: the learner of the last rollout, a kept snapshot of it, or a policy that does not learn."""

_TOLERANCE = 1e-9


class LeagueSettings(Frozen):
    """Who plays the seats that do not learn. ``latest``, ``past`` and ``scripted`` sum to 1."""

    latest: Probability = Field(0.5, description="share of rival seats played by the learner of the last rollout")
    past: Probability = Field(0.3, description="share played by kept snapshots; by the latest while there is none")
    scripted: Probability = Field(0.2, description="share played by the anchors, each as often as the others")
    anchors: tuple[str, ...] = Field(
        ("adaptive", "builder", "rusher", "thinker", "turtle"), description="policies that stay as they are, by name"
    )
    capacity: int = Field(12, ge=2, le=256, description="snapshots kept; beyond it they are thinned out evenly")
    every: int = Field(100_000, ge=1, le=10**9, description="turns of experience between two snapshots")
    # With a k so bounded and a prior not next to 0 no weight comes to 0, however often a snapshot is beaten.
    exponent: float = Field(
        2.0,
        ge=0.0,
        le=20.0,
        allow_inf_nan=False,
        description="k of the weight (1 − p)^k of a snapshot; 0 for equal weights",
    )
    prior: Positive = Field(10.0, ge=1e-3, description="games at a win rate of 1/2 that every opponent starts with")
    memory: Positive = Field(500.0, ge=1.0, description="games after which an old result counts 1/e")

    @model_validator(mode="after")
    def _check(self) -> Self:
        total = self.latest + self.past + self.scripted
        if abs(total - 1.0) > _TOLERANCE:
            raise ValueError(f"latest + past + scripted = {total:g}, not 1; correct one of them")
        if len(set(self.anchors)) != len(self.anchors):
            raise ValueError("anchors name a policy twice; name each once")
        if self.scripted > 0.0 and not self.anchors:
            raise ValueError(f"scripted={self.scripted:g} without anchors; name at least one policy or make it 0")
        # Compared with the default, not with the keys given: resolved settings name every key.
        idle = {"anchors": self.scripted == 0.0} | dict.fromkeys(("exponent", "capacity", "every"), self.past == 0.0)
        for name, without_effect in idle.items():
            if without_effect and getattr(self, name) != type(self).model_fields[name].default:
                share = "scripted" if name == "anchors" else "past"
                raise ValueError(f"{name} has no effect while {share}=0; drop it or raise {share}")
        return self
