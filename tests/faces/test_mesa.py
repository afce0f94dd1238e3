"""A game through Mesa is the engine's game, to the bit; what is wrong is told in one line and stops the model."""

from __future__ import annotations

import copy
import gc
import pickle
import subprocess
import sys
import weakref

import mesa
import numpy as np
import pytest
from face_games import SEED, WAR, scripted_actions

import civsim
from civsim.base.constants import NOBODY, Category, Channel
from civsim.base.errors import ActionError, ScenarioError
from civsim.engine.observation.features import FEATURES
from civsim.engine.observation.observer import observe
from civsim.engine.state import State
from civsim.engine.world import World
from civsim.faces.answers import shares_of_answer
from civsim.faces.mesa import Civilization, CivModel
from civsim.scenarios import dump_scenario, override

SHORT = override(civsim.load_scenario("baseline"), {"game.turns": 30, "seat_default.policy": {"name": "adaptive"}})


def differing(one: State, other: State) -> list[str]:
    """The fields of which any bit differs."""
    return [name for name, a, b in zip(State._fields, one, other, strict=True) if a.tobytes() != b.tobytes()]


class Soldier(Civilization):
    """Plays the script of the faces' games, in which civilizations are eliminated."""

    def allocate(self):
        return scripted_actions(WAR, "simplex", self.model.world_id, self.model.turn)[self.seat]


class Settler(Civilization):
    """A civilization in ten lines."""

    def allocate(self):
        if self.observation["turns_left"] < np.log1p(10):
            return {"consumption": 1}
        if self.observation["frontier"] > 0 and self.size < 12:
            return {"settlement": 3, "works": 1}
        return {"consumption": 2, "works": 1, "army": 1}


class Through(Civilization):
    def allocate(self):
        return super().allocate()


class ByName(Civilization):
    def allocate(self):
        return {category.name.lower(): share for category, share in zip(Category, super().allocate(), strict=True)}


class ByNumber(Civilization):
    def allocate(self):
        return [float(share) for share in super().allocate()]


def war(world_id: int = 0) -> CivModel:
    return CivModel(WAR, seed=SEED, world_id=world_id, civilizations=dict.fromkeys(range(4), Soldier))


def by_the_engine(scenario, seed: int, world_id: int = 0) -> World:
    world, policies = World(scenario, seed=seed, world_ids=[world_id]), civsim.seat_policies(scenario)
    while not world.done[0]:
        world.step(policies.shares(world))
    return world


@pytest.mark.parametrize("name", ["baseline", "war", "raiders", "varied-prices"])
def test_the_game_is_the_engines(name):
    model = CivModel(name, seed=3, world_id=5)
    model.run_model()
    assert differing(model.world.state, by_the_engine(civsim.load_scenario(name), 3, 5).state) == []
    assert model.turn == model.game.game.turns
    assert not model.running


@pytest.mark.parametrize("kind", [Through, ByName, ByNumber])
@pytest.mark.parametrize("seats", [(0,), (1, 3), (0, 1, 2, 3)])
def test_one_that_answers_as_the_scripted_one_changes_nothing(kind, seats):
    model = CivModel(SHORT, seed=2, civilizations=dict.fromkeys(seats, kind))
    model.run_model()
    assert differing(model.world.state, by_the_engine(SHORT, 2).state) == []


def test_one_written_by_hand_leaves_the_bits_of_the_others_alone():
    answers = []

    class Noted(Settler):
        def allocate(self):
            answers.append(super().allocate())
            return answers[-1]

    model, world = CivModel(SHORT, seed=4, civilizations={1: Noted}), World(SHORT, seed=4)
    policies = civsim.seat_policies(SHORT)
    while model.running:
        model.step()
        shares = policies.shares(world)
        shares[0, 1] = shares_of_answer(answers[-1], world.open)
        world.step(shares)
        assert differing(model.world.state, world.state) == []
    assert len(answers) == SHORT.game.turns
    assert differing(world.state, by_the_engine(SHORT, 4).state) != []


