"""Rows set back to rest: all of them and nothing else."""

from __future__ import annotations

import numpy as np
import pytest

from civsim.base.scenario import Scenario
from civsim.engine.rest import Resting, _rest_rows
from civsim.engine.state import ORDER_SPEC, SPEC, allocate, allocate_orders

SCENARIO = {"map": {"width": 5, "height": 4}, "game": {"civilizations": 3}, "thinking": {"noise": 0.3}}


@pytest.mark.parametrize("compiled", [True, False])
@pytest.mark.parametrize("rows", [[1], [3, 0], [], [0, 1, 2, 3]])
def test_rows_are_at_rest_and_their_neighbours_are_untouched(rows: list[int], compiled: bool) -> None:
    scenario = Scenario(**SCENARIO)
    state, orders, shares = allocate(scenario, 4), allocate_orders(scenario, 4), np.zeros((4, 3, 8))
    for array in (*state, *orders, shares):
        array[...] = 7
    resting = Resting(scenario, state, orders, shares)
    if not compiled:
        resting._rest = lambda table, rows: _rest_rows(table.record, rows)
    resting(np.array(rows, np.int64))
    others = [row for row in range(4) if row not in rows]
    for record, specification in ((state, SPEC), (orders, ORDER_SPEC)):
        for name, spec in specification.items():
            array = getattr(record, name)
            assert (array[others] == 7).all()
            assert (array[rows] == (7 if name == "world_id" else spec.fill)).all()
    assert (shares[others] == 7).all()
    assert (shares[rows] == 0).all()
