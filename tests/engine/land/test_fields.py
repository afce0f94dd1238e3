"""Random fields have the distribution that their docstring states."""

from __future__ import annotations

import numpy as np
import pytest

from civsim.base.randomness import as_key, fill_uniform
from civsim.engine.land.fields import fill_field, fill_normal, make_blur

DRAWS = 2000


def fields(width: int, height: int, torus: bool, length: float, seats: int = 1, draws: int = DRAWS) -> np.ndarray:
    """Independent fields, F64 [draws, height, width]."""
    blur = make_blur(width, height, torus, length, seats)
    out = np.zeros((draws, width * height))
    for world in range(draws):
        fill_field(blur, as_key(3), world, 1, out[world])
    return out.reshape(draws, height, width)


@pytest.mark.parametrize("torus", [False, True])
@pytest.mark.parametrize("length", [0.0, 1.0, 2.5])
def test_every_cell_is_standard_normal(torus: bool, length: float) -> None:
    z = fields(8, 6, torus, length)
    # s.e. of a mean is 1/√2000 = .022, of a variance .032; 48 cells.
    assert np.abs(z.mean(axis=0)).max() < 0.1
    assert np.abs(z.var(axis=0) - 1).max() < 0.15
    assert np.abs((z**4).mean() - 3) < 0.25


@pytest.mark.parametrize("length", [1.0, 1.5, 3.0])
def test_correlation_falls_with_distance_as_stated(length: float) -> None:
    z = fields(16, 16, False, length, draws=800)
    for steps in (1, 2, 4):
        for a, b in ((z[:, :, steps:], z[:, :, :-steps]), (z[:, steps:], z[:, :-steps])):
            assert np.mean(a * b) == pytest.approx(np.exp(-(steps**2) / (2 * length**2)), abs=0.04)


def test_no_correlation_length_means_white_noise() -> None:
    z = fields(8, 8, False, 0.0)
    assert abs(np.mean(z[:, :, 1:] * z[:, :, :-1])) < 0.02


def test_torus_meets_itself_and_a_bounded_map_does_not() -> None:
    around = np.exp(-1 / (2 * 1.5**2))
    z = fields(12, 12, True, 1.5)
    assert np.mean(z[:, :, 0] * z[:, :, -1]) == pytest.approx(around, abs=0.05)
    z = fields(12, 12, False, 1.5)
    assert abs(np.mean(z[:, :, 0] * z[:, :, -1])) < 0.05


@pytest.mark.parametrize("size", [6, 7])
@pytest.mark.parametrize("seats", [2, 4])
def test_symmetric_field_is_symmetric_and_standard_normal_up_to_the_centre(size: int, seats: int) -> None:
    z = fields(size, size, False, 1.5, seats)
    assert np.array_equal(z, np.rot90(z, 2 if seats == 2 else 1, axes=(1, 2)))
    assert np.abs(z.var(axis=0) - 1).max() < 0.16
    # Not a patchwork: neighbours across the seam correlate like any others.
    assert np.mean(z[:, :, size // 2] * z[:, :, size // 2 - 1]) > 0.7


@pytest.mark.parametrize("length", [1e-9, 1e-320, 1e6])
def test_extreme_lengths_stay_finite(length: float) -> None:
    z = fields(5, 3, False, length, draws=50)
    assert np.isfinite(z).all()
    if length > 1:
        assert np.allclose(z, z[:, :1, :1])


@pytest.mark.parametrize(("width", "height", "torus", "length", "seats"), [(5, 4, False, 1.5, 1), (6, 6, True, 2.0, 4)])
def test_a_field_is_white_noise_blurred_along_both_axes(
    width: int, height: int, torus: bool, length: float, seats: int
) -> None:
    blur = make_blur(width, height, torus, length, seats)
    tall, wide = blur.rows.shape[1], blur.columns.shape[0]
    white = np.empty(tall * wide + tall * wide % 2)
    fill_normal(as_key(3), 8, 1, white)
    plain = []
    for row in range(height):
        half = [sum(blur.rows[row, k] * white[k * wide + c] for k in range(tall)) for c in range(wide)]
        plain += [sum(half[k] * blur.columns[k, c] for k in range(wide)) for c in range(width)]
    expected = [
        sum(plain[t] for t in blur.turns[:, blur.first[c]]) * blur.scale[blur.first[c]] for c in range(len(plain))
    ]
    for kernel in (fill_field, fill_field.py_func):
        out = np.empty(width * height)
        kernel(blur, as_key(3), 8, 1, out)
        assert out.tolist() == expected


def test_normal_draws_are_those_of_box_and_muller() -> None:
    out, draws = np.empty(40), np.empty(40)
    fill_normal(as_key(1), 2, 3, out)
    fill_uniform(as_key(1), 2, 0, 3, draws)
    radius, angle = np.sqrt(-2 * np.log(draws[::2])), 2 * np.pi * draws[1::2]
    assert out[::2] == pytest.approx(radius * np.cos(angle))
    assert out[1::2] == pytest.approx(radius * np.sin(angle))
