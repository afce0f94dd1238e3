"""Kernels are compiled once as a body; only what Python calls becomes machine code, whoever is called first."""

from __future__ import annotations

import gc
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numba import types

from civsim.base import kernel_cache
from civsim.base.kernels import kernel

FLOATS = types.Array(types.float64, 1, "C")

CHAIN = """
from civsim.base.kernels import kernel


def _first(x):
    if x < 0.0:
        raise ValueError("below zero")
    return x + {step}


first = kernel(_first)


def _second(x):
    return 2.0 * first(x)


second = kernel(_second)


def _third(x):
    return second(x) + first(x)


third = kernel(_third)
"""

MAKER = """
def make(value):
    def impl(x):
        return x + value

    return impl
"""

RIVALS = """
from numba.extending import overload

from civsim.base.kernels import kernel
from maker import make


def pick(x):
    return x + {value}


@overload(pick, strict=False)
def _pick(x):
    return make({value})


def _{name}(x):
    return pick(x)


{name} = kernel(_{name})
"""

ADDED = """
from {name} import {name} as one
one(1.5)
(result,) = one._called.values()
print(*(function.name for function in result.library.get_defined_functions() if "4impl" in function.name))
"""

BOTH = """
from civsim.base.kernels import kernel
from one import one
from other import other


def _both(x):
    return 10 * one(x) + other(x)


both = kernel(_both)
"""


def run(folder: Path, code: str) -> str:
    """What a fresh process prints whose modules lie in ``folder``, its kernels in ``folder/cache``."""
    env = os.environ | {
        "NUMBA_CACHE_DIR": str(folder / "cache"),
        "PYTHONPATH": os.pathsep.join((str(folder), *sys.path)),
    }
    done = subprocess.run([sys.executable, "-c", code], env=env, text=True, capture_output=True, check=True)
    return done.stdout.strip()


def kept(folder: Path) -> list[str]:
    """The files of kernels, as (kernel, ending)."""
    found = (folder / "cache").rglob("*.*")
    return sorted(f"{path.parent.name}{path.suffix}" for path in found if path.is_file())


def test_only_what_python_calls_becomes_machine_code(tmp_path: Path) -> None:
    (tmp_path / "chain.py").write_text(CHAIN.format(step=1.0))
    assert run(tmp_path, "import chain; print(chain.third(1.0), chain.third.stats.cache_misses.total())") == "6.0 1"
    bodies = ["chain._first.body", "chain._second.body", "chain._third.body"]
    assert kept(tmp_path) == sorted([*bodies, "chain._third.kernel"])
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "cache").rglob("*.body")}
    assert run(tmp_path, "import chain; print(chain.second(1.0))") == "4.0"
    assert kept(tmp_path) == sorted([*bodies, "chain._second.kernel", "chain._third.kernel"])
    after = {path: path.stat().st_mtime_ns for path in (tmp_path / "cache").rglob("*.body")}
    assert after == before, "bodies that were kept are not compiled again"


def test_entries_are_made_of_bodies_that_were_kept_and_of_damaged_ones_compiled_again(tmp_path: Path) -> None:
    (tmp_path / "chain.py").write_text(CHAIN.format(step=1.0))
    run(tmp_path, "import chain; chain.third(1.0)")
    whole = {path: path.read_bytes() for path in (tmp_path / "cache").rglob("*.body")}
    for damaged in ([], [0], [1], [2], [0, 2]):
        for place, (path, content) in enumerate(sorted(whole.items())):
            path.write_bytes(content[:-1] if place in damaged else content)
        for path in (tmp_path / "cache").rglob("*.kernel"):
            path.unlink()
        assert run(tmp_path, "import chain; print(chain.third(2.0))") == "9.0"
        assert {path: path.stat().st_size for path in whole} == {path: len(one) for path, one in whole.items()}


def test_what_a_kernel_raises_comes_out_of_its_callers_also_from_disk(tmp_path: Path) -> None:
    (tmp_path / "chain.py").write_text(CHAIN.format(step=1.0))
    code = "import chain\nfor one in (chain.third, chain.first):\n try: one(-1.0)\n except ValueError as e: print(e)"
    for _ in range(2):
        assert run(tmp_path, code) == "below zero\nbelow zero"


