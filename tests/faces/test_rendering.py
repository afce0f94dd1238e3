"""Render modes are Gymnasium's, in every face; none changes a bit of a game."""

from __future__ import annotations

import copy
import importlib.util
import pickle
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import gymnasium
import imageio_ffmpeg
import numpy as np
import pytest
from face_games import PEACE, SEED, WAR, scripted_rivals
from gymnasium.error import DependencyNotInstalled
from gymnasium.vector import SyncVectorEnv
from gymnasium.wrappers import HumanRendering, RecordVideo, RenderCollection
from worlds import bits

from civsim.base.errors import CivsimError
from civsim.engine.state import SPEC
from civsim.faces import rendering
from civsim.faces.drawing import draw_world
from civsim.faces.gymnasium import CivilizationEnv
from civsim.faces.pettingzoo import CivilizationParallelEnv
from civsim.faces.registration import ENVIRONMENT_ID
from civsim.faces.rendering import MODES, tiled
from civsim.faces.vector import CivilizationVectorEnv

Shown = list[np.ndarray]
STILL = np.zeros(8, np.float32)
MODE = pytest.mark.parametrize("mode", MODES)


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> Iterator[Shown]:
    """Without a screen, but with all else: what a window was given to show, and no waiting for the eye."""
    monkeypatch.setattr(rendering, "RENDER_FPS", 0)
    pictures: Shown = []
    show = rendering.Window.show

    def look(window: rendering.Window, picture: np.ndarray) -> None:
        show(window, picture)
        assert np.array_equal(surface(), picture)
        pictures.append(picture)

    monkeypatch.setattr(rendering.Window, "show", look)
    yield pictures
    rendering._pygame().display.quit()


def surface() -> np.ndarray:
    """What pygame holds for the screen now."""
    pygame = rendering._pygame()
    return np.asarray(pygame.surfarray.array3d(pygame.display.get_surface()).swapaxes(0, 1))


def single(mode: str | None, **kwargs: Any) -> CivilizationEnv:
    return CivilizationEnv(PEACE, scripted_rivals("softmax"), render_mode=mode, **kwargs)


def test_human_shows_each_turn_as_it_is_played(shown: Shown) -> None:
    env = single("human", seat=1)
    env.reset(seed=SEED)
    for turn in range(3):
        assert len(shown) == turn + 1
        assert np.array_equal(shown[-1], draw_world(env.world.state, PEACE, 0, 1, 40))
        env.step(STILL)
    assert env.render() is None
    assert np.array_equal(shown[-1], shown[-2])
    env.close()
    env.close()
    env.reset()
    assert len(shown) == 6, "a closed window opens again"


def test_a_list_holds_every_turn_since_it_was_last_asked_for() -> None:
    env, one = single("rgb_array_list"), single("rgb_array")
    for each in (env, one):
        each.reset(seed=SEED)
    expected = [one.render()]
    for _ in range(3):
        env.step(STILL)
        one.step(STILL)
        expected.append(one.render())
    assert np.array_equal(env.render(), expected)
    assert env.render() == []
    env.step(STILL)
    env.reset()
    assert len(env.render()) == 1, "a new game is a new list"


@pytest.mark.parametrize("scenario", [PEACE, WAR], ids=["peace", "war"])
def test_the_list_is_that_of_gymnasiums_own_collection(scenario: Any) -> None:
    own = CivilizationEnv(scenario, scripted_rivals("softmax"), render_mode="rgb_array_list")
    wrapped = RenderCollection(CivilizationEnv(scenario, scripted_rivals("softmax"), render_mode="rgb_array"))
    made = gymnasium.make(ENVIRONMENT_ID, scenario=scenario, render_mode="rgb_array_list")
    assert own.render_mode == wrapped.render_mode == made.render_mode == "rgb_array_list"
    for env in (own, wrapped):
        env.reset(seed=SEED)
        for _ in range(4):
            env.step(STILL)
    assert np.array_equal(own.render(), wrapped.render())
    made.reset(seed=SEED)
    made.step(STILL)
    assert np.shape(made.render()) == (2, 16 * scenario.map.height, 16 * scenario.map.width, 3)


@pytest.mark.parametrize("autoreset", ["NextStep", "SameStep"])
def test_the_lists_of_a_vector_are_those_of_single_environments(autoreset: str) -> None:
    def make(world: int) -> Callable[[], Any]:
        return lambda: single("rgb_array_list", first_world=world, world_step=2)

    mode = gymnasium.vector.AutoresetMode(autoreset)
    native = CivilizationVectorEnv(
        PEACE, scripted_rivals("softmax"), 2, render_mode="rgb_array_list", autoreset_mode=mode
    )
    many = SyncVectorEnv([make(0), make(1)], autoreset_mode=mode)
    native.reset(seed=SEED)
    many.reset(seed=[SEED, SEED])
    for turn in range(PEACE.game.turns + 3):
        for env in (native, many):
            env.step(np.zeros((2, 8), np.float32))
        if turn not in (1, 2, 6):
            pairs = list(zip(native.render() or (), many.render() or (), strict=True))
            assert len(pairs) == 2
            assert all(np.array_equal(mine, theirs) for mine, theirs in pairs), turn


def test_a_masked_reset_begins_the_lists_of_its_sub_environments_alone() -> None:
    env = CivilizationVectorEnv(PEACE, scripted_rivals("softmax"), 2, render_mode="rgb_array_list")
    env.reset(seed=SEED)
    env.step(np.zeros((2, 8), np.float32))
    env.reset(options={"reset_mask": np.array([False, True])})
    assert [len(pictures) for pictures in env.render() or ()] == [2, 1]


