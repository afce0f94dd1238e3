"""The Mesa page: what it shows is the game, its controls do what they say, and sessions do not disturb one another."""

from __future__ import annotations

import base64
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import ipyvuetify
import numpy as np
import pytest
import solara
from browser import PATIENCE, Visit
from ipywidgets import Widget
from mesa.visualization import SolaraViz

from civsim.agents import seat_policies
from civsim.base.constants import N_CATEGORIES
from civsim.base.scenario import Scenario
from civsim.engine.world import World
from civsim.faces.mesa import CivModel
from civsim.scenarios import load_scenario, override
from civsim.viewer.camera import Camera
from civsim.viewer.document import message
from civsim.viewer.mesa_page import FULL, NOBODY, GameView, Hands, Held, PageModel, Reel
from civsim.viewer.palette import cell_colours, ground_levels
from civsim.viewer.planes import unpack

SETTINGS = {"map.width": 12, "map.height": 9, "game.turns": 40, "game.closed": ["walls"]}
GAME = override(load_scenario("raiders"), SETTINGS)
FOREIGN_WARNING = "falling back to old method"
"""Solara's own router says ``modules`` where it means ``module``."""
COMMAND = "import sys; from civsim.cli import main; sys.exit(main(sys.argv[1:]))"


def frames_of(seed: int, world_id: int, turns: int, scenario: Scenario = GAME) -> list[dict[str, Any]]:
    """The frames of a game that the engine plays by itself, as they are sent."""
    world, policies = World(scenario, seed=seed, world_ids=[world_id]), seat_policies(scenario)
    camera = Camera(world)
    found = [message(camera.frame())]
    for _ in range(turns):
        world.step(policies.shares(world))
        found.append(message(camera.frame()))
    return json.loads(json.dumps(found))


def page_model(seed: int | str = 0, world_id: int | str = 0) -> PageModel:
    return PageModel(GAME, seed, world_id, dict.fromkeys(range(4), Held))


def test_a_reel_has_every_frame_however_seldom_it_is_asked():
    model = page_model(3, 1)
    reel = Reel(model)
    taken = [json.loads(reel.take())]
    for turns in (1, 4, 0, 3):
        for _ in range(turns):
            model.step()
        taken.append(json.loads(reel.take()))
    assert [len(part["frames"]) for part in taken] == [1, 1, 4, 0, 3]
    assert [part["number"] for part in taken] == [1, 2, 3, 4, 5]
    assert {part["game"] for part in taken} == {json.loads(reel.header)["game"]}
    assert [frame for part in taken for frame in part["frames"]] == frames_of(3, 1, 8)


def test_two_reels_are_never_taken_for_one():
    games = [json.loads(Reel(page_model()).header)["game"] for _ in range(3)]
    assert len(set(games)) == 3


@pytest.mark.parametrize(
    ("fields", "line"),
    [
        (("x", "0"), "seed='x' is not a whole number in 0 … 18446744073709551615; give one"),
        (("0", "-1"), "world_id='-1' is not a whole number in 0 … 4294967295; give one"),
    ],
)
def test_a_model_of_the_page_says_what_is_wrong_with_its_fields(fields, line):
    model = page_model(*fields)
    assert model.complaint == line
    model.step()
    assert (model.turn, model.running) == (0, False)
    good = page_model("5", "2")
    good.step()
    assert (good.complaint, good.turn, good.seed, good.world_id) == ("", 1, 5, 2)


def rendered(element: Any) -> tuple[Any, Any]:
    """The root of the widgets that an element makes, and what they are found by."""
    return solara.render(element, handle_error=False)


def below(widget: Any) -> Iterator[Any]:
    """Yield a widget and all that it holds."""
    yield widget
    for name in ("children", "items", "v_slots"):
        for held in getattr(widget, name, ()):
            inner = held.get("children") if isinstance(held, dict) else held
            for one in inner if isinstance(inner, list) else [inner]:
                if isinstance(one, Widget):
                    yield from below(one)


def test_a_seat_that_is_held_plays_what_the_sliders_say_and_is_given_back():
    model = page_model(1)
    _, context = rendered(Hands(model))
    try:
        choice = context.find(ipyvuetify.Select, label="Seat you hold")
        assert choice.widget.items == [NOBODY, *(f"seat {seat} (fixed)" for seat in range(4))]
        choice.widget.v_model = "seat 2 (fixed)"
        sliders = context.find(ipyvuetify.Slider).widgets
        assert len(sliders) == N_CATEGORIES - 1  # walls are closed
        scripted = model.scripted(2)
        assert [slider.v_model for slider in sliders] == [round(FULL * float(share)) for share in scripted if share]
        for slider in context.find(ipyvuetify.Slider).widgets[1:]:
            slider.v_model = 0
        context.find(ipyvuetify.Slider).widgets[0].v_model = FULL
        model.step()
        assert model.world.shares[0, 2].tolist() == [1.0, *(N_CATEGORIES - 1) * [0.0]]
        assert np.allclose(model.world.shares[0, 1], scripted, atol=1e-6)
        context.find(ipyvuetify.Slider).widgets[0].v_model = 0
        assert "Give at least one category something" in str(context.find(ipyvuetify.Alert).widget.children)
        model.step()
        assert model.world.shares[0, 2, 0] == 1.0
        context.find(ipyvuetify.Select, label="Seat you hold").widget.v_model = NOBODY
        model.step()
        assert np.allclose(model.world.shares[0, 2], scripted, atol=1e-6)
    finally:
        context.close()


