"""Games played to be watched."""

from __future__ import annotations

from collections.abc import Callable

from civsim.agents.policy import SeatPolicies
from civsim.engine.world import World
from civsim.viewer.camera import Camera
from civsim.viewer.document import Document
from civsim.viewer.header import make_header


def film(
    world: World,
    policies: SeatPolicies,
    *,
    turns: int | None = None,
    title: str | None = None,
    progress: Callable[[int], None] | None = None,
) -> Document:
    """Play a world on, to the end or for ``turns`` turns, and return what there was to see: a frame before, one a turn.

    The game is bit for bit the one that nobody watches.

    Args:
        world: a batch of one world.
        policies: of all seats.
        turns: the most turns to play.
        title: what the page calls the game; the scenario's name where left out.
        progress: called with 1 after every turn.

    Raises:
        Exception: whatever a policy or the engine raises.
    """
    camera = Camera(world)
    document = Document(make_header(camera, title))
    document.add(camera.frame())
    left = world.scenario.game.turns if turns is None else turns
    while left > 0 and not world.done.all():
        world.step(policies.shares(world))
        document.add(camera.frame())
        left -= 1
        if progress is not None:
            progress(1)
    return document
