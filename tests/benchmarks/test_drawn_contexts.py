"""The drawn contexts: the same list everywhere, wide, valid, and such that every realm has a game to play."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import numpy as np
import pytest

from civsim.agents import seat_policies
from civsim.base.errors import StudyError
from civsim.base.scenario import Scenario
from civsim.engine.world import World
from civsim.scenarios import override
from civsim.scenarios.loader import from_plain, plain

DIGEST = "b003553d3022c9802aa62b41cccf0b1ce63295df38def1455d23b0f0724cf513"
"""Of the settings of all 150: it changes only with the table, and then the published numbers are of another list."""

LONGEST_WAIT = 30.0
"""Turns after which half of a context's realms hold a second cell."""


@pytest.fixture(scope="module")
def drawn(benchmark_module: Any) -> Any:
    return benchmark_module("drawn_contexts")


@pytest.fixture(scope="module")
def contexts(drawn: Any) -> Any:
    return drawn.draw_contexts()


def test_the_list_is_the_same_on_every_machine(drawn: Any, contexts: Any) -> None:
    text = json.dumps([one.settings for one in contexts], sort_keys=True)
    assert len(contexts) == 150
    assert hashlib.sha256(text.encode()).hexdigest() == DIGEST
    assert [one.settings for one in drawn.draw_contexts(3)] == [one.settings for one in contexts[:3]]
    assert drawn.draw_contexts(1, seed=1)[0].settings != contexts[0].settings


def test_every_context_is_a_scenario_that_can_be_written_down(contexts: Any) -> None:
    assert len({one.scenario.name for one in contexts}) == 150
    for one in contexts:
        assert from_plain(plain(one.scenario)) == one.scenario


def test_what_is_drawn_is_set_and_fills_its_range(drawn: Any, contexts: Any) -> None:
    for row in drawn.TABLE:
        factor = row.factor
        if factor.arms:
            for arm in filter(None, factor.arms.values()):
                with_it = sum(all(one.settings.get(k) == v for k, v in arm.items()) for one in contexts)
                assert 40 <= with_it <= 110, row.name
            continue
        values = [one.settings[path] for path in factor.targets for one in contexts if path in one.settings]
        assert len(values) >= 40, row.name
        assert factor.low <= min(values) <= max(values) <= factor.high, row.name
        place = np.log if factor.scale == "log" else np.asarray
        low, high, least, most = place(np.array([factor.low, factor.high, min(values), max(values)]))
        assert most - least > 0.85 * (high - low), row.name
        assert all(value == float(f"{value:.3g}") for value in values)


def test_a_setting_that_would_have_no_effect_is_not_drawn(contexts: Any) -> None:
    for one in contexts:
        scenario, stated = one.scenario, set(one.settings)
        assert ("raiders.strength" in stated) == (scenario.raiders.rate > 0.0)
        assert ("army.projection" in stated) == scenario.army.war
        assert ("claims.ruggedness_cost" in stated) == (scenario.map.ridge_height > 0.0)
        assert ("works.menu.1.gain" in stated) == (len(scenario.works.menu) == 2)
        assert not (scenario.army.war and scenario.game.civilizations == 1)


def test_every_realm_has_a_game_to_play(contexts: Any) -> None:
    """By the rule of thumb, on two worlds: each has output in a third of the turns, and half of them soon settle."""
    for one in contexts:
        scenario = override(one.scenario, {"seat_default.levels.horizon": 0})
        world = World(scenario, n_worlds=2, seed=3)
        shares = seat_policies(scenario).shares(world)
        active = np.zeros((2, scenario.game.civilizations))
        settled = np.full(active.shape, np.inf)
        while not world.done.all():
            record = world.step(shares)
            active += record.output > 0.0
            settled = np.where((record.cells > 1) & np.isinf(settled), world.state.turn[:, None], settled)
        assert active.min() > scenario.game.turns / 3, one.scenario.name
        assert np.median(settled) <= LONGEST_WAIT, one.scenario.name


@pytest.mark.parametrize(
    ("settings", "word"),
    [
        ({"claims.cost": 8.0, "seat_default.policy.params.consumption": 0.5}, "a first claim takes"),
        ({"raiders.rate": 1.0, "raiders.disruption": 20}, "undefended cells"),
        ({}, None),
    ],
)
def test_what_nobody_could_play_is_drawn_again(drawn: Any, settings: dict[str, Any], word: str | None) -> None:
    mix = {"settlement": 0.3, "works": 0.3, "army": 0.2, "walls": 0.2}
    base = override(Scenario(), {"seat_default.policy.params": {"consumption": 0.2, "physical": mix}})
    found = drawn.complaint(override(base, settings))
    assert (found is None) if word is None else (word in found)


@pytest.mark.parametrize("count", [0, -1, 10_001])
def test_a_number_out_of_range_is_refused(drawn: Any, count: int) -> None:
    with pytest.raises(StudyError, match=f"contexts={count} is outside 1 … 10000"):
        drawn.draw_contexts(count)
