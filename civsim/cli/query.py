"""``civsim query``: a question in SQL to the tables of a batch."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from civsim.base.errors import CivsimError

if TYPE_CHECKING:
    import pyarrow as pa

Format = Literal["table", "csv", "json", "parquet"]
_SUFFIXES: dict[str, Format] = {".csv": "csv", ".json": "json", ".parquet": "parquet"}
_MOST_ROWS = 100
_WIDTH = 160


def query(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Folder that `civsim batch` wrote.")],
    sql: Annotated[str, typer.Argument(metavar="SQL", help="One SELECT from runs, civilizations, series or maps.")],
    form: Annotated[
        Format | None, typer.Option("--format", help="By default by the suffix of --out, and on the screen a table.")
    ] = None,
    out: Annotated[Path | None, typer.Option("--out", metavar="FILE", help="Write what is found to this file.")] = None,
    partial: Annotated[
        bool, typer.Option("--partial", help="Read a batch that has not ended, as far as it is.")
    ] = False,
) -> None:
    """Ask the tables of a batch in SQL; nothing in them can be changed.

    Columns are those of the tables; a factor's is called factor_NAME.
    """
    chosen = _format(form, out)
    from civsim.scenarios import query as ask

    found = ask(folder, sql, partial=partial)
    if out is not None:
        _write(found, chosen, out)
        typer.echo(f"wrote {out}, {found.num_rows} rows")
    elif chosen == "table":
        _print(found)
    else:
        sys.stdout.write(_text(found, chosen))


def _format(form: Format | None, out: Path | None) -> Format:
    """Return the format to write, after checking that it can be written there."""
    if out is None:
        if form == "parquet":
            raise CivsimError("--format parquet is no text; give a file by --out")
        return form or "table"
    if out.is_dir():
        raise CivsimError(f"--out {str(out)!r} is a folder; give the name of a file")
    if not out.parent.is_dir():
        raise CivsimError(f"--out {str(out)!r}: {str(out.parent)!r} is not a folder; create it first")
    chosen = form or _SUFFIXES.get(out.suffix)
    if chosen is None:
        raise CivsimError(f"--out {str(out)!r} ends in none of {', '.join(_SUFFIXES)}; give --format, or such a name")
    if chosen == "table":
        raise CivsimError("--format table is for the screen; give csv, json or parquet for a file")
    return chosen


def _write(found: pa.Table, form: Format, out: Path) -> None:
    from civsim.base.files import atomic_path, write_text

    if form != "parquet":
        write_text(out, _text(found, form))
        return
    import pyarrow.parquet as pq

    with atomic_path(out) as temporary:
        pq.write_table(found, temporary, compression="zstd")


def _text(found: pa.Table, form: Format) -> str:
    if form == "csv":
        import pandas as pd

        # By types of Arrow whole numbers stay whole where some are missing.
        frame = found.to_pandas(types_mapper=pd.ArrowDtype)
        return str(frame.to_csv(index=False, lineterminator="\n"))
    import json

    rows = [{name: _plain(value) for name, value in row.items()} for row in found.to_pylist()]
    return json.dumps(rows, indent=1, ensure_ascii=False, allow_nan=False, default=str) + "\n"


def _plain(value: object) -> object:
    """Return a value as JSON can hold it: nan and infinities are null, in lists and records too."""
    if isinstance(value, list):
        return [_plain(each) for each in value]
    if isinstance(value, dict):
        return {name: _plain(each) for name, each in value.items()}
    return None if isinstance(value, float) and (value != value or value in (float("inf"), float("-inf"))) else value


def _print(found: pa.Table) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table()
    for field in found.schema:
        number = str(field.type).startswith(("int", "uint", "double", "float", "decimal"))
        table.add_column(Text(field.name), justify="right" if number else "left", no_wrap=True)
    for row in found.slice(0, _MOST_ROWS).to_pylist():
        table.add_row(*(Text(_cell(value)) for value in row.values()))
    console = Console()
    (console if console.is_terminal else Console(width=_WIDTH)).print(table)
    rows = f"{found.num_rows:,} row{'' if found.num_rows == 1 else 's'}"
    typer.echo(rows if found.num_rows <= _MOST_ROWS else f"{rows}; {_MOST_ROWS} shown, --format csv gives all")


def _cell(value: object) -> str:
    if value is None:
        return ""
    text = f"{value:.6g}" if isinstance(value, float) else str(value)
    return " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())
