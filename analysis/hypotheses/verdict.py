"""The verdict on a pre-registered hypothesis: a rule fixed beforehand, applied to the evidence."""

from __future__ import annotations

from typing import Literal

from civsim.analysis.hypotheses.evidence import Evidence
from civsim.analysis.statistics.equivalence import equivalence_p

Verdict = Literal["supported", "refuted", "undecided", "underpowered"]

SIGNIFICANCE = 0.05
"""Family-wise error over the hypotheses of one study (Holm), of supporting and of refuting each."""

MEANING: dict[Verdict, str] = {
    "supported": "the effect has the expected sign, p < 0.05 (or, where none is expected, is shown to be within the "
    "margin)",
    "refuted": "the effect has the other sign, p < 0.05, or is shown to be within the margin, too small to matter (or, "
    "where none is expected, to be beyond it)",
    "undecided": "neither, with as many worlds as power asked for; or the design cannot place the effect, and says why",
    "underpowered": "fewer worlds than power asked for; the estimate is shown and not judged",
}
"""What each verdict says; every p-value is corrected over the hypotheses of the study (Holm)."""


def within_p(evidence: Evidence, margin: float) -> float:
    """Return the p-value of two one-sided tests for an effect within ± ``margin``: small where that is shown."""
    return equivalence_p(evidence.value, evidence.error, evidence.freedom, margin)


def beyond_p(evidence: Evidence, margin: float) -> float:
    """Return the p-value for an effect beyond ± ``margin``, on either side: small where that is shown."""
    far = evidence._replace(value=abs(evidence.value))
    return min(1.0, 2.0 * far.above(margin))


def refuting_p(evidence: Evidence, expected: str, margin: float) -> float:
    """Return the p-value that speaks against a claim by the effect's size, whatever its sign.

    Where no effect is expected: that there is one beyond the margin. Where one is: that it is within the margin. A
    joint claim is not refuted by the size of its weakest part, which was chosen for being small: its p is 1.
    """
    if expected == "nothing":
        return beyond_p(evidence, margin)
    return within_p(evidence, margin) if evidence.parts == 1 else 1.0


def decide(evidence: Evidence, p_support: float, p_refute: float, *, expected: str, asked: int) -> Verdict:
    """Return the verdict.

    Args:
        evidence: the effect as estimated.
        p_support: its two-sided p-value after the correction for the study's other hypotheses; where nothing is
            expected, that of :func:`within_p`.
        p_refute: that of :func:`refuting_p`, corrected likewise.
        expected: ``positive``, ``negative``, ``either`` (any effect) or ``nothing`` (none).
        asked: worlds a point that power asks for.
    """
    if evidence.worlds < asked:
        return "underpowered"
    if evidence.note:
        return "undecided"
    if expected == "nothing":
        return "supported" if p_support < SIGNIFICANCE else "refuted" if p_refute < SIGNIFICANCE else "undecided"
    sign = "positive" if evidence.value > 0.0 else "negative"
    if expected in ("either", sign) and p_support < SIGNIFICANCE:
        return "supported"
    if expected not in ("either", sign) and p_support * evidence.parts < SIGNIFICANCE:
        return "refuted"
    return "refuted" if p_refute < SIGNIFICANCE else "undecided"


def remark(evidence: Evidence, verdict: Verdict, expected: str, margin: float) -> str:
    """Return what a reader of a verdict must know besides: why it cannot be judged, or that the effect is small."""
    small = verdict == "supported" and expected != "nothing" and within_p(evidence, margin) < SIGNIFICANCE
    return "shown to be within the margin, too small to matter" if small else evidence.note
