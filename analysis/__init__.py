"""From the tables of a batch to estimates, figures and verdicts; no live world is touched.

    results = open_results("out/tradeoff")                    a folder that `civsim batch` wrote: its study and tables
    kind = find_kind("tradeoff")                              a kind of analysis; kinds.kinds() are all of them
    kind.refuses(results)                                     None, or what the study's design lacks for it
    tables = kind.tables(results, Resampling())               everything is computed here, with intervals
    kind.read(tables)                                         the findings, sentences that follow the intervals
    kind.draw(tables, [])                                     the figure, which computes nothing
    judge_study(results)                                      what became of the hypotheses that the study stated

Estimators are pure functions in :mod:`civsim.analysis.statistics`, and :mod:`civsim.analysis.recovery` plants an answer
for each of them. Tests that a hypothesis may name are in :mod:`civsim.analysis.hypotheses`;
:mod:`civsim.analysis.report` makes one page of it all. Arms of a study play the same worlds: differences are taken
world by world, and whole worlds are resampled.

Names are loaded when they are first used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from civsim.base.exports import lazily

if __name__ == "analysis":
    raise ImportError("import civsim.analysis, not analysis: the folder is one of civsim's parts and ships inside it")

if TYPE_CHECKING:
    from civsim.analysis.hypotheses.judge import judge_study as judge_study
    from civsim.analysis.kinds import find_kind as find_kind
    from civsim.analysis.results import Resampling as Resampling
    from civsim.analysis.results import Results as Results
    from civsim.analysis.results import open_results as open_results

_HOME = {
    "Resampling": "civsim.analysis.results",
    "Results": "civsim.analysis.results",
    "find_kind": "civsim.analysis.kinds",
    "judge_study": "civsim.analysis.hypotheses.judge",
    "open_results": "civsim.analysis.results",
}

__all__ = sorted(_HOME)

__getattr__, __dir__ = lazily("civsim.analysis", _HOME, globals())
