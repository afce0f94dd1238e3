"""K12: the castle at the pass. The best sites of walls that block are a minimum cut between the rim and what is kept.

One realm holds a valley behind ridges that take longer to cross than the game lasts, on land made by hand. Bands that
nothing withstands come to it in every turn. Castles stand from the first turn on, on every choice of sites among the
cells held, for walls are raised on own land. As few of them as a minimum cut of the passable land between the rim and
the rich cells has (Menger 1927; networkx) keep all, one fewer does not, and the choices that do are the minimum cuts.
A castle of height W on a cut makes bands ⌊block · W⌋ turns late. The rule of thumb, which walls the output it guards,
puts it on the richest cell. What a planner does that sees the map and plans to the end is reported.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from itertools import combinations
from typing import TYPE_CHECKING, Annotated, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray
from pydantic import BeforeValidator, Field

from civsim.base.constants import Category, Objective
from civsim.base.errors import StudyError
from civsim.base.scenario import Frozen, Scenario
from civsim.engine.land.geometry import neighbour_table
from civsim.engine.world import World
from civsim.validation.case import How, KnownAnswer, Positives, Row, Seed, Turns, bound, exact, reported, several, words
from civsim.validation.hand_made import flat_land, hold, no_orders, scenario, split

if TYPE_CHECKING:
    import networkx as nx

Name = Literal["pass", "valleys", "neck", "two"]
LANDS: dict[Name, tuple[str, ...]] = {
    "pass": (
        "...........",
        ".#########.",
        ".#ooooooo#.",
        ".#oRoooRo#.",
        ".#ooooooo#.",
        ".#oooCooo#.",
        ".#ooooooo#.",
        ".#oRooooo#.",
        ".####o####.",
        "...........",
    ),
    "valleys": (
        "...........",
        ".#########.",
        ".#oRooooR#.",
        ".#ooooooo#.",
        ".###o#####.",
        ".#ooooooo#.",
        ".#oCooRoo#.",
        ".#ooooooo#.",
        ".#####o###.",
        "...........",
    ),
    "neck": (
        "...........",
        ".#########.",
        ".#ooRoooo#.",
        ".#ooooCoR#.",
        ".#oRooooo#.",
        ".####o####.",
        ".#ooooooo#.",
        ".#ooooooo#.",
        ".###ooo###.",
        "...........",
    ),
    "two": (
        "...........",
        ".###o#####.",
        ".#ooooooo#.",
        ".#oRoooRo#.",
        ".#oooCooo#.",
        ".#ooooooo#.",
        ".#oRooooo#.",
        ".#####o###.",
        "...........",
        "...........",
    ),
}
"""Maps: ``#`` a ridge, ``.`` land of nobody, ``o`` own land, ``C`` the capital, ``R`` rich own land, which is kept."""

RIDGE = 1e4
"""Turns that a ridge takes: longer than any game."""

RICH, RICHEST = 4.0, 4.4
"""Output of rich land, and of the cell of it that is numbered first; other land gives nothing and draws nobody."""

STRONG = 1e6
"""Mean strength of bands: no wall withstands them."""

COURSES = 4
"""Turns in which a castle is raised."""

ROUNDED = 1e-3
"""Output that single precision may lose in a game."""

BANDS = 16
EVERY = "games on every choice of sites among the cells held"


class Settings(Frozen):
    """Parameters of K12."""

    land: Annotated[tuple[Name, ...], BeforeValidator(several), Field(min_length=1, max_length=4)] = Field(
        tuple(LANDS), description="hand-made maps"
    )
    height: float = Field(20.0, gt=0.0, le=1000.0, description="W, the height of a castle (units of wall)")
    block: float = Field(3.0, gt=0.0, le=1000.0, description="walls.block (turns per unit)")
    delays: Positives = Field((1.0, 2.5, 4.0), description="heights at which the turns that a wall costs are counted")
    turns: Annotated[int, Field(ge=30, le=200)] = Field(50, description="length of the game T (turns)")
    h: Turns = Field((0, 8, 64), description="horizons of planners (turns)")
    seed: Seed = Field(0, description="seed of the bands")


class FloorPlan(NamedTuple):
    """A map, read."""

    held: tuple[int, ...]  # the realm, ascending
    kept: tuple[int, ...]  # its rich cells
    capital: int
    ridge: tuple[int, ...]
    width: int
    height: int


