"""A/A: identical arms of real games on independent seeds are told apart no more often than the nominal rate."""

from __future__ import annotations

import numpy as np

from civsim.analysis.statistics.paired import unpaired_difference
from civsim.base.config import Scenario
from civsim.base.constants import Objective
from civsim.engine.world import World

TESTS, WORLDS = 160, 40


def _welfare(seed: int) -> np.ndarray:
    """Welfare of seat 0 in TESTS · WORLDS small games of one study seed, float64 [TESTS, WORLDS]."""
    scenario = Scenario.model_validate(
        {"map": {"width": 8, "height": 8}, "game": {"civilizations": 2, "turns": 12}, "raiders": {"rate": 0.2}}
    )
    world = World(scenario, n_worlds=TESTS * WORLDS, seed=seed)
    shares = np.zeros((TESTS * WORLDS, 2, 8))
    shares[:] = (0.3, 0.3, 0.2, 0.1, 0.1, 0.0, 0.0, 0.0)
    for _ in range(scenario.game.turns):
        world.step(shares)
    return world.state.utility[:, 0, Objective.WELFARE].reshape(TESTS, WORLDS)


def test_identical_arms_on_independent_seeds_differ_at_the_nominal_rate() -> None:
    first, second = _welfare(1), _welfare(2)
    assert not np.array_equal(first, second)
    rejected = 0
    for index in range(TESTS):
        _, low, high = unpaired_difference(first[index], second[index], draws=500, seed=index)
        rejected += not low <= 0.0 <= high
    # Binomial(160, 0.05): mean 8, three s.d. 8.3.
    assert rejected <= 16
