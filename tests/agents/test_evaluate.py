"""Evaluation games: the focal seat alone swapped, line-ups balanced, every game the same alone and in any batch."""

from __future__ import annotations

import numpy as np
import pytest

from civsim.agents import evaluate as module
from civsim.agents import make_policy, seat_policies
from civsim.agents.evaluate import (
    HELD_OUT_FIRST,
    VALIDATION_FIRST,
    focal_seats,
    held_out,
    line_ups,
    outcomes,
    play_games,
    tournament_games,
    validation,
)
from civsim.base.constants import Objective
from civsim.base.errors import ScenarioError
from civsim.base.scenario import Scenario
from civsim.engine.world import World

SMALL = Scenario.model_validate({"map": {"width": 8, "height": 8}, "game": {"turns": 12, "civilizations": 3}})
NAMES = ("uniform", "builder", "adaptive", "random")


def field(scenario: Scenario = SMALL) -> list:
    return [make_policy(name, {}, scenario) for name in NAMES]


def played_alone(world_id: int, replace: dict, seed: int) -> World:
    world = World(SMALL, world_ids=[world_id], seed=seed)
    players = seat_policies(SMALL, replace)
    while not world.done.all():
        world.step(players.shares(world))
    return world


def test_outcomes_are_the_focal_seats_utilities():
    ids = [4, 9, 5, 2**31 + 1]
    adaptive = make_policy("adaptive", {}, SMALL)
    got = outcomes(SMALL, adaptive, ids, seed=3)
    for row, world_id in enumerate(ids):
        focal = world_id % 3
        world = played_alone(world_id, {focal: adaptive}, 3)
        assert np.array_equal(got.utility[row], world.state.utility[0, focal])
        assert np.array_equal(got.spent[row], world.state.spent[0, focal])


def test_a_fixed_seat_is_honoured():
    uniform = make_policy("uniform", {}, SMALL)
    rotating, fixed = outcomes(SMALL, uniform, [1, 3], 0), outcomes(SMALL, uniform, [1, 3], 0, seat=0)
    assert np.array_equal(rotating.utility[1], fixed.utility[1])
    assert not np.array_equal(rotating.utility[0], fixed.utility[0])
    assert focal_seats(SMALL, [1, 3], 2).tolist() == [2, 2]
    assert focal_seats(SMALL, [1, 3, 5]).tolist() == [1, 0, 2]


def test_any_policy_takes_any_seat_of_any_game(monkeypatch):
    players = np.array([[0, 1, 2], [3, 3, 0], [2, 1, 1], [1, 2, 3]])
    ids, policies = [7, 7, 8, 9], field()
    whole = play_games(SMALL, policies, players, ids, 5)
    monkeypatch.setattr(module, "CHUNK", 3)
    told = []
    chunked = play_games(SMALL, policies, players, ids, 5, threads=2, report=told.append)
    assert told == [3, 1]
    assert np.array_equal(whole.utility, chunked.utility)
    for game, world_id in enumerate(ids):
        world = played_alone(world_id, {seat: policies[k] for seat, k in enumerate(players[game])}, 5)
        assert np.array_equal(whole.utility[game], world.state.utility[0])
        assert np.array_equal(whole.spent[game], world.state.spent[0])


def test_the_same_policy_given_twice_plays_as_one():
    uniform, players = make_policy("uniform", {}, SMALL), np.array([[0, 1, 0]])
    assert np.array_equal(
        play_games(SMALL, [uniform, uniform], players, [3], 0).utility,
        play_games(SMALL, [uniform], 0 * players, [3], 0).utility,
    )


def test_players_that_do_not_fit_are_one_line():
    for players in (np.zeros((2, 3), int), np.zeros((1, 4), int), np.full((1, 3), 4), np.full((1, 3), -1)):
        with pytest.raises(ScenarioError, match="do not fit 1 games of 3 seats"):
            play_games(SMALL, field(), players, [0], 0)


def test_blocks_of_worlds_do_not_meet():
    assert held_out(3).tolist() == [HELD_OUT_FIRST, HELD_OUT_FIRST + 1, HELD_OUT_FIRST + 2]
    assert validation(2).tolist() == [VALIDATION_FIRST, VALIDATION_FIRST + 1]
    assert 0 < VALIDATION_FIRST < HELD_OUT_FIRST < 2**32
    for worlds in (0, -1, 2**30 + 1):
        with pytest.raises(ScenarioError, match="give a number of worlds"):
            held_out(worlds)


def meetings(chosen: np.ndarray, policies: int) -> tuple[np.ndarray, np.ndarray]:
    counts = np.stack([(chosen == k).sum(1) for k in range(policies)], axis=1)
    met = counts.T @ counts
    return counts.sum(0), met[~np.eye(policies, dtype=bool)]


@pytest.mark.parametrize("policies", [2, 3, 4, 5, 7, 8, 12])
@pytest.mark.parametrize("seats", [2, 3, 4, 8])
def test_line_ups_are_balanced(policies, seats):
    """Places played differ by one at most; a pair's meetings by at most 5, however many the worlds."""
    for worlds, seed in ((30, 0), (120, 1)):
        chosen = line_ups(policies, seats, held_out(worlds), seed)
        assert chosen.shape == (worlds, seats)
        played, met = meetings(chosen, policies)
        assert np.ptp(played) <= 1
        assert np.ptp(met) <= 5
        if seats % policies == 0:
            assert np.ptp(met) == 0


def test_line_ups_are_keyed_and_longer_lists_begin_the_same():
    one, other = line_ups(6, 4, held_out(20), 0), line_ups(6, 4, held_out(20), 1)
    assert not np.array_equal(one, other)
    assert np.array_equal(one[:7], line_ups(6, 4, held_out(7), 0))
    assert len({tuple(row) for row in line_ups(4, 4, held_out(40), 0)}) > 10


def test_in_a_tournament_every_player_of_a_world_plays_every_seat_once():
    ids = [5, 2**31]
    games = tournament_games(SMALL, field(), ids, 2)
    assert games.world_ids.tolist() == [5, 5, 5, 2**31, 2**31, 2**31]
    assert games.turned.tolist() == [0, 1, 2, 0, 1, 2]
    assert np.array_equal(games.players[::3], line_ups(4, 3, ids, 2))
    for world in range(2):
        block = games.players[3 * world : 3 * world + 3]
        assert all(np.array_equal(np.sort(block[:, seat]), np.sort(block[0])) for seat in range(3))
    direct = play_games(SMALL, field(), games.players, games.world_ids, 2)
    assert np.array_equal(games.objective, direct.utility[:, :, Objective.WELFARE])
    share = SMALL.model_copy(update={"game": SMALL.game.model_copy(update={"objective": "share"})})
    assert tournament_games(share, field(share), [5], 2).objective.sum(1) == pytest.approx(1.0)


def test_a_tournament_needs_two_policies_and_two_seats():
    with pytest.raises(ScenarioError, match="policies=1 make no tournament"):
        tournament_games(SMALL, field()[:1], [0], 0)
    alone = Scenario.model_validate({"game": {"civilizations": 1, "turns": 2}})
    with pytest.raises(ScenarioError, match="civilizations=1 make no tournament"):
        tournament_games(alone, field(alone), [0], 0)
