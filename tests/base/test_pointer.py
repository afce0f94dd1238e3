"""Helpers of pointers: views that are not counted, memory that is copied, entry points."""

from __future__ import annotations

import sys

import numpy as np

from civsim.base.kernels import kernel
from civsim.base.pointer import borrowed, copy_bytes, entry


def _sum_rows(table):
    total = 0.0
    rows = borrowed(table)
    for n in range(rows.shape[0]):
        row = rows[n]
        row[0] += 1.0
        total += row.sum()
    return total


sum_rows = kernel(_sum_rows)


def test_a_borrowed_array_is_the_array() -> None:
    table = np.arange(12.0).reshape(3, 4)
    held = sys.getrefcount(table)
    assert sum_rows(table) == 66.0 + 3.0
    assert (table[:, 0] == [1.0, 5.0, 9.0]).all()
    assert sys.getrefcount(table) == held
    assert _sum_rows(table) == 69.0 + 3.0


def _copy(to, of, size):
    copy_bytes(to, of, size)


def test_memory_is_copied_and_no_more_of_it() -> None:
    for one in (_copy, kernel(_copy)):
        of, to = np.arange(10, dtype=np.int16), np.zeros(10, np.int16)
        one(to.ctypes.data + 2, of.ctypes.data, 2 * 3)
        assert to.tolist() == [0, 0, 1, 2, 0, 0, 0, 0, 0, 0]
        one(to.ctypes.data, of.ctypes.data, 0)
        assert to.tolist() == [0, 0, 1, 2, 0, 0, 0, 0, 0, 0]


def test_an_entry_point_is_the_kernel() -> None:
    table = np.ones((2, 3))
    assert entry(sum_rows, table)(table) == 8.0
    assert entry(_sum_rows, table) is _sum_rows
