"""Judging a study: each of its hypotheses by the test it named, corrected for how many there are."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from civsim.analysis.hypotheses.arms import contexts
from civsim.analysis.hypotheses.evidence import Evidence
from civsim.analysis.hypotheses.registry import read_test
from civsim.analysis.hypotheses.verdict import Verdict, decide, refuting_p, remark, within_p
from civsim.analysis.results import Resampling, Results
from civsim.analysis.statistics.multiplicity import adjusted
from civsim.base.errors import ResultsError

BY_CONTEXT = "verdicts-by-scenario.csv"
"""File of the same effects scenario by scenario, which no verdict rests on."""

_NUMBERS = ("value", "low", "high", "error", "p", "worlds", "dropped", "parts")
_STATED = ("claim", "expected", "source", "test", "unit", "smallest", "margin", "power")
_NAN = float("nan")


def _evidence(
    results: Results, name: str, hypothesis: Mapping[str, Any], resampling: Resampling, context: str | None = None
) -> Evidence:
    """Return a hypothesis's evidence; where the tables allow none, numbers that are not, and the reason."""
    test, params = read_test(name, hypothesis)
    try:
        return test.run(results, params, resampling, context)
    except ResultsError as error:
        return Evidence(_NAN, _NAN, _NAN, _NAN, _NAN, hypothesis["worlds"], note=f"not judged: {error}")


def judge_study(results: Results, resampling: Resampling = Resampling()) -> pd.DataFrame:  # noqa: B008  (immutable)
    """Return the verdict on every hypothesis that stood in the study when its games were begun.

    Columns: ``name``, ``claim``, ``expected``, ``source``, ``test``, ``unit``, ``smallest``, ``margin``, ``power``,
    ``worlds_asked``, ``value``, ``low``, ``high``, ``error``, ``p`` (two-sided), ``worlds``, ``dropped``, ``parts``
    (effects that a joint claim needs), ``p_within`` (two one-sided tests of the margin), ``p_adjusted`` (of the effect,
    or of its being within the margin where nothing is expected; Holm, over the study's hypotheses), ``p_fdr``
    (Benjamini–Hochberg, for the reader), ``p_refute`` (against the claim, by size; Holm), ``games``, ``verdict`` and
    ``remark``. No rows where the study has no hypotheses. A hypothesis of which the tables allow no estimate is
    undecided, and its remark says why. Where games were added after others could be looked at, each remark says so.

    Raises:
        StudyError: a test is not known, or its settings are not.
    """
    found = {name: _evidence(results, name, item, resampling) for name, item in results.study["hypotheses"].items()}
    rows = []
    for name, evidence in found.items():
        item = results.study["hypotheses"][name]
        within = within_p(evidence, item["margin"])
        rows.append(
            {
                "name": name,
                **{field: item[field] for field in _STATED},
                "worlds_asked": item["worlds"],
                **{field: getattr(evidence, field) for field in _NUMBERS},
                "p_within": within,
                "p_adjusted": within if item["expected"] == "nothing" else evidence.p,
                "p_refute": refuting_p(evidence, item["expected"], item["margin"]),
            }
        )
    table = pd.DataFrame(rows)
    if table.empty:
        return table
    table["p_fdr"] = adjusted(table["p_adjusted"], "bh")
    table["p_adjusted"], table["p_refute"] = adjusted(table["p_adjusted"]), adjusted(table["p_refute"])
    table["games"] = int(results.manifest["games"])
    ruled = [_rule(found[row["name"]], row) for row in table.to_dict("records")]
    mark = added_after_a_look(results.manifest)
    table["verdict"] = [one[0] for one in ruled]
    table["remark"] = ["; ".join(text for text in (one[1], mark) if text) for one in ruled]
    return table


def added_after_a_look(manifest: Mapping[str, Any]) -> str:
    """Return the words that mark a study to which games were added after some were played; empty where none were.

    A hypothesis that was registered before the first game was then no longer tested at a number of games that was
    fixed beforehand: with looks in between, chance finds what it is given the time to find.
    """
    looks = [entry for entry in manifest.get("history", ()) if entry["played"]]
    said = [f"{entry['played']:,}{' (and judged)' if entry['judged'] else ''}" for entry in looks]
    return f"games were added after {' and '.join(said)} had been played" if said else ""


def _rule(evidence: Evidence, row: Mapping[str, Any]) -> tuple[Verdict, str]:
    """Return the verdict on one hypothesis and the remark on it."""
    expected = row["expected"]
    verdict = decide(evidence, row["p_adjusted"], row["p_refute"], expected=expected, asked=row["worlds_asked"])
    return verdict, remark(evidence, verdict, expected, row["margin"])


def judge_by_context(results: Results, resampling: Resampling = Resampling()) -> pd.DataFrame:  # noqa: B008
    """Return each hypothesis's effect scenario by scenario: no verdict rests on it.

    Columns: ``name``, ``scenario``, ``unit``, the evidence and ``remark``. No rows where the study has one scenario.

    Raises:
        StudyError: a test is not known, or its settings are not.
    """
    rows = []
    names = contexts(results)
    for name, hypothesis in results.study["hypotheses"].items() if len(names) > 1 else ():
        for context in names:
            evidence = _evidence(results, name, hypothesis, resampling, context)
            numbers = {field: getattr(evidence, field) for field in _NUMBERS}
            rows.append(
                {"name": name, "scenario": context, "unit": hypothesis["unit"], **numbers, "remark": evidence.note}
            )
    return pd.DataFrame(rows)


def changed_since(results: Results, hypotheses: Mapping[str, Any]) -> list[str]:
    """Return the names of hypotheses that are not as they stood when the games were begun: changed, new or gone."""
    before = results.study["hypotheses"]
    return sorted(name for name in {*before, *hypotheses} if before.get(name) != hypotheses.get(name))
