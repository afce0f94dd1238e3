"""Fixed shares by hand, random shares by their distribution."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from civsim.agents import make_policy
from civsim.agents.policy import PolicyContext
from civsim.agents.simple import (
    DEFAULT_CHANNELS,
    DEFAULT_COGNITION,
    DEFAULT_CONSUMPTION,
    DEFAULT_PHYSICAL,
    _draw_weights,
    draw_weights,
)
from civsim.base.errors import ScenarioError
from civsim.base.randomness import as_key
from civsim.base.scenario import Scenario
from civsim.engine.compiled import open_categories

BASE = Scenario()


def closing(*names: str) -> Scenario:
    return Scenario.model_validate({"game": {"closed": list(names)}})


def context(scenario: Scenario, seed: int = 0, worlds: int = 2, turn: int = 0, seats=(0, 1)) -> PolicyContext:
    opened = open_categories(scenario).astype(bool)
    return PolicyContext(
        scenario, seed, np.arange(worlds, dtype=np.int64), np.full(worlds, turn, np.int32), tuple(seats), opened
    )


def row(params: dict[str, object], scenario: Scenario = BASE) -> list[float]:
    shares = make_policy("fixed", params, scenario)(None, context(scenario))
    assert (shares == shares[0, 0]).all()
    return shares[0, 0].tolist()


def test_shares_are_weights_normalised_over_open_categories():
    assert row({"shares": {"consumption": 3, "army": 1}}) == [0.75, 0, 0, 0.25, 0, 0, 0, 0]
    assert row({"shares": {"consumption": 3, "army": 1}}, closing("army")) == [1, 0, 0, 0, 0, 0, 0, 0]


def test_cognition_and_consumption_get_their_shares_and_the_rest_is_split():
    physical = {"settlement": 3, "works": 1}
    shares = row({"cognition": 0.2, "consumption": 0.4, "physical": physical, "channels": {"scouts": 1}})
    assert shares == pytest.approx([0.4, 0.3, 0.1, 0, 0, 0, 0.2, 0], abs=1e-6)


def test_the_default_mix_is_the_stated_one():
    rest = 1 - DEFAULT_CONSUMPTION - DEFAULT_COGNITION
    physical = [getattr(DEFAULT_PHYSICAL, name) for name in ("settlement", "works", "army", "walls")]
    channels = [getattr(DEFAULT_CHANNELS, name) for name in ("strategists", "scouts", "analysts")]
    expected = [DEFAULT_CONSUMPTION, *(rest * part / sum(physical) for part in physical)]
    expected += [DEFAULT_COGNITION * part / sum(channels) for part in channels]
    assert row({}) == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("x", [0.0, 0.1, 0.35, 0.7])
def test_cognition_is_exactly_the_share_asked_for(x):
    assert sum(row({"cognition": x})[5:]) == pytest.approx(x, abs=1e-6)


def test_a_closed_channel_leaves_cognition_to_the_others():
    even = {"strategists": 1, "scouts": 1, "analysts": 1}
    shares = row({"cognition": 0.3, "channels": even}, closing("scouts"))
    assert shares[5:] == pytest.approx([0.15, 0, 0.15], abs=1e-6)


def test_a_closed_group_drops_out_and_the_rest_keep_their_proportions():
    c, x = DEFAULT_CONSUMPTION, DEFAULT_COGNITION
    assert row({}, closing("strategists", "scouts", "analysts"))[0] == pytest.approx(c / (1 - x), abs=1e-6)
    assert row({}, closing("settlement", "works", "army", "walls"))[0] == pytest.approx(c / (c + x), abs=1e-6)


def test_asking_for_cognition_with_every_channel_closed_is_refused():
    with pytest.raises(ScenarioError, match="goes to channels"):
        row({"cognition": 0.2}, closing("strategists", "scouts", "analysts"))


def test_nothing_left_to_spend_on_is_refused():
    everything_but_walls = closing("consumption", "settlement", "works", "army", "strategists", "scouts", "analysts")
    with pytest.raises(ScenarioError, match="nothing is spent"):
        row({"cognition": 0.0, "physical": {"army": 1}, "consumption": 1.0}, everything_but_walls)


def test_uniform_is_even_over_the_open_categories():
    scenario = closing("walls", "army", "works", "scouts")
    shares = make_policy("uniform", {}, scenario)(None, context(scenario))
    assert shares[1, 1].tolist() == [0.25, 0.25, 0, 0, 0, 0.25, 0, 0.25]


def test_random_shares_are_dirichlet():
    shares = make_policy("random", {}, BASE)(None, context(BASE, worlds=2000)).reshape(-1, 8).astype(float)
    # A component of Dirichlet(1, …, 1) over 8 is Beta(1, 7).
    for category in range(8):
        assert stats.kstest(shares[:, category], stats.beta(1, 7).cdf).pvalue > 1e-3
    correlation = np.corrcoef(shares.T)
    assert correlation[~np.eye(8, dtype=bool)].mean() == pytest.approx(-1 / 7, abs=0.01)


def test_a_random_draw_is_a_function_of_seed_world_turn_and_seat():
    policy = make_policy("random", {}, BASE)
    base = policy(None, context(BASE))
    assert np.array_equal(base, policy(None, context(BASE)))
    assert np.array_equal(base[:, 1], policy(None, context(BASE, seats=(1,)))[:, 0])
    assert np.array_equal(base[1], policy(None, context(BASE, worlds=5))[1])
    assert len({base[w, s].tobytes() for w in range(2) for s in range(2)}) == 4
    assert not np.array_equal(base, policy(None, context(BASE, turn=1)))
    assert not np.array_equal(base, policy(None, context(BASE, seed=1)))


def test_the_compiled_draw_is_the_plain_one():
    arguments = (as_key(3), np.arange(3), np.arange(3, dtype=np.int32), np.array([0, 2]))
    plain, compiled = np.empty((3, 2, 8)), np.empty((3, 2, 8))
    _draw_weights(*arguments, plain)
    draw_weights(*arguments, compiled)
    np.testing.assert_allclose(plain, compiled, rtol=1e-14)