def test_functions_of_numba_with_one_name_stay_apart(tmp_path: Path) -> None:
    """Numba counts its functions from 1 in each process: two processes give two of them the same name."""
    (tmp_path / "maker.py").write_text(MAKER)
    names = []
    for name, value in (("one", 1), ("other", 2)):
        (tmp_path / f"{name}.py").write_text(RIVALS.format(name=name, value=value))
        names.append(run(tmp_path, ADDED.format(name=name)))
    assert names[0] == names[1] != "", "the trap is set"
    (tmp_path / "both.py").write_text(BOTH)
    assert run(tmp_path, "import both; print(both.both(1.5))") == "28.5"


def maker(step: float) -> Any:
    def _move(x):
        return x + step

    return kernel(_move)


near, far = maker(1.0), maker(100.0)


def _moved(x):
    return near(x) + far(x)


def test_kernels_of_one_name_that_close_over_other_values_stay_apart() -> None:
    assert kernel(_moved)(0.0) == 101.0


def _total(x):
    total = 0.0
    for k in range(x.shape[0]):
        total += x[k]
    return total


def _product(x):
    product = 1.0
    for k in range(x.shape[0]):
        product *= x[k]
    return product


def _product_of(x):
    return plain_product(x)


plain_total, fast_total = kernel(_total), kernel(_total, fastmath={"reassoc"})
plain_product, fast_caller = kernel(_product), kernel(_product_of, fastmath={"reassoc"})


@pytest.fixture
def no_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kernel_cache, "folders", lambda: kernel_cache.Folders((), None, True))


def code_of(one: Any, *kinds: Any) -> str:
    return str(one._body(kinds).library._final_module)


@pytest.mark.usefixtures("no_disk")
def test_a_kernel_is_what_its_own_options_say_whoever_calls_it_first() -> None:
    code_of(fast_caller, FLOATS)
    assert "fmul double" in code_of(plain_product, FLOATS)
    assert "reassoc" in code_of(fast_total, FLOATS)


@pytest.mark.usefixtures("no_disk")
def test_a_sum_in_any_order_is_settled_in_the_body() -> None:
    """Which order LLVM takes is then the same for all callers; every other body stays as it was lowered."""
    assert "x double>" in code_of(fast_total, FLOATS)
    assert "x double>" not in code_of(plain_total, FLOATS)


def _no_such_thing(x):
    return x.nothing


@pytest.mark.usefixtures("no_disk")
@pytest.mark.parametrize("on", [True, False])
def test_the_garbage_collector_is_left_as_it_was(on: bool) -> None:
    seen: list[bool] = []
    watched = kernel(_total)
    watched._missed = lambda: seen.append(gc.isenabled())
    (gc.enable if on else gc.disable)()
    try:
        watched.compile((types.Array(types.float32, 1, "A"),))
        assert gc.isenabled() == on
        with pytest.raises(Exception, match="nothing"):
            kernel(_no_such_thing)(1.0)
        assert gc.isenabled() == on
    finally:
        gc.enable()
    assert seen
    assert not any(seen)


def test_the_type_that_is_returned_is_not_for_the_caller_to_say() -> None:
    with pytest.raises(TypeError, match="return type float64 given for .*_total.*; give the types of the arguments"):
        plain_total.compile(types.float64(FLOATS))


def _least(n):
    return np.sort(np.arange(n))[0]


def _next(n):
    return least(n) + np.sort(np.arange(n))[1]


least = kernel(_least)


def test_bodies_that_both_use_a_function_of_numba_are_linked() -> None:
    assert kernel(_next)(3) == 1


def _square(x):
    return x * x


def _squares(x):
    return square(2) + square(3) + square(x)


square = kernel(_square)


@pytest.mark.usefixtures("no_disk")
def test_a_number_that_is_written_in_a_call_is_one_of_its_type() -> None:
    assert kernel(_squares)(np.int64(4)) == 29
    assert [result.signature.args for result in square._called.values()] == [(types.int64,)]
