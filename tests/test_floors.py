"""The house stands on its floors: each imports only downward, and importing stays cheap."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from tree import FLOORS, Module, floor_of, imports_of, modules

HEAVY = ("torch", "stable_baselines3", "mesa", "solara", "matplotlib", "pandas", "numba", "numpy", "scipy", "pyarrow",
         "gymnasium", "duckdb", "statsmodels", "sklearn")  # fmt: skip
NOT_BELOW_FACES = {"torch", "stable_baselines3", "mesa", "solara", "matplotlib", "pandas", "gymnasium", "pettingzoo",
                   "typer", "rich", "pyarrow", "duckdb", "statsmodels", "sklearn"}  # fmt: skip
FRONT_DOOR = {"civsim.__version__"}
EVERY = pytest.mark.parametrize("module", modules(), ids=lambda module: module.name)


def upward(module: Module) -> list[str]:
    """What a module imports that it may not: a higher floor, or a name through the front door."""
    here = floor_of(module.name)
    if here is None:
        return []
    wrong = []
    for line, name in imports_of(module):
        if name.split(".")[0] != "civsim" or name in FRONT_DOOR:
            continue
        there = floor_of(name)
        if there is None or there > here:
            wrong.append(f"{module.path.name}:{line} imports {name}")
    return wrong


@EVERY
def test_a_module_imports_only_downward(module: Module) -> None:
    assert upward(module) == []


@EVERY
def test_no_module_imports_a_sister_by_its_bare_name(module: Module) -> None:
    bare = {name.split(".")[0] for _, name in imports_of(module)}
    assert bare.isdisjoint({"agents", "scenarios", "analysis", "tests", "docs"})


@EVERY
def test_the_rules_know_no_face_and_no_learner(module: Module) -> None:
    floor = floor_of(module.name)
    if floor is not None and floor < FLOORS.index("civsim.faces"):
        assert NOT_BELOW_FACES.isdisjoint(name.split(".")[0] for _, name in imports_of(module))


@EVERY
def test_analysis_never_touches_live_state(module: Module) -> None:
    if module.name.startswith("civsim.analysis"):
        live = ("civsim.engine", "civsim.faces")
        assert [name for _, name in imports_of(module) if name.startswith(live)] == []


def test_the_check_sees_an_upward_import(tmp_path: Path) -> None:
    import ast

    source = "def f():\n    from civsim.engine.state import State\n    from ..faces import x\n"
    bad = Module("civsim.base.bad", tmp_path / "bad.py", ast.parse(source))
    assert len(upward(bad)) == 2


def test_every_module_is_on_a_floor_or_at_the_front_door() -> None:
    at_the_door = {module.name for module in modules() if floor_of(module.name) is None}
    assert at_the_door <= {"civsim", "civsim._gymnasium_hook", "civsim.__main__"}


def fresh(code: str) -> str:
    """What a fresh interpreter prints for ``code``."""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return done.stdout.strip()


@pytest.mark.parametrize("entry", ["import civsim", "import civsim; civsim.Scenario(); civsim.__version__"])
def test_import_civsim_is_cheap(entry: str) -> None:
    assert fresh(f"{entry}\nimport sys; print([m for m in {HEAVY!r} if m in sys.modules])") == "[]"


def test_help_loads_nothing_heavy() -> None:
    code = (
        "import sys\nsys.argv = ['civsim', '--help']\nfrom civsim.cli import main\n"
        "assert main() == 0\n"
        f"print('\\nheavy:', [m for m in {HEAVY!r} if m in sys.modules])"
    )
    assert fresh(code).endswith("heavy: []")


@pytest.mark.parametrize("order", [("civsim", "gymnasium"), ("gymnasium", "civsim")])
def test_the_environment_is_registered_in_either_order_of_import(order: tuple[str, str]) -> None:
    code = f"import {order[0]}, {order[1]}\nprint('civsim/Civilization-v0' in gymnasium.registry)"
    assert fresh(code) == "True"


@pytest.mark.parametrize("sister", ["agents", "scenarios", "analysis"])
def test_a_sister_refuses_its_bare_name(sister: str) -> None:
    from tree import ROOT

    done = subprocess.run([sys.executable, "-c", f"import {sister}"], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 1
    assert f"ImportError: import civsim.{sister}, not {sister}" in done.stderr.splitlines()[-1]
