"""The header of a document: what its frames are of, and every name, size, unit and colour that the page needs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from civsim.agents.registry import FILE_PREFIX
from civsim.base.constants import CHANNEL_NAMES, COGNITION, ORDERS, RULES_VERSION, Category, OrderKind
from civsim.base.scenario import Scenario
from civsim.engine.observation.features import VARIABLE_NAMES
from civsim.engine.offices.rows import CAPITAL
from civsim.engine.planner.plan import Phase, Plan
from civsim.engine.world import World
from civsim.faces.thinkers import Thinker, thinkers
from civsim.viewer import palette
from civsim.viewer.camera import Camera
from civsim.viewer.events import EVENTS
from civsim.viewer.notes import FIGURES, SPENT
from civsim.viewer.planes import FLAGS, PLANES, SCALE

Header = dict[str, Any]

_DTYPES = {1: "u1", 2: "u2"}
_CHARTS = (
    ("output", "a turn", ("output",)),
    ("consumption", "a turn", ("consumption",)),
    ("territory", "cells", ("cells",)),
    ("army", "force", ("army",)),
    *(
        (facts.label(name), "", (f"level_{name}",))
        for name, facts in zip(CHANNEL_NAMES, COGNITION.values(), strict=True)
    ),
)


def make_header(camera: Camera, title: str | None = None) -> Header:
    """Return the header of the frames that ``camera`` takes, to be written as JSON.

    Args:
        camera: films the game.
        title: what the page calls it; the scenario's name where left out.
    """
    world, scenario = camera.world, camera.world.scenario
    return {
        "title": title or scenario.name,
        "scenario": scenario.name,
        "description": " ".join(scenario.description.split()),
        "seed": str(world.seed),
        "world": int(world.state.world_id[camera.row]),
        "rules": RULES_VERSION,
        "length": scenario.game.turns,
        "width": scenario.map.width,
        "height": scenario.map.height,
        "torus": scenario.map.torus,
        "views": ["truth", *map(_view_name, thinkers(scenario))],
        "thinkers": [None, *map(list, thinkers(scenario))],
        "seats": [_seat(scenario, seat) for seat in range(world.n_civilizations)],
        **_frame_format(),
        **_vocabulary(),
        **_colours(world),
    }


def _view_name(thinker: Thinker) -> str:
    return f"seat {thinker.seat}" + (f", province {thinker.office}" if thinker.office != CAPITAL else "")


def _seat(scenario: Scenario, seat: int) -> dict[str, Any]:
    return {
        "name": f"seat {seat}",
        "policy": policy_label(scenario.seat(seat).policy.name),
        **palette.seat_colours(seat),
    }


def policy_label(name: str) -> str:
    """Return a short name of a policy: that of a trained one in a folder is the folder's."""
    return Path(name.removeprefix(FILE_PREFIX)).name if name.startswith(FILE_PREFIX) else name


def _frame_format() -> dict[str, Any]:
    """Return how the bytes of a map are read."""
    planes = [{"name": name, "dtype": _DTYPES[kind().itemsize]} for name, kind in PLANES.items()]
    return {"planes": planes, "flags": FLAGS, "scale": SCALE}


def _vocabulary() -> dict[str, Any]:
    """Return the names of what notes list as numbers."""
    return {
        "figures": [figure._asdict() for figure in FIGURES],
        "charts": [{"title": title, "unit": unit, "figures": list(names)} for title, unit, names in _CHARTS],
        "spending": [f"{SPENT}{category.name.lower()}" for category in Category],
        "categories": [{"name": name, "colour": colour} for name, colour in palette.category_colours().items()],
        "orders": [kind.name.lower() for kind in ORDERS],
        "plans": [plan.name.lower() for plan in Plan],
        "phases": [phase.name.lower() for phase in Phase],
        "events": [
            {"name": event.name.lower(), "text": text, **palette.event_colours(event)} for event, text in EVENTS.items()
        ],
        "variables": list(VARIABLE_NAMES),
        "wait": int(OrderKind.NONE),
    }


def _colours(world: World) -> dict[str, Any]:
    return {
        "colours": palette.colour_table(world.n_civilizations),
        "levels": palette.ground_levels(),
        "steps": palette.mark_steps(),
        "veils": list(palette.VEIL_AGES),
        "marks": palette.mark_colours(),
        "pages": {"light": palette.hexed(palette.LIGHT), "dark": palette.hexed(palette.DARK)},
    }
