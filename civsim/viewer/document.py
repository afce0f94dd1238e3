"""A whole game as one document: a header, and every frame of every view, packed.

A document is JSON. The maps of a view are cut into chunks of frames; in a chunk each frame is XORed with the one
before, so that what stays as it is becomes zeros; a chunk is deflated (zlib) and written in base64, both of which
every browser can undo by itself. Notes of a view are one deflated JSON list. Chunks are small enough that a page need
hold but a few of them, whatever the size of the game.
"""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import Sequence
from typing import Any

import numpy as np

from civsim.base.errors import CivsimError
from civsim.viewer.camera import Frame, View
from civsim.viewer.header import Header
from civsim.viewer.notes import Note
from civsim.viewer.packing import base64_text, page_json

FORMAT, VERSION = "civsim-replay", 1
CHUNK_BYTES = 1 << 21
"""About the bytes of a chunk before it is deflated."""
LEVEL = 6
"""Of deflation."""


class Document:
    """Frames of one game in a row.

    Args:
        header: of the camera that takes them.
    """

    def __init__(self, header: Header) -> None:
        self.header = header
        self.first: int | None = None
        """Turns played at the first frame; None before there is one."""
        self._reels = [_Reel() for _ in header["views"]]

    def __len__(self) -> int:
        """Return the number of frames."""
        return len(self._reels[0].notes)

    def add(self, frame: Frame) -> None:
        """Add the frame of the next turn.

        Raises:
            CivsimError: it is not of the turn after the last frame's, or lacks a view.
        """
        expected = frame.turn if self.first is None else self.first + len(self)
        if frame.turn != expected:
            raise CivsimError(
                f"frame of turn {frame.turn} after that of turn {expected - 1}; add every turn in its order"
            )
        missing = [name for view, name in enumerate(self.header["views"]) if view not in frame.views]
        if missing:
            raise CivsimError(f"frame of turn {frame.turn} lacks the view of {missing[0]}; take all of them")
        self.first = frame.turn if self.first is None else self.first
        for view, reel in enumerate(self._reels):
            reel.add(frame.views[view])

    def text(self) -> str:
        """Return the document as JSON that may stand inside a page.

        Raises:
            CivsimError: it has no frame.
        """
        return page_json(self.parts())

    def parts(self) -> dict[str, Any]:
        """Return what is written as JSON.

        Raises:
            CivsimError: it has no frame.
        """
        if self.first is None:
            raise CivsimError("a document needs a frame; add one first")
        return {
            "format": FORMAT,
            "version": VERSION,
            "header": self.header,
            "first": self.first,
            "frames": len(self),
            "chunk": self._reels[0].length,
            "notes": [reel.packed_notes() for reel in self._reels],
            "planes": [reel.packed_chunks() for reel in self._reels],
        }


class _Reel:
    """The frames of one view, packed as they come."""

    def __init__(self) -> None:
        self.notes: list[Note] = []
        self.length = 0  # frames of a chunk
        self._done: list[str] = []
        self._last = b""
        self._packer = zlib.compressobj(LEVEL)
        self._open: list[bytes] = []

    def add(self, view: View) -> None:
        self.length = self.length or max(1, CHUNK_BYTES // max(len(view.planes), 1))
        if self.notes and len(self.notes) % self.length == 0:
            self._done.append(self._close())
            self._last, self._packer, self._open = b"", zlib.compressobj(LEVEL), []
        self._open.append(self._packer.compress(xored(view.planes, self._last)))
        self._last = view.planes
        self.notes.append(view.note)

    def _close(self) -> str:
        """Return the open chunk in base64; it may be added to none the less."""
        return base64_text(b"".join(self._open) + self._packer.copy().flush())

    def packed_chunks(self) -> list[str]:
        return [*self._done, self._close()]

    def packed_notes(self) -> str:
        return base64_text(
            zlib.compress(json.dumps(self.notes, separators=(",", ":"), allow_nan=False).encode(), LEVEL)
        )


def message(frame: Frame) -> dict[str, Any]:
    """Return a frame by itself, to be written as JSON: what the script's ``PushSource.push`` takes."""
    views = {str(view): {"planes": base64_text(one.planes), "note": one.note} for view, one in frame.views.items()}
    return {"turn": frame.turn, "views": views}


def xored(planes: bytes, last: bytes) -> bytes:
    """Return ``planes`` XORed with ``last``, byte by byte; with nothing they are themselves."""
    if not last:
        return planes
    return (np.frombuffer(planes, np.uint8) ^ np.frombuffer(last, np.uint8)).tobytes()


def read_document(text: str) -> tuple[Header, list[Frame]]:
    """Return the header and every frame of a document, as they were added.

    Raises:
        CivsimError: the text is no document, is of another version, or is damaged.
    """
    try:
        parts = json.loads(text)
        made = parts["format"], parts["version"]
        if made == (FORMAT, VERSION):
            return parts["header"], _frames(parts)
    except (KeyError, TypeError, ValueError, zlib.error, IndexError) as error:
        raise CivsimError(f"no {FORMAT} document, or a damaged one ({error!r}); make it again") from error
    raise CivsimError(
        f"document {made[0]} of version {made[1]}, not {FORMAT} {VERSION}; make it again with this release"
    )


def _frames(parts: dict[str, Any]) -> list[Frame]:
    views = range(len(parts["header"]["views"]))
    notes = [json.loads(zlib.decompress(base64.b64decode(text, validate=True))) for text in parts["notes"]]
    planes = [_maps(chunks, parts["frames"], parts["chunk"]) for chunks in parts["planes"]]
    return [
        Frame(parts["first"] + k, {view: View(planes[view][k], notes[view][k]) for view in views})
        for k in range(parts["frames"])
    ]


def _maps(chunks: Sequence[str], frames: int, length: int) -> list[bytes]:
    """Return the maps of a view, one a frame."""
    found: list[bytes] = []
    for chunk in chunks:
        raw = np.frombuffer(zlib.decompress(base64.b64decode(chunk, validate=True)), np.uint8)
        held = min(length, frames - len(found))
        rows = np.bitwise_xor.accumulate(raw.reshape(held, -1), axis=0)
        found += [row.tobytes() for row in rows]
    return found
