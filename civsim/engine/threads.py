"""The threads that share a step. They are made when first needed, and made anew in a child process after a fork."""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from typing import Any

CHUNKS_A_THREAD = 16
"""The smallest chunk of a batch is this part of a thread's equal share, or one world: a world costs many times what
another does, and so threads end within a small chunk's time of each other."""

MOST_CHUNKS = 64
"""Chunks are no smaller than this part of a batch, where fewer threads than that share it."""


def chunk_bounds(worlds: int, workers: int) -> list[tuple[int, int]]:
    """Return (first, behind the last) of the chunks of ``worlds`` worlds that ``workers`` threads share, in order.

    Each is half of what a thread's equal share of the rest would be, so that chunks are large first, and taken seldom,
    and small last: guided self-scheduling (Polychronopoulos & Kuck 1987, *IEEE Transactions on Computers* C-36).
    """
    if workers == 1:
        return [(0, worlds)]
    least = max(1, worlds // max(workers, min(CHUNKS_A_THREAD * workers, MOST_CHUNKS)))
    bounds, at = [], 0
    while at < worlds:
        end = min(worlds, at + max(least, (worlds - at) // (2 * workers)))
        bounds.append((at, end))
        at = end
    return bounds


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
        self._side_by_side(task, parts, needed=True)

    def share(self, task: Callable[[Any], None], queues: Sequence[Sequence[Any]]) -> None:
        """Work through a queue whose next place is taken by whoever is free; return, and raise, as :meth:`run` does.

        Thread ``k`` that takes place ``j`` calls ``task`` with ``queues[k][j]``.
        """
        places = len(queues[0])
        if self.workers == 1 or places == 1:
            for part in queues[0]:
                task(part)
            return
        # One counter for all: to take a number from it is a single step of the interpreter.
        numbers = itertools.count()

        def work_through(queue: Sequence[Any]) -> None:
            while (place := next(numbers)) < places:
                task(queue[place])

        self._side_by_side(work_through, queues, needed=False)

    def _side_by_side(self, task: Callable[[Any], None], parts: Sequence[Any], needed: bool) -> None:
        """Call ``task`` with each part, the first in the caller: waking a thread takes longer than a small part.

        Where the others are not ``needed`` once the caller is done, those that have not begun by then never do.
        """
        if self._pool is None or self._home != os.getpid():
            self._pool, self._home = ThreadPoolExecutor(self.workers - 1), os.getpid()
        others = [self._pool.submit(task, part) for part in parts[1:]]
        try:
            task(parts[0])
        finally:
            others = [other for other in others if needed or not other.cancel()]
            wait(others)
        for done in others:
            done.result()
