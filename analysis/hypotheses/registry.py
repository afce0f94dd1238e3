"""The tests that a study file may name, and how their settings are read."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from civsim.analysis.hypotheses.contrasts import CONTRAST, DIFFERENCES, HUMP, SLOPE
from civsim.analysis.hypotheses.dynamics import AGREEMENT, REINVESTMENT
from civsim.analysis.hypotheses.protocol import HypothesisTest
from civsim.analysis.hypotheses.shapes import BEST_DOSE, ELO_SLOPE
from civsim.base.errors import StudyError
from civsim.base.scenario import Frozen
from civsim.scenarios.complaints import did_you_mean, explain

TESTS: Mapping[str, HypothesisTest] = {
    test.name: test for test in (CONTRAST, DIFFERENCES, HUMP, SLOPE, ELO_SLOPE, BEST_DOSE, AGREEMENT, REINVESTMENT)
}
"""Every test by the name that a study file calls it."""


def read_test(name: str, hypothesis: Mapping[str, Any]) -> tuple[HypothesisTest, Frozen]:
    """Return the test of a hypothesis and its settings, checked.

    Args:
        name: the hypothesis's name in its study.
        hypothesis: its table, with ``test`` and ``params``.

    Raises:
        StudyError: no such test, or settings it does not know.
    """
    found = TESTS.get(hypothesis["test"])
    if found is None:
        remedy = did_you_mean(hypothesis["test"], TESTS)
        raise StudyError(f"hypotheses.{name}.test={hypothesis['test']!r} is no test; {remedy}")
    try:
        params = found.params.model_validate_json(json.dumps(hypothesis["params"]), strict=True)
    except ValidationError as error:
        raise StudyError(explain(error, found.params, f"hypotheses.{name}.params")) from None
    return found, params
