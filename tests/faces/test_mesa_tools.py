"""Mesa's own tools on a model of civsim: layers, collectors, sets of agents, its page and its tutorial's patterns."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import ipyvuetify
import mesa
import numpy as np
import pandas as pd
import pytest
import solara
from mesa.visualization import Slider, SolaraViz
from mesa.visualization.utils import update_counter

import civsim
from civsim.base.errors import ActionError
from civsim.faces.mesa import AGENT_REPORTERS, MODEL_REPORTERS, Civilization, CivModel
from civsim.faces.mesa_grid import LAYERS
from civsim.scenarios import override

ROOT = Path(__file__).resolve().parents[2]

OBLONG = override(
    civsim.load_scenario("raiders"), {"map.width": 9, "map.height": 7, "game.turns": 25, "game.civilizations": 3}
)
"""A small map that is no square, so that a layer the wrong way round cannot pass."""


class Settler(Civilization):
    def allocate(self):
        return {"settlement": 2, "works": 1, "army": 1}


def test_the_layers_are_the_engines_memory():
    model = CivModel(OBLONG, seed=1)
    state = model.world.state
    assert model.grid.dimensions == (9, 7)
    for turn in range(12):
        for name in LAYERS:
            layer, field = getattr(model.grid, name), getattr(state, name)[0]
            assert np.shares_memory(layer.data, field)
            assert layer.data.dtype == field.dtype
            assert all(layer.data[x, y] == field[y * 9 + x] for x in range(9) for y in range(7))
            cell = model.grid[turn % 9, turn % 7]
            assert getattr(cell, name) == field[cell.coordinate[1] * 9 + cell.coordinate[0]]
        model.step()
    assert len(np.unique(model.grid.owner.data)) > 1
    assert model.grid.select_cells({"owner": lambda owner: owner == 0}) == list(
        zip(*np.nonzero(model.grid.owner.data == 0), strict=True)
    )


def test_the_layers_are_read_only():
    model = CivModel(OBLONG)
    layer, line = model.grid.works, "layer 'works' is the engine's and read-only; work on a copy: layer.data.copy\\(\\)"
    before = model.world.state.works.copy()
    for way in (
        lambda: layer.set_cells(1.0),
        lambda: layer.modify_cells(np.add, 1.0),
        lambda: model.grid.set_property("works", 1.0),
        lambda: model.grid.modify_properties("works", np.add, 1.0),
    ):
        with pytest.raises(ActionError, match=line):
            way()
    with pytest.raises(ValueError, match="read-only"):
        layer.data[0, 0] = 1.0
    with pytest.raises(ValueError, match="read-only"):
        model.grid[0, 0].works = 1.0
    assert np.array_equal(model.world.state.works, before)
    assert model.world.state.works.flags.writeable
    model.step()


def test_neighbours_are_the_engines_on_a_torus_and_on_a_bounded_map():
    for torus, count in ((False, 2), (True, 4)):
        model = CivModel(override(OBLONG, {"map.torus": torus}))
        assert len(model.grid[0, 0].connections) == count
        assert len(model.grid[4, 3].connections) == 4


def test_the_models_own_collector_keeps_every_turn():
    model = CivModel("war", seed=1)
    output, sizes, living = [], [], []
    while model.turn < 60:
        model.step()
        output.append(float(model.world.state.output.astype(float).sum()))
        sizes.append({one.seat: one.size for one in model.agents})
        living.append(len(model.agents))
    turns = model.datacollector.get_model_vars_dataframe()
    agents = model.datacollector.get_agent_vars_dataframe()
    assert list(turns) == list(MODEL_REPORTERS)
    assert list(agents) == list(AGENT_REPORTERS)
    assert not set(turns) & set(agents)
    assert turns["turn"].tolist() == list(range(1, 61))
    assert turns["total_output"].tolist() == pytest.approx(output)
    assert turns["living"].tolist() == living
    for turn, held in enumerate(sizes, start=1):
        rows = agents.xs(turn, level="Step")
        assert dict(zip(rows["seat"], rows["size"], strict=True)) == held


def test_the_models_own_collector_passes_over_agents_of_other_kinds():
    model = CivModel(OBLONG)
    mesa.Agent(model)
    model.step()
    rows = model.datacollector.get_agent_vars_dataframe()
    assert rows["size"].isna().tolist() == [False, False, False, True]


class Taught(CivModel):
    """A model of one's own, as Mesa's tutorial has it: parameters, a collector, agents asked in random order."""

    def __init__(self, game="peace", seed=0, threshold=3, rng=None):
        super().__init__(game, seed=seed, civilizations={0: Settler}, rng=rng)
        self.threshold, self.asked = threshold, []
        self.datacollector = mesa.DataCollector(
            model_reporters={"large": lambda model: len(model.agents.select(lambda one: one.size > model.threshold))},
            agent_reporters={"cells": "size", "double": lambda one: 2 * one.size},
        )
        self.datacollector.collect(self)

    def step(self):
        super().step()
        self.agents.shuffle_do(lambda one: self.asked.append(one.seat))
        self.datacollector.collect(self)


def test_a_model_of_ones_own_as_mesas_tutorial_teaches_it():
    model = Taught(seed=5, threshold=4)
    for _ in range(10):
        model.step()
    large = model.datacollector.get_model_vars_dataframe()["large"].tolist()
    assert len(large) == 11
    assert large[0] == 0
    assert large[-1] == sum(one.size > 4 for one in model.agents)
    agents = model.datacollector.get_agent_vars_dataframe()
    assert (agents["double"] == 2 * agents["cells"]).all()
    assert len(model.asked) == 40
    assert len({tuple(model.asked[place : place + 4]) for place in range(0, 40, 4)}) > 1
    alone = CivModel("peace", seed=5, civilizations={0: Settler})
    for _ in range(10):
        alone.step()
    assert np.array_equal(alone.world.state.owner, model.world.state.owner)


def test_sets_of_agents():
    model = CivModel("baseline", seed=2, civilizations={3: Settler})
    for _ in range(20):
        model.step()
    sizes = [one.size for one in model.civilizations]
    agents = model.agents
    assert agents.get("size") == sizes
    assert agents.agg("size", sum) == sum(sizes)
    assert agents.map(lambda one: one.size) == sizes
    assert [one.size for one in agents.sort("size")] == sorted(sizes, reverse=True)
    assert [one.seat for one in agents.select(lambda one: one.size == max(sizes))] == [
        seat for seat, size in enumerate(sizes) if size == max(sizes)
    ]
    assert [one.seat for one in agents.select(agent_type=Settler)] == [3]
    assert len(model.agents_by_type[Civilization]) == 3
    assert set(model.agent_types) == {Civilization, Settler}
    assert sorted(agents.shuffle().get("seat")) == [0, 1, 2, 3]
    assert agents.groupby("horizon").count() == {
        level: agents.get("horizon").count(level) for level in agents.get("horizon")
    }
    found = []
    agents.do(lambda one: found.append(one.output))
    assert found == [one.output for one in model.civilizations]


def rendered(model, parameters):
    """Mesa's page of a model, and the models that it has shown, in the interpreter: no browser is needed for it."""
    shown = []

    @solara.component
    def Shown(model):  # noqa: N802
        update_counter.get()
        shown.append(model)
        solara.Text(f"turn {model.turn}")

    page = SolaraViz(model, components=[Shown], model_params=parameters, play_interval=50)
    _, context = solara.render(solara.AppLayout(children=[page]), handle_error=False)
    return context, shown