def test_a_civilization_in_ten_lines_plays_another_game_and_only_its_own_seat_is_asked_of_it():
    model = CivModel(SHORT, seed=4, civilizations={1: Settler})
    assert [type(one) for one in model.civilizations] == [Civilization, Settler, Civilization, Civilization]
    model.step()
    assert model.world.shares[0, 1].tolist() == [0.0, 0.75, 0.25, 0.0, 0.0, 0.0, 0.0, 0.0]


def test_the_game_is_given_by_name_by_path_or_as_it_is(tmp_path):
    (tmp_path / "own.toml").write_text(dump_scenario(SHORT))
    for game in (str(tmp_path / "own.toml"), tmp_path / "own.toml", SHORT):
        assert CivModel(game).game == SHORT
    assert CivModel("peace").game.name == "peace"
    assert CivModel().game.name == "baseline"


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        ({"game": "baselin"}, "no scenario is called 'baselin'; did you mean 'baseline'?"),
        ({"seed": "seven"}, "seed='seven' is not a whole number in 0 … 18446744073709551615; give one"),
        ({"seed": ""}, "seed='' is not a whole number"),
        ({"seed": -1}, "seed=-1 is not a whole number"),
        ({"seed": 2**64}, "seed=18446744073709551616 is not a whole number"),
        ({"seed": "9" * 5000}, "seed='9999"),
        ({"seed": 1.5}, "seed=1.5 is not a whole number"),
        ({"seed": True}, "seed=True is not a whole number"),
        ({"seed": None}, "seed=None is not a whole number"),
        ({"world_id": "4294967296"}, "world_id='4294967296' is not a whole number in 0 … 4294967295; give one"),
        ({"rng": "x"}, "rng='x' is not a whole number"),
        ({"civilizations": {4: Settler}}, "civilizations: seat 4 is none of 0 … 3; give one of them"),
        ({"civilizations": {"0": Settler}}, "civilizations: seat '0' is none of 0 … 3; give one of them"),
        ({"civilizations": {0: mesa.Agent}}, "civilizations: <class 'mesa.agent.Agent'> of seat 0 is no subclass"),
        ({"civilizations": {0: "Settler"}}, "civilizations: 'Settler' of seat 0 is no subclass of Civilization"),
        ({"civilizations": [Settler]}, "civilizations=[<class '"),
    ],
)
def test_what_a_model_refuses(arguments, line):
    with pytest.raises(ScenarioError) as caught:
        CivModel(**arguments)
    assert str(caught.value).startswith(line)
    assert len(str(caught.value)) < 300
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("text", ["7", " 7 ", 7, 7.0, np.int64(7)])
def test_numbers_come_as_fields_of_a_page_give_them(text):
    model = CivModel(SHORT, seed=text, world_id=text, rng=None)
    assert (model.seed, model.world_id) == (7, 7)
    assert (model.world.seed, model.world.state.world_id.tolist()) == (7, [7])


def test_mesas_own_draws_follow_from_seed_and_world_and_the_world_never_draws_from_them():
    def draws(**arguments):
        model = CivModel(SHORT, **arguments)
        model.step()
        return [model.random.random(), model.rng.random()], model

    first, one = draws(seed=1)
    again, _ = draws(seed=1)
    other, _ = draws(seed=1, world_id=1)
    given, two = draws(seed=1, rng=9)
    text, _ = draws(seed=1, rng="9")
    assert first == again
    assert given == text
    assert len({str(item) for item in (first, other, given)}) == 3
    assert differing(one.world.state, two.world.state) == []


class Misspelt(Settler):
    def allocate(self):
        return {"setlement": 1} if self.model.turn == 3 else super().allocate()


class Broken(Settler):
    def allocate(self):
        if self.model.turn == 3:
            raise ZeroDivisionError("by hand")
        return super().allocate()


class Interrupted(Settler):
    def allocate(self):
        if self.model.turn == 3:
            raise KeyboardInterrupt
        return super().allocate()


