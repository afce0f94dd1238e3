"""Two games of one world side by side: what each brought, who gained what, and what cannot be compared."""

from __future__ import annotations

import base64
import json
import re
import zlib
from functools import partial

import numpy as np
import pytest
from recorded import GAMES, recorded

from civsim.agents import seat_policies
from civsim.base.errors import CivsimError
from civsim.base.scenario import Scenario
from civsim.engine.world import World
from civsim.scenarios import override
from civsim.scenarios.recordings.replay import Replay
from civsim.viewer.camera import Camera
from civsim.viewer.comparison import LOST, Arm, changed_settings, check_same_shape, compare, comparison_page, gained
from civsim.viewer.document import read_document
from civsim.viewer.page import script, style

GAME = override(GAMES["war"](), {"claims.cost": 0.7, "game.turns": 25})
BLIND = override(
    GAME,
    {
        "seat_default.levels": {"horizon": 0, "sight": 1, "attention": 2},
        "seats.2.policy.name": "builder",
        "seats.3.policy.name": "rusher",
    },
)


def arm(label: str, game: Scenario, seed: int = 0, world_id: int = 3) -> Arm:
    world = World(game, world_ids=[world_id], seed=seed)
    policies = seat_policies(game)
    return Arm(label, world, lambda: world.step(policies.shares(world)))


def test_it_holds_both_games_as_they_are_alone() -> None:
    made = compare(arm("one", GAME), arm("other", BLIND))
    assert (made.labels, made.turns) == (("one", "other"), GAME.game.turns)
    for game, document in zip((GAME, BLIND), made.games, strict=True):
        alone = arm("alone", game)
        camera = Camera(alone.world)
        frames = [camera.frame()]
        while not alone.world.done.all():
            alone.step()
            frames.append(camera.frame())
        assert read_document(document.text())[1] == frames


def test_measures_are_what_each_seat_had_so_far() -> None:
    made = compare(arm("one", GAME), arm("other", BLIND))
    for number, game in enumerate((GAME, BLIND)):
        alone = arm("alone", game)
        state, consumed = alone.world.state, np.zeros(4)
        for turn in range(made.turns + 1):
            assert np.array_equal(made.measures["welfare"][number, :, turn], state.utility[0, :, 0])
            assert np.array_equal(made.measures["output"][number, :, turn], state.utility[0, :, 2])
            assert np.array_equal(made.measures["cells"][number, :, turn], state.cells[0])
            assert np.array_equal(made.measures["consumption"][number, :, turn], consumed)
            if turn < made.turns:
                consumed = consumed + alone.step().consumption[0]


def test_gains_are_cells_of_another_owner() -> None:
    before, after = np.array([-1, 0, 0, 1, -1, 2]), np.array([-1, 0, 1, -1, 3, 2])
    assert gained(before, after).tolist() == [0, 0, 2, LOST + 2, 4, 0]
    made = compare(arm("one", GAME), arm("other", BLIND))
    assert not made.gains[0].any()
    assert made.gains[-1].any()
    one, other = arm("one", GAME), arm("other", BLIND)
    for gains in made.gains:
        assert np.array_equal(gains != 0, one.world.state.owner[0] != other.world.state.owner[0])
        if not one.world.done.all():
            one.step()
            other.step()


def test_a_game_beside_itself_differs_nowhere() -> None:
    recording, _ = recorded(GAME)
    made = compare(*(Arm(label, (replay := Replay(recording)).world, replay.step) for label in ("a", "b")))
    assert made.firsts == ()
    assert made.settings == ()
    assert not made.gains.any()
    assert all(np.array_equal(values[0], values[1]) for values in made.measures.values())


