"""A study ready to run: its points resolved and checked, and the parts in which its games are played and written.

A *part* holds whole runs in a fixed layout that depends on the study alone: several whole points, or some worlds of
one point. Parts are made when they are asked for, so that a plan is as small as its points.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from civsim.base.errors import CivsimError, StudyError
from civsim.base.scenario import Scenario
from civsim.engine.state import bytes_per_world
from civsim.scenarios import manifest
from civsim.scenarios.design import Point, Resolver, design_points, focal_seats, world_ids
from civsim.scenarios.loader import content_hash, file_digests
from civsim.scenarios.metrics import OwnMetric, load_metrics
from civsim.scenarios.study import Study
from civsim.scenarios.tables import CIVS, MAPS, RUNS, SERIES_TABLE, factor_types, part_file

PART_RUNS = 256
"""Runs a part holds, about: small points are packed together, large ones are split. It never changes in a study."""

MAX_GAMES = 1_000_000_000
"""Games of a study, at most."""

_TOLD = 500
_BATCH_BYTES = 512 * 2**20


class Piece(NamedTuple):
    """Some worlds of one point, neighbours by their ids."""

    point: Point
    first: int  # id of the first world
    worlds: int  # >= 1

    @property
    def ids(self) -> NDArray[np.int64]:
        """Ids of its worlds, int64 [worlds]."""
        return np.arange(self.first, self.first + self.worlds, dtype=np.int64)


class Part(NamedTuple):
    """Runs that are written together."""

    number: int
    pieces: tuple[Piece, ...]

    @property
    def runs(self) -> int:
        """Number of runs in the part."""
        return sum(piece.worlds for piece in self.pieces)

    @property
    def file(self) -> str:
        """Name of its file in each table's folder."""
        return part_file(self.number)


class Parts(Sequence[Part]):
    """The parts of a study, each made when it is asked for."""

    def __init__(self, study: Study, points: tuple[Point, ...]) -> None:
        self._study, self._points = study, points
        self._together = max(1, PART_RUNS // study.replicates)
        self._chunks = -(-study.replicates // PART_RUNS)

    def __len__(self) -> int:
        return -(-len(self._points) // self._together) * self._chunks

    def __getitem__(self, number: int) -> Part:  # type: ignore[override]  # a part, never a slice
        if not 0 <= number < len(self):
            raise IndexError(f"part {number} of {len(self)}")
        group, chunk = divmod(number, self._chunks)
        start, skipped = group * self._together, chunk * PART_RUNS
        pieces = []
        for point in self._points[start : start + self._together]:
            ids = world_ids(self._study, point)[skipped : skipped + PART_RUNS]
            pieces.append(Piece(point, ids.start, len(ids)))
        return Part(number, tuple(pieces))


class Plan(NamedTuple):
    """A study ready to run: everything in it has been read, resolved and checked."""

    study: Study
    points: tuple[Point, ...]
    resolver: Resolver
    digest: str
    types: dict[str, pa.DataType]
    parts: Parts
    contents: tuple[tuple[str, ...], ...]  # of each point: content hashes of its scenarios by focal seat, one if they
    #   are alike; then of the code of the study's own metrics
    metrics: tuple[OwnMetric, ...]
    files: dict[str, str]  # SHA-256 of every file that the games depend on, code included, by how it is named

    @property
    def games(self) -> int:
        """Games of the whole study."""
        return self.study.replicates * len(self.points)

    @property
    def tables(self) -> tuple[str, ...]:
        """Names of the tables that the study writes, runs last."""
        series = () if self.study.series == "none" else (SERIES_TABLE,)
        maps = (MAPS,) if self.study.maps else ()
        return (*maps, *series, CIVS, RUNS)

    def check_files(self, scenario: Scenario) -> None:
        """Check that the files that a scenario and the study's metrics name are those of the plan.

        Raises:
            StudyError: a map, a checkpoint or somebody's code was changed after the plan was made.
        """
        now = file_digests(scenario) | {str(metric.reference): metric.source for metric in self.metrics}
        for name, digest in now.items():
            if self.files.get(name) != digest:
                raise StudyError(f"{name!r} was changed while the study was played; put it back and resume")


def make_plan(study: Study, report: Callable[[int, int], None] | None = None) -> Plan:
    """Return the plan of a study, after resolving every game in it and building its policies; nothing is written.

    That takes a millisecond or two a point; ``report`` is called now and then with (points that are checked, points).

    Raises:
        CivsimError: a scenario, a setting, a policy or a metric of the study cannot be used, the message names the
            point; or the study has more than MAX_GAMES games.
    """
    points = design_points(study)
    games = study.replicates * len(points)
    if games > MAX_GAMES:
        raise StudyError(
            f"study {study.name!r} has {games} games ({len(points)} points, replicates={study.replicates}); "
            f"keep at most {MAX_GAMES}"
        )
    resolver = Resolver(study)
    metrics = load_metrics(study.metrics, study.folder)
    files = {str(metric.reference): metric.source for metric in metrics}
    code = tuple(metric.source for metric in metrics)
    played = []
    for point in points:
        played.append(_check_point(study, resolver, point, files) + code)
        if report is not None and (len(played) % _TOLD == 0 or len(played) == len(points)):
            report(len(played), len(points))
    digest = manifest.study_hash(study, points, played, PART_RUNS)
    types = factor_types(study, points)
    return Plan(study, points, resolver, digest, types, Parts(study, points), tuple(played), metrics, files)


def _focals(study: Study, resolver: Resolver, point: Point) -> list[int]:
    """Return the focal seats that a point is played with, rising."""
    seats = resolver.civilizations(point)
    ids = np.array(world_ids(study, point)[:seats], np.int64)
    found: list[int] = np.unique(focal_seats(study, ids, seats)).tolist()
    return found


def _check_point(study: Study, resolver: Resolver, point: Point, files: dict[str, str]) -> tuple[str, ...]:
    """Check that a point can be played; note the files it names, and return its scenarios' hashes by focal seat."""
    from civsim.agents import seat_policies

    focals = _focals(study, resolver, point)
    # Where all seats play by default, one focal seat is like another.
    alike = not resolver.bases[point.scenario].seats and not any(path.startswith("seats") for path in point.settings)
    hashes = []
    for focal in focals[:1] if alike else focals:
        scenario = resolver.scenario(point, focal)
        try:
            _check_maps(study, scenario)
            seat_policies(scenario)
            own = file_digests(scenario)
            hashes.append(content_hash(scenario, own))
            files |= own
            if study.stopping is not None:
                study.stopping.of(scenario.game.civilizations, focal)
        except CivsimError as error:
            raise StudyError(f"study {study.name!r}, point {point.number}: {error}") from None
    return tuple(hashes)


def _check_maps(study: Study, scenario: Scenario) -> None:
    turns = scenario.game.turns
    if study.maps and study.maps[-1] > turns:
        raise StudyError(f"maps={study.maps[-1]} is after the last turn, {turns}; drop it, or lengthen the game")


def groups(
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
