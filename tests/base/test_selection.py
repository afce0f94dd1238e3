"""The k-th smallest is what sorting says, with ties, of any length."""

from __future__ import annotations

import numpy as np
import pytest

from civsim.base.selection import select


@pytest.mark.parametrize("length", [1, 2, 3, 17, 100])
@pytest.mark.parametrize("ties", [False, True])
@pytest.mark.parametrize("chosen", [select.py_func, select], ids=["plain", "compiled"])
def test_the_kth_smallest(chosen, length: int, ties: bool) -> None:
    rng = np.random.default_rng(length)
    for n in {1, (length + 1) // 2, length}:
        values = rng.normal(size=length).round(1 if ties else 15)
        wanted = np.sort(values[:n])
        rest = values[n:].copy()
        for k in range(n):
            row = values.copy()
            assert chosen(row, n, k) == wanted[k]
            assert np.array_equal(np.sort(row[:n]), wanted)
            assert np.array_equal(row[n:], rest), "only the first n are touched"
