"""The page: one file, nothing outside it, and data that cannot break out of its element."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from watched import THOUGHTFUL, filmed

from civsim.base.errors import CivsimError
from civsim.viewer.document import Document, read_document
from civsim.viewer.header import make_header, policy_label
from civsim.viewer.page import DATA, EXPORTED, MORE, SCRIPTS, page, replay_page, script, style, write_page

HERE = Path(__file__).parents[2] / "civsim" / "viewer"


def document(title: str | None = None) -> Document:
    (_, camera, frame), *_ = filmed(THOUGHTFUL)
    made = Document(make_header(camera, title))
    made.add(frame)
    return made


class Elements(HTMLParser):
    """The elements of a page: their attributes, and the text of its scripts."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.texts: dict[str, str] = {}
        self._open: str | None = None
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))
        self._open = dict(attrs).get("id") or tag

    def handle_data(self, data: str) -> None:
        if self._open is not None:
            self.texts[self._open] = self.texts.get(self._open, "") + data


def test_it_names_nothing_outside_itself() -> None:
    text = replay_page(document())
    for _, attributes in Elements(text).found:
        assert not {"src", "srcset", "action", "poster"} & set(attributes)
        assert attributes.get("href", "data:,") == "data:,"
    code = script() + style()
    assert [url for url in re.findall(r"https?://[^\s\"']+", code) if url != "http://www.w3.org/2000/svg"] == []
    assert not re.search(r"@import|url\(|\bfetch\(|XMLHttpRequest|WebSocket|\beval\(|innerHTML", code)


def test_its_policy_forbids_requests() -> None:
    policies = {}
    for connects in (False, True):
        found = Elements(page("x", "", connects=connects)).found
        (policies[connects],) = [a["content"] for tag, a in found if tag == "meta" and "http-equiv" in a]
    assert policies[False].startswith("default-src 'none'")
    assert policies[False].endswith("connect-src 'none'")
    assert policies[True].endswith("connect-src 'self'")


def test_a_title_or_text_cannot_break_out() -> None:
    title = "</script><script>alert(1)</script>&<b>"
    made = document(title)
    elements = Elements(replay_page(made))
    assert [tag for tag, _ in elements.found].count("script") == 2
    assert "b" not in [tag for tag, _ in elements.found]
    assert read_document(elements.texts[DATA])[0]["title"] == title
    assert json.loads(elements.texts[DATA])["frames"] == 1


def test_the_script_is_all_parts_in_one_scope() -> None:
    parts = {name: (HERE / name).read_text(encoding="utf-8") for name in (*SCRIPTS, *MORE)}
    assert sorted(path.name for path in HERE.glob("*.js")) == sorted(parts)
    assert all(parts[name] in script() for name in SCRIPTS)
    for more, names in MORE.items():
        assert parts[more] in script((more,))
        assert parts[more] not in script()
        for name in (*EXPORTED, *names):
            assert re.search(rf"(function|class) {name}\b", script((more,)))
    assert all(len(part.splitlines()) <= 400 for part in parts.values())


def test_the_style_keeps_to_the_viewer() -> None:
    rules = re.sub(r"@media[^{]*\{|/\*.*?\*/", "", style(), flags=re.DOTALL)
    selectors = [one.strip() for rule in re.findall(r"([^{}]+)\{", rules) for one in rule.split(",")]
    assert selectors
    assert [one for one in selectors if not re.search(r"\.(civsim|cv-)", one)] == []


def test_a_file_is_written_whole_or_not_at_all(tmp_path: Path) -> None:
    made = document()
    write_page(tmp_path / "game.html", made)
    assert (tmp_path / "game.html").read_text(encoding="utf-8") == replay_page(made)
    with pytest.raises(CivsimError, match="needs a frame"):
        write_page(tmp_path / "other.html", Document(made.header))
    with pytest.raises(CivsimError, match="is not a folder"):
        write_page(tmp_path / "no" / "game.html", made)
    assert [path.name for path in tmp_path.iterdir()] == ["game.html"]


def test_a_trained_policy_is_called_by_its_folder() -> None:
    assert policy_label("file:/somewhere/out/run-3") == "run-3"
    assert policy_label("zoo:baseline") == "zoo:baseline"
    assert policy_label("fixed") == "fixed"
