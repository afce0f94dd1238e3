"""Every setting of a scenario does something: changed where it is active, it changes the game."""

from __future__ import annotations

import hashlib
from typing import Any, get_args, get_origin

import numpy as np
import pytest
from pydantic import BaseModel, ValidationError
from worlds import BUSY, bits, differing, random_shares, scenario

from civsim.base.scenario import BESIDE_MAP_FILE, MapSettings, Scenario
from civsim.engine.land.landscape import draw_land, save_land
from civsim.engine.observation.features import at
from civsim.engine.observation.observer import observe
from civsim.engine.state import SPEC
from civsim.engine.world import World

TALES = {"name", "description"}
"""Settings that are words for people."""
FIXED = {"rules"}
"""Settings with one legal value."""
ELSEWHERE = {"seat_default.policy.name", "seat_default.policy.params", "seat_default.levels_known"}
"""Settings of other layers: who plays a seat, and what rivals' observations hold."""

BASE = {
    **BUSY,
    "game.turns": 24,
    "thinking.endowment.horizon": 5,
    "thinking.endowment.sight": 3,
    "thinking.endowment.attention": 6,
    "thinking.noise": 0.0,
    "map.ore_density": 0.4,
    "map.hazard": 0.03,
    "army.projection": 4.0,
}
NOISY = {"thinking.noise": 0.3}
BLIND = {"thinking.endowment.sight": 1, "thinking.endowment.attention": 2}
POOR_SIGHT = {"thinking.endowment.sight": 1}
WAR = {
    "map.width": 6,
    "map.height": 6,
    "army.price": 0.1,
    "works.menu": [{"cost": 0.3, "maturity": 1}],
}
WATCHED = {
    "thinking.rollout": 0,
    "thinking.endowment.sight": 8,
    "raiders.rate": 0.9,
    "raiders.strength": 9.0,
    "raiders.gather": 3,
    "walls.cost": 0.1,
    "walls.rate": 3.0,
}
SEATS = {"thinking.seats.count": 3}
LOSABLE = {**WAR, **SEATS, "claims.cost": 0.5}
OWN_SEATS = {"seat_default.thought.count": 3}
MENU = [{"gain": 0.25, "cost": 2.0, "maturity": 2}, {"gain": 1.0, "cost": 5.0, "maturity": 5}]

