"""A running game is kept as arrays or as a file, and goes on bit for bit: observations, rewards, ends, infos."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import pytest
from any_face import Game, alike, parallel, sb3, single, vector
from face_games import PEACE, SEVERAL, WAR
from hypothesis import given, settings
from hypothesis import strategies as st
from tree import ROOT

from civsim.base.errors import ActionError, CivsimError, SnapshotError
from civsim.base.scenario import Scenario
from civsim.faces.registration import ENVIRONMENT_ID
from civsim.scenarios.environment import make_civilization

Maker = Callable[..., Game]
MAKERS: list[Maker] = [single, vector, sb3, parallel]
FACES = pytest.mark.parametrize("make", MAKERS)


def rest(game: Game, turns: int) -> list[Any]:
    """What is told from here on, over the ends of episodes: a face of one world does not begin again by itself."""
    told: list[Any] = []
    for _ in range(turns):
        over = game.env.world.n_worlds == 1 and not game.env._batch.live.any()
        told.append(game.env.reset() if over else game.play(1))
    return told


def ids(game: Game) -> list[int]:
    return game.env.world.state.world_id.tolist()


@FACES
@pytest.mark.parametrize("turns", [0, 1, 4, 9, 14])
@pytest.mark.parametrize("scenario", [WAR, SEVERAL], ids=["war", "several"])
def test_the_rest_of_the_game_is_the_same_bit_for_bit(
    make: Maker, turns: int, scenario: Scenario, tmp_path: Path
) -> None:
    game = make(scenario).begin()
    rest(game, turns)
    game.env.save(tmp_path / "game.npz")
    from_file, from_arrays = make(scenario), make(scenario)
    from_file.env.restore(tmp_path / "game.npz")
    from_arrays.env.restore(game.env.snapshot())
    from_file.turn = from_arrays.turn = game.turn
    expected, worlds = rest(game, 15), ids(game)
    following, next_worlds = game.env.reset(), ids(game)
    for other in (from_file, from_arrays):
        assert alike(rest(other, 15), expected)
        assert ids(other) == worlds
        assert other.env.study_seed == game.env.study_seed
        assert alike(other.env.reset(), following)
        assert ids(other) == next_worlds


@settings(max_examples=12)
@given(make=st.sampled_from(MAKERS), turns=st.integers(0, 25), mode=st.sampled_from(["NextStep", "SameStep"]))
def test_at_any_moment_a_game_can_be_kept_and_is_not_moved_by_it(make: Maker, turns: int, mode: str) -> None:
    options = {"autoreset_mode": mode} if make is vector else {}
    game, untouched, other = (make(WAR, **options) for _ in range(3))
    rest(game.begin(), turns)
    rest(untouched.begin(), turns)
    other.env.restore(game.env.snapshot())
    other.turn = game.turn
    expected = rest(untouched, 6)
    assert alike(rest(game, 6), expected)
    assert alike(rest(other, 6), expected)


def seen(told: Any) -> Any:
    """The observations among what a reset or a step told; those of agents that have left are left out."""
    first = told[0] if isinstance(told, tuple) else told
    return {name: row for name, row in first.items() if row.any()} if isinstance(first, dict) else first


@FACES
@pytest.mark.parametrize("turns", [0, 1, 4])
def test_restoring_tells_what_there_is_to_act_on(make: Maker, turns: int) -> None:
    game = make(WAR).begin()
    told = game.play(turns)[-1] if turns else game.env.restore(game.env.snapshot())
    again = make(WAR).env.restore(game.env.snapshot())
    assert alike(seen(again), seen(told))
    fresh = make(WAR).env.reset()
    assert type(again) is type(fresh), "it is of the kind that a reset tells"
    if isinstance(again, tuple):
        assert again[1].keys() <= fresh[1].keys()


@FACES
def test_a_game_is_gone_on_from_over_one_that_is_running(make: Maker) -> None:
    game = make(WAR).begin()
    game.play(3)
    kept, turn = game.env.snapshot(), game.turn
    expected = game.play(3)
    game.play(2, key=5)
    game.env.restore(kept)
    game.turn = turn
    assert alike(game.play(3), expected)


@FACES
def test_the_same_game_gives_the_same_bytes(make: Maker, tmp_path: Path) -> None:
    for name in ("one", "two"):
        game = make(PEACE).begin()
        game.play(2)
        game.env.save(tmp_path / name)
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()


@FACES
def test_it_goes_on_in_another_process(make: Maker, tmp_path: Path) -> None:
    game = make(WAR).begin()
    game.play(2)
    game.env.save(tmp_path / "game.npz")
    game.play(5)
    code = (
        f"import sys; sys.path.insert(0, {str(ROOT / 'tests' / 'support')!r})\n"
        f"from any_face import {make.__name__}\nfrom face_games import WAR\n"
        f"game = {make.__name__}(WAR)\ngame.env.restore({str(tmp_path / 'game.npz')!r})\n"
        f"game.turn = 2\ngame.play(5)\ngame.env.save({str(tmp_path / 'later.npz')!r})\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    game.env.save(tmp_path / "here.npz")
    assert (tmp_path / "later.npz").read_bytes() == (tmp_path / "here.npz").read_bytes()


def test_an_agent_that_has_left_stays_away() -> None:
    game = parallel(WAR).begin()
    while len(game.env.agents) == 2:
        game.play(1)
    assert len(game.env.agents) == 1, "one is left"
    other = parallel(WAR)
    other.env.restore(game.env.snapshot())
    assert other.env.agents == game.env.agents


def test_through_gymnasiums_wrappers(tmp_path: Path) -> None:
    envs = [gymnasium.make(ENVIRONMENT_ID, scenario=PEACE) for _ in range(2)]
    for env in envs:
        env.reset(seed=3)
    action = np.linspace(-1, 1, 8, dtype=np.float32)
    envs[0].step(action)
    envs[0].unwrapped.save(tmp_path / "game.npz")  # type: ignore[attr-defined]
    envs[1].unwrapped.restore(tmp_path / "game.npz")  # type: ignore[attr-defined]
    assert alike(*(env.step(action) for env in envs))


def test_the_pictures_begin_anew() -> None:
    env = make_civilization(PEACE, render_mode="rgb_array_list")
    env.reset(seed=1)
    env.step(np.zeros(8))
    env.restore(env.snapshot())
    pictures = env.render()
    assert isinstance(pictures, list)
    assert len(pictures) == 1


@FACES
def test_before_the_first_episode_there_is_nothing_to_keep(make: Maker, tmp_path: Path) -> None:
    with pytest.raises(ActionError, match="no episode has begun"):
        make(PEACE).env.save(tmp_path / "game.npz")
    assert not list(tmp_path.iterdir())


def spoilt(env: Any, **changes: Any) -> dict[str, Any]:
    return {name: values for name, values in {**env.snapshot(), **changes}.items() if values is not None}


BAD: dict[str, Callable[[Any], Any]] = {
    "nothing": lambda env: {},
    "no next world": lambda env: spoilt(env, **{"worlds.next": None}),
    "a series too many": lambda env: spoilt(env, **{"worlds.next": np.zeros(9, np.int64)}),
    "no world id": lambda env: spoilt(env, **{"worlds.next": env.snapshot()["worlds.next"] - 2**40}),
    "too much": lambda env: spoilt(env, extra=np.zeros(1)),
    "a row too few": lambda env: spoilt(env, **{"rows.length": np.zeros(0, np.int64)}),
    "flattened the other way": lambda env: spoilt(env, **{"rows.length": env.snapshot()["rows.length"][:, None]}),
    "not finite": lambda env: spoilt(env, **{"world.state.stock": np.nan * env.snapshot()["world.state.stock"]}),
    "another game": lambda env: parallel(PEACE).begin().env.snapshot(),
    "no such file": lambda env: "missing.npz",
}


@FACES
@pytest.mark.parametrize("bad", BAD)
def test_what_does_not_fit_is_refused_in_one_line_and_nothing_changes(make: Maker, bad: str) -> None:
    game = make(WAR).begin()
    game.play(2)
    before = game.env.snapshot()
    with pytest.raises(SnapshotError) as caught:
        game.env.restore(BAD[bad](game.env))
    assert "\n" not in str(caught.value)
    assert alike(game.env.snapshot(), before)


@FACES
def test_a_file_that_is_no_game_is_refused_in_one_line(make: Maker, tmp_path: Path) -> None:
    game = make(WAR).begin()
    game.env.world.save(tmp_path / "world.npz")
    game.env.save(tmp_path / "game.npz")
    whole = (tmp_path / "game.npz").read_bytes()
    (tmp_path / "cut.npz").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "text.npz").write_text("no zip")
    for name in ("world", "cut", "text"):
        with pytest.raises(SnapshotError, match=f"{name}.npz") as caught:
            game.env.restore(tmp_path / f"{name}.npz")
        assert "\n" not in str(caught.value)


def test_where_it_cannot_be_written_it_says_so(tmp_path: Path) -> None:
    game = single(PEACE).begin()
    with pytest.raises(CivsimError, match="is not a folder"):
        game.env.save(tmp_path / "nowhere" / "game.npz")


def test_a_mode_that_never_has_a_finished_episode_refuses_one() -> None:
    game = vector(WAR).begin()
    while game.env._batch.live.all():
        game.play(1)
    other = vector(WAR, autoreset_mode="SameStep").begin()
    before = other.env.snapshot()
    with pytest.raises(SnapshotError, match="autoreset_mode='SameStep' never has"):
        other.env.restore(game.env.snapshot())
    assert alike(other.env.snapshot(), before)
