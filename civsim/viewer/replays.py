"""Recorded games as pages: what there was to see of a game when it is played again."""

from __future__ import annotations

from civsim.scenarios.recordings.replay import Replay
from civsim.viewer.camera import TRUTH, Camera
from civsim.viewer.document import Document
from civsim.viewer.header import make_header
from civsim.viewer.page import DATA, page


def replayed(replay: Replay, first: int = 0, last: int | None = None) -> Document:
    """Replay a game and return its frames after ``first`` turns and after each turn up to ``last``.

    Where the replay is not the recorded game in every bit, the document's description ends in why.

    Args:
        replay: in turn 0.
        first: turns played at the first frame, at least 0.
        last: turns played at the last one, at most those recorded; all where left out.
    """
    end = replay.recording.turns if last is None else last
    camera = Camera(replay.world)
    document = Document(make_header(camera))
    while True:
        # The camera looks every turn, also before the first frame: plans and events are told by what was before.
        frame = camera.frame(None if replay.turn >= first else ())
        if replay.turn >= first:
            document.add(frame)
        if replay.turn >= end:
            break
        replay.step()
    if replay.note():
        document.header["description"] = f"{document.header['description']} Replayed by {replay.by}: {replay.note()}."
    return document


def recorded_page(document: Document, view: int = TRUTH) -> str:
    """Return a game as one self-contained page, HTML, that opens with a view, by default the truth."""
    start = (
        f'const held = document.getElementById("{DATA}").textContent;\n'
        'civsim.openReplay(document.getElementById("viewer"), JSON.parse(held))'
        f".then((viewer) => viewer.look({view}).then(() => (civsim.viewer = viewer)));"
    )
    return page(str(document.header["title"]), start, {DATA: document.text()})
