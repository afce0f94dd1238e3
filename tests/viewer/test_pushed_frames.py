"""Frames handed over one by one, as a live page has them: what is not handed over is nowhere on the page."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from browser import Visit, pixels
from watched import THOUGHTFUL, filmed

from civsim.viewer.camera import Frame
from civsim.viewer.document import message
from civsim.viewer.header import make_header
from civsim.viewer.page import page
from civsim.viewer.planes import plane_bytes

START = """
const header = JSON.parse(document.getElementById("header").textContent);
const root = document.getElementById("viewer");
window.source = new civsim.PushSource(header, header.offered);
window.show = async (message) => {
  source.push(message);
  if (!civsim.viewer) civsim.viewer = new civsim.Viewer(root, source);
  await civsim.viewer.ready;
  root.dataset.ready = "true";
};
show(JSON.parse(document.getElementById("first").textContent));
"""


def game() -> tuple[dict[str, Any], list[Frame]]:
    films = list(filmed(THOUGHTFUL))
    return make_header(films[0][1]), [frame for _, _, frame in films]


def opened(visit: Visit, folder: Path, header: dict[str, Any], first: Frame, views: list[int]) -> Any:
    data = {"header": json.dumps({**header, "offered": views}), "first": json.dumps(only(first, views))}
    (folder / "live.html").write_text(page("live", START, data), encoding="utf-8")
    return visit(folder / "live.html")


def only(frame: Frame, views: list[int]) -> dict[str, Any]:
    return message(Frame(frame.turn, {view: frame.views[view] for view in views}))


def push(shown: Any, frame: Frame, views: list[int]) -> None:
    shown.evaluate("(message) => show(message)", only(frame, views))
    shown.wait_for_timeout(60)


def test_a_page_follows_what_is_pushed_and_may_look_back(visit: Visit, tmp_path: Path) -> None:
    header, frames = game()
    every = list(frames[0].views)
    shown = opened(visit, tmp_path, header, frames[0], every)
    for frame in frames[1:6]:
        push(shown, frame, every)
        assert shown.locator(".cv-turn").inner_text() == f"turn {frame.turn} of {frame.turn}"
    last = pixels(shown)
    shown.keyboard.press("Home")
    shown.wait_for_timeout(60)
    assert shown.locator(".cv-turn").inner_text() == "turn 0 of 5"
    push(shown, frames[6], every)
    assert shown.locator(".cv-turn").inner_text() == "turn 0 of 6", "who looks back is left there"
    assert not np.array_equal(pixels(shown), last)
    shown.wait_for_timeout(300)
    assert "NaN" not in shown.locator(".cv-charts").inner_html()


def test_a_game_begun_anew_is_shown_from_its_beginning(visit: Visit, tmp_path: Path) -> None:
    header, frames = game()
    every = list(frames[0].views)
    shown = opened(visit, tmp_path, header, frames[0], every)
    first = pixels(shown)
    for frame in frames[1:5]:
        push(shown, frame, every)
    push(shown, frames[0], every)
    assert shown.locator(".cv-turn").inner_text() == "turn 0 of 0"
    assert np.array_equal(pixels(shown), first)
    push(shown, frames[1], every)
    push(shown, frames[9], every)  # a turn far on: another game
    assert shown.locator(".cv-turn").inner_text() == "turn 9 of 9"


def test_one_view_alone_is_offered_and_told(visit: Visit, tmp_path: Path) -> None:
    header, frames = game()
    shown = opened(visit, tmp_path, header, frames[0], [2])
    for frame in frames[1:8]:
        push(shown, frame, [2])
    assert shown.locator("[role=tab]").count() == 1
    assert "What seat 1 knows." in shown.locator(".cv-caption").inner_text()
    for key in "013":
        shown.keyboard.press(key)
    assert shown.locator("[role=tab][aria-selected=true]").get_attribute("data-view") == "2"
    assert shown.locator(".cv-chart").first.locator("path.cv-line").count() == 1


def test_what_takes_too_much_memory_is_let_go(visit: Visit, tmp_path: Path) -> None:
    header, frames = game()
    shown = opened(visit, tmp_path, header, frames[0], [0])
    kept = shown.evaluate(
        """(message) => {
          source._kept = (1 << 26) - 10;
          source.push(message);
          return [source.first, source.last, source._kept];
        }""",
        only(frames[1], [0]),
    )
    assert shown.locator(".cv-charts").is_hidden(), "there is nothing to chart without the seats' own figures"
    assert "What they spend on" not in shown.locator(".cv-side").inner_text()
    assert kept[:2] == [1, 1]
    assert kept[2] == (1 << 26) - 10
    assert plane_bytes(THOUGHTFUL.n_cells) == len(frames[0].views[0].planes)
