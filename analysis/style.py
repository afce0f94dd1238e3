"""One look for every figure, in light and in dark, and one way to put a figure on disk with its numbers.

Colours are those of Okabe and Ito (*Color Universal Design*, 2008), told apart by readers with any colour vision, and
lighter ones of the same hues on a dark ground; every line also has a marker of its own and a label beside it, so that
a grey print is enough. :data:`COLOURS`, :data:`INK` and the like are *names* that matplotlib looks up in the active
theme's cycle when it draws: a figure drawn inside :func:`house_style` is right in either theme and names no colour.
"""

from __future__ import annotations

import io
import textwrap
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib import rcsetup

from civsim.base.errors import ResultsError
from civsim.base.files import write_bytes, write_text

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

WIDTH = 7.1
"""Width of a figure over two columns of a journal (inches, 180 mm)."""


class Theme(NamedTuple):
    """The colours of one theme, as #rrggbb."""

    colours: tuple[str, ...]  # of lines and dots, in the order of use
    ink: str  # text and ticks
    muted: str  # small print and axes
    rule: str  # lines of no difference, separators
    face: str  # the ground


LIGHT = Theme(
    ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000", "#8C6D31"),
    "#222222", "#6B6B6B", "#C9C9C9", "#FFFFFF",
)  # fmt: skip
DARK = Theme(
    ("#2F86D8", "#EE6A2C", "#1FB487", "#E08CC0", "#F5BE3C", "#8CD0FA", "#F4F4F4", "#9C7D42"),
    "#E6E6E6", "#A3A8B0", "#4A4F58", "#14171C",
)  # fmt: skip
ThemeName = Literal["light", "dark"]
THEMES: Mapping[ThemeName, Theme] = {"light": LIGHT, "dark": DARK}

COLOURS = tuple(f"C{index}" for index in range(len(LIGHT.colours)))
"""Colours of lines and dots; the active theme says which they are."""
INK, MUTED, RULE, FACE = (f"C{len(COLOURS) + index}" for index in range(4))
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "h")
NOTE_SIZE = 6.6
NOTE_LINE = 0.13
"""Height of one line of small print (inches)."""
NOTE_COLUMNS = 136
"""Characters of small print that fit across a figure of :data:`WIDTH`."""
EDGE = 0.02
"""Left edge of titles and small print (share of the figure's width)."""
DPI = 300

_IMAGES: Mapping[ThemeName, tuple[str, ...]] = {"light": ("png", "svg", "pdf"), "dark": ("png", "svg")}
"""Formats of a saved figure; print is light."""
_METADATA: Mapping[str, dict[str, Any]] = {
    "svg": {"Date": None},
    "png": {"Software": None},
    "pdf": {"CreationDate": None},
}
"""What to leave out of a file so that the same figure gives the same bytes."""

_STYLE: dict[Any, Any] = {
    "font.family": "DejaVu Sans",
    "font.size": 8.0,
    "axes.titlesize": 8.5,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.labelsize": 8.0,
    "axes.linewidth": 0.6,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "xtick.labelsize": 7.5,
    "ytick.labelsize": 7.5,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "xtick.major.size": 2.5,
    "ytick.major.size": 2.5,
    "lines.linewidth": 1.4,
    "lines.markersize": 3.6,
    "legend.frameon": False,
    "figure.dpi": 100,
    "savefig.dpi": DPI,
    "svg.hashsalt": "civsim",
    "svg.fonttype": "path",
    "pdf.fonttype": 42,
}


def _colours(theme: Theme) -> dict[Any, Any]:
    """Return the settings of a theme; the cycle is where :data:`COLOURS`, :data:`INK`, ... are looked up."""
    names = [*theme.colours, theme.ink, theme.muted, theme.rule, theme.face]
    inked = ("axes.labelcolor", "xtick.color", "ytick.color", "text.color", "axes.titlecolor")
    ground = ("figure.facecolor", "axes.facecolor", "savefig.facecolor")
    return {
        "axes.prop_cycle": rcsetup.cycler(color=names),
        "axes.edgecolor": theme.muted,
        **dict.fromkeys(inked, theme.ink),
        **dict.fromkeys(ground, theme.face),
    }


@contextmanager
def house_style(theme: ThemeName = "light") -> Iterator[None]:
    """Draw with the house style, without a display, inside the ``with`` block; settings are put back after it.

    A figure must be drawn *and* saved inside the block: its colours are looked up when it is rendered.
    """
    with mpl.rc_context({**_STYLE, **_colours(THEMES[theme])}):
        yield


