"""The known answers, found in this package, and the parameters that the command line gives them."""

from __future__ import annotations

import pkgutil
from collections.abc import Sequence
from importlib import import_module
from typing import Any, NamedTuple, get_args, get_origin

from pydantic import ValidationError
from pydantic.fields import FieldInfo

from civsim.base.errors import StudyError
from civsim.base.scenario import Frozen
from civsim.scenarios.complaints import did_you_mean, explain, limits, show_value
from civsim.validation.case import KnownAnswer


class Configured(NamedTuple):
    """A case and the parameters it is to be run with."""

    case: KnownAnswer
    settings: Frozen


def known_answers() -> tuple[KnownAnswer, ...]:
    """Return every case, by its number: the ``CASE`` of each module of this package that has one."""
    import civsim.validation as home

    modules = (import_module(f"{home.__name__}.{found.name}") for found in pkgutil.iter_modules(home.__path__))
    cases = [module.CASE for module in modules if hasattr(module, "CASE")]
    return tuple(sorted(cases, key=lambda case: int(case.name.removeprefix("K"))))


def choose(names: Sequence[str]) -> tuple[KnownAnswer, ...]:
    """Return the cases named, in the order of their numbers; all of them where none is named.

    Raises:
        StudyError: there is no such case.
    """
    known = {case.name: case for case in known_answers()}
    asked = {name.upper() for name in names}
    for name in names:
        if name.upper() not in known:
            raise StudyError(f"case {name!r} is not known; choose from {', '.join(known)}")
    return tuple(case for name, case in known.items() if not asked or name in asked)


def _home(key: str, cases: Sequence[KnownAnswer]) -> tuple[KnownAnswer, str]:
    """Return the case that a key of ``--set`` is a parameter of, and the parameter's name."""
    prefix, dot, name = key.rpartition(".")
    if dot:
        for case in cases:
            if case.name == prefix.upper():
                return case, name
        raise StudyError(f"--set {key}: {prefix} is not run; name the case as an argument, or drop the setting")
    owners = [case for case in cases if name in case.settings.model_fields]
    if len(owners) == 1 or len(cases) == 1:
        return (owners or cases)[0], name
    if not owners:
        every = sorted({field for case in cases for field in case.settings.model_fields})
        raise StudyError(f"--set {name} is a parameter of none of the cases; {did_you_mean(name, every)}")
    names = ", ".join(case.name for case in owners)
    raise StudyError(f"--set {name} is a parameter of {names}; write {owners[0].name}.{name}=... or run one case")


def configure(cases: Sequence[KnownAnswer], values: dict[str, Any]) -> tuple[Configured, ...]:
    """Return the cases with their parameters: ``values`` by ``name`` or ``CASE.name``, the defaults for the rest.

    Raises:
        StudyError: an unknown or ambiguous parameter, one given twice, or a value out of range.
    """
    given: dict[str, dict[str, Any]] = {case.name: {} for case in cases}
    for key, value in values.items():
        case, name = _home(key, cases)
        if name in given[case.name]:
            raise StudyError(f"--set gives {case.name}.{name} twice; give it once")
        given[case.name][name] = value
    found = []
    for case in cases:
        try:
            found.append(Configured(case, case.settings.model_validate(given[case.name])))
        except ValidationError as error:
            raise StudyError(_complaint(error, case)) from None
    return tuple(found)


def _item(field: FieldInfo) -> FieldInfo:
    """Return what one value of a field must be: the field itself where it takes but one."""
    if get_origin(field.annotation) is not tuple:
        return field
    return FieldInfo.from_annotation(get_args(field.annotation)[0])


def _complaint(error: ValidationError, case: KnownAnswer) -> str:
    """Return one line: the case, the parameter and its value, the limit and the remedy."""
    first = error.errors(include_url=False)[0]
    if len(first["loc"]) == 2 and first["loc"][0] in case.settings.model_fields:
        name = str(first["loc"][0])
        allowed = limits(_item(case.settings.model_fields[name]))
        word = "from " if " to " in allowed.range else ""
        wrong = f"{case.name}: {name}={show_value(first['input'])} is not allowed"
        return f"{wrong}; give {allowed.kind} {word}{allowed.range}"
    if isinstance(first["input"], str) and "," in first["input"]:
        name = ".".join(str(step) for step in first["loc"])
        return f"{case.name}: {name} takes one value; run the case once for each of {show_value(first['input'])[1:-1]}"
    return explain(error, case.settings, case.name)


class Parameter(NamedTuple):
    """A parameter of a case, for people."""

    name: str
    limits: str
    default: str
    description: str


def parameters(case: KnownAnswer) -> tuple[Parameter, ...]:
    """Return the parameters of a case: name, range, default and description."""
    rows = []
    for name, field in case.settings.model_fields.items():
        several = get_origin(field.annotation) is tuple
        text = ",".join(_plain(value) for value in field.default) if several else _plain(field.default)
        allowed = limits(_item(field))
        words = " ".join(part for part in ("one or more:" if several else "", allowed.kind, allowed.range) if part)
        rows.append(Parameter(name, words, text, field.description or ""))
    return tuple(rows)


def _plain(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)
