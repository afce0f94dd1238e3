"""Reading a results folder: its manifest and its tables, each checked to be whole and to belong together."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq

from civsim.base.errors import ResultsError
from civsim.scenarios import manifest
from civsim.scenarios.complaints import did_you_mean, one_line, show_value
from civsim.scenarios.tables import CIVS, MAPS, METADATA_KEY, RUNS, SERIES_TABLE

if TYPE_CHECKING:
    import pandas as pd

_PATTERN = "part-*.parquet"
_CHECKED = ds.ParquetFileFormat(
    default_fragment_scan_options=ds.ParquetFragmentScanOptions(page_checksum_verification=True)
)
_SORT = ("point", "world_id", "seat", "turn")


class DamagedPartError(ResultsError):
    """A part of a table that cannot be opened, so that nothing is known of it."""


def read_manifest(folder: str | Path) -> dict[str, Any]:
    """Return the manifest of a results folder. Raises :class:`ResultsError` where there is none or it is damaged."""
    return manifest.read(folder)


def read_runs(folder: str | Path, *, failed: bool = False, partial: bool = False) -> pd.DataFrame:
    """Return the runs table: one row a (point, world), sorted so.

    ``failed`` keeps the runs that failed (their metrics are nan). ``partial`` accepts a folder whose batch has not
    ended.

    Raises:
        ResultsError: the folder, its manifest or a part is missing, damaged, foreign, or from another study.
    """
    frame = read_table(folder, RUNS, partial=partial).to_pandas()
    return frame if failed else frame[frame["status"] == "ok"].reset_index(drop=True)


def read_civs(folder: str | Path, *, partial: bool = False) -> pd.DataFrame:
    """Return the civilizations table: one row a run and seat, without failed runs. Raises as :func:`read_runs`."""
    return read_table(folder, CIVS, partial=partial).to_pandas()


def read_series(
    folder: str | Path,
    *,
    columns: Sequence[str] | None = None,
    points: Sequence[int] | None = None,
    worlds: Sequence[int] | None = None,
    partial: bool = False,
) -> pd.DataFrame:
    """Return the per-turn table: one row a run, seat and turn (from 1), or what is asked for of it.

    Args:
        folder: what a batch or a study wrote.
        columns: columns to return, in this order; all where left out. Others are not read.
        points: points of the design whose rows are returned, by number; those of all where left out.
        worlds: ids of the worlds whose rows are returned; those of all where left out.
        partial: accept a folder whose batch has not ended.

    Raises:
        ResultsError: as :func:`read_runs`; also where the study was run with ``series = "none"``, and for a column, a
            point or a world that is not there.
    """
    found = manifest.read(folder)
    if found["layout"].get("series") == "none":
        raise ResultsError(f"{show_value(str(folder))} has no series; run its study with series = 'focal' or 'all'")
    return read_rows(folder, SERIES_TABLE, columns, points, worlds, partial=partial).to_pandas()


def read_maps(folder: str | Path, *, partial: bool = False) -> pd.DataFrame:
    """Return who owned each cell: one row a run and recorded turn (from 1, at its end). Raises as :func:`read_runs`.

    ``owner`` holds int8 [C]: the seat that owns each cell, row after row of the map, or −1.

    Raises:
        ResultsError: also where the study was run without ``maps``.
    """
    if not manifest.read(folder)["layout"].get("maps"):
        raise ResultsError(f"{show_value(str(folder))} has no maps; run its study with maps = [turn, …]")
    return read_table(folder, MAPS, partial=partial).to_pandas()


def open_table(folder: str | Path, name: str, *, partial: bool = False) -> ds.Dataset:
    """Return a table of a results folder, opened but not read, after making sure that its parts belong together.

    Raises:
        ResultsError: the folder, its manifest or a part is missing, damaged, foreign, or from another study.
    """
    where = Path(folder)
    found = part_paths(where, name, partial=partial)
    opened = [_open(path, name, study_hash) for path, study_hash in found]
    schema = opened[0].schema_arrow
    for (path, _), part in zip(found, opened, strict=True):
        if not part.schema_arrow.equals(schema):
            raise ResultsError(f"{show_value(str(path))} has other columns than the part before it; run it again")
    return ds.dataset([str(path) for path, _ in found], schema=schema, format=_CHECKED)


def read_rows(
    folder: str | Path,
    name: str,
    columns: Sequence[str] | None = None,
    points: Sequence[int] | None = None,
    worlds: Sequence[int] | None = None,
    *,
    partial: bool = False,
) -> pa.Table:
    """Return columns of the rows of some points and worlds of a table, sorted by point, world, seat and turn.

    Args:
        folder: what a batch or a study wrote.
        name: the table.
        columns: columns to return, in this order; all where left out.
        points: numbers of points, all where left out.
        worlds: world ids, all where left out.
        partial: accept a folder whose batch has not ended.

    Raises:
        ResultsError: the folder cannot be read, or a column, a point or a world is not there.
    """
    table = open_table(folder, name, partial=partial)
    wanted = list(table.schema.names) if columns is None else list(columns)
    for column in wanted:
        if column not in table.schema.names:
            raise ResultsError(f"{name} has no column {show_value(column)}; {did_you_mean(column, table.schema.names)}")
    order = [key for key in _SORT if key in table.schema.names]
    rows: Any = None
    for key, values in (("point", points), ("world_id", worlds)):
        if values is not None:
            kept = ds.field(key).isin(pa.array(sorted({int(value) for value in values}), pa.int64()))
            rows = kept if rows is None else rows & kept
    _check_there(folder, points, worlds)
    try:
        read = table.to_table(columns=[*dict.fromkeys([*wanted, *order])], filter=rows)
    except (OSError, pa.ArrowException) as error:
        raise ResultsError(f"{show_value(str(folder))}: {name} is damaged ({_detail(error)}); play it again") from None
    return read.sort_by([(key, "ascending") for key in order]).select(wanted)


def _check_there(folder: str | Path, points: Sequence[int] | None, worlds: Sequence[int] | None) -> None:
    """Check that the study has the points and worlds that are asked for."""
    found = manifest.read(folder)
    there = len(found["points"])
    beyond = [point for point in points or () if not 0 <= point < there]
    if beyond:
        raise ResultsError(f"point {beyond[0]} is not in the study; give 0 to {there - 1}")
    first, count = found["worlds"]["first"], found["worlds"]["a_point"]
    last = first + count * (1 if found["worlds"]["paired"] else there) - 1
    beyond = [world for world in worlds or () if not first <= world <= last]
    if beyond:
        raise ResultsError(f"world {beyond[0]} is not in the study; give {first} to {last}")


def read_table(folder: str | Path, name: str, *, partial: bool = False) -> pa.Table:
    """Return a table of a results folder as Arrow, sorted by point, world, seat and turn.

    Raises:
        ResultsError: as :func:`read_runs`.
    """
    where = Path(folder)
    tables = [_read_part(path, name, study_hash) for path, study_hash in part_paths(where, name, partial=partial)]
    try:
        table = pa.concat_tables(tables)
    except pa.ArrowInvalid as error:
        raise ResultsError(f"{show_value(str(where / name))}: parts differ ({_detail(error)}); run it again") from None
    return table.sort_by([(key, "ascending") for key in _SORT if key in table.column_names])


def part_paths(where: Path, name: str, *, partial: bool = False) -> list[tuple[Path, str]]:
    """Return the parts of a table, each with the hash of its study, after making sure that none is missing.

    Raises:
        ResultsError: as :func:`read_runs`, but that no part is opened.
    """
    found = manifest.read(where)
    paths = sorted((where / name).glob(_PATTERN))
    expected = found["layout"].get("parts")
    finished = sorted((where / RUNS).glob(_PATTERN))
    if not finished:
        raise ResultsError(f"{show_value(str(where))} holds no finished games; run `civsim batch` with --resume")
    if len(finished) != expected and not partial:
        raise ResultsError(
            f"{show_value(str(where))} has {len(finished)} of {expected} parts; end it with `civsim batch --resume`"
        )
    names = {path.name for path in finished}
    missing = names - {path.name for path in paths}
    if missing:
        raise ResultsError(f"{show_value(str(where / name))} lacks {min(missing)}; add it with `civsim batch --resume`")
    return [(path, found["hash"]) for path in paths if path.name in names]


def check_part(path: Path, schema: pa.Schema) -> int:
    """Return the number of rows of a part after checking that it is whole and has this schema and its metadata.

    Raises:
        ResultsError: it is damaged, of another study, or has other columns.
    """
    label = json.loads((schema.metadata or {})[METADATA_KEY])
    found = _open(path, label["table"], label["study_hash"])
    if not found.schema_arrow.equals(schema, check_metadata=False):
        raise ResultsError(f"{show_value(str(path))} has other columns than this study; delete it and resume")
    return int(found.metadata.num_rows)


def _open(path: Path, name: str, study_hash: str) -> pq.ParquetFile:
    shown = show_value(str(path))
    try:
        with pq.ParquetFile(path) as file:
            label = json.loads((file.schema_arrow.metadata or {}).get(METADATA_KEY, b"null"))
            found = file
    except (OSError, ValueError, pa.ArrowException) as error:
        raise DamagedPartError(f"{shown} is damaged or no Parquet ({_detail(error)}); delete it and resume") from None
    if not isinstance(label, dict) or label.get("table") != name:
        raise ResultsError(f"{shown} is not a {name} table of civsim; remove it from the folder")
    if label.get("study_hash") != study_hash:
        raise ResultsError(f"{shown} is of another study than the manifest; remove it from the folder")
    return found


def _read_part(path: Path, name: str, study_hash: str) -> pa.Table:
    _open(path, name, study_hash)
    try:
        return pq.read_table(path, partitioning=None, page_checksum_verification=True)
    except (OSError, ValueError, pa.ArrowException) as error:
        shown = show_value(str(path))
        raise ResultsError(f"{shown} is damaged ({_detail(error)}); delete it and resume") from None


def _detail(error: Exception) -> str:
    return one_line(error)[:120]
