"""K13: against bands that choose, the closed form of walls is the best there is, and a wall moves bands to others."""

from __future__ import annotations

import numpy as np
import pytest

from civsim.validation.k13_raiders import fill, least_loss, shares_of


@pytest.mark.parametrize("seed", range(6))
def test_water_filling_is_the_optimum_of_the_linear_program(seed: int) -> None:
    rng = np.random.default_rng(seed)
    loot, total, strength = rng.lognormal(0.0, 1.0, 9), float(rng.uniform(0.1, 40.0)), float(rng.uniform(0.5, 9.0))
    best = fill(loot, total, strength)
    assert best.walls.sum() == pytest.approx(total)
    assert best.level == pytest.approx(least_loss(loot, total, strength), rel=1e-6)
    left = loot * np.exp(-best.walls / strength)
    assert left.max() == pytest.approx(best.level)
    assert left[best.walls > 0] == pytest.approx(best.level)
    for _ in range(50):
        other = rng.dirichlet(np.ones(9)) * total
        assert (loot * np.exp(-other / strength)).max() >= best.level * (1 - 1e-12)


def test_a_wall_shifts_bands_to_the_others_in_their_old_proportions() -> None:
    """Independence of irrelevant alternatives: the waterbed of the logit."""
    loot, steps, walls = np.array([3.0, 2.0, 1.0]), np.array([4.0, 2.0, 1.0]), np.zeros(3)
    before = shares_of(loot, walls, steps, 2.0, 1.0, 0.5)
    walls[0] = 3.0
    after = shares_of(loot, walls, steps, 2.0, 1.0, 0.5)
    assert after[0] < before[0]
    assert after[1] / after[2] == pytest.approx(before[1] / before[2])
    assert before[1] / before[2] == pytest.approx(((2.0 / 3.0) / (1.0 / 2.0)) ** 2)
