"""Observations: known answers by name, nothing hidden in them, every feature alive, all within its bounds."""

from __future__ import annotations

import math

import numpy as np
import pytest
from wild_states import RICH, random_state, scenario_of

from civsim.base.constants import MAX_CIVILIZATIONS, Category, Noise, Objective, Variable, Witness
from civsim.base.scenario import Scenario
from civsim.engine.compiled import compile_config
from civsim.engine.observation.features import (
    FEATURE_TABLE,
    FEATURES,
    N_FEATURES,
    OFFICE_TABLE,
    RIVAL_SLOTS,
    RIVAL_WIDTH,
    RIVALS_AT,
    RULES_AT,
    at,
    bounds,
    feature_table,
    features_of,
    rule_features,
)
from civsim.engine.observation.observer import Observer, observe, observer_of
from civsim.engine.state import SPEC, State, allocate
from civsim.engine.world import World

UNIFORM = np.full(8, 1 / 8)
SETTLING = np.eye(8)[Category.SETTLEMENT]


def hand_made(scenario: Scenario, attention: int = 6) -> State:
    """One world after turn 7: civilization 0 holds cells 0 and 1, civilization 1 cell 63, civilization 2 nothing."""
    state = allocate(scenario, 1)
    state.turn[:] = 8
    state.owner[0, [0, 1]] = 0
    state.owner[0, 63] = 1
    state.alive[0] = [1, 1, 0]
    state.cells[0] = [2, 1, 0]
    state.capital[0] = [0, 63, 30]
    state.salience[0] = np.arange(4)
    state.level[0, :] = [3, 2, attention]
    state.known_owner[0, 0, [0, 1]] = 0
    return state


def of(scenario: Scenario, state: State, seat: int = 0) -> dict[str, float]:
    features = Observer(scenario)(state).features[0, seat]
    return {name: float(value) for name, value in zip(FEATURES, features, strict=True)}


def test_the_table_names_every_feature_once_and_documents_it():
    assert len(set(FEATURES)) == len(FEATURES) == N_FEATURES
    assert all(f.low < f.high and f.meaning for f in FEATURE_TABLE)
    assert [at(name) for name in FEATURES] == list(range(N_FEATURES))
    assert len(feature_table().splitlines()) == N_FEATURES + len(OFFICE_TABLE) + 2
    assert RIVALS_AT + RIVAL_SLOTS * RIVAL_WIDTH == RULES_AT
    assert RIVAL_SLOTS == MAX_CIVILIZATIONS - 1


def test_own_features_are_what_the_table_says():
    scenario = scenario_of()
    state = hand_made(scenario)
    state.output[0, 0] = 5.0
    state.consumption[0, 0] = 2.0
    state.tribute[0, 0] = 1.0
    state.stock[0, 0] = [0, 1, 2, 3, 4, 5, 6, 7]
    state.muster[0, 0] = [1.0, 0.5, 0.25]
    state.party_cell[0, 0, :2] = [5, 6]
    state.works[0, [0, 1, 63]] = [0.5, 1.0, 9.0]
    state.wall[0, [0, 1, 63]] = [2.0, 1.0, 9.0]
    state.work_left[0, [1, 63]] = 3
    state.disrupted[0, [0, 63]] = 2
    state.site[0, [0, 63]] = 1
    state.ore[0, [1, 63]] = 2.0
    state.hazard[0, [0, 1, 63]] = [0.1, 0.08, 0.5]
    state.spent[0, 0] = [3, 0, 0, 1, 0, 0, 0, 0]
    state.gains[0, 0] = [4, 3, 2, 1]
    state.losses[0, 0] = [1, 2, 3]
    seen = of(scenario, state)
    expected = {
        "alive": 1.0,
        "turn": 8 / 20,
        "turns_left": math.log(13),
        "output": math.log(6),
        "consumption": math.log(3),
        "tribute": math.log(2),
        "cells": math.log(3),
        "land_share": 2 / 64,
        "muster": math.log(2.75),
        "parties": math.log(3),
        "works": math.log(2.5),
        "walls": math.log(4),
        "works_pending": math.log(2),
        "disrupted": 0.5,
        "own_sites": 0.5,
        "own_ore": math.log(3),
        "own_hazard": math.sqrt(0.09),
        "level_horizon": math.log(4),
        "level_sight": math.log(3),
        "level_attention": 1.0,
        "spent_consumption": 0.75,
        "spent_army": 0.25,
        "spent_works": 0.0,
        "done_claim": math.log(5),
        "done_wall": math.log(2),
        "lost_disaster": math.log(2),
        "lost_raid": math.log(4),
    }
    expected |= {f"stock_{c.name.lower()}": math.log1p(int(c)) for c in Category if c > 0}
    for name, value in expected.items():
        assert seen[name] == pytest.approx(value, abs=1e-6), name


