"""Writing files whole: under a temporary name in the same folder, then moved into place.

A reader sees the old file or the new one, never half of one; a run killed in the middle leaves at most a file or folder
``.NAME.tmp-PID-MACHINE-TOKEN.SUFFIX``, whose name says whose it was (see :func:`remove_leftovers`).
"""

from __future__ import annotations

import ctypes
import os
import re
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from civsim.base.errors import CivsimError
from civsim.base.processes import MARK_DIGITS, Process, this_process

_TOKEN_BYTES = 4
_HERE, _RENAME_EXCHANGE = -100, 2
"""Linux's AT_FDCWD and RENAME_EXCHANGE, for renameat2."""

_WRITER = rf"(?P<pid>[0-9]{{1,10}})-(?P<machine>[0-9a-f]{{{MARK_DIGITS}}})"
_LEFTOVER = re.compile(rf"^\..+\.tmp-{_WRITER}-[0-9a-f]{{{2 * _TOKEN_BYTES}}}(\.[^.]*)?$")


def _temporary(target: Path) -> Path:
    """Return an unused hidden name beside ``target`` that keeps its suffix (writers choose a format by suffix)."""
    if not target.parent.is_dir():
        raise CivsimError(f"{str(target.parent)!r} is not a folder; create it before writing {target.name!r}")
    own = this_process()
    token = f"{own.pid}-{own.machine}-{secrets.token_hex(_TOKEN_BYTES)}"
    return target.with_name(f".{target.stem}.tmp-{token}{target.suffix}")


@contextmanager
def atomic_path(target: str | Path) -> Iterator[Path]:
    """Yield a temporary path to write to; on success it replaces ``target``, on an exception it is removed.

    The temporary path is in the same folder and has the same suffix. The file is flushed to disk before the move.

    Raises:
        CivsimError: the folder does not exist, ``target`` is a folder, or nothing was written.
    """
    path = Path(target)
    if path.is_dir():
        raise CivsimError(f"{str(path)!r} is a folder; give the name of a file")
    temporary = _temporary(path)
    try:
        yield temporary
        if not temporary.is_file():
            raise CivsimError(f"nothing was written for {str(path)!r}; the writer must use the path it was given")
        with temporary.open("rb") as handle:
            os.fsync(handle.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


@contextmanager
def atomic_folder(target: str | Path) -> Iterator[Path]:
    """Yield a new empty temporary folder; on success it becomes ``target``, on an exception it is removed.

    Raises:
        CivsimError: ``target`` exists already, or its parent folder does not.
    """
    path = Path(target)
    if path.exists():
        raise CivsimError(f"{str(path)!r} exists already; give the name of a new folder")
    temporary = _temporary(path)
    temporary.mkdir()
    try:
        yield temporary
        if path.exists():
            raise CivsimError(f"{str(path)!r} appeared meanwhile; give the name of a new folder")
        temporary.replace(path)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def put_folder(fresh: Path, target: Path) -> None:
    """Move the whole folder ``fresh`` to ``target``, in place of the folder that may be there, which is removed.

    Where the file system can exchange two names at once, a reader finds one of the two at any time; else there is a
    moment without, and a kill in it leaves the older one as ``.NAME.old``.
    """
    if not target.exists():
        fresh.replace(target)
        return
    if _exchange(fresh, target):
        shutil.rmtree(fresh, ignore_errors=True)
        return
    old = target.with_name(f".{target.name}.old")
    shutil.rmtree(old, ignore_errors=True)  # what could not be removed the last time, since somebody read it
    target.replace(old)
    fresh.replace(target)
    shutil.rmtree(old, ignore_errors=True)


def _exchange(one: Path, other: Path) -> bool:
    """Exchange two names at once; return whether the system and the file system can."""
    call = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None)
    if call is None:
        return False
    done: int = call(_HERE, os.fsencode(one), _HERE, os.fsencode(other), _RENAME_EXCHANGE)
    return done == 0


def write_bytes(path: str | Path, content: bytes) -> None:
    """Write ``content`` to ``path`` whole.

    Raises:
        CivsimError: as :func:`atomic_path`, or the disk is full, or the folder cannot be written to.
    """
    try:
        with atomic_path(path) as temporary:
            temporary.write_bytes(content)
    except OSError as error:
        raise CivsimError(
            f"{str(path)!r} cannot be written ({error.strerror}); free some space, or give a writable folder"
        ) from None


def write_text(path: str | Path, text: str) -> None:
    """Write ``text`` to ``path`` whole, as UTF-8 with newlines as given. Raises as :func:`atomic_path` does."""
    write_bytes(path, text.encode("utf-8"))


def is_leftover(path: Path) -> bool:
    """Return whether ``path`` is a temporary file or folder of this module, of a living process or of a dead one."""
    return _LEFTOVER.match(path.name) is not None and not path.is_symlink()


def remove_leftovers(folder: str | Path) -> int:
    """Remove what killed runs left directly in ``folder``; return how much there was.

    Only what is named as this module names it, and whose process is known to have ended: what a living one is
    writing stays, and so does what was written on another machine.
    """
    removed = 0
    for path in Path(folder).iterdir():
        said = _LEFTOVER.match(path.name)
        if said is None or path.is_symlink() or not Process(int(said["pid"]), "", said["machine"]).is_dead:
            continue
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)
        removed += 1
    return removed
