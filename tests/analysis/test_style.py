"""Figures on disk: whole, reproducible, with their numbers and their command."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.colors import to_hex, to_rgb

from civsim.analysis.style import (
    COLOURS,
    FACE,
    INK,
    MARKERS,
    MUTED,
    RULE,
    THEMES,
    Theme,
    figure_images,
    house_style,
    new_figure,
    save_figures,
    spread_labels,
    wrap_note,
    zero_line,
)
from civsim.base.errors import ResultsError

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from civsim.analysis.style import ThemeName

TABLE = pd.DataFrame({"x": [0, 1, 2], "y": [0.5, 1.0 / 3.0, 2.0]})


def _draw() -> Figure:
    figure = new_figure(1.5, 2.0)
    axes = figure.add_subplot()
    zero_line(axes)
    for place, colour in enumerate(COLOURS):
        axes.plot(TABLE["x"], TABLE["y"] + place, "o-", color=colour, markerfacecolor=FACE)
    axes.text(0.1, 0.5, "words", color=INK)
    axes.text(0.1, 1.5, "small print", color=MUTED)
    return figure


def _save(folder: Path) -> list[Path]:
    return save_figures(_draw, folder, "line", {"": TABLE, "more": TABLE}, "civsim plot line")


def test_a_figure_is_saved_with_numbers_and_command_and_nothing_else(tmp_path: Path) -> None:
    paths = _save(tmp_path / "new" / "folder")
    names = {
        "line.png",
        "line.svg",
        "line.pdf",
        "line-dark.png",
        "line-dark.svg",
        "line.csv",
        "line-more.csv",
        "line.command.txt",
    }
    assert {path.name for path in paths} == names
    assert {path.name for path in (tmp_path / "new" / "folder").iterdir()} == names
    assert paths[0].read_bytes().startswith(b"\x89PNG")
    assert b"<svg" in paths[1].read_bytes()
    assert paths[2].read_bytes().startswith(b"%PDF")
    assert b"CreationDate" not in paths[2].read_bytes()
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
    for theme in THEMES.values():
        assert len(set(theme.colours)) == len(COLOURS)


def _luminance(colour: str) -> float:
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in to_rgb(colour)]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def _contrast(one: str, other: str) -> float:
    low, high = sorted((_luminance(one), _luminance(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("theme", THEMES.values(), ids=THEMES)
def test_words_can_be_read_and_lines_seen_in_both_themes(theme: Theme) -> None:
    assert _contrast(theme.ink, theme.face) > 7.0
    assert _contrast(theme.muted, theme.face) > 4.5
    assert min(_contrast(colour, theme.face) for colour in theme.colours) > 2.2
    if theme is THEMES["dark"]:
        assert min(_contrast(colour, theme.face) for colour in theme.colours) > 4.5


@pytest.mark.parametrize("name", THEMES)
def test_a_drawing_takes_every_colour_from_its_theme(name: ThemeName) -> None:
    svg = figure_images(_draw, name, ("svg",))["svg"].decode()
    theme = THEMES[name]
    used = {match.upper() for match in re.findall(r"#[0-9a-fA-F]{6}\b", svg)}
    assert used == {*theme.colours, theme.ink, theme.muted, theme.rule, theme.face}
    with house_style(name):
        names = (*COLOURS, INK, MUTED, RULE, FACE)
        found = [to_hex(colour).upper() for colour in names]
    assert found == [*theme.colours, theme.ink, theme.muted, theme.rule, theme.face]


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