def test_witnessed_rates_are_prior_and_count():
    scenario = scenario_of(thinking={"prior": {"weight": 10.0, "disaster": 0.1, "attack_force": 4.0}})
    state = hand_made(scenario)
    state.witness[0, 0, Witness.DISASTERS] = 3.0
    state.witness[0, 0, Witness.CELL_TURNS] = 30.0
    state.witness[0, 0, Witness.ATTACKS] = 10.0
    state.witness[0, 0, Witness.ATTACK_FORCE] = 80.0
    seen = of(scenario, state)
    assert seen["rate_disaster"] == pytest.approx(math.sqrt((0.1 * 10 + 3) / 40), abs=1e-6)
    assert seen["attack_force"] == pytest.approx(math.log1p((4.0 + 80) / 11), abs=1e-6)


def test_the_map_is_what_it_has_seen():
    scenario = scenario_of(claims={"cost": 4.0, "ruggedness_cost": 6.0, "growth": 0.5})
    state = hand_made(scenario)
    state.seen[0, 0, [0, 1, 2, 8, 20]] = [7, 7, 7, 5, 1]
    state.fertility[0] = 100.0
    state.fertility[0, [2, 8, 20]] = [3.0, 5.0, 50.0]
    state.ruggedness[0, [2, 8]] = [0.0, 0.5]
    state.ore[0, 2] = 2.0
    state.site[0, [20, 40]] = 1
    state.stock[0, 0, Category.SETTLEMENT] = 12.0
    state.seen_sum[0, 0, :2] = [5.0, 10.0]
    seen = of(scenario, state)
    growth = 1 + 0.5 * (2 - 1)
    expected = {
        "known_share": 5 / 64,
        "staleness": math.log1p((2 + 6) / 5),
        "known_fertility": math.log(3),
        "free_share": 3 / 64,
        "free_sites": math.log(2),
        "frontier": math.log(3),
        "frontier_best": math.log1p(5.0),
        "frontier_rate": math.log1p((3.0 + 0.5 * 2.0) / 4.0 / growth),
        "frontier_cost": math.log1p(4.0 * growth),
        "frontier_funds": math.log1p(12.0 / (4.0 * growth)),
    }
    for name, value in expected.items():
        assert seen[name] == pytest.approx(value, abs=1e-6), name


def test_without_ore_in_attention_the_frontier_is_worth_its_fertility():
    scenario = scenario_of()
    state = hand_made(scenario, attention=2)
    state.seen[0, 0, 2] = 7
    state.fertility[0, 2], state.ore[0, 2] = 1.0, 50.0
    assert of(scenario, state)["frontier_best"] == pytest.approx(math.log(2), abs=1e-6)


