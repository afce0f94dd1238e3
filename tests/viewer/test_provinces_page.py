"""Seats of thought on the page, in a real browser: each has a view, provinces are drawn, ages are written if asked."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from browser import Visit, pixels
from playwright.sync_api import Page
from watched import PROVINCIAL, filmed
from worlds import scenario

from civsim.agents import seat_policies
from civsim.base.scenario import Scenario
from civsim.engine.world import World
from civsim.faces.thinkers import Thinker
from civsim.scenarios import override
from civsim.viewer.camera import TRUTH, Frame, view_of_thinker
from civsim.viewer.comparison import Arm, compare, comparison_page
from civsim.viewer.document import Document
from civsim.viewer.header import make_header
from civsim.viewer.page import write_page
from civsim.viewer.planes import FIRST_TURN, unpack

TURN = 18
CELLS = PROVINCIAL.n_cells
FAR = view_of_thinker(PROVINCIAL, Thinker(0, 2))


@pytest.fixture(scope="module")
def game(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[Frame]]:
    """The page of a game and its frames."""
    films = list(filmed(PROVINCIAL))
    document = Document(make_header(films[0][1]))
    for _, _, frame in films:
        document.add(frame)
    path = tmp_path_factory.mktemp("film") / "game.html"
    write_page(path, document)
    return path, [frame for _, _, frame in films]


def go(page: Page, view: int, turn: int = TURN) -> None:
    page.evaluate(f"(async () => {{ await civsim.viewer.look({view}); await civsim.viewer.transport.go({turn}); }})()")


def painted(page: Page) -> np.ndarray:
    """Every cell's pixels, [rows, columns, side, side, 4]."""
    image = pixels(page)
    side = image.shape[1] // PROVINCIAL.map.width
    height, width = PROVINCIAL.map.height, PROVINCIAL.map.width
    return image.reshape(height, side, width, side, 4).swapaxes(1, 2)


def test_each_seat_of_thought_has_a_tab_and_says_whose_it_is(game: tuple[Path, list[Frame]], visit: Visit) -> None:
    page = visit(game[0])
    tabs = [tab.inner_text().split() for tab in page.locator("[role=tab]").all()]
    assert len(tabs) == 10
    assert tabs[FAR] == [str(FAR), "seat", "0", "province", "2"]
    go(page, FAR)
    note = game[1][TURN].views[FAR].note
    assert note["there"] == 1
    assert page.locator(".cv-caption").inner_text().startswith("What province 2 of seat 0 knows.")
    go(page, 1)
    assert page.locator(".cv-caption").inner_text().startswith("What the capital of seat 0 knows.")
    go(page, FAR, 0)
    assert "the capital of seat 0 (there is no province 2 now)" in page.locator(".cv-caption").inner_text()


def test_a_table_tells_how_thought_is_housed(game: tuple[Path, list[Frame]], visit: Visit) -> None:
    page = visit(game[0])
    go(page, FAR)
    card = page.locator(".cv-card", has=page.locator("h2", has_text="Seats of thought"))
    rows = [row.locator("td").all_inner_texts() for row in card.locator("tbody tr").all()]
    thought = game[1][TURN].views[FAR].note["thought"]
    assert [row[0] for row in rows] == ["capital", *map(str, range(1, len(thought)))]
    assert [int(row[2]) for row in rows] == [row[1] for row in thought]
    roads = ["" if k == 2 else f"{row[5]} turn{'' if row[5] == 1 else 's'}" for k, row in enumerate(thought)]
    assert [row[6] for row in rows] == roads


def test_every_turn_of_every_view_can_be_shown(game: tuple[Path, list[Frame]], visit: Visit) -> None:
    """Who took a cell is unknown to a seat of thought that has had no word of it."""
    page, frames = visit(game[0]), game[1]
    unknown = [(turn, view) for turn in range(len(frames)) for view in range(1, 10) if strangers(frames[turn], view)]
    for turn in range(len(frames)):
        for view in range(10):
            go(page, view, turn)
            if (turn, view) in unknown:
                assert "somebody took" in page.locator(".cv-events").inner_text()
    assert unknown


def strangers(frame: Frame, view: int) -> bool:
    """Whether a view tells of a deed whose doer it does not know."""
    return any(event[2] < 0 for event in frame.views[view].note["events"])


def test_provinces_are_parted_by_broken_lines(game: tuple[Path, list[Frame]], visit: Visit) -> None:
    page = visit(game[0])
    go(page, TRUTH)
    planes = unpack(game[1][TURN].views[TRUTH].planes, CELLS)
    shape = PROVINCIAL.map.height, PROVINCIAL.map.width
    owner, province = planes["owner"].reshape(shape), planes["province"].reshape(shape)
    same = (owner[:, 1:] == owner[:, :-1]) & (owner[:, 1:] > 0)
    tiles = painted(page)
    side = tiles.shape[2]
    # The edge between two cells of a realm, where a dash is: white if they belong to different provinces.
    edges = tiles[:, 1:, side // 4, 0, :3].astype(int).min(axis=-1)
    parted = edges[same & (province[:, 1:] != province[:, :-1])]
    joined = edges[same & (province[:, 1:] == province[:, :-1])]
    assert len(parted) > 1
    assert len(joined) > 3
    assert parted.min() > 230
    assert joined.max() < 230


def test_ages_are_written_on_what_is_not_in_view(game: tuple[Path, list[Frame]], visit: Visit) -> None:
    page = visit(game[0])
    go(page, TRUTH)
    assert not page.locator(".cv-ages").is_visible()
    go(page, FAR)
    plain = painted(page)
    page.get_by_label("ages").check()
    aged = painted(page)
    page.keyboard.press("a")
    assert not page.get_by_label("ages").is_checked()
    assert np.array_equal(painted(page), plain)
    differs = (plain != aged).any(axis=(2, 3, 4)).ravel()
    seen = unpack(game[1][TURN].views[FAR].planes, CELLS)["seen"].astype(int)
    old = (seen >= FIRST_TURN) & (TURN - 1 - (seen - FIRST_TURN) > 0)
    assert old.sum() > 10
    assert np.array_equal(differs, old)


def arm(label: str, game: Scenario) -> Arm:
    world, policies = World(game, world_ids=[3], seed=0), seat_policies(game)
    return Arm(label, world, lambda: world.step(policies.shares(world)))


def test_one_seat_and_several_are_shown_side_by_side(visit: Visit, tmp_path: Path) -> None:
    several = scenario(
        {"map.width": 8, "map.height": 8, "game.civilizations": 2, "game.turns": 25, "claims.cost": 0.7},
        thinking__seats={"count": 3, "cells": 1, "messenger": 1.0},
    )
    one = override(several, {"thinking.seats": {}})
    made = compare(arm("one", one), arm("several", several))
    assert made.firsts[0].group == "provinces"
    (tmp_path / "page.html").write_text(comparison_page(made), encoding="utf-8")
    page: Any = visit(tmp_path / "page.html", width=1300)

    def shows(*views: int) -> None:
        asked = "(asked) => String(civsim.comparison.viewers.map((viewer) => viewer.frame.view)) === String(asked)"
        page.wait_for_function(asked, arg=list(views))

    page.evaluate("civsim.comparison.transport.go(20)")
    page.evaluate("civsim.comparison.viewers[1].look(4)")  # province 2 of seat 0
    shows(1, 4)
    page.evaluate("civsim.comparison.viewers[0].look(2)")
    shows(2, 2)
    page.keyboard.press("5")
    shows(2, 5)
    page.keyboard.press("0")
    shows(0, 0)
