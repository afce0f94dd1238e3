"""The search for the best fixed shares: within its budget, repeatable, and it finds what was planted."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from civsim.agents import make_policy
from civsim.agents.evaluate import outcomes
from civsim.agents.grid import COGNITION, CONSUMPTION, MIXES, best_fixed, candidates
from civsim.base.constants import Objective
from civsim.base.errors import ScenarioError
from civsim.base.scenario import Scenario

SMALL = Scenario.model_validate({"map": {"width": 8, "height": 8}, "game": {"turns": 12, "civilizations": 2}})


def closed(*names: str) -> Scenario:
    return Scenario.model_validate({"game": {"closed": list(names)}})


class Planted:
    """Candidates worth what ``worth`` says, on worlds that differ by far more; keeps count of the games."""

    def __init__(self, worth=lambda params: 0.0, noise: float = 0.0) -> None:
        self.worth, self.noise, self.asked = worth, noise, []

    def __call__(self, group, world_ids):
        self.asked.append((len(group), tuple(world_ids)))
        rng = np.random.default_rng(list(world_ids))
        land = 100.0 * rng.normal(size=len(world_ids))
        own = np.array([self.worth(params) for params in group])
        return own[:, None] + land + self.noise * rng.normal(size=(len(group), len(world_ids)))


def worth(params) -> float:
    """Best at 5 % cognition, half consumed, building."""
    near = -20.0 * abs(params["cognition"] - 0.05) - 10.0 * abs(params["consumption"] - 0.5)
    return near + (params["physical"] == MIXES["build"].model_dump())


def test_the_grid_is_every_combination():
    grid = candidates(SMALL)
    assert len(grid) == len(COGNITION) * len(CONSUMPTION) * len(MIXES) == 96
    assert all(make_policy("fixed", params, SMALL) for params in grid)


@pytest.mark.parametrize(
    ("names", "count"),
    [
        (("strategists", "scouts", "analysts"), 4 * 6),  # no cognition to choose
        (("army", "walls"), 4 * 4 * 6),
        (("works", "army", "walls"), 4 * 4),  # all mixes are settlement
    ],
)
def test_closed_categories_leave_no_two_candidates_alike(names, count):
    grid = candidates(closed(*names))
    assert len(grid) == count
    assert all(make_policy("fixed", params, closed(*names)) for params in grid)


def test_a_scenario_with_nothing_to_invest_in_is_refused():
    with pytest.raises(ScenarioError, match="closes all that the grid invests in"):
        candidates(closed("settlement", "works", "army", "walls"))


@pytest.mark.parametrize("noise", [0.0, 0.5])
def test_a_planted_best_is_found(noise):
    found = best_fixed(SMALL, 800 * 12, 0, play=Planted(worth, noise))
    assert found.params == {"cognition": 0.05, "consumption": 0.5, "physical": MIXES["build"].model_dump()}


@pytest.mark.parametrize("turns", [96 * 12, 97 * 12 + 11, 150 * 12, 800 * 12 + 5, 5000 * 12])
def test_the_budget_is_never_exceeded_and_nearly_used(turns):
    play = Planted(worth, 1.0)
    found = best_fixed(SMALL, turns, 0, play=play)
    played = sum(count * len(ids) for count, ids in play.asked)
    assert found.games == played <= found.budget == turns // 12
    assert found.budget - played < 96


def test_rounds_halve_the_candidates_on_worlds_they_share():
    play = Planted(worth, 1.0)
    found = best_fixed(SMALL, 800 * 12, 0, play=play)
    assert [count for count, _ in play.asked] == [96, 48, 24, 12, 6, 3, 2]
    ids = [world for _, group in play.asked for world in group]
    assert ids == list(range(len(ids)))  # new worlds each round
    by_round = Counter(trial.round for trial in found.trials)
    assert list(by_round.values()) == [96, 48, 24, 12, 6, 3, 2]
    for number in by_round:
        trials = [trial for trial in found.trials if trial.round == number]
        kept = [trial.mean for trial in trials if trial.kept]
        assert len(kept) == -(-len(trials) // 2)
        assert min(kept) >= max(trial.mean for trial in trials if not trial.kept)
        assert len({trial.worlds for trial in trials}) == 1
    (chosen,) = [trial for trial in found.trials if trial.round == max(by_round) and trial.kept]
    assert chosen.params == found.params


def test_ties_go_to_the_earlier_candidate():
    grid = candidates(SMALL)[3:8]
    assert best_fixed(SMALL, 100 * 12, 0, grid=grid, play=Planted()).params == grid[0]
    assert best_fixed(SMALL, 12, 0, grid=grid[2:3], play=Planted()).params == grid[2]


@pytest.mark.parametrize(("turns", "grid"), [(96 * 12 - 1, None), (100, [])])
def test_a_budget_that_is_too_small_is_one_line(turns, grid):
    with pytest.raises(ScenarioError, match=r"turns=\d+ are \d+ games for \d+ candidates; give at least") as caught:
        best_fixed(SMALL, turns, 0, grid=grid, play=Planted())
    assert "\n" not in str(caught.value)


def test_games_are_those_of_an_evaluation_on_training_worlds():
    grid = candidates(SMALL)[::24]
    count = len(grid)
    told: list[int] = []
    found = best_fixed(SMALL, 3 * count * 12, 7, grid=grid, report=told.append)
    assert sum(told) == found.games
    first = [trial for trial in found.trials if trial.round == 0]
    ids = np.arange(first[0].worlds)
    for trial in first:
        alone = outcomes(SMALL, make_policy("fixed", trial.params, SMALL), ids, 7)
        assert trial.mean == pytest.approx(alone.utility[:, Objective.WELFARE].mean(), rel=1e-12)
    again = best_fixed(SMALL, 3 * count * 12, 7, grid=grid)
    assert again == found
    other = best_fixed(SMALL, 3 * count * 12, 8, grid=grid)
    assert [trial.mean for trial in other.trials] != [trial.mean for trial in found.trials]
