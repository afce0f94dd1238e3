"""The verdict on a pre-registered hypothesis: a rule fixed beforehand, applied to the evidence."""

from __future__ import annotations

from typing import Literal

from civsim.analysis.hypotheses.evidence import Evidence
from civsim.analysis.statistics.equivalence import equivalence_p

Verdict = Literal["supported", "refuted", "undecided", "underpowered"]

SIGNIFICANCE = 0.05
"""Family-wise error over the hypotheses of one study (Holm)."""

MEANING: dict[Verdict, str] = {
    "supported": "the effect has the expected sign, p < 0.05 after Holm's correction (or: is equivalent to nothing)",
    "refuted": "the effect has the other sign, p < 0.05 after Holm's correction, or is smaller than the smallest "
    "effect worth speaking of, either way (two one-sided tests, p < 0.05)",
    "undecided": "neither, with as many worlds as power asked for",
    "underpowered": "fewer worlds than power asked for; the estimate is shown and not judged",
}


def too_small_p(evidence: Evidence, margin: float) -> float:
    """Return the p-value of two one-sided tests for an effect within ± ``margin``: small where that is shown."""
    return equivalence_p(evidence.value, evidence.error, evidence.freedom, margin)


def remark(verdict: Verdict, p_too_small: float) -> str:
    """Return what a reader of a verdict must know besides: that an effect which is there is too small to speak of."""
    small = verdict == "supported" and p_too_small < SIGNIFICANCE
    return "smaller than the smallest effect worth speaking of" if small else ""


def decide(evidence: Evidence, p_adjusted: float, *, expected: str, smallest: float, asked: int) -> Verdict:
    """Return the verdict.

    Args:
        evidence: the effect as estimated.
        p_adjusted: its two-sided p-value after the correction for the study's other hypotheses; for ``nothing`` the
            adjusted p-value of equivalence.
        expected: ``positive``, ``negative``, ``either`` (any effect) or ``nothing`` (none).
        smallest: smallest effect worth speaking of, > 0; also the equivalence margin.
        asked: worlds a point that power asks for.
    """
    if evidence.worlds < asked:
        return "underpowered"
    if expected == "nothing":
        if p_adjusted < SIGNIFICANCE:
            return "supported"
        beyond = max(evidence.value - smallest, -smallest - evidence.value) > 0.0
        return "refuted" if beyond and evidence.p < SIGNIFICANCE else "undecided"
    if p_adjusted < SIGNIFICANCE:
        sign = "positive" if evidence.value > 0.0 else "negative"
        return "supported" if expected in ("either", sign) else "refuted"
    return "refuted" if too_small_p(evidence, smallest) < SIGNIFICANCE else "undecided"