@pytest.mark.parametrize(
    ("kind", "first", "then"),
    [
        (Misspelt, (ActionError, "Misspelt of seat 2: category 'setlement' is unknown; did you mean "), None),
        (Broken, (ZeroDivisionError, "by hand"), None),
        (Interrupted, (KeyboardInterrupt, ""), (ActionError, "turn 3 was broken off by KeyboardInterrupt; make the")),
    ],
)
def test_a_step_that_fails_stops_the_model_and_is_raised_again(kind, first, then):
    model = CivModel(SHORT, civilizations={2: kind})
    with pytest.raises(first[0]) as caught:
        model.run_model()
    assert str(caught.value).startswith(first[1])
    assert not model.running
    moved = copy.deepcopy(model.world.state)
    ways = [model.step]
    if hasattr(model, "run_for"):  # Mesa 3.5
        ways += [lambda: model.run_for(3), lambda: model.run_until(99)]
    kind_again, line = then or first
    for way in ways:
        with pytest.raises(kind_again) as caught:
            way()
        assert str(caught.value).startswith(line)
    assert model.turn == 3
    assert differing(model.world.state, moved) == []


def test_a_step_of_ones_own_that_fails_stops_the_model_too():
    class Own(CivModel):
        def step(self):
            super().step()
            raise RuntimeError("after the turn")

    model = Own(SHORT)
    for _ in range(2):
        with pytest.raises(RuntimeError, match="after the turn"):
            model.step()
    assert model.turn == 1
    assert not model.running


def test_once_the_game_is_over_nothing_moves_and_nothing_is_collected():
    model = CivModel(SHORT)
    model.run_model()
    end, rows = copy.deepcopy(model.world.state), len(model.datacollector.get_model_vars_dataframe())
    model.step()
    assert differing(model.world.state, end) == []
    assert not model.running
    assert rows == len(model.datacollector.get_model_vars_dataframe()) == SHORT.game.turns


def test_an_eliminated_civilization_leaves_the_agents_and_stays_among_the_civilizations():
    gone = 0
    for world_id in range(4):
        model = war(world_id)
        while model.running:
            model.step()
            alive = model.world.state.alive[0] != 0
            assert [one.alive for one in model.civilizations] == alive.tolist()
            assert set(model.agents) == {one for one in model.civilizations if one.alive}
            assert model.living == len(model.agents) == alive.sum()
            for one in model.civilizations:
                if not one.alive:
                    assert one.cell is None
                    assert (one.size, set(one.observation.values())) == (0, {0.0})
                    assert all(one not in cell.agents for cell in model.grid.all_cells)
        gone += 4 - model.living
    assert gone > 0


def test_a_civilization_stands_on_its_capital_which_moves():
    moves = 0
    for world_id in range(9):
        model = war(world_id)
        before = [one.cell.coordinate for one in model.civilizations]
        while model.running:
            model.step()
            for one in model.agents:
                x, y = one.cell.coordinate
                assert y * WAR.map.width + x == model.world.state.capital[0, one.seat]
                assert model.grid[x, y].agents == [one]
                moves += before[one.seat] != (x, y)
                before[one.seat] = (x, y)
    assert moves > 0


def test_what_a_civilization_says_of_itself_is_the_live_state_in_plain_numbers():
    model = CivModel(SHORT, seed=1, civilizations={0: Settler})
    for _ in range(12):
        model.step()
        state = model.world.state
        for seat, one in enumerate(model.civilizations):
            stock, level = state.stock[0, seat].tolist(), state.level[0, seat].tolist()
            told = {
                "seat": seat,
                "alive": bool(state.alive[0, seat]),
                "size": int((state.owner[0] == seat).sum()),
                "output": float(state.output[0, seat]),
                "consumption": float(state.consumption[0, seat]),
                "tribute": float(state.tribute[0, seat]),
                "reward": float(state.reward[0, seat]),
                "objective": float(state.utility[0, seat, model.world.config.objective]),
                "settlement_fund": stock[Category.SETTLEMENT],
                "works_fund": stock[Category.WORKS],
                "wall_fund": stock[Category.WALLS],
                "army": stock[Category.ARMY],
                "strategists": stock[Category.STRATEGISTS],
                "scouts": stock[Category.SCOUTS],
                "analysts": stock[Category.ANALYSTS],
                "horizon": level[Channel.HORIZON],
                "sight": level[Channel.SIGHT],
                "attention": level[Channel.ATTENTION],
            }
            for name, value in told.items():
                assert getattr(one, name) == value, name
                assert type(getattr(one, name)) is type(value), name
                if name != "seat":
                    with pytest.raises(AttributeError):
                        setattr(one, name, value)
    assert model.total_output == pytest.approx(sum(one.output for one in model.civilizations))
    assert model.total_consumption == pytest.approx(sum(one.consumption for one in model.civilizations))
    assert model.free_cells == (model.world.state.owner == NOBODY).sum()
    assert repr(model.civilizations[0]) == f"Settler(seat=0, size={model.civilizations[0].size})"


