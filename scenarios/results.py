"""Reading a results folder: its manifest and its tables, each checked to be whole and to belong together."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from civsim.base.errors import ResultsError
from civsim.scenarios import manifest
from civsim.scenarios.complaints import show_value
from civsim.scenarios.parts import check_files, read_labels, read_part
from civsim.scenarios.tables import CIVS, MAPS, RUNS, SERIES_TABLE

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

    The table is checked first: every part has a label, every label its file, of the right size, and there is none
    besides. Each file is then read once, and is bit for bit what was written.

    Raises:
        ResultsError: as :func:`read_runs`.
    """
    where = Path(folder)
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
    check_files(where, name, labels.values(), expected)
    table = pa.concat_tables([read_part(where, name, label, labels.values()) for label in labels.values()])
    return table.sort_by([(key, "ascending") for key in _SORT if key in table.column_names])