CHANGES: dict[str, tuple[Any, dict[str, Any]]] = {
    "map.width": (9, {}),
    "map.height": (9, {}),
    "map.torus": (True, {}),
    "map.symmetric": (True, {"game.civilizations": 4}),
    "map.ground": (0.6, {}),
    "map.ground_spread": (0.9, {}),
    "map.correlation": (3.0, {}),
    "map.site_density": (0.4, {}),
    "map.site_value": (6.0, {}),
    "map.site_tail": (1.0, {}),
    "map.site_cap": (1.2, {}),
    "map.ore_density": (0.8, {}),
    "map.ore_value": (3.0, {}),
    "map.ridge_height": (1.0, {}),
    "map.ridge_width": (1.0, {}),
    "map.pass_density": (0.7, {}),
    "map.block": (9.0, {}),
    "map.hazard": (0.2, {}),
    "map.hazard_spread": (0.0, {}),
    "map.volatility": (0.4, {}),
    "map.volatile_low": (0.9, {}),
    "map.capital_fertility": (5.0, {}),
    "game.civilizations": (2, {}),
    "game.turns": (25, {}),
    "game.objective": ("output", {}),
    "game.discount": (0.8, {}),
    "game.consumption_scale": (3.0, {}),
    "game.closed": (("army",), {}),
    "economy.ore_weight": (2.0, {}),
    "economy.pooled": (True, {}),
    "economy.depreciation.settlement": (0.5, {}),
    "economy.depreciation.works": (0.5, {}),
    "economy.depreciation.army": (0.5, {}),
    "economy.depreciation.walls": (0.5, {}),
    "economy.depreciation.strategists": (0.9, {}),
    "economy.depreciation.scouts": (0.9, {}),
    "economy.depreciation.analysts": (0.9, {"thinking.endowment.attention": 2}),
    "claims.cost": (1.0, {}),
    "claims.ruggedness_cost": (1.0, {}),
    "claims.growth": (0.5, {}),
    "claims.lag": (4, {}),
    "claims.per_turn": (1, {"claims.cost": 0.3}),
    "works.menu": (MENU, {}),
    "works.growth": (4.0, {}),
    "works.per_turn": (0, {}),
    "walls.cost": (0.5, {}),
    "walls.rate": (0.25, {}),
    "walls.per_turn": (0, {}),
    "walls.block": (3.0, {}),
    "army.war": (False, {}),
    "army.price": (0.3, {}),
    "army.lag": (4, {}),
    "army.projection": (1.0, {}),
    "army.decisiveness": (8.0, {}),
    "army.loss_winner": (0.9, {}),
    "army.loss_loser": (0.9, {}),
    "army.keep_works": (0.0, WAR),
    "army.disruption": (9, {}),
    "army.minimum": (2.0, {}),
    "army.per_turn": (3, WAR),
    "army.siege": (0.2, WAR),
    "disasters.duration": (8, {}),
    "raiders.rate": (0.9, {}),
    "raiders.strength": (9.0, {}),
    "raiders.bands": (1, {"raiders.rate": 0.9}),
    "raiders.disruption": (1, {}),
    "raiders.damage": (1.0, {}),
    "raiders.way": (0.0, {}),
    "raiders.noise": (2.0, {}),
    "raiders.gather": (3, {}),
    "tribute.prize": (5.0, {}),
    "tribute.decisiveness": (5.0, {}),
    "thinking.endowment.horizon": (0, {}),
    "thinking.endowment.sight": (1, {}),
    "thinking.endowment.attention": (2, {}),
    "thinking.price.horizon": (0.3, {}),
    "thinking.price.sight": (0.3, {}),
    "thinking.price.attention": (0.3, BLIND),
    "thinking.curvature.horizon": (0.3, {"thinking.price.horizon": 0.1}),
    "thinking.curvature.sight": (0.3, {"thinking.price.sight": 0.1}),
    "thinking.curvature.attention": (4.0, {**BLIND, "thinking.price.attention": 0.1}),
    "thinking.span": (1.0, {"thinking.price.horizon": 0.2}),
    "thinking.max_horizon": (6, {"thinking.price.horizon": 0.1}),
    "thinking.max_sight": (4, {"thinking.price.sight": 0.1}),
    "thinking.reach": (1, {}),
    "thinking.rollout": (0, {}),
    "thinking.rule": ("myopic", {}),
    "thinking.attacks": ("never", WAR),
    "thinking.guard": ("dates", WATCHED),
    "thinking.levels_of_mind": (0, {}),
    "thinking.mind_turns": (1, {}),
    "thinking.belief": ("optimistic", POOR_SIGHT),
    "thinking.optimism": (0.1, {**POOR_SIGHT, "thinking.belief": "optimistic"}),
    "thinking.noise": (0.5, {}),
    "thinking.salience": (("raiders", "hazard", "ore", "rivals"), {"thinking.endowment.attention": 3}),
    "thinking.seats.count": (3, {}),
    "thinking.seats.weights": ((6.0, 1.0, 1.0), SEATS),
    "thinking.seats.cells": (1, SEATS),
    "thinking.seats.messenger": (1.0, SEATS),
    "thinking.seats.pool": (0.5, SEATS),
    "thinking.seats.lost": (1.0, LOSABLE),
    "thinking.prior.weight": (500.0, {}),
    "thinking.prior.disaster": (0.9, BLIND),
    "thinking.prior.attack": (0.5, {}),
    "thinking.prior.attack_force": (50.0, BLIND),
    "thinking.prior.raid": (0.5, {}),
    "thinking.candidates.claims": (1, {}),
    "thinking.candidates.works": (1, {"works.menu": MENU}),
    "thinking.candidates.walls": (1, {}),
    "draws.horizon": (8.0, {}),
    "draws.sight": (8.0, {}),
    "draws.attention": (8.0, BLIND),
    "draws.force": (8.0, {}),
    "seat_default.levels.horizon": (0, {}),
    "seat_default.levels.sight": (0, {}),
    "seat_default.levels.attention": (3, {}),
    "seat_default.grant.horizon": (4, {}),
    "seat_default.grant.sight": (2, {}),
    "seat_default.grant.attention": (2, {"thinking.endowment.attention": 2}),
    "seat_default.grant.output": (1.0, {}),
    "seat_default.sham": ("shuffled", {}),
    "seat_default.force_price": (0.3, {}),
    "seat_default.price.horizon": (0.3, {}),
    "seat_default.price.sight": (0.3, {}),
    "seat_default.price.attention": (0.3, BLIND),
    "seat_default.thought.count": (3, {}),
    "seat_default.thought.weights": ("output", OWN_SEATS),
    "seat_default.thought.cells": (1, OWN_SEATS),
    "seat_default.thought.messenger": (1.0, OWN_SEATS),
    "seat_default.thought.pool": (0.5, OWN_SEATS),
    "seat_default.thought.lost": (1.0, {**WAR, **OWN_SEATS, "claims.cost": 0.5}),
    "seat_default.reach": (1, {}),
    "seat_default.rollout": (0, {}),
    "seat_default.rule": ("rate", {}),
    "seat_default.levels_of_mind": (2, {}),
    "seat_default.guard": ("dates", WATCHED),
    "seat_default.attacks": ("rule", {**WAR, "thinking.rollout": 0}),
}
SEPARATE = {"map.file", "seats", "thinking.prior.advance"}
"""Settings with a test of their own below."""


