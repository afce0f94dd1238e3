"""A chain calls its kernels in turn, in one call; what one of them raises comes out."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pytest
from numba import typeof

from civsim.base.chain import chained
from civsim.base.kernels import kernel
from civsim.base.pointer import Pointer


class Ledger(NamedTuple):
    """What the kernels below write to."""

    total: np.ndarray  # [1]
    seen: np.ndarray  # [4] key, in the order of the calls
    calls: np.ndarray  # [1]


def _add(state, orders, cfg, key, work):
    state.total[0] += 3.0
    state.seen[state.calls[0]] = key
    state.calls[0] += 1


def _double(state, orders, cfg, key, work):
    state.total[0] *= 2.0
    state.seen[state.calls[0]] = key + np.uint64(1)
    state.calls[0] += 1


def _fail(state, orders, cfg, key, work):
    raise ValueError("no turn")


add, double, fail = kernel(_add), kernel(_double), kernel(_fail)
PLAIN = {add: _add, double: _double, fail: _fail}


def called(kernels: list, plain: bool) -> Ledger:
    ledger = Ledger(np.ones(1), np.zeros(4, np.uint64), np.zeros(1, np.int64))
    state = ledger if plain else Pointer(ledger)
    arguments = (state, state, state, np.uint64(7), state)
    chain = [PLAIN[one] for one in kernels] if plain else kernels
    kinds = () if plain else tuple(typeof(argument) for argument in arguments)
    chained(chain, kinds)(*arguments)
    return ledger


@pytest.mark.parametrize("plain", [False, True])
@pytest.mark.parametrize(("kernels", "total"), [([add, double], 8.0), ([double, add], 5.0), ([add, add, double], 14.0)])
def test_kernels_are_called_in_turn_with_the_arguments(kernels: list, total: float, plain: bool) -> None:
    ledger = called(kernels, plain)
    assert ledger.total[0] == total
    assert ledger.calls[0] == len(kernels)
    assert ledger.seen[: len(kernels)].tolist() == [7 if one is add else 8 for one in kernels]


@pytest.mark.parametrize("plain", [False, True])
def test_what_a_kernel_raises_ends_the_chain_and_comes_out(plain: bool) -> None:
    with pytest.raises(ValueError, match="no turn"):
        called([add, fail, double], plain)


def test_a_chain_of_nothing_does_nothing() -> None:
    assert called([], plain=False).total[0] == 1.0
