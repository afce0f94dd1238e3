"""The live page: what it shows of a game, what it may ask, and the site that serves it.

A turn is sent as the maps of every view in a row, XORed with those that the page has, deflated, in base64, and a note
for each view.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from typing import Any

from civsim.base.constants import CHANNEL_NAMES
from civsim.base.scenario import Scenario
from civsim.viewer.camera import Camera
from civsim.viewer.document import xored
from civsim.viewer.header import Header, make_header
from civsim.viewer.packing import base64_text, page_json
from civsim.viewer.page import page
from civsim.viewer.server import Sessions, Site
from civsim.viewer.session import LARGEST_PRICE, LiveGame

SWIFT = 1
"""Level of deflation: a page waits for every turn."""


class FilmedGame:
    """A game that is played by hand, with a camera on it.

    Args:
        scenario: the game.
        seed: study seed.
        world_id: which world of it.
        held: the seats that may be played by hand.

    Raises:
        ScenarioError: as :class:`civsim.viewer.session.LiveGame` does.
    """

    def __init__(self, scenario: Scenario, seed: int, world_id: int, held: Sequence[int]) -> None:
        self.game = LiveGame(scenario, seed, world_id, held)
        self._begin()

    def _begin(self) -> None:
        self._camera = Camera(self.game.world)
        self._maps = b""
        self._turn: int | None = None

    @property
    def header(self) -> Header:
        """What the page must know of the game, to be written as JSON."""
        return {
            **make_header(self._camera),
            "held": list(self.game.held),
            "open": self.game.world.open.tolist(),
            "priced": [*CHANNEL_NAMES, "force"],
            "limits": {"price": LARGEST_PRICE},
        }

    def reset(self, seed: Any, world_id: Any) -> None:
        """Begin the game anew; see :meth:`civsim.viewer.session.LiveGame.reset`."""
        self.game.reset(seed, world_id)
        self._begin()

    def step(self) -> None:
        """Play a turn, if one is left."""
        self.game.step()

    def message(self, shown: Any = None) -> dict[str, Any]:
        """Return the turn as it is now, for a page that shows turn ``shown``, to be written as JSON.

        The maps are XORed with those of the message before where the page shows that one, else with nothing.
        """
        frame = self._camera.frame()
        fresh = shown != self._turn or shown is None
        maps = b"".join(view.planes for view in frame.views.values())
        shares = self.game.shares
        packed = zlib.compress(xored(maps, b"" if fresh else self._maps), SWIFT)
        self._turn, self._maps = frame.turn, maps
        return {
            "turn": frame.turn,
            "fresh": fresh,
            "over": self.game.over,
            "maps": base64_text(packed),
            "notes": [view.note for view in frame.views.values()],
            "shares": {seat: shares[seat].tolist() for seat in self.game.held},
            "byHand": list(self.game.by_hand),
            "prices": self.game.prices,
        }


def make_site(scenario: Scenario, seed: int = 0, world_id: int = 0, held: Sequence[int] = (0,)) -> Site:
    """Return the site on which every page that is loaded plays the world from its beginning.

    Raises:
        ScenarioError: a seat, the seed or the world is out of range, or a policy cannot be made.
    """
    FilmedGame(scenario, seed, world_id, held)  # whatever cannot be played is said before a page asks for it
    sessions = Sessions(lambda: FilmedGame(scenario, seed, world_id, held))
    return Site(sessions, live_page, {}, {"/api/step": _step, "/api/reset": _reset})


def live_page(token: str, game: FilmedGame) -> bytes:
    """Return the page of a game, HTML; the token is the page's own."""
    start = 'civsim.openLive(document.getElementById("viewer")).then((viewer) => (civsim.viewer = viewer));'
    header = game.header
    data = {
        "header": page_json(header),
        "first": page_json(game.message()),
        "session": page_json({"token": token, "seed": str(game.game.world.seed)}),
    }
    text = page(header["title"], start, data, connects=True, scripts=("live.js",), styles=("live.css",))
    return text.encode("utf-8")


def _step(game: FilmedGame, request: dict[str, Any]) -> bytes:
    """Take shares and prices, where there are any, play a turn, and answer with it."""
    if "shares" in request:
        game.game.set_shares(request["shares"])
    if "prices" in request:
        game.game.set_prices(request["prices"])
    game.step()
    return page_json(game.message(request.get("turn"))).encode()


def _reset(game: FilmedGame, request: dict[str, Any]) -> bytes:
    """Begin anew with a seed, a text since numbers of a page have 53 bits, and a world; answer with the first frame."""
    seed = request.get("seed")
    whole = int(seed) if isinstance(seed, str) and seed.isascii() and seed.isdecimal() and len(seed) <= 20 else seed
    game.reset(whole, request.get("world"))
    return page_json({**game.message(), "seed": str(game.game.world.seed), "world": request["world"]}).encode()
