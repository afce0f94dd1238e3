"""Sets of cells as 64-bit words: which of 64 neighbouring bytes equal a value, and walking the bits that are set.

A row of bytes (who holds each cell, how far each is) is compared 64 cells at a time in vector registers, which a loop
over cells is not. Each function here is plain Python, the oracle of tests; inside kernels the same call becomes the
machine's own instruction. Words are uint64: bit k stands for cell ``start + k``.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic, overload
from numpy.typing import NDArray

WORD = 64
"""Cells in a word."""

_VECTOR = ir.VectorType(ir.IntType(8), WORD)


def equal_bits(row: NDArray[np.int8], start: int, value: int) -> np.uint64:
    """Return the word whose bit k says that ``row[start + k] == value``; bits beyond the row's end are 0.

    Args:
        row: a C-contiguous row of bytes (int8 or uint8), [C].
        start: first cell of the word, in [0, C).
        value: the byte looked for, within the row's dtype.
    """
    word = 0
    for k in range(min(WORD, len(row) - start)):
        word |= int(row[start + k] == value) << k
    return np.uint64(word)


def first_bit(word: np.uint64) -> int:
    """Return the number of the lowest bit set in ``word``, which is not 0."""
    whole = int(word)
    return (whole & -whole).bit_length() - 1


def without_first_bit(word: np.uint64) -> np.uint64:
    """Return ``word``, which is not 0, without its lowest bit set."""
    whole = int(word)
    return np.uint64(whole & (whole - 1))


@intrinsic
def _compare_word(context: Any, row: Any, start: Any, value: Any) -> Any:
    """Compare 64 whole bytes at once; the row must reach at least 64 bytes beyond ``start``."""

    def lower(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        array = context.make_array(signature.args[0])(context, builder, arguments[0])
        where = builder.gep(array.data, [arguments[1]])
        bytes_ = builder.load(builder.bitcast(where, _VECTOR.as_pointer()), align=1)
        narrow = builder.trunc(arguments[2], ir.IntType(8))
        wanted = ir.Constant(_VECTOR, ir.Undefined)
        zero = ir.Constant(ir.IntType(32), 0)
        wanted = builder.insert_element(wanted, narrow, zero)
        spread = ir.Constant(ir.VectorType(ir.IntType(32), WORD), [0] * WORD)
        wanted = builder.shuffle_vector(wanted, ir.Constant(_VECTOR, ir.Undefined), spread)
        return builder.bitcast(builder.icmp_signed("==", bytes_, wanted), ir.IntType(64))

    return types.uint64(row, types.int64, types.int64), lower


@intrinsic
def _count_trailing_zeros(context: Any, word: Any) -> Any:
    """Count the zeros below the lowest bit set."""

    def lower(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.cttz(arguments[0], ir.Constant(ir.IntType(1), 1))

    return types.int64(types.uint64), lower


_ONE = np.uint64(1)


# Numba wants an overload spelled with the very arguments of what it stands for, without annotations.
@overload(equal_bits)
def _equal_bits(row, start, value):  # type: ignore[no-untyped-def]
    def compiled(row, start, value):  # type: ignore[no-untyped-def]
        if start + WORD <= row.shape[0]:
            return _compare_word(row, start, value)
        word = np.uint64(0)
        for k in range(row.shape[0] - start):
            if row[start + k] == value:
                word |= _ONE << np.uint64(k)
        return word

    return compiled


@overload(first_bit)
def _first_bit(word):  # type: ignore[no-untyped-def]
    return lambda word: _count_trailing_zeros(word)


@overload(without_first_bit)
def _without_first_bit(word):  # type: ignore[no-untyped-def]
    return lambda word: word & (word - _ONE)
