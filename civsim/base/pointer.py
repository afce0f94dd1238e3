"""Records as kernels see them: one pointer to a table of array addresses and scalars.

Numba passes a named tuple of arrays by value, field by field: with the two hundred fields of a step every call would
copy more than a thousand words, and every kernel take minutes to compile. A :class:`Pointer` is one pointer instead,
with the same attributes: ``state.owner[b, c]`` compiles from a pointer and runs in plain Python from the record
itself, so one kernel serves both. Arrays read through a pointer are borrowed: the pointer keeps the record alive, no
reference is counted in a kernel, and threads share nothing but the data.
"""

from __future__ import annotations

from collections.abc import Callable
from ctypes import memmove
from functools import cache
from hashlib import blake2b
from typing import Any, NamedTuple

import numpy as np
from llvmlite import ir
from numba import from_dtype, typeof, types
from numba.core import cgutils
from numba.core.datamodel import models
from numba.core.typing.templates import AttributeTemplate
from numba.extending import (
    NativeValue,
    infer_getattr,
    intrinsic,
    lower_getattr_generic,
    overload,
    register_model,
    typeof_impl,
    unbox,
)
from numpy.typing import NDArray

_DIGEST = 16
_SCALARS = {bool: types.boolean, int: types.int64, float: types.float64}

__all__ = ["Pointer", "borrowed", "copy_bytes", "entry"]


class PointerType(types.Type):
    """Numba type of a pointer: a name and its (field, type) pairs, from which word offsets follow.

    The type's own name holds a digest of the fields instead of the fields: it is part of the symbol of every kernel,
    and spelled out it made up most of what LLVM had to read.
    """

    def __init__(self, name: str, fields: tuple[tuple[str, Any], ...]) -> None:
        self.fields = fields
        self.offsets: dict[str, tuple[int, Any]] = {}
        at = 0
        for field, kind in fields:
            self.offsets[field] = (at, kind)
            at += 1 + (kind.ndim if isinstance(kind, types.Array) else 0)
        layout = ", ".join(f"{field}:{kind}" for field, kind in fields)
        super().__init__(name=f"{name}_{blake2b(layout.encode(), digest_size=_DIGEST).hexdigest()}")

    @property
    def key(self) -> Any:
        """What makes two pointer types the same: the name, which holds a digest of every field."""
        return self.name


@register_model(PointerType)
class _PointerModel(models.PrimitiveModel):
    """A pointer to 64-bit words."""

    def __init__(self, manager: Any, fe_type: Any) -> None:
        super().__init__(manager, fe_type, ir.IntType(64).as_pointer())


class Pointer(int):
    """A record of C-contiguous arrays and scalars, to be passed to kernels.

    It is the address of its table: an int is what a kernel is handed fastest, and a turn is handed dozens.

    Args:
        record: a named tuple whose fields are C-contiguous arrays, bools, ints or floats. It is kept alive.

    Raises:
        TypeError: a field is neither, or an array is not C-contiguous.
    """

    record: NamedTuple
    words: NDArray[np.int64]
    numba_type: PointerType

    def __new__(cls, record: NamedTuple) -> Pointer:
        """Make the table of a record; see the class."""
        fields: list[tuple[str, Any]] = []
        words: list[int] = []
        for name, value in record._asdict().items():
            if isinstance(value, np.ndarray):
                if not value.flags.c_contiguous:
                    raise TypeError(f"{name} is not C-contiguous; copy it first")
                fields.append((name, (value.dtype, value.ndim)))
                words += [value.ctypes.data, *value.shape]
            elif type(value) in _SCALARS:
                fields.append((name, type(value)))
                words.append(_bits(value))
            else:
                raise TypeError(f"{name} is a {type(value).__name__}; give an array, a bool, an int or a float")
        table = np.array(words, np.int64)
        pointer = super().__new__(cls, table.ctypes.data)
        pointer.record, pointer.words = record, table
        pointer.numba_type = _pointer_type(type(record).__name__, tuple(fields))
        return pointer

    def to(self, record: NamedTuple) -> Pointer:
        """Return a pointer to another record whose fields have the same types and shapes; it is made much faster.

        Raises:
            TypeError: a field differs in more than its values.
        """
        table = self.words.copy()
        for (name, (at, _)), old, new in zip(self.numba_type.offsets.items(), self.record, record, strict=True):
            if not isinstance(old, np.ndarray):
                table[at] = _bits(new)
            elif new.dtype == old.dtype and new.shape == old.shape and new.flags.c_contiguous:
                table[at] = new.ctypes.data
            else:
                raise TypeError(f"{name} is not a C-contiguous {old.dtype} {old.shape}; make a new pointer")
        pointer = super().__new__(type(self), table.ctypes.data)
        pointer.record, pointer.words, pointer.numba_type = record, table, self.numba_type
        return pointer

    def but(self, **scalars: bool | int | float) -> Pointer:
        """Return a pointer to the same arrays, with other values of the scalars named; it is made faster still."""
        table = self.words.copy()
        for name, value in scalars.items():
            table[self.numba_type.offsets[name][0]] = _bits(value)
        pointer = super().__new__(type(self), table.ctypes.data)
        pointer.record, pointer.words = self.record._replace(**scalars), table
        pointer.numba_type = self.numba_type
        return pointer

    def __reduce__(self) -> tuple[Any, ...]:
        """Copy and pickle as the record alone: an address is good for one table in one process."""
        return Pointer, (self.record,)


