"""``civsim mesa``: a scenario in Mesa's own page, round the viewer's map."""

from __future__ import annotations

from typing import Annotated

import typer


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
    host: Annotated[str, typer.Option("--host", help="Where to listen.")] = "127.0.0.1",
    port: Annotated[int, typer.Option("--port", min=0, max=65535, help="0 for any that is free.")] = 8765,
) -> None:
    """Open a scenario in Mesa's page: step, play, hold a seat by sliders, begin again with another seed.

    It needs the extra civsim[viz], and serves this machine alone unless --host says otherwise.
    """
    from civsim.cli.settings import with_settings
    from civsim.cli.watch import with_policies
    from civsim.viewer.mesa_server import LOOPBACK, bind, check_installed, make_server

    check_installed()
    from civsim.scenarios import load_scenario

    scenario = with_policies(with_settings(load_scenario(name), settings or []), policies or [])
    with bind(host, port) as listening:
        address, number = listening.getsockname()[:2]
        server = make_server(scenario, listening, seed=seed, world_id=world)
        if address not in LOOPBACK:
            typer.echo(f"listening on {address}: whoever reaches this machine can play; there is no password", err=True)
        shown = f"[{address}]" if ":" in address else address
        typer.echo(f"{scenario.name} is at http://{shown}:{number}/ (Ctrl-C ends it)")
        server.run()
