"""The batch runner: a study's games as Parquet parts in a folder, with a manifest, resumable.

A part is written whole when its last game ends, in a layout that depends on the study alone
(:mod:`civsim.scenarios.plan`), so what is in the folder never depends on threads, on batch size, on how many machines
shared the parts, or on where an earlier run was killed. The folder has one owner while it is played into.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from civsim.base.errors import ActionError, ResultsError, ScenarioError, StudyError
from civsim.base.files import remove_leftovers
from civsim.engine.world import check_threads
from civsim.scenarios import growth, manifest
from civsim.scenarios.games import play_each
from civsim.scenarios.loader import content_hash
from civsim.scenarios.parts import (
    LABELS,
    DamagedPartError,
    Label,
    check_replaceable,
    is_whole,
    label_path,
    numbers,
    read_label,
    write_part,
)
from civsim.scenarios.plan import PART_RUNS, Part, Piece, Plan, groups, make_plan
from civsim.scenarios.study import Study
from civsim.scenarios.tables import Rows, schemas

DEFAULT_BATCH = 128
"""Worlds stepped together, at most."""

Report = Callable[[int, int], None]
"""Called with the number of games just finished, and how many of them failed."""

Share = tuple[int, int]
"""(i, n): of the parts of a study the i-th, i + n-th, … are played; 1 <= i <= n."""


class Summary(NamedTuple):
    """What a call of :func:`run_batch` did."""

    folder: Path
    games: int  # played in this call
    failed: int  # games in the folder that failed, those of before included
    kept: int  # found complete from before
    missing: int  # left for a later call (where a limit was given)
    seconds: float


class _Job(NamedTuple):
    """What playing a part needs."""

    plan: Plan
    folder: Path
    tables: Mapping[str, pa.Schema]
    threads: int
    batch: int
    report: Report
    source: growth.Source  # games that were played before the folder grew


def run_batch(
    study: Study,
    out: str | Path,
    *,
    resume: bool = False,
    grow: bool = False,
    share: Share | None = None,
    threads: int = 1,
    batch: int = DEFAULT_BATCH,
    limit: int | None = None,
    report: Report | None = None,
    started: Callable[[int, int], None] | None = None,
    planning: Callable[[int, int], None] | None = None,
    command: str | None = None,
) -> Summary:
    """Play a study's games and write their tables under ``out``.

    Args:
        study: what to play.
        out: folder for ``manifest.json`` and the parts; new or empty, unless ``resume`` or ``grow``.
        resume: keep the complete parts found in ``out`` and play only what is missing.
        grow: like ``resume``, and ``out`` may hold a smaller study: one with fewer worlds or points, all of which are
            in this one too. Its games are kept, and the manifest's ``history`` says what there was.
        share: which of the parts to play, where several machines play a study, each into a folder of its own
            (:func:`civsim.scenarios.merge.merge_results` brings them together).
        threads: threads that step a batch of worlds, >= 1. It changes no result.
        batch: worlds stepped together, at most, >= 1. It changes no result.
        limit: stop after at least this many games, >= 1; the rest is left for ``resume``.
        report: called as games finish.
        started: called once with the number of games to play in all and how many are already there.
        planning: called before, while the study is read, with the number of its points checked so far and of all.
        command: the command line that asks for this, noted in the manifest.

    Raises:
        CivsimError: the study cannot be run, ``out`` holds something else, or another process plays into it; nothing
            was written then.
        Exception: whatever a policy or the engine raises, unless a world's own state is at fault; the part that was
            played then is played again by a later call.
    """
    check_threads(threads)
    _positive("batch", batch)
    if limit is not None:
        _positive("limit", limit)
    if share is not None and not 1 <= share[0] <= share[1]:
        raise StudyError(f"part {share[0]}/{share[1]} is none; give 1/{share[1]} to {share[1]}/{share[1]}")
    begin = time.monotonic()
    folder = Path(out)
    plan = make_plan(study, planning)
    with manifest.occupied(folder, resume or grow):
        _open_folder(folder, plan, resume or grow, grow, share, command)
        job = _Job(
            plan,
            folder,
            schemas(plan.types, plan.digest, tuple(study.metrics), stops=study.stop is not None),
            threads,
            batch,
            report or _silent,
            growth.Source(folder, manifest.read(folder)["history"]),
        )
        return _play(job, share or (1, 1), limit, started, begin)


def _silent(_games: int, _failed: int) -> None:
    """Report nothing."""


def _positive(name: str, value: int) -> None:
    if value < 1:
        raise StudyError(f"{name}={value} is below 1; give 1 or more")


def _open_folder(folder: Path, plan: Plan, resume: bool, grow: bool, share: Share | None, command: str | None) -> None:
    """Write the manifest, or check that the one found is of this very study, or of one that may grow into it."""
    wanted = None if share is None else list(share)
    names = (*plan.tables, LABELS)
    if not manifest.is_begun(folder, resume):
        manifest.write(folder, _manifest(plan, wanted, command))
    else:
        found = manifest.read(folder)
        grows = grow and found["hash"] != plan.digest
        manifest.check_files(folder, found, plan.digest, plan.files)
        if not grows:
            remedy = "" if grow else ", or add --grow if this one only has more worlds or levels"
            manifest.compare(folder, found, plan.digest, "study", remedy)
            _check_share(folder, found["share"], wanted)
        for name in names:
            numbers(folder, name, found["layout"]["parts"])
        if grows:
            growth.grow(folder, found, _manifest(plan, wanted, command))
    for name in names:
        (folder / name).mkdir(exist_ok=True)
        remove_leftovers(folder / name)
    remove_leftovers(folder)


def _manifest(plan: Plan, share: list[int] | None, command: str | None) -> dict[str, Any]:
    study = plan.study
    layout: dict[str, Any] = {"part_runs": PART_RUNS, "parts": len(plan.parts), "tables": list(plan.tables)}
    layout |= {"series": study.series, "maps": list(study.maps)}
    built = manifest.build(study, plan.resolver, plan.points, plan.contents, plan.digest, layout, plan.files, command)
    return built | {"share": share}


def _check_share(folder: Path, found: list[int] | None, wanted: list[int] | None) -> None:
    if found != wanted:
        was, now = ("all parts" if one is None else f"part {one[0]}/{one[1]}" for one in (found, wanted))
        raise ResultsError(f"{str(folder)!r} was begun for {was}, not {now}; give it as it was, or a new folder")


def _play(
    job: _Job, share: Share, limit: int | None, started: Callable[[int, int], None] | None, begin: float
) -> Summary:
    """Play what is missing of a share of the parts."""
    plan, todo = job.plan, []
    total = kept = failed = 0
    for number in range(share[0] - 1, len(plan.parts), share[1]):
        part = plan.parts[number]
        total += part.runs
        label = _complete(job, part)
        if label is None:
            todo.append(number)
        else:
            kept, failed = kept + part.runs, failed + label.failed
    if started is not None:
        started(total, kept)
    games = 0
    for number in todo:
        if limit is not None and games >= limit:
            break
        part = plan.parts[number]
        label, played = _run_part(job, part)
        games, kept, failed = games + played, kept + part.runs - played, failed + label.failed
    if kept + games == total:
        job.source.discard()
    return Summary(job.folder, games, failed, kept, total - kept - games, time.monotonic() - begin)


def _complete(job: _Job, part: Part) -> Label | None:
    """Return the label of a part that is there, bit for bit as it was written; one that is not is played again.

    Raises:
        ResultsError: a file in its place is of something else; it is not overwritten.
    """
    folder, plan = job.folder, job.plan
    label = None
    if label_path(folder, part.number).exists():
        try:
            label = read_label(folder, part.number)
        except DamagedPartError:
            label = None
    if label is not None and label.study == plan.digest and label.runs == part.runs:
        if all(is_whole(folder, name, label) for name in plan.tables):
            return label
    elif label is not None and label.study not in job.source.studies:
        path = repr(str(label_path(folder, part.number)))
        raise ResultsError(f"{path} is of another study than the manifest; remove it from the folder")
    for name in plan.tables:
        check_replaceable(folder / name / part.file, name, (plan.digest, *job.source.studies))
    label_path(folder, part.number).unlink(missing_ok=True)
    return None


def _run_part(job: _Job, part: Part) -> tuple[Label, int]:
    """Play the runs of a part and write its tables; return its label and how many games were played, not taken over."""
    plan = job.plan
    rows = Rows(plan.study, plan.types, job.tables)
    failed = games = 0
    for piece in part.pieces:
        left, taken, lost = job.source.take(piece, rows)
        failed += lost
        if taken:
            job.report(taken, lost)
        wrong = _play_worlds(job, piece, left, rows)
        failed, games = failed + wrong, games + len(left)
    pieces = tuple((piece.point.number, piece.first, piece.worlds) for piece in part.pieces)
    label = Label(part.number, plan.digest, failed, pieces, {})
    return write_part(job.folder, label, {name: rows.finish(name) for name in plan.tables}), games


def _play_worlds(job: _Job, piece: Piece, ids: NDArray[np.int64], rows: Rows) -> int:
    """Play some worlds of a point into ``rows``; return how many failed.

    Raises:
        StudyError: a policy fails or gave what is no order, a metric of one's own fails, or a file or code that the
            study names was changed.
    """
    study, failed = job.plan.study, 0
    for focal, scenario, some in groups(job.plan, piece.point, ids, job.batch):
        job.plan.check_files(scenario)
        try:
            played = play_each(
                scenario,
                some.tolist(),
                study.seed,
                threads=job.threads,
                series=study.series != "none",
                maps=study.maps,
                metrics=job.plan.metrics,
                stop=None if study.stopping is None else study.stopping.of(scenario.game.civilizations, focal),
            )
        except (ActionError, ScenarioError) as error:
            raise StudyError(f"study {study.name!r}, point {piece.point.number}: {error}") from None
        job.plan.check_files(scenario)
        rows.add(piece.point, scenario, content_hash(scenario, job.plan.files), focal, played)
        wrong = sum(bool(error) for error in played.errors)
        failed += wrong
        job.report(len(some), wrong)
    return failed
