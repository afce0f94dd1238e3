"""Words of a report: numbers as a reader wants them, and what the terms mean."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from civsim.base.constants import COGNITION, PHYSICAL

NONE = "–"
"""What stands where there is no value."""

_DIGITS = 4
_MOST_PLACES = 6
_LARGE = 1e15
_STAFF = ", ".join(f"{facts.staff.name.lower()} ({facts.symbol})" for facts in COGNITION.values())
_MUSCLE = ", ".join(category.name.lower() for category in PHYSICAL)

GLOSSARY = (
    ("Welfare", "Discounted sum over the game of log(1 + c/c₀), where c is a turn's consumption and c₀ a constant."),
    (
        "Consumption-equivalent %",
        "Welfare gain told as the rise of c₀ + consumption, in every turn, that would be worth as much. 1 % means: as "
        "good as 1 % more of it, always.",
    ),
    (
        "Focal civilization",
        "The one whose settings the study varies and whose outcome is counted; the others are rivals.",
    ),
    ("Planning horizon h", "Turns ahead that a civilization thinks through before it orders. 0 is a rule of thumb."),
    ("Sight r", "Cells around its land and scouts within which a civilization sees what is there."),
    ("Attention k", "Variables, of those it sees, that a civilization takes into account when it plans."),
    (
        "Cognitive and physical investment",
        f"Output spent on {_STAFF}; and output spent on {_MUSCLE}. A unit spent on one is not spent on the other.",
    ),
    ("World", "One land with its weather, raids and luck, drawn from the study's seed. The unit that is resampled."),
    (
        "Common random numbers",
        "Every point of a paired study meets the same worlds, so that a difference between points is a difference "
        "within worlds, and what the worlds have in common cancels.",
    ),
    ("Point", "One combination of levels of the study's factors."),
    (
        "95 % interval",
        "A range made so that in 95 of 100 repetitions of the whole study, with new worlds, it would hold the true "
        "value. One that holds 0 does not show that there is no effect.",
    ),
    (
        "Resample",
        "As many worlds as there are, drawn from them with replacement; all points of a world go together (cluster "
        "bootstrap). How an estimate varies over resamples is how sure it is.",
    ),
    (
        "Adjusted p",
        "Probability of so large an effect by chance, raised because several hypotheses are tested at once (Holm).",
    ),
    ("Equivalent to nothing", "Shown to be smaller, either way, than the margin stated beforehand."),
)
"""Terms of a report and what they mean, in the order of use."""


def number(value: float) -> str:
    """Return a number for people: whole ones with thousands apart, others to four digits, with a true minus sign."""
    if math.isnan(value):
        return NONE
    if math.isinf(value):
        return "∞" if value > 0 else "−∞"
    whole = value == int(value) and abs(value) < _LARGE
    text = f"{int(value):,}" if whole else f"{value:.{_DIGITS}g}"
    return text.replace("-", "−")


def column(values: Sequence[Any]) -> list[str]:
    """Return a table's column for people: numbers to the same digit, so that they line up; a dash where one is missing.

    The digit is the one that gives the largest number :data:`_DIGITS` digits; a number too small for it has two.
    """
    values = [value.item() if isinstance(value, np.generic) else value for value in values]
    finite = [abs(value) for value in values if isinstance(value, float) and math.isfinite(value)]
    whole = all(value == int(value) for value in finite)
    most = max(finite, default=0.0)
    places = 0 if whole or most == 0.0 else min(max(_DIGITS - 1 - math.floor(math.log10(most)), 0), _MOST_PLACES)
    texts = [_cell(value, places) for value in values]
    while places > 0 and _last_is_zero(texts, values):
        places -= 1
        texts = [_cell(value, places) for value in values]
    return texts


def _last_is_zero(texts: Sequence[str], values: Sequence[Any]) -> bool:
    """Return whether every number's last decimal is 0, so that the column can do without it."""
    numbers = [text for text, value in zip(texts, values, strict=True) if isinstance(value, float) and "." in text]
    return bool(numbers) and all(text.endswith("0") for text in numbers)


def _cell(value: Any, places: int) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}".replace("-", "−")
    if not isinstance(value, float):
        return NONE if value is None or value is pd.NA or value is pd.NaT else str(value) or NONE
    if not math.isfinite(value) or 0.0 < abs(value) < 0.5 * 10.0**-places:
        return number(float(f"{value:.2g}"))
    text = f"{value:,.{places}f}"
    return (text.removeprefix("-") if float(text.replace(",", "")) == 0.0 else text).replace("-", "−")


def setting(value: Any) -> str:
    """Return a setting's value on one line: text as it is, tables as JSON."""
    if isinstance(value, str):
        return value
    return f"{value:g}" if isinstance(value, float) else json.dumps(value, ensure_ascii=False)


def counted(count: int, noun: str) -> str:
    """Return ``3 worlds`` or ``1 world``."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"
