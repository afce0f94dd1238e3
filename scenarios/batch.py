"""The batch runner: a study's games as Parquet parts in a folder, with a manifest, resumable.

A *part* holds whole runs in a fixed layout that depends on the study alone, and is written whole when its last game
ends, so what is in the folder never depends on threads, on batch size, or on where an earlier run was killed.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from civsim.base.errors import CivsimError, ResultsError, StudyError
from civsim.base.files import atomic_path, remove_leftovers
from civsim.base.scenario import Scenario
from civsim.engine.state import bytes_per_world
from civsim.scenarios import manifest
from civsim.scenarios.complaints import show_value
from civsim.scenarios.design import Point, Resolver, design_points, focal_seats, world_ids
from civsim.scenarios.games import play_each
from civsim.scenarios.loader import content_hash, file_digests
from civsim.scenarios.metrics import OwnMetric, load_metrics
from civsim.scenarios.results import DamagedPartError, check_part
from civsim.scenarios.study import Study
from civsim.scenarios.tables import CIVS, MAPS, RUNS, SERIES_TABLE, Rows, factor_types, schemas

PART_RUNS = 256
"""Runs a part holds, about: small points are packed together, large ones are split. It never changes in a study."""

DEFAULT_BATCH = 128
"""Worlds stepped together, at most."""

_BATCH_BYTES = 512 * 2**20
_COMPRESSION = "zstd"

Report = Callable[[int, int], None]
"""Called with the number of games just finished, and how many of them failed."""


class Part(NamedTuple):
    """Runs that are written together."""

    number: int
    pieces: tuple[tuple[Point, NDArray[np.int64]], ...]  # points with the world ids played here

    @property
    def runs(self) -> int:
        """Number of runs in the part."""
        return sum(len(ids) for _, ids in self.pieces)

    @property
    def file(self) -> str:
        """Name of its file in each table's folder."""
        return f"part-{self.number:06d}.parquet"


class Summary(NamedTuple):
    """What a call of :func:`run_batch` did."""

    folder: Path
    games: int  # played in this call
    failed: int  # of these
    kept: int  # found complete from before
    missing: int  # left for a later call (where a limit was given)
    seconds: float


class Plan(NamedTuple):
    """A study ready to run: everything in it has been read, resolved and checked."""

    study: Study
    points: tuple[Point, ...]
    resolver: Resolver
    digest: str
    types: dict[str, pa.DataType]
    parts: tuple[Part, ...]
    metrics: tuple[OwnMetric, ...]
    files: dict[str, str]  # SHA-256 of every file that the games depend on, code included, by how it is named

    def check_files(self, scenario: Scenario) -> None:
        """Check that the files that a scenario and the study's metrics name are those of the plan.

        Raises:
            StudyError: a map, a checkpoint or somebody's code was changed after the plan was made.
        """
        now = file_digests(scenario) | {str(metric.reference): metric.source for metric in self.metrics}
        for name, digest in now.items():
            if self.files.get(name) != digest:
                raise StudyError(f"{name!r} was changed while the study was played; put it back and resume")


def make_plan(study: Study) -> Plan:
    """Return the plan of a study, after resolving every game in it and building its policies; nothing is written.

    Raises:
        CivsimError: a scenario, a setting or a policy of the study cannot be used; the message names the point.
    """
    points = design_points(study)
    resolver = Resolver(study)
    metrics = load_metrics(study.metrics, study.folder)
    files = {str(metric.reference): metric.source for metric in metrics}
    played = [_check_point(study, resolver, point, files) for point in points]
    played += [[metric.source] for metric in metrics]
    digest = manifest.study_hash(study, points, played, PART_RUNS)
    types, parts = factor_types(study, points), tuple(_parts(study, points))
    return Plan(study, points, resolver, digest, types, parts, metrics, files)


def run_batch(
    study: Study,
    out: str | Path,
    *,
    resume: bool = False,
    threads: int = 1,
    batch: int = DEFAULT_BATCH,
    limit: int | None = None,
    report: Report | None = None,
    started: Callable[[int, int], None] | None = None,
    command: str | None = None,
) -> Summary:
    """Play a study's games and write their tables under ``out``.

    Args:
        study: what to play.
        out: folder for ``manifest.json`` and the parts; new or empty, unless ``resume``.
        resume: keep the complete parts found in ``out`` and play only what is missing.
        threads: threads that step a batch of worlds, >= 1. It changes no result.
        batch: worlds stepped together, at most, >= 1. It changes no result.
        limit: stop after at least this many games, >= 1; the rest is left for ``resume``.
        report: called as games finish.
        started: called once with the number of games in the study and how many are already there.
        command: the command line that asks for this, noted in the manifest.

    Raises:
        CivsimError: the study cannot be run, or ``out`` holds something else; nothing was written then.
    """
    _positive("threads", threads)
    _positive("batch", batch)
    if limit is not None:
        _positive("limit", limit)
    begin = time.monotonic()
    folder = Path(out)
    plan = make_plan(study)
    tables = schemas(plan.types, plan.digest, tuple(study.metrics), stops=study.stop is not None)
    _open_folder(folder, plan, resume, command)
    todo = [part for part in plan.parts if not _is_complete(folder, part, plan, tables)]
    total = study.replicates * len(plan.points)
    kept = total - sum(part.runs for part in todo)
    if started is not None:
        started(total, kept)
    games = failed = 0
    for part in todo:
        if limit is not None and games >= limit:
            break
        failed += _run_part(plan, part, folder, tables, threads, batch, report)
        games += part.runs
    return Summary(folder, games, failed, kept, total - kept - games, time.monotonic() - begin)


