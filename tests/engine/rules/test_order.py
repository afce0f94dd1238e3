"""What is compiled for a turn: a game in which nobody can look ahead compiles no search and no rollout."""

from __future__ import annotations

import pytest
from numba import typeof

from civsim import World, load_scenario
from civsim.base.scenario import Scenario
from civsim.engine.compiled import may_look_ahead
from civsim.engine.rules.order import RULES, rules_of

SEARCH = {f"civsim.engine.planner.{name}" for name in ("decide", "realm", "rollout", "search", "transition")}


def compiled_for(horizon: int) -> dict[str, set[str]]:
    """The kernels of one turn by module: everything that is linked into what the chain of rules calls."""
    tables = load_scenario("baseline").model_dump(mode="json")
    tables["seat_default"]["levels"] = {"horizon": horizon, "sight": 1, "attention": 2}
    scenario = Scenario.model_validate(tables)
    world = World(scenario)
    kinds = tuple(typeof(one) for one in (*world.pointers, world._key, world._plan_work[0]))
    found: dict[str, set[str]] = {}
    for rule in rules_of(may_look_ahead(world.config)):
        for body in rule._body(kinds).library.reached():
            module, _, name = body.found_by.kernel.rpartition("._")
            found.setdefault(module, set()).add(name)
    return found


@pytest.mark.skipif(not hasattr(RULES[0], "compile"), reason="compilation is off")
def test_without_a_horizon_no_search_is_compiled() -> None:
    found = compiled_for(0)
    assert not SEARCH & set(found)
    assert "act_by_rule" in found["civsim.engine.rules.myopic"]
    assert sum(map(len, found.values())) < 260
    assert set(compiled_for(1)) >= SEARCH
