"""Colours: those of the pictures, told apart, and readable where words and lines are drawn in them."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from civsim.base.constants import MAX_CIVILIZATIONS
from civsim.faces.drawing import FOG, PALETTE, held_colours, land_colours
from civsim.viewer.events import Event
from civsim.viewer.palette import (
    DARK,
    LIGHT,
    RUGGED_STEPS,
    VALUE_STEPS,
    VEIL_AGES,
    category_colours,
    cell_colours,
    contrast,
    event_colours,
    ground_levels,
    mark_steps,
    seat_colours,
)
from civsim.viewer.planes import quantised


def rgb(text: str) -> tuple[int, ...]:
    return tuple(int(text[k : k + 2], 16) for k in (1, 3, 5))


def test_a_cell_in_view_has_the_colour_of_the_pictures() -> None:
    colours = cell_colours(4)
    assert colours.shape == (len(VEIL_AGES) + 2, 5, len(VALUE_STEPS), len(RUGGED_STEPS), 3)
    value, rugged = np.sqrt(2.0 * 3.0), (15 + 40) / 200.0
    land = land_colours(value, rugged)
    for owner in range(-1, 4):
        expected = held_colours(land, np.array(owner))
        assert np.abs(colours[0, owner + 1, 7, 1].astype(float) - expected).max() <= 0.51


def test_memory_fades_and_land_never_seen_is_nearly_fog() -> None:
    colours = cell_colours(8).astype(float)
    distance = np.abs(colours - FOG).sum(axis=-1)
    assert (np.diff(distance, axis=0) <= 3.0).all()
    assert distance[-1].max() < 0.3 * distance[0].max()


def test_the_classes_of_bytes_are_those_of_quantities() -> None:
    levels, steps = ground_levels(), mark_steps()
    assert [levels["value"][int(quantised(v))] for v in (0.0, 0.1, 0.16, 1.0, 4.6, 500.0)] == [0, 0, 1, 5, 9, 15]
    assert [levels["rugged"][p] for p in (0, 14, 15, 39, 40, 70, 100)] == [0, 0, 1, 1, 2, 3, 3]
    assert len(levels["value"]) == 256
    assert len(levels["rugged"]) == 101
    assert [steps["wall"][int(quantised(v))] for v in (0.0, 0.1, 1.0, 2.0, 9.0)] == [0, 1, 1, 2, 3]
    assert [steps["works"][int(quantised(v))] for v in (0.0, 0.25, 0.5, 1.0, 4.0)] == [0, 1, 2, 3, 4]


@pytest.mark.parametrize("seat", range(MAX_CIVILIZATIONS))
def test_a_seats_lines_stand_out_on_either_page(seat: int) -> None:
    colours = seat_colours(seat)
    assert rgb(colours["map"]) == tuple(PALETTE[seat])
    assert contrast(rgb(colours["light"]), LIGHT) >= 4.0
    assert contrast(rgb(colours["dark"]), DARK) >= 4.0


def test_contrast_is_that_of_wcag() -> None:
    assert contrast((0, 0, 0), (255, 255, 255)) == pytest.approx(21.0)
    assert contrast((118, 118, 118), (255, 255, 255)) == pytest.approx(4.54, abs=0.01)


def test_categories_are_told_apart_by_lightness_within_a_family() -> None:
    colours = [rgb(colour) for colour in category_colours().values()]
    assert len(set(colours)) == 8
    for family in (colours[1:5], colours[5:8]):
        assert min(contrast(*pair) for pair in itertools.pairwise(family)) > 1.2


def test_every_kind_of_event_has_a_colour() -> None:
    assert all({"colour", "tick"} == set(event_colours(event)) for event in Event)
