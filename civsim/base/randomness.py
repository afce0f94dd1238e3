"""Keyed randomness: every draw is a pure function of (seed, world id, turn, entity, purpose).

The generator is Philox-4x32-10 (Salmon, Moraes, Dror and Shaw, "Parallel random numbers: as easy as 1, 2, 3",
SC 2011), a counter-based generator: the study seed is its 64-bit key, and (world id, turn, entity, purpose) its
128-bit counter. There is no state and no order of draws, so a draw depends on neither the batch, the thread,
the face nor the arm. Tested against the authors' published vectors.
"""

from __future__ import annotations

import numpy as np

from civsim.base.kernels import kernel

_MASK = np.uint64(0xFFFFFFFF)
_SHIFT = np.uint64(32)
_MULTIPLY_0 = np.uint64(0xD2511F53)
_MULTIPLY_1 = np.uint64(0xCD9E8D57)
_WEYL_0 = np.uint64(0x9E3779B9)
_WEYL_1 = np.uint64(0xBB67AE85)
_ROUNDS = 10
_TO_UNIT = 1.0 / 4294967296.0
_HALF = 0.5

LANES = 4
"""Independent 32-bit words in one call of the generator."""


def _philox(key, world, turn, entity, purpose):
    """Return the four words (uint64 holding 32 bits each) at one counter.

    ``key`` is a uint64 study seed; the four counter words are integers in [0, 2**32).
    """
    k0 = key & _MASK
    k1 = key >> _SHIFT
    c0 = np.uint64(world) & _MASK
    c1 = np.uint64(turn) & _MASK
    c2 = np.uint64(entity) & _MASK
    c3 = np.uint64(purpose) & _MASK
    for _ in range(_ROUNDS):
        p0 = _MULTIPLY_0 * c0
        p1 = _MULTIPLY_1 * c2
        c0 = (p1 >> _SHIFT) ^ c1 ^ k0
        c1 = p1 & _MASK
        c2 = (p0 >> _SHIFT) ^ c3 ^ k1
        c3 = p0 & _MASK
        k0 = (k0 + _WEYL_0) & _MASK
        k1 = (k1 + _WEYL_1) & _MASK
    return c0, c1, c2, c3


philox = kernel(_philox, inline="never")
unrolled = kernel(_philox, inline="always")
"""The same generator, written out where it is called: a loop over counters then runs in vector registers."""


def _unit(word):
    """Return the float64 in the open interval (0, 1) that a 32-bit word stands for: the middle of its bin."""
    return (np.float64(word) + _HALF) * _TO_UNIT


unit = kernel(_unit)


def _uniform(key, world, turn, entity, purpose):
    """Return a float64 in the open interval (0, 1): the first word of the counter, centred in its bin."""
    word, _, _, _ = philox(key, world, turn, entity, purpose)
    return unit(word)


uniform = kernel(_uniform)


def _uniform_lanes(key, world, turn, group, purpose):
    """Return four float64 in (0, 1): those of entities 4·group … 4·group + 3 (one call serves four cells)."""
    a, b, c, d = philox(key, world, turn, group, purpose)
    return unit(a), unit(b), unit(c), unit(d)


uniform_lanes = kernel(_uniform_lanes)


def _fill_words(key, world, turn, purpose, words):
    """Fill the 1-D uint32 array ``words`` so that ``unit(words[e])`` is the draw of entity e.

    Entity e is lane e % 4 of group e // 4.
    """
    n = words.shape[0]
    for group in range(n // LANES):
        a, b, c, d = unrolled(key, world, turn, group, purpose)
        words[LANES * group] = np.uint32(a)
        words[LANES * group + 1] = np.uint32(b)
        words[LANES * group + 2] = np.uint32(c)
        words[LANES * group + 3] = np.uint32(d)
    rest = n % LANES
    lanes = philox(key, world, turn, n // LANES, purpose)
    for lane in range(rest):
        words[n - rest + lane] = np.uint32(lanes[lane])


fill_words = kernel(_fill_words)


def _fill_uniform(key, world, turn, purpose, out):
    """Fill the 1-D float64 array ``out`` so that ``out[e]`` is the draw of entity e (lane e % 4 of group e // 4)."""
    n = out.shape[0]
    words = np.empty(n, np.uint32)
    fill_words(key, world, turn, purpose, words)
    for entity in range(n):
        out[entity] = unit(words[entity])


fill_uniform = kernel(_fill_uniform)


def _fill_pairs(key, world, first, purpose, one, other):
    """Fill two 1-D float64 arrays with the first and second lane of the groups ``first``, ``first`` + 1 … at turn 0."""
    for k in range(one.shape[0]):
        a, b, _, _ = unrolled(key, world, 0, first + k, purpose)
        one[k] = unit(a)
        other[k] = unit(b)


fill_pairs = kernel(_fill_pairs)


def as_key(seed: int) -> np.uint64:
    """Return the generator's key for a study seed.

    Raises:
        ValueError: the seed is not in [0, 2**64).
    """
    if not 0 <= int(seed) < 2**64:
        raise ValueError(f"seed={seed} is outside 0 … 2**64 - 1; give a non-negative integer below 2**64")
    return np.uint64(int(seed))
