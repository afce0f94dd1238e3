"""A setting is declared once: packed for the kernels, part of what is derived for them, or read elsewhere by name."""

from __future__ import annotations

import ast
from typing import Any, get_args, get_origin

import numpy as np
import pytest
from pydantic import BaseModel, ValidationError
from tree import Module, modules

from civsim.base.scenario import Frozen, Scenario
from civsim.base.settings import Packed, packed_settings, setting
from civsim.engine.compiled import PACKED, Config, Derived, compile_config

BASE: dict[str, Any] = {"thinking": {"belief": "optimistic"}}
"""A scenario in which no setting is refused for want of effect."""
ELSEWHERE = {
    "map.": "civsim.engine.land.landscape",
    "raiders.bands": "civsim.engine.state",
    "seat_default.levels_known": "civsim.engine.observation.book",
    "seat_default.policy.": "civsim.agents.registry",
    "name": "civsim.cli.catalog",
    "description": "civsim.cli.catalog",
    "rules": "civsim.base.scenario",
}
"""Settings that no kernel's record knows, by path or by the table they are in, and the module that reads them."""
CANDIDATES = (2, 3, 0.25, 0.5, 1.5, 1, 0, "other", ("army",), ("ore", "hazard", "raiders", "rivals"),
              ({"gain": 2.0},), ({"sham": "inert"},), {"a": 1})  # fmt: skip


def leaves(model: type[BaseModel], prefix: str = "") -> list[str]:
    """Every setting by path; a list of tables is one setting."""
    found = []
    for name, field in model.model_fields.items():
        options = [field.annotation, *(() if get_origin(field.annotation) is tuple else get_args(field.annotation))]
        table = next((o for o in options if isinstance(o, type) and issubclass(o, BaseModel)), None)
        found += leaves(table, f"{prefix}{name}.") if table else [f"{prefix}{name}"]
    return found


def with_value(path: str, value: Any) -> Scenario:
    """BASE with one setting changed."""
    tables: dict[str, Any] = {name: dict(table) for name, table in BASE.items()}
    *steps, last = path.split(".")
    inner = tables
    for step in steps:
        inner = inner.setdefault(step, {})
    inner[last] = value
    if steps[-1:] == ["price"] and steps[0] == "seat_default":  # a table that a seat has only if it is given whole
        inner |= {name: value for name in ("horizon", "sight", "attention") if name not in inner}
    return Scenario(**tables)


def another(path: str) -> Scenario | None:
    """BASE with another legal value of one setting; None where it has but one."""
    field: Any = Scenario
    for step in path.split("."):
        fields = next(o for o in (field, *get_args(field)) if hasattr(o, "model_fields")).model_fields
        field = fields[step].annotation
    choices = [choice for option in (field, *get_args(field)) for choice in get_args(option)]
    for value in (*choices, *CANDIDATES):
        try:
            changed = with_value(path, value)
        except (ValidationError, TypeError):
            continue
        if changed != Scenario(**BASE):
            return changed
    return None


def differing(one: Config, other: Config) -> set[str]:
    return {name for name in Config._fields if not np.array_equal(getattr(one, name), getattr(other, name))}


def words(module: Module) -> set[str]:
    """The attributes a module reads, and the fields it declares: LandConfig copies the land's settings by name."""
    nodes = list(ast.walk(module.tree))
    fields = {node.target.id for node in nodes if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name)}
    return fields | {node.attr for node in nodes if isinstance(node, ast.Attribute)}


def read_in_the_engine() -> set[str]:
    """Every name that is read of a record called ``cfg`` or ``config``, outside the file that makes it."""
    engine = [m for m in modules() if m.name.startswith("civsim.engine") and m.name != compile_config.__module__]
    nodes = [node for module in engine for node in ast.walk(module.tree) if isinstance(node, ast.Attribute)]
    return {
        node.attr
        for node in nodes
        if (isinstance(node.value, ast.Name) and node.value.id in {"cfg", "config"})
        or (isinstance(node.value, ast.Attribute) and node.value.attr == "config")
    }


@pytest.mark.parametrize("path", leaves(Scenario))
def test_a_setting_reaches_the_kernels_or_a_module_that_reads_it(path: str) -> None:
    home = next((module for prefix, module in ELSEWHERE.items() if path == prefix or path.startswith(prefix)), None)
    changed = another(path)
    if changed is not None and differing(compile_config(Scenario(**BASE)), compile_config(changed)):
        return
    assert home is not None, "no kernel sees it: declare it with packed, derive something from it, or say who reads it"
    assert path.split(".")[-1] in words(next(module for module in modules() if module.name == home))


def test_everything_that_is_packed_or_derived_is_read() -> None:
    assert set(Config._fields) - read_in_the_engine() == set()


@pytest.mark.parametrize("one", PACKED, ids=lambda one: one.name)
def test_a_packed_setting_changes_its_own_entry_and_has_the_declared_type(one: Packed) -> None:
    entry = getattr(compile_config(Scenario()), one.name)
    if one.listed:
        assert entry.dtype == {int: np.int32, float: np.float64}[one.kind]
        assert entry.tolist() == [getattr(kind, one.path[-1]) for kind in Scenario().works.menu]
    else:
        assert type(entry) is one.kind
        changed = another(".".join(one.path))
        assert changed is not None
        assert one.name in differing(compile_config(Scenario()), compile_config(changed))


def test_a_number_is_packed_as_declared_however_it_was_written() -> None:
    """A copy of a scenario is not validated again: a whole number may stand where a float is declared."""
    scenario = Scenario()
    claims = scenario.claims.model_copy(update={"cost": 4})
    assert type(claims.cost) is int
    entry = compile_config(scenario.model_copy(update={"claims": claims})).claim_cost
    assert type(entry) is float
    assert entry == 4.0


def test_no_name_is_both_packed_and_derived() -> None:
    assert len(set(Config._fields)) == len(Config._fields) == len(PACKED) + len(Derived._fields)


class Inner(Frozen):
    share: float = setting(0.5, "a share", packed="share", ge=0.0)
    plain: int = setting(1, "kept from the kernels")


class Outer(Frozen):
    inner: Inner = Inner()
    rows: tuple[Inner, ...] = ()
    on: bool = setting(False, "a switch", packed="on")


def test_a_declaration_is_all_it_takes() -> None:
    class Root(Frozen):
        inner: Inner = Inner()
        on: bool = setting(True, "a switch", packed="on")

    share, on = packed_settings(Root)
    assert (share.value(Root()), on.value(Root())) == (0.5, True)
    assert Root.model_fields["on"].description == "a switch"
    with pytest.raises(ValidationError, match="greater than or equal to 0"):
        Inner(share=-1.0)


def test_a_list_of_tables_is_one_array_a_setting() -> None:
    class Rows(Frozen):
        rows: tuple[Inner, ...] = ()

    (share,) = packed_settings(Rows)
    assert share == Packed("share", ("rows", "share"), float, True)
    assert share.value(Rows(rows=(Inner(), Inner(share=2.0)))) == [0.5, 2.0]


def test_a_name_declared_twice_is_refused() -> None:
    with pytest.raises(TypeError, match="packed=share is declared twice"):
        packed_settings(Outer)


def test_what_no_kernel_can_read_is_not_packed() -> None:
    class Words(Frozen):
        name: str = setting("", "words", packed="name")

    with pytest.raises(TypeError, match="name is packed as <class 'str'>; make it bool, int or float, or derive it"):
        packed_settings(Words)
