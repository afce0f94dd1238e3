"""One line for whatever is wrong with a table of settings: the dotted key, the value, the limit and the remedy."""

from __future__ import annotations

import difflib
import re
import types
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Literal, NamedTuple, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo

_LONGEST_VALUE = 60
_LONGEST_KEY = 40
_LIKENESS = 0.6
_MOST_LISTED = 12
_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
_KINDS: Mapping[str, str] = {
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "finite_number": "a finite number",
    "bool_type": "true or false",
    "string_type": "a text in quotes",
    "tuple_type": "an array [...]",
    "list_type": "an array [...]",
    "dict_type": "a table of key = value",
    "model_type": "a table of key = value",
    "model_attributes_type": "a table of key = value",
}
_NUMERIC = ("int_type", "int_from_float", "float_type", "finite_number")


def one_line(text: object) -> str:
    """Return ``text`` on one line: every control character and line break becomes a space, runs of them one space."""
    return re.sub(r"[\s\x00-\x1f\x7f-\x9f\u2028\u2029]+", " ", str(text)).strip()


def show_value(value: object) -> str:
    """Return a short one-line rendering of a value, at most about 60 characters."""
    if isinstance(value, Mapping | list | tuple) and len(value) > _MOST_LISTED:
        return f"({len(value)} entries)"
    text = {True: "true", False: "false"}[value] if isinstance(value, bool) else repr(value)
    text = one_line(text)
    return text if len(text) <= _LONGEST_VALUE else text[: _LONGEST_VALUE - 3] + "..."


def show_key(key: object) -> str:
    """Return one step of a dotted path: bare where TOML allows it, else quoted and shortened."""
    text = str(key)
    if _BARE_KEY.fullmatch(text):
        return text if len(text) <= _LONGEST_KEY else text[: _LONGEST_KEY - 3] + "..."
    return show_value(text)


def dotted(path: Iterable[object]) -> str:
    """Return a path as ``a.b.0.c``."""
    return ".".join(show_key(step) for step in path)


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return a remedy for an unknown word: the most alike known one, else the list of them (shortened)."""
    names = sorted(set(known))
    near = difflib.get_close_matches(word[:_LONGEST_VALUE], names, n=1, cutoff=_LIKENESS)
    if near:
        return f"did you mean {near[0]!r}?"
    listed = ", ".join(names[:_MOST_LISTED]) + (", ..." if len(names) > _MOST_LISTED else "")
    return f"use one of: {listed}" if listed else "remove it"


def _models(annotation: Any) -> type[BaseModel] | None:
    """Return the settings table in an annotation such as ``X | None`` or ``tuple[X, ...]``, if there is one."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    for part in get_args(annotation):
        found = _models(part)
        if found is not None:
            return found
    return None


def _items(annotation: Any) -> Any:
    """Return the annotation of an item of a tuple or the values of a dict; None for anything else."""
    origin = get_origin(annotation)
    if origin in (Union, types.UnionType):
        for part in get_args(annotation):
            found = _items(part)
            if found is not None:
                return found
    if origin in (tuple, list):
        return get_args(annotation)[0]
    if origin is dict:
        return get_args(annotation)[1]
    return None


def table_at(root: type[BaseModel], path: Sequence[object]) -> type[BaseModel] | None:
    """Return the settings table that ``path`` leads to from ``root``; None where it leads to no table."""
    annotation: Any = root
    for step in path:
        model = _models(annotation)
        inside = _items(annotation)
        if isinstance(step, int) and inside is not None:
            annotation = inside
        elif model is not None and step in model.model_fields:
            annotation = model.model_fields[str(step)].annotation
        elif inside is not None:
            annotation = inside
        else:
            return None
    return _models(annotation)


def leaf_paths(root: type[BaseModel], prefix: str = "") -> Iterator[str]:
    """Yield the dotted path of every setting under ``root``; items of arrays of tables are left out."""
    for name, field in root.model_fields.items():
        model = None if get_origin(field.annotation) is tuple else _models(field.annotation)
        if model is None:
            yield prefix + name
        else:
            yield from leaf_paths(model, f"{prefix}{name}.")


class Limits(NamedTuple):
    """What a field may hold, in words: its kind, and its range or choices (empty where there is none)."""

    kind: str
    range: str