def test_a_wrong_model_shows_its_errors_not_the_truth():
    scenario = scenario_of(thinking={"noise": 0.5})
    state = hand_made(scenario)
    state.seen[0, 0, 2] = 7
    state.fertility[0, 2], state.ore[0, 0], state.hazard[0, 0] = 1.0, 4.0, 0.1
    state.noise[0, 0, Noise.FERTILITY, 2], state.noise[0, 0, Noise.ORE, 0] = 3.0, 0.5
    state.noise[0, 0, Noise.HAZARD, 0], state.noise[0, 0, Noise.COST, 2] = 2.0, 1.5
    seen = of(scenario, state)
    assert seen["frontier_best"] == pytest.approx(math.log(4), abs=1e-6)
    assert seen["own_ore"] == pytest.approx(math.log(3), abs=1e-6)
    assert seen["own_hazard"] == pytest.approx(math.sqrt(0.1), abs=1e-6)
    assert seen["frontier_cost"] == pytest.approx(math.log1p(1.5 * 4.0 * 1.04), abs=1e-6)


@pytest.mark.parametrize(("kind", "name"), [(-1, "wait"), (0, "claim"), (1, "attack"), (2, "work"), (3, "wall")])
def test_the_last_plan_is_shown_as_it_was_made(kind, name):
    scenario = scenario_of()
    state = hand_made(scenario)
    assert of(scenario, state)["plan_known"] == 0.0
    state.plan_turn[0, 0], state.plan_kind[0, 0], state.plan_value[0, 0] = 5, kind, -9.0
    seen = of(scenario, state)
    assert seen["plan_known"] == 1.0
    assert [k for k in ("wait", "claim", "attack", "work", "wall") if seen[f"plan_{k}"]] == [name]
    assert seen["plan_value"] == pytest.approx(-math.log(10), abs=1e-6)
    assert seen["plan_age"] == pytest.approx(math.log(3), abs=1e-6)


def test_a_rival_is_what_was_last_seen_of_it():
    scenario = scenario_of()
    state = hand_made(scenario)
    state.force_seen[0, 0, 1], state.force_turn[0, 0, 1] = 6.0, 3
    state.seen[0, 0, [10, 63]] = 3
    state.known_owner[0, 0, [10, 63]] = 1
    state.stock[0, 1, Category.ARMY] = 99.0
    seen = of(scenario, state)
    assert seen["rival1_exists"] == seen["rival1_known"] == seen["rival1_force_known"] == 1.0
    assert seen["rival1_force"] == pytest.approx(math.log(7), abs=1e-6)
    assert seen["rival1_force_age"] == pytest.approx(math.log1p(7 - 3), abs=1e-6)
    assert seen["rival1_cells"] == pytest.approx(math.log(3), abs=1e-6)
    assert seen["rival1_distance"] == pytest.approx(3 / 16, abs=1e-6)
    assert seen["rival2_exists"] == 1.0
    assert seen["rival2_known"] == seen["rival3_exists"] == seen["rival1_levels_known"] == 0.0


def test_rivals_are_ordered_round_the_table():
    scenario = scenario_of()
    state = hand_made(scenario)
    state.force_seen[0, 1, 0], state.force_turn[0, 1, 0] = 6.0, 7
    seen = of(scenario, state, seat=1)
    assert (seen["rival1_known"], seen["rival2_known"]) == (0.0, 1.0)


def test_public_levels_are_shown_and_no_others():
    scenario = scenario_of(seats=[{}, {"levels_known": True}])
    state = hand_made(scenario)
    seen = of(scenario, state)
    assert (seen["rival1_levels_known"], seen["rival2_levels_known"]) == (1.0, 0.0)
    assert seen["rival1_horizon"] == pytest.approx(math.log(4), abs=1e-6)
    assert seen["rival1_attention"] == 1.0
    assert seen["rival2_horizon"] == seen["rival2_sight"] == seen["rival2_attention"] == 0.0