def test_a_vector_shows_its_worlds_side_by_side(shown: Shown) -> None:
    env = gymnasium.make_vec(ENVIRONMENT_ID, num_envs=3, scenario=PEACE, render_mode="human")
    env.reset(seed=SEED)
    env.step(np.zeros((3, 8), np.float32))
    assert len(shown) == 2
    state, side = env.unwrapped.world.state, 40 * 6
    assert shown[1].shape == (2 * side, 2 * side, 3)
    for place, corner in enumerate(((0, 0), (0, side), (side, 0))):
        part = shown[1][corner[0] : corner[0] + side, corner[1] : corner[1] + side]
        assert np.array_equal(part, draw_world(state, PEACE, place, 0, 40))
    assert not shown[1][side:, side:].any()
    assert env.render() is None
    env.close()


@MODE
def test_pettingzoo_has_the_same_modes(mode: str, shown: Shown) -> None:
    env = CivilizationParallelEnv(PEACE, scripted_rivals("softmax"), render_mode=mode)
    env.reset(seed=SEED)
    for _ in range(2):
        env.step(dict.fromkeys(env.agents, STILL))
    drawn, now = env.render(), draw_world(env.world.state, PEACE)
    if mode == "human":
        assert drawn is None
        assert len(shown) == 4
        assert np.array_equal(shown[2], draw_world(env.world.state, PEACE, cell_pixels=40))
    else:
        assert len(drawn) == (3 if mode == "rgb_array_list" else len(now))
        assert np.array_equal(drawn if mode == "rgb_array" else drawn[-1], now)
    env.close()


@pytest.mark.parametrize("game", [PEACE, WAR], ids=["peace", "war"])
def test_no_mode_changes_a_bit(game: Any, shown: Shown) -> None:
    found = []
    for mode in (None, *MODES):
        env = CivilizationEnv(game, scripted_rivals("softmax"), render_mode=mode)
        told = [env.reset(seed=SEED)[0]]
        for _ in range(4):
            told.append(env.step(STILL)[0])
            env.render()
        found.append((np.array(told).tobytes(), bits(env.world, SPEC)))
        env.close()
    assert all(one == found[0] for one in found)


@MODE
def test_a_copy_goes_on_by_itself(mode: str, shown: Shown) -> None:
    env = CivilizationEnv(PEACE, even, render_mode=mode)
    env.reset(seed=SEED)
    env.step(STILL)
    for twin in (copy.deepcopy(env), pickle.loads(pickle.dumps(env))):
        before = len(shown)
        twin.step(STILL)
        assert env.world.state.turn[0] == 1
        if mode == "rgb_array_list":
            assert len(twin.render()) == 3
        elif mode == "human":
            assert np.array_equal(shown[before], draw_world(twin.world.state, PEACE, 0, 0, 40))
    if mode == "rgb_array_list":
        assert len(env.render()) == 2


def even(world: Any, mask: np.ndarray) -> np.ndarray:
    """Rivals that can be pickled."""
    return np.broadcast_to(world.open / world.open.sum(), (*mask.shape, 8)).astype(np.float32)


@pytest.mark.parametrize("mode", ["rgb_array", "rgb_array_list"])
def test_gymnasium_records_videos_of_it(mode: str, tmp_path: Path) -> None:
    made = gymnasium.make(ENVIRONMENT_ID, scenario=PEACE, render_mode=mode)
    env = RecordVideo(made, str(tmp_path / "videos"), episode_trigger=lambda episode: episode == 0)
    env.reset(seed=SEED)
    while not env.step(STILL)[2]:
        pass
    env.close()
    (video,) = (tmp_path / "videos").glob("*.mp4")
    frames, seconds = imageio_ffmpeg.count_frames_and_secs(str(video))
    assert frames == PEACE.game.turns + 1
    assert seconds == pytest.approx(frames / 10, abs=0.05)


def test_gymnasium_makes_one_for_people(shown: Shown) -> None:
    """It brings its own window where an environment has none; ours has one, so that it does not warn."""
    made = gymnasium.make(ENVIRONMENT_ID, scenario=PEACE, render_mode="human")
    made.reset(seed=SEED)
    made.step(STILL)
    made.close()
    assert len(shown) == 2
    assert HumanRendering(single("rgb_array")).render_mode == "human"


def test_without_pygame_a_window_is_refused_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    find = importlib.util.find_spec
    monkeypatch.setattr(rendering, "find_spec", lambda name: None if name == "pygame" else find(name))
    with pytest.raises(DependencyNotInstalled, match=r"pygame is not installed; run pip install 'civsim\[window\]'"):
        single("human")
    single("rgb_array")


def test_without_a_display_a_window_is_refused_in_one_line() -> None:
    """In a process of its own: pygame remembers what it found."""
    code = (
        "import os, sys; [os.environ.pop(name, None) for name in ('DISPLAY', 'WAYLAND_DISPLAY', 'SDL_VIDEODRIVER')]\n"
        "from civsim.base.errors import CivsimError; from civsim.scenarios.environment import make_civilization\n"
        "env = make_civilization('peace', render_mode='human')\n"
        "try: env.reset(seed=0)\n"
        "except CivsimError as fault: print(fault)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.startswith("render_mode='human' needs a display (there is none); use 'rgb_array', or set SDL_")


def test_an_unknown_mode_is_refused() -> None:
    with pytest.raises(CivsimError, match="render_mode='ansi' is unknown; use one of human, rgb_array, rgb_array_list"):
        single("ansi")


def test_pictures_are_laid_in_rows() -> None:
    pictures = [np.full((2, 3, 3), number, np.uint8) for number in range(1, 6)]
    assert tiled(pictures)[::2, ::3, 0].tolist() == [[1, 2, 3], [4, 5, 0]]
    assert tiled(pictures[:1]) is pictures[0]
