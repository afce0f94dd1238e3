"""What every test shares: reproducible property tests, no window system, and an order that keeps two workers busy."""

from __future__ import annotations

import gc
import os
from pathlib import Path

import pytest
from hypothesis import settings

os.environ.setdefault("MPLBACKEND", "Agg")
# Mesa 3.3's own components do not pass Solara's check of them, which warns; it is read when Solara is imported.
os.environ.setdefault("SOLARA_CHECK_HOOKS", "off")
os.environ.setdefault("SDL_VIDEODRIVER", "dummy")

settings.register_profile("civsim", deadline=None, derandomize=True, database=None, max_examples=50)
settings.load_profile("civsim")

NO_KERNELS = Path(__file__).parent / "analysis"
"""Tests that hardly need a compiled kernel."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the tests of tables and statistics first.

    Workers share one cache of kernels and begin at different places of the list. On a cold cache one of them compiles
    while the other does what needs no kernel, and then finds them all; otherwise both would compile the same.
    """
    items.sort(key=lambda item: not item.path.is_relative_to(NO_KERNELS))


def pytest_collection_finish() -> None:
    """Spare the collector what importing every library made: a full collection would go through it a thousand times."""
    gc.collect()
    gc.freeze()
