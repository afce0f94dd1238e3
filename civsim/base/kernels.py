"""How kernels are compiled: one line beside each plain function, ``harvest = kernel(_harvest)``.

The plain function stays callable, as the oracle of tests. Compiled kernels are cached on disk, release the GIL, and
divide as numpy does (a zero divisor gives inf or nan, not an exception), which lets loops run in vector registers.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from numba import njit

OPTIONS = {"cache": True, "nogil": True, "error_model": "numpy"}
"""Options of every kernel."""

kernel: Callable[..., Any] = partial(njit, **OPTIONS)
"""Compile a plain function. Numba's own types take what it returns for a decorator, so none is promised here."""
