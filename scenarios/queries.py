"""Queries: what SQL asks of the tables of a results folder. They are read only, and only as far as is asked.

Tables are read through pyarrow's datasets, so that memory follows what is asked for, not how many games were played.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa

from civsim.base.errors import ResultsError
from civsim.scenarios import manifest
from civsim.scenarios.complaints import one_line, show_value
from civsim.scenarios.results import finished_parts, open_parts
from civsim.scenarios.tables import CIVS, MAPS, RUNS, SERIES_TABLE

if TYPE_CHECKING:
    import duckdb

VIEWS = {"runs": RUNS, "civilizations": CIVS, "series": SERIES_TABLE, "maps": MAPS}
"""What a query may read, and the table it is."""

MEMORY = "3GiB"
"""What a query may hold at once."""

_LONGEST_DETAIL = 300
_PLAIN = re.compile(r"[^A-Za-z0-9_]")


def query(folder: str | Path, sql: str, *, partial: bool = False) -> pa.Table:
    """Return what a query finds in a results folder; nothing can be written, and no other file read.

        civsim.query("out/sight", "select factor_sight, avg(welfare) from runs group by all order by all")

    Views are ``runs``, ``civilizations``, ``series`` and ``maps``, those that the study has. Their columns are those of
    the tables; ``factor.sight`` is called ``factor_sight``, so that no name needs quotes. Failed runs are in ``runs``,
    with ``status = 'failed'`` and nulls. What is not asked for is not read.

    Args:
        folder: what a batch or a study wrote.
        sql: one SELECT of DuckDB's SQL.
        partial: accept a folder whose batch has not ended.

    Raises:
        ResultsError: the folder cannot be read, DuckDB is not installed, or the query is none, fails, or needs more
            than 3 GiB.
    """
    try:
        import duckdb
    except ImportError:
        raise ResultsError("a query needs DuckDB; install it by pip install 'civsim[query]'") from None
    where = Path(folder)
    there = manifest.read(where)["layout"]["tables"]
    views = {view: name for view, name in VIEWS.items() if name in there}
    labels = finished_parts(where, list(views.values()), partial=partial)
    with duckdb.connect(":memory:", config={"memory_limit": MEMORY, "temp_directory": ""}) as connection:
        connection.execute("SET python_enable_replacements = false")
        connection.execute("SET enable_external_access = false")
        statement = _read(connection, sql, duckdb.Error)
        for view in _asked(connection, statement, views, duckdb.Error):
            table = open_parts(where, views[view], labels)
            connection.register(f"{view}_as_stored", table)
            names = ", ".join(f'"{old}" AS {new}' for old, new in plain_names(table.schema.names).items())
            connection.execute(f"CREATE VIEW {view} AS SELECT {names} FROM {view}_as_stored")  # noqa: S608  (our names)
        connection.execute("SET lock_configuration = true")
        return _ask(connection, statement, duckdb.Error)


def plain_names(columns: Sequence[str]) -> dict[str, str]:
    """Return names that need no quotes for columns: other signs become ``_``; one that is taken then gets a number."""
    found: dict[str, str] = {}
    for column in columns:
        name = plain = _PLAIN.sub("_", column)
        number = 2
        while name.lower() in {taken.lower() for taken in found.values()}:
            name, number = f"{plain}_{number}", number + 1
        found[column] = name
    return found


def _read(connection: duckdb.DuckDBPyConnection, sql: str, fault: type[Exception]) -> duckdb.Statement:
    """Return the one statement of a query, which only reads."""
    from duckdb import StatementType

    try:
        sql.encode()
    except UnicodeEncodeError:
        raise ResultsError(f"the query {sql!r} holds bytes that are no UTF-8; give text") from None
    try:
        statements = connection.extract_statements(sql)
    except fault as error:
        raise ResultsError(f"the query fails: {_detail(error)}") from None
    if len(statements) != 1:
        raise ResultsError(f"the query holds {len(statements)} statements; give one SELECT")
    kind = statements[0].type
    if kind != StatementType.SELECT:
        raise ResultsError(f"the query is a {kind.name.lower()}, and results are only read; give one SELECT")
    return statements[0]


def _asked(
    connection: duckdb.DuckDBPyConnection, statement: duckdb.Statement, views: Iterable[str], fault: type[Exception]
) -> list[str]:
    """Return the views that a statement speaks of, which alone it then can read; all where that cannot be told."""
    try:
        named = {name.lower() for name in connection.get_table_names(statement.query)}
    except fault:
        return list(views)
    return [view for view in views if view in named or not named.issubset(views)]


def _ask(connection: duckdb.DuckDBPyConnection, statement: duckdb.Statement, fault: type[Exception]) -> pa.Table:
    try:
        found = connection.sql(statement).to_arrow_table()
    except (fault, pa.ArrowException, OSError) as error:
        raise ResultsError(f"the query fails: {_detail(error)}") from None
    names = found.column_names
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise ResultsError(f"two columns of the answer are called {show_value(twice)}; name one of them by AS")
    return found


def _detail(error: Exception) -> str:
    text = one_line(error)
    return text if len(text) <= _LONGEST_DETAIL else text[: _LONGEST_DETAIL - 3] + "..."
