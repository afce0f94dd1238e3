"""Compiled kernels on disk: a file or two for each kernel, signature and version of the sources.

Numba's own cache keeps an index beside its data files, and two processes that compile at once overwrite each other's;
it knows of one source file only; and it refuses to work where no folder can be written. Here an entry is one file
whose name says all that its content depends on: machine code that Python calls (``.kernel``), or the body that other
kernels link (``.body``, see :mod:`civsim.base.kernel_library`). It is moved into place whole and carries its digest, so
writers need no lock, readers see a whole entry or none, and a damaged one is compiled again.
"""

from __future__ import annotations

import hashlib
import os
import platform
import re
import secrets
import stat
import tempfile
import time
import zlib
from collections.abc import Callable, Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import llvmlite
import numba
from numba.core import config, serialize

from civsim.base.kernel_sources import fingerprint

GENERATIONS = 8
"""Versions kept of a kernel: sources, processors and versions of numba that took turns in one folder."""

ENTRY, BODY = ".kernel", ".body"
"""How the names of files end: machine code that Python calls, and code for the kernels that call this one."""

_TEMPORARY = ".tmp-"
_DAY, _HOUR = 86_400.0, 3_600.0  # s
_DIGITS = 24  # hexadecimal, of a name
_TOKEN_BYTES = 8
_FAST = 1  # of zlib's levels: code shrinks to an eighth, and is read sooner than the whole would be
_DIGEST_BYTES = hashlib.sha256().digest_size


class Folders(NamedTuple):
    """Where compiled kernels are looked for, in this order, and where new ones go."""

    read: tuple[Path, ...]
    write: Path | None  # None: they are kept in memory
    lasting: bool  # whether ``write`` outlives a restart of the machine


def _private_temporary() -> Path | None:
    """Return a folder for temporary files that only this user can write; entries are code, so no other will do."""
    try:
        path = Path(tempfile.gettempdir()) / f"civsim-{os.getuid()}"
        path.mkdir(mode=stat.S_IRWXU, exist_ok=True)
        found = path.lstat()
    except OSError:
        return None
    private = stat.S_ISDIR(found.st_mode) and found.st_uid == os.getuid()
    return path if private and not found.st_mode & (stat.S_IRWXG | stat.S_IRWXO) else None


def _user_cache() -> Path | None:
    """Return the user's cache folder, or None where the user has no home."""
    given = os.environ.get("XDG_CACHE_HOME")
    try:
        path = Path(given) if given else Path.home() / ".cache"
    except RuntimeError:
        return None
    return path if path.is_absolute() else None


def _candidates(given: str) -> Iterator[tuple[Path, bool]]:
    """Yield (folder, whether it lasts) in the order of preference."""
    if given:
        yield Path(given) / "civsim-kernels", True
    yield Path(__file__).resolve().parents[1] / "__pycache__" / "kernels", True
    user, temporary = _user_cache(), _private_temporary()
    if user is not None:
        yield user / "civsim-kernels", True
    if temporary is not None:
        yield temporary, False


def _is_writable(folder: Path) -> bool:
    """Try it: permissions do not tell of read-only file systems, nor hold for the superuser."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=folder).close()
    except OSError:
        return False
    return True


@lru_cache(maxsize=1)
def _folders(given: str) -> Folders:
    read: list[Path] = []
    for folder, lasting in _candidates(given):
        read.append(folder)
        if _is_writable(folder):
            return Folders(tuple(read), folder, lasting)
    return Folders(tuple(read), None, False)


def folders() -> Folders:
    """Return the folders of this process; those that cannot be written are read all the same."""
    return _folders(config.CACHE_DIR)


def advice() -> str | None:
    """Return one line that says how compiled kernels are kept, or None where they are kept already."""
    found = folders()
    if found.lasting:
        return None
    where = "in memory only" if found.write is None else f"in {str(found.write)!r}, which may not last"
    unusable = f"NUMBA_CACHE_DIR={config.CACHE_DIR!r} cannot be written; " if config.CACHE_DIR else ""
    return f"{unusable}compiled kernels are kept {where}; set NUMBA_CACHE_DIR to a folder that can be written"


def _read(path: Path) -> bytes | None:
    """Return an entry's payload; None where it is missing, damaged or unreadable. One in use is kept young."""
    try:
        content = path.read_bytes()
        if time.time() - path.stat().st_mtime > _DAY:
            os.utime(path)
    except OSError:
        return None
    digest, packed = content[:_DIGEST_BYTES], content[_DIGEST_BYTES:]
    return zlib.decompress(packed) if hashlib.sha256(packed).digest() == digest else None


