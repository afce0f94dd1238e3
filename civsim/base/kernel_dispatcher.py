"""What calls a kernel: numba's dispatcher, which compiles a body for kernels and an entry for Python.

See :mod:`civsim.base.kernel_library` for the two. What differs from numba besides: the garbage collector rests while a
kernel is compiled (a compilation allocates millions of objects that form few cycles, and collections took a sixth of
the time), and a symbol is named by what the kernel's code depends on, so that bodies made in several processes can be
linked.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from numba.core import compiler, sigutils, types
from numba.core.bytecode import FunctionIdentity
from numba.core.compiler_lock import global_compiler_lock
from numba.core.dispatcher import _FunctionCompiler
from numba.core.environment import lookup_environment
from numba.core.errors import ForceLiteralArg
from numba.core.registry import CPUDispatcher, cpu_target
from numba.core.typing import make_concrete_template
from numba.core.untyped_passes import ExtractByteCode

from civsim.base.kernel_cache import BODY, ENTRY, KernelCache, Name, load, save
from civsim.base.kernel_library import Body, Entry

_ENVIRONMENT = "_ZN08NumbaEnv"  # how the name begins of what a function's exceptions are made from

_bodies: dict[Name, Any] = {}
"""Bodies of this process, made or read, as numba's results: a kernel that is defined twice has one."""


@contextmanager
def _collector_at_rest() -> Iterator[None]:
    """Compile alone, and without the garbage collector; it goes on afterwards if it was on before."""
    with global_compiler_lock:
        on = gc.isenabled()
        gc.disable()
        try:
            yield
        finally:
            if on:
                gc.enable()


class _Pipeline(compiler.Compiler):
    """Numba's compiler of one function, whose symbol is named by the body."""

    def compile_extra(self, func: Callable[..., Any]) -> Any:
        """Compile a function; as numba's, but for the name."""
        self.state.func_id = FunctionIdentity.from_function(func)
        if self.state.library.token is not None:
            self.state.func_id.unique_id = self.state.library.token
        ExtractByteCode().run_pass(self.state)
        self.state.lifted, self.state.lifted_from = (), None
        return self._compile_bytecode()


def _flags(options: dict[str, Any]) -> compiler.Flags:
    """Return numba's flags for these options, whoever is being compiled.

    Numba would hand on those of a caller, so that what a kernel is depended on who called it first.
    """
    flags = compiler.Flags()
    flags.fastmath, flags.forceinline = options.get("fastmath", False), options.get("forceinline", False)
    cpu_target.options.parse_as_flags(flags, options)
    return flags


class _BodyCompiler(_FunctionCompiler):
    """Compiles bodies of one kernel."""

    flags: compiler.Flags
    name: Callable[[tuple[Any, ...]], Name | None]

    def _compile_core(self, args: tuple[Any, ...], return_type: Any) -> Any:
        """Compile the kernel for arguments of these types: no wrapper, no machine code."""
        flags = self.flags.copy()
        flags.no_cpython_wrapper = flags.no_cfunc_wrapper = flags.no_compile = True
        context = self.targetdescr.target_context
        body = Body(context.codegen(), self.py_func.__qualname__, self.name(args), bool(flags.fastmath))
        result = compiler.compile_extra(
            self.targetdescr.typing_context,
            context,
            self.py_func,
            args=args,
            return_type=return_type,
            flags=flags,
            locals=self.locals,
            library=body,
            pipeline_class=self.pipeline_class,
        )
        body._ensure_finalized()
        return _result(body, result.fndesc, result.environment, result.signature, _environments(body))


def _environments(library: Any) -> tuple[Any, ...]:
    """Return the environments that a library's code points to."""
    names = (variable.name for variable in library._final_module.global_variables)
    found = (lookup_environment(name) for name in names if name.startswith(_ENVIRONMENT))
    return tuple(one for one in found if one is not None)


