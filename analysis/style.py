"""One look for every figure, and one way to put a figure on disk: SVG, PNG, the numbers and the command.

Colours are those of Okabe and Ito (*Color Universal Design*, 2008), told apart by readers with any colour vision;
every line also has a marker of its own and a label beside it, so that a grey print is enough.
"""

from __future__ import annotations

import io
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import matplotlib as mpl
import numpy as np
import pandas as pd

from civsim.base.errors import ResultsError
from civsim.base.files import write_bytes, write_text

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

WIDTH = 7.1
"""Width of a figure over two columns of a journal (inches, 180 mm)."""

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000", "#8C6D31")
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "h")
INK = "#222222"
MUTED = "#6B6B6B"
RULE = "#C9C9C9"
NOTE_SIZE = 6.6
NOTE_LINE = 0.13
"""Height of one line of small print (inches)."""
NOTE_COLUMNS = 136
"""Characters of small print that fit across a figure of :data:`WIDTH`."""
EDGE = 0.02
"""Left edge of titles and small print (share of the figure's width)."""
DPI = 300

_STYLE: dict[Any, Any] = {
    "font.family": "DejaVu Sans",
    "font.size": 8.0,
    "axes.titlesize": 8.5,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.labelsize": 8.0,
    "axes.labelcolor": INK,
    "axes.edgecolor": MUTED,
    "axes.linewidth": 0.6,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "xtick.labelsize": 7.5,
    "ytick.labelsize": 7.5,
    "xtick.color": INK,
    "ytick.color": INK,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "xtick.major.size": 2.5,
    "ytick.major.size": 2.5,
    "text.color": INK,
    "lines.linewidth": 1.4,
    "lines.markersize": 3.6,
    "legend.frameon": False,
    "figure.dpi": 100,
    "savefig.dpi": DPI,
    "svg.hashsalt": "civsim",
    "svg.fonttype": "path",
}


@contextmanager
def house_style() -> Iterator[None]:
    """Draw with the house style, without a display, inside the ``with`` block; settings are put back after it."""
    with mpl.rc_context(_STYLE):
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


def _image(figure: Figure, kind: str) -> bytes:
    buffer = io.BytesIO()
    metadata = {"Date": None} if kind == "svg" else {"Software": None}
    figure.savefig(buffer, format=kind, metadata=metadata)
    return buffer.getvalue()


def save_figure(
    figure: Figure, folder: str | Path, stem: str, tables: Mapping[str, pd.DataFrame], command: str
) -> list[Path]:
    """Write ``stem``.png, .svg and .command.txt and one CSV a table into ``folder``; return their paths.

    A table's key is added to the stem (``""`` for the main one: ``stem.csv``; ``"points"``: ``stem-points.csv``).
    Every file is moved into place whole; the same input gives the same bytes. The folder is made if it is missing.

    Raises:
        ResultsError: the folder is a file.
    """
    target = Path(folder)
    if target.exists() and not target.is_dir():
        raise ResultsError(f"{str(target)!r} is a file; give a folder for the figure")
    images = {kind: _image(figure, kind) for kind in ("png", "svg")}
    target.mkdir(parents=True, exist_ok=True)
    paths = []
    for kind, content in images.items():
        write_bytes(target / f"{stem}.{kind}", content)
        paths.append(target / f"{stem}.{kind}")
    for key, table in tables.items():
        path = target / (f"{stem}-{key}.csv" if key else f"{stem}.csv")
        write_text(path, table.to_csv(index=False, float_format="%.6g", lineterminator="\n"))
        paths.append(path)
    write_text(target / f"{stem}.command.txt", command.rstrip() + "\n")
    return [*paths, target / f"{stem}.command.txt"]
