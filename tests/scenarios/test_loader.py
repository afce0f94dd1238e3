"""Scenario files: what is read is what was meant; everything else is one line."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from civsim.agents.registry import FILE_PREFIX, ZOO_PREFIX
from civsim.base.errors import ScenarioError
from civsim.base.scenario import Scenario
from civsim.scenarios import loader
from civsim.scenarios.complaints import leaf_paths
from civsim.scenarios.loader import (
    content_hash,
    dump_scenario,
    from_plain,
    list_scenarios,
    load_scenario,
    loads_scenario,
    merge,
    override,
    plain,
)


def test_a_text_becomes_the_scenario_it_states() -> None:
    scenario = loads_scenario('name = "small"\n[map]\nwidth = 8\nheight = 6\n[army]\nprojection = inf\n')
    assert scenario.name == "small"
    assert (scenario.map.width, scenario.map.height) == (8, 6)
    assert scenario.army.projection == float("inf")
    assert scenario.map.ground == Scenario().map.ground


def test_a_file_takes_its_name_from_its_stem_and_gives_only_what_differs(tmp_path) -> None:
    (tmp_path / "mine.toml").write_text('base = "ridges"\n[map]\nwidth = 20\n')
    scenario = load_scenario(tmp_path / "mine.toml")
    assert scenario.name == "mine"
    assert scenario.description == ""
    assert scenario.map.width == 20
    assert scenario.map.ridge_height == load_scenario("ridges").map.ridge_height > 0


def test_a_base_may_be_a_file_beside_the_scenario(tmp_path) -> None:
    (tmp_path / "below.toml").write_text("[game]\nturns = 7\n")
    (tmp_path / "above.toml").write_text('base = "below.toml"\n[game]\ncivilizations = 2\n')
    game = load_scenario(str(tmp_path / "above.toml")).game
    assert (game.turns, game.civilizations) == (7, 2)


def test_merge_replaces_arrays_and_whole_policies_and_joins_tables() -> None:
    below = {"a": {"x": 1, "y": [1, 2]}, "seat": {"policy": {"name": "fixed", "params": {"z": 1}}}}
    above = {"a": {"y": [3]}, "seat": {"policy": {"name": "random"}}}
    assert merge(below, above) == {"a": {"x": 1, "y": [3]}, "seat": {"policy": {"name": "random"}}}
    assert merge(below, {"seat": {"policy": {"params": {"w": 2}}}})["seat"]["policy"]["params"] == {"z": 1, "w": 2}


def test_a_relative_map_file_is_looked_for_beside_the_scenario(tmp_path) -> None:
    (tmp_path / "s.toml").write_text('[map]\nfile = "land.npz"\n')
    assert load_scenario(tmp_path / "s.toml").map.file == str(tmp_path / "land.npz")


@pytest.mark.parametrize("name", list_scenarios())
def test_dump_and_read_give_the_same_scenario(name: str) -> None:
    scenario = load_scenario(name)
    again = loads_scenario(dump_scenario(scenario))
    assert again == scenario
    assert content_hash(again) == content_hash(scenario)
    assert from_plain(plain(scenario)) == scenario


def test_dump_states_every_setting_that_has_an_effect() -> None:
    text = dump_scenario(Scenario())
    for path in leaf_paths(Scenario):
        leaf = path.rsplit(".", 1)[-1]
        optional = leaf in ("file", "reach", "rollout", "salience", "force_price", "price")
        if path != "thinking.optimism" and not optional and "levels." not in path:
            assert leaf in text, path


def test_hash_is_of_the_game_and_not_of_its_name() -> None:
    base = Scenario()
    assert content_hash(base) == content_hash(override(base, {"name": "other", "description": "text"}))
    assert content_hash(base) != content_hash(override(base, {"map.hazard": 0.02}))
    # A known answer: any drift in what is hashed would orphan every recorded run.
    assert content_hash(override(base, {"map.hazard": 0.02})) == content_hash(loads_scenario("[map]\nhazard = 0.02\n"))


def test_a_relative_checkpoint_is_looked_for_beside_the_scenario(tmp_path) -> None:
    policy = "policy = {name = 'file:mine'}\n"
    (tmp_path / "s.toml").write_text(f"[[seats]]\n{policy}[[seats]]\n[seat_default]\n{policy}")
    scenario = load_scenario(tmp_path / "s.toml")
    there = f"file:{tmp_path / 'mine'}"
    assert [scenario.seat_default.policy.name, scenario.seats[0].policy.name] == [there, there]
    assert scenario.seats[1].policy.name == "fixed"


@pytest.mark.parametrize("path", ["seat_default.policy.name", "seats.1.policy.name"])
def test_hash_covers_the_content_of_a_checkpoint_not_its_place(tmp_path, path: str) -> None:
    for place, content in (("a", b"1"), ("b", b"1"), ("c", b"2")):
        (tmp_path / place).mkdir()
        (tmp_path / place / "policy.safetensors").write_bytes(content)
        (tmp_path / place / ".seen").write_text(place)
    a, b, c = (content_hash(override(Scenario(), {path: f"file:{tmp_path / place}"})) for place in "abc")
    assert a == b != c
    with pytest.raises(ScenarioError, match="give the folder that train wrote"):
        content_hash(override(Scenario(), {path: f"file:{tmp_path / 'none'}"}))


def test_a_run_is_known_by_the_checkpoint_it_stands_for(tmp_path):
    path = "seat_default.policy.name"
    for place, weights in (("a", b"1"), ("b", b"1"), ("c", b"2")):
        (tmp_path / place / "best").mkdir(parents=True)
        (tmp_path / place / "best" / "policy.safetensors").write_bytes(weights)
        (tmp_path / place / "monitor.csv").write_text(place)
    a, b, c = (content_hash(override(Scenario(), {path: f"file:{tmp_path / place}"})) for place in "abc")
    assert a == b != c


def test_a_checkpoint_is_named_here_as_it_is_among_the_policies() -> None:
    assert loader._TRAINED == FILE_PREFIX
    assert loader._ZOO == ZOO_PREFIX


def test_hash_covers_the_content_of_a_map_file_not_its_place(tmp_path) -> None:
    for place, content in (("a.npz", b"one"), ("b.npz", b"one"), ("c.npz", b"two")):
        (tmp_path / place).write_bytes(content)
    first, second, third = (
        content_hash(override(Scenario(), {"map.file": str(tmp_path / place)})) for place in ("a.npz", "b.npz", "c.npz")
    )
    assert first == second != third
    with pytest.raises(ScenarioError, match="cannot be read"):
        content_hash(override(Scenario(), {"map.file": str(tmp_path / "none.npz")}))


def test_override_sets_by_dotted_path_and_leaves_the_rest() -> None:
    base = load_scenario("baseline")
    changed = override(
        base,
        {"map.hazard": 0.2, "works.menu.0.gain": 0.5, "seats.2.levels.horizon": 4, "thinking.price": {"horizon": 9.0}},
    )
    assert changed.map.hazard == 0.2
    assert changed.works.menu[0].gain == 0.5
    assert changed.works.menu[0].cost == base.works.menu[0].cost
    assert changed.thinking.price.horizon == 9.0
    assert [seat.levels.horizon for seat in changed.seats] == [None, None, 4]
    assert base.seats == ()
    assert override(changed, {"map.hazard": base.map.hazard}).map == base.map


def test_override_does_not_touch_the_values_it_was_given() -> None:
    policy = {"name": "fixed", "params": {"cognition": 0.1}}
    settings_ = {"seats.0.policy": policy, "seats.0.policy.params.cognition": 0.5}
    scenario = override(Scenario(), settings_)
    assert scenario.seats[0].policy.params == {"cognition": 0.5}
    assert policy["params"] == {"cognition": 0.1}


def test_override_of_one_seat_keeps_what_the_other_seats_inherit() -> None:
    base = override(Scenario(), {"seat_default.sham": "inert"})
    changed = override(base, {"seats.1.levels.horizon": 3})
    assert [seat.sham for seat in changed.seats] == ["inert", "inert"]
    assert changed.seat(3).sham == "inert"


_KEYS = st.sampled_from(
    ["map", "game", "army", "seats", "policy", "params", "base", "name", "rules", "thinking", "works", "menu", "x"]
) | st.text(max_size=8)
_LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12) | st.dates() | st.times()
_VALUES = st.recursive(_LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_KEYS, inner, max_size=3))


def _toml(value: object) -> str:
    """Write TOML inline, faithfully enough to be read, wrongly often enough to be refused."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_text(key)} = {_toml(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(_toml(item) for item in value) + "]"
    return _text(value) if isinstance(value, str) else str(value)


