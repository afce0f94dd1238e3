"""Who this process is, for whoever finds what it wrote: a number, a machine, and whether such a process still lives."""

from __future__ import annotations

import hashlib
import os
import platform
from functools import cache
from pathlib import Path
from typing import NamedTuple

_ID = Path("/etc/machine-id")
_START = Path("/proc/sys/kernel/random/boot_id")
_NAMESPACE = Path("/proc/self/ns/pid")
_DIGITS = 16  # fewer would have two of a hundred machines take each other for one that was started anew

MARK_DIGITS = 3 * _DIGITS
"""Hexadecimal digits of a machine's mark: which machine, since which start, and whose numbering of processes."""


class Process(NamedTuple):
    """A process, as others may have to find out whether it lives."""

    pid: int
    host: str  # for people
    machine: str  # MARK_DIGITS hexadecimal digits

    def __str__(self) -> str:
        return f"process {self.pid} on {self.host}"

    @property
    def is_here(self) -> bool:
        """Whether its number means something here: the same machine, not started anew, and not in another container."""
        return self.machine == machine_mark()

    @property
    def is_dead(self) -> bool:
        """Whether it is known to have ended; of a process elsewhere nothing is known."""
        if self.is_here:
            return not _lives(self.pid)
        (host, start), (here, now) = _split(self.machine), _split(machine_mark())
        return host == here and start != now  # it ended when the machine was started anew


def this_process() -> Process:
    """Return the process that asks."""
    return Process(os.getpid(), platform.node() or "localhost", machine_mark())


@cache
def machine_mark() -> str:
    """Return the mark of this machine: MARK_DIGITS hexadecimal digits.

    Containers of one machine share its start and have numberings of their own.
    """
    host = f"{platform.node()}:{_read(_ID)}"
    try:
        numbering = str(_NAMESPACE.stat().st_ino)
    except OSError:
        numbering = ""
    return "".join(hashlib.sha256(text.encode()).hexdigest()[:_DIGITS] for text in (host, _read(_START), numbering))


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8").strip()
    except (OSError, ValueError):
        return ""


def _split(mark: str) -> tuple[str, str]:
    return mark[:_DIGITS], mark[_DIGITS : 2 * _DIGITS]


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        return True
    return True
