"""Check the built documentation site: ``python tests/support/site_check.py out/site``.

Sphinx checks links between pages; this checks what it does not: that a page loads nothing from elsewhere, and that
files and anchors which pages name exist in what was built.
"""

from __future__ import annotations

import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

LOADS = {"script": "src", "link": "href", "img": "src", "iframe": "src", "source": "src", "video": "src"}
"""What a browser fetches without being asked."""
HARMLESS = {"canonical", "prev", "next", "search", "index", "license"}
"""Relations of a link that say something and load nothing."""


class Page(HTMLParser):
    """What one page loads, links to, and can be linked at."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.loads: list[str] = []
        self.links: list[str] = []
        self.anchors: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note what an element loads, links to and is called."""
        given = {name: value or "" for name, value in attrs}
        self.anchors |= {given[name] for name in ("id", "name") if name in given}
        if tag == "a" and given.get("href"):
            self.links.append(given["href"])
        elif tag in LOADS and given.get(LOADS[tag]) and given.get("rel") not in HARMLESS:
            self.loads.append(given[LOADS[tag]])


def _is_outside(url: str) -> bool:
    parts = urlsplit(url)
    return bool(parts.netloc) or parts.scheme not in ("", "data")


def complaints(root: Path) -> list[str]:
    """Every fault of the site below ``root``, one line each."""
    pages = {path: Page(path.read_text(encoding="utf-8")) for path in sorted(root.rglob("*.html"))}
    found = [] if pages else [f"{root} holds no page"]
    for path, page in pages.items():
        here = path.relative_to(root)
        found += [f"{here} loads {url[:80]}" for url in page.loads if _is_outside(url)]
        for url in (*page.links, *page.loads):
            parts = urlsplit(url)
            if parts.scheme or parts.netloc:
                continue
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            if not target.exists():
                found.append(f"{here} names {url}, which is not there")
            elif parts.fragment and target in pages and unquote(parts.fragment) not in pages[target].anchors:
                found.append(f"{here} names {url}, but there is no such place in it")
    return found


def main() -> int:
    """Print the faults and say by the exit code whether there are any."""
    found = complaints(Path(sys.argv[1]).resolve())
    for line in found:
        print(line)
    return int(bool(found))


if __name__ == "__main__":
    raise SystemExit(main())