def test_the_text_holds_all_of_it() -> None:
    made = compare(arm("with <them>", GAME), arm("without", BLIND), turns=9)
    text = made.text()
    assert "<" not in text
    told = json.loads(text)
    assert told["labels"] == ["with <them>", "without"]
    assert [first["group"] for first in told["firsts"]] == [first.group for first in made.firsts]
    assert told["firsts"][0]["turn"] == made.firsts[0].turn
    raw = np.frombuffer(zlib.decompress(base64.b64decode(told["gains"])), np.uint8).reshape(10, -1)
    assert np.array_equal(np.bitwise_xor.accumulate(raw, axis=0), made.gains)
    difference = json.loads(zlib.decompress(base64.b64decode(told["difference"])))
    assert list(difference["one"]) == [measure["name"] for measure in told["measures"]]
    for name, values in made.measures.items():
        assert np.allclose(difference["one"][name], values[0], rtol=1e-3)
        assert np.allclose(difference["difference"][name], values[1] - values[0], rtol=1e-3)
    assert [read_document(json.dumps(game))[0]["title"] for game in told["games"]] == ["with <them>", "without"]


def test_the_settings_that_differ_are_told() -> None:
    assert changed_settings(GAME, GAME) == ()
    told = changed_settings(GAME, override(GAME, {"map.hazard": 0.25, "seat_default.levels": {"horizon": 0}}))
    assert told == ("map.hazard: 0.01 → 0.25", "every seat, levels.horizon: not set → 0")
    told = changed_settings(GAME, override(GAME, {"seats.1.policy.name": "rusher"}))
    assert told == ("seat 1, policy.name: fixed → rusher",)
    many = override(GAME, {f"army.{name}": 0.5 for name in ("price", "minimum", "loss_winner")})
    assert len(changed_settings(GAME, many)) == 3
    all_of_it = changed_settings(GAME, GAMES["bought levels"]())
    assert len(all_of_it) == 13
    assert all_of_it[-1].startswith("and ")


def test_the_shorter_game_is_the_length_of_both() -> None:
    short = override(GAME, {"game.turns": 6})
    assert compare(arm("one", GAME), arm("other", short)).turns == 6
    assert compare(arm("one", GAME), arm("other", GAME), turns=4).turns == 4


def test_progress_is_told_turn_by_turn() -> None:
    done: list[int] = []
    compare(arm("one", GAME), arm("other", GAME), turns=5, progress=done.append)
    assert done == [1] * 5


def test_what_cannot_be_compared_is_one_line() -> None:
    for path, value, told in (
        ("map.width", 9, "map.width is 8 in one game and 9 in the other; compare games of one shape"),
        ("map.torus", True, "map.torus is False"),
        ("game.civilizations", 3, "game.civilizations is 4"),
    ):
        with pytest.raises(CivsimError, match=told):
            check_same_shape(GAME, override(GAME, {path: value}))
    with pytest.raises(CivsimError, match="world 3 of seed 0 and world 3 of seed 1 have other land and luck"):
        compare(arm("one", GAME), arm("other", GAME, seed=1))
    with pytest.raises(CivsimError, match="world 3 of seed 0 and world 4 of seed 0 have other land"):
        compare(arm("one", GAME), arm("other", GAME, world_id=4))
    played = arm("one", GAME)
    played.step()
    with pytest.raises(CivsimError, match="1 worlds in turn 1; compare single worlds from turn 0 on"):
        compare(played, arm("other", GAME))
    two = World(GAME, world_ids=[3, 4], seed=0)
    with pytest.raises(CivsimError, match="2 worlds in turn 0"):
        compare(arm("one", GAME), Arm("two", two, partial(two.step, None)))


def test_the_page_is_one_file_that_styles_nothing_but_itself() -> None:
    page = comparison_page(compare(arm("a & b", GAME), arm("other", BLIND), turns=2))
    assert "<title>a &amp; b beside other</title>" in page
    assert page.count("<script") == 2
    assert "openComparison" in page
    rules = re.sub(r"@media[^{]*\{|/\*.*?\*/", "", style(("compare.css",)), flags=re.DOTALL)
    selectors = [one.strip() for rule in re.findall(r"([^{}]+)\{", rules) for one in rule.split(",")]
    assert [one for one in selectors if not re.search(r"\.(civsim|cv-)", one)] == []
    assert not re.search(r"@import|url\(|\bfetch\(|innerHTML", script(("compare.js",)) + style(("compare.css",)))