def plan_of(rows: Sequence[str]) -> FloorPlan:
    """Read a map, see :data:`LANDS`."""
    text = "".join(rows)

    def where(marks: str) -> tuple[int, ...]:
        return tuple(cell for cell, mark in enumerate(text) if mark in marks)

    return FloorPlan(where("oCR"), where("R"), text.index("C"), where("#"), len(rows[0]), len(rows))


def passable(plan: FloorPlan) -> nx.Graph:
    """Return the land that can be passed: the cells held, ``rim`` and ``kept``.

    Land of nobody cannot be walled: all of it, which the rim reaches, is one node.
    """
    import networkx as nx

    table = neighbour_table(plan.width, plan.height, False)
    nobody = set(range(plan.width * plan.height)) - set(plan.ridge) - set(plan.held)
    graph = nx.Graph()
    for cell in plan.held:
        for other in map(int, table[cell]):
            if other in plan.held:
                graph.add_edge(cell, other)
            elif other in nobody:
                graph.add_edge("rim", cell)
    graph.add_edges_from((cell, "kept") for cell in plan.kept)
    return graph


def parts(graph: nx.Graph, cells: Iterable[int]) -> bool:
    """Return whether castles on ``cells`` part the rim from what is kept."""
    import networkx as nx

    left = graph.copy()
    left.remove_nodes_from(cells)
    return not nx.has_path(left, "rim", "kept")


def game_of(settings: Settings, plan: FloorPlan, horizon: int = 0) -> Scenario:
    """Return the game: a band comes in every turn, and all that can be done is to raise a wall."""
    return scenario(
        {
            "map.width": plan.width,
            "map.height": plan.height,
            "map.block": RIDGE,
            "game.civilizations": 1,
            "game.turns": settings.turns,
            "game.objective": "output",
            "game.discount": 1.0,
            "claims.per_turn": 0,
            "works.per_turn": 0,
            "walls.block": settings.block,
            "walls.rate": settings.height / COURSES,
            "walls.per_turn": 1,
            "raiders": {"rate": 1.0, "strength": STRONG, "bands": BANDS, "disruption": 4, "damage": 0.0},
            "thinking.prior": {"raid": 1.0 / len(plan.held), "weight": 1e6, "attack": 0.0},
            "thinking.max_horizon": settings.turns,
            "seat_default.levels": {"horizon": horizon, "sight": plan.width, "attention": 6},
        }
    )


def prepared(settings: Settings, plan: FloorPlan, worlds: int, horizon: int = 0) -> World:
    """Return worlds of one realm on the map, the same bands in each: none has a wall yet."""
    game = game_of(settings, plan, horizon)
    rich = {**dict.fromkeys(plan.kept, RICH), plan.kept[0]: RICHEST}
    land = flat_land(game, (plan.capital,), 0.0, rich=rich, ruggedness=dict.fromkeys(plan.ridge, 1.0))
    world = World(game, worlds, seed=settings.seed, land=land, world_ids=np.zeros(worlds, np.int64))
    hold(world, 0, *(cell for cell in plan.held if cell != plan.capital))
    return world


def whole(plan: FloorPlan, turns: int) -> float:
    """Return the output of the realm in ``turns`` turns without a raid."""
    return turns * (RICH * (len(plan.kept) - 1) + RICHEST)


def losses(settings: Settings, plan: FloorPlan, sites: Sequence[Iterable[int]], height: float) -> NDArray[np.float64]:
    """Return the output lost in a game with castles of ``height`` on each of several choices of sites, float [n]."""
    world = prepared(settings, plan, len(sites))
    for row, cells in enumerate(sites):
        world.state.wall[row, list(cells)] = height
    while not world.done.all():
        world.step(split(world, consumption=1), no_orders(world))
    lost = whole(plan, settings.turns) - np.asarray(world.state.utility[:, 0, Objective.OUTPUT])
    return np.where(lost < ROUNDED, 0.0, lost)


def turns_late(block: float, height: float) -> float:
    """Return the turns that a wall of ``height`` makes whoever enters its cell late: ⌊block · height⌋."""
    return float(math.floor(block * float(np.float32(height)) + 1e-5))


