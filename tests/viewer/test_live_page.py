"""The live page in a real browser: what is moved moves the next turn, and two pages do not disturb one another."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from browser import Visit, pixels

from civsim.agents import seat_policies
from civsim.base.constants import N_CATEGORIES, Category
from civsim.engine.world import World
from civsim.faces.actions import project_shares
from civsim.scenarios import load_scenario, override
from civsim.viewer.camera import Camera, Frame
from civsim.viewer.live import make_site
from civsim.viewer.server import Server

GAME = override(load_scenario("baseline"), {"map.width": 12, "map.height": 10, "game.turns": 30})
HELD = (0, 2)
SEED, WORLD = 3, 1


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with Server(make_site(GAME, SEED, WORLD, HELD)) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server.url
        finally:
            server.shutdown()
            thread.join()


def played(turns: int, seed: int = SEED, world_id: int = WORLD, by_hand: dict[int, list[float]] | None = None) -> Frame:
    """The frame after so many turns of the engine's own game, some seats playing weights from the first turn on."""
    world = World(GAME, world_ids=[world_id], seed=seed)
    policies, camera = seat_policies(GAME), Camera(world)
    for _ in range(turns):
        shares = policies.shares(world)
        for seat, weights in (by_hand or {}).items():
            shares[0, seat] = project_shares(weights, world.open)
        world.step(shares)
        frame = camera.frame()
    return frame


def note(page: Any, turn: int, view: int) -> Any:
    """What the page was told of a turn."""
    return page.evaluate(f"civsim.viewer.source.note({turn}, {view})")


def map_of(page: Any, turn: int, view: int) -> bytes:
    """The bytes of a map that the page holds."""
    script = f"""(async () => {{ const {{ map }} = await civsim.viewer.source.frame({turn}, {view});
      return Object.values(map).flatMap((p) => [...new Uint8Array(p.buffer, p.byteOffset, p.byteLength)]); }})()"""
    return bytes(page.evaluate(script))


def step(page: Any, turn: int) -> None:
    """Press the button for one turn on, and see it come."""
    page.get_by_role("button", name="one turn on (→)").click()
    page.locator(".cv-turn", has_text=f"turn {turn} of 30").wait_for()


def slide(page: Any, name: str, value: float) -> None:
    """Drag a slider of the panel to a value, as far as a script can: by setting it and telling of it."""
    page.get_by_role("slider", name=name, exact=True).evaluate(
        f"(s) => {{ s.value = {value}; s.dispatchEvent(new Event('input')); }}"
    )


def test_untouched_it_shows_the_game_of_the_policies(url: str, visit: Visit) -> None:
    page = visit(url)
    for turn in (1, 2, 3):
        step(page, turn)
    frame = played(3)
    for view, seen in frame.views.items():
        assert map_of(page, 3, view) == seen.planes
        assert note(page, 3, view) == seen.note


def test_play_runs_to_the_end_and_any_turn_can_be_gone_back_to(url: str, visit: Visit) -> None:
    page = visit(url)
    page.get_by_label("turns a second").select_option("60")
    page.get_by_role("button", name="play or pause (space)").click()
    page.locator(".cv-turn", has_text="turn 30 of 30").wait_for()
    assert note(page, 30, 0) == played(30).views[0].note
    end = pixels(page)
    page.locator(".cv-scrubber").evaluate("(s) => { s.value = 4; s.dispatchEvent(new Event('input')); }")
    page.locator(".cv-turn", has_text="turn 4 of 30").wait_for()
    page.wait_for_function("civsim.viewer.frame.turn === 4")
    assert not np.array_equal(pixels(page), end)
    page.get_by_role("button", name="one turn on (→)").click()
    page.locator(".cv-turn", has_text="turn 5 of 30").wait_for()
    assert note(page, 5, 1) == played(5).views[1].note


def test_a_moved_slider_changes_the_very_next_turn(url: str, visit: Visit) -> None:
    page = visit(url)
    for category in Category:
        slide(page, category.name.lower(), 1.0 if category == Category.CONSUMPTION else 0.0)
    assert page.locator(".cv-sliders output").first.inner_text() == "100 %"
    step(page, 1)
    weights = [1.0] + [0.0] * (N_CATEGORIES - 1)
    assert note(page, 1, 1) == played(1, by_hand={0: weights}).views[1].note
    assert note(page, 1, 1) != played(1).views[1].note
    assert page.locator(".cv-held").get_attribute("data-by-hand") == "true"


def test_each_seat_that_is_held_has_its_own_sliders(url: str, visit: Visit) -> None:
    page = visit(url)
    page.locator(".cv-held [data-seat='2']").click()
    for category in Category:
        slide(page, category.name.lower(), 0.5 if category in (Category.ARMY, Category.WALLS) else 0.0)
    step(page, 1)
    weights = [0.5 if category in (Category.ARMY, Category.WALLS) else 0.0 for category in Category]
    assert note(page, 1, 3) == played(1, by_hand={2: weights}).views[3].note
    assert page.locator(".cv-held [data-seat='1']").count() == 0


def test_a_seat_can_be_given_back_to_its_policy(url: str, visit: Visit) -> None:
    page = visit(url)
    slide(page, "army", 1.0)
    page.get_by_text("give back to its policy").click()
    step(page, 1)
    assert note(page, 1, 1) == played(1).views[1].note
    assert page.locator(".cv-back").is_hidden()


def test_a_price_slides_and_is_paid(url: str, visit: Visit) -> None:
    page = visit(url)
    for name in ("horizon", "sight", "attention"):
        slide(page, f"price of {name}", 4)
    assert page.get_by_text("× 16.00").count() == 3
    for turn in range(1, 6):
        step(page, turn)
    assert note(page, 5, 1) != played(5).views[1].note


def test_another_game_is_that_of_its_seed_and_world(url: str, visit: Visit) -> None:
    page = visit(url)
    step(page, 1)
    page.get_by_label("seed").fill(str(2**64 - 1))
    page.get_by_label("world").fill("7")
    page.get_by_text("begin anew").click()
    page.locator(".cv-turn", has_text="turn 0 of 30").wait_for()
    step(page, 1)
    step(page, 2)
    assert note(page, 2, 1) == played(2, 2**64 - 1, 7).views[1].note


def test_what_the_server_refuses_is_said_in_a_line_and_the_game_goes_on(url: str, visit: Visit) -> None:
    page = visit(url)
    page.get_by_label("seed").fill("minus one")
    page.get_by_text("begin anew").click()
    error = page.get_by_role("alert")
    error.wait_for()
    assert error.inner_text() == "seed='minus one' is outside 0 … 18446744073709551615; give a whole number in it"
    step(page, 1)
    assert error.is_hidden()
    assert note(page, 1, 0) == played(1).views[0].note
    # Chromium itself tells of an answer that is none; that it was expected is what this test is about.
    assert all("400" in line for line in visit.watch.wrong)  # type: ignore[attr-defined]
    visit.watch.wrong.clear()  # type: ignore[attr-defined]


def test_two_pages_do_not_disturb_one_another(url: str, visit: Visit) -> None:
    first, second = visit(url), visit(url)
    slide(first, "army", 1.0)
    step(first, 1)
    step(first, 2)
    step(second, 1)
    assert note(second, 1, 1) == played(1).views[1].note
    assert note(first, 1, 1) != note(second, 1, 1)
    step(first, 3)
    step(second, 2)
    assert note(second, 2, 1) == played(2).views[1].note


def test_the_panel_fits_a_telephone(url: str, visit: Visit) -> None:
    page = visit(url, width=390, height=800)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
