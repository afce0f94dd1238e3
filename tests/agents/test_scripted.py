"""Timetables by hand, and the adaptive policy by what it must do when its world changes."""

from __future__ import annotations

import math

import numpy as np
import pytest

from civsim.agents import make_policy
from civsim.agents.policy import PolicyContext
from civsim.agents.scripted import BUILDER, RUSHER, THINKER, TURTLE, Adaptive, Scheduled
from civsim.base.constants import Category
from civsim.base.scenario import Scenario
from civsim.engine.observation.features import N_FEATURES, at
from civsim.engine.observation.observer import Observation

BASE = Scenario.model_validate({"game": {"turns": 101, "civilizations": 3}})
OPEN = np.ones(8, np.bool_)


def context(*turns: int) -> PolicyContext:
    return PolicyContext(BASE, 0, np.arange(len(turns)), np.array(turns, np.int32), (0, 1), OPEN)


def test_a_timetable_is_interpolated():
    policy = Scheduled(((0.0, {"consumption": 1.0}), (1.0, {"army": 1.0})))
    shares = policy(None, context(0, 25, 100))
    assert shares.shape == (3, 2, 8)
    assert shares[0, 0, Category.CONSUMPTION] == 1.0
    assert shares[1, 1, [0, 3]].tolist() == [0.75, 0.25]
    assert shares[2, 0, Category.ARMY] == 1.0


@pytest.mark.parametrize("table", [RUSHER, BUILDER, TURTLE, THINKER])
def test_a_timetable_covers_the_game_with_shares_and_ends_in_consumption(table):
    assert [time for time, _ in table] == sorted(time for time, _ in table)
    assert (table[0][0], table[-1][0]) == (0.0, 1.0)
    assert all(math.isclose(sum(mix.values()), 1.0) for _, mix in table)
    assert table[-1][1] == {"consumption": 1.0}


def test_each_strategy_is_what_its_name_says():
    middle = {name: make_policy(name, {}, BASE)(None, context(40))[0, 0] for name in ("rusher", "builder", "turtle")}
    early = {name: make_policy(name, {}, BASE)(None, context(0))[0, 0] for name in ("rusher", "builder", "thinker")}
    assert middle["rusher"].argmax() == Category.ARMY
    assert middle["builder"][Category.WORKS] == max(middle[name][Category.WORKS] for name in middle)
    assert middle["turtle"][Category.WALLS] > 0.1
    assert early["rusher"].argmax() == Category.SETTLEMENT
    assert early["thinker"][Category.STRATEGISTS :].sum() > 0.4


CALM = {
    "alive": 1.0,
    "turns_left": math.log1p(60),
    "rate_attack": 0.05,
    "rate_raid": 0.05,
    "frontier": math.log1p(5),
    "work_cost": math.log1p(5),
    "wall_cost": math.log1p(1),
    "bought_horizon": 1.0,
    "bought_sight": 1.0,
    "bought_attention": 1.0,
}


def adapt(**changes: float) -> np.ndarray:
    features = np.zeros((1, 2, N_FEATURES), np.float32)
    for name, value in {**CALM, **changes}.items():
        features[..., at(name)] = value
    return Adaptive()(Observation(features, OPEN), context(40))[0, 0]


@pytest.mark.parametrize(
    ("change", "category", "up"),
    [
        ({"rate_attack": 0.5}, Category.ARMY, True),
        ({"rate_attack": 0.5}, Category.WALLS, True),
        ({"rate_raid": 0.5}, Category.WALLS, True),
        ({"rival1_force": 3.0}, Category.ARMY, True),
        ({"rival2_force": 3.0}, Category.ARMY, True),
        ({"frontier_funds": 3.0}, Category.SETTLEMENT, False),
        ({"frontier": 0.0}, Category.SETTLEMENT, False),
        ({"stock_works": 5.0}, Category.WORKS, False),
        ({"stock_walls": 5.0}, Category.WALLS, False),
        ({"bought_horizon": 0.0}, Category.STRATEGISTS, False),
        ({"bought_sight": 0.0}, Category.SCOUTS, False),
        ({"bought_attention": 0.0}, Category.ANALYSTS, False),
        ({"turns_left": math.log1p(3)}, Category.CONSUMPTION, True),
        ({"turns_left": math.log1p(3)}, Category.STRATEGISTS, False),
    ],
)
def test_it_reacts(change, category, up):
    before, after = adapt()[category], adapt(**change)[category]
    assert after > before if up else after < before


def test_its_army_is_enough_when_it_matches_the_rivals():
    assert adapt(rival1_force=3.0, stock_army=3.0)[Category.ARMY] < adapt(rival1_force=3.0)[Category.ARMY]


def test_on_the_last_turn_it_consumes_everything():
    assert adapt(turns_left=0.0)[Category.CONSUMPTION] == 1.0


def test_an_eliminated_civilization_gets_shares_all_the_same():
    nothing = Observation(np.zeros((1, 2, N_FEATURES), np.float32), OPEN)
    assert np.allclose(Adaptive()(nothing, context(40)).sum(-1), 1)


def test_it_wants_an_observation():
    with pytest.raises(TypeError, match="observation"):
        Adaptive()(None, context(0))
