"""A recorder sees every turn of one world through whatever face it is played, and keeps nothing that is not its."""

from __future__ import annotations

import copy

import numpy as np
import pytest
from face_games import PEACE, WAR, scripted_actions, scripted_rivals
from recorded import GAMES, recorded, strangers, wild
from worlds import BUSY, random_shares, scenario

from civsim.agents import seat_policies
from civsim.base.constants import RULES_VERSION, OrderKind
from civsim.base.errors import RecordingError
from civsim.engine.world import World
from civsim.faces.actions import shares_of
from civsim.faces.gymnasium import CivilizationEnv
from civsim.faces.pettingzoo import CivilizationParallelEnv
from civsim.faces.sb3 import WorldVecEnv
from civsim.faces.seating import neighbouring
from civsim.faces.vector import CivilizationVectorEnv
from civsim.scenarios import content_hash
from civsim.scenarios.recordings.recorder import GameRecorder, Recording, physical_mark
from civsim.scenarios.recordings.replay import Replay
from civsim.scenarios.sources import engine_digest


def replayed(recording: Recording) -> World:
    replay = Replay(recording, "shares")
    replay.to_turn(recording.turns)
    assert replay.strays is None
    return replay.world


def test_a_recording_says_what_was_played() -> None:
    game = GAMES["baseline"]()
    recording, world = recorded(game, seed=7, world_id=9)
    assert recording.scenario == game
    assert (recording.seed, recording.world_id, recording.rules) == (7, 9, RULES_VERSION)
    assert (recording.content, recording.engine) == (content_hash(game), engine_digest())
    assert recording.land is None
    assert recording.turns == game.game.turns
    assert recording.marks.tolist()[-1] == physical_mark(world.state)
    assert len(set(recording.marks.tolist())) == recording.turns + 1
    assert recording.planned.all()
    assert recording.shares.dtype == np.float32


def test_shares_are_kept_as_they_were_given_and_orders_as_they_were_carried_out() -> None:
    world, rng = World(WAR, 1, 0), np.random.default_rng(1)
    recorder, shares, kinds = GameRecorder(world), [], []
    while not world.done.all():
        alive = world.state.alive[0] != 0
        given = random_shares(world, rng) * (1.0 + 5e-5)  # a sum that is not quite 1, as float32 gives it
        given[0, ~alive] = np.nan  # what is given for the dead is no matter
        world.step(given)
        shares.append(np.where(alive[:, None], given[0], 0.0))
        kinds.append(world.orders.kind[0].copy())
    recording = recorder.recording
    assert not world.state.alive.all()
    assert recording.shares.dtype == np.float64
    assert np.array_equal(recording.shares, np.array(shares))
    assert np.array_equal(recording.kind, np.array(kinds))


def test_recording_changes_nothing() -> None:
    game = GAMES["raiders"]()
    _, world = recorded(game)
    plain, policies = World(game, world_ids=[3], seed=0), seat_policies(game)
    while not plain.done.all():
        plain.step(policies.shares(plain))
    assert strangers(world, plain) == set()


def test_one_row_of_a_batch_is_recorded() -> None:
    game = GAMES["adaptive"]()
    world, policies = World(game, world_ids=[4, 2, 8], seed=1), seat_policies(game)
    recorder = GameRecorder(world, row=1)
    while not world.done.all():
        world.step(policies.shares(world))
    assert recorder.recording.world_id == 2
    assert strangers(replayed(recorder.recording), world, 0, 1) == set()


def test_a_part_of_a_game_is_a_recording_too() -> None:
    recording, world = recorded(GAMES["deep"](), turns=5)
    assert recording.turns == 5
    assert strangers(replayed(recording), world) == set()
    empty, _ = recorded(GAMES["deep"](), turns=0)
    assert (empty.turns, empty.kind.shape[0], len(empty.marks)) == (0, 0, 1)
    assert Replay(empty).done


def test_orders_that_were_given_are_known_as_such() -> None:
    game = scenario(BUSY)
    world, rng = World(game, 1, 0), np.random.default_rng(0)
    recorder = GameRecorder(world)
    for turn in range(6):
        orders = copy.deepcopy(world.orders)
        orders.kind[:], orders.cell[:], orders.choice[:] = OrderKind.NONE, 5, 0
        world.step(random_shares(world, rng), orders if turn % 2 else None)
    assert recorder.recording.planned.tolist() == [True, False] * 3
    assert (recorder.recording.cell[1::2] == -1).all()


@pytest.mark.parametrize("by_orders", [False, True])
def test_a_wild_game_comes_back_in_every_bit(by_orders: bool) -> None:
    recording, world = wild(scenario(BUSY), by_orders)
    replay = Replay(recording)
    replay.to_turn(recording.turns)
    assert (replay.by, replay.note()) == ("shares", "")
    assert strangers(replay.world, world) == set()


