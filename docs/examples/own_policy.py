"""A policy of one's own: it consumes a share of output, and settles with the rest while there is land, then builds.

civsim run baseline --set seat_default.policy.name=own_policy.py:Thrifty
civsim tournament own_policy.py:Thrifty builder --scenario baseline
"""

import numpy as np

from civsim.base.constants import Category
from civsim.engine.observation.features import FEATURES

FRONTIER = FEATURES.index("frontier")


class Thrifty:
    """The parameters after ``scenario`` are what a scenario may give as ``policy.params``."""

    needs_observation = True

    def __init__(self, scenario, consumption: float = 0.4):
        self.consumption = consumption

    def __call__(self, observation, context):
        """Return shares, float32 [worlds, seats, 8]."""
        land = observation.features[:, :, FRONTIER] > 0
        shares = np.zeros((*land.shape, len(Category)), np.float32)
        shares[:, :, Category.CONSUMPTION] = self.consumption
        shares[:, :, Category.SETTLEMENT] = np.where(land, 1.0 - self.consumption, 0.0)
        shares[:, :, Category.WORKS] = np.where(land, 0.0, 1.0 - self.consumption)
        return shares
