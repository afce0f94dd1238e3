"""The tables of a batch as Arrow tables: their columns, and how a played batch of worlds becomes rows.

``runs``: one row a (design point, world), the focal seat's metrics and its rivals' means. ``civs``: one row a run and
seat. ``series``: one row a run, seat and turn. ``maps``: one row a run and turn that the study asks for, with the owner
of each cell. Failed worlds have a ``runs`` row whose metrics are null, and no others.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from civsim.base.scenario import Scenario
from civsim.scenarios.complaints import one_line
from civsim.scenarios.design import Point
from civsim.scenarios.games import METRICS, SERIES, Played
from civsim.scenarios.study import Study

RUNS, CIVS, SERIES_TABLE, MAPS = "runs", "civs", "series", "maps"
FACTOR_PREFIX = "factor."
RIVAL_METRICS = ("welfare", "consumption", "output", "share", "survived", "cells")
TURNS = "turns"
"""Column of the turns that a run lasted, where a study stops games before their last."""

OK, FAILED = "ok", "failed"
METADATA_KEY = b"civsim"
_ID_DIGITS = 24
_LONGEST_ERROR = 300


def run_id(scenario_hash: str, seed: int, world_id: int) -> str:
    """Return the id of a run: 24 hexadecimal digits of SHA-256 of what is played, the seed, and the world.

    It names a game, not a row: points of a design whose scenarios are equal share games. A row is (point, world id).
    """
    return hashlib.sha256(f"{scenario_hash}:{seed}:{world_id}".encode()).hexdigest()[:_ID_DIGITS]


def part_file(number: int) -> str:
    """Return the name of a part's file in the folder of each table."""
    return f"part-{number:06d}.parquet"


def factor_types(study: Study, points: Sequence[Point]) -> dict[str, pa.DataType]:
    """Return the type of each factor's column: whole number, number, boolean, or text (tables as JSON)."""
    types: dict[str, pa.DataType] = {}
    for name in study.factors:
        levels = [point.levels[name] for point in points if point.levels[name] is not None]
        if levels and all(isinstance(level, bool) for level in levels):
            types[name] = pa.bool_()
        elif levels and all(isinstance(level, int) and not isinstance(level, bool) for level in levels):
            types[name] = pa.int64()
        elif levels and all(isinstance(level, int | float) and not isinstance(level, bool) for level in levels):
            types[name] = pa.float64()
        else:
            types[name] = pa.string()
    return types


def schemas(
    factors: Mapping[str, pa.DataType], study_hash: str, own: Sequence[str] = (), *, stops: bool = False
) -> dict[str, pa.Schema]:
    """Return the schema of each table of a study, by name; the metadata ties a part to its manifest.

    Args:
        factors: type of each factor's column.
        study_hash: the study's hash.
        own: names of the study's own metrics.
        stops: whether its games may be over before their last turn; then the runs say how many turns they lasted.
    """
    identity = [("run_id", pa.string()), ("point", pa.int64()), ("world_id", pa.int64())]
    columns = [(f"{FACTOR_PREFIX}{name}", kind) for name, kind in factors.items()]
    metrics = [(name, pa.float64()) for name in (*METRICS, *own)]
    runs = [
        ("run_id", pa.string()),
        ("study", pa.string()),
        ("point", pa.int64()),
        ("scenario", pa.string()),
        *columns,
        ("seed", pa.int64()),
        ("world_id", pa.int64()),
        ("status", pa.string()),
        ("error", pa.string()),
        ("focal", pa.int64()),
        *([(TURNS, pa.int64())] if stops else []),
        *metrics,
        *((f"rival_{name}", pa.float64()) for name in RIVAL_METRICS),
    ]
    civs = [*identity, *columns, ("seat", pa.int64()), ("is_focal", pa.bool_()), ("policy", pa.string()), *metrics]
    turns = [*identity, ("seat", pa.int64()), ("is_focal", pa.bool_()), ("turn", pa.int64())]
    series = [*turns, *((name, pa.float64()) for name in (*SERIES, *own))]
    maps = [*identity, ("turn", pa.int64()), ("owner", pa.list_(pa.int8()))]
    made = {}
    for name, fields in ((RUNS, runs), (CIVS, civs), (SERIES_TABLE, series), (MAPS, maps)):
        label = json.dumps({"format": 1, "study_hash": study_hash, "table": name}, sort_keys=True)
        made[name] = pa.schema(fields, metadata={METADATA_KEY: label.encode()})
    return made


def factor_value(level: Any, kind: pa.DataType) -> Any:
    """Return a factor's level as its column holds it."""
    if level is None or not pa.types.is_string(kind):
        return level
    return level if isinstance(level, str) else json.dumps(level, sort_keys=True)


