"""Own parts by name: what somebody wrote, as ``module:name``, ``path/to/file.py:name`` or under a plugin's name.

A part found by name is an ordinary Python object; what it must be is said where it is used (policies, metrics, kinds of
analysis). Naming one runs its code. :func:`source_digest_of` says which code that is: the part's own file and every
module of one's own that it imports, by content, so that results can be tied to it.
"""

from __future__ import annotations

import ast
import hashlib
import site
import sys
import sysconfig
import traceback
from collections.abc import Iterator, Mapping
from functools import cache, lru_cache, partial
from importlib import import_module
from importlib.machinery import EXTENSION_SUFFIXES, ModuleSpec, PathFinder, SourceFileLoader
from importlib.metadata import entry_points
from importlib.util import find_spec, module_from_spec, spec_from_file_location
from pathlib import Path
from types import CodeType, FunctionType, ModuleType
from typing import Any, NamedTuple

from civsim.base.errors import CivsimError

SUFFIX = ".py"
_LARGEST = 1_000_000
_OURS = "civsim"
_PACKAGE = Path(__file__).absolute().parent.parent
_MAIN = "__main__"
_LONGEST = 160
_FILE_MODULE = "civsim_own_"


class Reference(NamedTuple):
    """The name of an own part: where it is, and what it is called there."""

    place: str  # dotted name of a module, or the path of a file
    name: str  # dotted name in it

    @property
    def is_file(self) -> bool:
        """Whether the place is a file."""
        return self.place.endswith(SUFFIX)

    def beside(self, folder: Path) -> Reference:
        """Return the same reference with a file's path, if it is one, taken from ``folder`` and made absolute."""
        return self._replace(place=str((folder / self.place).absolute())) if self.is_file else self

    def __str__(self) -> str:
        """Return it as it is written."""
        return f"{self.place}:{self.name}"


class _Source(NamedTuple):
    """A module of one's own as it is on disk."""

    path: Path
    content: bytes


def parse_reference(text: str) -> Reference | None:
    """Return what ``module:name`` or ``path/to/file.py:name`` refers to; None where ``text`` is neither."""
    place, colon, name = text.rpartition(":")
    if not colon or not _is_dotted(name):
        return None
    return Reference(place, name) if place.endswith(SUFFIX) or _is_dotted(place) else None


def _is_dotted(text: str) -> bool:
    return all(step.isidentifier() for step in text.split("."))


@cache
def plugins(group: str) -> Mapping[str, str]:
    """Return the parts that installed packages offer: ``module:name`` by name, sorted. Read once a process.

    Args:
        group: the group of entry points, such as ``civsim.policies``.

    Raises:
        CivsimError: two packages offer different parts under one name.
    """
    found: dict[str, str] = {}
    for point in sorted(entry_points(group=group)):
        if found.setdefault(point.name, point.value) != point.value:
            both = f"{found[point.name]} and {point.value}"
            raise CivsimError(f"{group} {point.name!r} is offered by {both}; uninstall one of the packages")
    return found


def load_own(reference: Reference, what: str) -> Any:
    """Return the object that a reference names; ``what`` says what it is to be, for messages.

    A file is read again when its content has changed; a module is imported as any other.

    Raises:
        CivsimError: there is no such file, module or name, or its code fails; one line that says where.
    """
    module = _module(reference, what)
    found: Any = module
    for step in reference.name.split("."):
        if not hasattr(found, step):
            here = [name for name, value in vars(module).items() if getattr(value, "__module__", "") == module.__name__]
            offered = ", ".join(here) or "nothing of its own"
            raise CivsimError(f"{what} {str(reference)!r}: {reference.place} has no {reference.name}; it has {offered}")
        found = getattr(found, step)
    return found


def explain_fault(error: BaseException) -> str:
    """Return an exception that somebody's code raised, in one line: its kind, what it says, and where in that code."""
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if _is_theirs(Path(frame.filename))]
    where = f" ({Path(frames[-1].filename).name}, line {frames[-1].lineno})" if frames else ""
    return f"{type(error).__name__}: {' '.join(str(error).split())[:_LONGEST]}{where}"


def _is_theirs(path: Path) -> bool:
    return not path.absolute().is_relative_to(_PACKAGE) and path.is_file()


def source_digest_of(reference: Reference, what: str) -> str:
    """Return the SHA-256 (64 hexadecimal digits) of a part's code: its name, and every file of one's own that it needs.

    These are the file it is in and the modules it imports, wherever in the code, unless they come with Python, with
    civsim or from an installed package other than the part's own. Where files lie makes no difference.

    Raises:
        CivsimError: as :func:`load_own`; or a file has changed since this process loaded it, so that its digest would
            not be that of what plays.
    """
    module = _module(reference, what)
    return _digest(module, reference.name, f"{what} {str(reference)!r}")


