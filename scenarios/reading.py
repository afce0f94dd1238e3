"""From a file or a text to plain tables: size, encoding, syntax, depth. Nothing here knows what a setting means."""

from __future__ import annotations

import math
import os
import re
import tomllib
from pathlib import Path
from typing import Any

from civsim.base.errors import CivsimError
from civsim.scenarios.complaints import did_you_mean, dotted, one_line, show_value

MAX_BYTES = 1_000_000
"""Largest file that is read."""

MAX_DEPTH = 12
"""Deepest nesting of tables and arrays."""

_MOST_DOTS = 64
_INT_LIMIT = 2**63
_TOKEN = re.compile(r"[^=,{}\[\]\n#]+")
_SCALARS = (bool, int, float, str)


def read_text(path: Path, kind: type[CivsimError]) -> str:
    """Return the text of a UTF-8 file of at most 1 MB.

    Raises:
        CivsimError: of class ``kind``, where it is missing, no file, too large, unreadable, or not UTF-8.
    """
    shown = show_value(str(path))
    try:
        if path.is_dir():
            raise kind(f"{shown} is a folder; give the name of a TOML file")
        if path.exists() and not path.is_file():
            raise kind(f"{shown} is not a regular file; give the name of a TOML file")
        with path.open("rb") as handle:
            content = handle.read(MAX_BYTES + 1)
    except FileNotFoundError:
        raise kind(f"{shown} does not exist; {_beside(path)}") from None
    except (OSError, ValueError) as error:
        if isinstance(error, CivsimError):
            raise
        reason = error.strerror if isinstance(error, OSError) and error.strerror else error
        raise kind(f"{shown} cannot be read ({one_line(reason)}); give a readable TOML file") from None
    if len(content) > MAX_BYTES:
        raise kind(f"{shown} is larger than {MAX_BYTES} bytes; split it or give the right file")
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise kind(f"{shown} is not UTF-8 (byte {error.start}); save it as UTF-8") from None


def _beside(path: Path) -> str:
    try:
        names = [entry.name for entry in os.scandir(path.parent) if entry.name.endswith(".toml")]
    except OSError:
        return "its folder does not exist either; check the path"
    near = did_you_mean(path.name, names)
    return near if near.startswith("did") else "check the path"


def parse(text: str, source: str, kind: type[CivsimError]) -> dict[str, Any]:
    """Return the tables of a TOML text as plain dicts, lists, and scalars.

    Raises:
        CivsimError: of class ``kind``, where it is too large, no TOML, too deep, or holds a date, nan or a huge number.
    """
    if len(text) > MAX_BYTES:
        raise kind(f"{source} has {len(text)} characters; give at most {MAX_BYTES}")
    # A key of n dots costs the parser n² steps, so it is refused before parsing.
    if any(token.group().count(".") > _MOST_DOTS for token in _TOKEN.finditer(text)):
        raise kind(f"{source} nests a key deeper than {MAX_DEPTH}; flatten it")
    try:
        tables = tomllib.loads(text)
    except RecursionError:
        raise kind(f"{source} nests tables or arrays deeper than {MAX_DEPTH}; flatten it") from None
    except ValueError as error:
        raise kind(f"{source} is not valid TOML: {_shorten(one_line(error))}; correct it there") from None
    check_plain(tables, source, kind)
    return tables


def _shorten(text: str, limit: int = 160) -> str:
    return text if len(text) <= limit else text[: limit - 3] + "..."


def check_plain(tables: dict[str, Any], source: str, kind: type[CivsimError]) -> None:
    """Check that ``tables`` nests at most 12 deep and holds only text, booleans and 64-bit numbers that are not nan.

    Raises:
        CivsimError: of class ``kind``, naming the dotted key.
    """
    pending: list[tuple[tuple[object, ...], Any]] = [((), tables)]
    while pending:
        path, value = pending.pop()
        if len(path) > MAX_DEPTH:
            raise kind(f"{source}: {dotted(path[:3])}... nests deeper than {MAX_DEPTH}; flatten it")
        if isinstance(value, dict):
            pending.extend(((*path, key), item) for key, item in value.items())
        elif isinstance(value, list | tuple):
            pending.extend(((*path, index), item) for index, item in enumerate(value))
        elif value is not None and not isinstance(value, _SCALARS):
            what = type(value).__name__
            raise kind(f"{source}: {dotted(path)}={show_value(value)} is a {what}; give text, a number or a table")
        elif isinstance(value, float) and math.isnan(value):
            raise kind(f"{source}: {dotted(path)}=nan is not a number; give a number")
        elif isinstance(value, int) and not -_INT_LIMIT <= value < _INT_LIMIT:
            raise kind(f"{source}: {dotted(path)} does not fit in 64 bits; give a smaller number")


def parse_value(text: str) -> Any:
    """Return what a setting on the command line means: a TOML value where it is one, else the bare text itself."""
    try:
        value = tomllib.loads(f"value = {text}\n")
    except (ValueError, RecursionError):
        return text
    return value["value"] if len(value) == 1 else text
