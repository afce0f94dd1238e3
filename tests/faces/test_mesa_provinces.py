"""Seats of thought in Mesa: each civilization's provinces are the state's, in plain numbers and places of the grid."""

from __future__ import annotations

import copy
import pickle

import mesa
import numpy as np
import pytest
from face_games import SEVERAL, WAR

from civsim.engine.observation.features import FEATURES
from civsim.engine.observation.observer import observe
from civsim.faces.mesa import Civilization, CivModel
from civsim.faces.mesa_provinces import Province


class Settler(Civilization):
    def allocate(self):
        return {"settlement": 3, "works": 1, "strategists": 1}


def settled(turns: int = 7) -> CivModel:
    model = CivModel(SEVERAL, seed=1, civilizations=dict.fromkeys(range(3), Settler))
    for _ in range(turns):
        model.step()
    return model


def plain(province: Province) -> None:
    for value in (*province[2:], *(number for cell in province.cells for number in cell)):
        assert type(value) in (int, float)


def test_provinces_are_the_states() -> None:
    model = settled()
    state, width = model.world.state, SEVERAL.map.width
    for one in model.civilizations:
        count = int(state.office_count[0, one.seat])
        assert one.thought_seats == len(one.provinces) == count == 3
        assert sum(len(province.cells) for province in one.provinces) == one.size
        assert sum(province.staff for province in one.provinces) == pytest.approx(1.0)
        assert sum(province.output for province in one.provinces) == pytest.approx(one.output, rel=1e-5)
        commanded = one.settlement_fund + one.works_fund + one.wall_fund
        assert sum(province.funds for province in one.provinces) <= commanded + 1e-6
        assert one.provinces[0].horizon == one.horizon
        assert one.provinces[0].seat == one.cell.coordinate
        for office, province in enumerate(one.provinces):
            x, y = province.seat
            assert state.office_cell[0, one.seat, office] == y * width + x
            assert province.seat in province.cells
            assert all(state.province[0, y * width + x] == office for x, y in province.cells)
            assert all(model.grid.owner.data[cell] == one.seat for cell in province.cells)
            plain(province)


def test_a_realm_of_one_cell_or_whose_thought_is_housed_at_its_capital_is_one_province() -> None:
    for model in (settled(0), CivModel(WAR, seed=1)):
        for one in model.civilizations:
            (province,) = one.provinces
            assert (province.seat, province.cells, province.staff) == (one.cell.coordinate, (one.cell.coordinate,), 1.0)
            assert province.funds == one.settlement_fund + one.works_fund + one.wall_fund
            assert (province.horizon, province.sight, province.attention) == (one.horizon, one.sight, one.attention)
            plain(province)


def test_one_that_is_eliminated_has_none() -> None:
    model = settled()
    model.world.state.alive[0, 1] = 0
    assert (model.civilizations[1].provinces, model.civilizations[1].thought_seats) == ((), 0)


def test_the_grid_has_a_layer_of_provinces_where_there_can_be_several() -> None:
    model = settled()
    layer, field = model.grid.province.data, model.world.state.province[0]
    assert np.shares_memory(layer, field)
    assert all(layer[x, y] == field[y * 8 + x] for x in range(8) for y in range(6))
    assert not hasattr(CivModel(WAR).grid, "province")
    for twin in (copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
        assert np.array_equal(twin.grid.province.data, layer)
        assert twin.civilizations[1].provinces == model.civilizations[1].provinces


def test_the_observation_tells_of_seats_by_name() -> None:
    model = settled()
    rows = observe(model.world).features[0]
    names = (*FEATURES, "thought_seats", "thought_capital")
    for one in model.civilizations:
        assert dict(one.observation) == dict(zip(names, rows[one.seat].tolist(), strict=True))
        assert one.observation["thought_seats"] == one.thought_seats / 8
        assert one.observation["thought_capital"] == np.float32(one.provinces[0].staff)
        assert len(one.observation) == len(names)
    with pytest.raises(KeyError, match="'thought_seats' is no feature of the observation"):
        CivModel(WAR).civilizations[0].observation["thought_seats"]


def test_a_collector_may_ask_for_them() -> None:
    model = settled(0)
    model.datacollector = mesa.DataCollector(agent_reporters={"seats": "thought_seats"})
    for _ in range(4):
        model.step()
        model.datacollector.collect(model)
    told = model.datacollector.get_agent_vars_dataframe()["seats"]
    assert told.iloc[-1] > 1
