"""Environments copied in mid-game are exact and on their own; they are pickled where the rivals can be."""

from __future__ import annotations

import copy
import gc
import pickle
import subprocess
import sys
import weakref
from collections.abc import Callable
from typing import Any

import gymnasium
import numpy as np
import pytest
from any_face import Even, Game, alike, parallel, sb3, single, vector
from face_games import PEACE, WAR, scripted_rivals
from tree import ROOT

from civsim.base.scenario import Scenario
from civsim.faces.mesa import CivModel
from civsim.faces.registration import ENVIRONMENT_ID

HALF = 3
FACES = pytest.mark.parametrize("make", [single, vector, sb3, parallel])
Maker = Callable[[Scenario, Any], Game]
COPIES: dict[str, Callable[[Any], Any]] = {
    "deepcopy": copy.deepcopy,
    "copy": lambda game: Game(copy.copy(game.env), game.shape, game.turn),
    "pickle": lambda game: pickle.loads(pickle.dumps(game)),
}


@FACES
@pytest.mark.parametrize("way", COPIES)
def test_a_copy_in_mid_game_is_exact_and_independent(make: Maker, way: str) -> None:
    game = make(PEACE, Even()).begin()
    game.play(HALF)
    twin, other = (COPIES[way](game) for _ in range(2))
    # Across the end of an episode where the face begins the next one itself.
    turns = PEACE.game.turns - HALF if make in (single, parallel) else PEACE.game.turns + 2
    other.play(2, key=9)
    expected = game.play(turns)
    assert twin.env._batch._rivals.asked == HALF
    assert alike(twin.play(turns), expected)


@FACES
def test_a_copy_outlives_its_original(make: Maker) -> None:
    game = make(WAR, scripted_rivals("softmax")).begin()
    game.play(2)
    expected = copy.deepcopy(game).play(2)
    twin = copy.deepcopy(game)
    gone = weakref.ref(game.env)
    del game
    gc.collect()
    assert gone() is None
    assert alike(twin.play(2), expected)


@FACES
def test_a_copy_before_the_first_episode_begins_like_its_original(make: Maker) -> None:
    game = make(PEACE, Even())
    twin = copy.deepcopy(game)
    assert alike(game.begin().play(2), twin.begin().play(2))


@FACES
def test_a_copy_begins_the_next_episode_like_its_original(make: Maker) -> None:
    game = make(PEACE, Even()).begin()
    game.play(HALF)
    twin = copy.deepcopy(game)
    for one in (game, twin):
        one.env.reset()
    assert alike(game.play(2), twin.play(2))
    assert game.env.world.state.world_id.tolist() == twin.env.world.state.world_id.tolist()


def test_a_waiting_action_is_copied() -> None:
    game = sb3(PEACE, Even()).begin()
    game.env.step_async(np.ones((6, 8), np.float32))
    twin = copy.deepcopy(game.env)
    assert alike(game.env.step_wait()[:3], twin.step_wait()[:3])


@FACES
def test_the_registered_rivals_can_be_copied_and_pickled(make: Maker) -> None:
    game = make(WAR, None).begin()
    game.play(2)
    twins = [way(game) for way in COPIES.values()]
    expected = game.play(4)
    assert all(alike(twin.play(4), expected) for twin in twins)


@pytest.mark.parametrize("way", ["deepcopy", "pickle"])
def test_gymnasiums_wrappers_are_copied_with_their_environment(way: str) -> None:
    env = gymnasium.make(ENVIRONMENT_ID, scenario=PEACE, max_episode_steps=HALF + 2)
    env.reset(seed=2)
    action = np.linspace(-1, 1, 8, dtype=np.float32)
    for _ in range(HALF):
        env.step(action)
    twin: Any = copy.deepcopy(env) if way == "deepcopy" else pickle.loads(pickle.dumps(env))
    for _ in range(2):
        left, right = env.step(action), twin.step(action)
        assert alike(left[:4], right[:4])
    assert left[3]


def test_a_model_copied_shallowly_is_on_its_own() -> None:
    model = CivModel(PEACE, seed=3)
    model.step()
    twin = copy.copy(model)
    twin.step()
    assert (model.turn, twin.turn) == (1, 2)
    model.step()
    assert all(map(np.array_equal, model.world.state, twin.world.state))


FORKED = """
import copy, os
from any_face import alike, parallel, sb3, single, vector
from face_games import WAR
for make in (single, vector, sb3, parallel):
    game = make(WAR, None).begin()
    game.play(2)
    expected = copy.deepcopy(game).play(4)
    child = os.fork()
    same = alike(game.play(4), expected)
    if child == 0:
        os._exit(0 if same else 1)
    assert same and os.waitpid(child, 0)[1] == 0, make.__name__
print("stepped on both sides")
"""


def test_a_face_steps_in_a_forked_child() -> None:
    code = f"import sys; sys.path.insert(0, {str(ROOT / 'tests' / 'support')!r})\n{FORKED}"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=300)
    assert done.stdout.strip() == "stepped on both sides", done.stderr