def source_digest_of_object(part: Any, what: str) -> str | None:
    """Return the same of an object that was handed over, by the module that made it; None for civsim's own.

    A ``functools.partial`` is known by the function in it.

    Raises:
        CivsimError: it was made by code that is in no file, or in none of one's own.
    """
    filled = isinstance(part, partial)
    while isinstance(part, partial):
        part = part.func
    name = getattr(part, "__module__", None) or type(part).__module__
    top = name.split(".")[0]
    if top in sys.stdlib_module_names or (filled and top == _OURS):
        raise CivsimError(f"{what} is made by {name}, which does not tell it apart; make it by a function in a file")
    if top == _OURS:
        return None
    module = sys.modules.get(name)
    if module is None or getattr(module, "__file__", None) is None:
        raise CivsimError(f"{what} is made by code that is in no file, so that it cannot be told apart; save it in one")
    return _digest(module, getattr(part, "__qualname__", type(part).__qualname__), what)


def _module(reference: Reference, what: str) -> ModuleType:
    shown = f"{what} {str(reference)!r}"
    try:
        return _load_file(Path(reference.place), shown) if reference.is_file else import_module(reference.place)
    except CivsimError:
        raise
    except ModuleNotFoundError as error:
        if not reference.is_file and reference.place.startswith(error.name or ""):
            remedy = "put its folder on PYTHONPATH, or name its file as folder/file.py:name"
            raise CivsimError(f"{shown}: there is no module {error.name!r}; {remedy}") from None
        raise CivsimError(f"{shown} cannot be loaded: {explain_fault(error)}; correct it") from None
    except (Exception, SystemExit) as error:
        raise CivsimError(f"{shown} cannot be loaded: {explain_fault(error)}; correct it") from None


class _Loader(SourceFileLoader):
    """Compiles a file from the bytes that were read, never from a cached compilation of other bytes."""

    def __init__(self, name: str, path: Path, content: bytes) -> None:
        super().__init__(name, str(path))
        self._content = content

    def get_code(self, fullname: str) -> CodeType:
        """Return the module's code."""
        return self.source_to_code(self._content, self.path)


_FILES: dict[Path, tuple[bytes, ModuleType]] = {}
"""Files that were loaded, with the content they were loaded from."""

_SEEN: dict[str, tuple[ModuleSpec | None, bytes]] = {}
"""What a module's file held when it was first hashed, and the spec it was loaded by then."""


def _load_file(path: Path, shown: str) -> ModuleType:
    content = _read(path, shown)
    place = path.resolve()
    if place in _FILES and _FILES[place][0] == content:
        return _FILES[place][1]
    name = _FILE_MODULE + hashlib.sha256(str(place).encode() + b"\0" + content).hexdigest()[:16]
    loader = _Loader(name, path, content)
    spec = spec_from_file_location(name, path, loader=loader)
    assert spec is not None  # noqa: S101  (a loader was given)
    module = module_from_spec(spec)
    sys.modules[name], _SEEN[name] = module, (spec, content)
    try:
        loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    _FILES[place] = (content, module)
    return module


def _read(path: Path, shown: str) -> bytes:
    if not path.exists():
        raise CivsimError(f"{shown}: {str(path)!r} does not exist; check the path")
    if not path.is_file():
        raise CivsimError(f"{shown}: {str(path)!r} is no regular file; give a Python file")
    with path.open("rb") as handle:
        content = handle.read(_LARGEST + 1 if path.suffix == SUFFIX else -1)
    if len(content) > _LARGEST and path.suffix == SUFFIX:
        raise CivsimError(f"{shown}: {str(path)!r} is larger than {_LARGEST} bytes; give a Python file")
    return content


def _digest(module: ModuleType, name: str, shown: str) -> str:
    digest = hashlib.sha256(f"{name}\n".encode())
    for label, source in sorted(_sources(module, shown).items()):
        _check_as_loaded(label or module.__name__, source, shown)
        digest.update(f"{label}:{hashlib.sha256(source.content).hexdigest()}\n".encode())
    return digest.hexdigest()


def _check_as_loaded(name: str, source: _Source, shown: str) -> None:
    """Check that the file of a module that is loaded still holds what it held when it was first hashed.

    When it is first hashed, its functions must be those that its file makes.
    """
    module = sys.modules.get(name)
    if module is None:
        return
    seen = _SEEN.get(name)
    if seen is None or seen[0] is not module.__spec__:
        changed = not _makes(source, module)
    else:
        changed = seen[1] != source.content
    if not changed:
        _SEEN[name] = (module.__spec__, source.content)
    else:
        raise CivsimError(f"{shown}: {str(source.path)!r} has changed since it was loaded; start the program again")


