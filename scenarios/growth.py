"""A results folder that grows: more worlds a point, or more points, and every game that was played is kept.

Growing keeps a copy of what there was (links, where the file system has them) under ``before/N``, then replaces the
manifest, which is the moment it has grown; the parts of the larger study are written one by one, each from the games
kept and those that are played now, byte for byte as if nothing had been there. When the last is written the copy is
removed. A kill at any time leaves the folder as it was before or one that ``--resume`` goes on with.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from civsim.base.errors import ResultsError
from civsim.scenarios import manifest
from civsim.scenarios.complaints import show_value
from civsim.scenarios.design import Point
from civsim.scenarios.parts import LABELS, DamagedPartError, Label, label_path, read_labels, read_part
from civsim.scenarios.plan import Piece
from civsim.scenarios.tables import FAILED, RUNS, Rows, part_file

BEFORE = "before"
"""Folder of what a results folder held before it grew, one folder a time."""

_MAY_CHANGE = ("replicates", "first_world", "factors", "points", "samples", "question", "hypotheses")
_KEPT_PARTS = 4


def grow(folder: Path, found: Mapping[str, Any], made: Mapping[str, Any]) -> None:
    """Make the folder of the study with the manifest ``found`` the one of the manifest ``made``.

    Raises:
        ResultsError: the study does not hold every game of the one that was played; nothing is changed.
    """
    _check_superset(folder, found, made)
    labels = read_labels(folder, found["hash"], found["layout"]["parts"], before=manifest.hashes_before(found))
    place = _place(len(found["history"]))
    _set_aside(folder, folder / place, found, labels)
    entry = {
        "hash": found["hash"],
        "created": found["created"],
        "command": found["command"],
        "points": len(found["points"]),
        "worlds": found["worlds"],
        "games": found["games"],
        "played": sum(label.runs for label in labels.values()),
        "judged": (folder / manifest.VERDICTS).exists(),
        "grown": datetime.now(UTC).isoformat(timespec="seconds"),
        "place": place,
    }
    # Hypotheses stay as they stood before the first game.
    study = {**made["study"], "hypotheses": found["study"]["hypotheses"]}
    manifest.write(folder, {**made, "study": study, "history": [*found["history"], entry]})
    for number in labels:
        label_path(folder, number).unlink(missing_ok=True)


def _place(earlier: int) -> str:
    """Return where a folder that grew ``earlier`` times keeps what it holds when it grows again."""
    return f"{BEFORE}/{earlier + 1:03d}"


def _check_superset(folder: Path, found: Mapping[str, Any], made: Mapping[str, Any]) -> None:
    """Check that every game of the study that was played is one of the larger study's."""
    shown = repr(str(folder))
    manifest.check_code(folder, found)
    if found["share"] is not None or made["share"] is not None:
        raise ResultsError(f"{shown} is for a share of the parts; bring the shares together with `civsim merge` first")
    before, now = found["study"], json.loads(json.dumps(made["study"]))
    for name in sorted(now):
        if name not in _MAY_CHANGE and before.get(name) != now[name]:
            was, wanted = show_value(before.get(name)), show_value(now[name])
            raise ResultsError(
                f"{shown} was played with {name}={was}, not {wanted}; a study grows by worlds and levels only"
            )
    places = {_key(point): point for point in made["points"]}
    for old in found["points"]:
        new = places.get(_key(old))
        if new is None:
            raise ResultsError(
                f"{shown} holds games of point {old['index']} ({show_value(json.dumps(old['levels']))}), which the "
                "study lacks; a study only grows, so add it, or give a new folder"
            )
        if new["content"] != old["content"]:
            raise ResultsError(f"{shown}: a file or scenario of point {old['index']} was changed; give a new folder")
        had, has = _worlds(found, old["index"]), _worlds(made, new["index"])
        if not has.start <= had.start <= had.stop <= has.stop:
            raise ResultsError(
                f"{shown} holds worlds of point {old['index']} that the study lacks; give it more replicates, not "
                "other worlds (a study with paired = false cannot get more)"
            )


def _key(point: Mapping[str, Any]) -> str:
    """Return what makes a point the same point in another design, wherever it stands there."""
    return json.dumps([point["levels"], point["scenario"], point["settings"]], sort_keys=True)


def _worlds(of: Mapping[str, Any], index: int) -> range:
    worlds = of["worlds"]
    first = worlds["first"] + (0 if worlds["paired"] else index * worlds["a_point"])
    return range(first, first + worlds["a_point"])


