"""Keyed randomness against the published vectors of Random123, and against what uniform draws must look like."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from civsim.base import randomness
from civsim.base.constants import Draw
from civsim.base.randomness import (
    as_key,
    fill_pairs,
    fill_uniform,
    fill_words,
    philox,
    uniform,
    uniform_lanes,
    unit,
)

ONES = 0xFFFFFFFF
VECTORS = [
    # counter, key, output: kat_vectors of Random123 for philox4x32-10
    ((0, 0, 0, 0), (0, 0), (0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8)),
    ((ONES, ONES, ONES, ONES), (ONES, ONES), (0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD)),
    (
        (0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344),
        (0xA4093822, 0x299F31D0),
        (0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1),
    ),
]
U32 = st.integers(0, ONES)
SEEDS = st.integers(0, 2**64 - 1)
FALSE_ALARM = 1e-4


def key_of(low: int, high: int) -> np.uint64:
    return as_key(low | high << 32)


@pytest.mark.parametrize("generator", [philox, philox.py_func], ids=["compiled", "plain"])
@pytest.mark.parametrize(("counter", "key", "expected"), VECTORS)
def test_published_vectors(generator, counter, key, expected) -> None:
    assert tuple(int(word) for word in generator(key_of(*key), *counter)) == expected


@given(SEEDS, U32, U32, U32, U32)
def test_compiled_equals_plain(seed: int, world: int, turn: int, entity: int, purpose: int) -> None:
    key = as_key(seed)
    assert philox(key, world, turn, entity, purpose) == philox.py_func(key, world, turn, entity, purpose)
    assert uniform(key, world, turn, entity, purpose) == uniform.py_func(key, world, turn, entity, purpose)


@given(SEEDS, U32, U32, st.integers(0, ONES - 1), U32)
def test_draws_are_pure_and_open(seed: int, world: int, turn: int, entity: int, purpose: int) -> None:
    key = as_key(seed)
    first = uniform(key, world, turn, entity, purpose)
    uniform(key, world, turn, entity + 1, purpose)
    assert uniform(key, world, turn, entity, purpose) == first
    assert 0.0 < first < 1.0


@pytest.mark.parametrize("word", [0, ONES])
def test_the_ends_of_the_interval_are_never_reached(word: int) -> None:
    assert 0.0 < (word + randomness._HALF) * randomness._TO_UNIT < 1.0


@pytest.mark.parametrize("size", [0, 1, 3, 4, 5, 17, 64])
def test_fill_gives_each_entity_its_lane_whatever_the_size(size: int) -> None:
    key = as_key(5)
    out, longer, plain = np.full(size, -1.0), np.empty(101), np.empty(size)
    fill_uniform(key, 3, 9, int(Draw.DISASTER), out)
    fill_uniform(key, 3, 9, int(Draw.DISASTER), longer)
    fill_uniform.py_func(key, 3, 9, int(Draw.DISASTER), plain)
    assert np.array_equal(out, longer[:size])
    assert np.array_equal(out, plain)
    for entity in range(size):
        group, lane = divmod(entity, randomness.LANES)
        assert out[entity] == uniform_lanes(key, 3, 9, group, int(Draw.DISASTER))[lane]


AXES = ["seed", "world", "turn", "entity", "purpose"]


def series(axis: str, n: int) -> np.ndarray:
    """Draws along one part of the key, the others held."""
    at = {"seed": 1, "world": 2, "turn": 3, "entity": 4, "purpose": 5}
    values = np.empty(n)
    for i in range(n):
        here = {**at, axis: i}
        values[i] = uniform(as_key(here.pop("seed")), here["world"], here["turn"], here["entity"], here["purpose"])
    return values


@pytest.mark.parametrize("axis", AXES)
def test_draws_are_uniform_along_every_part_of_the_key(axis: str) -> None:
    counts = np.histogram(series(axis, 8000), bins=64, range=(0, 1))[0]
    assert stats.chisquare(counts).pvalue > FALSE_ALARM


@pytest.mark.parametrize("axis", AXES)
def test_neighbouring_draws_are_independent(axis: str) -> None:
    values = series(axis, 8001)
    table = np.histogram2d(values[:-1], values[1:], bins=8, range=[[0, 1], [0, 1]])[0]
    assert stats.chi2_contingency(table).pvalue > FALSE_ALARM


def test_the_four_lanes_are_independent() -> None:
    out = np.empty(4 * 4000)
    fill_uniform(as_key(11), 0, 0, 1, out)
    lanes = out.reshape(-1, 4)
    for one in range(4):
        for other in range(one):
            table = np.histogram2d(lanes[:, one], lanes[:, other], bins=8, range=[[0, 1], [0, 1]])[0]
            assert stats.chi2_contingency(table).pvalue > FALSE_ALARM


def test_two_purposes_share_no_draw() -> None:
    one, other = np.empty(1000), np.empty(1000)
    fill_uniform(as_key(1), 0, 0, int(Draw.DISASTER), one)
    fill_uniform(as_key(1), 0, 0, int(Draw.FLIP), other)
    assert np.intersect1d(one, other).size == 0


def test_no_purpose_has_the_number_of_another() -> None:
    numbers = [int(member) for member in Draw.__members__.values()]
    assert len(numbers) == len(set(numbers))
    assert len(Draw) == len(Draw.__members__)


def test_another_process_draws_the_same() -> None:
    code = "from civsim.base.randomness import *; print(repr(float(uniform(as_key(42), 17, 3, 250, 20))))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert float(done.stdout) == uniform(as_key(42), 17, 3, 250, 20)


@pytest.mark.parametrize("seed", [0, 1, 2**63, 2**64 - 1])
def test_the_key_is_the_seed(seed: int) -> None:
    assert int(as_key(seed)) == seed
    assert as_key(seed).dtype == np.uint64


@pytest.mark.parametrize("seed", [-1, 2**64])
def test_a_seed_out_of_range_is_refused(seed: int) -> None:
    with pytest.raises(ValueError, match=rf"seed={seed} is outside 0 … 2\*\*64 - 1; give"):
        as_key(seed)


@pytest.mark.parametrize("fill", [fill_words, fill_words.py_func], ids=["compiled", "plain"])
@pytest.mark.parametrize("size", [0, 1, 2, 3, 4, 7, 31, 64, 257])
def test_words_are_those_of_the_generator_one_by_one(size: int, fill) -> None:
    key, words = as_key(2**63 + 5), np.full(size, 7, np.uint32)
    fill(key, ONES, 9, int(Draw.DISASTER), words)
    expected = [philox(key, ONES, 9, e // 4, int(Draw.DISASTER))[e % 4] for e in range(size)]
    assert words.tolist() == [int(word) for word in expected]
    out = np.empty(size)
    fill_uniform(key, ONES, 9, int(Draw.DISASTER), out)
    assert [unit(word) for word in words] == out.tolist()


@pytest.mark.parametrize("fill", [fill_pairs, fill_pairs.py_func], ids=["compiled", "plain"])
@pytest.mark.parametrize("size", [0, 1, 5, 64, 101])
def test_pairs_are_the_first_two_lanes_of_each_group(size: int, fill) -> None:
    key, first = as_key(3), 1000
    one, other = np.empty(size), np.empty(size)
    fill(key, 4, first, int(Draw.NOISE), one, other)
    for k in range(size):
        assert (one[k], other[k]) == uniform_lanes(key, 4, 0, first + k, int(Draw.NOISE))[:2]