def _bounds(metadata: Iterable[Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for item in metadata:
        for nested in getattr(item, "metadata", None) or ():
            found |= _bounds([nested])
        for name in ("ge", "gt", "le", "lt", "min_length", "max_length", "pattern"):
            value = getattr(item, name, None)
            if value is not None:
                found[name] = value
    return found


def _flatten(annotation: Any, metadata: list[Any]) -> tuple[set[Any], list[Any]]:
    """Return the plain types and all metadata inside an annotation, through unions and ``Annotated``."""
    kinds: set[Any] = set()
    extra = list(metadata)
    more = list(getattr(annotation, "__metadata__", ()))
    origin = get_origin(annotation)
    if more:
        inner, deep = _flatten(annotation.__origin__, more)
        return kinds | inner, extra + deep
    if origin in (Union, types.UnionType):
        for part in get_args(annotation):
            inner, deep = _flatten(part, [])
            kinds |= inner
            extra += deep
        return kinds, extra
    return {annotation}, extra


def limits(field: FieldInfo) -> Limits:
    """Return the limits of a field in words, e.g. ``('a whole number', '2 to 128')``."""
    kinds, metadata = _flatten(field.annotation, list(field.metadata))
    for kind in kinds:
        if get_origin(kind) is Literal:
            return Limits("one of", ", ".join(str(choice) for choice in get_args(kind)))
    kind = "a whole number" if int in kinds else "a number" if float in kinds else ""
    bounds = _bounds(metadata)
    if "pattern" in bounds:
        return Limits("a text", "letters, digits, '_', '.' and '-', at most 64, starting with a letter or digit")
    low, high = bounds.get("ge", bounds.get("gt")), bounds.get("le", bounds.get("lt"))
    if low is None and high is None:
        return Limits(kind, "")
    if low is None or high is None:
        if high is None:
            return Limits(kind, f"{low:g} or more" if "ge" in bounds else f"above {low:g}")
        return Limits(kind, f"{high:g} or less" if "le" in bounds else f"below {high:g}")
    above = "above " if "gt" in bounds else ""
    below = "below " if "lt" in bounds else ""
    return Limits(kind, f"{above}{low:g} to {below}{high:g}")


def _field_at(root: type[BaseModel], path: Sequence[object]) -> FieldInfo | None:
    for end in range(len(path), 0, -1):
        table = table_at(root, path[: end - 1])
        if table is not None and path[end - 1] in table.model_fields:
            return table.model_fields[str(path[end - 1])]
    return None


def _unknown_key(root: type[BaseModel], path: Sequence[object]) -> str:
    table = table_at(root, path[:-1])
    siblings = list(table.model_fields) if table is not None else []
    word = str(path[-1])
    near = difflib.get_close_matches(word[:_LONGEST_VALUE], siblings, n=1, cutoff=_LIKENESS)
    remedy = f"did you mean {dotted((*path[:-1], near[0]))!r}?" if near else did_you_mean(word, siblings)
    if not near:
        elsewhere = [leaf for leaf in leaf_paths(root) if leaf.rsplit(".", 1)[-1] == word]
        remedy = f"did you mean {elsewhere[0]!r}?" if elsewhere else remedy
    return f"{dotted(path)} is not a setting; {remedy}"


def _describe(root: type[BaseModel], error: Mapping[str, Any]) -> str:
    """Return one clause for one pydantic error."""
    path: tuple[object, ...] = error["loc"]
    kind, value, message = error["type"], error["input"], one_line(error["msg"])
    where = f"{dotted(path)}={show_value(value)}" if path else show_value(value)
    if kind == "extra_forbidden":
        return _unknown_key(root, path)
    if kind == "missing":
        return f"{dotted(path)} is missing; add it"
    if kind in ("value_error", "assertion_error"):
        text = message.split(", ", 1)[1] if message.startswith(("Value error, ", "Assertion")) else message
        return f"{dotted(path)}: {text}" if path else text
    field = _field_at(root, path)
    allowed = limits(field) if field is not None else Limits("", "")
    if kind in _KINDS:
        tail = f" {_in_range(allowed)}" if allowed.range and kind in _NUMERIC else ""
        return f"{where} is not {_KINDS[kind]}; give {_KINDS[kind]}{tail}"
    if kind in ("literal_error", "enum"):
        choices = re.findall(r"'([^']*)'", str(error.get("ctx", {}).get("expected", "")))
        return f"{where} is not known; {did_you_mean(str(value), choices)}"
    if kind in ("too_long", "too_short"):
        context = error["ctx"]
        limit = context.get("max_length", context.get("min_length"))
        word = "at most" if kind == "too_long" else "at least"
        return f"{dotted(path)} has {context['actual_length']} entries; give {word} {limit}"
    if kind == "string_too_long":
        return f"{where} is too long; give at most {error['ctx']['max_length']} characters"
    if allowed.range:
        return f"{where} is outside its limits; give {(allowed.kind + ' ').lstrip()}{_in_range(allowed)}"
    return f"{where}: {message}; correct it"


def _in_range(allowed: Limits) -> str:
    if allowed.kind == "a text":
        return f"of {allowed.range}"
    return f"from {allowed.range}" if " to " in allowed.range else allowed.range


def explain(error: ValidationError, root: type[BaseModel], source: str) -> str:
    """Return one line for a validation error of ``root``: ``source``, the first fault, and how many more there are."""
    faults = error.errors(include_url=False)
    # An array whose entries are wrong is reported as too short as well: the entries are the fault.
    inner = {fault["loc"][:end] for fault in faults for end in range(len(fault["loc"]))}
    faults = [fault for fault in faults if fault["loc"] not in inner] or faults
    unknown = [fault for fault in faults if fault["type"] == "extra_forbidden"]
    first = _describe(root, unknown[0] if unknown else faults[0])
    more = f" (and {len(faults) - 1} more)" if len(faults) > 1 else ""
    return one_line(f"{source}: {first}{more}")
