"""Reading a results folder: its manifest and its tables, each checked to be whole and to belong together."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq

from civsim.base.errors import ResultsError
from civsim.scenarios import manifest
from civsim.scenarios.complaints import one_line, show_value
from civsim.scenarios.tables import CIVS, MAPS, METADATA_KEY, RUNS, SERIES_TABLE

if TYPE_CHECKING:
    import pandas as pd

_PATTERN = "part-*.parquet"
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


def read_series(folder: str | Path, *, partial: bool = False) -> pd.DataFrame:
    """Return the per-turn table: one row a run, seat and turn (from 1). Raises as :func:`read_runs`.

    Raises:
        ResultsError: also where the study was run with ``series = "none"``.
    """
    found = manifest.read(folder)
    if found["layout"].get("series") == "none":
        raise ResultsError(f"{show_value(str(folder))} has no series; run its study with series = 'focal' or 'all'")
    return read_table(folder, SERIES_TABLE, partial=partial).to_pandas()


def read_maps(folder: str | Path, *, partial: bool = False) -> pd.DataFrame:
    """Return who owned each cell: one row a run and recorded turn (from 1, at its end). Raises as :func:`read_runs`.

    ``owner`` holds int8 [C]: the seat that owns each cell, row after row of the map, or −1.

    Raises:
        ResultsError: also where the study was run without ``maps``.
    """
    if not manifest.read(folder)["layout"].get("maps"):
        raise ResultsError(f"{show_value(str(folder))} has no maps; run its study with maps = [turn, …]")
    return read_table(folder, MAPS, partial=partial).to_pandas()


def read_table(folder: str | Path, name: str, *, partial: bool = False) -> pa.Table:
    """Return a table of a results folder as Arrow, sorted by point, world, seat and turn.

    Raises:
        ResultsError: as :func:`read_runs`.
    """
    where = Path(folder)
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
    tables = [_read_part(path, name, found["hash"]) for path in paths if path.name in names]
    try:
        table = pa.concat_tables(tables)
    except pa.ArrowInvalid as error:
        raise ResultsError(f"{show_value(str(where / name))}: parts differ ({_detail(error)}); run it again") from None
    return table.sort_by([(key, "ascending") for key in _SORT if key in table.column_names])


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
