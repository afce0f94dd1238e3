"""Own parts by name: how they are found, which code they are, and what is said where there is none."""

from __future__ import annotations

import importlib
import sys
from functools import partial
from importlib.machinery import EXTENSION_SUFFIXES
from operator import itemgetter
from pathlib import Path

import pytest

from civsim.base import own
from civsim.base.errors import CivsimError
from civsim.base.own import Reference, load_own, parse_reference, plugins, source_digest_of, source_digest_of_object


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the folder of a package of somebody's: a part, a helper beside it, and one that nothing imports."""
    folder = tmp_path / "somebodys"
    folder.mkdir()
    (folder / "__init__.py").write_text("")
    (folder / "part.py").write_text("import json\nimport numpy\nfrom . import helper\ndef made(): return helper.K\n")
    (folder / "helper.py").write_text("K = 1\n")
    (folder / "other.py").write_text("K = 2\n")
    monkeypatch.syspath_prepend(tmp_path)
    yield folder
    for name in [name for name in sys.modules if name.startswith("somebodys")]:
        del sys.modules[name]
        own._SEEN.pop(name, None)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("a.b:c", Reference("a.b", "c")),
        ("a:b.c", Reference("a", "b.c")),
        ("x/y.py:c", Reference("x/y.py", "c")),
        ("a:b/c.py:d", Reference("a:b/c.py", "d")),
        ("fixed", None),
        ("file:out/run", None),
        ("a:", None),
        (":a", None),
        ("x/y:c", None),
        ("x.py:1", None),
        ("", None),
    ],
)
def test_a_reference_is_a_module_or_a_file_with_a_name(text: str, found: Reference | None) -> None:
    assert parse_reference(text) == found
    assert found is None or str(found) == text


def test_a_files_path_is_taken_from_a_folder_and_a_module_is_not(tmp_path: Path) -> None:
    assert Reference("m.py", "f").beside(tmp_path) == Reference(str(tmp_path / "m.py"), "f")
    assert Reference("m", "f").beside(tmp_path) == Reference("m", "f")


def test_a_file_is_read_again_when_its_content_changes(tmp_path: Path) -> None:
    path = tmp_path / "part.py"
    reference = Reference(str(path), "K")
    for content in ("K = 1", "K = 2", "K = 1"):  # of one size, and perhaps within one tick of the clock
        path.write_text(content)
        assert load_own(reference, "part") == int(content[-1])
    path.write_text("class A:\n    K = 3\n")
    assert load_own(Reference(str(path), "A.K"), "part") == 3


def test_a_file_that_has_not_changed_is_loaded_once(tmp_path: Path) -> None:
    path = tmp_path / "part.py"
    path.write_text("class A: pass\n")
    assert load_own(Reference(str(path), "A"), "part") is load_own(Reference(str(path), "A"), "part")


@pytest.mark.parametrize(
    ("content", "name", "message"),
    [
        ("K = 1", "L", "has no L; it has nothing of its own"),
        ("def f(): pass\nimport os", "L", "has no L; it has f"),
        ("x = (", "K", "SyntaxError: .* correct it"),
        ("1 / 0", "K", r"ZeroDivisionError: division by zero \(part.py, line 1\)"),
        ("import nothing_of_that_name", "K", "No module named 'nothing_of_that_name'"),
        ("raise SystemError('a\\nb')", "K", "SystemError: a b"),
        ("raise SystemExit(2)", "K", r"SystemExit: 2 \(part.py, line 1\); correct it"),
        ("#" * 1_000_001, "K", "is larger than 1000000 bytes"),
    ],
)
def test_what_is_wrong_with_a_file_is_one_line(tmp_path: Path, content: str, name: str, message: str) -> None:
    (tmp_path / "part.py").write_text(content)
    with pytest.raises(CivsimError, match=message) as caught:
        load_own(Reference(str(tmp_path / "part.py"), name), "part")
    assert "\n" not in str(caught.value)


def test_a_file_must_be_a_file(tmp_path: Path) -> None:
    import os

    with pytest.raises(CivsimError, match="does not exist"):
        load_own(Reference(str(tmp_path / "none.py"), "f"), "part")
    (tmp_path / "folder.py").mkdir()
    os.mkfifo(tmp_path / "pipe.py")
    for name in ("folder.py", "pipe.py"):
        with pytest.raises(CivsimError, match="no regular file"):
            load_own(Reference(str(tmp_path / name), "f"), "part")


def test_a_module_that_is_not_there_says_how_to_make_it_found() -> None:
    with pytest.raises(CivsimError, match="no module 'nothing_here'; put its folder on PYTHONPATH"):
        load_own(Reference("nothing_here.at_all", "f"), "part")


def test_the_digest_covers_what_a_part_imports_of_its_own_and_nothing_else(package: Path) -> None:
    reference = Reference("somebodys.part", "made")
    load_own(reference, "part")
    assert set(own._sources(sys.modules["somebodys.part"], "part")) == {
        "somebodys", "somebodys.part", "somebodys.helper",
    }  # fmt: skip
    before = source_digest_of(reference, "part")
    (package / "other.py").write_text("K = 3\n")
    assert source_digest_of(reference, "part") == before
    assert source_digest_of(Reference("somebodys.part", "helper"), "part") != before