def test_raiders_are_those_in_sight_last_turn():
    scenario = scenario_of(raiders={"rate": 0.1, "bands": 3})
    state = hand_made(scenario)
    state.band_cell[0] = [9, 18, 27]
    state.band_strength[0] = [2.0, 3.0, 50.0]
    state.band_seen[0, 0], state.band_turn[0, 0] = [9, 18, 27], [7, 7, 6]
    seen = of(scenario, state)
    assert seen["raiders_seen"] == 1.0
    assert seen["raiders"] == pytest.approx(math.log(3), abs=1e-6)
    assert seen["raiders_force"] == pytest.approx(math.log(6), abs=1e-6)
    assert seen["raiders_distance"] == pytest.approx(2 / 16, abs=1e-6)


MASKED = {
    Variable.ORE: ["own_ore"],
    Variable.HAZARD: ["own_hazard"],
    Variable.RIVALS: ["rival1_known", "rival1_force_known", "rival1_force", "rival1_cells", "rival1_distance"],
    Variable.RAIDERS: ["raiders_seen", "raiders", "raiders_force", "raiders_distance"],
}


@pytest.mark.parametrize("variable", list(Variable))
def test_what_attention_does_not_reach_is_masked(variable):
    scenario = scenario_of(raiders={"rate": 0.1})
    state = hand_made(scenario)
    state.ore[0, 0], state.hazard[0, 0] = 1.0, 0.1
    state.force_seen[0, 0, 1], state.force_turn[0, 0, 1] = 6.0, 7
    state.seen[0, 0, 63], state.known_owner[0, 0, 63] = 7, 1
    state.band_cell[0, 0], state.band_seen[0, 0, 0], state.band_turn[0, 0, 0], state.band_strength[0, 0] = 9, 9, 7, 3
    others = [v for v in Variable if v != variable]
    state.salience[0, 0] = [*others, variable]
    state.level[0, 0, 2] = 6
    seen = of(scenario, state)
    assert all(seen[name] > 0.0 for name in MASKED[variable])
    state.level[0, 0, 2] = 5
    seen = of(scenario, state)
    assert all(seen[name] == 0.0 for name in MASKED[variable])
    assert seen[f"attended_{variable.name.lower()}"] == 0.0
    assert all(seen[name] > 0.0 for other in others for name in MASKED[other])


def test_a_civilization_without_cells_observes_nothing():
    scenario = scenario_of()
    assert not Observer(scenario)(hand_made(scenario)).features[0, 2].any()


def played(scenario: Scenario, turns: int, n_worlds: int = 4, shares: np.ndarray = UNIFORM) -> World:
    world = World(scenario, n_worlds=n_worlds, seed=5)
    shares = np.broadcast_to(shares, (n_worlds, scenario.game.civilizations, 8))
    for _ in range(turns):
        world.step(shares)
    return world


def scramble_hidden(state: State, seat: int, rng: np.random.Generator) -> None:
    """Change everything ``seat`` cannot know: land never seen, others' holdings as they are, stocks, plans, bands."""
    for b in range(state.turn.shape[0]):
        unseen = state.seen[b, seat] < 0
        foreign = state.owner[b] != seat
        for name in ("fertility", "ore", "ruggedness", "hazard"):
            getattr(state, name)[b, unseen] = rng.random(unseen.sum())
        state.site[b, unseen] = rng.integers(0, 2, unseen.sum())
        others = [i for i in range(state.alive.shape[1]) if i != seat]
        state.owner[b, foreign] = rng.choice([-1, *others], foreign.sum())
        for name in ("works", "wall"):
            getattr(state, name)[b, foreign] = rng.random(foreign.sum())
        state.disrupted[b, foreign] = rng.integers(0, 5, foreign.sum())
        state.site_state[b, foreign] = rng.integers(0, 2, foreign.sum())
        for name in ("stock", "muster", "output", "consumption", "utility", "witness", "seen_sum", "force_seen"):
            getattr(state, name)[b, others] = rng.random(getattr(state, name)[b, others].shape)
        for name in ("level", "plan_kind", "cells", "known_owner", "seen"):
            getattr(state, name)[b, others] = rng.integers(0, 2, getattr(state, name)[b, others].shape)
        hidden = (state.band_turn[b, seat] != state.turn[b] - 1) | (state.band_seen[b, seat] != state.band_cell[b])
        state.band_strength[b, hidden] = rng.random(hidden.sum())
        state.band_target[b] = rng.integers(0, 64, state.band_target.shape[1])


