"""The same game through every face is the same game, to the bit: observations, rewards, ends."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pytest
from face_games import PEACE, SEED, SEVERAL, WAR, Played, played, scripted_actions, scripted_rivals
from gymnasium.vector import AutoresetMode

from civsim.base.scenario import Scenario
from civsim.engine.observation.features import N_FEATURES
from civsim.faces.actions import ActionKind
from civsim.faces.gymnasium import CivilizationEnv
from civsim.faces.pettingzoo import CivilizationParallelEnv
from civsim.faces.sb3 import WorldVecEnv
from civsim.faces.vector import CivilizationVectorEnv

WORLDS = 9


class Game(NamedTuple):
    scenario: Scenario
    kind: ActionKind
    engine: Played

    @property
    def turns(self) -> int:
        return self.scenario.game.turns

    @property
    def seats(self) -> int:
        return self.scenario.game.civilizations

    def actions(self, worlds, turns, seats):
        rows = zip(worlds, turns, seats, strict=True)
        return np.stack([scripted_actions(self.scenario, self.kind, w, t)[s] for w, t, s in rows])

    def ended(self, world: int, turn: int, seat: int) -> bool:
        """Whether the seat's episode ended with this turn, counted from 1."""
        alive = self.engine.alive[world, :, seat]
        return bool(alive[turn - 1] and (turn == self.turns or not alive[turn]))


@pytest.fixture(
    scope="module",
    params=[(PEACE, "softmax"), (PEACE, "simplex"), (WAR, "softmax"), (WAR, "simplex"), (SEVERAL, "softmax")],
    ids=lambda game: f"{game[0].name}-{game[1]}",
)
def game(request) -> Game:
    scenario, kind = request.param
    return Game(scenario, kind, played(scenario, kind, WORLDS))


def test_the_games_are_what_they_are_meant_to_be(game):
    gone = ~game.engine.alive.all(axis=(1, 2))
    assert gone.any() == (game.scenario is WAR)
    if game.scenario is WAR:
        last_turn = game.engine.alive.sum(axis=1)
        assert len(np.unique(last_turn)) >= 4, "they are eliminated at different turns"
        assert game.engine.reward[0].any(axis=0).all()


def test_gymnasium(game):
    for seat in (0, game.seats - 1, "rotate"):
        env = CivilizationEnv(game.scenario, scripted_rivals(game.kind), seat, actions=game.kind)
        for world in range(4):
            seen, info = env.reset(seed=SEED if world == 0 else None)
            own, turn, ended = info["seat"], 0, False
            assert own == (world % game.seats if seat == "rotate" else seat)
            assert np.array_equal(seen, game.engine.seen[world, 0, own])
            while not ended:
                action = game.actions([world], [turn], [own])[0]
                seen, reward, ended, truncated, info = env.step(action)
                turn += 1
                assert np.array_equal(seen, game.engine.seen[world, turn, own])
                assert reward == game.engine.reward[world, turn - 1, own]
                assert ended == game.ended(world, turn, own)
                assert not truncated
                assert info["turn"] == turn


@pytest.mark.parametrize("mode", [AutoresetMode.NEXT_STEP, AutoresetMode.SAME_STEP])
def test_the_vector_face(game, mode):
    n = 3
    env = CivilizationVectorEnv(
        game.scenario, scripted_rivals(game.kind), n, "rotate", actions=game.kind, autoreset_mode=mode
    )
    seen, infos = env.reset(seed=SEED)
    worlds, turns, over = np.arange(n), np.zeros(n, int), np.zeros(n, bool)
    begun = n
    while worlds.max() < WORLDS:
        seats = worlds % game.seats
        assert infos["seat"].tolist() == seats.tolist()
        assert env.world.state.world_id.tolist() == worlds.tolist()
        assert np.array_equal(seen, game.engine.seen[worlds, turns, seats])
        actions = game.actions(worlds, np.minimum(turns, game.turns - 1), seats)
        seen, rewards, terminations, truncations, infos = env.step(actions)
        assert not truncations.any()
        for i in range(n):
            if over[i]:
                worlds[i], turns[i] = worlds[i] + n, 0
                begun += 1
                assert rewards[i] == 0.0
                assert not terminations[i]
                over[i] = False
                continue
            turns[i] += 1
            assert rewards[i] == game.engine.reward[worlds[i], turns[i] - 1, seats[i]]
            assert terminations[i] == game.ended(worlds[i], turns[i], seats[i])
            if terminations[i] and mode is AutoresetMode.SAME_STEP:
                assert np.array_equal(infos["final_obs"][i], game.engine.seen[worlds[i], turns[i], seats[i]])
                assert infos["final_info"]["turn"][i] == turns[i]
                worlds[i], turns[i] = worlds[i] + n, 0
                begun += 1
            over[i] = terminations[i] and mode is AutoresetMode.NEXT_STEP
    assert begun >= n + 3


