"""K14: alone on a map, perfect thought about the next claims adds little to an index rule and much to a myopic one."""

from __future__ import annotations

from typing import Any

import pytest

from civsim.validation import k14_alone
from civsim.validation.case import How, Row
from civsim.validation.k14_alone import JUDGED, LITTLE, Settings

FEW = Settings(worlds=20, turns=8, candidates=3, samples=2)


def judged(monkeypatch: pytest.MonkeyPatch, seat: dict[str, Any]) -> Row:
    """The row that is judged, of a seat with these settings."""
    monkeypatch.setattr(k14_alone, "ARMS", {JUDGED: seat})
    (row,) = k14_alone.run(FEW, How())
    return row


def test_the_ceiling_lies_little_above_the_index_rule(monkeypatch: pytest.MonkeyPatch) -> None:
    row = judged(monkeypatch, k14_alone.ARMS[JUDGED])
    assert row.passed
    assert row.theory == LITTLE


def test_a_rule_that_looks_no_further_than_its_border_fails_the_same_judgement(monkeypatch: pytest.MonkeyPatch) -> None:
    myopic = {"levels": {"horizon": 0, "sight": 16, "attention": 6}, "rule": "myopic"}
    assert judged(monkeypatch, myopic).passed is False