def test_the_view_is_a_component_of_any_page_of_mesas():
    model = CivModel(GAME, seed=4)
    root, context = rendered(solara.AppLayout(children=[SolaraViz(model, components=[GameView])]))
    try:
        maps = [widget for widget in below(root) if hasattr(widget, "frames")]
        assert len(maps) == 1
        context.find(ipyvuetify.Btn, children=["Step"]).widget.click()
        assert [frame["turn"] for frame in json.loads(maps[0].frames)["frames"]] == [1]
    finally:
        context.close()


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """Where ``civsim mesa`` serves the game, as a program."""
    settings = [part for key, value in SETTINGS.items() for part in ("--set", f"{key}={json.dumps(value)}")]
    command = [
        sys.executable,
        "-c",
        COMMAND,
        "mesa",
        "raiders",
        *settings,
        "--seed",
        "2",
        "--world",
        "1",
        "--port",
        "0",
    ]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout is not None
            assert server.stderr is not None
            found = re.search(r"raiders is at (http://127\.0\.0\.1:\d+/)", server.stdout.readline())
            assert found, server.stderr.read()
            yield found[1]
        finally:
            server.terminate()
            _, complaints = server.communicate(timeout=30)
    assert "Traceback" not in complaints, complaints


@pytest.fixture
def opened(visit: Visit, address: str) -> Iterator[Any]:
    yield lambda **options: visit(address, wait=".civsim-mesa .cv-turn", **options)
    wrong = visit.watch.wrong
    wrong[:] = [complaint for complaint in wrong if FOREIGN_WARNING not in complaint]


def at_turn(page: Any, turn: int) -> None:
    """Wait until a turn has been painted."""
    page.wait_for_function(
        """(turn) => { const { viewer } = document.querySelector('.civsim-mesa').__vue__;
        return viewer && viewer.frame && viewer.frame.turn === turn; }""",
        arg=turn,
        timeout=PATIENCE,
    )


def notes_of(page: Any, views: int = 5) -> list[list[Any]]:
    """Every note that the page has, by turn and view."""
    return page.evaluate(
        """(views) => { const { source } = document.querySelector('.civsim-mesa').__vue__, found = [];
        for (let turn = source.first; turn <= source.last; turn++)
          found.push([...Array(views).keys()].map((view) => source.note(turn, view)));
        return found; }""",
        views,
    )


def told(frames: list[dict[str, Any]]) -> list[list[Any]]:
    return [[frame["views"][str(view)]["note"] for view in range(5)] for frame in frames]


def press(page: Any, name: str) -> None:
    page.get_by_role("button", name=name, exact=True).click()


def step(page: Any, turn: int) -> None:
    """Press Step, and wait for the turn that it plays."""
    press(page, "Step")
    at_turn(page, turn)


def painted(page: Any) -> np.ndarray:
    """The colour in the middle of every cell of the map, uint8 [C, 3]."""
    script = """(canvas, [wide, high]) => {
      const { width, height } = canvas;
      const data = canvas.getContext('2d').getImageData(0, 0, width, height).data, found = [];
      for (let y = 0; y < high; y++) for (let x = 0; x < wide; x++) {
        const at = 4 * (Math.floor((y + 0.5) * height / high) * width + Math.floor((x + 0.5) * width / wide));
        found.push([data[at], data[at + 1], data[at + 2]]);
      }
      return found; }"""
    return np.array(page.locator("canvas.cv-map").evaluate(script, [GAME.map.width, GAME.map.height]), np.uint8)


def hold(page: Any, seat: int) -> None:
    page.get_by_label("Seat you hold").click(force=True)
    page.locator(".v-list-item", has_text=f"seat {seat} ").click()
    page.get_by_text("consumption", exact=False).first.wait_for()


def fill(page: Any, label: str, text: str) -> None:
    field = page.get_by_label(label)
    field.fill(text)
    field.press("Enter")