@pytest.mark.parametrize("learners", ["one", "two", "all"])
def test_stable_baselines(game, learners):
    count = {"one": 1, "two": 2, "all": game.seats}[learners]
    b = 2
    env = WorldVecEnv(game.scenario, scripted_rivals(game.kind), b, SEED, learners=count, actions=game.kind)
    seen = env.reset()
    row_world = np.repeat(np.arange(b), count)
    ids, turns, begun = np.arange(b), np.zeros(b, int), b
    returns = np.zeros(b * count)
    while begun <= WORLDS:
        worlds, now = ids[row_world], turns[row_world]
        seats = (worlds + np.tile(np.arange(count), b)) % game.seats
        live = game.engine.alive[worlds, now, seats]
        assert env.live.tolist() == live.tolist()
        assert np.array_equal(seen, game.engine.seen[worlds, now, seats, :N_FEATURES])
        assert not seen[~live].any()
        seen, rewards, ends, infos = env.step(game.actions(worlds, now, seats))
        turns += 1
        now = now + 1
        assert rewards.dtype == np.float32
        assert np.array_equal(rewards, game.engine.reward[worlds, now - 1, seats].astype(np.float32))
        returns += game.engine.reward[worlds, now - 1, seats]
        assert len({id(info) for info in infos}) == len(infos)
        playing = game.engine.alive[worlds, now, seats] & (now < game.turns)
        anew = ~playing.reshape(b, count).any(axis=1)[row_world]
        for row, (w, t, s) in enumerate(zip(worlds, now, seats, strict=True)):
            assert ends[row] == (game.ended(w, t, s) or anew[row]), "every start of a game is announced"
            assert bool(infos[row]) == ends[row]
            if ends[row]:
                assert infos[row]["TimeLimit.truncated"] is False
                assert np.array_equal(infos[row]["terminal_observation"], game.engine.seen[w, t, s, :N_FEATURES])
            assert ("episode" in infos[row]) == game.ended(w, t, s)
            if game.ended(w, t, s):
                episode = infos[row]["episode"]
                assert episode["r"] == returns[row]
                assert (episode["l"], episode["world_id"], episode["seat"]) == (t, w, s)
                assert episode["objective"] == game.engine.objective[w, t, s]
                assert episode["objectives"] == game.engine.objective[w, t].tolist()
                assert episode["alive"] == game.engine.alive[w, t].tolist()
        for world in range(b):
            mine = row_world == world
            if anew[mine].all():
                ids[world], turns[world], begun = begun, 0, begun + 1
                returns[mine] = 0.0
    assert env.next_world == begun


@pytest.mark.parametrize("subset", [False, True], ids=["all", "some"])
def test_pettingzoo(game, subset):
    seats = [game.seats - 1, 0] if subset else None
    env = CivilizationParallelEnv(game.scenario, scripted_rivals(game.kind), seats, actions=game.kind)
    for world in range(5):
        seen, _ = env.reset(seed=SEED if world == 0 else None)
        turn = 0
        agents = {f"civilization_{seat}": seat for seat in (seats or range(game.seats))}
        assert env.agents == list(agents)
        while env.agents:
            for name, seat in agents.items():
                assert np.array_equal(seen[name], game.engine.seen[world, turn, seat])
            acts = {name: game.actions([world], [turn], [seat])[0] for name, seat in agents.items()}
            seen, rewards, terminations, truncations, _ = env.step(acts)
            turn += 1
            assert set(seen) == set(rewards) == set(terminations) == set(truncations) == set(agents)
            assert not any(truncations.values())
            for name, seat in agents.items():
                assert np.array_equal(seen[name], game.engine.seen[world, turn, seat])
                assert rewards[name] == game.engine.reward[world, turn - 1, seat]
                assert terminations[name] == game.ended(world, turn, seat)
            agents = {name: seat for name, seat in agents.items() if not terminations[name]}
            assert env.agents == list(agents)