@cache
def _array_type(dtype: np.dtype[Any], ndim: int) -> types.Array:
    return types.Array(from_dtype(dtype), ndim, "C")


@cache
def _pointer_type(name: str, fields: tuple[tuple[str, Any], ...]) -> PointerType:
    """Return the type of a record's pointer; ``fields`` give the Python type of a scalar, dtype and ndim of an array.

    To make one takes as long as two hundred small steps of a world, and a study makes thousands of worlds.
    """
    kinds = ((field, _array_type(*kind) if isinstance(kind, tuple) else _SCALARS[kind]) for field, kind in fields)
    return PointerType(name, tuple(kinds))


def _bits(value: bool | int | float) -> int:
    """Return the 64-bit word of a scalar."""
    if type(value) is float:
        return int(np.array([value], np.float64).view(np.int64)[0])
    return int(value)


@typeof_impl.register(Pointer)
def _typeof_pointer(value: Pointer, context: Any) -> Any:
    return value.numba_type


@unbox(PointerType)
def _unbox_pointer(kind: Any, value: Any, c: Any) -> NativeValue:
    number = c.pyapi.long_as_longlong(value)
    return NativeValue(c.builder.inttoptr(number, ir.IntType(64).as_pointer()))


@infer_getattr
class _PointerAttribute(AttributeTemplate):
    """Types of a pointer's attributes."""

    key = PointerType

    def generic_resolve(self, kind: Any, attr: str) -> Any:
        found = kind.offsets.get(attr)
        return None if found is None else found[1]


def _load_word(builder: Any, pointer: Any, index: int) -> Any:
    """Load word ``index``. The table is constant while a kernel runs, so the load may move out of any loop."""
    where = builder.gep(pointer, [ir.Constant(ir.IntType(64), index)])
    word = builder.load(where)
    word.set_metadata("invariant.load", builder.module.add_metadata([]))
    return word


@lower_getattr_generic(PointerType)
def _get_attribute(context: Any, builder: Any, kind: Any, pointer: Any, attr: str) -> Any:
    at, field = kind.offsets[attr]
    word = _load_word(builder, pointer, at)
    if field == types.boolean:
        return builder.icmp_signed("!=", word, ir.Constant(ir.IntType(64), 0))
    if field == types.float64:
        return builder.bitcast(word, ir.DoubleType())
    if not isinstance(field, types.Array):
        return word
    array = context.make_array(field)(context, builder)
    size = context.get_abi_sizeof(context.get_data_type(field.dtype))
    shape = [_load_word(builder, pointer, at + 1 + axis) for axis in range(field.ndim)]
    strides: list[Any] = []
    step = ir.Constant(ir.IntType(64), size)
    for length in reversed(shape):
        strides.insert(0, step)
        step = builder.mul(step, length)
    context.populate_array(
        array,
        data=builder.inttoptr(word, context.get_data_type(field.dtype).as_pointer()),
        shape=cgutils.pack_array(builder, shape),
        strides=cgutils.pack_array(builder, strides),
        itemsize=ir.Constant(ir.IntType(64), size),
        meminfo=None,
    )
    return array._getvalue()


def entry(kernel: Any, *arguments: Any) -> Callable[..., Any]:
    """Return the bare entry point of a kernel for arguments of the types of these; a plain function as it is.

    It is called several µs sooner than the kernel, and takes the memory of what it is handed as it was told here: it
    must be called with pointers, arrays and numbers of the same types, arrays contiguous.
    """
    return kernel.compile(tuple(typeof(argument) for argument in arguments)) if hasattr(kernel, "compile") else kernel


def borrowed(array):
    """Return ``array`` as a kernel reads it through a pointer: no reference to it, or to a view of it, is counted.

    The caller keeps it alive. Counting takes a locked instruction for every view that is handed on.
    """
    return array


@intrinsic
def _borrow(typing_context: Any, array: Any) -> Any:
    def build(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        given = context.make_array(array)(context, builder, arguments[0])
        given.meminfo = cgutils.get_null_value(given.meminfo.type)
        return given._getvalue()

    return array(array), build


@overload(borrowed, jit_options={"forceinline": True, "nogil": True})
def _borrowed(array):
    return lambda array: _borrow(array)


def copy_bytes(to, of, size):
    """Copy memory from one address to another, which do not overlap.

    Args:
        to: address of the first byte that is written, an integer.
        of: address of the first byte that is read, an integer.
        size: how many bytes, at least 0.
    """
    memmove(int(to), int(of), int(size))


@intrinsic
def _copy(typing_context: Any, to: Any, of: Any, size: Any) -> Any:
    def build(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        byte = ir.IntType(8).as_pointer()
        into, out_of = (builder.inttoptr(address, byte) for address in arguments[:2])
        cgutils.raw_memcpy(builder, into, out_of, arguments[2], 1)
        return context.get_dummy_value()

    return types.none(types.int64, types.int64, types.int64), build


@overload(copy_bytes, jit_options={"forceinline": True, "nogil": True})
def _copy_bytes(to, of, size):
    return lambda to, of, size: _copy(to, of, size)