@pytest.mark.parametrize("seat", [0, 1, 2])
def test_hidden_state_changes_no_feature(seat):
    scenario = scenario_of(raiders={"rate": 0.3}, map={"width": 8, "height": 8, "volatility": 0.1})
    world = played(scenario, 12)
    before = observe(world).features[:, seat]
    assert (world.state.seen[:, seat] < 0).any()
    scramble_hidden(world.state, seat, np.random.default_rng(1))
    assert np.array_equal(observe(world).features[:, seat], before)


def test_scrambling_would_show_if_it_were_seen():
    scenario = scenario_of(seat_default={"levels": {"sight": 16, "attention": 6}})
    world = played(scenario, 12)
    before = observe(world).features[:, 0]
    scramble_hidden(world.state, 1, np.random.default_rng(1))
    assert not np.array_equal(observe(world).features[:, 0], before)


def test_every_feature_can_vary_and_stays_within_its_bounds():
    rng = np.random.default_rng(0)
    rows = []
    for tables in RICH:
        scenario = scenario_of(**tables)
        features = Observer(scenario)(random_state(scenario, 16, rng)).features
        low, high = bounds(scenario)
        assert features.dtype == np.float32
        assert np.isfinite(features).all()
        assert (features >= low).all()
        assert (features <= high).all()
        rows.append(features[features[..., at("alive")] > 0])
    every = np.concatenate([row[:, :N_FEATURES] for row in rows])
    several = np.concatenate([row[:, N_FEATURES:] for row in rows if row.shape[1] > N_FEATURES])
    spread = np.concatenate([every.max(0) > every.min(0), several.max(0) > several.min(0)])
    spread[at("alive")] = True
    names = (*FEATURES, *(feature.name for feature in OFFICE_TABLE))
    assert [name for name, varies in zip(names, spread, strict=True) if not varies] == []


def test_enormous_values_are_capped():
    scenario = scenario_of()
    state = random_state(scenario, 4, np.random.default_rng(1))
    for name in ("output", "stock", "plan_value", "spent", "works", "fertility", "force_seen"):
        getattr(state, name)[...] = np.finfo(np.float32).max / 1e3
    low, high = bounds()
    features = Observer(scenario)(state).features
    assert np.isfinite(features).all()
    assert ((features >= low) & (features <= high)).all()


def test_prices_are_those_a_seat_pays_in_its_world():
    scenario = scenario_of(seats=[{"force_price": 3.0, "price": {"horizon": 0.5}}])
    state = hand_made(scenario)
    state.price_factor[0] = [2.0, 0.5, 4.0, 3.0]
    seen = of(scenario, state)
    assert seen["force_price"] == pytest.approx(math.log1p(3.0 * 3.0), abs=1e-6)
    assert seen["price_horizon"] == pytest.approx(math.log1p(0.5 * 2.0), abs=1e-6)
    assert seen["price_sight"] == pytest.approx(math.log1p(0.1 * 0.5), abs=1e-6)
    assert seen["price_attention"] == pytest.approx(math.log1p(0.15 * 4.0), abs=1e-6)


