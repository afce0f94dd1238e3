"""Figures on disk: whole, reproducible, with their numbers and their command."""

from __future__ import annotations

from pathlib import Path

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from civsim.analysis.style import COLOURS, MARKERS, house_style, new_figure, save_figure, spread_labels, wrap_note
from civsim.base.errors import ResultsError

TABLE = pd.DataFrame({"x": [0, 1, 2], "y": [0.5, 1.0 / 3.0, 2.0]})


def _save(folder: Path) -> list[Path]:
    with house_style():
        figure = new_figure(1.5, 2.0)
        figure.add_subplot().plot(TABLE["x"], TABLE["y"])
        return save_figure(figure, folder, "line", {"": TABLE, "more": TABLE}, "civsim plot line")


def test_a_figure_is_saved_with_numbers_and_command_and_nothing_else(tmp_path: Path) -> None:
    paths = _save(tmp_path / "new" / "folder")
    names = {"line.png", "line.svg", "line.csv", "line-more.csv", "line.command.txt"}
    assert {path.name for path in paths} == names
    assert {path.name for path in (tmp_path / "new" / "folder").iterdir()} == names
    assert paths[0].read_bytes().startswith(b"\x89PNG")
    assert b"<svg" in paths[1].read_bytes()
    read = pd.read_csv(tmp_path / "new" / "folder" / "line.csv")
    assert np.allclose(read, TABLE, rtol=1e-5)
    assert (tmp_path / "new" / "folder" / "line.command.txt").read_text() == "civsim plot line\n"


def test_the_same_figure_gives_the_same_bytes(tmp_path: Path) -> None:
    first, second = _save(tmp_path / "a"), _save(tmp_path / "b")
    assert [path.read_bytes() for path in first] == [path.read_bytes() for path in second]


def test_a_file_in_the_folders_place_is_refused_and_left_alone(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("mine")
    with pytest.raises(ResultsError, match="taken"):
        _save(tmp_path / "taken")
    assert (tmp_path / "taken").read_text() == "mine"


def test_house_style_is_put_back() -> None:
    before = mpl.rcParams["font.size"]
    with house_style():
        assert mpl.rcParams["font.size"] == 8.0
    assert mpl.rcParams["font.size"] == before


def test_colours_and_markers_are_distinct() -> None:
    assert len(set(COLOURS)) == len(COLOURS) == len(set(MARKERS)) == len(MARKERS)


@given(st.lists(st.floats(-50, 50), min_size=1, max_size=9), st.floats(0.1, 5.0))
def test_labels_keep_their_order_and_distance(positions: list[float], gap: float) -> None:
    placed = spread_labels(positions, gap)
    order = np.argsort(positions, kind="stable")
    assert np.all(np.diff(np.array(placed)[order]) >= gap - 1e-9)
    assert sum(placed) == pytest.approx(sum(positions), abs=1e-6)  # blocks are pushed apart about their mean


def test_labels_far_apart_stay_where_they_are() -> None:
    assert spread_labels([3.0, 0.0, 10.0], 1.0) == [3.0, 0.0, 10.0]
    assert spread_labels([1.0, 1.0], 2.0) == [0.0, 2.0]


def test_small_print_is_wrapped_and_loses_no_word() -> None:
    text = "word " * 90
    lines = wrap_note([text, "short"])
    assert max(map(len, lines)) <= 136
    assert lines[-1] == "short"
    assert " ".join(lines[:-1]).split() == text.split()
