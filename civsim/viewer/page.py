"""The page as one file: style, script and data inside it, and a policy that forbids it any request to other hosts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files
from pathlib import Path

from civsim.base.files import write_text
from civsim.viewer.document import Document

SCRIPTS = ("source.js", "words.js", "marks.js", "map.js", "plan.js", "charts.js", "side.js", "viewer.js")
"""The script's parts in their order; together they are one scope."""

EXPORTED = (
    "Controls",
    "MapView",
    "PushSource",
    "ReplaySource",
    "Transport",
    "Viewer",
    "element",
    "openReplay",
    "pageHead",
)
"""What the script leaves behind, as properties of ``window.civsim``."""

MORE: Mapping[str, tuple[str, ...]] = {"compare.js": ("openComparison",), "live.js": ("openLive",)}
"""Parts for pages of another kind, and what each leaves behind beside :data:`EXPORTED`."""

STYLE, TEMPLATE = "viewer.css", "page.html.jinja"
DATA = "replay"
"""Id of the element that holds a replay's document."""


def _read(name: str) -> str:
    return files("civsim.viewer").joinpath(name).read_text(encoding="utf-8")


@cache
def script(more: Sequence[str] = ()) -> str:
    """Return the viewer's script: one function scope that leaves ``window.civsim`` behind; no module, no import.

    ``more`` are parts of :data:`MORE` that a page of another kind takes, a tuple.
    """
    parts = "\n".join(_read(name) for name in (*SCRIPTS, *more))
    names = ", ".join((*EXPORTED, *(name for part in more for name in MORE[part])))
    return f'"use strict";\nwindow.civsim = (() => {{\n{parts}\nreturn {{ {names} }};\n}})();'


@cache
def style(more: Sequence[str] = ()) -> str:
    """Return the viewer's style sheet; all of it is below the class ``civsim`` but for the margin of a whole page.

    ``more`` are further sheets, a tuple.
    """
    return "".join(_read(name) for name in (STYLE, *more))


def page(
    title: str,
    start: str,
    data: Mapping[str, str] | None = None,
    *,
    connects: bool = False,
    scripts: tuple[str, ...] = (),
    styles: tuple[str, ...] = (),
) -> str:
    """Return a page, HTML.

    Args:
        title: of the browser's window.
        start: script that is run last; the viewer belongs into the element ``viewer``.
        data: JSON by the id of the element that is to hold it; it may hold no ``<``.
        connects: whether it may ask its own host for more.
        scripts: further parts of the script, of :data:`MORE`.
        styles: further style sheets.
    """
    from jinja2 import Environment

    template = Environment(autoescape=True, keep_trailing_newline=True).from_string(_read(TEMPLATE))
    return template.render(
        title=title,
        connect="'self'" if connects else "'none'",
        style=style(styles),
        script=script(scripts),
        start=start,
        data=data or {},
    )


def replay_page(document: Document) -> str:
    """Return a game as one self-contained page, HTML.

    Raises:
        CivsimError: the document has no frame.
    """
    parts = f'JSON.parse(document.getElementById("{DATA}").textContent)'
    start = f"""const root = document.getElementById("viewer");
civsim.openReplay(root, {parts}).then((viewer) => (civsim.viewer = viewer));"""
    return page(str(document.header["title"]), start, {DATA: document.text()})


def write_page(path: str | Path, document: Document) -> None:
    """Write :func:`replay_page` to a file, whole or not at all.

    Raises:
        CivsimError: the document has no frame, or the file cannot be written there.
    """
    write_text(path, replay_page(document))