def arrivals(settings: Settings, plan: FloorPlan, cut: Iterable[int], height: float) -> tuple[int, int]:
    """Return when a band is at the richest cell without walls, and with walls of ``height`` on the cut (turns)."""
    world = prepared(settings, plan, 2)
    state = world.state
    state.wall[1, list(cut)] = height
    state.band_cell[:, 0], state.band_target[:, 0], state.band_came[:, 0], state.turn[:] = 0, plan.kept[0], 0, 1
    arrived = np.full(2, settings.turns)
    for turn in range(settings.turns):
        world.step(split(world, consumption=1), no_orders(world))
        there = state.band_target[:, 0] != plan.kept[0]
        arrived[there] = np.minimum(arrived[there], turn)
    return int(arrived[0]), int(arrived[1])


def planned(settings: Settings, plan: FloorPlan, castles: int, horizon: int) -> World:
    """Return the world after a game in which a planner of ``horizon`` has the means for ``castles`` castles."""
    world = prepared(settings, plan, 1, horizon)
    world.state.stock[0, 0, Category.WALLS] = castles * settings.height
    while not world.done.all():
        world.step(split(world, consumption=1))
    return world


def planner_rows(settings: Settings, plan: FloorPlan, castles: int, name: Name) -> list[Row]:
    """The rows of where planners build, and what is lost so."""
    made, graph = [], passable(plan)
    for horizon in dict.fromkeys(settings.h):
        place = words(land=name, castles=castles, h=horizon)
        world = planned(settings, plan, castles, horizon)
        wall = world.state.wall[0]
        highest = np.argsort(-wall, kind="stable")[:castles].tolist()
        note = "highest walls: " + ", ".join(f"{wall[cell]:g} on cell {cell}" for cell in highest)
        made.append(reported("a planner's highest walls are a cut", place, float(parts(graph, highest)), note=note))
        lost = whole(plan, settings.turns) - float(world.state.utility[0, 0, Objective.OUTPUT])
        made.append(reported("output a planner loses", place, lost, note="walls rise while bands come"))
    return made


def land_rows(settings: Settings, name: Name) -> list[Row]:
    """The rows of one map."""
    import networkx as nx

    plan = plan_of(LANDS[name])
    graph = passable(plan)
    cut = nx.minimum_node_cut(graph, "rim", "kept")
    sites, fewer = (list(combinations(plan.held, len(cut) - less)) for less in (0, 1))
    lost, place = losses(settings, plan, sites, settings.height), words(land=name, castles=len(cut))
    cuts = np.array([parts(graph, cells) for cells in sites])
    richest = tuple(sorted(plan.kept[: len(cut)]))
    on_richest = float(lost[sites.index(richest)])
    rows = [
        exact("least output lost", place, 0.0, float(lost.min()), EVERY),
        exact("choices that lose nothing", place, float(sum(cuts)), float((lost == 0.0).sum()), EVERY),
        exact("of these, minimum cuts", place, float(sum(cuts)), float(np.count_nonzero((lost == 0.0) & cuts)), EVERY),
        bound(
            "least output lost, one castle fewer",
            place,
            0.0,
            ">",
            float(losses(settings, plan, fewer, settings.height).min()),
            EVERY,
        ),
        bound("output lost, castles on the richest", place, 0.0, ">", on_richest, "where the rule of thumb puts them"),
    ]
    for height in dict.fromkeys(settings.delays):
        without, found = arrivals(settings, plan, cut, height)
        late = min(turns_late(settings.block, height), settings.turns - without)
        rows.append(exact("turns a wall on the cut costs", words(land=name, W=height), late, float(found - without)))
    return rows + planner_rows(settings, plan, len(cut), name)


def run(settings: Settings, how: How) -> list[Row]:
    """Play on every map; see the module.

    Raises:
        StudyError: a castle does not block for longer than the game lasts.
    """
    if turns_late(settings.block, settings.height) < settings.turns:
        told = words(height=settings.height, block=settings.block, turns=settings.turns)
        raise StudyError(f"K12: {told}: castles fall before the end; raise height or block, or lower turns")
    made: list[Row] = []
    names = list(dict.fromkeys(settings.land))
    for index, name in enumerate(names):
        how.report(index, len(names))
        made += land_rows(settings, name)
    return made


CASE = KnownAnswer(
    "K12",
    "the castle at the pass",
    "castles that block for longer than the game lasts keep all where they are a minimum cut between rim and rich land "
    "and nowhere else (Menger 1927; networkx); one of height W costs bands ⌊block · W⌋ turns",
    "land made by hand: one realm behind ridges, castles set by hand on every choice of its cells",
    Settings,
    run,
)
