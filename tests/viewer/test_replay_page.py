"""A replay in a real browser, from a file: controls do what they say, and what is painted is what the frame says."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from browser import Visit, pixels

from civsim.agents import seat_policies
from civsim.engine.world import World
from civsim.scenarios import load_scenario, override
from civsim.viewer.camera import Frame
from civsim.viewer.document import Document, read_document
from civsim.viewer.games import film
from civsim.viewer.notes import FIGURES
from civsim.viewer.page import DATA, page, write_page
from civsim.viewer.palette import VEIL_AGES, cell_colours, ground_levels
from civsim.viewer.planes import unpack

GAME = override(load_scenario("raiders"), {"map.width": 14, "map.height": 10, "game.turns": 40})
CELLS = GAME.n_cells
AT = {figure.name: place for place, figure in enumerate(FIGURES)}
LARGEST = 2_000_000
"""Bytes that a game of 400 turns, 32 × 32 cells and 8 seats may take."""


class Film:
    """A game on disk and its frames."""

    def __init__(self, path: Path, document: Document) -> None:
        self.path = path
        self.header, self.frames = read_document(document.text())
        write_page(path, document)

    def note(self, turn: int, view: int) -> dict[str, Any]:
        return self.frames[turn].views[view].note


@pytest.fixture(scope="module")
def game(tmp_path_factory: pytest.TempPathFactory) -> Film:
    document = film(World(GAME, 1, seed=2), seat_policies(GAME), title="a game of raiders")
    return Film(tmp_path_factory.mktemp("film") / "game.html", document)


def turn_of(page: Any) -> int:
    found = re.fullmatch(r"turn (\d+) of 40", page.locator(".cv-turn").inner_text())
    assert found
    return int(found[1])


def go(page: Any, turn: int, view: int | None = None) -> None:
    """Stand at a turn, in a view, all painted."""
    look = "" if view is None else f"await civsim.viewer.look({view});"
    page.evaluate(f"(async () => {{ {look} await civsim.viewer.transport.go({turn}); }})()")


def plain_cells(frame: Frame, view: int) -> np.ndarray:
    """Cells on which nothing stands, so that their colour is the ground's alone."""
    one = frame.views[view]
    planes, note = unpack(one.planes, CELLS), one.note
    bare = (planes["flags"] == 0) & (planes["works"] == 0) & (planes["wall"] == 0) & (planes["seen"] != 0)
    marked = [event[1] for event in note["events"]] + [band[0] for band in note["bands"]]
    if view == 0:
        marked += [party[1] for party in note["parties"]] + note["capitals"]
    else:
        marked += [party[0] for party in note["parties"]] + [note["capital"]]
        marked += [rival[3] for rival in note["rivals"] if rival]
        width = GAME.map.width
        # The plan's line and the tag at its end.
        if any(decision[0] == 0 for decision in note["decisions"]) or note["plan"]:
            path = ([d for d in note["decisions"] if d[0] == 0] or [note["plan"] and note["plan"][1]])[-1][3][5]
            marked += [c + dx + dy * width for c in path for dx in range(-4, 5) for dy in (-1, 0, 1)]
    bare[[cell for cell in marked if 0 <= cell < CELLS]] = False
    return np.flatnonzero(bare)


def expected_colours(frame: Frame, view: int) -> np.ndarray:
    """The colour of every cell's ground, from the planes and the palette, uint8 [C, 3]."""
    planes, levels = unpack(frame.views[view].planes, CELLS), ground_levels()
    seen = planes["seen"].astype(int)
    age = frame.turn - 1 - (seen - 2)
    veil = np.select([seen == 1, seen == 0], [0, len(VEIL_AGES) + 1], np.searchsorted(VEIL_AGES, age, "right"))
    value, rugged = np.array(levels["value"])[planes["value"]], np.array(levels["rugged"])[planes["rugged"]]
    return cell_colours(len(GAME.seats) or GAME.game.civilizations)[veil, planes["owner"], value, rugged]


