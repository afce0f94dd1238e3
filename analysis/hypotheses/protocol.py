"""What a test of a hypothesis is: its settings and how it turns a results folder into evidence."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from civsim.analysis.hypotheses.evidence import Evidence
from civsim.analysis.results import Resampling, Results
from civsim.base.scenario import Frozen


class HypothesisTest(NamedTuple):
    """One test. ``run`` judges one scenario where it is given one, else all of them together."""

    name: str  # what a study file calls it
    about: str  # what its number is, one sentence
    params: type[Frozen]  # its settings; unknown ones are refused
    run: Callable[[Results, Any, Resampling, str | None], Evidence]
