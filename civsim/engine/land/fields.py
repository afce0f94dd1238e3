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
    columns: F64  # [W, W + margins]
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
    return Blur(rows, columns, scale, turns, np.ascontiguousarray(turns.min(axis=0)))


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


def _fill_field(blur, key, world, purpose, out):
    """Fill ``out`` F64 [C] with a standard normal field: blurred white noise (Box and Muller 1958)."""
    height, long_height = blur.rows.shape
    width, long_width = blur.columns.shape
    n = long_height * long_width
    draws = np.empty(n + n % 2)
    fill_uniform(key, world, 0, purpose, draws)
    for i in range(0, n, 2):
        radius = math.sqrt(-2.0 * math.log(draws[i]))
        angle = 2.0 * math.pi * draws[i + 1]
        draws[i] = radius * math.cos(angle)
        draws[i + 1] = radius * math.sin(angle)
    half = np.zeros((height, long_width))
    for row in range(height):
        for k in range(long_height):
            weight = blur.rows[row, k]
            for column in range(long_width):
                half[row, column] += weight * draws[k * long_width + column]
    plain = np.zeros(height * width)
    for row in range(height):
        for column in range(width):
            total = 0.0
            for k in range(long_width):
                total += blur.columns[column, k] * half[row, k]
            plain[row * width + column] = total
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