def _text(value: str) -> str:
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _complaint(act: Callable[[], Scenario]) -> str:
    """Return the one line that ``act`` is refused with; empty where it gives a scenario that survives a dump."""
    try:
        scenario = act()
    except ScenarioError as error:
        return str(error)
    assert loads_scenario(dump_scenario(scenario)) == scenario
    return ""


def _refused_in_one_line(act: Callable[[], Scenario]) -> None:
    complaint = _complaint(act)
    assert len(complaint.splitlines()) <= 1
    assert len(complaint) < 600


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.dictionaries(_KEYS, _VALUES, max_size=4))
def test_random_toml_is_a_scenario_or_one_line(tables: dict[str, object]) -> None:
    text = "\n".join(f"{_text(key)} = {_toml(value)}" for key, value in tables.items())
    _refused_in_one_line(lambda: loads_scenario(text))


@settings(max_examples=150, deadline=None)
@given(st.text(max_size=200))
def test_random_text_is_a_scenario_or_one_line(text: str) -> None:
    _refused_in_one_line(lambda: loads_scenario(text))


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(sorted(leaf_paths(Scenario))), _LEAVES | st.floats(-2, 300) | st.integers(-2, 300))
def test_any_value_of_any_setting_is_a_scenario_or_one_line(path: str, value: object) -> None:
    _refused_in_one_line(lambda: loads_scenario(f"{path} = {_toml(value)}"))


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=30), _VALUES)
def test_any_override_is_a_scenario_or_one_line(path: str, value: object) -> None:
    _refused_in_one_line(lambda: override(Scenario(), {path: value}))