def _result(library: Any, descriptor: Any, environment: Any, signature: Any, environments: tuple[Any, ...]) -> Any:
    """Return numba's result of a compilation, without what is of no use after it."""
    descriptor.typemap = descriptor.calltypes = None
    return compiler.compile_result(
        typing_context=cpu_target.typing_context,
        target_context=cpu_target.target_context,
        entry_point=library,
        signature=signature,
        objectmode=False,
        lifted=(),
        fndesc=descriptor,
        library=library,
        environment=environment,
        referenced_envs=environments,
    )


def _keep_body(result: Any) -> None:
    """Keep a body on disk, if it and all that it calls can be found there."""
    body = result.library
    callees = tuple((callee.found_by, callee.symbol) for callee in body.calls)
    if body.found_by is None or body.has_dynamic_globals or any(name is None for name, _ in callees):
        return
    made = (result.fndesc, result.environment, result.signature, result.referenced_envs)
    save(body.found_by, (body.name, body.bitcode, callees, tuple(body._reload_init), *made))


def _read_body(name: Name) -> Any:
    """Return the body of a name, from this process or from disk with all that it calls; None where there is none."""

    def rebuild(title: str, bitcode: bytes, callees: Any, reload: Any, descriptor: Any, *made: Any) -> Any:
        for function in reload:
            function()
        calls = tuple(_read_body(callee) for callee, _ in callees)
        if any(one is None or one.library.symbol != symbol for one, (_, symbol) in zip(calls, callees, strict=True)):
            return None
        codegen = cpu_target.target_context.codegen()
        body = Body.read(codegen, title, name, bitcode, tuple(one.library for one in calls))
        return _introduced(_result(body, descriptor, *made))

    return _bodies.get(name) or load(name, rebuild)


def _introduced(result: Any) -> Any:
    """Return a body's result once the compiler knows it: for those that call it, and by its name."""
    body = result.library
    body.symbol = result.fndesc.llvm_func_name
    cpu_target.target_context.insert_user_function(body, result.fndesc, [body])
    if body.found_by is not None:
        _bodies[body.found_by] = result
    return result


def _made_entry(body: Any, flags: compiler.Flags, rounds: int) -> Any:
    """Return the entry of a body, compiled."""
    cpu_target.target_context.refresh()  # the first time, it defines what the code of any entry calls
    context = compiler._make_subtarget(cpu_target.target_context, flags)
    entry = Entry(context.codegen(), body.library.name, rounds)
    descriptor, environment = body.fndesc, body.environment
    context.create_cpython_wrapper(entry, descriptor, environment, None, release_gil=flags.release_gil)
    entry.take(body.library)
    entry._ensure_finalized()
    return _ready(_result(entry, descriptor, environment, body.signature, _environments(entry)))


def _read_entry(name: Name) -> Any:
    """Return the entry of a name from disk; None where there is none."""

    def rebuild(title: str, code: bytes, symbols: Any, reload: Any, *made: Any) -> Any:
        for function in reload:
            function()
        context = cpu_target.target_context
        context.refresh()  # see _made_entry
        entry = Entry.read(context.codegen(), title, code, symbols)
        return _ready(_result(entry, *made))

    return load(name, rebuild)


def _keep_entry(name: Name | None, result: Any) -> None:
    """Keep an entry on disk, if another process can find and use it."""
    entry, descriptor = result.library, result.fndesc
    if name is None or entry.has_dynamic_globals:
        return
    symbols = (descriptor.llvm_func_name, descriptor.llvm_cpython_wrapper_name)
    made = (descriptor, result.environment, result.signature, result.referenced_envs)
    save(name, (entry.name, entry.code, symbols, tuple(entry._reload_init), *made))


def _ready(result: Any) -> Any:
    """Return an entry's result with the function that Python calls."""
    library, context = result.library, cpu_target.target_context
    function = context.get_executable(library, result.fndesc, result.environment)
    for environment in result.referenced_envs:
        library.codegen.set_env(environment.env_name, environment)
    return result._replace(entry_point=function)