def test_step_and_play_show_the_engines_game(opened):
    page = opened()
    assert page.title() == "raiders – civsim"
    expected = frames_of(2, 1, 40)
    assert notes_of(page) == told(expected[:1])
    step(page, 1)
    step(page, 2)
    assert page.locator(".cv-turn").inner_text() == "turn 2 of 2"
    press(page, "▶")
    at_turn(page, 40)
    assert notes_of(page) == told(expected), "every turn was shown, and is the engine's"
    table = page.locator(".cv-side table").first.inner_text()
    assert all(f"seat {seat}" in table for seat in range(4))
    assert page.get_by_role("button", name="Step", exact=True).is_disabled()


def test_the_map_is_painted_as_the_engines_land_is(opened):
    page, frame = opened(width=1500), frames_of(2, 1, 12)[-1]["views"]["0"]
    for turn in range(1, 13):
        step(page, turn)
    planes, note = unpack(base64.b64decode(frame["planes"]), GAME.n_cells), frame["note"]
    bare = (planes["flags"] == 0) & (planes["works"] == 0) & (planes["wall"] == 0)
    marked = [event[1] for event in note["events"]] + [band[0] for band in note["bands"]]
    bare[[cell for cell in (*marked, *note["capitals"], *(party[1] for party in note["parties"])) if cell >= 0]] = False
    levels = ground_levels()
    value, rugged = np.array(levels["value"])[planes["value"]], np.array(levels["rugged"])[planes["rugged"]]
    colours = cell_colours(4)[0, planes["owner"], value, rugged]
    assert len(np.unique(planes["owner"][bare])) > 2
    assert np.array_equal(painted(page)[bare], colours[bare])


def test_the_scrubber_looks_back_and_views_change(opened):
    page = opened()
    for turn in range(1, 7):
        step(page, turn)
    now = painted(page)
    page.locator("input.cv-scrubber").fill("2")
    at_turn(page, 2)
    assert page.locator(".cv-turn").inner_text() == "turn 2 of 6"
    then = painted(page)
    assert not np.array_equal(then, now)
    press(page, "Step")
    page.get_by_text("turn 2 of 7").wait_for()  # who looks back is not carried off
    page.get_by_role("tab", name="seat 1").click()
    page.get_by_text("What seat 1 knows.").wait_for()
    assert not np.array_equal(painted(page), then)


def test_a_slider_that_is_moved_changes_the_next_turn(opened):
    page = opened()
    undisturbed = told(frames_of(2, 1, 9))
    for turn in range(1, 5):
        step(page, turn)
    hold(page, 0)
    for name in ("settlement", "works"):
        slider = page.locator(".v-input__slider", has_text=name).locator("[role=slider]")
        slider.focus()
        slider.press("Home")
        page.get_by_text(f"{name} 0%").wait_for()
    step(page, 5)
    notes = notes_of(page)
    assert notes[:5] == undisturbed[:5]
    assert notes[5] != undisturbed[5]
    for turn in range(6, 10):
        step(page, turn)
    assert notes_of(page)[9][0] != undisturbed[9][0]


def test_reset_begins_the_game_of_other_fields(opened):
    page = opened()
    step(page, 1)
    fill(page, "Seed (taken at Reset)", "no number")
    press(page, "Reset")
    page.get_by_text("No game: seed='no number' is not a whole number in 0 …").wait_for()
    assert page.locator(".civsim-mesa").count() == 0
    fill(page, "Seed (taken at Reset)", "12")
    fill(page, "World (taken at Reset)", "3")
    press(page, "Reset")
    page.get_by_text("seed 12 · world 3").wait_for()
    at_turn(page, 0)
    for turn in range(1, 4):
        step(page, turn)
    assert notes_of(page) == told(frames_of(12, 3, 3))


def test_two_sessions_do_not_disturb_one_another(opened):
    one, other = opened(), opened()
    step(one, 1)
    hold(one, 1)
    slider = one.locator(".v-input__slider", has_text="consumption").locator("[role=slider]")
    slider.focus()
    slider.press("End")
    one.get_by_text(re.compile("consumption [5-9][0-9]%")).wait_for()
    assert notes_of(other) == told(frames_of(2, 1, 0))
    for turn in range(1, 6):
        step(other, turn)
        step(one, turn + 1)
    expected = told(frames_of(2, 1, 5))
    assert notes_of(other) == expected
    assert notes_of(one)[5] != expected[5]


def test_the_map_goes_dark_with_mesas_page(opened):
    page, colours = opened(), []
    for _ in range(3):  # Solara's switch goes round: as the device is, light, dark
        page.locator("header button").last.click()
        page.wait_for_timeout(300)
        script = "main => [getComputedStyle(main).backgroundColor, document.querySelector('.v-application').className]"
        colour, names = page.locator("main.civsim").evaluate(script)
        assert (colour == "rgb(20, 22, 27)") == ("theme--dark" in names)
        colours.append(colour)
    assert len(set(colours)) == 2
