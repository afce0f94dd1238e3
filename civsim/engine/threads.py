"""The threads that share a step. They are made when first needed, and made anew in a child process after a fork."""

from __future__ import annotations

import functools
import os
import time
import weakref
from collections.abc import Callable, Sequence
from queue import SimpleQueue
from threading import Thread, current_thread
from typing import Any

import numpy as np

from civsim.base.pointer import entry
from civsim.engine.signals import LINE, all_answered, answer

AWAKE = 1e-4
"""How long a thread that has done its part looks for the next before it sleeps (s): as long as waking it would take."""

_LETTING_GO = 25
"""One part in so many of that is how long the caller takes from asking to letting go of the interpreter's lock."""

_TRIED = 1000


@functools.cache
def looks_awake() -> int:
    """Return how often a thread can look for a number in :data:`AWAKE` seconds; 0 where compilation is off."""
    if not hasattr(all_answered, "compile"):
        return 0  # it would hold the interpreter's lock while it looks
    never = np.zeros(LINE, np.int64)
    all_answered(never, 1, 1, _TRIED)
    taken = []
    for _ in range(5):
        begun = time.perf_counter()
        all_answered(never, 1, 1, _TRIED)
        taken.append(time.perf_counter() - begun)
    return max(1, int(_TRIED * AWAKE / min(taken)))


def cores() -> int:
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class Team:
    """The threads that serve a crew, and what they share with it.

    Lists are read and written under the lock of the interpreter; the two arrays of numbers are what threads look at
    without it.

    Each task has a number. A thread is asked for it in ``asked`` and, while it looks, needs no more; one that has gone
    to sleep is woken through its gate besides. It says that it is done in ``finished``, and in ``answered`` as soon as
    it has let go of the lock, so that a caller who looks gets the lock at once. One who sleeps is woken by the bell. A
    spare wake-up does no harm: whoever wakes looks at the numbers.

    Whoever waits looks only if it would have been worth it the last time: on a busy machine, or between tasks that lie
    far apart, looking would but keep others from working.
    """

    def __init__(self, size: int) -> None:
        self.home = os.getpid()
        self.asked, self.answered = np.zeros(size * LINE, np.int64), np.zeros(size * LINE, np.int64)
        self.number, self.asked_at = 0, 0.0
        self.task: Callable[[Any], None] | None = None
        self.parts: list[Sequence[Any]] = [()] * size
        self.failures: list[BaseException | None] = [None] * size
        self.finished, self.finished_at, self.asleep = [0] * size, [0.0] * size, [False] * size
        self.gates: list[SimpleQueue[None]] = [SimpleQueue() for _ in range(size)]
        self.bell: SimpleQueue[None] = SimpleQueue()
        self.waiting = self.closing = False
        # Threads that are more than cores would look for what they keep another from doing.
        self.looks = looks_awake() if size < cores() else 0
        self.caller_looks = self.looks
        self.answer = entry(answer, self.asked, self.answered, 0, 0, 0, 0)
        self.all_answered = entry(all_answered, self.answered, 0, 0, 0)
        self.threads = [Thread(target=self.serve, args=(place,), daemon=True) for place in range(size)]
        for thread in self.threads:
            thread.start()

    def serve(self, place: int) -> None:
        """Do what is asked of thread ``place``, until the team closes."""
        done, slot, looks, pause = 0, place * LINE, self.looks, self.looks // _LETTING_GO
        while not self.closing:
            now = self.answer(self.asked, self.answered, slot, done, looks, pause)
            if now == done:
                self.asleep[place] = True
                if self.asked[slot] == done and not self.closing:
                    self.gates[place].get()
                self.asleep[place] = False
                looks = 0
                continue
            looks = self.looks if self.asked_at - self.finished_at[place] < AWAKE else 0
            self.failures[place] = carry_out(self.task, self.parts[place])
            self.finished_at[place] = time.perf_counter()
            self.finished[place] = done = now
            if self.waiting:
                self.bell.put(None)

    def ask(self, task: Callable[[Any], None], parts: Sequence[Sequence[Any]]) -> None:
        """Have a thread do each of ``parts``, of which there are at most as many as threads."""
        self.number, self.asked_at = self.number + 1, time.perf_counter()
        self.task = task
        self.parts[: len(parts)] = parts
        self.asked[: len(parts) * LINE] = self.number
        for place in range(len(parts)):
            if self.asleep[place]:
                self.gates[place].put(None)

    def wait(self, n: int) -> None:
        """Return when the first ``n`` threads have done what was asked of them last."""
        begun = time.perf_counter()
        if not self.all_answered(self.answered, n, self.number, self.caller_looks):
            self.waiting = True
            while any(finished != self.number for finished in self.finished[:n]):
                self.bell.get()
            self.waiting = False
        self.caller_looks = self.looks if max(self.finished_at[:n]) - begun < AWAKE else 0
        self.task = None
        self.parts[:n] = [()] * n

    def close(self) -> None:
        """End the threads; they are another process's after a fork."""
        if self.home != os.getpid():
            return
        self.closing = True
        for gate in self.gates:
            gate.put(None)
        for thread in self.threads:
            if thread is not current_thread():
                thread.join()


def carry_out(task: Callable[[Any], None] | None, parts: Sequence[Any]) -> BaseException | None:
    """Call ``task`` with each part, and return the first exception it raised, or None."""
    first = None
    for part in parts:
        try:
            task(part)  # type: ignore[misc]
        except BaseException as error:
            first = first or error
    return first


class Crew:
    """At most ``workers`` threads, the caller among them, that carry out the parts of a task side by side.

    A process that is forked has none of its parent's threads, so what was made in another process is left behind. The
    threads end when the crew is let go. One that has nothing to do sleeps after :data:`AWAKE` seconds.
    """

    def __init__(self, workers: int) -> None:
        self.workers = workers
        self._team: Team | None = None

    def run(self, task: Callable[[Any], None], parts: Sequence[Any]) -> None:
        """Call ``task`` with each part, and return when all are done; what one of them raises is raised here."""
        if self.workers == 1 or len(parts) < 2:
            for part in parts:
                task(part)
            return
        team = self._team
        if team is None or team.home != os.getpid():
            team = self._team = Team(self.workers - 1)
            weakref.finalize(self, team.close)
        shares = [parts[place :: self.workers] for place in range(min(self.workers, len(parts)))]
        team.ask(task, shares[1:])
        try:
            # The caller does its share: waking a thread takes longer than a small part.
            for part in shares[0]:
                task(part)
        finally:
            team.wait(len(shares) - 1)
            failures, team.failures = team.failures, [None] * len(team.failures)
        for failure in failures:
            if failure is not None:
                raise failure
