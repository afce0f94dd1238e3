"""``civsim mesa``: a scenario in Mesa's own page, round the viewer's map."""

from __future__ import annotations

from typing import Annotated

import typer

from civsim.cli.serving import DEFAULT_PORT, LOOPBACK, serve


def mesa(
    name: Annotated[str, typer.Argument(help="A scenario's name, or the path of a TOML file.")],
    seed: Annotated[int, typer.Option("--seed", min=0, max=2**64 - 1, help="Study seed.")] = 0,
    world: Annotated[int, typer.Option("--world", min=0, max=2**32 - 1, help="Id of the world.")] = 0,
    policies: Annotated[
        list[str] | None,
        typer.Option(
            "--policy", metavar="SEAT=NAME", help="Who plays a seat: a policy, zoo:NAME, or a trained one's folder."
        ),
    ] = None,
    settings: Annotated[
        list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="Change a setting, by dotted path.")
    ] = None,
    host: Annotated[
        str, typer.Option("--host", help="Address to listen on; other than this machine's own at your risk.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option("--port", min=0, max=65535, help="Port; 0 for any that is free.")] = DEFAULT_PORT,
    browser: Annotated[bool, typer.Option("--browser/--no-browser", help="Open the page in the browser.")] = False,
) -> None:
    """Serve a scenario in Mesa's page: step, play, hold a seat by sliders, begin again with another seed.

    It needs the extra civsim[viz]. Every page that is loaded is a model of its own. Ctrl-C ends it.
    """
    from civsim.cli.settings import with_settings
    from civsim.cli.watch import with_policies
    from civsim.viewer.mesa_server import bind, check_installed, make_server

    check_installed()
    from civsim.scenarios import load_scenario

    scenario = with_policies(with_settings(load_scenario(name), settings or []), policies or [])
    with bind(host, port) as listening:
        address, number = listening.getsockname()[:2]
        server = make_server(scenario, listening, seed=seed, world_id=world, alone=address in LOOPBACK)
        url = f"http://{f'[{address}]' if ':' in address else address}:{number}/"
        serve(f"{scenario.name}: Mesa's page is at", url, address, server.run, browser)