def _set_aside(folder: Path, place: Path, found: Mapping[str, Any], labels: Mapping[int, Label]) -> None:
    """Copy the finished parts and the manifest to ``place``, as links where that can be; what is there is replaced."""
    for number, label in labels.items():
        files = [folder / name / part_file(number) for name in label.tables]
        for source in (*files, label_path(folder, number)):
            target = place / source.relative_to(folder)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.unlink(missing_ok=True)
            try:
                os.link(source, target, follow_symlinks=False)
            except OSError:
                shutil.copyfile(source, target, follow_symlinks=False)
    place.mkdir(parents=True, exist_ok=True)
    manifest.write(place, found)


class Source:
    """The games that a folder held before it grew."""

    def __init__(self, folder: Path, history: Sequence[Mapping[str, Any]]) -> None:
        """Read nothing yet; ``history`` is the manifest's."""
        self._folder = folder
        self._places = [folder / str(entry["place"]) for entry in reversed(history)]
        self.studies = tuple(str(entry["hash"]) for entry in history)

    @cached_property
    def _kept(self) -> list[_Kept]:
        return [_Kept(place) for place in self._places if (place / manifest.FILE).is_file()]

    def take(self, piece: Piece, rows: Rows) -> tuple[NDArray[np.int64], int, int]:
        """Add the games of a piece that are kept to ``rows``; return (ids to play, games taken, failed of these)."""
        left, failed = piece.ids, 0
        for kept in self._kept:
            for number, old in kept.parts_of(piece.point, left):
                tables = kept.read(number)
                if tables is None:
                    continue
                wanted = pc.and_(
                    pc.equal(tables[RUNS]["point"], old), pc.is_in(tables[RUNS]["world_id"], pa.array(left))
                )
                runs = tables[RUNS].filter(wanted)
                taken = runs["world_id"].to_numpy()
                for name in rows.tables:
                    if name in tables:
                        own = tables[name]
                        some = pc.and_(pc.equal(own["point"], old), pc.is_in(own["world_id"], pa.array(taken)))
                        rows.adopt(name, own.filter(some), piece.point)
                failed += int(pc.sum(pc.equal(runs["status"], FAILED)).as_py() or 0)
                left = left[~np.isin(left, taken)]
        return left, piece.worlds - len(left), failed

    def discard(self) -> None:
        """Remove the copies, whose games are all in the larger study's parts; what was not written here stays."""
        unfinished = self._folder / _place(len(self._places))  # of a growth that was killed before it was one
        for place in (unfinished, *self._places):
            names = (LABELS, *(path.name for path in place.iterdir() if path.is_dir())) if place.is_dir() else ()
            for path in [path for name in names for path in place.glob(f"{name}/part-*")]:
                path.unlink(missing_ok=True)
            (place / manifest.FILE).unlink(missing_ok=True)
            for inner in (*(place / name for name in names), place, self._folder / BEFORE):
                _remove_empty(inner)


def _remove_empty(folder: Path) -> None:
    try:
        folder.rmdir()
    except OSError:
        return  # it is gone, or holds something of somebody else


class _Kept:
    """One copy of what a folder held."""

    def __init__(self, place: Path) -> None:
        found = manifest.read(place)
        self._place = place
        self._points = {_key(point): int(point["index"]) for point in found["points"]}
        self._pieces: dict[int, list[tuple[int, int, int]]] = {}  # by point: first world, worlds, part
        self._parts = read_labels(place, found["hash"], found["layout"]["parts"])
        for label in self._parts.values():
            for point, first, count in label.pieces:
                self._pieces.setdefault(point, []).append((first, count, label.number))
        self.read = lru_cache(maxsize=_KEPT_PARTS)(self._read)

    def parts_of(self, point: Point, ids: NDArray[np.int64]) -> list[tuple[int, int]]:
        """Return the parts that hold some of these worlds of a point, and the number that the point has in them."""
        if not len(ids):
            return []
        old = self._points.get(_key(point._asdict()))
        if old is None:
            return []
        found = self._pieces.get(old, [])
        return [(number, old) for first, count, number in found if ids[0] < first + count and first <= ids[-1]]

    def _read(self, number: int) -> dict[str, pa.Table] | None:
        """Return the tables of a part; None where one is damaged, so that its games are played again."""
        label = self._parts[number]
        try:
            return {name: read_part(self._place, name, label) for name in label.tables}
        except DamagedPartError:
            return None
