"""The command line: thin commands over the library. Heavy libraries are imported inside the command that needs them."""

from __future__ import annotations

from civsim.cli.app import main as main

__all__ = ["main"]
