"""The four objectives have their formulas, and the flow of the scenario's one is the reward."""

from __future__ import annotations

import math

import numpy as np
import pytest
from worlds import BUSY, no_orders, random_shares, scenario, split, still_world

from civsim.base.constants import Objective
from civsim.engine.compiled import reward_discount
from civsim.engine.world import World


def test_objectives_by_formula() -> None:
    world = still_world(
        capitals=(14, 21),
        rich={14: 3.0},
        game={"turns": 5, "discount": 0.9, "consumption_scale": 2.0, "civilizations": 2},
    )
    while not world.done.all():
        world.step(split(world, consumption=0.25, army=0.75), no_orders(world))
    utility = world.state.utility[0, 0]
    weights = [0.9**t for t in range(5)]
    assert utility[Objective.WELFARE] == pytest.approx(sum(w * math.log1p(0.75 / 2) for w in weights))
    assert utility[Objective.CONSUMPTION] == pytest.approx(sum(w * 0.75 for w in weights))
    assert utility[Objective.OUTPUT] == pytest.approx(15.0)
    assert world.state.utility[0, :, Objective.SHARE] == pytest.approx([0.75, 0.25])


@pytest.mark.parametrize("objective", list(Objective))
def test_rewards_discounted_at_the_learners_rate_add_up_to_the_objective(objective: Objective) -> None:
    game = scenario(BUSY, game__objective=objective.name.lower(), game__turns=8, game__discount=0.9)
    gamma = reward_discount(game)
    assert gamma == (0.9 if objective in (Objective.WELFARE, Objective.CONSUMPTION) else 1.0)
    world = World(game, 3, seed=0)
    rng = np.random.default_rng(0)
    total = np.zeros((3, 3))
    for turn in range(8):
        total += gamma**turn * world.step(random_shares(world, rng)).reward
    assert world.done.all()
    assert total == pytest.approx(world.state.utility[:, :, objective])
    assert (total > 0).mean() > 0.8
    if objective == Objective.SHARE:
        assert total.sum(axis=1) == pytest.approx(1.0)


def test_finished_worlds_do_not_move() -> None:
    world = still_world(game__turns=2)
    for _ in range(2):
        record = world.step(split(world, consumption=1), no_orders(world))
    assert record.terminated.all()
    before = {name: values.copy() for name, values in world.state._asdict().items()}
    record = world.step(split(world, consumption=1), no_orders(world))
    assert (record.reward == 0).all()
    for name, values in world.state._asdict().items():
        if name != "reward":
            assert np.array_equal(values, before[name]), name


def test_the_clock_counts_turns() -> None:
    world = still_world(game__turns=3)
    turns = [int(world.step(split(world, consumption=1), no_orders(world)).turn[0]) for _ in range(3)]
    assert turns in ([0, 1, 2], [1, 2, 3])
    assert world.state.turn[0] == 3