def test_a_game_played_through_gymnasium() -> None:
    env = CivilizationEnv(PEACE, scripted_rivals("softmax"), seat=1)
    env.reset(seed=3, options={"world_id": 6})
    recorder, ended = GameRecorder(env.world), False
    while not ended:
        turn = int(env.world.state.turn[0])
        ended = env.step(scripted_actions(PEACE, "softmax", 6, turn)[1])[2]
    whole = copy.deepcopy(env.world)
    env.reset()
    env.step(np.zeros(8, np.float32))
    assert recorder.recording.turns == PEACE.game.turns
    assert strangers(replayed(recorder.recording), whole) == set()


def test_a_game_played_through_pettingzoo() -> None:
    env = CivilizationParallelEnv(WAR, scripted_rivals("softmax"))
    env.reset(seed=1)
    recorder = GameRecorder(env.world)
    while env.agents:
        actions = scripted_actions(WAR, "softmax", 0, env.world.state.turn[0])
        env.step({agent: actions[env.possible_agents.index(agent)] for agent in env.agents})
    assert strangers(replayed(recorder.recording), env.world) == set()


@pytest.mark.parametrize("mode", ["NextStep", "SameStep"])
def test_a_game_of_a_vector_environment_ends_where_the_next_one_begins(mode: str) -> None:
    env = CivilizationVectorEnv(PEACE, scripted_rivals("softmax"), 2, autoreset_mode=mode)
    env.reset(seed=1)
    recorder = GameRecorder(env.world, row=1)
    for turn in range(PEACE.game.turns + 3):
        actions = [scripted_actions(PEACE, "softmax", w, min(turn, PEACE.game.turns - 1))[0] for w in (0, 1)]
        env.step(np.array(actions))
    recording = recorder.recording
    assert (recording.world_id, recording.turns) == (1, PEACE.game.turns)
    alone = World(PEACE, world_ids=[1], seed=1)
    for turn in range(PEACE.game.turns):
        alone.step(shares_of("softmax", scripted_actions(PEACE, "softmax", 1, turn)[None], alone.open))
    assert recording.marks[-1] == physical_mark(alone.state)


def test_a_game_of_stable_baselines() -> None:
    env = WorldVecEnv(PEACE, scripted_rivals("softmax"), 2, seed=1, learners=1)
    env.reset()
    recorder = GameRecorder(env._batch.world, row=0)
    seat = neighbouring(PEACE, "rotate").seats(np.array([0]))[0, 0]
    for turn in range(PEACE.game.turns + 2):
        actions = scripted_actions(PEACE, "softmax", 0, min(turn, PEACE.game.turns - 1))
        env.step(np.stack([actions[seat], actions[seat]]))
    assert recorder.recording.turns == PEACE.game.turns
    assert replayed(recorder.recording).state.turn[0] == PEACE.game.turns


def test_a_row_that_becomes_another_game_is_recorded_no_more() -> None:
    game = GAMES["baseline"]()
    policies = seat_policies(game)
    for change in ("reset", "copy", "leave"):
        world = World(game, world_ids=[0, 1], seed=0)
        recorder = GameRecorder(world, row=1)
        world.step(policies.shares(world))
        if change == "reset":
            world.reset(rows=[1])
        elif change == "copy":
            world.copy_rows(world, [0], [1])
        else:
            recorder.leave()
        world.step(policies.shares(world))
        assert recorder.turns == 1, change
        assert replayed(recorder.recording).state.turn[0] == 1
    world = World(game, world_ids=[0, 1], seed=0)
    recorder = GameRecorder(world, row=1)
    world.reset(rows=[0])
    world.step(policies.shares(world))
    assert recorder.turns == 1


def test_a_copy_of_a_recorded_batch_has_no_recorder() -> None:
    world = World(GAMES["baseline"](), 1, 0)
    recorder, policies = GameRecorder(world), seat_policies(world.scenario)
    twin = copy.deepcopy(world)
    twin.step(policies.shares(twin))
    assert recorder.turns == 0


def test_what_cannot_be_begun_again_is_refused() -> None:
    game = GAMES["baseline"]()
    world, policies = World(game, 2, 0), seat_policies(game)
    with pytest.raises(RecordingError, match=r"row=2 is none of 0 … 1; give a row"):
        GameRecorder(world, row=2)
    changed = World(game, 2, 0)
    changed.state.stock[1, 0, 2] = 9.0
    with pytest.raises(RecordingError, match="world 1 begins with another stock than its scenario and seed 0 give it"):
        GameRecorder(changed, row=1)
    GameRecorder(changed, row=0)
    world.step(policies.shares(world))
    with pytest.raises(RecordingError, match="world 1 is in turn 1; record a game from its beginning"):
        GameRecorder(world, row=1)
