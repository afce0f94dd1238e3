"""The interval of a cross-fitted gain holds what was planted as often as it says."""

from __future__ import annotations

import pytest

from civsim.analysis.recovery.case import SUITE_BOUNDS, Case, coverage
from civsim.analysis.recovery.crossfit import CASES


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_the_interval_covers_what_was_planted(case: Case) -> None:
    low, high = SUITE_BOUNDS
    assert low <= coverage(case).share <= high
