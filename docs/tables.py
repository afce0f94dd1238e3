"""Rewrite the tables of docs/model.md from the code: ``python docs/tables.py`` (``--check`` only compares).

The state variables come from the comments of ``State`` and ``Orders``, the parameters from the fields of ``Scenario``,
the observation from ``FEATURE_TABLE`` and ``OFFICE_TABLE``. A table stands between two markers and is never edited by
hand.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from civsim.base.constants import RULES_VERSION
from civsim.base.scenario import Scenario
from civsim.engine import state
from civsim.engine.observation.features import FEATURE_TABLE, OFFICE_TABLE, RIVAL_SLOTS

MODEL = Path(__file__).with_name("model.md")
FIELD = re.compile(r"^    (\w+): (\w+)  # \[([^\]]+)\] (\S.*)$", re.MULTILINE)
DTYPES = {"F": "float", "I": "int", "U": "uint"}
ROLES = {
    "clock": "clock",
    "land": "land, fixed for a game",
    "physical": "physical: an order or nature moves it",
    "ledger": "ledger: what was produced, enjoyed, done and lost",
    "mind": "mind: what a civilization knows, wants and has planned",
}


def _table(header: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    lines = [header, tuple("---" for _ in header), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)


def _fields() -> Iterator[tuple[str, str, str, str]]:
    """Yield (name, dtype, shape, meaning) of every field of State, then of Orders."""
    source = Path(state.__file__).read_text(encoding="utf-8")
    for name, alias, shape, meaning in FIELD.findall(source):
        yield name, DTYPES[alias[0]] + alias[1:], shape, meaning


def state_table() -> str:
    """The state variables, grouped by what they belong to."""
    documented = {name: rest for name, *rest in _fields()}
    parts = []
    for role, title in ROLES.items():
        names = [name for name, spec in state.SPEC.items() if spec.role == role]
        rows = [(f"`{name}`", f"[{documented[name][1]}]", documented[name][0], documented[name][2]) for name in names]
        parts.append(f"**{title[0].upper()}{title[1:]}**\n\n" + _table(("variable", "shape", "dtype", "meaning"), rows))
    return "\n\n".join(parts)


def orders_table() -> str:
    """The fields of an order."""
    rows = [
        (f"`{name}`", f"[{shape}]", dtype, meaning)
        for name, dtype, shape, meaning in _fields()
        if name in state.Orders._fields
    ]
    return _table(("variable", "shape", "dtype", "meaning"), rows)


def _plain(value: Any) -> str:
    if value is None:
        return "none"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple | dict):
        return "none" if not value else str(list(value))
    return f'"{value}"' if isinstance(value, str) else f"{value:g}"


def _range(field: FieldInfo) -> str:
    """What a field may be: its choices, or its interval."""
    kinds = [kind for kind in _members(field.annotation) if kind is not type(None)]
    return " or ".join(_range_of(kind, field) for kind in kinds)


def _range_of(kind: Any, field: FieldInfo) -> str:
    """What a field of one kind may be."""
    if get_origin(kind) is tuple:
        kind = get_args(kind)[0]
        return "any of " + ", ".join(get_args(kind)) if get_origin(kind) is Literal else "a list"
    if get_origin(kind) is Literal:
        return ", ".join(str(choice) for choice in get_args(kind))
    if kind is bool:
        return "true, false"
    if field is Scenario.model_fields["rules"]:
        return str(RULES_VERSION)
    low, high = "(−∞", "∞)"
    for rule in _limits(kind, field):
        low = f"[{rule.ge:g}" if getattr(rule, "ge", None) is not None else low
        low = f"({rule.gt:g}" if getattr(rule, "gt", None) is not None else low
        high = f"{rule.le:g}]" if getattr(rule, "le", None) is not None else high
        high = f"{rule.lt:g})" if getattr(rule, "lt", None) is not None else high
    if kind in (int, float) or get_origin(kind) is Annotated:
        return f"{'integer ' if kind is int else ''}{low}, {high}"
    return "text" if kind is str else "a table"


def _limits(kind: Any, field: FieldInfo) -> Iterator[Any]:
    """Yield the bounds of a field, wherever pydantic keeps them."""
    for rule in (*field.metadata, *getattr(kind, "__metadata__", ())):
        yield from getattr(rule, "metadata", (rule,)) or (rule,)


def _members(annotation: Any) -> tuple[Any, ...]:
    return get_args(annotation) if get_origin(annotation) in (Union, UnionType) else (annotation,)


def _submodel(annotation: Any) -> tuple[type[BaseModel], str] | None:
    """The table a field holds and what its path gains: '' for one table, '[]' for a list of them."""
    for kind in _members(annotation):
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            return kind, ""
        if get_origin(kind) is tuple:
            inner = get_args(kind)[0]
            if isinstance(inner, type) and issubclass(inner, BaseModel):
                return inner, "[]"
    return None


def _parameters(table: type[BaseModel], prefix: str = "", whole: str = "") -> Iterator[tuple[str, ...]]:
    for name, field in table.model_fields.items():
        path, inner = prefix + name, _submodel(field.annotation)
        if path == "seats":
            continue
        optional = type(None) in _members(field.annotation)
        if inner is not None and not optional:
            yield from _parameters(inner[0], f"{path}{inner[1]}.", field.description or "")
            continue
        default = _plain(field.get_default(call_default_factory=True))
        yield f"`{path}`", default, _range(field), field.description or whole


def parameter_table() -> str:
    """Every setting of a scenario, by section."""
    sections: dict[str, list[tuple[str, ...]]] = {}
    for row in _parameters(Scenario):
        section = row[0].strip("`").split(".")[0] if "." in row[0] else "scenario"
        sections.setdefault(section, []).append(row)
    parts = []
    for section, rows in sections.items():
        title = "`[[seats]]` and `[seat_default]`" if section == "seat_default" else f"`[{section}]`"
        title = "top level" if section == "scenario" else title
        parts.append(f"**{title}**\n\n" + _table(("setting", "default", "range", "meaning"), rows))
    return "\n\n".join(parts)


def feature_table() -> str:
    """The observation; the rival slots are shown once, and last what only games of several seats of thought tell."""
    several = [one._replace(meaning=f"with several seats of thought alone: {one.meaning}") for one in OFFICE_TABLE]
    rows = [
        (f"`{feature.name.replace('rival1_', 'rival<i>_')}`", f"[{feature.low:g}, {feature.high:g}]",
         feature.meaning.replace("rival 1: ", f"i = 1 … {RIVAL_SLOTS}: "))
        for feature in (*FEATURE_TABLE, *several)
        if not re.match(r"rival[2-9]_", feature.name)
    ]  # fmt: skip
    return _table(("feature", "range", "meaning"), rows)


TABLES = {"state": state_table, "orders": orders_table, "parameters": parameter_table, "features": feature_table}


def rewritten(text: str) -> str:
    """``text`` with every table made anew.

    Raises:
        ValueError: a pair of markers is missing.
    """
    for name, make in TABLES.items():
        begin, end = f"<!-- table: {name} -->", f"<!-- end: {name} -->"
        if text.count(begin) != 1 or text.count(end) != 1:
            raise ValueError(f"docs/model.md must hold {begin} and {end} once each")
        head, rest = text.split(begin)
        text = f"{head}{begin}\n\n{make()}\n\n{end}{rest.split(end)[1]}"
    return text


def main() -> int:
    """Rewrite the page, or with ``--check`` say whether it is up to date."""
    old = MODEL.read_text(encoding="utf-8")
    new = rewritten(old)
    if old == new:
        return 0
    if "--check" in sys.argv[1:]:
        print("docs/model.md is not what the code says; run `make docs`")
        return 1
    MODEL.write_text(new, encoding="utf-8")
    print("rewrote the tables of docs/model.md")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