class Rows:
    """Collects the rows of one part, as columns, for each table."""

    def __init__(self, study: Study, types: Mapping[str, pa.DataType], tables: Mapping[str, pa.Schema]) -> None:
        """Make empty tables of the given schemas (see :func:`schemas`)."""
        self.study, self.types, self.tables = study, types, tables
        self.batches: dict[str, list[pa.Table]] = {name: [] for name in tables}

    def add(self, point: Point, scenario: Scenario, scenario_hash: str, focal: int, played: Played) -> None:
        """Add a played batch of worlds of one point in which ``focal`` is the focal seat."""
        # A game that may be over early is another game.
        game = scenario_hash if self.study.stop is None else f"{scenario_hash}:{self.study.stop}"
        ids = [run_id(game, self.study.seed, int(world_id)) for world_id in played.world_ids]
        factors = {
            f"{FACTOR_PREFIX}{name}": factor_value(point.levels[name], kind) for name, kind in self.types.items()
        }
        self._add_runs(point, scenario, factors, ids, focal, played)
        good = np.array([not error for error in played.errors])
        if good.any():
            self._add_civs(point, scenario, factors, np.array(ids)[good], focal, played, good)
            if self.study.series != "none" and played.series is not None:
                self._add_series(point, np.array(ids)[good], focal, played, good)
            self._add_maps(point, np.array(ids)[good], played, good)

    def adopt(self, name: str, table: pa.Table, point: Point) -> None:
        """Add rows of a table that were played at what is now ``point``, in another study of the same games."""
        columns: dict[str, Any] = {"point": point.number}
        columns |= {f"{FACTOR_PREFIX}{key}": factor_value(point.levels[key], kind) for key, kind in self.types.items()}
        schema = self.tables[name]
        arrays = [
            pa.repeat(pa.scalar(columns[field.name], type=field.type), table.num_rows)
            if field.name in columns
            else table.column(field.name)
            for field in schema
        ]
        self.batches[name].append(pa.Table.from_arrays(arrays, schema=schema))

    def finish(self, name: str) -> pa.Table:
        """Return one table of the part, sorted by point, world, then seat and turn where there are any."""
        schema = self.tables[name]
        table = pa.concat_tables([schema.empty_table(), *self.batches[name]])
        keys = [key for key in ("point", "world_id", "seat", "turn") if key in schema.names]
        return table.sort_by([(key, "ascending") for key in keys]).combine_chunks()

    def _put(self, name: str, columns: Mapping[str, Any], count: int) -> None:
        schema = self.tables[name]
        arrays = []
        for field in schema:
            value = columns[field.name]
            if isinstance(value, np.ndarray | list):
                arrays.append(pa.array(value, type=field.type, from_pandas=True))
            else:
                arrays.append(pa.repeat(pa.scalar(value, type=field.type), count))
        self.batches[name].append(pa.Table.from_arrays(arrays, schema=schema))

    def _add_runs(
        self, point: Point, scenario: Scenario, factors: dict[str, Any], ids: list[str], focal: int, played: Played
    ) -> None:
        seats = scenario.game.civilizations
        rivals = [seat for seat in range(seats) if seat != focal]
        columns: dict[str, Any] = {
            **factors,
            "run_id": ids,
            "study": self.study.name,
            "point": point.number,
            "scenario": point.scenario,
            "seed": self.study.seed,
            "world_id": played.world_ids,
            "status": [FAILED if error else OK for error in played.errors],
            "error": [one_line(error)[:_LONGEST_ERROR] or None for error in played.errors],
            "focal": focal,
            TURNS: [None if error else int(turns) for turns, error in zip(played.turns, played.errors, strict=True)],
            **{name: column[:, focal] for name, column in played.civs.items()},
        }
        for name in RIVAL_METRICS:
            values = played.civs[name][:, rivals]
            columns[f"rival_{name}"] = values.mean(axis=1) if rivals else np.full(len(ids), np.nan)
        self._put(RUNS, columns, len(ids))

    def _add_civs(
        self,
        point: Point,
        scenario: Scenario,
        factors: dict[str, Any],
        ids: np.ndarray,
        focal: int,
        played: Played,
        good: np.ndarray,
    ) -> None:
        seats = scenario.game.civilizations
        seat = np.tile(np.arange(seats), len(ids))
        policies = np.array([scenario.seat(index).policy.name for index in range(seats)])
        columns: dict[str, Any] = {
            **factors,
            "run_id": np.repeat(ids, seats),
            "point": point.number,
            "world_id": np.repeat(played.world_ids[good], seats),
            "seat": seat,
            "is_focal": seat == focal,
            "policy": policies[seat],
            **{name: column[good].reshape(-1) for name, column in played.civs.items()},
        }
        self._put(CIVS, columns, len(seat))

    def _add_series(self, point: Point, ids: np.ndarray, focal: int, played: Played, good: np.ndarray) -> None:
        assert played.series is not None  # noqa: S101  (narrowed by the caller)
        _, n_seats, turns = next(iter(played.series.values())).shape
        seats = np.arange(n_seats) if self.study.series == "all" else np.array([focal])
        block = len(seats) * turns
        seat = np.tile(np.repeat(seats, turns), len(ids))
        columns: dict[str, Any] = {
            "run_id": np.repeat(ids, block),
            "point": point.number,
            "world_id": np.repeat(played.world_ids[good], block),
            "seat": seat,
            "is_focal": seat == focal,
            "turn": np.tile(np.arange(1, turns + 1), len(ids) * len(seats)),
            **{name: column[good][:, seats].reshape(-1) for name, column in played.series.items()},
        }
        lasted = np.repeat(played.turns[good], block)
        if (lasted < turns).any():  # no rows of turns after a game was stopped
            columns = _rows(columns, columns["turn"] <= lasted)
        self._put(SERIES_TABLE, columns, int((np.minimum(played.turns[good], turns) * len(seats)).sum()))

    def _add_maps(self, point: Point, ids: np.ndarray, played: Played, good: np.ndarray) -> None:
        for turn, owners in played.maps.items():
            lasted = played.turns[good] >= turn
            columns: dict[str, Any] = {
                "run_id": ids,
                "point": point.number,
                "world_id": played.world_ids[good],
                "turn": turn,
                "owner": owners[good],
            }
            columns = _rows(columns, lasted)
            self._put(MAPS, columns | {"owner": list(columns["owner"])}, int(lasted.sum()))


def _rows(columns: Mapping[str, Any], kept: np.ndarray) -> dict[str, Any]:
    """Return the rows ``kept``, bool [rows], of columns; what all rows share stays as it is."""
    return {name: value[kept] if isinstance(value, np.ndarray) else value for name, value in columns.items()}
