"""A page that is served until somebody interrupts: what is said of it, and how it ends."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

import typer

LOOPBACK = ("127.0.0.1", "localhost", "::1")
DEFAULT_PORT = 8765


def serve(told: str, url: str, host: str, run: Callable[[], object], browser: bool) -> None:
    """Say where a page is, open it if wanted, and serve it until Ctrl-C.

    Args:
        told: what is at ``url``, up to the address.
        url: the page's address.
        host: address that is listened on; other than this machine's own, that is said too.
        run: serves; returns, or raises KeyboardInterrupt, when it is interrupted.
        browser: whether to open the page.
    """
    typer.echo(f"{told} {url} (Ctrl-C ends)")
    if host not in LOOPBACK:
        typer.echo(f"listening on {host}: whoever reaches this machine can play, and use its time", err=True)
    if browser:
        import webbrowser

        webbrowser.open(url)
    # A server that takes the signal for itself may return instead.
    with suppress(KeyboardInterrupt):
        run()
    typer.echo("ended")
