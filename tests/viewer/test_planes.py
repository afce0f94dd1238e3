"""Maps as bytes: quantities survive the scale they are on, and every plane says what the sight said."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from civsim.viewer.planes import FLAGS, PLANES, pack, plane_bytes, quantised, restored, unpack
from civsim.viewer.sights import Sight

CELLS = 4


def sight(**changes: object) -> Sight:
    plain = {
        "value": np.array([0.0, 1.0, 3.5, 1e9]),
        "ruggedness": np.array([0.0, 0.254, 0.255, 1.0]),
        "owner": np.array([-1, 0, 7, 3], np.int8),
        "works": np.array([0.0, 0.0001, 0.25, 2.0], np.float32),
        "wall": np.array([0.0, 1.0, 2.0, 9.0], np.float32),
        "site": np.array([True, False, True, False]),
        "low": np.array([False, False, True, False]),
        "idle": np.array([False, True, False, True]),
        "begun": np.array([False, False, False, True]),
        "seen": np.array([-1, 5, 0, 1999]),
        "in_view": np.array([False, True, False, False]),
        "rival_in": np.array([np.inf, 0.0, 2.0, 5.0]),
        "province": np.array([-1, 0, 7, -1], np.int8),
    }
    return Sight(**{**plain, **changes})


@given(st.floats(0.0, 580.0))
def test_a_quantity_comes_back_within_two_percent_or_a_fortieth(value: float) -> None:
    back = float(restored(quantised(value)))
    assert abs(back - value) <= max(0.0127 * (1.0 + value), 0.0254 - value)
    assert (back > 0.0) == (value > 0.0)


def test_more_than_a_byte_holds_is_the_most_it_holds() -> None:
    assert quantised([585.0, 1e3, 1e30]).tolist() == [255, 255, 255]
    assert restored(np.uint8(255)) > 580.0


def test_every_plane_says_what_the_sight_said() -> None:
    planes = unpack(pack(sight()), CELLS)
    assert list(planes) == list(PLANES)
    assert planes["seen"].tolist() == [0, 1, 2, 2001]
    assert planes["owner"].tolist() == [0, 1, 8, 4]
    assert planes["rugged"].tolist() == [0, 25, 26, 100]
    assert planes["value"].tolist() == quantised(sight().value).tolist()
    assert planes["works"].tolist() == [0, 1, 9, 44]
    assert planes["wall"].tolist() == quantised([0, 1, 2, 9]).tolist()
    assert planes["province"].tolist() == [0, 1, 8, 0]
    assert planes["flags"].tolist() == [1, 8, 3, 12]
    assert FLAGS == {"site": 1, "low": 2, "begun": 4, "idle": 8}


def test_a_rival_is_expected_on_free_land_alone_and_never_late() -> None:
    free = np.full(CELLS, -1, np.int8)
    expected = sight(owner=free, rival_in=np.array([0.2, 3.0, 1e6, np.inf]))
    assert unpack(pack(expected), CELLS)["rival"].tolist() == [1, 3, 254, 255]
    assert unpack(pack(sight()), CELLS)["rival"].tolist() == [255, 255, 255, 255]


def test_a_map_is_as_long_as_it_is_said_to_be_and_wide_planes_are_aligned() -> None:
    assert len(pack(sight())) == plane_bytes(CELLS) == 10 * CELLS
    widths = [np.dtype(kind).itemsize for kind in PLANES.values()]
    assert widths == sorted(widths, reverse=True)
