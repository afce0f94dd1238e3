"""How kernels are compiled: one line beside each plain function, ``harvest = kernel(_harvest)``.

The plain function stays callable, as the oracle of tests. Compiled kernels are cached on disk, release the GIL, and
divide as numpy does (a zero divisor gives inf or nan, not an exception), which lets loops run in vector registers.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing import parent_process
from typing import Any

from numba import config

from civsim.base.kernel_cache import advice
from civsim.base.kernel_dispatcher import Kernel

OPTIONS = {"nopython": True, "nogil": True, "error_model": "numpy", "boundscheck": None}
"""Options of every kernel; bounds are checked where NUMBA_BOUNDSCHECK says so."""


class _Notice:
    """What a person is told of compilation: a line on a terminal while it lasts, and once how to keep its result."""

    def __init__(self) -> None:
        self.compiled = self.advised = False
        self._started: float | None = None
        self._open = False

    def missed(self) -> None:
        """Begin the line, if this is the first kernel of an announced stretch that has to be compiled."""
        self.compiled = True
        if self._open and self._started is None:
            self._started = time.perf_counter()
            _show("compiling kernels (once; about half a minute) …", "" if _can_overwrite() else "\n")

    @contextmanager
    def stretch(self) -> Iterator[None]:
        """Announce what is compiled inside; the outermost stretch counts, and only one that a terminal shows."""
        if self._open or not _is_watched():
            yield
            return
        self._open, how = True, "gave up compiling kernels after"
        try:
            yield
            how = "compiled kernels in"
        finally:
            self._open = False
            self._end(how)

    def _end(self, how: str) -> None:
        if self._started is None:
            return
        seconds = time.perf_counter() - self._started
        self._started = None
        if _can_overwrite():
            _show(f"\r{how} {seconds:.0f} s\033[K")
        self.advise()

    def advise(self) -> None:
        """Say once how to keep what was compiled, if it is not kept."""
        line = advice() if self.compiled and not self.advised else None
        if line is not None:
            self.advised = True
            _show(f"civsim: {line}")


def _is_watched() -> bool:
    """Return whether a person sees stderr: it is a terminal, and this is not one of several workers."""
    return sys.stderr is not None and sys.stderr.isatty() and parent_process() is None


def _can_overwrite() -> bool:
    """Return whether the line can be written over: nothing stands between, such as a bar that is drawn below it."""
    return sys.stderr is sys.__stderr__


def _show(text: str, end: str = "\n") -> None:
    sys.stderr.write(f"{text}{end}")
    sys.stderr.flush()


_notice = _Notice()
announced = _notice.stretch
"""Context in which compilation shows one line on stderr, if that is a terminal; without it nothing is shown."""
advise = _notice.advise
"""Say once on stderr how to keep compiled kernels, if some were compiled and are not kept."""


def kernel(function: Callable[..., Any], *, rounds: int = 1, **options: Any) -> Any:
    """Return the compiled face of a plain function; the function itself where compilation is off (NUMBA_DISABLE_JIT).

    Args:
        function: takes and returns what numba compiles without Python objects.
        rounds: how often LLVM goes through its optimizations, for a kernel that Python calls or a chain: what one round
            has inlined, the next can simplify. One is enough for most.
        options: further options of ``numba.njit``.
    """
    if config.DISABLE_JIT:
        return function
    return Kernel(function, targetoptions={**OPTIONS, **options}, missed=_notice.missed, rounds=rounds)


def inlined(function: Callable[..., Any], **options: Any) -> Any:
    """Return :func:`kernel` of a small function that is compiled into each of its callers.

    Handing over an array takes longer than what some functions do with it.
    """
    return kernel(function, forceinline=True, **options)