def new_figure(height: float, width: float = WIDTH) -> Figure:
    """Return an empty figure (inches) that belongs to no window; use it inside :func:`house_style`."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height))
    FigureCanvasAgg(figure)
    return figure


def spread_labels(positions: Sequence[float], gap: float) -> list[float]:
    """Return label positions at least ``gap`` apart, in the order given, as near to ``positions`` as they can be.

    Labels that would overlap are pushed apart as blocks about their common mean (pool-adjacent-violators).
    """
    order = np.argsort(np.asarray(positions, np.float64), kind="stable")
    blocks: list[tuple[float, int]] = []
    for rank, index in enumerate(order):
        total, count = float(positions[index]) - rank * gap, 1
        while blocks and blocks[-1][0] / blocks[-1][1] >= total / count:
            previous = blocks.pop()
            total, count = total + previous[0], count + previous[1]
        blocks.append((total, count))
    level = np.repeat([total / count for total, count in blocks], [count for _, count in blocks])
    placed = np.empty(len(positions))
    placed[order] = level + gap * np.arange(len(positions))
    return [float(value) for value in placed]


def wrap_note(paragraphs: Sequence[str], columns: int = NOTE_COLUMNS) -> list[str]:
    """Return the paragraphs of a figure's small print as lines of at most ``columns`` characters."""
    return [line for paragraph in paragraphs for line in textwrap.wrap(paragraph, columns)]


def add_note(figure: Figure, lines: Sequence[str]) -> None:
    """Write what the figure rests on, in small print, at the foot of the figure."""
    figure.text(
        EDGE, 0.1 / figure.get_figheight(), "\n".join(lines), fontsize=NOTE_SIZE, color=MUTED, ha="left", va="bottom",
        linespacing=1.35,
    )  # fmt: skip


def add_title(figure: Figure, title: str, subtitle: str) -> None:
    """Write a bold title and one muted line under it at the head of the figure."""
    height = figure.get_figheight()
    figure.text(EDGE, 1 - 0.09 / height, title, fontsize=10, fontweight="bold", va="top")
    figure.text(EDGE, 1 - 0.29 / height, subtitle, fontsize=8, color=MUTED, va="top")


def zero_line(axes: Axes) -> None:
    """Draw the line of no difference behind everything else."""
    axes.axhline(0.0, color=RULE, linewidth=0.8, zorder=0)


def figure_images(draw: Callable[[], Figure], theme: ThemeName, formats: Sequence[str]) -> dict[str, bytes]:
    """Return a figure as files of ``formats`` (of ``png``, ``svg``, ``pdf``), drawn once in ``theme``.

    The same figure gives the same bytes: no file holds a date.
    """
    with house_style(theme):
        figure = draw()
        images = {}
        for kind in formats:
            buffer = io.BytesIO()
            figure.savefig(buffer, format=kind, metadata=_METADATA[kind])
            images[kind] = buffer.getvalue()
    return images


def save_figures(
    draw: Callable[[], Figure], folder: str | Path, stem: str, tables: Mapping[str, pd.DataFrame], command: str
) -> list[Path]:
    """Write a figure in both themes, its numbers and its command into ``folder``; return the paths, PNG first.

    Files: ``stem``.png, .svg and .pdf in light, ``stem``-dark.png and -dark.svg, ``stem``.command.txt, and one CSV a
    table, whose key is added to the stem (``""`` for the main one: ``stem.csv``; ``"points"``: ``stem-points.csv``).
    ``draw`` is called once a theme, inside :func:`house_style`. Every file is moved into place whole; the same input
    gives the same bytes. The folder is made if it is missing; nothing is written where drawing fails.

    Raises:
        ResultsError: the folder is a file.
    """
    target = Path(folder)
    if target.exists() and not target.is_dir():
        raise ResultsError(f"{str(target)!r} is a file; give a folder for the figure")
    images = {theme: figure_images(draw, theme, formats) for theme, formats in _IMAGES.items()}
    target.mkdir(parents=True, exist_ok=True)
    paths = []
    for theme, files in images.items():
        for kind, content in files.items():
            paths.append(target / (f"{stem}.{kind}" if theme == "light" else f"{stem}-{theme}.{kind}"))
            write_bytes(paths[-1], content)
    for key, table in tables.items():
        paths.append(target / (f"{stem}-{key}.csv" if key else f"{stem}.csv"))
        write_text(paths[-1], table_csv(table))
    paths.append(target / f"{stem}.command.txt")
    write_text(paths[-1], command.rstrip() + "\n")
    return paths


def table_csv(table: pd.DataFrame) -> str:
    """Return a table as CSV text: six significant digits, no index, plain line ends."""
    return str(table.to_csv(index=False, float_format="%.6g", lineterminator="\n"))
