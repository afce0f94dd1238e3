"""Compiled kernels on disk: one file for each kernel, signature and version of the sources.

Numba's own cache keeps an index beside its data files, and two processes that compile at once overwrite each other's;
it knows of one source file only; and it refuses to work where no folder can be written. Here an entry is one file
whose name says all that its content depends on. It is moved into place whole and carries its digest, so writers need
no lock, readers see a whole entry or none, and a damaged one is compiled again.
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
from numba.core.caching import _Cache
from numba.core.compiler import CompileResult

from civsim.base.kernel_sources import fingerprint

GENERATIONS = 8
"""Versions kept of a kernel: sources, processors and versions of numba that took turns in one folder."""

_SUFFIX = ".kernel"
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
        if path.suffix == _SUFFIX:
            generation = path.name[:_DIGITS]
            newest[generation] = max(written, newest.get(generation, 0.0))
    kept = set(sorted(newest, key=lambda generation: newest[generation])[-GENERATIONS:])
    abandoned = time.time() - _HOUR
    for path, written in entries:
        left = path.name.startswith(_TEMPORARY) and written < abandoned
        if left or (path.suffix == _SUFFIX and path.name[:_DIGITS] not in kept):
            path.unlink(missing_ok=True)


def _digest(*parts: object) -> str:
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:_DIGITS]


def _option(value: object) -> object:
    """Spell an option the same way in every process: a set has no order."""
    return sorted(value) if isinstance(value, set | frozenset) else value


class KernelCache(_Cache):
    """The cache of one kernel, as numba's dispatcher uses it. It never raises on account of a file.

    Args:
        dispatcher: the compiled face of the kernel.
        missed: called whenever a kernel is about to be compiled.
    """

    def __init__(self, dispatcher: Any, missed: Callable[[], None]) -> None:
        self._dispatcher, self._missed, self._enabled = dispatcher, missed, True
        function = dispatcher.py_func
        self._name = re.sub(r"[^\w.]", "_", f"{function.__module__}.{function.__qualname__}")
        self._options = sorted((name, repr(_option(value))) for name, value in dispatcher.targetoptions.items())

    @property
    def cache_path(self) -> str | None:
        """Return the folder that new entries of this kernel go to, or None where they stay in memory."""
        root = folders().write
        return None if root is None else str(root / self._name)

    def _entry(self, signature: Any) -> str | None:
        """Return the file name of a signature's entry; None where the next process could not find it by its name."""
        code = self._dispatcher.py_func.__code__
        sources = fingerprint(self._dispatcher.py_func)
        if sources is None or not self._enabled or " at 0x" in repr(signature):
            return None
        versions = (numba.__version__, llvmlite.__version__, platform.python_version())
        machine = self._dispatcher.targetctx.codegen().magic_tuple()
        generation = _digest(sources, versions, machine, config.OPT, config.BOUNDSCHECK)
        cells = [cell.cell_contents for cell in self._dispatcher.py_func.__closure__ or ()]
        body = (code.co_firstlineno, code.co_code, cells)
        return f"{generation}-{_digest(signature, self._options, body)}{_SUFFIX}"

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        """Return the compiled kernel of a signature, or None where it has to be compiled."""
        target_context.refresh()
        entry = self._entry(sig)
        found = None if entry is None else self._load(entry, target_context)
        if found is None:
            self._missed()
        return found

    def _load(self, entry: str, target_context: Any) -> Any:
        for root in folders().read:
            payload = _read(root / self._name / entry)
            if payload is None:
                continue
            try:
                return CompileResult._rebuild(target_context, *serialize.loads(payload))
            except Exception:  # whatever an entry of another making does to numba, its remedy is to compile
                return None
        return None

    def save_overload(self, sig: Any, data: Any) -> None:
        """Keep a kernel that was just compiled, where it can be kept."""
        root = folders().write
        entry = self._entry(sig)
        if root is None or entry is None or data.lifted or data.library.has_dynamic_globals:
            return
        _write(root / self._name / entry, serialize.dumps(data._reduce()))

    def enable(self) -> None:
        """Use the disk."""
        self._enabled = True

    def disable(self) -> None:
        """Leave the disk alone."""
        self._enabled = False

    def flush(self) -> None:
        """Forget every entry of this kernel that this process may write."""
        root = folders().write
        for path in () if root is None else (root / self._name).glob(f"*{_SUFFIX}"):
            path.unlink(missing_ok=True)