class Kernel(CPUDispatcher):
    """A compiled kernel, to be called from Python and from other kernels.

    Args:
        py_func: the plain function.
        local_types: types given to local variables, as numba takes them.
        targetoptions: numba's options.
        missed: called whenever a kernel is about to be compiled.
        rounds: how often LLVM goes through its optimizations of what Python calls.
    """

    def __init__(
        self,
        py_func: Callable[..., Any],
        local_types: dict[str, Any] | None = None,
        targetoptions: dict[str, Any] | None = None,
        missed: Callable[[], None] = lambda: None,
        rounds: int = 1,
    ) -> None:
        super().__init__(py_func, local_types, targetoptions, _Pipeline)
        self._compiler = _BodyCompiler(py_func, self.targetdescr, self.targetoptions, self.locals, _Pipeline)
        self._compiler.flags = _flags(self.targetoptions)
        self._compiler.name = lambda kinds: self._cache.name(kinds, BODY)
        self._cache = KernelCache(py_func, {**self.targetoptions, "rounds": rounds}, self.targetctx.codegen)
        self._missed, self._rounds = missed, rounds
        self._called: dict[tuple[Any, ...], Any] = {}  # bodies, by the types of arguments

    @property
    def nopython_signatures(self) -> list[Any]:
        """Return the signatures for which kernels can call this one at once."""
        return [result.signature for result in self._called.values()]

    def get_overload(self, sig: Any) -> Any:
        """Return what numba finds the body of a signature by."""
        return self._called[tuple(sigutils.normalize_signature(sig)[0])].entry_point

    def get_call_template(self, args: Any, kws: Any) -> Any:
        """Type a call from a kernel; see numba. The body is compiled if it has to be.

        A number that is written in the call is one of its type: numba would compile the kernel again for each.
        """
        pysig, kinds = self._compiler.fold_argument_types(args, kws)
        kinds = tuple(types.unliteral(kind) for kind in kinds)
        name, signature = self.py_func.__name__, self._body(kinds).signature
        return make_concrete_template(name, key=name, signatures=[signature]), pysig, kinds, {}

    def _body(self, kinds: tuple[Any, ...]) -> Any:
        found = self._called.get(kinds)
        if found is None:
            with _collector_at_rest(), self._compiling_counter:
                name = self._cache.name(kinds, BODY)
                found = None if name is None else _read_body(name)
                if found is None:
                    found = self._make_body(kinds)
                self._called[kinds] = found
        return found

    def _make_body(self, kinds: tuple[Any, ...]) -> Any:
        self._missed()
        try:
            result = self._compiler.compile(kinds, None)
        except ForceLiteralArg as error:
            fold = self._compiler.fold_argument_types
            raise error.bind_fold_arguments(lambda args, kws: fold(args, kws)[1]) from error
        _keep_body(_introduced(result))
        return result

    def compile(self, sig: Any) -> Any:
        """Return the function that Python calls with arguments of these types, compiled if it has to be.

        Args:
            sig: a tuple of numba types.

        Raises:
            TypeError: a return type is given; it follows from the arguments.
        """
        kinds, return_type = sigutils.normalize_signature(sig)
        if return_type is not None:
            raise TypeError(f"return type {return_type} given for {self}; give the types of the arguments alone")
        kinds = tuple(kinds)
        with _collector_at_rest():
            if kinds not in self.overloads:
                self.add_overload(self._entry(kinds))
            return self.overloads[kinds].entry_point

    def _entry(self, kinds: tuple[Any, ...]) -> Any:
        name = self._cache.name(kinds, ENTRY)
        found = None if name is None else _read_entry(name)
        self._cache_hits[kinds] += found is not None
        if found is None:
            self._cache_misses[kinds] += 1
            self._missed()
            found = _made_entry(self._body(kinds), self._compiler.flags, self._rounds)
            _keep_entry(name, found)
        return found
