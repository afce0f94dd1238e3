"""What a page is handed: JSON that may stand inside it, and bytes as text."""

from __future__ import annotations

import base64
import json
from typing import Any


def page_json(value: Any) -> str:
    """Return a value as compact JSON in ASCII, without a ``<``, so that it may stand inside a page.

    Raises:
        ValueError: it holds a number that is not finite.
    """
    return json.dumps(value, separators=(",", ":"), allow_nan=False).replace("<", "\\u003c")


def base64_text(data: bytes) -> str:
    """Return bytes in base64, which a page undoes by ``atob``."""
    return base64.b64encode(data).decode("ascii")
