"""docs/model.md says what the code says."""

from __future__ import annotations

import importlib.util
import math
import re
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from civsim.base.scenario import Frozen, Scenario
from civsim.engine.observation.features import FEATURES, OFFICE_TABLE
from civsim.engine.state import SPEC, Orders, bytes_per_world

DOCS = Path(__file__).resolve().parents[2] / "docs"
TEXT = (DOCS / "model.md").read_text(encoding="utf-8")
ELEMENTS = [
    "1. Purpose and patterns",
    "2. Entities, state variables and scales",
    "3. Process overview and scheduling",
    "4. Design concepts",
    "5. Initialization",
    "6. Input data",
    "7. Submodels",
]
CONCEPTS = ["Basic principles", "Emergence", "Adaptation", "Objectives", "Learning", "Prediction", "Sensing",
            "Interaction", "Stochasticity", "Collectives", "Observation"]  # fmt: skip


def generator() -> ModuleType:
    spec = importlib.util.spec_from_file_location("docs_tables", DOCS / "tables.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def settings(table: type[Frozen], prefix: str = "") -> set[str]:
    """The dotted path of every setting, found another way than the generator finds them: by walking a dump."""
    menu = {"works": {"menu": "[]"}}

    def walk(value: object, path: str) -> set[str]:
        if isinstance(value, dict) and value:
            return set().union(*(walk(inner, f"{path}.{name}" if path else name) for name, inner in value.items()))
        if path == "works.menu":
            assert menu
            (first, *_) = value  # type: ignore[misc]
            return walk(first, "works.menu[]")
        return {path}

    return walk(table().model_dump(), prefix)


def test_the_tables_are_those_of_the_code() -> None:
    assert generator().rewritten(TEXT) == TEXT, "run `make docs`"


def test_the_check_notices_a_stale_table(tmp_path: Path) -> None:
    module = generator()
    module.MODEL = tmp_path / "model.md"
    module.MODEL.write_text(TEXT.replace("| `fertility` |", "| `fecundity` |"), encoding="utf-8")
    sys.argv, kept = ["tables.py", "--check"], sys.argv
    try:
        assert module.main() == 1
        sys.argv = ["tables.py"]
        assert module.main() == 0
    finally:
        sys.argv = kept
    assert module.MODEL.read_text(encoding="utf-8") == TEXT


def test_a_missing_marker_is_named() -> None:
    with pytest.raises(ValueError, match="<!-- table: state -->"):
        generator().rewritten(TEXT.replace("<!-- table: state -->", ""))


def test_the_command_agrees() -> None:
    done = subprocess.run([sys.executable, str(DOCS / "tables.py"), "--check"], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "")


def test_the_seven_elements_stand_in_order() -> None:
    assert re.findall(r"^## (\d\. .+)$", TEXT, re.MULTILINE) == ELEMENTS


def test_the_eleven_design_concepts_stand_in_order() -> None:
    section = TEXT.split("## 4. Design concepts")[1].split("## 5.")[0]
    assert re.findall(r"^\*\*(.+?)\.\*\*", section, re.MULTILINE) == CONCEPTS


def test_every_state_variable_is_listed_once() -> None:
    listed = re.findall(r"^\| `(\w+)` \| \[B", TEXT, re.MULTILINE)
    assert sorted(listed) == sorted([*SPEC, *Orders._fields])


def test_every_setting_is_listed_once() -> None:
    section = TEXT.split("<!-- table: parameters -->")[1].split("<!-- end: parameters -->")[0]
    listed = re.findall(r"^\| `([^`]+)` \|", section, re.MULTILINE)
    assert len(listed) == len(set(listed))
    assert set(listed) == settings(Scenario) - {"seats"}


def test_every_setting_has_a_meaning() -> None:
    section = TEXT.split("<!-- table: parameters -->")[1].split("<!-- end: parameters -->")[0]
    assert not re.findall(r"^\|.*\|\s*\|$", section, re.MULTILINE)


def test_every_feature_of_the_first_rival_and_of_the_rest_is_listed() -> None:
    section = TEXT.split("<!-- table: features -->")[1].split("<!-- end: features -->")[0]
    listed = set(re.findall(r"^\| `([^`]+)` \|", section, re.MULTILINE))
    shown = {re.sub(r"^rival\d_", "rival<i>_", feature) for feature in FEATURES}
    assert listed == shown | {feature.name for feature in OFFICE_TABLE}


def test_the_memory_of_a_default_world_is_as_stated() -> None:
    assert f"takes {bytes_per_world(Scenario()):,} bytes of state" in TEXT


def test_the_memory_of_seats_of_thought_is_as_stated() -> None:
    told = [
        bytes_per_world(Scenario.model_validate({"thinking": {"seats": {"count": count, "messenger": messenger}}}))
        for messenger in (math.inf, 2.0)
        for count in (2, 4, 8)
    ]
    stated = "2, 4 or 8 seats takes {:,}, {:,} or {:,} bytes where news is at once, and {:,}, {:,} or {:,} with"
    assert stated.format(*told) in " ".join(TEXT.split())
    axes = {("M", "C"): 15, ("C'",): 5, ("D", "C'"): 10, ("N", "D", "C'"): 1}
    for shape, size in axes.items():
        found = sum(np.dtype(spec.dtype).itemsize for spec in SPEC.values() if spec.shape[1:] == shape)
        assert found == size, shape


def test_every_setting_named_in_the_text_exists() -> None:
    """A dotted name in code type that begins with a section of the scenario is a setting."""
    known = settings(Scenario)
    sections = {path.split(".")[0] for path in known}
    named = {name for name in re.findall(r"`([a-z_]+(?:\.[a-z_]+)+)`", TEXT) if name.split(".")[0] in sections}
    tables = {path.rsplit(".", depth)[0] for path in known for depth in (1, 2)}
    assert named <= {path.replace("[]", "") for path in known | tables}
