"""What the tests of hypotheses estimate is what was planted, and their intervals cover it."""

from __future__ import annotations

import pytest

from civsim.analysis.recovery.case import SUITE_BOUNDS, Case, coverage
from civsim.analysis.recovery.hypotheses import CASES


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_the_interval_covers(case: Case) -> None:
    found = coverage(case)
    assert SUITE_BOUNDS[0] <= found.share <= SUITE_BOUNDS[1]
