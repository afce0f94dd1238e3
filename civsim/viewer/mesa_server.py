"""The server of the Mesa page: Solara's own, on this machine, asking nobody else for anything."""

from __future__ import annotations

import os
import socket
import sys
import warnings
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from typing import Any, NamedTuple

from civsim.base.errors import CivsimError
from civsim.base.scenario import Scenario

PAGE = "civsim.viewer.mesa_page:Page"
LOOPBACK = ("127.0.0.1", "localhost", "::1")

_SETTINGS = {
    "SOLARA_CHECK_HOOKS": "off",  # Mesa 3.3's own components do not pass this check, which warns
    "SOLARA_TELEMETRY_MIXPANEL_ENABLE": "False",
    "SOLARA_ASSETS_CDN": "http://127.0.0.1:9/",  # what solara-assets has not installed is fetched from nowhere
    "SOLARA_THEME_SHOW_BANNER": "False",
    "SOLARA_MODE": "production",
}
"""Solara reads these when it is first imported."""

_INSTALL = "pip install 'civsim[viz]'"


def check_installed() -> None:
    """Make sure that what the page needs is installed.

    Raises:
        CivsimError: something is not, or is of a version that does not work.
    """
    for module, package in (("solara", "solara"), ("altair", "altair"), ("ipyvuetify", "ipyvuetify")):
        if find_spec(module) is None:
            raise CivsimError(f"{package} is not installed; install civsim with its extra: {_INSTALL}")
    try:
        version("solara-assets")
    except PackageNotFoundError:
        raise CivsimError(f"solara-assets is not installed; install civsim with its extra: {_INSTALL}") from None
    if version("ipyvuetify").split(".")[0] != "1":
        raise CivsimError(f"ipyvuetify {version('ipyvuetify')} shows no page of Mesa's; give it version 1: {_INSTALL}")


def bind(host: str, port: int) -> socket.socket:
    """Return a socket that listens there: what is in the way is told before anything is built.

    Args:
        host: a name or address of this machine.
        port: 0 for any that is free.

    Raises:
        CivsimError: the host is none of this machine's, or the port is taken or not allowed.
    """
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        listening = socket.socket(family, socket.SOCK_STREAM)
    except OSError as error:
        raise CivsimError(f"--host {host!r} cannot be used ({error.strerror or error}); give 127.0.0.1") from None
    try:
        if sys.platform != "win32":
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((host, port))
        listening.listen()
    except OSError as error:
        listening.close()
        raise CivsimError(
            f"--port {port} of {host} cannot be used ({error.strerror or error}); give another, or 0 for a free one"
        ) from None
    return listening


class Server(NamedTuple):
    """A server that is ready to run."""

    server: Any  # uvicorn's
    listening: socket.socket

    def run(self) -> None:
        """Serve until interrupted."""
        self.server.run(sockets=[self.listening])


def make_server(scenario: Scenario, listening: socket.socket, *, seed: int = 0, world_id: int = 0) -> Server:
    """Return a server of the page; its ``run`` returns when it is interrupted.

    While it listens on this machine alone, requests under any other host name are refused: a page from elsewhere cannot
    reach it by a name of its own.

    Args:
        scenario: the game of every session.
        listening: from :func:`bind`.
        seed: study seed that a session begins with.
        world_id: world that it begins with.

    Raises:
        ScenarioError: the seed or the world id is out of range, or a seat's policy cannot be used.
        CheckpointError: a trained policy that the scenario names cannot be loaded.
    """
    os.environ.update(_SETTINGS)
    # Solara warns of a cookie that it then sets in the other of two ways.
    warnings.filterwarnings("ignore", "Cookies with samesite=none", UserWarning)
    import uvicorn
    from solara.server import app as apps
    from starlette.middleware.trustedhost import TrustedHostMiddleware

    from civsim.viewer.mesa_page import offer

    offer(scenario, seed, world_id)
    for served_before in apps.apps.values():
        served_before.close()
    apps.apps["__default__"] = apps.AppScript(PAGE)
    from solara.server.starlette import app as solara_app

    served: Any = solara_app
    if listening.getsockname()[0] in LOOPBACK:
        served = TrustedHostMiddleware(solara_app, allowed_hosts=["127.0.0.1", "localhost", "[::1]"])
    config = uvicorn.Config(served, log_level="error", access_log=False, lifespan="on", timeout_graceful_shutdown=1)
    return Server(uvicorn.Server(config), listening)
