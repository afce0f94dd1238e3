"""Pages in a real browser: opened without a screen, watched for errors and for any request that leaves the machine.

    from browser import chromium, visit  # noqa: F401 – fixtures, in a conftest or a test file

    def test_something(visit):
        page = visit(path_or_url, width=390, dark=True)   # a Playwright page whose viewer stands

When the test ends every page must have been silent: no console error, no exception, no foreign request.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

EXECUTABLE = Path("/usr/bin/chromium")
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
PATIENCE = 30_000.0
"""Milliseconds within which a page must do what is waited for; a busy machine may need seconds."""

_HOME = ("127.0.0.1", "localhost", "::1")


@pytest.fixture(scope="session")
def chromium() -> Iterator[Any]:
    """A browser. Without one the test is skipped, but never where CI is set."""
    if not EXECUTABLE.exists():
        if os.environ.get("CI"):
            pytest.fail(f"{EXECUTABLE} is absent, and CI must test the pages in it; install chromium")
        pytest.skip(f"{EXECUTABLE} is absent; install chromium to test the pages")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=str(EXECUTABLE), args=list(FLAGS))
        yield browser
        browser.close()


class Watch:
    """What went wrong on the pages of a test."""

    def __init__(self) -> None:
        self.wrong: list[str] = []

    def follow(self, page: Any) -> None:
        """Take note of what a page complains of and asks for."""
        page.on("console", lambda said: self._console(said))
        page.on("pageerror", lambda error: self.wrong.append(f"exception: {error}"))
        page.on("request", lambda request: self._request(request.url))

    def _console(self, said: Any) -> None:
        # Reading pixels back is the test's own doing.
        if said.type in ("error", "warning") and "readback" not in said.text:
            self.wrong.append(f"console: {said.text}")

    def _request(self, url: str) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("file", "data", "blob") and parts.hostname not in _HOME:
            self.wrong.append(f"request: {url}")


Visit = Callable[..., Any]


@pytest.fixture
def visit(chromium: Any) -> Iterator[Visit]:
    """Open pages, each in a context of its own, as ``visit(path or URL, width=…, height=…, dark=…, wait=selector)``."""
    watch, contexts = Watch(), []

    def open_page(
        where: Path | str, *, width: int = 1200, height: int = 900, dark: bool = False, wait: str = "[data-ready]"
    ) -> Any:
        scheme = "dark" if dark else "light"
        context = chromium.new_context(viewport={"width": width, "height": height}, color_scheme=scheme)
        context.set_default_timeout(PATIENCE)
        contexts.append(context)
        page = context.new_page()
        watch.follow(page)
        page.goto(where.absolute().as_uri() if isinstance(where, Path) else where)
        page.locator(wait).first.wait_for()
        return page

    open_page.watch = watch  # type: ignore[attr-defined]
    yield open_page
    for context in contexts:
        context.close()
    assert not watch.wrong, "; ".join(watch.wrong)


def pixel(page: Any, x: int, y: int, canvas: str = ".cv-map") -> tuple[int, int, int]:
    """Return the colour of a pixel of a canvas, in its own pixels."""
    script = "([c, x, y]) => [...document.querySelector(c).getContext('2d').getImageData(x, y, 1, 1).data]"
    return tuple(page.evaluate(script, [canvas, x, y])[:3])


def pixels(page: Any, canvas: str = ".cv-map") -> Any:
    """Return a whole canvas as uint8 [height, width, 4]."""
    import base64

    import numpy as np

    script = """(c) => { const canvas = document.querySelector(c);
      const data = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data;
      let text = '';
      for (let k = 0; k < data.length; k += 8192) text += String.fromCharCode(...data.subarray(k, k + 8192));
      return [canvas.width, canvas.height, btoa(text)]; }"""
    width, height, text = page.evaluate(script, canvas)
    return np.frombuffer(base64.b64decode(text), np.uint8).reshape(height, width, 4)
