"""Policies of one's own: found by name, checked as any other, known by their code."""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from own_parts import write_policy

from civsim.agents import make_policy, policy_names, policy_params, registry, seat_policies
from civsim.agents.registry import NoParams, policy_source, register
from civsim.agents.simple import Fixed
from civsim.base.errors import CivsimError, ScenarioError
from civsim.base.scenario import Scenario
from civsim.engine.world import World
from civsim.scenarios import content_hash, loads_scenario, override

GAME = Scenario.model_validate({"map": {"width": 8, "height": 8}, "game": {"turns": 12, "civilizations": 3}})
NAME = "seat_default.policy.name"


def test_a_policy_in_a_file_plays_a_game_by_its_name(tmp_path: Path) -> None:
    name = f"{write_policy(tmp_path)}:Thrifty"
    game = override(GAME, {"seat_default.policy": {"name": name, "params": {"consumption": 0.25}}})
    world = World(game, 3, seed=1)
    shares = seat_policies(game).shares(world)
    assert shares[..., 0].tolist() == np.full((3, 3), 0.25).tolist()
    assert shares[..., 2].tolist() == np.full((3, 3), 0.75).tolist()
    while not world.done.all():
        world.step(seat_policies(game).shares(world))
    assert (world.state.spent[:, :, 2] > 0).all()


def test_a_policy_of_a_module_is_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_policy(tmp_path).rename(tmp_path / "somebodys_policies.py")
    monkeypatch.syspath_prepend(tmp_path)
    made = make_policy("somebodys_policies:Thrifty", {"works": False}, GAME)
    assert made.works is False
    assert isinstance(make_policy("zoo:baseline", {}, GAME), object)  # its prefix is no module
    del sys.modules["somebodys_policies"]


def test_its_parameters_are_those_of_its_signature(tmp_path: Path) -> None:
    name = f"{write_policy(tmp_path)}:Thrifty"
    assert list(policy_params(name).model_fields) == ["consumption", "works"]
    with pytest.raises(ScenarioError, match="has no parameter 'consumptoin'; did you mean 'consumption'"):
        make_policy(name, {"consumptoin": 1.0}, GAME)
    with pytest.raises(ScenarioError, match="consumption='much': Input should be a valid number"):
        make_policy(name, {"consumption": "much"}, GAME)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("made = 5", "is int; name a class or function"),
        ("def made(): pass", "takes nothing; let it take the scenario first"),
        ("def made(*, scenario): pass", "takes scenario first; let it take the scenario"),
        ("def made(scenario, *rest): pass", r"takes \*rest; name each parameter"),
        ("def made(scenario, **rest): pass", r"takes \*\*rest; name each parameter"),
        ("def made(scenario, x: 'Nothing'): pass", "its signature cannot be read: NameError"),
        ("import numpy\ndef made(scenario, x: numpy.ndarray = None): pass", "a parameter cannot be read from a file"),
        ("def made(scenario): return 5", "makes int, which cannot be called"),
        ("def made(scenario): return lambda seen, context: 0", "does not say needs_observation"),
        ("def made(scenario):\n    return {}['a']", r"cannot be made: KeyError: 'a' \(part.py, line 2\)"),
        ("", "has no made"),
    ],
)
def test_what_is_no_policy_is_refused_in_one_line(tmp_path: Path, content: str, message: str) -> None:
    (tmp_path / "part.py").write_text(content)
    with pytest.raises(ScenarioError, match=message) as caught:
        make_policy(f"{tmp_path / 'part.py'}:made", {}, GAME)
    assert "\n" not in str(caught.value)


def test_a_policy_whose_code_fails_in_play_is_told_where(tmp_path: Path) -> None:
    code = "class Made:\n    needs_observation = False\n    def __init__(self, scenario): pass\n"
    (tmp_path / "part.py").write_text(code + "    def __call__(self, seen, context):\n        return {}['a']\n")
    game = override(GAME, {NAME: f"{tmp_path / 'part.py'}:Made"})
    with pytest.raises(ScenarioError, match=r"policy 'Made': KeyError: 'a' \(part.py, line 5\); correct it"):
        seat_policies(game).shares(World(game, 2, seed=1))


def test_a_parameter_without_a_default_must_be_given(tmp_path: Path) -> None:
    (tmp_path / "part.py").write_text("def made(scenario, x: int): pass")
    with pytest.raises(ScenarioError, match="x=.*: Field required"):
        make_policy(f"{tmp_path / 'part.py'}:made", {}, GAME)


def test_the_file_of_a_scenarios_policy_lies_beside_the_scenario(tmp_path: Path) -> None:
    write_policy(tmp_path)
    game = loads_scenario('[seat_default.policy]\nname = "mine.py:Thrifty"', folder=tmp_path)
    assert game.seat(0).policy.name == f"{tmp_path / 'mine.py'}:Thrifty"
    assert loads_scenario('[seat_default.policy]\nname = "some.module:Name"').seat(0).policy.name == "some.module:Name"


def test_a_game_is_known_by_its_policys_code_and_not_by_where_that_is(tmp_path: Path) -> None:
    for place in "abc":
        (tmp_path / place).mkdir()
    paths = [write_policy(tmp_path / place, consumption) for place, consumption in (("a", 0.5), ("b", 0.5), ("c", 0.4))]
    a, b, c = (content_hash(override(GAME, {NAME: f"{path}:Thrifty"})) for path in paths)
    assert a == b != c
    assert content_hash(override(GAME, {NAME: "uniform"})) != a
    assert policy_source("uniform") is policy_source("zoo:baseline") is policy_source("nobody's") is None


def test_a_registered_policy_is_known_by_the_file_that_registered_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(registry, "_REGISTRY", dict(registry._REGISTRY))
    register("tests-own", NoParams, lambda _params, game: Fixed(np.ones(8), game))
    assert len(policy_source("tests-own") or "") == 64
    assert content_hash(override(GAME, {NAME: "tests-own"})) != content_hash(override(GAME, {NAME: "uniform"}))
    nowhere = ModuleType("nowhere")
    monkeypatch.setitem(sys.modules, "nowhere", nowhere)
    made = lambda _params, game: Fixed(np.ones(8), game)  # noqa: E731
    made.__module__ = "nowhere"
    register("tests-typed", NoParams, made)
    with pytest.raises(ScenarioError, match="policy 'tests-typed' is made by code that is in no file"):
        content_hash(override(GAME, {NAME: "tests-typed"}))


def test_installed_packages_offer_policies(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    offered = {"thrifty": f"{write_policy(tmp_path)}:Thrifty"}
    monkeypatch.setattr(registry, "plugins", lambda group: offered if group == "civsim.policies" else {})
    assert "thrifty" in policy_names()
    assert make_policy("thrifty", {}, GAME).consumption == 0.5
    assert policy_source("thrifty") is not None
    offered["uniform"] = "some.where:Uniform"
    with pytest.raises(CivsimError, match="policy 'uniform' is registered, and some.where:Uniform is offered as it"):
        policy_names()
