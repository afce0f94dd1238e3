"""K12: the cuts that the games find are those that networkx finds, and a castle that falls is refused."""

from __future__ import annotations

from itertools import combinations

import networkx as nx
import pytest

from civsim.base.errors import StudyError
from civsim.validation.case import How
from civsim.validation.k12_pass import LANDS, RIDGE, Settings, parts, passable, plan_of, run


@pytest.mark.parametrize(("name", "size"), [("pass", 1), ("valleys", 1), ("neck", 1), ("two", 2)])
def test_the_minimum_cut_of_a_map_is_as_drawn(name: str, size: int) -> None:
    graph = passable(plan_of(LANDS[name]))
    cut = nx.minimum_node_cut(graph, "rim", "kept")
    assert len(cut) == size
    assert parts(graph, cut)
    held = sorted(cell for cell in graph if isinstance(cell, int))
    assert not any(parts(graph, cells) for cells in combinations(held, size - 1))


def test_maps_are_whole() -> None:
    for rows in LANDS.values():
        plan = plan_of(rows)
        assert {len(row) for row in rows} == {plan.width}
        assert len(rows) == plan.height
        assert plan.capital in plan.held
        assert len(plan.kept) > 2
        assert RIDGE > 1000


def test_a_castle_that_falls_before_the_end_is_refused() -> None:
    with pytest.raises(StudyError, match=r"^K12: height=2, block=3, turns=50: .* raise height or block"):
        run(Settings(height=2.0), How())
