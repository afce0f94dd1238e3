"""Helpers of pointers: views that are not counted, memory that is copied, entry points."""

from __future__ import annotations

import sys
from typing import NamedTuple

import numpy as np
import pytest
from numpy.typing import NDArray

from civsim.base.kernels import kernel
from civsim.base.pointer import Pointer, borrowed, copy_bytes, entry


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


class _Record(NamedTuple):
    values: NDArray[np.float64]
    count: int
    scale: float


def _scaled(record):
    total = 0.0
    for k in range(record.count):
        total += record.values[k] * record.scale
    return total


scaled = kernel(_scaled)


def test_a_pointer_with_other_scalars_reads_the_same_arrays_and_leaves_the_first_as_it_was() -> None:
    first = Pointer(_Record(np.arange(5.0), 2, 1.0))
    other = first.but(count=5, scale=0.5)
    first.record.values[4] = 40.0
    for read in (scaled, lambda pointer: _scaled(pointer.record)):
        assert read(other) == 0.5 * (0 + 1 + 2 + 3 + 40)
        assert read(first) == 1.0
    assert (first.record.count, other.record.count) == (2, 5)
    assert other.numba_type is first.numba_type


def test_records_of_the_same_fields_have_one_type_and_others_another() -> None:
    one, alike = Pointer(_Record(np.zeros(3), 1, 1.0)), Pointer(_Record(np.ones(7), 4, 2.0))
    single = Pointer(_Record(np.zeros(3, np.float32), 1, 1.0))
    assert one.numba_type is alike.numba_type
    assert single.numba_type != one.numba_type
    assert scaled(single.but(count=3)) == 0.0
    with pytest.raises(TypeError, match="values is not C-contiguous"):
        Pointer(_Record(np.zeros((4, 2))[:, 0], 1, 1.0))
    with pytest.raises(TypeError, match="count is a str"):
        Pointer(_Record(np.zeros(3), "1", 1.0))