def test_the_rules_block_tells_seats_apart_and_goals_apart():
    scenario = scenario_of(seats=[{"grant": {"output": 3.0}}, {"levels": {"horizon": 4}}])
    rules = rule_features(scenario, compile_config(scenario))
    assert rules.shape == (3, N_FEATURES - RULES_AT)
    place = at("grant") - RULES_AT
    assert rules[0, place] == pytest.approx(math.log(4), abs=1e-6)
    assert rules[1, place] == 0.0
    assert rules[:, at("bought_horizon") - RULES_AT].tolist() == [1.0, 0.0, 1.0]
    assert rules[0, at("objective_welfare") - RULES_AT + int(Objective.WELFARE)] == 1.0


def test_rows_are_the_batch_and_copies():
    scenario = scenario_of()
    world = played(scenario, 6)
    everything = observe(world)
    assert everything.features.shape == (4, 3, N_FEATURES)
    assert everything.open.tolist() == [True] * 8
    worlds, seats = np.array([3, 0, 2]), np.array([1, 2, 0])
    rows = observer_of(world).rows(world.state, worlds, seats)
    assert np.array_equal(rows, everything.features[worlds, seats])
    scattered = np.stack([worlds, seats], 1)
    assert np.array_equal(observer_of(world).rows(world.state, scattered[:, 0], scattered[:, 1]), rows)
    kept = everything.features.copy()
    world.step(np.broadcast_to(UNIFORM, (4, 3, 8)))
    assert np.array_equal(everything.features, kept)
    assert not np.array_equal(observe(world).features, kept)


def test_a_world_alone_observes_what_it_does_in_a_batch():
    scenario = scenario_of()
    batch = played(scenario, 8)
    alone = World(scenario, world_ids=[2], seed=5)
    for _ in range(8):
        alone.step(np.broadcast_to(UNIFORM, (1, 3, 8)))
    assert np.array_equal(observe(alone).features[0], observe(batch).features[2])


SEVERAL = {"seats": {"count": 3, "cells": 1, "weights": [2.0, 1.0, 1.0], "messenger": 1.0}}


def test_where_thought_is_housed_in_several_seats_it_is_told_in_how_many_and_what_the_capital_has():
    several, one = scenario_of(thinking=SEVERAL), scenario_of()
    state = hand_made(several)
    state.office_count[0] = [3, 1, 1]
    state.office_weight[0, 0] = [0.5, 0.25, 0.25]
    features = Observer(several)(state).features[0]
    assert [feature.name for feature in features_of(several)] == [*FEATURES, "thought_seats", "thought_capital"]
    assert features[:, N_FEATURES:].tolist() == [[3 / 8, 0.5], [1 / 8, 1.0], [0.0, 0.0]]
    # All else is told as in any game, and a game of single seats tells no more than that.
    assert np.array_equal(features[:, :N_FEATURES], Observer(one)(hand_made(one)).features[0])
    assert features_of(one) == FEATURE_TABLE
    assert Observer(one).width == N_FEATURES


def test_where_one_civilization_has_several_seats_all_are_told_how_they_are_housed():
    scenario = scenario_of(seats=[{"thought": {"count": 2}}])
    assert Observer(scenario).width == N_FEATURES + len(OFFICE_TABLE)


def test_what_other_seats_of_thought_know_is_not_observed_and_what_the_capital_knows_is():
    scenario = scenario_of(
        thinking=SEVERAL, seat_default={"levels": {"horizon": 2, "sight": 2, "attention": 6}}, raiders={"rate": 0.3}
    )
    world = played(scenario, 14, shares=SETTLING)
    state, n = world.state, scenario.game.civilizations
    assert (state.office_count > 1).any()
    before = observe(world).features
    rng = np.random.default_rng(0)
    rows = [name for name, spec in SPEC.items() if spec.shape[:2] == ("B", "M")]
    for name in rows:
        getattr(state, name)[:, n:] = rng.integers(0, 2, getattr(state, name)[:, n:].shape)
    assert np.array_equal(observe(world).features, before)
    for name in rows:
        getattr(state, name)[:, :n] = rng.integers(0, 2, getattr(state, name)[:, :n].shape)
    assert not np.array_equal(observe(world).features, before)
