"""A race against what stands, on payoffs whose means are known: luck does not win, and what is better is found."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from civsim.scenarios.racing import SOUND, Race, looks

LEVEL = 0.05


def run(race: Race, advantages: Sequence[float], rng: np.random.Generator, spread: float = 1.0) -> int:
    """Run a race in which candidates differ from what stands by normal luck; return the trials it took."""
    means, trials = np.array([0.0, *advantages]), 0
    while race.players:
        shared = rng.normal(50.0, 20.0, len(race.draws))
        own = rng.normal(0.0, spread, (len(race.players), len(race.draws)))
        own[0] = 0.0
        race.tell(shared + own + means[race.players, None])
        trials += own.size
    return trials


def races(advantages: Sequence[float], number: int, level: float = LEVEL, most: int = 64) -> tuple[list[int], float]:
    """Return the winners of so many races, and the trials of one on average."""
    rng, won, trials = np.random.default_rng(0), [], 0
    for _ in range(number):
        race = Race(len(advantages), 4, most, level)
        trials += run(race, advantages, rng)
        won.append(race.winner)
    return won, trials / number


def test_where_all_are_alike_what_stands_stays_and_little_is_played() -> None:
    won, trials = races([0.0] * 5, 1000)
    assert np.mean(np.array(won) > 0) <= LEVEL
    assert trials < 0.3 * 6 * 64


def test_where_all_are_worse_nothing_is_lost() -> None:
    """By whatever did best in four draws a third of a standard deviation would be lost in most of the races."""
    won, _ = races([-0.3] * 5, 1000)
    assert -0.3 * np.mean(np.array(won) > 0) > -0.003
    rng = np.random.default_rng(1)
    naive = rng.normal(-0.3, 1.0, (1000, 5, 4)).mean(axis=2).max(axis=1)
    assert -0.3 * np.mean(naive > 0.0) < -0.2


@pytest.mark.parametrize(("advantage", "least"), [(0.5, 0.6), (0.7, 0.85), (1.5, 0.95)])
def test_the_one_that_is_better_is_found(advantage: float, least: float) -> None:
    won, _ = races([0.0, 0.0, advantage, 0.0, 0.0], 400)
    assert np.mean(np.array(won) == 3) >= least
    assert np.mean(np.isin(won, (1, 2, 4, 5))) <= LEVEL


def test_more_draws_find_what_is_a_little_better() -> None:
    few, many = (races([0.3], 400, most=most)[0] for most in (32, 256))
    assert np.mean(few) < 0.5 < 0.7 < np.mean(many)


def test_of_two_that_are_better_the_greater_wins_more_often() -> None:
    won, _ = races([1.0, 2.0], 400)
    assert np.mean(np.array(won) == 2) > 0.95


def test_a_lower_level_errs_less() -> None:
    assert np.mean(np.array(races([0.0], 4000, level=0.4)[0]) > 0) > np.mean(np.array(races([0.0], 4000)[0]) > 0) > 0.0


def test_the_odd_defeat_has_its_chance_to_show() -> None:
    """A battle won three times in four that costs more than it brings: four victories in a row establish nothing."""
    rng, won = np.random.default_rng(2), []
    for _ in range(1000):
        race = Race(1, 4, 64, LEVEL)
        while race.players:
            luck = np.where(rng.random(len(race.draws)) < 0.25, -40.0, 10.0) + rng.normal(0.0, 0.1, len(race.draws))
            race.tell(np.stack([np.zeros(len(luck)), luck]))
        won.append(race.winner)
    assert np.mean(won) <= LEVEL


def test_without_luck_the_best_wins_at_the_first_sound_look() -> None:
    race = Race(3, 2, 64, LEVEL)
    while race.players:
        race.tell(np.tile(np.array([5.0, 4.0, 6.0, 7.0])[race.players, None], len(race.draws)))
    assert (race.winner, race.drawn) == (3, SOUND)
    best, gains = race.best()
    assert best == 3
    assert gains.tolist() == [2.0] * SOUND
    # What is worse left at once.
    assert np.isnan(race.values[1, 2:]).all()
    assert not np.isnan(race.values[[0, 2, 3], :SOUND]).any()


@pytest.mark.parametrize("gain", [0.0, 1e-7])
def test_a_tie_is_no_advantage(gain: float) -> None:
    race = Race(1, 2, 2, LEVEL)
    race.tell([[10.0, 10.0], [10.0 + gain, 10.0 + gain]], tie=1e-6)
    assert (race.winner, race.players) == (0, [])
    assert race.best()[0] == 1


def test_looks_double_up_to_the_most() -> None:
    assert looks(4, 64) == [4, 8, 16, 32, 64]
    assert looks(4, 4) == [4]
    assert looks(3, 10) == [3, 6, 10]


def test_a_race_asks_for_those_that_are_left_and_for_luck_not_drawn_before() -> None:
    race = Race(2, 2, 8, LEVEL)
    assert (race.players, race.draws) == ([0, 1, 2], range(2))
    race.tell([[0.0, 0.0], [-9.0, -8.0], [3.0, 5.0]])
    assert (race.players, race.draws) == ([0, 2], range(2, 4))
    race.tell([[0.0, 0.0], [4.0, 4.0]])
    assert (race.players, race.draws) == ([0, 2], range(4, 8))
    race.tell([[0.0] * 4, [-9.0] * 4])
    assert (race.winner, race.players) == (0, [])
    assert race.best()[1].tolist() == [3.0, 5.0, 4.0, 4.0, -9.0, -9.0, -9.0, -9.0]
