"""Numbers by which threads tell each other something without the interpreter, and the wait for them.

A thread that sleeps takes about 0.1 ms to wake, which is longer than many a small task. One that looks for a number
instead, for a moment, sees it at once; and it lets go of the interpreter's lock while it looks.
"""

from __future__ import annotations

import platform

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic, overload

from civsim.base.kernels import kernel

LINE = 8
"""Distance of two threads' numbers in an array: as many as share a line of the cache."""

_RESTING = {
    "x86_64": ("llvm.x86.sse2.pause", ()),
    "amd64": ("llvm.x86.sse2.pause", ()),
    "aarch64": ("llvm.aarch64.hint", (1,)),
    "arm64": ("llvm.aarch64.hint", (1,)),
}
"""The instruction by which a core lets its other thread, or its clock, have what waiting does not need."""

_INLINED = {"forceinline": True, "nogil": True}


def _read(numbers, place):
    """Return ``numbers[place]``, an int64, as it is in memory now, with all that was written before it."""
    return numbers[place]


def _write(numbers, place, number):
    """Write ``numbers[place]``, an int64, after all that was written before."""
    numbers[place] = number


def _rest():
    """Let a moment pass: a few nanoseconds, or some dozen."""


@intrinsic
def _read_acquire(typingctx, numbers, place):
    def build(context, builder, signature, arguments):
        data = context.make_array(numbers)(context, builder, arguments[0]).data
        return builder.load_atomic(builder.gep(data, [arguments[1]]), "acquire", 8)

    return types.int64(numbers, types.int64), build


@intrinsic
def _write_release(typingctx, numbers, place, number):
    def build(context, builder, signature, arguments):
        data = context.make_array(numbers)(context, builder, arguments[0]).data
        builder.store_atomic(arguments[2], builder.gep(data, [arguments[1]]), "release", 8)
        return context.get_dummy_value()

    return types.none(numbers, types.int64, types.int64), build


@intrinsic
def _rest_instruction(typingctx):
    def build(context, builder, signature, arguments):
        name, numbers = _RESTING.get(platform.machine().lower(), ("", ()))
        if name:
            word = ir.IntType(32)
            kind = ir.FunctionType(ir.VoidType(), [word] * len(numbers))
            instruction = cgutils.get_or_insert_function(builder.module, kind, name)
            builder.call(instruction, [ir.Constant(word, number) for number in numbers])
        return context.get_dummy_value()

    return types.none(), build


@overload(_read, jit_options=_INLINED)
def _compiled_read(numbers, place):
    return lambda numbers, place: _read_acquire(numbers, place)


@overload(_write, jit_options=_INLINED)
def _compiled_write(numbers, place, number):
    return lambda numbers, place, number: _write_release(numbers, place, number)


@overload(_rest, jit_options=_INLINED)
def _compiled_rest():
    return lambda: _rest_instruction()


def _answer(asked, answered, place, number, looks, pause):
    """Answer ``number``, then wait for another to be asked for; return it, or ``number`` where none was.

    Args:
        asked: int64 [n · LINE].
        answered: int64 [n · LINE].
        place: where the own number stands in both.
        number: an int64.
        looks: how often to look, at least 0.
        pause: rests to take after another was seen.
    """
    _write(answered, place, number)
    for _ in range(looks):
        now = _read(asked, place)
        if now != number:
            for _ in range(pause):
                _rest()
            return now
        _rest()
    return _read(asked, place)


answer = kernel(_answer)


def _all_answered(answered, n, number, looks):
    """Return whether the first ``n`` answers (int64 [n · LINE]) are ``number`` by the time ``looks`` are taken."""
    for k in range(n):
        while _read(answered, LINE * k) != number:
            looks -= 1
            if looks < 0:
                return False
            _rest()
    return True


all_answered = kernel(_all_answered)
