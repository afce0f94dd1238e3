"""Files of land that people have, read into named grids: npz archives, CSV and ESRI ASCII grids.

What a file says of a cell goes by the names of :class:`civsim.engine.land.landscape.Land`. ``fertility`` it must hold;
any of the other quantities that it does not hold is 0 in every cell, and where it holds no capitals they are placed.

    .npz    arrays, each [height, width] or [cells], integers or floating; capitals [civilizations], each the number of
            a cell, row · width + column
    .csv    a table with a line a cell: row, column, the quantities, and in ``seat`` whose capital it is, else nothing;
            or, without words, the grid of fertility itself, a line a row. Fields end with a comma, semicolon or tab
    .asc    an ESRI ASCII grid, which is fertility

Row 0 is the north of the map, as in all of them.
"""

from __future__ import annotations

import csv
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from civsim.base.archive import Wanted, read_archive
from civsim.base.constants import MAX_CIVILIZATIONS
from civsim.base.errors import ScenarioError
from civsim.base.limits import MAX_SIDE

QUANTITIES = ("fertility", "ore", "ruggedness", "hazard")

_MARKS = "site"
_CAPITALS = "capitals"
_ROW, _COLUMN, _SEAT = "row", "column", "seat"
_HEADER = ("ncols", "nrows", "xllcorner", "yllcorner", "xllcenter", "yllcenter", "cellsize", "dx", "dy", "nodata_value")
_MAX_CELLS = MAX_SIDE * MAX_SIDE
_MAX_BYTES = 256 * _MAX_CELLS
"""Largest text: more than a line for every cell of the largest map takes."""

_MOST_DIGITS = 6

Grids = dict[str, NDArray[Any]]


def read_grids(path: str | Path, width: int, height: int) -> Grids:
    """Return what a file of land says of a map.

    Returns:
        ``fertility`` and whatever else the file holds of ``ore``, ``ruggedness`` and ``hazard``, float32, and
        ``site``, uint8, each [height, width] or [cells]; ``capitals``, int32 [civilizations], where it holds them.

    Raises:
        ScenarioError: the file cannot be read, is of another kind, or its grid is not of the map's size.
    """
    source, place = Path(path), f"map.file={str(path)!r}"
    # A pipe or a device may never end.
    if source.exists() and not source.is_file():
        raise ScenarioError(f"{place} cannot be read (it is no file); give an npz, csv or asc file")
    reader = {".csv": _read_csv, ".asc": _read_asc}.get(source.suffix.lower())
    found = _read_npz(source) if reader is None else reader(_read_text(source, place), place)
    for name, values in found.items():
        if name != _CAPITALS:
            _check_size(place, name, values, width, height)
    return found


def _check_size(place: str, name: str, values: NDArray[Any], width: int, height: int) -> None:
    if values.shape in ((height, width), (height * width,)):
        return
    ours = f"map.height={height} and map.width={width}"
    if values.ndim == 2:
        rows, columns = values.shape
        fits = min(rows, columns) > 1 and max(rows, columns) <= MAX_SIDE
        remedy = f"set map.height={rows} and map.width={columns}" if fits else f"a side has 2 to {MAX_SIDE} cells"
        raise ScenarioError(f"{place} has {rows} rows and {columns} columns of {name}, not {ours}; {remedy}")
    raise ScenarioError(
        f"{place} has {name} of shape {values.shape}, which is not {ours}; give [height, width], or set the two"
    )


def _read_npz(path: Path) -> Grids:
    wanted = {name: Wanted(np.dtype(np.float32), _MAX_CELLS, whole=True) for name in QUANTITIES}
    wanted[_MARKS] = Wanted(np.dtype(np.uint8), _MAX_CELLS)
    wanted[_CAPITALS] = Wanted(np.dtype(np.int32), MAX_CIVILIZATIONS)
    return read_archive(path, wanted, "map.file", ScenarioError, optional=set(wanted) - {QUANTITIES[0]})


