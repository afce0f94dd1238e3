"""The house rules: sizes, docstrings, exported names, forbidden calls, and a wheel that holds the whole tree."""

from __future__ import annotations

import ast
import pkgutil
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
from tree import ROOT, SISTERS, Module, file_of, imports_of, modules, target_of, test_files
from wheels import build, build_sdist, environment, install

import civsim

MOST_LINES = 400
MOST_TEST_LINES = 600
MOST_FUNCTION_LINES = 60
UNSAFE_MODULES = {"pickle", "cPickle", "dill", "cloudpickle", "joblib", "marshal", "shelve"}
UNSAFE_CALLS = {"eval", "exec", "compile", "__import__"}
KEPT = {"random.getstate", "random.setstate"}
"""Global generators may be put back as they were found, round a library that seeds them; never drawn from."""
SEEDED = {"get_state", "set_state", "default_rng", "SeedSequence", "Generator", "Philox", "PCG64", "BitGenerator"}
EVERY = pytest.mark.parametrize("module", modules(), ids=lambda module: module.name)
Function = ast.FunctionDef | ast.AsyncFunctionDef


def lines(path: Path) -> int:
    return len(path.read_text(encoding="utf-8").splitlines())


def public(tree: ast.Module) -> Iterator[tuple[str, Function | ast.ClassDef]]:
    """The public functions and classes of a module, and the public methods of its public classes."""
    for node in tree.body:
        if isinstance(node, Function | ast.ClassDef) and not node.name.startswith("_"):
            yield node.name, node
            if isinstance(node, ast.ClassDef):
                for inner in node.body:
                    if isinstance(inner, Function) and not inner.name.startswith("_"):
                        yield f"{node.name}.{inner.name}", inner


def dotted(node: ast.expr) -> str:
    """The dotted name an expression spells, or ''."""
    if isinstance(node, ast.Attribute):
        left = dotted(node.value)
        return f"{left}.{node.attr}" if left else ""
    return node.id if isinstance(node, ast.Name) else ""


