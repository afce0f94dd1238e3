"""What a kind of analysis is: which designs it reads, the tables it makes, the figure it draws, what they say."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

import pandas as pd

from civsim.analysis.results import Resampling, Results

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Tables = Mapping[str, pd.DataFrame]
"""Tidy tables by key; ``""`` is the main one, which the figure draws first."""


SKIPPED = "skipped"
"""Key of the table of strata that have no estimate: columns ``stratum`` and ``reason``."""


class Kind(NamedTuple):
    """One kind of analysis. ``tables`` computes everything; ``draw`` and ``read`` show it and compute nothing."""

    name: str  # the word after `civsim plot`; also the stem of its files
    title: str  # heading in a report
    question: str  # what it answers, one sentence
    method: str  # how: estimator, unit of resampling, source; one or two sentences
    refuses: Callable[[Results], str | None]  # None if the design supports it, else what it lacks, in one line
    tables: Callable[[Results, Resampling], dict[str, pd.DataFrame]]
    draw: Callable[[Tables, Sequence[str]], Figure]  # tables and the paragraphs of small print
    read: Callable[[Tables], list[str]]  # the findings: sentences, each with an estimate and its interval