def _read_text(path: Path, place: str) -> str:
    try:
        with path.open("rb") as stream:
            content = stream.read(_MAX_BYTES + 1)
    except FileNotFoundError:
        raise ScenarioError(f"{place} does not exist; give the path of an npz, csv or asc file") from None
    except (OSError, ValueError) as fault:
        reason = " ".join(str(getattr(fault, "strerror", None) or fault).split())
        raise ScenarioError(f"{place} cannot be read ({reason}); give an npz, csv or asc file") from None
    if len(content) > _MAX_BYTES:
        raise ScenarioError(f"{place} has over {_MAX_BYTES} bytes, which no map has; give a smaller grid")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise ScenarioError(f"{place} is no text; give an npz archive the suffix .npz, or write it as UTF-8") from None


def _number(text: str, place: str, where: str) -> float:
    """Return a number of a text; one that is not finite is refused here, where its place is known."""
    try:
        value = math.nan if "_" in text else float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise ScenarioError(f"{place}: {where} is {_brief(text)}, not a number; give one (0 where there is nothing)")
    return value


def _brief(text: str) -> str:
    return repr(text if len(text) <= 24 else text[:23] + "…")


def _grid(rows: Sequence[Sequence[str]], place: str) -> NDArray[np.float32]:
    """Return rows of numbers as a grid, float32 [H, W]."""
    odd = next((number for number, row in enumerate(rows) if len(row) != len(rows[0])), None)
    if odd is not None:
        count = len(rows[odd])
        raise ScenarioError(f"{place}: row {odd} has {count} numbers and row 0 {len(rows[0])}; make them alike")
    if len(rows) * len(rows[0]) > _MAX_CELLS:
        raise ScenarioError(
            f"{place} has {len(rows)} rows and {len(rows[0])} columns; a side of a map has at most {MAX_SIDE} cells"
        )
    numbers = [
        [_number(text, place, f"row {i}, column {j}") for j, text in enumerate(row)] for i, row in enumerate(rows)
    ]
    with np.errstate(over="ignore"):
        return np.array(numbers, np.float64).astype(np.float32)


def _read_asc(text: str, place: str) -> Grids:
    """Return an ESRI ASCII grid as fertility. A cell without data is refused: nothing says what it is."""
    lines = text.split("\n")
    header: dict[str, str] = {}
    while lines and (not lines[0].strip() or lines[0].split()[0].lower() in _HEADER):
        words = lines.pop(0).split()
        if words:
            header[words[0].lower()] = " ".join(words[1:])
    sides = []
    for name in ("nrows", "ncols"):
        if not header.get(name, "").isdecimal() or len(header[name]) > _MOST_DIGITS:
            raise ScenarioError(f"{place} does not say {name}; begin it as an ESRI ASCII grid, or give it as .csv")
        sides.append(int(header[name]))
    rows, columns = sides
    words = " ".join(lines).split()
    if len(words) != rows * columns:
        raise ScenarioError(f"{place} has {len(words)} numbers, not nrows · ncols = {rows * columns}; write it again")
    grid = _grid([words[row * columns : (row + 1) * columns] for row in range(rows)], place)
    if "nodata_value" in header:
        nothing = np.float32(_number(header["nodata_value"], place, "NODATA_value"))
        if (grid == nothing).any():
            row, column = np.argwhere(grid == nothing)[0]
            raise ScenarioError(f"{place} has no data in row {row}, column {column}; give every cell its fertility")
    return {QUANTITIES[0]: grid}


def _read_csv(text: str, place: str) -> Grids:
    """Return a table with a line a cell, or a bare grid of fertility."""
    lines = [line for line in text.splitlines() if line.strip()]
    if not lines:
        raise ScenarioError(f"{place} is empty; give a line for every cell, or for every row")
    delimiter = next((mark for mark in ("\t", ";") if mark in lines[0]), ",")
    try:
        rows = [[field.strip() for field in row] for row in csv.reader(lines, delimiter=delimiter, strict=True)]
    except csv.Error as fault:
        raise ScenarioError(f"{place} cannot be read as CSV ({fault}); write it again") from None
    if _ROW in (name.lower() for name in rows[0]):
        return _table([name.lower() for name in rows[0]], rows[1:], place)
    return {QUANTITIES[0]: _grid(rows, place)}