@pytest.mark.parametrize("view", range(5))
def test_the_ground_is_painted_as_the_frame_says(game: Film, visit: Visit, view: int) -> None:
    shown = visit(game.path)
    for turn in (0, 17, 40):
        go(shown, turn, view)
        image, frame = pixels(shown), game.frames[turn]
        side = image.shape[1] // GAME.map.width
        assert image.shape[:2] == (side * GAME.map.height, side * GAME.map.width)
        cells, colours = plain_cells(frame, view), expected_colours(frame, view)
        assert len(cells) > 2
        rows, columns = np.divmod(cells, GAME.map.width)
        painted = image[rows * side + side // 2, columns * side + side // 2, :3]
        assert np.array_equal(painted, colours[cells])


def test_it_opens_at_the_beginning_and_says_what_it_is(game: Film, visit: Visit) -> None:
    page = visit(game.path)
    assert page.title() == "a game of raiders"
    assert page.locator("h1").inner_text() == "a game of raiders"
    assert "raiders · seed 2 · world 0 · 40 turns" in page.locator(".cv-head").inner_text()
    assert turn_of(page) == 0
    assert [tab.inner_text().split()[1] for tab in page.locator("[role=tab]").all()] == ["Truth", *["seat"] * 4]
    assert page.locator("[role=tab][aria-selected=true]").inner_text().split() == ["0", "Truth"]


def test_steps_and_keys(game: Film, visit: Visit) -> None:
    page = visit(game.path)
    page.get_by_label("one turn on (→)").click()
    assert turn_of(page) == 1
    for key, turn in [
        ("ArrowRight", 2),
        ("ArrowRight", 3),
        ("ArrowLeft", 2),
        ("End", 40),
        ("ArrowRight", 40),
        ("Home", 0),
        ("ArrowLeft", 0),
    ]:
        page.keyboard.press(key)
        page.wait_for_timeout(50)
        assert turn_of(page) == turn, key
    page.get_by_label("last turn (End)").click()
    page.get_by_label("one turn back (←)").click()
    assert turn_of(page) == 39


def test_the_table_of_the_truth_is_the_frame(game: Film, visit: Visit) -> None:
    page = visit(game.path)
    for turn in (0, 12, 40):
        go(page, turn)
        rows = [row.inner_text().split() for row in page.locator(".cv-side tbody tr").all()]
        for seat, cells in enumerate(row[3] for row in rows):
            note = game.note(turn, 1 + seat)
            assert cells == (str(note["own"][AT["cells"]]) if note["alive"] else "–")
        assert len(rows) == 4


def test_it_plays_every_turn_in_its_order_and_stops_at_the_end(game: Film, visit: Visit) -> None:
    page = visit(game.path)
    page.evaluate(
        "window.seen = [];"
        "civsim.viewer.transport.panes.push({ show: async (turn) => seen.push([turn, civsim.viewer.frame.turn]) });"
    )
    page.get_by_label("turns a second").select_option("60")
    page.keyboard.press(" ")
    page.locator(".cv-play[aria-pressed=true]").wait_for()
    page.locator(".cv-play[aria-pressed=false]").wait_for()
    seen = page.evaluate("seen")
    assert [turn for turn, _ in seen] == list(range(1, 41))
    assert turn_of(page) == 40
    page.get_by_label("play or pause (space)").click()  # from the end it begins again
    page.locator(".cv-play[aria-pressed=true]").wait_for()
    page.keyboard.press(" ")
    page.locator(".cv-play[aria-pressed=false]").wait_for()
    assert turn_of(page) < 40


def test_the_scrubber_is_dragged(game: Film, visit: Visit) -> None:
    page = visit(game.path)
    before = pixels(page)
    page.locator(".cv-scrubber").scroll_into_view_if_needed()
    box = page.locator(".cv-scrubber").bounding_box()
    middle = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + 8, middle)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] / 2, middle, steps=6)
    page.mouse.up()
    page.wait_for_timeout(100)
    turn = turn_of(page)
    assert 18 <= turn <= 22
    dragged = pixels(page)
    assert not np.array_equal(dragged, before)
    go(page, 0)
    go(page, turn)
    assert np.array_equal(pixels(page)[::7, ::7], dragged[::7, ::7])


