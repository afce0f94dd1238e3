"""Sets of cells as words of 64 bits, and the few questions that kernels ask of them.

Cell c is bit c % 64 of word c // 64. One comparison of a row of small integers makes a whole word, so that a map is
searched 64 cells at a time. Each function here is plain Python, which is what it means; inside a compiled kernel it
is a handful of machine instructions instead, which is all that this module is for.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic, overload

from civsim.base.kernels import inlined, kernel

WORD = 64
"""Cells of a word."""

EMPTY = np.uint64(0)
"""The word of no cell."""

_I64 = ir.IntType(WORD)
_ONE = np.uint64(1)
_INLINED = {"forceinline": True, "nogil": True, "error_model": "numpy"}


def _n_words(cells):
    """Return how many words hold a set of ``cells`` cells."""
    return (cells + WORD - 1) // WORD


n_words = kernel(_n_words)


def equal_word(row, start, value):
    """Return the word of the cells ``start`` … ``start`` + 63 of ``row`` that hold ``value``; none lies past its end.

    Args:
        row: integers [C], contiguous.
        start: the word's first cell.
        value: an integer that the row's dtype can hold.
    """
    return _word([cell == value for cell in row[start : start + WORD]])


def above_word(row, start, value):
    """Return the word of the cells whose entry exceeds ``value``; as :func:`equal_word`, but floats will do too."""
    return _word([cell > value for cell in row[start : start + WORD]])


def _word(flags: list[bool]) -> np.uint64:
    return np.uint64(sum(1 << place for place, flag in enumerate(flags) if flag))


def count_bits(word):
    """Return how many bits of a word are set."""
    return int(word).bit_count()


def first_bit(word):
    """Return the place of the lowest bit of a word that is not 0."""
    return (int(word) & -int(word)).bit_length() - 1


def _without_first(word):
    """Return a word that is not 0 without its lowest bit."""
    return word & (word - _ONE)


without_first = inlined(_without_first)


def _shifted_word(words, place, bits):
    """Return word ``place`` of a set moved ``bits`` cells, 0 … 63, towards its beginning.

    Args:
        words: uint64 [W], the set's words.
        place: 0 … W − 2.
        bits: an integer.
    """
    # Shifted by one and then by the rest: a shift by all 64 bits would have no meaning.
    beyond = words[place + 1] << _ONE << np.uint64(WORD - 1 - bits)
    return (words[place] >> np.uint64(bits)) | beyond


shifted_word = inlined(_shifted_word)


def least_sum(word, start, left, right):
    """Return the least left[c] + right[c] over the cells of a word that is not 0.

    Args:
        word: the cells, from ``start`` on.
        start: the word's first cell.
        left: uint16 [C], contiguous.
        right: uint16 [C], contiguous; no sum exceeds 65535.
    """
    cells = [start + place for place in range(WORD) if int(word) >> place & 1]
    return min(int(left[cell]) + int(right[cell]) for cell in cells)


def clipped_sum(row, start, high):
    """Return the sum of a word's entries, each cut to 0 … ``high``.

    Args:
        row: int32 [C], contiguous.
        start: the word's first cell.
        high: int32, at least 0; 64 of it are at most 2**31 - 1.
    """
    return sum(min(max(int(entry), 0), int(high)) for entry in row[start : start + WORD])


def _lanes(context: Any, builder: Any, array: Any, value: Any, start: Any) -> Any:
    """Load 64 entries of an array as one vector."""
    data = context.make_array(array)(context, builder, value).data
    vector = ir.VectorType(context.get_data_type(array.dtype), WORD)
    where = builder.bitcast(builder.gep(data, [start]), vector.as_pointer())
    return builder.load(where, align=array.dtype.bitwidth // 8)


def _spread(builder: Any, value: Any, lanes: Any) -> Any:
    """Return a vector like ``lanes`` with ``value`` in every lane."""
    vector = lanes.type
    one = builder.insert_element(ir.Constant(vector, ir.Undefined), value, ir.Constant(ir.IntType(32), 0))
    zeros = ir.Constant(ir.VectorType(ir.IntType(32), vector.count), None)
    return builder.shuffle_vector(one, ir.Constant(vector, ir.Undefined), zeros)


def _reduce(builder: Any, operation: str, lanes: Any) -> Any:
    """Return a vector's lanes reduced to one number by one of LLVM's reductions."""
    element = lanes.type.element
    kind = ir.FunctionType(element, [lanes.type])
    name = f"llvm.vector.reduce.{operation}.v{WORD}i{element.width}"
    return builder.call(cgutils.get_or_insert_function(builder.module, kind, name), [lanes])


def _comparison(operator: str) -> Callable[..., Any]:
    """Return an intrinsic that compares 64 entries of a row with a value and packs the answers into a word."""

    @intrinsic
    def compare(typingctx, row, start, value):
        def build(context, builder, signature, arguments):
            lanes = _lanes(context, builder, row, arguments[0], arguments[1])
            other = _spread(builder, context.cast(builder, arguments[2], value, row.dtype), lanes)
            if isinstance(row.dtype, types.Float):
                flags = builder.fcmp_ordered(operator, lanes, other)
            elif row.dtype.signed:
                flags = builder.icmp_signed(operator, lanes, other)
            else:
                flags = builder.icmp_unsigned(operator, lanes, other)
            return builder.bitcast(flags, _I64)

        return types.uint64(row, types.int64, value), build

    return compare


_equal_lanes, _above_lanes = _comparison("=="), _comparison(">")


def _last_equal(row, start, value):
    word = np.uint64(0)
    for place in range(row.shape[0] - start):
        word |= np.uint64(row[start + place] == value) << np.uint64(place)
    return word


def _last_above(row, start, value):
    word = np.uint64(0)
    for place in range(row.shape[0] - start):
        word |= np.uint64(row[start + place] > value) << np.uint64(place)
    return word


_last_equal_word, _last_above_word = inlined(_last_equal), inlined(_last_above)


@overload(equal_word, jit_options=_INLINED)
def _equal_word(row, start, value):
    def compiled(row, start, value):
        if start + WORD <= row.shape[0]:
            return _equal_lanes(row, start, value)
        return _last_equal_word(row, start, value)

    return compiled


@overload(above_word, jit_options=_INLINED)
def _above_word(row, start, value):
    def compiled(row, start, value):
        if start + WORD <= row.shape[0]:
            return _above_lanes(row, start, value)
        return _last_above_word(row, start, value)

    return compiled


@intrinsic
def _population(typingctx, word):
    return types.int64(types.uint64), lambda context, builder, signature, arguments: builder.ctpop(arguments[0])


@overload(count_bits, jit_options=_INLINED)
def _count_bits(word):
    return lambda word: _population(word)


@intrinsic
def _trailing_zeros(typingctx, word):
    def build(context, builder, signature, arguments):
        return builder.cttz(arguments[0], ir.Constant(ir.IntType(1), 1))

    return types.int64(types.uint64), build


@overload(first_bit, jit_options=_INLINED)
def _first_bit(word):
    return lambda word: _trailing_zeros(word)


@intrinsic
def _least_lanes(typingctx, word, start, left, right):
    def build(context, builder, signature, arguments):
        word_value, start_value, left_value, right_value = arguments
        one = _lanes(context, builder, left, left_value, start_value)
        other = _lanes(context, builder, right, right_value, start_value)
        chosen = builder.bitcast(word_value, ir.VectorType(ir.IntType(1), WORD))
        nothing = ir.Constant(one.type, [2**16 - 1] * WORD)
        lanes = builder.select(chosen, builder.add(one, other), nothing)
        return builder.zext(_reduce(builder, "umin", lanes), _I64)

    return types.int64(types.uint64, types.int64, left, right), build


@intrinsic
def _clipped_lanes(typingctx, row, start, high):
    def build(context, builder, signature, arguments):
        lanes = _lanes(context, builder, row, arguments[0], arguments[1])
        limit = _spread(builder, arguments[2], lanes)
        nothing = ir.Constant(lanes.type, [0] * WORD)
        lanes = builder.select(builder.icmp_signed("<", lanes, limit), lanes, limit)
        lanes = builder.select(builder.icmp_signed(">", lanes, nothing), lanes, nothing)
        return builder.zext(_reduce(builder, "add", lanes), _I64)

    return types.int64(row, types.int64, types.int32), build


def _last_clipped(row, start, high):
    total = 0
    for cell in range(start, row.shape[0]):
        total += min(max(row[cell], 0), high)
    return total


_last_clipped_sum = inlined(_last_clipped)


@overload(clipped_sum, jit_options=_INLINED)
def _clipped_sum(row, start, high):
    def compiled(row, start, high):
        if start + WORD <= row.shape[0]:
            return _clipped_lanes(row, start, np.int32(high))
        return _last_clipped_sum(row, start, high)

    return compiled


def _last_least(word, start, left, right):
    least = np.int64(2**16 - 1)
    while word != np.uint64(0):
        cell = start + first_bit(word)
        least = min(least, np.int64(left[cell]) + np.int64(right[cell]))
        word = without_first(word)
    return least


_last_least_sum = inlined(_last_least)


@overload(least_sum, jit_options=_INLINED)
def _least_sum(word, start, left, right):
    def compiled(word, start, left, right):
        if start + WORD <= left.shape[0]:
            return _least_lanes(word, start, left, right)
        return _last_least_sum(word, start, left, right)

    return compiled
