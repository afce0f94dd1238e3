"""How a setting is declared: once, with its default, its meaning, its limits, and the name kernels read it by.

``cost: Positive = setting(4.0, "cost of a claim (output)", packed="claim_cost")`` is all there is to write: the loader
checks it, ``make docs`` lists it, and :mod:`civsim.engine.compiled` hands it to every kernel as ``cfg.claim_cost``.
"""

from __future__ import annotations

from collections.abc import Iterator
from types import UnionType
from typing import Any, NamedTuple, Union, get_args, get_origin

from pydantic import BaseModel, ConfigDict, Field

SCALARS = (bool, int, float)
"""What a kernel may read a setting as."""


class Frozen(BaseModel):
    """Base of every settings table: immutable, unknown keys refused."""

    # A setting may be infinite, and stays so when its table is written out.
    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=True, ser_json_inf_nan="constants")


def setting(default: Any, meaning: str, *, packed: str | None = None, **limits: Any) -> Any:
    """Declare a setting; the result stands where pydantic's ``Field`` would.

    Args:
        default: its value where a scenario does not give it.
        meaning: what it is, with its unit, for the documentation.
        packed: the name by which kernels read it, as it is; None where none does or what they read is derived.
        limits: pydantic's, such as ``ge=0``.
    """
    extra: dict[str, Any] | None = None if packed is None else {"packed": packed}
    return Field(default, description=meaning, json_schema_extra=extra, **limits)


class Packed(NamedTuple):
    """A setting that kernels read as it is."""

    name: str  # of the kernels' record
    path: tuple[str, ...]  # of the scenario
    kind: type  # bool, int or float: a kernel's type never follows from how a value was written
    listed: bool  # one value for each entry of a list of tables

    def value(self, root: BaseModel) -> bool | int | float | list[bool | int | float]:
        """Return the value in the tables of ``root``, of the declared kind; a list where there is one an entry."""
        found: Any = root
        for step in self.path[: -1 - self.listed]:
            found = getattr(found, step)
        if self.listed:
            return [self.kind(getattr(entry, self.path[-1])) for entry in getattr(found, self.path[-2])]
        value: bool | int | float = self.kind(getattr(found, self.path[-1]))
        return value


def packed_settings(root: type[BaseModel]) -> tuple[Packed, ...]:
    """Return every setting under ``root`` that is declared with ``packed``, in the order of declaration.

    Raises:
        TypeError: one is neither bool, int nor float, or two have one name: a fault of the declaration.
    """
    found = tuple(_walk(root, (), listed=False))
    for one in found:
        if one.kind not in SCALARS:
            raise TypeError(f"{'.'.join(one.path)} is packed as {one.kind}; make it bool, int or float, or derive it")
    names = [one.name for one in found]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise TypeError(f"packed={', '.join(twice)} is declared twice; give each setting its own name")
    return found


def _walk(table: type[BaseModel], path: tuple[str, ...], listed: bool) -> Iterator[Packed]:
    for name, field in table.model_fields.items():
        here = (*path, name)
        if isinstance(field.json_schema_extra, dict) and "packed" in field.json_schema_extra:
            kind: Any = field.annotation
            yield Packed(str(field.json_schema_extra["packed"]), here, kind, listed)
        for inner, of_list in _tables_in(field.annotation):
            yield from _walk(inner, here, listed or of_list)


def _tables_in(annotation: Any) -> Iterator[tuple[type[BaseModel], bool]]:
    """Yield the table a field holds, and whether it holds a list of them."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation, False
    elif get_origin(annotation) is tuple:
        for kind, _ in _tables_in(get_args(annotation)[0]):
            yield kind, True
    elif get_origin(annotation) in (Union, UnionType):
        for member in get_args(annotation):
            yield from _tables_in(member)
