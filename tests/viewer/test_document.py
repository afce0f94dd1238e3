"""A document gives back every frame as it was added, whatever the chunks; a damaged one is refused in one line."""

from __future__ import annotations

import base64
import json
import zlib
from typing import Any

import pytest
from watched import THOUGHTFUL, filmed

from civsim.base.errors import CivsimError
from civsim.viewer import document as documents
from civsim.viewer.camera import Camera, Frame
from civsim.viewer.document import Document, message, read_document
from civsim.viewer.header import make_header


def made() -> tuple[Camera, list[Frame], Document]:
    films = list(filmed(THOUGHTFUL))
    camera, frames = films[0][1], [frame for _, _, frame in films]
    document = Document(make_header(camera))
    for frame in frames:
        document.add(frame)
    return camera, frames, document


@pytest.mark.parametrize("chunk", [1, 1000, 4000, 1 << 21])
def test_every_frame_comes_back(chunk: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(documents, "CHUNK_BYTES", chunk)
    _, frames, document = made()
    header, back = read_document(document.text())
    assert header == json.loads(json.dumps(document.header))
    assert back == frames
    assert len(document) == len(frames)
    number = len(json.loads(document.text())["planes"][0])
    assert number == -(-len(frames) // max(1, chunk // len(frames[0].views[0].planes)))


def test_it_may_be_read_while_it_grows() -> None:
    camera, frames, _ = made()
    document = Document(make_header(camera))
    for number, frame in enumerate(frames, start=1):
        document.add(frame)
        assert read_document(document.text())[1] == frames[:number]


def test_it_may_stand_inside_a_page() -> None:
    camera, _, _ = made()
    text = Document(make_header(camera, "</script><b>&")).header["title"]
    document = Document(make_header(camera, text))
    document.add(camera.frame())
    written = document.text()
    assert "<" not in written
    assert written.isascii()
    assert read_document(written)[0]["title"] == "</script><b>&"


def test_frames_are_added_in_their_order_and_whole() -> None:
    camera, frames, _ = made()
    document = Document(make_header(camera))
    with pytest.raises(CivsimError, match="needs a frame; add one first"):
        document.text()
    document.add(frames[3])
    with pytest.raises(CivsimError, match="frame of turn 5 after that of turn 3; add every turn"):
        document.add(frames[5])
    with pytest.raises(CivsimError, match="frame of turn 4 lacks the view of seat 1; take all"):
        document.add(Frame(4, {view: one for view, one in frames[4].views.items() if view != 2}))
    assert len(document) == 1
    document.add(frames[4])
    assert read_document(document.text())[1] == frames[3:5]


def damaged(parts: dict[str, Any]) -> list[dict[str, Any]]:
    cut = parts["planes"][0][0][: len(parts["planes"][0][0]) // 2]
    other = base64.b64encode(zlib.compress(b"\0" * 7)).decode()
    return [
        {**parts, "format": "other"},
        {key: value for key, value in parts.items() if key != "notes"},
        {**parts, "planes": [[cut], *parts["planes"][1:]]},
        {**parts, "planes": [["!"], *parts["planes"][1:]]},
        {**parts, "planes": [[other], *parts["planes"][1:]]},
        {**parts, "planes": parts["planes"][:1]},
        {**parts, "notes": [parts["notes"][0][:40], *parts["notes"][1:]]},
        {**parts, "frames": "many"},
    ]


def test_what_is_no_document_is_refused_in_one_line() -> None:
    _, _, document = made()
    parts = json.loads(document.text())
    texts = ["", "[]", "{", "null", '"x"', *map(json.dumps, damaged(parts)), document.text()[:-40]]
    for text in texts:
        with pytest.raises(CivsimError, match="document") as caught:
            read_document(text)
        assert "\n" not in str(caught.value)
    with pytest.raises(CivsimError, match="of version 7, not civsim-replay 1; make it again"):
        read_document(json.dumps({**parts, "version": 7}))


def test_a_message_is_a_frame_by_itself() -> None:
    _, frames, _ = made()
    sent = json.loads(json.dumps(message(frames[2])))
    assert sent["turn"] == 2
    for view, one in frames[2].views.items():
        assert base64.b64decode(sent["views"][str(view)]["planes"]) == one.planes
        assert sent["views"][str(view)]["note"] == one.note
