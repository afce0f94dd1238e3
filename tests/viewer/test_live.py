"""The live page shows the game that is played, and answers what it may be asked."""

from __future__ import annotations

import base64
import json
import zlib
from typing import Any

import numpy as np
import pytest

from civsim.agents import seat_policies
from civsim.base.errors import ActionError, ScenarioError
from civsim.engine.world import World
from civsim.scenarios import load_scenario, override
from civsim.viewer.camera import Camera, Frame
from civsim.viewer.document import xored
from civsim.viewer.live import FilmedGame, live_page, make_site

SCENARIO = override(load_scenario("raiders"), {"game.turns": 12, "map.width": 10, "map.height": 9})


def maps_of(message: dict[str, Any], last: bytes) -> bytes:
    """The maps of a message, unpacked as the page does."""
    return xored(zlib.decompress(base64.b64decode(message["maps"])), b"" if message["fresh"] else last)


def whole(frame: Frame) -> bytes:
    return b"".join(view.planes for view in frame.views.values())


def test_messages_hold_the_frames_of_the_undisturbed_game() -> None:
    game = FilmedGame(SCENARIO, 4, 2, (0,))
    world = World(SCENARIO, world_ids=[2], seed=4)
    policies, camera = seat_policies(SCENARIO), Camera(world)
    last = b""
    for turn in range(8):
        message = game.message(turn - 1)
        frame = camera.frame()
        last = maps_of(message, last)
        assert message["turn"] == frame.turn == turn
        assert message["fresh"] == (turn == 0)
        assert last == whole(frame)
        assert message["notes"] == [view.note for view in frame.views.values()]
        game.step()
        world.step(policies.shares(world))


def test_a_page_that_missed_a_turn_is_sent_whole_maps() -> None:
    game = FilmedGame(SCENARIO, 4, 2, (0,))
    game.message()
    game.step()
    game.message(0)
    game.step()
    message = game.message(0)  # it never got turn 1
    assert message["fresh"]
    assert maps_of(message, b"") == whole(Camera(game.game.world).frame())


def test_turns_are_small() -> None:
    game = FilmedGame(load_scenario("large"), 0, 0, (0,))
    game.message()
    sizes = []
    for _ in range(20):
        game.step()
        sizes.append(len(json.dumps(game.message(game.game.world.state.turn[0] - 1)).encode()))
    assert np.mean(sizes) < 40_000


def ask(path: str, request: dict[str, Any], game: FilmedGame) -> dict[str, Any]:
    site = make_site(SCENARIO)
    answer: dict[str, Any] = json.loads(site.actions[path](game, request))
    return answer


def test_a_step_takes_shares_and_prices_with_it() -> None:
    game = FilmedGame(SCENARIO, 0, 0, (0, 2))
    answer = ask("/api/step", {"shares": {"2": [1, 1, 0, 0, 0, 0, 0, 0]}, "prices": [2, 1, 1, 1]}, game)
    assert answer["turn"] == 1
    assert answer["byHand"] == [2]
    assert answer["shares"]["2"] == [0.5, 0.5, 0, 0, 0, 0, 0, 0]
    assert answer["prices"] == [2, 1, 1, 1]
    assert set(answer["shares"]) == {"0", "2"}


@pytest.mark.parametrize(
    "request_", [{"shares": {"1": [1] * 8}}, {"shares": 3}, {"prices": [0, 0, 0, 0]}, {"prices": "dear"}]
)
def test_a_step_that_is_refused_plays_nothing(request_: dict[str, Any]) -> None:
    game = FilmedGame(SCENARIO, 0, 0, (0,))
    with pytest.raises(ActionError):
        ask("/api/step", request_, game)
    assert game.game.world.state.turn[0] == 0


def test_a_reset_begins_another_world_and_seeds_of_64_bits_arrive() -> None:
    game = FilmedGame(SCENARIO, 0, 0, (0,))
    game.step()
    answer = ask("/api/reset", {"seed": str(2**64 - 1), "world": 7}, game)
    assert (answer["turn"], answer["fresh"], answer["seed"], answer["world"]) == (0, True, str(2**64 - 1), 7)
    assert game.game.world.seed == 2**64 - 1


@pytest.mark.parametrize("seed", ["", "x", "-1", "²", str(2**64), "9" * 500, None, 1.5, [], True])
def test_a_seed_that_is_none_is_refused(seed: object) -> None:
    game = FilmedGame(SCENARIO, 0, 0, (0,))
    with pytest.raises(ScenarioError, match="is outside 0"):
        ask("/api/reset", {"seed": seed, "world": 0}, game)
    with pytest.raises(ScenarioError, match="world="):
        ask("/api/reset", {"seed": "0", "world": seed}, game)
    with pytest.raises(ScenarioError, match="world="):
        ask("/api/reset", {"seed": "0"}, game)


def test_the_page_holds_its_token_and_no_other_host() -> None:
    game = FilmedGame(SCENARIO, 0, 0, (0,))
    text = live_page("the-token", game).decode()
    assert "the-token" in text
    assert "connect-src &#39;self&#39;" in text
    assert "http://" not in text.replace("http://www.w3.org/2000/svg", "")
    assert "https://" not in text


def test_a_scenario_that_cannot_be_played_is_said_before_a_page_is_served() -> None:
    with pytest.raises(ScenarioError, match="seat 9 is outside 0 … 3"):
        make_site(SCENARIO, held=(9,))
    with pytest.raises(ScenarioError, match="did you mean"):
        make_site(override(SCENARIO, {"seat_default.policy": {"name": "fixt"}}))
