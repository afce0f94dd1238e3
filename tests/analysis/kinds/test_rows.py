"""What kinds share: worlds left out, in words; tables of several parts, stacked."""

from __future__ import annotations

import pandas as pd

from civsim.analysis.kinds.kind import SKIPPED
from civsim.analysis.kinds.rows import left_out, stack_tables


def test_worlds_left_out_are_told_once_a_stratum() -> None:
    assert left_out(pd.DataFrame({"stratum": ["a"], "value": [1.0]})) == []
    assert left_out(pd.DataFrame({"stratum": ["a", "b"], "dropped": [0, 0]})) == []
    (words,) = left_out(pd.DataFrame({"stratum": ["a", "a", "b", "c"], "dropped": [2, 3, 0, 1]}))
    assert words.endswith(": a: 3; c: 1.")
    assert left_out(pd.DataFrame({"dropped": [4]}))[0].endswith(": 4.")


def test_parts_stack_by_key_and_keep_what_was_skipped() -> None:
    one, two = pd.DataFrame({"x": [1]}), pd.DataFrame({"x": [2]})
    lost = pd.DataFrame({"stratum": ["a"], "reason": ["none"]})
    made = stack_tables([{"": one}, {"": two, SKIPPED: lost}])
    assert made[""]["x"].tolist() == [1, 2]
    assert made[SKIPPED].equals(lost)
