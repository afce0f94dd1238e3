"""Kernels as LLVM holds them: the body, which other kernels link, and the entry, which Python calls.

Numba gives every function a library of its own: linked with all that it calls, optimized, made into machine code and
wrapped for Python. A kernel is mostly called by kernels, and what calls it links and optimizes it once more, so nearly
all of that work was thrown away. Here a body stays as it was lowered. Only an entry is linked, optimized and made into
machine code: once for all the bodies that it reaches.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from llvmlite import binding as llvm
from numba.core.codegen import JITCodeLibrary
from numba.core.runtime import rtsys

from civsim.base.kernel_cache import Name, digest

_SHARED = ("external", "linkonce_odr")  # linkage of functions that the linker takes to be one with others of their name


class Body(JITCodeLibrary):
    """The code of one kernel and of what numba adds to it, without the kernels it calls.

    Args:
        codegen: numba's code generator.
        title: a name for people.
        name: what the body is found by; None where another process could not tell.
        settled: whether the body is optimized by itself first. One that may take a sum in any order is: what order that
            is must not depend on who calls it.
    """

    symbol: str  # LLVM's name of the kernel

    def __init__(self, codegen: Any, title: str, name: Name | None, settled: bool = False) -> None:
        super().__init__(codegen, title)
        self.found_by, self._settled = name, settled
        self.calls: tuple[Body, ...] = ()

    @property
    def token(self) -> str | None:
        """What sets the symbol apart from that of every other kernel; None for the count that numba keeps.

        The count is good for one process, and bodies of several are linked.
        """
        return None if self.found_by is None else digest(*self.found_by)

    @classmethod
    def read(cls, codegen: Any, title: str, name: Name, bitcode: bytes, calls: tuple[Body, ...]) -> Body:
        """Return the body that was kept as ``bitcode``, with the bodies it calls."""
        body = cls(codegen, title, name)
        body._final_module = llvm.parse_bitcode(bitcode)
        body.calls, body._finalized = calls, True
        return body

    def finalize(self) -> None:
        """Take in what numba adds; note the kernels that are called."""
        self._raise_if_finalized()
        libraries = tuple(dict.fromkeys(self._linking_libraries))
        self.calls = tuple(library for library in libraries if isinstance(library, Body))
        for library in libraries:
            self._reload_init.update(library._reload_init)
            if not isinstance(library, Body) and library is not rtsys.library:
                self._adopt(library)
        if self._settled:
            self._optimize_final_module()
        self._finalize_dynamic_globals()
        self._finalized = True

    def _adopt(self, library: Any) -> None:
        """Link one of numba's functions as this body's own.

        Numba's names are counted from the start of a process: another body, read from disk, may hold another function
        of the same name, and the linker would take one for both. Left alone are kernels that the function calls, whose
        names say all, and counts of references, which LLVM knows by their names.
        """
        kept = {function.name for function in (*rtsys.library.get_defined_functions(), *self.get_defined_functions())}
        kept.update(body.symbol for body in _bodies_in(library))
        self._final_module.link_in(library._get_module_for_linking(), preserve=True)
        for function in self.get_defined_functions():
            if function.name not in kept and function.linkage.name in _SHARED:
                function.linkage = llvm.Linkage.internal

    def _get_module_for_linking(self) -> Any:
        """Return the body with all kernels that it calls: what numba links with a function of its own."""
        self._ensure_finalized()
        module = self._final_module.clone()
        _link(module, [body for body in self.reached() if body is not self])
        module.get_function(self.symbol).linkage = llvm.Linkage.linkonce_odr
        return module

    @property
    def bitcode(self) -> bytes:
        """The body as it is kept on disk."""
        self._ensure_finalized()
        return bytes(self._final_module.as_bitcode())

    def reached(self) -> Iterator[Body]:
        """Yield this body and every body that it calls, directly or not, each once."""
        seen: dict[Body, None] = {self: None}
        waiting = [self]
        while waiting:
            for body in waiting.pop().calls:
                if body not in seen:
                    seen[body] = None
                    waiting.append(body)
        yield from seen


class Entry(JITCodeLibrary):
    """Machine code of a kernel, linked with all that it calls, and its wrapper for Python.

    Args:
        codegen: numba's code generator.
        title: a name for people.
        rounds: how often LLVM goes through its optimizations, at least once.
    """

    def __init__(self, codegen: Any, title: str, rounds: int = 1) -> None:
        super().__init__(codegen, title)
        self._rounds = rounds
        self.enable_object_caching()

    @classmethod
    def read(cls, codegen: Any, title: str, code: bytes, symbols: tuple[str, ...]) -> Entry:
        """Return the entry that was kept as machine code which defines ``symbols``."""
        entry = cls(codegen, title)
        entry._set_compiled_object(code)
        entry._finalize_final_module()
        codegen._engine._defined_symbols.update(symbols)
        return entry

    @property
    def code(self) -> bytes:
        """The machine code, as an object file."""
        self._ensure_finalized()
        return bytes(self._get_compiled_object())

    def _optimize_final_module(self) -> None:
        for _ in range(self._rounds):
            super()._optimize_final_module()

    def take(self, body: Body) -> None:
        """Link ``body`` and all that it reaches."""
        bodies = list(body.reached())
        _link(self._final_module, bodies)
        for one in bodies:
            self._reload_init.update(one._reload_init)
        self.add_linking_library(rtsys.library)


def _link(module: Any, bodies: list[Body]) -> None:
    """Link bodies into a module, where they may be inlined, and left out afterwards.

    They are first linked as what must stay: the linker leaves out what nobody calls yet.
    """
    for body in bodies:
        module.link_in(body._final_module, preserve=True)
    for body in bodies:
        module.get_function(body.symbol).linkage = llvm.Linkage.linkonce_odr


def _bodies_in(library: Any) -> Iterator[Body]:
    """Yield the bodies that a library of numba's calls, directly or not."""
    for one in library._linking_libraries:
        yield from one.reached() if isinstance(one, Body) else _bodies_in(one)
