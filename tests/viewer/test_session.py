"""A game that is played by hand is the engine's game."""

from __future__ import annotations

import math

import numpy as np
import pytest

from civsim.agents import seat_policies
from civsim.base.constants import Category
from civsim.base.errors import ActionError, CivsimError, ScenarioError
from civsim.base.scenario import Scenario
from civsim.engine.state import State
from civsim.engine.world import World
from civsim.faces.actions import project_shares
from civsim.scenarios import load_scenario, override
from civsim.viewer.session import LiveGame

SCENARIO = override(load_scenario("baseline"), {"game.turns": 12, "map.width": 10, "map.height": 10})
WEIGHTS = [3, 4, 1, 0, 0, 1, 0.5, 0]


def same(a: State, b: State) -> bool:
    return all(np.array_equal(x, y) for x, y in zip(a, b, strict=True))


def undisturbed(turns: int, scenario: Scenario = SCENARIO, seed: int = 5, world_id: int = 3) -> World:
    world = World(scenario, world_ids=[world_id], seed=seed)
    policies = seat_policies(scenario)
    for _ in range(turns):
        world.step(policies.shares(world))
    return world


def test_untouched_it_is_the_game_of_the_policies() -> None:
    game = LiveGame(SCENARIO, 5, 3)
    for _ in range(8):
        game.step()
    assert same(game.world.state, undisturbed(8).state)


def test_with_shares_set_it_is_the_world_stepped_with_them() -> None:
    game = LiveGame(SCENARIO, 5, 3, held=(1,))
    game.step()
    game.set_shares({"1": WEIGHTS})
    for _ in range(4):
        game.step()
    world, policies = undisturbed(1), seat_policies(SCENARIO)
    for _ in range(4):
        shares = policies.shares(world)
        shares[0, 1] = project_shares(WEIGHTS, world.open)
        world.step(shares)
    assert same(game.world.state, world.state)
    assert game.by_hand == (1,)


def test_moving_a_share_changes_the_very_next_turn() -> None:
    game, twin = LiveGame(SCENARIO, 5, 3), LiveGame(SCENARIO, 5, 3)
    game.set_shares({"0": [1, 0, 0, 0, 0, 0, 0, 0]})
    game.step()
    twin.step()
    assert game.world.state.consumption[0, 0] == game.world.state.output[0, 0]
    assert not same(game.world.state, twin.world.state)


def test_a_seat_given_back_follows_its_policy_again() -> None:
    game = LiveGame(SCENARIO, 5, 3)
    game.set_shares({"0": WEIGHTS})
    game.set_shares({"0": None})
    game.step()
    assert game.by_hand == ()
    assert same(game.world.state, undisturbed(1).state)


def test_a_closed_category_gets_nothing() -> None:
    game = LiveGame(override(SCENARIO, {"game.closed": ["walls"]}))
    game.set_shares({"0": [1] * 8})
    game.step()
    assert game.world.state.spent[0, 0, Category.WALLS] == 0.0
    assert game.shares[0, Category.WALLS] == 0.0


def test_prices_are_multiples_of_those_the_world_began_with() -> None:
    drawn = override(SCENARIO, {"draws.horizon": 2.0})
    game = LiveGame(drawn, 5, 3)
    before = game.world.state.price_factor[0].copy()
    game.set_prices([2.0, 1.0, 0.5, 4.0])
    assert np.array_equal(game.world.state.price_factor[0], before * [2.0, 1.0, 0.5, 4.0])
    assert game.prices == pytest.approx([2.0, 1.0, 0.5, 4.0])
    game.set_prices([1.0] * 4)
    assert np.array_equal(game.world.state.price_factor[0], before)


def test_dear_thinking_lowers_the_levels_it_buys() -> None:
    levels = []
    for factor in (1 / 16, 16.0):
        game = LiveGame(SCENARIO, 5, 3)
        game.set_prices([factor] * 4)
        for _ in range(6):
            game.step()
        levels.append(int(game.world.state.level[0].sum()))
    assert levels[0] > levels[1]


def test_a_game_that_is_over_stays_as_it_is() -> None:
    game = LiveGame(SCENARIO)
    for _ in range(SCENARIO.game.turns + 3):
        game.step()
    assert game.over
    assert game.world.state.turn[0] == SCENARIO.game.turns


def test_reset_begins_the_world_asked_for() -> None:
    game = LiveGame(SCENARIO)
    game.set_shares({"0": WEIGHTS})
    game.set_prices([2.0] * 4)
    game.step()
    game.reset(5, 3)
    for _ in range(2):
        game.step()
    assert same(game.world.state, undisturbed(2).state)


@pytest.mark.parametrize(
    ("wanted", "words"),
    [
        ({"1": WEIGHTS}, "seat '1' is not held"),
        ({"x": WEIGHTS}, "seat 'x' is not held"),
        ({"²": WEIGHTS}, "is not held"),
        ({"9" * 50: WEIGHTS}, "is not held"),
        ({"0": [1, 2]}, "give a list of 8 numbers"),
        ({"0": "much"}, "give a list of 8 numbers"),
        ({"0": [1, 1, 1, 1, 1, 1, 1, -1]}, "-1 is outside 0"),
        ({"0": [1, 1, 1, 1, 1, 1, 1, math.nan]}, "nan is outside 0"),
        ({"0": [1, 1, 1, 1, 1, 1, 1, math.inf]}, "inf is outside 0"),
        ({"0": [1, 1, 1, 1, 1, 1, 1, 10**400]}, "is outside 0"),
        ({"0": [1, 1, 1, 1, 1, 1, 1, True]}, "True is outside 0"),
        ([], "is no table"),
        (7, "is no table"),
    ],
)
def test_nonsense_is_refused_and_nothing_moves(wanted: object, words: str) -> None:
    game = LiveGame(SCENARIO, 5, 3)
    with pytest.raises(ActionError, match=words):
        game.set_shares(wanted)  # type: ignore[arg-type]
    assert game.by_hand == ()


@pytest.mark.parametrize("factors", [None, [1, 1, 1], [0, 1, 1, 1], [17, 1, 1, 1], ["1", 1, 1, 1]])
def test_a_price_out_of_range_is_refused(factors: object) -> None:
    game = LiveGame(SCENARIO)
    with pytest.raises(ActionError, match="prices"):
        game.set_prices(factors)
    assert game.prices == [1.0] * 4


@pytest.mark.parametrize(
    ("seed", "world"), [(-1, 0), (2**64, 0), (0, 2**32), (0, -1), (0.5, 0), ("0", 0), (True, 0), (None, 0)]
)
def test_a_reset_out_of_range_leaves_the_game_as_it_was(seed: object, world: object) -> None:
    game = LiveGame(SCENARIO, 5, 3)
    game.step()
    before = game.world
    with pytest.raises(ScenarioError, match="is outside 0"):
        game.reset(seed, world)
    assert game.world is before


@pytest.mark.parametrize("held", [(4,), (-1,), (0, 9)])
def test_a_seat_that_is_none_is_refused(held: tuple[int, ...]) -> None:
    with pytest.raises(CivsimError, match="is outside 0 … 3"):
        LiveGame(SCENARIO, held=held)