def _write(path: Path, payload: bytes) -> None:
    """Move an entry into place. A disk that is full, or gone, costs a compilation next time and nothing now."""
    temporary = path.with_name(f"{_TEMPORARY}{secrets.token_hex(_TOKEN_BYTES)}")
    packed = zlib.compress(payload, _FAST)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            temporary.write_bytes(hashlib.sha256(packed).digest() + packed)
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)
        _prune(path.parent)
    except OSError:
        return


def _prune(folder: Path) -> None:
    """Remove a kernel's oldest generations beyond those kept, and what killed writers left."""
    newest: dict[str, float] = {}
    entries = [(path, path.stat().st_mtime) for path in folder.iterdir()]
    for path, written in entries:
        if path.suffix in (ENTRY, BODY):
            generation = path.name[:_DIGITS]
            newest[generation] = max(written, newest.get(generation, 0.0))
    kept = set(sorted(newest, key=lambda generation: newest[generation])[-GENERATIONS:])
    abandoned = time.time() - _HOUR
    for path, written in entries:
        left = path.name.startswith(_TEMPORARY) and written < abandoned
        if left or (path.suffix in (ENTRY, BODY) and path.name[:_DIGITS] not in kept):
            path.unlink(missing_ok=True)


def digest(*parts: object) -> str:
    """Return 24 hexadecimal digits that stand for ``parts``, by how they are spelled."""
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:_DIGITS]


def _option(value: object) -> object:
    """Spell an option the same way in every process: a set has no order."""
    return sorted(value) if isinstance(value, set | frozenset) else value


class Name(NamedTuple):
    """What a kernel's code for one signature is found by: nothing else has any part in what it is."""

    kernel: str
    entry: str


def load(name: Name, rebuild: Callable[..., Any]) -> Any:
    """Return what ``rebuild`` makes of the content kept under a name; None where there is nothing that can be used."""
    for root in folders().read:
        payload = _read(root / name.kernel / name.entry)
        if payload is None:
            continue
        try:
            return rebuild(*serialize.loads(payload))
        except Exception:  # whatever an entry of another making does to numba, its remedy is to compile
            return None
    return None


def save(name: Name, content: tuple[Any, ...]) -> None:
    """Keep ``content``, made of what numba can pickle, under a name, where it can be kept."""
    root = folders().write
    if root is not None:
        _write(root / name.kernel / name.entry, serialize.dumps(content))


class KernelCache:
    """Where the code of one kernel is kept.

    Args:
        function: the plain function.
        options: numba's options.
        codegen: numba's code generator.
    """

    def __init__(self, function: Callable[..., Any], options: dict[str, Any], codegen: Callable[[], Any]) -> None:
        self._function, self._codegen = function, codegen
        self._kernel = re.sub(r"[^\w.]", "_", f"{function.__module__}.{function.__qualname__}")
        self._options = sorted((name, repr(_option(value))) for name, value in options.items())

    @property
    def cache_path(self) -> str | None:
        """Return the folder that new code of this kernel goes to, or None where it stays in memory."""
        root = folders().write
        return None if root is None else str(root / self._kernel)

    def name(self, kinds: tuple[Any, ...], suffix: str) -> Name | None:
        """Return what code for arguments of these types is found by; None where another process could not tell."""
        code = self._function.__code__
        cells = [cell.cell_contents for cell in self._function.__closure__ or ()]
        sources = fingerprint(self._function)
        if sources is None or " at 0x" in repr((kinds, cells)):
            return None
        versions = (numba.__version__, llvmlite.__version__, platform.python_version())
        machine = self._codegen().magic_tuple()
        generation = digest(sources, versions, machine, config.OPT, config.BOUNDSCHECK)
        body = (code.co_firstlineno, code.co_code, cells)
        return Name(self._kernel, f"{generation}-{digest(kinds, self._options, body)}{suffix}")

    def flush(self) -> None:
        """Forget all code of this kernel that this process may remove."""
        root = folders().write
        for path in () if root is None else (root / self._kernel).iterdir():
            path.unlink(missing_ok=True)
