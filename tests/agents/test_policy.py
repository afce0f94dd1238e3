"""The contract of every registered policy, the assembly of seats, and the errors a name or a parameter can cause."""

from __future__ import annotations

import numpy as np
import pytest

from civsim.agents import SeatPolicies, make_policy, play, policy_names, policy_params, register, seat_policies
from civsim.agents.registry import NoParams
from civsim.agents.simple import Fixed
from civsim.base.errors import CheckpointError, ScenarioError
from civsim.base.scenario import Scenario
from civsim.engine.world import World

TABLES = {"map": {"width": 8, "height": 8}, "game": {"turns": 12, "civilizations": 3}}
SMALL = Scenario.model_validate(TABLES)
HALF_CLOSED = Scenario.model_validate(
    {**TABLES, "game": {"turns": 12, "civilizations": 3, "closed": ["walls", "analysts", "army"]}}
)
NAMES = ("adaptive", "builder", "fixed", "random", "rusher", "thinker", "turtle", "uniform")


def test_the_promised_policies_are_registered():
    assert policy_names() == NAMES


def test_the_parameters_of_a_policy_can_be_asked_for() -> None:
    assert "cognition" in policy_params("fixed").model_fields
    assert policy_params("uniform").model_fields == {}
    with pytest.raises(ScenarioError, match="did you mean 'fixed'"):
        policy_params("fixd")


@pytest.mark.parametrize("scenario", [SMALL, HALF_CLOSED], ids=["open", "closed"])
@pytest.mark.parametrize("name", NAMES)
def test_every_policy_keeps_the_contract_through_a_whole_game(name, scenario):
    world = World(scenario, n_worlds=3, seed=1)
    policy = make_policy(name, None, scenario)
    seats = SeatPolicies([policy] * 3)
    while not world.done.all():
        shares = seats.shares(world)
        assert shares.shape == (3, 3, 8)
        assert shares.dtype == np.float32
        assert (shares >= 0).all()
        assert np.allclose(shares.sum(-1), 1, atol=1e-6)
        assert not shares[..., ~world.open].any()
        world.step(shares)


@pytest.mark.parametrize("name", NAMES)
def test_a_policy_plays_a_world_alone_as_in_a_batch_bit_for_bit(name):
    batch, alone = World(SMALL, n_worlds=5, seed=1), World(SMALL, world_ids=[3], seed=1)
    seats = SeatPolicies([make_policy(name, {}, SMALL)] * 3)
    for _ in range(6):
        together, single = seats.shares(batch), seats.shares(alone)
        assert np.array_equal(together[3], single[0])
        batch.step(together)
        alone.step(single)


def test_policies_differ():
    world = World(SMALL, n_worlds=1, seed=1)
    rows = {name: SeatPolicies([make_policy(name, {}, SMALL)] * 3).shares(world)[0, 0].tobytes() for name in NAMES}
    assert len(set(rows.values())) == len(NAMES)


def test_seats_follow_what_the_scenario_names():
    scenario = Scenario.model_validate(
        {**TABLES, "seats": [{"policy": {"name": "uniform"}}, {"policy": {"name": "builder"}}]}
    )
    world = World(scenario, n_worlds=2)
    shares = seat_policies(scenario).shares(world)
    assert (shares[:, 0] == 0.125).all()
    for seat, name in ((1, "builder"), (2, "fixed")):
        alone = SeatPolicies([make_policy(name, {}, scenario)] * 3).shares(world)
        assert np.array_equal(shares[:, seat], alone[:, seat])
    assert np.array_equal(play(world, seat_policies(scenario).policies), shares)


def test_seats_with_one_policy_share_one_object():
    scenario = Scenario.model_validate({**TABLES, "seats": [{"policy": {"name": "uniform"}}]})
    policies = seat_policies(scenario).policies
    assert policies[1] is policies[2]
    assert policies[0] is not policies[1]


def test_a_seat_can_be_replaced_or_left_out():
    world = World(SMALL, n_worlds=2)
    uniform = make_policy("uniform", {}, SMALL)
    shares = seat_policies(SMALL, {1: uniform}).shares(world)
    assert (shares[:, 1] == 0.125).all()
    assert not np.array_equal(shares[:, 0], shares[:, 1])
    assert not seat_policies(SMALL).shares(world, without=2)[:, 2].any()
    assert not SeatPolicies([uniform] * 3).shares(world, without=0)[:, 0].any()


def test_a_policy_sees_only_its_own_seats():
    seen = []

    class Spy:
        needs_observation = True

        def __call__(self, observation, context):
            seen.append((observation.features.shape[:2], context.seats))
            return np.full((*observation.features.shape[:2], 8), 0.125, np.float32)

    spy, uniform = Spy(), make_policy("uniform", {}, SMALL)
    SeatPolicies([spy, uniform, spy]).shares(World(SMALL, n_worlds=2))
    assert seen == [((2, 2), (0, 2))]


def test_the_number_of_policies_is_checked():
    with pytest.raises(ScenarioError, match="2 policies for 3 civilizations"):
        play(World(SMALL), [make_policy("uniform", {}, SMALL)] * 2)


def test_a_name_is_registered_once():
    with pytest.raises(ValueError, match="taken"):
        register("uniform", NoParams, lambda _params, scenario: Fixed(np.ones(8), scenario))
    with pytest.raises(ValueError, match="taken"):
        register("file:x", NoParams, lambda _params, scenario: Fixed(np.ones(8), scenario))


ERRORS = {
    "unknown": ("unifrom", {}, "did you mean 'uniform'"),
    "nothing like it": ("zzz", {}, "use one of adaptive"),
    "a parameter where there is none": ("uniform", {"shares": {}}, "takes none"),
    "misspelt parameter": ("fixed", {"cognitoin": 0.1}, "did you mean 'cognition'"),
    "misspelt category": ("fixed", {"shares": {"armee": 1}}, "armee"),
    "negative weight": ("fixed", {"shares": {"army": -1}}, "army=-1"),
    "nan": ("fixed", {"cognition": float("nan")}, "cognition=nan"),
    "above 1": ("fixed", {"cognition": 1.5}, "cognition=1.5"),
    "together above 1": ("fixed", {"cognition": 0.6, "consumption": 0.6}, "exceeds 1"),
    "text": ("fixed", {"cognition": "much"}, "cognition='much'"),
    "both ways at once": ("fixed", {"shares": {"army": 1}, "cognition": 0.1}, "has no effect"),
    "all weights 0": ("fixed", {"shares": {"army": 0}}, "at least one"),
    "physical all 0": ("fixed", {"physical": {}}, "goes to physical"),
    "channels all 0": ("fixed", {"channels": {}}, "goes to channels"),
}


@pytest.mark.parametrize(("name", "params", "message"), ERRORS.values(), ids=ERRORS.keys())
def test_errors_are_one_line_and_say_what_to_do(name, params, message):
    with pytest.raises(ScenarioError) as caught:
        make_policy(name, params, SMALL)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_missing_checkpoint_is_one_line():
    with pytest.raises(CheckpointError, match=r"config\.json"):
        make_policy("file:/nowhere/at/all", {}, SMALL)
    with pytest.raises(ScenarioError, match="takes no parameters"):
        make_policy("file:/nowhere/at/all", {"x": 1}, SMALL)
