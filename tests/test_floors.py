"""The house stands on its floors: each imports only downward, and importing stays cheap."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from tree import ENGINE, FLOORS, Module, arrows, below, circles, floor_of, imports_of, modules

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


def room_of(name: str) -> str | None:
    """The room of the engine, or the file of its folder, that a module belongs to."""
    parts = name.split(".")
    return parts[2] if parts[:2] == ["civsim", "engine"] and len(parts) > 2 else None


@EVERY
def test_a_module_imports_only_downward(module: Module) -> None:
    assert upward(module) == []


def test_no_modules_import_each_other_in_a_circle() -> None:
    assert circles(arrows()) == []


def test_every_room_of_the_engine_has_its_floor() -> None:
    rooms = {room for module in modules() if (room := room_of(module.name)) is not None}
    assert rooms - set(ENGINE) == set(), "say in tests/support/tree.py what it stands on"


@pytest.mark.parametrize("room", ENGINE)
def test_a_room_of_the_engine_imports_only_from_below(room: str) -> None:
    found = {(name, other) for name, others in arrows().items() if room_of(name) == room for other in others}
    assert {(name, other) for name, other in found if (room_of(other) or room) not in below(room)} == set()


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


def test_the_check_sees_a_circle_through_a_function_and_none_through_types(tmp_path: Path) -> None:
    import ast

    def module(name: str, source: str) -> Module:
        return Module(name, tmp_path / "x.py", ast.parse(source))

    one, two = "civsim.agents.policy", "civsim.agents.registry"
    there = module(two, f"from {one} import Policy")
    late = module(one, f"def f():\n    from {two} import make_policy\n")
    typed = module(one, f"if TYPE_CHECKING:\n    from {two} import make_policy\n")
    assert circles(arrows([there, late])) == [[one, two]]
    assert circles(arrows([there, typed])) == []
    assert circles({"a": {"b"}, "b": {"c"}, "c": {"a", "d"}, "d": {"e"}, "e": set()}) == [["a", "b", "c"]]


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
    code = f"import {order[0]}, {order[1]}\nprint('civsim/Civilization-v1' in gymnasium.registry)"
    assert fresh(code) == "True"


@pytest.mark.parametrize("sister", ["agents", "scenarios", "analysis"])
def test_a_sister_refuses_its_bare_name(sister: str) -> None:
    from tree import ROOT

    done = subprocess.run([sys.executable, "-c", f"import {sister}"], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 1
    assert f"ImportError: import civsim.{sister}, not {sister}" in done.stderr.splitlines()[-1]
