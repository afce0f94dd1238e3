"""Records of turns: what each civilization did, whatever there is of seats of thought."""

from __future__ import annotations

import numpy as np
from worlds import BUSY, random_shares, scenario

from civsim.engine.world import World


def test_of_several_seats_of_thought_a_record_has_the_levels_of_the_capitals() -> None:
    world, rng = World(scenario(BUSY, thinking__seats={"count": 3, "cells": 1}), 2, seed=1), np.random.default_rng(0)
    most = 0
    while not world.done.all():
        record = world.step(random_shares(world, rng))
        assert record.level.shape == (2, 3, 3)
        assert np.array_equal(record.level, world.state.level[:, :3])
        most = max(most, int(world.state.office_count.max()))
    assert most > 1