def leaves(model: type[BaseModel], prefix: str = "") -> list[str]:
    """Every setting by path; tables are walked, tuples of tables are one setting."""
    found = []
    for name, field in model.model_fields.items():
        optional = () if get_origin(field.annotation) is tuple else get_args(field.annotation)
        options = [field.annotation, *optional]
        table = next((o for o in options if isinstance(o, type) and issubclass(o, BaseModel)), None)
        found += leaves(table, f"{prefix}{name}.") if table else [f"{prefix}{name}"]
    return found


def fingerprint(game: Scenario) -> str:
    """What happens, in bytes: every field of six worlds in every turn."""
    world = World(game, 6, seed=5)
    rng = np.random.default_rng(0)
    told = hashlib.sha256()
    while not world.done.all():
        world.step(random_shares(world, rng))
        told.update(b"".join(bits(world, SPEC).values()))
    return told.hexdigest()


KNOWN: dict[str, str] = {}


def context(changes: dict[str, Any]) -> str:
    """The fingerprint of BASE with changes, played once."""
    key = repr(sorted(changes.items()))
    if key not in KNOWN:
        KNOWN[key] = fingerprint(scenario({**BASE, **changes}))
    return KNOWN[key]


def test_every_setting_is_in_the_table() -> None:
    settings = set(leaves(Scenario))
    assert settings == set(CHANGES) | TALES | FIXED | ELSEWHERE | SEPARATE


@pytest.mark.parametrize("path", CHANGES)
def test_a_setting_changes_the_game(path: str) -> None:
    value, surroundings = CHANGES[path]
    assert fingerprint(scenario({**BASE, **surroundings, path: value})) != context(surroundings)


@pytest.mark.parametrize("path", sorted(TALES))
def test_words_change_nothing(path: str) -> None:
    assert fingerprint(scenario({**BASE, path: "other"})) == context({})


def test_the_land_in_a_file_is_played_on(tmp_path: Any) -> None:
    rest = {name: value for name, value in BASE.items() if name.removeprefix("map.") not in OVERRIDDEN}
    told = set()
    for world in (98, 99):
        save_land(draw_land(scenario(BASE), 99, world), tmp_path / "land.npz")
        told.add(fingerprint(scenario({**rest, "map.file": str(tmp_path / "land.npz")})))
    assert len(told) == 2


OVERRIDDEN = set(MapSettings.model_fields) - BESIDE_MAP_FILE
"""What a file says of the land: in its place these settings change nothing."""


@pytest.mark.parametrize("name", sorted(OVERRIDDEN - {"symmetric"}))
def test_a_setting_that_a_map_file_overrides_has_no_effect_and_is_refused(name: str, tmp_path: Any) -> None:
    value, _ = CHANGES[f"map.{name}"]
    land, given = draw_land(scenario(BASE), 99, 99), []
    for changed in ({}, {f"map.{name}": value}):
        # Land that is given to a batch stands in for what the settings draw, as a file's does.
        world = World(scenario({**BASE, **changed}), 2, seed=5, land=land)
        rng = np.random.default_rng(0)
        for _ in range(3):
            world.step(random_shares(world, rng))
        given.append(bits(world, SPEC))
    assert not differing(*given)
    with pytest.raises(ValidationError, match=f"map.{name}=.* has no effect with map.file; leave it at"):
        scenario({"map.file": "land.npz", f"map.{name}": value})


def test_what_a_rivals_advance_is_expected_to_be_is_told_and_decides_nothing() -> None:
    eager = {"thinking.prior.advance": 0.9}
    assert fingerprint(scenario({**BASE, **eager})) == context({})
    told = [observe(World(scenario({**BASE, **changes}))).features[0, 0] for changes in ({}, eager)]
    assert np.flatnonzero(told[0] != told[1]).tolist() == [at("rate_advance")]


@pytest.mark.parametrize(
    "seat",
    [
        {"levels": {"horizon": 0, "sight": 0}},
        {"grant": {"output": 2.0}},
        {"sham": "inert", "grant": {"horizon": 5}},
        {"force_price": 0.2},
        {"price": {"horizon": 0.1}},
        {"reach": 0, "rollout": 0},
        {"rule": "myopic"},
        {"attacks": "never"},
        {"guard": "dates", "rollout": 0},
        {"levels_of_mind": 0},
        {"thought": {"count": 2, "cells": 1}},
    ],
)
def test_a_seat_of_its_own_differs_from_the_default(seat: dict[str, Any]) -> None:
    changed = fingerprint(scenario({**BASE, "seats": [{}, seat]}))
    assert changed != context({})
    assert fingerprint(scenario({**BASE, "seats": [{}]})) == context({})