def test_what_it_may_know_is_the_observation_by_name():
    model = CivModel(SHORT, seed=1)
    for _ in range(3):
        rows = observe(model.world).features[0]
        for one in model.civilizations:
            assert dict(one.observation) == dict(zip(FEATURES, rows[one.seat].tolist(), strict=True))
            assert one.observation is one.observation
        model.step()
    with pytest.raises(KeyError, match="'fronteer' is no feature of the observation; did you mean 'frontier'"):
        model.civilizations[0].observation["fronteer"]
    assert "fronteer" not in model.civilizations[0].observation
    assert model.civilizations[0].observation.get("fronteer") is None


def test_a_copy_goes_on_bit_for_bit_and_shares_nothing():
    model = CivModel(SHORT, seed=6, civilizations={1: Settler})
    for _ in range(9):
        model.step()
    beside = mesa.discrete_space.CellAgent(model)
    beside.cell = model.grid[2, 3]
    before = copy.deepcopy(model.world.state)
    copies = [copy.deepcopy(model), pickle.loads(pickle.dumps(model))]
    for other in copies:
        other.run_model()
    assert differing(model.world.state, before) == []
    assert model.turn == 9
    model.run_model()
    for other in copies:
        assert differing(model.world.state, other.world.state) == []
        assert np.shares_memory(other.grid.owner.data, other.world.state.owner)
        assert not np.shares_memory(other.world.state.owner, model.world.state.owner)
        assert [type(one) for one in other.civilizations] == [type(one) for one in model.civilizations]
        assert all(agent.model is other for agent in other.agents)
        (moved,) = [agent for agent in other.agents if not isinstance(agent, Civilization)]
        assert moved.cell is other.grid[2, 3]
        assert moved.cell.owner == model.grid[2, 3].owner
        assert other.datacollector.get_agent_vars_dataframe().equals(model.datacollector.get_agent_vars_dataframe())


def test_models_are_freed_and_their_memory_with_them():
    model = CivModel(SHORT, civilizations={0: Settler})
    extra = mesa.Agent(model)
    model.run_model()
    model.datacollector.get_agent_vars_dataframe()
    left = [weakref.ref(item) for item in (model, model.world, model.civilizations[0], model.grid.owner, extra)]
    left.append(weakref.ref(model.world.state.owner))
    del model, extra
    gc.collect()
    gc.collect()  # the class of the grid's cells only goes once the grid is gone
    assert [item() for item in left] == [None] * 6


def test_every_agent_of_a_model_has_a_number_of_its_own():
    model, other = CivModel(SHORT), CivModel(SHORT)
    extra = [mesa.Agent(model) for _ in range(3)]
    assert [agent.unique_id for agent in model.agents] == [1, 2, 3, 4, 5, 6, 7]
    assert [agent.unique_id for agent in extra] == [5, 6, 7]
    assert [agent.unique_id for agent in other.agents] == [1, 2, 3, 4]


def test_it_runs_where_every_warning_is_an_error():
    code = (
        "from civsim.faces.mesa import Civilization, CivModel\n"
        "model = CivModel('peace', seed=1)\n"
        "for _ in range(3): model.step()\n"
        "print(model.turn, len(model.datacollector.get_agent_vars_dataframe()))"
    )
    done = subprocess.run([sys.executable, "-W", "error", "-c", code], capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, "3 12\n", "")
