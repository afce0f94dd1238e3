"""The page of a comparison, opened from disk in a browser: one scrubber moves both games, and says where they part."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from browser import Visit
from playwright.sync_api import Page
from recorded import GAMES

from civsim.agents import seat_policies
from civsim.base.scenario import Scenario
from civsim.engine.world import World
from civsim.faces.drawing import PALETTE
from civsim.scenarios import override
from civsim.viewer.comparison import LOST, Arm, Comparison, compare, comparison_page

GAME = override(GAMES["war"](), {"claims.cost": 0.7, "game.turns": 25})
OTHER = override(GAME, {"seats.2.policy.name": "builder", "seats.3.policy.name": "rusher"})
DIM = 3 * 165
"""More than the sum of the parts of a dim colour."""
GAINED = """(cells) => {
  const map = window.civsim.comparison.gains.map, { width, height } = map.canvas, s = map.side;
  const pixels = map.context.getImageData(0, 0, width, height).data;
  return cells.map((cell) => {
    const [x, y] = map.corner(cell);
    const at = 4 * ((y + Math.floor(s / 6)) * width + x + Math.floor(s / 2));
    return Array.from(pixels.slice(at, at + 3));
  });
}"""
"""The colours of cells on the map of gains, above their middle, where no mark is."""


def arm(label: str, game: Scenario) -> Arm:
    world, policies = World(game, world_ids=[3], seed=0), seat_policies(game)
    return Arm(label, world, lambda: world.step(policies.shares(world)))


@pytest.fixture(scope="module")
def made() -> Comparison:
    return compare(arm("as it is", GAME), arm("with a rusher", OTHER))


@pytest.fixture
def shown(visit: Visit, made: Comparison, tmp_path: Path) -> Page:
    """The page, standing."""
    return opened(visit, made, tmp_path)


def opened(visit: Visit, comparison: Comparison, folder: Path) -> Page:
    (folder / "page.html").write_text(comparison_page(comparison), encoding="utf-8")
    page: Page = visit(folder / "page.html", width=1300)
    return page


def turns_of(page: Page) -> Any:
    """The turn of the transport, of what both games show, and of the map of gains."""
    return page.evaluate(
        "() => { const c = window.civsim.comparison;"
        " return [c.transport.turn, ...c.viewers.map((v) => v.frame.turn), c.gains.turn]; }"
    )


def test_it_says_where_the_games_part_and_leads_there(shown: Page, made: Comparison) -> None:
    first = made.firsts[0]
    parting = shown.locator(".cv-parting > p")
    assert parting.inner_text() == f"They part in turn {first.turn}: {first.group}, {first.words}"
    assert shown.locator("h1").inner_text() == "as it is beside with a rusher"
    assert "seat 3, policy.name: fixed → rusher" in shown.locator(".cv-head").inner_text()
    parting.locator("button").click()
    shown.get_by_text(f"turn {first.turn} of 25").wait_for()
    assert turns_of(shown) == [first.turn] * 4
    shown.get_by_text("What else differs").click()
    rows = shown.locator(".cv-parting tbody tr")
    assert rows.count() == len(made.firsts)
    last = made.firsts[-1]
    rows.last.locator("button").click()
    shown.get_by_text(f"turn {last.turn} of 25").wait_for()
    assert turns_of(shown) == [last.turn] * 4


def test_one_scrubber_keys_and_buttons_move_both(shown: Page) -> None:
    shown.keyboard.press("ArrowRight")
    shown.get_by_text("turn 1 of 25").wait_for()
    shown.locator(".cv-scrubber").evaluate(
        "(range) => { range.value = 17; range.dispatchEvent(new Event('input', { bubbles: true })); }"
    )
    shown.get_by_text("turn 17 of 25").wait_for()
    assert turns_of(shown) == [17] * 4
    shown.locator(".cv-scrubber").click()
    shown.get_by_text(re.compile("turn 1[23] of 25")).wait_for()
    shown.keyboard.press("End")
    shown.get_by_text("turn 25 of 25").wait_for()
    shown.keyboard.press("Home")
    shown.get_by_text("turn 0 of 25").wait_for()
    shown.locator("select").select_option("60")
    shown.locator(".cv-play").click()
    shown.get_by_text("turn 25 of 25").wait_for()
    assert turns_of(shown) == [25] * 4


def test_both_show_what_one_seat_believes(shown: Page) -> None:
    assert not shown.locator(".cv-side").first.is_visible()
    shown.locator(".cv-game").nth(1).locator("[data-view='3']").click()
    shown.get_by_text("What seat 2 knows").nth(1).wait_for()
    assert shown.evaluate("() => window.civsim.comparison.viewers.map((viewer) => viewer.view)") == [3, 3]
    assert shown.locator(".cv-side").first.is_visible()
    shown.keyboard.press("0")
    shown.get_by_text("The world as it is").nth(1).wait_for()
    assert shown.get_by_text("What seat 2 knows").count() == 0


def test_cells_have_the_colour_of_who_gained_them(shown: Page, made: Comparison) -> None:
    shown.keyboard.press("End")
    shown.get_by_text("turn 25 of 25").wait_for()
    gains = made.gains[-1]
    seats = {cell: int(gain) - 1 for cell, gain in enumerate(gains) if 0 < gain <= LOST}
    assert seats, "somebody gained a cell"
    colours = shown.evaluate(GAINED, list(range(len(gains))))
    for cell, seat in seats.items():
        pixel = colours[cell]
        nearest = min(range(4), key=lambda k: sum((int(a) - b) ** 2 for a, b in zip(PALETTE[k], pixel, strict=True)))
        assert nearest == seat
    same = [cell for cell, gain in enumerate(gains) if not gain]
    assert all(sum(colours[cell]) < DIM for cell in same), "what is the same is dim"


def test_the_difference_is_told_seat_by_seat(shown: Page, made: Comparison) -> None:
    shown.keyboard.press("End")
    shown.get_by_text("turn 25 of 25").wait_for()
    rows = shown.locator(".cv-told tbody tr")
    assert rows.count() == 4
    for seat in range(4):
        cells = made.measures["cells"][:, seat, -1]
        more = int(cells[1] - cells[0])
        told = rows.nth(seat).locator("td").all_inner_texts()
        assert told[7:] == [str(int(cells[0])), f"+{more}" if more > 0 else f"−{-more}" if more else "0"]
    charts = shown.locator(".cv-told .cv-chart")
    assert charts.count() == 4
    assert charts.first.locator("path.cv-line").count() == 4


def test_a_game_beside_itself(visit: Visit, tmp_path: Path) -> None:
    page = opened(visit, compare(arm("a", GAME), arm("b", GAME), turns=3), tmp_path)
    assert page.locator(".cv-parting").inner_text() == "Nothing differs: it is the same game twice."
    page.keyboard.press("End")
    page.get_by_text("turn 3 of 3").wait_for()
    assert all(sum(colour) < DIM for colour in page.evaluate(GAINED, list(range(64))))


def test_on_a_narrow_page_the_games_are_one_below_the_other(shown: Page) -> None:
    shown.set_viewport_size({"width": 390, "height": 800})
    shown.wait_for_timeout(200)
    boxes = [shown.locator(".cv-game canvas.cv-map").nth(k).bounding_box() for k in (0, 1)]
    assert boxes[0] is not None
    assert boxes[1] is not None
    assert boxes[1]["y"] > boxes[0]["y"] + boxes[0]["height"]
    assert shown.evaluate("() => document.documentElement.scrollWidth") <= 390