def press(context, label):
    context.find(ipyvuetify.Btn, children=[label]).widget.click()


def test_mesas_page_makes_the_model_again_from_its_fields():
    parameters = {
        "game": {"type": "Select", "value": "peace", "values": ["peace", "war"], "label": "game"},
        "seed": {"type": "InputText", "value": "3", "label": "seed"},
        "world_id": Slider("world", 2, 0, 9, 1),
        "civilizations": {0: Settler},
    }
    context, shown = rendered(CivModel("peace", seed=3, world_id=2, civilizations={0: Settler}), parameters)
    try:
        press(context, "Step")
        assert (shown[-1].turn, shown[-1].game.name) == (1, "peace")
        field = context.find(ipyvuetify.TextField, label="seed").widget
        field.v_model = "11"
        field.fire_event("focusout", None)
        context.find(ipyvuetify.Select, label="game").widget.v_model = "war"
        context.find(ipyvuetify.Slider, label="world").widget.v_model = 7
        press(context, "Reset")
        model = shown[-1]
        assert (model.turn, model.game.name, model.seed, model.world_id) == (0, "war", 11, 7)
        assert isinstance(model.civilizations[0], Settler)
        press(context, "Step")
        press(context, "Step")
        assert shown[-1] is model
    finally:
        context.close()
    alone = CivModel("war", seed=11, world_id=7, civilizations={0: Settler})
    alone.step()
    alone.step()
    assert np.array_equal(alone.world.state.output, model.world.state.output)


def test_mesas_page_of_a_model_of_ones_own():
    context, shown = rendered(Taught(), {"threshold": Slider("threshold", 3, 1, 9, 1), "game": "peace"})
    try:
        press(context, "Step")
        context.find(ipyvuetify.Slider, label="threshold").widget.v_model = 8
        press(context, "Reset")
        press(context, "Step")
    finally:
        context.close()
    assert (shown[-1].threshold, shown[-1].turn) == (8, 1)


def test_the_example_plays_and_writes_its_tables(tmp_path):
    script = ROOT / "docs" / "examples" / "mesa_model.py"
    done = subprocess.run([sys.executable, str(script), "3"], cwd=tmp_path, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, ""), done.stderr
    turns, agents = pd.read_csv(tmp_path / "turns.csv"), pd.read_csv(tmp_path / "civilizations.csv")
    assert len(turns) == 150
    assert turns["alive"].tolist() == agents.groupby("Step").size().tolist()
    first = agents[agents["Step"] == 1]
    assert first["civilization"].tolist() == [0, 1, 2, 3]
    assert turns["largest"].tolist() == agents.groupby("Step")["cells"].max().tolist()
