"""K9: every estimator of the analysis recovers what was planted in synthetic data.

The registry is found, not listed: every module of :mod:`civsim.analysis.recovery` with a tuple ``CASES``. A nominal
95 % interval must cover in 0.91–0.99 of 200 replications, and in 0.93–0.97 of 1,000 in the long form.

Those bounds are for one estimator: a sound one leaves them by chance in 0.6 % of runs (0.3 % in the long form), and no
correction is made for how many rows there are: see :mod:`civsim.validation.case`, whose other cases fail falsely in
0.1 % of runs at most. The replications are numbered, so that a run repeats itself; at another ``first``, one failure
among many cases is not news until it comes again.
"""

from __future__ import annotations

import os
import pkgutil
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import contextmanager
from importlib import import_module
from typing import Annotated, Any, NamedTuple

import numpy as np
from pydantic import BeforeValidator, Field

from civsim.base.errors import StudyError
from civsim.base.scenario import Frozen
from civsim.validation.case import How, KnownAnswer, Row, several

CHUNK = 25
"""Replications of one task."""

EVERY = "all"
NOMINAL = 0.95
_LONGEST = 300
ONE_THREAD = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS")
"""Environment of the worker processes: one thread each."""

Areas = Annotated[
    tuple[Annotated[str, Field(pattern=r"^[a-z0-9_]{1,64}$")], ...],
    BeforeValidator(several),
    Field(min_length=1, max_length=64),
]


class Settings(Frozen):
    """Parameters of K9."""

    area: Areas = Field((EVERY,), description="modules of civsim.analysis.recovery, or all")
    replications: int = Field(200, ge=200, le=100_000, description="of each estimator; 1,000 at least with --full")
    first: int = Field(0, ge=0, le=2**31, description="number of the first replication")


class Task(NamedTuple):
    """Some replications of one case; names only, so that it goes to another process."""

    area: str
    number: int  # of the case in its module
    replications: int
    first: int


def areas() -> tuple[str, ...]:
    """Return the names of the modules of :mod:`civsim.analysis.recovery` that have cases, sorted."""
    import civsim.analysis.recovery as home

    names = sorted(found.name for found in pkgutil.iter_modules(home.__path__))
    return tuple(name for name in names if hasattr(import_module(f"{home.__name__}.{name}"), "CASES"))


def _module(area: str) -> Any:
    return import_module(f"civsim.analysis.recovery.{area}")


def covered(task: Task) -> tuple[int, str]:
    """Return in how many replications of a task the interval held what was planted, and what went wrong, if anything.

    An estimator that raises covers nothing; the others are still judged.
    """
    from civsim.analysis.recovery.case import coverage

    try:
        return coverage(_module(task.area).CASES[task.number], task.replications, task.first).covered, ""
    except Exception as error:  # whatever it is, the row says so and fails
        return 0, f"raised {type(error).__name__}: {' '.join(str(error).split())}"[:_LONGEST]


def _heed_no_interrupt() -> None:
    """Leave an interrupt to the process that waits, which tells the others."""
    import signal

    signal.signal(signal.SIGINT, signal.SIG_IGN)


@contextmanager
def _one_thread_each() -> Iterator[None]:
    """Have processes that start now keep to one thread each; put the environment back as it was."""
    before = {name: os.environ.get(name) for name in ONE_THREAD}
    os.environ.update(dict.fromkeys(ONE_THREAD, "1"))
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def count_covered(tasks: Sequence[Task], how: How) -> dict[tuple[str, int], tuple[int, str]]:
    """Return what :func:`covered` says of each (area, index); in processes where more than one thread is given."""
    found = {(task.area, task.number): (0, "") for task in tasks}
    how.report(0, len(tasks))
    for done, (task, (hits, wrong)) in enumerate(_outcomes(tasks, how.threads), start=1):
        before = found[task.area, task.number]
        found[task.area, task.number] = before[0] + hits, before[1] or wrong
        how.report(done, len(tasks))
    return found


def _outcomes(tasks: Sequence[Task], processes: int) -> Iterator[tuple[Task, tuple[int, str]]]:
    if processes == 1:
        yield from ((task, covered(task)) for task in tasks)
        return
    from multiprocessing import get_context

    with _one_thread_each(), ProcessPoolExecutor(processes, get_context("spawn"), _heed_no_interrupt) as pool:
        waiting = {pool.submit(covered, task): task for task in tasks}
        try:
            for future in as_completed(waiting):
                yield waiting[future], future.result()
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _chosen(asked: Sequence[str]) -> tuple[str, ...]:
    """Return the areas asked for. Raises :class:`StudyError` for one that there is not."""
    known = areas()
    if EVERY in asked:
        return known
    for name in asked:
        if name not in known:
            raise StudyError(f"K9: area={name!r} has no cases; choose all, or some of {', '.join(known)}")
    return tuple(dict.fromkeys(asked))


def false_failure(replications: int, least: float, most: float) -> float:
    """Return how likely an interval that covers with 95 % is to cover outside ``least`` … ``most`` of replications."""
    from scipy.stats import binom

    hits = np.arange(replications + 1)
    outside = (hits / replications < least) | (hits / replications > most)
    return float(binom.pmf(hits[outside], replications, NOMINAL).sum())


def run(settings: Settings, how: How) -> list[Row]:
    """Recover; see the module."""
    from scipy.stats import binomtest

    from civsim.analysis.recovery.case import FULL_BOUNDS, FULL_REPLICATIONS, SUITE_BOUNDS

    count = max(settings.replications, FULL_REPLICATIONS) if how.full else settings.replications
    least, most = FULL_BOUNDS if count >= FULL_REPLICATIONS else SUITE_BOUNDS
    last = settings.first + count
    cases = [(area, index, case) for area in _chosen(settings.area) for index, case in enumerate(_module(area).CASES)]
    tasks = [
        Task(area, index, min(CHUNK, last - start), start)
        for area, index, _ in cases
        for start in range(settings.first, last, CHUNK)
    ]
    found = count_covered(tasks, how)
    chance = f"a sound estimator leaves it in {100.0 * false_failure(count, least, most):.2g} % of runs"
    rows = []
    for area, index, case in cases:
        hits, wrong = found[area, index]
        own = binomtest(hits, count).proportion_ci(method="exact")
        note = f"coverage of {count} replications must lie in {least:g}–{most:g} ({chance}); {case.source}"
        passed = least <= hits / count <= most and not wrong
        rows.append(Row(case.name, area, NOMINAL, hits / count, float(own.low), float(own.high), passed, wrong or note))
    return rows


CASE = KnownAnswer(
    "K9",
    "recovery",
    "planted values lie in nominal 95 % intervals in 0.91–0.99 of 200 replications (0.93–0.97 of 1,000 with --full)",
    "synthetic tables; no game is played",
    Settings,
    run,
)
