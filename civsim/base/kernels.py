"""How kernels are compiled: one line beside each plain function, ``harvest = kernel(_harvest)``.

The plain function stays callable, as the oracle of tests. Compiled kernels are cached on disk, release the GIL, and
divide as numpy does (a zero divisor gives inf or nan, not an exception), which lets loops run in vector registers.
"""

from __future__ import annotations

from functools import partial

from numba import njit

OPTIONS = {"cache": True, "nogil": True, "error_model": "numpy"}
"""Options of every kernel."""

kernel = partial(njit, **OPTIONS)

inlined = partial(njit, **OPTIONS, forceinline=True)
"""Compiles a small function into each of its callers: handing over an array takes longer than what some do with it."""