def test_a_chart_is_clicked_and_marks_the_turn(game: Film, visit: Visit) -> None:
    page = visit(game.path)
    chart = page.locator(".cv-chart svg").first
    chart.scroll_into_view_if_needed()
    box = chart.bounding_box()
    page.mouse.click(box["x"] + box["width"] * 0.75, box["y"] + box["height"] / 2)
    page.wait_for_timeout(100)
    assert 26 <= turn_of(page) <= 33
    cursors = {one.evaluate("node => node.style.transform") for one in page.locator(".cv-cursor").all()}
    assert len(cursors) == 1
    assert page.locator(".cv-chart").count() == 8
    assert page.locator(".cv-chart").first.locator("path.cv-line").count() == 4


def test_a_belief_shows_what_that_civilization_knows_alone(game: Film, visit: Visit) -> None:
    page = visit(game.path)
    go(page, 30)
    truth = pixels(page)
    page.locator("[role=tab]").nth(2).click()
    page.locator("[role=tab][aria-selected=true][data-view='2']").wait_for()
    text = page.locator(".civsim").inner_text()
    assert "What seat 1 knows." in text
    assert "THE CIVILIZATIONS" not in text.upper()
    note = game.note(30, 2)
    cells = page.locator(".cv-card:has-text('Itself') dd").first.inner_text()
    assert cells == str(note["own"][AT["cells"]])
    rivals = [row.inner_text().split()[:3] for row in page.locator(".cv-card:has-text('Others') tbody tr").all()]
    known = [
        ["seat", str(k), str(rival[0])]
        for k, rival in enumerate(note["rivals"])
        if rival and (rival[0] or rival[1] is not None)
    ]
    assert rivals == known
    assert page.locator(".cv-chart").first.locator("path.cv-line").count() == 1
    belief = pixels(page)
    assert not np.array_equal(belief, truth)
    planes = unpack(game.frames[30].views[2].planes, CELLS)
    never = np.flatnonzero(planes["seen"] == 0)
    assert len(never) > 5
    side = belief.shape[1] // GAME.map.width
    rows, columns = np.divmod(never, GAME.map.width)
    assert belief[rows * side + side // 2, columns * side + side // 2, :3].mean() < truth[..., :3].mean() - 40
    page.keyboard.press("0")
    page.locator("[role=tab][aria-selected=true][data-view='0']").wait_for()
    page.keyboard.press("4")
    page.locator("[role=tab][aria-selected=true][data-view='4']").wait_for()
    assert "What seat 3 knows." in page.locator(".cv-caption").inner_text()


def planned(game: Film) -> tuple[int, int, list[Any]]:
    """(turn, view, decision) of the longest path with an order and a second that is worth less."""
    found = [
        (len(decision[3][5]), turn, view, decision)
        for turn, frame in enumerate(game.frames)
        for view in range(1, 5)
        for decision in [d for d in frame.views[view].note["decisions"] if d[0] == 0][-1:]
        if decision[3][1] >= 0 and decision[4] and decision[4][4] > 0.01
    ]
    _, turn, view, decision = max(found, key=lambda one: one[:3])
    return turn, view, decision


def test_the_plan_is_drawn_as_a_path_and_said_with_what_came_second(game: Film, visit: Visit) -> None:
    page = visit(game.path)
    turn, view, (_, turns, compared, (_, _, cell, _, value, path), second, _) = planned(game)
    assert len(path) > 1
    go(page, turn, view)
    card = page.locator(".cv-whycard")
    text = card.inner_text()
    place = f"({cell % GAME.map.width}, {cell // GAME.map.width})"
    assert place in text
    assert f"over {turns} turns simulated" in text
    assert f"{compared} plans compared" in text
    shown = [float(row.locator("td").nth(1).inner_text().replace(",", "")) for row in card.locator(".cv-why tr").all()]
    assert shown[0] == pytest.approx(value, rel=1e-3)
    assert shown[1] == pytest.approx(value - second[4], rel=1e-3)
    assert shown[1] <= shown[0]
    image = pixels(page)
    side = image.shape[1] // GAME.map.width
    for one in path:
        row, column = divmod(one, GAME.map.width)
        assert image[row * side + side // 2, column * side + side // 2, :3].tolist() == [255, 255, 255]
    go(page, turn, 0)
    truth = pixels(page)
    row, column = divmod(path[-1], GAME.map.width)
    assert truth[row * side + side // 2, column * side + side // 2, :3].tolist() != [255, 255, 255]


def test_pointing_at_a_cell_tells_what_stands_there_in_that_view(game: Film, visit: Visit) -> None:
    page = visit(game.path)
    turn, view = 30, 2
    planes = unpack(game.frames[turn].views[view].planes, CELLS)
    truth = unpack(game.frames[turn].views[0].planes, CELLS)
    hidden = int(np.flatnonzero((planes["seen"] == 0) & (truth["owner"] > 0))[0])

    def point(cell: int) -> str:
        box = page.locator(".cv-map").bounding_box()
        row, column = divmod(cell, GAME.map.width)
        side = box["width"] / GAME.map.width
        page.mouse.move(box["x"] + (column + 0.5) * side, box["y"] + (row + 0.5) * side)
        page.locator(".cv-tip:not([hidden])").wait_for()
        return str(page.locator(".cv-tip").inner_text())

    go(page, turn, view)
    text = point(hidden)
    assert text.startswith(f"({hidden % GAME.map.width}, {hidden // GAME.map.width}) · free land")
    assert "never seen" in text
    own = game.note(turn, view)["capital"]
    assert "seat 1 · capital" in point(own)
    go(page, turn, 0)
    assert f"seat {truth['owner'][hidden] - 1}" in point(hidden)
    page.mouse.move(2, 2)
    assert page.locator(".cv-tip").is_hidden()


@pytest.mark.parametrize("width", [390, 1400])
@pytest.mark.parametrize("dark", [False, True])
def test_it_fits_and_is_as_light_or_dark_as_its_reader_wants(game: Film, visit: Visit, width: int, dark: bool) -> None:
    page = visit(game.path, width=width, dark=dark)
    go(page, 20, 1)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    ground = "getComputedStyle(document.querySelector('.civsim')).backgroundColor"
    light, black = "rgb(250, 249, 246)", "rgb(20, 22, 27)"
    assert page.evaluate(ground) == (black if dark else light)
    page.get_by_label("light or dark").click()
    assert page.evaluate(ground) == (light if dark else black)
    canvas = page.locator(".cv-map").bounding_box()
    assert canvas["x"] >= 0
    assert canvas["x"] + canvas["width"] <= width
    page.locator("summary").click()
    assert page.locator(".cv-legend li").count() == 15


def test_a_damaged_document_says_so_in_one_line(game: Film, visit: Visit, tmp_path: Path) -> None:
    text = '{"format":"civsim-replay","version":99}'
    parts = f'JSON.parse(document.getElementById("{DATA}").textContent)'
    start = f'civsim.openReplay(document.getElementById("viewer"), {parts}).catch(() => 0);'
    (tmp_path / "bad.html").write_text(page("x", start, {DATA: text}), encoding="utf-8")
    shown = visit(tmp_path / "bad.html", wait=".cv-error")
    assert (
        shown.locator(".civsim, .cv-error").inner_text()
        == "This replay cannot be shown: this page shows civsim-replay 1, not civsim-replay 99"
    )


def test_a_long_game_of_eight_on_a_large_map_is_small_opens_at_once_and_plays(visit: Visit, tmp_path: Path) -> None:
    game = override(load_scenario("large"), {"game.civilizations": 8, "game.turns": 400, "thinking.max_horizon": 4})
    write_page(tmp_path / "long.html", film(World(game, 1), seat_policies(game)))
    assert (tmp_path / "long.html").stat().st_size < LARGEST
    shown = visit(tmp_path / "long.html")
    opened = shown.evaluate("performance.getEntriesByName('ready')[0].startTime")
    assert opened < 4000.0  # 0.4 s on a quiet machine; this one may be busy
    seen = shown.evaluate(
        """async () => {
          const { transport } = civsim.viewer, seen = [];
          await transport.go(200);
          transport.speed = 1000;
          transport.panes.push({ show: async (turn) => seen.push(turn) });
          const begun = performance.now();
          transport.toggle();
          while (seen.length < 60) await new Promise((keep) => setTimeout(keep, 10));
          transport.pause();
          return [seen.slice(0, 60), (performance.now() - begun) / 1000];
        }"""
    )
    assert seen[0] == list(range(201, 261))
    assert 60 / seen[1] > 10.0  # 60 a second on a quiet machine
