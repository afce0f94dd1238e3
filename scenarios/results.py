"""Reading a results folder: its manifest and its tables, each checked to be whole and to belong together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from operator import index
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq

from civsim.base.errors import ResultsError
from civsim.scenarios import manifest
from civsim.scenarios.complaints import did_you_mean, one_line, show_value
from civsim.scenarios.parts import Label, check_files, check_whole, read_labels, read_part
from civsim.scenarios.tables import CIVS, MAPS, RUNS, SERIES_TABLE, part_file

if TYPE_CHECKING:
    import pandas as pd

_SORT = ("point", "world_id", "seat", "turn")


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


def open_parts(where: Path, name: str, labels: Sequence[Label]) -> ds.Dataset:
    """Return some parts of a table as one dataset, after making sure that each is bit for bit what was written.

    Raises:
        ResultsError: one is not.
    """
    check_whole(where, name, labels)
    paths = [where / name / part_file(label.number) for label in labels]
    return ds.dataset([str(path) for path in paths], schema=pq.read_schema(paths[0]), format="parquet")


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
    where = Path(folder)
    labels = finished_parts(where, [name], partial=partial)
    _check_there(manifest.read(folder), points, worlds)
    # One is opened in any case, for its columns.
    table = open_parts(where, name, [label for label in labels if _holds(label, points, worlds)] or labels[:1])
    wanted = list(table.schema.names) if columns is None else list(columns)
    check_columns(name, wanted, table.schema.names)
    order = [key for key in _SORT if key in table.schema.names]
    rows: Any = None
    for key, values in (("point", points), ("world_id", worlds)):
        if values is not None:
            kept = ds.field(key).isin(pa.array(sorted({int(value) for value in values}), pa.int64()))
            rows = kept if rows is None else rows & kept
    try:
        read = table.to_table(columns=[*dict.fromkeys([*wanted, *order])], filter=rows)
    except (OSError, pa.ArrowException) as error:
        raise ResultsError(f"{show_value(str(folder))}: {name} is damaged ({_detail(error)}); play it again") from None
    return read.sort_by([(key, "ascending") for key in order]).select(wanted)


def check_columns(name: str, wanted: Sequence[str], there: Sequence[str]) -> None:
    """Check that a table has the columns that are asked for.

    Raises:
        ResultsError: one is not there.
    """
    for column in wanted:
        if column not in there:
            raise ResultsError(f"{name} has no column {show_value(column)}; {did_you_mean(column, there)}")


def _holds(label: Label, points: Sequence[int] | None, worlds: Sequence[int] | None) -> bool:
    """Return whether a part holds a run of these points in these worlds; None stands for all."""
    return any(
        (points is None or point in points)
        and (worlds is None or any(first <= world < first + count for world in worlds))
        for point, first, count in label.pieces
    )


def _check_there(found: Mapping[str, Any], points: Sequence[int] | None, worlds: Sequence[int] | None) -> None:
    """Check that the study of a manifest has the points and worlds that are asked for; None asks for all."""
    there = len(found["points"])
    _check_whole("point", points)
    _check_whole("world", worlds)
    beyond = [point for point in (() if points is None else points) if not 0 <= point < there]
    if beyond:
        raise ResultsError(f"point {beyond[0]} is not in the study; give 0 to {there - 1}")
    first, count = found["worlds"]["first"], found["worlds"]["a_point"]
    last = first + count * (1 if found["worlds"]["paired"] else there) - 1
    beyond = [world for world in (() if worlds is None else worlds) if not first <= world <= last]
    if beyond:
        raise ResultsError(f"world {beyond[0]} is not in the study; give {first} to {last}")


def _check_whole(name: str, values: Sequence[int] | None) -> None:
    """Check that numbers asked for are whole: 1.5 would be read as 1."""
    for value in () if values is None else values:
        try:
            index(value)
        except TypeError:
            raise ResultsError(f"{name} {show_value(value)} is no whole number; give whole numbers") from None


def read_table(folder: str | Path, name: str, *, partial: bool = False) -> pa.Table:
    """Return a table of a results folder as Arrow, sorted by point, world, seat and turn.

    The table is checked first: every part has a label, every label its file, of the right size, and there is none
    besides. Each file is then read once, and is bit for bit what was written.

    Raises:
        ResultsError: as :func:`read_runs`.
    """
    where = Path(folder)
    labels = finished_parts(where, [name], partial=partial)
    table = pa.concat_tables([read_part(where, name, label, labels) for label in labels])
    return table.sort_by([(key, "ascending") for key in _SORT if key in table.column_names])


def finished_parts(where: Path, names: Sequence[str], *, partial: bool = False) -> list[Label]:
    """Return the labels of the parts, after a look at the folders of tables: nothing is missing and nothing besides.

    No part is opened; who reads one checks that it is whole (:func:`civsim.scenarios.parts.read_part`, or
    :func:`civsim.scenarios.parts.check_whole` before it is read by other means).

    Raises:
        ResultsError: as :func:`read_runs`.
    """
    found = manifest.read(where)
    expected = found["layout"]["parts"]
    labels = read_labels(where, found["hash"], expected, before=manifest.hashes_before(found))
    if not labels:
        raise ResultsError(f"{show_value(str(where))} holds no finished games; run `civsim batch` with --resume")
    if len(labels) != expected and not partial:
        share = found["share"]
        remedy = "end it with `civsim batch --resume`"
        if share is not None:
            remedy = f"it is for part {share[0]}/{share[1]}; bring all together with `civsim merge`"
        raise ResultsError(f"{show_value(str(where))} has {len(labels)} of {expected} parts; {remedy}")
    for name in names:
        check_files(where, name, labels.values(), expected)
    return list(labels.values())


def _detail(error: Exception) -> str:
    return one_line(error)[:120]
