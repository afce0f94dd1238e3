"""Compiled kernels called one after the other, without coming back to Python in between.

Between two kernels that are called from Python a thread must hold the interpreter's lock again; two threads that share
a small step then wait for one another more than they work. A chain is one call. Its kernels are called by address, so
none is compiled again for it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
from numba import typeof, types
from numba.core import cgutils
from numba.extending import intrinsic
from numpy.typing import NDArray

from civsim.base.kernels import kernel
from civsim.base.pointer import Pointer


@intrinsic
def _call(typing_context: Any, address: Any, *arguments: Any) -> Any:
    """Call the kernel at an address with these arguments; it returns nothing, and what it raises is raised here."""

    def build(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        kinds = signature.args[1]
        convention = context.call_conv
        pointer = convention.get_function_type(types.none, tuple(kinds)).as_pointer()
        callee = builder.inttoptr(values[0], pointer)
        given = [builder.extract_value(values[1], place) for place in range(len(kinds))]
        status, _ = convention.call_function(builder, callee, types.none, tuple(kinds), given)
        with cgutils.if_unlikely(builder, status.is_error):
            convention.return_status_propagate(builder, status)
        return context.get_dummy_value()

    packed = arguments if len(arguments) != 1 or not isinstance(arguments[0], types.BaseTuple) else arguments[0]
    return types.none(types.int64, types.Tuple(tuple(packed))), build


class Chain(NamedTuple):
    """What is called. It is handed over as a pointer: handing over a bare array allocates."""

    addresses: NDArray[np.int64]  # [kernels]


def _run_chain(chain, state, orders, cfg, key, work):
    """Call every kernel of the chain in turn."""
    for place in range(chain.addresses.shape[0]):
        _call(chain.addresses[place], state, orders, cfg, key, work)


run_chain = kernel(_run_chain)


def chained(kernels: Sequence[Any], kinds: tuple[Any, ...]) -> Callable[..., None]:
    """Return a function of (state, orders, cfg, key, work) that calls each kernel with them, in turn.

    Args:
        kernels: compiled kernels that return nothing; plain functions where compilation is off.
        kinds: numba's types of the five arguments.
    """
    if not all(hasattr(one, "compile") for one in kernels):

        def plain(*arguments: Any) -> None:
            for one in kernels:
                one(*arguments)

        return plain
    addresses = np.empty(len(kernels), np.int64)
    for place, one in enumerate(kernels):
        one.compile(kinds)
        result = one.overloads[kinds]
        addresses[place] = result.library.get_pointer_to_function(result.fndesc.llvm_func_name)
    chain = Pointer(Chain(addresses))
    entry = run_chain.compile((typeof(chain), *kinds))

    def compiled(*arguments: Any) -> None:
        entry(chain, *arguments)

    return compiled
