"""K14: alone on a map, perfect thought about the next claims adds little to an index rule and much to a myopic one."""

from __future__ import annotations

import numpy as np
import pytest

from civsim.validation import k14_alone
from civsim.validation.case import How
from civsim.validation.k14_alone import JUDGED, LITTLE, Settings, room

FEW = Settings(worlds=8, turns=10, candidates=3, samples=1)


def test_the_ceiling_lies_little_above_the_index_rule_and_never_below_chance() -> None:
    gain = room(JUDGED, FEW, full=False, threads=1)
    assert gain.shape == (8,)
    assert gain.mean() <= LITTLE


def test_a_rule_that_looks_no_further_than_its_border_fails_the_same_judgement(monkeypatch: pytest.MonkeyPatch) -> None:
    myopic = {"levels": {"horizon": 0, "sight": 16, "attention": 6}, "rule": "myopic"}
    monkeypatch.setitem(k14_alone.ARMS, JUDGED, myopic)
    (row,) = (row for row in k14_alone.run(FEW, How()) if row.theory == LITTLE)
    assert row.passed is False
    assert np.isfinite(row.simulated)
