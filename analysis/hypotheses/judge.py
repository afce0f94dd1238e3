"""Judging a study: each of its hypotheses by the test it named, corrected for how many there are."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from civsim.analysis.hypotheses.arms import contexts
from civsim.analysis.hypotheses.evidence import Evidence
from civsim.analysis.hypotheses.registry import read_test
from civsim.analysis.hypotheses.verdict import decide, remark, too_small_p
from civsim.analysis.results import Resampling, Results
from civsim.analysis.statistics.multiplicity import adjusted

VERDICTS = "verdicts.csv"
"""File of the verdict table in a results folder."""

BY_CONTEXT = "verdicts-by-scenario.csv"
"""File of the same effects scenario by scenario, which no verdict rests on."""

_NUMBERS = ("value", "low", "high", "error", "p", "worlds", "dropped")


def _row(name: str, hypothesis: Mapping[str, Any], evidence: Evidence) -> dict[str, Any]:
    asked = ("claim", "expected", "source", "test", "unit", "smallest", "power")
    return {
        "name": name,
        **{field: hypothesis[field] for field in asked},
        "worlds_asked": hypothesis["worlds"],
        **{field: getattr(evidence, field) for field in _NUMBERS},
        "p_equivalence": too_small_p(evidence, hypothesis["smallest"]),
    }


def judge_study(results: Results, resampling: Resampling = Resampling()) -> pd.DataFrame:  # noqa: B008  (immutable)
    """Return the verdict on every hypothesis that stood in the study when its games were begun.

    Columns: ``name``, ``claim``, ``expected``, ``source``, ``test``, ``unit``, ``smallest``, ``power``,
    ``worlds_asked``, ``value``, ``low``, ``high``, ``error``, ``p`` (two-sided), ``worlds``, ``dropped``,
    ``p_equivalence`` (two one-sided tests), ``p_adjusted`` (Holm, over the study's hypotheses; of equivalence where
    nothing is expected), ``p_fdr`` (Benjamini–Hochberg, for the reader), ``games``, ``verdict`` and ``remark`` (an
    effect that is there and too small to speak of). No rows where the study has no hypotheses.

    Raises:
        ResultsError, StudyError: a test cannot be made of these results.
    """
    rows = []
    for name, hypothesis in results.study["hypotheses"].items():
        test, params = read_test(name, hypothesis)
        rows.append(_row(name, hypothesis, test.run(results, params, resampling, None)))
    table = pd.DataFrame(rows)
    if table.empty:
        return table
    judged = table["p"].where(table["expected"] != "nothing", table["p_equivalence"])
    table["p_adjusted"], table["p_fdr"] = adjusted(judged, "holm"), adjusted(judged, "bh")
    table["games"] = int(results.manifest["games"])
    table["verdict"] = [
        decide(
            Evidence(*(row[field] for field in _NUMBERS)), row["p_adjusted"], expected=row["expected"],
            smallest=row["smallest"], asked=row["worlds_asked"],
        )
        for row in table.to_dict("records")
    ]  # fmt: skip
    table["remark"] = [
        "" if row["expected"] == "nothing" else remark(row["verdict"], row["p_equivalence"])
        for row in table.to_dict("records")
    ]
    return table


def judge_by_context(results: Results, resampling: Resampling = Resampling()) -> pd.DataFrame:  # noqa: B008
    """Return each hypothesis's effect scenario by scenario: no verdict rests on it.

    Columns: ``name``, ``scenario``, ``unit`` and the evidence. No rows where the study has one scenario.

    Raises:
        ResultsError, StudyError: a test cannot be made of these results.
    """
    rows = []
    names = contexts(results)
    for name, hypothesis in results.study["hypotheses"].items() if len(names) > 1 else ():
        test, params = read_test(name, hypothesis)
        for context in names:
            evidence = test.run(results, params, resampling, context)
            numbers = {field: getattr(evidence, field) for field in _NUMBERS}
            rows.append({"name": name, "scenario": context, "unit": hypothesis["unit"], **numbers})
    return pd.DataFrame(rows)


def changed_since(results: Results, hypotheses: Mapping[str, Any]) -> list[str]:
    """Return the names of hypotheses that are not as they stood when the games were begun: changed, new or gone."""
    before = results.study["hypotheses"]
    return sorted(name for name in {*before, *hypotheses} if before.get(name) != hypotheses.get(name))
