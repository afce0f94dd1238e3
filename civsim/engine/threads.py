"""The threads that share a step. They are made when first needed, and made anew in a child process after a fork."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from typing import Any


class Crew:
    """At most ``workers`` threads, the caller among them, that carry out the parts of a task side by side.

    A process that is forked has none of its parent's threads, so what was made in another process is left behind. The
    threads end when the crew is let go.
    """

    def __init__(self, workers: int) -> None:
        self.workers = workers
        self._pool: ThreadPoolExecutor | None = None
        self._home = -1  # id of the process the threads live in

    def run(self, task: Callable[[Any], None], parts: Sequence[Any]) -> None:
        """Call ``task`` with each part, and return when all are done; what one of them raises is raised here."""
        if self.workers == 1 or len(parts) == 1:
            for part in parts:
                task(part)
            return
        if self._pool is None or self._home != os.getpid():
            self._pool, self._home = ThreadPoolExecutor(self.workers - 1), os.getpid()
        others = [self._pool.submit(task, part) for part in parts[1:]]
        try:
            # The caller does its share: waking a thread takes longer than a small part.
            task(parts[0])
        finally:
            wait(others)
        for done in others:
            done.result()
