"""The library: every context plays, says what it is, and differs from baseline in one thing."""

from __future__ import annotations

import tomllib

import pytest

from civsim.base.scenario import Scenario
from civsim.scenarios.loader import LIBRARY, list_scenarios, load_scenario, plain

ONE_THING = {
    "peace": {"army": {"war": False}},
    "war": {"army": {"lag": 1, "projection": 16.0, "loss_winner": 0.05, "per_turn": 2}},
    "raiders": {"raiders": {"rate": 0.3, "strength": 10.0}},
    "hazard": {"map": {"hazard": 0.05}},
    "ridges": {"map": {"ridge_height": 0.9}},
    "smooth-land": {"map": {"site_density": 0.0, "ground": 0.5, "correlation": 4.0}},
    "volatile": {"map": {"volatility": 0.05}},
    "large": {"map": {"width": 32, "height": 32}},
    "long": {"game": {"turns": 400}},
    "crowded": {"game": {"civilizations": 8}},
    "cheap-thought": {"thinking": {"price": {"horizon": 0.025, "sight": 0.025, "attention": 0.0375}}},
    "dear-thought": {"thinking": {"price": {"horizon": 0.4, "sight": 0.4, "attention": 0.6}}},
    "varied-prices": {"draws": {"horizon": 8.0, "sight": 8.0, "attention": 8.0}},
    "wrong-model": {"thinking": {"noise": 0.6}},
}


def _difference(one: object, other: object) -> object:
    """Return what ``other`` has where it differs from ``one``, as nested tables."""
    if isinstance(one, dict) and isinstance(other, dict):
        found = {key: _difference(one.get(key), value) for key, value in other.items() if one.get(key) != value}
        return dict(found)
    return other


def test_the_library_is_the_table_above_and_baseline_leads_it() -> None:
    assert list_scenarios()[0] == "baseline"
    assert set(list_scenarios()) == {"baseline", *ONE_THING}


@pytest.mark.parametrize("name", sorted(ONE_THING))
def test_a_context_differs_from_baseline_in_one_thing(name: str) -> None:
    difference = _difference(plain(load_scenario("baseline")), plain(load_scenario(name)))
    assert isinstance(difference, dict)
    assert {key: value for key, value in difference.items() if key not in ("name", "description")} == ONE_THING[name]


@pytest.mark.parametrize("name", list_scenarios())
def test_a_context_says_what_it_is(name: str) -> None:
    scenario = load_scenario(name)
    assert scenario.name == name
    assert scenario.description
    assert "\n" not in scenario.description


@pytest.mark.parametrize("name", list_scenarios())
def test_a_file_restates_nothing(name: str) -> None:
    tables = tomllib.loads((LIBRARY / f"{name}.toml").read_text(encoding="utf-8"))
    below = plain(Scenario() if name == "baseline" else load_scenario("baseline"))
    stated = {key: value for key, value in tables.items() if key not in ("name", "description", "base")}
    assert _difference(below, {**below, **_joined(below, stated)}) == stated


def _joined(below: dict[str, object], above: dict[str, object]) -> dict[str, object]:
    from civsim.scenarios.loader import merge

    return merge(below, above)