@pytest.mark.parametrize("name", ["part.py", "helper.py"])
def test_code_that_changed_after_it_was_loaded_is_refused_until_it_is_loaded_again(package: Path, name: str) -> None:
    reference = Reference("somebodys.part", "made")
    before = source_digest_of(reference, "part")
    path = package / name
    path.write_text(path.read_text() + "# changed\n")
    with pytest.raises(CivsimError, match=f"{name}' has changed since it was loaded; start the program again"):
        source_digest_of(reference, "part")
    importlib.reload(sys.modules[f"somebodys.{path.stem}"])
    assert source_digest_of(reference, "part") != before


def test_the_digest_of_a_file_is_of_its_content_wherever_it_lies(tmp_path: Path) -> None:
    digests = []
    for place, content in (("a", "K = 1"), ("b", "K = 1"), ("c", "K = 2")):
        (tmp_path / place).mkdir()
        (tmp_path / place / f"{place}.py").write_text(content)
        digests.append(source_digest_of(Reference(str(tmp_path / place / f"{place}.py"), "K"), "part"))
    assert digests[0] == digests[1] != digests[2]


def test_an_object_is_known_by_the_file_that_made_it(package: Path) -> None:
    made = load_own(Reference("somebodys.part", "made"), "part")
    assert source_digest_of_object(made, "part") == source_digest_of(Reference("somebodys.part", "made"), "part")
    assert source_digest_of_object(source_digest_of, "part") is None
    nowhere = type("Nowhere", (), {"__module__": "nowhere"})
    with pytest.raises(CivsimError, match="part is made by code that is in no file"):
        source_digest_of_object(nowhere, "part")


@pytest.mark.parametrize("loads", ["def made(): return 1\n", "class Made:\n    def made(self): return 1\n"])
def test_code_that_changed_between_its_import_and_its_first_digest_is_refused(package: Path, loads: str) -> None:
    (package / "late.py").write_text(loads)
    module = importlib.import_module("somebodys.late")
    (package / "late.py").write_text(loads.replace("1", "22"))
    with pytest.raises(CivsimError, match=r"late.py' has changed since it was loaded; start the program again"):
        source_digest_of(Reference("somebodys.late", "made"), "part")
    importlib.reload(module)
    assert source_digest_of(Reference("somebodys.late", "made"), "part")


def test_a_digest_runs_nothing_that_is_not_loaded(package: Path) -> None:
    (package.parent / "failing").mkdir()
    (package.parent / "failing" / "__init__.py").write_text("raise RuntimeError\n")
    (package.parent / "failing" / "deep.py").write_text("K = 1\n")
    (package / "part.py").write_text("def made():\n    import failing.deep\n")
    reference = Reference("somebodys.part", "made")
    assert source_digest_of(reference, "part")
    assert set(own._sources(sys.modules["somebodys.part"], "part")) == {"somebodys.part", "failing", "failing.deep"}
    assert "failing" not in sys.modules


def test_what_is_installed_anywhere_is_not_ones_own(package: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    elsewhere = package.parent / "elsewhere"
    (elsewhere / "bought-1.dist-info").mkdir(parents=True)
    (elsewhere / "bought.py").write_text("K = 1\n")
    (package / "part.py").write_text("import bought\ndef made(): return bought.K\n")
    monkeypatch.syspath_prepend(elsewhere)
    source_digest_of(Reference("somebodys.part", "made"), "part")
    assert set(own._sources(sys.modules["somebodys.part"], "part")) == {"somebodys.part"}
    del sys.modules["bought"]


def test_a_module_without_source_is_hashed_as_it_is_or_refused(package: Path) -> None:
    (package / f"compiled{EXTENSION_SUFFIXES[0]}").write_bytes(b"\x7fELF\0")
    (package / "part.py").write_text("def made():\n    from . import compiled\n")
    reference = Reference("somebodys.part", "made")
    assert source_digest_of(reference, "part")
    assert "somebodys.compiled" in own._sources(sys.modules["somebodys.part"], "part")
    with pytest.raises(CivsimError, match="part 'time:time': module time is in no file"):
        source_digest_of(Reference("time", "time"), "part")


def test_a_partial_is_known_by_the_function_in_it(package: Path) -> None:
    made = load_own(Reference("somebodys.part", "made"), "part")
    assert source_digest_of_object(partial(partial(made)), "part") == source_digest_of_object(made, "part")
    for part in (partial(source_digest_of), itemgetter(1)):
        with pytest.raises(CivsimError, match="part is made by .*; make it by a function in a file"):
            source_digest_of_object(part, "part")


def install(folder: Path, name: str, offered: str) -> None:
    """Write what an installed package leaves beside its code."""
    information = folder / f"{name}-1.dist-info"
    information.mkdir()
    (information / "METADATA").write_text(f"Name: {name}\nVersion: 1\n")
    (information / "entry_points.txt").write_text(offered)


def test_installed_packages_offer_parts_by_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    install(tmp_path, "one", "[civsim.tests]\nb = some.where:b\na = some.where:a\n")
    plugins.cache_clear()
    assert plugins("civsim.tests") == {"a": "some.where:a", "b": "some.where:b"}
    install(tmp_path, "two", "[civsim.tests]\na = else.where:a\n")
    plugins.cache_clear()
    with pytest.raises(CivsimError, match="civsim.tests 'a' is offered by .*; uninstall one"):
        plugins("civsim.tests")
    plugins.cache_clear()
