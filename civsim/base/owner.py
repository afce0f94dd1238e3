"""A folder has one owner: a lock is taken before anything in it is read, and says whose it is.

The lock is a small file, locked by the operating system (``flock``) for as long as its process lives and removed when
the work ends. What a killed process left of it is taken over: the system has let go of its lock. Only of a process on
another machine nothing is known, since file systems that are shared between machines do not all share locks; then the
user decides. A file in the lock's place that was not written here is never written to, nor a link followed.
"""

from __future__ import annotations

import errno
import fcntl
import json
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from civsim.base.errors import CivsimError
from civsim.base.processes import Process, this_process

LOCK = ".lock"
"""Name of the lock in a folder that is owned."""

_LONGEST = 4096
_NO_LOCKS = (errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP)
_FLAGS = os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


@contextmanager
def owned(folder: str | Path, kind: type[CivsimError]) -> Iterator[None]:
    """Own an existing folder while the block runs.

    Raises:
        CivsimError: of class ``kind``, at once: another process owns it, the message says which and where, or
            something else is in the lock's place.
    """
    with owned_by(Path(folder) / LOCK, folder, kind):
        yield


@contextmanager
def owned_by(lock: Path, what: str | Path, kind: type[CivsimError]) -> Iterator[None]:
    """Own whatever the file ``lock`` stands for while the block runs; ``what`` names it in messages.

    Raises:
        CivsimError: as :func:`owned`.
    """
    handle = _take(lock, str(what), kind)
    try:
        yield
    finally:
        with suppress(OSError):
            if _is_at(handle, lock):
                lock.unlink()
        os.close(handle)


def check_free(folder: str | Path, kind: type[CivsimError]) -> None:
    """Check that no other process owns a folder, without writing anything.

    Raises:
        CivsimError: as :func:`owned`.
    """
    lock = Path(folder) / LOCK
    try:
        handle = os.open(lock, os.O_RDONLY | _FLAGS)
    except FileNotFoundError:
        return
    except OSError as error:
        raise _strange(lock, kind, error) from None
    try:
        _check_held(handle, lock, str(folder), kind, fcntl.LOCK_SH)
    finally:
        os.close(handle)


def _take(lock: Path, what: str, kind: type[CivsimError]) -> int:
    """Return the open lock, which is this process's and says so."""
    while True:
        try:
            handle = os.open(lock, os.O_RDWR | os.O_CREAT | _FLAGS, 0o666)
        except OSError as error:
            raise _strange(lock, kind, error) from None
        try:
            _check_held(handle, lock, what, kind, fcntl.LOCK_EX)
            if _is_at(handle, lock):  # else its owner ended meanwhile, and what is locked is no longer there
                _sign(handle, lock, kind)
                return handle
        except BaseException:
            os.close(handle)
            raise
        os.close(handle)


def _check_held(handle: int, lock: Path, what: str, kind: type[CivsimError], how: int) -> None:
    """Lock the file, and check that nobody else holds it or may hold it.

    Raises:
        CivsimError: somebody does, or the file is not one that was written here.
    """
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        raise _strange(lock, kind)
    knows = True
    try:
        fcntl.flock(handle, how | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno in _NO_LOCKS:
            knows = False
        else:
            raise _in_use(what, _signed(handle, lock, kind), kind) from None
    found = _signed(handle, lock, kind)
    if found is None or found.is_dead or (found.is_here and (knows or found.pid == os.getpid())):
        return
    if found.is_here:
        raise _in_use(what, found, kind)
    raise kind(
        f"{what!r} is in use by {found}, or was when that was killed; wait for it, or delete {str(lock)!r} if it ended"
    )


def _in_use(what: str, found: Process | None, kind: type[CivsimError]) -> CivsimError:
    by = "another process" if found is None else str(found)
    return kind(f"{what!r} is in use by {by}; wait for it, stop it, or give another")


def _strange(lock: Path, kind: type[CivsimError], error: OSError | None = None) -> CivsimError:
    """Return the complaint about a lock that cannot be opened, or that is no file of ours."""
    if error is not None and error.errno not in (errno.ELOOP, errno.EISDIR, errno.ENXIO):
        return kind(f"{str(lock)!r} cannot be written ({error.strerror}); give a writable folder")
    return kind(f"{str(lock)!r} is not a lock of civsim; move it away, or give another folder")


def _signed(handle: int, lock: Path, kind: type[CivsimError]) -> Process | None:
    """Return who signed the lock; None where nobody has, yet.

    Raises:
        CivsimError: what is in it was not written here.
    """
    content = os.pread(handle, _LONGEST, 0)
    if not content:
        return None
    try:
        said = json.loads(content)
        found = Process(int(said["pid"]), str(said["host"]), str(said["machine"]))
    except (ValueError, KeyError, TypeError, RecursionError):
        raise _strange(lock, kind) from None
    if found.pid < 1 or not found.host.isprintable():
        raise _strange(lock, kind)
    return found


def _sign(handle: int, lock: Path, kind: type[CivsimError]) -> None:
    content = json.dumps(this_process()._asdict()).encode() + b"\n"
    try:
        os.ftruncate(handle, 0)
        if os.pwrite(handle, content, 0) != len(content):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))  # noqa: TRY301
    except OSError as error:
        with suppress(OSError):
            lock.unlink()
        raise _strange(lock, kind, error) from None


def _is_at(handle: int, lock: Path) -> bool:
    """Return whether the open file is the one that is in the lock's place now."""
    try:
        there, open_ = lock.lstat(), os.fstat(handle)
    except OSError:
        return False
    return (there.st_dev, there.st_ino) == (open_.st_dev, open_.st_ino)
