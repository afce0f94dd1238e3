"""``civsim play``: a game played in the browser, with sliders for the shares of the seats one holds."""

from __future__ import annotations

from typing import Annotated

import typer

from civsim.base.errors import ScenarioError
from civsim.cli.serving import DEFAULT_PORT, serve


def play(
    name: Annotated[str, typer.Argument(metavar="SCENARIO", help="A scenario's name, or the path of a TOML file.")],
    seat: Annotated[
        list[int] | None, typer.Option("--seat", min=0, help="A seat you hold; may be repeated. Seat 0 if left out.")
    ] = None,
    seed: Annotated[int, typer.Option("--seed", min=0, max=2**64 - 1, help="Study seed.")] = 0,
    world: Annotated[int, typer.Option("--world", min=0, max=2**32 - 1, help="Which world of it.")] = 0,
    host: Annotated[
        str, typer.Option("--host", help="Address to listen on; other than this machine's own at your risk.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option("--port", min=0, max=65535, help="Port; 0 for any that is free.")] = DEFAULT_PORT,
    settings: Annotated[
        list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="Change a setting, by dotted path.")
    ] = None,
    browser: Annotated[bool, typer.Option("--browser/--no-browser", help="Open the page in the browser.")] = False,
) -> None:
    """Play a game in the browser: every page that is loaded is a game of its own. Ctrl-C ends it."""
    from civsim.cli.settings import with_settings
    from civsim.scenarios import load_scenario

    scenario = with_settings(load_scenario(name), settings or [])
    held = tuple(seat) if seat else (0,)
    if len(held) != len(set(held)):
        raise ScenarioError(f"--seat names a seat twice ({', '.join(map(str, held))}); name each once")
    from civsim.viewer.live import make_site
    from civsim.viewer.server import Server

    with Server(make_site(scenario, seed, world, held), host, port) as server:
        serve(f"{scenario.name}: play at", server.url, host, server.serve_forever, browser)