def _positive(name: str, value: int) -> None:
    if value < 1:
        raise StudyError(f"{name}={value} is below 1; give 1 or more")


def _check_point(study: Study, resolver: Resolver, point: Point, files: dict[str, str]) -> list[str]:
    """Check that a point can be played, and return the content hashes of its scenarios, by focal seat.

    The digests of the files they depend on are added to ``files``.
    """
    from civsim.agents import seat_policies

    seats = resolver.civilizations(point)
    focals = np.unique(focal_seats(study, world_ids(study, point)[:seats], seats)).tolist()
    # Where all seats play by default, one focal seat is like another.
    alike = not resolver.bases[point.scenario].seats and not any(path.startswith("seats") for path in point.settings)
    hashes = []
    for focal in focals[:1] if alike else focals:
        scenario = resolver.scenario(point, focal)
        try:
            _check_maps(study, scenario)
            seat_policies(scenario)
            own = file_digests(scenario)
            files |= own
            hashes.append(content_hash(scenario, own))
            if study.stopping is not None:
                study.stopping.of(scenario.game.civilizations, focal)
        except CivsimError as error:
            raise StudyError(f"study {study.name!r}, point {point.number}: {error}") from None
    return hashes


def _check_maps(study: Study, scenario: Scenario) -> None:
    turns = scenario.game.turns
    if study.maps and study.maps[-1] > turns:
        raise StudyError(f"maps={study.maps[-1]} is after the last turn, {turns}; drop it, or lengthen the game")


def _parts(study: Study, points: tuple[Point, ...]) -> Iterator[Part]:
    """Yield the parts: several whole points each, or a point in several parts where it has many worlds."""
    index = 0
    together = max(1, PART_RUNS // study.replicates)
    for start in range(0, len(points), together):
        group = points[start : start + together]
        for first in range(0, study.replicates, PART_RUNS):
            yield Part(index, tuple((point, world_ids(study, point)[first : first + PART_RUNS]) for point in group))
            index += 1


def _open_folder(folder: Path, plan: Plan, resume: bool, command: str | None) -> None:
    """Make the folder with its manifest, or check that the one found is of this very study."""
    if not manifest.is_begun(folder, resume):
        folder.mkdir(parents=True, exist_ok=True)
        layout: dict[str, Any] = {"part_runs": PART_RUNS, "parts": len(plan.parts), "series": plan.study.series}
        layout["maps"] = list(plan.study.maps)
        built = manifest.build(plan.study, plan.resolver, plan.points, plan.digest, layout, command)
        manifest.write(folder, built | {"files": plan.files})
    else:
        manifest.check_same(folder, plan.digest, plan.files)
    for name in _table_names(plan.study):
        (folder / name).mkdir(exist_ok=True)
        remove_leftovers(folder / name)
    remove_leftovers(folder)


def _table_names(study: Study) -> tuple[str, ...]:
    series = () if study.series == "none" else (SERIES_TABLE,)
    maps = (MAPS,) if study.maps else ()
    return (*maps, *series, CIVS, RUNS)


def _is_complete(folder: Path, part: Part, plan: Plan, tables: dict[str, pa.Schema]) -> bool:
    """Return whether a part is there, whole, in every table; one that is missing or damaged in any is played again.

    Raises:
        ResultsError: a file in its place is of something else; it is not overwritten.
    """
    names = _table_names(plan.study)
    if not all((folder / name / part.file).exists() for name in names):
        return False
    try:
        counts = {name: check_part(folder / name / part.file, tables[name]) for name in names}
    except DamagedPartError:
        return False
    path, rows = folder / RUNS / part.file, counts[RUNS]
    if rows != part.runs:
        raise ResultsError(f"{show_value(str(path))} has {rows} rows, not {part.runs}; delete it and resume")
    return True


def _run_part(
    plan: Plan, part: Part, folder: Path, tables: dict[str, pa.Schema], threads: int, batch: int, report: Report | None
) -> int:
    """Play the runs of a part and write its tables, runs last; return how many failed."""
    rows = Rows(plan.study, plan.types, tables)
    failed = 0
    for point, ids in part.pieces:
        for focal, scenario, some in _groups(plan, point, ids, batch):
            study = plan.study
            plan.check_files(scenario)
            played = play_each(
                scenario,
                some.tolist(),
                study.seed,
                threads=threads,
                series=study.series != "none",
                maps=study.maps,
                metrics=plan.metrics,
                stop=None if study.stopping is None else study.stopping.of(scenario.game.civilizations, focal),
            )
            rows.add(point, scenario, content_hash(scenario), focal, played)
            wrong = sum(bool(error) for error in played.errors)
            failed += wrong
            if report is not None:
                report(len(some), wrong)
    for name in _table_names(plan.study):
        with atomic_path(folder / name / part.file) as temporary:
            pq.write_table(rows.finish(name), temporary, compression=_COMPRESSION, write_page_checksum=True)
    return failed


def _groups(
    plan: Plan, point: Point, ids: NDArray[np.int64], batch: int
) -> Iterator[tuple[int, Scenario, NDArray[np.int64]]]:
    """Yield (focal seat, scenario, world ids): worlds of one scenario, few enough for one batch and its memory."""
    seats = focal_seats(plan.study, ids, plan.resolver.civilizations(point))
    for focal in np.unique(seats):
        scenario = plan.resolver.scenario(point, int(focal))
        some = ids[seats == focal]
        size = max(1, min(batch, _BATCH_BYTES // bytes_per_world(scenario)))
        for start in range(0, len(some), size):
            yield int(focal), scenario, some[start : start + size]
