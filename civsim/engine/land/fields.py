"""Standard normal random fields on the grid, with a correlation length, borders or none, and optional symmetry.

A field is white noise, drawn on the map with a margin and blurred along both axes by the weights exp(−d² / ℓ²)
scaled to unit sum of squares: every cell is then standard normal, and two cells d apart correlate by about
exp(−d² / 2ℓ²). On a symmetric map the field is the sum of its rotations over the standard deviation of that sum.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from civsim.base.kernels import kernel
from civsim.base.randomness import fill_uniform
from civsim.engine.state import F64, I32

MARGIN = 2.5
"""Width of the margin of white noise around a bounded map, in correlation lengths (weights beyond are < 0.2 %)."""

SHORTEST = 1e-9
"""Correlation length that stands for none (cells)."""


class Blur(NamedTuple):
    """Everything of a Gaussian field that does not depend on the draw."""

    rows: F64  # [H, H + margins] weights along columns of the map, unit sum of squares per row
    columns: F64  # [W + margins, W] weights along rows of the map, unit sum of squares per column
    scale: F64  # [C] 1 / s.d. of the sum of rotations; 1 on a map without symmetry
    turns: I32  # [G, C] cell that each cell goes to under each rotation, the identity first
    first: I32  # [C] smallest cell among the rotations of each cell


def make_blur(width: int, height: int, torus: bool, length: float, seats: int) -> Blur:
    """Return what fields of correlation length ``length`` (cells) need on a map of this size.

    ``seats`` is 1 for no symmetry, 2 for half turns, 4 for quarter turns (square maps only).
    """
    rows = _weights(height, length, torus)
    columns = _weights(width, length, torus)
    turns = _rotations(width, height, seats)
    # The covariance of a field is separable, so the variance of a sum of rotations is a sum of products.
    k_rows, k_columns = _inner(rows, rows), _inner(columns, columns)
    variance = np.zeros(width * height)
    r, c = np.divmod(turns, width)
    for g in range(turns.shape[0]):
        variance += turns.shape[0] * k_rows[r[0], r[g]] * k_columns[c[0], c[g]]
    scale = np.ascontiguousarray(1.0 / np.sqrt(variance))
    return Blur(rows, np.ascontiguousarray(columns.T), scale, turns, np.ascontiguousarray(turns.min(axis=0)))


def _weights(side: int, length: float, torus: bool) -> F64:
    """Return blur weights [side, side + margins]: each row is centred on its cell and has unit sum of squares."""
    margin = 0 if torus else min(math.ceil(MARGIN * length), side)
    gap = np.abs(np.arange(side)[:, None] + margin - np.arange(side + 2 * margin)[None, :]).astype(np.float64)
    if torus:
        gap = np.minimum(gap, side - gap)
    weights = np.exp(-((gap / max(length, SHORTEST)) ** 2))
    return np.ascontiguousarray(weights / np.sqrt((weights**2).sum(axis=1, keepdims=True)))


def _inner(a: F64, b: F64) -> F64:
    # A plain sum instead of a matrix product: the result must not depend on the linear-algebra library's threads.
    result: F64 = (a[:, None, :] * b[None, :, :]).sum(axis=2)
    return result


def _rotations(width: int, height: int, seats: int) -> I32:
    """Return the cell each cell goes to under the rotations that carry seats into each other, I32 [seats, C]."""
    cells = np.arange(width * height, dtype=np.int32).reshape(height, width)
    step = {1: 0, 2: 2, 4: 1}[seats]
    return np.ascontiguousarray(np.stack([np.rot90(cells, step * g).reshape(-1) for g in range(seats)]))


def _fill_normal(key, world, purpose, out):
    """Fill ``out`` (F64, even length) with independent standard normal draws (Box and Muller 1958)."""
    fill_uniform(key, world, 0, purpose, out)
    for i in range(0, out.shape[0], 2):
        radius = math.sqrt(-2.0 * math.log(out[i]))
        angle = 2.0 * math.pi * out[i + 1]
        out[i] = radius * math.cos(angle)
        out[i + 1] = radius * math.sin(angle)


fill_normal = kernel(_fill_normal)


def _add_weighted(weights, rows, sums):
    """Add to ``sums`` [n] the ``rows`` [K, n], each times its weight: row after row, so the order of terms is fixed."""
    for k in range(weights.shape[0]):
        weight, row = weights[k], rows[k]
        for c in range(sums.shape[0]):
            sums[c] += weight * row[c]


add_weighted = kernel(_add_weighted)


def _fill_field(blur, key, world, purpose, out):
    """Fill ``out`` F64 [C] with a standard normal field: blurred white noise."""
    height, long_height = blur.rows.shape
    long_width, width = blur.columns.shape
    n = long_height * long_width
    draws = np.empty(n + n % 2)
    fill_normal(key, world, purpose, draws)
    white = draws[:n].reshape(long_height, long_width)
    half = np.empty(long_width)
    plain = np.zeros(height * width)
    for row in range(height):
        half[:] = 0.0
        add_weighted(blur.rows[row], white, half)
        add_weighted(half, blur.columns, plain[row * width : (row + 1) * width])
    for cell in range(height * width):
        # Summed once per set of rotated cells: a different order of terms would break exact symmetry.
        if blur.first[cell] == cell:
            total = 0.0
            for g in range(blur.turns.shape[0]):
                total += plain[blur.turns[g, cell]]
            out[cell] = total * blur.scale[cell]
        else:
            out[cell] = out[blur.first[cell]]


fill_field = kernel(_fill_field)