def _makes(source: _Source, module: ModuleType) -> bool:
    """Return whether a module's functions and methods are those of its source; True where its loader changes code."""
    loader = getattr(module.__spec__, "loader", None)
    if type(loader) is not SourceFileLoader:
        return True
    pending = [loader.source_to_code(source.content, source.path)]
    made = set()
    while pending:
        code = pending.pop()
        made.add(code)
        pending += [constant for constant in code.co_consts if isinstance(constant, CodeType)]
    values = list(vars(module).values())
    values += [value for kind in values if isinstance(kind, type) for value in vars(kind).values()]
    codes = [value.__code__ for value in values if isinstance(value, FunctionType)]
    return all(code in made for code in codes if code.co_filename == str(source.path))


def _sources(module: ModuleType, shown: str) -> dict[str, _Source]:
    """Return the file of a module and those of the modules of one's own that it imports, by import name.

    The module itself stands under its name where it was imported by name, and under "" where it is a file.
    """
    name = module.__name__
    own = name.split(".")[0]
    if getattr(module, "__file__", None) is None:
        raise CivsimError(f"{shown}: module {name} is in no file, so that it cannot be told apart; name one that is")
    found: dict[str, _Source] = {}
    pending = [(name, Path(str(module.__file__)))]
    while pending:
        current, path = pending.pop()
        label = "" if current == _MAIN or current.startswith(_FILE_MODULE) else current
        if label in found:
            continue
        found[label] = _Source(path, _read(path, shown))
        if path.suffix != SUFFIX:  # compiled
            continue
        package = current if path.name == "__init__.py" else current.rpartition(".")[0]
        for imported in _imports(found[label].content, package):
            origin = _own_origin(imported, own)
            if origin is not None:
                pending.append((imported, origin))
    return found


@lru_cache(maxsize=256)
def _imports(content: bytes, package: str) -> tuple[str, ...]:
    """Return every module that a source may import, packages on the way included; ``package`` is the one it is in."""
    names: dict[str, None] = {}
    for node in ast.walk(ast.parse(content)):
        if isinstance(node, ast.Import):
            names |= dict.fromkeys(step for alias in node.names for step in _steps(alias.name))
        elif isinstance(node, ast.ImportFrom):
            above = package.split(".")[: len(package.split(".")) - node.level + 1] if node.level else []
            base = ".".join([*above, *([node.module] if node.module else [])])
            names |= dict.fromkeys(_steps(base))
            names |= dict.fromkeys(f"{base}.{alias.name}" for alias in node.names if base)
    return tuple(names)


def _steps(name: str) -> Iterator[str]:
    parts = name.split(".")
    return (".".join(parts[: count + 1]) for count in range(len(parts)) if name)


def _own_origin(name: str, own: str) -> Path | None:
    """Return the source file of a module of one's own; None for others and for what is no module."""
    top = name.split(".")[0]
    if top == _OURS or not _is_own(top, own):
        return None
    spec = _top_spec(top)
    for step in list(_steps(name))[1:]:
        if spec is None or spec.submodule_search_locations is None:  # an attribute of a module, not a module
            return None
        spec = PathFinder.find_spec(step, list(spec.submodule_search_locations))
    if spec is None or not spec.origin or not spec.origin.endswith((SUFFIX, *EXTENSION_SUFFIXES)):
        return None
    return Path(spec.origin)


def _top_spec(top: str) -> ModuleSpec | None:
    try:
        return find_spec(top)
    except (ImportError, AttributeError, ValueError):
        return None


def _is_own(top: str, own: str) -> bool:
    """Return whether a top-level module is neither Python's nor of an installed package other than ``own``."""
    if top in sys.stdlib_module_names:
        return False
    spec = _top_spec(top)
    if spec is None:
        return False
    places = [*(spec.submodule_search_locations or ()), *([spec.origin] if spec.origin else [])]
    return top == own or not any(
        Path(place).is_relative_to(folder) for place in places for folder in _installed(tuple(sys.path))
    )


@lru_cache(maxsize=8)
def _installed(search: tuple[str, ...]) -> tuple[str, ...]:
    """Return the folders of Python's own modules and of installed packages; ``search`` is where modules are found."""
    paths = sysconfig.get_paths()
    known = {paths[name] for name in ("stdlib", "platstdlib", "purelib", "platlib")}
    known |= {*site.getsitepackages(), site.getusersitepackages()}
    return tuple(known | {folder for folder in search if folder and any(Path(folder).glob("*.dist-info"))})
