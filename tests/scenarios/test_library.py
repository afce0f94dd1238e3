"""The library: every context says what it is; most differ from baseline in one thing, some span the question."""

from __future__ import annotations

import itertools
import re
import tomllib

import pytest

from civsim.base.scenario import Scenario
from civsim.scenarios.loader import LIBRARY, list_scenarios, load_scenario, plain

ONE_THING = {
    "peace": {"army": {"war": False}},
    "war": {"army": {"lag": 1, "projection": 16.0, "loss_winner": 0.05, "per_turn": 2}},
    "raiders": {"raiders": {"rate": 0.6, "bands": 8}},
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
"""Contexts that vary baseline, and in what."""

PEACE = {"army": {"war": False}}
WALLS_ALONE = {**PEACE, "game": {"closed": ["army"]}}
MARCHES = {"rate": 1.0, "strength": 2.0, "bands": 16}
SPANNING = {
    "siege": {**WALLS_ALONE, "raiders": {**MARCHES, "disruption": 20, "damage": 1.0}},
    "marches": {**WALLS_ALONE, "raiders": MARCHES},
    "siege-warned": {
        "army": {"war": False},
        "game": {"civilizations": 2, "closed": ["army"]},
        "raiders": {"rate": 0.5, "strength": 6.0, "bands": 16, "disruption": 20, "damage": 1.0, "gather": 4},
    },
    "frontier-war": {
        "walls": {"rate": 2.0},
        "raiders": {"rate": 0.3, "strength": 10.0},
        "seat_default": {
            "policy": {
                "params": {"physical": {"settlement": 0.45, "works": 0.4, "army": 0.03, "walls": 0.12}},
            }
        },
    },
    "gold-rush": {**PEACE, "economy": {"ore_weight": 5.0}},
    "plague": {**PEACE, "map": {"hazard": 0.1, "hazard_spread": 2.0}, "disasters": {"duration": 10}},
    "expedition": {
        **PEACE,
        "map": {
            "width": 19,
            "height": 19,
            "site_density": 0.075,
            "site_value": 6.0,
            "ground": 0.14,
            "ground_spread": 0.9,
            "correlation": 3.4,
            "hazard": 0.0015,
        },
        "game": {"civilizations": 1, "turns": 50, "discount": 1.0},
        "claims": {"cost": 1.5, "growth": 0.085, "lag": 8, "ruggedness_cost": 1.5},
        "works": {"growth": 0.8, "menu": [{"gain": 0.8, "cost": 1.6, "maturity": 10}]},
        "raiders": {"rate": 0.25, "strength": 4.0, "bands": 16, "disruption": 5},
    },
    "pass": {
        **PEACE,
        "map": {"ridge_height": 1.0, "ridge_width": 0.4, "pass_density": 0.08, "block": 60.0},
        "game": {"civilizations": 2, "closed": ["army"]},
        "walls": {"cost": 4.0, "block": 2.0},
        "raiders": {"rate": 0.5, "strength": 12.0, "bands": 16, "disruption": 12},
    },
    "border": {
        "map": {"width": 12, "height": 12, "torus": True},
        "game": {"civilizations": 3},
        "army": {"lag": 1, "projection": 16.0, "siege": 0.3},
    },
    "solo": {**PEACE, "game": {"civilizations": 1}},
    "race": {
        **PEACE,
        "map": {"width": 20, "height": 20, "site_density": 0.03, "site_value": 12.0},
        "game": {"civilizations": 6},
        "claims": {"lag": 4},
    },
    "empire": {
        **PEACE,
        "map": {
            "width": 24,
            "height": 24,
            "site_density": 0.1,
            "site_tail": 4.0,
            "volatility": 0.02,
            "volatile_low": 0.0,
        },
        "game": {"civilizations": 1, "turns": 120},
        "thinking": {"seats": {"count": 4, "messenger": 0.5}},
    },
    "crusade": {
        **PEACE,
        "map": {
            "width": 20,
            "height": 20,
            "site_density": 0.02,
            "site_value": 12.0,
            "site_tail": 8.0,
            "ground": 0.4,
            "ground_spread": 0.1,
            "ridge_height": 1.0,
            "ridge_width": 0.5,
            "pass_density": 0.0,
        },
        "game": {"civilizations": 1},
        "claims": {"ruggedness_cost": 10.0},
        "thinking": {"seats": {"count": 4, "messenger": 4.0}},
    },
    "border-marches": {
        "map": {"width": 14, "height": 14},
        "game": {"civilizations": 2},
        "army": {"lag": 1, "projection": 16.0, "loss_winner": 0.05, "per_turn": 2},
        "thinking": {"seats": {"count": 4, "messenger": 4.0, "lost": 1.0}},
    },
}
"""Contexts in which theory says what should pay, castle, thought, both or neither; how they differ from baseline."""

DIFFERENCES = {**ONE_THING, **SPANNING}


def _difference(one: object, other: object) -> object:
    """Return what ``other`` has where it differs from ``one``, as nested tables."""
    if isinstance(one, dict) and isinstance(other, dict):
        found = {key: _difference(one.get(key), value) for key, value in other.items() if one.get(key) != value}
        return dict(found)
    return other


def test_the_library_is_the_table_above_and_baseline_leads_it() -> None:
    assert list_scenarios()[0] == "baseline"
    assert set(list_scenarios()) == {"baseline", *DIFFERENCES}


@pytest.mark.parametrize("name", sorted(DIFFERENCES))
def test_a_context_differs_from_baseline_in_what_the_table_says(name: str) -> None:
    difference = _difference(plain(load_scenario("baseline")), plain(load_scenario(name)))
    assert isinstance(difference, dict)
    assert {key: value for key, value in difference.items() if key not in ("name", "description")} == DIFFERENCES[name]


@pytest.mark.parametrize("name", list_scenarios())
def test_a_context_says_what_it_is(name: str) -> None:
    scenario = load_scenario(name)
    assert scenario.name == name
    assert scenario.description
    assert "\n" not in scenario.description


@pytest.mark.parametrize("name", sorted(SPANNING))
def test_a_context_that_spans_the_question_says_what_should_pay_in_two_sentences(name: str) -> None:
    lines = (LIBRARY / f"{name}.toml").read_text(encoding="utf-8").splitlines()
    theory = " ".join(line.removeprefix("# ") for line in itertools.takewhile(lambda line: line.startswith("#"), lines))
    assert len(re.findall(r"\.(?= [A-Z]|$)", theory)) == 2
    assert "should" in theory


@pytest.mark.parametrize("name", list_scenarios())
def test_a_file_restates_nothing(name: str) -> None:
    tables = tomllib.loads((LIBRARY / f"{name}.toml").read_text(encoding="utf-8"))
    below = plain(load_scenario(tables["base"]) if "base" in tables else Scenario())
    stated = {key: value for key, value in tables.items() if key not in ("name", "description", "base")}
    assert _difference(below, {**below, **_joined(below, stated)}) == stated


def _joined(below: dict[str, object], above: dict[str, object]) -> dict[str, object]:
    from civsim.scenarios.loader import merge

    return merge(below, above)
