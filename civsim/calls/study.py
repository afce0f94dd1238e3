"""Studies: played, judged, and told in a report."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from civsim.calls.machine import usable_cores

if TYPE_CHECKING:
    import pandas as pd

    from civsim.analysis.results import Results
    from civsim.scenarios.batch import Summary
    from civsim.scenarios.study import Study

BATCH = 128
"""Worlds stepped together, at most, unless told otherwise."""


class Judgement(NamedTuple):
    """What became of the hypotheses of a study."""

    results: Results
    verdicts: pd.DataFrame  # one row a hypothesis, as civsim.analysis.judge_study says; none where there are none
    by_context: pd.DataFrame  # the same effects scenario by scenario, which no verdict rests on
    files: tuple[Path, ...]  # what was written


def run_study(
    study: str | Path | Study,
    out: str | Path,
    *,
    worlds: int | None = None,
    seed: int | None = None,
    first_world: int | None = None,
    resume: bool = False,
    grow: bool = False,
    share: tuple[int, int] | None = None,
    threads: int | None = None,
    batch: int = BATCH,
    limit: int | None = None,
    report: Callable[[int, int], None] | None = None,
    started: Callable[[int, int], None] | None = None,
    command: str | None = None,
) -> Summary:
    """Play a study's games into tables, resumable.

        done = civsim.run_study("sight", "out/sight", worlds=20)
        runs = civsim.scenarios.read_runs(done.folder)

    Args:
        study: its library name, its file, or itself.
        out: folder for ``manifest.json`` and the tables; new or empty, unless ``resume`` or ``grow``.
        worlds: worlds a point, instead of the study's.
        seed: study seed, instead of the study's.
        first_world: id of the first world, instead of the study's.
        resume: keep the complete parts found in ``out`` and play only what is missing.
        grow: like ``resume``, and ``out`` may hold a smaller study, all of whose games are kept.
        share: (i, n), the i-th of n shares of the parts, for :func:`civsim.scenarios.merge_results`; all where left
            out.
        threads: threads that step a batch of worlds, one a core where left out; they change no result.
        batch: worlds stepped together, at most. It changes no result.
        limit: stop after about so many games.
        report: called as games finish: how many, and how many of them failed.
        started: called once with the number of games to play in all and how many are already there.
        command: the command line that asks for this, noted in the manifest.

    Raises:
        CivsimError: the study cannot be run, ``out`` holds something else, or another process plays into it; nothing
            was written then.
        Exception: as :func:`civsim.scenarios.run_batch`.
    """
    from civsim.scenarios import Study, load_study, run_batch

    asked = adjusted(study if isinstance(study, Study) else load_study(study), worlds, seed, first_world)
    return run_batch(
        asked,
        out,
        resume=resume,
        grow=grow,
        share=share,
        threads=usable_cores() if threads is None else threads,
        batch=batch,
        limit=limit,
        report=report,
        started=started,
        command=command,
    )


def adjusted(study: Study, worlds: int | None, seed: int | None, first_world: int | None = None) -> Study:
    """Return the study with the replicates, the seed and the first world asked for; they are part of its hash."""
    from civsim.scenarios.study import study_from_plain

    tables = study.model_dump(exclude_unset=True)
    tables |= {} if worlds is None else {"replicates": worlds}
    tables |= {} if seed is None else {"seed": seed}
    tables |= {} if first_world is None else {"first_world": first_world}
    return study_from_plain(tables, f"study {study.name!r}", folder=study.folder)


def judge(results: str | Path | Results, *, write: bool = True) -> Judgement:
    """Say what became of the hypotheses that a study stated before its first game.

        civsim.judge("out/studies/sight").verdicts[["name", "verdict", "value", "low", "high"]]

    Args:
        results: the folder that a study or a batch wrote, or the results in it.
        write: whether the tables are written into that folder too, as ``verdicts.csv`` and
            ``verdicts-by-scenario.csv``.

    Raises:
        ResultsError: the folder holds no results, or the batch has not ended.
        StudyError: a test is not known, or its settings are not.
    """
    from civsim.analysis.hypotheses.judge import BY_CONTEXT, judge_by_context, judge_study
    from civsim.analysis.results import Results, open_results
    from civsim.base.files import write_text
    from civsim.scenarios.manifest import VERDICTS

    opened = results if isinstance(results, Results) else open_results(results)
    table, parts = judge_study(opened), judge_by_context(opened)
    files = []
    for file, content in ((VERDICTS, table), (BY_CONTEXT, parts)) if write else ():
        if not content.empty:
            text = content.to_csv(index=False, float_format="%.6g", lineterminator="\n")
            write_text(opened.folder / file, text)
            files.append(opened.folder / file)
    return Judgement(opened, table, parts, tuple(files))


def report(folder: str | Path, out: str | Path | None = None, *, kinds: Sequence[str] | None = None) -> Path:
    """Write one self-contained HTML page about a results folder, and return its path.

        civsim.report("out/sight")                       # writes out/sight/report.html

    Args:
        folder: what a batch or a study wrote.
        out: the page's file; ``folder``/report.html where left out.
        kinds: kinds of analysis it shows, by name; all that the design supports where left out.

    Raises:
        ResultsError: the results cannot be read, a kind is not known, or ``out`` ends in something else than .html.
        CivsimError: the folder of ``out`` is missing, or ``out`` is a folder.
    """
    from civsim.analysis.kinds import find_kind
    from civsim.analysis.report.page import write_report

    return write_report(folder, out, None if kinds is None else [find_kind(name) for name in kinds])