def _table(names: list[str], lines: list[list[str]], place: str) -> Grids:
    known = (_ROW, _COLUMN, *QUANTITIES, _MARKS, _SEAT)
    unknown = [name for name in names if name not in known or names.count(name) > 1]
    missing = [name for name in (_ROW, _COLUMN, QUANTITIES[0]) if name not in names]
    if unknown or missing:
        what = f"has a column {_brief(unknown[0])}" if unknown else f"lacks the column {missing[0]!r}"
        raise ScenarioError(f"{place} {what}; its columns are {', '.join(known)}, each at most once")
    columns: dict[str, list[float]] = {name: [] for name in names}
    for number, line in enumerate(lines, 2):
        if len(line) != len(names):
            raise ScenarioError(f"{place}: line {number} has {len(line)} fields, not {len(names)}; make them alike")
        for name, field in zip(names, line, strict=True):
            nobodys = name == _SEAT and not field
            columns[name].append(-1.0 if nobodys else _number(field, place, f"{name} in line {number}"))
    return _gridded({name: np.array(values, np.float64) for name, values in columns.items()}, place)


def _gridded(columns: dict[str, NDArray[np.float64]], place: str) -> Grids:
    """Return the columns of a table as grids: every cell of a rectangle must be in it once."""
    if not columns[_ROW].size:
        raise ScenarioError(f"{place} has no cell; give every cell a line")
    side = (0, MAX_SIDE - 1)
    for name, (least, most) in {_ROW: side, _COLUMN: side, _SEAT: (-1, MAX_CIVILIZATIONS - 1), _MARKS: (0, 1)}.items():
        values = columns.get(name, np.zeros(0))
        odd = np.flatnonzero((values != np.floor(values)) | (values < least) | (values > most))
        if odd.size:
            raise ScenarioError(f"{place}: {name}={values[odd[0]]:g} in line {odd[0] + 2} is none of 0 … {most}")
    row, column = columns.pop(_ROW).astype(np.int64), columns.pop(_COLUMN).astype(np.int64)
    height, width = int(row.max()) + 1, int(column.max()) + 1
    cell = row * width + column
    counts = np.bincount(cell, minlength=height * width)
    if (counts != 1).any():
        odd_row, odd_column = divmod(int(np.argmax(counts != 1)), width)
        times = counts[odd_row * width + odd_column]
        raise ScenarioError(f"{place} has row {odd_row}, column {odd_column} {times} times; give every cell one line")
    found: Grids = {}
    for name in columns.keys() - {_SEAT}:
        values = np.empty(height * width)
        values[cell] = columns[name]
        with np.errstate(over="ignore"):
            found[name] = values.reshape(height, width).astype(np.uint8 if name == _MARKS else np.float32)
    if _SEAT in columns and (columns[_SEAT] >= 0).any():
        found[_CAPITALS] = _capitals(columns[_SEAT], cell, place)
    return found


def _capitals(seat: NDArray[np.float64], cell: NDArray[np.int64], place: str) -> NDArray[np.int32]:
    """Return the cell of each seat's capital, int32 [N], from the seat in every line, −1 where there is none."""
    lines = np.flatnonzero(seat >= 0)
    order = np.argsort(seat[lines], kind="stable")
    if not np.array_equal(seat[lines][order], np.arange(len(lines))):
        given = ", ".join(f"{number:g}" for number in seat[lines][order][: MAX_CIVILIZATIONS + 1])
        raise ScenarioError(f"{place} has the capitals of seats {given}; give one for each, from 0 on")
    return cell[lines][order].astype(np.int32)
