"""What this machine has to play with."""

from __future__ import annotations

import os

_MOST_THREADS = 64


def usable_cores() -> int:
    """Return the number of cores this process may use, at least 1 and at most 64: the default number of threads."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, min(cores, _MOST_THREADS))
