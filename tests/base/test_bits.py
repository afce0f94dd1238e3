"""Words of cells: what compiled kernels get is what the plain functions say, at every length and dtype."""

from __future__ import annotations

import numpy as np
import pytest

from civsim.base import bits
from civsim.base.kernels import kernel


def _words(row, value, out):
    for word in range(out.shape[1]):
        start = bits.WORD * word
        out[0, word] = bits.equal_word(row, start, value)
        out[1, word] = bits.above_word(row, start, value)
        out[2, word] = bits.count_bits(out[0, word])
        out[3, word] = bits.first_bit(out[1, word]) if out[1, word] != 0 else 0


words = kernel(_words)


@pytest.mark.parametrize("dtype", [np.int8, np.uint8, np.int16, np.int32])
@pytest.mark.parametrize("cells", [1, 20, 63, 64, 65, 128, 200])
def test_words_of_a_row(dtype: type, cells: int) -> None:
    rng = np.random.default_rng(cells)
    low = 0 if dtype is np.uint8 else -2
    whole = rng.integers(low, 4, (3, cells)).astype(dtype)
    for value in (0, 1, 3):
        plain, compiled = np.zeros((2, 4, bits.n_words(cells)), np.uint64)
        _words(whole[1], value, plain)
        words(whole[1], value, compiled)
        assert np.array_equal(plain, compiled)
        members = [cell for cell in range(cells) if int(plain[0, cell // 64]) >> cell % 64 & 1]
        assert members == np.flatnonzero(whole[1] == value).tolist()
        assert plain[2].sum() == len(members)


def test_large_unsigned_values_are_not_negative() -> None:
    row, out = np.full(64, 200, np.uint8), np.zeros((4, 1), np.uint64)
    words(row, 100, out)
    assert out[:, 0].tolist() == [0, 2**64 - 1, 0, 0]


@pytest.mark.parametrize("offset", [-130, -65, -64, -16, -1, 0, 1, 16, 63, 64, 65, 130])
def test_a_shifted_set(offset: int) -> None:
    rng = np.random.default_rng(0)
    pad, n = 4, 3
    padded = np.zeros(pad + n + pad, np.uint64)
    padded[pad : pad + n] = rng.integers(0, 2**64, n, np.uint64)
    held = {c for c in range(64 * n) if int(padded[pad + c // 64]) >> c % 64 & 1}
    for shift in (bits._shifted_word, bits.shifted_word):
        found = [int(shift(padded, pad + word + offset // 64, offset % 64)) for word in range(n)]
        members = {c for c in range(64 * n) if found[c // 64] >> c % 64 & 1}
        assert members == {c - offset for c in held} & set(range(64 * n))


def _sums(row, high, floats, out):
    for word in range(out.shape[1]):
        out[0, word] = bits.clipped_sum(row, bits.WORD * word, high)
        out[1, word] = bits.count_bits(bits.above_word(floats, bits.WORD * word, 0.0))


sums = kernel(_sums)


@pytest.mark.parametrize("cells", [1, 63, 64, 100, 192])
def test_clipped_sums_and_floats(cells: int) -> None:
    rng = np.random.default_rng(cells)
    row = rng.integers(-3, 9, cells).astype(np.int32)
    floats = rng.choice([0.0, 0.5, -1.0], cells).astype(np.float32)
    plain, compiled = np.zeros((2, 2, bits.n_words(cells)), np.int64)
    _sums(row, 5, floats, plain)
    sums(row, 5, floats, compiled)
    assert np.array_equal(plain, compiled)
    assert plain.sum(1).tolist() == [np.clip(row, 0, 5).sum(), (floats > 0).sum()]


def _least(word, start, left, right):
    return bits.least_sum(word, start, left, right)


least = kernel(_least)


@pytest.mark.parametrize("start", [0, 64])
def test_the_least_sum_over_a_set(start: int) -> None:
    rng = np.random.default_rng(1)
    left, right = rng.integers(0, 128, (2, 100)).astype(np.uint16)
    for _ in range(50):
        places = rng.choice(min(64, 100 - start), rng.integers(1, 9), replace=False)
        word = np.uint64(sum(1 << int(place) for place in places))
        wanted = (left + right)[start + places].min()
        assert _least(word, start, left, right) == least(word, start, left, right) == wanted


def test_a_set_is_walked_from_its_lowest_bit() -> None:
    for take in (bits._without_first, bits.without_first):
        assert [int(take(np.uint64(word))) for word in (1, 6, 2**63 + 2**62)] == [0, 4, 2**63]
