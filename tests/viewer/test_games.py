"""A game that is filmed: every turn is in it, and it is the game that nobody watches."""

from __future__ import annotations

from worlds import whole

from civsim.agents import seat_policies
from civsim.engine.world import World
from civsim.scenarios import load_scenario, override
from civsim.viewer.document import read_document
from civsim.viewer.games import film

GAME = override(load_scenario("raiders"), {"map.width": 10, "map.height": 8, "game.turns": 12})


def test_every_turn_is_in_it_and_the_game_is_the_same() -> None:
    world, plain, policies = World(GAME, 1, 5), World(GAME, 1, 5), seat_policies(GAME)
    counted: list[int] = []
    document = film(world, policies, progress=counted.append)
    while not plain.done.all():
        plain.step(policies.shares(plain))
    assert whole(world) == whole(plain)
    assert counted == [1] * 12
    header, frames = read_document(document.text())
    assert [frame.turn for frame in frames] == list(range(13))
    assert (header["title"], header["length"], header["seed"]) == ("raiders", 12, "5")


def test_it_stops_where_it_is_told_and_goes_on_from_there() -> None:
    world, policies = World(GAME, 1, 5), seat_policies(GAME)
    assert len(film(world, policies, turns=4, title="first")) == 5
    document = film(world, policies, turns=99)
    assert (document.first, len(document)) == (4, 9)
    assert len(film(world, policies)) == 1