def calls(tree: ast.Module) -> set[str]:
    return {dotted(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}


@EVERY
def test_a_module_has_at_most_400_lines(module: Module) -> None:
    assert lines(module.path) <= MOST_LINES


@pytest.mark.parametrize("module", test_files(), ids=lambda module: str(module.path.relative_to(ROOT / "tests")))
def test_a_test_file_has_at_most_600_lines(module: Module) -> None:
    assert lines(module.path) <= MOST_TEST_LINES


@EVERY
def test_a_function_has_at_most_60_lines(module: Module) -> None:
    functions = [node for node in ast.walk(module.tree) if isinstance(node, Function)]
    assert [f.name for f in functions if (f.end_lineno or 0) - f.lineno + 1 > MOST_FUNCTION_LINES] == []


@EVERY
def test_every_public_name_has_a_docstring(module: Module) -> None:
    assert ast.get_docstring(module.tree), "the module has none"
    assert [name for name, node in public(module.tree) if not ast.get_docstring(node)] == []


@EVERY
def test_no_global_generator(module: Module) -> None:
    drawn = {name for name in calls(module.tree) if name.startswith(("np.random.", "numpy.random."))}
    assert {name for name in drawn if name.split(".")[2] not in SEEDED} == set()
    assert {name for name in calls(module.tree) if name.startswith("random.")} <= KEPT
    assert not any(name.startswith("random.") for _, name in imports_of(module))


@EVERY
def test_no_generator_with_a_state_below_the_agents(module: Module) -> None:
    if module.name.startswith(("civsim.base", "civsim.engine")):
        assert not any(".random." in name for name in calls(module.tree))


@EVERY
def test_no_pickle_and_no_eval(module: Module) -> None:
    assert UNSAFE_MODULES.isdisjoint(name.split(".")[0] for _, name in imports_of(module))
    assert UNSAFE_CALLS.isdisjoint(calls(module.tree))
    for node in ast.walk(module.tree):
        if isinstance(node, ast.keyword) and node.arg == "allow_pickle":
            assert isinstance(node.value, ast.Constant)
            assert node.value.value is False


@EVERY
def test_no_exception_is_swallowed(module: Module) -> None:
    handlers = [node for node in ast.walk(module.tree) if isinstance(node, ast.ExceptHandler)]
    for handler in handlers:
        names = {dotted(handler.type)} if handler.type is not None else {""}
        silent = all(isinstance(node, ast.Pass | ast.Continue) for node in handler.body)
        assert handler.type is not None, f"{module.name}:{handler.lineno} catches everything"
        assert not (silent and names & {"Exception", "BaseException"}), f"{module.name}:{handler.lineno} is silent"


def test_exported_names() -> None:
    assert civsim.__all__ == sorted(civsim.__all__)
    for name in civsim.__all__:
        assert getattr(civsim, name) is not None
        assert name in dir(civsim)


def test_type_checkers_see_the_names_that_are_exported() -> None:
    tree = ast.parse((ROOT / "civsim" / "__init__.py").read_text())
    (guarded,) = [node for node in tree.body if isinstance(node, ast.If)]
    seen = {
        alias.name: node.module for node in guarded.body if isinstance(node, ast.ImportFrom) for alias in node.names
    }
    assert seen == civsim._HOME


def test_a_name_that_is_not_exported_says_what_is() -> None:
    with pytest.raises(AttributeError, match="no attribute 'Wrold'; it exports .*World"):
        civsim.Wrold  # noqa: B018


def test_every_error_is_exported() -> None:
    from civsim.base import errors

    kinds = {name for name, value in vars(errors).items() if isinstance(value, type)}
    assert kinds <= set(civsim.__all__)
    assert all(issubclass(getattr(errors, name), errors.CivsimError) for name in kinds)


def test_the_version_is_stated_once() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert f"version: {project['version']}" in (ROOT / "CITATION.cff").read_text()
    assert f"## {project['version']}" in (ROOT / "CHANGELOG.md").read_text()


def test_everything_that_is_needed_is_pinned() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    needed = [*project["dependencies"], *(one for extra in project["optional-dependencies"].values() for one in extra)]
    names = {one.split("[")[0].split(">")[0].split("=")[0].strip().lower().replace("_", "-") for one in needed}
    pinned = {line.split("==")[0].lower().replace("_", "-") for line in (ROOT / "constraints.txt").read_text().split()}
    assert names - {"civsim"} <= pinned


def test_what_is_imported_is_required_and_what_is_required_is_imported() -> None:
    """Extras are for what is imported only where it is asked for.

    TensorBoard only Stable-Baselines3 imports; of the extra ``viz`` a page imports Solara and what serves it, which
    Mesa's own extra brings.
    """
    brought_by_mesa = {"solara-ui", "starlette", "uvicorn"}
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    kinds = ("export", "pettingzoo", "query", "sensitivity", "tune", "video", "window")
    extras = [one for name in kinds for one in project["optional-dependencies"][name]]
    required = {one.split(">")[0].strip().lower() for one in (*project["dependencies"], *extras)}
    homes = packages_distributions()
    imported = {name.split(".")[0] for module in modules() for _, name in imports_of(module)}
    imported -= set(sys.stdlib_module_names) | {"civsim"}
    used = {homes[name][0].lower().replace("_", "-") for name in imported}
    assert used - brought_by_mesa == required
    assert brought_by_mesa < used


@pytest.mark.parametrize("sister", SISTERS)
def test_a_sister_is_linked_into_the_package(sister: str) -> None:
    link = ROOT / "civsim" / sister
    assert link.is_symlink()
    assert link.readlink() == Path("..") / sister  # it holds wherever the checkout lies


@pytest.mark.parametrize("module", [*modules(), *test_files()], ids=lambda module: str(module.path.relative_to(ROOT)))
def test_every_import_of_ours_is_found_by_its_path_alone(module: Module) -> None:
    """What editors and type checkers do with a checkout that is not installed."""
    for line, name in imports_of(module):
        if name.split(".")[0] == "civsim":
            home = target_of(name)
            assert home.count(".") >= name.count(".") - 1, f"{module.path}:{line} imports {name}"
            found = file_of(home)
            assert found is not None, f"{module.path}:{line} imports {name}"
            assert found.resolve() == next(known.path for known in modules() if known.name == home)


def test_the_package_is_walked_whole() -> None:
    walked = [found.name for found in pkgutil.walk_packages(civsim.__path__, "civsim.")]
    assert sorted(walked) == [module.name for module in modules() if module.name != "civsim"]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(tmp_path_factory.mktemp("wheel"))


def test_the_wheel_holds_the_whole_tree(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        shipped = {name for name in archive.namelist() if ".dist-info/" not in name}
    expected = {"civsim/py.typed"}
    for folder, prefix in (("civsim", "civsim"), *((sister, f"civsim/{sister}") for sister in SISTERS)):
        for pattern in ("*.py", "*.toml", "*.json", "*.npz", "*.safetensors", "*.jinja", "*.js", "*.css", "*.vue"):
            for path in (ROOT / folder).rglob(pattern):
                expected.add(f"{prefix}/{path.relative_to(ROOT / folder).as_posix()}")
    assert shipped == expected


def test_the_source_distribution_holds_the_package_once_and_builds_the_same_wheel(wheel: Path, tmp_path: Path) -> None:
    with tarfile.open(build_sdist(tmp_path)) as archive:
        files = [member.name.split("/", 1)[1] for member in archive.getmembers() if member.isfile()]
        assert not any(member.issym() for member in archive.getmembers())
        archive.extractall(tmp_path / "unpacked", filter="data")
    with zipfile.ZipFile(wheel) as built:
        shipped = {name: built.read(name) for name in built.namelist() if ".dist-info/" not in name}
    package = [name for name in files if not name.startswith("civsim.egg-info/") and "/" in name]
    assert sorted(package) == sorted(shipped)
    (source,) = (tmp_path / "unpacked").iterdir()
    with zipfile.ZipFile(build(tmp_path, source)) as again:
        assert {name: again.read(name) for name in again.namelist() if ".dist-info/" not in name} == shipped


def test_the_installed_wheel_works_from_another_folder(wheel: Path, tmp_path: Path) -> None:
    site, elsewhere = tmp_path / "site", tmp_path / "elsewhere"
    elsewhere.mkdir()
    install(wheel, site)
    code = (
        "import civsim, civsim.agents, civsim.analysis, civsim.scenarios, sys\n"
        "print(civsim.__file__, civsim.scenarios.__file__)\n"
        "from civsim.cli import main\nraise SystemExit(main())"
    )
    command = [sys.executable, "-c", code, "--help"]
    done = subprocess.run(command, cwd=elsewhere, env=environment(site), capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    first, *rest = done.stdout.splitlines()
    assert all(part.startswith(str(site)) for part in first.split())
    assert any("batch" in line for line in rest)
